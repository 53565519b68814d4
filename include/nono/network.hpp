// SPDX-License-Identifier: Apache-2.0
// What the network of a sandbox can be: open, closed, loopback of its own, single TCP ports, or hosts by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nono/error.hpp>

namespace nono {

enum class network_mode : std::uint8_t {
  unrestricted,  ///< no restriction: what a policy has that names no network
  blocked,   ///< no socket but unix ones: TCP, UDP, raw, ICMP, MPTCP, vsock, packet and netlink are refused
  loopback,  ///< a network namespace of its own, with lo up and nothing else; needs a child
  ports,     ///< single TCP ports, to any address: Landlock cannot name hosts (ABI 4)
  hosts,     ///< only these hosts, through a proxy that the command's runner starts; needs the runner
};

enum class port_use : std::uint8_t { connect_tcp, bind_tcp };

/// One TCP port that a policy opens.
struct port_rule {
  port_use use{};
  std::uint16_t port{};
  friend constexpr bool operator==(const port_rule&, const port_rule&) = default;
};

constexpr std::string_view name_of(port_use use) noexcept {
  return use == port_use::connect_tcp ? "connect_tcp" : "bind_tcp";
}

/// As it is written: `connect_tcp(443)`.
inline std::string to_text(const port_rule& r) {
  return std::string(name_of(r.use)) + '(' + std::to_string(r.port) + ')';
}

/// The rule of port numbers: 1 to 65535, and 0 ("any free port") to bind only.
constexpr errc check_port(long long number, port_use use) noexcept {
  const long long lowest = use == port_use::bind_tcp ? 0 : 1;
  return number >= lowest && number <= 65535 ? errc::none : errc::port_out_of_range;
}

/// A port to connect to, in digits alone, five at most; nothing for any other text.
constexpr std::optional<std::uint16_t> parse_port(std::string_view digits) noexcept {
  long long number = 0;
  if (digits.size() > 5) return std::nullopt;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  if (check_port(number, port_use::connect_tcp) != errc::none) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

namespace detail {
// Never constexpr: their names are the compiler's message (see path.hpp).
inline void port_must_be_1_to_65535() {}
inline void port_to_bind_must_be_0_to_65535() {}
inline void port_0_cannot_be_connected_to() {}
}  // namespace detail

/// Opens outbound TCP to one port of any address. `number`: 1 to 65535. Since: Landlock ABI 4 (Linux 6.7).
consteval port_rule connect_tcp(long long number) {
  if (number == 0) detail::port_0_cannot_be_connected_to();
  if (check_port(number, port_use::connect_tcp) != errc::none) detail::port_must_be_1_to_65535();
  return {port_use::connect_tcp, static_cast<std::uint16_t>(number)};
}
/// Lets one TCP port be bound. `number`: 1 to 65535, or 0 for any free port. Since: Landlock ABI 4
/// (Linux 6.7).
consteval port_rule bind_tcp(long long number) {
  if (check_port(number, port_use::bind_tcp) != errc::none) detail::port_to_bind_must_be_0_to_65535();
  return {port_use::bind_tcp, static_cast<std::uint16_t>(number)};
}

/// How many ports one policy can open.
inline constexpr std::size_t max_ports = 32;

/// The network part of a policy.
struct network_rule {
  network_mode mode = network_mode::unrestricted;
  std::uint8_t port_count = 0;
  std::array<port_rule, max_ports> ports{};

  [[nodiscard]] constexpr bool opens(port_rule wanted) const noexcept {
    for (std::size_t i = 0; i < port_count; ++i)
      if (ports[i] == wanted) return true;
    return false;
  }
};

/// How a runner carries out network(hosts): a proxy of its own that listens at 127.0.0.1 lets the named hosts through.
struct host_gate {
  std::uint16_t port = 0;  ///< where the proxy listens; 0: there is no runner
  /// True: in a network namespace of the child's own, where the proxy's listener is all there is. False: in the network
  /// of the system, where the child may connect to `port` alone: of every host, unless a supervisor keeps it to loopback.
  bool own_network = false;
};

/// True when one port is given twice for the same use.
constexpr bool has_port_twice(const network_rule& rule) noexcept {
  for (std::size_t i = 0; i < rule.port_count; ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (rule.ports[i] == rule.ports[k]) return true;
  return false;
}

/// What of a network only Linux can give, in words; empty if every system can.
constexpr std::string_view not_portable(const network_rule& rule) noexcept {
  if (rule.mode == network_mode::loopback) return "network(loopback)";
  for (std::size_t i = 0; i < rule.port_count; ++i)
    if (rule.ports[i].use == port_use::connect_tcp) return "connect_tcp";
  return {};
}

// The words of `.network(...)`: types, so that what needs a child is known to the compiler.
struct unrestricted_network {};
struct blocked_network {};
struct loopback_network {};
struct only_ports {
  network_rule rule;
};

inline constexpr unrestricted_network unrestricted{};
inline constexpr blocked_network blocked{};
inline constexpr loopback_network loopback{};

/// Nothing but these ports: `.network(only(connect_tcp(443), bind_tcp(8080)))`.
template <class... Rules>
constexpr only_ports only(Rules... rules) {
  static_assert(sizeof...(Rules) > 0, "only() opens no port: say network(blocked)");
  static_assert(sizeof...(Rules) <= max_ports, "only(): at most 32 ports");
  if constexpr (sizeof...(Rules) <= max_ports)  // one error is enough
    return {{network_mode::ports, static_cast<std::uint8_t>(sizeof...(Rules)), {rules...}}};
}

/// Unix sockets of a policy.
enum class unix_sockets : std::uint8_t {
  by_default,  ///< as `granted` where the kernel can (ABI 9), reported where it cannot
  none,        ///< socketpair only; on every kernel (seccomp)
  granted,     ///< connecting only below paths with the right connect_unix; needs ABI 9
  any,         ///< every socket that file permissions allow: on most systems a way out of the sandbox
};

constexpr std::string_view name_of(unix_sockets s) noexcept {
  constexpr std::string_view names[] = {"by_default", "none", "granted", "any"};
  return names[static_cast<std::size_t>(s)];
}

}  // namespace nono
