// SPDX-License-Identifier: Apache-2.0
// `nono man`: the manual page, written from the tree of commands and flags.
#pragma once

#include <string>

#include "cli/commands/command_tree.hpp"

namespace nono::cli {

/// The page in roff's man macros, for man(1), groff and mandoc.
std::string man_page(const command_entry& root);

}  // namespace nono::cli
