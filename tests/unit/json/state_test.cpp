// SPDX-License-Identifier: Apache-2.0
#include <nono/json/state.hpp>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nono/attenuation.hpp>
#include <nono/caps.hpp>
#include <nono/combine.hpp>

#include "../cli/temporary_directory.hpp"
#include "../environment_variable.hpp"

using namespace std::string_literals;
using nono::capability_set;
using nono::errc;
using nono::pinning;
using nono::right;
using nono::sandbox_state;
namespace fs = std::filesystem;

namespace {

std::string json(const sandbox_state& s) {
  const auto text = s.to_json();
  return text ? *text : text.error().message();
}
sandbox_state taken(const nono::policy_ref& p, pinning pins = pinning::by_name) {
  return *sandbox_state::from(p, std::span<const nono::binding>{}, pins);
}
std::string why(std::string_view text) {
  const auto got = sandbox_state::from_json(text);
  if (!got) return got.error().message();
  const auto caps = got->to_caps();
  return caps ? "" : caps.error().message();
}
/// All rules in words, however the policy keeps them, and its settings.
std::string words(const nono::policy_ref& p) {
  std::vector<std::string> lines;
  for_each_rule(p, [&](const nono::rule& r) {
    lines.push_back(to_text(r) + (r.gives_way ? " gives way" : "") + ' ' +
                    std::to_string(static_cast<int>(r.kind)));
  });
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  nono::policy_ref settings = p;
  settings.rules = {};
  settings.groups = {};
  return out + to_text(settings);
}

struct place : nono_test::temporary_directory {
  place() {
    fs::create_directories(path() + "/d/e");
    fs::create_directories(path() + "/other");
    for (const char* file : {"/f", "/d/f", "/other/f"}) std::ofstream(path() + file) << "x";
    fs::create_symlink(path() + "/d", path() + "/link");
    fs::create_symlink(path() + "/nowhere", path() + "/dangling");
  }
};

class working_directory {
 public:
  explicit working_directory(const std::string& path) { fs::current_path(path); }
  working_directory(const working_directory&) = delete;
  working_directory& operator=(const working_directory&) = delete;
  ~working_directory() { fs::current_path(before_); }

 private:
  fs::path before_ = fs::current_path();
};

}  // namespace

TEST_CASE("state: what the reference can say is written as the reference writes it") {
  const std::string example =
      "{\n"
      "  \"fs\": [\n"
      "    {\n"
      "      \"original\": \"work/cache\",\n"
      "      \"resolved\": \"/srv/agent/cache\",\n"
      "      \"access\": \"read+write\",\n"
      "      \"is_file\": false\n"
      "    }\n"
      "  ],\n"
      "  \"net_blocked\": true\n"
      "}";
  CHECK(json(*sandbox_state::from_json(example)) == example);
  const std::string whole =
      "{\n"
      "  \"fs\": [],\n"
      "  \"unix_sockets\": [\n"
      "    {\n"
      "      \"original\": \"/run/\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f\x7f/\xC3\xA4\",\n"
      "      \"resolved\": \"/run/s\",\n"
      "      \"scope\": \"dir_children\",\n"
      "      \"mode\": \"connect+bind\"\n"
      "    }\n"
      "  ],\n"
      "  \"net_blocked\": false,\n"
      "  \"resource_limits\": {\n"
      "    \"memory_bytes\": 18446744073709551615\n"
      "  }\n"
      "}";
  CHECK(json(*sandbox_state::from_json(whole)) == whole);
  CHECK(json(sandbox_state{}) == "{\n  \"fs\": [],\n  \"net_blocked\": false\n}");
}

