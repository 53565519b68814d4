// SPDX-License-Identifier: Apache-2.0
// What a Seatbelt profile needs to know beside the policy: how paths travel, which Mach services and how much IPC.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nono::seatbelt {

/// How paths come into the profile.
enum class path_text : std::uint8_t {
  parameters,  ///< as parameters beside the text, which holds none: what apply() wants
  quoted,      ///< as strings inside the text, which a person can read and `sandbox-exec -p` takes
};

/// Which processes may be signalled, or asked about.
enum class reach : std::uint8_t { itself, same_sandbox, all };

/// How much of the IPC that has names but no files is open.
enum class ipc_reach : std::uint8_t {
  none,
  shared_memory,  ///< POSIX shared memory
  full,           ///< and semaphores, POSIX and System V
};

/// Mach services that nearly every program asks for: user and group names, notifications, logs.
/// Source: inferred from published profiles (Chromium's common.sb names the same kinds); not yet seen on a Mac.
inline constexpr std::string_view basic_services[] = {
    "com.apple.system.logger",
    "com.apple.system.notification_center",
    "com.apple.system.opendirectoryd.libinfo",
    "com.apple.system.opendirectoryd.membership",
};

/// And what TLS by the system's trust settings asks: whom to trust, what was revoked, how the network is set up.
/// No service of the key chain is among them.
inline constexpr std::string_view tls_system_trust[] = {
    "com.apple.SystemConfiguration.configd",
    "com.apple.ocspd",
    "com.apple.system.logger",
    "com.apple.system.notification_center",
    "com.apple.system.opendirectoryd.libinfo",
    "com.apple.system.opendirectoryd.membership",
    "com.apple.trustd",
    "com.apple.trustd.agent",
};

/// The services of the key chain: denied by name, after all that is allowed, unless settings::keychain opens them.
inline constexpr std::string_view keychain_services[] = {
    "com.apple.SecurityServer",     "com.apple.secd",      "com.apple.security.agent",
    "com.apple.security.keychaind", "com.apple.securityd", "com.apple.securityd.xpc",
};

constexpr bool is_keychain_service(std::string_view name) noexcept {
  for (const std::string_view known : keychain_services)
    if (known == name) return true;
  return false;
}

/// The answers of the daemon that resolves names; where the network is open it may be asked.
/// Source: inferred; Apple's system.sb is published with this socket in it.
inline constexpr std::string_view name_daemon = "/private/var/run/mDNSResponder";

/// What a profile is written with.
struct settings {
  path_text paths = path_text::parameters;
  reach signals = reach::same_sandbox;
  reach process_info = reach::itself;
  ipc_reach ipc = ipc_reach::shared_memory;
  /// Exact names; one of the key chain's counts only with `keychain`.
  std::span<const std::string_view> mach_services = basic_services;
  bool keychain = false;           ///< opens the services of the key chain
  bool unlink_protection = false;  ///< groups do not give the right to remove; the user's own grants do
  std::uint16_t proxy_port =
      0;  ///< of network(hosts): the one port of localhost that is open; 0: there is no proxy
  /// Rules of the user, each one S-expression: see check_platform_rule().
  std::span<const std::string_view> platform_rules{};
};

}  // namespace nono::seatbelt
