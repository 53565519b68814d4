// SPDX-License-Identifier: Apache-2.0
// Where a secret comes from, as it is written in flags and profiles: a name, or a URI such as env://OPENAI_API_KEY.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nono/error.hpp>

namespace nono::secrets {

/// The service under which the system's keyring holds what a bare name stands for.
inline constexpr std::string_view own_service = "nono";

/// One source of a secret. It has been checked, and holds nothing secret itself.
struct reference {
  enum class kind : std::uint8_t {
    keyring,
    variable,
    file,
    one_password,
    bitwarden,
    apple_password,
    command
  };
  kind is = kind::keyring;
  std::string service;  ///< keyring: the service; apple_password: the server
  std::string account;  ///< keyring, apple_password
  std::string
      name;  ///< variable, command: its name; file: its path; one_password: the whole URI; bitwarden: the item
  std::string field;        ///< bitwarden: the field of the item; empty: its password
  bool go_keyring = false;  ///< keyring: what go-keyring wrapped in base64 is unwrapped
  std::string shown;        ///< for messages; of op:// and bw:// not all
};

/// Reads NAME, keyring://SERVICE/ACCOUNT[?decode=go-keyring], env://VARIABLE, file:///PATH, op://VAULT/ITEM/[SECTION/]FIELD,
/// bw://ITEM[/FIELD], apple-password://SERVER/ACCOUNT or cmd://NAME. The last parses; who cannot serve it refuses it.
/// Errors: bad_argument, one sentence. A text that may be a key itself, put here by mistake, is not repeated in it.
result<reference> parse_reference(std::string_view text);

/// True for what no secret may be put into, whatever the letters' case: a variable that loaders, shells and language
/// run times read as code or as a place of code, nono's own, and what is no name of a variable.
bool forbidden_target(std::string_view variable);

}  // namespace nono::secrets
