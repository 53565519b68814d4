// SPDX-License-Identifier: Apache-2.0
// A policy as a Seatbelt profile: pure, the same bytes for the same policy, on any system and in constant expressions.
// Consistent with Apple's and Chromium's published descriptions; not yet seen on a Mac.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nono/error.hpp>
#include <nono/macos/files.hpp>
#include <nono/macos/places.hpp>
#include <nono/macos/platform_rule.hpp>
#include <nono/macos/quote.hpp>
#include <nono/macos/rules.hpp>
#include <nono/macos/settings.hpp>
#include <nono/macos/sockets.hpp>
#include <nono/network.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>

namespace nono::seatbelt {

/// The first thing in a policy that has no profile.
struct refusal {
  errc code = errc::none;
  std::string_view about;
};

constexpr refusal first_refusal(const policy_ref& policy, const settings& with) noexcept {
  if (policy.violation != errc::none) return {policy.violation, policy.violating};
  const network_mode network = nono::detail::network_of(policy);
  if (network == network_mode::loopback) return {errc::not_on_macos, "network(loopback)"};
  if (network == network_mode::hosts && with.proxy_port == 0) return {errc::hosts_need_the_runner, {}};
  for (const std::string_view rule : with.platform_rules)
    if (const errc why = check_platform_rule(rule); why != errc::none) return {why, rule};
  return {};
}

namespace detail {

template <class Sink>
constexpr void allow_reach(std::string_view operation, reach who, rules<Sink>& r) {
  r.whole("(allow ", operation,
          who == reach::all            ? ")"
          : who == reach::same_sandbox ? " (target same-sandbox))"
                                       : " (target self))");
}

/// In byte order, none twice; without sorting, so that constant policies need no room for it.
template <class Sink>
constexpr void allow_services(rules<Sink>& r) {
  typename rules<Sink>::open_rule rule{"allow", "mach-lookup"};
  for (std::string_view last;;) {
    std::string_view next;
    const auto offer = [&](std::string_view name) {
      if (name > last && (next.empty() || name < next)) next = name;
    };
    for (const std::string_view name : r.with().mach_services)
      if (!is_keychain_service(name)) offer(name);
    if (r.with().keychain)
      for (const std::string_view name : keychain_services) offer(name);
    if (next.empty()) break;
    r.service(rule, next);
    last = next;
  }
  r.close(rule);
}

/// What every program needs, and what it may do to others.
template <class Sink>
constexpr void allow_processes(const policy_ref& policy, rules<Sink>& r) {
  r.whole("(allow process-fork)");
  allow_reach("process-info*", r.with().process_info, r);
  allow_reach("signal", policy.lifted.has(protection::signals) ? reach::all : r.with().signals, r);
  r.whole("(allow sysctl-read)");
  const ipc_reach ipc = policy.lifted.has(protection::ipc) ? ipc_reach::full : r.with().ipc;
  if (ipc == ipc_reach::shared_memory) r.whole("(allow ipc-posix-shm*)");
  if (ipc == ipc_reach::full) r.whole("(allow ipc-posix* ipc-sysv*)");
  allow_services(r);
}

template <class Sink>
constexpr void write_profile(const policy_ref& policy, const settings& with, std::span<const place> places,
                             Sink& out) {
  rules<Sink> r(with, places, out);
  r.whole("(version 1)");
  r.whole("(deny default)");
  allow_processes(policy, r);
  allow_files(policy, r);
  allow_unix_sockets(policy, r);
  allow_network(policy, r);
  for (const std::string_view rule : with.platform_rules)
    if (allows(rule)) put_platform_rule(out, rule);
  deny_files(policy, r);
  if (!with.keychain) {
    typename rules<Sink>::open_rule rule{"deny", "mach-lookup"};
    for (const std::string_view name : keychain_services) r.service(rule, name);
    r.close(rule);
  }
  for (const std::string_view rule : with.platform_rules)
    if (!allows(rule)) put_platform_rule(out, rule);
}

}  // namespace detail

}  // namespace nono::seatbelt

