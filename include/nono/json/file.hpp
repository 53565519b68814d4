// SPDX-License-Identifier: Apache-2.0
// A text file that somebody else wrote, read whole and bounded: never waits for a FIFO, never follows a file that grows.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <nono/error.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace nono {

/// Reads a regular file of at most `limit` bytes, links followed.
/// Errors: profile_unreadable, which says why: missing, no regular file, too large; os_errno where a call failed.
inline result<std::string> read_profile_file(const std::string& path, std::size_t limit = 1U << 20U) {
  const auto refused = [&](int os_errno, std::string why) {
    return error{errc::profile_unreadable, os_errno, {}, path, std::move(why)};
  };
#if defined(__unix__) || defined(__APPLE__)
  struct closing {
    int fd;
    ~closing() {
      if (fd >= 0) ::close(fd);
    }
  };
  const closing file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
  if (file.fd < 0) return refused(errno, std::strerror(errno));
  struct stat st{};
  if (::fstat(file.fd, &st) != 0) return refused(errno, std::strerror(errno));
  if (!S_ISREG(st.st_mode))
    return refused(0, std::string("it is ") +
                          (S_ISDIR(st.st_mode)    ? "a directory"
                           : S_ISFIFO(st.st_mode) ? "a FIFO"
                           : S_ISSOCK(st.st_mode) ? "a socket"
                                                  : "a device") +
                          "; name a regular file");
  std::string text;
  char block[16384];
  while (text.size() <= limit) {
    const ssize_t n = ::read(file.fd, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refused(errno, std::strerror(errno));
    if (n == 0) return text;
    text.append(block, static_cast<std::size_t>(n));
  }
  return refused(0, "it is larger than " + std::to_string(limit) + " bytes; leave out what is not needed");
#else
  (void)limit;
  return refused(ENOSYS, "this system's files cannot be read yet");
#endif
}

}  // namespace nono
