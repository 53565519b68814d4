// SPDX-License-Identifier: Apache-2.0
#include <nono/json/profile.hpp>

#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nono/json/profile_schema.hpp>

using namespace std::string_literals;
using nono::errc;
using nono::found_profile;
using nono::merge;
using nono::parse_profile;
using nono::profile;
using texts = std::vector<std::string>;

namespace {

const nono::system_facts debian = nono::facts_of_os_release(
    "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n");
const nono::system_facts ubuntu =
    nono::facts_of_os_release("ID=ubuntu\nID_LIKE='debian'\nVERSION_ID='24.04'\nVARIANT_ID=server");

profile read(std::string_view text) {
  const auto got = parse_profile(text, "x", debian);
  REQUIRE_MESSAGE(got.has_value(), (got ? ""s : got.error().message()));
  return *got;
}
std::string why(std::string_view text) {
  const auto got = parse_profile(text, "x", debian);
  return got ? "" : got.error().message();
}

}  // namespace

TEST_CASE("profile: the example of the specification, with comments and trailing commas") {
  const profile p = read(R"({ // an agent
    "$schema": "x",
    "meta": {"name": "go-agent", "version": "1.0.0",},
    "security": {"groups": ["go_runtime"]},
    "filesystem": {"allow": ["$WORKDIR"], "read": ["$HOME/.gitconfig"]},
    "network": {"network_profile": "minimal", "credentials": ["openai"]},
    "workdir": {"access": "readwrite"}, "interactive": true })");
  CHECK(p.name == "go-agent");
  CHECK(p.groups == texts{"go_runtime"});
  CHECK(p.allow == texts{"$WORKDIR"});
  CHECK(p.read == texts{"$HOME/.gitconfig"});
  CHECK(p.network_profile == "minimal");
  CHECK(p.credentials == texts{"openai"});
  CHECK(p.workdir == "readwrite");
  CHECK(p.interactive);
  CHECK(p.warnings == texts{"'security.groups' is an old spelling of 'groups.include' (line 4 of x)"});
}

#ifdef NONO_TESTS_DIR
TEST_CASE("profile: the README's example is one") {
  std::ifstream readme(NONO_TESTS_DIR "/../README.md");
  const std::string text{std::istreambuf_iterator<char>(readme), {}};
  const std::size_t begin = text.find("```json\n");
  REQUIRE(begin != std::string::npos);
  const profile p = read(std::string_view(text).substr(begin + 8, text.find("```", begin + 8) - begin - 8));
  CHECK(p.extends == texts{"go-dev"});
  CHECK(p.groups == texts{"linux_sysfs_read"});
  CHECK(p.warnings.empty());
}
#endif

