// SPDX-License-Identifier: Apache-2.0
// A confined child: how it is started, and the handle on it while it runs.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nono/error.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/syscalls.hpp>
#include <nono/report.hpp>
#include <nono/resolve.hpp>

#if defined(__linux__)
#include <sys/syscall.h>
#include <sys/wait.h>
#elif defined(__APPLE__)
#include <sys/wait.h>
#endif

namespace nono {

/// What one of the child's standard descriptors is.
class stream {
 public:
  constexpr stream() = default;  ///< the parent's
  static constexpr stream inherit() { return {}; }
  static constexpr stream null() { return {kind::null, -1}; }  ///< /dev/null
  static constexpr stream pipe() { return {kind::pipe, -1}; }  ///< a pipe; its other end is in `child`
  static constexpr stream from(int fd) { return {kind::descriptor, fd}; }  ///< a descriptor of the parent's

  enum class kind : std::uint8_t { inherit, null, pipe, descriptor };
  [[nodiscard]] constexpr kind what() const noexcept { return kind_; }
  [[nodiscard]] constexpr int fd() const noexcept { return fd_; }

 private:
  constexpr stream(kind k, int fd) : kind_(k), fd_(fd) {}
  kind kind_ = kind::inherit;
  int fd_ = -1;
};

inline std::string to_text(const stream& s) {
  constexpr std::string_view names[] = {"inherit", "null", "pipe", "descriptor "};
  std::string out(names[static_cast<std::size_t>(s.what())]);
  return s.what() == stream::kind::descriptor ? out + std::to_string(s.fd()) : out;
}

/// How a child is started.
struct spawn_options {
  stream in, out, err;
  std::string_view directory{};              ///< where it starts; empty: where the parent is
  const char* const* environment = nullptr;  ///< "NAME=VALUE" pointers, then null; null: the parent's
  std::string_view program{};                ///< the file to execute; empty: argv[0], looked up on PATH
  const std::uint64_t* signal_mask =
      nullptr;  ///< blocked signals it starts with, bit N-1 for signal N; null: the parent's
  bool ends_with_parent = false;  ///< it is killed when the thread that started it ends
  bool observed = false;          ///< ask for a listener of observed calls, see child::listener
  std::uint16_t door =
      0;  ///< on a network of the child's own: a TCP socket listens there, at 127.0.0.1 and this port,
          ///< before the child starts, see child::door; 0: none
};

/// How a child ended.
struct exit_status {
  int code = 0;    ///< its exit code, if `signal` is 0
  int signal = 0;  ///< the signal that killed it, or 0
  [[nodiscard]] constexpr bool ok() const noexcept { return code == 0 && signal == 0; }
  /// As shells say it: the code, or 128 + the signal.
  [[nodiscard]] constexpr int exit_code() const noexcept { return signal != 0 ? 128 + signal : code; }
};

/// `exit code 3`, or `signal 9`.
inline std::string to_text(const exit_status& s) {
  return s.signal != 0 ? "signal " + std::to_string(s.signal) : "exit code " + std::to_string(s.code);
}

namespace detail {
class spawner;
}

#if defined(__linux__)

/// A running confined child. When it goes without wait() or release(), the child is killed and reaped, or waited for where
/// this process has become somebody who may not kill it: nothing confined outlives its owner by accident.
class child {
 public:
  child(int pid, int pidfd) noexcept : pid_(pid), pidfd_(pidfd) {}
  child(child&& other) noexcept
      : in_(std::move(other.in_)),
        out_(std::move(other.out_)),
        err_(std::move(other.err_)),
        listener_(std::move(other.listener_)),
        diagnostics_(std::move(other.diagnostics_)),
        door_(std::move(other.door_)),
        keeps_answers_(other.keeps_answers_),
        report_(other.report_),
        pid_(std::exchange(other.pid_, -1)),
        pidfd_(std::move(other.pidfd_)) {}
  child& operator=(child&&) = delete;
  ~child() {
    if (pid_ < 0) return;
    (void)kill(SIGKILL);
    (void)wait();
  }

  [[nodiscard]] int pid() const noexcept { return pid_; }
  /// Readable when the child has ended.
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  /// The parent's ends of pipes that were asked for; -1 otherwise.
  [[nodiscard]] int in() const noexcept { return in_.get(); }
  [[nodiscard]] int out() const noexcept { return out_.get(); }
  [[nodiscard]] int err() const noexcept { return err_.get(); }
  void close_in() noexcept { in_ = detail::descriptor(); }
  /// Where observed calls are heard; -1 if none was asked for or the kernel refused. The owner must answer.
  [[nodiscard]] int listener() const noexcept { return listener_.get(); }
  void close_listener() noexcept { listener_ = detail::descriptor(); }
  /// False where a signal can make a caller ask again for what has been done (before Linux 5.19).
  [[nodiscard]] bool keeps_answers() const noexcept { return keeps_answers_; }
  /// A sock_diag socket of the child's network, where a supervisor needs one; -1 otherwise.
  [[nodiscard]] int diagnostics() const noexcept { return diagnostics_.get(); }
  /// The socket that spawn_options::door asked for, in the child's network; -1 otherwise. What it accepts comes from inside.
  [[nodiscard]] int door() const noexcept { return door_.get(); }
  void close_door() noexcept { door_ = detail::descriptor(); }
  /// What is in force in the child.
  [[nodiscard]] const enforcement& report() const noexcept { return report_; }

