// SPDX-License-Identifier: Apache-2.0
// A host's name in any language, by libidn2.
#include "cli/resolve/host_name.hpp"

#include <algorithm>

#include <nono/host.hpp>

#include "cli/resolve/program.hpp"
#include "cli/resolve/sentence.hpp"

#ifndef __APPLE__
#include <idn2.h>

#include <cstdint>
#include <memory>

#include <fmt/format.h>
#endif

namespace nono::cli {

bool is_international(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

#ifdef __APPLE__
result<std::string> to_dns_name(std::string_view name, std::string_view from) {
  if (!is_international(name)) return std::string(name);
  return sentence(error{check_host(name), 0, std::string(from), std::string(name), {}}.message());
}
#else
namespace {

/// What libidn2 says, in words that end a sentence.
std::string_view fault_of(int status) {
  switch (status) {
    case IDN2_ENCODING_ERROR:
    case IDN2_ICONV_FAIL:
      return "is not UTF-8; write it in UTF-8 or with xn--";
    case IDN2_TOO_BIG_DOMAIN:
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT:
      return "is longer than DNS can have it: with xn--, 63 bytes for a label and 253 for all";
    case IDN2_BIDI:
      return "mixes letters that run from right to left with others, which no label may";
    case IDN2_DISALLOWED:
    case IDN2_UNASSIGNED:
    case IDN2_LEADING_COMBINING:
    case IDN2_CONTEXTJ:
    case IDN2_CONTEXTJ_NO_RULE:
    case IDN2_CONTEXTO:
    case IDN2_CONTEXTO_NO_RULE:
    case IDN2_ALABEL_ROUNDTRIP_FAILED:  // what STD3 forbids
      return "has a character that names may not have; write letters, digits and inner hyphens";
    default:
      return "is no name that DNS can have";
  }
}

struct by_idn2 {
  void operator()(std::uint8_t* p) const { ::idn2_free(p); }
};

}  // namespace

result<std::string> to_dns_name(std::string_view name, std::string_view from) {
  if (!is_international(name)) return std::string(name);
  const auto wrong = [&](std::string_view fault) {
    return sentence(fmt::format("{}: the host {} {}", from, in_quotes(name), fault));
  };
  switch (const errc why = check_host(name)) {
    case errc::host_malformed:
    case errc::host_not_lower_case:
    case errc::host_too_long:
      break;  // said of bytes that it will not have
    default:
      return sentence(error{why, 0, std::string(from), std::string(name), {}}.message());
  }
  if (name.find('\0') != std::string_view::npos) return wrong(fault_of(IDN2_DISALLOWED));
  const bool below = name.starts_with("*.");
  const std::string text(name.substr(below ? 2 : 0));
  std::uint8_t* raw = nullptr;
  // IDN2_USE_STD3_ASCII_RULES would leave out what STD3 forbids (2.3.3: ü_x becomes üx). So check_host() sees it below.
  const int status = ::idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(text.c_str()), &raw,
                                      IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<std::uint8_t, by_idn2> mapped(raw);
  if (status != IDN2_OK) return wrong(fault_of(status));
  std::string out(reinterpret_cast<const char*>(mapped.get()));
  if (out.find_first_of("*_") != std::string::npos)
    return wrong(fault_of(IDN2_DISALLOWED));  // a wide * is no wildcard
  if (out.ends_with('.')) out.pop_back();
  if (below) out.insert(0, "*.");
  switch (check_host(out)) {
    case errc::none:
      if (!parse_address(out)) return out;
      [[fallthrough]];
    case errc::host_address_misspelt:
      return wrong("is an address; write it in digits of ASCII");
    case errc::host_too_long:
      return wrong(fault_of(IDN2_TOO_BIG_DOMAIN));
    default:
      return wrong(fault_of(IDN2_PUNYCODE_BAD_INPUT));
  }
}
#endif

}  // namespace nono::cli
