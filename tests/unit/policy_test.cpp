// SPDX-License-Identifier: Apache-2.0
#include <nono/policy.hpp>

#include <string>
#include <vector>

#include "constexpr_check.hpp"

using nono::no_rights;
using nono::origin;
using nono::path_kind;
using nono::right;
using nono::rule;
using nono::when_missing;

namespace {

constexpr nono::group_rule mixed_rules[] = {{"/srv", nono::read}, {"/srv/secret", no_rights}};
constexpr nono::group here{.name = "here", .description = "", .rules = mixed_rules};
constexpr nono::platform elsewhere = nono::this_platform == nono::platform::macos_only
                                         ? nono::platform::linux_only
                                         : nono::platform::macos_only;
constexpr nono::group there{.name = "there", .description = "", .on = elsewhere, .rules = mixed_rules};

constexpr rule own[] = {{"/a", nono::read, path_kind::directory, nono::must_exist, origin::user, {}},
                        {"/b", no_rights, path_kind::deny, nono::if_exists, origin::user, {}}};
constexpr const nono::group* groups[] = {&there, &here};
constexpr std::string_view variables[] = {"$DATA"};
constexpr nono::policy_ref make_whole() {
  nono::policy_ref out;
  out.rules = own;
  out.groups = groups;
  out.variables = variables;
  return out;
}
constexpr nono::policy_ref whole = make_whole();

constexpr int rules_seen() {
  int out = 0;
  for_each_rule(whole, [&](const rule&) { ++out; });
  return out;
}

std::string rights_text(right r) {
  std::string out;
  nono::append_rights(out, r);
  return out;
}

}  // namespace

TEST_CASE("policy: groups of another platform are skipped") {
  CONSTEXPR_CHECK(here.here());
  CONSTEXPR_CHECK(!there.here());
  CONSTEXPR_CHECK(rules_seen() == 4);
  std::vector<std::string> paths;
  for_each_rule(whole, [&](const rule& r) { paths.emplace_back(r.path); });
  CHECK(paths == std::vector<std::string>{"/a", "/b", "/srv", "/srv/secret"});
}

TEST_CASE("policy: a group's entry without rights is a deny") {
  CONSTEXPR_CHECK(rule_of(here, mixed_rules[0]).kind == path_kind::any);
  CONSTEXPR_CHECK(rule_of(here, mixed_rules[0]).missing == nono::if_exists);
  CONSTEXPR_CHECK(rule_of(here, mixed_rules[1]).is_deny());
  CONSTEXPR_CHECK(rule_of(here, mixed_rules[1]).from == origin::group);
  CONSTEXPR_CHECK(rule_of(here, mixed_rules[1]).source == "here");
}

TEST_CASE("policy: a deny and a grant contradict when equal, below and above") {
  CONSTEXPR_CHECK(nono::contradicts("/a", "/a"));
  CONSTEXPR_CHECK(nono::contradicts("/a/b", "/a"));
  CONSTEXPR_CHECK(nono::contradicts("/a", "/a/b"));
  CONSTEXPR_CHECK(nono::contradicts("/a", "/"));
  CONSTEXPR_CHECK(!nono::contradicts("/a/b", "/a/c"));
  CONSTEXPR_CHECK(!nono::contradicts("/a", "/ab"));
  CONSTEXPR_CHECK(!nono::contradicts("/a-1", "/a"));
  CONSTEXPR_CHECK(!nono::contradicts("$HOME/a", "/home/u/a"));
}

TEST_CASE("policy: ~ is $HOME when rules are compared") {
  CHECK(nono::contradicts("$HOME/.ssh", "~/.ssh"));
  CHECK(nono::contradicts("~/.ssh", "$HOME/.ssh/keys"));
  CHECK(nono::contradicts("$HOME/.ssh", "~"));
  CHECK_FALSE(nono::contradicts("$HOME/.ssh", "~/.sshd"));
}

