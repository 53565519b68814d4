// SPDX-License-Identifier: Apache-2.0
// The policy DSL: a builder with fixed room whose rules the compiler checks. `nono::caps()` begins a policy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <nono/algebra.hpp>
#include <nono/host.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/refusal.hpp>
#include <nono/right.hpp>

namespace nono {

namespace detail {
// What the type of a builder remembers.
inline constexpr unsigned network_given = 1;
inline constexpr unsigned child_needed = 2;
inline constexpr unsigned ports_given = 4;
inline constexpr unsigned blocked_given = 8;
inline constexpr unsigned runner_needed = 16;

struct combiner;  // combine.hpp
}  // namespace detail

/// A policy under construction and the finished policy: a literal type that lives in read-only data.
/// Every verb returns a new policy; a rule that does not fit an earlier one does not compile in a constant
/// expression, and outside one is returned as an error by apply() and spawn().
/// Capacity: how many rules fit, groups not counted.
template <std::size_t Capacity, unsigned State = 0>
class basic_caps {
 public:
  constexpr basic_caps() = default;

  /// Grants `Rights` on the directory `path` and all below it.
  /// path:   absolute or beginning with a variable, at most 4095 bytes, no ".." part; resolved by apply().
  /// Errors: path_not_found, not_a_directory, path_not_accessible, variable_opens_system (from apply());
  ///         deny_contradicts_grant, duplicate_rule, variable_unknown, connect_unix_without_sockets.
  /// Since:  Landlock ABI 1 (Linux 5.13).
  /// Source: docs.kernel.org/userspace-api/landlock.html, "Filesystem flags"
  template <right Rights>
  [[nodiscard]] constexpr basic_caps allow_path(path_literal path, when_missing missing = must_exist) const {
    static_assert(Rights != no_rights,
                  "allow_path<...> grants nothing: name at least one right, such as nono::read");
    return with({path.text(), Rights, path_kind::directory, missing, origin::user, {}});
  }

  /// Grants `Rights` on the one file `path`: anything that is not a directory. An editor that replaces the
  /// file by rename leaves the grant behind, since the kernel's rule holds the inode: grant the directory
  /// then. path and errors as of allow_path, without a slash at the end.
  template <right Rights>
  [[nodiscard]] constexpr basic_caps allow_file(file_literal path, when_missing missing = must_exist) const {
    static_assert(Rights != no_rights,
                  "allow_file<...> grants nothing: name at least one right, such as nono::read");
    static_assert(
        !needs_directory(Rights),
        "allow_file<...> with a directory right: list, create, remove and refer mean nothing on a file");
    return with({path.text(), Rights, path_kind::file, missing, origin::user, {}});
  }

  /// Grants connecting to the unix socket `path`, and nothing else: allow_file<right::connect_unix>. It holds the
  /// socket that is there when the policy is applied, not one that takes its name later. Servers inside the sandbox
  /// need no grant.
  /// path and errors: as of allow_file.
  /// Since: Landlock ABI 9 (Linux 7.1); below it in spawn_supervised() and `nono run`, elsewhere every socket is
  ///        reachable and the report says so, or unix_sockets(granted) refuses.
  [[nodiscard]] constexpr basic_caps allow_unix_socket(file_literal path,
                                                       when_missing missing = must_exist) const {
    return allow_file<right::connect_unix>(path, missing);
  }
  /// The same for every unix socket below the directory `path`, whenever it is made. Errors: as of allow_path.
  [[nodiscard]] constexpr basic_caps allow_unix_sockets_below(path_literal path,
                                                              when_missing missing = must_exist) const {
    return allow_path<right::connect_unix>(path, missing);
  }

  /// Keeps `path` and all below it closed. Landlock has no deny inside an allow, so no grant may hold the
  /// path or lie in it: that is an error here, and again when links are resolved.
  [[nodiscard]] constexpr basic_caps deny_path(path_literal path) const {
    return with({path.text(), no_rights, path_kind::deny, if_exists, origin::user, {}});
  }