  /// Sends a signal. 0 or -errno.
  int kill(int signal) const noexcept {
    return static_cast<int>(
        detail::system_kernel::call(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0U));
  }
  /// Waits for the end and reaps. Errors: wait_failed (ECHILD: somebody else reaped it, or SIGCHLD is
  /// ignored).
  result<exit_status> wait() {
    siginfo_t info{};
    long got = 0;
    do got = detail::system_kernel::call(SYS_waitid, P_PIDFD, pidfd_.get(), &info, WEXITED, nullptr);
    while (got == -EINTR);
    pid_ = -1;
    if (got < 0) return error{errc::wait_failed, static_cast<int>(-got), {}, {}, {}};
    return info.si_code == CLD_EXITED ? exit_status{info.si_status, 0} : exit_status{0, info.si_status};
  }
  /// Lets the child go on without its owner. Somebody has to reap it.
  void release() noexcept { pid_ = -1; }

 private:
  friend class detail::spawner;
  detail::descriptor in_, out_, err_, listener_, diagnostics_, door_;
  bool keeps_answers_ = false;
  enforcement report_;
  int pid_;
  detail::descriptor pidfd_;
};

#else

namespace detail {

/// What only Linux starts, or no system at hand: spawn_supervised() and spawn() give unsupported_platform. The types let the same program compile.
class no_child {
 public:
  no_child(no_child&&) noexcept = default;
  no_child& operator=(no_child&&) = delete;

  [[nodiscard]] int pid() const noexcept { return -1; }
  [[nodiscard]] int pidfd() const noexcept { return -1; }
  [[nodiscard]] int in() const noexcept { return -1; }
  [[nodiscard]] int out() const noexcept { return -1; }
  [[nodiscard]] int err() const noexcept { return -1; }
  void close_in() noexcept {}
  [[nodiscard]] const enforcement& report() const noexcept { return report_; }
  int kill(int) const noexcept { return -ENOSYS; }
  result<exit_status> wait() { return error{errc::unsupported_platform, 0, {}, {}, {}}; }

 protected:
  no_child() = default;

 private:
  enforcement report_;
};

}  // namespace detail

#endif

#if defined(__APPLE__)

/// As on Linux; but there is no descriptor of a process, and nobody listens to its calls. Not yet seen on a Mac.
class child {
 public:
  explicit child(int pid) noexcept : pid_(pid) {}
  child(child&& other) noexcept
      : in_(std::move(other.in_)),
        out_(std::move(other.out_)),
        err_(std::move(other.err_)),
        report_(other.report_),
        pid_(std::exchange(other.pid_, -1)) {}
  child& operator=(child&&) = delete;
  ~child() {
    if (pid_ < 0) return;
    (void)kill(SIGKILL);
    (void)wait();
  }

  [[nodiscard]] int pid() const noexcept { return pid_; }
  [[nodiscard]] int pidfd() const noexcept { return -1; }
  [[nodiscard]] int in() const noexcept { return in_.get(); }
  [[nodiscard]] int out() const noexcept { return out_.get(); }
  [[nodiscard]] int err() const noexcept { return err_.get(); }
  void close_in() noexcept { in_ = detail::descriptor(); }
  [[nodiscard]] int listener() const noexcept { return -1; }
  void close_listener() noexcept {}
  [[nodiscard]] bool keeps_answers() const noexcept { return false; }
  [[nodiscard]] int diagnostics() const noexcept { return -1; }
  [[nodiscard]] const enforcement& report() const noexcept { return report_; }

  int kill(int signal) const noexcept { return ::kill(pid_, signal) == 0 ? 0 : -errno; }
  result<exit_status> wait() {
    int status = 0;
    int got = 0;
    do got = ::waitpid(pid_, &status, 0);
    while (got < 0 && errno == EINTR);
    pid_ = -1;
    if (got < 0) return error{errc::wait_failed, errno, {}, {}, {}};
    return WIFSIGNALED(status) ? exit_status{0, WTERMSIG(status)} : exit_status{WEXITSTATUS(status), 0};
  }
  void release() noexcept { pid_ = -1; }

 private:
  friend class detail::spawner;
  detail::descriptor in_, out_, err_;
  enforcement report_;
  int pid_;
};

#elif !defined(__linux__)

class child : public detail::no_child {
 public:
  [[nodiscard]] int listener() const noexcept { return -1; }
  void close_listener() noexcept {}
  [[nodiscard]] bool keeps_answers() const noexcept { return false; }
  [[nodiscard]] int diagnostics() const noexcept { return -1; }
  [[nodiscard]] int door() const noexcept { return -1; }
  void close_door() noexcept {}
  void release() noexcept {}

 private:
  child() = default;
};

#endif

}  // namespace nono
