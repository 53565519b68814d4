// SPDX-License-Identifier: Apache-2.0
// The seccomp filter as a data table: one row says which call is refused, for which argument, with which
// errno and why. The table is evaluated here for a supervisor and for tests, and compiled to BPF for the
// kernel.
#pragma once

#if defined(__linux__)
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <nono/network.hpp>
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
inline constexpr std::uint32_t type_mask = 0xf;
inline constexpr std::uint32_t msg_fastopen = 0x20000000U;
inline constexpr std::uint32_t open_access_and_truncate = 0x203U;  // O_ACCMODE | O_TRUNC
inline constexpr std::uint32_t open_truncate = 0x200U;
inline constexpr int call_open_tree_attr = 467;
inline constexpr int call_mount_setattr = 442;

/// In every sandbox, whatever its network.
inline constexpr filter_row baseline[] = {
    {SYS_ioctl, when(1, tiocsti), EPERM, protection::terminal_input, "TIOCSTI types into the terminal"},
    {SYS_ioctl, when(1, tioclinux), EPERM, protection::terminal_input, "TIOCLINUX pastes into the console"},
    {SYS_prlimit64, unless(0, 0), EPERM, protection::process_limits, "limits of another process"},
    {SYS_setpriority, unless(0, 0), EPERM, protection::scheduling, "priority of a group or user"},
    {SYS_setpriority, unless(1, 0), EPERM, protection::scheduling, "priority of another process"},
    {SYS_ioprio_set, unless(0, 1), EPERM, protection::scheduling, "I/O priority of a group or user"},
    {SYS_ioprio_set, unless(1, 0), EPERM, protection::scheduling, "I/O priority of another process"},
    {SYS_sched_setparam, unless(0, 0), EPERM, protection::scheduling, "scheduling of another process"},
    {SYS_sched_setscheduler, unless(0, 0), EPERM, protection::scheduling, "scheduling of another process"},
    {SYS_sched_setattr, unless(0, 0), EPERM, protection::scheduling, "scheduling of another process"},
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
    {SYS_sendto, bits(3, msg_fastopen), EACCES, protection::network, "TCP Fast Open"},
    {SYS_sendmsg, bits(2, msg_fastopen), EACCES, protection::network, "TCP Fast Open"},
    {SYS_sendmmsg, bits(3, msg_fastopen), EACCES, protection::network, "TCP Fast Open"},
};
/// Without a port to bind: a socket that listens unbound gets a port of the kernel's choice, which Landlock
/// does not look at. Unix sockets lose listen() with it.
inline constexpr filter_row no_listen_rows[] = {
    {SYS_listen, any, EACCES, protection::network, "no port to bind was granted"},
};

/// unix_sockets(none): socketpair alone. Before the rows of the network.
inline constexpr filter_row no_unix_rows[] = {
    {SYS_socket, when(0, family_unix), EACCES, protection::pathname_unix, "unix sockets are not granted"},
};

