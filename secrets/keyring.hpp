// SPDX-License-Identifier: Apache-2.0
// The system's keyring, for nono-keyring: by libsecret on Linux, by the keychain on macOS. Others know its exit codes alone.
#pragma once

#include <string>
#include <vector>

#include "secrets/secret.hpp"

namespace nono::secrets::keyring {

/// The exit codes of nono-keyring.
enum class answer : int { done = 0, absent = 1, unreachable = 2 };

/// unreachable: `why` is a sentence, to go behind `Failed to access system keystore: `.
answer get(const char* service, const char* account, secret& value, std::string& why);
/// value: with a NUL at its end.
answer set(const char* service, const char* account, const secret& value, std::string& why);
answer remove(const char* service, const char* account, std::string& why);
answer list(const char* service, std::vector<std::string>& accounts, std::string& why);

}  // namespace nono::secrets::keyring
