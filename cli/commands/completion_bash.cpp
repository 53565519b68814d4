// SPDX-License-Identifier: Apache-2.0
// The completion script for bash 4 and later; it needs no bash-completion package, and uses it where it is there.
#include <fmt/format.h>

#include "cli/commands/completion.hpp"

namespace nono::cli {

namespace {

constexpr std::string_view bash_head = R"(# Completion of nono for bash, written by `nono completion bash`.
)";

/// Paths are left to readline's own completion, which knows about quoting and ~.
constexpr std::string_view bash_tail = R"sh(
# The names of the profiles, the user's own too.
_nono_profiles() {
  local name rest
  while read -r name rest; do printf '%s\n' "$name"; done < <("$nono" profile list 2>/dev/null </dev/null)
}

# Completes the current word as a value of this kind; words: what there is to choose from.
_nono_fill() {
  local names
  case $1 in
    directory) compopt -o dirnames 2>/dev/null ;;
    file) compopt -o default 2>/dev/null ;;
    profile)
      compopt -o default 2>/dev/null
      [[ $cur == */* ]] || names=$(_nono_profiles)
      mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur")
      ;;
    program | command)
      compopt -o default 2>/dev/null
      [[ $cur == */* ]] || mapfile -t COMPREPLY < <(compgen -c -- "$cur" | sort -u)
      ;;
    words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
  esac
}

# Completes the words from $1 on as if they stood alone.
_nono_command() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
    return
  fi
  local line=$COMP_LINE spec function option i
  for ((i = 0; i < $1; i++)); do line=${line#*"${COMP_WORDS[i]}"}; done
  line=${line#"${line%%[![:blank:]]*}"}
  ((COMP_POINT -= ${#COMP_LINE} - ${#line}))
  COMP_LINE=$line
  COMP_WORDS=("${COMP_WORDS[@]:$1}")
  ((COMP_CWORD -= $1))
  if ((COMP_CWORD == 0)); then
    _nono_fill command
    return
  fi
  local name=${COMP_WORDS[0]}
  spec=$(complete -p -- "$name" 2>/dev/null || complete -p -- "${name##*/}" 2>/dev/null)
  if [[ $spec =~ ' -F '([^ ]+) ]]; then
    function=${BASH_REMATCH[1]}
    for option in bashdefault default dirnames filenames noquote nosort nospace plusdirs; do
      [[ $spec != *" -o $option "* ]] || compopt -o "$option" 2>/dev/null
    done
    "$function" "$name" "$cur" "${COMP_WORDS[COMP_CWORD - 1]}"
  elif [[ $spec == *' -W '* && $spec != *' -C '* ]]; then
    # The words were quoted by bash itself.
    spec=${spec#complete }
    mapfile -t COMPREPLY < <(eval "compgen ${spec% *} -- \"\$cur\"" 2>/dev/null)
  else
    compopt -o default 2>/dev/null
  fi
}

_nono() {
  local nono=$1 cur=${COMP_WORDS[COMP_CWORD]} at=nono kind= words= flags= commands= rest= word i
  COMPREPLY=()
  _nono_place
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    # --flag=value comes as three words.
    if [[ $word == '=' && ${COMP_WORDS[i - 1]} == --* ]]; then
      ((++i < COMP_CWORD)) && kind=
      continue
    fi
    if [[ -n $kind ]]; then
      kind=
      continue
    fi
    if [[ $word == -- ]]; then
      if [[ $rest == command ]]; then
        _nono_command $((i + 1))
        return
      fi
    elif [[ $word == -* ]]; then
      _nono_value "$word"
    elif [[ -n $commands ]]; then
      at+=" $word"
      _nono_place
    elif [[ $rest == command ]]; then
      _nono_command "$i"
      return
    else
      rest=
    fi
  done
  [[ $cur != '=' ]] || cur=
  if [[ -n $kind ]]; then
    _nono_fill "$kind"
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
  elif [[ -n $commands ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
  else
    _nono_fill "$rest"
  fi
}

complete -F _nono nono
)sh";

std::string_view word_of(value_kind kind) {
  switch (kind) {
    case value_kind::nothing:
      return "nothing";
    case value_kind::directory:
      return "directory";
    case value_kind::file:
      return "file";
    case value_kind::profile:
      return "profile";
    case value_kind::program:
      return "program";
    case value_kind::command:
      return "command";
    case value_kind::words:
      return "words";
  }
  return {};
}

std::string quoted_for_shell(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string bash_setting(std::string_view name, const std::string& value) {
  return value.empty() ? std::string() : fmt::format(" {}={}", name, quoted_for_shell(value));
}

/// What a value is completed with, as settings of kind (or rest) and words.
std::string settings_of(std::string_view name, const std::string& value) {
  return bash_setting(name, std::string(word_of(kind_of_value(value)))) +
         bash_setting("words", joined(words_of_value(value)));
}

}  // namespace

std::string bash_completion(const command_entry& root) {
  std::string places;
  std::string values;
  for_each_command(root, [&](const std::string& path, const command_entry& command) {
    std::vector<std::string> flags;
    std::vector<std::string> below;
    below.reserve(command.commands.size());
    for (const flag_entry& flag : command.flags) {
      flags.insert(flags.end(), flag.names.begin(), flag.names.end());
      if (flag.value.empty()) continue;
      std::string pattern;
      for (const std::string& name : flag.names)
        pattern += fmt::format("{}{}", pattern.empty() ? "" : " | ",
                               quoted_for_shell(fmt::format("{} {}", path, name)));
      values += fmt::format("    {})\n      {} ;;\n", pattern, settings_of("kind", flag.value).substr(1));
    }
    for (const command_entry& one : command.commands) below.push_back(one.name);
    places +=
        fmt::format("    {})\n      flags={}{}{} ;;\n", quoted_for_shell(path),
                    quoted_for_shell(joined(flags)), bash_setting("commands", joined(below)),
                    command.positional.empty() ? std::string() : settings_of("rest", command.positional));
  });
  return fmt::format(
      "{}\n"
      "# What may stand at a place: flags, commands, and the kind of the words behind them.\n"
      "_nono_place() {{\n  flags= commands= rest= words=\n  case $at in\n{}  esac\n}}\n\n"
      "# The kind of the value that a flag takes; none where it takes none.\n"
      "_nono_value() {{\n  case \"$at $1\" in\n{}  esac\n}}\n{}",
      bash_head, places, values, bash_tail);
}

}  // namespace nono::cli
