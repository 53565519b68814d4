// SPDX-License-Identifier: Apache-2.0
// The baseline filter, row by row: each row is shown by a call that does something else without it.
#include "harness.hpp"

#include <array>
#include <cstdint>

#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <nono/linux/filter.hpp>

using live::error_of;
using live::outcome;
using nono::protection;

namespace {

/// A call with its arguments, and what comes of it without a sandbox.
struct raw_call {
  int number;
  std::array<std::uint64_t, 6> args;
  int without = 0;             ///< 0 or the errno, for whoever may
  bool privileged = false;     ///< others than root get EPERM anyway
  void (*before)() = nullptr;  ///< runs in the child first

  [[nodiscard]] int run() const {
    if (before != nullptr) before();
    return error_of(::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]));
  }
};

template <class T>
std::uint64_t word(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<std::uintptr_t>(value);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

constexpr int terminal = 100;  // where become_terminal_owner() puts it
std::string terminal_name;     // NOLINT: set before the children fork

/// Makes the pseudo terminal the controlling one of a session of the child's own.
void become_terminal_owner() {
  ::setsid();
  const int fd = ::open(terminal_name.c_str(), O_RDWR);
  live::must(fd >= 0 && ::dup2(fd, terminal) == terminal, "opening a terminal");
}
void own_group() { live::must(::setpgid(0, 0) == 0, "setpgid"); }

/// What the calls below act upon: all of it outside, owned by the test.
struct outside {
  int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  key_t key = 0x6e6f0000 + (::getpid() & 0xffff);
  int segment = ::shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
  int semaphores = ::semget(key, 1, IPC_CREAT | IPC_EXCL | 0600);
  int queue = ::msgget(key, IPC_CREAT | IPC_EXCL | 0600);
  std::string posix_queue = "nono-live-" + std::to_string(::getpid());
  mqd_t posix = ::mq_open(("/" + posix_queue).c_str(), O_CREAT | O_RDWR, 0600, nullptr);
  int self = ::getpid();
  char byte = 'x';
  iovec here{&byte, 1};
  iovec there{&byte, 1};
  rlimit limit{};
  rlimit core{};
  sched_param priority{};
  int nice = ::getpriority(PRIO_PROCESS, 0);
  struct {
    std::uint32_t size = 48, policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t times[3]{};
  } attributes;
  sembuf up{0, 1, 0};
  struct {
    long type = 1;
    char text = 'x';
  } message;
  msqid_ds queue_status{};
  shmid_ds segment_status{};

  outside() {
    live::must(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0, "a terminal");
    live::must(segment >= 0 && semaphores >= 0 && queue >= 0, "System V IPC");
    terminal_name = ::ptsname(master);  // NOLINT(concurrency-mt-unsafe)
    attributes.nice = nice;
    live::must(::getrlimit(RLIMIT_CPU, &limit) == 0,
               "getrlimit");  // set again as it is: a limit of 0 would kill
    // Where Yama keeps strangers out, the children of the test shall not be strangers.
    (void)::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  }
  outside(const outside&) = delete;
  outside& operator=(const outside&) = delete;
  ~outside() {
    ::close(master);
    ::shmctl(segment, IPC_RMID, nullptr);
    ::semctl(semaphores, 0, IPC_RMID);
    ::msgctl(queue, IPC_RMID, nullptr);
    ::mq_close(posix);
    ::mq_unlink(("/" + posix_queue).c_str());
  }
};

constexpr std::uint64_t best_effort_io = 2U << 13U | 4U;
constexpr const char* no_path = "/nono-live/nowhere";

/// At least one call for each row of the baseline.
std::vector<raw_call> calls(outside& o) {
  const auto none = word(-1);
  const auto me = word(o.self);  // to the child that makes the call: its parent
  return {
      {SYS_ioctl, {terminal, TIOCSTI, word("x")}, 0, false, become_terminal_owner},
      {SYS_ioctl, {terminal, 0x7700000000U | TIOCSTI, word("x")}, 0, false, become_terminal_owner},
      {SYS_ioctl, {terminal, TIOCLINUX, word("\2")}, ENOTTY, false, become_terminal_owner},
      {SYS_prlimit64, {me, RLIMIT_CORE, 0, word(&o.core)}},
      {SYS_prlimit64, {me, RLIMIT_CPU, word(&o.limit), 0}},
      {SYS_setpriority, {PRIO_PGRP, 0, word(o.nice)}, 0, false, own_group},
      {SYS_setpriority, {PRIO_PROCESS, me, word(o.nice)}},
      {SYS_ioprio_set, {2, 0, best_effort_io}, 0, false, own_group},
      {SYS_ioprio_set, {1, me, best_effort_io}},
      {SYS_sched_setparam, {me, word(&o.priority)}},
      {SYS_sched_setscheduler, {me, SCHED_OTHER, word(&o.priority)}},
      {SYS_sched_setattr, {me, word(&o.attributes), 0}},
      {SYS_keyctl, {0, none - 1, 1}},  // KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, create
      {SYS_add_key, {word("user"), word("nono-live"), word("x"), 1, none - 1}},
      {SYS_request_key, {word("user"), word("nono-live-nothing"), 0, 0}, ENOKEY},
      {SYS_clone, {CLONE_NEWNS | CLONE_FS | SIGCHLD}, EINVAL},  // no such pair, and so no child
      {SYS_clone, {CLONE_NEWUSER | CLONE_FS | SIGCHLD}, EINVAL},
      {SYS_clone3, {0, 0}, EINVAL},
      {SYS_unshare, {CLONE_NEWUSER}},
      {SYS_unshare, {CLONE_NEWNS}, 0, true},
      {SYS_unshare, {CLONE_NEWCGROUP}, 0, true},
      {SYS_unshare, {CLONE_NEWUTS}, 0, true},
      {SYS_unshare, {CLONE_NEWIPC}, 0, true},
      {SYS_unshare, {CLONE_NEWPID}, 0, true},
      {SYS_unshare, {CLONE_NEWNET}, 0, true},
      {SYS_unshare, {0x80}, 0, true},  // CLONE_NEWTIME
      {SYS_setns, {none, 0}, EBADF},
      {SYS_mount, {word("none"), word(no_path), word("tmpfs"), 0, 0}, ENOENT},
      {SYS_umount2, {word(no_path), 0}, ENOENT},
      {SYS_pivot_root, {word(no_path), word(no_path)}, ENOENT, true},
      {SYS_open_tree, {none, word(no_path), 0}, ENOENT},
      {467, {none, word(no_path), 0, 0, 0}, ENOENT},  // open_tree_attr
      {SYS_move_mount, {none, word(no_path), none, word(no_path), 0}, ENOENT, true},
      {SYS_fsopen, {word("nono-live"), 0}, ENODEV, true},
      {SYS_fsconfig, {none, 0, 0, 0, 0}, EINVAL},
      {SYS_fsmount, {none, 0, 0}, EBADF, true},
      {SYS_fspick, {none, word(no_path), 0}, ENOENT, true},
      {442, {none, word(no_path), 0, 0, 0}, EINVAL},  // mount_setattr
      {SYS_bpf, {0, 0, 65536}, E2BIG},
      {SYS_perf_event_open, {0, 0, none, none, none}, EINVAL},
      {SYS_userfaultfd, {1}},  // UFFD_USER_MODE_ONLY
      {SYS_io_uring_setup, {1, 0}, EFAULT},
      {SYS_io_uring_enter, {~0UL, 0, 0, 0}, EBADF},
      {SYS_io_uring_register, {0x7fffffff, 0, 0, 0}, EBADF},  // of -1 older kernels say something else
      {SYS_process_vm_readv, {me, word(&o.here), 1, word(&o.there), 1, 0}},
      {SYS_process_vm_writev, {me, word(&o.here), 1, word(&o.there), 1, 0}},
      {SYS_shmget, {word(o.key), 0, 0}},
      {SYS_shmat, {word(o.segment), 0, SHM_RDONLY}},
      {SYS_shmctl, {word(o.segment), IPC_STAT, word(&o.segment_status)}},
      {SYS_semget, {word(o.key), 0, 0}},
      {SYS_semctl, {word(o.semaphores), 0, GETVAL}},
      {SYS_semop, {word(o.semaphores), word(&o.up), 1}},
      {SYS_semtimedop, {word(o.semaphores), word(&o.up), 1, 0}},
      {SYS_msgget, {word(o.key), 0}},
      {SYS_msgctl, {word(o.queue), IPC_STAT, word(&o.queue_status)}},
      {SYS_msgsnd, {word(o.queue), word(&o.message), 1, IPC_NOWAIT}},
      {SYS_msgrcv, {word(o.queue), word(&o.message), 1, word(2), IPC_NOWAIT}, ENOMSG},
      {SYS_mq_open, {word(o.posix_queue.c_str()), O_RDONLY, 0, 0}},
      {SYS_mq_unlink, {word("nono-live-nothing")}, ENOENT},
  };
}

/// The row of the baseline that decides a call; null if none does.
const nono::filter_row* deciding(const raw_call& c) {
  for (const nono::filter_row& row : nono::detail::filter::baseline)
    if (row.call == c.number && row.test.matches(static_cast<std::uint32_t>(c.args[row.test.argument])))
      return &row;
  return nullptr;
}

/// True where a call that needs privileges is worth trying.
bool is_privileged() {
  return live::in_child([] { return error_of(::unshare(CLONE_NEWUTS)); }) == 0;
}

// Files are left open here: Landlock would refuse mounts as well, and hide a missing row.
constexpr auto filter_alone = nono::caps().lift(protection::filesystem);

}  // namespace

