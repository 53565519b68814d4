// SPDX-License-Identifier: Apache-2.0
// How paths, rights and sources are written for a user: once, for the summary, the footer, `why` and `profile show`.
#pragma once

#include <string>
#include <string_view>

#include <nono/bound_policy.hpp>
#include <nono/right.hpp>

namespace nono::cli {

/// `path` as a user would type it to a shell, the home directory as `~`. One with control bytes or invalid UTF-8 comes
/// out escaped: to be read, not to be copied.
std::string typed(std::string_view path, std::string_view home);

/// Where a grant comes from: user, group:NAME, profile:NAME, system or command.
std::string source_of(const bound_rule& r);

/// r, w or r+w.
std::string_view badge(right rights);

}  // namespace nono::cli
