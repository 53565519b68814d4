// SPDX-License-Identifier: Apache-2.0
// `nono profile`: what the profiles are, and what one grants here and now.
#pragma once

#include <string>

namespace nono::cli {

/// The built-in profiles, a line each. Gives the exit code.
int list_profiles();

/// What a run with the profile grants, resolved as `run` resolves it. tree: by path. Gives the exit code.
int show_profile(const std::string& name, bool tree);

}  // namespace nono::cli
