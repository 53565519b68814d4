// SPDX-License-Identifier: Apache-2.0
#include <nono/algebra.hpp>
#include <nono/bound_policy.hpp>
#include <nono/capability_set.hpp>
#include <nono/combine.hpp>
#include <nono/groups.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "constexpr_check.hpp"

using nono::errc;
using nono::network_mode;
using nono::path_kind;
using nono::policy_ref;
using nono::protection;
using nono::right;

// --- what the design shows -------------------------------------------------------------------------------------

namespace {

constexpr auto policy = nono::caps()
                            .group(nono::groups::system_read)
                            .variable("$DATA")
                            .allow_path<nono::read>("$DATA")
                            .allow_path<nono::read_write>("$WORKDIR")
                            .allow_file<nono::read>("$HOME/.gitconfig")
                            .network(nono::blocked);
constexpr auto wider = nono::caps()
                           .group(nono::groups::system_read)
                           .variable("$DATA")
                           .allow_path<nono::read_write>("$DATA")
                           .allow_path<nono::read_write>("$WORKDIR")
                           .allow_path<nono::read>("~");

constexpr auto caps() { return nono::caps<32>(); }

}  // namespace

TEST_CASE("algebra: the questions that the design shows") {
  CONSTEXPR_CHECK(policy.permits<nono::read>("$DATA/a.txt"));
  CONSTEXPR_CHECK(policy.denies<nono::write>("/etc/passwd"));
  CONSTEXPR_CHECK(policy.within(wider));
  CONSTEXPR_CHECK(!wider.within(policy));
  CONSTEXPR_CHECK(policy.minimum_landlock_abi() == 1);
}

TEST_CASE("algebra: permits joins the rights of all rules at and above a path") {
  constexpr auto p = caps()
                         .allow_path<nono::read>("/a")
                         .allow_path<right::write_file>("/a/b")
                         .allow_file<nono::write>("/a/f")
                         .allow_path<nono::read>("~/x");
  CONSTEXPR_CHECK(p.permits < nono::read | right::write_file > ("/a/b/c"));
  CONSTEXPR_CHECK(!p.permits<right::write_file>("/a"));
  CONSTEXPR_CHECK(!p.permits<right::read_file>("/"));
  CONSTEXPR_CHECK(!p.permits<nono::read>("/a-1"));
  CONSTEXPR_CHECK(!p.permits<nono::read>("/aa"));
  // A rule on a file speaks of it alone.
  CONSTEXPR_CHECK(p.permits<nono::read_write>("/a/f"));
  CONSTEXPR_CHECK(!p.permits<right::write_file>("/a/f/g"));
  // ~ is $HOME, and no other variable is anything.
  CONSTEXPR_CHECK(p.permits<nono::read>("$HOME/x/y"));
  CONSTEXPR_CHECK(!p.permits<nono::read>("$WORKDIR/x"));
  CONSTEXPR_CHECK(caps().allow_path<nono::read>("$HOME").permits<nono::read>("~/x"));
  CONSTEXPR_CHECK(policy.permits<nono::read>("/usr/lib/x"));  // of a group
}

TEST_CASE("algebra: what is lifted is permitted everywhere and denied nowhere") {
  constexpr auto open = caps().lift(protection::filesystem);
  CONSTEXPR_CHECK(open.permits<nono::read_write>("/etc/passwd"));
  CONSTEXPR_CHECK(!open.permits<right::connect_unix>("/run/x"));
  CONSTEXPR_CHECK(!open.denies<right::read_file>("/etc/passwd"));
  CONSTEXPR_CHECK(!open.deny_path("/etc").denies<right::read_file>("/etc/passwd"));
  CONSTEXPR_CHECK(caps().lift(protection::truncate).permits<right::truncate>("/x"));
  CONSTEXPR_CHECK(!caps().lift(protection::truncate).denies<nono::write>("/x"));
  CONSTEXPR_CHECK(caps().lift(protection::truncate).denies<right::write_file>("/x"));
  CONSTEXPR_CHECK(!caps().lift(protection::device_ioctl).denies<right::ioctl>("/x"));
  CONSTEXPR_CHECK(!caps().unix_sockets(nono::unix_sockets::any).denies<right::connect_unix>("/x"));
  CONSTEXPR_CHECK(caps().denies<nono::all_rights>("/x"));
  // Given up where a kernel has no Landlock: no proof.
  CONSTEXPR_CHECK(!caps().best_effort(protection::filesystem).denies<nono::read>("/x"));
}

