// SPDX-License-Identifier: Apache-2.0
// The report of a sandbox: what is enforced, by which mechanism, and what is not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nono/linux/abi.hpp>
#include <nono/protection.hpp>

namespace nono {

/// How much a policy wants a protection.
enum class demand : std::uint8_t {
  none,       ///< the policy has no use for it (its network is open, say), or no kernel gives it
  preferred,  ///< by default: given where the kernel can, reported where not
  required,   ///< named by the policy, or all of them by strict(): without it nothing is applied
  lifted,     ///< given up by name
};

constexpr std::string_view name_of(demand d) noexcept {
  constexpr std::string_view names[] = {"none", "preferred", "required", "lifted"};
  return names[static_cast<std::size_t>(d)];
}

/// What one apply() or spawn() put in force.
struct enforcement {
  int landlock_abi = 0;             ///< as the kernel answers; 0: none
  int real_abi = 0;                 ///< the newest ABI up to that which is there whole
  linux_abi::access_masks missing;  ///< what the answered ABI promises and the kernel refuses
  std::array<standing, protection_count> protections{};  ///< by protection
  std::array<demand, protection_count> demands{};        ///< by protection
  std::uint32_t rules = 0;                               ///< path rules given to the kernel
  std::uint32_t covered = 0;                             ///< rules that a wider one made needless
  std::uint32_t skipped = 0;                             ///< rules left out because their path does not exist
  std::uint32_t threads = 0;                             ///< confined threads

  [[nodiscard]] constexpr standing of(protection id) const noexcept {
    return protections[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] constexpr demand demand_for(protection id) const noexcept {
    return demands[static_cast<std::size_t>(id)];
  }
  /// True when the protection is in force, by whichever mechanism.
  [[nodiscard]] constexpr bool enforced(protection id) const noexcept {
    return static_cast<std::uint8_t>(of(id)) <= static_cast<std::uint8_t>(standing::by_supervisor);
  }
};

/// The report: the ABI (and what it promises but lacks), then for each protection what the policy wants, who gives
/// it and what it closes.
inline std::string to_text(const enforcement& e) {
  std::string out = "Landlock ABI " + std::to_string(e.landlock_abi) + ", " + std::to_string(e.rules) +
                    " rules (" + std::to_string(e.covered) + " covered by wider ones, " +
                    std::to_string(e.skipped) + " without a path)\n";
  if (!e.missing.empty())
    out += "  abi=" + std::to_string(e.landlock_abi) + " (claimed), missing: " + to_text(e.missing) +
           "; as good as ABI " + std::to_string(e.real_abi) + '\n';
  for (const protection_row& row : protections) {
    std::string line = "  ";
    line += row.name;
    line.resize(18, ' ');
    if (e.demand_for(row.id) != demand::none) line += name_of(e.demand_for(row.id));
    line.resize(29, ' ');
    line += name_of(e.of(row.id));
    line.resize(52, ' ');
    line += row.closes;
    out += line + '\n';
  }
  return out;
}

}  // namespace nono
