// SPDX-License-Identifier: Apache-2.0
// The floor of what apply() costs in Go: the same policy in a process of C++ with as many idle threads. Prints microseconds.
//
//   go_floor THREADS
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <nono/nono.hpp>

#include "measure.hpp"

int main(int count, char** words) {
  const int threads = count > 1 ? std::atoi(words[1]) : 1;
  std::atomic<int> running = 1;
  for (int i = 1; i < threads; ++i)
    std::thread([&] {
      ++running;
      for (;;) ::pause();
    }).detach();
  while (running < threads) ::usleep(100);
  nono::capability_set set;
  set.network(nono::blocked);
  if (!set.allow_path<nono::read>("/usr") || !set.allow_path<nono::read>("/etc")) return 1;
  const double began = bench::now();
  const auto report = set.apply();
  const double took = bench::now() - began;
  if (!report) return std::fputs(report.error().message().c_str(), stderr), 1;
  std::printf("%.1f\n", took);
  std::fflush(stdout);
  ::_exit(0);
}
