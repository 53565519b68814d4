// SPDX-License-Identifier: Apache-2.0
// Comments of XML.
#include "cli/resolve/xml_text.hpp"

namespace nono::cli {

namespace {

std::string replace_comments(std::string_view xml, bool by_blanks) {
  std::string out;
  for (std::size_t at = 0; at < xml.size();) {
    const std::size_t open = xml.find("<!--", at);
    out += xml.substr(at, open - at);
    if (open == std::string_view::npos) break;
    const std::size_t close = xml.find("-->", open + 4);
    at = close == std::string_view::npos ? xml.size() : close + 3;
    if (by_blanks) out.append(at - open, ' ');
  }
  return out;
}

}  // namespace

std::string without_comments(std::string_view xml) { return replace_comments(xml, false); }
std::string blanked_comments(std::string_view xml) { return replace_comments(xml, true); }

}  // namespace nono::cli
