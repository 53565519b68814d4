// SPDX-License-Identifier: Apache-2.0
// `nono run` and `nono wrap`, from options to exit code.
#pragma once

#include "cli/resolve/options.hpp"

namespace nono::cli {

/// Supervises a confined child. Returns the exit code: the child's, 128 + its signal, 126 when confining failed
/// in the child, 127 when executing failed, 1 for every other error.
int run(const run_options& options);

/// Confines this process and executes the command in its place; returns only on failure.
int wrap(const run_options& options);

}  // namespace nono::cli
