// SPDX-License-Identifier: Apache-2.0
// What this process has open that no restriction takes back: sockets that were made before, and io_uring rings, whose
// workers keep the rights that they started with.
#pragma once

#if defined(__linux__)
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <nono/linux/syscalls.hpp>

namespace nono::detail {

struct open_descriptors {
  std::uint32_t network_sockets = 0;   ///< of any family but AF_UNIX
  std::uint32_t unix_connections = 0;  ///< connected to a socket that has a name
  std::uint32_t io_uring_rings = 0;
  int first_network_socket = -1;
  int first_loose_socket = -1;  ///< of them the first but for plain TCP that is connected or listens
  int first_loose_unix =
      -1;  ///< the first unix socket that is neither connected nor listens, or is of datagrams
  int first_ring = -1;

  void look_at(int fd) noexcept {
    struct stat st{};
    if (::fstat(fd, &st) != 0) return;
    if ((st.st_mode & S_IFMT) == 0) {  // an anonymous inode
      if (is_ring(fd) && io_uring_rings++ == 0) first_ring = fd;
    } else if (S_ISSOCK(st.st_mode)) {
      const int family = option(fd, SO_DOMAIN);
      if (family != AF_UNIX) {
        if (network_sockets++ == 0) first_network_socket = fd;
        if (first_loose_socket < 0 && !is_busy_tcp(fd, family)) first_loose_socket = fd;
      } else {
        sockaddr_un peer{};
        socklen_t size = sizeof peer;
        const bool connected = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;  // NOLINT
        if (connected && size > offsetof(sockaddr_un, sun_path)) ++unix_connections;
        const bool busy = connected || option(fd, SO_ACCEPTCONN) == 1;
        if (first_loose_unix < 0 && (!busy || option(fd, SO_TYPE) == SOCK_DGRAM)) first_loose_unix = fd;
      }
    }
  }

  static int option(int fd, int name) noexcept {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  }
  static bool is_unix_datagram(int fd) noexcept {
    return option(fd, SO_DOMAIN) == AF_UNIX && option(fd, SO_TYPE) == SOCK_DGRAM;
  }
  /// Plain TCP that is connected or listens.
  static bool is_busy_tcp(int fd, int family) noexcept {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    return (family == AF_INET || family == AF_INET6) && option(fd, SO_PROTOCOL) == IPPROTO_TCP &&
           (option(fd, SO_ACCEPTCONN) == 1 ||
            ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0);  // NOLINT
  }

  /// A call that rings alone know, with an argument that they refuse.
  static bool is_ring(int fd) noexcept {
    constexpr unsigned unregister_personality = 10;  // takes no pointer
    const long got = system_kernel::call(SYS_io_uring_register, fd, unregister_personality, 1L, 0U);
    return got != -EOPNOTSUPP && got != -ENOSYS && got != -EPERM && got != -EACCES && got != -EBADF;
  }
};

/// Looks at every number below `end`, for want of a list: poll() names those that are not open (POLLNVAL), and takes as
/// many at once as the soft limit allows. False where there are too many: 2^24 take some tenths of a second.
inline bool look_at_numbers(open_descriptors& out, std::uint64_t end, std::uint64_t soft_limit) noexcept {
  constexpr std::uint64_t most = 1U << 24U;
  if (end > most || soft_limit == 0) return false;
  pollfd tried[1024];
  const std::uint64_t block = soft_limit < std::size(tried) ? soft_limit : std::size(tried);
  for (std::uint64_t first = 0; first < end; first += block) {
    const std::uint64_t count = end - first < block ? end - first : block;
    for (std::uint64_t i = 0; i < count; ++i) tried[i] = {static_cast<int>(first + i), 0, 0};
    while (::poll(tried, count, 0) < 0)
      if (errno != EINTR) return false;
    for (std::uint64_t i = 0; i < count; ++i)
      if ((tried[i].revents & POLLNVAL) == 0) out.look_at(tried[i].fd);
  }
  return true;
}

/// Looks at every descriptor of this process: three system calls, one for each descriptor, and up to five more for each
/// socket and anonymous inode. False where nobody can say what is open.
inline bool look_at_open_descriptors(open_descriptors& out) noexcept {
  const long list =
      system_kernel::call(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (list >= 0) {
    const long read = for_each_number(static_cast<int>(list), [&](int fd, const char*) {
      if (fd != list) out.look_at(fd);
    });
    (void)system_kernel::call(SYS_close, list);
    if (read == 0) return true;
    out = {};
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  // What was opened before the limit was lowered is open still: the kernel's own limit is 2^20 by default.
  constexpr rlim_t usual = 1U << 20U;
  return look_at_numbers(out, limit.rlim_max < usual ? usual : limit.rlim_max, limit.rlim_cur);
}

}  // namespace nono::detail
#endif
