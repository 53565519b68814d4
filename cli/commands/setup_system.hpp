// SPDX-License-Identifier: Apache-2.0
// What `nono setup` asks of this system and tries on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/report.hpp>

namespace nono::cli {

/// A step of the self test, and whether what it says was seen.
struct tried_step {
  bool ok = false;
  std::string_view what;
};

struct system_setup {
  std::string binary;                 ///< this program, without links
  std::string lines;                  ///< what there is, a line each
  std::optional<enforcement> report;  ///< of a run without profile
  std::vector<tried_step> test;       ///< in forked children
};

system_setup look_at_system();

}  // namespace nono::cli
