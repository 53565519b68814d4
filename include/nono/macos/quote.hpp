// SPDX-License-Identifier: Apache-2.0
// Paths as SBPL sees them: in two pieces, so that both spellings need no memory, and quoted so that none adds a rule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nono/path.hpp>

namespace nono::seatbelt {

/// A path in two pieces. The head is empty, "/private", or a variable that was written `~`.
struct spelled {
  std::string_view head;
  std::string_view tail;

  [[nodiscard]] constexpr std::size_t size() const noexcept { return head.size() + tail.size(); }
  [[nodiscard]] constexpr char operator[](std::size_t i) const noexcept {
    return i < head.size() ? head[i] : tail[i - head.size()];
  }
  [[nodiscard]] constexpr spelled first(std::size_t n) const noexcept {
    return n <= head.size() ? spelled{{}, head.substr(0, n)} : spelled{head, tail.substr(0, n - head.size())};
  }
  friend constexpr bool operator==(const spelled& a, const spelled& b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (a[i] != b[i]) return false;
    return true;
  }
};

/// Byte order in which '/' comes first, so that a path is followed by all that lies below it.
constexpr bool comes_before(const spelled& a, const spelled& b) noexcept {
  const auto rank = [](char c) { return c == '/' ? -1 : static_cast<int>(static_cast<unsigned char>(c)); };
  const std::size_t n = a.size() < b.size() ? a.size() : b.size();
  for (std::size_t i = 0; i < n; ++i)
    if (a[i] != b[i]) return rank(a[i]) < rank(b[i]);
  return a.size() < b.size();
}

/// True when `path` lies below `above`, not at it.
constexpr bool lies_below(const spelled& path, const spelled& above) noexcept {
  if (above.size() == 1 && above[0] == '/') return path.size() > 1 && path[0] == '/';
  if (path.size() <= above.size() || path[above.size()] != '/') return false;
  return path.first(above.size()) == above;
}

/// The links at the root of every Mac; each leads to the same name below /private.
/// Source: hier(7) of macOS; Chromium's sandbox design page, "symlinks".
inline constexpr std::string_view root_links[] = {"/etc", "/tmp", "/var"};

/// The other spelling of a path: "/private/tmp/a" for "/tmp/a", and the reverse. Empty if there is one alone.
constexpr spelled other_spelling(const spelled& path) noexcept {
  if (!path.head.empty()) return {};
  constexpr std::string_view below = "/private";
  for (const std::string_view link : root_links) {
    if (is_within(path.tail, link)) return {below, path.tail};
    if (path.tail.starts_with(below) && is_within(path.tail.substr(below.size()), link))
      return {{}, path.tail.substr(below.size())};
  }
  return {};
}

/// The path with `~` written out as `$HOME`.
constexpr spelled spelling_of(std::string_view path) noexcept {
  if (path.starts_with('~')) return {"$HOME", after_variable(path)};
  return {{}, path};
}

namespace detail {

/// The length of the valid UTF-8 sequence at `i`; 0 if there is none, or if it is a control character, has no width or
/// turns the direction of writing. Source: RFC 3629, section 4; Unicode, property Bidi_Control
constexpr std::size_t utf8_length(const spelled& text, std::size_t i) noexcept {
  const auto byte = [&](std::size_t k) -> std::uint32_t {
    return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
  };
  const std::uint32_t lead = byte(i);
  const std::size_t n = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  std::uint32_t point = lead & (0x7FU >> n);
  for (std::size_t k = 1; k < n; ++k) {
    if ((byte(i + k) & 0xC0U) != 0x80U) return 0;
    point = point << 6U | (byte(i + k) & 0x3FU);
  }
  const auto in = [&](std::uint32_t low, std::uint32_t high) { return point >= low && point <= high; };
  const bool overlong = (n == 3 && point < 0x800) || (n == 4 && point < 0x10000);
  const bool unseen = point < 0xA0 || point == 0x61C || point == 0xFEFF || in(0x200B, 0x200F) ||
                      in(0x2028, 0x202E) || in(0x2060, 0x2069);
  return overlong || in(0xD800, 0xDFFF) || point > 0x10FFFF || unseen ? 0 : n;
}

}  // namespace detail

/// Writes a string of SBPL. A quote and a backslash get a backslash, control characters and what is no UTF-8 become
/// \xHH; so the string ends where it should, whatever the path, and no line of its own begins in it.
/// Source: SBPL is read by TinyScheme, whose reader ends a string at the first quote without a backslash (its manual,
///         "strings"); that Apple's copy knows \xHH is inferred, see is_quotable().
template <class Sink>
constexpr void put_quoted(Sink& out, const spelled& text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out.put('"');
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    std::size_t n = 1;
    if (c == '"' || c == '\\') {
      out.put('\\');
      out.put(c);
    } else if (byte >= 0x20 && byte < 0x7F) {
      out.put(c);
    } else if (n = detail::utf8_length(text, i); n != 0) {
      for (std::size_t k = 0; k < n; ++k) out.put(text[i + k]);
    } else {
      n = 1;
      out.put("\\x");
      out.put(hex[byte >> 4U]);
      out.put(hex[byte & 15U]);
    }
    i += n;
  }
  out.put('"');
}

/// True when quoting needs nothing but backslashes before quotes and backslashes, which is certain. Where text is all
/// that the system takes, apply() refuses the other paths: a deny that is misread would be open.
constexpr bool is_quotable(std::string_view path) noexcept {
  const spelled text{{}, path};
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t n = byte >= 0x80 ? detail::utf8_length(text, i) : 1;
    if (byte < 0x20 || byte == 0x7F || n == 0) return false;
    i += n;
  }
  return true;
}

}  // namespace nono::seatbelt
