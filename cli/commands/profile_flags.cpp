// SPDX-License-Identifier: Apache-2.0
// The sub commands of `nono profile` and their flags.
#include "cli/commands/profile_flags.hpp"

#include "cli/commands/profile.hpp"
#include "cli/commands/profile_diff.hpp"

namespace nono::cli {

void profile_flags::add() {
  app_.require_subcommand(1);
  list_ = app_.add_subcommand("list", "Name them, the user's own too");
  list_->add_flag("--json", json_, "As JSON");

  show_ = app_.add_subcommand("show", "Show what one grants here and now");
  show_->add_option("name", shown_.name, "The profile")->required()->type_name("PROFILE");
  auto* tree = show_->add_flag("--tree", shown_.tree, "By path, as a tree");
  auto* json =
      show_->add_flag("--json", shown_.json, "The profile with all that it extends, as one profile file")
          ->excludes(tree);
  auto* raw = show_->add_flag("--raw", shown_.raw, "The file as it stands")->excludes(tree)->excludes(json);
  show_
      ->add_option("--format", shown_.format,
                   "profile (as --json), cpp (code in the words of nono::caps()), state (the policy as data) "
                   "or sbpl (what "
                   "macOS would get)")
      ->excludes(tree)
      ->excludes(json)
      ->excludes(raw)
      ->type_name("FORMAT");

  validate_ = app_.add_subcommand("validate", "Say whether a profile file can be used");
  validate_->add_option("profile", name_, "The file, or a profile by name")->required()->type_name("PROFILE");
  validate_->add_flag("--json", json_, "As JSON");
  validate_->add_flag("--strict", strict_, "Old spellings are an error: exit code 2");

  schema_ = app_.add_subcommand("schema", "Print the JSON Schema of profile files");
  schema_->add_option("-o,--output", file_, "Into a file")->type_name("FILE");

  groups_ = app_.add_subcommand("groups", "Name the groups that profiles are made of, or show one");
  groups_->add_option("name", listed_.name, "The group; all of this system if it is not given")
      ->type_name("NAME");
  groups_->add_flag("--json", listed_.json, "As JSON");
  groups_->add_flag("--all-platforms", listed_.all_platforms, "Those of other systems too");

  init_ = app_.add_subcommand("init", "Begin a profile file that can be used as it is");
  init_->add_option("name", begun_.name, "Its name: letters, digits and hyphens")
      ->required()
      ->type_name("NAME");
  init_->add_option("--extends", begun_.extends, "A profile that it extends; again for several")
      ->allow_extra_args(false)
      ->type_name("PROFILE");
  init_->add_option("--groups", begun_.groups, "Groups that it includes; commas separate")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->type_name("NAMES");
  init_->add_option("--description", begun_.description, "What it is for")->type_name("TEXT");
  init_->add_flag("--full", begun_.full, "With every field, to be filled in");
  init_->add_option("-o,--output", begun_.output, "Into this file, instead of your profile directory")
      ->type_name("FILE");
  init_->add_flag("--force", begun_.force, "Replace a file that is there");

  diff_ = app_.add_subcommand("diff", "Say what profile B grants more or less than A, here and now");
  diff_->add_option("a", name_, "The one profile")->required()->type_name("PROFILE");
  diff_->add_option("b", other_, "The other")->required()->type_name("PROFILE");
  diff_->add_flag("--json", json_, "As JSON");
}

std::string profile_flags::wrong() const { return show_->parsed() ? check(shown_) : std::string(); }

int profile_flags::run() {
  if (list_->parsed()) return list_profiles(json_);
  if (show_->parsed()) return show_profile(shown_);
  if (validate_->parsed()) return validate_profile(name_, json_, strict_);
  if (groups_->parsed()) return show_groups(listed_);
  if (init_->parsed()) return init_profile(begun_);
  if (diff_->parsed()) return diff_profiles(name_, other_, json_);
  return print_schema(file_);
}

}  // namespace nono::cli
