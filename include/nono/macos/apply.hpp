// SPDX-License-Identifier: Apache-2.0
// Seatbelt for a bound policy: its profile, its report, and on a Mac the call that confines this process for good.
// Consistent with Apple's and Chromium's published descriptions; not yet seen on a Mac.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/error.hpp>
#include <nono/macos/sbpl.hpp>
#include <nono/macos/settings.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/report.hpp>

#if defined(__APPLE__)
#include <dlfcn.h>
#include <unistd.h>
#endif

namespace nono::seatbelt {

/// Where the volume of the user's files is mounted. What lies there has a second name, without this: /Users, say. That
/// Seatbelt compares the short one is inferred, so where a grant opens the long one, denies are written by both.
/// Source: apfs firmlinks, /usr/share/firmlinks
inline constexpr std::string_view data_volume = "/System/Volumes/Data";

/// The profile of a bound policy: each path without links, which Seatbelt compares, and as it was written as well.
/// Errors: those of to_sbpl().
inline result<sbpl_profile> profile_of(const bound_policy& bound, const settings& with = {}) {
  std::vector<rule> rules;
  std::vector<std::string> long_names;
  const auto add = [&](rule r, std::string_view written, std::string_view canonical) {
    r.path = canonical;
    rules.push_back(r);
    if (written == canonical) return;
    r.path = written;
    rules.push_back(r);
  };
  for (const bound_rule& r : bound.rules) {
    rule one = rule_of(r);
    one.kind = r.type == file_type::directory ? path_kind::directory : path_kind::file;
    add(one, r.path, r.canonical);
  }
  bool by_long_names = bound.lifted.has(protection::filesystem);
  for (const bound_rule& r : bound.rules)
    by_long_names =
        by_long_names || is_within(data_volume, r.canonical) || is_within(r.canonical, data_volume);
  long_names.reserve(bound.denies.size());
  for (const bound_deny& d : bound.denies) {
    add(rule_of(d), d.path, d.canonical);
    if (!by_long_names || d.canonical == "/") continue;
    const std::string& name = long_names.emplace_back(std::string(data_volume).append(d.canonical));
    add(rule_of(d), name, name);
  }
  policy_ref policy;
  policy.rules = rules;
  policy.network = bound.network;
  policy.hosts = bound.hosts;
  policy.sockets = bound.sockets;
  policy.lifted = bound.lifted;
  return to_sbpl(policy, with);
}

/// What a profile of the policy enforces. What only Linux has is not asked for.
inline enforcement report_of(const bound_policy& bound) {
  enforcement out;
  const network_mode network = nono::detail::network_of(bound);
  const unix_sockets sockets = nono::detail::sockets_of(bound);
  for (const protection_row& row : protections) {
    const auto i = static_cast<std::size_t>(row.id);
    const bool open = (row.id == protection::network && network == network_mode::unrestricted) ||
                      (row.id == protection::pathname_unix && sockets == unix_sockets::any);
    const bool lifted = bound.lifted.has(row.id);
    out.protections[i] = row.linux_only || open || lifted ? standing::not_asked : standing::by_seatbelt;
    out.demands[i] = lifted                                               ? demand::lifted
                     : row.linux_only || open                             ? demand::none
                     : bound.strict || is_named(row.id, network, sockets) ? demand::required
                                                                          : demand::preferred;
  }
  out.rules = static_cast<std::uint32_t>(bound.rules.size() + bound.denies.size());
  out.skipped = static_cast<std::uint32_t>(bound.skipped.size());
  return out;
}

#if defined(__APPLE__)

/// The calls of libsandbox, looked up when they are needed: which of them there are depends on the system.
/// Source: sandbox_init(3), sandbox_free_error(3); Chromium's sandbox/mac declares the others.
struct library {
  using init_with_parameters = int (*)(const char*, std::uint64_t, const char* const*, char**);
  using init = int (*)(const char*, std::uint64_t, char**);
  using check = int (*)(pid_t, const char*, int, ...);

  init_with_parameters with_parameters =
      reinterpret_cast<init_with_parameters>(::dlsym(RTLD_DEFAULT, "sandbox_init_with_parameters"));
  init plain = reinterpret_cast<init>(::dlsym(RTLD_DEFAULT, "sandbox_init"));
  check asks = reinterpret_cast<check>(::dlsym(RTLD_DEFAULT, "sandbox_check"));

  /// Of this process. False where nobody can be asked.
  [[nodiscard]] bool sandboxed() const { return asks != nullptr && asks(::getpid(), nullptr, 0) != 0; }
};

/// A profile with everything that entering it needs, so that a child has nothing to do but to call.
class entrance {
 public:
  /// Errors: unsupported_platform: there is no libsandbox; those of profile_of(); sandbox_refused: only text can be given
  ///         here, and a path has bytes of which it is not certain how they are read there.
  static result<entrance> of(const bound_policy& bound, settings with = {}) {
    entrance out;
    if (out.calls_.with_parameters == nullptr) {
      if (out.calls_.plain == nullptr) return error{errc::unsupported_platform, 0, {}, {}, {}};
      with.paths = path_text::quoted;
      for (const bound_rule& r : bound.rules)
        if (!is_quotable(r.path) || !is_quotable(r.canonical)) return unquotable(r.path);
      for (const bound_deny& d : bound.denies)
        if (!is_quotable(d.path) || !is_quotable(d.canonical)) return unquotable(d.path);
    }
    auto made = profile_of(bound, with);
    if (!made) return std::move(made).error();
    out.profile_ = *std::move(made);
    for (const auto& [name, value] : out.profile_.parameters) {
      out.pointers_.push_back(name.c_str());
      out.pointers_.push_back(value.c_str());
    }
    out.pointers_.push_back(nullptr);
    return out;
  }
  entrance(entrance&&) = default;  // pointers lead to the elements of a vector, which stay where they are
  entrance(const entrance&) = delete;
  entrance& operator=(entrance&&) = delete;
  entrance& operator=(const entrance&) = delete;
  ~entrance() = default;

  [[nodiscard]] bool sandboxed() const { return calls_.sandboxed(); }
  /// Confines this process, all its threads (inferred). 0, or what Seatbelt returned; why: its words, which are not freed.
  int enter(char*& why) const {
    return calls_.with_parameters != nullptr
               ? calls_.with_parameters(profile_.text.c_str(), 0, pointers_.data(), &why)
               : calls_.plain(profile_.text.c_str(), 0, &why);
  }

 private:
  entrance() = default;
  static error unquotable(std::string_view path) {
    return {errc::sandbox_refused,
            0,
            {},
            {},
            "the path " + nono::detail::quoted(path) + " cannot be written in it"};
  }
  library calls_;
  sbpl_profile profile_;
  std::vector<const char*> pointers_;
};

/// Confines this process. Errors: already_sandboxed, sandbox_refused, those of entrance::of().
inline result<enforcement> confine(const bound_policy& bound, const settings& with = {}) {
  const auto way = entrance::of(bound, with);
  if (!way) return way.error();
  if (way->sandboxed()) return error{errc::already_sandboxed, 0, {}, {}, {}};
  char* why = nullptr;
  if (way->enter(why) != 0)
    return error{
        errc::sandbox_refused, 0, {}, {}, why != nullptr ? nono::detail::quoted(why) : "it gave no reason"};
  return report_of(bound);
}

#endif

}  // namespace nono::seatbelt
