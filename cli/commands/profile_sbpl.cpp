// SPDX-License-Identifier: Apache-2.0
// `nono profile show --format sbpl`: what a profile would be on macOS, as the text that its kernel gets.
#include "cli/commands/profile_sbpl.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nono/macos/sbpl.hpp>

#include "cli/resolve/seatbelt_settings.hpp"
#include "cli/resolve/spelling.hpp"

namespace nono::cli {

namespace {

/// Puts a profile's words into a policy for macOS.
class seatbelt_maker {
 public:
  seatbelt_maker(const chosen_profile& chosen, const host& here)
      : chosen_(chosen), says_(chosen.says), here_(here) {}

  result<std::string> run() {
    comment(
        fmt::format("The profile {} on macOS. Consistent with published descriptions, not yet seen on a Mac.",
                    nono::detail::quoted(chosen_.name)));
    if (error why = add_groups(); why.code != errc::none) return why;
    if (error why = add_own(); why.code != errc::none) return why;
    if (error why = choose_network(); why.code != errc::none) return why;
    if (says_.signal_mode == "allow_all") set_.lift(protection::signals);
    const seatbelt_settings with(&chosen_);
    const auto written = to_sbpl(set_, with.get(seatbelt::path_text::quoted));
    if (!written) return written.error();
    std::string names;
    for (const auto& [name, value] : written->parameters) names += (names.empty() ? "" : ", ") + name;
    if (!names.empty())
      comment("Parameters: " + names +
              ". Where nono applies it, what lies above their values can be looked at, too.");
    return comments_ + written->text;
  }

 private:
  void comment(std::string_view text) { comments_ += fmt::format("; {}\n", text); }

  /// A path with its first variable by name and the others replaced; empty, with a comment, where that cannot be.
  std::string path_of(const std::string& given) {
    const std::string_view variable = leading_variable(given);
    const bool by_name = !variable.empty() && is_known_variable(variable);
    std::string unknown;
    const std::string_view rest = by_name ? after_variable(given) : std::string_view(given);
    const auto expanded = with_variables(rest, here_, "$WORKDIR", unknown);
    std::string path = by_name ? std::string(variable) : std::string();
    if (expanded) path += *expanded;
    if (expanded && unknown.empty() && check_path(path) == errc::none) return path;
    comment(fmt::format("Left out, because it is no path here: {}.", nono::detail::quoted(given)));
    return {};
  }

  bool is_bypassed(std::string_view denied) {
    return std::any_of(
        says_.bypass_protection.begin(), says_.bypass_protection.end(), [&](const std::string& given) {
          std::string_view path = without_trailing_slash(given);
          const std::string home =
              path.starts_with('~') ? "$HOME" + std::string(path.substr(1)) : std::string(path);
          return is_within(denied, home);
        });
  }

  error add_groups() {
    std::vector<const group*> all(default_groups().begin(), default_groups().end());
    all.insert(all.end(), chosen_.groups.begin(), chosen_.groups.end());
    for (const group* g : all) {
      if (g->on == platform::linux_only || chosen_.leaves_out(g->name)) continue;
      for (const group_rule& r : g->rules) {
        const rule one = rule_of(*g, r);
        if (one.is_deny() && is_bypassed(one.path)) continue;
        if (auto added = set_.add(one); !added) return added.error();
      }
    }
    return {};
  }

  error add(const std::vector<std::string>& paths, right rights, path_kind kind) {
    for (const std::string& given : paths) {
      const std::string path = path_of(given);
      if (path.empty()) continue;
      const path_kind what = kind == path_kind::file && path.ends_with('/') ? path_kind::any : kind;
      if (auto added = set_.add({path, rights, what, if_exists, origin::profile, chosen_.name}); !added)
        return added.error();
    }
    return {};
  }

  error add_own() {
    const struct {
      const std::vector<std::string>& paths;
      right rights;
      path_kind kind;
    } rows[] = {
        {says_.allow, right::read_write, path_kind::directory},
        {says_.read, right::read, path_kind::any},
        {says_.write, right::write, path_kind::directory},
        {says_.allow_file, right::read_write, path_kind::file},
        {says_.read_file, right::read, path_kind::file},
        {says_.write_file, right::write, path_kind::file},
        {says_.deny, no_rights, path_kind::deny},
        {says_.unix_socket, right::connect_unix, path_kind::file},
        {says_.unix_socket_bind, right::connect_unix, path_kind::file},
        {says_.unix_socket_subtree, right::connect_unix, path_kind::directory},
        {says_.unix_socket_subtree_bind, right::connect_unix | right::create | right::remove,
         path_kind::directory},
    };
    for (const auto& row : rows)
      if (error why = add(row.paths, row.rights, row.kind); why.code != errc::none) return why;
    if (!says_.unix_socket_bind.empty())
      comment(
          "Sockets of 'unix_socket_bind' can be made where their directory may be written, and nowhere "
          "else.");
    if (!says_.unix_socket_dir.empty() || !says_.unix_socket_dir_bind.empty())
      comment("Left out: 'unix_socket_dir', whose grant goes one directory deep, is not built yet.");
    if (chosen_.view.workdir != no_rights)
      comment(fmt::format("With --allow-cwd a run adds the working directory ({}).", says_.workdir));
    return {};
  }

  error choose_network() {
    if (says_.block_network) {
      set_.network(blocked);
    } else if (chosen_.view.wants_hosts) {
      set_.network(blocked);
      comment("The profile asks for hosts. They are not filtered yet, so no network is open.");
    } else {
      for (const auto& [ports, use] : {std::pair{&says_.connect_ports, port_use::connect_tcp},
                                       std::pair{&says_.listen_ports, port_use::bind_tcp}})
        for (const std::string& port : says_.connect_ports.empty() ? std::vector<std::string>() : *ports)
          if (auto opened = set_.allow_port({use, static_cast<std::uint16_t>(std::stoi(port))}); !opened)
            return opened.error();
    }
    if (!says_.open_ports.empty())
      comment("Left out: 'open_port', single ports of localhost, is not built yet.");
    return {};
  }

  const chosen_profile& chosen_;
  const nono::profile& says_;
  const host& here_;
  capability_set set_;
  std::string comments_;
};

}  // namespace

result<std::string> sbpl_of(const chosen_profile& chosen, const host& here) {
  return seatbelt_maker(chosen, here).run();
}

}  // namespace nono::cli