TEST_CASE("algebra: denies is a proof over all values of the variables") {
  constexpr auto work = caps().allow_path<nono::read_write>("$WORKDIR");
  CONSTEXPR_CHECK(work.denies<nono::write>("/etc/passwd"));
  CONSTEXPR_CHECK(work.denies<nono::write>("/usr/bin/x"));
  CONSTEXPR_CHECK(work.denies<nono::write>("/usr"));
  CONSTEXPR_CHECK(work.denies<nono::write>("/"));
  CONSTEXPR_CHECK(work.denies<nono::read>("/etc/shadow"));  // a grant that writes, so it is not there at all
  CONSTEXPR_CHECK(!work.denies<nono::write>("/srv/x"));
  CONSTEXPR_CHECK(!work.denies<nono::write>("$HOME/x"));
  CONSTEXPR_CHECK(!work.denies<nono::write>("$WORKDIR/x"));
  CONSTEXPR_CHECK(!caps().allow_path<nono::read>("$WORKDIR").denies<nono::read>("/etc/shadow"));
  constexpr auto data = caps().variable("$DATA").allow_path<nono::read_write>("$DATA/x");
  CONSTEXPR_CHECK(!data.denies<nono::write>("/etc/passwd"));
  CONSTEXPR_CHECK(data.denies<nono::write>("$DATA/y"));
  CONSTEXPR_CHECK(!data.denies<nono::write>("$WORKDIR/y"));
  constexpr auto srv = caps().variable("$DATA").allow_path<nono::read>("/srv");
  CONSTEXPR_CHECK(!srv.denies<nono::read>("$DATA/x"));
  CONSTEXPR_CHECK(srv.denies<nono::write>("$DATA/x"));
  CONSTEXPR_CHECK(srv.denies<nono::read>("/srv-1"));
  CONSTEXPR_CHECK(srv.denies<nono::read>("/"));
  CONSTEXPR_CHECK(!srv.denies<right::read_file>("/srv/x"));
  // Denied is only what has none of the rights.
  CONSTEXPR_CHECK(!srv.denies<nono::read_write>("/srv/x"));
  // A file covers itself alone.
  CONSTEXPR_CHECK(caps().allow_file<nono::read>("/a").denies<nono::read>("/a/b"));
  CONSTEXPR_CHECK(!caps().allow_file<nono::read>("~/a").denies<nono::read>("$HOME/a"));
  CONSTEXPR_CHECK(caps().allow_file<nono::read>("~/a").denies<nono::read>("$HOME/a/b"));
}

TEST_CASE("algebra: a deny holds against every variable") {
  constexpr auto p =
      caps().variable("$DATA").deny_path("$HOME/.ssh").deny_path("/srv").allow_path<nono::read>("$DATA");
  CONSTEXPR_CHECK(p.denies<nono::read>("$HOME/.ssh/id"));
  CONSTEXPR_CHECK(p.denies<nono::read>("~/.ssh"));
  CONSTEXPR_CHECK(p.denies<nono::all_rights>("/srv/x"));
  CONSTEXPR_CHECK(!p.denies<nono::read>("$HOME"));
  CONSTEXPR_CHECK(!p.denies<nono::read>("$HOME/.sshd"));
  constexpr auto grouped =
      caps().variable("$DATA").allow_path<nono::read>("$DATA").group(nono::groups::deny_credentials);
  CONSTEXPR_CHECK(grouped.denies<nono::read>("~/.ssh/id"));
}

TEST_CASE("algebra: a device that may be written gets its ioctls, so they are not denied") {
  constexpr auto p = caps().allow_file<nono::write>("/dev/null");
  CONSTEXPR_CHECK(!p.permits<right::ioctl>("/dev/null"));
  CONSTEXPR_CHECK(!p.denies<right::ioctl>("/dev/null"));
  CONSTEXPR_CHECK(caps().allow_file<nono::read>("/dev/null").denies<right::ioctl>("/dev/null"));
}

TEST_CASE("algebra: outside a constant expression an odd question has the answer that proves nothing") {
  const policy_ref p = policy;
  for (const std::string_view odd : {"", "x", "/usr/lib/../x", "/usr//lib", "/usr/./lib", "$NOBODY/x"}) {
    INFO(std::string(odd));
    CHECK_FALSE(nono::permits(p, odd, nono::read));
    CHECK_FALSE(nono::denies(p, odd, nono::write));
  }
  CHECK(nono::permits(p, "/usr/lib/", nono::read));
}

TEST_CASE("algebra: capability_set answers as the policy does") {
  nono::capability_set set;
  REQUIRE(set.allow_path<nono::read>("/srv").has_value());
  CHECK(set.permits<nono::read>("/srv/x"));
  CHECK(set.permits("/srv/x", nono::read));
  CHECK(set.denies<nono::write>("/srv/x"));
  CHECK_FALSE(set.denies("/srv/x", nono::read));
  CHECK(set.within(caps().allow_path<nono::read>("/")));
  CHECK_FALSE(set.within(caps()));
  CHECK(set.minimum_landlock_abi() == 1);
}