TEST_CASE("profile: every field has its place, and only legacy spellings warn") {
  const profile p = read(R"({
    "extends": ["a", "b", "a"], "meta": {"name": "n", "description": "d", "author": "m"},
    "groups": {"include": ["g", {"name": "h", "when": "linux"}, {"name": "i", "when": "!linux"}], "exclude": ["e"]},
    "security": {"signal_mode": "allow_all", "process_info_mode": "isolated", "ipc_mode": "full",
                 "capability_elevation": false},
    "filesystem": {"write": ["w"], "allow_file": ["af"], "read_file": ["rf"], "write_file": ["wf"],
      "unix_socket": ["u1"], "unix_socket_bind": ["u2"], "unix_socket_dir": ["u3"], "unix_socket_dir_bind": ["u4"],
      "unix_socket_subtree": ["u5"], "unix_socket_subtree_bind": ["u6"], "deny": ["d"], "bypass_protection": ["b"]},
    "network": {"block": true, "allow_domain": ["a", {"domain": "b", "endpoints": [{"method": "GET", "path": "/x"}]}],
      "custom_credentials": {"c": {"upstream": "https://c", "credential_key": "k"}}, "open_port": [1], "listen_port": [0, 2],
      "connect_port": [65535], "upstream_proxy": "p:1", "upstream_bypass": ["q"], "allow_http2": false},
    "environment": {"allow_vars": [], "deny_vars": ["X*"], "set_vars": {"A": "1"}},
    "env_credentials": {"openai": "OPENAI_API_KEY", "env://B": {"env_var": "C", "when": "linux"},
      "file:///k": {"env_var": "D", "when": "macos"}},
    "commands": {"allow": ["ls"], "deny": ["rm"]}, "hooks": {"any": [1, {}]}, "rollback": {}, "allow_gpu": null,
    "unsafe_macos_seatbelt_rules": ["r"] })");
  CHECK(p.extends == texts{"a", "b"});
  CHECK(p.groups == texts{"g", "h"});
  CHECK(p.without_groups == texts{"e"});
  CHECK(p.signal_mode == "allow_all");
  CHECK(p.ipc_mode == "full");
  CHECK(p.write == texts{"w"});
  CHECK(p.allow_file == texts{"af"});
  CHECK(p.read_file == texts{"rf"});
  CHECK(p.write_file == texts{"wf"});
  CHECK(p.unix_socket == texts{"u1"});
  CHECK(p.unix_socket_bind == texts{"u2"});
  CHECK(p.unix_socket_dir == texts{"u3"});
  CHECK(p.unix_socket_dir_bind == texts{"u4"});
  CHECK(p.unix_socket_subtree == texts{"u5"});
  CHECK(p.unix_socket_subtree_bind == texts{"u6"});
  CHECK(p.deny == texts{"d"});
  CHECK(p.bypass_protection == texts{"b"});
  CHECK(p.block_network);
  CHECK(p.domains.size() == 2);
  CHECK(p.domains[1].endpoints[0] == std::pair("GET"s, "/x"s));
  CHECK(p.custom_credentials ==
        std::vector{std::pair("c"s, R"({"upstream": "https://c", "credential_key": "k"})"s)});
  CHECK(p.open_ports == texts{"1"});
  CHECK(p.listen_ports == texts{"0", "2"});
  CHECK(p.connect_ports == texts{"65535"});
  CHECK(p.upstream_proxy == "p:1");
  CHECK(p.upstream_bypass == texts{"q"});
  CHECK(p.allow_vars == texts{});
  CHECK(p.deny_vars == texts{"X*"});
  CHECK(p.set_vars == std::vector{std::pair("A"s, "1"s)});
  CHECK(p.env_credentials ==
        std::vector{std::pair("openai"s, "OPENAI_API_KEY"s), std::pair("env://B"s, "C"s)});
  CHECK(p.allowed_commands == texts{"ls"});
  CHECK(p.denied_commands == texts{"rm"});
  CHECK(p.platform_rules == texts{"r"});
  CHECK(p.warnings.empty());
}

TEST_CASE("profile: legacy spellings are moved, with one warning each") {
  for (const nono::detail::profile_field& f : nono::detail::profile_fields) {
    if (f.now.empty()) continue;
    CAPTURE(full_name(f));
    using shape = nono::detail::field_shape;
    const std::string value = f.shape == shape::ports        ? "[7]"
                              : f.shape == shape::text       ? "\"7\""
                              : f.shape == shape::references ? "{\"7\": \"A\"}"
                                                             : "[\"7\"]";
    const auto in = [&](std::string_view full) {
      if (full.find('.') == std::string_view::npos)
        return read("{\"" + std::string(full) + "\": " + value + '}');
      const std::string object(full.substr(0, full.find('.')));
      return read("{\"" + object + "\": {\"" + std::string(full.substr(full.find('.') + 1)) + "\": " + value +
                  "}}");
    };
    profile old = in(full_name(f));
    const profile now = in(f.now);
    CHECK(old.warnings.size() == 1);
    CHECK(old.legacy == texts{full_name(f)});
    old.warnings.clear();
    old.legacy.clear();
    CHECK(old == now);
    CHECK_FALSE(now == profile{});
  }
}

TEST_CASE("profile: what is wrong is said with the nearest known field, line and column") {
  CHECK(why("{\"filesystem\": {\n  \"alow\": []}}") ==
        "x: unknown key: 'filesystem.alow' at line 2 column 3; to change that, write 'filesystem.allow'");
  CHECK(why("{\"file_system\": {}}") ==
        "x: unknown key: 'file_system' at line 1 column 2; to change that, write 'filesystem'");
  CHECK(why("{\"allow_domain\": []}") ==
        "x: unknown key: 'allow_domain' at line 1 column 2; to change that, write 'network.allow_domain'");
  CHECK(why("{\"network\": {\"allow_domain\": [{\"domain\": \"d\", \"endpoint\": []}]}}") ==
        "x: unknown key: 'network.allow_domain.endpoint' at line 1 column 47; to change that, write "
        "'endpoints'");
  CHECK(why("{\"network\": {\"allow_domain\": [{\"domain\": \"d\", \"endpoints\": [{\"method\": \"GET\", "
            "\"path\": \"/\", \"paht\": 1}]}]}}")
            .find("unknown key: 'endpoints.paht'") != std::string::npos);
  CHECK(why("{\"Zzzzzzzzzz\": 1}") ==
        "x: unknown key: 'Zzzzzzzzzz' at line 1 column 2; to change that, leave it out");
  CHECK(why("{\"a\\u001b[31m\": 1}").find("'a\\x1b[31m'") != std::string::npos);
  CHECK(why("[]") == "x: wrong type: 'a profile' must be an object, not an array at line 1 column 1");
  CHECK(why("{\"meta\": {}}") ==
        "x: a key is missing: 'meta.name' at line 1 column 10; to change that, add it");
  CHECK(why("{\"filesystem\": []}") ==
        "x: wrong type: 'filesystem' must be an object, not an array at line 1 column 16");
  CHECK(why("{\"filesystem\": {\"read\": \"/x\"}}") ==
        "x: wrong type: 'filesystem.read' must be an array, not a text at line 1 column 25");
  CHECK(why("{\"filesystem\": {\"read\": [1]}}") ==
        "x: wrong type: 'filesystem.read' must be a text, not a number at line 1 column 26");
  CHECK(why("{\"workdir\": {\"access\": \"rw\"}}") ==
        "x: bad value: 'workdir.access' is 'rw' at line 1 column 24; to change that, write one of none, "
        "read, write, "
        "readwrite");
  CHECK(why("{\"network\": {\"network_profile\": \"mini\"}}").find("write one of minimal, developer") !=
        std::string::npos);
  CHECK(why("{\"network\": {\"connect_port\": [0]}}") ==
        "x: bad value: 'network.connect_port' has the port 0 at line 1 column 31; to change that, write 1 to "
        "65535");
  CHECK(why("{\"network\": {\"connect_port\": [65536]}}").find("65536") != std::string::npos);
  CHECK(why("{\"network\": {\"connect_port\": [-1]}}").find("wrong type") != std::string::npos);
  CHECK(why("{\"environment\": {\"set_vars\": {\"PATH\": \"/x\"}}}").find("'PATH' cannot be set") !=
        std::string::npos);
  CHECK(why("{\"environment\": {\"set_vars\": {\"NONO_X\": \"\"}}}").find("cannot be set") !=
        std::string::npos);
  CHECK(why("{\"environment\": {\"set_vars\": {\"1A\": \"\"}}}").find("cannot be set") != std::string::npos);
  CHECK(why("{\"filesystem\": {\"read\": [{\"path\": \"/x\", \"when\": \"linux:\"}]}}")
            .find("'when' is 'linux:'") != std::string::npos);
  CHECK(why("{\"filesystem\": {\"read\": [{\"path\": \"/x\", \"wehn\": \"linux\"}]}}").find("write 'when'") !=
        std::string::npos);
  CHECK(
      why("{\"filesystem\": {\"read\": [{\"name\": \"/x\"}]}}").find("unknown key: 'filesystem.read.name'") !=
      std::string::npos);
  CHECK(why("{\"filesystem\": {\"read\": [{\"path\": \"/x\", \"when\": [\"linux\", \"lin ux\"]}]}}")
            .find("'lin ux'") != std::string::npos);
  CHECK(why("{\"filesystem\": {\"read\": [\"a\\u0000\"]}}").find("NUL") != std::string::npos);
  CHECK(why("{\"session_hooks\": {\"before\": {}}}") ==
        "x: not built yet: 'session_hooks' at line 1 column 2; to change that, leave it out");
  CHECK(why("{\"allow_gpu\": true}").find("not built yet: 'allow_gpu'") != std::string::npos);
  CHECK(why("{\"env_credentials\": {\"a\": \"\"}}") ==
        "x: bad value: 'a' cannot go to '' in 'env_credentials' at line 1 column 22; to change that, write "
        "{\"where the secret is\": \"VARIABLE\"}");
  CHECK(why("{\"env_credentials\": {\"\": \"A\"}}").find("'' cannot go to 'A'") != std::string::npos);
  CHECK(why("{\"env_credentials\": {\"a\": 1}}").find("'a'") != std::string::npos);
  CHECK(why("{\"env_credentials\": {\"a\": {\"when\": \"linux\"}}}").find("'env_var'") != std::string::npos);
  CHECK(why("{\"env_credentials\": {\"a\": {\"env_var\": \"A\", \"wehn\": \"linux\"}}}")
            .find("'env_credentials.wehn'") != std::string::npos);
  CHECK(why("{\"network\": {\"custom_credentials\": {\"c\": {\"upstream\": \"u\"}}}}")
            .find("'c' has 0 of its secrets") != std::string::npos);
  CHECK(why("{\"network\": {\"custom_credentials\": {\"c\": {\"upstrem\": \"u\"}}}}")
            .find("write 'upstream'") != std::string::npos);
  CHECK(why(R"({"network": {"custom_credentials": {"c": {"upstream": "u", "auth": {"x": [1, -1]}}}}})") ==
        "x: bad value: a credential's definition has a number with a sign or a fraction at line 1 column 78; "
        "to "
        "change that, write a whole number");
  CHECK(why("{\"interactive\": true, \"interactive\": false}").find("stands twice") != std::string::npos);
}

TEST_CASE("profile: every word of a field is taken, and no other") {
  const auto given = [](std::string_view object, std::string_view name, std::string_view word) {
    return why("{\"" + std::string(object) + "\": {\"" + std::string(name) + "\": \"" + std::string(word) +
               "\"}}")
        .empty();
  };
  for (const char* mode : {"isolated", "allow_same_sandbox", "allow_all"}) {
    CHECK(given("security", "signal_mode", mode));
    CHECK(given("security", "process_info_mode", mode));
    CHECK_FALSE(given("security", "ipc_mode", mode));
  }
  for (const char* mode : {"shared_memory_only", "full"}) CHECK(given("security", "ipc_mode", mode));
  for (const char* access : {"none", "read", "write", "readwrite"}) CHECK(given("workdir", "access", access));
  for (const char* hosts : {"minimal", "developer", "claude-code", "codex", "opencode", "enterprise"})
    CHECK(given("network", "network_profile", hosts));
  for (const char* wrong : {"", "x", "Full", "read ", "isolated allow_all"}) {
    CHECK_FALSE(given("security", "signal_mode", wrong));
    CHECK_FALSE(given("workdir", "access", wrong));
    CHECK_FALSE(given("network", "network_profile", wrong));
  }
}

TEST_CASE("profile: predicates") {
  const auto on = [](const nono::system_facts& here, std::string_view text) {
    const auto yes = nono::holds(text, here);
    return !yes ? "?" : *yes ? "yes" : "no";
  };
  for (const char* text : {"linux", "linux:debian", "linux:debian:12", "linux:debian:==12",
                           "linux:debian:>=12", "linux:debian:>=11.9", "linux:debian:<13",
                           "linux:debian-like", "!macos", "!linux:fedora", "!freebsd", "!windows:10"}) {
    CAPTURE(text);
    CHECK(on(debian, text) == "yes"s);
  }
  for (const char* text :
       {"macos", "windows", "freebsd", "freebsd:14", "linux:ubuntu", "linux:debian:11", "linux:debian:>12",
        "linux:debian:<12", "linux:debian:12:server", "!linux", "!linux:debian", "macos:>=13"}) {
    CAPTURE(text);
    CHECK(on(debian, text) == "no"s);
  }
  for (const char* text : {"", "!", "!!linux", ":", "linux:", "linux::12", "linux:debian:", "linux:debian:>=",
                           "linux:debian:=12", "linux:debian:>>12", "linux:debian:12:server:x", "macos:13:x",
                           "windows:1:2:3", "lin ux", "linux:deb=ian", ">linux", "linux:debian:1>2"}) {
    CAPTURE(text);
    CHECK(on(debian, text) == "?"s);
  }
  CHECK(on(ubuntu, "linux:debian-like:>=22.04:server") == "yes"s);
  CHECK(on(ubuntu, "linux:ubuntu:24.4") == "yes"s);
  CHECK(on(ubuntu, "linux:debian") == "no"s);
  CHECK(on(nono::system_facts{.id = "arch"}, "linux:arch:>=1") == "no"s);
  CHECK(nono::detail::compare_versions("12", "12.0") == 0);
  CHECK(nono::detail::compare_versions("9", "10") < 0);
}

TEST_CASE("profile: merge") {
  const profile base = read(R"({"meta": {"name": "base"}, "filesystem": {"read": ["/a", "/b"]},
    "network": {"block": true, "network_profile": "minimal", "credentials": ["x"], "allow_domain": ["h", {"domain": "i",
      "endpoints": [{"method": "GET", "path": "/1"}]}], "upstream_proxy": "p"},
    "workdir": {"access": "readwrite"}, "security": {"signal_mode": "allow_all"},
    "environment": {"allow_vars": ["A"], "set_vars": {"A": "1", "B": "2"}}})");
  SUBCASE("a child that says nothing changes nothing but the name") {
    profile same = merge(base, profile{});
    same.name = "base";
    CHECK(same == base);
  }
  const profile child = read(R"({"meta": {"name": "child"}, "filesystem": {"read": ["/b", "/c"]},
    "network": {"network_profile": null, "credentials": [], "allow_domain": [{"domain": "h",
      "endpoints": [{"method": "GET", "path": "/2"}]}, "i"]},
    "workdir": {"access": "none"}, "security": {"signal_mode": "isolated"},
    "environment": {"allow_vars": ["A", "C"], "set_vars": {"B": "3", "D": "4"}}})");
  const profile both = merge(base, child);
  CHECK(both.name == "child");
  CHECK(both.read == texts{"/a", "/b", "/c"});
  CHECK(both.block_network);
  CHECK(both.network_profile == "");
  CHECK(both.credentials == texts{});
  CHECK(both.domains[0].endpoints.size() == 1);
  CHECK(both.domains[1].endpoints.size() == 1);
  CHECK(both.upstream_proxy == "p");
  CHECK(both.workdir == "readwrite");
  CHECK(both.signal_mode == "isolated");
  CHECK(both.allow_vars == texts{"A", "C"});
  CHECK(both.set_vars == std::vector{std::pair("A"s, "1"s), std::pair("B"s, "3"s), std::pair("D"s, "4"s)});
}

