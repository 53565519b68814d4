// SPDX-License-Identifier: Apache-2.0
// What a stored state holds, as plain data: how it is taken from a policy, and how it becomes one again.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/bind.hpp>
#include <nono/bound_policy.hpp>
#include <nono/capability_set.hpp>
#include <nono/error.hpp>
#include <nono/groups.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/resolve.hpp>
#include <nono/right.hpp>

namespace nono {

/// How a stored state knows its files again.
enum class pinning : std::uint8_t {
  by_name,   ///< a path must lead to the same place
  by_inode,  ///< and to the same device and inode: an editor that replaces the file makes another one
};

/// One rule of a stored policy.
struct stored_rule {
  /// What the rule came to when the state was taken.
  enum class effect : std::uint8_t {
    grants,
    absent,  ///< there was nothing by that name
    unfit,   ///< it meets a deny, or is of another kind than the rule says: a sandbox would refuse or drop it
  };
  std::string path;        ///< as it was written
  std::string resolved{};  ///< where it led, links followed; empty: under a variable without a value
  right rights{};
  path_kind kind{};
  when_missing missing{};
  origin from{};
  std::string source{};
  bool gives_way = false;
  effect was{};
  bool is_file = false;  ///< anything but a directory: by its kind, or by what was there
  std::optional<inode_id> pinned{};
  // Of rules that the reference wrote.
  std::string access{};      ///< an access word that is none; restoring refuses it
  bool binds = false;        ///< a socket that may be bound as well; its file grants stand beside it
  bool directly_in = false;  ///< sockets in the directory, none deeper

  /// True for an entry of "unix_sockets" alone.
  [[nodiscard]] bool is_socket() const noexcept { return rights == right::connect_unix; }
  friend bool operator==(const stored_rule&, const stored_rule&) = default;
};

/// A group, with its rules as they were.
struct stored_group {
  std::string name;
  platform on = platform::any;
  std::vector<stored_rule> rules{};
  friend bool operator==(const stored_group&, const stored_group&) = default;
};

/// The longest text of a state, in bytes.
inline constexpr std::size_t max_state_text = 4U << 20U;

/// A policy as it is stored.
struct stored_policy {
  std::vector<stored_rule> rules{};  ///< in the order in which they are written
  std::vector<stored_group> groups{};
  std::vector<std::string> variables{};
  network_rule network{};
  std::vector<std::string> hosts{};
  unix_sockets sockets = unix_sockets::by_default;
  protection_set best_effort{};
  protection_set lifted{};
  bool strict = false;
  target_systems target = target_systems::unspecified;
  bool has_limits = false;                      ///< the reference's "resource_limits"
  std::optional<std::uint64_t> memory_limit{};  ///< in bytes
};

namespace detail {

/// A state in the reference's words: the keys that both know.
struct reference_view {
  struct file {
    std::string original;
    std::string resolved;
    std::string access;
    bool is_file = false;
    friend bool operator==(const file&, const file&) = default;
  };
  struct socket {
    std::string original;
    std::string resolved;
    std::string_view scope;
    std::string_view mode;
    friend bool operator==(const socket&, const socket&) = default;
  };
  std::vector<file> files;
  std::vector<socket> sockets;
  bool net_blocked = false;
  friend bool operator==(const reference_view&, const reference_view&) = default;
};

/// The most that the reference can say of these rights, or nothing.
constexpr std::string_view access_word_of(right rights) noexcept {
  return contains(rights, right::read_write) ? "read+write"
         : contains(rights, right::read)     ? "read"
         : contains(rights, right::write)    ? "write"
                                             : "";
}

/// The stored policy in the reference's words: what it says exactly, and of the rest what is stricter. Grants that came
/// to nothing are left out, finer rights are left off, every network but the open one is blocked.
inline reference_view reference_view_of(const stored_policy& all) {
  reference_view out;
  const auto add = [&](const stored_rule& r) {
    if (r.kind == path_kind::deny || r.resolved.empty() || r.was != stored_rule::effect::grants) return;
    const std::string& original = starts_with_variable(r.path) ? r.resolved : r.path;
    const std::string access(r.access.empty() ? access_word_of(r.rights) : std::string_view(r.access));
    if (!access.empty()) out.files.push_back({original, r.resolved, access, r.is_file});
    if (contains(r.rights, right::connect_unix))
      out.sockets.push_back({original, r.resolved,
                             r.directly_in ? "dir_children"
                             : r.is_file   ? "file"
                                           : "dir_subtree",
                             r.binds ? "connect+bind" : "connect"});
  };
  for (const stored_rule& r : all.rules) add(r);
  for (const stored_group& g : all.groups)
    for (const stored_rule& r : g.rules) add(r);
  out.net_blocked = all.network.mode != network_mode::unrestricted;
  return out;
}

/// True when the reference's words say all of it.
inline bool reference_can_say(const stored_policy& all) {
  for (const stored_rule& r : all.rules) {
    const bool known = r.is_socket() || !r.access.empty() || r.rights == right::read ||
                       r.rights == right::write || r.rights == right::read_write;
    if (!known || (r.kind != path_kind::file && r.kind != path_kind::directory) ||
        starts_with_variable(r.path) || r.resolved.empty() || r.was != stored_rule::effect::grants ||
        r.missing != must_exist || r.from != origin::user || !r.source.empty() || r.gives_way || r.pinned)
      return false;
  }
  return all.groups.empty() && all.variables.empty() && all.hosts.empty() &&
         (all.network.mode == network_mode::unrestricted || all.network.mode == network_mode::blocked) &&
         all.sockets == unix_sockets::by_default && all.best_effort.empty() && all.lifted.empty() &&
         !all.strict && all.target == target_systems::unspecified;
}

inline std::string text_of(std::string_view text) { return std::string(text); }

/// Paths of a state and where they lead, now.
class state_places {
 public:
  explicit state_places(std::span<const binding> bindings) : bindings_(bindings) {}

