// SPDX-License-Identifier: Apache-2.0
// One field of what `bw get item` prints, without a copy of the rest.
#pragma once

#include <string_view>

#include "secrets/secret.hpp"

namespace nono::secrets {

enum class pick { found, absent, malformed };

/// Takes a field out of an item in JSON: password, username and totp of the login, its first uri, the item's notes, or
/// else the custom field of that name. A library for JSON would keep the item's secrets in strings that nobody wipes.
pick pick_field(std::string_view item, std::string_view field, secret& out);

}  // namespace nono::secrets
