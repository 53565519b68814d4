// SPDX-License-Identifier: Apache-2.0
#include <nono/place.hpp>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "unit/cli/temporary_directory.hpp"

using nono::file_type;
using nono::last_part;
using nono::look;
using nono::place;

namespace {

constexpr nono::look_request follow{true, 0, false, nono::privileges::as_they_are};
constexpr nono::look_request stay{false, 0, false, nono::privileges::as_they_are};

nono::inode_id id_of(const std::string& path) {
  struct stat st{};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  return {st.st_dev, st.st_ino};
}

// The kernel's structure as musl declares it.
struct unnamed_mount {
  char before[136];
  std::uint32_t stx_dev_major, stx_dev_minor;
  std::uint64_t reserve[14];
};

}  // namespace

TEST_CASE("place: the mount is found where the C library has no name for it") {
  struct statx got{};
  REQUIRE(::statx(AT_FDCWD, "/proc/self", 0, STATX_BASIC_STATS | nono::detail::statx_mount_id, &got) == 0);
  unnamed_mount same;
  static_assert(sizeof same == sizeof got);
  std::memcpy(&same, &got, sizeof same);
  CHECK(nono::detail::mount_of(same) == nono::detail::mount_of(got));
  CHECK(nono::detail::mount_of(same) != 0);
}

TEST_CASE("place: a file, the directory around it and everything above") {
  const nono_test::temporary_directory d;
  const std::string f = d.directory("a/b") + "/f";
  REQUIRE(::mknod(f.c_str(), S_IFREG | 0644, 0) == 0);
  const place p = look(f, follow);
  REQUIRE(p.os_errno == 0);
  CHECK(p.exists);
  CHECK(p.file.id == id_of(f));
  CHECK(p.file.type == file_type::regular);
  CHECK(p.path() == f);
  CHECK(p.name == "f");
  REQUIRE(p.above.size() == 5);  // b, a, the directory, /tmp, /
  CHECK(p.above[0] == id_of(d / "a/b"));
  CHECK(p.above[1] == id_of(d / "a"));
  CHECK(p.above[4] == id_of("/"));
  CHECK(look(d.path() + "//a/./b/../b/f", follow).path() == f);
}

TEST_CASE("place: links are followed to what is there, or to what could be made there") {
  const nono_test::temporary_directory d;
  d.directory("a/b");
  d.directory("c");
  REQUIRE(::symlink("../c/new", (d / "a/dangling").c_str()) == 0);
  REQUIRE(::symlink("dangling", (d / "a/twice").c_str()) == 0);
  REQUIRE(::symlink((d / "c").c_str(), (d / "a/b/to_c").c_str()) == 0);
  REQUIRE(::symlink("loop", (d / "loop").c_str()) == 0);
  const place made = look(d / "a/twice", follow);
  CHECK(made.os_errno == 0);
  CHECK_FALSE(made.exists);
  CHECK(made.path() == d / "c/new");
  CHECK(made.above[0] == id_of(d / "c"));
  const place itself = look(d / "a/dangling", stay);
  CHECK(itself.exists);
  CHECK(itself.file.type == file_type::symlink);
  CHECK(itself.path() == d / "a/dangling");
  CHECK(look(d / "a/b/to_c/..", follow).path() == d.path());  // by the file system, not by name
  CHECK(look(d / "loop", follow).os_errno == ELOOP);
  CHECK(look(d / "loop", stay).exists);
  CHECK(look("/proc/self/exe", follow).os_errno ==
        ELOOP);  // a magic link: what it leads to depends on who asks
}

TEST_CASE("place: what is missing, what cannot be a path") {
  const nono_test::temporary_directory d;
  d.directory("a");
  REQUIRE(::mknod((d / "f").c_str(), S_IFREG | 0644, 0) == 0);
  const place leaf = look(d / "a/x", follow);
  CHECK(leaf.os_errno == 0);
  CHECK_FALSE(leaf.exists);
  CHECK(leaf.path() == d / "a/x");
  CHECK(look(d / "x/y", follow).os_errno == ENOENT);
  CHECK(look(d / "f/y", follow).os_errno == ENOTDIR);
  CHECK(look(d / ("a/" + std::string(300, 'n')), follow).os_errno == ENAMETOOLONG);
  CHECK(look("/" + std::string(5000, 'n'), follow).os_errno == ENAMETOOLONG);
  CHECK(look("", follow).os_errno == ENOENT);
  CHECK(look("relative", follow).os_errno == EINVAL);
  CHECK(look(std::string("/a\0b", 4), follow).os_errno == EINVAL);
}

TEST_CASE("place: the last part of a path") {
  const nono_test::temporary_directory d;
  d.directory("a/b");
  CHECK(look("/", follow).last == last_part::root);
  CHECK(look("/", follow).path() == "/");
  CHECK(look("/", follow).above.size() == 1);
  CHECK(look(d / "a/.", follow).last == last_part::dot);
  CHECK(look(d / "a/.", follow).path() == d / "a");
  CHECK(look(d / "a/b/..", follow).last == last_part::dot_dot);
  CHECK(look(d / "a/b/..", follow).path() == d / "a");
  CHECK(look(d / "a/b/..", stay).last == last_part::dot_dot);
  CHECK(look(d / "a/b", follow).last == last_part::normal);
  CHECK_FALSE(look(d / "a/b", follow).slash);
  CHECK(look(d / "a/b//", follow).slash);
  CHECK(look(d / "a/b//", follow).path() == d / "a/b");
}

TEST_CASE("place: deeper than one climb, and deeper than a path is long") {
  const nono_test::temporary_directory d;
  std::string path = d.path();
  for (int i = 0; i < 300; ++i) REQUIRE(::mkdir((path += "/d").c_str(), 0755) == 0);
  const place p = look(path, follow);
  REQUIRE(p.os_errno == 0);
  CHECK(p.above.size() == 302);  // 299 around it, the directory, /tmp, /
  CHECK(p.above.back() == id_of("/"));
  CHECK(p.above[0] == id_of(path + "/.."));
  CHECK(p.above[200] == id_of(path.substr(0, path.size() - 2 * 201)));
}

TEST_CASE("place: ordinary permissions are those of whom is asked about") {
  const nono_test::temporary_directory d;
  const std::string f = d / "f";
  REQUIRE(::mknod(f.c_str(), S_IFREG | 0644, 0) == 0);
  REQUIRE(::chmod(f.c_str(), 0) == 0);
  const int with = look(f, {true, 4, false, nono::privileges::as_they_are}).file_access;
  const int without = look(f, {true, 4, false, nono::privileges::none}).file_access;
  CHECK(without == EACCES);
  CHECK(with == (::geteuid() == 0 ? 0 : EACCES));
  REQUIRE(::chmod(d.path().c_str(), 0500) == 0);
  CHECK(look(f, {false, 0, true, nono::privileges::none}).directory_access == EACCES);
  REQUIRE(::chmod(d.path().c_str(), 0) == 0);
  CHECK(look(f, {true, 4, false, nono::privileges::none}).os_errno == EACCES);
  CHECK(look("/proc/version", {true, 2, false, nono::privileges::none}).file_access == EACCES);
}
