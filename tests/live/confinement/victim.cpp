// SPDX-License-Identifier: Apache-2.0
// The process outside that attempts go for: it has a secret in its memory, its environment, its command line and behind
// a descriptor.
#include "attempts.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace attempts {

namespace {
char secret[64];
char buffer[64] = "unchanged";
}  // namespace

int be_the_victim(const char* secret_file) {
  const char* told = std::getenv("VICTIM_SECRET");  // NOLINT(concurrency-mt-unsafe)
  std::snprintf(secret, sizeof secret, "%s", told == nullptr ? "" : told);
  const int fd = ::open(secret_file, O_RDONLY);                // NOLINT(android-cloexec-open)
  (void)::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);  // Yama shall not be what refuses
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  std::printf("%p %p %d\n", static_cast<void*>(secret), static_cast<void*>(buffer), fd);
  std::fflush(stdout);
  for (;;) ::pause();
}

}  // namespace attempts
