// SPDX-License-Identifier: Apache-2.0
// The command line as data: what completion scripts and the manual page are written from.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace nono::cli {

struct flag_entry {
  std::vector<std::string> names;  ///< with their dashes, the short ones first
  std::string value;               ///< what --help calls its value; empty if it takes none
  std::string description;
  std::string variable;  ///< of the environment; empty if none stands for it
  bool repeats = false;
};

struct command_entry {
  std::string name;
  std::string description;
  std::string footer;
  std::vector<flag_entry> flags;
  std::string positional;  ///< what --help calls the words behind the flags; empty if there are none
  std::vector<command_entry> commands;
};

/// The tree below `app` as it stands, without what --help does not show either.
command_entry read_tree(const CLI::App& app);

/// Calls `visit(path, command)` for a command and all below it; path: "nono", "nono profile", "nono profile list".
void for_each_command(const command_entry& root,
                      const std::function<void(const std::string&, const command_entry&)>& visit,
                      const std::string& above = {});

/// How a shell completes a value.
enum class value_kind {
  nothing,
  directory,
  file,
  profile,  ///< a profile by name, or a file
  program,  ///< the name of a command
  command,  ///< a command with its arguments, to the end of the line
  words,    ///< one of a few: words_of_value() has them
};

value_kind kind_of_value(std::string_view value);
std::vector<std::string> words_of_value(std::string_view value);

}  // namespace nono::cli
