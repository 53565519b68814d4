// SPDX-License-Identifier: Apache-2.0
// The built-in profiles, as data: groups beyond the default ones, the working directory, the network, directories of their
// own.
#pragma once

#include <span>
#include <string_view>

#include <nono/policy.hpp>
#include <nono/right.hpp>

namespace nono::cli {

struct builtin_profile {
  std::string_view name;
  std::string_view description;
  std::span<const group* const> groups;  ///< in addition to those of `default`
  right workdir = no_rights;
  bool wants_hosts = false;                   ///< asks for a host-filtered network
  bool full_ipc = false;                      ///< System V IPC and abstract sockets
  std::span<const std::string_view> allow{};  ///< directories to read and write, as in a file
  bool interactive = false;
};

/// The groups of every profile.
std::span<const group* const> default_groups();

std::span<const builtin_profile> builtin_profiles();

/// A group of the reference that has no rules on paths here: names of commands, or nothing that Linux could do.
struct group_without_rules {
  std::string_view name;
  std::string_view description;
  platform on = platform::any;
  std::span<const std::string_view> commands{};  ///< that are not started by slip
  bool unlink = false;                           ///< denies removing files

  [[nodiscard]] bool here() const noexcept { return on == platform::any || on == this_platform; }
};

std::span<const group_without_rules> groups_without_rules();

/// The profile of that name; null if there is none.
const builtin_profile* find_profile(std::string_view name);

}  // namespace nono::cli
