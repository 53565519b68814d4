// SPDX-License-Identifier: Apache-2.0
// Profiles by name and by file: where they are looked for, what they extend, what their groups and variables come to.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nono/error.hpp>
#include <nono/json/profile_fields.hpp>
#include <nono/policy.hpp>

#include "cli/resolve/profiles.hpp"

namespace nono::cli {

struct host;

/// A profile as a run uses it, built in or from a file, with all that it extends.
struct chosen_profile {
  std::string name;  ///< one line of plain text, whatever the file says
  std::string description;
  std::string path;                  ///< of its file; empty: it is built in
  std::vector<std::string> files;    ///< all that were read for it, bases included, without links
  nono::profile says;                ///< merged
  std::vector<const group*> groups;  ///< beyond the default ones
  builtin_profile view;              ///< the above, as the rest of the command knows profiles

  [[nodiscard]] bool leaves_out(std::string_view group) const {
    return std::find(says.without_groups.begin(), says.without_groups.end(), group) !=
           says.without_groups.end();
  }
};

/// The groups with rules of this system that a run with the profile has, the default ones first.
std::vector<const group*> groups_here(const chosen_profile& chosen);

/// Finds and reads a profile: a path (it has a slash or ends in .json or .jsonc), else a name: NAME.jsonc or NAME.json
/// in the user's profiles, else a built-in one.
/// extends: more bases, by path or by name, in front of those that the profile names.
/// Errors: profile_not_found, profile_unreadable, profile_extends_*, profile_group_*, platform_rule_*, those of parse_profile().
result<std::shared_ptr<const chosen_profile>> choose_profile(const std::string& given, const host& here,
                                                             const std::vector<std::string>& extends = {});

/// The profile that a text would be in a file of that path, which is absolute and need not be there.
/// Errors: as those of choose_profile().
result<std::shared_ptr<const chosen_profile>> profile_of_text(const std::string& text,
                                                              const std::string& path, const host& here);

/// True for letters, digits and hyphens, with none of these at an end.
bool is_profile_name(std::string_view name);

/// Where the user's own profiles are.
std::string profiles_directory(const host& here);

/// The name of a group that was probably meant; empty when none is near.
std::string nearest_group(std::string_view name);

/// The file of a profile as it stands, whatever it says; of a built-in one its own words.
/// Errors: profile_not_found, profile_unreadable.
result<std::string> text_of_profile(const std::string& given, const host& here);

/// What `profile validate` has to say of a profile that can be used.
std::vector<std::string> warnings_of(const chosen_profile& chosen);

/// The user's own profiles by name, sorted, each with its path.
std::vector<std::pair<std::string, std::string>> user_profiles(const host& here);

/// A path of a profile with its variables replaced; relative paths stay so. unknown: the variable that has no value.
/// Errors: bad_argument where the environment gives a known variable a value that is no absolute path.
result<std::string> with_variables(std::string_view path, const host& here, std::string_view workdir,
                                   std::string& unknown);

}  // namespace nono::cli
