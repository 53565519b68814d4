// SPDX-License-Identifier: Apache-2.0
#include <nono/json/profile_writer.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nono/json/profile.hpp>

using namespace std::string_literals;
using nono::profile;
using nono::to_json;
using nono::detail::field_shape;
using nono::detail::profile_field;
using nono::detail::profile_fields;

namespace {

class some {
 public:
  explicit some(unsigned seed) : random_(seed) {}

  profile any() {
    profile p;
    for (const profile_field& f : profile_fields) {
      if (!f.now.empty() || one_in(3)) continue;
      switch (f.shape) {
        case field_shape::text:
          p.*f.text = text();
          break;
        case field_shape::word:
          p.*f.text = word_of(f.words);
          break;
        case field_shape::flag:
          p.*f.flag = true;
          break;
        case field_shape::text_or_texts:
        case field_shape::texts:
        case field_shape::entries:
          p.*f.list = texts();
          break;
        case field_shape::ports:
          for (unsigned n = below(4); n > 0; --n) put(p.*f.list, std::to_string(1 + below(65535)));
          if (f.list == &profile::listen_ports && one_in(2)) put(p.*f.list, "0");
          break;
        case field_shape::nullable_text:
          p.network_profile = one_in(2) ? "" : word_of(f.words);
          break;
        case field_shape::domains:
          for (const std::string& name : texts()) {
            nono::profile_domain d{name};
            for (const std::string& path : texts())
              d.endpoints.emplace_back(one_in(2) ? "GET" : text(), path);
            p.domains.push_back(std::move(d));
          }
          break;
        case field_shape::optional_texts:
          (f.name == "allow_vars" ? p.allow_vars : p.credentials) = texts();
          break;
        case field_shape::definitions:
          for (const std::string& name : texts())
            p.custom_credentials.emplace_back(
                name,
                R"({"upstream": "u\"", "auth": {"x": ["\u0000", 1, null, true, {}, []], "y": 18446744073709551615}})");
          break;
        case field_shape::variables:
          for (unsigned n = below(3); n > 0; --n) p.set_vars.emplace_back("V" + std::to_string(n), text(0));
          break;
        case field_shape::references:
          for (const std::string& from : texts()) p.env_credentials.emplace_back(from, "T");
          break;
        case field_shape::anything:
        case field_shape::nothing:
          break;
      }
    }
    if (p.name.empty()) p.version = p.description = p.author = "";
    return p;
  }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool one_in(unsigned n) { return below(n) == 0; }
  static void put(std::vector<std::string>& to, std::string item) {
    if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(std::move(item));
  }
  std::string word_of(std::string_view words) {
    std::vector<std::string> all;
    nono::detail::for_each_word(words, [&](std::string_view w) { all.emplace_back(w); });
    return all[below(static_cast<unsigned>(all.size()))];
  }
  std::string text(unsigned least = 1) {
    static constexpr std::string_view pieces[] = {"a",    "/",    "$HOME", "\"", "\\",       "\n",
                                                  "\x01", "\x7f", "//",    ",",  "/*",       "]",
                                                  "}",    "é",    "€",     "😀", "\xC2\x9B", "*."};
    std::string out;
    for (unsigned n = least + below(5); n > 0; --n) out += pieces[below(std::size(pieces))];
    return out;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> out;
    for (unsigned n = below(4); n > 0; --n) put(out, text());
    return out;
  }
  std::minstd_rand random_;
};

}  // namespace

TEST_CASE("profile_writer: reading what was written gives the same profile") {
  some of(7);
  for (int round = 0; round < 3000; ++round) {
    const profile p = of.any();
    const std::string text = to_json(p);
    CAPTURE(text);
    const auto again = nono::parse_profile(text, "x");
    REQUIRE_MESSAGE(again.has_value(), (again ? ""s : again.error().message()));
    REQUIRE(*again == p);
    REQUIRE(to_json(*again) == text);
    REQUIRE(text.ends_with("}\n"));
  }
}

