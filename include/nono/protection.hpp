// SPDX-License-Identifier: Apache-2.0
// The table of protections: what each one closes, and which mechanism of which kernel gives it.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nono/error.hpp>
#include <nono/network.hpp>

namespace nono {

/// What a sandbox protects. What a policy names is required; what the defaults add is preferred.
enum class protection : std::uint8_t {
  filesystem,
  truncate,
  device_ioctl,
  network,
  signals,
  abstract_unix,
  pathname_unix,
  terminal_input,
  process_limits,
  scheduling,
  keyring,
  namespaces,
  mounts,
  kernel_surface,
  io_uring,
  process_memory,
  ipc,
  foreign_abi,
  cpu_affinity,
  metadata,
  names,
};
inline constexpr std::size_t protection_count = 21;

/// Who can give a protection.
struct protection_row {
  protection id;
  std::string_view name;      ///< the word that flags and reports use
  std::uint8_t landlock_abi;  ///< the first Landlock ABI that enforces it; 0: none does
  bool seccomp;               ///< a seccomp filter enforces it, or complements older ABIs
  bool network_namespace;     ///< the loopback network enforces it
  bool supervisor;            ///< spawn_supervised() and `nono run` enforce it, or complement older ABIs
  bool linux_only;            ///< no other system can give it: a portable policy cannot name it
  std::string_view kernel;    ///< the kernel that first has it
  std::string_view closes;    ///< what is closed, in words
};

inline constexpr protection_row protections[] = {
    {protection::filesystem, "filesystem", 1, false, false, false, false, "Linux 5.13",
     "files and directories outside every grant"},
    {protection::truncate, "truncate", 3, true, false, false, false, "Linux 5.13",
     "emptying files outside every write grant"},
    {protection::device_ioctl, "device_ioctl", 5, false, false, false, false, "Linux 6.10",
     "ioctl on devices opened inside the sandbox"},
    {protection::network, "network", 4, true, true, false, false, "Linux 5.13 (ports: 6.7)",
     "sockets beyond the policy's network"},
    {protection::signals, "signals", 6, false, false, false, false, "Linux 6.12",
     "signals to processes outside the sandbox"},
    {protection::abstract_unix, "abstract_unix", 6, true, true, false, true, "Linux 6.12",
     "abstract unix sockets of processes outside"},
    {protection::pathname_unix, "pathname_unix", 9, true, false, true, false, "Linux 7.1",
     "unix sockets in the file system (docker, D-Bus, ssh-agent)"},
    {protection::terminal_input, "terminal_input", 0, true, false, false, false, "Linux 5.13",
     "typing into the terminal (TIOCSTI, TIOCLINUX)"},
    {protection::process_limits, "process_limits", 0, true, false, false, true, "Linux 5.13",
     "changing other processes' resource limits (prlimit)"},
    {protection::scheduling, "scheduling", 0, true, false, false, true, "Linux 5.13",
     "priority and scheduling policy of other processes"},
    {protection::keyring, "keyring", 0, true, false, false, true, "Linux 5.13", "the kernel's key rings"},
    {protection::namespaces, "namespaces", 0, true, false, false, true, "Linux 5.13",
     "new namespaces and entering others"},
    {protection::mounts, "mounts", 1, true, false, false, false, "Linux 5.13",
     "mounting, unmounting and moving mounts"},
    {protection::kernel_surface, "kernel_surface", 0, true, false, false, true, "Linux 5.13",
     "bpf, perf_event_open and userfaultfd"},
    {protection::io_uring, "io_uring", 0, true, false, false, true, "Linux 5.13",
     "io_uring, which no filter can look into"},
    {protection::process_memory, "process_memory", 1, true, false, false, false, "Linux 5.13",
     "reading and writing other processes' memory"},
    {protection::ipc, "ipc", 0, true, false, false, false, "Linux 5.13",
     "System V shared memory, semaphores and queues, POSIX queues"},
    {protection::foreign_abi, "foreign_abi", 0, true, false, false, true, "Linux 5.13",
     "system calls by another architecture's entry (i386, x32)"},
    {protection::cpu_affinity, "cpu_affinity", 0, false, false, true, true, "Linux 6.12",
     "pinning other processes to processors"},
    {protection::metadata, "metadata", 0, false, false, true, false, "Linux 5.13",
     "chmod, chown, utimes and setxattr outside every grant"},
    {protection::names, "names", 0, false, false, false, false, "none",
     "stat: names, sizes and dates of files outside every grant"},
};
static_assert(sizeof(protections) / sizeof(protections[0]) == protection_count);

constexpr const protection_row& row_of(protection id) noexcept {
  return protections[static_cast<std::size_t>(id)];
}

/// True for what a policy names, as against what the defaults add: a kernel that lacks it is an error.
constexpr bool is_named(protection id, network_mode network, unix_sockets sockets) noexcept {
  switch (id) {
    case protection::filesystem:
      return true;
    case protection::network:
      return network != network_mode::unrestricted;
    case protection::pathname_unix:
      return sockets == unix_sockets::none || sockets == unix_sockets::granted;
    default:
      return false;
  }
}

/// The rule of what a policy may give up: something that is enforced somewhere.
constexpr errc check_best_effort(protection id) noexcept {
  const bool enforced = id != protection::names;
  return enforced ? errc::none : errc::protection_not_enforceable;
}
/// The rule of what a policy may lift: as above, and never foreign_abi, whose calls no filter can tell apart.
constexpr errc check_lift(protection id) noexcept {
  return id == protection::foreign_abi ? errc::protection_not_liftable : check_best_effort(id);
}

/// A set of protections in one word.
class protection_set {
 public:
  constexpr protection_set() = default;
  constexpr protection_set(protection id) noexcept : bits_(bit(id)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] constexpr bool has(protection id) const noexcept { return (bits_ & bit(id)) != 0; }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  [[nodiscard]] constexpr bool contains(protection_set other) const noexcept {
    return (bits_ & other.bits_) == other.bits_;
  }
  constexpr protection_set& operator|=(protection_set other) noexcept { return bits_ |= other.bits_, *this; }
  constexpr protection_set& operator&=(protection_set other) noexcept { return bits_ &= other.bits_, *this; }
  constexpr protection_set& operator-=(protection_set other) noexcept { return bits_ &= ~other.bits_, *this; }
  friend constexpr bool operator==(protection_set, protection_set) = default;

