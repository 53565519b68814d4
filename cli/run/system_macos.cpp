// SPDX-License-Identifier: Apache-2.0
// A command on macOS: a child, or this process itself, by Seatbelt. Not yet seen on a Mac.
#if defined(__APPLE__)
#include "cli/run/system.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include <nono/macos/apply.hpp>
#include <nono/macos/spawn.hpp>

#include "cli/resolve/sentence.hpp"
#include "cli/run/output.hpp"
#include "cli/run/started.hpp"

namespace nono::cli {

namespace {

constexpr int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

volatile std::sig_atomic_t receiver = 0;  // the child; 0: none yet
volatile std::sig_atomic_t early = 0;     // what came before there was one

extern "C" void forward_signal(int number, siginfo_t* info, void*) {
  // Sent by a process: passed on. The terminal's own reach the child as well, and have no sender (inferred).
  if (info->si_pid == 0 && number != SIGHUP) return;
  if (receiver == 0) {
    early = number;
  } else {
    const int before = errno;
    (void)::kill(static_cast<pid_t>(receiver), number);
    errno = before;
  }
}

/// Passes signals of the user on to a child while it lives. By handlers, which end with exec: the child starts without.
class signal_forwarding {
 public:
  signal_forwarding() {
    (void)::signal(SIGCHLD, SIG_DFL);  // a caller that ignores it would leave us nothing to wait for
    receiver = 0;
    early = 0;
    struct sigaction ours{};
    ours.sa_sigaction = forward_signal;
    ours.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&ours.sa_mask);
    for (std::size_t i = 0; i < std::size(forwarded); ++i) {
      (void)::sigaction(forwarded[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) (void)::sigaction(forwarded[i], &ours, nullptr);
    }
  }
  signal_forwarding(const signal_forwarding&) = delete;
  signal_forwarding& operator=(const signal_forwarding&) = delete;
  ~signal_forwarding() {
    for (std::size_t i = 0; i < std::size(forwarded); ++i)
      (void)::sigaction(forwarded[i], &before_[i], nullptr);
    receiver = 0;
  }
  void to(const child& running) const {
    receiver = running.pid();
    if (early != 0) (void)running.kill(early);
  }
  /// When the child is reaped, its number may be another's.
  void end() const { receiver = 0; }

 private:
  struct sigaction before_[std::size(forwarded)]{};
};

}  // namespace

error open_gate(started& p) {
  const network_rule& network = p.r.policy.ref().network;
  for (std::size_t i = 0; i < network.port_count; ++i)
    if (network.ports[i].use == port_use::connect_tcp &&
        std::find(p.r.open_ports.begin(), p.r.open_ports.end(), network.ports[i].port) ==
            p.r.open_ports.end())
      return sentence(
          "ports to connect to (--allow-connect-port, network.connect_port) exist on Linux alone; leave them "
          "out, or open one of localhost with --open-port");
  if (!p.r.hosts) return {};
  return sentence(
      "hosts and credentials are filtered by nono-proxy, which is not built for macOS yet; use --block-net "
      "or "
      "--allow-net, without --credential");
}

error start_proxy(const run_options&, started&) { return {}; }

void add_proxy_variables(started&, std::vector<std::pair<std::string, std::string>>&) {}

int start_and_watch(const run_options& options, started& p, bool) {
  const signal_forwarding signals;
  const std::vector<const char*> environment = pointers(p.environment);
  const std::vector<std::string> words = arguments(options, p);
  const std::vector<std::string_view> argv(words.begin(), words.end());
  spawn_options how;
  how.directory = p.start_directory;
  how.environment = environment.data();
  how.program = p.r.target.path;
  result<nono::child> child = nono::detail::spawner(how, p.prepared->with.get()).run(*p.bound, argv);
  if (!child) return complained_of(child.error(), exit_code_of(child.error().code));
  signals.to(*child);
  write_report(p, child->report(), true);
  const auto status = child->wait();
  signals.end();
  if (!status) return complained_of(status.error());
  clean_up(options, p);
  return status->exit_code();
}

int confine_and_become(const run_options& options, started& p) {
  const auto report = seatbelt::confine(*p.bound, p.prepared->with.get());
  if (!report) return complained_of(report.error(), 126);
  write_report(p, *report, true);
  const int most = ::getdtablesize();
  for (int fd = 3; fd < most; ++fd) (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return execute(options, p);
}

void set_dumpable(bool) noexcept {}

}  // namespace nono::cli
#endif
