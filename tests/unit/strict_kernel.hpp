// SPDX-License-Identifier: Apache-2.0
// A stand-in for the kernel that is as strict as the kernel: every ABI, honest or not, with every refusal that the
// documentation and the source name. Its numbers are written here anew, so that a wrong table of ours is caught.
// Source: docs.kernel.org/userspace-api/landlock.html; security/landlock/syscalls.c
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nono/linux/abi.hpp>

namespace nono_test {

namespace abi = nono::linux_abi;

/// The kernel's own numbers for ABI 1 to 12.
struct kernel_row {
  std::uint64_t fs, net, scoped;
  std::size_t attr_size;         // of its struct landlock_ruleset_attr
  std::uint32_t restrict_flags;  // that landlock_restrict_self takes
};
inline constexpr kernel_row kernel_rows[] = {
    {0x1fff, 0, 0, 8, 0},       {0x3fff, 0, 0, 8, 0},        {0x7fff, 0, 0, 8, 0},
    {0x7fff, 3, 0, 16, 0},      {0xffff, 3, 0, 16, 0},       {0xffff, 3, 3, 24, 0},
    {0xffff, 3, 3, 24, 0x7},    {0xffff, 3, 3, 24, 0xf},     {0x1ffff, 3, 3, 24, 0xf},
    {0x1ffff, 0xf, 3, 48, 0xf}, {0x1ffff, 0xf, 3, 48, 0x1f}, {0x1ffff, 0xf, 3, 56, 0x1f},
};
inline constexpr std::uint64_t rights_of_files = 0x1c007;

/// What came together and may be missing together.
struct group {
  std::uint64_t fs, net, scoped;
  std::string_view words;
};
inline constexpr group groups[] = {
    {0x1fff, 0, 0,
     "fs.execute, fs.write_file, fs.read_file, fs.read_dir, fs.remove_dir, fs.remove_file, fs.make_char, "
     "fs.make_dir, "
     "fs.make_reg, fs.make_sock, fs.make_fifo, fs.make_block, fs.make_sym"},
    {0x2000, 0, 0, "fs.refer"},
    {0x4000, 0, 0, "fs.truncate"},
    {0x8000, 0, 0, "fs.ioctl_dev"},
    {0x10000, 0, 0, "fs.resolve_unix"},
    {0, 0x3, 0, "net.bind_tcp, net.connect_tcp"},
    {0, 0xc, 0, "net.bind_udp, net.connect_send_udp"},
    {0, 0, 0x2, "scope.signal"},
    {0, 0, 0x1, "scope.abstract_unix_socket"},
};
inline constexpr unsigned every_group = (1U << std::size(groups)) - 1;

struct ruleset {
  abi::ruleset_attr handled;
  std::vector<std::pair<int, std::uint64_t>> paths;  // descriptor, access
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ports;
};

struct machine {
  int answers = 12;  // to the version question
  kernel_row has = kernel_rows[11];
  bool knows_errata = true;
  bool seccomp = true;
  int layer_limit = 16;
  bool privileged = false;
  std::map<std::string_view, int> failing;  // the errno of a call by name, whatever it is asked
  int create_fails_from = 0;                // failing["create"] counts from this ruleset on

  bool no_new_privs = false;
  int layers = 0;
  int filters = 0;
  std::map<int, ruleset> rulesets;
  std::map<std::string_view, int> calls;
  int last_ruleset = -1;
};
inline machine the_machine;  // the functions of a kernel are static

/// A kernel that answers `answers` and keeps it but for the groups whose bit is set in `without`.
inline machine& boot(int answers, unsigned without = 0) {
  machine fresh;
  fresh.answers = answers;
  if (answers < 1) {
    fresh.has = {};
    fresh.failing["version"] = ENOSYS;
    fresh.failing["create"] = ENOSYS;
  } else {
    fresh.has = kernel_rows[answers - 1];
  }
  for (std::size_t i = 0; i < std::size(groups); ++i) {
    if ((without >> i & 1U) == 0) continue;
    fresh.has.fs &= ~groups[i].fs;
    fresh.has.net &= ~groups[i].net;
    fresh.has.scoped &= ~groups[i].scoped;
  }
  return the_machine = std::move(fresh);
}

/// How many descriptors this process has open: what a probe leaks shows here.
inline int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
  return count;
}

struct strict_kernel {
  static int failure(std::string_view call) {
    ++the_machine.calls[call];
    const auto at = the_machine.failing.find(call);
    if (at == the_machine.failing.end()) return 0;
    if (call == "create" && the_machine.calls[call] <= the_machine.create_fails_from) return 0;
    return -at->second;
  }