  struct found {
    error failed;
    std::string path;      ///< variables replaced, absolute unless no variable began it; empty: no value
    std::string resolved;  ///< where it leads: links followed as far as there is something
    bool exists = false;
    file_type type{};
    inode_id id;
  };

  [[nodiscard]] error check(std::span<const std::string_view> declared) const {
    for (const binding& b : bindings_)
      if (std::find(declared.begin(), declared.end(), b.name) == declared.end() && !is_known_variable(b.name))
        return {errc::variable_unknown, 0, "bind", text_of(b.name), {}};
    return {};
  }

  found look(std::string_view path) {
    found out;
    const std::string_view variable = leading_variable(path);
    std::string joined;
    if (!variable.empty()) {
      const auto bound = std::find_if(bindings_.begin(), bindings_.end(),
                                      [&](const binding& b) { return b.name == variable; });
      const std::string_view value =
          bound != bindings_.end() ? bound->value : environment_variable(variable, buffer_);
      if (value.empty()) return out;
      if (starts_with_variable(value) || check_path(value) != errc::none)
        return out.failed = {errc::variable_bad_value, 0, {}, text_of(variable), detail::quoted(value)}, out;
      joined = value;
    } else if (!path.starts_with('/')) {
      joined = text_of(environment_variable("$WORKDIR", buffer_)) + '/';
    }
    joined += after_variable(path);
    out.path = without_parents(plain(joined));
    if (out.path.size() > max_path)
      return out.failed = {errc::path_too_long, 0, text_of(path), out.path, {}}, out;
    follow(out);
    return out;
  }

  /// What is another for each process: nothing can be said about where it leads.
  static bool is_own(std::string_view path) noexcept {
    for (const std::string_view own : {"/proc/self", "/proc/thread-self", "/dev/fd"})
      if (is_within(path, own)) return true;
    return path == "/dev/stdin" || path == "/dev/stdout" || path == "/dev/stderr" || path == "/dev/tty";
  }