  /// Takes in a built-in or own group; it must have static storage. Groups of another platform are skipped.
  [[nodiscard]] constexpr basic_caps group(const nono::group& g) const {
    for (std::size_t i = 0; i < group_count_; ++i)
      if (groups_[i] == &g) return refused(errc::group_given_twice, detail::group_must_be_given_once, g.name);
    if (group_count_ == groups_.size())
      return refused(errc::too_many_groups, detail::policy_has_more_than_32_groups, g.name);
    basic_caps next = *this;
    next.groups_[next.group_count_++] = &g;
    if (!g.here()) return next;
    for (const group_rule& r : g.rules) {
      if (const errc why = check_path(r.path); why != errc::none || !is_plain(r.path))
        return next.refused(why == errc::none ? errc::path_not_plain : why,
                            detail::group_has_a_path_that_is_not_plain, r.path);
      for (std::size_t i = 0; i < count_; ++i)
        if ((r.rights == no_rights) != rules_[i].is_deny() && contradicts(r.path, rules_[i].path))
          return next.contradiction(rules_[i], r.path);
    }
    return next;
  }

  /// Declares a variable that a value is bound to when the policy is applied: `nono::bind("$DATA", dir)`.
  [[nodiscard]] constexpr basic_caps variable(variable_literal name) const {
    if (is_known_variable(name.text()))
      return refused(errc::variable_known_already, detail::variable_is_known_without_declaring_it,
                     name.text());
    if (detail::declares(ref(), name.text()))
      return refused(errc::variable_declared_twice, detail::variable_must_be_declared_once, name.text());
    if (variable_count_ == variables_.size())
      return refused(errc::too_many_variables, detail::policy_has_more_than_16_variables, name.text());
    basic_caps next = *this;
    next.variables_[next.variable_count_++] = name.text();
    return next;
  }

  [[nodiscard]] constexpr auto network(unrestricted_network) const { return with_network<0>({}); }
  /// Refuses every socket but unix ones, on every kernel (seccomp; TCP by Landlock as well from ABI 4).
  [[nodiscard]] constexpr auto network(blocked_network) const {
    return with_network<detail::blocked_given>({network_mode::blocked, 0, {}});
  }
  /// A network of the child's own with nothing but loopback. spawn() only: apply() does not compile.
  [[nodiscard]] constexpr auto network(loopback_network) const {
    return with_network<detail::child_needed>({network_mode::loopback, 0, {}});
  }
  /// TCP to and on these ports, of any address, and no other socket. Since: Landlock ABI 4 (Linux 6.7).
  [[nodiscard]] constexpr auto network(const only_ports& ports) const {
    return with_network<detail::ports_given>(ports.rule);
  }
  /// These hosts alone, through a proxy that the runner of the nono command starts. Nothing in this process can filter
  /// names: neither apply() nor spawn() compiles.
  [[nodiscard]] constexpr auto network(const nono::hosts& named) const {
    auto next = with_network<detail::runner_needed>({network_mode::hosts, 0, {}});
    for (const std::string_view host : named.names()) next.hosts_[next.host_count_++] = host;
    return next;
  }
  /// Opens one more port: the first is `network(only(port))`, each later one joins it.
  [[nodiscard]] constexpr auto allow_port(port_rule port) const {
    static_assert((State & detail::blocked_given) == 0,
                  "a port grant on a blocked network: keep one of .allow_port(...) and .network(blocked)");
    static_assert((State & detail::child_needed) == 0,
                  "a port grant on a loopback network: all its ports are open, and no other's can be");
    static_assert((State & detail::runner_needed) == 0,
                  "a port grant on a network of hosts: it would open that port of every other host");
    constexpr unsigned told_above = detail::blocked_given | detail::child_needed | detail::runner_needed;
    static_assert((State & detail::network_given) == 0 || (State & (detail::ports_given | told_above)) != 0,
                  "a port grant on an unrestricted network: it would close every other port, so say "
                  ".network(only(...))");
    network_rule rule = network_;
    rule.mode = network_mode::ports;
    if (rule.port_count < max_ports) rule.ports[rule.port_count] = port;
    ++rule.port_count;
    return set_network<detail::ports_given>(rule);
  }

  /// `none` leaves socketpair alone, `granted` asks for connect_unix (ABI 9), `any` lifts the restriction.
  [[nodiscard]] constexpr basic_caps unix_sockets(nono::unix_sockets which) const {
    if (sockets_given_)
      return refused(errc::unix_sockets_given_twice, detail::unix_sockets_must_be_given_once, {});
    basic_caps next = *this;
    next.sockets_ = which;
    next.sockets_given_ = true;
    for (std::size_t i = 0; i < count_; ++i)
      if (next.asks_for_no_sockets(rules_[i])) return next.no_sockets(rules_[i].path);
    return next;
  }

