// SPDX-License-Identifier: Apache-2.0
#include <nono/bind.hpp>
#include <nono/caps.hpp>
#include <nono/groups.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "constexpr_check.hpp"

using nono::errc;
using nono::path_kind;
using nono::right;

namespace {

constexpr auto mixed = nono::caps<8>()
                           .allow_path<nono::read>("/srv/z")
                           .allow_path<nono::write>("/srv/a/")
                           .allow_file<nono::read>("/srv/b")
                           .deny_path("/srv/m")
                           .allow_path<nono::read>("~/x", nono::if_exists)
                           .allow_path<nono::read>("/srv/a-1");

template <std::size_t Capacity, unsigned State>
constexpr bool is_sorted(const nono::basic_caps<Capacity, State>& c) {
  const auto rules = c.ref().rules;
  for (std::size_t i = 1; i < rules.size(); ++i)
    if (nono::compare_text(rules[i - 1].path, rules[i].path) > 0) return false;
  return true;
}

constexpr nono::group_rule secret_rules[] = {{"/srv/secret", nono::no_rights}};
constexpr nono::group secret{.name = "secret", .description = "", .required = true, .rules = secret_rules};
constexpr nono::group_rule open_rules[] = {{"/srv/open", nono::read}};
constexpr nono::group open_group{.name = "open", .description = "", .rules = open_rules};
constexpr nono::group elsewhere{.name = "elsewhere",
                                .description = "",
                                .on = nono::this_platform == nono::platform::macos_only
                                          ? nono::platform::linux_only
                                          : nono::platform::macos_only,
                                .rules = secret_rules};

errc bind_code(const nono::policy_ref& p) {
  const auto got = nono::bind(p, {});
  return got ? errc::none : got.error().code;
}

}  // namespace

TEST_CASE("caps: rules are sorted by path, whatever order they were written in") {
  CONSTEXPR_CHECK(is_sorted(mixed));
  CONSTEXPR_CHECK(mixed.ref().rules.size() == 6);
  CONSTEXPR_CHECK(mixed.ref().rules[0].path == "/srv/a");
  CONSTEXPR_CHECK(mixed.ref().rules[1].path == "/srv/a-1");
  CONSTEXPR_CHECK(mixed.ref().rules[5].path == "~/x");
  CONSTEXPR_CHECK(mixed.ref().rules[5].missing == nono::if_exists);
}

TEST_CASE("caps: the same path twice is a refusal, by either of its names") {
  using nono::caps;
  const auto code = [](const auto& policy) { return policy.ref().violation; };
  CHECK(code(caps().allow_path<nono::read>("/a").allow_path<nono::write>("/a/")) == errc::duplicate_rule);
  CHECK(code(caps().allow_path<nono::read>("/a").allow_file<nono::write>("/a")) == errc::duplicate_rule);
  CHECK(code(caps().deny_path("/a").deny_path("/a")) == errc::duplicate_rule);
  CHECK(code(caps().allow_path<nono::read>("~/a").allow_path<nono::read>("$HOME/a")) == errc::duplicate_rule);
  CHECK(code(caps().allow_path<nono::read>("$HOME").allow_path<nono::read>("~")) == errc::duplicate_rule);
  CHECK(code(caps().deny_path("$HOME/a").deny_path("~/a")) == errc::duplicate_rule);
  // What a group grants may be granted again: nobody knows all of its paths by heart.
  CHECK(code(caps().group(open_group).allow_path<nono::read>("/srv/open")) == errc::none);
  CHECK(code(caps().allow_path<nono::read>("/a").allow_path<nono::read>("/a/b")) == errc::none);
  CHECK(code(caps().allow_path<nono::read>("$HOME/a").allow_path<nono::read>("/a")) == errc::none);
  const auto twice = caps().allow_path<nono::read>("/a").allow_path<nono::write>("/a");
  CHECK(twice.ref().rules.size() == 1);
  CHECK(twice.ref().violating == "/a");
}

TEST_CASE("caps: unix sockets are given once, and connect_unix needs some") {
  constexpr auto sockets_none = nono::unix_sockets::none;
  constexpr auto sockets_granted = nono::unix_sockets::granted;
  const auto code = [](const auto& policy) { return policy.ref().violation; };
  CHECK(code(nono::caps().unix_sockets(sockets_none).unix_sockets(sockets_none)) ==
        errc::unix_sockets_given_twice);
  CHECK(code(nono::caps().unix_sockets(nono::unix_sockets::by_default).unix_sockets(sockets_none)) ==
        errc::unix_sockets_given_twice);
  const auto open = nono::caps().allow_path<right::connect_unix>("/run/x");
  CHECK(code(open.unix_sockets(sockets_granted)) == errc::none);
  CHECK(code(open.unix_sockets(sockets_none)) == errc::connect_unix_without_sockets);
  CHECK(code(nono::caps().unix_sockets(sockets_none).allow_path<nono::all_rights>("/run/x")) ==
        errc::connect_unix_without_sockets);
}

