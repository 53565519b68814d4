// SPDX-License-Identifier: Apache-2.0
// What is said about files rather than in them: modes, owners, dates, attributes, names. By every call that has a name
// for it, because one that is forgotten is the hole.
#include "attempts.hpp"

#include <ctime>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "ring.hpp"

namespace attempts {
namespace {

constexpr long call_setxattrat = 463;
constexpr long call_fchmodat2 = 452;
constexpr long call_removexattrat = 466;
constexpr long call_file_setattr = 469;
#if defined(SYS_utime)
constexpr long call_utime = SYS_utime;
constexpr long call_utimes = SYS_utimes;
constexpr long call_futimesat = SYS_futimesat;
#else  // newer architectures were spared these
constexpr long call_utime = -1;
constexpr long call_utimes = -1;
constexpr long call_futimesat = -1;
#endif
constexpr timespec long_ago[2] = {{1000, 0}, {1000, 0}};
constexpr const char* label = "user.nono";

int shared_for_reading(const facts& f) { return open_file(f.shared("file"), O_RDONLY); }

// Some file systems have no such attributes: then there is nothing to try.
void labelled(const char* call, long got) {
  if (got < 0 && errno == EOPNOTSUPP) throw cannot{"this file system has no user attributes"};
  check(call, got);
}

void read_label(const facts& f) {
  char text[256];
  const ssize_t n = ::getxattr(f.outside("secret").c_str(), label, text, sizeof text);
  labelled("getxattr", n);
  print({text, static_cast<std::size_t>(n)});
}

void set_label_at(const facts& f) {
  struct {
    std::uint64_t value;
    std::uint32_t size = 7, flags = 0;
  } what{ring::address("changed")};
  labelled("setxattrat",
           ::syscall(call_setxattrat, AT_FDCWD, f.outside("file").c_str(), 0, label, &what, sizeof what));
}

void set_label_by_ring(const facts& f) {
  ring r;
  const std::string path = f.outside("file");
  io_uring_sqe set{};
  set.opcode = IORING_OP_SETXATTR;
  set.addr = ring::address(label);
  set.addr2 = ring::address("changed");
  set.addr3 = ring::address(path.c_str());
  set.len = 7;
  r.submit("io_uring setxattr", set);
}

void set_flags(const facts& f) {
  const int fd = shared_for_reading(f);
  int flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) throw cannot{"this file system has no flags"};
  flags |= FS_NODUMP_FL;
  check("ioctl FS_IOC_SETFLAGS", ::ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

void set_extended_flags(const facts& f) {
  const int fd = shared_for_reading(f);
  fsxattr flags{};
  if (::ioctl(fd, FS_IOC_FSGETXATTR, &flags) != 0) throw cannot{"this file system has no flags"};
  flags.fsx_xflags |= FS_XFLAG_NODUMP;
  check("ioctl FS_IOC_FSSETXATTR", ::ioctl(fd, FS_IOC_FSSETXATTR, &flags));
}

/// As FS_IOC_FSSETXATTR, but by name: nothing need be opened.
void set_flags_by_name(const facts& f) {
  struct {
    std::uint64_t flags = FS_XFLAG_NODUMP;
    std::uint32_t extent = 0, extents = 0, project = 0, copy_extent = 0;
  } what;
  const long got = ::syscall(call_file_setattr, AT_FDCWD, f.outside("file").c_str(), &what, sizeof what, 0);
  if (got < 0 && errno == EOPNOTSUPP) throw cannot{"this file system has no flags"};
  check("file_setattr", got);
}

/// The driver makes a file when it is asked to; its name is the secret.
void watch_names(const facts& f) {
  const int fd = check("inotify_init1", ::inotify_init1(IN_CLOEXEC));
  check("inotify_add_watch", ::inotify_add_watch(fd, f.outside(".").c_str(), IN_CREATE));
  print("watching");
  print_from(fd);
}

void read_link(const facts& f) {
  char text[256];
  const ssize_t n = check("readlink", ::readlink(f.outside("points").c_str(), text, sizeof text));
  print({text, static_cast<std::size_t>(n)});
}

constexpr attempt all[] = {
    {"stat", proof::call, "sees size and dates of a file",
     [](const facts& f) {
       struct stat st{};
       check("stat", ::stat(f.outside("secret").c_str(), &st));
     }},
    {"access", proof::call, "asks whether a file could be read",
     [](const facts& f) { check("access", ::access(f.outside("secret").c_str(), R_OK)); }},
    {"readlink", proof::secret, "reads where a symbolic link points", read_link},
    {"getxattr", proof::secret, "reads an extended attribute", read_label},
    {"watch_names", proof::secret, "sees the name of a file that somebody makes", watch_names},
    {"chmod", proof::change, "changes the mode of a file",
     [](const facts& f) { check("chmod", ::chmod(f.outside("file").c_str(), 0666)); }},
    {"fchmodat", proof::change, "changes it by fchmodat()",
     [](const facts& f) { check("fchmodat", ::fchmodat(AT_FDCWD, f.outside("file").c_str(), 0666, 0)); }},
    {"fchmodat2", proof::change, "changes it by fchmodat2()",
     [](const facts& f) {
       check("fchmodat2",
             ::syscall(call_fchmodat2, AT_FDCWD, f.outside("file").c_str(), 0666, AT_SYMLINK_NOFOLLOW));
     }},
    {"chmod_by_symlink", proof::change, "changes it by a symbolic link in the work directory",
     [](const facts& f) { check("chmod", ::chmod(f.work("link_to_file").c_str(), 0666)); }},
    {"chmod_by_path_descriptor", proof::change, "changes it by an O_PATH descriptor and /proc/self/fd",
     [](const facts& f) {
       const int fd = open_file(f.outside("file"), O_PATH);
       check("chmod", ::chmod(("/proc/self/fd/" + std::to_string(fd)).c_str(), 0666));
     }},
    {"fchmodat2_by_path_descriptor", proof::change, "changes it by an O_PATH descriptor without any name",
     [](const facts& f) {
       const int fd = open_file(f.outside("file"), O_PATH);
       check("fchmodat2", ::syscall(call_fchmodat2, fd, "", 0666, AT_EMPTY_PATH));
     }},
    {"chmod_shared", proof::change, "changes the mode of a file that is granted for reading",
     [](const facts& f) { check("chmod", ::chmod(f.shared("file").c_str(), 0666)); }},
    {"fchmod_shared", proof::change, "changes it by a descriptor that was opened for reading",
     [](const facts& f) { check("fchmod", ::fchmod(shared_for_reading(f), 0666)); }},
    {"chown", proof::change, "gives a file away",
     [](const facts& f) { check("chown", ::chown(f.outside("file").c_str(), 1, 1)); }, needs::root},
    {"lchown", proof::change, "gives a symbolic link away",
     [](const facts& f) { check("lchown", ::lchown(f.outside("points").c_str(), 1, 1)); }, needs::root},
    {"fchown_shared", proof::change, "gives a file away by a descriptor that was opened for reading",
     [](const facts& f) { check("fchown", ::fchown(shared_for_reading(f), 1, 1)); }, needs::root},
    {"chown_by_path_descriptor", proof::change, "gives a file away by an O_PATH descriptor",
     [](const facts& f) {
       const int fd = open_file(f.outside("file"), O_PATH);
       check("fchownat", ::fchownat(fd, "", 1, 1, AT_EMPTY_PATH));
     },
     needs::root},
    {"utime", proof::change, "sets the dates of a file by utime()",
     [](const facts& f) {
       const utimbuf old{1000, 1000};
       check("utime", ::syscall(call_utime, f.outside("file").c_str(), &old));
     }},
    {"utimes", proof::change, "sets them by utimes()",
     [](const facts& f) {
       const timeval old[2] = {{1000, 0}, {1000, 0}};
       check("utimes", ::syscall(call_utimes, f.outside("file").c_str(), old));
     }},
    {"futimesat", proof::change, "sets them by futimesat()",
     [](const facts& f) {
       const timeval old[2] = {{1000, 0}, {1000, 0}};
       check("futimesat", ::syscall(call_futimesat, AT_FDCWD, f.outside("file").c_str(), old));
     }},
    {"utimensat", proof::change, "sets them by utimensat()",
     [](const facts& f) {
       check("utimensat", ::utimensat(AT_FDCWD, f.outside("file").c_str(), long_ago, AT_SYMLINK_NOFOLLOW));
     }},
    {"utimensat_by_path_descriptor", proof::change, "sets them by an O_PATH descriptor",
     [](const facts& f) {
       const int fd = open_file(f.outside("file"), O_PATH);
       check("utimensat", ::utimensat(fd, "", long_ago, AT_EMPTY_PATH));
     }},
    {"futimens_shared", proof::change, "sets the dates of a file that is granted for reading",
     [](const facts& f) { check("futimens", ::futimens(shared_for_reading(f), long_ago)); }},
    {"setxattr", proof::change, "sets an extended attribute",
     [](const facts& f) {
       labelled("setxattr", ::setxattr(f.outside("file").c_str(), label, "changed", 7, 0));
     }},
    {"lsetxattr", proof::change, "sets it by lsetxattr()",
     [](const facts& f) {
       labelled("lsetxattr", ::lsetxattr(f.outside("file").c_str(), label, "changed", 7, 0));
     }},
    {"fsetxattr_shared", proof::change, "sets it on a file that is granted for reading",
     [](const facts& f) {
       labelled("fsetxattr", ::fsetxattr(shared_for_reading(f), label, "changed", 7, 0));
     }},
    {"setxattrat", proof::change, "sets it by setxattrat()", set_label_at},
    {"setxattr_by_io_uring", proof::change, "sets it through a ring", set_label_by_ring},
    {"removexattr", proof::change, "removes an extended attribute",
     [](const facts& f) { labelled("removexattr", ::removexattr(f.outside("secret").c_str(), label)); }},
    {"removexattrat", proof::change, "removes it by removexattrat()",
     [](const facts& f) {
       labelled("removexattrat",
                ::syscall(call_removexattrat, AT_FDCWD, f.outside("secret").c_str(), 0, label));
     }},
    {"set_flags_shared", proof::change, "sets the flags of a file that is granted for reading", set_flags},
    {"set_extended_flags_shared", proof::change, "sets them by the newer ioctl", set_extended_flags},
    {"file_setattr", proof::change, "sets the flags of a file by its name", set_flags_by_name},
};

}  // namespace

const std::span<const attempt> metadata_attempts = all;

}  // namespace attempts
