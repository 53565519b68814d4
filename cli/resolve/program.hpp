// SPDX-License-Identifier: Apache-2.0
// What was asked to run: the program, and the files the kernel needs to start it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nono::cli {

/// A program that can be started.
struct program {
  std::string path;  ///< absolute, as found; what execve gets
  /// Canonical paths that must be readable and executable, without repetition: the program, its `#!`
  /// interpreter (behind `/usr/bin/env [-S] [NAME=VALUE] tool` also that tool, looked up on PATH) and the ELF
  /// interpreter of each. Up to 5 levels. Not found: shared libraries, and interpreters registered with
  /// binfmt_misc.
  std::vector<std::string> files;
  std::string name;  ///< the last component, as typed
};

enum class program_failure { not_found, not_executable, is_directory, permission };

/// Why a program cannot be started, in one sentence with the remedy.
struct program_error {
  program_failure kind;
  std::string message;
};

/// Finds a program as execvp does. A command with a '/' is taken relative to `cwd`; others are looked up in
/// `path_variable`, whose empty entries mean `cwd` and whose relative entries lie below it.
/// path_variable: the value of PATH; a view without data (PATH is unset) means "/bin:/usr/bin".
/// cwd:           absolute.
/// Reads at most 64 KiB of each file, regular files only, and never waits for one.
std::variant<program, program_error> find_program(std::string_view command, std::string_view path_variable,
                                                  std::string_view cwd);

/// The path without symbolic links and dots; nothing when it does not exist.
std::optional<std::string> canonical_path(const std::string& path);

/// The text in quotes for one line of a message, as nono::append_quoted has it; at most `longest` bytes of it.
std::string in_quotes(std::string_view text, std::size_t longest = 200);

/// The whole text in quotes: for lists of paths, where a cut could hide what is granted.
inline std::string quoted_whole(std::string_view text) { return in_quotes(text, text.size()); }

}  // namespace nono::cli