TEST_CASE("algebra: within, rule by rule") {
  constexpr auto a = caps().allow_path<nono::read>("/a/b").allow_file<nono::write>("~/f");
  CONSTEXPR_CHECK(a.within(caps().allow_path<nono::read>("/a").allow_path<nono::write>("$HOME")));
  CONSTEXPR_CHECK(!a.within(caps().allow_path<nono::read>("/a").allow_path<right::write_file>("$HOME")));
  CONSTEXPR_CHECK(!a.within(caps().allow_path<nono::read>("/a")));
  // Rights may come from several rules.
  constexpr auto both = caps().allow_path<nono::read_write>("/a/b");
  CONSTEXPR_CHECK(both.within(caps().allow_path<nono::read>("/a").allow_path<nono::write>("/")));
  // A rule on a file does not cover a directory of that name.
  CONSTEXPR_CHECK(!caps().allow_path<nono::read>("/x").within(caps().allow_file<nono::read>("/x")));
  CONSTEXPR_CHECK(caps().allow_file<nono::read>("/x").within(caps().allow_path<nono::read>("/x")));
  // Groups, as such and by their rules.
  constexpr auto tools = caps().group(nono::groups::git_config);
  CONSTEXPR_CHECK(tools.within(tools));
  CONSTEXPR_CHECK(tools.within(caps().allow_path<nono::read>("~")));
  CONSTEXPR_CHECK(!tools.within(caps().allow_path<nono::read>("~/.config")));
  CONSTEXPR_CHECK(caps().allow_file<nono::read>("~/.gitconfig").within(tools));
}

TEST_CASE("algebra: within, setting by setting") {
  using nono::blocked;
  using nono::loopback;
  using nono::only;
  constexpr auto one = only(nono::connect_tcp(443));
  constexpr auto two = only(nono::bind_tcp(80), nono::connect_tcp(443));
  CONSTEXPR_CHECK(caps().network(blocked).within(caps().network(loopback)));
  CONSTEXPR_CHECK(caps().network(blocked).within(caps().network(one)));
  CONSTEXPR_CHECK(caps().network(loopback).within(caps()));
  CONSTEXPR_CHECK(caps().network(one).within(caps().network(two)));
  CONSTEXPR_CHECK(caps().network(two).within(caps()));
  CONSTEXPR_CHECK(!caps().within(caps().network(two)));
  CONSTEXPR_CHECK(!caps().network(two).within(caps().network(one)));
  constexpr std::string_view host[] = {"t"};
  constexpr auto ports_of = [](const auto& ports, network_mode mode) {
    nono::network_rule out = caps().network(ports).ref().network;
    out.mode = mode;
    return out;
  };
  constexpr nono::network_rule beside_hosts = ports_of(one, network_mode::hosts);
  CONSTEXPR_CHECK(is_within(ports_of(one, network_mode::ports), {}, beside_hosts, host));
  CONSTEXPR_CHECK(!is_within(ports_of(two, network_mode::ports), {}, beside_hosts, host));
  CONSTEXPR_CHECK(!is_within(beside_hosts, host, ports_of(one, network_mode::ports), {}));
  CONSTEXPR_CHECK(!caps().network(loopback).within(caps().network(blocked)));
  CONSTEXPR_CHECK(!caps().network(loopback).within(caps().network(one)));
  CONSTEXPR_CHECK(!caps().network(one).within(caps().network(loopback)));
  constexpr auto below = caps().network(nono::hosts{"a.s", "*.a.s", "t"});
  constexpr auto above = caps().network(nono::hosts{"*.s", "t"});
  CONSTEXPR_CHECK(caps().network(blocked).within(below));
  CONSTEXPR_CHECK(below.within(above) && below.within(below) && below.within(caps()));
  CONSTEXPR_CHECK(!above.within(below));
  CONSTEXPR_CHECK(!caps().within(above));
  CONSTEXPR_CHECK(!below.within(caps().network(nono::hosts{"*.a.s", "t"})));  // not a.s itself
  CONSTEXPR_CHECK(!below.within(caps().network(blocked)));
  CONSTEXPR_CHECK(!below.within(caps().network(loopback)) && !caps().network(loopback).within(below));
  CONSTEXPR_CHECK(!below.within(caps().network(one)) && !caps().network(one).within(below));
  CONSTEXPR_CHECK(caps().within(below.lift(protection::network)));
  CONSTEXPR_CHECK(!above.best_effort(protection::network).within(above));
  CONSTEXPR_CHECK(caps().within(caps().network(blocked).lift(protection::network)));
  CONSTEXPR_CHECK(!caps().network(blocked).lift(protection::network).within(caps().network(blocked)));

  constexpr std::array sockets = {nono::unix_sockets::none, nono::unix_sockets::granted,
                                  nono::unix_sockets::by_default, nono::unix_sockets::any};
  for (std::size_t i = 0; i < sockets.size(); ++i)
    for (std::size_t k = 0; k < sockets.size(); ++k)
      CHECK(caps().unix_sockets(sockets[i]).within(caps().unix_sockets(sockets[k])) == (i <= k));

  constexpr auto lifted = caps().lift(protection::ipc);
  CONSTEXPR_CHECK(caps().within(lifted));
  CONSTEXPR_CHECK(!lifted.within(caps()));
  CONSTEXPR_CHECK(caps().allow_path<nono::all_rights>("/").within(
      caps().lift(protection::filesystem).unix_sockets(nono::unix_sockets::any)));
  CONSTEXPR_CHECK(!caps().lift(protection::filesystem).within(caps().allow_path<nono::all_rights>("/")));
  CONSTEXPR_CHECK(caps().within(caps().best_effort(protection::network)));
  CONSTEXPR_CHECK(!caps().best_effort(protection::network).within(caps()));
  CONSTEXPR_CHECK(caps().strict().within(caps()));
  CONSTEXPR_CHECK(!caps().within(caps().strict()));
  CHECK_FALSE(nono::is_within(policy_ref(policy), policy_ref(caps())));  // $DATA is not known there

  nono::bound_policy bound;
  bound.network = nono::network_rule{network_mode::blocked, 0, {}};
  CHECK(nono::settings_within(bound, policy_ref(caps())));
  CHECK_FALSE(nono::settings_within(policy_ref(caps()), bound));
}

