// SPDX-License-Identifier: Apache-2.0
// Scratch directories: placement, locking, and removal of whatever a child may leave behind.
#include "cli/run/scratch.hpp"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <vector>

#include "temporary_directory.hpp"

using nono::cli::scratch_directory;
using nono_test::exists;
using nono_test::temporary_directory;

namespace {

/// TMPDIR for one test case.
class tmpdir_variable {
 public:
  explicit tmpdir_variable(const std::string& value) {
    if (const char* old = std::getenv("TMPDIR")) old_ = old;
    setenv("TMPDIR", value.c_str(), 1);
  }
  tmpdir_variable(const tmpdir_variable&) = delete;
  tmpdir_variable& operator=(const tmpdir_variable&) = delete;
  ~tmpdir_variable() {
    if (old_)
      setenv("TMPDIR", old_->c_str(), 1);
    else
      unsetenv("TMPDIR");
  }

 private:
  std::optional<std::string> old_;
};

scratch_directory created() {
  std::string error;
  auto scratch = scratch_directory::create(error);
  INFO(error);
  REQUIRE(scratch.has_value());
  return *std::move(scratch);
}

std::string shared_name() { return "nono-" + std::to_string(geteuid()); }

void put_file(const std::string& path) {
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  REQUIRE(fd >= 0);
  close(fd);
}

/// A chain of directories far longer than PATH_MAX, each with a file beside it.
void make_chain(const std::string& start, int levels) {
  int at = open(start.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(at >= 0);
  for (int level = 0; level < levels; ++level) {
    REQUIRE(mkdirat(at, "deep", 0700) == 0);
    close(openat(at, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const int next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(next >= 0);
    close(at);
    at = next;
  }
  close(at);
}

/// The exit status of `body` in a forked child; -1 when a signal ended it.
template <typename Body>
int in_child(Body body) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) _exit(body());
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool write_file(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return written;
}

/// For a forked child. Without a mapping of its user a directory could not be made in there.
bool enter_mount_namespace() {
  const std::string user = std::to_string(geteuid());
  const std::string group = std::to_string(getegid());
  if (geteuid() == 0) {
    if (unshare(CLONE_NEWNS) != 0) return false;
  } else if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
             !write_file("/proc/self/uid_map", user + " " + user + " 1") ||
             !write_file("/proc/self/setgroups", "deny") ||
             !write_file("/proc/self/gid_map", group + " " + group + " 1")) {
    return false;
  }
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

TEST_CASE("a scratch directory lies below TMPDIR, is private, and goes away") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path() + "/");
  std::string path;
  {
    const scratch_directory scratch = created();
    path = scratch.path();
    CHECK(path.starts_with(tmp / shared_name() + "/"));
    CHECK(path.size() == (tmp / shared_name()).size() + 7);
    struct stat info{};
    REQUIRE(stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
    CHECK(info.st_uid == geteuid());
    REQUIRE(stat((tmp / shared_name()).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
    put_file(path + "/file");
  }
  CHECK_FALSE(exists(path));
}

TEST_CASE("remove() may be called twice and a moved scratch directory is removed once") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  scratch_directory first = created();
  const std::string path = first.path();
  scratch_directory second = std::move(first);
  CHECK(first.remove());
  CHECK(exists(path));
  CHECK(second.remove());
  CHECK_FALSE(exists(path));
  CHECK(second.remove());
  scratch_directory third = created();
  const std::string replaced = third.path();
  third = created();
  CHECK_FALSE(exists(replaced));
  CHECK(exists(third.path()));
}

TEST_CASE("a TMPDIR that cannot serve is replaced by /tmp") {
  const temporary_directory tmp;
  const std::string open_to_all = tmp.directory("open");
  REQUIRE(chmod(open_to_all.c_str(), 0777) == 0);
  const std::string plain_file = tmp.file("plain");
  const std::string too_long = tmp.directory("a234567890123456789012345678901234567890");
  const std::string with_newline = tmp.directory("a\nb");
  const std::string with_parent = tmp.directory("x") + "/../x";
  for (const std::string& value : {std::string(), std::string("relative"), tmp / "missing", open_to_all,
                                   plain_file, too_long, with_newline, with_parent}) {
    const tmpdir_variable variable(value);
    CAPTURE(value);
    CHECK(created().path().starts_with("/tmp/nono-" + std::to_string(geteuid())));
  }
  REQUIRE(chmod(open_to_all.c_str(), 01777) == 0);
  const tmpdir_variable variable(open_to_all);
  CHECK(created().path().starts_with(open_to_all + "/"));
  // Stays when another run has something in it.
  (void)rmdir(("/tmp/" + shared_name()).c_str());
}

TEST_CASE("somebody else's nono directory is not used") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  const std::string elsewhere = tmp.directory("elsewhere", 0700);
  const std::string squatted = tmp / shared_name();
  SUBCASE("a symbolic link") { tmp.link(shared_name(), elsewhere); }
  SUBCASE("a file") { tmp.file(shared_name()); }
  SUBCASE("a FIFO") { REQUIRE(mkfifo(squatted.c_str(), 0600) == 0); }
  SUBCASE("a directory that others can enter") { tmp.directory(shared_name(), 0755); }
  SUBCASE("a directory of another user") {
    if (geteuid() != 0) return;
    tmp.directory(shared_name(), 0700);
    REQUIRE(chown(squatted.c_str(), 65534, 65534) == 0);
  }
  scratch_directory scratch = created();
  const std::string path = scratch.path();
  CHECK(path.starts_with(squatted + "-"));
  CHECK(path.size() == squatted.size() + 7);
  CHECK(scratch.remove());
  CHECK_FALSE(exists(path));
  CHECK(exists(squatted));
  CHECK(rmdir(elsewhere.c_str()) == 0);
}

TEST_CASE("a killed run's directory is removed by the next, a living one's is not") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  SUBCASE("below the shared directory") {}
  SUBCASE("without a shared directory") { tmp.file(shared_name()); }
  const scratch_directory living = created();
  put_file(living.path() + "/kept");
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK(in_child([&] {
          std::string error;
          auto scratch = scratch_directory::create(error);
          if (!scratch) return 1;
          (void)mkdir((scratch->path() + "/sub").c_str(), 0500);
          (void)!write(ends[1], scratch->path().data(), scratch->path().size());
          (void)kill(getpid(), SIGKILL);
          return 2;
        }) == -1);
  close(ends[1]);
  char buffer[128];
  const ssize_t length = read(ends[0], buffer, sizeof buffer);
  close(ends[0]);
  REQUIRE(length > 0);
  const std::string stale(buffer, static_cast<std::size_t>(length));
  CHECK(exists(stale + "/sub"));
  // Names that are not ours stay, and so do links.
  const std::string parent = stale.substr(0, stale.rfind('/'));
  REQUIRE(mkdir((parent + "/not-a-scratch").c_str(), 0700) == 0);
  const std::string target = tmp.directory("target");
  put_file(target + "/kept");
  REQUIRE(symlink(target.c_str(), (stale.substr(0, stale.size() - 6) + "abcdef").c_str()) == 0);

  const scratch_directory next = created();
  CHECK_FALSE(exists(stale));
  CHECK(exists(living.path() + "/kept"));
  CHECK(exists(target + "/kept"));
  CHECK(exists(parent + "/not-a-scratch"));
}

TEST_CASE("a forked child that disowns removes nothing and the owner keeps the lock") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  scratch_directory scratch = created();
  CHECK(in_child([&] {
          scratch.disown();
          return scratch.remove() && scratch.lock_descriptor() == -1 ? 0 : 1;
        }) == 0);
  CHECK(exists(scratch.path()));
  const scratch_directory other = created();
  CHECK(exists(scratch.path()));
}

