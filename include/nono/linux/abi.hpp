// SPDX-License-Identifier: Apache-2.0
// Landlock's binary interface: our own constants (the installed header is often older than the kernel), the
// layouts, and one row for each ABI. Rows above 7 come from the kernel's source and were not seen running.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <nono/right.hpp>

namespace nono::linux_abi {

// Source: include/uapi/linux/landlock.h
inline constexpr std::uint32_t create_ruleset_version = 1U << 0;
inline constexpr std::uint32_t create_ruleset_errata = 1U << 1;
inline constexpr std::uint32_t restrict_self_tsync = 1U << 3;
inline constexpr int first_abi_with_tsync = 8;
inline constexpr std::uint32_t erratum_signals_between_threads = 1U << 1;  // number 2
inline constexpr int rule_path_beneath = 1;
inline constexpr int rule_net_port = 2;

inline constexpr std::uint64_t fs_execute = 1ULL << 0;
inline constexpr std::uint64_t fs_write_file = 1ULL << 1;
inline constexpr std::uint64_t fs_read_file = 1ULL << 2;
inline constexpr std::uint64_t fs_read_dir = 1ULL << 3;
inline constexpr std::uint64_t fs_remove_dir = 1ULL << 4;
inline constexpr std::uint64_t fs_remove_file = 1ULL << 5;
inline constexpr std::uint64_t fs_make_char = 1ULL << 6;
inline constexpr std::uint64_t fs_make_dir = 1ULL << 7;
inline constexpr std::uint64_t fs_make_reg = 1ULL << 8;
inline constexpr std::uint64_t fs_make_sock = 1ULL << 9;
inline constexpr std::uint64_t fs_make_fifo = 1ULL << 10;
inline constexpr std::uint64_t fs_make_block = 1ULL << 11;
inline constexpr std::uint64_t fs_make_sym = 1ULL << 12;
inline constexpr std::uint64_t fs_refer = 1ULL << 13;
inline constexpr std::uint64_t fs_truncate = 1ULL << 14;
inline constexpr std::uint64_t fs_ioctl_dev = 1ULL << 15;
inline constexpr std::uint64_t fs_resolve_unix = 1ULL << 16;
/// The rights that a rule on something other than a directory may carry.
inline constexpr std::uint64_t fs_on_files =
    fs_execute | fs_write_file | fs_read_file | fs_truncate | fs_ioctl_dev | fs_resolve_unix;

inline constexpr std::uint64_t net_bind_tcp = 1ULL << 0;
inline constexpr std::uint64_t net_connect_tcp = 1ULL << 1;
inline constexpr std::uint64_t net_bind_udp = 1ULL << 2;
inline constexpr std::uint64_t net_connect_send_udp = 1ULL << 3;

inline constexpr std::uint64_t scope_abstract_unix_socket = 1ULL << 0;
inline constexpr std::uint64_t scope_signal = 1ULL << 1;

/// Always passed whole and zero-filled: a kernel that knows less accepts the tail while it is zero.
struct ruleset_attr {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;  // ABI 4
  std::uint64_t scoped = 0;              // ABI 6
};
static_assert(sizeof(ruleset_attr) == 24);

struct __attribute__((packed)) path_beneath_attr {
  std::uint64_t allowed_access = 0;
  std::int32_t parent_fd = -1;
};
static_assert(sizeof(path_beneath_attr) == 12 && offsetof(path_beneath_attr, parent_fd) == 8);

struct net_port_attr {
  std::uint64_t allowed_access = 0;
  std::uint64_t port = 0;
};
static_assert(sizeof(net_port_attr) == 16);

/// What one Landlock ABI can handle.
struct abi_row {
  int abi;
  std::string_view kernel;
  std::uint64_t fs;
  std::uint64_t net;
  std::uint64_t scoped;
  std::string_view adds;
};

inline constexpr std::uint64_t fs_1 = 0x1fff;
inline constexpr std::uint64_t fs_2 = fs_1 | fs_refer;
inline constexpr std::uint64_t fs_3 = fs_2 | fs_truncate;
inline constexpr std::uint64_t fs_5 = fs_3 | fs_ioctl_dev;
inline constexpr std::uint64_t fs_9 = fs_5 | fs_resolve_unix;
inline constexpr std::uint64_t net_4 = net_bind_tcp | net_connect_tcp;
inline constexpr std::uint64_t net_10 = net_4 | net_bind_udp | net_connect_send_udp;
inline constexpr std::uint64_t scope_6 = scope_abstract_unix_socket | scope_signal;

inline constexpr abi_row abi_rows[] = {
    {1, "5.13", fs_1, 0, 0, "files and directories"},
    {2, "5.19", fs_2, 0, 0, "link and rename between directories"},
    {3, "6.2", fs_3, 0, 0, "truncate"},
    {4, "6.7", fs_3, net_4, 0, "TCP bind and connect by port"},
    {5, "6.10", fs_5, net_4, 0, "ioctl on devices"},
    {6, "6.12", fs_5, net_4, scope_6, "signal and abstract unix socket scopes"},
    {7, "6.15", fs_5, net_4, scope_6, "audit records"},
    {8, "7.0", fs_5, net_4, scope_6, "all threads at once"},
    {9, "7.1", fs_9, net_4, scope_6, "pathname unix sockets"},
    {10, "7.2", fs_9, net_10, scope_6, "UDP"},
    {11, "7.3", fs_9, net_10, scope_6, "no_new_privs with the restriction"},
    {12, "7.4", fs_9, net_10, scope_6, "namespaces and capabilities (not used)"},
};
inline constexpr int newest_abi = 12;

/// The row of an ABI; a newer kernel's number gets the newest row. `abi`: 1 or more.
constexpr const abi_row& row_of(int abi) noexcept {
  return abi_rows[(abi < 1 ? 1 : abi > newest_abi ? newest_abi : abi) - 1];
}

/// The kernel's bits for our rights.
constexpr std::uint64_t fs_bits(right rights) noexcept {
  std::uint64_t out = 0;
  const auto map = [&](right r, std::uint64_t bits) {
    if (contains(rights, r)) out |= bits;
  };
  map(right::read_file, fs_read_file);
  map(right::list, fs_read_dir);
  map(right::execute, fs_execute);
  map(right::write_file, fs_write_file);
  map(right::create,
      fs_make_char | fs_make_dir | fs_make_reg | fs_make_sock | fs_make_fifo | fs_make_block | fs_make_sym);
  map(right::remove, fs_remove_dir | fs_remove_file);
  map(right::refer, fs_refer);
  map(right::truncate, fs_truncate);
  map(right::ioctl, fs_ioctl_dev);
  map(right::connect_unix, fs_resolve_unix);
  return out;
}

/// Rights of all three kinds, as a ruleset handles them.
struct access_masks {
  std::uint64_t fs = 0;
  std::uint64_t net = 0;
  std::uint64_t scoped = 0;