TEST_CASE("policy: rights in words") {
  CHECK(rights_text(no_rights) == "nothing");
  CHECK(rights_text(nono::read) == "read");
  CHECK(rights_text(nono::write) == "write");
  CHECK(rights_text(nono::read_write) == "read_write");
  CHECK(rights_text(nono::all_rights) == "read_write|ioctl|connect_unix");
  CHECK(rights_text(right::read_file | right::list) == "read_file|list");
  CHECK(rights_text(nono::read | right::write_file) == "read|write_file");
  CHECK(rights_text(nono::write | right::execute) == "write|execute");
  std::string after = "x";
  nono::append_rights(after, right::list);
  CHECK(after == "xlist");
}

TEST_CASE("policy: rules in the words of the DSL") {
  rule r{"/srv", nono::read, path_kind::directory, nono::must_exist, origin::user, {}};
  CHECK(to_text(r) == "allow_path<read>('/srv')");
  r.missing = nono::if_exists;
  CHECK(to_text(r) == "allow_path<read>('/srv', if_exists)");
  r.missing = nono::create_dir;
  CHECK(to_text(r) == "allow_path<read>('/srv', create_dir)");
  r.missing = nono::must_exist;
  r.kind = path_kind::file;
  CHECK(to_text(r) == "allow_file<read>('/srv')");
  r.rights = right::connect_unix;
  CHECK(to_text(r) == "allow_unix_socket('/srv')");
  r.kind = path_kind::directory;
  CHECK(to_text(r) == "allow_unix_sockets_below('/srv')");
  r.kind = path_kind::any;
  CHECK(to_text(r) == "allow_path<connect_unix>('/srv')");
  r.rights = nono::read | right::connect_unix;
  r.kind = path_kind::file;
  CHECK(to_text(r) == "allow_file<read|connect_unix>('/srv')");
  r.rights = nono::read;
  r.kind = path_kind::any;
  r.from = origin::group;
  r.missing = nono::if_exists;
  r.source = "tools";
  CHECK(to_text(r) == "allow_path<read>('/srv') of the group tools");
  r.from = origin::profile;
  r.missing = nono::must_exist;
  CHECK(to_text(r) == "allow_path<read>('/srv') of the profile tools");
  r.source = {};
  r.from = origin::system;
  CHECK(to_text(r) == "allow_path<read>('/srv') of nono itself");
  r.source = "its own state";
  CHECK(to_text(r) == "allow_path<read>('/srv') of nono itself: its own state");
  r.source = {};
  r.from = origin::command;
  CHECK(to_text(r) == "allow_path<read>('/srv') for the command");
  CHECK(to_text(rule{"/a'\n", no_rights, path_kind::deny, nono::must_exist, origin::user, {}}) ==
        "deny_path('/a\\'\\n')");
}

TEST_CASE("policy: networks in the words of the DSL") {
  nono::network_rule n;
  CHECK(to_text(n) == "network(unrestricted)");
  n.mode = nono::network_mode::blocked;
  CHECK(to_text(n) == "network(blocked)");
  n.mode = nono::network_mode::loopback;
  CHECK(to_text(n) == "network(loopback)");
  CHECK(to_text(nono::only(nono::connect_tcp(443), nono::bind_tcp(0)).rule) ==
        "network(only(connect_tcp(443), bind_tcp(0)))");
  n.mode = nono::network_mode::hosts;
  constexpr std::string_view names[] = {"*.b", "a"};
  CHECK(to_text(n, names) == "network(hosts{\"*.b\", \"a\"})");
  CHECK(to_text(n) == "network(hosts)");
}

TEST_CASE("policy: the whole text") {
  nono::policy_ref p = whole;
  p.sockets = nono::unix_sockets::none;
  p.best_effort |= nono::protection::signals;
  p.lifted |= nono::protection::ipc;
  p.strict = true;
  CHECK(to_text(p) ==
        "allow_path<read>('/a')\n"
        "deny_path('/b')\n"
        "group(there)  (another platform's)\n"
        "group(here)\n"
        "variable('$DATA')\n"
        "network(unrestricted)\n"
        "unix_sockets(none)\n"
        "best_effort(signals)\n"
        "lift(ipc)\n"
        "strict()\n");
  constexpr std::string_view names[] = {"a"};
  p.network.mode = nono::network_mode::hosts;
  p.hosts = names;
  CHECK(to_text(p).find("\nnetwork(hosts{\"a\"})\n") != std::string::npos);
}
