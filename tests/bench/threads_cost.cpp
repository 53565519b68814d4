// SPDX-License-Identifier: Apache-2.0
// What apply() costs in a process with N idle threads, beside the same in a process with one, in turns.
//
//   threads_cost [ROUNDS]
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
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

/// Of a child with that many threads more.
cost in_child(int threads, cost* shared) {
  *shared = {};
  const int pid = ::fork();
  if (pid == 0) {
    std::atomic<int> running = 0;
    for (int i = 0; i < threads; ++i)
      std::thread([&] {
        ++running;
        for (;;) ::pause();
      }).detach();
    while (running < threads) ::usleep(100);
    ::usleep(1000);
    const cost before{bench::now(), busy()};
    const auto got = policy.apply();
    const cost after{bench::now(), busy()};
    if (got && got->threads == static_cast<unsigned>(threads) + 1)
      *shared = {after.wall - before.wall, after.busy - before.busy};
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
  std::printf("%8s %12s %12s %12s   medians, us\n", "threads", "apply", "more than 1", "busy");
  for (const int threads : {0, 1, 8, 64, 512}) {
    std::vector<double> more;
    std::vector<double> wall;
    std::vector<double> busy;
    for (int i = 0; i < rounds; ++i) {
      const cost alone = in_child(0, shared);
      const cost all = in_child(threads, shared);
      if (alone.wall < 0 || all.wall < 0) {
        std::fputs("apply failed\n", stderr);
        return 1;
      }
      more.push_back(all.wall - alone.wall);
      wall.push_back(all.wall);
      busy.push_back(all.busy);
    }
    std::printf("%8d %12.0f %12.0f %12.0f\n", threads + 1, bench::median(wall), bench::median(more),
                bench::median(busy));
  }
}
