// SPDX-License-Identifier: Apache-2.0
// `nono profile groups`: what the groups are that profiles are made of.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nono::cli {

struct groups_options {
  std::string name;  ///< empty: all of them
  bool json = false;
  bool all_platforms = false;
};

/// A path as the group has it, and what it comes to here.
struct listed_path {
  std::string raw;
  std::string expanded;
};

/// One group of the list.
struct listed_group {
  std::string name;
  std::string description;
  std::string_view platform;  ///< linux, macos, cross-platform
  bool required = false;
  std::vector<std::pair<std::string, std::vector<listed_path>>> allow;  ///< read, write, readwrite
  std::vector<listed_path> deny;
  std::vector<std::string> commands;
  bool unlink = false;
};

/// Shows them, a line each, or one of them whole. Gives the exit code.
int show_groups(const groups_options& o);
std::string to_json(const listed_group& g);
std::string to_json(const std::vector<listed_group>& all);

}  // namespace nono::cli