  [[nodiscard]] constexpr bool empty() const noexcept { return (fs | net | scoped) == 0; }
  /// True when every right of `other` is among these.
  [[nodiscard]] constexpr bool has(const access_masks& other) const noexcept {
    return (other - *this).empty();
  }
  friend constexpr access_masks operator|(const access_masks& a, const access_masks& b) noexcept {
    return {a.fs | b.fs, a.net | b.net, a.scoped | b.scoped};
  }
  friend constexpr access_masks operator-(const access_masks& a, const access_masks& b) noexcept {
    return {a.fs & ~b.fs, a.net & ~b.net, a.scoped & ~b.scoped};
  }
  friend constexpr bool operator==(const access_masks&, const access_masks&) = default;
};

/// What the number of an ABI promises; nothing for 0.
constexpr access_masks promised_by(int abi) noexcept {
  if (abi < 1) return {};
  const abi_row& row = row_of(abi);
  return {row.fs, row.net, row.scoped};
}

/// What came into the kernel together and so is there or missing together. Where a kernel refuses what its number
/// promises, each group is tried alone.
inline constexpr access_masks probe_groups[] = {
    {.fs = fs_1},
    {.fs = fs_refer},
    {.fs = fs_truncate},
    {.fs = fs_ioctl_dev},
    {.fs = fs_resolve_unix},
    {.net = net_4},
    {.net = net_10 & ~net_4},
    {.scoped = scope_signal},
    {.scoped = scope_abstract_unix_socket},
};

/// What the running kernel offers. The masks are what counts: distributions move rights between kernels, and there
/// are reports of kernels that answer with an ABI and refuse rights of it.
/// Source: github.com/multikernel/sandlock/issues/17 (5.14.0-611.el9 answers 6 and knows the rights of 4)
struct kernel_support : access_masks {
  int landlock_abi = 0;      ///< as the kernel answers; 0: none
  std::uint32_t errata = 0;  ///< bit N-1 set: erratum N is fixed
  int landlock_errno = 0;    ///< why there is no Landlock: ENOSYS, EOPNOTSUPP, EPERM
  bool seccomp = false;
  /// This process has CAP_PERFMON or CAP_SYS_ADMIN, with which Linux shows it the environment of every process,
  /// Landlock or not. A child's capabilities are emptied.
  bool reads_all_memory = false;
  bool wsl2 =
      false;  ///< Windows' own Linux kernel, whose Windows drives (/mnt/c) are 9p; support() asks for it

