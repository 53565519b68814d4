// SPDX-License-Identifier: Apache-2.0
// The part of a Seatbelt profile that speaks of sockets: unix sockets by path, the network by port.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nono/macos/rules.hpp>
#include <nono/macos/settings.hpp>
#include <nono/network.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

namespace nono::seatbelt {

/// Unix sockets. Connecting wants a grant of connect_unix; who may create names may serve there.
/// Source: profiles that Apple ships allow network-outbound by literal path. That the same filter holds for network-bind
///         and network-inbound, and (local unix-socket) alone for every such socket, is inferred.
template <class Sink>
constexpr void allow_unix_sockets(const policy_ref& policy, rules<Sink>& r) {
  const unix_sockets sockets = nono::detail::sockets_of(policy);
  if (sockets == unix_sockets::none) return;
  if (sockets == unix_sockets::any || policy.lifted.has(protection::filesystem))
    r.whole("(allow network-bind network-inbound (local unix-socket))");
  else
    r.allow(serving);
  if (sockets == unix_sockets::any)
    r.whole("(allow network-outbound (remote unix-socket))");
  else
    r.allow(connecting);
}

namespace detail {

/// The ports of one use, in order of their numbers.
template <class Sink>
constexpr void allow_ports(const network_rule& network, port_use use, rules<Sink>& r) {
  for (std::uint32_t from = 0;;) {
    const port_rule* next = nullptr;
    for (std::size_t i = 0; i < network.port_count; ++i) {
      const port_rule& p = network.ports[i];
      if (p.use == use && p.port >= from && (next == nullptr || p.port < next->port)) next = &p;
    }
    if (next == nullptr) return;
    from = next->port + 1U;
    const decimal number(next->port);
    if (use == port_use::connect_tcp) {
      r.whole("(allow network-outbound (remote tcp \"*:", number.text(), "\"))");
    } else if (next->port != 0) {
      r.whole("(allow network-bind network-inbound (local tcp \"*:", number.text(), "\"))");
    } else {  // what is bound to 0 has another number when it is listened on: inferred
      r.whole("(allow network-bind (local tcp \"*:0\"))");
      r.whole("(allow network-inbound (local tcp \"*:*\"))");
    }
  }
}

}  // namespace detail

/// The network. An address is "*" or "localhost", a port its number or "*".
/// Source: "Apple's Sandbox Guide" v1.0, network filters; Apple's shipped profiles
template <class Sink>
constexpr void allow_network(const policy_ref& policy, rules<Sink>& r) {
  switch (nono::detail::network_of(policy)) {
    case network_mode::unrestricted:
      r.whole("(allow network-bind network-inbound (local ip \"*:*\"))");
      r.whole("(allow network-outbound (remote ip \"*:*\"))");
      r.whole("(allow system-socket)");
      if (nono::detail::sockets_of(policy) != unix_sockets::none)
        r.whole("(allow network-outbound (literal \"", name_daemon, "\"))");
      break;
    case network_mode::ports:
      detail::allow_ports(policy.network, port_use::bind_tcp, r);
      detail::allow_ports(policy.network, port_use::connect_tcp, r);
      break;
    case network_mode::hosts: {  // the proxy resolves names: the name daemon would be a way round it
      const decimal number(r.with().proxy_port);
      r.whole("(allow network-outbound (remote tcp \"localhost:", number.text(), "\"))");
      break;
    }
    default:
      break;
  }
}

}  // namespace nono::seatbelt