TEST_CASE("keep_across_exec leaves the lock to the program") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  scratch_directory scratch = created();
  CHECK((fcntl(scratch.lock_descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(scratch.keep_across_exec());
  CHECK((fcntl(scratch.lock_descriptor(), F_GETFD) & FD_CLOEXEC) == 0);
  scratch.disown();
  CHECK_FALSE(scratch.keep_across_exec());
}

TEST_CASE("a tree of 5,000 levels is removed with few descriptors") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  scratch_directory scratch = created();
  make_chain(scratch.path(), 5000);
  const std::string path = scratch.path();
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &old) == 0);
  int lowest = dup(0);
  REQUIRE(lowest >= 0);
  close(lowest);
  rlimit few = old;
  few.rlim_cur = static_cast<rlim_t>(lowest) + 6;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  const bool removed = scratch.remove(std::chrono::seconds(60));  // for a busy machine
  REQUIRE(setrlimit(RLIMIT_NOFILE, &old) == 0);
  CHECK(removed);
  CHECK_FALSE(exists(path));
}

TEST_CASE("removal follows no symbolic link and copes with any name") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  const std::string outside = tmp.directory("outside/inner");
  const std::string kept = tmp.file("outside/inner/kept");
  scratch_directory scratch = created();
  const std::string path = scratch.path();
  REQUIRE(symlink(outside.c_str(), (path + "/link").c_str()) == 0);
  REQUIRE(symlink("/", (path + "/root").c_str()) == 0);
  REQUIRE(mkdir((path + "/sub").c_str(), 0700) == 0);
  REQUIRE(symlink(outside.c_str(), (path + "/sub/link").c_str()) == 0);
  REQUIRE(mkdir((path + "/sub/sub").c_str(), 0700) == 0);
  REQUIRE(symlink(tmp.path().c_str(), (path + "/sub/sub/link").c_str()) == 0);
  REQUIRE(mkdir((path + "/sub/new\nline \x1b[0m\xff").c_str(), 0700) == 0);
  put_file(path + "/sub/new\nline \x1b[0m\xff/-rf\n*");
  put_file(path + "/" + std::string(255, 'x'));
  REQUIRE(mkfifo((path + "/sub/fifo").c_str(), 0600) == 0);
  REQUIRE(mkdir((path + "/.nono-aaaaaa-0").c_str(), 0700) == 0);
  put_file(path + "/.nono-aaaaaa-0/file");
  CHECK(scratch.remove());
  CHECK_FALSE(exists(path));
  CHECK(exists(kept));
}