TEST_CASE("state: a set of the reference's kind has no key of ours") {
  const place here;
  capability_set set;
  CHECK(set.allow_path(here / "d", nono::read_write).has_value());
  CHECK(set.allow_file(here / "link/f", nono::read).has_value());
  CHECK(set.allow_unix_socket(here / "f").has_value());
  CHECK(set.allow_unix_sockets_below(here / "other").has_value());
  set.network(nono::blocked);
  const std::string text = json(taken(set));
  const std::string p = here.path();
  CHECK(text ==
        "{\n"
        "  \"fs\": [\n"
        "    {\n"
        "      \"original\": \"" +
            p +
            "/d\",\n"
            "      \"resolved\": \"" +
            p +
            "/d\",\n"
            "      \"access\": \"read+write\",\n"
            "      \"is_file\": false\n"
            "    },\n"
            "    {\n"
            "      \"original\": \"" +
            p +
            "/link/f\",\n"
            "      \"resolved\": \"" +
            p +
            "/d/f\",\n"
            "      \"access\": \"read\",\n"
            "      \"is_file\": true\n"
            "    }\n"
            "  ],\n"
            "  \"unix_sockets\": [\n"
            "    {\n"
            "      \"original\": \"" +
            p +
            "/f\",\n"
            "      \"resolved\": \"" +
            p +
            "/f\",\n"
            "      \"scope\": \"file\",\n"
            "      \"mode\": \"connect\"\n"
            "    },\n"
            "    {\n"
            "      \"original\": \"" +
            p +
            "/other\",\n"
            "      \"resolved\": \"" +
            p +
            "/other\",\n"
            "      \"scope\": \"dir_subtree\",\n"
            "      \"mode\": \"connect\"\n"
            "    }\n"
            "  ],\n"
            "  \"net_blocked\": true\n"
            "}");
  CHECK(words(sandbox_state::from_json(text)->to_caps()->ref()) == words(set));
}

TEST_CASE("state: what is beyond the reference stands under one key, and beside it in a stricter form") {
  const place here;
  const nono_test::environment_variable home("HOME", here.path().c_str());
  capability_set set;
  CHECK(set.variable("$DATA").has_value());
  CHECK(set.allow_path("$HOME/d", nono::read | right::ioctl).has_value());
  CHECK(set.allow_path("$DATA/e", nono::read_write, nono::create_dir).has_value());
  CHECK(set.allow_file(here / "f", right::read_file).has_value());
  CHECK(set.deny_path(here / "other").has_value());
  CHECK(set.add({here / "other/f", nono::read, nono::path_kind::file, nono::if_exists, nono::origin::profile,
                 "p", true})
            .has_value());
  CHECK(set.network(std::vector<std::string_view>{"a.example"}).has_value());
  set.strict().lift(nono::protection::ipc).best_effort(nono::protection::signals).target(nono::linux_only);
  const std::string p = here.path();
  const auto state = sandbox_state::from(set, {nono::bind("$DATA", p + "/other")});
  REQUIRE(state.has_value());
  const std::string text = json(*state);
  CHECK(text ==
        "{\n"
        "  \"fs\": [\n"
        "    {\n"
        "      \"original\": \"" +
            p +
            "/d\",\n"
            "      \"resolved\": \"" +
            p +
            "/d\",\n"
            "      \"access\": \"read\",\n"
            "      \"is_file\": false\n"
            "    }\n"
            "  ],\n"
            "  \"net_blocked\": true,\n"
            "  \"nono\": {\n"
            "    \"version\": 1,\n"
            "    \"rules\": [\n"
            "      {\"path\": \"$DATA/e\", \"kind\": \"directory\", \"rights\": \"read_write\", "
            "\"resolved\": \"" +
            p +
            "/other/e\", \"came_to\": \"absent\", \"missing\": \"create_dir\"},\n"
            "      {\"path\": \"$HOME/d\", \"kind\": \"directory\", \"rights\": \"read|ioctl\", "
            "\"resolved\": \"" +
            p +
            "/d\"},\n"
            "      {\"path\": \"" +
            p + "/f\", \"kind\": \"file\", \"rights\": \"read_file\", \"resolved\": \"" + p +
            "/f\"},\n"
            "      {\"path\": \"" +
            p + "/other\", \"kind\": \"deny\", \"resolved\": \"" + p +
            "/other\", \"missing\": \"if_exists\"},\n"
            "      {\"path\": \"" +
            p + "/other/f\", \"kind\": \"file\", \"rights\": \"read\", \"resolved\": \"" + p +
            "/other/f\", \"came_to\": \"unfit\", \"missing\": \"if_exists\", \"origin\": \"profile\", "
            "\"source\": \"p\", \"gives_way\": true}\n"
            "    ],\n"
            "    \"variables\": [\"$DATA\"],\n"
            "    \"network\": {\"mode\": \"hosts\", \"hosts\": [\"a.example\"]},\n"
            "    \"best_effort\": [\"signals\"],\n"
            "    \"lifted\": [\"ipc\"],\n"
            "    \"strict\": true,\n"
            "    \"target\": \"linux_only\"\n"
            "  }\n"
            "}");
  const auto again = sandbox_state::from_json(text);
  REQUIRE(again.has_value());
  CHECK(json(*again) == text);
  const std::string data = p + "/other";
  const auto caps = again->to_caps({nono::bind("$DATA", data)});
  REQUIRE(caps.has_value());
  CHECK(words(*caps) == words(set));
  CHECK(again->to_caps().error().code == errc::variable_unbound);
  CHECK(again->to_caps({nono::bind("$DATA", p)}).error().message() ==
        "allow_path<read_write>('$DATA/e', create_dir): '$DATA/e' leads to '" + p + "/e' now and not to '" +
            p + "/other/e'; to change that, write the state anew if that is meant");
  CHECK(again->to_caps({nono::bind("$OTHER", p)}).error().code == errc::variable_unknown);
}

