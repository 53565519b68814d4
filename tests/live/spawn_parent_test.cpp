// SPDX-License-Identifier: Apache-2.0
// spawn() and the process that calls it: its signals, its threads, and a supervisor that listens.
#include "spawn_fixture.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <nono/linux/filter.hpp>

using live::leakless;
using live::read_all;
using live::scratch;
using nono::errc;
using nono::spawn_options;
using nono::stream;

// ---- signals ----

namespace {

// SIGUSR1: 0 default, 1 ignored, 2 caught; +4 if blocked. SIGUSR2: the same, times 8.
const live::probe signal_state("signal-state", [](int, char**) {
  sigset_t blocked{};
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  int out = 0;
  int unit = 1;
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    struct sigaction action{};
    ::sigaction(signal, nullptr, &action);
    const int state = action.sa_handler == SIG_DFL ? 0 : action.sa_handler == SIG_IGN ? 1 : 2;
    out += unit * (state + (::sigismember(&blocked, signal) == 1 ? 4 : 0));
    unit *= 8;
  }
  return out;
});

void do_nothing(int) {}

std::atomic<int> handled = 0;
std::atomic<int> handled_elsewhere = 0;
int parent_pid = 0;
void note_process(int) {
  handled += 1;
  if (::syscall(SYS_getpid) != parent_pid) handled_elsewhere += 1;
}

}  // namespace

