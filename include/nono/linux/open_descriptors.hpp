// SPDX-License-Identifier: Apache-2.0
// What this process has open that no restriction takes back: sockets that were made before, and io_uring rings, whose
// workers keep the rights that they started with.
#pragma once

#if defined(__linux__)
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <fcntl.h>
#include <netinet/in.h>
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
  int first_busy_socket =
      -1;  ///< the first network socket but for plain TCP that neither is connected nor listens
  int first_idle_socket = -1;  ///< the first of those
  int first_ring = -1;

  void look_at(int fd) noexcept {
    struct stat st{};
    if (::fstat(fd, &st) != 0) return;
    if ((st.st_mode & S_IFMT) == 0) {  // an anonymous inode
      if (is_ring(fd) && io_uring_rings++ == 0) first_ring = fd;
    } else if (S_ISSOCK(st.st_mode)) {
      const int family = option(fd, SO_DOMAIN);
      if (family != AF_UNIX) {
        ++network_sockets;
        int& first = is_idle_tcp(fd, family) ? first_idle_socket : first_busy_socket;
        if (first < 0) first = fd;
      } else {
        sockaddr_un peer{};
        socklen_t size = sizeof peer;
        const bool connected = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;  // NOLINT
        if (connected && size > offsetof(sockaddr_un, sun_path)) ++unix_connections;
      }
    }
  }

  static int option(int fd, int name) noexcept {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  }
  static bool is_idle_tcp(int fd, int family) noexcept {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    return (family == AF_INET || family == AF_INET6) && option(fd, SO_PROTOCOL) == IPPROTO_TCP &&
           option(fd, SO_ACCEPTCONN) == 0 &&
           ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0;  // NOLINT
  }

  /// A call that rings alone know, with an argument that they refuse.
  static bool is_ring(int fd) noexcept {
    constexpr unsigned unregister_personality = 10;  // takes no pointer
    const long got = system_kernel::call(SYS_io_uring_register, fd, unregister_personality, 1L, 0U);
    return got != -EOPNOTSUPP && got != -ENOSYS && got != -EPERM && got != -EACCES && got != -EBADF;
  }
};

/// Looks at every descriptor of this process: three system calls, one for each descriptor, and up to four more for each
/// socket and anonymous inode.
inline open_descriptors look_at_open_descriptors() noexcept {
  open_descriptors out;
  const long list =
      system_kernel::call(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (list >= 0) {
    const long read = for_each_number(static_cast<int>(list), [&](int fd, const char*) {
      if (fd != list) out.look_at(fd);
    });
    (void)system_kernel::call(SYS_close, list);
    if (read == 0) return out;
    out = {};
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return out;
  for (rlim_t fd = 0; fd < limit.rlim_max && fd < INT32_MAX; ++fd) out.look_at(static_cast<int>(fd));
  return out;
}

}  // namespace nono::detail
#endif
