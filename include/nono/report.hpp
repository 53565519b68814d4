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

/// Where the sandbox will stand.
enum class sandbox_target : std::uint8_t {
  this_process,
  child,
  supervised_child,  ///< a child whose calls a supervisor decides where the kernel alone cannot
};

constexpr std::string_view name_of(sandbox_target target) noexcept {
  constexpr std::string_view names[] = {"this process", "child", "supervised child"};
  return names[static_cast<std::size_t>(target)];
}

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

/// How the threads of a process were confined.
enum class thread_mode : std::uint8_t {
  single,               ///< there was one
  calling_thread_only,  ///< by that name: the others are as free as before
  tsync,                ///< all, by the kernel in one step (ABI 8)
  broadcast,            ///< all, each by itself while the others stood still: each has a domain of its own
};

constexpr std::string_view name_of(thread_mode mode) noexcept {
  constexpr std::string_view names[] = {"single", "calling_thread_only", "tsync", "broadcast"};
  return names[static_cast<std::size_t>(mode)];
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
  std::uint32_t on_9p = 0;                               ///< of the rules, those on 9p
  std::uint32_t on_fuse = 0;                             ///< of the rules, those on FUSE
  std::uint32_t threads = 0;                             ///< confined threads
  thread_mode mode = thread_mode::single;                ///< how they were
  // What apply() found open, and cannot take back.
  std::uint32_t network_sockets = 0;   ///< sockets of any family but AF_UNIX
  std::uint32_t unix_connections = 0;  ///< unix sockets that are connected to a named one
  std::uint32_t io_uring_rings = 0;    ///< io_uring instances

  [[nodiscard]] constexpr standing of(protection id) const noexcept {
    return protections[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] constexpr demand demand_for(protection id) const noexcept {
    return demands[static_cast<std::size_t>(id)];
  }
  /// True when the protection is in force, by whichever mechanism.
  [[nodiscard]] constexpr bool enforced(protection id) const noexcept {
    return static_cast<std::uint8_t>(of(id)) <= static_cast<std::uint8_t>(standing::by_seatbelt);
  }
};

/// The report: the ABI (and what it promises but lacks), then for each protection what the policy wants, who gives
/// it and what it closes.
inline std::string to_text(const enforcement& e) {
  std::string out = (e.of(protection::filesystem) == standing::by_seatbelt
                         ? std::string("Seatbelt")
                         : "Landlock ABI " + std::to_string(e.landlock_abi)) +
                    ", " + std::to_string(e.rules) + " rules (" + std::to_string(e.covered) +
                    " covered by wider ones, " + std::to_string(e.skipped) + " without a path)\n";
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
  if (e.on_9p + e.on_fuse != 0)
    out += "  rules on 9p: " + std::to_string(e.on_9p) + ", on FUSE: " + std::to_string(e.on_fuse) +
           "; where these make inodes anew, what is granted is refused\n";
  if (e.mode != thread_mode::single) {
    out += "  threads: " + std::to_string(e.threads) + ", " + std::string(name_of(e.mode));
    if (e.mode == thread_mode::calling_thread_only) out += ": the others are not confined";
    if (e.mode == thread_mode::broadcast)
      out += ": none can signal or inspect what another starts from now on";
    out += '\n';
  }
  if (e.network_sockets + e.unix_connections + e.io_uring_rings != 0)
    out += "  open from before: " + std::to_string(e.network_sockets) + " network sockets, " +
           std::to_string(e.unix_connections) + " unix connections, " + std::to_string(e.io_uring_rings) +
           " io_uring rings\n";
  return out;
}

}  // namespace nono
