// SPDX-License-Identifier: Apache-2.0
// The door for many children: prepare(policy) resolves once, and each spawn() from it costs a look at every path
// instead of a policy.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/arena.hpp>
#include <nono/attenuation.hpp>
#include <nono/bind.hpp>
#include <nono/child.hpp>
#include <nono/error.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/plan.hpp>
#include <nono/policy.hpp>
#include <nono/report.hpp>
#include <nono/spawn.hpp>

namespace nono {

#if defined(__linux__)

namespace detail {

/// A policy with its bindings, whose text is its own.
class owned_policy {
 public:
  explicit owned_policy(const policy_ref& from) : ref_(from) {
    for (rule r : from.rules) {
      r.path = text_.copy(r.path);
      r.source = text_.copy(r.source);
      rules_.push_back(r);
    }
    groups_.assign(from.groups.begin(), from.groups.end());
    for (const std::string_view name : from.variables) variables_.push_back(text_.copy(name));
    for (const std::string_view name : from.hosts) hosts_.push_back(text_.copy(name));
    ref_.rules = rules_;
    ref_.groups = groups_;
    ref_.variables = variables_;
    ref_.hosts = hosts_;
    ref_.violating = text_.copy(from.violating);
  }
  [[nodiscard]] const policy_ref& ref() const noexcept { return ref_; }

 private:
  arena text_;
  std::vector<rule> rules_;
  std::vector<const group*> groups_;
  std::vector<std::string_view> variables_;
  std::vector<std::string_view> hosts_;
  policy_ref ref_;
};

/// A policy that is resolved and planned, with the ruleset that the kernel has taken.
struct ready_policy {
  explicit ready_policy(bound_policy&& b) : bound(std::move(b)) {}
  bound_policy bound;
  prepared_sandbox sandbox;  ///< refers to `bound`
};

}  // namespace detail

/// A policy for many children. It owns what it was given, and holds every path by descriptor as bind() does. Children
/// may be started by several threads at once, but not while one refreshes.
class prepared {
 public:
  /// Starts `argv` as nono::spawn() does. Each path of the policy must still lead to the file that was resolved.
  /// Errors: path_changed, which names the rule (refresh() takes what is there now); those of nono::spawn();
  ///         bad_argument for an observed child, which its plan would have to know.
  result<child> spawn(std::span<const std::string_view> argv, const spawn_options& options = {}) const {
    if (options.observed)
      return error{
          errc::bad_argument, 0, {}, {}, "a prepared policy starts no observed children; use spawn()"};
    if (error why = check_unchanged(ready_->bound); why.code != errc::none) return why;
    return detail::spawner(options).run(ready_->sandbox, argv);
  }
  result<child> spawn(std::initializer_list<std::string_view> argv, const spawn_options& options = {}) const {
    return spawn(std::span<const std::string_view>(argv.begin(), argv.size()), options);
  }

  /// Resolves every path anew, and asks the kernel anew. After an error everything is as before.
  /// Errors: those of prepare().
  result<success> refresh() {
    auto fresh = make_ready();
    if (!fresh) return std::move(fresh).error();
    ready_ = *std::move(fresh);
    return success{};
  }

  /// What will be in force in each child.
  [[nodiscard]] const enforcement& report() const noexcept { return ready_->sandbox.planned.report; }

 private:
  template <class... Extras>
  friend result<prepared> prepare_policy(const policy_ref& policy, const Extras&... extras);

  explicit prepared(const policy_ref& policy) : policy_(std::make_unique<detail::owned_policy>(policy)) {}

  [[nodiscard]] result<std::unique_ptr<detail::ready_policy>> make_ready() const {
    result<bound_policy> bound = detail::bind_within(policy_->ref(), bindings_, parents_);
    if (!bound) return std::move(bound).error();
    auto out = std::make_unique<detail::ready_policy>(*std::move(bound));
    auto sandbox = detail::prepare_sandbox(out->bound, detail::probe_kernel(), sandbox_target::child);
    if (!sandbox) return std::move(sandbox).error();
    out->sandbox = *std::move(sandbox);
    return out;
  }

  std::unique_ptr<detail::owned_policy> policy_;
  std::vector<std::unique_ptr<detail::owned_policy>> wider_;
  detail::arena text_;
  std::vector<binding> bindings_;
  std::vector<policy_ref> parents_;
  std::unique_ptr<detail::ready_policy> ready_;
};

/// Resolves a policy for many children.
/// extras: any number of bind("$NAME", value) and of within(parent).
/// Errors: those of bind() and make_plan(); not_within, ruleset_failed.
/// Since:  Landlock ABI 1 (Linux 5.13).
template <class... Extras>
result<prepared> prepare_policy(const policy_ref& policy, const Extras&... extras) {
  const detail::call_extras<detail::no_options, Extras...> sorted(extras...);
  prepared out(policy);
  for (const binding& b : sorted.bindings)
    out.bindings_.push_back({out.text_.copy(b.name), out.text_.copy(b.value)});
  for (const policy_ref& parent : sorted.within) {
    out.wider_.push_back(std::make_unique<detail::owned_policy>(parent));
    out.parents_.push_back(out.wider_.back()->ref());
  }
  if (result<success> ready = out.refresh(); !ready) return std::move(ready).error();
  return out;
}

#else

class prepared {
 public:
  result<child> spawn(std::span<const std::string_view>, const spawn_options& = {}) const {
    return nothing();
  }
  result<child> spawn(std::initializer_list<std::string_view>, const spawn_options& = {}) const {
    return nothing();
  }
  result<success> refresh() { return nothing(); }
  [[nodiscard]] const enforcement& report() const noexcept { return report_; }

 private:
  static error nothing() { return {errc::unsupported_platform, 0, {}, {}, {}}; }
  enforcement report_;
};

template <class... Extras>
result<prepared> prepare_policy(const policy_ref&, const Extras&...) {
  return error{errc::unsupported_platform, 0, {}, {}, {}};
}

#endif

/// A policy whose type says that it names hosts.
template <class Policy, class... Extras>
  requires(Policy::needs_runner())
result<prepared> prepare_policy(const Policy&, const Extras&...) {
  detail::refuse_hosts<Policy>();
  return error{errc::hosts_need_the_runner, 0, {}, {}, {}};
}

/// As the member: `nono::prepare(policy)`.
template <class... Extras>
result<prepared> prepare(const policy_ref& policy, const Extras&... extras) {
  return prepare_policy(policy, extras...);
}
template <class Policy, class... Extras>
  requires(Policy::needs_runner())
result<prepared> prepare(const Policy& policy, const Extras&... extras) {
  return prepare_policy(policy, extras...);
}

}  // namespace nono