TEST_CASE("state: restoring wants each path to lead where it led") {
  const place here;
  capability_set set;
  CHECK(set.allow_path(here / "link", nono::read).has_value());
  const std::string text = json(taken(set));
  CHECK(why(text).empty());
  SUBCASE("a link that was turned") {
    fs::remove(here / "link");
    fs::create_directory_symlink(here / "other", here / "link");
    CHECK(why(text).find("leads to '" + (here / "other") + "' now and not to '" + (here / "d") + '\'') !=
          std::string::npos);
  }
  SUBCASE("a link that became the directory itself") {
    fs::remove(here / "link");
    fs::create_directory(here / "link");
    CHECK(sandbox_state::from_json(text)->to_caps().error().code == errc::state_path_moved);
  }
  SUBCASE("a directory above that became a link") {
    const std::string deep = json(taken([&] {
      capability_set s;
      (void)s.allow_path(here / "d/e", nono::read);
      return s;
    }()));
    CHECK(why(deep).empty());
    fs::create_directory(here / "other/e");
    fs::remove_all(here / "d");
    fs::create_directory_symlink(here / "other", here / "d");
    CHECK(sandbox_state::from_json(deep)->to_caps().error().code == errc::state_path_moved);
  }
  SUBCASE("nothing there any more") {
    fs::remove_all(here / "link");
    CHECK(sandbox_state::from_json(text)->to_caps().error().code == errc::path_not_found);
  }
}

TEST_CASE("state: where there was nothing, nothing may lead elsewhere") {
  const place here;
  capability_set set;
  CHECK(set.allow_path(here / "new", nono::read, nono::if_exists).has_value());
  CHECK(set.deny_path(here / "dangling").has_value());
  const std::string text = json(taken(set));
  CHECK(why(text).empty());
  SUBCASE("it came into being") {
    fs::create_directory(here / "new");
    CHECK(why(text).empty());
  }
  SUBCASE("as a link") {
    fs::create_directory_symlink(here / "other", here / "new");
    CHECK(sandbox_state::from_json(text)->to_caps().error().code == errc::state_path_moved);
  }
  SUBCASE("a denied link leads somewhere now") {
    fs::create_directory(here / "nowhere");
    CHECK(sandbox_state::from_json(text)->to_caps().error().code == errc::state_path_moved);
  }
}

TEST_CASE("state: pinned files are known by device and inode") {
  const place here;
  capability_set set;
  CHECK(set.allow_file(here / "f", nono::read).has_value());
  const std::string by_name = json(taken(set));
  const std::string pinned = json(taken(set, pinning::by_inode));
  CHECK(by_name.find("inode") == std::string::npos);
  CHECK(pinned.find("\"inode\": ") != std::string::npos);
  CHECK(json(*sandbox_state::from_json(pinned)) == pinned);
  CHECK(why(pinned).empty());
  fs::copy_file(here / "f", here / "g");
  fs::rename(here / "g", here / "f");
  CHECK(why(by_name).empty());
  CHECK(sandbox_state::from_json(pinned)->to_caps().error().code == errc::state_file_replaced);
}

