// SPDX-License-Identifier: Apache-2.0
#include <nono/report.hpp>

#include <algorithm>
#include <string>

#include "constexpr_check.hpp"

using nono::protection;
using nono::standing;

namespace {
constexpr nono::enforcement with(protection id, standing s) {
  nono::enforcement e;
  e.protections[static_cast<std::size_t>(id)] = s;
  return e;
}
}  // namespace

TEST_CASE("report: enforced by whichever mechanism") {
  CONSTEXPR_CHECK(with(protection::ipc, standing::by_landlock).enforced(protection::ipc));
  CONSTEXPR_CHECK(with(protection::ipc, standing::by_seccomp).enforced(protection::ipc));
  CONSTEXPR_CHECK(with(protection::ipc, standing::by_landlock_and_seccomp).enforced(protection::ipc));
  CONSTEXPR_CHECK(with(protection::ipc, standing::by_namespace).enforced(protection::ipc));
  CONSTEXPR_CHECK(with(protection::ipc, standing::by_supervisor).enforced(protection::ipc));
  CONSTEXPR_CHECK(!with(protection::ipc, standing::not_asked).enforced(protection::ipc));
  CONSTEXPR_CHECK(!with(protection::ipc, standing::missing).enforced(protection::ipc));
  CONSTEXPR_CHECK(!with(protection::ipc, standing::not_enforceable).enforced(protection::ipc));
  CONSTEXPR_CHECK(with(protection::names, standing::missing).of(protection::names) == standing::missing);
}

TEST_CASE("report: a line for each protection") {
  nono::enforcement e = with(protection::network, standing::by_landlock_and_seccomp);
  e.demands[static_cast<std::size_t>(protection::network)] = nono::demand::required;
  e.landlock_abi = 7;
  e.rules = 3;
  e.covered = 2;
  e.skipped = 1;
  const std::string text = to_text(e);
  CHECK(text.starts_with("Landlock ABI 7, 3 rules (2 covered by wider ones, 1 without a path)\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<long>(nono::protection_count) + 1);
  CHECK(text.find(
            "\n  network         required   Landlock and seccomp   sockets beyond the policy's network\n") !=
        std::string::npos);
  CHECK(text.find("\n  names                      Landlock               stat") != std::string::npos);
  CHECK(text.find("(claimed)") == std::string::npos);
  for (const auto& row : nono::protections) {
    CHECK(text.find("\n  " + std::string(row.name) + " ") != std::string::npos);
    CHECK(text.find(" " + std::string(row.closes) + "\n") != std::string::npos);
  }
}

TEST_CASE("report: a kernel that does not keep its number is named with what it lacks") {
  nono::enforcement e;
  e.landlock_abi = 6;
  e.real_abi = 4;
  e.missing = {nono::linux_abi::fs_ioctl_dev, 0, nono::linux_abi::scope_6};
  CHECK(
      to_text(e).starts_with("Landlock ABI 6, 0 rules (0 covered by wider ones, 0 without a path)\n"
                             "  abi=6 (claimed), missing: fs.ioctl_dev, scope.signal, "
                             "scope.abstract_unix_socket; as good as ABI 4\n"));
}

TEST_CASE("report: every demand has a word") {
  CONSTEXPR_CHECK(name_of(nono::demand::none) == "none");
  CONSTEXPR_CHECK(name_of(nono::demand::preferred) == "preferred");
  CONSTEXPR_CHECK(name_of(nono::demand::required) == "required");
  CONSTEXPR_CHECK(name_of(nono::demand::lifted) == "lifted");
}

TEST_CASE("report: threads and what was open, only where there is something to say") {
  nono::enforcement e;
  e.threads = 1;
  const std::string alone = to_text(e);
  CHECK(alone.find("threads") == std::string::npos);
  CHECK(alone.find("open from before") == std::string::npos);
  e.threads = 5;
  e.mode = nono::thread_mode::tsync;
  CHECK(to_text(e) == alone + "  threads: 5, tsync\n");
  e.mode = nono::thread_mode::broadcast;
  CHECK(to_text(e) ==
        alone + "  threads: 5, broadcast: none can signal or inspect what another starts from now on\n");
  e.mode = nono::thread_mode::single;
  e.on_9p = 2;
  CHECK(to_text(e) ==
        alone + "  rules on 9p: 2, on FUSE: 0; where these make inodes anew, what is granted is refused\n");
  e.on_9p = 0;
  e.io_uring_rings = 1;
  e.unix_connections = 2;
  CHECK(to_text(e) ==
        alone + "  open from before: 0 network sockets, 2 unix connections, 1 io_uring rings\n");
}
