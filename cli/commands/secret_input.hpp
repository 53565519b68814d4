// SPDX-License-Identifier: Apache-2.0
// A secret from the user: typed without being shown, or piped in.
#pragma once

#include <string_view>

#include <nono/error.hpp>

#include "secrets/secret.hpp"

namespace nono::cli {

/// Asks on the terminal where standard input is one, and otherwise takes all of standard input, without one line end.
/// The terminal shows again what is typed after every end of this, a signal's too.
result<secrets::secret> read_secret(std::string_view name);

}  // namespace nono::cli
