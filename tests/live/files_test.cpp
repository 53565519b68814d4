// SPDX-License-Identifier: Apache-2.0
// What grants on files and directories allow, right by right, as the kernel decides it.
#include "harness.hpp"

#include <array>

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

using live::error_of;
using live::outcome;
using live::scratch;
using live::try_open;
using nono::right;

namespace {

int execute(const std::string& path) {
  char* const argv[] = {const_cast<char*>(path.c_str()), nullptr};
  ::execve(path.c_str(), argv, environ);
  return errno == ENOEXEC ? 0 : errno;  // the files below are no programs: so far it got
}

int make_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return live::odd;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  return error_of(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

// A directory with something for each operation.
struct scene {
  scratch home;
  std::string dir = home.directory("dir");
  std::string file = dir + "/file";
  std::string fresh = dir + "/fresh";
  std::string sub = dir + "/sub";
  std::string empty = dir + "/empty";

  void reset() const {
    for (const auto& entry : std::filesystem::directory_iterator(dir))
      std::filesystem::remove_all(entry.path());
    scratch::write(file, "no program\n", 0755);
    std::filesystem::create_directory(sub);
    std::filesystem::create_directory(empty);
  }
};

struct operation {
  std::string name;
  right needs;
  int (*run)(const scene&);
  int minimum_abi = 1;
};

// The kernel opens a program for reading, too.
const std::array operations{
    operation{"open a file for reading", right::read_file, [](const scene& s) { return try_open(s.file); }},
    operation{"list a directory", right::list,
              [](const scene& s) { return try_open(s.dir, O_RDONLY | O_DIRECTORY); }},
    operation{"list a directory below", right::list,
              [](const scene& s) { return try_open(s.sub, O_RDONLY | O_DIRECTORY); }},
    operation{"execute", right::execute | right::read_file, [](const scene& s) { return execute(s.file); }},
    operation{"open for writing", right::write_file,
              [](const scene& s) { return try_open(s.file, O_WRONLY); }},
    operation{"open for appending", right::write_file,
              [](const scene& s) { return try_open(s.file, O_WRONLY | O_APPEND); }},
    operation{"open for both", right::read_file | right::write_file,
              [](const scene& s) { return try_open(s.file, O_RDWR); }},
    operation{"create a file", right::create | right::write_file,
              [](const scene& s) { return try_open(s.fresh, O_WRONLY | O_CREAT | O_EXCL); }},
    operation{"create a file to read", right::create | right::read_file,
              [](const scene& s) { return try_open(s.fresh, O_RDONLY | O_CREAT | O_EXCL); }},
    operation{"mkdir", right::create,
              [](const scene& s) { return error_of(::mkdir(s.fresh.c_str(), 0755)); }},
    operation{"mkfifo", right::create,
              [](const scene& s) { return error_of(::mkfifo(s.fresh.c_str(), 0644)); }},
    operation{"mknod", right::create,
              [](const scene& s) { return error_of(::mknod(s.fresh.c_str(), S_IFREG | 0644, 0)); }},
    operation{"symlink", right::create,
              [](const scene& s) { return error_of(::symlink("target", s.fresh.c_str())); }},
    operation{"bind a unix socket", right::create, [](const scene& s) { return make_socket(s.fresh); }},
    operation{"link beside", right::create,
              [](const scene& s) { return error_of(::link(s.file.c_str(), s.fresh.c_str())); }},
    operation{"unlink", right::remove, [](const scene& s) { return error_of(::unlink(s.file.c_str())); }},
    operation{"rmdir", right::remove, [](const scene& s) { return error_of(::rmdir(s.empty.c_str())); }},
    operation{"rename beside", right::create | right::remove,
              [](const scene& s) { return error_of(::rename(s.file.c_str(), s.fresh.c_str())); }},
    operation{"rename a directory beside", right::create | right::remove,
              [](const scene& s) { return error_of(::rename(s.empty.c_str(), s.fresh.c_str())); }},
    operation{"rename into another directory", right::create | right::remove | right::refer,
              [](const scene& s) { return error_of(::rename(s.file.c_str(), (s.sub + "/file").c_str())); },
              2},
    operation{"link into another directory", right::create | right::refer,
              [](const scene& s) { return error_of(::link(s.file.c_str(), (s.sub + "/file").c_str())); }, 2},
    operation{"truncate", right::truncate,
              [](const scene& s) { return error_of(::truncate(s.file.c_str(), 1)); }, 3},
    operation{"O_TRUNC while writing", right::truncate | right::write_file,
              [](const scene& s) { return try_open(s.file, O_WRONLY | O_TRUNC); }, 3},
    operation{"O_TRUNC while reading", right::truncate | right::read_file,
              [](const scene& s) { return try_open(s.file, O_RDONLY | O_TRUNC); }, 3},
    operation{"ftruncate", right::truncate | right::write_file,
              [](const scene& s) {
                const int fd = ::open(s.file.c_str(), O_WRONLY | O_CLOEXEC);
                return fd < 0 ? errno : error_of(::ftruncate(fd, 1));
              },
              3},
};

right single(std::size_t i) { return nono::right_names[i].value; }

}  // namespace

TEST_CASE("files: each operation works with the rights it needs and fails without any one of them") {
  const scene s;
  for (const operation& op : operations) {
    CAPTURE(op.name);
    if (live::landlock_abi() < op.minimum_abi) continue;
    const auto run = [&] { return op.run(s); };
    const auto reset = [&] { s.reset(); };
    CHECK(live::attempt(live::allow({{s.dir, op.needs}}), run, reset) == outcome{0, 0});
    CHECK(live::attempt(live::nothing, run, reset).with == EACCES);
    for (std::size_t i = 0; i < std::size(nono::right_names); ++i) {
      if (!contains(op.needs, single(i))) continue;
      CAPTURE(std::string(nono::right_names[i].name));
      const auto rest = live::allow({{s.dir, nono::all_rights & ~single(i)}});
      // Only what is missing between two directories is EXDEV, so that programs copy instead.
      CHECK(live::attempt(rest, run, reset) == outcome{0, single(i) == right::refer ? EXDEV : EACCES});
    }
  }
}

TEST_CASE("files: a grant on one file") {
  const scene s;
  const std::string neighbour = s.dir + "/neighbour";
  const auto reset = [&] { s.reset(), scratch::write(neighbour, "text"); };
  reset();
  const auto with = [&](right rights, auto run) {
    const outcome got = live::attempt(live::allow({{s.file, rights}}), run, reset);
    CHECK(got.without == 0);
    return got.with;
  };
  const auto read = [&] { return try_open(s.file); };
  const auto write = [&] { return try_open(s.file, O_WRONLY); };
  const auto run = [&] { return execute(s.file); };
  const auto empty = [&] { return error_of(::truncate(s.file.c_str(), 0)); };
  CHECK(with(right::read_file, read) == 0);
  CHECK(with(right::read_file, write) == EACCES);
  CHECK(with(right::read_file, run) == EACCES);
  CHECK(with(right::write_file, write) == 0);
  CHECK(with(right::write_file, read) == EACCES);
  CHECK(with(right::execute | right::read_file, run) == 0);
  CHECK(with(right::execute, run) == EACCES);
  CHECK(with(right::execute, read) == EACCES);
  if (live::has_abi(3)) {
    CHECK(with(right::truncate, empty) == 0);
    CHECK(with(right::read | right::write_file, empty) == EACCES);
  }
  // All of a file is still nothing of its directory.
  CHECK(with(right::read_write, [&] { return error_of(::unlink(s.file.c_str())); }) == EACCES);
  CHECK(with(right::read_write, [&] { return error_of(::rename(s.file.c_str(), s.fresh.c_str())); }) ==
        EACCES);
  CHECK(with(right::read_write, [&] { return try_open(s.dir, O_RDONLY | O_DIRECTORY); }) == EACCES);
  CHECK(with(right::read_write, [&] { return try_open(neighbour); }) == EACCES);
}

TEST_CASE("files: ioctl on devices") {
  if (!live::has_abi(5)) return;
  const auto terminal_number = [] {
    const int fd = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return errno;
    unsigned number = 0;
    return error_of(::ioctl(fd, TIOCGPTN, &number));
  };
  if (live::in_child(terminal_number) != 0) return live::skip("/dev/ptmx does not open");
  constexpr right plain = right::read_file | right::write_file;
  CHECK(live::confined(live::allow({{"/dev", plain}}), [] { return try_open("/dev/ptmx", O_RDWR); }) == 0);
  CHECK(live::attempt(live::allow({{"/dev", plain}}), terminal_number) == outcome{0, EACCES});
  CHECK(live::attempt(live::allow({{"/dev", plain | right::ioctl}}), terminal_number) == outcome{0, 0});
  // A device by name that may be written to may be controlled: it would be of little use otherwise.
  CHECK(live::attempt(live::allow({{"/dev/ptmx", plain}}), terminal_number) == outcome{0, 0});
  const auto control = [] {
    const int fd = ::open("/dev/ptmx", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    unsigned number = 0;
    return fd < 0 ? errno : error_of(::ioctl(fd, TIOCGPTN, &number));
  };
  CHECK(live::attempt(live::allow({{"/dev/ptmx", right::read_file}}), control) == outcome{0, EACCES});
}

TEST_CASE("files: moving between two grants") {
  if (!live::has_abi(2)) return;
  const scratch home;
  const std::string a = home.directory("a");
  const std::string b = home.directory("b");
  const auto reset = [&] {
    for (const auto& dir : {a, b})
      for (const auto& entry : std::filesystem::directory_iterator(dir))
        std::filesystem::remove_all(entry.path());
    scratch::write(a + "/f", "from a");
  };
  const auto move = [&](right on_a, right on_b) {
    return live::attempt(
        live::allow({{a, on_a}, {b, on_b}}),
        [&] { return error_of(::rename((a + "/f").c_str(), (b + "/f").c_str())); }, reset);
  };
  constexpr right all = nono::read_write;
  CHECK(move(all, all) == outcome{0, 0});
  CHECK(move(all & ~right::refer, all) == outcome{0, EXDEV});
  CHECK(move(all, all & ~right::refer) == outcome{0, EXDEV});
  CHECK(move(all & ~right::remove, all) == outcome{0, EACCES});
  CHECK(move(all, all & ~right::create) == outcome{0, EACCES});
  CHECK(move(all & ~right::remove & ~right::refer, all) == outcome{0, EACCES});  // EACCES wins
  // A move must not gain rights, and may lose some.
  CHECK(move(all & ~right::execute, all) == outcome{0, EXDEV});
  CHECK(move(all, all & ~right::execute) == outcome{0, 0});
  CHECK(move(nono::read, all).with == EACCES);
}

TEST_CASE("files: links") {
  const scratch home;
  const std::string granted = home.directory("granted");
  const std::string outside = home.file("outside");
  const std::string inside = home.file("granted/inside");
  const std::string out = granted + "/out";
  const std::string in = home / "in";
  const std::string hard = granted + "/hard";
  std::filesystem::create_symlink(outside, out);
  std::filesystem::create_symlink(inside, in);
  std::filesystem::create_hard_link(outside, hard);
  const auto policy = live::allow({{granted, right::read}});
  CHECK(live::attempt(policy, [&] { return try_open(outside); }) == outcome{0, EACCES});
  CHECK(live::attempt(policy, [&] { return try_open(out); }) == outcome{0, EACCES});  // its target counts
  CHECK(live::attempt(policy, [&] { return try_open(in); }) == outcome{0, 0});
  // A hard link is the file: made before, it is a way to it. The kernel's rules hold inodes.
  CHECK(live::attempt(policy, [&] { return try_open(hard); }) == outcome{0, 0});
  // Magic links to what is outside lead nowhere either.
  CHECK(live::confined(live::allow({{granted, right::read}, {"/proc", right::read}}), [&] {
          const int fd = ::open(outside.c_str(), O_PATH | O_CLOEXEC);
          return fd < 0 ? live::odd : try_open("/proc/self/fd/" + std::to_string(fd));
        }) == EACCES);

  // A grant that is written as a link grants what the link led to when it was resolved.
  const std::string link = home / "link";
  std::filesystem::create_directory_symlink(granted, link);
  CHECK(live::attempt(live::allow({{link, right::read}}), [&] { return try_open(inside); }) == outcome{0, 0});
  CHECK(live::attempt(live::allow({{link, right::read}}), [&] { return try_open(link + "/inside"); }) ==
        outcome{0, 0});
}

TEST_CASE("files: a grant on a file is lost when the file is replaced, a grant on its directory is not") {
  const scratch home;
  const std::string dir = home.directory("dir");
  const std::string file = home.file("dir/file");
  const std::string next = dir + "/next";
  const auto save = [&] {
    if (try_open(file) != 0) return live::odd;
    if (try_open(next, O_WRONLY | O_CREAT) != 0) return live::odd;
    if (::rename(next.c_str(), file.c_str()) != 0) return live::odd;
    return try_open(file);
  };
  CHECK(live::attempt(live::allow({{dir, nono::write}, {file, nono::read}}), save) == outcome{0, EACCES});
  CHECK(live::attempt(live::allow({{dir, nono::read_write}}), save) == outcome{0, 0});

  const std::string again = home.directory("dir/again");
  const auto recreate = [&] {
    if (try_open(again, O_DIRECTORY) != 0) return live::odd;
    if (::rmdir(again.c_str()) != 0 || ::mkdir(again.c_str(), 0755) != 0) return live::odd;
    return try_open(again, O_DIRECTORY);
  };
  CHECK(live::attempt(live::allow({{dir, nono::write}, {again, nono::read}}), recreate) ==
        outcome{0, EACCES});
}

TEST_CASE("files: descriptors opened before apply() keep their rights and lead no further") {
  const scratch home;
  const std::string file = home.file("file");
  const auto open_then = [&](auto then) {
    return live::in_child([&] {
      const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
      const int dir = ::open(home.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (!nono::apply(live::nothing)) return live::not_confined;
      char byte = 0;
      if (::pread(fd, &byte, 1, 0) != 1 || ::pwrite(fd, &byte, 1, 0) != 1) return live::odd;
      return error_of(then(fd, dir));
    });
  };
  CHECK(open_then([](int fd, int) { return ::ftruncate(fd, 1); }) == 0);
  CHECK(open_then([](int, int dir) { return ::openat(dir, "file", O_RDONLY); }) == EACCES);
  CHECK(open_then([](int, int dir) { return ::mkdirat(dir, "fresh", 0755); }) == EACCES);
  CHECK(open_then([](int fd, int) {
          return ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY);
        }) == EACCES);
}

namespace {
const live::probe open_in_child("open-in-child", [](int, char** argv) {
  return live::in_child([&] { return try_open(argv[0]); });
});
}  // namespace

TEST_CASE("files: system_read lets children read their own /proc/self") {
  CHECK(live::spawned({}, {"open", "/proc/self/status"}) == 0);
  CHECK(live::spawned({}, {"open-in-child", "/proc/self/status"}) == 0);
  CHECK(live::spawned({}, {"open-in-child", "/proc/self/maps"}) == 0);
  // Which a rule on /proc/self would not: it holds the directory of the process that resolved it.
  CHECK(live::attempt(live::allow({{"/proc/self", nono::read}}), [] {
          return live::in_child([] { return try_open("/proc/self/status"); });
        }) == outcome{0, EACCES});
}

TEST_CASE("files: two grants on one road add up") {
  const scratch home;
  const std::string file = home.file("file");
  const auto both = [&] { return try_open(file, O_RDWR); };
  CHECK(live::attempt(live::allow({{home.path(), right::read_file}, {file, right::write_file}}), both) ==
        outcome{0, 0});
  CHECK(live::attempt(live::allow({{home.path(), right::read_file}}), both) == outcome{0, EACCES});
  CHECK(live::attempt(live::allow({{file, right::write_file}}), both) == outcome{0, EACCES});
}