TEST_CASE("algebra: the oldest kernel that will do") {
  CONSTEXPR_CHECK(caps().minimum_landlock_abi() == 1);
  CONSTEXPR_CHECK(caps().lift(protection::filesystem).minimum_landlock_abi() == 0);
  CONSTEXPR_CHECK(caps().network(nono::blocked).minimum_landlock_abi() == 1);
  CONSTEXPR_CHECK(caps().network(nono::loopback).minimum_landlock_abi() == 1);
  CONSTEXPR_CHECK(caps().network(nono::hosts{"a"}).minimum_landlock_abi() == 1);
  CONSTEXPR_CHECK(caps().network(nono::hosts{"a"}).lift(protection::filesystem).minimum_landlock_abi() == 0);
  CONSTEXPR_CHECK(caps().allow_port(nono::connect_tcp(443)).minimum_landlock_abi() == 4);
  CONSTEXPR_CHECK(
      caps().allow_port(nono::connect_tcp(443)).best_effort(protection::network).minimum_landlock_abi() == 1);
  CONSTEXPR_CHECK(caps().unix_sockets(nono::unix_sockets::granted).minimum_landlock_abi() == 9);
  CONSTEXPR_CHECK(caps().unix_sockets(nono::unix_sockets::none).minimum_landlock_abi() == 1);
  CONSTEXPR_CHECK(caps().strict().minimum_landlock_abi() == 9);
  CONSTEXPR_CHECK(caps().strict().unix_sockets(nono::unix_sockets::any).minimum_landlock_abi() == 6);
  constexpr auto quiet = caps().strict().unix_sockets(nono::unix_sockets::none);
  CONSTEXPR_CHECK(quiet.minimum_landlock_abi() == 6);  // signals
  CONSTEXPR_CHECK(quiet.best_effort(protection::signals).minimum_landlock_abi() == 5);
  CONSTEXPR_CHECK(quiet.lift(protection::signals).lift(protection::device_ioctl).minimum_landlock_abi() == 1);
}

TEST_CASE("algebra: unions and intersections in a constant expression") {
  constexpr auto a = caps().allow_path<nono::read>("/a").allow_path<nono::write>("/both").deny_path("/no");
  constexpr auto b =
      caps().allow_path<nono::write>("/a/b").allow_file<nono::read>("/both").deny_path("/no/x");
  constexpr auto either = union_of(a, b);
  constexpr auto both = intersection_of(a, b);
  CONSTEXPR_CHECK(either.permits<nono::read_write>("/a/b/c"));
  CONSTEXPR_CHECK(!both.permits<right::read_file>("/a/b/c"));
  CONSTEXPR_CHECK(a.within(either) && b.within(either) && both.within(a) && both.within(b));
  // A deny stays in the union where both deny.
  CONSTEXPR_CHECK(either.ref().rules.size() == 5);
  CONSTEXPR_CHECK(either.denies<nono::read>("/no/x/y"));
  CONSTEXPR_CHECK(both.denies<nono::read>("/no/y"));
  CONSTEXPR_CHECK(
      union_of(caps().network(nono::loopback), caps().network(nono::blocked)).ref().network.mode ==
      network_mode::loopback);
  CONSTEXPR_CHECK(!decltype(union_of(caps().network(nono::loopback), caps()))::needs_child());
  CONSTEXPR_CHECK(
      decltype(union_of(caps().network(nono::loopback), caps().network(nono::loopback)))::needs_child());
}

TEST_CASE("algebra: unions and intersections of hosts") {
  const auto text = [](const policy_ref& p) { return to_text(p.network, p.hosts); };
  constexpr auto a = caps().network(nono::hosts{"*.s", "t", "u"});
  constexpr auto b = caps().network(nono::hosts{"a.s", "*.b.s", "t", "v"});
  constexpr auto either = union_of(a, b);
  constexpr auto both = intersection_of(a, b);
  CHECK(text(either) == R"(network(hosts{"*.b.s", "*.s", "a.s", "t", "u", "v"}))");
  CHECK(text(both) == R"(network(hosts{"*.b.s", "a.s", "t"}))");
  // Of two of which one lies within the other, the one or the other.
  CHECK(text(union_of(a, both)) == text(a));
  CHECK(text(intersection_of(both, a)) == text(both));
  CHECK(text(intersection_of(a, caps())) == text(a));
  CHECK(text(union_of(caps().network(nono::blocked), a)) == text(a));
  CHECK(text(union_of(a, caps())) == "network(unrestricted)");
  CHECK(text(intersection_of(a, caps().network(nono::hosts{"s"}))) == "network(blocked)");
  CHECK(text(intersection_of(a, caps().network(nono::loopback))) == "network(blocked)");
  CHECK(text(union_of(a, caps().allow_port(nono::connect_tcp(443)))) == "network(unrestricted)");
  CHECK(text(intersection_of(a.lift(protection::network), b)) == text(b));
  CONSTEXPR_CHECK(either.needs_runner());
  CONSTEXPR_CHECK(!both.needs_runner());  // there may be none in common, so it is seen when it is applied
  CONSTEXPR_CHECK(!union_of(a, caps()).needs_runner());
}

