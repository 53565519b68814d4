// SPDX-License-Identifier: Apache-2.0
// The confined side: each question as the system call that it stands for.
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include <csignal>

#include "wire.hpp"

namespace differential {

namespace {

using nono::operation;

/// 0, or the errno of the call that gave `got`; a descriptor is closed.
int closed(int got) {
  if (got < 0) return errno;
  ::close(got);
  return 0;
}
int plain(long got) { return got < 0 ? errno : 0; }

/// Makes a socket and calls f on it.
template <class F>
int with_socket(int family, int type, F&& f) {
  const int fd = ::socket(family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const linger at_once{1, 0};  // nothing stays in TIME_WAIT
  (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const int why = plain(f(fd));
  ::close(fd);
  return why;
}

template <class F>
int with_name(const std::string& name, F&& f) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), std::min(name.size(), sizeof address.sun_path));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() +
                                             (name.empty() || name.front() != '\0' ? 1 : 0));
  return with_socket(AF_UNIX, SOCK_STREAM,
                     [&](int fd) { return f(fd, reinterpret_cast<const sockaddr*>(&address), length); });
}

template <class F>
int with_port(int type, std::uint16_t port, F&& f) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return with_socket(AF_INET, type, [&](int fd) {
    return f(fd, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(sizeof address));
  });
}

/// Whatever the change is, the file is left as it was, its times aside.
int change_metadata(change how, const std::string& path) {
  const char* p = path.c_str();
  struct stat st{};
  const int flags = is_of_link(how) ? AT_SYMLINK_NOFOLLOW : 0;
  if (::fstatat(AT_FDCWD, p, &st, flags) != 0) return errno;
  const mode_t mode = st.st_mode & 07777U;
  constexpr timespec then[2] = {{1000, 0}, {2000, 0}};
  switch (how) {
    case change::chmod:
      return plain(::chmod(p, mode));
    case change::from_descriptor: {
      const std::size_t cut = path.rfind('/', path.find_last_not_of('/')) + 1;
      const int around = ::open(path.substr(0, cut).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (around < 0) return errno;
      const int why = plain(::fchmodat(around, p + cut, mode, 0));
      ::close(around);
      return why;
    }
    case change::by_magic_link: {
      const int file = ::open(p, O_PATH | O_CLOEXEC);
      if (file < 0) return errno;
      const int why = plain(::chmod(("/proc/self/fd/" + std::to_string(file)).c_str(), mode));
      ::close(file);
      return why;
    }
    case change::times:
    case change::times_of_link:
      return plain(::utimensat(AT_FDCWD, p, then, flags));
    case change::owner:
    case change::owner_of_link:
      return plain(::fchownat(AT_FDCWD, p, st.st_uid, st.st_gid, flags));
  }
  return EPROTO;
}

int attempt(const wire_question& q, const std::string& path, const std::string& to) {
  const char* p = path.c_str();
  constexpr int calm = O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  switch (static_cast<operation>(q.what)) {
    case operation::open_read:
      return closed(::open(p, O_RDONLY | calm));
    case operation::open_write:
      return closed(::open(p, O_WRONLY | calm));
    case operation::open_read_write:
      return closed(::open(p, O_RDWR | calm));
    case operation::create:
      return closed(::open(p, O_WRONLY | O_CREAT | calm, 0644));
    case operation::overwrite:
      return closed(::open(p, O_WRONLY | O_CREAT | O_TRUNC | calm, 0644));
    case operation::truncate:
      return plain(::truncate(p, 1));
    case operation::list:
      return closed(::open(p, O_RDONLY | O_DIRECTORY | calm));
    case operation::execute: {
      char* argv[] = {const_cast<char*>(p), nullptr};  // NOLINT: execve's signature
      char* envp[] = {nullptr};
      (void)::execve(p, argv, envp);
      return errno == ENOEXEC ? 0 : errno;  // the files of the test are no programs: so far, and no further
    }
    case operation::ioctl: {
      const int fd = ::open(p, O_RDONLY | calm);
      if (fd < 0) return errno;
      termios t{};
      const int why = plain(::ioctl(fd, TCGETS, &t));
      ::close(fd);
      return why;
    }
    case operation::connect_unix:
    case operation::connect_abstract:
      return with_name(path, ::connect);
    case operation::bind_unix:
      return with_name(path, [&](int fd, const sockaddr* address, socklen_t length) {
        const int got = ::bind(fd, address, length);
        // One that listens is left open in a copy, until the worker ends.
        return got != 0 || !q.listens ? got : ::listen(::dup(fd), 64);
      });
    case operation::stat: {
      struct stat st{};
      return plain(::stat(p, &st));
    }
    case operation::chmod:
      return change_metadata(q.how, path);
    case operation::mkdir:
      return plain(::mkdir(p, 0755));
    case operation::mkfifo:
      return plain(::mknod(p, S_IFIFO | 0644, 0));
    case operation::mksock:
      return plain(::mknod(p, S_IFSOCK | 0644, 0));
    case operation::mkdev:
      return plain(::mknod(p, S_IFCHR | 0644, makedev(1, 3)));
    case operation::symlink:
      return plain(::symlink("a", p));
    case operation::unlink:
      return plain(::unlink(p));
    case operation::rmdir:
      return plain(::rmdir(p));
    case operation::rename:
      return plain(::rename(p, to.c_str()));
    case operation::exchange:
      return plain(::syscall(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, to.c_str(), 2U /* RENAME_EXCHANGE */));
    case operation::link:
      return plain(::link(p, to.c_str()));
    case operation::connect_tcp:
      return with_port(SOCK_STREAM, q.port, ::connect);
    case operation::bind_tcp:
      return with_port(SOCK_STREAM, q.port, ::bind);
    case operation::udp:
      return with_port(SOCK_DGRAM, q.port, ::connect);
    case operation::signal:
      return plain(::kill(q.process, 0));
  }
  return EPROTO;
}

}  // namespace

bool read_whole(int fd, void* to, std::size_t size) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t got = ::read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_whole(int fd, const void* from, std::size_t size) {
  const auto* at = static_cast<const char*>(from);
  while (size > 0) {
    const ssize_t got = ::write(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

int serve() {
  (void)::umask(0);
  for (wire_question q{}; read_whole(0, &q, sizeof q);) {
    std::string path(q.path_length, '\0');
    std::string to(q.to_length, '\0');
    if (!read_whole(0, path.data(), path.size()) || !read_whole(0, to.data(), to.size())) return 1;
    const int why = attempt(q, path, to);
    if (!write_whole(1, &why, sizeof why)) return 1;
  }
  return 0;
}

}  // namespace differential
