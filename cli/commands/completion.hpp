// SPDX-License-Identifier: Apache-2.0
// `nono completion`: scripts for bash, zsh and fish, written from the tree of commands and flags.
#pragma once

#include <string>
#include <string_view>

#include "cli/commands/command_tree.hpp"

namespace nono::cli {

inline constexpr std::string_view completion_shells[] = {"bash", "zsh", "fish"};

std::string bash_completion(const command_entry& root);
std::string zsh_completion(const command_entry& root);
std::string fish_completion(const command_entry& root);

/// What is wrong with the shell, in one sentence; empty if nothing is.
std::string check_shell(std::string_view shell);

/// Prints the script of a shell that check_shell() takes. Gives the exit code.
int print_completion(std::string_view shell, const command_entry& root);

}  // namespace nono::cli
