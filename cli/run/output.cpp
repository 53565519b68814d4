// SPDX-License-Identifier: Apache-2.0
// Lines for the user on standard error.
#include "cli/run/output.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace nono::cli {

int write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

void say(std::string_view text) {
  // A reader that has gone must not end us: the command would lose its supervisor. Blocked here and taken back, so that
  // the command inherits nothing of it.
  sigset_t pipe;
  sigset_t before;
  sigset_t waiting;
  sigemptyset(&pipe);  // macros on macOS, as its like
  sigaddset(&pipe, SIGPIPE);
  ::sigprocmask(SIG_BLOCK, &pipe, &before);
  (void)write_whole(STDERR_FILENO, text);
  if (sigismember(&before, SIGPIPE) == 0 && ::sigpending(&waiting) == 0 &&
      sigismember(&waiting, SIGPIPE) == 1) {
    int taken = 0;
    (void)::sigwait(&pipe, &taken);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

void complain(std::string_view message) { say("nono: " + std::string(message) + "\n"); }

int print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return 0;
  complain("standard output cannot be written");
  return 1;
}

}  // namespace nono::cli
