// SPDX-License-Identifier: Apache-2.0
// What apply() costs in a process with N idle threads, beside the same in a process with one, and beside the least that
// confining them by hand costs: a signal to each, in whose handler it confines itself. In turns.
//
// The floor lacks all that makes apply() safe: it knows the threads and the ruleset, stops nobody, and lets threads come
// and go as they like.
//
//   threads_cost [ROUNDS]
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include <nono/nono.hpp>

#include "measure.hpp"

namespace {

constexpr auto policy = [] {
  using enum nono::right;
  return nono::caps().group(nono::groups::system_read).allow_path<read>("/usr").network(nono::blocked);
}();

/// Microseconds of one apply(): until it is done, and of processors' time. Negative: it failed.
struct cost {
  double wall = -1;
  double busy = -1;
};

double busy() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

int ruleset = -1;
std::atomic<int> confined = 0;

bool confine_this_thread() {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_landlock_restrict_self, ruleset, 0U) == 0;
}

/// Confines every thread by hand; false: a call failed.
bool by_hand(const std::vector<int>& threads) {
  auto bound = nono::bind(nono::policy_ref(policy), {});
  if (!bound) return false;
  const auto kernel = nono::support();
  auto prepared = nono::detail::prepare_sandbox(*bound, kernel, nono::sandbox_target::this_process);
  if (!prepared) return false;
  ruleset = prepared->ruleset.get();
  struct sigaction act{};
  act.sa_handler = [](int) {
    if (confine_this_thread()) ++confined;
  };
  if (::sigaction(SIGUSR1, &act, nullptr) != 0) return false;
  for (const int thread : threads)
    if (::syscall(SYS_tgkill, ::getpid(), thread, SIGUSR1) != 0) return false;
  if (!confine_this_thread()) return false;
  while (confined < static_cast<int>(threads.size())) ::sched_yield();
  nono::filter_program program = nono::detail::program_for(prepared->planned.filter, kernel);
  const sock_fprog filter{program.length, program.code.data()};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}

/// Of a child with that many threads more.
cost in_child(int threads, cost* shared, bool raw) {
  *shared = {};
  const int pid = ::fork();
  if (pid == 0) {
    std::atomic<int> running = 0;
    std::vector<int> ids(static_cast<std::size_t>(threads));
    for (int& id : ids)
      std::thread([&] {
        id = ::gettid();
        ++running;
        for (;;) ::pause();
      }).detach();
    while (running < threads) ::usleep(100);
    ::usleep(1000);
    const cost before{bench::now(), busy()};
    bool done = false;
    if (raw) {
      done = by_hand(ids);
    } else {
      const auto got = policy.apply();
      done = got && got->threads == static_cast<unsigned>(threads) + 1;
    }
    const cost after{bench::now(), busy()};
    if (done) *shared = {after.wall - before.wall, after.busy - before.busy};
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return *shared;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
  auto* shared = static_cast<cost*>(
      ::mmap(nullptr, sizeof(cost), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::printf("%8s %10s %14s %14s %9s %12s   medians, us\n", "threads", "apply", "more than 1", "by hand",
              "ratio", "busy");
  for (const int threads : {0, 1, 8, 64, 512}) {
    std::vector<double> more;
    std::vector<double> wall;
    std::vector<double> busy;
    std::vector<double> floor;
    for (int i = 0; i < rounds; ++i) {
      const cost alone = in_child(0, shared, false);
      const cost all = in_child(threads, shared, false);
      const cost raw = in_child(threads, shared, true);
      if (alone.wall < 0 || all.wall < 0 || raw.wall < 0) {
        std::fputs("apply failed\n", stderr);
        return 1;
      }
      more.push_back(all.wall - alone.wall);
      wall.push_back(all.wall);
      busy.push_back(all.busy);
      floor.push_back(raw.wall);
    }
    const auto ratio = bench::in_pairs(wall, floor, [](double a, double b) { return a / b; });
    std::printf("%8d %10.0f %14.0f %14.0f %9.2f %12.0f\n", threads + 1, bench::median(wall),
                bench::median(more), bench::median(floor), bench::median(ratio), bench::median(busy));
  }
}
