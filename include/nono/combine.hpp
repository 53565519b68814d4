// SPDX-License-Identifier: Apache-2.0
// Two policies into one: all that either allows, or only what both do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <nono/algebra.hpp>
#include <nono/caps.hpp>
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

struct combiner {
  enum class way : std::uint8_t { either, both };

  template <class Out>
  static constexpr void refuse(Out& out, errc why, void (*words)(), std::string_view what) {
    out = out.refused(why, words, what);
  }

  /// What `own`, a rule of `mine`, becomes beside the other policy: no rights and no deny is nothing.
  static constexpr rule kept(rule own, const policy_ref& mine, const policy_ref& other, way how) {
    constexpr path_kind nothing = path_kind::any;
    own.rights &= ~closed_rights(mine);
    if (how == way::either) {
      // A deny that one policy has alone would contradict the other's grants.
      if (own.is_deny() && !is_denied(other, own.path)) own.kind = nothing;
      return own;
    }
    const std::string_view variable = leading_variable(own.path);
    if (!variable.empty() && !is_known_variable(variable) && !declares(other, variable)) {
      own.kind = nothing;
      own.rights = no_rights;
    }
    own.rights = granted(other, own);
    // What the other grants by a rule meets none of its denies; what it lifts everywhere may.
    if (!own.is_deny() && own.rights != no_rights && open_rights(other) != no_rights)
      for_each_rule(other, [&](const rule& r) {
        if (r.is_deny() && contradicts(r.path, own.path)) own.rights = no_rights;
      });
    return own;
  }

  /// Puts a rule at its place; rights of one path and kind are joined.
  template <class Out>
  static constexpr void put(Out& out, const rule& added, std::size_t at) {
    if (added.rights == no_rights && !added.is_deny()) return;
    for (; at < out.count_ && compare_text(out.rules_[at].path, added.path) == 0; ++at) {
      rule& there = out.rules_[at];
      if (there.kind != added.kind) continue;
      there.rights |= added.rights;
      if (added.missing < there.missing) there.missing = added.missing;  // must_exist before if_exists
      return;
    }
    if (out.count_ == out.rules_.size())
      return refuse(out, errc::too_many_rules, policy_has_more_rules_than_room, added.path);
    out.insert(added, at);
  }

  template <class Out>
  static constexpr void put_rules(Out& out, const policy_ref& a, const policy_ref& b, way how) {
    std::size_t i = 0;
    std::size_t k = 0;
    std::size_t path_begins = 0;  // where the rules of the last path begin
    while (i < a.rules.size() || k < b.rules.size()) {
      const bool first =
          k == b.rules.size() || (i < a.rules.size() && compare_text(a.rules[i].path, b.rules[k].path) <= 0);
      const rule added = first ? kept(a.rules[i++], a, b, how) : kept(b.rules[k++], b, a, how);
      if (path_begins < out.count_ && compare_text(out.rules_[path_begins].path, added.path) != 0)
        path_begins = out.count_;
      put(out, added, path_begins);
    }
  }

  static constexpr bool has(const policy_ref& p, const group* g) noexcept {
    for (const group* own : p.groups)
      if (own == g) return true;
    return false;
  }

  /// Groups that both have stay groups; of others the rules are taken, as far as they hold.
  template <class Out>
  static constexpr void put_groups(Out& out, const policy_ref& a, const policy_ref& b, way how) {
    for (const group* g : a.groups) {
      if (has(b, g)) {
        if (!has(out.ref(), g)) out.groups_[out.group_count_++] = g;
        continue;
      }
      if (!g->here()) continue;
      for (const group_rule& r : g->rules) {
        const rule added = kept(rule_of(*g, r), a, b, how);
        put(out, added, lower_bound(out.ref().rules, 0, {}, added.path));
      }
    }
  }

  template <class Out>
  static constexpr void put_variables(Out& out, const policy_ref& a, const policy_ref& b, way how) {
    for (const std::string_view name : a.variables) {
      if (declares(out.ref(), name) || (how == way::both && !declares(b, name))) continue;
      if (out.variable_count_ == out.variables_.size())
        return refuse(out, errc::too_many_variables, policy_has_more_than_16_variables, name);
      out.variables_[out.variable_count_++] = name;
    }
  }

  template <class Out>
  static constexpr void take_network(Out& out, const network_rule& rule,
                                     std::span<const std::string_view> hosts) {
    out.network_ = rule;
    if (rule.mode == network_mode::hosts) put_hosts(out, hosts, {}, way::either);
  }

  template <class Out>
  static constexpr void put_hosts(Out& out, std::span<const std::string_view> a,
                                  std::span<const std::string_view> b, way how) {
    std::size_t i = 0;
    std::size_t k = 0;
    while (i < a.size() || k < b.size()) {
      const bool first = k == b.size() || (i < a.size() && compare_text(a[i], b[k]) <= 0);
      const std::string_view host = first ? a[i++] : b[k++];
      const bool twice = out.host_count_ != 0 && compare_text(out.hosts_[out.host_count_ - 1], host) == 0;
      if (twice || (how == way::both && !(names_host(a, host) && names_host(b, host)))) continue;
      if (out.host_count_ == out.hosts_.size())
        return refuse(out, errc::too_many_hosts, policy_has_more_than_64_hosts, host);
      out.hosts_[out.host_count_++] = host;
    }
    out.network_.mode = out.host_count_ != 0           ? network_mode::hosts
                        : out.network_.port_count != 0 ? network_mode::ports
                                                       : network_mode::blocked;
  }

