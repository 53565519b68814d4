// SPDX-License-Identifier: Apache-2.0
// `nono profile init`: a new profile file that can be used as it is.
#pragma once

#include <string>
#include <vector>

namespace nono::cli {

struct init_options {
  std::string name;
  std::vector<std::string> extends;
  std::vector<std::string> groups;
  std::string description;
  bool full = false;   ///< every field
  std::string output;  ///< empty: NAME.json among the user's profiles
  bool force = false;  ///< replaces a file that is there
};

/// Writes it. Nothing else is touched where that is refused. Gives the exit code.
int init_profile(const init_options& o);

}  // namespace nono::cli
