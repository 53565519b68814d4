// SPDX-License-Identifier: Apache-2.0
// The manual page: what flags do is read off the tree, the rest is written here. Source: man(7), groff_char(7)
#include "cli/commands/man_page.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace nono::cli {

namespace {

constexpr std::string_view date_of_change =
    "2026-11-28";  // of the words below; the same input gives the same page
constexpr std::size_t line_length = 78;

/// Text without anything that roff would take for more: hyphens stay hyphens, quotes straight.
std::string plain(std::string_view text) {
  constexpr std::pair<char, std::string_view> special[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"},
                                                           {'`', "\\(ga"}, {'~', "\\(ti"}, {'^', "\\(ha"},
                                                           {'"', "\\(dq"}, {'\n', " "}};
  std::string out;
  for (const char c : text) {
    const auto* found = std::find_if(std::begin(special), std::end(special),
                                     [c](const auto& entry) { return entry.first == c; });
    if (found != std::end(special))
      out += found->second;
    else
      out += c;
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

/// Ready text in lines; none begins with what would be a request.
std::string wrapped(std::string_view text) {
  std::string out;
  std::string line;
  const auto flush = [&] {
    if (line.empty()) return;
    if (line.front() == '.' || line.front() == '\'') out += "\\&";
    out += line + '\n';
    line.clear();
  };
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string_view word = text.substr(start, end - start);
    start = end + 1;
    if (word.empty()) continue;
    if (!line.empty() && line.size() + 1 + word.size() > line_length) flush();
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  flush();
  return out;
}

std::string paragraph(std::string_view text) { return ".PP\n" + wrapped(plain(text)); }
std::string section(std::string_view name) { return fmt::format(".SH {}\n", name); }
std::string entry(const std::string& head, std::string_view text) {
  return ".TP\n" + head + '\n' + wrapped(plain(text));
}

std::string head_of(const flag_entry& flag) {
  std::string out;
  for (const std::string& name : flag.names) out += (out.empty() ? "" : ", ") + bold(name);
  if (!flag.value.empty()) out += ' ' + italic(flag.value);
  return out;
}

/// A sentence that ends as one.
std::string ended_sentence(std::string text) {
  if (!text.empty() && text.back() != '.') text += '.';
  return text;
}

/// Its first long name.
std::string name_of(const flag_entry& flag) {
  for (const std::string& name : flag.names)
    if (name.starts_with("--")) return name;
  return flag.names.front();
}

std::string text_of(const flag_entry& flag) {
  std::string out = ended_sentence(flag.description);
  if (flag.repeats && !flag.value.empty()) out += " May be given more than once.";
  if (!flag.variable.empty()) out += fmt::format(" The variable {} stands for it.", flag.variable);
  return out;
}

bool same(const flag_entry& a, const flag_entry& b) {
  return a.names == b.names && a.value == b.value && a.description == b.description;
}

std::string synopsis(const command_entry& root) {
  std::string out = section("SYNOPSIS");
  for_each_command(root, [&](const std::string& path, const command_entry& command) {
    if (!command.commands.empty() && path != root.name) return;
    out += (path == root.name ? ".B " : ".br\n.B ") + plain(path) + "\n[\\fIflags\\fR]";
    if (!command.positional.empty()) out += ' ' + italic(command.positional);
    if (path == root.name) out += " \\fIcommand\\fR ...";
    out += '\n';
  });
  return out;
}

/// Each command with its flags. One that an earlier command has in the same words is named only.
std::string commands(const command_entry& root) {
  std::vector<std::pair<std::string, const flag_entry*>> told;
  std::string out = section("COMMANDS");
  for_each_command(root, [&](const std::string& path, const command_entry& command) {
    if (path == root.name) {
      out += ".SS Flags of all commands\n";
    } else {
      out += fmt::format(".SS {}{}{}\n", plain(path), command.positional.empty() ? "" : " ",
                         plain(command.positional));
      out += wrapped(plain(ended_sentence(command.description)));
    }
    std::vector<std::pair<std::string, std::string>> elsewhere;  // of which command: which
    const std::size_t before = told.size();
    for (const flag_entry& flag : command.flags) {
      const auto first =
          std::find_if(told.begin(), told.end(), [&](const auto& t) { return same(*t.second, flag); });
      if (first == told.end()) {
        out += entry(head_of(flag), text_of(flag));
        told.emplace_back(path, &flag);
        continue;
      }
      if (first->first == root.name) continue;
      auto row = std::find_if(elsewhere.begin(), elsewhere.end(),
                              [&](const auto& e) { return e.first == first->first; });
      if (row == elsewhere.end()) row = elsewhere.insert(row, {first->first, {}});
      row->second += (row->second.empty() ? "" : ", ") + bold(name_of(flag));
    }
    for (const auto& [other, names] : elsewhere)
      out += ".PP\n" +
             wrapped(fmt::format("{} {}: {}.", told.size() == before ? "It has the flags of" : "And as in",
                                 bold(other), names));
    if (command.footer != root.footer) {  // CLI11 hands that down
      std::string_view rest = command.footer;
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        out += paragraph(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
  });
  return out;
}

std::string description() {
  return section("DESCRIPTION") +
         wrapped(plain(
             "nono runs a command in a sandbox that the kernel enforces (Landlock and seccomp) and that "
             "nothing can lift: not the command, not its children, not root.")) +
         paragraph(
             "What the command may do is what was granted: by flags, by a profile, and by the groups that "
             "every run has, which let system programs and libraries be read and keep keys, tokens, key "
             "rings, browser profiles, shell history and start-up files closed. Everything else is "
             "refused.") +
         paragraph(
             "A grant that holds a protected path, or lies in one, is refused, because Landlock cannot deny "
             "inside a grant; --bypass-protection lifts the protection of one path on purpose.") +
         paragraph(
             "Flags stand before the command: its first word ends them, and so does --. When the command "
             "fails, nono says what the sandbox refused and the smallest flag that would allow it.");
}

std::string exit_status_section() {
  return section("EXIT STATUS") + wrapped(plain("Of nono run and nono wrap:")) +
         entry(italic("the command's own"), "It was started, and ended by itself.") +
         entry(bold("128") + " + " + italic("n"), "Signal n ended it.") +
         entry(bold("127"), "It could not be executed.") +
         entry(bold("126"), "It could not be confined, so it was not started.") +
         entry(bold("1"), "Any other error of nono's; nothing was started.") +
         entry(bold("2"), "The command line was wrong; nothing was started.") +
         paragraph(
             "The other commands end with 0, 1 for an error and 2 for a wrong command line. nono why ends "
             "with 0 whatever the answer, nono setup with 1 where enforcement was not seen, nono profile "
             "validate with 1 for a profile that cannot be used and, by --strict, 2 for old spellings.");
}

std::string environment(const command_entry& root) {
  std::string out = section("ENVIRONMENT");
  std::vector<std::string> said;
  for_each_command(root, [&](const std::string&, const command_entry& command) {
    for (const flag_entry& flag : command.flags) {
      if (flag.variable.empty() || std::find(said.begin(), said.end(), flag.variable) != said.end()) continue;
      said.push_back(flag.variable);
      out += entry(bold(flag.variable), fmt::format("Stands for {}{}.", name_of(flag),
                                                    flag.value.empty() ? ", where it is true, yes, on or 1"
                                                                       : ", which wins over it"));
    }
  });
  return out +
         entry(bold("HOME"), "Below it lie the protected paths; if it is unset, the password file says it.") +
         entry(bold("PATH"), "Where the command is looked for, before the sandbox.") +
         entry(
             bold("TMPDIR"),
             "Where the command's private temporary directory is made, if it is at most 40 bytes long; else "
             "/tmp. The command's own TMPDIR is that directory.") +
         entry(bold("XDG_CONFIG_HOME") + ", " + bold("XDG_STATE_HOME"),
               "Where nono's profiles and state lie, instead of ~/.config and ~/.local/state.") +
         paragraph(
             "The command inherits the environment, but for variables that load code into programs (LD_*, "
             "PYTHONPATH, NODE_OPTIONS and the like).");
}

std::string files() {
  return section("FILES") +
         entry(italic("~/.config/nono/profiles/NAME.json") + ", " + italic("NAME.jsonc"),
               "The user's own profiles, found by their names. nono profile schema describes them.") +
         entry(italic("/tmp/nono-UID"), "The private temporary directories of running commands.") +
         entry(italic("~/.nono") + ", " + italic("~/.config/nono") + ", " + italic("~/.local/state/nono"),
               "nono's own; no grant reaches them.");
}

std::string examples() {
  std::string out;
  const std::pair<std::string_view, std::string_view> all[] = {
      {"Run a Go program with its working directory and what Go needs:", "nono run --allow-cwd -- go run ."},
      {"Let an agent work in a project, with a profile of one's own:",
       "nono run --profile ./agent.json --allow-cwd -- agent"},
      {"Read one directory, and reach no network:",
       "nono run --read ./data --block-net -- python3 report.py"},
      {"See what would be granted, and run nothing:", "nono run --allow-cwd --dry-run -v -- make"},
      {"Ask whether a file could be read, and why:",
       "nono why --allow-cwd --path ~/.ssh/id_ed25519 --op read"},
      {"See what this system enforces:", "nono setup --check-only"},
      {"Let bash complete nono's words in this session:", "source <(nono completion bash)"},
  };
  for (const auto& [what, how] : all)
    out += (out.empty() ? "" : ".PP\n") + wrapped(plain(what)) + ".PP\n.RS 4\n.nf\n" + plain(how) +
           "\n.fi\n.RE\n";
  return section("EXAMPLES") + out;
}

std::string notes() {
  return section("NOTES") +
         wrapped(plain(
             "What a kernel cannot enforce is reported in the summary before the run, and an error with "
             "--strict. Landlock needs Linux 5.13 or later; nono setup says what is there.")) +
         paragraph(
             "Names, sizes and dates of files (stat) are not protected. Without a supervisor (nono wrap) "
             "and below Linux 7.1, unix sockets of services that the user may reach stay reachable; nono run "
             "decides them itself.") +
         paragraph(
             "Sandboxes nest: one inside another can only take away. The supervisor of nono run is there "
             "once; an inner run says what it lacks.");
}

std::string see_also() {
  return section("SEE ALSO") + ".BR landlock (7),\n.BR seccomp (2),\n.BR bwrap (1),\n.BR unshare (1)\n";
}

}  // namespace

std::string man_page(const command_entry& root) {
  return fmt::format(
             ".\\\" Written by `nono man`; changes belong into its source.\n"
             ".TH NONO 1 {} \"nono {}\" \"User Commands\"\n",
             date_of_change, NONO_VERSION) +
         section("NAME") + "nono \\- run a command in a sandbox that the kernel enforces\n" + synopsis(root) +
         description() + commands(root) + exit_status_section() + environment(root) + files() + examples() +
         notes() + see_also();
}

}  // namespace nono::cli
