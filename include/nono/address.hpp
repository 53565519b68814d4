// SPDX-License-Identifier: Apache-2.0
// IP addresses: the one spelling that a policy takes, and which of them belong to no public host.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nono {

/// An IP address in network byte order. Of IPv4 the first four bytes are used.
struct ip_address {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v6 = false;
  friend constexpr bool operator==(const ip_address&, const ip_address&) = default;
};

/// The text of an address, at most 39 bytes.
struct address_text {
  std::array<char, 40> data{};
  std::size_t size = 0;
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {data.data(), size}; }
};

namespace detail {

constexpr void put_number(address_text& out, unsigned value, unsigned base) noexcept {
  char digits[5]{};
  std::size_t n = 0;
  do digits[n++] = "0123456789abcdef"[value % base];
  while ((value /= base) != 0);
  while (n > 0) out.data[out.size++] = digits[--n];
}

/// Takes a number of at most `most` digits from the front; -1 if there is none.
constexpr int take_number(std::string_view& text, unsigned base, std::size_t most) noexcept {
  int value = 0;
  std::size_t n = 0;
  for (; n < text.size() && n < most; ++n) {
    const char c = text[n];
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (base == 16 && c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (base == 16 && c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) break;
    value = value * static_cast<int>(base) + digit;
  }
  text.remove_prefix(n);
  return n == 0 ? -1 : value;
}

}  // namespace detail

/// The canonical text: dotted quad, or lower case with the longest run of zeros shortened. Source: RFC 5952, 4.
constexpr address_text to_address_text(const ip_address& a) noexcept {
  address_text out;
  if (!a.is_v6) {
    for (std::size_t i = 0; i < 4; ++i) {
      if (i != 0) out.data[out.size++] = '.';
      detail::put_number(out, a.bytes[i], 10);
    }
    return out;
  }
  unsigned groups[8]{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = a.bytes[2 * i] * 256U + a.bytes[2 * i + 1];
  std::size_t run = 8;
  std::size_t length = 1;  // a single group of zeros is not shortened
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t n = 0;
    while (i + n < 8 && groups[i + n] == 0) ++n;
    if (n > length) {
      run = i;
      length = n;
    }
  }
  for (std::size_t i = 0; i < 8;) {
    if (i == run) {
      out.data[out.size++] = ':';
      if (i == 0) out.data[out.size++] = ':';
      i += length;
      continue;
    }
    detail::put_number(out, groups[i], 16);
    if (++i < 8) out.data[out.size++] = ':';
  }
  return out;
}

/// The address that a text spells in its canonical form; nothing for any other spelling (`127.1`, `0x7f000001`, `::0`) and
/// for IPv4 written as IPv6.
constexpr std::optional<ip_address> parse_address(std::string_view text) noexcept {
  ip_address out;
  std::string_view rest = text;
  if (text.find(':') == std::string_view::npos) {
    for (std::size_t i = 0; i < 4; ++i) {
      const int part = detail::take_number(rest, 10, 3);
      if (part < 0 || part > 255 || (i < 3) != rest.starts_with('.')) return std::nullopt;
      out.bytes[i] = static_cast<std::uint8_t>(part);
      rest.remove_prefix(i < 3 ? 1 : 0);
    }
    if (!rest.empty()) return std::nullopt;
  } else {
    out.is_v6 = true;
    unsigned groups[8]{};
    std::size_t n = 0;
    std::size_t run = 9;  // where "::" stands
    if (rest.starts_with("::")) {
      run = 0;
      rest.remove_prefix(2);
    }
    while (!rest.empty()) {
      const int group = detail::take_number(rest, 16, 4);
      if (group < 0 || n == 8) return std::nullopt;
      groups[n++] = static_cast<unsigned>(group);
      if (rest.empty()) break;
      if (!rest.starts_with(':')) return std::nullopt;
      rest.remove_prefix(1);
      if (rest.starts_with(':')) {
        if (run != 9) return std::nullopt;
        run = n;
        rest.remove_prefix(1);
      } else if (rest.empty()) {
        return std::nullopt;
      }
    }
    if (run == 9 ? n != 8 : n > 7) return std::nullopt;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t at = i < run ? i : 8 - n + i;
      out.bytes[2 * at] = static_cast<std::uint8_t>(groups[i] >> 8U);
      out.bytes[2 * at + 1] = static_cast<std::uint8_t>(groups[i] & 0xffU);
    }
  }
  if (to_address_text(out).view() != text) return std::nullopt;
  return out;
}