TEST_CASE("algebra: a combination without room is an error outside a constant expression") {
  const auto a = nono::caps<2>().allow_path<nono::read>("/a").allow_path<nono::read>("/b");
  const auto b = nono::caps<2>().allow_path<nono::read>("/c").allow_path<nono::read>("/b");
  CHECK(nono::union_of<2>(a, b).ref().violation == errc::too_many_rules);
  CHECK(nono::union_of<3>(a, b).ref().violation == errc::none);
  CHECK(nono::intersection_of<1>(a, b).ref().violation == errc::none);
  auto left = caps().allow_port(nono::bind_tcp(1));
  auto right_side = caps().allow_port(nono::connect_tcp(1));
  for (std::uint16_t port = 2; port <= nono::max_ports; ++port) {
    left = left.allow_port({nono::port_use::bind_tcp, port});
    right_side = right_side.allow_port({nono::port_use::connect_tcp, port});
  }
  CHECK(union_of(left, right_side).ref().violation == errc::too_many_ports);
  CHECK(intersection_of(left, right_side).ref().network.mode == network_mode::blocked);
  const auto some = caps().network(nono::hosts{
      "a1",  "a2",  "a3",  "a4",  "a5",  "a6",  "a7",  "a8",  "a9",  "a10", "a11", "a12", "a13", "a14",
      "a15", "a16", "a17", "a18", "a19", "a20", "a21", "a22", "a23", "a24", "a25", "a26", "a27", "a28",
      "a29", "a30", "a31", "a32", "a33", "a34", "a35", "a36", "a37", "a38", "a39", "a40"});
  const auto others = caps().network(nono::hosts{"c1",  "c2",  "c3",  "c4",  "c5",  "c6",  "c7",  "c8",
                                                 "c9",  "c10", "c11", "c12", "c13", "c14", "c15", "c16",
                                                 "c17", "c18", "c19", "c20", "c21", "c22", "c23", "c24"});
  CHECK(union_of(some, others).ref().violation == errc::none);
  CHECK(union_of(some, others).ref().hosts.size() == nono::max_hosts);
  CHECK(union_of(union_of(some, others), caps().network(nono::hosts{"e"})).ref().violation ==
        errc::too_many_hosts);
  const auto broken = caps().allow_path<nono::read>("/a").deny_path("/a");
  CHECK(union_of(caps(), broken).ref().violation == errc::deny_contradicts_grant);
}

// --- laws, over random policies --------------------------------------------------------------------------------

namespace {

constexpr nono::path_literal paths[] = {
    "/",        "/a",         "/a/b",    "/a/b/c",    "/a-1",  "/a/b-1",  "/etc",
    "/etc/x",   "$HOME",      "$HOME/x", "$HOME/x/y", "~",     "~/x",     "~/x/y",
    "$WORKDIR", "$WORKDIR/x", "$DATA",   "$DATA/x",   "$MORE", "$MORE/x", "$TMPDIR/x",
};
constexpr nono::file_literal files[] = {"/a/f",      "/a/b/c",  "/etc/x",    "~/x",
                                        "$HOME/x/y", "$DATA/x", "$WORKDIR/f"};
constexpr std::string_view questions[] = {
    "/",          "/a",      "/a/b",    "/a/b/c",    "/a/b/c/d", "/a/f",     "/a/f/g",
    "/a-1",       "/a-1/x",  "/a/b-1",  "/etc",      "/etc/x",   "/etc/x/y", "/z",
    "$HOME",      "$HOME/x", "~/x/y",   "~/x/y/z",   "$HOME/q",  "$WORKDIR", "$WORKDIR/x",
    "$WORKDIR/f", "$DATA",   "$DATA/x", "$DATA/x/1", "$DATA/y",  "$MORE/x",  "$TMPDIR/x/1",
};

constexpr nono::hosts host_lists[] = {
    nono::hosts{"s"},
    nono::hosts{"*.s"},
    nono::hosts{"*.s", "s"},
    nono::hosts{"a.s", "t"},
    nono::hosts{"a.s", "*.a.s"},
    nono::hosts{"*.a.s", "t", "*.u"},
    nono::hosts{"b.a.s", "u"},
    nono::hosts{"*.b.a.s", "t"},
    nono::hosts{"*.s", "b.a.s", "t"},
    nono::hosts{"v.t", "c.b.a.s"},
    nono::hosts{"*.t"},
    nono::hosts{"as", "a.s", "v.u"},
    nono::hosts{"*"},
    nono::hosts{"*.goog", "metadata.google.internal"},
    nono::hosts{"metadata.goog", "t"},
};
constexpr std::string_view host_questions[] = {
    "s",       "a.s",       "b.s", "b.a.s",         "c.a.s",
    "c.b.a.s", "d.c.b.a.s", "t",   "v.t",           "u",
    "v.u",     "as",        "x",   "metadata.goog", "metadata.google.internal"};

constexpr nono::group_rule tool_rules[] = {
    {"/a/b", nono::read}, {"~/x", right::write_file}, {"/z/secret", nono::no_rights}};
constexpr nono::group_rule socket_rules[] = {{"/a", right::connect_unix}, {"$WORKDIR/x", nono::read_write}};
constexpr nono::group_rule deny_rules[] = {{"$HOME/q", nono::no_rights}, {"/etc/x/y", nono::no_rights}};
constexpr nono::group test_groups[] = {{.name = "tools", .description = "", .rules = tool_rules},
                                       {.name = "sockets", .description = "", .rules = socket_rules},
                                       {.name = "denies", .description = "", .rules = deny_rules}};

constexpr unsigned given = nono::detail::network_given;
template <unsigned State>
using sized = nono::basic_caps<24, State>;
using any_policy =
    std::variant<sized<0>, sized<given | nono::detail::blocked_given>,
                 sized<given | nono::detail::child_needed>, sized<given | nono::detail::ports_given>,
                 sized<given | nono::detail::runner_needed>>;

class generator {
 public:
  explicit generator(std::uint64_t seed) : random_(seed) {}

  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool one_in(std::size_t n) { return pick(n) == 0; }