  /// Turns one required protection into a preferred one, by name: the report says whether it is there.
  [[nodiscard]] constexpr basic_caps best_effort(protection which) const {
    basic_caps next = *this;
    next.best_effort_ |= which;
    if (const errc why = check_best_effort(which); why != errc::none)
      return refused(why, detail::protection_is_enforced_by_no_kernel, row_of(which).name);
    return next.checked(which);
  }
  /// Leaves out one protection of the defaults, by name: `lift(protection::ipc)` grants System V IPC. foreign_abi
  /// stays: without it no filter means anything.
  [[nodiscard]] constexpr basic_caps lift(protection which) const {
    basic_caps next = *this;
    next.lifted_ |= which;
    if (const errc why = check_lift(which); why != errc::none)
      return refused(why,
                     why == errc::protection_not_liftable
                         ? detail::protection_cannot_be_lifted_or_no_filter_means_anything
                         : detail::protection_is_enforced_by_no_kernel,
                     row_of(which).name);
    return next.checked(which);
  }
  /// Requires everything that the defaults prefer.
  [[nodiscard]] constexpr basic_caps strict() const {
    basic_caps next = *this;
    next.strict_ = true;
    return next;
  }

  /// Holds the policy to what its systems have in common: a `portable` one cannot name a loopback network, ports
  /// to connect to, emptying files apart from writing them, or a protection that only Linux has. Without it nothing is checked.
  [[nodiscard]] constexpr basic_caps target(target_systems systems) const {
    if (target_ != target_systems::unspecified)
      return refused(errc::target_given_twice, detail::target_must_be_given_once, {});
    basic_caps next = *this;
    next.target_ = systems;
    next = next.portable_network();
    for (std::size_t i = 0; i < count_; ++i) next = next.portable_rights(rules_[i].rights);
    for (const protection_row& row : protections)
      if (lifted_.has(row.id) || best_effort_.has(row.id)) next = next.checked(row.id);
    return next;
  }

  /// As the functions of algebra.hpp, which say what is promised.
  template <right Rights>
  [[nodiscard]] constexpr bool permits(path_literal path) const {
    static_assert(Rights != no_rights, "permits<...> asks for nothing: name at least one right");
    return nono::permits(ref(), path.text(), Rights);
  }
  template <right Rights>
  [[nodiscard]] constexpr bool denies(path_literal path) const {
    static_assert(Rights != no_rights, "denies<...> asks for nothing: name at least one right");
    return nono::denies(ref(), path.text(), Rights);
  }
  [[nodiscard]] constexpr bool within(const policy_ref& wider) const { return is_within(ref(), wider); }
  [[nodiscard]] constexpr int minimum_landlock_abi() const noexcept {
    return nono::minimum_landlock_abi(ref());
  }

  /// The policy by name, for every other part of the library. Valid as long as this object.
  [[nodiscard]] constexpr policy_ref ref() const noexcept {
    return {.rules = {rules_.data(), count_},
            .groups = {groups_.data(), group_count_},
            .variables = {variables_.data(), variable_count_},
            .network = network_,
            .hosts = {hosts_.data(), host_count_},
            .sockets = sockets_,
            .best_effort = best_effort_,
            .lifted = lifted_,
            .strict = strict_,
            .target = target_,
            .violation = violation_,
            .violating = violating_};
  }
  constexpr operator policy_ref() const noexcept { return ref(); }  // NOLINT(google-explicit-constructor)

  static constexpr bool needs_child() noexcept { return (State & detail::child_needed) != 0; }
  static constexpr bool needs_runner() noexcept { return (State & detail::runner_needed) != 0; }

