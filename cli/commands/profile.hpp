// SPDX-License-Identifier: Apache-2.0
// `nono profile`: what the profiles are, and whether one can be used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nono::cli {

/// One profile of the list.
struct listed_profile {
  std::string name;
  std::string source;  ///< built-in, user, user (overrides built-in)
  std::string description;
  std::vector<std::string> extends;
};

/// The profiles, the user's own first, a line each or as JSON. Gives the exit code.
int list_profiles(bool json);
std::string to_json(const std::vector<listed_profile>& all);

/// What `profile validate` found.
struct validation {
  std::string file;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::vector<std::string> deprecated_keys;
};

/// Says whether a profile, with all that it extends, can be used. Gives the exit code: 1 where it cannot, 2 where strict
/// finds old spellings.
int validate_profile(const std::string& given, bool json, bool strict);
std::string to_json(const validation& v);

/// The JSON Schema of profiles, to standard output or into a file. Gives the exit code.
int print_schema(const std::string& file);

/// The same JSON without a byte beyond printable ASCII, for the same reason.
std::string plain_ascii(std::string_view json);

}  // namespace nono::cli