  any_policy policy() {
    sized<0> p;
    if (one_in(2)) p = p.variable("$DATA");
    if (one_in(3)) p = p.variable("$MORE");
    for (const nono::group& g : test_groups)
      if (one_in(3)) p = p.group(g);
    for (std::size_t n = pick(8); n > 0; --n) keep(p, random_rule(p));
    if (one_in(3)) {
      constexpr std::array sockets = {nono::unix_sockets::none, nono::unix_sockets::granted,
                                      nono::unix_sockets::any};
      keep(p, p.unix_sockets(sockets[pick(sockets.size())]));
    }
    constexpr std::array some = {protection::filesystem, protection::truncate,      protection::device_ioctl,
                                 protection::network,    protection::pathname_unix, protection::ipc};
    for (const protection id : some) {
      if (one_in(12)) keep(p, p.lift(id));
      if (one_in(12)) keep(p, p.best_effort(id));
    }
    if (one_in(6)) p = p.strict();
    switch (pick(7)) {
      case 0:
        return p.network(nono::blocked);
      case 1:
        return p.network(nono::loopback);
      case 2:
      case 3: {
        auto with_ports = p.allow_port(nono::connect_tcp(443));
        if (one_in(2)) with_ports = p.allow_port(nono::bind_tcp(80));
        for (std::uint16_t port = 1; port < 4; ++port)
          if (one_in(2)) with_ports = with_ports.allow_port({nono::port_use::bind_tcp, port});
        return with_ports;
      }
      case 4:
      case 5:
        return p.network(host_lists[pick(std::size(host_lists))]);
      default:
        return p;
    }
  }

 private:
  static void keep(sized<0>& p, const sized<0>& next) {
    if (next.ref().violation == errc::none) p = next;
  }
  sized<0> random_rule(const sized<0>& p) {
    const nono::path_literal path = paths[pick(std::size(paths))];
    const nono::file_literal file = files[pick(std::size(files))];
    switch (pick(12)) {
      case 0:
      case 1:
        return p.allow_path<nono::read>(path);
      case 2:
      case 3:
        return p.allow_path<nono::read_write>(path);
      case 4:
        return p.allow_path<nono::all_rights>(path);
      case 5:
        return p.allow_path < right::write_file | right::truncate > (path);
      case 6:
        return p.allow_path < right::connect_unix | right::ioctl > (path);
      case 7:
        return p.allow_file<nono::read>(file);
      case 8:
        return p.allow_file<nono::write>(file);
      case 9:
        return p.allow_path<right::list>(path, nono::if_exists);
      default:
        return p.deny_path(path);
    }
  }