TEST_CASE("baseline: every row has a call that shows it") {
  outside o;
  const auto all = calls(o);
  for (const nono::filter_row& row : nono::detail::filter::baseline) {
    CAPTURE(row.call);
    CAPTURE(std::string(row.reason));
    bool shown = false;
    for (const raw_call& c : all) shown = shown || deciding(c) == &row;
    CHECK(shown);
  }
  for (const raw_call& c : all) {
    CAPTURE(c.number);
    CHECK(deciding(c) != nullptr);
  }
}

/// Since Linux 6.2 a kernel can refuse TIOCSTI to whoever has not CAP_SYS_ADMIN. Source: ioctl_tty(2).
bool types_nothing(int why, const nono::filter_row& row, bool privileged) {
  return why == EIO && row.id == protection::terminal_input && !privileged;
}

TEST_CASE("baseline: every call does something else without a sandbox, and is refused in one") {
  outside o;
  const bool privileged = is_privileged();
  for (const raw_call& c : calls(o)) {
    const nono::filter_row* row = deciding(c);
    REQUIRE(row != nullptr);
    CAPTURE(c.number);
    CAPTURE(c.args[0]);
    CAPTURE(std::string(row->reason));
    const outcome got = live::attempt(filter_alone, [&] { return c.run(); });
    CHECK(got.with == row->refusal);
    if (c.privileged && !privileged) {
      CHECK(got.without == EPERM);  // proves nothing here: the run as root does
    } else if (got.without == ENOSYS && c.without != ENOSYS) {
      MESSAGE("this kernel has no call ", c.number);
    } else if (types_nothing(got.without, *row, privileged)) {
      MESSAGE("this kernel lets nobody but root type (CONFIG_LEGACY_TIOCSTI is off)");
    } else {
      CHECK(got.without == c.without);
    }
  }
}