TEST_CASE("state: a reference's text with what only the reference can do is an error when it is restored") {
  const place here;
  const auto file = [&](std::string_view access) {
    return "{\"fs\": [{\"original\": \"" + here.path() + "\", \"resolved\": \"" + here.path() +
           "\", \"access\": \"" + std::string(access) + "\", \"is_file\": false}], \"net_blocked\": false";
  };
  CHECK(why(file("read") + "}").empty());
  CHECK(why(file("everything") + "}") ==
        "the sandbox state: it cannot be restored: invalid access mode in sandbox state: everything");
  CHECK(why(file("read") + ", \"resource_limits\": {\"memory_bytes\": 1}}")
            .find("limits the memory to 1 bytes") != std::string::npos);
  for (const char* none : {"null", "{}", "{\"memory_bytes\": null}"})
    CHECK(why(file("read") + ", \"resource_limits\": " + none + "}").empty());
  const auto socket = [&](std::string_view more) {
    return file("read") + ", \"unix_sockets\": [{\"original\": \"" + (here / "f") + "\", \"resolved\": \"" +
           (here / "f") + "\", \"mode\": \"connect\"" + std::string(more) + "}]}";
  };
  CHECK(why(socket("")).empty());
  CHECK(why(socket(", \"is_directory\": false")).empty());
  CHECK(why(socket(", \"is_directory\": true")).find("directly in") != std::string::npos);
  CHECK(why(socket(", \"scope\": \"dir_children\"")).find("directly in") != std::string::npos);
  CHECK(why(socket(", \"scope\": \"x\"")).find("'x' is none of file, dir_children, dir_subtree") !=
        std::string::npos);
}

TEST_CASE("state: relative paths of the reference must lead where they led") {
  const place here;
  const working_directory in(here.path());
  for (const char* original : {"d", "./d", "other/../d", "link", "d/"}) {
    CAPTURE(original);
    const std::string text = "{\"fs\": [{\"original\": \""s + original + "\", \"resolved\": \"" +
                             (here / "d") +
                             "\", \"access\": \"read\", \"is_file\": false}], \"net_blocked\": false}";
    const auto caps = sandbox_state::from_json(text)->to_caps();
    CHECK(caps.has_value());
    if (caps) CHECK(caps->ref().rules[0].path == here / "d");
    fs::current_path(here / "other");
    CHECK_FALSE(sandbox_state::from_json(text)->to_caps().has_value());
    fs::current_path(here.path());
  }
}

TEST_CASE("state: what is wrong in a text is said with line and column") {
  CHECK(why("not valid json") == "JSON parse error: invalid literal at line 1 column 2");
  CHECK(why("") == "JSON parse error: the text ends too early at line 1 column 1");
  CHECK(why("[]") ==
        "JSON parse error: wrong type: 'a sandbox state' must be an object, not an array at line 1 column 1");
  CHECK(why("{\n \"net_blocked\": true}") ==
        "JSON parse error: a key is missing: 'fs' at line 1 column 1; to change that, add it");
  CHECK(
      why("{\"fs\": [], \"net_blocked\": 1}") ==
      "JSON parse error: wrong type: 'net_blocked' must be true or false, not a number at line 1 column 27");
  CHECK(
      why("{\"fs\": [], \"net_blocked\": true, \"fs\": []}") ==
      "JSON parse error: the key 'fs' stands twice at line 1 column 33; to change that, keep one of the two");
  CHECK(why("{\"fs\": [], \"net_blocked\": true, \"x\": 1, \"x\": {}}").empty());
  CHECK(
      why("{\"fs\": [], \"unix_sockets\": null, \"net_blocked\": true}").find("must be an array, not null") !=
      std::string::npos);
  CHECK(why("{\"fs\": [], \"net_blocked\": true}x").find("at line 1 column 32") != std::string::npos);
  CHECK(why("{\"fs\": [], \"net_blocked\": true,}").find("JSON parse error") == 0);
  CHECK(why("// c\n{\"fs\": [], \"net_blocked\": true}").find("JSON parse error") == 0);
  for (const char* left_out : {"original", "resolved", "access", "is_file"}) {
    std::string text =
        "{\"fs\": [{\"original\": \"/\", \"resolved\": \"/\", \"access\": \"read\", \"is_file\": false}], "
        "\"net_blocked\": true}";
    text.replace(text.find(left_out), 2, "xx");
    CHECK(why(text).find("a key is missing: '"s + left_out + "' at line 1 column 9") != std::string::npos);
  }
  const auto beyond = [](std::string_view nono) {
    return "{\"fs\": [], \"net_blocked\": true, \"nono\": " + std::string(nono) + "}";
  };
  const std::string rest = "\"network\": {\"mode\": \"blocked\"}}";
  CHECK(why(beyond("{\"version\": 1, " + rest)).empty());
  CHECK(why(beyond("{\"version\": 2, " + rest)) ==
        "JSON parse error: unknown version: 2 at line 1 column 53; to change that, restore it with the nono "
        "that wrote it");
  CHECK(why(beyond("{\"version\": 1, \"denied\": [], " + rest)).find("unknown key: 'denied' at line") !=
        std::string::npos);
  CHECK(why(beyond("{\"version\": 1, \"lifted\": [\"sound\"], " + rest)).find("'sound' is no protection") !=
        std::string::npos);
  CHECK(why(beyond("{\"version\": 1, \"lifted\": [\"foreign_abi\"], " + rest)).find("cannot be lifted") !=
        std::string::npos);
  CHECK(why(beyond("{\"version\": 1, \"network\": {\"mode\": \"unrestricted\"}}"))
            .find("the key \"nono\" and the keys beside it do not say the same") != std::string::npos);
  CHECK(why(beyond("{\"version\": 1, \"network\": {\"mode\": \"only\"}}")).find("does not go with") !=
        std::string::npos);
  CHECK(why(beyond("{\"version\": 1, \"rules\": [{\"path\": \"/\", \"kind\": \"directory\", \"rights\": "
                   "\"read\"}], " +
                   rest))
            .find("a key is missing: 'resolved'") != std::string::npos);
  CHECK(
      why(beyond(
              "{\"version\": 1, \"rules\": [{\"path\": \"/\", \"kind\": \"directory\", \"rights\": \"reed\", "
              "\"resolved\": \"/\"}], " +
              rest))
          .find("'reed' is no right") != std::string::npos);
}