/// Whom an address belongs to.
enum class address_kind : std::uint8_t {
  public_host,
  this_machine,  ///< loopback
  private_net,   ///< 10/8, 172.16/12, 192.168/16, fc00::/7
  carrier,       ///< the carrier's side of a NAT, 100.64/10
  link_local,    ///< 169.254/16, fe80::/10: also where clouds serve a machine's credentials
  metadata,      ///< a cloud's metadata service outside of those
  reserved,      ///< no host: unspecified, multicast, broadcast, or an IPv4 address embedded in an IPv6 one
};

constexpr std::string_view name_of(address_kind kind) noexcept {
  constexpr std::string_view names[] = {"public",     "loopback", "private", "carrier-grade NAT",
                                        "link-local", "metadata", "reserved"};
  return names[static_cast<std::size_t>(kind)];
}

namespace detail {
struct address_range {
  ip_address first;
  unsigned bits = 0;
  address_kind kind{};
};
constexpr address_range v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, unsigned bits,
                           address_kind kind) noexcept {
  return {{{a, b, c, d}, false}, bits, kind};
}
constexpr address_range v6(std::string_view text, unsigned bits, address_kind kind) noexcept {
  return {*parse_address(text), bits, kind};
}
/// The first that holds an address says what it is. Source: the IANA registries of special-purpose addresses (RFC 6890), and
/// for metadata the documentation of AWS, Alibaba Cloud and Oracle Cloud.
inline constexpr address_range address_ranges[] = {
    v4(100, 100, 100, 200, 32, address_kind::metadata),
    v4(192, 0, 0, 192, 32, address_kind::metadata),
    v4(127, 0, 0, 0, 8, address_kind::this_machine),
    v4(10, 0, 0, 0, 8, address_kind::private_net),
    v4(172, 16, 0, 0, 12, address_kind::private_net),
    v4(192, 168, 0, 0, 16, address_kind::private_net),
    v4(100, 64, 0, 0, 10, address_kind::carrier),
    v4(169, 254, 0, 0, 16, address_kind::link_local),
    v4(0, 0, 0, 0, 8, address_kind::reserved),
    v4(192, 0, 0, 0, 24, address_kind::reserved),
    v4(192, 88, 99, 0, 24, address_kind::reserved),
    v4(198, 18, 0, 0, 15, address_kind::reserved),
    v4(224, 0, 0, 0, 3, address_kind::reserved),
    v6("fd00:ec2::254", 128, address_kind::metadata),
    v6("::1", 128, address_kind::this_machine),
    v6("fc00::", 7, address_kind::private_net),
    v6("fe80::", 10, address_kind::link_local),
    // Public IPv6 lies in 2000::/3; there, these carry an IPv4 address or none.
    v6("2001::", 32, address_kind::reserved),
    v6("2002::", 16, address_kind::reserved),
    v6("2000::", 3, address_kind::public_host),
    v6("::", 0, address_kind::reserved),
};
}  // namespace detail

/// Whom an address belongs to; IPv4 written as IPv6 (`::ffff:10.0.0.1`) is what it is as IPv4.
constexpr address_kind kind_of(ip_address a) noexcept {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  bool is_mapped = a.is_v6;
  for (std::size_t i = 0; i < mapped.size(); ++i) is_mapped = is_mapped && a.bytes[i] == mapped[i];
  if (is_mapped) a = {{a.bytes[12], a.bytes[13], a.bytes[14], a.bytes[15]}, false};
  for (const detail::address_range& range : detail::address_ranges) {
    if (range.first.is_v6 != a.is_v6) continue;
    bool inside = true;
    for (unsigned i = 0; inside && i < range.bits; ++i)
      inside = ((a.bytes[i / 8] ^ range.first.bytes[i / 8]) & (0x80U >> (i % 8))) == 0;
    if (inside) return range.kind;
  }
  return address_kind::public_host;
}

}  // namespace nono
