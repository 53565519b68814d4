// SPDX-License-Identifier: Apache-2.0
// The self test of the library, and that it can fail.
#include "harness.hpp"

using live::scratch;

TEST_CASE("self_test: this kernel enforces") {
  const auto got = nono::self_test();
  CHECK(got.opens_without_sandbox);
  CHECK(got.opens_inside_grant);
  CHECK(got.refused_outside_grant);
  CHECK(got.passed());
}

TEST_CASE("self_test: files of one's own") {
  const scratch dir;
  const std::string inside = dir.file("inside");
  const std::string outside = dir.file("outside");
  CHECK(nono::self_test(inside.c_str(), outside.c_str()).passed());
}

TEST_CASE("self_test: what is granted is not claimed to be refused") {
  const scratch dir;
  const std::string file = dir.file("file");
  const auto got = nono::self_test(file.c_str(), file.c_str());
  CHECK(got.opens_without_sandbox);
  CHECK(got.opens_inside_grant);
  CHECK_FALSE(got.refused_outside_grant);
  CHECK_FALSE(got.passed());

  const auto below = nono::self_test(dir.path().c_str(), file.c_str());  // the grant holds the file
  CHECK_FALSE(below.refused_outside_grant);
  CHECK_FALSE(below.passed());
}

TEST_CASE("self_test: a file that does not open anyway proves nothing") {
  const scratch dir;
  const std::string file = dir.file("file");
  const std::string missing = dir / "missing";
  const auto got = nono::self_test(file.c_str(), missing.c_str());
  CHECK_FALSE(got.opens_without_sandbox);
  CHECK_FALSE(got.refused_outside_grant);  // ENOENT is no refusal
  CHECK_FALSE(got.passed());
  CHECK_FALSE(nono::self_test(missing.c_str(), file.c_str()).passed());
}

TEST_CASE("self_test: leaves no child and no confinement behind") {
  (void)nono::self_test();
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
  CHECK(live::try_open("/proc/stat") == 0);
}

TEST_CASE("support: says what the kernel answers") {
  const auto kernel = nono::support();
  CHECK(kernel.landlock_abi == ::syscall(444, nullptr, 0, 1U));
  CHECK(kernel.landlock_abi > 0);
  CHECK(kernel.seccomp);
  CHECK(kernel.landlock_errno == 0);
}
