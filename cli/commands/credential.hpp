// SPDX-License-Identifier: Apache-2.0
// `nono credential`: the secrets in the system's keyring. None is ever shown, or taken as an argument.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace nono::cli {

class credential_flags {
 public:
  /// app: the command `credential`.
  explicit credential_flags(CLI::App& app) : app_(app) {}
  credential_flags(const credential_flags&) = delete;
  credential_flags& operator=(const credential_flags&) = delete;

  /// Sets the flags up.
  void add();
  /// What is wrong with what was given, or nothing.
  [[nodiscard]] std::string wrong() const;
  /// Runs the sub command that was given. Gives the exit code.
  int run();

 private:
  CLI::App& app_;
  CLI::App* set_ = nullptr;
  CLI::App* list_ = nullptr;
  CLI::App* remove_ = nullptr;
  std::string service_;
  std::string name_;
  std::vector<std::string> too_many_;
};

}  // namespace nono::cli
