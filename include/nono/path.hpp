// SPDX-License-Identifier: Apache-2.0
// The lexical rules of paths in policies, and the literal type through which the compiler checks them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nono/error.hpp>

namespace nono {

/// The longest path in bytes, without its NUL. Source: path_resolution(7), PATH_MAX.
inline constexpr std::size_t max_path = 4095;

/// True when `text` begins with a variable: `$NAME`, or `~` for `$HOME`.
constexpr bool starts_with_variable(std::string_view text) noexcept {
  return text.starts_with('$') || text == "~" || text.starts_with("~/");
}

/// The leading variable of `text` with its `$` ("$HOME" for `~`); empty if there is none.
constexpr std::string_view leading_variable(std::string_view text) noexcept {
  if (!starts_with_variable(text)) return {};
  if (text.front() == '~') return "$HOME";
  return text.substr(0, text.find('/'));
}

/// What follows the leading variable: empty or beginning with '/'.
constexpr std::string_view after_variable(std::string_view text) noexcept {
  if (!starts_with_variable(text)) return text;
  const auto slash = text.find('/');
  return slash == std::string_view::npos ? std::string_view{} : text.substr(slash);
}

/// True for `$` and one or more of [A-Za-z0-9_], not beginning with a digit.
constexpr bool is_variable_name(std::string_view text) noexcept {
  if (text.size() < 2 || text[0] != '$' || (text[1] >= '0' && text[1] <= '9')) return false;
  for (const char c : text.substr(1))
    if (!(c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
      return false;
  return true;
}

/// The lexical rule of every path in a policy: absolute or beginning with a variable, at most 4095 bytes,
/// without ".." part and NUL byte.
constexpr errc check_path(std::string_view text) noexcept {
  if (text.empty()) return errc::path_empty;
  if (text.size() > max_path) return errc::path_too_long;
  const std::string_view variable = leading_variable(text);
  if (variable.empty() && text.front() != '/') return errc::path_not_absolute;
  if (!variable.empty() && !is_variable_name(variable)) return errc::variable_misplaced;
  std::size_t part = 0;  // where the current part begins
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : '/';
    if (c == '\0') return errc::path_has_nul;
    if (c == '$' && i == part && i != 0) return errc::variable_misplaced;
    if (c != '/') continue;
    if (i - part == 2 && text[part] == '.' && text[part + 1] == '.') return errc::path_has_parent;
    part = i + 1;
  }
  return errc::none;
}

/// True when `path` is `ancestor` or lies below it; both in normal form (no trailing slash but for "/").
constexpr bool is_within(std::string_view path, std::string_view ancestor) noexcept {
  if (ancestor == "/") return path.starts_with('/');
  if (path.size() < ancestor.size()) return false;
  if (__builtin_memcmp(path.data(), ancestor.data(), ancestor.size()) != 0) return false;
  return path.size() == ancestor.size() || path[ancestor.size()] == '/';
}

/// Byte order, the same at compile time and at run time: negative, 0 or positive.
constexpr int compare_text(std::string_view a, std::string_view b) noexcept {
  const std::size_t size_a = a.size();  // once: what counts at compile time are the steps
  const std::size_t size_b = b.size();
  const std::size_t n = size_a < size_b ? size_a : size_b;
  const int c = n == 0 ? 0 : __builtin_memcmp(a.data(), b.data(), n);
  return c != 0 || size_a == size_b ? c : size_a < size_b ? -1 : 1;
}

/// True when no part of `text`, which has no trailing slash, is empty or ".": names that can be compared as they
/// are written.
constexpr bool is_plain(std::string_view text) noexcept {
  if (text == "/") return true;
  std::size_t part = text.starts_with('/') ? 1 : 0;
  for (std::size_t i = part; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != '/') continue;
    if (i == part || (i - part == 1 && text[part] == '.')) return false;
    part = i + 1;
  }
  return true;
}

/// Without trailing slashes ("/" stays).
constexpr std::string_view without_trailing_slash(std::string_view text) noexcept {
  while (text.size() > 1 && text.back() == '/') text.remove_suffix(1);
  return text;
}

namespace detail {
// Never constexpr: in a constant expression their names are the compiler's message. Defined, so that no build
// without optimisation misses a symbol.
inline void path_must_not_be_empty() {}
inline void path_must_be_absolute() {}
inline void path_must_not_contain_parent_part() {}
inline void path_must_not_exceed_4095_bytes() {}
inline void path_must_not_contain_nul() {}
inline void path_must_not_contain_an_empty_or_dot_part() {}
inline void path_of_a_file_must_not_end_with_a_slash() {}
inline void variable_must_be_the_first_part_of_a_path() {}
inline void variable_name_must_be_dollar_and_word() {}

constexpr void refuse_path(errc why) {
  switch (why) {
    case errc::path_empty:
      path_must_not_be_empty();
      break;
    case errc::path_not_absolute:
      path_must_be_absolute();
      break;
    case errc::path_has_parent:
      path_must_not_contain_parent_part();
      break;
    case errc::path_too_long:
      path_must_not_exceed_4095_bytes();
      break;
    case errc::path_has_nul:
      path_must_not_contain_nul();
      break;
    default:
      variable_must_be_the_first_part_of_a_path();
      break;
  }
}
}  // namespace detail

/// A path written in the source: checked by the compiler, stored by reference.
class path_literal {
 public:
  template <std::size_t N>
  consteval path_literal(const char (&text)[N])  // NOLINT(google-explicit-constructor): the point of it
      : text_(without_trailing_slash({text, N - 1})) {
    if (const errc why = check_path(text_); why != errc::none) detail::refuse_path(why);
    // Run-time policies fold these; a literal is repaired where it stands, and rules can be compared by name.
    if (!is_plain(text_)) detail::path_must_not_contain_an_empty_or_dot_part();
  }
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

/// The path of a file, written in the source: a path_literal that does not end with a slash.
class file_literal {
 public:
  template <std::size_t N>
  consteval file_literal(const char (&text)[N])  // NOLINT(google-explicit-constructor): the point of it
      : text_(path_literal(text).text()) {
    if (text_.size() != N - 1 || text_ == "/") detail::path_of_a_file_must_not_end_with_a_slash();
  }
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

/// A variable's name written in the source: `$` and a word.
class variable_literal {
 public:
  template <std::size_t N>
  consteval variable_literal(const char (&text)[N])
      : text_(text, N - 1) {  // NOLINT(google-explicit-constructor)
    if (!is_variable_name(text_)) detail::variable_name_must_be_dollar_and_word();
  }
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

/// The variables that every policy knows without declaring them; their values come from the environment and
/// the working directory when the policy is bound.
inline constexpr std::string_view known_variables[] = {
    "$HOME",           "$WORKDIR",        "$TMPDIR",        "$XDG_CONFIG_HOME",
    "$XDG_STATE_HOME", "$XDG_CACHE_HOME", "$XDG_DATA_HOME", "$XDG_RUNTIME_DIR",
};

/// True for a variable that every policy knows, with its `$`.
constexpr bool is_known_variable(std::string_view name) noexcept {
  for (const std::string_view known : known_variables)
    if (compare_text(known, name) == 0) return true;
  return false;
}

/// Directories that a known variable never opens for writing, whatever value it has: bind() refuses it. Where the
/// old names are links, what they lead to stands here too.
inline constexpr std::string_view system_directories[] = {
    "/etc", "/bin",     "/sbin",     "/lib",     "/lib32",     "/lib64",     "/boot",   "/proc",
    "/sys", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/System", "/private/etc",
};

/// True when `path`, absolute and plain, is or holds a directory of the system, or lies in one.
constexpr bool touches_system(std::string_view path) noexcept {
  for (const std::string_view directory : system_directories)
    if (is_within(path, directory) || is_within(directory, path)) return true;
  return false;
}

}  // namespace nono
