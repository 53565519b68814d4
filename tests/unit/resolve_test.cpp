// SPDX-License-Identifier: Apache-2.0
#include <nono/resolve.hpp>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "cli/temporary_directory.hpp"
#include "constexpr_check.hpp"
#include "environment_variable.hpp"

using nono::file_type;
using nono::resolve_path;
using nono_test::environment_variable;
using nono_test::temporary_directory;

namespace {

struct resolved {
  explicit resolved(const std::string& path) : text(path), found(resolve_path(text.c_str(), buffer)) {}
  resolved(const resolved&) = delete;
  resolved& operator=(const resolved&) = delete;
  ~resolved() { nono::close_descriptor(found.fd); }
  std::string text;
  nono::path_buffer buffer;
  nono::resolved_path found;
};

std::string value_of(std::string_view name) {
  nono::path_buffer buffer;
  return std::string(nono::environment_variable(name, buffer));
}

static_assert(name_of(file_type::directory) == "directory" && name_of(file_type::symlink) == "symlink");

}  // namespace

TEST_CASE("resolve: what a path leads to") {
  const temporary_directory root;
  const std::string directory = root.directory("dir");
  const std::string file = root.file("dir/file");
  REQUIRE(mkfifo((root / "fifo").c_str(), 0600) == 0);
  struct stat info{};
  REQUIRE(stat(file.c_str(), &info) == 0);

  const resolved d(directory);
  CHECK(d.found.os_errno == 0);
  CHECK(d.found.type == file_type::directory);
  CHECK(d.found.canonical == directory);
  CHECK(d.found.canonical.data() == d.text.data());  // no link on the way: nothing was asked twice
  const resolved f(file);
  CHECK(f.found.type == file_type::regular);
  CHECK(f.found.id == nono::inode_id{info.st_dev, info.st_ino});
  CHECK(resolved(root / "fifo").found.type == file_type::fifo);
  CHECK(resolved("/dev/null").found.type == file_type::device);
  CHECK(resolved("/").found.canonical == "/");
}

