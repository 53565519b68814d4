// SPDX-License-Identifier: Apache-2.0
// The owning run-time policy: the verbs of caps() for paths that are known only when the program runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/algebra.hpp>
#include <nono/arena.hpp>
#include <nono/error.hpp>
#include <nono/host.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

namespace nono {

/// A policy built at run time. It owns its text; a verb that takes a path, a name or a port checks it and returns
/// success or an error that leaves the set as it was. The settings can be chained and changed: the last call
/// counts. The first protection that cannot be lifted or given up is kept, and returned as an error when the set
/// is applied. Rules of the same path are joined, because profiles and flags are.
class capability_set {
 public:
  /// Grants `rights` on the directory `path` and all below it.
  /// path:   absolute or beginning with a variable, at most 4095 bytes, no ".." part; resolved by apply().
  /// Errors: those of check_path, empty_access, variable_unknown, connect_unix_without_sockets.
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
  /// Errors: as allow_path, directory_right_on_file, and file_path_ends_with_slash.
  result<success> allow_file(std::string_view path, right rights, when_missing missing = must_exist) {
    return add({path, rights, path_kind::file, missing, origin::user, {}});
  }
  template <right Rights>
  result<success> allow_file(std::string_view path, when_missing missing = must_exist) {
    static_assert(!needs_directory(Rights), "allow_file<...> with a directory right");
    return allow_file(path, Rights, missing);
  }

  /// Grants connecting to the unix socket `path`, and nothing else; servers inside the sandbox need no grant.
  /// Errors: as allow_file.
  /// Since:  Landlock ABI 9 (Linux 7.1); below it in spawn_supervised() and `nono run`.
  result<success> allow_unix_socket(std::string_view path, when_missing missing = must_exist) {
    return allow_file(path, right::connect_unix, missing);
  }
  /// The same for every unix socket below the directory `path`, whenever it is made. Errors: as allow_path.
  result<success> allow_unix_sockets_below(std::string_view path, when_missing missing = must_exist) {
    return allow_path(path, right::connect_unix, missing);
  }

  /// Keeps `path` and all below it closed; a grant that holds it or lies in it is an error of apply().
  result<success> deny_path(std::string_view path) {
    return add({path, no_rights, path_kind::deny, if_exists, origin::user, {}});
  }

