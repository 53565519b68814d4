// SPDX-License-Identifier: Apache-2.0
#include <nono/bind.hpp>
#include <nono/capability_set.hpp>
#include <nono/linux/plan.hpp>
#include <nono/query.hpp>
#include <nono/tree.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <string>

#include "cli/temporary_directory.hpp"

using nono::origin;
using nono::right;

namespace {

/// A temporary directory by its real name.
struct ground : nono_test::temporary_directory {
  ground() {
    char* real = realpath(path().c_str(), nullptr);
    REQUIRE(real != nullptr);
    root = real;
    std::free(real);  // NOLINT
  }
  [[nodiscard]] std::string drawn(std::string text) const {
    for (std::size_t at = 0; (at = text.find(root.substr(1), at)) != std::string::npos;)
      text.replace(at, root.size() - 1, "ROOT");
    for (std::size_t at = 0; (at = text.find("/ROOT", at)) != std::string::npos;) text.erase(at, 1);
    return text;
  }
  std::string root;
};

nono::bound_policy bound(const nono::capability_set& set) {
  auto out = nono::bind(set.ref(), {});
  REQUIRE(out.has_value());
  return std::move(*out);
}

}  // namespace

TEST_CASE("tree: what lies in what, what is denied, missing, covered, and written by another name") {
  ground g;
  g.directory("a/b/c");
  g.directory("a/b.d");
  g.file("a/b/f");
  g.file("secret");
  g.directory("alone/deep/inside");
  g.link("link", "a/b");
  nono::capability_set set;
  REQUIRE(
      set.add({g.root + "/a", right::read, nono::path_kind::any, nono::must_exist, origin::group, "tools"}));
  REQUIRE(set.allow_path<nono::read_write>(g.root + "/link").has_value());
  REQUIRE(set.allow_file<nono::read>(g.root + "/a/b/f").has_value());
  REQUIRE(set.allow_path<nono::read>(g.root + "/a/b.d").has_value());
  REQUIRE(set.allow_path<right::list>(g.root + "/alone/deep/inside").has_value());
  REQUIRE(
      set.add({g.root + "/none", right::read, nono::path_kind::any, nono::if_exists, origin::system, {}}));
  REQUIRE(set.deny_path(g.root + "/secret").has_value());
  const nono::bound_policy p = bound(set);
  CHECK(g.drawn(to_tree(p)) ==
        "'/'\n"
        "└── 'ROOT'\n"
        "    ├── 'a'  read  dir  [group:tools]\n"
        "    │   ├── 'b'  read_write  dir  [user]  written 'ROOT/link'\n"
        "    │   │   └── 'f'  read_file|execute  file  [user]  covered by a wider grant\n"
        "    │   └── 'b.d'  read  dir  [user]  covered by a wider grant\n"
        "    ├── 'alone/deep/inside'  list  dir  [user]\n"
        "    ├── 'none'  missing  [system]\n"
        "    └── 'secret'  denied  [user]\n");
}

TEST_CASE("tree: what a group says twice stands there once") {
  ground g;
  g.directory("lib");
  g.link("link", "lib");
  nono::capability_set set;
  for (const char* name : {"/lib", "/link"})
    REQUIRE(set.add(
        {g.root + name, right::read, nono::path_kind::any, nono::must_exist, origin::group, "tools"}));
  const std::string drawn = g.drawn(to_tree(bound(set)));
  CHECK(drawn.find("'ROOT/lib'  read  dir  [group:tools]") != std::string::npos);
  CHECK(drawn.find(';') == std::string::npos);
}

TEST_CASE("tree: nothing, and the root itself") {
  nono::capability_set none;
  CHECK(to_tree(bound(none)) == "'/'\n");
  nono::capability_set all;
  REQUIRE(all.allow_path<nono::read>("/").has_value());
  CHECK(to_tree(bound(all)) == "'/'  read  dir  [user]\n");
}

TEST_CASE("tree: no name can forge a line or a branch") {
  ground g;
  g.directory("x\n└── 'etc'  read_write  dir  [user]");
  g.directory("it's");
  g.directory("\x1b[2J \xff\xe2\x80\xae");
  nono::capability_set set;
  for (const char* name : {"x\n└── 'etc'  read_write  dir  [user]", "it's", "\x1b[2J \xff\xe2\x80\xae"})
    REQUIRE(set.allow_path<right::list>(g.root + "/" + name).has_value());
  CHECK(g.drawn(to_tree(bound(set))) ==
        "'/'\n"
        "└── 'ROOT'\n"
        "    ├── '\\x1b[2J \\xff\\xe2\\x80\\xae'  list  dir  [user]\n"
        "    ├── 'it\\'s'  list  dir  [user]\n"
        "    └── 'x\\n└── \\'etc\\'  read_write  dir  [user]'  list  dir  [user]\n");
}

TEST_CASE("tree: what a question touched") {
  ground g;
  g.directory("work");
  g.file("work/f");
  g.directory("secret");
  g.file("secret/key");
  nono::capability_set set;
  REQUIRE(set.allow_path<nono::read>(g.root + "/work").has_value());
  REQUIRE(set.allow_file<nono::write>(g.root + "/work/f").has_value());
  REQUIRE(set.deny_path(g.root + "/secret").has_value());
  nono::bound_policy p = bound(set);
  const auto planned = nono::make_plan(p, nono::linux_abi::kernel_of(7), nono::sandbox_target::child);
  REQUIRE(planned.has_value());
  const nono::query query(p, planned->report, nono::privileges::none);
  const auto asked = [&](nono::operation what, const char* name) {
    std::array<nono::place, 2> found;
    const std::string path = g.root + name;
    const nono::decision d = query.ask({what, path}, found);
    const std::string paths[] = {found[0].path()};
    return g.drawn(to_tree(p, &d, paths));
  };
  CHECK(asked(nono::operation::open_read_write, "/work/../work/f") ==
        "'/'\n"
        "└── 'ROOT'\n"
        "    ├── 'secret'  denied  [user]\n"
        "    └── 'work'  read  dir  [user]  <- grants\n"
        "        └── 'f'  write_file|truncate  file  [user]  <- grants; <- asked\n");
  CHECK(asked(nono::operation::open_read, "/secret/key") ==
        "'/'\n"
        "└── 'ROOT'\n"
        "    ├── 'secret'  denied  [user]  <- closes\n"
        "    │   └── 'key'  <- asked\n"
        "    └── 'work'  read  dir  [user]\n"
        "        └── 'f'  write_file|truncate  file  [user]\n");
}
