// SPDX-License-Identifier: Apache-2.0
// The completion script for fish 3 and later.
#include <fmt/format.h>

#include "cli/commands/completion.hpp"

namespace nono::cli {

namespace {

constexpr std::string_view fish_head =
    R"fish(# Completion of nono for fish, written by `nono completion fish`.
)fish";

constexpr std::string_view functions = R"fish(
# Two lines: the place that the words before the cursor lead to, such as "nono run", and the number of the word with which
# the command of the user begins; 0 where there is none yet.
function __nono_walk
    set -l words (commandline -opc)
    set -l place nono
    set -l value no
    set -l number 1
    for word in $words[2..-1]
        set number (math $number + 1)
        if test $value = yes
            set value no
            continue
        end
        switch $word
            case --
                if __nono_runs $place
                    printf '%s\n' $place (math $number + 1)
                    return
                end
            case '-*'
                __nono_takes_value "$place $word"; and set value yes
            case '*'
                if __nono_runs $place
                    printf '%s\n' $place $number
                    return
                end
                __nono_branches $place; and set place "$place $word"
        end
    end
    printf '%s\n' $place 0
end

function __nono_at
    set -l walk (__nono_walk)
    test "$walk[1]" = "$argv[1]" -a $walk[2] -eq 0
end

function __nono_in_command
    set -l walk (__nono_walk)
    test $walk[2] -gt 0; or __nono_runs $walk[1]
end

# Completes the command of the user as if it stood alone.
function __nono_command
    set -l walk (__nono_walk)
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    if test $walk[2] -gt 0 -a $walk[2] -le (count $words)
        complete -C (string join ' ' -- (string escape -- $words[$walk[2]..-1]) "$current")
    else
        __nono_programs
    end
end

# The names of commands.
function __nono_programs
    set -l current (commandline -ct | string replace -r '^--[^=]*=' '')
    string match -q -- '-*' "$current"; or complete -C "$current"
end

# The profiles, the user's own too, with their descriptions.
function __nono_profiles
    set -l words (commandline -opc)
    $words[1] profile list 2>/dev/null </dev/null | string replace -r ' +' \t
end

complete -c nono -e
complete -c nono -f
complete -c nono -n __nono_in_command -a '(__nono_command)'
)fish";

std::string quoted_for_fish(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "'";
}

/// The arguments of `complete` that say how a value is completed.
std::string value_arguments(const std::string& value) {
  switch (kind_of_value(value)) {
    case value_kind::directory:
      return " -x -a '(__fish_complete_directories)'";
    case value_kind::file:
      return " -r -F";
    case value_kind::profile:
      return " -r -F -a '(__nono_profiles)'";
    case value_kind::program:
      return " -x -a '(__nono_programs)'";
    case value_kind::words: {
      std::string out;
      for (const std::string& word : words_of_value(value)) out += (out.empty() ? "" : " ") + word;
      return " -x -a " + quoted_for_fish(out);
    }
    case value_kind::command:
    case value_kind::nothing:
      break;
  }
  return value.empty() ? "" : " -x";
}

std::string cases(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += ' ' + quoted_for_fish(word);
  return words.empty() ? std::string() : "        case" + out + "\n            return 0\n";
}

std::string predicate(std::string_view comment, std::string_view name,
                      const std::vector<std::string>& words) {
  return fmt::format("\n# {}\nfunction {}\n    switch \"$argv[1]\"\n{}    end\n    return 1\nend\n", comment,
                     name, cases(words));
}

}  // namespace

std::string fish_completion(const command_entry& root) {
  std::vector<std::string> flags_with_value;
  std::vector<std::string> running;
  std::vector<std::string> branching;
  std::string lines;
  for_each_command(root, [&](const std::string& path, const command_entry& command) {
    const std::string here = "complete -c nono -n " + quoted_for_fish("__nono_at " + quoted_for_fish(path));
    for (const flag_entry& flag : command.flags) {
      std::string names;
      for (const std::string& name : flag.names) {
        const bool is_long = name.starts_with("--");
        names += (is_long ? " -l " : " -s ") + name.substr(is_long ? 2 : 1);
        if (!flag.value.empty()) flags_with_value.push_back(fmt::format("{} {}", path, name));
      }
      lines += fmt::format("{}{}{} -d {}\n", here, names, value_arguments(flag.value),
                           quoted_for_fish(flag.description));
    }
    for (const command_entry& one : command.commands)
      lines += fmt::format("{} -a {} -d {}\n", here, one.name, quoted_for_fish(one.description));
    if (!command.commands.empty()) branching.push_back(path);
    if (kind_of_value(command.positional) == value_kind::command)
      running.push_back(path);
    else if (!command.positional.empty())
      lines += here + value_arguments(command.positional) + "\n";
  });
  return fmt::format(
      "{}{}{}{}{}\n{}", fish_head,
      predicate("Whether this flag at this place has a value.", "__nono_takes_value", flags_with_value),
      predicate("Whether what stands behind the flags at this place is a command to run.", "__nono_runs",
                running),
      predicate("Whether a further command of nono's may follow.", "__nono_branches", branching), functions,
      lines);
}

}  // namespace nono::cli