  static long landlock_create_ruleset(const abi::ruleset_attr* attr, std::size_t size, std::uint32_t flags) {
    machine& m = the_machine;
    if (flags != 0) {
      if (attr != nullptr || size != 0) return -EINVAL;
      if (flags == 1) {
        const int failed = failure("version");
        return failed != 0 ? failed : m.answers;
      }
      ++m.calls["errata"];
      return flags == 2 && m.knows_errata ? 0xf : -EINVAL;
    }
    if (const int failed = failure("create"); failed != 0) return failed;
    if (size < 8) return -EINVAL;
    if (size > 4096) return -E2BIG;
    if (attr == nullptr) return -EFAULT;
    std::array<unsigned char, 4096> bytes{};
    std::memcpy(bytes.data(), attr, size);
    for (std::size_t i = m.has.attr_size; i < size; ++i)
      if (bytes[i] != 0) return -E2BIG;
    abi::ruleset_attr asked;
    std::memcpy(&asked, bytes.data(), sizeof asked);
    if ((asked.handled_access_fs & ~m.has.fs) != 0 || (asked.handled_access_net & ~m.has.net) != 0 ||
        (asked.scoped & ~m.has.scoped) != 0)
      return -EINVAL;
    if (asked.handled_access_fs == 0 && asked.handled_access_net == 0 && asked.scoped == 0) return -ENOMSG;
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    m.rulesets[fd] = {asked, {}, {}};
    m.last_ruleset = fd;
    return fd;
  }

  static ruleset* ruleset_at(int fd, int& why) {
    const auto at = the_machine.rulesets.find(fd);
    why = fcntl(fd, F_GETFD) == -1 ? -EBADF : -EBADFD;
    return why == -EBADF || at == the_machine.rulesets.end() ? nullptr : &at->second;
  }

  static long landlock_add_rule(int fd, int type, const void* attr) {
    if (const int failed = failure(type == 2 ? "add_port" : "add_path"); failed != 0) return failed;
    int why = 0;
    ruleset* rules = ruleset_at(fd, why);
    if (rules == nullptr) return why;
    if (type == 1) {
      abi::path_beneath_attr path;
      std::memcpy(&path, attr, sizeof path);
      const std::uint64_t allowed = path.allowed_access;
      const int parent = path.parent_fd;
      if (allowed == 0) return -ENOMSG;
      if ((allowed & ~rules->handled.handled_access_fs) != 0) return -EINVAL;
      struct stat info{};
      if (fstat(parent, &info) != 0) return -EBADF;
      if (!S_ISDIR(info.st_mode) && (allowed & ~rights_of_files) != 0) return -EINVAL;
      rules->paths.emplace_back(parent, allowed);
      return 0;
    }
    if (type == 2 && the_machine.has.attr_size >= 16) {
      abi::net_port_attr port;
      std::memcpy(&port, attr, sizeof port);
      if (port.allowed_access == 0) return -ENOMSG;
      if ((port.allowed_access & ~rules->handled.handled_access_net) != 0 || port.port > 65535)
        return -EINVAL;
      rules->ports.emplace_back(port.port, port.allowed_access);
      return 0;
    }
    return -EINVAL;
  }

  static long landlock_restrict_self(int fd, std::uint32_t flags) {
    machine& m = the_machine;
    if (const int failed = failure("restrict_self"); failed != 0) return failed;
    if (!m.no_new_privs && !m.privileged) return -EPERM;
    if ((flags & ~m.has.restrict_flags) != 0) return -EINVAL;
    int why = 0;
    if (ruleset_at(fd, why) == nullptr) return why;
    if (m.layers >= m.layer_limit) return -E2BIG;
    ++m.layers;
    return 0;
  }

  static long no_new_privs() {
    if (const int failed = failure("no_new_privs"); failed != 0) return failed;
    the_machine.no_new_privs = true;
    return 0;
  }
  static long seccomp_filter(const sock_filter* program, std::uint16_t length, unsigned flags) {
    if (const int failed = failure("seccomp"); failed != 0) return failed;
    if (!the_machine.seccomp || program == nullptr || length == 0 || length > BPF_MAXINSNS) return -EINVAL;
    if ((flags & ~unsigned{SECCOMP_FILTER_FLAG_NEW_LISTENER}) != 0) return -EINVAL;
    if (!the_machine.no_new_privs && !the_machine.privileged) return -EACCES;
    ++the_machine.filters;
    return flags != 0 ? 42 : 0;
  }
  static long seccomp_available() {
    if (const int failed = failure("seccomp_available"); failed != 0) return failed;
    return the_machine.seccomp ? 0 : -EINVAL;
  }
};

}  // namespace nono_test
