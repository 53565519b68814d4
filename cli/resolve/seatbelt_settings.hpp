// SPDX-License-Identifier: Apache-2.0
// What a profile by name says to Seatbelt beside its policy: for the run on macOS, and for `--format sbpl` on any system.
#pragma once

#include <string_view>
#include <vector>

#include <nono/macos/settings.hpp>

#include "cli/resolve/profile_file.hpp"

namespace nono::cli {

/// The settings of a profile, as they were read. They refer to the profile, which must outlive them.
class seatbelt_settings {
 public:
  /// chosen: null: no profile was named.
  explicit seatbelt_settings(const chosen_profile* chosen);

  /// For to_sbpl() and what confines. They refer to this object.
  [[nodiscard]] seatbelt::settings get(seatbelt::path_text paths = seatbelt::path_text::parameters) const;

 private:
  seatbelt::settings with_;
  std::vector<std::string_view> platform_rules_;
};

}  // namespace nono::cli
