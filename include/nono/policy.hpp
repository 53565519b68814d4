// SPDX-License-Identifier: Apache-2.0
// The policy by name: rules, denies, groups, network and protections, before any path is looked up. Builder,
// run-time set, profiles and C calls all lower to `policy_ref`; every backend starts from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <nono/error.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

namespace nono {

/// Where a rule comes from.
enum class origin : std::uint8_t {
  user,     ///< written in code or given as a flag
  group,    ///< a built-in group
  profile,  ///< a profile
  system,   ///< added for every run: scratch directory, terminal
  command,  ///< the program that was asked to run
};

/// What the path of a rule must be.
enum class path_kind : std::uint8_t {
  directory,  ///< a directory and all below it
  file,       ///< anything that is not a directory
  any,        ///< whichever it is: group lists name both
  deny,       ///< neither a grant: the path and all below it stay closed
};

/// What happens to a grant whose path does not exist when it is resolved.
enum class when_missing : std::uint8_t {
  must_exist,  ///< an error
  if_exists,   ///< the grant is left out, and the report names it
  create_dir,  ///< the directory is created first, mode 0700
};

inline constexpr when_missing must_exist = when_missing::must_exist;
inline constexpr when_missing if_exists = when_missing::if_exists;
inline constexpr when_missing create_dir = when_missing::create_dir;

/// One rule: rights on a path, or a deny. The path is absolute or begins with a variable, and is_plain().
struct rule {
  std::string_view path;
  right rights{};
  path_kind kind{};
  when_missing missing{};
  origin from{};
  std::string_view source;  ///< the group or profile by name; for a user's rule the flag, if it came from one
  bool gives_way =
      false;  ///< a grant that is left out where it meets a deny or cannot be reached, instead of an error

  [[nodiscard]] constexpr bool is_deny() const noexcept { return kind == path_kind::deny; }
};

/// The systems that a group is for.
enum class platform : std::uint8_t { any, linux_only, macos_only };

#if defined(__APPLE__)
inline constexpr platform this_platform = platform::macos_only;
#else
inline constexpr platform this_platform = platform::linux_only;
#endif

/// One entry of a group: no_rights is a deny.
struct group_rule {
  std::string_view path;
  right rights{};
  when_missing missing = when_missing::if_exists;
};

/// A named set of rules, as constexpr data. Groups of another platform are skipped silently.
struct group {
  std::string_view name;
  std::string_view description;
  platform on = platform::any;
  bool required = false;  ///< a profile cannot leave it out
  std::span<const group_rule> rules;

