// SPDX-License-Identifier: Apache-2.0
// The sub commands of `nono profile` and their flags.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "cli/commands/profile_groups.hpp"
#include "cli/commands/profile_init.hpp"
#include "cli/commands/profile_show.hpp"

namespace nono::cli {

class profile_flags {
 public:
  /// app: the command `profile`.
  explicit profile_flags(CLI::App& app) : app_(app) {}
  profile_flags(const profile_flags&) = delete;
  profile_flags& operator=(const profile_flags&) = delete;

  /// Sets the flags up.
  void add();
  /// What is wrong with what was given, or nothing.
  [[nodiscard]] std::string wrong() const;
  /// Runs the sub command that was given. Gives the exit code.
  int run();

 private:
  CLI::App& app_;
  CLI::App* list_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* validate_ = nullptr;
  CLI::App* schema_ = nullptr;
  CLI::App* groups_ = nullptr;
  CLI::App* init_ = nullptr;
  CLI::App* diff_ = nullptr;
  std::string name_;
  bool json_ = false;
  bool strict_ = false;
  std::string file_;
  show_options shown_;
  groups_options listed_;
  init_options begun_;
  std::string other_;
};

}  // namespace nono::cli
