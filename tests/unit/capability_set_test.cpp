// SPDX-License-Identifier: Apache-2.0
#include <nono/capability_set.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "constexpr_check.hpp"

using namespace std::string_view_literals;
using nono::capability_set;
using nono::errc;
using nono::right;

namespace {
constexpr nono::group_rule some_rules[] = {{"/srv", nono::read}};
constexpr nono::group some_group{.name = "some", .description = "", .rules = some_rules};

errc code(const nono::result<nono::success>& r) { return r ? errc::none : r.error().code; }
}  // namespace

TEST_CASE("capability_set: owns its text") {
  capability_set set;
  {
    std::string path = "/srv/data/";
    std::string source = "profile";
    CHECK(set.allow_path(path, nono::read).has_value());
    CHECK(set.add({path, nono::write, nono::path_kind::directory, nono::must_exist, nono::origin::profile,
                   source})
              .has_value());
    std::string name = "$DATA";
    CHECK(set.variable(name).has_value());
    path.assign(path.size(), '#');
    source.assign(source.size(), '#');
    name.assign(name.size(), '#');
  }
  CHECK(to_text(set.ref()) ==
        "allow_path<read>('/srv/data')\n"
        "allow_path<write>('/srv/data') of the profile profile\n"
        "variable('$DATA')\n"
        "network(unrestricted)\n");
}

TEST_CASE("capability_set: rules are sorted") {
  capability_set set;
  for (const char* path : {"/z", "/a/b", "/a", "/a-1", "~/x", "$HOME", "/"})
    CHECK(set.allow_path<nono::read>(path).has_value());
  const auto rules = set.ref().rules;
  REQUIRE(rules.size() == 7);
  for (std::size_t i = 1; i < rules.size(); ++i)
    CHECK(nono::compare_text(rules[i - 1].path, rules[i].path) < 0);
}

TEST_CASE("capability_set: a refused rule is an error and leaves the set as it was") {
  capability_set set;
  CHECK(set.allow_path<nono::read>("/srv").has_value());
  const std::string before = to_text(set.ref());
  CHECK(code(set.allow_path("", nono::read)) == errc::path_empty);
  CHECK(code(set.allow_path("srv", nono::read)) == errc::path_not_absolute);
  CHECK(code(set.allow_path("~root/x", nono::read)) == errc::path_not_absolute);
  CHECK(code(set.allow_path("/srv/..", nono::read)) == errc::path_has_parent);
  CHECK(code(set.allow_path("/srv\0x"sv, nono::read)) == errc::path_has_nul);
  CHECK(code(set.allow_path("/srv/$X", nono::read)) == errc::variable_misplaced);
  CHECK(code(set.allow_path(std::string(4097, 'x').replace(0, 1, "/"), nono::read)) == errc::path_too_long);
  CHECK(code(set.allow_path("$NOWHERE/x", nono::read)) == errc::variable_unknown);
  CHECK(code(set.allow_path("/srv", nono::no_rights)) == errc::empty_access);
  CHECK(code(set.allow_file("/srv", nono::no_rights)) == errc::empty_access);
  CHECK(code(set.allow_file("/srv", right::list)) == errc::directory_right_on_file);
  CHECK(code(set.allow_file("/srv", right::read_file | right::create)) == errc::directory_right_on_file);
  CHECK(code(set.allow_file("/srv/", nono::read)) == errc::file_path_ends_with_slash);
  CHECK(code(set.deny_path("srv")) == errc::path_not_absolute);
  CHECK(code(set.variable("DATA")) == errc::variable_misplaced);
  CHECK(code(set.variable("$")) == errc::variable_misplaced);
  CHECK(code(set.variable("$WORKDIR")) == errc::variable_known_already);
  CHECK(to_text(set.ref()) == before);
}

TEST_CASE("capability_set: the error names the rule") {
  capability_set set;
  const auto got = set.allow_path("data", nono::read);
  REQUIRE_FALSE(got.has_value());
  CHECK(
      got.error().message() ==
      "allow_path<read>('data'): the path 'data' is not absolute; to change that, begin it with / or with a "
      "variable such as $HOME");
}

TEST_CASE("capability_set: a variable is known once it is declared") {
  capability_set set;
  CHECK(code(set.allow_path("$DATA", nono::read)) == errc::variable_unknown);
  CHECK(set.variable("$DATA").has_value());
  CHECK(code(set.variable("$DATA")) == errc::variable_declared_twice);
  CHECK(code(set.allow_path("$DATA", nono::read)) == errc::none);
  CHECK(code(set.allow_path("$DATABASE", nono::read)) == errc::variable_unknown);
  CHECK(code(set.allow_path("~", nono::read)) == errc::none);
}

