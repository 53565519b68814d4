// SPDX-License-Identifier: Apache-2.0
// Reading a secret from a terminal or a pipe.
#include "cli/commands/secret_input.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/resolve.hpp>

#include "cli/resolve/program.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

using secrets::max_secret;
using secrets::secret;

constexpr std::size_t longest_line = 4095;  // the kernel drops what a terminal's line has more: man 3 termios

volatile std::sig_atomic_t caught = 0;
extern "C" void catch_signal(int number) { caught = number; }

/// Holds back the signals that would leave the terminal as it is, so that it is put right first.
class held_signals {
 public:
  held_signals() noexcept {
    sigset_t all;
    sigemptyset(&all);
    for (const int number : numbers) sigaddset(&all, number);
    (void)::sigprocmask(SIG_BLOCK, &all, &before_);
    struct sigaction ours{};
    ours.sa_handler = catch_signal;
    for (std::size_t i = 0; i < std::size(numbers); ++i) {
      (void)::sigaction(numbers[i], nullptr, &actions_[i]);
      if (actions_[i].sa_handler != SIG_IGN) (void)::sigaction(numbers[i], &ours, nullptr);
    }
    caught = 0;
  }
  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;
  ~held_signals() {
    for (std::size_t i = 0; i < std::size(numbers); ++i) (void)::sigaction(numbers[i], &actions_[i], nullptr);
    (void)::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  /// Waits until there is something to read: true. A signal: false.
  bool wait_for(int fd) const {
    for (;;) {
      fd_set watched;
      FD_ZERO(&watched);
      FD_SET(fd, &watched);
      const int got = ::pselect(fd + 1, &watched, nullptr, nullptr, nullptr, &before_);
      if (caught != 0) return false;
      if (got > 0 || errno != EINTR) return true;  // read() says what is wrong
    }
  }

 private:
  static constexpr int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
  sigset_t before_{};
  struct sigaction actions_[std::size(numbers)]{};
};

/// A terminal that does not show what is typed.
class silent_terminal {
 public:
  explicit silent_terminal(int fd) noexcept : fd_(fd) {
    if (::tcgetattr(fd_, &before_) != 0) return;
    termios ours = before_;
    ours.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    ours.c_lflag |= ICANON | ISIG;
    is_ = ::tcsetattr(fd_, TCSAFLUSH, &ours) == 0;
  }
  silent_terminal(const silent_terminal&) = delete;
  silent_terminal& operator=(const silent_terminal&) = delete;
  ~silent_terminal() {
    if (!is_) return;
    // The rest of what was pasted is not for the shell, so it is dropped.
    while (::tcsetattr(fd_, TCSAFLUSH, &before_) != 0 && errno == EINTR) {
    }
  }
  [[nodiscard]] bool is() const noexcept { return is_; }

 private:
  int fd_;
  termios before_{};
  bool is_ = false;
};

/// One line of the terminal; nothing after a signal, which has been put off until the terminal was put right.
result<secret> ask_once(int fd, std::string_view prompt) {
  secret line(max_secret + 2);
  std::size_t done = 0;
  const held_signals held;
  {
    const silent_terminal silent(fd);
    if (!silent.is()) return sentence("the terminal cannot be made silent; pipe the secret in");
    (void)write_whole(fd, prompt);
    while (line.data() != nullptr && done < line.size() && held.wait_for(fd)) {
      const ssize_t n = ::read(fd, line.data() + done, line.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
      if (line.view()[done - 1] == '\n') break;
    }
    (void)write_whole(fd, "\n");
  }
  line.shrink(caught == 0 ? done : 0);
  return line;
}

result<secret> from_terminal(std::string_view name) {
  const nono::detail::descriptor own(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  const int fd = own.get() >= 0 ? own.get() : STDIN_FILENO;
  const std::string prompt = fmt::format("Secret for {}: ", in_quotes(name));
  for (;;) {
    result<secret> line = ask_once(fd, prompt);
    if (caught == 0) {
      if (line && line->size() > longest_line)
        return sentence("a terminal's line has at most 4095 bytes, and more were typed; pipe the secret in");
      return line;
    }
    (void)::raise(caught);  // as if it came now; after Ctrl-Z the question is asked again
  }
}

result<secret> from_pipe() {
  secret all(max_secret + 2);  // with a line end, and one byte that shows that there are more
  std::size_t done = 0;
  while (all.data() != nullptr && done < all.size()) {
    const ssize_t n = ::read(STDIN_FILENO, all.data() + done, all.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sentence(fmt::format("standard input cannot be read: {}", std::strerror(errno)));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  all.shrink(done);
  return all;
}

}  // namespace

result<secret> read_secret(std::string_view name) {
  result<secret> got = ::isatty(STDIN_FILENO) != 0 ? from_terminal(name) : from_pipe();
  if (!got) return got;
  if (got->view().ends_with('\n')) got->shrink(got->size() - 1);
  if (got->empty()) return sentence("the secret is empty, so nothing was stored; type it, or pipe it in");
  if (got->view().find('\0') != std::string_view::npos)
    return sentence("the secret has a NUL byte, so nothing was stored; give one that is text");
  if (got->size() > max_secret)
    return sentence("the secret is longer than 65536 bytes, so nothing was stored; give one that is a key");
  return got;
}

}  // namespace nono::cli