TEST_CASE("caps: sockets by name") {
  constexpr auto policy =
      nono::caps().allow_unix_sockets_below("/run/d", nono::if_exists).allow_unix_socket("/run/x");
  CONSTEXPR_CHECK(policy.ref().rules.size() == 2);
  CONSTEXPR_CHECK(policy.ref().rules[0].kind == path_kind::directory);
  CONSTEXPR_CHECK(policy.ref().rules[0].missing == nono::if_exists);
  CONSTEXPR_CHECK(policy.ref().rules[1].kind == path_kind::file);
  CONSTEXPR_CHECK(policy.ref().rules[1].missing == nono::must_exist);
  CONSTEXPR_CHECK(policy.permits<right::connect_unix>("/run/x"));
  CONSTEXPR_CHECK(policy.permits<right::connect_unix>("/run/d/deep/y"));
  CONSTEXPR_CHECK(policy.denies<right::connect_unix>("/run/y"));
  CONSTEXPR_CHECK(policy.denies<nono::read>("/run/x"));
  const auto code = [](const auto& p) { return p.ref().violation; };
  CHECK(code(policy.unix_sockets(nono::unix_sockets::none)) == errc::connect_unix_without_sockets);
  const auto none = nono::caps().unix_sockets(nono::unix_sockets::none);
  CHECK(code(none.allow_unix_socket("/run/x")) == errc::connect_unix_without_sockets);
  CHECK(code(none.allow_unix_sockets_below("/run/x")) == errc::connect_unix_without_sockets);
  CHECK(code(policy.allow_file<nono::read>("/run/x")) ==
        errc::duplicate_rule);  // allow_file<read | connect_unix>
  CHECK(code(policy.deny_path("/run/x")) == errc::deny_contradicts_grant);
}

TEST_CASE("caps: protections are named once, and only those that can be lifted") {
  using nono::protection;
  const auto code = [](const auto& policy) { return policy.ref().violation; };
  CHECK(code(nono::caps().lift(protection::foreign_abi)) == errc::protection_not_liftable);
  CHECK(code(nono::caps().lift(protection::names)) == errc::protection_not_enforceable);
  CHECK(code(nono::caps().best_effort(protection::names)) == errc::protection_not_enforceable);
  CHECK(code(nono::caps().lift(protection::metadata)) == errc::none);  // a supervisor enforces it
  CHECK(code(nono::caps().best_effort(protection::cpu_affinity)) == errc::none);
  CHECK(code(nono::caps().lift(protection::ipc).best_effort(protection::ipc)) ==
        errc::lifted_and_best_effort);
  CHECK(code(nono::caps().best_effort(protection::ipc).lift(protection::ipc)) ==
        errc::lifted_and_best_effort);
  CHECK(nono::caps().lift(protection::foreign_abi).ref().violating == "foreign_abi");
  CHECK(nono::caps().lift(protection::foreign_abi).ref().lifted.empty());
}

TEST_CASE("caps: ports join one by one") {
  constexpr auto two = nono::caps().allow_port(nono::connect_tcp(443)).allow_port(nono::bind_tcp(0));
  CONSTEXPR_CHECK(two.ref().network.mode == nono::network_mode::ports);
  CONSTEXPR_CHECK(two.ref().network.port_count == 2);
  CONSTEXPR_CHECK(two.ref().network.opens(nono::bind_tcp(0)));
  CONSTEXPR_CHECK(nono::caps()
                      .network(nono::only(nono::connect_tcp(1)))
                      .allow_port(nono::bind_tcp(1))
                      .ref()
                      .network.port_count == 2);
  const auto code = [](const auto& policy) { return policy.ref().violation; };
  CHECK(code(two.allow_port(nono::connect_tcp(443))) == errc::port_given_twice);
  CHECK(code(nono::caps().network(nono::only(nono::bind_tcp(1), nono::bind_tcp(1)))) ==
        errc::port_given_twice);
  auto full = nono::caps().allow_port(nono::bind_tcp(1));
  for (std::uint16_t port = 2; port <= nono::max_ports; ++port)
    full = full.allow_port({nono::port_use::bind_tcp, port});
  CHECK(code(full) == errc::none);
  CHECK(code(full.allow_port(nono::bind_tcp(0))) == errc::too_many_ports);
  CHECK(full.allow_port(nono::bind_tcp(0)).ref().network.port_count == nono::max_ports);
}

