// SPDX-License-Identifier: Apache-2.0
// The report of a sandbox: what is enforced, by which mechanism, and what is not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nono/protection.hpp>

namespace nono {

/// What one apply() or spawn() put in force.
struct enforcement {
  int landlock_abi = 0;                                  ///< the running kernel's; 0: none
  std::array<standing, protection_count> protections{};  ///< by protection
  std::uint32_t rules = 0;                               ///< path rules given to the kernel
  std::uint32_t covered = 0;                             ///< rules that a wider one made needless
  std::uint32_t skipped = 0;                             ///< rules left out because their path does not exist
  std::uint32_t threads = 0;                             ///< confined threads

  [[nodiscard]] constexpr standing of(protection id) const noexcept {
    return protections[static_cast<std::size_t>(id)];
  }
  /// True when the protection is in force, by whichever mechanism.
  [[nodiscard]] constexpr bool enforced(protection id) const noexcept {
    return static_cast<std::uint8_t>(of(id)) <= static_cast<std::uint8_t>(standing::by_namespace);
  }
};

/// The report, a line for each protection.
inline std::string to_text(const enforcement& e) {
  std::string out = "Landlock ABI " + std::to_string(e.landlock_abi) + ", " + std::to_string(e.rules) +
                    " rules (" + std::to_string(e.covered) + " covered by wider ones, " +
                    std::to_string(e.skipped) + " without a path)\n";
  for (const protection_row& row : protections) {
    std::string line = "  ";
    line += row.name;
    line.resize(18, ' ');
    line += name_of(e.of(row.id));
    line.resize(41, ' ');
    line += row.closes;
    out += line + '\n';
  }
  return out;
}

}  // namespace nono
