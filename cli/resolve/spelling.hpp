// SPDX-License-Identifier: Apache-2.0
// How paths and rights are written for a user: once, for the summary, the footer, `why` and `profile show`.
#pragma once

#include <string>
#include <string_view>

#include <nono/right.hpp>

namespace nono::cli {

/// `path` as a user would type it to a shell, the home directory as `~`. One with control bytes or invalid UTF-8 comes
/// out escaped: to be read, not to be copied.
std::string typed(std::string_view path, std::string_view home);

/// Any text as one line of plain text: control bytes and what is not UTF-8 come out escaped.
std::string one_line(std::string_view text);

/// r, w or r+w; with +unix where unix sockets can be reached.
std::string badge(right rights);

/// read, write or readwrite, as `why` and profiles say it; with +connect where unix sockets can be reached.
std::string access_word(right rights);

}  // namespace nono::cli