TEST_CASE("caps: a portable policy names nothing that only Linux has") {
  using nono::protection;
  const auto code = [](const auto& policy) { return policy.ref().violation; };
  const auto either_order = [&](const auto& add) {
    const errc before = code(add(nono::caps().target(nono::portable)));
    const errc after = code(add(nono::caps()).target(nono::portable));
    CHECK(before == after);
    CHECK(code(add(nono::caps().target(nono::linux_only))) == errc::none);
    CHECK(code(add(nono::caps()).target(nono::linux_only)) == errc::none);
    return before;
  };
  CHECK(either_order([](auto p) { return p.network(nono::loopback); }) == errc::not_portable);
  CHECK(either_order([](auto p) { return p.allow_port(nono::connect_tcp(443)); }) == errc::not_portable);
  CHECK(either_order([](auto p) { return p.lift(protection::io_uring); }) == errc::not_portable);
  CHECK(either_order([](auto p) { return p.best_effort(protection::abstract_unix); }) == errc::not_portable);
  CHECK(either_order([](auto p) { return p.network(nono::blocked); }) == errc::none);
  CHECK(either_order([](auto p) { return p.network(nono::only(nono::bind_tcp(8080))); }) == errc::none);
  CHECK(either_order([](auto p) { return p.unix_sockets(nono::unix_sockets::none); }) == errc::none);
  CHECK(either_order([](auto p) { return p.lift(protection::ipc); }) == errc::none);
  CHECK(code(nono::caps().target(nono::portable).target(nono::portable)) == errc::target_given_twice);
}

TEST_CASE("caps: what the verbs leave behind") {
  CONSTEXPR_CHECK(nono::caps().ref().rules.empty());
  CONSTEXPR_CHECK(nono::caps().ref().network.mode == nono::network_mode::unrestricted);
  CONSTEXPR_CHECK(nono::caps().network(nono::unrestricted).ref().network.mode ==
                  nono::network_mode::unrestricted);
  CONSTEXPR_CHECK(nono::caps().network(nono::blocked).ref().network.mode == nono::network_mode::blocked);
  CONSTEXPR_CHECK(nono::caps().network(nono::loopback).ref().network.mode == nono::network_mode::loopback);
  CONSTEXPR_CHECK(nono::caps().network(nono::only(nono::connect_tcp(443))).ref().network.ports[0].port ==
                  443);
  CONSTEXPR_CHECK(nono::caps().unix_sockets(nono::unix_sockets::any).ref().sockets ==
                  nono::unix_sockets::any);
  CONSTEXPR_CHECK(nono::caps().strict().ref().strict);
  CONSTEXPR_CHECK(!nono::caps().ref().strict);
  CONSTEXPR_CHECK(nono::caps().lift(nono::protection::ipc).ref().lifted.has(nono::protection::ipc));
  CONSTEXPR_CHECK(
      nono::caps().best_effort(nono::protection::network).ref().best_effort.has(nono::protection::network));
  CONSTEXPR_CHECK(nono::caps().variable("$DATA").ref().variables[0] == "$DATA");
  CONSTEXPR_CHECK(nono::caps().ref().violation == errc::none);
}

namespace {
constexpr auto before_network = nono::caps<4>()
                                    .variable("$DATA")
                                    .allow_path<nono::read>("$DATA/x")
                                    .deny_path("/srv/no")
                                    .group(open_group)
                                    .unix_sockets(nono::unix_sockets::none)
                                    .best_effort(nono::protection::network)
                                    .lift(nono::protection::ipc)
                                    .strict();
constexpr auto after_network = before_network.network(nono::loopback);
}  // namespace

TEST_CASE("caps: naming the network keeps everything that was said before") {
  CONSTEXPR_CHECK(after_network.ref().rules.size() == 2);
  CONSTEXPR_CHECK(after_network.ref().groups.size() == 1);
  CONSTEXPR_CHECK(after_network.ref().variables.size() == 1);
  CONSTEXPR_CHECK(after_network.ref().sockets == nono::unix_sockets::none);
  CONSTEXPR_CHECK(after_network.ref().best_effort == before_network.ref().best_effort);
  CONSTEXPR_CHECK(after_network.ref().lifted == before_network.ref().lifted);
  CONSTEXPR_CHECK(after_network.ref().strict);
  CHECK(to_text(after_network.ref()).find("network(loopback)") != std::string::npos);
}

