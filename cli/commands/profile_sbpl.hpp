// SPDX-License-Identifier: Apache-2.0
// `nono profile show --format sbpl`: what a profile would be on macOS, as the text that its kernel gets.
#pragma once

#include <string>

#include <nono/error.hpp>

#include "cli/resolve/profile_file.hpp"
#include "cli/resolve/resolver.hpp"

namespace nono::cli {

/// The Seatbelt profile of a profile by name, on whatever system this runs: nothing of this one is in it. Its variables
/// are parameters; comments say what a run adds, and what is no part of it.
/// Errors: those of to_sbpl() and of capability_set.
result<std::string> sbpl_of(const chosen_profile& chosen, const host& here);

}  // namespace nono::cli
