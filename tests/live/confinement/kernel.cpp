// SPDX-License-Identifier: Apache-2.0
// The kernel itself: namespaces, mounts, key rings, and the calls that exploits begin with. What would do harm is asked
// for something impossible: who may not ask is told so first, and that is the difference that is looked for.
#include "attempts.hpp"

#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.hpp"

namespace attempts {
namespace {

constexpr long session_keyring = -3;  // KEY_SPEC_SESSION_KEYRING
constexpr long keyctl_search = 10;
constexpr long keyctl_read = 11;

/// Ends the child that a successful clone made, and takes note of it.
void cloned(const char* call, long pid) {
  if (pid == 0) ::_exit(0);
  check(call, pid);
  (void)::waitpid(static_cast<pid_t>(pid), nullptr, __WALL);
}

void clone3_user(const facts&) {
  std::uint64_t arguments[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
  cloned("clone3", ::syscall(SYS_clone3, arguments, sizeof arguments));
}

/// Taken down again at once.
void mount_over(const facts& f) {
  const std::string where = f.outside("empty");
  check("mount", ::mount("none", where.c_str(), "tmpfs", 0, nullptr));
  (void)::umount2(where.c_str(), MNT_DETACH);
}

/// In namespaces of one's own, where everybody may mount.
void mount_in_own_namespace(const facts& f) {
  check("unshare", ::unshare(CLONE_NEWUSER | CLONE_NEWNS));
  check("mount", ::mount("none", f.work(".").c_str(), "tmpfs", 0, nullptr));
}

void change_root(const facts& f) {
  check("chroot", ::chroot(f.outside(".").c_str()));
  print_file("/secret");
}

void join_namespace(const facts&) {
  const int fd = open_file("/proc/self/ns/uts", O_RDONLY);
  check("setns", ::setns(fd, CLONE_NEWUTS));
}

void make_map(const facts&) {
  bpf_attr map{};
  map.map_type = BPF_MAP_TYPE_ARRAY;
  map.key_size = 4;
  map.value_size = 4;
  map.max_entries = 1;
  check("bpf", ::syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map));
}

void count_events(const facts&) {
  perf_event_attr what{};
  what.type = PERF_TYPE_SOFTWARE;
  what.size = sizeof what;
  what.config = PERF_COUNT_SW_PAGE_FAULTS;
  what.exclude_kernel = 1;
  check("perf_event_open", ::syscall(SYS_perf_event_open, &what, 0, -1, -1, 0));
}

void read_key(const facts& f) {
  const long key = check("keyctl SEARCH", ::syscall(SYS_keyctl, keyctl_search, session_keyring, "user",
                                                    f.text("key").c_str(), 0));
  char text[256];
  const long n = check("keyctl READ", ::syscall(SYS_keyctl, keyctl_read, key, text, sizeof text));
  print({text, static_cast<std::size_t>(n)});
}

#if defined(__x86_64__)
/// getpid by the entry for 32-bit programs, in a child: where there is none, it is killed.
void old_entry(const facts&) {
  const pid_t child = check("fork", ::fork());
  if (child == 0) {
    long got = 20;  // getpid, over there
    asm volatile("int $0x80" : "+a"(got) : : "memory", "r8", "r9", "r10", "r11");
    ::_exit(got == ::getpid() ? 0 : static_cast<int>(-got));
  }
  int status = 0;
  check("waitpid", ::waitpid(child, &status, 0));
  const int error = WIFEXITED(status) ? WEXITSTATUS(status) : ENOSYS;
  if (error != 0) throw stopped{"int 0x80", error};
}
void x32_entry(const facts&) { check("x32 getpid", ::syscall(0x40000000L | SYS_getpid)); }
void io_ports(const facts&) { check("ioperm", ::syscall(SYS_ioperm, 0x80, 1, 1)); }
#else
void old_entry(const facts&) { throw cannot{"not on this architecture"}; }
void x32_entry(const facts&) { throw cannot{"not on this architecture"}; }
void io_ports(const facts&) { throw cannot{"not on this architecture"}; }
#endif

void kernel_log(const facts&) {
  static char text[4096];
  check("syslog", ::klogctl(3, text, sizeof text));
}

void set_host_name(const facts&) {
  char name[256] = {};
  check("gethostname", ::gethostname(name, sizeof name - 1));
  check("sethostname", ::sethostname(name, std::strlen(name)));
}

constexpr attempt all[] = {
    {"user_namespace", proof::call, "makes a user namespace",
     [](const facts&) { check("unshare", ::unshare(CLONE_NEWUSER)); }},
    {"user_namespace_by_clone", proof::call, "makes one by clone()",
     [](const facts&) { cloned("clone", ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }},
    {"user_namespace_by_clone3", proof::call, "makes one by clone3()", clone3_user},
    {"mount_namespace", proof::call, "makes a mount namespace",
     [](const facts&) { check("unshare", ::unshare(CLONE_NEWNS)); }, needs::root},
    {"network_namespace", proof::call, "makes a network namespace",
     [](const facts&) { check("unshare", ::unshare(CLONE_NEWNET)); }, needs::root},
    {"setns", proof::call, "enters a namespace", join_namespace, needs::root},
    {"mount", proof::call, "mounts a file system", mount_over, needs::root},
    {"mount_in_own_namespace", proof::call, "mounts one in namespaces of its own", mount_in_own_namespace},
    {"umount", proof::call, "is allowed to unmount",
     [](const facts& f) { refused_later("umount2", ::umount2(f.work(".").c_str(), 0), {EINVAL}); },
     needs::root},
    {"pivot_root", proof::call, "is allowed to change the root of all processes",
     [](const facts& f) {
       const std::string here = f.work(".");
       refused_later("pivot_root", ::syscall(SYS_pivot_root, here.c_str(), here.c_str()), {EINVAL, EBUSY});
     },
     needs::root},
    {"chroot", proof::secret, "makes a directory outside its root", change_root, needs::root},
    {"fsopen", proof::call, "opens a file system to be mounted",
     [](const facts&) { check("fsopen", ::syscall(SYS_fsopen, "tmpfs", 0)); }, needs::root},
    {"open_tree", proof::call, "clones a tree of mounts",
     [](const facts& f) { check("open_tree", ::syscall(SYS_open_tree, AT_FDCWD, f.work(".").c_str(), 1)); },
     needs::root},
    {"bpf", proof::call, "makes a BPF map", make_map, needs::root},
    {"perf_event", proof::call, "counts performance events", count_events},
    {"userfaultfd", proof::call, "handles its own page faults",
     [](const facts&) { check("userfaultfd", ::syscall(SYS_userfaultfd, O_CLOEXEC | 1)); }},
    {"io_uring", proof::call, "makes an io_uring", [](const facts&) { const ring r; }},
    {"read_key", proof::secret, "reads a key of the session's key ring", read_key},
    {"add_key", proof::change, "adds a key to the session's key ring",
     [](const facts&) {
       check("add_key", ::syscall(SYS_add_key, "user", "nono-added", "x", 1, session_keyring));
     }},
    {"request_key", proof::call, "finds a key of the session's key ring",
     [](const facts& f) {
       check("request_key", ::syscall(SYS_request_key, "user", f.text("key").c_str(), nullptr, 0));
     }},
    {"i386_entry", proof::call, "makes a call by the entry for 32-bit programs", old_entry},
    {"x32_entry", proof::call, "makes a call by the x32 entry", x32_entry},
    {"kernel_log", proof::call, "reads the kernel's log", kernel_log},
    {"kernel_log_device", proof::call, "reads the kernel's log from /dev/kmsg",
     [](const facts&) { print_from(open_file("/dev/kmsg", O_RDONLY | O_NONBLOCK)); }},
    {"ports", proof::call, "gets access to I/O ports", io_ports, needs::root},
    {"module", proof::call, "is allowed to load a kernel module",
     [](const facts&) { refused_later("finit_module", ::syscall(SYS_finit_module, -1, "", 0), {EBADF}); },
     needs::root},
    {"swap", proof::call, "is allowed to add swap space",
     [](const facts& f) {
       refused_later("swapon", ::syscall(SYS_swapon, f.work("none").c_str(), 0), {ENOENT});
     },
     needs::root},
    {"reboot", proof::call, "is allowed to restart the machine",
     [](const facts&) { refused_later("reboot", ::syscall(SYS_reboot, 0, 0, 0, nullptr), {EINVAL}); },
     needs::root},
    {"host_name", proof::call, "sets the name of the machine", set_host_name, needs::root},
};

}  // namespace

const std::span<const attempt> kernel_attempts = all;

}  // namespace attempts
