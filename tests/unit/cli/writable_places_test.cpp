// SPDX-License-Identifier: Apache-2.0
// What a sandboxed command may have put there.
#include "cli/resolve/writable_places.hpp"

#include <unistd.h>

#include "cli/resolve/program.hpp"
#include "temporary_directory.hpp"

using namespace nono::cli;
using nono_test::temporary_directory;
using std::string;

namespace {

void link_to(const string& target, const string& at) { REQUIRE(symlink(target.c_str(), at.c_str()) == 0); }

nono::capability_set granting(const string& path, nono::right rights, nono::origin from) {
  nono::capability_set out;
  CHECK(out.add({path, rights, nono::path_kind::any, nono::if_exists, from, "x"}));
  return out;
}

}  // namespace

TEST_CASE("walk: as realpath() where all is there, with the links on the way") {
  const temporary_directory tmp;
  const string top = canonical_path(tmp.path()).value_or("");
  tmp.file("a/b/f", "");
  link_to("a", tmp / "l");
  link_to(top + "/l/b", tmp / "m");
  CHECK(walk("/").end == "/");
  CHECK(walk("/..").end == "/");
  for (const char* path : {"a/b/f", "l/b/f", "m/f", "m/../b/./f", "a//b/", "l/../a"}) {
    CAPTURE(path);
    CHECK(walk(top + "/" + path).end == canonical_path(top + "/" + path).value_or(""));
  }
  CHECK(walk(top + "/m/f").links == std::vector<string>{top + "/m", top + "/l"});
  CHECK(walk(top + "/m/none/at/all").end == top + "/a/b/none/at/all");
  link_to("nowhere/x", tmp / "dangling");
  CHECK(walk(top + "/dangling/y").end == top + "/nowhere/x/y");
  link_to("loop", tmp / "loop");  // what it comes to does not matter, but that it comes to an end
  CHECK(walk(top + "/loop/x").links.size() == 40);
}

TEST_CASE("writable_places: grants and the working directory, and what links make of them") {
  const temporary_directory tmp;
  const string top = canonical_path(tmp.path()).value_or("");
  const string home = tmp.directory("home"), work = tmp.directory("work"), other = tmp.directory("other");
  const auto at_work = [&] {
    return writable_places({}, work, home);
  };  // what it has seen once it does not ask again
  CHECK(at_work().decide(work + "/.npmrc"));
  CHECK_FALSE(at_work().decide(home + "/.npmrc"));
  CHECK_FALSE(at_work().decide(work + "er"));
  link_to(work + "/npmrc", home + "/.npmrc");
  CHECK(at_work().decide(home + "/.npmrc"));
  link_to("../other", work + "/out");
  CHECK(at_work().decide(work + "/out/f"));
  CHECK(at_work().way_out(work + "/out/f") == top + "/work/out");
  link_to("inner", work + "/in");
  CHECK(at_work().way_out(work + "/in/f").empty());
  // A place that is itself a link of the user's.
  link_to(other, home + "/cache");
  const writable_places cache(granting(home + "/cache", nono::right::read_write, nono::origin::group), work,
                              home);
  CHECK(cache.way_out(home + "/cache").empty());
  CHECK(cache.decide(home + "/cache/f"));

  const auto decides = [&](nono::right rights, nono::origin from) {
    return writable_places(granting(other, rights, from), work, home).decide(other + "/f");
  };
  CHECK(decides(nono::right::write, nono::origin::user));
  CHECK(decides(nono::right::create, nono::origin::profile));
  CHECK_FALSE(decides(nono::right::read, nono::origin::user));
  CHECK_FALSE(decides(nono::right::write, nono::origin::system));
  // No run is given the home directory.
  CHECK_FALSE(writable_places({}, top, home).decide(home + "/.npmrc"));
  CHECK(writable_places(granting("$HOME/x", nono::right::write, nono::origin::group), work, home)
            .decide(home + "/x/y"));
}