  [[nodiscard]] constexpr bool here() const noexcept { return on == platform::any || on == this_platform; }
};

/// The rule that a group's entry stands for.
constexpr rule rule_of(const group& g, const group_rule& r) noexcept {
  const path_kind kind = r.rights == no_rights ? path_kind::deny : path_kind::any;
  return {r.path, r.rights, kind, r.missing, origin::group, g.name};
}

/// The systems that a policy is written for: `.target(portable)` refuses what only Linux has.
enum class target_systems : std::uint8_t { unspecified, linux_only, portable };
inline constexpr target_systems linux_only = target_systems::linux_only;
inline constexpr target_systems portable = target_systems::portable;

constexpr std::string_view name_of(target_systems systems) noexcept {
  constexpr std::string_view names[] = {"unspecified", "linux_only", "portable"};
  return names[static_cast<std::size_t>(systems)];
}

/// A policy by name, not owning: what `caps()` and `capability_set` show to the rest of the library.
struct policy_ref {
  std::span<const rule> rules;  ///< in byte order of their paths
  std::span<const group* const> groups;
  std::span<const std::string_view> variables;  ///< declared ones, with `$`
  network_rule network;
  std::span<const std::string_view> hosts;  ///< of network(hosts), in byte order, none twice; else empty
  unix_sockets sockets = unix_sockets::by_default;
  protection_set best_effort;  ///< required by the policy, but given up where a kernel lacks it
  protection_set lifted;       ///< not asked for, by name
  bool strict = false;         ///< what is preferred becomes required
  target_systems target = target_systems::unspecified;
  errc violation = errc::none;  ///< the first broken rule of a policy built at run time
  std::string_view violating;   ///< its path
};

namespace detail {
/// The compiler's refusal of what needs the command's runner. Policy: a builder whose type knows its network.
template <class Policy>
constexpr void refuse_hosts() noexcept {
  static_assert(
      !Policy::needs_runner(),
      "network(hosts) needs the runner of the nono command, whose proxy filters names: start the program "
      "with nono run, or use network(only(...)) or network(blocked)");
}
}  // namespace detail

/// Calls `f(rule)` for every rule, groups of this platform included, the policy's own first.
template <class F>
constexpr void for_each_rule(const policy_ref& p, F&& f) {
  for (const rule& r : p.rules) f(r);
  for (const group* g : p.groups)
    if (g->here())
      for (const group_rule& r : g->rules) f(rule_of(*g, r));
}

namespace detail {
/// is_within for paths that begin with variables, compared by name; `~` is `$HOME`.
constexpr bool is_written_within(std::string_view path, std::string_view ancestor) noexcept {
  if (!path.starts_with('~') && !ancestor.starts_with('~')) return is_within(path, ancestor);
  const std::string_view above = after_variable(ancestor);
  return leading_variable(path) == leading_variable(ancestor) &&
         (above.empty() || is_within(after_variable(path), above));
}
}  // namespace detail

/// True when a deny of `denied` and a grant of `granted` cannot stand together: the grant is equal to, below or
/// above the denied path. Both in normal form, variables compared by name.
constexpr bool contradicts(std::string_view denied, std::string_view granted) noexcept {
  if (denied.starts_with('~') || granted.starts_with('~'))
    return detail::is_written_within(granted, denied) || detail::is_written_within(denied, granted);
  // One is the other's beginning, up to a whole part. One comparison: constant policies ask this thousands of times.
  const std::string_view longer = denied.size() < granted.size() ? granted : denied;
  const std::size_t n = denied.size() < granted.size() ? denied.size() : granted.size();
  if (__builtin_memcmp(denied.data(), granted.data(), n) != 0) return false;
  return n == longer.size() || longer[n] == '/' || n == 1;  // of one byte: "/" itself
}

/// The rights of words joined by `|`, as append_rights() writes them. unknown: the first word that is none; its data stays
/// null where all are known.
constexpr right rights_of_words(std::string_view words, std::string_view& unknown) noexcept {
  right out = no_rights;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find('|'));
    words.remove_prefix(word.size() == words.size() ? word.size() : word.size() + 1);
    right one = word == "read_write" ? right::read_write
                : word == "read"     ? right::read
                : word == "write"    ? right::write
                                     : no_rights;
    for (const auto& [value, name] : right_names)
      if (name == word) one = value;
    if (one == no_rights && unknown.data() == nullptr) unknown = word;
    out |= one;
  }
  return out;
}

/// Appends rights as words: `read`, `read_write`, `read_file|list`.
inline void append_rights(std::string& out, right rights) {
  const std::size_t start = out.size();
  const auto add = [&](std::string_view word) {
    if (out.size() != start) out += '|';
    out += word;
  };
  if (contains(rights, right::read_write)) {
    add("read_write");
    rights &= ~right::read_write;
  }
  if (contains(rights, right::read)) {
    add("read");
    rights &= ~right::read;
  }
  if (contains(rights, right::write)) {
    add("write");
    rights &= ~right::write;
  }
  for (const auto& [value, name] : right_names)
    if (contains(rights, value)) add(name);
  if (out.size() == start) out += "nothing";
}

namespace detail {
/// The verb of its own that connecting and nothing else has; empty for other rights.
constexpr std::string_view socket_verb(path_kind kind, right rights) noexcept {
  if (rights != right::connect_unix) return {};
  return kind == path_kind::file        ? "allow_unix_socket"
         : kind == path_kind::directory ? "allow_unix_sockets_below"
                                        : "";
}
}  // namespace detail

