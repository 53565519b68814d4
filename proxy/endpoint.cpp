// SPDX-License-Identifier: Apache-2.0
// Rules for single requests.
#include "proxy/endpoint.hpp"

#include <vector>

namespace nono::proxy {

namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    if (!part.empty()) out.push_back(part);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
  }
  return out;
}

/// `*` within one segment: the longest way back is the last star, so it stays linear in practice and quadratic at worst.
bool segment_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// Percent-decodes once. False: a code is none, or stands for a control byte or a backslash.
bool decode(std::string_view raw, std::string& out) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (i + 2 >= raw.size() || hex_digit(raw[i + 1]) < 0 || hex_digit(raw[i + 2]) < 0) return false;
      c = static_cast<char>(hex_digit(raw[i + 1]) * 16 + hex_digit(raw[i + 2]));
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') return false;
    out += c;
  }
  return true;
}

}  // namespace

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<resolved_path> resolve_path(std::string_view request_target) {
  const std::size_t mark = request_target.find_first_of("?#");
  std::string_view left = request_target.substr(0, mark);
  if (left.starts_with('/')) left.remove_prefix(1);
  struct segment {
    std::string_view raw;
    std::string plain;
  };
  std::vector<segment> kept;
  bool ends_in_dots = false;
  for (bool more = true; more;) {
    const std::size_t end = left.find('/');
    segment one{left.substr(0, end), {}};
    more = end != std::string_view::npos;
    if (more) left.remove_prefix(end + 1);
    if (!decode(one.raw, one.plain)) return std::nullopt;
    const bool up = one.plain == "..";
    ends_in_dots = up || one.plain == ".";
    if (up) {
      // Servers differ about what is left by `..` behind an empty segment, and behind an encoded slash.
      if (kept.empty() || kept.back().plain.empty() || kept.back().plain.find('/') != std::string::npos)
        return std::nullopt;
      kept.pop_back();
    } else if (!ends_in_dots) {
      for (const std::string_view inner : segments(one.plain))
        if (inner == "." || inner == "..") return std::nullopt;
      kept.push_back(std::move(one));
    }
  }
  resolved_path out;
  for (const segment& one : kept) {
    (out.sent += '/') += one.raw;
    for (const std::string_view inner : segments(one.plain)) (out.plain += '/') += inner;
  }
  if (ends_in_dots || out.sent.empty()) out.sent += '/';
  if (mark != std::string_view::npos && request_target[mark] == '?')
    out.sent += request_target.substr(mark, request_target.find('#') - mark);
  if (out.plain.empty()) out.plain = '/';
  return out;
}

bool path_matches(std::string_view pattern, std::string_view path) {
  const auto want = segments(pattern);
  const auto have = segments(path);
  // The same way back as within a segment, with `**` for the star.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = want.size() + 1;
  std::size_t retry = 0;
  while (t < have.size()) {
    if (p < want.size() && want[p] == "**") {
      star = p++;
      retry = t;
    } else if (p < want.size() && segment_matches(want[p], have[t])) {
      ++p;
      ++t;
    } else if (star <= want.size()) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < want.size() && want[p] == "**") ++p;
  return p == want.size();
}

bool allows(const endpoint& rule, std::string_view method, std::string_view path) {
  return (rule.method == "*" || rule.method == method) && path_matches(rule.path, path);
}

}  // namespace nono::proxy
