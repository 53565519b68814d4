// SPDX-License-Identifier: Apache-2.0
#include <nono/json/report.hpp>

#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using nono::protection;
using nono::standing;

TEST_CASE("report as JSON: every number and every protection, by name") {
  nono::enforcement e;
  e.landlock_abi = 7;
  e.real_abi = 6;
  e.missing.scoped = 2;
  e.rules = 1;
  e.covered = 2;
  e.skipped = 3;
  e.on_9p = 4;
  e.on_fuse = 5;
  e.threads = 6;
  e.mode = nono::thread_mode::broadcast;
  e.network_sockets = 7;
  e.unix_connections = 8;
  e.io_uring_rings = 9;
  e.protections.fill(standing::missing);
  e.protections[static_cast<std::size_t>(protection::signals)] = standing::by_landlock_and_seccomp;
  e.demands[static_cast<std::size_t>(protection::signals)] = nono::demand::required;
  const auto got = nlohmann::json::parse(to_json(e));
  const char* const names[] = {"rules", "covered", "skipped", "on_9p", "on_fuse", "threads"};
  for (int i = 0; i < 6; ++i) CHECK(got.at(names[i]) == i + 1);
  CHECK(got.at("network_sockets") == 7);
  CHECK(got.at("unix_connections") == 8);
  CHECK(got.at("io_uring_rings") == 9);
  CHECK(got.at("landlock_abi") == 7);
  CHECK(got.at("real_abi") == 6);
  CHECK(got.at("missing") == to_text(e.missing));
  CHECK(got.at("mode") == "broadcast");
  CHECK(got.at("protections").size() == nono::protection_count);
  for (const nono::protection_row& row : nono::protections) {
    const auto& one = got.at("protections").at(std::string(row.name));
    CHECK(one.at("wanted") == name_of(e.demand_for(row.id)));
    CHECK(one.at("given_by") == name_of(e.of(row.id)));
  }
  CHECK(got.size() == 14);
}

TEST_CASE("report as JSON: the layout, indented as it is asked") {
  const std::string text = to_json(nono::enforcement{}, "    ");
  CHECK(text.starts_with("{\n      \"landlock_abi\": 0,\n"));
  CHECK(text.find("\n      \"protections\": {\n        \"filesystem\": {\"wanted\": \"none\", ") !=
        std::string::npos);
  CHECK(text.ends_with("\n      }\n    }"));
}
