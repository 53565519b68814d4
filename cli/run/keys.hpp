// SPDX-License-Identifier: Apache-2.0
// The secrets of a run: loaded before anything is started, handed to the proxy, and wiped here.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nono/error.hpp>

#include "cli/resolve/credentials.hpp"
#include "cli/resolve/sandbox.hpp"
#include "secrets/secret.hpp"

namespace nono::cli {

/// A route with its key. Where that is missing the proxy answers for it and says why.
struct armed_route {
  const credential_route* route = nullptr;
  std::string token;  ///< what the command shows in the key's place: of this run and this route alone
  secrets::secret key;
  secrets::secret certificate_key;
  std::string ca, certificate;  ///< PEM
  std::string missing;          ///< why there is no key; empty: there is one
};

/// Random bytes, at most 256, in hexadecimal digits; empty where the kernel gives none.
std::string random_digits(std::size_t bytes);

/// Loads the keys of the routes. It may wait for the user, who unlocks a keyring. warnings: a sentence for each key that a
/// profile asks for in vain. Errors: bad_argument with a sentence, where a flag asks.
result<std::vector<armed_route>> load_keys(const std::vector<credential_route>& routes, const host& here,
                                           std::vector<std::string>& warnings);

/// Loads the secrets that the command is given, as variables. warnings: that it can read them.
/// Errors: bad_argument with a sentence.
error load_variables(const std::vector<env_credential>& wanted, const host& here,
                     std::vector<std::pair<std::string, std::string>>& variables,
                     std::vector<std::string>& warnings);

/// While keys are in use the command must not read a file that one comes from, and while one of the keyring is, it must not reach
/// the keyring, nor what could ask it in its place.
/// Errors: bad_argument with a sentence that names the grant, or the protection that this system lacks.
error check_keys_are_out_of_reach(const sandbox& s);

}  // namespace nono::cli
