// SPDX-License-Identifier: Apache-2.0
// Getting a secret from where a reference says: the system's keyring, a variable, a file, 1Password's or Bitwarden's program.
#pragma once

#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nono/error.hpp>

#include "secrets/reference.hpp"
#include "secrets/secret.hpp"

namespace nono::secrets {

/// What the sources are asked with.
struct surroundings {
  const char* const* environment =
      nullptr;                  ///< NAME=VALUE up to a null: where env:// looks, and what helpers get
  std::string keyring_program;  ///< nono-keyring, which speaks to the system's keyring
  std::chrono::milliseconds keyring_limit{120000};  ///< it may ask the user to unlock the keyring
  std::chrono::milliseconds helper_limit{30000};    ///< of op and bw
  /// Which grant lets what is confined put another file in the place of this one, for a message; empty: none does. A helper
  /// that can be replaced is not started, nor is anything found for it in such a directory. Empty: nothing is confined.
  std::function<std::string(const std::string&)> grant_over{};
};

/// Those of this program, with its own nono-keyring.
surroundings surroundings_with(const char* const* environment);

/// The path of the program of that name beside the one that calls this; empty where that cannot be told.
std::string program_beside(std::string_view name);

/// Whether the source answered and has no such secret; any other error means that it could not be asked.
[[nodiscard]] inline bool not_found(const error& why) noexcept { return why.os_errno == ENOENT; }

/// Loads a secret of 1 to max_secret bytes. It may wait for the user as long as the limits say, and starts programs:
/// before the sandbox, and while this process has one thread.
/// Errors: bad_argument, one sentence, in which nothing that a source gave as a secret stands. not_found() tells a
/// missing one from a source out of reach. A missing one of the keyring begins `Secret not found in keystore: NAME`, a
/// keyring out of reach `Failed to access system keystore: `.
result<secret> load(const reference& from, const surroundings& with);

/// The accounts that the keyring has for a service, sorted, each once.
result<std::vector<std::string>> keyring_accounts(const std::string& service, const surroundings& with);

/// Puts a secret into the keyring, in place of one that is there. errc::none where that was done.
error store(const std::string& service, const std::string& account, const secret& value,
            const surroundings& with);

/// Takes one out of it. errc::none where that was done; not_found() where there was none.
error remove(const std::string& service, const std::string& account, const surroundings& with);

}  // namespace nono::secrets