 private:
  void follow(found& out) {
    out.resolved = out.path;
    std::size_t cut = out.path.size();
    while (true) {
      const std::string head = cut == 0 ? "/" : out.path.substr(0, cut);
      const resolved_path at = resolve_path(head.c_str(), buffer_);
      const descriptor held(at.fd);
      const bool whole = cut == out.path.size();
      if (at.os_errno == 0) {
        if (whole) {
          out.exists = true;
          out.type = at.type;
          out.id = at.id;
        }
        if (is_own(out.path)) return;
        if (at.canonical.empty())
          return out.failed = {errc::path_not_accessible, ENAMETOOLONG, {}, out.path, {}}, void();
        out.resolved = at.canonical == "/" && cut < out.path.size() ? "" : text_of(at.canonical);
        out.resolved += out.path.substr(cut);
        return;
      }
      if (at.os_errno != ENOENT && at.os_errno != ENOTDIR && whole) {
        if (is_own(out.path)) return;
        out.failed = {errc::path_not_accessible, at.os_errno, {}, out.path, {}};
        return;
      }
      if (cut == 0) return;
      cut = out.path.rfind('/', cut - 1);
    }
  }
  /// Without ".." parts, as far as what stands before them exists: only the file system knows what one means behind a
  /// link. The reference's paths may have them; a policy's cannot.
  std::string without_parents(std::string path) {
    for (std::size_t at = 0; (at = path.find("/..", at)) != std::string::npos;) {
      if (at + 3 < path.size() && path[at + 3] != '/') {
        ++at;
        continue;
      }
      const std::string head = at == 0 ? "/" : path.substr(0, at);
      const resolved_path led = resolve_path(head.c_str(), buffer_);
      const descriptor held(led.fd);
      if (led.os_errno != 0 || led.type != file_type::directory || led.canonical.empty()) return path;
      std::string above(led.canonical.substr(0, led.canonical.rfind('/')));
      above += path.substr(at + 3);
      path = above.empty() ? "/" : std::move(above);
      at = 0;
    }
    return path;
  }
  /// Without empty and "." parts; ".." is left to the kernel, which knows what it means behind a link.
  static std::string plain(std::string_view path) {
    std::string out;
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      const std::string_view part = path.substr(at, end - at);
      if (!part.empty() && part != ".") {
        out += '/';
        out += part;
      }
      at = end + 1;
    }
    return out.empty() ? "/" : out;
  }

  std::span<const binding> bindings_;
  path_buffer buffer_{};
};

/// What is beside the rules. Policy: policy_ref, bound_policy.
template <class Policy>
void take_settings(const Policy& policy, stored_policy& to) {
  to.network = policy.network;
  to.hosts.assign(policy.hosts.begin(), policy.hosts.end());
  to.sockets = policy.sockets;
  to.best_effort = policy.best_effort;
  to.lifted = policy.lifted;
  to.strict = policy.strict;
}

/// Grants that meet a deny: the reference's keys have no denies, so they must not have these grants either.
inline void mark_unfit(stored_policy& all) {
  std::vector<std::string_view> denied;
  const auto each = [&](auto&& f) {
    for (stored_rule& r : all.rules) f(r);
    for (stored_group& g : all.groups)
      for (stored_rule& r : g.rules) f(r);
  };
  each([&](const stored_rule& r) {
    if (r.kind == path_kind::deny && !r.resolved.empty()) denied.push_back(r.resolved);
  });
  each([&](stored_rule& r) {
    if (r.kind == path_kind::deny || r.was != stored_rule::effect::grants) return;
    for (const std::string_view d : denied)
      if (is_within(r.resolved, d) || (!r.is_file && is_within(d, r.resolved)))
        r.was = stored_rule::effect::unfit;
  });
}

/// From a policy to what is stored.
class state_taker {
 public:
  state_taker(std::span<const binding> bindings, pinning pins)
      : places_(bindings), pin_(pins == pinning::by_inode) {}

  error take(const policy_ref& policy, stored_policy& to) {
    if (policy.violation != errc::none)
      return {policy.violation, 0, "the rule on " + detail::quoted(policy.violating),
              text_of(policy.violating), "an earlier rule"};
    if (error why = places_.check(policy.variables); why.code != errc::none) return why;
    for (const rule& r : policy.rules)
      if (error why = add(r, to.rules); why.code != errc::none) return why;
    for (const group* g : policy.groups) {
      stored_group& group = to.groups.emplace_back(stored_group{text_of(g->name), g->on});
      for (const group_rule& r : g->rules)
        if (error why = add(rule_of(*g, r), group.rules, g->here()); why.code != errc::none) return why;
    }
    mark_unfit(to);
    to.variables.assign(policy.variables.begin(), policy.variables.end());
    to.target = policy.target;
    take_settings(policy, to);
    return {};
  }