  [[nodiscard]] constexpr access_masks& masks() noexcept { return *this; }
  [[nodiscard]] constexpr const access_masks& masks() const noexcept { return *this; }
  /// What the ABI promises and the kernel was seen to refuse.
  [[nodiscard]] constexpr access_masks missing() const noexcept { return promised_by(landlock_abi) - *this; }
  /// The newest ABI, up to the one it answers, all of whose rights are there; 0: none.
  [[nodiscard]] constexpr int real_abi() const noexcept {
    int abi = landlock_abi;
    while (abi > 0 && !has(promised_by(abi))) --abi;
    return abi;
  }
};

/// Whether the release of a kernel, as uname(2) says it, is WSL2's: "5.15.153.1-microsoft-standard-WSL2".
constexpr bool is_wsl2(std::string_view release) noexcept {
  return release.find("WSL2") != std::string_view::npos ||
         release.find("microsoft-standard") != std::string_view::npos;
}

/// A kernel of that ABI, 0 for none, which keeps what the number promises.
constexpr kernel_support kernel_of(int abi, bool seccomp = true) noexcept {
  kernel_support out;
  out.masks() = promised_by(abi);
  out.landlock_abi = abi;
  out.landlock_errno = abi == 0 ? ENOSYS : 0;
  out.seccomp = seccomp;
  return out;
}

/// One bit of the kernel and its word, as its documentation spells it in lower case.
struct bit_name {
  std::uint64_t bit;
  std::string_view name;
};
inline constexpr bit_name fs_names[] = {
    {fs_execute, "execute"},           {fs_write_file, "write_file"},
    {fs_read_file, "read_file"},       {fs_read_dir, "read_dir"},
    {fs_remove_dir, "remove_dir"},     {fs_remove_file, "remove_file"},
    {fs_make_char, "make_char"},       {fs_make_dir, "make_dir"},
    {fs_make_reg, "make_reg"},         {fs_make_sock, "make_sock"},
    {fs_make_fifo, "make_fifo"},       {fs_make_block, "make_block"},
    {fs_make_sym, "make_sym"},         {fs_refer, "refer"},
    {fs_truncate, "truncate"},         {fs_ioctl_dev, "ioctl_dev"},
    {fs_resolve_unix, "resolve_unix"},
};
inline constexpr bit_name net_names[] = {
    {net_bind_tcp, "bind_tcp"},
    {net_connect_tcp, "connect_tcp"},
    {net_bind_udp, "bind_udp"},
    {net_connect_send_udp, "connect_send_udp"},
};
inline constexpr bit_name scope_names[] = {
    {scope_signal, "signal"},
    {scope_abstract_unix_socket, "abstract_unix_socket"},
};

/// The rights as the kernel's audit records spell them: `fs.ioctl_dev, scope.signal`.
inline std::string to_text(const access_masks& masks) {
  std::string out;
  const auto add = [&](std::string_view kind, std::uint64_t mask, const auto& names) {
    for (const auto& [bit, name] : names)
      if ((mask & bit) != 0) out.append(out.empty() ? "" : ", ").append(kind).append(name);
  };
  add("fs.", masks.fs, fs_names);
  add("net.", masks.net, net_names);
  add("scope.", masks.scoped, scope_names);
  return out;
}

/// `abi=7`; `abi=6 (claimed), missing: fs.ioctl_dev` where the kernel does not keep it; or why there is none.
inline std::string to_text(const kernel_support& kernel) {
  std::string out = kernel.landlock_abi != 0
                        ? "abi=" + std::to_string(kernel.landlock_abi)
                        : std::string("no Landlock: ") + std::strerror(kernel.landlock_errno);
  if (const access_masks missing = kernel.missing(); !missing.empty())
    out += " (claimed), missing: " + to_text(missing);
  if (!kernel.seccomp) out += "; no seccomp filters";
  return kernel.wsl2 ? out + "; WSL2" : out;
}

}  // namespace nono::linux_abi