TEST_CASE("caps: hosts are sorted, and need a runner instead of a child") {
  constexpr auto named = before_network.network(nono::hosts{"b.example", "*.a.example"});
  CONSTEXPR_CHECK(named.ref().network.mode == nono::network_mode::hosts);
  CONSTEXPR_CHECK(named.ref().hosts.size() == 2);
  CONSTEXPR_CHECK(named.ref().hosts[0] == "*.a.example");
  CONSTEXPR_CHECK(named.ref().hosts[1] == "b.example");
  CONSTEXPR_CHECK(named.ref().rules.size() == 2);
  CONSTEXPR_CHECK(named.needs_runner());
  CONSTEXPR_CHECK(named.strict().needs_runner());
  CONSTEXPR_CHECK(!named.needs_child());
  CONSTEXPR_CHECK(!after_network.needs_runner());
  CONSTEXPR_CHECK(after_network.ref().hosts.empty());
  CONSTEXPR_CHECK(named.strict().ref().hosts.size() == 2);
  CONSTEXPR_CHECK(nono::caps().target(nono::portable).network(nono::hosts{"a"}).ref().violation ==
                  errc::none);
}

TEST_CASE("caps: 64 hosts fit") {
  constexpr auto many = nono::caps().network(nono::hosts{
      "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8",
      "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8",
      "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8",
      "g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8"});
  CONSTEXPR_CHECK(many.ref().hosts.size() == nono::max_hosts);
  CONSTEXPR_CHECK(many.ref().hosts[63] == "h8");
}

TEST_CASE("caps: only loopback needs a child") {
  CONSTEXPR_CHECK(!nono::caps().needs_child());
  CONSTEXPR_CHECK(!nono::caps().network(nono::blocked).needs_child());
  CONSTEXPR_CHECK(!nono::caps().network(nono::only(nono::bind_tcp(0))).needs_child());
  CONSTEXPR_CHECK(nono::caps().network(nono::loopback).needs_child());
  CONSTEXPR_CHECK(nono::caps().network(nono::loopback).strict().needs_child());
}

TEST_CASE("caps: neighbours of a deny may be granted") {
  CONSTEXPR_CHECK(nono::caps().deny_path("/srv/a").allow_path<nono::read>("/srv/a-1").ref().rules.size() ==
                  2);
  CONSTEXPR_CHECK(nono::caps().deny_path("/srv/a").deny_path("/srv").ref().rules.size() == 2);
  CONSTEXPR_CHECK(nono::caps().group(secret).allow_path<nono::read>("/srv/secrets").ref().rules.size() == 1);
  CONSTEXPR_CHECK(nono::caps().group(elsewhere).allow_path<nono::read>("/srv/secret").ref().rules.size() ==
                  1);
}

TEST_CASE("caps: outside a constant expression the first broken rule is kept, and bind returns it") {
  auto broken = nono::caps().allow_path<nono::read>("/srv").deny_path("/srv/no");
  CHECK(broken.ref().violation == errc::deny_contradicts_grant);
  CHECK(broken.ref().violating == "/srv/no");
  CHECK(broken.ref().rules.size() == 1);
  auto later = broken.allow_path<nono::read>("$NOWHERE/x").network(nono::blocked).strict();
  CHECK(later.ref().violation == errc::deny_contradicts_grant);
  CHECK(bind_code(later) == errc::deny_contradicts_grant);

  auto above = nono::caps().deny_path("/srv/no").allow_path<nono::read>("/");
  CHECK(above.ref().violation == errc::deny_contradicts_grant);
  auto below = nono::caps().deny_path("/srv").allow_file<nono::read>("/srv/x/y");
  CHECK(below.ref().violation == errc::deny_contradicts_grant);
  auto unknown = nono::caps().allow_path<nono::read>("$NOWHERE/x");
  CHECK(bind_code(unknown) == errc::variable_unknown);
  auto too_many = nono::caps<1>().allow_path<nono::read>("/a").allow_path<nono::read>("/b");
  CHECK(bind_code(too_many) == errc::too_many_rules);
  CHECK(too_many.ref().violating == "/b");
}

TEST_CASE("caps: the message of a run-time violation names the rule that broke it") {
  auto broken = nono::caps().allow_path<nono::read>("/srv").deny_path("/srv/no");
  const auto got = nono::bind(broken, {});
  REQUIRE_FALSE(got.has_value());
  const std::string message = got.error().message();
  INFO(message);
  CHECK(message.find("/srv/no") != std::string::npos);
}