TEST_CASE("profile: the laws of merge") {
  std::minstd_rand random(11);
  const auto some = [&](texts profile::* list, profile& p) {
    for (auto n = random() % 3; n > 0; --n) {
      const std::string item(1, static_cast<char>('a' + random() % 4));
      if (std::find((p.*list).begin(), (p.*list).end(), item) == (p.*list).end()) (p.*list).push_back(item);
    }
  };
  const auto any = [&] {
    profile p;
    for (const nono::detail::profile_field& f : nono::detail::profile_fields) {
      if (f.object == "meta" || f.name == "extends" || !f.now.empty()) continue;
      if (f.list != nullptr) some(f.list, p);
      if (f.flag != nullptr) p.*f.flag = random() % 2 == 0;
      if (f.text != nullptr && random() % 2 == 0)
        p.*f.text = std::string(1, static_cast<char>('a' + random() % 3));
    }
    if (random() % 3 == 0) p.network_profile = random() % 2 == 0 ? "" : "minimal";
    if (random() % 3 == 0) p.credentials = random() % 2 == 0 ? texts{} : texts{"c"};
    if (random() % 3 == 0) p.allow_vars = random() % 2 == 0 ? texts{} : texts{"V"};
    if (random() % 2 == 0) p.set_vars.emplace_back("A", std::to_string(random() % 3));
    if (random() % 2 == 0) p.domains.push_back({"h", {}});
    return p;
  };
  for (int round = 0; round < 2000; ++round) {
    const profile a = any();
    const profile b = any();
    const profile c = any();
    REQUIRE(merge(a, a) == a);
    REQUIRE(merge(profile{}, a) == a);
    REQUIRE(merge(a, profile{}) == a);
    // Clearing is forgotten by no order: credentials are the one list that is not appended.
    if (!b.credentials && !c.credentials) REQUIRE(merge(merge(a, b), c) == merge(a, merge(b, c)));
    // What closes something stays, whoever says it.
    for (const profile& both : {merge(a, b), merge(b, a)}) {
      REQUIRE(both.block_network == (a.block_network || b.block_network));
      for (const std::string& d : a.deny)
        REQUIRE(std::find(both.deny.begin(), both.deny.end(), d) != both.deny.end());
    }
  }
}