TEST_CASE("capability_set: settings, groups once each, rules left out") {
  capability_set set;
  set.group(some_group)
      .group(some_group)
      .network(nono::blocked)
      .unix_sockets(nono::unix_sockets::none)
      .best_effort(nono::protection::network)
      .lift(nono::protection::ipc)
      .strict();
  CHECK(set.allow_file<nono::read>("/etc/x", nono::if_exists).has_value());
  CHECK(set.deny_path("/srv/no").has_value());
  CHECK(to_text(set.ref()) ==
        "allow_file<read>('/etc/x', if_exists)\n"
        "deny_path('/srv/no')\n"
        "group(some)\n"
        "network(blocked)\n"
        "unix_sockets(none)\n"
        "best_effort(network)\n"
        "lift(ipc)\n"
        "strict()\n");
  set.remove_if([](const nono::rule& r) { return r.is_deny(); });
  set.network(nono::only(nono::connect_tcp(443))).strict(false);
  CHECK(set.ref().rules.size() == 1);
  CHECK(set.ref().network.mode == nono::network_mode::ports);
  CHECK_FALSE(set.ref().strict);
  set.network(nono::loopback);
  CHECK(set.ref().network.mode == nono::network_mode::loopback);
  CHECK(set.ref().network.port_count == 0);
  set.network(nono::unrestricted);
  CHECK(set.ref().network.mode == nono::network_mode::unrestricted);
}

TEST_CASE("capability_set: hosts are sorted, kept once and owned; a bad one changes nothing") {
  nono::capability_set set;
  {
    std::string passing = "b.example";
    const std::string_view names[] = {passing, "*.example", "a.example", "*.example"};
    REQUIRE(set.network(names).has_value());
    passing = "overwritten";
  }
  CHECK(set.ref().network.mode == nono::network_mode::hosts);
  const auto hosts = [&] {
    return std::vector<std::string_view>(set.ref().hosts.begin(), set.ref().hosts.end());
  };
  const std::vector<std::string_view> expected = {"*.example", "a.example", "b.example"};
  CHECK(hosts() == expected);
  const std::string_view bad[] = {"c.example", "C.example"};
  const auto refused = set.network(bad);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == nono::errc::host_not_lower_case);
  CHECK(refused.error().message().find("network(hosts): the host 'C.example'") != std::string::npos);
  const auto none = set.network(std::span<const std::string_view>());
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == nono::errc::no_hosts);
  CHECK(hosts() == expected);
  CHECK(set.network(set.ref().hosts).has_value());  // its own
  CHECK(hosts() == expected);
  // A port beside them goes past the proxy.
  CHECK(set.allow_port(nono::connect_tcp(5432)).has_value());
  CHECK(set.allow_port(nono::bind_tcp(8080)).has_value());
  CHECK(set.allow_port(nono::bind_tcp(8080)).error().code == nono::errc::port_given_twice);
  CHECK(set.ref().network.mode == nono::network_mode::hosts);
  CHECK(hosts() == expected);
  CHECK(to_text(set.ref()) ==
        "network(hosts{\"*.example\", \"a.example\", \"b.example\"}) allow_port(connect_tcp(5432)) "
        "allow_port(bind_tcp(8080))\n");
  CHECK(set.network(set.ref().hosts).has_value());
  CHECK(set.ref().network.port_count == 0);
  set.network(nono::blocked);
  CHECK(hosts().empty());
  set.network(nono::hosts{"b.example", "a.example"});
  CHECK(hosts() == std::vector<std::string_view>{"a.example", "b.example"});
  CHECK_FALSE(set.needs_runner());
}

TEST_CASE("capability_set: any number of hosts") {
  nono::capability_set set;
  std::vector<std::string> texts(1000);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = "h" + std::to_string(i) + ".example";
  const std::vector<std::string_view> names(texts.begin(), texts.end());
  REQUIRE(set.network(names).has_value());
  CHECK(set.ref().hosts.size() == 1000);
  CHECK(std::is_sorted(set.ref().hosts.begin(), set.ref().hosts.end()));
}

TEST_CASE("capability_set: moves with its text") {
  capability_set set;
  for (int i = 0; i < 500; ++i) CHECK(set.allow_path("/srv/" + std::to_string(i), nono::read).has_value());
  const std::string before = to_text(set.ref());
  capability_set moved = std::move(set);
  CHECK(to_text(moved.ref()) == before);
  capability_set assigned;
  CHECK(assigned.allow_path("/other", nono::read).has_value());
  assigned = std::move(moved);
  CHECK(to_text(assigned.ref()) == before);
}

TEST_CASE("capability_set: paths are folded") {
  capability_set set;
  for (const char* path : {"//a//./b/", "$HOME/./c//d", "~//.", "/."}) {
    INFO(std::string(path));
    CHECK(set.allow_path<nono::read>(path).has_value());
  }
  const auto rules = set.ref().rules;
  REQUIRE(rules.size() == 4);
  CHECK(rules[0].path == "$HOME/c/d");
  CHECK(rules[1].path == "/");
  CHECK(rules[2].path == "/a/b");
  CHECK(rules[3].path == "~");
}

