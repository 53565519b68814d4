// SPDX-License-Identifier: Apache-2.0
// Lines for the user on standard error: whole, in order, and never fatal when nobody listens. Results on standard output.
#pragma once

#include <string_view>

namespace nono::cli {

/// Writes all of `text` to standard error. A closed or full descriptor is no error: there is nobody to tell.
void say(std::string_view text);

/// Writes all of `text` to a descriptor. 0, or the errno of what went wrong.
int write_whole(int fd, std::string_view text);

/// `nono: <message>` and a line end.
void complain(std::string_view message);

/// Writes a result to standard output. The exit code: 1, with a message, when it could not be written whole.
int print(std::string_view text);

}  // namespace nono::cli
