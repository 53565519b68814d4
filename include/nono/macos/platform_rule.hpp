// SPDX-License-Identifier: Apache-2.0
// Rules that users add for their platform: read as S-expressions, held against a list, and written anew, token by token.
#pragma once

#include <cstddef>
#include <string_view>

#include <nono/error.hpp>
#include <nono/macos/settings.hpp>

namespace nono::seatbelt {

/// What a user's rule may allow: the operation, and the one filter that makes it narrow. Files, sockets, processes and
/// signals are not here: the policy speaks of those. Names are exact, so no filter can be wide.
struct narrow_operation {
  std::string_view operation;
  std::string_view filter;
};

inline constexpr narrow_operation narrow_operations[] = {
    {"sysctl-read", "sysctl-name"},
    {"sysctl-write", "sysctl-name"},
    {"mach-lookup", "global-name"},
    {"iokit-open", "iokit-user-client-class"},
    {"iokit-open", "iokit-registry-entry-class"},
    {"iokit-get-properties", "iokit-property"},
    {"ipc-posix-sem", "ipc-posix-name"},
    {"ipc-posix-shm-read-data", "ipc-posix-name"},
    {"ipc-posix-shm-write-data", "ipc-posix-name"},
    {"user-preference-read", "preference-domain"},
    {"user-preference-write", "preference-domain"},
};

/// The filters that a user's deny may use, at any depth: to deny more is always safe.
inline constexpr std::string_view deny_filters[] = {
    "literal",
    "subpath",
    "prefix",
    "require-all",
    "require-any",
    "require-not",
    "global-name",
    "ipc-posix-name",
    "sysctl-name",
    "preference-domain",
    "vnode-type",
    "iokit-property",
    "remote",
    "local",
    "iokit-user-client-class",
    "target",
    "iokit-registry-entry-class",
};

namespace detail {

/// The tokens of one rule: '(' , ')', a word, or a string with its quotes. Comments, #-forms, escapes and bytes that are
/// not printable ASCII are none.
class rule_tokens {
 public:
  constexpr explicit rule_tokens(std::string_view text) noexcept : rest_(text) { next(); }

  [[nodiscard]] constexpr std::string_view now() const noexcept { return now_; }  ///< empty at the end
  [[nodiscard]] constexpr bool bad() const noexcept { return bad_; }
  [[nodiscard]] constexpr bool at_word() const noexcept { return !now_.empty() && is_word(now_.front()); }
  [[nodiscard]] constexpr bool at_string() const noexcept { return now_.starts_with('"'); }

  constexpr std::string_view take() noexcept {
    const std::string_view out = now_;
    next();
    return out;
  }
  constexpr bool take(std::string_view wanted) noexcept { return now_ == wanted && (next(), true); }

 private:
  static constexpr bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '*';
  }
  constexpr void next() noexcept {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n'))
      rest_.remove_prefix(1);
    std::size_t n = rest_.empty() ? 0 : 1;
    if (n != 0 && rest_[0] == '"') {
      while (n < rest_.size() && rest_[n] != '"' && rest_[n] != '\\' && rest_[n] >= 0x20 && rest_[n] < 0x7F)
        ++n;
      bad_ = bad_ || n == rest_.size() || rest_[n] != '"' || n == 1;
      n = bad_ ? 0 : n + 1;
    } else if (n != 0 && is_word(rest_[0])) {
      while (n < rest_.size() && is_word(rest_[n])) ++n;
    } else if (n != 0 && rest_[0] != '(' && rest_[0] != ')') {
      bad_ = true;
      n = 0;
    }
    now_ = rest_.substr(0, n);
    rest_.remove_prefix(n);
  }

  std::string_view rest_;
  std::string_view now_;
  bool bad_ = false;
};

constexpr bool is_deny_filter(std::string_view name) noexcept {
  for (const std::string_view known : deny_filters)
    if (known == name) return true;
  return false;
}

/// One filter of a deny, with those inside it.
constexpr bool skip_deny_filter(rule_tokens& in, int depth) noexcept {
  if (depth == 8 || !in.take("(") || !in.at_word() || !is_deny_filter(in.take())) return false;
  while (!in.take(")")) {
    if (in.now() == "(") {
      if (!skip_deny_filter(in, depth + 1)) return false;
    } else if (in.at_word() || in.at_string()) {
      (void)in.take();
    } else {
      return false;
    }
  }
  return true;
}

/// True when each operation of the words at `ops` may be allowed by `filter`.
constexpr bool all_narrow(rule_tokens ops, std::string_view filter) noexcept {
  for (; ops.at_word(); (void)ops.take()) {
    bool known = false;
    for (const narrow_operation& n : narrow_operations)
      known = known || (n.operation == ops.now() && n.filter == filter);
    if (!known) return false;
  }
  return true;
}

}  // namespace detail

/// The rule of users' platform rules: `(allow OPERATION... (FILTER "exact name")...)` of narrow_operations, or
/// `(deny OPERATION... FILTER...)` of anything. What allows must name its object, and cannot be turned round, nested or
/// spelled otherwise; the key chain's services are never among it.
/// Errors: platform_rule_malformed, platform_rule_too_broad.
constexpr errc check_platform_rule(std::string_view text) noexcept {
  detail::rule_tokens in(text);
  if (!in.take("(") || !in.at_word()) return errc::platform_rule_malformed;
  const std::string_view verb = in.take();
  if (verb != "allow" && verb != "deny") return errc::platform_rule_too_broad;
  if (!in.at_word()) return errc::platform_rule_malformed;
  const detail::rule_tokens operations = in;
  while (in.at_word()) (void)in.take();
  std::size_t filters = 0;
  for (; in.now() == "("; ++filters) {
    if (verb == "deny") {
      if (!detail::skip_deny_filter(in, 0)) return errc::platform_rule_malformed;
      continue;
    }
    (void)in.take();
    if (!in.at_word() || !detail::all_narrow(operations, in.take())) return errc::platform_rule_too_broad;
    if (!in.at_string()) return errc::platform_rule_too_broad;
    const std::string_view name = in.take();
    if (is_keychain_service(name.substr(1, name.size() - 2)) || name.find('*') != std::string_view::npos)
      return errc::platform_rule_too_broad;
    if (!in.take(")")) return in.bad() ? errc::platform_rule_malformed : errc::platform_rule_too_broad;
  }
  if (!in.take(")") || !in.now().empty() || in.bad()) return errc::platform_rule_malformed;
  return verb == "allow" && filters == 0 ? errc::platform_rule_too_broad : errc::none;
}

/// True for a rule that allows; it has passed check_platform_rule().
constexpr bool allows(std::string_view rule) noexcept {
  detail::rule_tokens in(rule);
  return in.take("(") && in.now() == "allow";
}

/// Writes a rule that has passed check_platform_rule(), on one line.
template <class Sink>
constexpr void put_platform_rule(Sink& out, std::string_view rule) {
  bool space = false;
  for (detail::rule_tokens in(rule); !in.now().empty();) {
    const std::string_view token = in.take();
    if (space && token != ")") out.put(' ');
    out.put(token);
    space = token != "(";
  }
  out.put('\n');
}

}  // namespace nono::seatbelt
