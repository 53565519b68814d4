// SPDX-License-Identifier: Apache-2.0
// Lines for the user on standard error: whole, in order, and never fatal when nobody listens.
#pragma once

#include <string_view>

namespace nono::cli {

/// Writes all of `text` to standard error. A closed or full descriptor is no error: there is nobody to tell.
void say(std::string_view text);

/// `nono: <message>` and a line end.
void complain(std::string_view message);

}  // namespace nono::cli
