// SPDX-License-Identifier: Apache-2.0
// Questions about policies by name, answered before any path is looked up, in constant expressions too: what is
// permitted, what is denied, what lies within what, and the oldest kernel that will do.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

#include <nono/error.hpp>
#include <nono/host.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/refusal.hpp>
#include <nono/right.hpp>

namespace nono {

namespace detail {

/// As compare_text(text, head + tail).
constexpr int compare_joined(std::string_view text, std::string_view head, std::string_view tail) noexcept {
  if (head.empty()) return compare_text(text, tail);
  const std::string_view start = text.substr(0, head.size());
  const int order = compare_text(start, head);
  return order != 0 ? order : compare_text(text.substr(start.size()), tail);
}

/// The first of the sorted `rules`, from `low` on, whose path is not before head + tail.
constexpr std::size_t lower_bound(std::span<const rule> rules, std::size_t low, std::string_view head,
                                  std::string_view tail) noexcept {
  std::size_t high = rules.size();
  const rule* const all = rules.data();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (compare_joined(all[middle].path, head, tail) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/// Calls `f(rule, exact)` for each of the sorted `rules` at head + tail or above it: one search for each part,
/// because a constant policy of hundreds of rules is asked hundreds of times.
template <class F>
constexpr void for_each_above(std::span<const rule> rules, std::string_view head, std::string_view tail,
                              F&& f) {
  std::size_t at = 0;
  const std::size_t size = tail.size();
  for (std::size_t cut = head.empty() ? 1 : 0;;) {  // "/" lies above every absolute path
    const std::string_view part = tail.substr(0, cut);
    const bool exact = cut >= size;
    at = lower_bound(rules, at, head, part);
    for (; at < rules.size() && compare_joined(rules[at].path, head, part) == 0; ++at) f(rules[at], exact);
    if (exact || at == rules.size()) return;
    const char* const text = tail.data();
    for (++cut; cut < size && text[cut] != '/'; ++cut) {
    }
  }
}

/// The same for a path as it is written; `~` and `$HOME` find each other.
template <class F>
constexpr void for_each_above(std::span<const rule> rules, std::string_view path, F&& f) {
  if (rules.empty()) return;
  const std::string_view variable = leading_variable(path);
  const std::string_view tail = after_variable(path);
  for_each_above(rules, variable, tail, f);
  // Sorted as they are, paths that begin with `~` come last.
  if (rules.back().path.starts_with('~') && compare_text(variable, "$HOME") == 0)
    for_each_above(rules, "~", tail, f);
}

/// Calls `f(rule)` for each of the sorted `rules` at a path or below it, both as they are written.
template <class F>
constexpr void for_each_below(std::span<const rule> rules, std::string_view path, F&& f) {
  const auto beginning_with = [&](std::string_view head, std::string_view tail) {
    for (std::size_t at = lower_bound(rules, 0, head, tail);
         at < rules.size() && rules[at].path.starts_with(head) &&
         rules[at].path.substr(head.size()).starts_with(tail);
         ++at)
      if (is_written_within(rules[at].path, path)) f(rules[at]);
  };
  beginning_with({}, path);
  if (compare_text(leading_variable(path), "$HOME") == 0)
    beginning_with(path.starts_with('~') ? "$HOME" : "~", after_variable(path));
}

/// What is lifted by name, and what goes with it.
constexpr protection_set lifted_with(protection_set lifted, unix_sockets sockets) noexcept {
  if (sockets == unix_sockets::any) lifted |= protection::pathname_unix;
  if (lifted.has(protection::filesystem)) {
    lifted |= protection::truncate;
    lifted |= protection::device_ioctl;
  }
  return lifted;
}
template <class Policy>
constexpr protection_set lifted_of(const Policy& p) noexcept {
  return lifted_with(p.lifted, p.sockets);
}
/// How much the sockets of a policy allow.
constexpr int rank_of(unix_sockets sockets) noexcept {
  switch (sockets) {
    case unix_sockets::none:
      return 0;
    case unix_sockets::granted:
      return 1;
    case unix_sockets::by_default:
      return 2;
    default:
      return 3;
  }
}

/// The rights that a policy leaves open everywhere.
constexpr right open_rights(const policy_ref& p) noexcept {
  const protection_set lifted = lifted_of(p);
  right out = no_rights;
  if (lifted.has(protection::filesystem)) out |= all_rights & ~right::connect_unix;
  if (lifted.has(protection::truncate)) out |= right::truncate;
  if (lifted.has(protection::device_ioctl)) out |= right::ioctl;
  if (lifted.has(protection::pathname_unix)) out |= right::connect_unix;
  return out;
}

/// The rights that mean nothing in a policy, whoever grants them.
constexpr right closed_rights(const policy_ref& p) noexcept {
  return sockets_of(p) == unix_sockets::none ? right::connect_unix : no_rights;
}

/// Those of `wanted` that `p` grants on all that a grant of `kind` on `path` is about. Of `path_kind::file`: on the
/// one path.
constexpr right granted(const policy_ref& p, std::string_view path, path_kind kind, right wanted) {
  right out = open_rights(p);
  for_each_above(p.rules, path, [&](const rule& r, bool exact) {
    if (r.kind != path_kind::file || (exact && kind == path_kind::file)) out |= r.rights;
  });
  for (const group* g : p.groups) {
    if (contains(out, wanted)) break;
    if (!g->here()) continue;
    for (const group_rule& r : g->rules)
      if (!contains(out, r.rights) && is_written_within(path, r.path)) out |= r.rights;
  }
  return out & wanted & ~closed_rights(p);
}

/// granted() for a rule: first its like in the other policy is looked for, which most have, at a quarter of the cost.
constexpr right granted(const policy_ref& p, const rule& wanted) {
  std::size_t at = lower_bound(p.rules, 0, {}, wanted.path);
  for (; at < p.rules.size() && compare_text(p.rules[at].path, wanted.path) == 0; ++at)
    if (p.rules[at].kind == wanted.kind && contains(p.rules[at].rights, wanted.rights))
      return wanted.rights & ~closed_rights(p);
  return granted(p, wanted.path, wanted.kind, wanted.rights);
}

/// True when a deny of `p` stands at `path` or above it.
constexpr bool is_denied(const policy_ref& p, std::string_view path) {
  bool out = false;
  for_each_above(p.rules, path, [&](const rule& r, bool) { out = out || r.is_deny(); });
  for (const group* g : p.groups) {
    if (out) return true;
    if (!g->here()) continue;
    for (const group_rule& r : g->rules)
      if (r.rights == no_rights && is_written_within(path, r.path)) return true;
  }
  return out;
}

constexpr bool declares(const policy_ref& p, std::string_view variable) noexcept {
  for (const std::string_view declared : p.variables)
    if (compare_text(declared, variable) == 0) return true;
  return false;
}

/// The rule of questions: a path as a policy could have it. In a constant expression the compiler names it.
constexpr bool is_question(const policy_ref& p, std::string_view path) {
  const bool plain = check_path(path) == errc::none && is_plain(path);
  const std::string_view variable = leading_variable(path);
  const bool known = variable.empty() || is_known_variable(variable) || declares(p, variable);
  if (std::is_constant_evaluated()) {
    if (!plain) question_must_name_a_plain_path();
    if (!known) question_must_name_declared_variables();
  }
  return plain && known;
}

/// True unless no value of any variable makes the grant `r` cover `path`, which no deny covers.
constexpr bool may_cover(const rule& r, std::string_view path) noexcept {
  if (r.path.starts_with('/') && path.starts_with('/'))
    return is_within(path, r.path) && (r.kind != path_kind::file || path.size() == r.path.size());
  const std::string_view mine = leading_variable(r.path);
  const std::string_view other = leading_variable(path);
  if (compare_text(mine, other) == 0) {
    const bool within = is_written_within(path, r.path);
    return r.kind == path_kind::file ? within && is_written_within(r.path, path) : within;
  }
  // bind() refuses a grant that writes to the system by a known variable.
  const bool writes = (r.rights & right::write) != no_rights;
  return !(writes && other.empty() && is_known_variable(mine) && touches_system(path));
}

}  // namespace detail

/// True when the policy's own rules, groups included, grant all of `rights` on `path` by name: those at it and above
/// it taken together. A rule on a file speaks of its own path alone; `~` is `$HOME`, and no other variable is
/// compared with anything but itself. Rights that the policy lifts are granted everywhere.
/// False proves nothing: a link or a variable's value may still lead there. For a proof ask denies().
/// path: as in a policy. One that is not, or whose variable is not declared, is granted nothing; in a constant
///       expression it does not compile.
constexpr bool permits(const policy_ref& policy, std::string_view path, right rights) {
  path = without_trailing_slash(path);
  return detail::is_question(policy, path) &&
         contains(detail::granted(policy, path, path_kind::file, rights), rights);
}

/// True when no rule that has one of `rights` can cover `path` by name, whatever values the variables get: the
/// enforced policy does not give any of them at that name. This is a proof, so it is often false:
///  - a rule under a variable could lie anywhere, and an absolute rule anywhere under a variable;
///  - but not where a deny covers `path`: bind() refuses a grant that meets a deny;
///  - nor, for a known variable ($HOME, $WORKDIR, ...) and a grant that writes, in system_directories: bind()
///    refuses that too.
/// Proven are names, not files: a hard link or a link in the file system can give a file a second name, which may
/// be granted. Whether the kernel gives the protection is for the report to say (ioctl since ABI 5, connect_unix
/// since ABI 9); what the policy lifts, or leaves to best_effort(filesystem), is never proven.
/// path: as for permits().
constexpr bool denies(const policy_ref& policy, std::string_view path, right rights) {
  path = without_trailing_slash(path);
  if (!detail::is_question(policy, path)) return false;
  if ((detail::open_rights(policy) & rights) != no_rights) return false;
  if (policy.best_effort.has(protection::filesystem)) return false;
  if (detail::is_denied(policy, path)) return true;
  rights &= ~detail::closed_rights(policy);
  // bind() gives a device that may be written its ioctls as well.
  const right asked = contains(rights, right::ioctl) ? rights | right::write_file : rights;
  for (const rule& r : policy.rules)
    if ((r.rights & asked) != no_rights && detail::may_cover(r, path)) return false;
  for (const group* g : policy.groups)
    if (g->here())
      for (const group_rule& r : g->rules)
        if ((r.rights & asked) != no_rights && detail::may_cover(rule_of(*g, r), path)) return false;
  return true;
}

/// True when the network `a` opens nothing that `b` keeps closed: blocked lies within every network, every network
/// within unrestricted, ports within more ports, beside hosts too, hosts within patterns that stand for them.
constexpr bool is_within(const network_rule& a, std::span<const std::string_view> a_hosts,
                         const network_rule& b, std::span<const std::string_view> b_hosts) noexcept {
  if (a.mode == network_mode::blocked || b.mode == network_mode::unrestricted) return true;
  if (a.mode != b.mode && !(a.mode == network_mode::ports && b.mode == network_mode::hosts)) return false;
  for (const std::string_view host : a_hosts)
    if (!names_host(b_hosts, host)) return false;
  for (std::size_t i = 0; i < a.port_count; ++i)
    if (!b.opens(a.ports[i])) return false;
  return true;
}

/// True when `a` allows no more than `b` in all but its rules on paths: network, unix sockets, and the protections
/// that are lifted, given up or required. A and B: policy_ref or bound_policy.
template <class A, class B>
constexpr bool settings_within(const A& a, const B& b) noexcept {
  const bool network_open = b.lifted.has(protection::network);
  if (!network_open && !a.lifted.has(protection::network) &&
      !is_within(a.network, a.hosts, b.network, b.hosts))
    return false;
  return detail::lifted_of(b).contains(detail::lifted_of(a)) && b.best_effort.contains(a.best_effort) &&
         detail::rank_of(detail::sockets_of(a)) <= detail::rank_of(detail::sockets_of(b)) &&
         (!b.strict || a.strict);
}

/// True when `a` is no wider than `b`, by name: every grant of `a` is covered by those of `b` at and above it, and
/// settings_within(a, b). What links lead to is compared when a policy is bound.
/// A variable that `a` declares and `b` does not makes it false; in a constant expression it does not compile.
constexpr bool is_within(const policy_ref& a, const policy_ref& b) {
  bool out = true;
  for (const std::string_view variable : a.variables) out = out && detail::declares(b, variable);
  if (std::is_constant_evaluated() && !out) detail::variables_must_be_declared_by_both();
  out = out && settings_within(a, b);
  const auto check = [&](rule r) {
    r.rights &= ~detail::closed_rights(a);
    out = out && contains(detail::granted(b, r), r.rights);
  };
  for (const rule& r : a.rules)
    if (out && !r.is_deny()) check(r);
  for (const group* g : a.groups) {
    bool shared = !g->here();
    for (const group* other : b.groups) shared = shared || other == g;
    if (shared) continue;
    for (const group_rule& r : g->rules)
      if (out && r.rights != no_rights) check(rule_of(*g, r));
  }
  return out;
}

/// The oldest Landlock ABI on which the policy can be applied: the highest that something needs which the policy
/// requires and no seccomp filter gives. 0: it asks nothing of Landlock. What the runner of network(hosts) will need is
/// not counted: Landlock knows no names.
constexpr int minimum_landlock_abi(const policy_ref& policy) noexcept {
  const protection_set lifted = detail::lifted_of(policy);
  const network_mode network = detail::network_of(policy);
  const unix_sockets sockets = detail::sockets_of(policy);
  int out = 0;
  for (const protection_row& row : protections) {
    const bool asked = !lifted.has(row.id) && !policy.best_effort.has(row.id);
    if (!asked || !(policy.strict || is_named(row.id, network, sockets))) continue;
    const int needed = needed_abi(row.id, network, sockets);
    out = needed > out ? needed : out;
  }
  return out;
}

}  // namespace nono