 private:
  error add(const rule& r, std::vector<stored_rule>& to, bool here = true) {
    stored_rule& s = to.emplace_back(stored_rule{.path = text_of(r.path),
                                                 .rights = r.rights,
                                                 .kind = r.kind,
                                                 .missing = r.missing,
                                                 .from = r.from,
                                                 .source = text_of(r.source),
                                                 .gives_way = r.gives_way});
    s.was = stored_rule::effect::absent;
    if (!here) return {};
    const state_places::found at = places_.look(r.path);
    if (at.failed.code == errc::path_not_accessible && (r.is_deny() || r.gives_way)) {
      s.resolved = at.path;
      return {};
    }
    if (at.failed.code != errc::none)
      return {at.failed.code, at.failed.os_errno, to_text(r), at.failed.path, at.failed.other};
    s.resolved = at.resolved;
    if (!at.exists) return {};
    const bool is_file = at.type != file_type::directory;
    s.is_file = r.kind == path_kind::any ? is_file : r.kind == path_kind::file;
    s.was = stored_rule::effect::grants;
    if (pin_) s.pinned = at.id;
    const bool spares_system =
        (r.rights & right::write) != no_rights && is_known_variable(leading_variable(r.path));
    if ((r.kind == path_kind::directory && is_file) || (r.kind == path_kind::file && !is_file) ||
        (spares_system && (touches_system(at.path) || touches_system(at.resolved))))
      s.was = stored_rule::effect::unfit;
    return {};
  }

  state_places places_;
  bool pin_;
};

/// From a bound policy to what is stored.
inline void take_bound(const bound_policy& policy, stored_policy& to) {
  const auto led_to = [](std::string_view path, std::string_view canonical) {
    return text_of(canonical.empty() || state_places::is_own(path) ? path : canonical);
  };
  for (const bound_rule& r : policy.rules) {
    if (r.subsumed) continue;
    to.rules.push_back({.path = text_of(r.path),
                        .resolved = led_to(r.path, r.canonical),
                        .rights = r.rights,
                        .kind = r.kind,
                        .missing = if_exists,
                        .from = r.from,
                        .source = text_of(r.source),
                        .gives_way = r.gives_way,
                        .was = stored_rule::effect::grants,
                        .is_file = r.type != file_type::directory});
  }
  for (const bound_deny& d : policy.denies)
    to.rules.push_back({.path = text_of(d.path),
                        .resolved = led_to(d.path, d.canonical),
                        .kind = path_kind::deny,
                        .missing = if_exists,
                        .from = d.from,
                        .source = text_of(d.source),
                        .was = stored_rule::effect::grants});
  take_settings(policy, to);
}

/// From what is stored to a policy.
class state_restorer {
 public:
  explicit state_restorer(std::span<const binding> bindings) : places_(bindings) {}

  error restore(const stored_policy& from, capability_set& to) {
    if (from.memory_limit)
      return unable("it limits the memory to " + std::to_string(*from.memory_limit) +
                    " bytes, and such limits are not built yet");
    for (const std::string& name : from.variables)
      if (auto added = to.variable(name); !added) return std::move(added.error());
    const std::vector<std::string_view> variables(from.variables.begin(), from.variables.end());
    if (error why = places_.check(variables); why.code != errc::none) return why;
    for (const stored_rule& r : from.rules)
      if (error why = add(r, to); why.code != errc::none) return why;
    for (const stored_group& g : from.groups)
      if (error why = add(g, to); why.code != errc::none) return why;
    if (error why = set_network(from, to); why.code != errc::none) return why;
    for (const protection_row& row : protections) {
      const errc why = from.lifted.has(row.id)        ? check_lift(row.id)
                       : from.best_effort.has(row.id) ? check_best_effort(row.id)
                                                      : errc::none;
      if (why != errc::none) return {why, 0, {}, text_of(row.name), {}};
      if (from.lifted.has(row.id)) to.lift(row.id);
      if (from.best_effort.has(row.id)) to.best_effort(row.id);
    }
    to.unix_sockets(from.sockets).strict(from.strict).target(from.target);
    const policy_ref made = to.ref();
    if (made.violation != errc::none)
      return {made.violation, 0, text_of(subject), text_of(made.violating), {}};
    return {};
  }

