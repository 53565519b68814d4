// SPDX-License-Identifier: Apache-2.0
// The loopback network of a child: its namespace's identity maps and lo. Safe between clone and exec.
#pragma once

#if defined(__linux__)
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace nono::detail {

/// The flags for clone: a network namespace, and for an ordinary user the user namespace that owns it.
inline int loopback_clone_flags(bool privileged) noexcept {
  return privileged ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER;
}

/// Writes a short text to a file of /proc. 0 or -errno.
inline int write_proc_file(const char* path, const char* text, std::size_t length) noexcept {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const ssize_t got = ::write(fd, text, length);
  const int out = got == static_cast<ssize_t>(length) ? 0 : got < 0 ? -errno : -EIO;
  ::close(fd);
  return out;
}

/// "ID ID 1": the user keeps its number and gets nobody else's.
inline std::size_t identity_map(char (&out)[32], unsigned id) noexcept {
  char digits[12];
  std::size_t n = 0;
  do digits[n++] = static_cast<char>('0' + id % 10);
  while ((id /= 10) != 0);
  std::size_t at = 0;
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t i = n; i-- > 0;) out[at++] = digits[i];
    out[at++] = ' ';
  }
  out[at++] = '1';
  return at;
}

/// In the child of a new user namespace. 0 or -errno. Source: user_namespaces(7).
inline int map_identity(unsigned uid, unsigned gid) noexcept {
  char map[32];
  if (const int why = write_proc_file("/proc/self/setgroups", "deny", 4); why != 0) return why;
  std::size_t length = identity_map(map, uid);
  if (const int why = write_proc_file("/proc/self/uid_map", map, length); why != 0) return why;
  length = identity_map(map, gid);
  return write_proc_file("/proc/self/gid_map", map, length);
}

/// Brings lo up in the namespace of the calling thread. 0 or -errno. Source: netdevice(7).
inline int bring_loopback_up() noexcept {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const int out = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : -errno;
  ::close(fd);
  return out;
}

/// A TCP socket that listens at 127.0.0.1 and `port` of the calling thread's network; close-on-exec. Or -errno.
inline int listen_on_loopback(std::uint16_t port) noexcept {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(fd, SOMAXCONN) == 0)
    return fd;
  const int why = errno;
  ::close(fd);
  return -why;
}

}  // namespace nono::detail
#endif
