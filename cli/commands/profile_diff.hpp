// SPDX-License-Identifier: Apache-2.0
// `nono profile diff`: what one profile comes to that another does not, here and now.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nono::cli {

/// One thing that the profiles do not have in common.
struct difference {
  std::string what;
  std::string access{};  ///< of a path: what is granted there
};

/// Differences of one kind. A wider grant covers what lies below it, whichever profile has that one by one.
struct difference_section {
  std::string_view name;  ///< groups, paths, denies, network, protections, workdir, variables, commands
  std::vector<difference> only_a, only_b;
};

struct profile_difference {
  std::string a, b;  ///< as they were named
  std::vector<difference_section> sections;
};

/// Compares them. Gives the exit code: 0 whatever the answer, 1 where one cannot be used.
int diff_profiles(const std::string& a, const std::string& b, bool json);
std::string to_json(const profile_difference& d);

}  // namespace nono::cli