TEST_CASE("profile_writer: every field that a profile keeps is written") {
  // Were one forgotten by table and writer, no random profile would tell.
  some of(1);
  std::string all;
  for (int round = 0; round < 50; ++round) all += to_json(of.any());
  for (const profile_field& f : profile_fields) {
    CAPTURE(full_name(f));
    const bool kept = f.now.empty() && f.shape != field_shape::anything && f.shape != field_shape::nothing;
    // "allow_port" and the like are old spellings; their names must not come back.
    if (kept) CHECK(all.find("\"" + std::string(f.name) + "\": ") != std::string::npos);
    if (!f.now.empty() && f.name != "groups")
      CHECK(all.find("\"" + std::string(f.name) + "\": ") == std::string::npos);
  }
  CHECK(all.find("\"security\": {\n    \"groups\"") == std::string::npos);
}

TEST_CASE("profile_writer: a skeleton says nothing more") {
  profile p;
  p.name = "x";
  const auto read = [](const std::string& text) {
    const auto got = nono::parse_profile(text, "x");
    REQUIRE_MESSAGE(got.has_value(), (got ? ""s : got.error().message()));
    return *got;
  };
  const std::string text = nono::profile_skeleton(p);
  for (const profile_field& f : profile_fields) {
    CAPTURE(full_name(f));
    const bool left_out = f.shape == field_shape::nothing || f.shape == field_shape::anything ||
                          !f.now.empty() || f.shape == field_shape::nullable_text ||
                          f.shape == field_shape::optional_texts;
    if (f.name != "groups")
      CHECK((text.find("\"" + std::string(f.name) + "\": ") == std::string::npos) == left_out);
  }
  // Words stand for what holds without them; below any base they change nothing.
  profile written = read(text);
  CHECK(written.signal_mode == "isolated");
  written.signal_mode = written.process_info_mode = written.ipc_mode = written.workdir = "";
  CHECK(written == p);
  some of(5);
  p.extends = {"base"};
  for (int round = 0; round < 200; ++round) {
    const profile base = of.any();
    profile want = nono::merge(base, p);
    profile got = nono::merge(base, read(nono::profile_skeleton(p)));
    if (got.workdir == "none") got.workdir = want.workdir;
    REQUIRE(got == want);
  }
}

TEST_CASE("profile_writer: what it looks like") {
  CHECK(to_json(profile{}) == "{}\n");
  profile p;
  p.description = "lost without a name";
  CHECK(to_json(p) == "{}\n");
  p.name = "agent";
  p.extends = {"go-dev"};
  p.read = {"/a", "$HOME/b"};
  p.legacy = {"security.groups"};
  p.warnings = {"of another file"};
  p.network_profile = "";
  p.credentials.emplace();
  p.connect_ports = {"443"};
  p.domains = {{"h", {}}, {"i", {{"GET", "/x"}, {"PUT", "/y"}}}};
  p.custom_credentials = {{"c", R"({"upstream": "u", "auth": {}})"}};
  p.interactive = true;
  p.set_vars = {{"A", ""}};
  p.env_credentials = {{"env://A", "B"}};
  CHECK(to_json(p) == R"({
  "extends": [
    "go-dev"
  ],
  "meta": {
    "name": "agent",
    "description": "lost without a name"
  },
  "filesystem": {
    "read": [
      "/a",
      "$HOME/b"
    ]
  },
  "network": {
    "network_profile": null,
    "allow_domain": [
      "h",
      {"domain": "i", "endpoints": [{"method": "GET", "path": "/x"}, {"method": "PUT", "path": "/y"}]}
    ],
    "credentials": [],
    "custom_credentials": {
      "c": {"upstream": "u", "auth": {}}
    },
    "connect_port": [
      443
    ]
  },
  "interactive": true,
  "env_credentials": {
    "env://A": "B"
  },
  "environment": {
    "set_vars": {
      "A": ""
    }
  }
}
)");
}
