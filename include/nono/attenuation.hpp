// SPDX-License-Identifier: Apache-2.0
// One policy within another, on the files themselves: `policy.apply(nono::within(parent))` refuses unless all that it
// grants is granted by the parent, links resolved and variables bound. By name the compiler has said so already.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <nono/algebra.hpp>
#include <nono/bind.hpp>
#include <nono/bound_policy.hpp>
#include <nono/error.hpp>
#include <nono/place.hpp>
#include <nono/policy.hpp>
#include <nono/rule_index.hpp>

namespace nono {

/// A policy that another one must lie within, as an argument of apply() and spawn().
struct parent_policy {
  policy_ref policy;
};

/// `policy.apply(nono::within(parent))`: errc::not_within where the policy would grant what `parent` does not.
/// The same bindings go to both; of the parent's those that it declares. The parent must outlive the call.
constexpr parent_policy within(const policy_ref& parent) noexcept { return {parent}; }

/// Nothing, or the first thing that `inner` allows and `outer` does not. Both are bound: what counts are the files that
/// their paths led to. A file that has further names is the same file under each.
/// Errors: not_within, path_changed.
inline error check_within(const bound_policy& inner, const bound_policy& outer) {
  if (!settings_within(inner, outer))
    return {errc::not_within,
            0,
            to_text(inner.network, inner.hosts),
            {},
            "the parent's network, unix sockets or protections"};
  if (outer.lifted.has(protection::filesystem)) return {};
  const detail::rule_index index(outer.rules);
  for (const bound_rule& r : inner.rules) {
    if (r.subsumed) continue;
    const auto about = [&](errc code, std::string other) {
      return error{code, 0, to_text(rule_of(r)), std::string(r.path), std::move(other)};
    };
    // The root is no link, and asked about without following it is only the directory around itself.
    const place p = look(r.canonical, {.follow = r.canonical == "/"});
    if (!p.exists || p.file.id != r.id) return about(errc::path_changed, {});
    right missing = r.rights & ~index.find(r.id).rights;
    for (const inode_id& above : p.above) missing &= ~index.find(above).rights;
    if (missing == no_rights) continue;
    std::string words;
    append_rights(words, missing);
    return about(errc::not_within, "the parent's grants, which lack " + words + " there");
  }
  return {};
}

namespace detail {

/// Binds a policy, and holds it against each parent. A parent gets the bindings that it declares.
inline result<bound_policy> bind_within(const policy_ref& policy, std::span<const binding> bindings,
                                        std::span<const policy_ref> parents, std::span<std::byte> room = {}) {
  result<bound_policy> bound = nono::bind(policy, bindings, room);
  if (!bound) return bound;
  for (const policy_ref& parent : parents) {
    const std::span<binding> known = bound->memory.array<binding>(bindings.size());
    std::size_t count = 0;
    for (const binding& b : bindings)
      if (declares(parent, b.name) || is_known_variable(b.name)) known[count++] = b;
    const result<bound_policy> outer = nono::bind(parent, known.first(count));
    if (!outer) return outer.error();
    if (error why = check_within(*bound, *outer); why.code != errc::none) return why;
  }
  return bound;
}

struct no_options {};

/// What apply() and spawn() take besides the policy, sorted out: bindings, parents, and one of Options.
template <class Options, class... Extras>
struct call_extras {
  static constexpr std::size_t values = (std::size_t{0} + ... + (std::is_same_v<Extras, binding> ? 1 : 0));
  static constexpr std::size_t parents =
      (std::size_t{0} + ... + (std::is_same_v<Extras, parent_policy> ? 1 : 0));

  static_assert(sizeof...(Extras) - values - parents <= 1, "at most one set of options");

  explicit call_extras(const Extras&... extras) { (take(extras), ...); }

  std::array<binding, values> bindings{};
  std::array<policy_ref, parents> within{};
  Options options{};

  /// Binds the policy, and holds it against each parent. Where nothing could be enforced that is said at once, before
  /// any path is looked at.
  [[nodiscard]] result<bound_policy> bind(const policy_ref& policy, std::span<std::byte> room) const {
#if !defined(__linux__) && !defined(__APPLE__)
    return error{errc::unsupported_platform, 0, {}, {}, {}};
#endif
    return bind_within(policy, bindings, within, room);
  }

 private:
  void take(const binding& b) { bindings[next_value_++] = b; }
  void take(const parent_policy& p) { within[next_parent_++] = p.policy; }
  void take(const Options& o) { options = o; }
  std::size_t next_value_ = 0;
  std::size_t next_parent_ = 0;
};

}  // namespace detail

}  // namespace nono
