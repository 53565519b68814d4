// SPDX-License-Identifier: Apache-2.0
// `nono profile show`: what one profile grants here and now, as text, as a profile, as data, as code and as
// macOS would get it.
#pragma once

#include <string>

namespace nono::cli {

struct show_options {
  std::string name;
  bool tree = false;
  bool json = false;
  bool raw = false;
  std::string format;  ///< profile, cpp, state or sbpl; empty: for a reader
};

/// What is wrong with the options, or nothing.
std::string check(const show_options& o);

/// Shows it. Gives the exit code.
int show_profile(const show_options& o);

}  // namespace nono::cli
