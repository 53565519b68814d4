// SPDX-License-Identifier: Apache-2.0
// How paths and rights are written for a user.
#include "cli/resolve/spelling.hpp"

#include <fmt/format.h>
#include <nono/error.hpp>
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

std::string one_line(std::string_view text) {
  std::string line;
  append_quoted(line, text);
  std::string out;
  for (std::size_t i = 1; i + 1 < line.size(); ++i) {
    if (line[i] == '\\' && (line[i + 1] == '\\' || line[i + 1] == '\'')) ++i;
    out += line[i];
  }
  return out;
}

std::string badge(right rights) {
  const bool reads = (rights & right::read) != no_rights;
  const bool writes = (rights & right::write) != no_rights;
  const bool connects = (rights & right::connect_unix) != no_rights;
  const std::string out = reads && writes ? "r+w" : writes ? "w" : reads || !connects ? "r" : "";
  return !connects ? out : out.empty() ? "unix" : out + "+unix";
}

std::string access_word(right rights) {
  const bool reads = (rights & right::read) != no_rights;
  const bool writes = (rights & right::write) != no_rights;
  const bool connects = (rights & right::connect_unix) != no_rights;
  const std::string out = reads && writes ? "readwrite" : writes ? "write" : reads || !connects ? "read" : "";
  return !connects ? out : out.empty() ? "connect" : out + "+connect";
}

}  // namespace nono::cli
