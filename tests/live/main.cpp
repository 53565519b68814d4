// SPDX-License-Identifier: Apache-2.0
// The live tests: enforcement by the running kernel, each in a child. Exit code 77 where there is no Landlock.

#define main run_tests  // so that the one below comes first
#include "../doctest_main.hpp"
#undef main

#include "harness.hpp"

int main(int argc, char** argv) {
  if (const int got = live::probe::run(argc, argv); got >= 0) ::_exit(got);
  const auto kernel = nono::support();
  if (kernel.landlock_abi == 0 || !kernel.seccomp) {
    std::fprintf(stderr, "live tests: this kernel has no %s: %s\n",
                 kernel.seccomp ? "Landlock" : "seccomp filter", std::strerror(kernel.landlock_errno));
    return live::required() ? 1 : 77;
  }
  return run_tests(argc, argv);
}