TEST_CASE("profile: extends") {
  std::map<std::string, std::string, std::less<>> files = {
      {"a", R"({"filesystem": {"read": ["/a"]}})"},
      {"b", R"({"extends": "a", "filesystem": {"read": ["/b"]}})"},
      {"c", R"({"extends": ["a"], "filesystem": {"read": ["/c"]}})"},
      {"loop", R"({"extends": "pool"})"},
      {"pool", R"({"extends": ["b", "loop"]})"},
      {"self", R"({"extends": "self"})"},
      {"lost", R"({"extends": "nowhere"})"},
      {"wrong", R"({"extends": 1})"},
  };
  for (int i = 0; i < 12; ++i)
    files["deep" + std::to_string(i)] =
        "{\"extends\": \"" + (i == 0 ? "a"s : "deep" + std::to_string(i - 1)) + "\"}";
  const auto find = [&](std::string_view name, const found_profile&) -> nono::result<found_profile> {
    const auto at = files.find(name);
    if (at == files.end()) return nono::error{errc::profile_not_found, 0, {}, std::string(name), {}};
    auto said = parse_profile(at->second, name, debian);
    if (!said) return said.error();
    return found_profile{*said, std::string(name), {}};
  };
  const auto whole = [&](std::string_view text) { return nono::with_bases({read(text), "top", {}}, find); };
  CHECK(whole(R"({"extends": ["b", "c"], "filesystem": {"read": ["/top"]}})")->read ==
        texts{"/a", "/b", "/c", "/top"});
  CHECK(whole(R"({"extends": "loop"})").error().message() ==
        "the profile 'top': a profile extends itself: top -> loop -> pool -> loop; to change that, take one "
        "of them out of "
        "\"extends\"");
  CHECK(whole(R"({"extends": "self"})").error().code == errc::profile_extends_itself);
  CHECK(whole(R"({"extends": "lost"})").error().message() == "Profile not found: 'nowhere'");
  CHECK(whole(R"({"extends": "wrong"})").error().code == errc::json_wrong_type);
  CHECK(whole(R"({"extends": "deep7"})").has_value());
  CHECK(whole(R"({"extends": "deep8"})").error().code == errc::profile_extends_too_deep);
}

