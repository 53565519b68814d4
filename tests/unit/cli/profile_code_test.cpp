// SPDX-License-Identifier: Apache-2.0
// What tests/profile_code.py cannot reach: it compiles what the command prints.
#include "cli/commands/profile_code.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nono/bind.hpp>
#include <nono/capability_set.hpp>
#include <nono/groups.hpp>

using namespace std::string_literals;
using nono::capability_set;
using nono::path_kind;
using nono::right;
using nono::cli::code_of;
using nono::cli::identifier_of;
using nono::cli::literal_of;

namespace {

const nono::bound_policy nothing_bound;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

void add(capability_set& to, std::string_view path, right rights, path_kind kind,
         nono::when_missing missing = nono::if_exists) {
  REQUIRE(to.add({path, rights, kind, missing, nono::origin::profile, "p"}).has_value());
}

}  // namespace

TEST_CASE("profile_code: a literal is printable ASCII on one line, and every byte comes back") {
  std::string all;
  for (int round = 0; round < 2; ++round)
    for (int byte = 1; byte < 256; ++byte) {
      all += static_cast<char>(byte);
      if (round == 1) all += '7';  // a digit behind each: none joins an escape
    }
  const std::string literal = literal_of(all);
  std::string back;
  for (std::size_t i = 1; i + 1 < literal.size(); ++i) {
    CHECK(literal[i] >= ' ');
    CHECK(literal[i] <= '~');
    if (literal[i] != '\\') {
      CHECK(literal[i] != '"');
      back += literal[i];
    } else if (literal[i + 1] >= '0' && literal[i + 1] <= '7') {
      back += static_cast<char>(std::stoi(literal.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      back += literal[++i];
    }
  }
  CHECK(back == all);
  CHECK(literal_of("a\"b\\\n") == R"("a\"b\\\012")");
  CHECK_FALSE(has(literal_of("what?"
                             "?"
                             "?/"),
                  "?"
                  "?"));
}

TEST_CASE("profile_code: identifiers") {
  CHECK(identifier_of("go-dev") == "go_dev");
  CHECK(identifier_of("") == "profile");
  CHECK(identifier_of("7z") == "profile_7z");
  CHECK(identifier_of("__A--b__") == "A_b");
  CHECK(identifier_of("x\"\n#error é") == "x_error");
  CHECK(identifier_of("-") == "profile");
}

TEST_CASE("profile_code: a path that is a file and a directory is refused with a sentence") {
  capability_set policy;
  add(policy, "/a", right::read, path_kind::file);
  add(policy, "/a", right::write, path_kind::directory);
  add(policy, "/b", right::read, path_kind::file);
  const auto code = code_of("p", policy.ref(), nothing_bound, {});
  REQUIRE(code.unsaid.size() == 2);
  CHECK(code.unsaid[0] ==
        "nono::caps() has no word for allow_file<read>('/a', if_exists) of the profile p beside another kind "
        "of grant "
        "on the same path, so the code leaves it out; grant the path in one way only");
  CHECK(has(code.text, "// not said: \"/a\" is granted as a file and as a directory"));
  CHECK(has(code.text, ".allow_file<nono::read>(\"/b\", nono::if_exists)"));
  CHECK_FALSE(has(code.text, "(\"/a\""));
}

TEST_CASE("profile_code: rules of one path are joined, and the stricter word on missing paths holds") {
  capability_set policy;
  add(policy, "/a", right::read_file, path_kind::directory, nono::create_dir);
  add(policy, "/a", right::write | right::ioctl, path_kind::directory, nono::must_exist);
  add(policy, "/s", right::connect_unix, path_kind::file);
  add(policy, "/s", nono::no_rights, path_kind::deny);
  add(policy, "/t", right::connect_unix, path_kind::directory);
  const std::string text = code_of("p", policy.ref(), nothing_bound, {"a remark"}).text;
  CHECK(
      has(text, "        .allow_path<nono::write | nono::right::read_file | nono::right::ioctl>(\"/a\")\n"));
  CHECK(has(text, ".deny_path(\"/s\")"));
  CHECK(has(text, "// left out, because it gave way here: nono::right::connect_unix on \"/s\""));
  CHECK(has(text, ".allow_unix_sockets_below(\"/t\", nono::if_exists)"));
  CHECK(has(text, "\n// a remark\n"));
}

TEST_CASE("profile_code: settings") {
  capability_set policy;
  policy.unix_sockets(nono::unix_sockets::none).strict().target(nono::linux_only);
  policy.best_effort(nono::protection::signals).lift(nono::protection::ipc);
  REQUIRE(policy.allow_port({nono::port_use::connect_tcp, 443}).has_value());
  REQUIRE(policy.allow_port({nono::port_use::bind_tcp, 0}).has_value());
  const std::string text = code_of("p", policy.ref(), nothing_bound, {}).text;
  for (const char* part :
       {".network(nono::only(nono::connect_tcp(443), nono::bind_tcp(0)))",
        ".unix_sockets(nono::unix_sockets::none)", ".best_effort(nono::protection::signals)",
        ".lift(nono::protection::ipc)", ".strict()", ".target(nono::linux_only)", "nono::caps()"}) {
    CAPTURE(part);
    CHECK(has(text, part));
  }
  capability_set named;
  named.network(nono::hosts{"a.example", "*.b.example"});
  CHECK(has(code_of("p", named.ref(), nothing_bound, {}).text,
            ".network(nono::hosts{\"*.b.example\", \"a.example\"})"));
}

TEST_CASE("profile_code: more rules than caps() has room for, and more groups") {
  capability_set policy;
  for (int i = 0; i < 300; ++i) add(policy, "/d/" + std::to_string(i), right::read, path_kind::directory);
  std::size_t here = 0;
  for (const nono::group* g : nono::groups::all) {
    if (!g->here() || g->required) continue;
    ++here;
    for (const nono::group_rule& r : g->rules) REQUIRE(policy.add(rule_of(*g, r)).has_value());
  }
  const std::string text = code_of("p", policy.ref(), nothing_bound, {}).text;
  CHECK(has(text, "nono::caps<300>()"));
  std::size_t given = 0;
  for (std::size_t at = 0; (at = text.find(".group(", at)) != std::string::npos; ++at) ++given;
  CHECK(given == std::min<std::size_t>(here, 32));
}
