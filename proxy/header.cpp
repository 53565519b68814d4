// SPDX-License-Identifier: Apache-2.0
// The bytes of a request's header.
#include "proxy/header.hpp"

#include <string>

#include <boost/beast/core/detail/base64.hpp>

namespace nono::proxy {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

/// Source: RFC 9110, 5.6.2.
bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool same_secret(std::string_view a, std::string_view b) {
  unsigned differs = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const auto x = static_cast<unsigned char>(i < a.size() ? a[i] : 0);
    differs |= static_cast<unsigned>(x ^ static_cast<unsigned char>(b[i]));
  }
  return differs == 0 && !b.empty();
}

bool has_control_byte(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  return false;
}

bool is_field_name(std::string_view text) {
  for (const char c : text)
    if (!is_token_char(c)) return false;
  return !text.empty();
}

std::size_t end_of_header(std::string_view bytes, std::size_t looked_at) {
  const std::size_t at = bytes.find("\r\n\r\n", looked_at < 3 ? 0 : looked_at - 3);
  return at == std::string_view::npos ? 0 : at + 4;
}

bool has_bare_line_end(std::string_view bytes, std::size_t looked_at) {
  for (std::size_t at = looked_at; (at = bytes.find('\n', at)) != std::string_view::npos; ++at)
    if (at == 0 || bytes[at - 1] != '\r') return true;
  return false;
}

std::string_view fault_of_header(std::string_view block) {
  bool first = true;
  bool has_host = false;
  bool has_length = false;
  bool is_chunked = false;
  while (!block.empty()) {
    const std::size_t end = block.find("\r\n");
    if (end == std::string_view::npos) return "has a line that does not end with CRLF";
    const std::string_view line = block.substr(0, end);
    block.remove_prefix(end + 2);
    for (const char c : line) {
      if (c == '\r' || c == '\n') return "has a line end that is not CRLF";
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return "has a control byte";
    }
    if (line.empty()) return block.empty() ? (first ? "is empty" : "") : "has an empty line in the middle";
    if (first) {
      first = false;
      if (line.find('\t') != std::string_view::npos) return "has a tabulator in its first line";
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') return "has a folded line";
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return "has a line that is no field";
    const std::string_view name = line.substr(0, colon);
    if (!is_field_name(name)) return "has a field with a malformed name";
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same_name(name, "host")) {
      if (has_host) return "has more than one Host";
      has_host = true;
    } else if (same_name(name, "content-length")) {
      if (has_length) return "has more than one Content-Length";
      has_length = true;
      if (value.empty() || value.size() > 18) return "has a Content-Length that is no number";
      for (const char c : value)
        if (c < '0' || c > '9') return "has a Content-Length that is no number";
    } else if (same_name(name, "transfer-encoding")) {
      if (is_chunked || !same_name(value, "chunked")) return "has a Transfer-Encoding other than chunked";
      is_chunked = true;
    }
    if (has_length && is_chunked) return "has both Content-Length and Transfer-Encoding";
  }
  return "does not end with an empty line";
}

bool presents(std::string_view authorization, std::string_view token) {
  namespace base64 = boost::beast::detail::base64;
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view scheme = authorization.substr(0, space);
  const std::string_view value = trimmed(authorization.substr(space + 1));
  if (same_name(scheme, "bearer")) return same_secret(value, token);
  // Whole quartets, as the standard has it: the room below is that of whole ones.
  if (!same_name(scheme, "basic") || value.size() > 1024 || value.size() % 4 != 0) return false;
  std::string decoded(base64::decoded_size(value.size()), '\0');
  const auto [written, read] = base64::decode(decoded.data(), value.data(), value.size());
  for (const char c : value.substr(read))
    if (c != '=') return false;
  decoded.resize(written);
  const std::size_t colon = decoded.find(':');
  return colon != std::string::npos && same_secret(std::string_view(decoded).substr(colon + 1), token);
}

bool carries(std::string_view value, std::string_view token) {
  const std::size_t space = value.find(' ');
  return same_secret(value, token) ||
         (space != std::string_view::npos && same_secret(trimmed(value.substr(space + 1)), token)) ||
         presents(value, token);
}

}  // namespace nono::proxy
