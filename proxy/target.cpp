// SPDX-License-Identifier: Apache-2.0
// Whom a request wants to reach.
#include "proxy/target.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

#include <fmt/format.h>
#include <nono/host.hpp>
#include <nono/network.hpp>

namespace nono::proxy {

namespace {

error sentence(std::string text) { return {errc::bad_argument, 0, {}, {}, std::move(text)}; }

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string target::authority(std::uint16_t left_out) const {
  std::string out = address && address->is_v6 ? fmt::format("[{}]", host) : host;
  if (port != left_out) out += fmt::format(":{}", port);
  return out;
}

ip_address unmapped(const ip_address& a) {
  constexpr std::uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!a.is_v6 || std::memcmp(a.bytes.data(), prefix, sizeof prefix) != 0) return a;
  ip_address out;
  std::copy_n(a.bytes.begin() + 12, 4, out.bytes.begin());
  return out;
}

std::optional<ip_address> address_of(std::string_view text) {
  const std::string name(text);
  if (name.size() != text.size() || name.find('\0') != std::string::npos) return std::nullopt;
  ip_address out;
  if (name.find(':') != std::string::npos) {
    out.is_v6 = true;
    if (::inet_pton(AF_INET6, name.c_str(), out.bytes.data()) != 1) return std::nullopt;
    return unmapped(out);
  }
  // inet_aton() knows all the spellings, and stops at white space.
  for (const char c : name)
    if (std::strchr("0123456789abcdefxABCDEFX.", c) == nullptr) return std::nullopt;
  in_addr v4{};
  if (name.empty() || ::inet_aton(name.c_str(), &v4) == 0) return std::nullopt;
  std::memcpy(out.bytes.data(), &v4, 4);
  return out;
}

result<target> parse_authority(std::string_view text, std::uint16_t default_port) {
  target out;
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return sentence("the bracket of the address is not closed");
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':')
      return sentence("something else than a port follows the address");
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (has_port || default_port == 0) {
    const auto number = parse_port(port);
    if (!number) return sentence("the port must be a number from 1 to 65535");
    out.port = *number;
  } else {
    out.port = default_port;
  }
  if (host.ends_with('.') && !bracketed) host.remove_suffix(1);
  for (const char c : host) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return sentence("the host is not ASCII: write its name as DNS has it, with xn--");
    out.host += small(c);
  }
  const bool six = out.host.find(':') != std::string::npos;
  if (bracketed != six) return sentence("the host is neither a name nor an address");
  if (auto address = address_of(out.host)) {
    out.address = *address;
    out.host = std::string(to_address_text(*address).view());
    return out;
  }
  // A wildcard is a rule's, not a host's.
  if (out.host.starts_with("*") || check_host(out.host) != errc::none)
    return sentence("the host is neither a name nor an address");
  return out;
}

}  // namespace nono::proxy
