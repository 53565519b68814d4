// SPDX-License-Identifier: Apache-2.0
// What is printed before a run: the grants, the network and what the kernel lacks.
#pragma once

#include <string>

#include <nono/bind.hpp>
#include <nono/report.hpp>

#include "cli/resolve/resolver.hpp"

namespace nono::cli {

/// The banner and the block headed `Capabilities:`. verbose: 1 or more lists every grant with its source.
/// dry_run: nothing has been tried.
std::string summary(const resolution& r, const bound_policy& bound, const enforcement& report, int verbose,
                    bool dry_run);

/// The command as one line that a shell would read back, what looks like a secret replaced.
std::string command_line(const std::vector<std::string>& command);

}  // namespace nono::cli
