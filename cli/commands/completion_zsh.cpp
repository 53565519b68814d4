// SPDX-License-Identifier: Apache-2.0
// The completion script for zsh, by _arguments.
#include <fmt/format.h>

#include "cli/commands/completion.hpp"

namespace nono::cli {

namespace {

constexpr std::string_view zsh_head = R"sh(#compdef nono
# Completion of nono for zsh, written by `nono completion zsh`.

# The profiles by name, the user's own too; else files.
__nono_profiles() {
  local line
  local -a profiles
  if [[ $PREFIX != */* ]]; then
    for line in ${(f)"$(_call_program profiles $nono profile list 2>/dev/null </dev/null)"}; do
      profiles+=("${line%% *}:${${line#* }##[[:blank:]]##}")
    done
  fi
  _describe -t profiles profile profiles || _files
}

__nono_command() {
  if [[ $PREFIX == */* ]]; then _files -g '*(-*)'; else _command_names -e; fi
}
)sh";

constexpr std::string_view zsh_tail = R"sh(
# Found in $fpath, this file is the body of _nono at its first call; sourced, it announces _nono.
if [[ $funcstack[1] == _nono ]]; then
  _nono "$@"
else
  compdef _nono nono
fi
)sh";

std::string quoted_for_zsh(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// A text with backslashes before `special`, for whoever takes the word apart.
std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || special.find(c) != std::string_view::npos) out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string action_of(const std::string& value) {
  switch (kind_of_value(value)) {
    case value_kind::directory:
      return "_files -/";
    case value_kind::file:
      return "_files";
    case value_kind::profile:
      return "__nono_profiles";
    case value_kind::program:
    case value_kind::command:
      return "__nono_command";
    case value_kind::words: {
      std::string out;
      for (const std::string& word : words_of_value(value)) out += (out.empty() ? "(" : " ") + word;
      return out + ")";
    }
    case value_kind::nothing:
      break;
  }
  return " ";
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '_' ? ' ' : c;
  return out;
}

/// What a value is called, and how it is completed.
std::string value_of(const std::string& value) {
  return fmt::format(":{}:{}", escaped(lower(value), ":"), action_of(value));
}

/// The specifications of one flag, a line for each of its names. A flag that is given once excludes its other names.
std::string flag_lines(const flag_entry& flag) {
  std::string others;
  for (const std::string& name : flag.names) others += (others.empty() ? "" : " ") + name;
  std::string out;
  for (const std::string& name : flag.names) {
    const bool is_long = name.starts_with("--");
    std::string spec = fmt::format("{}{}{}[{}]", flag.repeats ? "*" : "(" + others + ")", name,
                                   flag.value.empty() ? ""
                                   : is_long          ? "="
                                                      : "+",
                                   escaped(flag.description, "]"));
    if (!flag.value.empty()) spec += value_of(flag.value);
    out += "    " + quoted_for_zsh(spec);
    out += " \\\n";
  }
  return out;
}

std::string function_of(const std::string& path) {
  std::string out = "_";
  for (const char c : path) out += c == ' ' ? '_' : c;
  return out;
}

std::string function_for(const std::string& path, const command_entry& command) {
  const std::string name = function_of(path);
  std::string out = fmt::format("\n{}() {{\n", name);
  if (path.find(' ') == std::string::npos) out += "  local nono=$words[1]\n";
  const bool branches = !command.commands.empty();
  if (branches) out += "  local curcontext=$curcontext state line ret=1\n";
  out += fmt::format("  _arguments -s -S -A '-*'{} : \\\n", branches ? " -C" : "");
  for (const flag_entry& flag : command.flags) out += flag_lines(flag);
  if (!branches) {
    if (command.positional.empty())
      out.erase(out.rfind(" \\"));
    else if (kind_of_value(command.positional) == value_kind::command)
      out += "    '1:command:__nono_command' '*::arguments: _normal'";
    else
      out += "    " + quoted_for_zsh("1" + value_of(command.positional));
    return out + "\n}\n";
  }
  out +=
      "    '1: :->command' '*:: :->rest' && ret=0\n  case $state in\n    command)\n      local -a "
      "commands=(\n";
  for (const command_entry& one : command.commands)
    out += fmt::format("        {}\n", quoted_for_zsh(one.name + ":" + escaped(one.description, ":")));
  out +=
      "      )\n      _describe -t commands command commands && ret=0\n      ;;\n    rest)\n"
      "      case $words[1] in\n";
  for (const command_entry& one : command.commands)
    out += fmt::format("        {}) {}_{} && ret=0 ;;\n", one.name, name, one.name);
  return out + "      esac\n      ;;\n  esac\n  return ret\n}\n";
}

}  // namespace

std::string zsh_completion(const command_entry& root) {
  std::string out(zsh_head);
  for_each_command(root, [&](const std::string& path, const command_entry& command) {
    out += function_for(path, command);
  });
  return out.append(zsh_tail);
}

}  // namespace nono::cli
