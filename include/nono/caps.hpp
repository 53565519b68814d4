// SPDX-License-Identifier: Apache-2.0
// The policy DSL: a builder with fixed room whose rules the compiler checks. `nono::caps()` begins a policy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

namespace nono {

namespace detail {
// Their names are the compiler's message when a constant policy breaks a rule (see path.hpp).
inline void variable_must_be_declared() {}
inline void deny_contradicts_grant() {}
inline void policy_has_more_rules_than_room() {}
inline void policy_has_more_than_32_groups() {}
inline void policy_has_more_than_16_variables() {}

constexpr void refuse_policy(errc why) {
  switch (why) {
    case errc::variable_unknown:
      variable_must_be_declared();
      break;
    case errc::deny_contradicts_grant:
      deny_contradicts_grant();
      break;
    default:
      policy_has_more_rules_than_room();
      break;
  }
}

// What the type of a builder remembers.
inline constexpr unsigned network_given = 1;
inline constexpr unsigned child_needed = 2;
}  // namespace detail

/// A policy under construction and the finished policy: a literal type that lives in read-only data.
/// Every verb returns a new policy; a rule that contradicts an earlier one does not compile in a constant
/// expression, and outside one is returned as an error by apply() and spawn().
/// Capacity: how many rules fit, groups not counted.
template <std::size_t Capacity, unsigned State = 0>
class basic_caps {
 public:
  constexpr basic_caps() = default;

  /// Grants `Rights` on the directory `path` and all below it.
  /// path:   absolute or beginning with a variable, at most 4095 bytes, no ".." part; resolved by apply().
  /// Errors: path_not_found, not_a_directory, path_not_accessible, deny_contradicts_grant (all from apply()).
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
  /// then.
  template <right Rights>
  [[nodiscard]] constexpr basic_caps allow_file(path_literal path, when_missing missing = must_exist) const {
    static_assert(Rights != no_rights,
                  "allow_file<...> grants nothing: name at least one right, such as nono::read");
    static_assert(
        !needs_directory(Rights),
        "allow_file<...> with a directory right: list, create, remove and refer mean nothing on a file");
    return with({path.text(), Rights, path_kind::file, missing, origin::user, {}});
  }

  /// Keeps `path` and all below it closed. Landlock has no deny inside an allow, so no grant may hold the
  /// path or lie in it: that is an error here, and again when links are resolved.
  [[nodiscard]] constexpr basic_caps deny_path(path_literal path) const {
    return with({path.text(), no_rights, path_kind::deny, if_exists, origin::user, {}});
  }

  /// Takes in a built-in or own group; it must have static storage. Groups of another platform are skipped.
  [[nodiscard]] constexpr basic_caps group(const nono::group& g) const {
    basic_caps next = *this;
    if (next.group_count_ == next.groups_.size()) return next.refused(errc::too_many_rules, g.name);
    next.groups_[next.group_count_++] = &g;
    if (!g.here()) return next;
    for (const group_rule& r : g.rules)
      for (std::size_t i = 0; i < count_; ++i)
        if ((r.rights == no_rights) != rules_[i].is_deny() && contradicts(r.path, rules_[i].path))
          return next.refused(errc::deny_contradicts_grant, rules_[i].path);
    return next;
  }

  /// Declares a variable that a value is bound to when the policy is applied: `nono::bind("$DATA", dir)`.
  [[nodiscard]] constexpr basic_caps variable(variable_literal name) const {
    basic_caps next = *this;
    if (next.variable_count_ == next.variables_.size())
      return next.refused(errc::too_many_rules, name.text());
    next.variables_[next.variable_count_++] = name.text();
    return next;
  }

  [[nodiscard]] constexpr auto network(unrestricted_network) const { return with_network<0>({}); }
  /// Refuses every socket but unix ones, on every kernel (seccomp; TCP by Landlock as well from ABI 4).
  [[nodiscard]] constexpr auto network(blocked_network) const {
    return with_network<0>({network_mode::blocked, 0, {}});
  }
  /// A network of the child's own with nothing but loopback. spawn() only: apply() does not compile.
  [[nodiscard]] constexpr auto network(loopback_network) const {
    return with_network<detail::child_needed>({network_mode::loopback, 0, {}});
  }
  /// TCP to and on these ports, of any address, and no other socket. Since: Landlock ABI 4 (Linux 6.7).
  [[nodiscard]] constexpr auto network(only_ports ports) const { return with_network<0>(ports.rule); }

  /// `none` leaves socketpair alone, `granted` asks for connect_unix (ABI 9), `any` lifts the restriction.
  [[nodiscard]] constexpr basic_caps unix_sockets(nono::unix_sockets which) const {
    basic_caps next = *this;
    next.sockets_ = which;
    return next;
  }

  /// Turns one required protection into a preferred one, by name: the report says whether it is there.
  [[nodiscard]] constexpr basic_caps best_effort(protection which) const {
    basic_caps next = *this;
    next.best_effort_ |= which;
    return next;
  }
  /// Leaves out one protection of the defaults, by name: `lift(protection::ipc)` grants System V IPC. foreign_abi
  /// stays: without it no filter means anything.
  [[nodiscard]] constexpr basic_caps lift(protection which) const {
    basic_caps next = *this;
    next.lifted_ |= which;
    return next;
  }
  /// Requires everything that the defaults prefer.
  [[nodiscard]] constexpr basic_caps strict() const {
    basic_caps next = *this;
    next.strict_ = true;
    return next;
  }