 private:
  static constexpr std::string_view subject = "the sandbox state";
  static error unable(std::string why) {
    return {errc::state_not_restorable, 0, text_of(subject), {}, std::move(why)};
  }

  error add(const stored_rule& r, capability_set& to) {
    if (!r.access.empty()) return unable("invalid access mode in sandbox state: " + r.access);
    if (r.directly_in)
      return unable("the sockets that lie directly in " + detail::quoted(r.path) +
                    " are granted, and Landlock knows those below it only");
    rule made{r.path, r.rights, r.kind, r.missing, r.from, r.source, r.gives_way};
    if (error why = check(r, made); why.code != errc::none) return why;
    // What the reference was given may be relative, have a ".." or end with a slash; where it leads is none of that.
    if (check_path(r.path) != errc::none || (r.kind == path_kind::file && r.path.ends_with('/')))
      made.path = r.resolved;
    auto added = to.add(made);
    return added ? error{} : std::move(added.error());
  }

  error add(const stored_group& g, capability_set& to) {
    const bool here = g.on == platform::any || g.on == this_platform;
    if (here)
      for (const stored_rule& r : g.rules)
        if (error why = check(r, {r.path, r.rights, r.kind, r.missing, r.from, r.source});
            why.code != errc::none)
          return why;
    if (const group* known = groups::find(g.name); known != nullptr && same(*known, g)) {
      to.group(*known);
      return {};
    }
    // A group of somebody's own, or one that has changed since: its rules, as they were.
    if (here)
      for (const stored_rule& r : g.rules)
        if (auto added = to.add({r.path, r.rights, r.kind, r.missing, r.from, r.source}); !added)
          return std::move(added.error());
    return {};
  }
  static bool same(const group& known, const stored_group& g) {
    return known.on == g.on && std::equal(known.rules.begin(), known.rules.end(), g.rules.begin(),
                                          g.rules.end(), [](const group_rule& a, const stored_rule& b) {
                                            return a.path == b.path && a.rights == b.rights &&
                                                   a.missing == b.missing;
                                          });
  }

  /// Whether the path leads where it led.
  error check(const stored_rule& r, const rule& made) {
    if (r.resolved.empty()) return {};
    const auto about = [&](errc code, int os_errno, std::string_view path, std::string other) {
      return error{code, os_errno, to_text(made), text_of(path), std::move(other)};
    };
    const state_places::found at = places_.look(r.path);
    if (at.failed.code == errc::path_not_accessible && (r.kind == path_kind::deny || r.gives_way)) return {};
    if (at.failed.code != errc::none)
      return about(at.failed.code, at.failed.os_errno, at.failed.path, at.failed.other);
    if (at.path.empty()) return {errc::variable_unbound, 0, {}, text_of(leading_variable(r.path)), {}};
    if (!at.exists && r.was == stored_rule::effect::grants && r.kind != path_kind::deny &&
        r.missing == when_missing::must_exist)
      return about(errc::path_not_found, ENOENT, r.path, {});
    if (at.resolved != r.resolved)
      return about(errc::state_path_moved, 0, r.path,
                   detail::quoted(at.resolved) + " now and not to " + detail::quoted(r.resolved));
    if (r.pinned && (!at.exists || at.id != *r.pinned))
      return about(errc::state_file_replaced, 0, r.path, {});
    return {};
  }

  static error set_network(const stored_policy& from, capability_set& to) {
    const auto failed = [](auto&& done) { return done ? error{} : std::move(done.error()); };
    switch (from.network.mode) {
      case network_mode::unrestricted:
        return {};
      case network_mode::blocked:
        to.network(blocked);
        return {};
      case network_mode::loopback:
        to.network(loopback);
        return {};
      case network_mode::hosts: {
        const std::vector<std::string_view> names(from.hosts.begin(), from.hosts.end());
        if (error why = failed(to.network(std::span<const std::string_view>(names))); why.code != errc::none)
          return why;
        break;
      }
      case network_mode::ports:
        if (from.network.port_count == 0) return unable("its network opens no port");
        break;
    }
    for (std::size_t i = 0; i < from.network.port_count; ++i)
      if (error why = failed(to.allow_port(from.network.ports[i])); why.code != errc::none) return why;
    return {};
  }

  state_places places_;
};

}  // namespace detail

}  // namespace nono