TEST_CASE("read-only directories are removed, at every level") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  scratch_directory scratch = created();
  const std::string path = scratch.path();
  for (const char* mode : {"0", "1", "2"}) {
    const std::string top = path + "/" + mode;
    REQUIRE(mkdir(top.c_str(), 0700) == 0);
    REQUIRE(mkdir((top + "/a").c_str(), 0700) == 0);
    REQUIRE(mkdir((top + "/a/b").c_str(), 0700) == 0);
    put_file(top + "/a/b/file");
    const mode_t bits = mode[0] == '0' ? 0 : mode[0] == '1' ? 0500 : 0400;
    REQUIRE(chmod((top + "/a/b").c_str(), bits) == 0);
    REQUIRE(chmod((top + "/a").c_str(), bits) == 0);
    REQUIRE(chmod(top.c_str(), bits) == 0);
  }
  SUBCASE("below the scratch directory") {}
  SUBCASE("the scratch directory too") { REQUIRE(chmod(path.c_str(), 0) == 0); }
  CHECK(scratch.remove());
  CHECK_FALSE(exists(path));
}

TEST_CASE("what took over the name of a scratch directory is left alone") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  scratch_directory scratch = created();
  put_file(scratch.path() + "/file");
  const std::string moved = tmp / "moved";
  REQUIRE(rename(scratch.path().c_str(), moved.c_str()) == 0);
  REQUIRE(mkdir(scratch.path().c_str(), 0700) == 0);
  CHECK_FALSE(scratch.remove());
  CHECK(exists(scratch.path()));
  CHECK(exists(moved));
  CHECK_FALSE(exists(moved + "/file"));
}

TEST_CASE("mount points and what is behind them survive, and removal says so") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  tmp.file("behind/kept");
  tmp.file("kept");
  const auto start = std::chrono::steady_clock::now();
  const int status = in_child([&] {
    if (!enter_mount_namespace()) return 77;
    // Made in here: a descriptor from outside does not lead into the mounts of this namespace.
    std::string error;
    auto scratch = scratch_directory::create(error);
    if (!scratch) return 1;
    const std::string path = scratch->path();
    for (const char* point : {"/first", "/a", "/a/b", "/a/b/second"})
      (void)mkdir((path + point).c_str(), 0700);
    close(open((path + "/file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    close(open((path + "/removed").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    for (const char* point : {"/first", "/a/b/second", "/file"}) {
      const std::string source = tmp / (std::string(point) == "/file" ? "kept" : "behind");
      if (mount(source.c_str(), (path + point).c_str(), nullptr, MS_BIND, nullptr) != 0) return 77;
    }
    if (!exists(path + "/first/kept") || scratch->remove()) return 2;
    return exists(tmp / "behind/kept") && exists(tmp / "kept") && exists(path + "/file") &&
                   !exists(path + "/removed")
               ? 0
               : 3;
  });
  if (status == 77) {
    MESSAGE("no mount namespace here");
    return;
  }
  CHECK(status == 0);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("removal ends although entries keep appearing") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  scratch_directory scratch = created();
  const std::string path = scratch.path();
  std::vector<pid_t> children;
  for (const char* prefix : {"x", "y"}) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      alarm(20);
      const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      for (unsigned i = 0;; ++i) (void)mkdirat(directory, (prefix + std::to_string(i)).c_str(), 0700);
    }
    children.push_back(pid);
  }
  usleep(20000);
  const auto start = std::chrono::steady_clock::now();
  (void)scratch.remove(std::chrono::milliseconds(200));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  for (const pid_t child : children) {
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, nullptr, 0) == child);
  }
}

TEST_CASE("many runs at once each get a directory and leave none") {
  const temporary_directory tmp;
  const tmpdir_variable variable(tmp.path());
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      for (int round = 0; round < 50; ++round) {
        std::string error;
        auto scratch = scratch_directory::create(error);
        if (!scratch) _exit(1);
        const std::string file = scratch->path() + "/file";
        const int fd = open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) _exit(2);
        close(fd);
        sched_yield();
        if (!exists(file)) _exit(3);
        if (round % 7 == 6)
          scratch->disown();
        else if (!scratch->remove())
          _exit(4);
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(created().remove());
  CHECK(rmdir((tmp / shared_name()).c_str()) == 0);
}
