// SPDX-License-Identifier: Apache-2.0
// The lexical rule of hosts in policies, what a pattern stands for, and the literals through which the compiler checks
// them.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <nono/address.hpp>
#include <nono/error.hpp>
#include <nono/path.hpp>

namespace nono {

/// The longest host in bytes, a `*.` before it included, and the longest of its labels. Source: RFC 1035, 2.3.4.
inline constexpr std::size_t max_host = 253;
inline constexpr std::size_t max_host_label = 63;

/// How many hosts one caps() policy can name; capability_set has no limit.
inline constexpr std::size_t max_hosts = 64;

namespace detail {
/// True for a label that resolvers take for a part of an IPv4 address: `10`, `0x7f`. No top-level domain is one.
/// Source: url.spec.whatwg.org, "ends in a number".
constexpr bool is_number_label(std::string_view label) noexcept {
  const bool hex = label.starts_with("0x");
  for (const char c : label.substr(hex ? 2 : 0))
    if (!((c >= '0' && c <= '9') || (hex && c >= 'a' && c <= 'f'))) return false;
  return true;
}
}  // namespace detail

/// The lexical rule of every host in a policy: a DNS name in lower case, of labels of [a-z0-9-] that neither begin nor
/// end with '-', without a dot at its end; `*.` before one, which stands for every name below it; `*` alone, which stands for
/// every public host; or an IP address in its canonical form, which a proxy otherwise refuses where it is no public host's.
constexpr errc check_host(std::string_view text) noexcept {
  if (text.empty()) return errc::host_empty;
  std::size_t colons = 0;
  for (const char c : text) {
    if (c == '/' || c == '@' || c == '?' || c == '#') return errc::host_not_bare;
    colons += c == ':' ? 1 : 0;
  }
  if (parse_address(text)) return errc::none;
  if (colons > 1 || text.front() == '[') return errc::host_address_misspelt;
  if (colons == 1) return errc::host_has_port;
  if (text == "*") return errc::none;
  const bool below = text.starts_with("*.");
  const std::string_view name = text.substr(below ? 2 : 0);
  if (name.empty() || name.find('*') != std::string_view::npos) return errc::host_wildcard_misplaced;
  for (const char c : name)
    if (c >= 'A' && c <= 'Z') return errc::host_not_lower_case;
  if (text.size() > max_host) return errc::host_too_long;
  std::size_t label = 0;  // where the current label begins
  for (std::size_t i = 0; i <= name.size(); ++i) {
    const char c = i < name.size() ? name[i] : '.';
    if (c != '.') {
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return errc::host_malformed;
      continue;
    }
    if (i == label || name[label] == '-' || name[i - 1] == '-') return errc::host_malformed;
    if (i - label > max_host_label) return errc::host_too_long;
    label = i + 1;
  }
  return detail::is_number_label(name.substr(name.rfind('.') + 1)) ? errc::host_address_misspelt : errc::none;
}

/// True when `pattern` stands for all that `host` stands for: `*.s` for `a.s`, `a.b.s`, `*.a.s` and `*.s`, not for `s`; `*`
/// for every name and pattern, and for the addresses of public hosts.
constexpr bool is_host_within(std::string_view host, std::string_view pattern) noexcept {
  if (pattern == "*") {
    const auto address = parse_address(host);
    return !address || kind_of(*address) == address_kind::public_host;
  }
  return pattern.starts_with("*.") ? host.ends_with(pattern.substr(1)) : host == pattern;
}
/// True for the names by which clouds serve a machine's credentials.
constexpr bool is_metadata_host(std::string_view host) noexcept {
  return host == "metadata.google.internal" || host == "metadata.azure.internal" || host == "metadata.goog";
}
/// True when one of `patterns` does; but a metadata service has to be named itself, and not by a wildcard.
template <class Patterns>
constexpr bool names_host(const Patterns& patterns, std::string_view host) noexcept {
  for (const std::string_view pattern : patterns)
    if (is_metadata_host(host) ? host == pattern : is_host_within(host, pattern)) return true;
  return false;
}

namespace detail {
// Never constexpr: their names are the compiler's message (see path.hpp).
inline void host_must_not_be_empty() {}
inline void host_must_stand_without_scheme_user_and_path() {}
inline void host_must_stand_without_port() {}
inline void ip_address_must_be_written_canonically() {}
inline void host_must_be_in_lower_case() {}
inline void host_must_not_exceed_253_bytes_nor_its_labels_63() {}
inline void host_must_be_labels_of_letters_digits_and_inner_hyphens() {}
inline void wildcard_must_be_the_first_label_before_a_name() {}
inline void host_must_be_given_once() {}

constexpr void refuse_host(errc why) {
  switch (why) {
    case errc::host_empty:
      host_must_not_be_empty();
      break;
    case errc::host_not_bare:
      host_must_stand_without_scheme_user_and_path();
      break;
    case errc::host_has_port:
      host_must_stand_without_port();
      break;
    case errc::host_address_misspelt:
      ip_address_must_be_written_canonically();
      break;
    case errc::host_not_lower_case:
      host_must_be_in_lower_case();
      break;
    case errc::host_too_long:
      host_must_not_exceed_253_bytes_nor_its_labels_63();
      break;
    case errc::host_wildcard_misplaced:
      wildcard_must_be_the_first_label_before_a_name();
      break;
    default:
      host_must_be_labels_of_letters_digits_and_inner_hyphens();
      break;
  }
}
}  // namespace detail

/// A host written in the source: checked by the compiler, stored by reference.
class host_literal {
 public:
  template <std::size_t N>
  consteval host_literal(const char (&text)[N])  // NOLINT(google-explicit-constructor): the point of it
      : text_(text, N - 1) {
    if (const errc why = check_host(text_); why != errc::none) detail::refuse_host(why);
  }
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

/// The hosts of a network, at most 64: `.network(hosts{"api.example.com", "*.example.org"})`.
class hosts {
 public:
  template <std::size_t... N>
  explicit consteval hosts(const char (&... names)[N]) {
    static_assert(sizeof...(N) > 0, "hosts{} names no host: say network(blocked)");
    static_assert(sizeof...(N) <= max_hosts, "hosts{...}: at most 64 hosts");
    if constexpr (sizeof...(N) <= max_hosts) (insert(host_literal(names)), ...);  // one error is enough
  }
  /// In byte order.
  [[nodiscard]] constexpr std::span<const std::string_view> names() const noexcept {
    return {names_.data(), count_};
  }

 private:
  constexpr void insert(host_literal host) {
    std::size_t at = count_++;
    for (; at > 0 && compare_text(names_[at - 1], host.text()) >= 0; --at) {
      if (names_[at - 1] == host.text()) detail::host_must_be_given_once();
      names_[at] = names_[at - 1];
    }
    names_[at] = host.text();
  }

  std::array<std::string_view, max_hosts> names_{};
  std::size_t count_ = 0;
};

}  // namespace nono