  template <class Out>
  static constexpr void put_ports(Out& out, const network_rule& first, const network_rule& second, way how) {
    network_rule ports;
    for (const network_rule* from : {&first, &second})
      for (std::size_t i = 0; i < from->port_count; ++i) {
        const port_rule port = from->ports[i];
        if (ports.opens(port) || (how == way::both && !(first.opens(port) && second.opens(port)))) continue;
        if (ports.port_count == max_ports)
          return refuse(out, errc::too_many_ports, policy_has_more_than_32_ports, {});
        ports.ports[ports.port_count++] = port;
      }
    out.network_ = ports;
  }

  template <class Out>
  static constexpr void put_network(Out& out, const policy_ref& a, const policy_ref& b, way how) {
    const bool a_open = a.lifted.has(protection::network);
    const bool b_open = b.lifted.has(protection::network);
    const network_rule first = a_open ? network_rule{} : a.network;
    const network_rule second = b_open ? network_rule{} : b.network;
    if (is_within(first, a.hosts, second, b.hosts)) {
      take_network(out, how == way::either ? second : first, how == way::either ? b.hosts : a.hosts);
    } else if (is_within(second, b.hosts, first, a.hosts)) {
      take_network(out, how == way::either ? first : second, how == way::either ? a.hosts : b.hosts);
    } else if (first.mode != second.mode) {  // two of loopback, ports and hosts
      out.network_ = {how == way::either ? network_mode::unrestricted : network_mode::blocked, 0, {}};
    } else if (first.mode == network_mode::hosts) {
      put_ports(out, first, second, how);
      put_hosts(out, a.hosts, b.hosts, how);
    } else {
      put_ports(out, first, second, how);
      out.network_.mode = out.network_.port_count == 0 ? network_mode::blocked : network_mode::ports;
    }
  }

  template <class Out>
  static constexpr Out combine(const policy_ref& a, const policy_ref& b, way how) {
    Out out;
    put_variables(out, a, b, how);
    put_variables(out, b, a, how);
    put_rules(out, a, b, how);
    put_groups(out, a, b, how);
    put_groups(out, b, a, how);
    put_network(out, a, b, how);
    const bool a_wider = rank_of(sockets_of(a)) > rank_of(sockets_of(b));
    out.sockets_ = a_wider == (how == way::either) ? sockets_of(a) : sockets_of(b);
    out.sockets_given_ = true;
    out.lifted_ = lifted_of(a);
    out.best_effort_ = a.best_effort;
    if (how == way::either) {
      out.lifted_ |= lifted_of(b);
      out.best_effort_ |= b.best_effort;
      out.strict_ = a.strict && b.strict;
    } else {
      out.lifted_ &= lifted_of(b);
      out.best_effort_ &= b.best_effort;
      out.strict_ = a.strict || b.strict;
    }
    if (a.violation != errc::none || b.violation != errc::none) {
      const policy_ref& broken = a.violation != errc::none ? a : b;
      out.violation_ = broken.violation;
      out.violating_ = broken.violating;
    }
    return out;
  }

  /// The network of a combination is known to its type only where both need the same; of hosts there may be none in
  /// common.
  static constexpr unsigned state_of(unsigned a, unsigned b, way how) noexcept {
    return network_given | (a & b & (how == way::either ? child_needed | runner_needed : child_needed));
  }
};

}  // namespace detail

/// A policy that allows whatever `a` or `b` allows: `a.within(union_of(a, b))`, and what it permits is what one of
/// them permits, under the variables that both declare. A deny stays where both deny; a group that one has alone
/// becomes rules of its own; of the rules on one path the stricter when_missing holds. Two of loopback, ports and
/// hosts together are unrestricted.
/// Capacity: room of the result; left out, that of both together.
/// Errors:   too_many_rules, too_many_variables, too_many_ports, too_many_hosts; in a constant expression it does not
///           compile.
template <std::size_t Capacity = 0, std::size_t A, unsigned StateA, std::size_t B, unsigned StateB>
[[nodiscard]] constexpr auto union_of(const basic_caps<A, StateA>& a, const basic_caps<B, StateB>& b) {
  using detail::combiner;
  constexpr auto how = combiner::way::either;
  using out = basic_caps<Capacity == 0 ? A + B : Capacity, combiner::state_of(StateA, StateB, how)>;
  return combiner::combine<out>(a.ref(), b.ref(), how);
}

/// A policy that allows only what `a` and `b` both allow: `intersection_of(a, b).within(a)`, and what it permits is
/// what both permit, less the grants of one that meet a deny of the other. All denies of both stay. Rules under a
/// variable that only one declares are left out; two of loopback, ports and hosts together, or ports or hosts without a
/// common one, are blocked.
/// Capacity and errors: as of union_of.
template <std::size_t Capacity = 0, std::size_t A, unsigned StateA, std::size_t B, unsigned StateB>
[[nodiscard]] constexpr auto intersection_of(const basic_caps<A, StateA>& a, const basic_caps<B, StateB>& b) {
  using detail::combiner;
  constexpr auto how = combiner::way::both;
  using out = basic_caps<Capacity == 0 ? A + B : Capacity, combiner::state_of(StateA, StateB, how)>;
  return combiner::combine<out>(a.ref(), b.ref(), how);
}

}  // namespace nono
