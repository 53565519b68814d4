// SPDX-License-Identifier: Apache-2.0
#include <nono/protection.hpp>

#include "constexpr_check.hpp"

using nono::protection;
using nono::protection_set;
using nono::standing;

namespace {

constexpr bool rows_stand_in_order() {
  for (std::size_t i = 0; i < nono::protection_count; ++i)
    if (nono::protections[i].id != static_cast<protection>(i)) return false;
  return static_cast<std::size_t>(protection::names) + 1 == nono::protection_count;
}

constexpr bool texts_are_there_and_distinct() {
  for (const auto& a : nono::protections) {
    if (a.name.empty() || a.kernel.empty() || a.closes.empty()) return false;
    for (const auto& b : nono::protections)
      if (a.id != b.id && (a.name == b.name || a.closes == b.closes)) return false;
  }
  return true;
}

constexpr protection_set two() {
  protection_set out;
  out |= protection::ipc;
  out |= protection::filesystem;
  return out;
}
constexpr protection_set one_of_two() {
  protection_set out = two();
  out -= protection::filesystem;
  out -= protection::names;  // not in it
  return out;
}

}  // namespace

TEST_CASE("protection: one row each, found by its number") {
  CONSTEXPR_CHECK(rows_stand_in_order());
  CONSTEXPR_CHECK(texts_are_there_and_distinct());
  CONSTEXPR_CHECK(nono::row_of(protection::io_uring).name == "io_uring");
  CONSTEXPR_CHECK(nono::row_of(protection::names).name == "names");
}

TEST_CASE("protection: what Landlock can do since when") {
  CONSTEXPR_CHECK(nono::row_of(protection::filesystem).landlock_abi == 1);
  CONSTEXPR_CHECK(nono::row_of(protection::truncate).landlock_abi == 3);
  CONSTEXPR_CHECK(nono::row_of(protection::network).landlock_abi == 4);
  CONSTEXPR_CHECK(nono::row_of(protection::device_ioctl).landlock_abi == 5);
  CONSTEXPR_CHECK(nono::row_of(protection::signals).landlock_abi == 6);
  CONSTEXPR_CHECK(nono::row_of(protection::abstract_unix).landlock_abi == 6);
  CONSTEXPR_CHECK(nono::row_of(protection::pathname_unix).landlock_abi == 9);
}

TEST_CASE("protection: which ABI a protection needs, in the network and with the sockets it has") {
  using nono::needed_abi;
  using enum nono::network_mode;
  constexpr auto standard = nono::unix_sockets::by_default;
  CONSTEXPR_CHECK(needed_abi(protection::filesystem, blocked, standard) == 1);
  CONSTEXPR_CHECK(needed_abi(protection::truncate, blocked, standard) == 0);
  CONSTEXPR_CHECK(needed_abi(protection::network, blocked, standard) == 0);
  CONSTEXPR_CHECK(needed_abi(protection::network, ports, standard) == 4);
  CONSTEXPR_CHECK(needed_abi(protection::abstract_unix, blocked, standard) == 6);
  CONSTEXPR_CHECK(needed_abi(protection::abstract_unix, loopback, standard) == 0);
  CONSTEXPR_CHECK(needed_abi(protection::pathname_unix, blocked, nono::unix_sockets::none) == 0);
  CONSTEXPR_CHECK(needed_abi(protection::pathname_unix, blocked, nono::unix_sockets::granted) == 9);
  // process_memory: whatever makes a domain.
  constexpr auto any = nono::unix_sockets::any;
  nono::protection_set lifted;
  CHECK(needed_abi(protection::process_memory, unrestricted, any, lifted) == 1);
  lifted |= protection::filesystem;
  CHECK(needed_abi(protection::process_memory, unrestricted, any, lifted) == 6);
  lifted |= protection::signals;
  CHECK(needed_abi(protection::process_memory, unrestricted, any, lifted) == 6);
  lifted |= protection::abstract_unix;
  CHECK(needed_abi(protection::process_memory, unrestricted, any, lifted) == nono::no_landlock_abi);
  CHECK(needed_abi(protection::process_memory, unrestricted, standard, lifted) == 9);
  CHECK(needed_abi(protection::process_memory, loopback, standard, lifted) == 9);
  CHECK(needed_abi(protection::process_memory, blocked, any, lifted) == 4);
  CHECK(needed_abi(protection::process_memory, ports, any, lifted) == 4);
}

TEST_CASE("protection: what may be lifted and given up") {
  CONSTEXPR_CHECK(nono::check_lift(protection::ipc) == nono::errc::none);
  CONSTEXPR_CHECK(nono::check_lift(protection::foreign_abi) == nono::errc::protection_not_liftable);
  CONSTEXPR_CHECK(nono::check_lift(protection::names) == nono::errc::protection_not_enforceable);
  CONSTEXPR_CHECK(nono::check_best_effort(protection::names) == nono::errc::protection_not_enforceable);
  CONSTEXPR_CHECK(nono::check_best_effort(protection::foreign_abi) == nono::errc::none);
  CONSTEXPR_CHECK(nono::check_best_effort(protection::metadata) == nono::errc::none);
}

TEST_CASE("protection: sets") {
  CONSTEXPR_CHECK(protection_set{}.empty());
  CONSTEXPR_CHECK(!protection_set{protection::filesystem}.empty());
  CONSTEXPR_CHECK(protection_set{protection::names}.has(protection::names));
  CONSTEXPR_CHECK(!protection_set{protection::names}.has(protection::filesystem));
  CONSTEXPR_CHECK(two().has(protection::ipc));
  CONSTEXPR_CHECK(two().has(protection::filesystem));
  CONSTEXPR_CHECK(one_of_two() == protection_set{protection::ipc});
  CONSTEXPR_CHECK(two().contains(one_of_two()));
  CONSTEXPR_CHECK(!one_of_two().contains(two()));
}

TEST_CASE("protection: every standing has a word") {
  CONSTEXPR_CHECK(nono::name_of(standing::by_landlock) == "Landlock");
  CONSTEXPR_CHECK(nono::name_of(standing::by_seccomp) == "seccomp");
  CONSTEXPR_CHECK(nono::name_of(standing::by_landlock_and_seccomp) == "Landlock and seccomp");
  CONSTEXPR_CHECK(nono::name_of(standing::by_namespace) == "network namespace");
  CONSTEXPR_CHECK(nono::name_of(standing::by_supervisor) == "supervisor");
  CONSTEXPR_CHECK(nono::name_of(standing::by_seatbelt) == "Seatbelt");
  CONSTEXPR_CHECK(nono::name_of(standing::not_asked) == "not asked");
  CONSTEXPR_CHECK(nono::name_of(standing::missing) == "missing");
  CONSTEXPR_CHECK(nono::name_of(standing::not_enforceable) == "not enforceable");
}
