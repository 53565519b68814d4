// SPDX-License-Identifier: Apache-2.0
// Denies on a real file system: no grant may meet one, by whichever name, and what is denied is closed.
#include "harness.hpp"

using live::outcome;
using live::scratch;
using live::try_open;
using nono::errc;
using nono::right;

namespace {

errc with_deny(const std::string& granted, const std::string& denied) {
  auto policy = live::allow({{granted, right::read_write}});
  live::must(policy.deny_path(denied).has_value(), denied);
  const auto bound = nono::bind(policy, {});
  return bound ? errc::none : bound.error().code;
}

}  // namespace

TEST_CASE("denies: a grant at, below or above the denied path is an error, one beside it is not") {
  const scratch home;
  const std::string dir = home.directory("dir");
  const std::string sub = home.directory("dir/sub");
  const std::string beside = home.directory("dir-beside");
  const std::string leaf = home.file("dir/leaf");
  CHECK(with_deny(dir, dir) == errc::deny_contradicts_grant);
  CHECK(with_deny(sub, dir) == errc::deny_contradicts_grant);
  CHECK(with_deny(dir, sub) == errc::deny_contradicts_grant);
  CHECK(with_deny(leaf, leaf) == errc::deny_contradicts_grant);
  CHECK(with_deny(leaf, dir) == errc::deny_contradicts_grant);
  CHECK(with_deny(dir, leaf) == errc::deny_contradicts_grant);
  CHECK(with_deny(dir, dir + "/missing") == errc::deny_contradicts_grant);
  CHECK(with_deny("/", leaf) == errc::deny_contradicts_grant);
  CHECK(with_deny(dir, "/") == errc::deny_contradicts_grant);
  CHECK(with_deny(beside, dir) == errc::none);
  CHECK(with_deny(sub, leaf) == errc::none);
  CHECK(with_deny(sub, dir + "/missing") == errc::none);
}

TEST_CASE("denies: links hide nothing, in either spelling") {
  const scratch home;
  const std::string real = home.directory("real");
  const std::string sub = home.directory("real/sub");
  const std::string secret = home.file("real/secret");
  const std::string link = home / "link";
  std::filesystem::create_directory_symlink(real, link);
  CHECK(with_deny(link, real) == errc::deny_contradicts_grant);  // the grant by its link
  CHECK(with_deny(link, secret) == errc::deny_contradicts_grant);
  CHECK(with_deny(link + "/sub", real) == errc::deny_contradicts_grant);
  CHECK(with_deny(real, link) == errc::deny_contradicts_grant);  // the deny by its link
  CHECK(with_deny(real, link + "/secret") == errc::deny_contradicts_grant);
  CHECK(with_deny(sub, link) == errc::deny_contradicts_grant);
  CHECK(with_deny(real, link + "/missing") == errc::deny_contradicts_grant);
  CHECK(with_deny(real, link + "/missing/deeper") == errc::deny_contradicts_grant);
  CHECK(with_deny(link, real + "/missing") == errc::deny_contradicts_grant);
  CHECK(with_deny(link, link + "/missing") == errc::deny_contradicts_grant);
  CHECK(with_deny(home.directory("other"), link + "/missing") == errc::none);
  // The directory that holds the link could point it elsewhere: by its written name the deny stands as well.
  CHECK(with_deny(home.path(), link) == errc::deny_contradicts_grant);
}

TEST_CASE("denies: a link whose target does not exist yet") {
  const scratch home;
  const std::string granted = home.directory("granted");
  const std::string link = home / "link";
  std::filesystem::create_symlink(granted + "/later", link);
  // Under the grant the target can be made, and then read by the denied name.
  CHECK(with_deny(granted, link) == errc::deny_contradicts_grant);
  CHECK(with_deny(granted, link + "/below") == errc::deny_contradicts_grant);
  std::filesystem::remove(link);
  std::filesystem::create_symlink("granted/later", link);
  CHECK(with_deny(granted, link) == errc::deny_contradicts_grant);
}

TEST_CASE("denies: what is denied is closed, its neighbour open") {
  const scratch home;
  const std::string secret = home.directory("secret");
  const std::string open = home.directory("open");
  scratch::write(secret + "/key", "key");
  scratch::write(open + "/f", "text");
  auto policy = live::allow({{open, right::read}});
  REQUIRE(policy.deny_path(secret).has_value());
  CHECK(live::attempt(policy, [&] { return try_open(secret + "/key"); }) == outcome{0, EACCES});
  CHECK(live::attempt(policy, [&] { return try_open(open + "/f"); }) == outcome{0, 0});
}