TEST_CASE("state: a path that is not UTF-8 is an error, not a lossy text") {
  capability_set set;
  CHECK(set.allow_path("/\xFF", nono::read, nono::if_exists).has_value());
  CHECK(
      json(taken(set)) ==
      "the sandbox state: the path '/\\xff' is not UTF-8, so JSON cannot hold it; to change that, rename it");
}

TEST_CASE("state: constant policies come back as they were") {
  const place here;
  const nono_test::environment_variable home("HOME", here.path().c_str());
  constexpr auto a = nono::caps()
                         .group(nono::groups::system_read)
                         .group(nono::groups::deny_credentials)
                         .group(nono::groups::system_read_macos)
                         .allow_path<nono::read_write>("$WORKDIR", nono::if_exists)
                         .allow_unix_sockets_below("/run", nono::if_exists)
                         .unix_sockets(nono::unix_sockets::granted)
                         .network(nono::only(nono::connect_tcp(443), nono::bind_tcp(0)))
                         .best_effort(nono::protection::network);
  constexpr auto b = nono::caps().allow_path < right::read_file |
                     right::list > ("~/data").allow_path<nono::read>("/usr").target(nono::portable).strict();
  const auto c = nono::caps().network(nono::loopback).lift(nono::protection::signals);
  const auto check = [](const nono::policy_ref& p) {
    const std::string text = json(taken(p));
    const auto state = sandbox_state::from_json(text);
    REQUIRE_MESSAGE(state.has_value(), (text));
    CHECK(json(*state) == text);
    const auto caps = state->to_caps();
    REQUIRE_MESSAGE(caps.has_value(), (caps.error().message()));
    CHECK(to_text(caps->ref()) == to_text(p));
    CHECK(words(*caps) == words(p));
    CHECK(json(taken(*caps)) == text);
  };
  check(a);
  check(b);
  check(c);
  check(union_of(a, b));
  check(intersection_of(a, b));
  const auto broken = nono::caps().lift(nono::protection::ipc).best_effort(nono::protection::ipc);
  CHECK(sandbox_state::from(broken).error().code == errc::lifted_and_best_effort);
}

TEST_CASE("state: a group that has changed since, or somebody's own, comes back as the rules that it had") {
  static constexpr nono::group_rule rules[] = {{"/usr", nono::read}, {"$HOME/.ssh", nono::no_rights}};
  static constexpr nono::group own{.name = "git_config", .description = "", .rules = rules};
  capability_set set;
  set.group(own);
  const auto caps = sandbox_state::from_json(json(taken(set)))->to_caps();
  REQUIRE(caps.has_value());
  CHECK(caps->ref().groups.empty());
  CHECK(words(*caps) == words(set));
}