  /// Adds a rule with an origin of its own; the general form of the verbs above.
  result<success> add(rule added) {
    if (const errc why = check(added); why != errc::none)
      return error{why, 0, to_text(added), std::string(added.path), {}};
    added.path = without_trailing_slash(added.path);
    const std::string folded = is_plain(added.path) ? std::string() : plain(added.path);
    if (!folded.empty()) added.path = folded;
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
  /// Errors: variable_misplaced, variable_known_already, variable_declared_twice.
  result<success> variable(std::string_view name) {
    const errc why = !is_variable_name(name)         ? errc::variable_misplaced
                     : is_known_variable(name)       ? errc::variable_known_already
                     : detail::declares(ref(), name) ? errc::variable_declared_twice
                                                     : errc::none;
    if (why != errc::none) return error{why, 0, "variable", std::string(name), {}};
    variables_.push_back(text_.copy(name));
    return success{};
  }

  capability_set& network(unrestricted_network) { return set({}); }
  capability_set& network(blocked_network) { return set({network_mode::blocked, 0, {}}); }
  capability_set& network(loopback_network) { return set({network_mode::loopback, 0, {}}); }
  capability_set& network(const only_ports& ports) { return set(ports.rule); }
  capability_set& network(const nono::hosts& named) {
    const auto names = named.names();
    set({network_mode::hosts, 0, {}}).hosts_.assign(names.begin(), names.end());
    return *this;
  }
  /// The same of hosts that are known only now, any number of them; one given twice is kept once.
  /// Errors: those of check_host, no_hosts.
  result<success> network(std::span<const std::string_view> names) {
    if (names.empty()) return error{errc::no_hosts, 0, "network(hosts)", {}, {}};
    for (const std::string_view name : names)
      if (const errc why = check_host(name); why != errc::none)
        return error{why, 0, "network(hosts)", std::string(name), {}};
    std::vector<std::string_view> sorted(names.begin(), names.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (std::string_view& name : sorted) name = text_.copy(name);
    set({network_mode::hosts, 0, {}}).hosts_ = std::move(sorted);
    return success{};
  }

  /// Opens one more port: the first makes the network `only(port)`, each later one joins it. Beside hosts it opens that
  /// port of every host, past the proxy.
  /// Errors: port_out_of_range, port_given_twice, too_many_ports; port_contradicts_network on a network that was
  ///         given otherwise.
  result<success> allow_port(port_rule port) {
    const bool beside_hosts = network_.mode == network_mode::hosts;
    const bool whole = network_given_ && network_.mode != network_mode::ports && !beside_hosts;
    const errc why = whole                                           ? errc::port_contradicts_network
                     : check_port(port.port, port.use) != errc::none ? errc::port_out_of_range
                     : network_.opens(port)                          ? errc::port_given_twice
                     : network_.port_count == max_ports              ? errc::too_many_ports
                                                                     : errc::none;
    if (why != errc::none)
      return error{why, 0, "allow_port", std::to_string(port.port), std::string(name_of(network_.mode))};
    if (!beside_hosts) network_.mode = network_mode::ports;
    network_.ports[network_.port_count++] = port;
    network_given_ = true;
    return success{};
  }

  capability_set& unix_sockets(nono::unix_sockets which) { return sockets_ = which, *this; }
  capability_set& best_effort(protection which) {
    return name(best_effort_, lifted_, which, check_best_effort(which));
  }
  capability_set& lift(protection which) { return name(lifted_, best_effort_, which, check_lift(which)); }
  capability_set& strict(bool on = true) { return strict_ = on, *this; }
  /// As of caps(); what a portable policy cannot name is an error of apply().
  capability_set& target(target_systems systems) { return target_ = systems, *this; }

  /// Leaves out every rule for which `unwanted(rule)` is true.
  template <class F>
  void remove_if(F&& unwanted) {
    std::erase_if(rules_, unwanted);
  }

  /// As the functions of algebra.hpp, which say what is promised.
  [[nodiscard]] bool permits(std::string_view path, right rights) const {
    return nono::permits(ref(), path, rights);
  }
  template <right Rights>
  [[nodiscard]] bool permits(std::string_view path) const {
    return permits(path, Rights);
  }
  [[nodiscard]] bool denies(std::string_view path, right rights) const {
    return nono::denies(ref(), path, rights);
  }
  template <right Rights>
  [[nodiscard]] bool denies(std::string_view path) const {
    return denies(path, Rights);
  }
  [[nodiscard]] bool within(const policy_ref& wider) const { return is_within(ref(), wider); }
  [[nodiscard]] int minimum_landlock_abi() const noexcept { return nono::minimum_landlock_abi(ref()); }

  [[nodiscard]] policy_ref ref() const noexcept {
    const auto [violation, violating] = first_violation();
    return {.rules = rules_,
            .groups = groups_,
            .variables = variables_,
            .network = network_,
            .hosts = hosts_,
            .sockets = sockets_,
            .best_effort = best_effort_,
            .lifted = lifted_,
            .strict = strict_,
            .target = target_,
            .violation = violation,
            .violating = violating};
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
  /// Resolves for many children; see nono::prepare in prepare.hpp.
  template <class... Args>
  auto prepare(Args&&... args) const {
    return prepare_policy(ref(), static_cast<Args&&>(args)...);
  }
  /// Starts a confined child beside a supervisor; see nono::spawn_supervised in supervisor.hpp.
  template <class Argv = std::initializer_list<std::string_view>, class... Args>
  auto spawn_supervised(const Argv& argv, Args&&... args) const {
    return spawn_supervised_child(ref(), argv, static_cast<Args&&>(args)...);
  }
  static constexpr bool needs_child() noexcept { return false; }   // checked when it is applied
  static constexpr bool needs_runner() noexcept { return false; }  // this as well

 private:
  [[nodiscard]] errc check(const rule& r) const {
    if (const errc why = check_path(r.path); why != errc::none) return why;
    if (!r.is_deny() && r.rights == no_rights) return errc::empty_access;
    if (r.kind == path_kind::file && needs_directory(r.rights)) return errc::directory_right_on_file;
    if (r.kind == path_kind::file && r.path.ends_with('/')) return errc::file_path_ends_with_slash;
    if (sockets_ == nono::unix_sockets::none && contains(r.rights, right::connect_unix))
      return errc::connect_unix_without_sockets;
    const std::string_view v = leading_variable(r.path);
    return v.empty() || is_known_variable(v) || detail::declares(ref(), v) ? errc::none
                                                                           : errc::variable_unknown;
  }
  /// What was misnamed first; else what the last settings leave without a meaning.
  [[nodiscard]] std::pair<errc, std::string_view> first_violation() const noexcept {
    if (violation_ != errc::none) return {violation_, violating_};
    if (sockets_ == nono::unix_sockets::none)
      for (const rule& r : rules_)
        if (contains(r.rights, right::connect_unix)) return {errc::connect_unix_without_sockets, r.path};
    if (target_ == target_systems::portable) {
      if (const std::string_view what = not_portable(network_); !what.empty())
        return {errc::not_portable, what};
      for (const rule& r : rules_)
        if (const std::string_view what = not_portable(r.rights); !what.empty())
          return {errc::not_portable, what};
      for (const protection_row& row : protections)
        if (row.linux_only && (lifted_.has(row.id) || best_effort_.has(row.id)))
          return {errc::not_portable, row.name};
    }
    return {errc::none, {}};
  }
  /// Without empty and "." parts.
  static std::string plain(std::string_view path) {
    std::size_t at = path.find('/');
    std::string out(path.substr(0, at));
    while (at < path.size()) {
      const std::size_t end = std::min(path.find('/', at + 1), path.size());
      const std::string_view part = path.substr(at + 1, end - at - 1);
      if (!part.empty() && part != ".") {
        out += '/';
        out += part;
      }
      at = end;
    }
    return out.empty() ? "/" : out;
  }
  capability_set& set(const network_rule& n) {
    network_ = n;
    hosts_.clear();
    network_given_ = true;
    return *this;
  }
  capability_set& name(protection_set& named, protection_set other, protection which, errc why) {
    if (why == errc::none && other.has(which)) why = errc::lifted_and_best_effort;
    if (why == errc::none) {
      named |= which;
    } else if (violation_ == errc::none) {
      violation_ = why;
      violating_ = row_of(which).name;
    }
    return *this;
  }

  detail::arena text_;
  std::vector<rule> rules_;  // sorted by path
  std::vector<const nono::group*> groups_;
  std::vector<std::string_view> variables_;
  network_rule network_;
  std::vector<std::string_view> hosts_;  // sorted
  bool network_given_ = false;
  nono::unix_sockets sockets_ = nono::unix_sockets::by_default;
  protection_set best_effort_;
  protection_set lifted_;
  bool strict_ = false;
  target_systems target_ = target_systems::unspecified;
  errc violation_ = errc::none;  // the first protection that was misnamed
  std::string_view violating_;
};

}  // namespace nono