TEST_CASE("baseline: what is lifted by name passes, and nothing else does") {
  outside o;
  const bool privileged = is_privileged();
  const auto all = calls(o);
  for (const nono::protection_row& lifted : nono::protections) {
    if (nono::check_lift(lifted.id) != nono::errc::none) continue;
    const auto policy = filter_alone.lift(lifted.id);
    for (const raw_call& c : all) {
      const nono::filter_row* row = deciding(c);
      CAPTURE(std::string(lifted.name));
      CAPTURE(c.number);
      if (row->id != lifted.id) continue;
      const int got = live::confined(policy, [&] { return c.run(); });
      if (row->id == protection::process_memory) {
        CHECK(got == EPERM);  // Landlock looks after that as well
      } else {
        CHECK((got == (c.privileged && !privileged ? EPERM : c.without) ||
               (got == ENOSYS && c.number == 467) || types_nothing(got, *row, privileged)));
      }
    }
    for (const raw_call& c : all)  // one of another protection
      if (deciding(c)->id != lifted.id) {
        CHECK(live::confined(policy, [&] { return c.run(); }) == deciding(c)->refusal);
        break;
      }
  }
}

TEST_CASE("baseline: the same calls on oneself still work") {
  const auto inside = [](auto f) { return live::confined(live::nothing, f); };
  CHECK(inside([] {
          rlimit limit{};
          if (::prlimit(0, RLIMIT_CORE, nullptr, &limit) != 0) return errno;
          limit.rlim_cur = 0;
          return error_of(::setrlimit(RLIMIT_CORE, &limit));
        }) == 0);
  CHECK(inside([] { return error_of(::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0))); }) == 0);
  CHECK(inside([] { return error_of(::syscall(SYS_ioprio_set, 1, 0, best_effort_io)); }) == 0);
  CHECK(inside([] {
          const sched_param priority{};
          return error_of(::sched_setscheduler(0, SCHED_BATCH, &priority));
        }) == 0);
  CHECK(inside([] { return error_of(::unshare(CLONE_FILES | CLONE_FS)); }) == 0);
  CHECK(inside([] { return live::in_child([] { return 0; }); }) == 0);
  CHECK(inside([] {  // libc tries clone3 first
          pthread_t thread{};
          static int ran = 0;
          const auto body = [](void*) -> void* {
            ran = 1;
            return nullptr;
          };
          if (const int why = ::pthread_create(&thread, nullptr, body, nullptr); why != 0) return why;
          ::pthread_join(thread, nullptr);
          return ran == 1 ? 0 : live::odd;
        }) == 0);
  CHECK(inside([] {
          int ends[2];
          int waiting = -1;
          if (::pipe(ends) != 0) return errno;
          return error_of(::ioctl(ends[0], FIONREAD, &waiting));
        }) == 0);
}

