// SPDX-License-Identifier: Apache-2.0
// The `when` of profiles: which system an entry is for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nono {

/// What a predicate is asked about. `linux` as /etc/os-release tells it.
struct system_facts {
#if defined(__APPLE__)
  std::string os = "macos";
#else
  std::string os = "linux";
#endif
  std::string id{};       ///< ID: debian
  std::string like{};     ///< ID_LIKE: words
  std::string version{};  ///< VERSION_ID; of macOS the product's version
  std::string variant{};  ///< VARIANT_ID
};

/// The facts in the text of an os-release file. Source: os-release(5)
inline system_facts facts_of_os_release(std::string_view text) {
  system_facts out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view value = line.substr(equals + 1);
    if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    const std::string_view key = line.substr(0, equals);
    std::string* const to = key == "ID"           ? &out.id
                            : key == "ID_LIKE"    ? &out.like
                            : key == "VERSION_ID" ? &out.version
                            : key == "VARIANT_ID" ? &out.variant
                                                  : nullptr;
    if (to != nullptr) *to = value;
  }
  return out;
}

namespace detail {

/// Versions by their numbers: 12 before 12.1 before 13. Parts that are no number compare as texts.
constexpr int compare_versions(std::string_view a, std::string_view b) noexcept {
  const auto next = [](std::string_view& rest) {
    const std::string_view part = rest.substr(0, rest.find('.'));
    rest.remove_prefix(part.size() == rest.size() ? part.size() : part.size() + 1);
    return part;
  };
  const auto is_number = [](std::string_view part) {
    for (const char c : part)
      if (c < '0' || c > '9') return false;
    return true;
  };
  while (!a.empty() || !b.empty()) {
    std::string_view x = next(a);
    std::string_view y = next(b);
    if (is_number(x) && is_number(y)) {
      while (x.size() > 1 && x.front() == '0') x.remove_prefix(1);
      while (y.size() > 1 && y.front() == '0') y.remove_prefix(1);
      if (x.empty()) x = "0";
      if (y.empty()) y = "0";
      if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
    }
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

constexpr bool has_word(std::string_view words, std::string_view word) noexcept {
  while (!words.empty()) {
    const std::string_view one = words.substr(0, words.find(' '));
    if (one == word) return true;
    words.remove_prefix(one.size() == words.size() ? one.size() : one.size() + 1);
  }
  return false;
}

}  // namespace detail

/// Whether a predicate holds: `linux[:id[:version[:variant]]]`, `macos[:version]`, `windows[:version[:build]]`, with `!`
/// before it the contrary. An id is os-release's; one that ends in `-like` goes by ID_LIKE too. A version may begin with
/// `==`, `>=`, `<=`, `>` or `<`. Of systems that nobody knows nothing holds.
/// Nothing: the text is no predicate.
inline std::optional<bool> holds(std::string_view predicate, const system_facts& here) {
  const bool negated = predicate.starts_with('!');
  if (negated) predicate.remove_prefix(1);
  std::string_view parts[4];
  std::size_t count = 0;
  for (;;) {
    if (count == 4) return std::nullopt;
    const std::string_view part = predicate.substr(0, predicate.find(':'));
    parts[count++] = part;
    if (part.empty()) return std::nullopt;
    for (const char c : part)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            std::string_view("._-+~=<>").find(c) != std::string_view::npos))
        return std::nullopt;
    if (part.size() == predicate.size()) break;
    predicate.remove_prefix(part.size() + 1);
  }
  const std::string_view os = parts[0];
  const bool is_linux = os == "linux";
  if (os.find_first_of("=<>") != std::string_view::npos) return std::nullopt;
  if (count > (is_linux ? 4U : os == "macos" ? 2U : os == "windows" ? 3U : 4U)) return std::nullopt;
  bool yes = os == here.os;
  if (is_linux && count > 1) {
    const std::string_view id = parts[1];
    if (id.find_first_of("=<>") != std::string_view::npos) return std::nullopt;
    if (id.ends_with("-like")) {
      const std::string_view like = id.substr(0, id.size() - 5);
      yes = yes && (here.id == like || detail::has_word(here.like, like));
    } else {
      yes = yes && here.id == id;
    }
  }
  if (const std::size_t at = is_linux ? 2 : 1; count > at) {
    std::string_view version = parts[at];
    const std::size_t sign = version.find_first_not_of("=<>");
    if (sign == std::string_view::npos || version.find_first_of("=<>", sign) != std::string_view::npos)
      return std::nullopt;
    const std::string_view how = version.substr(0, sign);
    version.remove_prefix(sign);
    if (!(how.empty() || how == "==" || how == ">=" || how == "<=" || how == ">" || how == "<"))
      return std::nullopt;
    const int order = detail::compare_versions(here.version, version);
    const bool fits = how == ">="   ? order >= 0
                      : how == "<=" ? order <= 0
                      : how == ">"  ? order > 0
                      : how == "<"  ? order < 0
                                    : order == 0;
    yes = yes && !here.version.empty() && fits;
  }
  if (count > (is_linux ? 3U : 2U)) {
    const std::string_view last = parts[is_linux ? 3 : 2];
    if (last.find_first_of("=<>") != std::string_view::npos) return std::nullopt;
    yes = yes && here.variant == last;
  }
  return yes != negated;
}

}  // namespace nono
