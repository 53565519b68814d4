// SPDX-License-Identifier: Apache-2.0
#include <nono/apply.hpp>
#include <nono/attenuation.hpp>
#include <nono/capability_set.hpp>
#include <nono/caps.hpp>

#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "unit/cli/temporary_directory.hpp"

using nono::errc;
using nono::right;

namespace {

struct ground : nono_test::temporary_directory {
  nono::capability_set inner, outer;

  [[nodiscard]] nono::error judge() const {
    auto a = nono::bind(inner.ref(), {});
    auto b = nono::bind(outer.ref(), {});
    REQUIRE(a.has_value());
    REQUIRE(b.has_value());
    return nono::check_within(*a, *b);
  }
};

}  // namespace

TEST_CASE("attenuation: less of the same, and a union of the parent's grants") {
  ground g;
  g.directory("a/b");
  REQUIRE(::mknod((g / "a/f").c_str(), S_IFREG | 0644, 0) == 0);
  REQUIRE(g.inner.allow_path(g / "a/b", right::read_file | right::write_file));
  REQUIRE(g.outer.allow_path(g / "a", right::read));
  nono::error why = g.judge();
  CHECK(why.code == errc::not_within);
  CHECK(why.message() ==
        "allow_path<read_file|write_file>('" + g.path() +
            "/a/b') is not within the parent's grants, which lack write_file there; to change "
            "that, grant less, or give the parent more");
  REQUIRE(g.outer.allow_path(g / "a/b", right::write_file));
  CHECK(g.judge().code == errc::none);
  REQUIRE(g.inner.allow_file(g / "a/f", right::read_file | right::execute));
  CHECK(g.judge().code == errc::none);
  REQUIRE(g.inner.allow_path(g / "a", right::list | right::create));
  CHECK(g.judge().code == errc::not_within);
}

TEST_CASE("attenuation: by what links lead to, not by name") {
  ground g;
  g.directory("mine");
  g.directory("theirs");
  REQUIRE(::symlink("../theirs", (g / "mine/link").c_str()) == 0);
  REQUIRE(::symlink("mine", (g / "alias").c_str()) == 0);
  REQUIRE(g.outer.allow_path<nono::read>(g / "mine"));
  REQUIRE(g.inner.allow_path<nono::read>(g / "mine/link"));
  CHECK(g.judge().code == errc::not_within);  // by name it would be
  ground other;
  other.directory("mine");
  REQUIRE(::symlink("mine", (other / "alias").c_str()) == 0);
  REQUIRE(other.outer.allow_path<nono::read>(other / "mine"));
  REQUIRE(other.inner.allow_path<nono::read>(other / "alias"));
  CHECK(other.judge().code == errc::none);  // by name it would not
}

TEST_CASE("attenuation: one inode is one file under every name; a replaced one is an error") {
  ground g;
  g.directory("a");
  g.directory("b");
  REQUIRE(::mknod((g / "a/f").c_str(), S_IFREG | 0644, 0) == 0);
  REQUIRE(::link((g / "a/f").c_str(), (g / "b/f").c_str()) == 0);
  REQUIRE(g.outer.allow_file<nono::read>(g / "a/f"));
  REQUIRE(g.inner.allow_file<nono::read>(g / "b/f"));
  CHECK(g.judge().code == errc::none);
  const auto inner = nono::bind(g.inner.ref(), {});
  const auto outer = nono::bind(g.outer.ref(), {});
  REQUIRE(::unlink((g / "b/f").c_str()) == 0);
  REQUIRE(::mknod((g / "b/f").c_str(), S_IFREG | 0644, 0) == 0);
  CHECK(nono::check_within(*inner, *outer).code == errc::path_changed);
}

TEST_CASE("attenuation: a grant of the root lies within a grant of the root") {
  ground g;
  REQUIRE(g.inner.allow_path("/", right::read_file));
  REQUIRE(g.outer.allow_path("/", nono::read));
  CHECK(g.judge().code == errc::none);
  REQUIRE(g.inner.allow_path("/", right::write_file));
  CHECK(g.judge().code == errc::not_within);
}

TEST_CASE("attenuation: network, sockets and protections count as well") {
  ground g;
  g.outer.network(nono::blocked);
  CHECK(g.judge().code == errc::not_within);
  g.inner.network(nono::blocked);
  CHECK(g.judge().code == errc::none);
  g.inner.lift(nono::protection::ipc);
  CHECK(g.judge().code == errc::not_within);
  g.outer.lift(nono::protection::ipc);
  CHECK(g.judge().code == errc::none);
  g.outer.strict();
  CHECK(g.judge().code == errc::not_within);
}

TEST_CASE("attenuation: apply() refuses before it confines, with the bindings that the parent declares") {
  const nono_test::temporary_directory d;
  d.directory("data/in");
  constexpr auto parent = nono::caps().variable("$DATA").allow_path<nono::read>("$DATA");
  constexpr auto fine = nono::caps().variable("$DATA").allow_path<nono::read>("$DATA/in");
  constexpr auto more = nono::caps().variable("$DATA").allow_path<nono::read_write>("$DATA/in");
  static_assert(fine.within(parent));
  static_assert(!more.within(parent));
  const std::string data = d / "data";
  const auto refused = more.apply(nono::bind("$DATA", data), nono::within(parent));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::not_within);
  CHECK(::access("/etc/passwd", R_OK) == 0);
  nono::detail::stack_room room;
  const nono::binding bound = nono::bind("$DATA", data);
  const auto within = nono::within(parent);
  const nono::detail::call_extras<nono::detail::no_options, nono::binding, nono::parent_policy> extras(
      bound, within);
  CHECK(extras.bind(fine, room).has_value());
  // A variable that the parent does not know is no matter of the parent's.
  constexpr auto whole = nono::caps().allow_path<nono::read>("/tmp");
  const auto outside = nono::within(whole);
  const nono::detail::call_extras<nono::detail::no_options, nono::binding, nono::parent_policy> other(
      bound, outside);
  CHECK(other.bind(fine, room).has_value());
}
