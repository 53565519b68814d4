// SPDX-License-Identifier: Apache-2.0
// The seccomp filter as a data table: one row says which call is refused, for which argument, with which errno and
// why.
#pragma once

#if defined(__linux__)
#include <cerrno>
#include <cstdint>
#include <string_view>

#include <linux/audit.h>
#include <sys/syscall.h>

#include <nono/protection.hpp>

namespace nono {

/// A test of one argument's low 32 bits: what the kernel itself looks at in every call of the table.
struct argument_test {
  enum class kind : std::uint8_t { always, equals, differs, any_bit };
  kind how = kind::always;
  std::uint8_t argument = 0;  ///< 0 to 5
  std::uint32_t value = 0;    ///< compared after masking; for any_bit the bits
  std::uint32_t mask = 0xffffffffU;

  [[nodiscard]] constexpr bool matches(std::uint32_t got) const noexcept {
    switch (how) {
      case kind::always:
        return true;
      case kind::equals:
        return (got & mask) == value;
      case kind::differs:
        return (got & mask) != value;
      case kind::any_bit:
        return (got & value) != 0;
    }
    return true;
  }
};

/// One row: the first row of a call that matches decides; a call without a matching row is allowed.
struct filter_row {
  int call;
  argument_test test;
  int refusal;  ///< the errno; 0 allows
  protection id;
  std::string_view reason;
  bool decided = false;     ///< with a supervisor, that one decides; without one the row stands
  argument_test also = {};  ///< has to match as well
};

namespace detail::filter {

using enum argument_test::kind;
constexpr argument_test when(std::uint8_t argument, std::uint32_t value, std::uint32_t mask = 0xffffffffU) {
  return {equals, argument, value, mask};
}
constexpr argument_test unless(std::uint8_t argument, std::uint32_t value, std::uint32_t mask = 0xffffffffU) {
  return {differs, argument, value, mask};
}
constexpr argument_test bits(std::uint8_t argument, std::uint32_t set) {
  return {any_bit, argument, set, ~0U};
}
inline constexpr argument_test any{};

// Source: linux/sched.h. CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
inline constexpr std::uint32_t new_namespaces = 0x7e020000U;
inline constexpr std::uint32_t new_time_namespace =
    0x00000080U;  // unshare only: clone keeps its signal there
inline constexpr std::uint32_t tiocsti = 0x5412U;
inline constexpr std::uint32_t tioclinux = 0x541cU;
inline constexpr std::uint32_t family_unix = 1;
inline constexpr std::uint32_t family_inet = 2;
inline constexpr std::uint32_t family_inet6 = 10;
inline constexpr std::uint32_t family_netlink = 16;
inline constexpr std::uint32_t type_stream = 1;
inline constexpr std::uint32_t type_datagram = 2;
inline constexpr std::uint32_t type_raw = 3;
inline constexpr std::uint32_t type_mask = 0xf;
inline constexpr std::uint32_t level_tcp = 6;
inline constexpr std::uint32_t tcp_ulp = 31;
inline constexpr std::uint32_t msg_fastopen = 0x20000000U;
inline constexpr std::uint32_t open_access_and_truncate = 0x203U;  // O_ACCMODE | O_TRUNC
inline constexpr std::uint32_t open_truncate = 0x200U;
inline constexpr int call_open_tree_attr = 467;
inline constexpr int call_mount_setattr = 442;
inline constexpr int call_fchmodat2 = 452;
inline constexpr int call_setxattrat = 463;
inline constexpr int call_removexattrat = 466;
inline constexpr int call_file_setattr = 469;
inline constexpr std::uint32_t set_flags = 0x40086602U;    // FS_IOC_SETFLAGS
inline constexpr std::uint32_t set_fsxattr = 0x401c5820U;  // FS_IOC_FSSETXATTR

/// In every sandbox, whatever its network.
inline constexpr filter_row baseline[] = {
    {SYS_ioctl, when(1, tiocsti), EPERM, protection::terminal_input, "TIOCSTI types into the terminal"},
    {SYS_ioctl, when(1, tioclinux), EPERM, protection::terminal_input, "TIOCLINUX pastes into the console"},
    {SYS_prlimit64, unless(0, 0), EPERM, protection::process_limits, "limits of another process", true},
    {SYS_setpriority, unless(0, 0), EPERM, protection::scheduling, "priority of a group or user"},
    {SYS_setpriority, unless(1, 0), EPERM, protection::scheduling, "priority of another process", true},
    {SYS_ioprio_set, unless(0, 1), EPERM, protection::scheduling, "I/O priority of a group or user"},
    {SYS_ioprio_set, unless(1, 0), EPERM, protection::scheduling, "I/O priority of another process", true},
    {SYS_sched_setparam, unless(0, 0), EPERM, protection::scheduling, "scheduling of another process", true},
    {SYS_sched_setscheduler, unless(0, 0), EPERM, protection::scheduling, "scheduling of another process",
     true},
    {SYS_sched_setattr, unless(0, 0), EPERM, protection::scheduling, "scheduling of another process", true},
    {SYS_keyctl, any, EPERM, protection::keyring, "kernel key rings"},
    {SYS_add_key, any, EPERM, protection::keyring, "kernel key rings"},
    {SYS_request_key, any, EPERM, protection::keyring, "kernel key rings"},
    {SYS_clone, bits(0, new_namespaces), EPERM, protection::namespaces, "a new namespace"},
    // clone3 passes its flags in memory, where no filter can look: libc falls back to clone.
    {SYS_clone3, any, ENOSYS, protection::namespaces, "clone3, whose flags cannot be seen"},
    {SYS_unshare, bits(0, new_namespaces | new_time_namespace), EPERM, protection::namespaces,
     "a new namespace"},
    {SYS_setns, any, EPERM, protection::namespaces, "entering a namespace"},
    {SYS_mount, any, EPERM, protection::mounts, "mounting"},
    {SYS_umount2, any, EPERM, protection::mounts, "unmounting"},
    {SYS_pivot_root, any, EPERM, protection::mounts, "changing the root"},
    {SYS_open_tree, any, EPERM, protection::mounts, "mounting"},
    {call_open_tree_attr, any, EPERM, protection::mounts, "mounting"},
    {SYS_move_mount, any, EPERM, protection::mounts, "mounting"},
    {SYS_fsopen, any, EPERM, protection::mounts, "mounting"},
    {SYS_fsconfig, any, EPERM, protection::mounts, "mounting"},
    {SYS_fsmount, any, EPERM, protection::mounts, "mounting"},
    {SYS_fspick, any, EPERM, protection::mounts, "mounting"},
    {call_mount_setattr, any, EPERM, protection::mounts, "mounting"},
    {SYS_bpf, any, EPERM, protection::kernel_surface, "bpf"},
    {SYS_perf_event_open, any, EPERM, protection::kernel_surface, "perf_event_open"},
    {SYS_userfaultfd, any, EPERM, protection::kernel_surface, "userfaultfd"},
    {SYS_io_uring_setup, any, ENOSYS, protection::io_uring, "io_uring"},
    {SYS_io_uring_enter, any, ENOSYS, protection::io_uring, "an io_uring ring that was open before"},
    {SYS_io_uring_register, any, ENOSYS, protection::io_uring, "an io_uring ring that was open before"},
    {SYS_process_vm_readv, any, EPERM, protection::process_memory, "memory of another process"},
    {SYS_process_vm_writev, any, EPERM, protection::process_memory, "memory of another process"},
    {SYS_shmget, any, EPERM, protection::ipc, "System V shared memory"},
    {SYS_shmat, any, EPERM, protection::ipc, "System V shared memory"},
    {SYS_shmctl, any, EPERM, protection::ipc, "System V shared memory"},
    {SYS_semget, any, EPERM, protection::ipc, "System V semaphores"},
    {SYS_semctl, any, EPERM, protection::ipc, "System V semaphores"},
    {SYS_semop, any, EPERM, protection::ipc, "System V semaphores"},
    {SYS_semtimedop, any, EPERM, protection::ipc, "System V semaphores"},
    {SYS_msgget, any, EPERM, protection::ipc, "System V message queues"},
    {SYS_msgctl, any, EPERM, protection::ipc, "System V message queues"},
    {SYS_msgsnd, any, EPERM, protection::ipc, "System V message queues"},
    {SYS_msgrcv, any, EPERM, protection::ipc, "System V message queues"},
    {SYS_mq_open, any, EPERM, protection::ipc, "POSIX message queues"},
    {SYS_mq_unlink, any, EPERM, protection::ipc, "POSIX message queues"},
};

/// Added where a supervisor can tell who is inside the sandbox. Without one it stays open: threads pin each other.
inline constexpr filter_row affinity_rows[] = {
    {SYS_sched_setaffinity, unless(0, 0), EPERM, protection::cpu_affinity, "processors of another process",
     true},
};

/// unix_sockets(granted) below ABI 9, under a supervisor: it decides each connection. After the rows of the network,
/// which may refuse to listen at all.
inline constexpr filter_row unix_call_rows[] = {
    {SYS_connect, any, EACCES, protection::pathname_unix, "a connection", true},
    {SYS_listen, any, EACCES, protection::pathname_unix, "a server of the sandbox's own", true},
};
/// With them, and with unix_sockets(none): a datagram names its receiver in memory, where no filter can look, so there are no
/// datagram sockets (SOCK_RAW is one too). Before the rows of the network.
inline constexpr filter_row unix_datagram_rows[] = {
    {SYS_socket, when(0, family_unix), EACCES, protection::pathname_unix, "unix datagram sockets", false,
     when(1, type_datagram, type_mask)},
    {SYS_socket, when(0, family_unix), EACCES, protection::pathname_unix, "unix datagram sockets", false,
     when(1, type_raw, type_mask)},
    {SYS_socketpair, when(0, family_unix), EACCES, protection::pathname_unix, "unix datagram sockets", false,
     when(1, type_datagram, type_mask)},
    {SYS_socketpair, when(0, family_unix), EACCES, protection::pathname_unix, "unix datagram sockets", false,
     when(1, type_raw, type_mask)},
};

/// Under a supervisor: modes, owners, times and attributes change where the policy grants writing.
inline constexpr filter_row metadata_rows[] = {
#if defined(SYS_chmod)
    {SYS_chmod, any, EPERM, protection::metadata, "the mode of a file", true},
    {SYS_chown, any, EPERM, protection::metadata, "the owner of a file", true},
    {SYS_lchown, any, EPERM, protection::metadata, "the owner of a file", true},
    {SYS_utime, any, EPERM, protection::metadata, "the times of a file", true},
    {SYS_utimes, any, EPERM, protection::metadata, "the times of a file", true},
    {SYS_futimesat, any, EPERM, protection::metadata, "the times of a file", true},
#endif
    {SYS_fchmod, any, EPERM, protection::metadata, "the mode of a file", true},
    {SYS_fchmodat, any, EPERM, protection::metadata, "the mode of a file", true},
    {call_fchmodat2, any, EPERM, protection::metadata, "the mode of a file", true},
    {SYS_fchown, any, EPERM, protection::metadata, "the owner of a file", true},
    {SYS_fchownat, any, EPERM, protection::metadata, "the owner of a file", true},
    {SYS_utimensat, any, EPERM, protection::metadata, "the times of a file", true},
    {SYS_setxattr, any, EPERM, protection::metadata, "the attributes of a file", true},
    {SYS_lsetxattr, any, EPERM, protection::metadata, "the attributes of a file", true},
    {SYS_fsetxattr, any, EPERM, protection::metadata, "the attributes of a file", true},
    {SYS_removexattr, any, EPERM, protection::metadata, "the attributes of a file", true},
    {SYS_lremovexattr, any, EPERM, protection::metadata, "the attributes of a file", true},
    {SYS_fremovexattr, any, EPERM, protection::metadata, "the attributes of a file", true},
    {SYS_ioctl, when(1, set_flags), EPERM, protection::metadata, "the flags of a file", true},
    {SYS_ioctl, when(1, set_fsxattr), EPERM, protection::metadata, "the flags of a file", true},
    {call_setxattrat, any, ENOSYS, protection::metadata, "setxattrat, which has older equals"},
    {call_removexattrat, any, ENOSYS, protection::metadata, "removexattrat, which has older equals"},
    {call_file_setattr, any, ENOSYS, protection::metadata, "file_setattr, which has an older equal"},
};

/// network(blocked): nothing but unix sockets. EACCES, as Landlock's own refusals of the network.
inline constexpr filter_row blocked_rows[] = {
    {SYS_socket, unless(0, family_unix), EACCES, protection::network, "the network is blocked"},
    {SYS_socketpair, unless(0, family_unix), EACCES, protection::network, "the network is blocked"},
};

/// network(loopback): the child's own namespace confines IP; other families reach beyond it (vsock) or deep
/// into the kernel. Of netlink, the route family alone: libc and Go list interfaces with it.
inline constexpr filter_row loopback_rows[] = {
    {SYS_socket, when(0, family_unix), 0, protection::network, "unix socket"},
    {SYS_socket, when(0, family_inet), 0, protection::network, "own loopback"},
    {SYS_socket, when(0, family_inet6), 0, protection::network, "own loopback"},
    {SYS_socket, unless(0, family_netlink), EACCES, protection::network, "only IP on the loopback network"},
    {SYS_socket, unless(2, 0), EACCES, protection::network, "only IP on the loopback network"},
    {SYS_socketpair, unless(0, family_unix), EACCES, protection::network, "only IP on the loopback network"},
};

/// network(only(...)): TCP alone. MPTCP and Fast Open slip past Landlock's port rules, so they are refused.
inline constexpr filter_row ports_rows[] = {
    {SYS_socket, when(0, family_unix), 0, protection::network, "unix socket"},
    {SYS_socket, unless(0, family_inet, ~8U), EACCES, protection::network, "TCP only"},  // 2 or 10 (IPv6)
    {SYS_socket, unless(1, type_stream, type_mask), EACCES, protection::network, "TCP only"},
    {SYS_socket, when(2, 0), 0, protection::network, "TCP"},
    {SYS_socket, when(2, 6), 0, protection::network, "TCP"},
    {SYS_socket, any, EACCES, protection::network, "TCP only"},
    {SYS_socketpair, unless(0, family_unix), EACCES, protection::network, "TCP only"},
    // An upper protocol can take a TCP socket out of Landlock's sight (SMC); kTLS is refused with it.
    {SYS_setsockopt, unless(1, level_tcp), 0, protection::network, "no TCP option"},
    {SYS_setsockopt, when(2, tcp_ulp), EACCES, protection::network, "an upper layer protocol on TCP"},
    {SYS_sendto, bits(3, msg_fastopen), EACCES, protection::network, "TCP Fast Open"},
    {SYS_sendmsg, bits(2, msg_fastopen), EACCES, protection::network, "TCP Fast Open"},
    {SYS_sendmmsg, bits(3, msg_fastopen), EACCES, protection::network, "TCP Fast Open"},
};
/// Without a port to bind: a socket that listens unbound gets a port of the kernel's choice, which Landlock
/// does not look at. Unix sockets lose listen() with it.
inline constexpr filter_row no_listen_rows[] = {
    {SYS_listen, any, EACCES, protection::network, "no port to bind was granted"},
};

/// unix_sockets(none): socketpair alone, and none of datagrams, which can be sent anywhere. Before the rows of the network.
inline constexpr filter_row no_unix_rows[] = {
    {SYS_socket, when(0, family_unix), EACCES, protection::pathname_unix, "unix sockets are not granted"},
};

/// Below ABI 3, where Landlock does not know truncation: emptying needs a descriptor opened for writing.
inline constexpr filter_row truncate_rows[] = {
    {SYS_truncate, any, EACCES, protection::truncate, "truncate by name"},
// Access mode 3 opens for neither reading nor writing, so Landlock asks nothing, and truncates.
#if defined(SYS_open)
    {SYS_open, when(1, open_truncate, open_access_and_truncate), EACCES, protection::truncate,
     "O_RDONLY|O_TRUNC"},
    {SYS_open, when(1, open_access_and_truncate, open_access_and_truncate), EACCES, protection::truncate,
     "access mode 3 and O_TRUNC"},
#endif
    {SYS_openat, when(2, open_truncate, open_access_and_truncate), EACCES, protection::truncate,
     "O_RDONLY|O_TRUNC"},
    {SYS_openat, when(2, open_access_and_truncate, open_access_and_truncate), EACCES, protection::truncate,
     "access mode 3 and O_TRUNC"},
    {SYS_openat2, any, ENOSYS, protection::truncate, "openat2, whose flags cannot be seen"},
};

/// Calls that a supervisor watches for its diagnostics and lets pass: those that name files, peers and
/// processes. Never execve: the parent of a child that has not executed yet cannot answer.
inline constexpr int observed_calls[] = {
#if defined(SYS_open)
    SYS_open,     SYS_creat,   SYS_mkdir,   SYS_rmdir,    SYS_unlink,   SYS_rename,
#endif
    SYS_openat,   SYS_openat2, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2,
    SYS_truncate, SYS_connect, SYS_kill,
};

#if defined(__x86_64__)
inline constexpr std::uint32_t native_arch = AUDIT_ARCH_X86_64;
inline constexpr std::uint32_t x32_bit = 0x40000000U;
#elif defined(__aarch64__)
inline constexpr std::uint32_t native_arch = AUDIT_ARCH_AARCH64;
inline constexpr std::uint32_t x32_bit = 0;
#else
#error \
    "nono: the seccomp filter is written for x86_64 and aarch64; other architectures need their numbers checked"
#endif

}  // namespace detail::filter

}  // namespace nono
#endif
