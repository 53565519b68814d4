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
  CONSTEXPR_CHECK(!with(protection::ipc, standing::not_asked).enforced(protection::ipc));
  CONSTEXPR_CHECK(!with(protection::ipc, standing::missing).enforced(protection::ipc));
  CONSTEXPR_CHECK(!with(protection::ipc, standing::not_enforceable).enforced(protection::ipc));
  CONSTEXPR_CHECK(with(protection::names, standing::missing).of(protection::names) == standing::missing);
}

TEST_CASE("report: a line for each protection") {
  nono::enforcement e = with(protection::network, standing::by_landlock_and_seccomp);
  e.landlock_abi = 7;
  e.rules = 3;
  e.covered = 2;
  e.skipped = 1;
  const std::string text = to_text(e);
  CHECK(text.starts_with("Landlock ABI 7, 3 rules (2 covered by wider ones, 1 without a path)\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<long>(nono::protection_count) + 1);
  CHECK(text.find("\n  network         Landlock and seccomp   sockets beyond the policy's network\n") !=
        std::string::npos);
  for (const auto& row : nono::protections) {
    CHECK(text.find("\n  " + std::string(row.name) + " ") != std::string::npos);
    CHECK(text.find(" " + std::string(row.closes) + "\n") != std::string::npos);
  }
}
