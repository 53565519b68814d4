// SPDX-License-Identifier: Apache-2.0
// Rules for single requests: a method and a pattern of paths.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace nono::proxy {

/// An answer and, where it is no, the audit's word for it and a sentence that says what would change it.
struct verdict {
  bool allowed = true;
  std::string_view category{};
  std::string reason{};

  static verdict no(std::string_view category, std::string reason) {
    return {false, category, std::move(reason)};
  }
};

/// What may be asked of a host. method: upper case, or `*`. path: a pattern in which `*` stands for anything within one segment
/// and `**` for any number of segments.
struct endpoint {
  std::string method;
  std::string path;
};

/// 0 to 15; -1: it is none.
int hex_digit(char c);

/// A request's target with its dot segments resolved as a server would.
struct resolved_path {
  std::string sent;  ///< everything else byte for byte, its query too
  std::string
      plain;  ///< as rules compare it: without query, percent-decoded once, without empty segments and a slash at its end
};

/// Nothing where a code is malformed or stands for a control byte or a backslash, a segment would lead above the root, or
/// servers differ about where it leads: `//..`, `/a%2Fb/..`, `/a%2F..`.
std::optional<resolved_path> resolve_path(std::string_view request_target);

/// True when the pattern stands for the path, both in normal form.
bool path_matches(std::string_view pattern, std::string_view path);

/// True when the rule lets the method and the path (in normal form) pass.
bool allows(const endpoint& rule, std::string_view method, std::string_view path);

}  // namespace nono::proxy
