// SPDX-License-Identifier: Apache-2.0
// Files outside every grant: their content, their directories, and the roads that lead to them.
#include "attempts.hpp"

#include <cstdio>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.hpp"

namespace attempts {
namespace {

void execute(const facts& f) {
  const std::string program = f.outside("program");
  char* argv[] = {const_cast<char*>(program.c_str()), nullptr};
  char* environment[] = {nullptr};
  check("execve", ::execve(program.c_str(), argv, environment));
}

/// In a child: the shell's exit code says nothing to the driver.
void interpret(const facts& f) {
  const std::string program = f.outside("program");
  const pid_t child = check("fork", ::fork());
  if (child == 0) {
    ::execl("/bin/sh", "sh", program.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  check("waitpid", ::waitpid(child, &status, 0));
  if (status != 0) throw stopped{"the shell could not read it", EACCES};
}

void bind_socket_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  const int fd = check("socket", ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check("bind", ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

/// The handle names the inode, so no path is looked up when it is opened.
void open_by_handle(const facts& f) {
  alignas(file_handle) char space[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* handle = reinterpret_cast<file_handle*>(space);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  const int named = ::name_to_handle_at(AT_FDCWD, f.outside("secret").c_str(), handle, &mount, 0);
  if (named < 0 && errno == EOPNOTSUPP) throw cannot{"this file system gives no handles"};
  check("name_to_handle_at", named);
  const int here = open_file(f.work("."), O_RDONLY | O_DIRECTORY);
  print_from(check("open_by_handle_at", ::open_by_handle_at(here, handle, O_RDONLY | O_CLOEXEC)));
}

constexpr const char* no_disk = "the file system lies on no disk that this root may read";

/// A device node of one's own for the disk that holds the file system: every file rule is above it.
void read_disk_by_own_node(const facts& f) {
  if (f.text("disk").empty()) throw cannot{no_disk};
  struct stat here{};
  check("stat", ::stat(f.work(".").c_str(), &here));
  const std::string node = f.work("disk");
  check("mknod", ::mknod(node.c_str(), S_IFBLK | 0600, here.st_dev));
  print_file(node);
}

void read_disk(const facts& f) {
  if (f.text("disk").empty()) throw cannot{no_disk};
  print_file(f.text("disk"));
}

void reopen_by_path_descriptor(const facts& f) {
  const int fd = open_file(f.outside("secret"), O_PATH);
  print_file("/proc/self/fd/" + std::to_string(fd));
}

void openat2_outside(const facts& f) {
  const std::uint64_t how[3] = {O_RDONLY | O_CLOEXEC, 0, 0};
  print_from(static_cast<int>(
      check("openat2", ::syscall(SYS_openat2, AT_FDCWD, f.outside("secret").c_str(), how, sizeof how))));
}

void open_by_ring(const facts& f) {
  ring r;
  const std::string path = f.outside("secret");
  io_uring_sqe open{};
  open.opcode = IORING_OP_OPENAT;
  open.fd = AT_FDCWD;
  open.addr = ring::address(path.c_str());
  print_from(r.submit("io_uring openat", open));
}

void unnamed_file(const facts& f) {
  const int fd = open_file(f.outside("."), O_TMPFILE | O_RDWR);
  const std::string name = "/proc/self/fd/" + std::to_string(fd);
  check("linkat", ::linkat(AT_FDCWD, name.c_str(), AT_FDCWD, f.outside("new").c_str(), AT_SYMLINK_FOLLOW));
}

void link_in(const facts& f) {
  check("link", ::link(f.outside("secret").c_str(), f.work("linked").c_str()));
  print_file(f.work("linked"));
}

void move_in(const facts& f) {
  check("rename", ::rename(f.outside("secret").c_str(), f.work("moved").c_str()));
  print_file(f.work("moved"));
}

void core_pattern(const facts&) {
  // Written back as it is.
  const char* file = "/proc/sys/kernel/core_pattern";
  char text[256];
  const ssize_t n = check("read", ::read(open_file(file, O_RDONLY), text, sizeof text));
  check("write", ::write(open_file(file, O_WRONLY), text, static_cast<std::size_t>(n)));
}

constexpr attempt all[] = {
    {"read", proof::secret, "reads a file", [](const facts& f) { print_file(f.outside("secret")); }},
    {"write", proof::change, "writes to a file",
     [](const facts& f) { put(open_file(f.outside("file"), O_WRONLY)); }},
    {"append", proof::change, "appends to a file",
     [](const facts& f) { put(open_file(f.outside("file"), O_WRONLY | O_APPEND)); }},
    {"write_shared", proof::change, "writes to a file that is granted for reading",
     [](const facts& f) { put(open_file(f.shared("file"), O_RDWR)); }},
    {"truncate", proof::change, "empties a file by truncate()",
     [](const facts& f) { check("truncate", ::truncate(f.outside("file").c_str(), 0)); }},
    {"open_truncate", proof::change, "empties a file by opening it for reading with O_TRUNC",
     [](const facts& f) { open_file(f.outside("file"), O_RDONLY | O_TRUNC); }},
    {"open_truncate_shared", proof::change, "the same with a file that is granted for reading",
     [](const facts& f) { open_file(f.shared("file"), O_RDONLY | O_TRUNC); }},
    {"create", proof::change, "makes a file",
     [](const facts& f) { open_file(f.outside("new"), O_WRONLY | O_CREAT | O_EXCL); }},
    {"unnamed_file", proof::change, "makes a file without a name, and then gives it one", unnamed_file},
    {"unlink", proof::change, "removes a file",
     [](const facts& f) { check("unlink", ::unlink(f.outside("file").c_str())); }},
    {"rename", proof::change, "renames a file",
     [](const facts& f) { check("rename", ::rename(f.outside("file").c_str(), f.outside("new").c_str())); }},
    {"exchange", proof::change, "swaps two files",
     [](const facts& f) {
       check("renameat2", ::renameat2(AT_FDCWD, f.outside("file").c_str(), AT_FDCWD,
                                      f.outside("secret").c_str(), RENAME_EXCHANGE));
     }},
    {"move_in", proof::secret, "moves a file into the work directory and reads it there", move_in},
    {"move_out", proof::change, "moves a file out of the work directory",
     [](const facts& f) { check("rename", ::rename(f.work("own").c_str(), f.outside("new").c_str())); }},
    {"link_in", proof::secret, "links a file into the work directory and reads it there", link_in},
    {"link_out", proof::change, "links a file of the work directory to outside",
     [](const facts& f) { check("link", ::link(f.work("own").c_str(), f.outside("new").c_str())); }},
    {"symlink", proof::change, "makes a symbolic link",
     [](const facts& f) { check("symlink", ::symlink("target", f.outside("new").c_str())); }},
    {"mkdir", proof::change, "makes a directory",
     [](const facts& f) { check("mkdir", ::mkdir(f.outside("new").c_str(), 0755)); }},
    {"rmdir", proof::change, "removes a directory",
     [](const facts& f) { check("rmdir", ::rmdir(f.outside("empty").c_str())); }},
    {"make_fifo", proof::change, "makes a FIFO",
     [](const facts& f) { check("mkfifo", ::mkfifo(f.outside("new").c_str(), 0644)); }},
    {"make_socket", proof::change, "makes a socket by binding it",
     [](const facts& f) { bind_socket_at(f.outside("new")); }},
    {"make_device", proof::change, "makes a device node",
     [](const facts& f) { check("mknod", ::mknod(f.outside("new").c_str(), S_IFCHR | 0600, makedev(1, 3))); },
     needs::root},
    {"list", proof::secret, "lists a directory",
     [](const facts& f) {
       const int fd = open_file(f.outside("."), O_RDONLY | O_DIRECTORY);
       char entries[8192];
       const long n = check("getdents64", ::syscall(SYS_getdents64, fd, entries, sizeof entries));
       print({entries, static_cast<std::size_t>(n)});
     }},
    {"execute", proof::secret, "runs a program", execute},
    {"interpret", proof::secret, "gives a program to the shell to read", interpret},
    {"by_parent", proof::secret, "reads by way of '..' from the work directory",
     [](const facts& f) { print_file(f.work("../outside/secret")); }},
    {"by_symlink", proof::secret, "reads by a symbolic link in the work directory",
     [](const facts& f) { print_file(f.work("link")); }},
    {"write_by_symlink", proof::change, "writes by a symbolic link in the work directory",
     [](const facts& f) { put(open_file(f.work("link_to_file"), O_WRONLY)); }},
    {"by_own_root", proof::secret, "reads by way of /proc/self/root",
     [](const facts& f) { print_file("/proc/self/root" + f.outside("secret")); }},
    {"by_root_of_another", proof::secret, "reads by way of another process's /proc/PID/root",
     [](const facts& f) { print_file(f.victim_proc("root") + f.outside("secret")); }},
    {"by_directory_of_another", proof::secret, "reads by way of another process's /proc/PID/cwd",
     [](const facts& f) { print_file(f.victim_proc("cwd/secret")); }},
    {"by_descriptor_of_another", proof::secret, "reads by way of another process's /proc/PID/fd",
     [](const facts& f) { print_file(f.victim_proc("fd/" + f.text("victim_fd"))); }},
    {"by_path_descriptor", proof::secret, "opens with O_PATH, and opens that for reading",
     reopen_by_path_descriptor},
    {"by_openat2", proof::secret, "reads by openat2()", openat2_outside},
    {"by_handle", proof::secret, "opens the inode by its handle", open_by_handle, needs::root},
    {"by_io_uring", proof::secret, "opens through a ring that no filter looks into", open_by_ring},
    {"hard_link_from_before", proof::secret, "reads a hard link that was in the work directory before",
     [](const facts& f) { print_file(f.work("hard_link")); }},
    {"setuid_program", proof::change,
     "leaves a program in the work directory that runs as its owner, for others to call",
     [](const facts& f) { check("chmod", ::chmod(f.work("own").c_str(), 04755)); }},
    {"disk", proof::call, "reads the disk below the file system", read_disk, needs::root},
    {"disk_by_own_node", proof::call, "makes a node for the disk in the work directory and reads it",
     read_disk_by_own_node, needs::root},
    {"core_pattern", proof::call, "writes the kernel's core_pattern, which names a program that it runs",
     core_pattern, needs::root},
};

}  // namespace

const std::span<const attempt> file_attempts = all;

}  // namespace attempts