  std::mt19937_64 random_;
};

policy_ref ref_of(const any_policy& p) {
  return std::visit([](const auto& one) { return one.ref(); }, p);
}

/// Calls `f(a, b)` with the policies by their types.
template <class F>
auto with_both(const any_policy& a, const any_policy& b, F&& f) {
  return std::visit(f, a, b);
}

/// True when the network lets this host through.
bool reaches(const policy_ref& p, std::string_view host) {
  const network_mode mode = nono::detail::network_of(p);
  return mode == network_mode::unrestricted ||
         (mode == network_mode::hosts && nono::names_host(p.hosts, host));
}

/// Both ways.
bool same(const policy_ref& a, const policy_ref& b) { return is_within(a, b) && is_within(b, a); }

/// Nothing that binding would have to refuse, and sorted as every part of the library expects it.
bool is_sound(const policy_ref& p) {
  bool sound = p.violation == errc::none && (p.network.mode == network_mode::hosts) == !p.hosts.empty();
  for (std::size_t i = 0; i < p.hosts.size(); ++i) {
    sound = sound && nono::check_host(p.hosts[i]) == errc::none;
    sound = sound && (i == 0 || nono::compare_text(p.hosts[i - 1], p.hosts[i]) < 0);
  }
  for (std::size_t i = 1; i < p.rules.size(); ++i) {
    const auto& before = p.rules[i - 1];
    const auto& r = p.rules[i];
    const int order = nono::compare_text(before.path, r.path);
    sound = sound && (order < 0 || (order == 0 && before.kind != r.kind));
  }
  for_each_rule(p, [&](const nono::rule& one) {
    const std::string_view variable = nono::leading_variable(one.path);
    sound = sound &&
            (variable.empty() || nono::is_known_variable(variable) || nono::detail::declares(p, variable));
    for_each_rule(p, [&](const nono::rule& other) {
      if (one.is_deny() && !other.is_deny()) sound = sound && !nono::contradicts(one.path, other.path);
    });
  });
  return sound;
}

/// True when one of them lifts a right everywhere, so that a grant of the other can meet its denies.
bool opens_alone(const policy_ref& a, const policy_ref& b, right rights) {
  return (nono::detail::open_rights(a) & rights) != (nono::detail::open_rights(b) & rights);
}

std::string both_texts(const policy_ref& a, const policy_ref& b) {
  return "a:\n" + to_text(a) + "b:\n" + to_text(b);
}

constexpr int rounds = 3000;

}  // namespace

TEST_CASE("algebra: without sockets a group's connect_unix means nothing") {
  constexpr auto open = caps().group(test_groups[1]);
  constexpr auto closed = open.unix_sockets(nono::unix_sockets::none);
  CONSTEXPR_CHECK(open.permits<right::connect_unix>("/a/x"));
  CONSTEXPR_CHECK(!open.denies<right::connect_unix>("/a/x"));
  CONSTEXPR_CHECK(!closed.permits<right::connect_unix>("/a/x"));
  CONSTEXPR_CHECK(closed.denies<right::connect_unix>("/a/x"));
  CONSTEXPR_CHECK(!union_of(closed, caps()).permits<right::connect_unix>("/a/x"));
}

TEST_CASE("algebra: laws of union and intersection, over random policies") {
  generator random(1);
  int bad = 0;
  std::array<int, 2> answers{};
  std::array<int, 2> hosts_reached{};
  for (int round = 0; round < rounds && bad == 0; ++round) {
    const any_policy one = random.policy();
    const any_policy other = random.policy();
    with_both(one, other, [&](const auto& a, const auto& b) {
      INFO(both_texts(a, b));
      const auto either = union_of(a, b);
      const auto both = intersection_of(a, b);
      const auto law = [&](bool holds, const char* name) {
        INFO(std::string(name));
        INFO("union:\n", to_text(either.ref()), "intersection:\n", to_text(both.ref()));
        if (!holds) ++bad;
        if (!holds) CHECK(holds);  // millions of them hold
      };
      law(is_sound(either), "the union is sound");
      law(is_sound(both), "the intersection is sound");
      law(a.within(a), "within is reflexive");
      law(a.within(either) && b.within(either), "both lie within the union");
      law(both.within(a) && both.within(b), "the intersection lies within both");
      law(same(either, union_of(b, a)), "union commutes");
      law(same(both, intersection_of(b, a)), "intersection commutes");
      law(same(union_of(a, a), a) && same(intersection_of(a, a), a), "both are idempotent");
      law(same(union_of(a, both), a) && same(intersection_of(a, either), a), "both absorb");
      for (const std::string_view host : host_questions) {
        INFO(std::string(host));
        const bool mine = reaches(a, host);
        const bool others = reaches(b, host);
        const bool of_union = reaches(either, host);
        ++hosts_reached[of_union ? 1 : 0];
        law(of_union || !(mine || others), "the union reaches what one reaches");
        if (nono::detail::network_of(policy_ref(either)) == network_mode::hosts)
          law(of_union == (mine || others), "and no other host");
        law(reaches(both, host) == (mine && others), "the intersection reaches what both reach");
      }
      for (const std::string_view path : questions) {
        const std::string_view variable = nono::leading_variable(path);
        if (nono::detail::declares(a, variable) != nono::detail::declares(b, variable)) continue;
        for (const auto& [single, name] : nono::right_names) {
          INFO(std::string(path), " ", std::string(name));
          const bool mine = nono::permits(a, path, single);
          const bool others = nono::permits(b, path, single);
          const bool of_union = nono::permits(either, path, single);
          ++answers[of_union ? 1 : 0];
          law(of_union == (mine || others), "the union permits what one permits");
          const bool of_both = nono::permits(both, path, single);
          law(!of_both || (mine && others), "the intersection permits what both permit");
          if (!opens_alone(a, b, single)) law(of_both || !(mine && others), "and all of it");
          if (nono::denies(a, path, single)) law(!mine, "what is denied is not permitted");
        }
      }
    });
  }
  CHECK(answers[0] > 1000);
  CHECK(answers[1] > 1000);
  CHECK(hosts_reached[0] > 1000);
  CHECK(hosts_reached[1] > 1000);
}

