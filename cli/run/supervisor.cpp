// SPDX-License-Identifier: Apache-2.0
// What a command adds to the library's loop.
#if defined(__linux__)
#include "cli/run/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

constexpr int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

bool is_stopped(int pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

/// A child that stopped itself (an editor on Ctrl-Z) leaves us in the foreground: the shell gets its prompt back
/// only when we stop too. Where the terminal stopped the whole group we wake together, hence the second look.
void stop_with(const child& running, bool silent) {
  if (!is_stopped(running.pid())) return;
  const int terminal = ::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  const bool foreground = terminal >= 0 && ::tcgetpgrp(terminal) == ::getpgrp();
  if (terminal >= 0) ::close(terminal);
  if (!foreground) return;
  (void)::poll(nullptr, 0, 50);
  if (!is_stopped(running.pid())) return;
  if (!silent) say("[nono] Session stopped.\n");
  (void)::raise(SIGSTOP);
  if (is_stopped(running.pid()))
    (void)running.kill(SIGCONT);  // fg wakes the whole group; a lone SIGCONT only us
}

void handle_signal(const signalfd_siginfo& info, const child& running, bool silent) {
  if (info.ssi_signo == SIGCHLD) {
    stop_with(running, silent);
    return;
  }
  // Sent by a process: passed on. The terminal's own (SI_KERNEL) went to the child as well, but for the hang-up,
  // which goes to the leader of the session alone.
  const bool hang_up = info.ssi_signo == SIGHUP && ::getsid(0) == ::getpid();
  if (info.ssi_code <= 0 || hang_up) (void)running.kill(static_cast<int>(info.ssi_signo));
}

}  // namespace

signal_guard::signal_guard() {
  sigset_t old;
  (void)::signal(SIGCHLD, SIG_DFL);  // a caller that ignores it would leave us nothing to wait for
  ::sigemptyset(&held_);
  ::sigaddset(&held_, SIGCHLD);
  for (const int s : forwarded) ::sigaddset(&held_, s);
  ::sigprocmask(SIG_BLOCK, &held_, &old);
  for (int s = 1; s <= 64; ++s)
    if (::sigismember(&old, s) == 1) before_ |= std::uint64_t{1} << (s - 1);
}

signal_guard::~signal_guard() { ::sigprocmask(SIG_UNBLOCK, &held_, nullptr); }

result<exit_status> supervise(child& running, const signal_guard& signals, supervisor& answers, bool silent) {
  struct heard_signals {
    nono::detail::descriptor incoming;
    const child& running;
    bool silent;
  } heard{nono::detail::descriptor(::signalfd(-1, &signals.held(), SFD_CLOEXEC | SFD_NONBLOCK)), running,
          silent};
  const watched_descriptor also{heard.incoming.get(), &heard, [](void* context) {
                                  const auto& h = *static_cast<heard_signals*>(context);
                                  signalfd_siginfo info{};
                                  while (::read(h.incoming.get(), &info, sizeof info) == sizeof info)
                                    handle_signal(info, h.running, h.silent);
                                }};
  return answers.run({&also, 1});
}

void answer_leftovers(const child& running, supervisor& answers) {
  pollfd watched{running.listener(), POLLIN, 0};
  if (running.listener() < 0 || (::poll(&watched, 1, 0) > 0 && (watched.revents & POLLHUP) != 0)) return;
  if (::fork() != 0) return;  // the user's shell goes on with us
  // What is left may hold no pipe or terminal of the user's open.
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3 && null >= 0; ++fd) ::dup2(null, fd);
  (void)::setsid();
  // Nobody passes signals on any more: what would end any process ends this one. What it answers is refused then.
  sigset_t none;
  ::sigemptyset(&none);
  for (const int s : forwarded) (void)::signal(s, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  answers.serve_rest(-1);
  ::_exit(0);
}

}  // namespace nono::cli
#endif