// ---- other entries into the kernel ----

#if defined(__x86_64__)
namespace {

/// getpid by the entry for 32-bit programs: 0 if it answers, an errno if it refuses.
int old_entry() {
  std::signal(SIGSEGV, SIG_DFL);  // what the entry gives where it does not exist
  long got = 20;                  // getpid, over there
  asm volatile("int $0x80" : "+a"(got) : : "memory", "r8", "r9", "r10", "r11");
  return got == ::getpid() ? 0 : got < 0 ? static_cast<int>(-got) : live::odd;
}
int x32_entry() { return error_of(::syscall(0x40000000L | SYS_getpid)); }

}  // namespace

TEST_CASE("foreign_abi: the entries for i386 and x32 programs are closed") {
  const outcome i386 = live::attempt(live::nothing, old_entry);
  if (i386.without == live::killed + SIGSEGV) {
    MESSAGE("this kernel has no entry for 32-bit programs");
    CHECK(i386.with == live::killed + SIGSEGV);
  } else {
    CHECK(i386 == outcome{0, ENOSYS});
  }
  const outcome x32 = live::attempt(live::nothing, x32_entry);
  if (x32.without == ENOSYS) MESSAGE("this kernel has no x32 entry: that it is refused shows nothing");
  CHECK(x32.with == ENOSYS);
}
#endif