TEST_CASE("capability_set: ports join one by one, unless the network was given as a whole") {
  using enum nono::port_use;
  capability_set set;
  CHECK(set.allow_port({connect_tcp, 443}).has_value());
  CHECK(set.allow_port({bind_tcp, 443}).has_value());
  CHECK(code(set.allow_port({bind_tcp, 443})) == errc::port_given_twice);
  CHECK(code(set.allow_port({connect_tcp, 0})) == errc::port_out_of_range);
  CHECK(set.ref().network.port_count == 2);
  for (std::uint16_t port = 1; set.ref().network.port_count < nono::max_ports; ++port)
    CHECK(set.allow_port({bind_tcp, port}).has_value());
  CHECK(code(set.allow_port({bind_tcp, 0})) == errc::too_many_ports);
  CHECK(code(capability_set().network(nono::blocked).allow_port({bind_tcp, 1})) ==
        errc::port_contradicts_network);
  CHECK(code(capability_set().network(nono::unrestricted).allow_port({bind_tcp, 1})) ==
        errc::port_contradicts_network);
  CHECK(code(capability_set().network(nono::only(nono::bind_tcp(2))).allow_port({bind_tcp, 1})) ==
        errc::none);
}

TEST_CASE("capability_set: a protection that cannot be named is kept as the set's error") {
  using nono::protection;
  CHECK(capability_set().lift(protection::foreign_abi).ref().violation == errc::protection_not_liftable);
  CHECK(capability_set().lift(protection::names).ref().violation == errc::protection_not_enforceable);
  CHECK(capability_set().best_effort(protection::names).ref().violation == errc::protection_not_enforceable);
  capability_set both;
  both.lift(protection::ipc).best_effort(protection::ipc).lift(protection::foreign_abi);
  CHECK(both.ref().violation == errc::lifted_and_best_effort);
  CHECK(both.ref().violating == "ipc");
  CHECK(both.ref().best_effort.empty());
}

TEST_CASE("capability_set: sockets by name") {
  capability_set set;
  CHECK(set.allow_unix_socket("/run/x").has_value());
  CHECK(set.allow_unix_sockets_below("/run/d/", nono::if_exists).has_value());
  CHECK(
      to_text(set.ref()) ==
      "allow_unix_sockets_below('/run/d', if_exists)\nallow_unix_socket('/run/x')\nnetwork(unrestricted)\n");
  CHECK(set.permits<right::connect_unix>("/run/x"));
  CHECK(set.permits<right::connect_unix>("/run/d/deep/y"));
  CHECK_FALSE(set.permits<right::read_file>("/run/x"));
  CHECK(code(set.allow_unix_socket("/run/y/")) == errc::file_path_ends_with_slash);
  CHECK(code(set.allow_unix_socket("run/y")) == errc::path_not_absolute);
  CHECK(code(set.allow_unix_sockets_below("$UNKNOWN")) == errc::variable_unknown);
  set.unix_sockets(nono::unix_sockets::none);
  CHECK(set.ref().violation == errc::connect_unix_without_sockets);
  CHECK(code(set.allow_unix_socket("/run/z")) == errc::connect_unix_without_sockets);
  CHECK(code(set.allow_unix_sockets_below("/run/z")) == errc::connect_unix_without_sockets);
}

TEST_CASE("capability_set: connect_unix needs sockets, as long as there are none") {
  capability_set set;
  CHECK(set.allow_path("/run/x", right::connect_unix).has_value());
  set.unix_sockets(nono::unix_sockets::none);
  CHECK(set.ref().violation == errc::connect_unix_without_sockets);
  CHECK(set.ref().violating == "/run/x");
  CHECK(code(set.allow_path("/run/y", right::connect_unix)) == errc::connect_unix_without_sockets);
  set.unix_sockets(nono::unix_sockets::granted);
  CHECK(set.ref().violation == errc::none);
}

TEST_CASE("capability_set: a portable target refuses what only Linux has, whatever came first") {
  const auto violation = [](const capability_set& set) { return set.ref().violation; };
  capability_set set;
  set.target(nono::portable);
  CHECK(set.ref().target == nono::portable);
  CHECK(to_text(set.ref()) == "network(unrestricted)\ntarget(portable)\n");
  CHECK(violation(set) == errc::none);
  set.network(nono::loopback);
  CHECK(violation(set) == errc::not_portable);
  CHECK(set.ref().violating == "network(loopback)");
  set.network(nono::only(nono::bind_tcp(80)));
  CHECK(violation(set) == errc::none);
  CHECK(set.allow_port(nono::connect_tcp(443)).has_value());
  CHECK(violation(set) == errc::not_portable);
  set.network(nono::blocked).lift(nono::protection::keyring);
  CHECK(set.ref().violating == "keyring");
  CHECK(violation(set.target(nono::linux_only)) == errc::none);
}