  /// Confines this process for good; see nono::apply in apply.hpp.
  template <class... Args>
  auto apply(Args&&... args) const {
    return apply_to_this_process(*this, static_cast<Args&&>(args)...);
  }
  /// Starts a confined child; see nono::spawn in spawn.hpp.
  template <class Argv = std::initializer_list<std::string_view>, class... Args>
  auto spawn(const Argv& argv, Args&&... args) const {
    return spawn_child(*this, argv, static_cast<Args&&>(args)...);
  }
  /// Resolves for many children; see nono::prepare in prepare.hpp.
  template <class... Args>
  auto prepare(Args&&... args) const {
    return prepare_policy(*this, static_cast<Args&&>(args)...);
  }
  /// Starts a confined child beside a supervisor; see nono::spawn_supervised in supervisor.hpp.
  template <class Argv = std::initializer_list<std::string_view>, class... Args>
  auto spawn_supervised(const Argv& argv, Args&&... args) const {
    return spawn_supervised_child(*this, argv, static_cast<Args&&>(args)...);
  }

 private:
  template <std::size_t, unsigned>
  friend class basic_caps;
  friend struct detail::combiner;

  [[nodiscard]] constexpr bool knows(std::string_view variable) const noexcept {
    return detail::declares(ref(), variable) || is_known_variable(variable);
  }

  // In a constant expression the compiler names the broken rule; outside one the first is kept.
  [[nodiscard]] constexpr basic_caps refused(errc why, void (*words)(), std::string_view what) const {
    if (std::is_constant_evaluated()) words();
    basic_caps next = *this;
    if (next.violation_ == errc::none) {
      next.violation_ = why;
      next.violating_ = what;
    }
    return next;
  }
  [[nodiscard]] constexpr basic_caps contradiction(const rule& own, std::string_view other) const {
    const bool lies_in = own.is_deny() ? detail::is_written_within(other, own.path)
                                       : detail::is_written_within(own.path, other);
    return refused(errc::deny_contradicts_grant,
                   lies_in ? detail::grant_lies_in_a_denied_path : detail::grant_holds_a_denied_path,
                   own.path);
  }
  [[nodiscard]] constexpr basic_caps duplicate(const rule& first, const rule& second) const {
    return refused(errc::duplicate_rule,
                   first.kind != second.kind ? detail::path_must_be_a_file_or_a_directory_not_both
                   : second.is_deny()        ? detail::path_must_be_denied_once
                                             : detail::path_must_be_granted_once,
                   second.path);
  }
  [[nodiscard]] constexpr bool asks_for_no_sockets(const rule& r) const noexcept {
    return sockets_ == nono::unix_sockets::none && contains(r.rights, right::connect_unix);
  }
  [[nodiscard]] constexpr basic_caps no_sockets(std::string_view path) const {
    return refused(errc::connect_unix_without_sockets, detail::connect_unix_contradicts_unix_sockets_none,
                   path);
  }

  /// What a protection that was named must hold beside the others that were.
  [[nodiscard]] constexpr basic_caps checked(protection which) const {
    const protection_row& row = row_of(which);
    if (lifted_.has(which) && best_effort_.has(which))
      return refused(errc::lifted_and_best_effort, detail::protection_must_not_be_both_lifted_and_best_effort,
                     row.name);
    if (target_ == target_systems::portable && row.linux_only)
      return refused(errc::not_portable, detail::protection_exists_on_linux_only, row.name);
    return *this;
  }
  [[nodiscard]] constexpr basic_caps portable_rights(right rights) const {
    if (target_ != target_systems::portable || not_portable(rights).empty()) return *this;
    return refused(errc::not_portable, detail::truncate_apart_from_write_file_exists_on_linux_only,
                   not_portable(rights));
  }
  [[nodiscard]] constexpr basic_caps portable_network() const {
    if (target_ != target_systems::portable) return *this;
    const std::string_view what = not_portable(network_);
    if (what.empty()) return *this;
    return refused(errc::not_portable,
                   network_.mode == network_mode::loopback ? detail::loopback_network_exists_on_linux_only
                                                           : detail::ports_to_connect_to_exist_on_linux_only,
                   what);
  }