namespace {

/// A policy of everything that a set can hold, with more of what is likely to go wrong.
capability_set random_set(std::minstd_rand& random, const place& here) {
  const auto one_of = [&](auto... choices) {
    const std::common_type_t<decltype(choices)...> all[] = {choices...};
    return all[random() % sizeof...(choices)];
  };
  capability_set set;
  if (random() % 2 == 0) (void)set.variable("$DATA");
  const std::string p = here.path();
  const std::string paths[] = {p + "/d",
                               p + "/d/e",
                               p + "/f",
                               p + "/link",
                               p + "/link/f",
                               p + "/dangling",
                               p + "/missing",
                               "$HOME/d",
                               "~/f",
                               "~",
                               "$DATA/d",
                               "$DATA",
                               "$WORKDIR/x",
                               "/",
                               "/proc/self",
                               "/dev/null",
                               p + "/\xC3\xA4\"\n\x01",
                               "$XDG_RUNTIME_DIR/bus",
                               "/etc/alternatives"};
  for (auto n = random() % 8; n > 0; --n) {
    nono::rule r;
    r.path = paths[random() % std::size(paths)];
    r.kind = static_cast<nono::path_kind>(random() % 4);
    r.rights = random() % 2 == 0 ? one_of(nono::read, nono::write, nono::read_write)
                                 : static_cast<right>(random() % 1024);
    if (r.kind == nono::path_kind::deny) r.rights = nono::no_rights;
    r.missing = static_cast<nono::when_missing>(random() % 3);
    r.from = random() % 2 == 0 ? nono::origin::user : static_cast<nono::origin>(random() % 5);
    r.source = random() % 2 == 0 ? "" : one_of("--read", "go-dev", "\"\\");
    r.gives_way = random() % 4 == 0;
    (void)set.add(r);
  }
  for (auto n = random() % 3; n > 0; --n)
    set.group(*nono::groups::all[random() % std::size(nono::groups::all)]);
  switch (random() % 6) {
    case 0:
      set.network(nono::blocked);
      break;
    case 1:
      set.network(nono::loopback);
      break;
    case 2:
      for (auto n = 1 + random() % 5; n > 0; --n)
        (void)set.allow_port({one_of(nono::port_use::connect_tcp, nono::port_use::bind_tcp),
                              static_cast<std::uint16_t>(random() % 65536)});
      break;
    case 3:
      (void)set.network(std::vector<std::string_view>{"a.example", "*.b.example"});
      break;
    default:
      break;
  }
  if (random() % 2 == 0) set.unix_sockets(static_cast<nono::unix_sockets>(random() % 4));
  for (auto n = random() % 3; n > 0; --n) {
    const auto which = static_cast<nono::protection>(random() % nono::protection_count);
    if (random() % 2 == 0) {
      set.lift(which);
    } else {
      set.best_effort(which);
    }
  }
  set.strict(random() % 4 == 0).target(static_cast<nono::target_systems>(random() % 3));
  return set;
}

}  // namespace

TEST_CASE("state: every policy comes back as it was, and its reference's keys never grant more") {
  const place here;
  const nono_test::environment_variable home("HOME", here.path().c_str());
  const nono_test::environment_variable runtime("XDG_RUNTIME_DIR", nullptr);
  const working_directory in(here.path());  // where directories are made on the way
  std::minstd_rand random(20260727);
  int whole = 0;
  int bound = 0;
  for (int round = 0; round < 1500; ++round) {
    CAPTURE(round);
    const capability_set set = random_set(random, here);
    const std::string data = here / "other";
    const bool declared = !set.ref().variables.empty();
    std::vector<nono::binding> bindings;
    if (declared && random() % 2 == 0) bindings.push_back(nono::bind("$DATA", data));
    const auto pins = random() % 2 == 0 ? pinning::by_name : pinning::by_inode;
    const auto state = sandbox_state::from(set, bindings, pins);
    if (set.ref().violation != errc::none) {
      CHECK(state.error().code == set.ref().violation);
      continue;
    }
    REQUIRE_MESSAGE(state.has_value(), (state.error().message()));
    const std::string text = json(*state);
    const auto read = sandbox_state::from_json(text);
    REQUIRE_MESSAGE(read.has_value(), (read.error().message() + text));
    CHECK(json(*read) == text);
    CHECK(read->data.rules == state->data.rules);
    CHECK(read->data.groups == state->data.groups);
    const auto caps = read->to_caps(bindings);
    REQUIRE_MESSAGE(caps.has_value(), (caps.error().message() + text));
    CHECK(to_text(caps->ref()) == to_text(set.ref()));
    CHECK(words(*caps) == words(set));
    CHECK(json(*sandbox_state::from(*caps, bindings, pins)) == text);
    ++whole;
    // What the reference would make of it: the same text without our key.
    const auto outer = nono::bind(set, bindings);
    if (!outer) continue;
    std::string theirs = text;
    if (const std::size_t ours = theirs.find(",\n  \"nono\""); ours != std::string::npos)
      theirs.resize(ours), theirs += "\n}";
    const auto their_caps = sandbox_state::from_json(theirs)->to_caps();
    REQUIRE_MESSAGE(their_caps.has_value(), (their_caps.error().message() + theirs));
    const auto inner = nono::bind(*their_caps, bindings.empty() ? bindings : std::vector<nono::binding>{});
    REQUIRE_MESSAGE(inner.has_value(), (inner.error().message() + theirs));
    ++bound;
    const nono::error wider = nono::check_within(*inner, *outer);
    if (set.ref().sockets == nono::unix_sockets::by_default && !set.ref().strict &&
        set.ref().best_effort.empty())
      CHECK_MESSAGE(wider.code == errc::none, (wider.message() + theirs));
  }
  CHECK(whole > 800);
  CHECK(bound > 150);
}

