// SPDX-License-Identifier: Apache-2.0
// The half of Seatbelt's door that runs anywhere: a bound policy's profile, and its report.
#include <nono/bind.hpp>
#include <nono/capability_set.hpp>
#include <nono/macos/apply.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "../cli/temporary_directory.hpp"

namespace seatbelt = nono::seatbelt;
using nono::protection;
using nono::standing;

TEST_CASE("macos apply: a path is there without links and as it was written") {
  nono_test::temporary_directory root;
  root.directory("data");
  root.file("file");
  root.link("link", "data");
  nono::capability_set set;
  REQUIRE(set.allow_path(root / "link", nono::read).has_value());
  REQUIRE(set.allow_file(root / "file", nono::read_write & ~nono::directory_rights).has_value());
  REQUIRE(set.deny_path("/nowhere/at/all").has_value());
  const auto bound = nono::bind(set.ref(), {});
  REQUIRE_MESSAGE(bound.has_value(), bound.error().message());
  const auto made = seatbelt::profile_of(*bound);
  REQUIRE(made.has_value());
  const auto has = [&](const std::string& value) {
    return std::any_of(made->parameters.begin(), made->parameters.end(),
                       [&](const auto& p) { return p.second == value; });
  };
  CHECK(has(root / "link"));
  CHECK(has(root / "data"));
  CHECK(has(root / "file"));
  CHECK(has("/nowhere/at/all"));
  CHECK(made->text.find(root.path()) == std::string::npos);
}

TEST_CASE("macos apply: where the volume of users' files is open, a deny holds by its long name too") {
  nono::capability_set set;
  REQUIRE(set.deny_path("/Users/me/.ssh").has_value());
  const auto long_names = [&] {
    const auto bound = nono::bind(set.ref(), {});
    REQUIRE(bound.has_value());
    return seatbelt::profile_of(*bound, {.paths = seatbelt::path_text::quoted})
               ->text.find("(subpath \"/System/Volumes/Data/Users/me/.ssh\")") != std::string::npos;
  };
  CHECK_FALSE(long_names());
  set.lift(protection::filesystem);
  CHECK(long_names());
}

TEST_CASE("macos apply: the report says what a profile enforces, and what only Linux has is not in it") {
  nono::capability_set set;
  set.network(nono::blocked).lift(protection::signals);
  const auto bound = nono::bind(set.ref(), {});
  REQUIRE(bound.has_value());
  const nono::enforcement report = seatbelt::report_of(*bound);
  CHECK(report.of(protection::filesystem) == standing::by_seatbelt);
  CHECK(report.of(protection::network) == standing::by_seatbelt);
  CHECK(report.of(protection::names) == standing::by_seatbelt);
  CHECK(report.of(protection::signals) == standing::not_asked);
  CHECK(report.of(protection::io_uring) == standing::not_asked);
  CHECK(report.demand_for(protection::network) == nono::demand::required);
  CHECK(report.demand_for(protection::signals) == nono::demand::lifted);
  CHECK(report.enforced(protection::filesystem));
  CHECK_FALSE(report.enforced(protection::signals));
  CHECK(to_text(report).starts_with("Seatbelt, 0 rules"));
}
