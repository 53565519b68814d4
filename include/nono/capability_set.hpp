// SPDX-License-Identifier: Apache-2.0
// The owning run-time policy: the verbs of caps() for paths that are known only when the program runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <nono/arena.hpp>
#include <nono/error.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

namespace nono {

/// A policy built at run time. It owns its text; every verb checks its argument and returns success or an
/// error that leaves the set as it was.
class capability_set {
 public:
  /// Grants `rights` on the directory `path` and all below it.
  /// path:   absolute or beginning with a variable, at most 4095 bytes, no ".." part; resolved by apply().
  /// Errors: those of check_path, empty_access, variable_unknown.
  /// Since:  Landlock ABI 1 (Linux 5.13).
  result<success> allow_path(std::string_view path, right rights, when_missing missing = must_exist) {
    return add({path, rights, path_kind::directory, missing, origin::user, {}});
  }
  template <right Rights>
  result<success> allow_path(std::string_view path, when_missing missing = must_exist) {
    static_assert(Rights != no_rights, "allow_path<...> grants nothing: name at least one right");
    return allow_path(path, Rights, missing);
  }

  /// Grants `rights` on the one file `path`: anything that is not a directory.
  /// Errors: as allow_path, and directory_right_on_file.
  result<success> allow_file(std::string_view path, right rights, when_missing missing = must_exist) {
    return add({path, rights, path_kind::file, missing, origin::user, {}});
  }
  template <right Rights>
  result<success> allow_file(std::string_view path, when_missing missing = must_exist) {
    static_assert(!needs_directory(Rights), "allow_file<...> with a directory right");
    return allow_file(path, Rights, missing);
  }

  /// Keeps `path` and all below it closed; a grant that holds it or lies in it is an error of apply().
  result<success> deny_path(std::string_view path) {
    return add({path, no_rights, path_kind::deny, if_exists, origin::user, {}});
  }

  /// Adds a rule with an origin of its own; the general form of the verbs above.
  result<success> add(rule added) {
    added.path = without_trailing_slash(added.path);
    if (const errc why = check(added); why != errc::none)
      return error{why, 0, to_text(added), std::string(added.path), {}};
    const auto before = [](const rule& a, const rule& b) { return compare_text(a.path, b.path) < 0; };
    added.path = text_.copy(added.path);
    if (!added.source.empty()) added.source = text_.copy(added.source);
    rules_.insert(std::upper_bound(rules_.begin(), rules_.end(), added, before), added);
    return success{};
  }

  /// Takes in a group; it must have static storage.
  capability_set& group(const nono::group& g) {
    if (std::find(groups_.begin(), groups_.end(), &g) == groups_.end()) groups_.push_back(&g);
    return *this;
  }

  /// Declares a variable: `$` and a word.
  result<success> variable(std::string_view name) {
    if (!is_variable_name(name)) return error{errc::variable_misplaced, 0, "variable", std::string(name), {}};
    variables_.push_back(text_.copy(name));
    return success{};
  }

  capability_set& network(unrestricted_network) { return set({}); }
  capability_set& network(blocked_network) { return set({network_mode::blocked, 0, {}}); }
  capability_set& network(loopback_network) { return set({network_mode::loopback, 0, {}}); }
  capability_set& network(const only_ports& ports) { return set(ports.rule); }

  capability_set& unix_sockets(nono::unix_sockets which) { return sockets_ = which, *this; }
  capability_set& best_effort(protection which) { return best_effort_ |= which, *this; }
  capability_set& lift(protection which) { return lifted_ |= which, *this; }
  capability_set& strict(bool on = true) { return strict_ = on, *this; }

  /// Leaves out every rule for which `unwanted(rule)` is true.
  template <class F>
  void remove_if(F&& unwanted) {
    std::erase_if(rules_, unwanted);
  }

  [[nodiscard]] policy_ref ref() const noexcept {
    return {.rules = rules_,
            .groups = groups_,
            .variables = variables_,
            .network = network_,
            .sockets = sockets_,
            .best_effort = best_effort_,
            .lifted = lifted_,
            .strict = strict_,
            .violation = errc::none,
            .violating = {}};
  }
  operator policy_ref() const noexcept { return ref(); }  // NOLINT(google-explicit-constructor)

  template <class... Args>
  auto apply(Args&&... args) const {
    return apply_to_this_process(*this, static_cast<Args&&>(args)...);
  }
  template <class Argv = std::initializer_list<std::string_view>, class... Args>
  auto spawn(const Argv& argv, Args&&... args) const {
    return spawn_child(ref(), argv, static_cast<Args&&>(args)...);
  }
  static constexpr bool needs_child() noexcept { return false; }  // checked when it is applied

 private:
  [[nodiscard]] errc check(const rule& r) const {
    if (const errc why = check_path(r.path); why != errc::none) return why;
    if (!r.is_deny() && r.rights == no_rights) return errc::empty_access;
    if (r.kind == path_kind::file && needs_directory(r.rights)) return errc::directory_right_on_file;
    const std::string_view v = leading_variable(r.path);
    if (v.empty() || std::find(variables_.begin(), variables_.end(), v) != variables_.end())
      return errc::none;
    return std::find(std::begin(known_variables), std::end(known_variables), v) == std::end(known_variables)
               ? errc::variable_unknown
               : errc::none;
  }
  capability_set& set(const network_rule& n) { return network_ = n, *this; }

  detail::arena text_;
  std::vector<rule> rules_;  // sorted by path
  std::vector<const nono::group*> groups_;
  std::vector<std::string_view> variables_;
  network_rule network_;
  nono::unix_sockets sockets_ = nono::unix_sockets::by_default;
  protection_set best_effort_;
  protection_set lifted_;
  bool strict_ = false;
};

}  // namespace nono