  [[nodiscard]] constexpr basic_caps with(const rule& added) const {
    if (const auto v = leading_variable(added.path); !v.empty() && !knows(v))
      return refused(errc::variable_unknown, detail::variable_must_be_declared, added.path);
    if (asks_for_no_sockets(added)) return no_sockets(added.path);
    const std::size_t at = detail::lower_bound(ref().rules, 0, {}, added.path);
    if (const std::size_t same = same_as(added, at); same < count_) return duplicate(rules_[same], added);
    if (count_ == Capacity)
      return refused(errc::too_many_rules, detail::policy_has_more_rules_than_room, added.path);
    const bool deny = added.is_deny();
    if (deny || deny_count_ != 0) {
      std::string_view other;
      const auto look = [&](const rule& r, bool = false) {
        if (r.is_deny() != deny) other = r.path;
      };
      detail::for_each_above(ref().rules, added.path, look);
      if (other.empty()) detail::for_each_below(ref().rules, added.path, look);
      if (!other.empty()) return contradiction(added, other);
    }
    for (std::size_t g = 0; g < group_count_; ++g) {
      if (!groups_[g]->here()) continue;
      for (const group_rule& r : groups_[g]->rules)
        if ((r.rights == no_rights) != deny && contradicts(r.path, added.path))
          return contradiction(added, r.path);
    }
    basic_caps next = *this;
    next.insert(added, at);
    if (target_ == target_systems::unspecified) return next;  // without one more copy
    return next.portable_rights(added.rights);
  }

  /// Where the rule on the same path stands, or count_. at: where `added` belongs.
  [[nodiscard]] constexpr std::size_t same_as(const rule& added, std::size_t at) const noexcept {
    const auto from = [&](std::size_t i, std::string_view head, std::string_view tail) {
      for (; i < count_ && detail::compare_joined(rules_[i].path, head, tail) == 0; ++i)
        if (rules_[i].is_deny() == added.is_deny()) return i;
      return count_;
    };
    const std::size_t same = from(at, {}, added.path);
    if (same < count_ || compare_text(leading_variable(added.path), "$HOME") != 0) return same;
    const std::string_view head = added.path.starts_with('~') ? "$HOME" : "~";
    const std::string_view tail = after_variable(added.path);
    return from(detail::lower_bound(ref().rules, 0, head, tail), head, tail);
  }

  constexpr void insert(const rule& added, std::size_t at) noexcept {
    for (std::size_t i = count_; i > at; --i) rules_[i] = rules_[i - 1];
    rules_[at] = added;
    ++count_;
    deny_count_ += added.is_deny() ? 1 : 0;
  }

  template <unsigned Extra>
  [[nodiscard]] constexpr auto with_network(const network_rule& rule) const {
    static_assert((State & detail::network_given) == 0,
                  "the network was given twice: keep one .network(...)");
    return set_network<Extra>(rule);
  }
  template <unsigned Extra>
  [[nodiscard]] constexpr auto set_network(network_rule rule) const {
    basic_caps<Capacity, State | detail::network_given | Extra> next;
    next.rules_ = rules_;
    next.groups_ = groups_;
    next.variables_ = variables_;
    next.network_ = network_;
    next.count_ = count_;
    next.deny_count_ = deny_count_;
    next.group_count_ = group_count_;
    next.variable_count_ = variable_count_;
    next.sockets_ = sockets_;
    next.sockets_given_ = sockets_given_;
    next.best_effort_ = best_effort_;
    next.lifted_ = lifted_;
    next.strict_ = strict_;
    next.target_ = target_;
    next.violation_ = violation_;
    next.violating_ = violating_;
    if (rule.port_count > max_ports)
      return next.refused(errc::too_many_ports, detail::policy_has_more_than_32_ports, {});
    if (has_port_twice(rule))
      return next.refused(errc::port_given_twice, detail::port_must_be_given_once, {});
    next.network_ = rule;
    return next.portable_network();
  }

  std::array<rule, Capacity> rules_{};  // sorted by path
  std::array<const nono::group*, 32> groups_{};
  std::array<std::string_view, 16> variables_{};
  network_rule network_{};
  std::array<std::string_view, max_hosts> hosts_{};
  std::size_t count_ = 0;
  std::size_t deny_count_ = 0;
  std::size_t group_count_ = 0;
  std::size_t variable_count_ = 0;
  std::size_t host_count_ = 0;
  nono::unix_sockets sockets_ = nono::unix_sockets::by_default;
  bool sockets_given_ = false;
  protection_set best_effort_{};
  protection_set lifted_{};
  bool strict_ = false;
  target_systems target_ = target_systems::unspecified;
  errc violation_ = errc::none;
  std::string_view violating_;
};

/// Begins a policy with room for `Capacity` rules: `caps()`, `caps<512>()`.
template <std::size_t Capacity = 256>
constexpr basic_caps<Capacity> caps() {
  return {};
}

}  // namespace nono
