// SPDX-License-Identifier: Apache-2.0
// Hosts by the name of what they are for, as data: network groups, and the profiles made of them.
#pragma once

#include <span>
#include <string_view>

namespace nono::cli {

/// A named list of hosts. `package_registries` has none here: they are read from the user's own tools (registries.hpp).
struct host_group {
  std::string_view name;
  std::span<const std::string_view> hosts;
};

/// A named list of groups.
struct host_profile {
  std::string_view name;
  std::span<const std::string_view> groups;
};

inline constexpr std::string_view package_registries = "package_registries";

std::span<const host_group> host_groups();
std::span<const host_profile> host_profiles();

/// By name; null if there is none.
const host_group* find_host_group(std::string_view name);
const host_profile* find_host_profile(std::string_view name);

}  // namespace nono::cli