namespace nono {

/// A Seatbelt profile, ready for sandbox_init_with_parameters().
struct sbpl_profile {
  std::string text;
  /// Name and value. A value begins with a variable where the policy's path does: it is replaced before it is applied.
  std::vector<std::pair<std::string, std::string>> parameters;
};

namespace seatbelt::detail {

/// Appends to a profile at run time.
struct profile_sink {
  sbpl_profile& to;
  void put(char c) { to.text += c; }
  void put(std::string_view s) { to.text += s; }
  void parameter(std::string_view name, const spelled& value) {
    for (const auto& known : to.parameters)
      if (known.first == name) return;
    std::string whole(value.head);
    whole += value.tail;
    to.parameters.emplace_back(name, std::move(whole));
  }
};

// Never constexpr: their names are the compiler's message (see path.hpp).
inline void policy_has_no_sbpl_profile() {}
inline void sbpl_profile_has_more_bytes_or_paths_than_room() {}

}  // namespace seatbelt::detail

/// The profile of a policy by name, groups for macOS included.
/// with:   what else it depends on; quoted paths give a text that stands alone but for its variables, which are
///         parameters: `sandbox-exec -D HOME=/Users/me -p TEXT`.
/// Errors: the policy's own violation; not_on_macos: network(loopback), which Seatbelt cannot give;
///         hosts_need_the_runner: network(hosts) without a proxy's port; platform_rule_malformed,
///         platform_rule_too_broad.
/// Since:  macOS 11, by the names of the operations it uses; not yet seen on a Mac.
/// Source: sandbox_init(3); "Apple's Sandbox Guide" v1.0 (2011), which lists operations and filters; Chromium's
///         "Mac Sandbox Design"
inline result<sbpl_profile> to_sbpl(const policy_ref& policy, const seatbelt::settings& with = {}) {
  if (const auto why = seatbelt::first_refusal(policy, with); why.code != errc::none)
    return error{why.code, 0,
                 why.code == policy.violation ? "the rule on " + detail::quoted(why.about) : std::string(),
                 std::string(why.about), "an earlier rule"};
  std::vector<seatbelt::place> room(seatbelt::place_table::needed(policy));
  seatbelt::place_table places(room);
  if (const errc why = places.fill(policy, with.unlink_protection); why != errc::none)
    return error{why, 0, {}, {}, {}};
  sbpl_profile out;
  seatbelt::detail::profile_sink sink{out};
  seatbelt::detail::write_profile(policy, with, places.all(), sink);
  return out;
}

/// The text of a constant policy's profile, in room of `Bytes`.
template <std::size_t Bytes>
class constant_sbpl {
 public:
  [[nodiscard]] constexpr std::string_view text() const noexcept { return {text_.data(), size_}; }
  [[nodiscard]] constexpr bool contains(std::string_view part) const noexcept {
    for (std::size_t i = 0; i + part.size() <= size_; ++i) {  // g++ 12 cannot find() in what has no name
      std::size_t n = 0;
      while (n < part.size() && text_[i + n] == part[n]) ++n;
      if (n == part.size()) return true;
    }
    return false;
  }

  constexpr void put(char c) noexcept {
    if (size_ < Bytes) text_[size_] = c;
    ++size_;
  }
  constexpr void put(std::string_view s) noexcept {
    for (const char c : s) put(c);
  }
  constexpr void parameter(std::string_view, const seatbelt::spelled&) noexcept {}
  [[nodiscard]] constexpr bool fits() const noexcept { return size_ <= Bytes; }

 private:
  std::array<char, Bytes> text_{};
  std::size_t size_ = 0;
};

/// The profile of a constant policy, for static_assert: `sbpl_text(policy).contains("(deny default)")`. What to_sbpl()
/// returns as an error does not compile. Paths are quoted, unless `with` says otherwise.
/// Bytes, Places: room for the text, and for paths with their ancestors in both spellings.
template <std::size_t Bytes = 8192, std::size_t Places = 128>
consteval constant_sbpl<Bytes> sbpl_text(const policy_ref& policy,
                                         const seatbelt::settings& with = {
                                             .paths = seatbelt::path_text::quoted}) {
  if (seatbelt::first_refusal(policy, with).code != errc::none)
    seatbelt::detail::policy_has_no_sbpl_profile();
  std::array<seatbelt::place, Places> room{};
  seatbelt::place_table places(room);
  constant_sbpl<Bytes> out;
  const bool room_does = places.fill(policy, with.unlink_protection) == errc::none;
  if (room_does) seatbelt::detail::write_profile(policy, with, places.all(), out);
  if (!room_does || !out.fits()) seatbelt::detail::sbpl_profile_has_more_bytes_or_paths_than_room();
  return out;
}

}  // namespace nono