/// A rule in the words of the DSL, `allow_path<read>('/srv')`, with its origin if that is not the user; or in the
/// words of the command line, `--read '/srv'`.
inline std::string to_text(const rule& r) {
  if (r.from == origin::user && !r.source.empty())
    return std::string(r.source) + ' ' + detail::quoted(r.path);
  std::string out(detail::socket_verb(r.kind, r.rights));
  if (r.is_deny()) {
    out = "deny_path";
  } else if (out.empty()) {
    out = r.kind == path_kind::file ? "allow_file<" : "allow_path<";
    append_rights(out, r.rights);
    out += '>';
  }
  out += '(';
  append_quoted(out, r.path);
  if (r.missing == when_missing::if_exists && r.from != origin::group && !r.is_deny()) out += ", if_exists";
  if (r.missing == when_missing::create_dir) out += ", create_dir";
  out += ')';
  switch (r.from) {
    case origin::user:
      break;
    case origin::group:
      out += " of the group ";
      break;
    case origin::profile:
      out += " of the profile ";
      break;
    case origin::system:
      out += " of nono itself";
      if (!r.source.empty()) out += ": ";
      break;
    case origin::command:
      out += " for the command";
      if (!r.source.empty()) out += ": ";
      break;
  }
  out += r.source;
  return out;
}

inline std::string_view name_of(network_mode mode) noexcept {
  constexpr std::string_view names[] = {"unrestricted", "blocked", "loopback", "only", "hosts"};
  return names[static_cast<std::size_t>(mode)];
}

/// The network in the words of the DSL: `network(only(connect_tcp(443)))`, `network(hosts{"a", "*.b"})`.
/// Ports beside hosts follow as `allow_port(connect_tcp(5432))`.
inline std::string to_text(const network_rule& n, std::span<const std::string_view> hosts = {}) {
  const auto words = [](const port_rule& port) {
    return std::string(port.use == port_use::connect_tcp ? "connect_tcp(" : "bind_tcp(") +
           std::to_string(port.port) + ')';
  };
  std::string out = "network(";
  out += name_of(n.mode);
  if (n.mode == network_mode::ports) {
    for (std::size_t i = 0; i < n.port_count; ++i) out += (i == 0 ? "(" : ", ") + words(n.ports[i]);
    out += ')';
  }
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    out += i == 0 ? "{\"" : ", \"";
    out += hosts[i];
    out += '"';
  }
  if (!hosts.empty()) out += '}';
  out += ')';
  if (n.mode != network_mode::ports)
    for (std::size_t i = 0; i < n.port_count; ++i) out += " allow_port(" + words(n.ports[i]) + ')';
  return out;
}

/// The whole policy, a line each: rules, groups by name, network, sockets, protections given up.
inline std::string to_text(const policy_ref& p) {
  std::string out;
  for (const rule& r : p.rules) out += to_text(r) + '\n';
  for (const group* g : p.groups) {
    out += "group(";
    out += g->name;
    out += g->here() ? ")\n" : ")  (another platform's)\n";
  }
  for (const std::string_view v : p.variables) {
    out += "variable(";
    append_quoted(out, v);
    out += ")\n";
  }
  out += to_text(p.network, p.hosts) + '\n';
  if (p.sockets != unix_sockets::by_default) out += "unix_sockets(" + std::string(name_of(p.sockets)) + ")\n";
  for (const protection_row& row : protections) {
    if (p.best_effort.has(row.id)) out += "best_effort(" + std::string(row.name) + ")\n";
    if (p.lifted.has(row.id)) out += "lift(" + std::string(row.name) + ")\n";
  }
  if (p.strict) out += "strict()\n";
  if (p.target != target_systems::unspecified) out += "target(" + std::string(name_of(p.target)) + ")\n";
  return out;
}

}  // namespace nono