TEST_CASE("caps: groups are checked against the policy's own rules in either order") {
  auto grant_first = nono::caps().allow_path<nono::read>("/srv/secret/x").group(secret);
  CHECK(grant_first.ref().violation == errc::deny_contradicts_grant);
  auto group_first = nono::caps().group(secret).allow_path<nono::read>("/srv");
  CHECK(group_first.ref().violation == errc::deny_contradicts_grant);
  auto deny_first = nono::caps().deny_path("/srv/open/x").group(open_group);
  CHECK(deny_first.ref().violation == errc::deny_contradicts_grant);
  auto deny_later = nono::caps().group(open_group).deny_path("/srv/open");
  CHECK(deny_later.ref().violation == errc::deny_contradicts_grant);
  auto other_platform = nono::caps().allow_path<nono::read>("/srv/secret").group(elsewhere);
  CHECK(other_platform.ref().violation == errc::none);
}

TEST_CASE("caps: 32 groups and 16 variables, then an error") {
  auto policy = nono::caps();
  static const std::array<nono::group, 32> many{};
  for (const nono::group& g : many) policy = policy.group(g);
  CHECK(policy.ref().violation == errc::none);
  CHECK(policy.group(open_group).ref().violation == errc::too_many_groups);
  CHECK(policy.group(many[7]).ref().violation == errc::group_given_twice);
  const auto variables = nono::caps()
                             .variable("$A")
                             .variable("$B")
                             .variable("$C")
                             .variable("$D")
                             .variable("$E")
                             .variable("$F")
                             .variable("$G")
                             .variable("$H")
                             .variable("$I")
                             .variable("$J")
                             .variable("$K")
                             .variable("$L")
                             .variable("$M")
                             .variable("$N")
                             .variable("$O")
                             .variable("$P");
  CHECK(variables.ref().violation == errc::none);
  CHECK(variables.variable("$Q").ref().violation == errc::too_many_variables);
  CHECK(variables.variable("$A").ref().violation == errc::variable_declared_twice);
  CHECK(nono::caps().variable("$HOME").ref().violation == errc::variable_known_already);
}

TEST_CASE("caps: the paths of a group are held to the rule of paths") {
  static constexpr nono::group_rule relative[] = {{"srv", nono::read}};
  static constexpr nono::group_rule doubled[] = {{"/srv//x", nono::read}};
  static constexpr nono::group first{.name = "first", .description = "", .rules = relative};
  static constexpr nono::group second{.name = "second", .description = "", .rules = doubled};
  CHECK(nono::caps().group(first).ref().violation == errc::path_not_absolute);
  CHECK(nono::caps().group(second).ref().violation == errc::path_not_plain);
}

TEST_CASE("caps: a declared variable may begin a path") {
  CONSTEXPR_CHECK(nono::caps().variable("$DATA").allow_path<nono::read>("$DATA/in").ref().violation ==
                  errc::none);
  CONSTEXPR_CHECK(nono::caps().allow_path<nono::read>("$XDG_CACHE_HOME/x").ref().violation == errc::none);
}

TEST_CASE(
    "caps: a deny and a grant stand together exactly where their paths do, whatever lies between them") {
  constexpr nono::path_literal paths[] = {"/",          "/a",
                                          "/a/b",       "/a-b",
                                          "/a/b/c",     "/ab",
                                          "/a/b-c",     "/b",
                                          "~",          "~/x",
                                          "~/x/y",      "~/x-y",
                                          "$HOME",      "$HOME/x",
                                          "$HOME/x/y",  "$HOME/xy",
                                          "~/",         "/a/",
                                          "$HOME/",     "$WORKDIR",
                                          "$WORKDIR/x", "$XDG_CACHE_HOME",
                                          "$TMPDIR/x"};
  const auto between =
      nono::caps<8>().allow_path<nono::read>("/a/a").allow_path<nono::read>("$HOME/w").deny_path("/z");
  for (const nono::path_literal denied : paths)
    for (const nono::path_literal granted : paths) {
      CAPTURE(denied.text());
      CAPTURE(granted.text());
      const auto first_denied = between.deny_path(denied);
      const auto first_granted = between.allow_path<nono::read>(granted);
      if (first_denied.ref().violation != errc::none || first_granted.ref().violation != errc::none) continue;
      const errc expected = nono::contradicts(nono::without_trailing_slash(denied.text()),
                                              nono::without_trailing_slash(granted.text()))
                                ? errc::deny_contradicts_grant
                                : errc::none;
      CHECK(first_denied.allow_path<nono::read>(granted).ref().violation == expected);
      CHECK(first_granted.deny_path(denied).ref().violation == expected);
    }
}