 private:
  static constexpr std::uint32_t bit(protection id) noexcept { return 1U << static_cast<unsigned>(id); }
  std::uint32_t bits_ = 0;
};
static_assert(protection_count <= 32);

/// What no Landlock ABI gives.
inline constexpr int no_landlock_abi = INT_MAX;

/// The first Landlock ABI on which a sandbox can give protection `id`; 0: seccomp or a namespace gives it on every
/// kernel, or this network and these sockets do not ask for it. `lifted` matters to process_memory, which every Landlock
/// domain gives, whatever it was made for: no_landlock_abi where nothing is left that makes one.
constexpr int needed_abi(protection id, network_mode network, unix_sockets sockets,
                         protection_set lifted = {}) noexcept {
  switch (id) {
    case protection::filesystem:
    case protection::device_ioctl:
    case protection::signals:
      return row_of(id).landlock_abi;
    case protection::network:
      return network == network_mode::ports ? row_of(id).landlock_abi : 0;
    case protection::abstract_unix:
      return network == network_mode::loopback || sockets == unix_sockets::none ? 0 : row_of(id).landlock_abi;
    case protection::pathname_unix:
      return sockets == unix_sockets::none || sockets == unix_sockets::any ? 0 : row_of(id).landlock_abi;
    case protection::process_memory:
      if (!lifted.has(protection::filesystem)) return row_of(protection::filesystem).landlock_abi;
      if (network == network_mode::blocked || network == network_mode::ports)
        return row_of(protection::network).landlock_abi;
      if (!lifted.has(protection::signals) || !lifted.has(protection::abstract_unix))
        return row_of(protection::signals).landlock_abi;
      return sockets == unix_sockets::any ? no_landlock_abi : row_of(protection::pathname_unix).landlock_abi;
    default:  // truncate and mounts have a seccomp complement; the rest is no matter of Landlock
      return 0;
  }
}

/// Where a protection stands in one sandbox.
enum class standing : std::uint8_t {
  by_landlock,
  by_seccomp,
  by_landlock_and_seccomp,
  by_namespace,
  by_supervisor,    ///< decided call by call beside the child
  by_seatbelt,      ///< on macOS
  not_asked,        ///< the policy does not ask for it, or lifts it by name
  missing,          ///< asked for, and this kernel cannot give it
  not_enforceable,  ///< no kernel gives it without a supervisor
};

constexpr std::string_view name_of(standing s) noexcept {
  constexpr std::string_view names[] = {"Landlock",          "seccomp",    "Landlock and seccomp",
                                        "network namespace", "supervisor", "Seatbelt",
                                        "not asked",         "missing",    "not enforceable"};
  return names[static_cast<std::size_t>(s)];
}

namespace detail {

/// What is left of a policy's network and sockets once their protections are lifted, and what hosts come to with a runner.
/// Policy: policy_ref, bound_policy.
template <class Policy>
constexpr network_mode network_of(const Policy& p) noexcept {
  if (p.lifted.has(protection::network)) return network_mode::unrestricted;
  if constexpr (requires { p.gate; })
    if (p.network.mode == network_mode::hosts && p.gate.port != 0)
      return p.gate.own_network ? network_mode::loopback : network_mode::ports;
  return p.network.mode;
}
template <class Policy>
constexpr unix_sockets sockets_of(const Policy& p) noexcept {
  return p.lifted.has(protection::pathname_unix) ? unix_sockets::any : p.sockets;
}

}  // namespace detail

}  // namespace nono
