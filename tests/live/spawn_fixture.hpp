// SPDX-License-Identifier: Apache-2.0
// What the tests of spawn() share: nothing may be left behind, and what a child wrote.
#pragma once

#include <poll.h>

#include "harness.hpp"

namespace live {

inline int open_descriptors() {
  int n = 0;
  for (int fd = 0; fd < 1100; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) ++n;
  return n;
}

/// Checks that a test leaves no descriptor, no child and no change of the signal mask behind.
class leakless {
 public:
  leakless() { ::sigprocmask(SIG_SETMASK, nullptr, &mask_); }
  leakless(const leakless&) = delete;
  leakless& operator=(const leakless&) = delete;
  ~leakless() {
    CHECK(open_descriptors() == descriptors_);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    sigset_t now{};
    ::sigprocmask(SIG_SETMASK, nullptr, &now);
    CHECK(std::memcmp(&now, &mask_, sizeof now) == 0);
  }

 private:
  int descriptors_ = open_descriptors();
  sigset_t mask_{};
};

/// All there is to read; an end that does not come is not waited for.
inline std::string read_all(int fd) {
  std::string out;
  char part[4096];
  for (;;) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, 120000) == 0) return out + " (and then nothing)";
    const ssize_t n = ::read(fd, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    out.append(part, static_cast<std::size_t>(n));
  }
}

inline std::string text_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string out = read_all(fd);
  ::close(fd);
  return out;
}

/// The error of a spawn() that is to fail.
inline nono::errc spawn_error(const nono::capability_set& policy,
                              std::initializer_list<std::string_view> argv,
                              const nono::spawn_options& options = {}) {
  const auto child = nono::spawn(policy, argv, options);
  return child ? nono::errc::none : child.error().code;
}
/// What a program writes to its standard output.
inline std::string output_of(std::initializer_list<std::string_view> argv, nono::spawn_options options = {}) {
  options.out = nono::stream::pipe();
  auto child = nono::spawn(with_system(), argv, options);
  if (!child) return child.error().message();
  std::string out = read_all(child->out());
  const auto status = child->wait();
  return status && status->ok() ? out : "failed: " + out;
}

}  // namespace live