TEST_CASE("algebra: laws of within, over random policies") {
  generator random(2);
  int bad = 0;
  int within = 0;
  for (int round = 0; round < rounds && bad == 0; ++round) {
    const any_policy one = random.policy();
    const any_policy other = random.policy();
    const any_policy third = random.policy();
    const policy_ref c = ref_of(third);
    with_both(one, other, [&](const auto& a, const auto& b) {
      const auto law = [&](bool holds, const char* name) {
        INFO(both_texts(a, b), "c:\n", to_text(c), name);
        if (!holds) ++bad;
        if (!holds) CHECK(holds);
      };
      const auto both = intersection_of(a, b);
      const auto either = union_of(a, b);
      if (is_within(c, a) && is_within(c, b) && !opens_alone(a, b, nono::all_rights))
        law(is_within(c, both), "nothing wider lies within both");
      if (is_within(a, c) && is_within(b, c)) law(is_within(either, c), "nothing narrower holds both");
      if (either.within(c)) law(both.within(c), "within is transitive");
      for (const auto& [inner, outer] :
           {std::pair{policy_ref(a), policy_ref(b)}, std::pair{policy_ref(a), c}}) {
        if (!is_within(inner, outer)) continue;
        ++within;
        for (const std::string_view host : host_questions)
          if (reaches(inner, host)) law(reaches(outer, host), "what lies within reaches no more");
        for (const std::string_view path : questions)
          for (const auto& [single, name] : nono::right_names)
            if (nono::permits(inner, path, single))
              law(nono::permits(outer, path, single), "what lies within permits no more");
      }
    });
  }
  CHECK(within > 20);
}

namespace {

using values = std::map<std::string_view, std::string>;

std::string expanded(std::string_view path, const values& bound) {
  const std::string_view variable = nono::leading_variable(path);
  if (variable.empty()) return std::string(path);
  const std::string value = bound.at(variable);
  const std::string out = (value == "/" ? "" : value) + std::string(nono::after_variable(path));
  return out.empty() ? "/" : out;
}

/// What bind() refuses, on names.
bool binds(const policy_ref& p, const values& bound) {
  bool fine = true;
  std::vector<std::string> denied;
  for_each_rule(p, [&](const nono::rule& r) {
    if (r.is_deny()) denied.push_back(expanded(r.path, bound));
  });
  for_each_rule(p, [&](const nono::rule& r) {
    if (r.is_deny()) return;
    const std::string path = expanded(r.path, bound);
    for (const std::string& d : denied) fine = fine && !nono::contradicts(d, path);
    const bool writes = (r.rights & right::write) != nono::no_rights;
    if (writes && nono::is_known_variable(nono::leading_variable(r.path)))
      fine = fine && !nono::touches_system(path);
  });
  return fine;
}

bool covered(const policy_ref& p, const values& bound, const std::string& path, right wanted) {
  bool out = false;
  for_each_rule(p, [&](const nono::rule& r) {
    const std::string mine = expanded(r.path, bound);
    const bool here = r.kind == path_kind::file ? mine == path : nono::is_within(path, mine);
    out = out || (here && (r.rights & wanted) != nono::no_rights);
  });
  return out;
}

}  // namespace

TEST_CASE("algebra: what is denied is covered by no rule, whatever values the variables get") {
  generator random(3);
  const std::vector<std::string> places = {"/",      "/a", "/a/b", "/a/b/c", "/etc",
                                           "/etc/x", "/z", "/h",   "/h/x",   "/usr"};
  int bad = 0;
  int denied = 0;
  int proven_by_known = 0;
  for (int round = 0; round < rounds && bad == 0; ++round) {
    const any_policy one = random.policy();
    const policy_ref p = ref_of(one);
    if (p.sockets == nono::unix_sockets::none) continue;  // connect_unix means nothing there
    for (int i = 0; i < 5; ++i) {
      values bound;
      for (const std::string_view name : {"$HOME", "$WORKDIR", "$TMPDIR", "$DATA", "$MORE"})
        bound[name] = places[random.pick(places.size())];
      if (!binds(p, bound)) continue;
      for (const std::string_view path : questions)
        for (const right wanted : {right::read_file, right::write_file, right::connect_unix, nono::write}) {
          if (!nono::denies(p, path, wanted)) continue;
          ++denied;
          for_each_rule(p, [&](const nono::rule& r) {
            proven_by_known +=
                path.starts_with("/etc") && nono::leading_variable(r.path) == "$WORKDIR" ? 1 : 0;
          });
          const bool open = covered(p, bound, expanded(path, bound), wanted);
          INFO(to_text(p), std::string(path), " is ", expanded(path, bound), ", $HOME ", bound["$HOME"],
               ", $WORKDIR ", bound["$WORKDIR"], ", $DATA ", bound["$DATA"]);
          if (open) ++bad;
          if (open) CHECK_FALSE(open);
        }
    }
  }
  CHECK(denied > 1000);
  CHECK(proven_by_known > 20);
}