TEST_CASE("resolve: the descriptor names the inode and cannot be read, and no child inherits it") {
  const temporary_directory root;
  const resolved f(root.file("file", "secret"));
  char c = 0;
  CHECK(read(f.found.fd, &c, 1) == -1);
  CHECK(errno == EBADF);
  CHECK((fcntl(f.found.fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("resolve: links are followed to the canonical name") {
  const temporary_directory root;
  const std::string file = root.file("a/b/file");
  root.link("to_b", "a/b");
  root.link("to_file", root / "to_b/file");
  const resolved one(root / "to_b/file");
  CHECK(one.found.canonical == file);
  const resolved two(root / "to_file");
  CHECK(two.found.canonical == file);
  CHECK(one.found.id == two.found.id);
  CHECK(resolved(root / "to_b").found.canonical == root / "a/b");
}

TEST_CASE("resolve: why a path leads nowhere") {
  const temporary_directory root;
  root.file("file");
  root.link("dangling", "nowhere");
  root.link("loop", "loop");
  CHECK(resolved(root / "none").found.os_errno == ENOENT);
  CHECK(resolved(root / "none").found.fd == -1);
  CHECK(resolved(root / "dangling").found.os_errno == ENOENT);
  CHECK(resolved(root / "file/below").found.os_errno == ENOTDIR);
  CHECK(resolved(root / "loop").found.os_errno == ELOOP);
  CHECK(resolved(root / std::string(300, 'x')).found.os_errno == ENAMETOOLONG);
}

TEST_CASE("resolve: magic links are refused, ordinary ones of /proc are not") {
  CHECK(resolved("/proc/self/exe").found.os_errno == ELOOP);
  CHECK(resolved("/proc/self/root/etc").found.os_errno == ELOOP);
  CHECK(resolved("/proc/self/fd/0").found.os_errno != 0);
  CHECK(resolved("/proc/self").found.canonical == "/proc/" + std::to_string(getpid()));
}

TEST_CASE("resolve: make_directories") {
  const temporary_directory root;
  nono::path_buffer buffer;
  const mode_t old = umask(0);
  CHECK(nono::make_directories((root / "a/b/c").c_str(), buffer) == 0);
  CHECK(nono::make_directories((root / "a/b/c").c_str(), buffer) == 0);  // one that exists is fine
  umask(old);
  for (const char* part : {"a", "a/b", "a/b/c"}) {
    struct stat info{};
    REQUIRE(stat((root / part).c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
  }
  root.file("file");
  CHECK(nono::make_directories((root / "file/x").c_str(), buffer) == ENOTDIR);
  CHECK(nono::make_directories(("/" + std::string(5000, 'x')).c_str(), buffer) == ENAMETOOLONG);
}

TEST_CASE("resolve: device numbers are packed as the C library packs them") {
  for (const unsigned high : {0U, 1U, 8U, 0xfffU, 0x1000U, 0xffffffffU})
    for (const unsigned low : {0U, 3U, 0xffU, 0x100U, 0xfffffU, 0xffffffffU}) {
      const std::uint64_t device = nono::detail::device_number(high, low);
      CHECK(device == gnu_dev_makedev(high, low));
      CHECK(nono::detail::major_of_device(device) == high);
      CHECK(nono::detail::minor_of_device(device) == low);
    }
  CONSTEXPR_CHECK(nono::detail::device_number(8, 1) == 0x801);
}

TEST_CASE("resolve: known variables come from the environment") {
  const environment_variable home("HOME", "/home/u");
  const environment_variable tmp("TMPDIR", nullptr);
  const environment_variable config("XDG_CONFIG_HOME", nullptr);
  const environment_variable state("XDG_STATE_HOME", nullptr);
  const environment_variable cache("XDG_CACHE_HOME", "/cache");
  const environment_variable data("XDG_DATA_HOME", "");
  const environment_variable runtime("XDG_RUNTIME_DIR", nullptr);
  CHECK(value_of("$HOME") == "/home/u");
  CHECK(value_of("$TMPDIR") == "/tmp");
  CHECK(value_of("$XDG_CONFIG_HOME") == "/home/u/.config");
  CHECK(value_of("$XDG_STATE_HOME") == "/home/u/.local/state");
  CHECK(value_of("$XDG_CACHE_HOME") == "/cache");
  CHECK(value_of("$XDG_DATA_HOME") == "/home/u/.local/share");
  CHECK(value_of("$XDG_RUNTIME_DIR").empty());
  CHECK(value_of("$PATH").empty());
  CHECK(value_of("HOME").empty());
  char* here = getcwd(nullptr, 0);
  REQUIRE(here != nullptr);
  CHECK(value_of("$WORKDIR") == here);
  std::free(here);  // NOLINT
  {
    const environment_variable other("TMPDIR", "/var/tmp");
    CHECK(value_of("$TMPDIR") == "/var/tmp");
  }
  {
    const environment_variable none("HOME", nullptr);
    CHECK(value_of("$HOME").empty());
    CHECK(value_of("$XDG_CONFIG_HOME").empty());
  }
  {
    const environment_variable longest("HOME", ("/" + std::string(4094, 'x')).c_str());
    CHECK(value_of("$HOME").size() == 4095);
    CHECK(value_of("$XDG_CONFIG_HOME").empty());  // does not fit
  }
}

TEST_CASE("file_system: 9p and FUSE by their numbers") {
  using nono::file_system;
  CONSTEXPR_CHECK(nono::file_system_of(0x01021997) == file_system::plan9);
  CONSTEXPR_CHECK(nono::file_system_of(0x65735546) == file_system::fuse);
  CONSTEXPR_CHECK(nono::file_system_of(0xef53) == file_system::lasting);  // ext4
  CONSTEXPR_CHECK(name_of(file_system::plan9) == "9p");
  const int fd = open("/proc", O_PATH | O_CLOEXEC);
  CHECK(nono::file_system_of_descriptor(fd) == file_system::lasting);
  CHECK(nono::file_system_of_descriptor(-1) == file_system::lasting);
  close(fd);
}
