// SPDX-License-Identifier: Apache-2.0
// Metadata and other processes beside a supervisor: each call changes what the policy lets be written, and nothing else.
#include <atomic>
#include <cstdint>
#include <iterator>
#include <string>
#include <thread>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

#include "supervised_fixture.hpp"

using live::leakless;
using live::supervised;

namespace {

constexpr timeval two_times[2] = {{1000, 0}, {2000, 0}};
constexpr timespec two_times_ns[2] = {{1000, 0}, {2000, 0}};

int opened(const char* path, int flags, int (*f)(int)) {
  const int fd = ::open(path, flags);
  if (fd < 0) return errno;
  const int why = f(fd);
  ::close(fd);
  return why;
}
int by_magic_link(const char* prefix, int fd) {
  return live::error_of(::chmod((prefix + std::to_string(fd)).c_str(), 0640));
}

struct change {
  std::string_view name;
  int (*make)(const char* path);
};

/// Every way to change a mode, owner, time, attribute or flag; each leaves another ctime.
const change changes[] = {
#if defined(SYS_chmod)
    {"chmod", [](const char* p) { return live::error_of(::syscall(SYS_chmod, p, 0640)); }},
    {"chown", [](const char* p) { return live::error_of(::syscall(SYS_chown, p, -1, ::getegid())); }},
    {"lchown", [](const char* p) { return live::error_of(::syscall(SYS_lchown, p, -1, ::getegid())); }},
    {"utime", [](const char* p) { return live::error_of(::syscall(SYS_utime, p, nullptr)); }},
    {"utimes", [](const char* p) { return live::error_of(::syscall(SYS_utimes, p, two_times)); }},
    {"futimesat",
     [](const char* p) { return live::error_of(::syscall(SYS_futimesat, AT_FDCWD, p, two_times)); }},
#endif
    {"fchmod",
     [](const char* p) {
       return opened(p, O_RDONLY, [](int fd) { return live::error_of(::fchmod(fd, 0640)); });
     }},
    {"fchmodat", [](const char* p) { return live::error_of(::syscall(SYS_fchmodat, AT_FDCWD, p, 0640)); }},
    {"fchmodat2", [](const char* p) { return live::error_of(::syscall(452, AT_FDCWD, p, 0640, 0)); }},
    {"fchmodat2 of nothing",
     [](const char* p) {
       return opened(p, O_PATH,
                     [](int fd) { return live::error_of(::syscall(452, fd, "", 0640, AT_EMPTY_PATH)); });
     }},
    {"chmod of /proc/self/fd",
     [](const char* p) {
       return opened(p, O_PATH, [](int fd) { return by_magic_link("/proc/self/fd/", fd); });
     }},
    {"chmod of /proc/thread-self/fd",
     [](const char* p) {
       return opened(p, O_PATH, [](int fd) { return by_magic_link("/proc/thread-self/fd/", fd); });
     }},
    {"chmod of /dev/fd",
     [](const char* p) { return opened(p, O_RDONLY, [](int fd) { return by_magic_link("/dev/fd/", fd); }); }},
    {"fchown",
     [](const char* p) {
       return opened(p, O_RDONLY, [](int fd) {
         return live::error_of(::fchown(fd, static_cast<uid_t>(-1), ::getegid()));
       });
     }},
    {"fchownat",
     [](const char* p) {
       return live::error_of(::fchownat(AT_FDCWD, p, static_cast<uid_t>(-1), ::getegid(), 0));
     }},
    {"fchownat of nothing",
     [](const char* p) {
       return opened(p, O_PATH, [](int fd) {
         return live::error_of(::fchownat(fd, "", static_cast<uid_t>(-1), ::getegid(), AT_EMPTY_PATH));
       });
     }},
    {"utimensat",
     [](const char* p) { return live::error_of(::syscall(SYS_utimensat, AT_FDCWD, p, two_times_ns, 0)); }},
    {"futimens",
     [](const char* p) {
       return opened(p, O_RDONLY, [](int fd) { return live::error_of(::futimens(fd, two_times_ns)); });
     }},
    {"setxattr", [](const char* p) { return live::error_of(::setxattr(p, "user.nono", "1", 1, 0)); }},
    {"lsetxattr", [](const char* p) { return live::error_of(::lsetxattr(p, "user.nono", "2", 1, 0)); }},
    {"fsetxattr",
     [](const char* p) {
       return opened(p, O_RDONLY,
                     [](int fd) { return live::error_of(::fsetxattr(fd, "user.nono", "3", 1, 0)); });
     }},
    {"removexattr", [](const char* p) { return live::error_of(::removexattr(p, "user.first")); }},
    {"lremovexattr", [](const char* p) { return live::error_of(::lremovexattr(p, "user.second")); }},
    {"fremovexattr",
     [](const char* p) {
       return opened(p, O_RDONLY, [](int fd) { return live::error_of(::fremovexattr(fd, "user.third")); });
     }},
    {"FS_IOC_SETFLAGS",
     [](const char* p) {
       return opened(p, O_RDONLY, [](int fd) {
         int flags = 0;
         if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return errno;
         flags ^= FS_NODUMP_FL;
         return live::error_of(::ioctl(fd, FS_IOC_SETFLAGS, &flags));
       });
     }},
};

const live::probe change_one("change", [](int, char** argv) {
  for (const change& c : changes)
    if (c.name == argv[0]) return c.make(argv[1]);
  return live::odd;
});

/// Newer calls that have older equals ask for those.
const live::probe newer_calls("newer-calls", [](int, char** argv) {
  for (const int call : {463, 466, 469})
    if (live::error_of(::syscall(call, AT_FDCWD, argv[0], 0, 0, 0, 0)) != ENOSYS) return live::odd;
  return 0;
});

std::int64_t changed_at(const std::string& path) {
  struct stat st{};
  live::must(::lstat(path.c_str(), &st) == 0, path);
  return std::int64_t{st.st_ctim.tv_sec} * 1000000000 + st.st_ctim.tv_nsec;
}

std::string fresh_file(const live::scratch& home, std::string_view name) {
  std::string path = home.file(name);
  for (const char* attribute : {"user.first", "user.second", "user.third"})
    live::must(::setxattr(path.c_str(), attribute, "x", 1, 0) == 0, attribute);
  ::usleep(5000);  // so that a change gives another ctime
  return path;
}

/// chmod in every shape that a path can take.
const live::probe chmod_path("chmod-path", [](int argc, char** argv) {
  if (argc > 1 && ::chdir(argv[1]) != 0) return live::odd;
  return live::error_of(::chmod(argv[0], 0640));
});
const live::probe chmod_from("chmod-from", [](int, char** argv) {
  const int directory = ::open(argv[1], O_PATH | O_DIRECTORY);
  return live::error_of(::syscall(SYS_fchmodat, directory, argv[0], 0640));
});

/// lchown: of the link itself.
const live::probe lchown_path("lchown-path", [](int, char** argv) {
  if (::chdir(argv[1]) != 0) return live::odd;
  return live::error_of(::lchown(argv[0], static_cast<uid_t>(-1), ::getegid()));
});

/// What the calls say of arguments that are wrong.
const live::probe bad_changes("bad-changes", [](int, char** argv) {
  bool good = true;
  const auto gives = [&](int wanted, long got, int line) {
    if (live::error_of(got) == wanted) return;
    std::fprintf(stderr, "line %d: errno %d instead of %d\n", line, errno, wanted);
    good = false;
  };
  const char* file = argv[0];
  const std::string missing = std::string(file) + ".none";
  const std::string link = argv[1];
  gives(ENOENT, ::chmod(missing.c_str(), 0600), __LINE__);
  gives(ENOENT, ::chmod("", 0600), __LINE__);
  gives(EFAULT, ::syscall(SYS_fchmodat, AT_FDCWD, 8, 0600), __LINE__);
  gives(ENAMETOOLONG, ::chmod(std::string(5000, 'a').c_str(), 0600), __LINE__);
  gives(ENAMETOOLONG, ::chmod(("/" + std::string(300, 'a')).c_str(), 0600), __LINE__);
  gives(ENOTDIR, ::chmod((std::string(file) + "/x").c_str(), 0600), __LINE__);
  gives(ENOTDIR, ::chmod((std::string(file) + "/").c_str(), 0600), __LINE__);
  gives(ENOTDIR, ::chmod((link + "/").c_str(), 0600), __LINE__);
  gives(EBADF, ::fchmod(999, 0600), __LINE__);
  gives(EBADF, ::syscall(SYS_fchmodat, 999, "x", 0600), __LINE__);
  const int path = ::open(file, O_PATH);
  gives(EBADF, ::fchmod(path, 0600), __LINE__);
  gives(EBADF, ::fsetxattr(path, "user.a", "", 0, 0), __LINE__);
  gives(EINVAL, ::syscall(452, AT_FDCWD, file, 0600, 0x40), __LINE__);
  gives(EINVAL, ::fchownat(AT_FDCWD, file, 0, 0, 0x40), __LINE__);
  gives(EOPNOTSUPP, ::syscall(452, AT_FDCWD, link.c_str(), 0600, AT_SYMLINK_NOFOLLOW), __LINE__);
  gives(EPERM, ::lsetxattr(link.c_str(), "user.a", "", 0, 0), __LINE__);
  gives(0, ::lchown(link.c_str(), static_cast<uid_t>(-1), ::getegid()), __LINE__);
  [[maybe_unused]] const timeval wrong[2] = {{0, 1000000}, {0, 0}};
  gives(EFAULT, ::syscall(SYS_utimensat, AT_FDCWD, nullptr, nullptr, 0), __LINE__);
  gives(EBADF, ::syscall(SYS_utimensat, 999, nullptr, nullptr, 0), __LINE__);
#if defined(SYS_utimes)
  gives(EINVAL, ::syscall(SYS_utimes, file, wrong), __LINE__);
#endif
  gives(EFAULT, ::syscall(SYS_utimensat, AT_FDCWD, file, 8, 0), __LINE__);
  gives(ENODATA, ::removexattr(file, "user.none"), __LINE__);
  gives(ERANGE, ::setxattr(file, "", "", 0, 0), __LINE__);
  gives(ERANGE, ::setxattr(file, ("user." + std::string(300, 'a')).c_str(), "", 0, 0), __LINE__);
  gives(E2BIG, ::setxattr(file, "user.a", file, 70000, 0), __LINE__);
  gives(EEXIST, ::setxattr(file, "user.first", "", 0, XATTR_CREATE), __LINE__);
  char loops[PATH_MAX];
  std::snprintf(loops, sizeof loops, "%s.loop", file);
  (void)::symlink(loops, loops);
  gives(ELOOP, ::chmod(loops, 0600), __LINE__);
  return good ? 0 : live::odd;
});

/// What is open for writing may be changed, and what has no name at all.
const live::probe own_descriptors("own-descriptors", [](int, char** argv) {
  const int written = ::open(argv[0], O_WRONLY);
  int ends[2];
  const int memory = ::memfd_create("x", 0);
  const int unnamed = ::open(argv[1], O_TMPFILE | O_RDWR, 0600);
  if (written < 0 || ::pipe(ends) != 0 || memory < 0 || unnamed < 0) return live::odd;
  for (const int fd : {written, ends[0], ends[1], memory, unnamed})
    if (::fchmod(fd, 0600) != 0) return errno;
  if (::unlink(argv[0]) != 0) return errno;
  return live::error_of(::fchmod(written, 0400));
});

/// Access mode 3 asks for neither reading nor writing: no sandbox is asked for it, and nothing may be changed by it.
const live::probe mode_three("mode-three", [](int, char** argv) {
  const int fd = ::open(argv[0], 3);
  if (fd < 0) return errno;
  const timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  if (live::error_of(::fchmod(fd, 0777)) != EPERM) return live::odd;
  if (live::error_of(::futimens(fd, now)) != EPERM) return live::odd;
  if (live::error_of(::fsetxattr(fd, "user.x", "y", 1, 0)) != EPERM) return live::odd;
  const int path = ::open(argv[0], O_PATH);
  return live::error_of(::fchmod(path, 0777)) == EBADF ? 0 : live::odd;
});

const live::probe move_up("move-up", [](int, char** argv) {
  return live::error_of(
      ::rename((std::string(argv[0]) + "/below/file").c_str(), (std::string(argv[0]) + "/file").c_str()));
});

const live::probe limits("limits", [](int, char** argv) {
  const auto pid = static_cast<pid_t>(std::atoi(argv[0]));  // NOLINT(cert-err34-c)
  const std::string_view how = argv[1];
  rlimit64 now{};
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_param normal{};
  if (how == "prlimit") return live::error_of(::syscall(SYS_prlimit64, pid, RLIMIT_CORE, nullptr, &now));
  if (how == "setpriority") return live::error_of(::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), 10));
  if (how == "ioprio_set") return live::error_of(::syscall(SYS_ioprio_set, 1, pid, 3 << 13));
  if (how == "sched_setscheduler") return live::error_of(::sched_setscheduler(pid, SCHED_OTHER, &normal));
  if (how == "sched_setparam") return live::error_of(::sched_setparam(pid, &normal));
  if (how == "sched_setaffinity") return live::error_of(::sched_setaffinity(pid, sizeof one, &one));
  return live::odd;
});
const live::probe limits_inside("limits-inside", [](int, char** argv) {
  const pid_t other = ::fork();
  if (other == 0) {
    ::pause();
    ::_exit(0);
  }
  const std::string pid = std::to_string(other);
  char* words[] = {const_cast<char*>(""),
                   const_cast<char*>("--probe"),
                   const_cast<char*>("limits"),
                   const_cast<char*>(pid.c_str()),
                   argv[0],
                   nullptr};
  int why = live::probe::run(5, words);
  if (why == 0) {  // a process that has never been
    const std::string none = "4000000";
    words[3] = const_cast<char*>(none.c_str());
    if (live::probe::run(5, words) != ESRCH) why = live::odd;
  }
  if (why == 0) {  // a thread that is not the first of its process
    std::atomic<int> thread = 0;
    std::atomic<bool> ends = false;
    std::thread second([&] {
      thread = static_cast<int>(::syscall(SYS_gettid));
      ends.wait(false);
    });
    while (thread == 0) ::usleep(100);
    const std::string its = std::to_string(thread);
    words[3] = const_cast<char*>(its.c_str());
    why = live::probe::run(5, words);
    ends = true;
    ends.notify_all();
    second.join();
  }
  (void)::kill(other, SIGKILL);
  (void)::waitpid(other, nullptr, 0);
  return why;
});

}  // namespace