/// Below ABI 3, where Landlock does not know truncation: emptying needs a descriptor opened for writing.
inline constexpr filter_row truncate_rows[] = {
    {SYS_truncate, any, EACCES, protection::truncate, "truncate by name"},
#if defined(SYS_open)
    {SYS_open, when(1, open_truncate, open_access_and_truncate), EACCES, protection::truncate,
     "O_RDONLY|O_TRUNC"},
#endif
    {SYS_openat, when(2, open_truncate, open_access_and_truncate), EACCES, protection::truncate,
     "O_RDONLY|O_TRUNC"},
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

/// What a filter is made for.
struct filter_request {
  network_mode network = network_mode::unrestricted;
  bool binds_ports = false;  ///< network(only(...)) with a port to bind
  bool no_unix_sockets = false;
  bool complement_truncate = false;
  bool observed = false;  ///< a supervisor listens: refusals and observed calls go to it
  protection_set lifted;
};

/// The rows of one filter, by call, in the order in which they are tested.
class filter_table {
 public:
  explicit constexpr filter_table(const filter_request& request) : observed_(request.observed) {
    namespace f = detail::filter;
    const auto add = [&](std::span<const filter_row> rows) {
      for (const filter_row& row : rows)
        if (!request.lifted.has(row.id)) insert(row);
    };
    add(f::baseline);
    if (request.no_unix_sockets) add(f::no_unix_rows);
    switch (request.network) {
      case network_mode::unrestricted:
        break;
      case network_mode::blocked:
        add(f::blocked_rows);
        break;
      case network_mode::loopback:
        add(f::loopback_rows);
        break;
      case network_mode::ports:
        add(f::ports_rows);
        if (!request.binds_ports) add(f::no_listen_rows);
        break;
    }
    if (request.complement_truncate) add(f::truncate_rows);
  }

  [[nodiscard]] constexpr std::span<const filter_row> rows() const noexcept { return {rows_.data(), count_}; }

  /// Where a supervisor listens, it is asked about refusals and observed calls.
  [[nodiscard]] constexpr bool observed() const noexcept { return observed_; }
  [[nodiscard]] static constexpr bool watches(int call) noexcept {
    for (const int seen : detail::filter::observed_calls)
      if (seen == call) return true;
    return false;
  }

  /// The row that refuses this call; null if it is allowed.
  [[nodiscard]] constexpr const filter_row* refusal_of(
      int call, std::span<const std::uint64_t, 6> args) const noexcept {
    for (const filter_row& row : rows())
      if (row.call == call && row.test.matches(static_cast<std::uint32_t>(args[row.test.argument])))
        return row.refusal == 0 ? nullptr : &row;
    return nullptr;
  }

 private:
  constexpr void insert(const filter_row& row) noexcept {
    std::size_t at = count_;
    while (at > 0 && rows_[at - 1].call > row.call) {
      rows_[at] = rows_[at - 1];
      --at;
    }
    rows_[at] = row;
    ++count_;
  }

  std::array<filter_row, 96> rows_{};
  std::size_t count_ = 0;
  bool observed_;
};

/// A BPF program.
struct filter_program {
  std::array<sock_filter, 400> code{};
  std::uint16_t length = 0;
};

namespace detail {

/// Compiles a table: the architecture first (others are refused whole), then a binary search for the call. The
/// search is for the kernel's sake: at every installation it walks the program once for each call there is.
class filter_compiler {
 public:
  explicit constexpr filter_compiler(const filter_table& table) {
    namespace f = filter;
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, f::native_arch, 1, 0);
    give(SECCOMP_RET_ERRNO | ENOSYS);
    load(offsetof(seccomp_data, nr));
    if (f::x32_bit != 0) {
      jump(BPF_JGE, f::x32_bit, 0, 1);
      give(SECCOMP_RET_ERRNO | ENOSYS);
    }
    const auto rows = table.rows();
    for (std::size_t i = 0; i < rows.size();) {
      const std::size_t first = i;
      while (i < rows.size() && rows[i].call == rows[first].call) ++i;
      add({rows[first].call, rows.subspan(first, i - first), table.observed()});
    }
    if (table.observed())
      for (const int call : f::observed_calls) add({call, {}, true});
    search(0, count_);
  }
  filter_program program;

 private:
  constexpr void emit(std::uint16_t code, std::uint32_t k, std::size_t if_true = 0,
                      std::size_t if_false = 0) {
    program.code[program.length++] = {code, static_cast<std::uint8_t>(if_true),
                                      static_cast<std::uint8_t>(if_false), k};
  }
  constexpr void load(std::size_t offset) {
    emit(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  constexpr void jump(std::uint16_t test, std::uint32_t k, std::size_t if_true, std::size_t if_false) {
    emit(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), k, if_true, if_false);
  }
  constexpr void give(std::uint32_t verdict) { emit(BPF_RET | BPF_K, verdict); }

  struct call_block {
    int call = 0;
    std::span<const filter_row> rows;
    bool observed = false;
  };

  /// Keeps the blocks sorted by call; one that is there already stays.
  constexpr void add(const call_block& added) {
    std::size_t at = count_;
    while (at > 0 && blocks_[at - 1].call >= added.call) --at;
    if (at < count_ && blocks_[at].call == added.call) return;
    for (std::size_t i = count_; i > at; --i) blocks_[i] = blocks_[i - 1];
    blocks_[at] = added;
    ++count_;
  }

  constexpr void search(std::size_t low, std::size_t high) {
    if (high - low <= 2) {
      for (std::size_t i = low; i < high; ++i) block(blocks_[i]);
      give(SECCOMP_RET_ALLOW);
      return;
    }
    const std::size_t middle = (low + high) / 2;
    jump(BPF_JGE, static_cast<std::uint32_t>(blocks_[middle].call), 0, 1);
    const std::size_t leap = program.length;  // jumps beyond 255 instructions need a leap of their own
    emit(BPF_JMP | BPF_JA, 0);
    search(low, middle);
    program.code[leap].k = static_cast<std::uint32_t>(program.length - leap - 1);
    search(middle, high);
  }

  constexpr void block(const call_block& b) {
    const auto& [call, rows, observed] = b;
    const std::size_t entry = program.length;
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 0);  // where to go otherwise is known at the end
    bool open_end = true;
    for (const filter_row& row : rows) {
      const argument_test& t = row.test;
      if (t.how != argument_test::kind::always)
        load(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * t.argument);
      if (t.mask != ~0U) emit(BPF_ALU | BPF_AND | BPF_K, t.mask);
      switch (t.how) {
        case argument_test::kind::always:
          open_end = false;
          break;
        case argument_test::kind::equals:
          jump(BPF_JEQ, t.value, 0, 1);
          break;
        case argument_test::kind::differs:
          jump(BPF_JEQ, t.value, 1, 0);
          break;
        case argument_test::kind::any_bit:
          jump(BPF_JSET, t.value, 0, 1);
          break;
      }
      give(row.refusal == 0 ? SECCOMP_RET_ALLOW
           // ENOSYS asks for a fallback: nothing to explain
           : observed && row.refusal != ENOSYS ? SECCOMP_RET_USER_NOTIF
                                               : SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(row.refusal));
      if (!open_end) break;
    }
    if (open_end) give(observed && filter_table::watches(call) ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
    program.code[entry].jf = static_cast<std::uint8_t>(program.length - entry - 1);
  }

  std::array<call_block, 96> blocks_{};
  std::size_t count_ = 0;
};

}  // namespace detail

/// The BPF program of a table.
constexpr filter_program compile(const filter_table& table) { return detail::filter_compiler(table).program; }

/// The rows, a line each: call number, argument test, errno, protection and reason.
inline std::string to_text(const filter_table& table) {
  std::string out;
  for (const filter_row& row : table.rows()) {
    out += "call " + std::to_string(row.call);
    const argument_test& t = row.test;
    constexpr std::string_view words[] = {"", " == ", " != ", " & "};
    if (t.how != argument_test::kind::always) {
      out += " arg" + std::to_string(t.argument);
      if (t.mask != ~0U) out += " & " + std::to_string(t.mask);
      out += words[static_cast<std::size_t>(t.how)];
      out += std::to_string(t.value);
    }
    out += row.refusal == 0 ? ": allow" : ": errno " + std::to_string(row.refusal);
    out += "  [";
    out += row_of(row.id).name;
    out += "] ";
    out += row.reason;
    out += '\n';
  }
  return out;
}

}  // namespace nono
#endif
