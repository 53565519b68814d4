// SPDX-License-Identifier: Apache-2.0
// JSON texts as the reference writes them: what is escaped, and what is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nono::detail {

/// How many bytes the UTF-8 sequence at the start of `text` has; 0: it is none. Source: RFC 3629, 4.
constexpr std::size_t utf8_sequence(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t n = lead >= 0xF0 && lead <= 0xF4  ? 4
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                                                      : 0;
  if (n == 0 || n > text.size()) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  const unsigned second = n > 2 ? byte(1) : 0x80U;
  const bool wrong = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                     (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return wrong ? 0 : n;
}

constexpr bool is_utf8(std::string_view text) noexcept {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  while (true) {
    while (!text.empty() && is_ascii(text.front())) text.remove_prefix(1);
    if (text.empty()) return true;
    const std::size_t n = utf8_sequence(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
}

/// Appends `text`, which is UTF-8, as a JSON string: quotes, backslashes and control bytes are escaped, `/` and
/// everything beyond ASCII stays as it is.
inline void append_json_string(std::string& out, std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  constexpr std::string_view plain = "\"\\\b\f\n\r\t";
  constexpr std::string_view escapes = "\"\\bfnrt";
  const auto stands_for_itself = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
  };
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t end = i;
    while (end < text.size() && stands_for_itself(text[end])) ++end;
    out.append(text, i, end - i);
    if (end == text.size()) break;
    i = end;
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (const std::size_t at = plain.find(c); at != std::string_view::npos) {
      out += '\\';
      out += escapes[at];
    } else {
      out += "\\u00";
      out += hex[byte >> 4U];
      out += hex[byte & 15U];
    }
  }
  out += '"';
}

/// Writes what lies on one line: `{"a": "b", "c": 1}`. Members whose value says nothing are left out by the caller.
class json_line {
 public:
  explicit json_line(std::string& out) : out_(out) { out_ += '{'; }
  json_line(const json_line&) = delete;
  json_line& operator=(const json_line&) = delete;
  ~json_line() { out_ += '}'; }

  json_line& text(std::string_view key, std::string_view value) {
    return append_json_string(name(key), value), *this;
  }
  json_line& natural(std::string_view key, std::uint64_t value) {
    return name(key) += std::to_string(value), *this;
  }
  json_line& truth(std::string_view key) { return name(key) += "true", *this; }

 private:
  std::string& name(std::string_view key) {
    if (!first_) out_ += ", ";
    first_ = false;
    append_json_string(out_, key);
    return out_ += ": ";
  }
  std::string& out_;
  bool first_ = true;
};

}  // namespace nono::detail