TEST_CASE_FIXTURE(leakless, "supervised: metadata changes where the policy grants writing, call by call") {
  const live::scratch home;
  const std::string work = home.directory("work");
  const std::string other = home.directory("other");
  const live::scratch outside_all;
  // Readable, so that the calls on descriptors can open it; writable it is not.
  const auto policy = [&] { return live::allow({{work, nono::read_write}, {other, nono::read}}); };
  for (const change& c : changes) {
    CAPTURE(std::string(c.name));
    const std::string plain = fresh_file(home, "plain");
    const auto before_plain = changed_at(plain);
    const int without = live::without_sandbox({"change", c.name, plain});
    if (without == ENOTTY || without == EOPNOTSUPP) {
      live::skip(std::string(c.name) + " on this file system");
      continue;
    }
    CHECK(without == 0);
    CHECK(changed_at(plain) != before_plain);

    const std::string outside = fresh_file(home, "other/file");
    const auto before = changed_at(outside);
    CHECK(supervised(policy(), {"change", c.name, outside}) == EPERM);
    CHECK(changed_at(outside) == before);

    const std::string inside = fresh_file(home, "work/file");
    const auto before_inside = changed_at(inside);
    CHECK(supervised(policy(), {"change", c.name, inside}) == 0);
    CHECK(changed_at(inside) != before_inside);
  }
  CHECK(supervised(policy(), {"newer-calls", work + "/file"}) == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: a path means what it means to the caller") {
  const live::scratch home;
  const std::string work = home.directory("work");
  live::must(!home.directory("work/below").empty(), "below");
  const std::string inside = home.file("work/file");
  const std::string outside = home.file("outside");
  for (const auto& [link, target] : {std::pair{"work/to-file", "file"},
                                     {"work/to-outside", "../outside"},
                                     {"work/below/up", ".."},
                                     {"work/absolute", inside.c_str()},
                                     {"work/home", "/proc/self/cwd"},
                                     {"work/nothing", "none"}})
    live::must(::symlink(target, (home / link).c_str()) == 0, link);
  const auto run = [&](std::initializer_list<std::string_view> words) {
    return supervised(live::allow({{work, nono::read_write}}), words);
  };
  const auto works = [&](std::initializer_list<std::string_view> words) {
    live::must(::chmod(inside.c_str(), 0600) == 0, inside);
    if (const int why = run(words); why != 0) return why;
    struct stat st{};
    return ::stat(inside.c_str(), &st) == 0 && (st.st_mode & 0777) == 0640 ? 0 : live::odd;
  };
  CHECK(works({"chmod-path", "file", work}) == 0);
  CHECK(works({"chmod-path", "./below/../file", work}) == 0);
  CHECK(works({"chmod-path", "to-file", work}) == 0);
  CHECK(works({"chmod-path", "below/up/to-file", work}) == 0);
  CHECK(works({"chmod-path", "absolute", work}) == 0);
  CHECK(works({"chmod-path", "/proc/self/cwd/file", work}) == 0);
  CHECK(works({"chmod-path", "home/file", work}) == 0);
  CHECK(works({"chmod-path", "/proc/self/root" + inside}) == 0);
  CHECK(works({"chmod-from", "file", work}) == 0);
  const std::string closed = home.directory("work/closed");
  live::must(::chmod(closed.c_str(), 0) == 0, closed);
  CHECK(run({"chmod-path", "closed", work}) == 0);  // which may not be searched, not even for ".."
  CHECK(works({"chmod-from", "../file", work + "/below"}) == 0);
  CHECK(works({"chmod-from", inside, "/"}) == 0);

  const auto before = changed_at(outside);
  CHECK(run({"chmod-path", outside}) == EPERM);
  CHECK(run({"chmod-path", "../outside", work}) == EPERM);
  CHECK(run({"chmod-path", "to-outside", work}) == EPERM);
  CHECK(run({"chmod-path", "/proc/self/root" + outside}) == EPERM);
  CHECK(run({"chmod-path", "/proc/self/cwd/../outside", work}) == EPERM);
  CHECK(run({"chmod-from", "outside", home.path()}) == EPERM);
  CHECK(run({"chmod-path", "nothing", work}) == ENOENT);
  CHECK(changed_at(outside) == before);
  for (const std::string_view link : {"to-outside", "nothing", "below/up/to-outside", "below/up/nothing"}) {
    CAPTURE(std::string(link));
    const std::string own = work + "/" + std::string(link.substr(link.rfind('/') + 1));
    const auto before_link = changed_at(own);
    ::usleep(5000);
    CHECK(run({"lchown-path", link, work}) == 0);
    CHECK(changed_at(own) != before_link);
  }
  CHECK(changed_at(outside) == before);
  // By way of another process, which is ours and open to us: not the caller's way.
  CHECK(run({"chmod-path", "/proc/" + std::to_string(::getpid()) + "/root" + inside}) == EACCES);
  CHECK(run({"chmod-path", "/proc/" + std::to_string(::getpid()) + "/cwd"}) == EACCES);
}

TEST_CASE_FIXTURE(leakless, "supervised: bad arguments get the kernel's answers") {
  const live::scratch home;
  const std::string file = fresh_file(home, "file");
  const std::string link = home / "link";
  live::must(::symlink("file", link.c_str()) == 0, link);
  CHECK(live::without_sandbox({"bad-changes", file, link}) == 0);  // the table itself, against the kernel
  ::unlink((file + ".loop").c_str());
  CHECK(supervised(live::allow({{home.path(), nono::read_write}}), {"bad-changes", file, link}) == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: what is open for writing may be changed") {
  const live::scratch home;
  const std::string file = home.file("file");
  CHECK(supervised(live::allow({{home.path(), nono::read_write}}), {"own-descriptors", file, home.path()}) ==
        0);
}

TEST_CASE_FIXTURE(leakless, "supervised: what is open for neither reading nor writing may not") {
  const live::scratch home;
  const std::string outside = home.file("outside");
  CHECK(live::without_sandbox({"mode-three", outside}) == live::odd);
  CHECK(supervised(nono::capability_set(), {"mode-three", outside}) == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: devices belong to the whole system") {
  struct stat before{};
  live::must(::stat("/dev/null", &before) == 0, "/dev/null");
  nono::capability_set policy = live::allow({{"/dev/null", nono::read_write}});
  CHECK(supervised(std::move(policy), {"change", "utimensat", "/dev/null"}) == EPERM);
  struct stat after{};
  live::must(::stat("/dev/null", &after) == 0, "/dev/null");
  CHECK(before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
}

TEST_CASE_FIXTURE(leakless, "supervised: metadata that is lifted stays open") {
  const live::scratch home;
  const std::string outside = home.file("outside");
  nono::capability_set policy;
  policy.lift(nono::protection::metadata);
  CHECK(supervised(std::move(policy), {"chmod-path", outside}) == 0);
}

TEST_CASE_FIXTURE(leakless,
                  "supervised: files move between directories, with the file system lifted as well") {
  const live::scratch home;
  live::must(!home.directory("below").empty(), "below");
  for (const bool lifted : {false, true}) {
    CAPTURE(lifted);
    live::must(!home.file("below/file").empty(), "file");
    nono::capability_set policy = live::allow({{home.path(), nono::read_write}});
    if (lifted) policy.lift(nono::protection::filesystem);
    CHECK(supervised(std::move(policy), {"move-up", home.path()}) == 0);
  }
}

TEST_CASE_FIXTURE(leakless, "supervised: limits and scheduling of processes inside, and of no others") {
  if (!live::has_abi(6)) return;
  const std::string me = std::to_string(::getpid());
  const pid_t victim = live::fork_child();
  if (victim == 0) {
    ::pause();
    ::_exit(0);
  }
  const std::string other = std::to_string(victim);
  for (const std::string_view how : {"prlimit", "setpriority", "ioprio_set", "sched_setscheduler",
                                     "sched_setparam", "sched_setaffinity"}) {
    CAPTURE(std::string(how));
    CHECK(live::without_sandbox({"limits", other, how}) == 0);
    CHECK(supervised(nono::capability_set(), {"limits", other, how}) == EPERM);
    CHECK(supervised(nono::capability_set(), {"limits", me, how}) == EPERM);  // the supervisor's own process
    CHECK(supervised(nono::capability_set(), {"limits", "1", how}) == EPERM);
    CHECK(supervised(nono::capability_set(), {"limits-inside", how}) == 0);
    CHECK(supervised(nono::capability_set(), {"limits", "0", how}) == 0);
  }
  (void)::kill(victim, SIGKILL);
  (void)::waitpid(victim, nullptr, 0);
}
