// SPDX-License-Identifier: Apache-2.0
// How paths and rights are written for a user.
#include "cli/resolve/spelling.hpp"

#include <fmt/format.h>
#include <nono/path.hpp>

#include "cli/resolve/program.hpp"

namespace nono::cli {

std::string typed(std::string_view path, std::string_view home) {
  std::string shown(path);
  if (is_within(path, home) && path != home) shown = "~" + shown.substr(home.size());
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./~-";
  if (shown.find_first_not_of(plain) == std::string::npos) return shown;
  std::string safe = quoted_whole(path);
  if (safe.find("\\x") != safe.npos || safe.find("\\n") != safe.npos) return safe;  // shown, not to be copied
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string_view badge(right rights) {
  const bool reads = (rights & right::read) != no_rights;
  const bool writes = (rights & right::write) != no_rights;
  return reads && writes ? "r+w" : writes ? "w" : "r";
}

std::string_view access_word(right rights) {
  const std::string_view short_form = badge(rights);
  return short_form == "r+w" ? "readwrite" : short_form == "w" ? "write" : "read";
}

}  // namespace nono::cli
