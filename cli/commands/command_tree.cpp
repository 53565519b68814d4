// SPDX-License-Identifier: Apache-2.0
// Reads the command line off CLI11's own tree, so that nothing said about it can lag behind.
#include "cli/commands/command_tree.hpp"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>
#include <nono/question.hpp>

#include "cli/commands/completion.hpp"

namespace nono::cli {

namespace {

flag_entry read_flag(const CLI::Option& option) {
  flag_entry out;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  out.description = option.get_description();
  out.variable = option.get_envname();
  if (option.get_items_expected_max() == 0) {
    out.repeats = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;  // it is counted
  } else {
    out.value = option.get_type_name();
    out.repeats = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  }
  return out;
}

}  // namespace

command_entry read_tree(const CLI::App& app) {
  command_entry out{app.get_name(), app.get_description(), app.get_footer(), {}, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    if (option->get_positional()) {
      out.positional = option->get_type_name();
    } else {
      out.flags.push_back(read_flag(*option));
    }
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) out.commands.push_back(read_tree(*command));
  return out;
}

void for_each_command(const command_entry& root,
                      const std::function<void(const std::string&, const command_entry&)>& visit,
                      const std::string& above) {
  const std::string path = above.empty() ? root.name : above + ' ' + root.name;
  visit(path, root);
  for (const command_entry& command : root.commands) for_each_command(command, visit, path);
}

value_kind kind_of_value(std::string_view value) {
  constexpr std::pair<std::string_view, value_kind> kinds[] = {
      {"DIR", value_kind::directory},   {"PATH", value_kind::file},
      {"FILE", value_kind::file},       {"PROFILE", value_kind::profile},
      {"COMMAND", value_kind::program}, {"COMMAND [ARGS...]", value_kind::command},
      {"OPERATION", value_kind::words}, {"SHELL", value_kind::words},
  };
  for (const auto& [name, kind] : kinds)
    if (name == value) return kind;
  return value_kind::nothing;
}

std::vector<std::string> words_of_value(std::string_view value) {
  std::vector<std::string> out;
  if (value == "SHELL")
    for (const std::string_view shell : completion_shells) out.emplace_back(shell);
  if (value == "OPERATION")
    for (const operation_row& row : operations)
      if (row.what != operation::connect_tcp && row.what != operation::bind_tcp) out.emplace_back(row.name);
  return out;
}

}  // namespace nono::cli