  /// The policy by name, for every other part of the library. Valid as long as this object.
  [[nodiscard]] constexpr policy_ref ref() const noexcept {
    return {.rules = {rules_.data(), count_},
            .groups = {groups_.data(), group_count_},
            .variables = {variables_.data(), variable_count_},
            .network = network_,
            .sockets = sockets_,
            .best_effort = best_effort_,
            .lifted = lifted_,
            .strict = strict_,
            .violation = violation_,
            .violating = violating_};
  }
  constexpr operator policy_ref() const noexcept { return ref(); }  // NOLINT(google-explicit-constructor)

  static constexpr bool needs_child() noexcept { return (State & detail::child_needed) != 0; }

  /// Confines this process for good; see nono::apply in apply.hpp.
  template <class... Args>
  auto apply(Args&&... args) const {
    return apply_to_this_process(*this, static_cast<Args&&>(args)...);
  }
  /// Starts a confined child; see nono::spawn in spawn.hpp.
  template <class Argv = std::initializer_list<std::string_view>, class... Args>
  auto spawn(const Argv& argv, Args&&... args) const {
    return spawn_child(ref(), argv, static_cast<Args&&>(args)...);
  }

 private:
  template <std::size_t, unsigned>
  friend class basic_caps;

  [[nodiscard]] constexpr bool knows(std::string_view variable) const noexcept {
    for (std::size_t i = 0; i < variable_count_; ++i)
      if (variables_[i] == variable) return true;
    for (const std::string_view known : known_variables)
      if (known == variable) return true;
    return false;
  }

  // In a constant expression the compiler names the broken rule; outside one the first is kept.
  [[nodiscard]] constexpr basic_caps refused(errc why, std::string_view what) const {
    if (std::is_constant_evaluated()) detail::refuse_policy(why);
    basic_caps next = *this;
    if (next.violation_ == errc::none) {
      next.violation_ = why;
      next.violating_ = what;
    }
    return next;
  }

  [[nodiscard]] constexpr basic_caps with(const rule& added) const {
    if (const auto v = leading_variable(added.path); !v.empty() && !knows(v))
      return refused(errc::variable_unknown, added.path);
    if (contradicts_any(added)) return refused(errc::deny_contradicts_grant, added.path);
    std::size_t low = 0;
    std::size_t high = count_;
    while (low < high) {  // where the rule belongs, in byte order
      const std::size_t middle = (low + high) / 2;
      const int order = compare_text(rules_[middle].path, added.path);
      if (order < 0 || (order == 0 && rules_[middle].kind < added.kind)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    basic_caps next = *this;
    if (low < count_ && rules_[low].kind == added.kind && rules_[low].missing == added.missing &&
        compare_text(rules_[low].path, added.path) == 0) {
      next.rules_[low].rights |= added.rights;  // the same path twice grants both
      return next;
    }
    if (count_ == Capacity) return refused(errc::too_many_rules, added.path);
    for (std::size_t i = count_; i > low; --i) next.rules_[i] = next.rules_[i - 1];
    next.rules_[low] = added;
    ++next.count_;
    next.deny_count_ += added.is_deny() ? 1 : 0;
    return next;
  }

  [[nodiscard]] constexpr bool contradicts_any(const rule& added) const noexcept {
    const bool deny = added.is_deny();
    if (deny || deny_count_ != 0)
      for (std::size_t i = 0; i < count_; ++i)
        if (rules_[i].is_deny() != deny && contradicts(rules_[i].path, added.path)) return true;
    for (std::size_t g = 0; g < group_count_; ++g) {
      if (!groups_[g]->here()) continue;
      for (const group_rule& r : groups_[g]->rules)
        if ((r.rights == no_rights) != deny && contradicts(r.path, added.path)) return true;
    }
    return false;
  }

  template <unsigned Extra>
  [[nodiscard]] constexpr auto with_network(const network_rule& rule) const {
    static_assert((State & detail::network_given) == 0,
                  "the network was given twice: keep one .network(...)");
    basic_caps<Capacity, State | detail::network_given | Extra> next;
    next.rules_ = rules_;
    next.groups_ = groups_;
    next.variables_ = variables_;
    next.network_ = rule;
    next.count_ = count_;
    next.deny_count_ = deny_count_;
    next.group_count_ = group_count_;
    next.variable_count_ = variable_count_;
    next.sockets_ = sockets_;
    next.best_effort_ = best_effort_;
    next.lifted_ = lifted_;
    next.strict_ = strict_;
    next.violation_ = violation_;
    next.violating_ = violating_;
    return next;
  }

  std::array<rule, Capacity> rules_{};  // sorted by path
  std::array<const nono::group*, 32> groups_{};
  std::array<std::string_view, 16> variables_{};
  network_rule network_{};
  std::size_t count_ = 0;
  std::size_t deny_count_ = 0;
  std::size_t group_count_ = 0;
  std::size_t variable_count_ = 0;
  nono::unix_sockets sockets_ = nono::unix_sockets::by_default;
  protection_set best_effort_{};
  protection_set lifted_{};
  bool strict_ = false;
  errc violation_ = errc::none;
  std::string_view violating_;
};

/// Begins a policy with room for `Capacity` rules: `caps()`, `caps<512>()`.
template <std::size_t Capacity = 256>
constexpr basic_caps<Capacity> caps() {
  return {};
}

}  // namespace nono
