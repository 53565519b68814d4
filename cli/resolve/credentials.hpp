// SPDX-License-Identifier: Apache-2.0
// Keys that the command uses and never has: routes through the proxy, out of flags and profile; and those that it is given
// after all, as variables. Only where they come from is known here, never a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/error.hpp>
#include <nono/json/profile_fields.hpp>

#include "cli/resolve/options.hpp"
#include "secrets/reference.hpp"

namespace nono::cli {

struct host;
struct resolution;

/// Where a credential stands in a request, in the words of profiles.
struct credential_place {
  std::string mode = "header";  ///< header, url_path, query_param, basic_auth
  std::string name;             ///< of the header or parameter
  std::string format;           ///< `{}` stands for the credential
};

/// One route: what the command asks of 127.0.0.1/NAME/ goes to one server, with a key.
struct credential_route {
  std::string name;      ///< one segment of a path
  std::string from;      ///< "--credential", "the profile go-agent"
  bool by_flag = false;  ///< then a missing key ends the run before it begins; else requests are answered 503
  bool tls = true;
  std::string host;
  std::uint16_t port = 443;
  std::string base;  ///< of the server's paths; empty, or "/v1"
  credential_place shown, sent;
  secrets::reference key;
  std::vector<std::string> token_variables;                      ///< the command finds its token there
  std::string url_variable;                                      ///< and the route's URL here
  std::vector<std::pair<std::string, std::string>> deny, allow;  ///< method and pattern of paths
  bool allows_rest = true;
  std::string ca_file, certificate_file, certificate_key_file;  ///< absolute; or empty

  /// "https://api.openai.com/v1"
  [[nodiscard]] std::string upstream() const;
};

/// A secret that the command is given as a variable.
struct env_credential {
  secrets::reference from;
  std::string variable;
  std::string source;  ///< the flag, or the profile
};

/// Reads a rule for single requests: its method, or *, comes out in upper case, as the proxy compares it.
/// Empty: done; else what is wrong, to stand behind the name of what has the rule.
std::string read_endpoint(std::string_view method, std::string_view path,
                          std::pair<std::string, std::string>& to);

/// True when a profile or a flag asks for a route.
bool wants_routes(const run_options& options, const profile& says);

/// The routes, by name. profile_name: for messages. Errors: bad_argument with a sentence; also where a definition of the
/// profile is wrong that is not asked for.
result<std::vector<credential_route>> routes_of(const run_options& options, const profile& says,
                                                std::string_view profile_name, const host& here,
                                                std::string_view workdir);

/// The secrets that are asked for as variables, each variable once: --env-credential-map before --env-credential before the
/// profile. Errors: bad_argument with a sentence.
result<std::vector<env_credential>> env_credentials_of(const run_options& options, const profile& says,
                                                       std::string_view profile_name);

/// The variables that the services of this program set.
std::vector<std::string> variables_of(const std::vector<credential_route>& routes);

/// Withholds from the command the variables that the services set, whether or not there are tokens for them; those that keys
/// come from; and whatever else holds the value of one of these.
void withhold_keys(const std::vector<credential_route>& routes, const host& here, resolution& out);

/// Withholds one variable of the host's that holds the key of a credential, and what a profile sets to its value. A note says so.
void withhold_copy(const std::string& variable, std::string_view credential, const host& here,
                   resolution& out);

}  // namespace nono::cli
