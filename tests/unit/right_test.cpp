// SPDX-License-Identifier: Apache-2.0
#include <nono/right.hpp>

#include "constexpr_check.hpp"

using nono::right;

TEST_CASE("right: read and write are the sums of their parts") {
  CONSTEXPR_CHECK(nono::read == (right::read_file | right::list | right::execute));
  CONSTEXPR_CHECK(nono::write ==
                  (right::write_file | right::create | right::remove | right::refer | right::truncate));
  CONSTEXPR_CHECK(nono::read_write == (nono::read | nono::write));
  CONSTEXPR_CHECK((nono::read & nono::write) == nono::no_rights);
  CONSTEXPR_CHECK(!contains(nono::read_write, right::ioctl));
  CONSTEXPR_CHECK(!contains(nono::read_write, right::connect_unix));
}

TEST_CASE("right: numbers are stable, one bit each") {
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::read_file) == 1);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::list) == 2);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::execute) == 4);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::write_file) == 8);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::create) == 16);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::remove) == 32);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::refer) == 64);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::truncate) == 128);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::ioctl) == 256);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(right::connect_unix) == 512);
  CONSTEXPR_CHECK(static_cast<std::uint64_t>(nono::all_rights) == 1023);
}

namespace {
constexpr bool every_bit_has_one_name() {
  right seen = nono::no_rights;
  for (const auto& [value, name] : nono::right_names) {
    if (name.empty() || (seen & value) != nono::no_rights) return false;
    for (const auto& other : nono::right_names)
      if (other.value != value && other.name == name) return false;
    seen |= value;
  }
  return seen == nono::all_rights;
}
constexpr right changed(right from) {
  from |= right::ioctl;
  from &= ~right::read_file;
  return from;
}
}  // namespace

TEST_CASE("right: every bit has a name of its own") { CONSTEXPR_CHECK(every_bit_has_one_name()); }

TEST_CASE("right: contains") {
  CONSTEXPR_CHECK(contains(nono::read, right::list));
  CONSTEXPR_CHECK(!contains(right::list, nono::read));
  CONSTEXPR_CHECK(contains(nono::read, nono::read));
  CONSTEXPR_CHECK(contains(nono::read, nono::no_rights));
  CONSTEXPR_CHECK(!contains(nono::no_rights, right::list));
  CONSTEXPR_CHECK(changed(nono::read) == (right::list | right::execute | right::ioctl));
}

TEST_CASE("right: a file has no directory rights, but read and write as wholes are welcome") {
  CONSTEXPR_CHECK(!needs_directory(nono::read));
  CONSTEXPR_CHECK(!needs_directory(nono::write));
  CONSTEXPR_CHECK(!needs_directory(nono::read_write | right::ioctl | right::connect_unix));
  CONSTEXPR_CHECK(!needs_directory(right::read_file | right::write_file | right::truncate | right::execute));
  CONSTEXPR_CHECK(needs_directory(right::list));
  CONSTEXPR_CHECK(needs_directory(right::create));
  CONSTEXPR_CHECK(needs_directory(right::remove));
  CONSTEXPR_CHECK(needs_directory(right::refer));
  CONSTEXPR_CHECK(needs_directory(right::read_file | right::list));
  CONSTEXPR_CHECK(needs_directory(nono::read | right::create));
  CONSTEXPR_CHECK(needs_directory(nono::write | right::list));
  CONSTEXPR_CHECK(!needs_directory(nono::no_rights));
}