TEST_CASE("profile: every field of the table is in the schema, and is parsed") {
  const std::string schema = nono::profile_schema();
  const auto parsed = nono::read_json(schema, "the schema");
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? ""s : parsed.error().message()));
  std::set<std::string> names;
  for (const nono::detail::profile_field& f : nono::detail::profile_fields) {
    CAPTURE(full_name(f));
    CHECK(names.insert(full_name(f)).second);
    const nono::json_value* at = parsed->find("properties");
    REQUIRE(at != nullptr);
    if (!f.object.empty()) {
      at = at->find(f.object);
      REQUIRE(at != nullptr);
      at = at->find("properties");
    }
    CHECK(at->find(f.name) != nullptr);
    // A row without a place to go to must be one of the shapes that have their own.
    using shape = nono::detail::field_shape;
    const bool own = f.shape == shape::anything || f.shape == shape::nothing || f.shape == shape::domains ||
                     f.shape == shape::nullable_text || f.shape == shape::optional_texts ||
                     f.shape == shape::definitions || f.shape == shape::variables ||
                     f.shape == shape::references;
    CHECK((f.list != nullptr || f.text != nullptr || f.flag != nullptr) != own);
    if (!f.now.empty())
      CHECK(std::any_of(std::begin(nono::detail::profile_fields), std::end(nono::detail::profile_fields),
                        [&](const auto& other) { return full_name(other) == f.now && other.now.empty(); }));
  }
}

TEST_CASE("profile: no text crashes the parser, however it was mangled") {
  const std::string text =
      R"({"extends": ["a"], "groups": {"include": [{"name": "h", "when": ["linux:debian:>=12", "!macos"]}]},
    "filesystem": {"read": ["/a", {"path": "/b", "when": "linux"}]}, "network": {"allow_domain": [{"domain": "b",
    "endpoints": [{"method": "GET", "path": "/x"}]}], "connect_port": [1]}, "environment": {"set_vars": {"A": "1"}}})";
  CHECK(why(text).empty());
  std::minstd_rand random(3);
  for (std::size_t n = 0; n < text.size(); ++n) CHECK_FALSE(why(text.substr(0, n)).empty());
  for (int round = 0; round < 3000; ++round) {
    std::string mangled = text;
    for (auto n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = random() % mangled.size();
      switch (random() % 3) {
        case 0:
          mangled[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          mangled.erase(at, random() % 9);
          break;
        default:
          mangled.insert(at, mangled.substr(random() % mangled.size(), random() % 9));
      }
    }
    const auto got = parse_profile(mangled, "x", debian);
    if (!got) CHECK(got.error().message().size() > 5);
  }
}