TEST_CASE_FIXTURE(leakless, "spawn: ignored signals stay ignored, caught ones do not stay caught") {
  CHECK(live::in_child([] {
          std::signal(SIGUSR1, SIG_IGN);
          std::signal(SIGUSR2, do_nothing);
          if (live::spawned({}, {"signal-state"}) != 1) return live::odd;
          // The parent's own are as they were.
          if (std::signal(SIGUSR1, SIG_DFL) != SIG_IGN || std::signal(SIGUSR2, SIG_DFL) != do_nothing)
            return 1;
          return live::spawned({}, {"signal-state"});
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "spawn: the signal mask is the parent's, before and after, in both") {
  CHECK(live::in_child([] {
          sigset_t some{};
          ::sigemptyset(&some);
          ::sigaddset(&some, SIGUSR2);
          ::sigprocmask(SIG_SETMASK, &some, nullptr);
          const auto unchanged = [&] {
            sigset_t now{};
            ::sigprocmask(SIG_SETMASK, nullptr, &now);
            return std::memcmp(&now, &some, sizeof now) == 0;
          };
          if (live::spawned({}, {"signal-state"}) != 8 * 4 || !unchanged()) return 1;
          if (nono::spawn(nono::capability_set(), {"/bin/true"}) || !unchanged()) return 2;  // exec fails
          if (nono::spawn(live::with_system(), {"/nono-live/nowhere"}) || !unchanged()) return 3;
          return 0;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "spawn: the signal mask that is given") {
  const std::uint64_t none = 0;
  const std::uint64_t first = std::uint64_t{1} << (SIGUSR1 - 1);
  spawn_options options;
  options.signal_mask = &first;
  CHECK(live::spawned({}, {"signal-state"}, options) == 4);
  CHECK(live::in_child([&] {
          sigset_t all{};
          ::sigfillset(&all);
          ::sigprocmask(SIG_SETMASK, &all, nullptr);
          options.signal_mask = &none;
          return live::spawned({}, {"signal-state"}, options);
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "spawn: a child that ends with its parent, and one that does not") {
  const auto outlives = [](bool ends_with_parent) {
    return live::in_child([&] {
      (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // the orphan becomes ours
      int ends[2];
      if (::pipe2(ends, O_CLOEXEC) != 0) return live::odd;
      const int started = live::in_child([&] {
        spawn_options options;
        options.ends_with_parent = ends_with_parent;
        auto child = nono::spawn(live::with_system(), {"/bin/sleep", "60"}, options);
        if (!child) return 1;
        const int pid = child->pid();
        child->release();
        return ::write(ends[1], &pid, sizeof pid) == sizeof pid ? 0 : 1;
      });
      int pid = -1;
      if (started != 0 || ::read(ends[0], &pid, sizeof pid) != sizeof pid) return live::odd;
      pollfd end{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0};
      const bool ended = ::poll(&end, 1, ends_with_parent ? 10000 : 100) == 1;
      ::kill(pid, SIGTERM);
      const int result = live::result_of(pid);
      if (ended != (result == live::killed + SIGKILL)) return live::odd;
      return ended ? 0 : 1;
    });
  };
  CHECK(outlives(true) == 0);
  CHECK(outlives(false) == 1);
}

TEST_CASE_FIXTURE(leakless, "spawn: a handler of the parent's never runs in the child") {
  // The child shares the parent's memory until it executes: a handler there would act on the parent's state.
  CHECK(live::in_child([] {
          parent_pid = ::getpid();
          std::signal(SIGUSR1, note_process);
          if (::setpgid(0, 0) != 0) return live::odd;
          const pid_t hammer = live::fork_child();
          if (hammer == 0) {
            std::signal(SIGUSR1, SIG_IGN);
            for (;;) {
              (void)::kill(0, SIGUSR1);  // the whole group: the parent, and what it starts
              ::usleep(50);
            }
          }
          int ended = 0;
          int hit = 0;
          const auto policy = live::with_system();
          for (int i = 0; i < 150; ++i) {
            auto child = nono::spawn(policy, {"/bin/true"});
            if (!child) continue;
            const auto status = child->wait();
            if (!status || (status->signal != 0 && status->signal != SIGUSR1)) break;
            ++ended;
            if (status->signal == SIGUSR1) ++hit;
          }
          ::kill(hammer, SIGKILL);
          (void)live::result_of(hammer);
          if (handled_elsewhere != 0) return 1;
          if (ended != 150) return 2;
          return handled > 0 && hit > 0 ? 0 : 3;  // the hammer did hit both
        }) == 0);
}

// ---- threads ----

TEST_CASE_FIXTURE(leakless, "spawn: from 32 threads at once") {
  const scratch home;
  const std::string inside = home.file("inside");
  const std::string outside = home.file("outside");
  std::atomic<int> right = 0;
  std::mutex guard;
  std::string wrong;
  std::vector<std::thread> threads;
  threads.reserve(32);
  for (int t = 0; t < 32; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 3; ++round) {
        spawn_options options;
        options.out = stream::pipe();
        options.err = stream::null();
        const std::string text = std::to_string(t) + "." + std::to_string(round);
        auto child = nono::spawn(
            live::with_system({{inside, nono::read}}),
            {"/bin/sh", "-c", "cat \"$1\" >&2 && ! cat \"$2\" >&2 && echo \"$0\"", text, inside, outside},
            options);
        const std::string said = child ? read_all(child->out()) : child.error().message();
        const auto status = child ? child->wait() : nono::result<nono::exit_status>(child.error());
        if (status && status->ok() && said == text + "\n") {
          right += 1;
        } else {
          const std::lock_guard lock(guard);
          wrong +=
              text + ": " + said + (status ? ", code " + std::to_string(status->exit_code()) : "") + '\n';
        }
      }
    });
  for (auto& thread : threads) thread.join();
  CAPTURE(wrong);
  CHECK(right == 96);
  CHECK(live::try_open(outside) == 0);  // the parent is as free as before
}

// ---- a supervisor that listens ----

namespace {

struct heard {
  int openat = 0;
  int refused = 0;
  int all = 0;
};

/// Answers what a listener hears until the child has ended: what the table refuses is refused, the rest goes on.
heard supervise(const nono::child& child, const nono::filter_table& table) {
  heard out;
  for (;;) {
    std::array<pollfd, 2> ready{{{child.listener(), POLLIN, 0}, {child.pidfd(), POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), 20000) <= 0) break;
    if ((ready[0].revents & POLLIN) == 0) break;  // the child has ended, and nobody has the filter any more
    seccomp_notif call{};
    if (::ioctl(child.listener(), SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
      if (errno == ENOENT || errno == EINTR) continue;  // who asked is gone
      break;
    }
    ++out.all;
    if (call.data.nr == SYS_openat) ++out.openat;
    seccomp_notif_resp answer{};
    answer.id = call.id;
    const std::uint64_t args[6] = {call.data.args[0], call.data.args[1], call.data.args[2],
                                   call.data.args[3], call.data.args[4], call.data.args[5]};
    if (const nono::filter_row* row = table.refusal_of(call.data.nr, args); row != nullptr) {
      answer.error = -row->refusal;
      ++out.refused;
    } else {
      answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    }
    (void)::ioctl(child.listener(), SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
  return out;
}

const live::probe socket_and_open("socket-and-open", [](int, char** argv) {
  if (::socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EACCES) return live::odd;
  return live::try_open(argv[0]);
});
const live::probe spawn_observed("spawn-observed", [](int, char** argv) {
  spawn_options options;
  options.observed = true;
  const std::string program = live::self();
  nono::capability_set policy = live::with_system({{program, nono::read}});
  policy.network(nono::blocked);
  auto child = nono::spawn(policy, {program, "--probe", "socket-and-open", argv[0]}, options);
  if (!child) return live::not_confined;
  if (child->listener() != -1) return live::odd;  // who listens already stays the only one
  const auto status = child->wait();
  return status && status->signal == 0 ? status->code : live::odd;
});

}  // namespace

TEST_CASE_FIXTURE(leakless, "spawn: a listener hears of opened files and of refusals") {
  const scratch home;
  const std::string inside = home.file("inside");
  const std::string outside = home.file("outside");
  const std::string program = live::self();
  const nono::filter_table table({.network = nono::network_mode::blocked, .observed = true, .lifted = {}});
  const auto run = [&](const std::string& file, heard& ears) {
    nono::capability_set policy = live::with_system({{program, nono::read}, {inside, nono::read}});
    policy.network(nono::blocked);
    spawn_options options;
    options.observed = true;
    auto child = nono::spawn(policy, {program, "--probe", "socket-and-open", file}, options);
    REQUIRE(child.has_value());
    REQUIRE(child->listener() >= 0);
    CHECK(::fcntl(child->listener(), F_GETFD) == FD_CLOEXEC);
    ears = supervise(*child, table);
    const auto status = child->wait();
    return status && status->signal == 0 ? status->code : live::odd;
  };
  heard ears;
  CHECK(run(inside, ears) == 0);
  CHECK(ears.openat > 0);
  CHECK(ears.refused > 0);
  CHECK(run(outside, ears) == EACCES);  // to go on is not to be allowed: Landlock has the last word
  CHECK(ears.openat > 0);
}

TEST_CASE_FIXTURE(leakless, "spawn: below a supervisor a second one is given up, the refusals are not") {
  const scratch home;
  const std::string inside = home.file("inside");
  const std::string program = live::self();
  const nono::filter_table table({.observed = true, .lifted = {}});
  spawn_options options;
  options.observed = true;
  auto child = nono::spawn(live::with_system({{program, nono::read}, {home.path(), nono::read}}),
                           {program, "--probe", "spawn-observed", inside}, options);
  REQUIRE(child.has_value());
  const heard ears = supervise(*child, table);
  CHECK(ears.openat > 0);
  const auto status = child->wait();
  REQUIRE(status.has_value());
  CHECK(status->code == EACCES);  // the inner policy grants less
}

TEST_CASE_FIXTURE(leakless, "spawn: an observed child that cannot start leaves nothing behind") {
  spawn_options options;
  options.observed = true;
  const auto child = nono::spawn(nono::capability_set(), {"/bin/true"}, options);
  REQUIRE_FALSE(child.has_value());
  CHECK(child.error().code == errc::exec_failed);
  options.directory = "/nono-live/nowhere";
  CHECK_FALSE(nono::spawn(live::with_system(), {"/bin/true"}, options).has_value());
}

TEST_CASE_FIXTURE(leakless, "spawn: an observed child that nobody answers is killed with its owner") {
  spawn_options options;
  options.observed = true;
  auto child = nono::spawn(live::with_system(), {"/bin/true"}, options);
  REQUIRE(child.has_value());
  pollfd asked{child->listener(), POLLIN, 0};
  CHECK(::poll(&asked, 1, 10000) == 1);
}

TEST_CASE_FIXTURE(leakless, "spawn: observed calls fail when the listener is closed") {
  spawn_options options;
  options.observed = true;
  options.err = stream::null();
  auto child = nono::spawn(live::with_system(), {"/bin/true"}, options);
  REQUIRE(child.has_value());
  child->close_listener();
  CHECK(child->listener() == -1);
  const auto status = child->wait();  // ENOSYS from openat: the loader gives up
  REQUIRE(status.has_value());
  CHECK_FALSE(status->ok());
}