TEST_CASE("state: a bound policy is taken without looking at any file, and grants the same again") {
  const place at;
  capability_set all;
  using nono::path_kind;
  const auto add = [&](const std::string& path, right rights, path_kind kind) {
    REQUIRE(all.add({path, rights, kind, nono::if_exists, nono::origin::user, {}}));
  };
  add(at.path() + "/d", right::read_write, path_kind::directory);
  add(at.path() + "/d/e", right::read, path_kind::any);  // covered: left out
  add(at.path() + "/none", right::read, path_kind::any);
  add("/proc/self", right::read, path_kind::any);
  REQUIRE(all.add({at.path() + "/denied", nono::no_rights, nono::path_kind::deny, nono::if_exists,
                   nono::origin::group, "deny_x"}));
  all.network(nono::blocked).lift(nono::protection::ipc).strict(true);
  const auto bound = nono::bind(all.ref(), {});
  REQUIRE(bound);
  fs::rename(at.path() + "/d", at.path() + "/moved");
  const sandbox_state taken = sandbox_state::from(*bound);
  fs::rename(at.path() + "/moved", at.path() + "/d");
  const std::string text = json(taken);
  CAPTURE(text);
  CHECK(text.find("/d/e") == std::string::npos);
  CHECK(text.find("/none") == std::string::npos);
  CHECK(text.find("\"path\": \"/proc/self\", \"kind\": \"any\", \"rights\": \"read\", \"resolved\": "
                  "\"/proc/self\"") != std::string::npos);
  const auto again = sandbox_state::from_json(text);
  REQUIRE(again);
  CHECK(again->data.rules == taken.data.rules);
  const auto caps = again->to_caps();
  REQUIRE(caps);
  const nono::policy_ref restored = caps->ref();
  REQUIRE(restored.rules.size() == 3);
  CHECK(restored.network.mode == nono::network_mode::blocked);
  CHECK(restored.lifted.has(nono::protection::ipc));
  CHECK(restored.strict);
  const auto rebound = nono::bind(restored, {});
  REQUIRE(rebound);
  CHECK(rebound->rules.size() == 2);
  REQUIRE(rebound->denies.size() == 1);
  CHECK(rebound->denies[0].source == "deny_x");
}

TEST_CASE(
    "state: an access word that is none comes back as it was, under a path that only the extra key can "
    "hold") {
  for (const std::string_view original : {"/usr", "~/usr", "$HOME/usr"}) {
    CAPTURE(std::string(original));
    const std::string text = "{\"fs\": [{\"original\": \"" + std::string(original) +
                             "\", \"resolved\": \"/usr\", \"access\": \"re+ad\", \"is_file\": false}], "
                             "\"net_blocked\": true}";
    const auto state = sandbox_state::from_json(text);
    REQUIRE(state);
    const auto again = sandbox_state::from_json(json(*state));
    REQUIRE(again);
    CHECK(json(*again) == json(*state));
    CHECK(why(json(*again)).find("invalid access mode in sandbox state: re+ad") != std::string::npos);
  }
}
