// SPDX-License-Identifier: Apache-2.0
// The one resolver: flags, profile and environment become a policy, a program, an environment and notes. What is
// printed, what is enforced and what a dry run shows all come from here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/capability_set.hpp>
#include <nono/error.hpp>
#include <nono/resolve.hpp>

#include "cli/resolve/environment.hpp"
#include "cli/resolve/host_filter.hpp"
#include "cli/resolve/options.hpp"
#include "cli/resolve/profile_file.hpp"
#include "cli/resolve/profiles.hpp"
#include "cli/resolve/program.hpp"

namespace nono::cli {

/// What a grant lets the command of a run write.
struct writable_grant {
  std::string canonical;
  std::string written;  ///< as the grant has it
  inode_id inode;
  origin from = origin::user;
};

/// The system around one run, so that tests can bring their own.
struct host {
  std::string home;      ///< absolute; never empty
  std::string current;   ///< the current directory, as the shell spells it
  std::string path;      ///< the value of PATH
  bool has_path = true;  ///< false: PATH is unset
  const char* const* environment = nullptr;
  /// By the command, once its policy is bound: nothing from there is started on its behalf.
  std::vector<writable_grant> writable{};

  /// The value of a variable; nothing when it is unset or empty.
  [[nodiscard]] std::optional<std::string_view> variable(std::string_view name) const;
  /// nono's own directory below one of the XDG base directories, which wants an absolute value; else below the home
  /// directory. below: "/.local/state", say.
  [[nodiscard]] std::string own_directory(std::string_view xdg, std::string_view below) const;
};

/// Reads the host: HOME (else the password database), PWD or getcwd. Errors: bad_argument with a sentence.
result<host> this_host(const char* const* environment);
/// The same with the variables of this process.
result<host> this_host();

/// A profile's or the default's wish for the working directory.
enum class cwd_grant : std::uint8_t {
  not_needed,  ///< nothing asks for it, or a grant covers it
  granted,     ///< --allow-cwd
  ask,         ///< wanted, and only the user can say yes
};

/// Everything that is known before the first path is bound.
struct resolution {
  capability_set policy;
  program target;
  std::string workdir;  ///< absolute
  cwd_grant cwd = cwd_grant::not_needed;
  right cwd_rights = no_rights;
  std::shared_ptr<const chosen_profile> chosen;  ///< null: no profile was named
  const builtin_profile* profile = nullptr;      ///< what `chosen` is to the rest of the command
  std::optional<host_filter> hosts;              ///< of a network that names hosts
  std::vector<std::uint16_t> open_ports;         ///< meant for localhost alone
  std::vector<env_credential> env_credentials;   ///< secrets that the command is given
  std::optional<std::string> java;  ///< Java's tools are granted; where Maven is installed, empty: not known
  std::vector<std::string> protected_roots;                    ///< nono's own state and configuration
  std::vector<std::string> warnings;                           ///< always printed (unless silent)
  std::vector<std::string> notes;                              ///< printed with -v
  std::vector<std::pair<std::string, std::string>> variables;  ///< for the child
  variable_filter inherited;                                   ///< which variables the child inherits
};

/// The source of the denies that protect nono's own directories; scripts look for these words.
inline constexpr std::string_view protected_root = "protected nono state root";

/// Resolves. scratch: the child's private temporary directory; empty in a dry run.
/// Errors: a nono::error whose message is the sentence to print.
result<resolution> resolve(const run_options& options, const host& here, std::string_view scratch);

/// Grants the working directory after the user said yes.
result<success> grant_workdir(resolution& r);

/// Warns of each file of the profile and its bases that the command could change. Where the user is asked for the working
/// directory, resolve() leaves this for after the answer.
void warn_of_writable_profiles(resolution& r);

/// True when `path` is granted with `rights` by the user's or profile's own rules of `r`, by name.
bool covered(const resolution& r, std::string_view path, right rights);

}  // namespace nono::cli
