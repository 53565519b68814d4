// SPDX-License-Identifier: Apache-2.0
// Whom a request wants to reach, out of every spelling that clients use, in the one spelling that rules compare.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nono/address.hpp>
#include <nono/error.hpp>

namespace nono::proxy {

/// A host and a port. The host is a name as check_host() takes it, or the canonical text of `address`.
struct target {
  std::string host;
  std::optional<ip_address> address;
  std::uint16_t port = 0;

  /// `host:port`, IPv6 in brackets. left_out: the scheme's own port, which is not written; 0: every port is.
  [[nodiscard]] std::string authority(std::uint16_t left_out = 0) const;
};

/// Reads `host`, `host:port` or `[address]:port`. Upper case, one dot at the end, IPv4 in every spelling that resolvers take
/// (`127.1`, `0x7f000001`, `2130706433`) and IPv4 within IPv6 become the canonical one.
/// default_port: 0 where the port has to be there. Errors: bad_argument with a sentence.
result<target> parse_authority(std::string_view text, std::uint16_t default_port);

/// The address in the form that rules compare: IPv4 within IPv6 as IPv4.
ip_address unmapped(const ip_address& a);

/// The same for a text of any spelling; nothing if it is no address.
std::optional<ip_address> address_of(std::string_view text);

}  // namespace nono::proxy
