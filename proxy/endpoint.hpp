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

/// The path of a request as rules compare it: without query, percent-decoded once, without empty and dot segments and without a
/// slash at its end. Nothing where a decoded byte is a control byte, or a segment would lead above the root.
std::optional<std::string> normal_path(std::string_view request_target);

/// True when the pattern stands for the path, both in normal form.
bool path_matches(std::string_view pattern, std::string_view path);

/// True when the rule lets the method and the path (in normal form) pass.
bool allows(const endpoint& rule, std::string_view method, std::string_view path);

}  // namespace nono::proxy
