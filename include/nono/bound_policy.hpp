// SPDX-License-Identifier: Apache-2.0
// A policy whose paths are inodes: what queries and plans see.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <nono/arena.hpp>
#include <nono/policy.hpp>
#include <nono/resolve.hpp>

namespace nono {

/// A grant on an inode.
struct bound_rule {
  std::string_view path;       ///< as written, variables replaced
  std::string_view canonical;  ///< without links
  right rights{};
  inode_id id;
  int fd = -1;  ///< holds the inode; -1: resolved again and compared when applied
  file_type type{};
  file_system on{};
  path_kind kind{};
  origin from{};
  bool subsumed = false;   ///< a wider grant above it says the same: dropped when applied
  bool gives_way = false;  ///< dropped where it meets a deny
  std::string_view source;
  static constexpr std::size_t no_rule = SIZE_MAX;
  std::size_t above = no_rule;  ///< the nearest rule at or above this one's path
};

/// A path that stays closed, as written and without links.
struct bound_deny {
  std::string_view path;
  std::string_view canonical;
  origin from{};
  std::string_view source;
};

/// A grant that was left out.
struct skipped_rule {
  std::string_view path;
  origin from{};
  std::string_view source;
  const bound_deny* denied = nullptr;  ///< what it gave way to; null: there is no such path to grant
};

/// The rule that a grant or a deny came from, with its variables replaced.
constexpr rule rule_of(const bound_rule& r) noexcept {
  return {r.path, r.rights, r.kind, must_exist, r.from, r.source};
}
constexpr rule rule_of(const bound_deny& d) noexcept {
  return {d.path, no_rights, path_kind::deny, if_exists, d.from, d.source};
}

/// A policy whose paths are inodes. It holds them by descriptor until it is destroyed.
class bound_policy {
 public:
  explicit bound_policy(std::span<std::byte> room = {}) noexcept : memory(room) {}
  bound_policy(bound_policy&& other) noexcept
      : memory(std::move(other.memory)),
        rules(std::exchange(other.rules, {})),
        denies(std::exchange(other.denies, {})),
        skipped(std::exchange(other.skipped, {})),
        network(other.network),
        hosts(std::exchange(other.hosts, {})),
        gate(other.gate),
        sockets(other.sockets),
        best_effort(other.best_effort),
        lifted(other.lifted),
        strict(other.strict) {}
  bound_policy(const bound_policy&) = delete;
  bound_policy& operator=(bound_policy&&) = delete;
  bound_policy& operator=(const bound_policy&) = delete;
  ~bound_policy() {
    for (bound_rule& r : rules) close_descriptor(std::exchange(r.fd, -1));
  }

  detail::arena memory;
  std::span<bound_rule> rules;  ///< by canonical path, an ancestor before what lies below it
  std::span<bound_deny> denies;
  std::span<skipped_rule> skipped;
  network_rule network;
  std::span<const std::string_view> hosts;  ///< of network(hosts), as in policy_ref
  host_gate gate;                           ///< set by a runner that carries out network(hosts)
  unix_sockets sockets = unix_sockets::by_default;
  protection_set best_effort;
  protection_set lifted;
  bool strict = false;
};

namespace detail {

/// Byte order in which '/' comes first, so that a path is followed by all that lies below it.
inline bool path_before(std::string_view a, std::string_view b) noexcept {
  constexpr std::size_t step = 16;
  const std::size_t n = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i + step <= n && std::memcmp(a.data() + i, b.data() + i, step) == 0) i += step;
  while (i < n && a[i] == b[i]) ++i;
  if (i == n) return a.size() < b.size();
  const auto rank = [](char c) { return c == '/' ? -1 : static_cast<int>(static_cast<unsigned char>(c)); };
  return rank(a[i]) < rank(b[i]);
}

inline constexpr std::string_view origin_names[] = {"user", "group", "profile", "system", "command"};

}  // namespace detail

/// The grant by its canonical path, with how it was written and by whom.
inline std::string to_text(const bound_rule& r) {
  std::string out = r.subsumed ? "covered  " : "grant    ";
  append_rights(out, r.rights);
  out += ' ';
  append_quoted(out, r.canonical);
  if (r.canonical != r.path) {
    out += " written ";
    append_quoted(out, r.path);
  }
  out += "  [";
  out += detail::origin_names[static_cast<std::size_t>(r.from)];
  if (!r.source.empty()) out += ':';
  out += r.source;
  return out += ']';
}

inline std::string to_text(const skipped_rule& s) {
  return (s.denied != nullptr ? "gave way " : "missing  ") + detail::quoted(s.path);
}

inline std::string to_text(const bound_deny& d) { return "deny     " + detail::quoted(d.path); }

/// The bound policy, a line each: grants by canonical path, what was dropped or left out and why, denies.
inline std::string to_text(const bound_policy& p) {
  std::string out;
  for (const bound_rule& r : p.rules) out += to_text(r) + '\n';
  for (const skipped_rule& s : p.skipped) out += to_text(s) + '\n';
  for (const bound_deny& d : p.denies) out += to_text(d) + '\n';
  out += to_text(p.network, p.hosts) + '\n';
  return out;
}

}  // namespace nono
