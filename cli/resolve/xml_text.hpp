// SPDX-License-Identifier: Apache-2.0
// As much of XML as Maven's settings need: comments, and elements without attributes and children.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cli/resolve/setting_paths.hpp"

namespace nono::cli {

/// The text without its comments; one that has no end goes to the end.
std::string without_comments(std::string_view xml);

/// The same, with blanks in their place, so that what is found in it stands at the same place of `xml`.
std::string blanked_comments(std::string_view xml);

/// What stands between `<name>` and `</name>`, trimmed.
template <typename Visit>
void for_each_element(std::string_view xml, std::string_view name, Visit visit) {
  const std::string open = '<' + std::string(name) + '>';
  const std::string close = "</" + std::string(name) + '>';
  for (std::size_t at = 0; (at = xml.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    const std::size_t end = xml.find(close, at);
    if (end == std::string_view::npos) return;
    visit(trimmed(xml.substr(at, end - at)));
  }
}

}  // namespace nono::cli
