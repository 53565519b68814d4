// SPDX-License-Identifier: Apache-2.0
// Every thread of this process, at once: Landlock before ABI 8 confines the calling thread alone, so the others are
// stopped in a signal handler, confine themselves there, and go on.
//
// A thread that is stopped may hold a lock of libc, for which another waits that takes no signals meanwhile (both are
// in pthread_create, say). So nobody is stopped for long: if not all have come soon, all go on, and it is tried again.
//
// The signal is 33, which libc uses to change the user of every thread and therefore lets no thread block; what is
// not ours goes on to the handler that was there. It is delivered between two instructions or interrupts a call
// (nanosleep, poll and epoll_wait then fail with EINTR, as after any signal).
#pragma once

#if defined(__linux__)
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <nono/linux/syscalls.hpp>

namespace nono::detail {

/// The threads that a process has, by the links of its directory /proc/PID/task; 0: it does not tell.
inline unsigned long threads_of(const struct stat& task) noexcept {
  return task.st_nlink > 2 ? task.st_nlink - 2 : 0;
}

/// The threads of this process; 0: cannot be known. Two answers without reading anything: unshare of a thread group
/// does nothing and succeeds for one thread only, and the links of /proc/self/task count them.
/// Source: unshare(2), CLONE_THREAD
inline unsigned long thread_count() noexcept {
  constexpr unsigned long clone_thread = 0x00010000;
  if (system_kernel::call(SYS_unshare, clone_thread) == 0) return 1;
  struct stat st{};
  return ::stat("/proc/self/task", &st) == 0 ? threads_of(st) : 0;
}

/// True when this is the only thread after all: one that was joined is counted until the kernel has taken it away. Where
/// the list of threads cannot be read, in a sandbox, it could not be stopped either, so it is waited for: 64 ms at most.
inline bool soon_alone() noexcept {
  const long tasks =
      system_kernel::call(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tasks >= 0) {
    (void)system_kernel::call(SYS_close, tasks);
    return false;
  }
  for (int waited_ms = 0; thread_count() != 1; ++waited_ms) {
    if (waited_ms == 64) return false;
    const timespec moment{0, 1000000};
    (void)system_kernel::call(SYS_nanosleep, &moment, nullptr);
  }
  return true;
}

/// What a handler shares with the rest of the program. As std::atomic, whose members ThreadSanitizer would have call its
/// runtime, which the handler may have interrupted.
template <typename T>
class shared_with_handler {
 public:
  constexpr shared_with_handler() noexcept = default;
  constexpr shared_with_handler(T value) noexcept
      : value_(value) {}  // NOLINT(google-explicit-constructor): as std::atomic
  shared_with_handler(const shared_with_handler&) = delete;
  shared_with_handler& operator=(const shared_with_handler&) = delete;
  NONO_IN_HANDLER T operator=(T value) noexcept {  // NOLINT: as std::atomic
    __atomic_store_n(&value_, value, __ATOMIC_SEQ_CST);
    return value;
  }
  [[nodiscard]] NONO_IN_HANDLER T load() const noexcept { return __atomic_load_n(&value_, __ATOMIC_SEQ_CST); }
  NONO_IN_HANDLER void clear() noexcept { __atomic_store_n(&value_, T{}, __ATOMIC_RELAXED); }
  NONO_IN_HANDLER T fetch_add(T more) noexcept { return __atomic_fetch_add(&value_, more, __ATOMIC_SEQ_CST); }
  NONO_IN_HANDLER T fetch_sub(T less) noexcept { return __atomic_fetch_sub(&value_, less, __ATOMIC_SEQ_CST); }
  /// Sets `expected` to what it is unless that was it.
  NONO_IN_HANDLER bool compare_exchange(T& expected, T wanted) noexcept {
    return __atomic_compare_exchange_n(&value_, &expected, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  }

 private:
  T value_{};
};
using futex_word = shared_with_handler<std::uint32_t>;

/// Waits while `word` is `value`. 0, or -errno: EAGAIN, EINTR, ETIMEDOUT.
NONO_IN_HANDLER inline long futex_wait(const futex_word& word, std::uint32_t value,
                                       const timespec* longest = nullptr) noexcept {
  return system_kernel::call(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, longest);
}
NONO_IN_HANDLER inline void futex_wake(const futex_word& word, int waiters) noexcept {
  (void)system_kernel::call(SYS_futex, &word, FUTEX_WAKE_PRIVATE, waiters);
}

/// A thread that waits in the handler, on whose stack this lies.
struct stopped_thread {
  int tid;
  std::uintptr_t next;  ///< the address of another, or 0
};

/// What the stopping thread and the handlers share. Static, so that a signal that comes late finds it.
struct thread_rally {
  enum stage : std::uint32_t { idle, gather, confine, stages };
  using step = long (*)(const void*) noexcept;  ///< what each thread does: 0 or -errno

  futex_word phase = idle;  ///< counts on: `stages` to a rally
  futex_word inside = 0;    ///< threads in the handler
  futex_word stopped = 0;
  futex_word awaited = 0;  ///< the stopping thread is woken at this many
  futex_word done = 0;
  futex_word under_way = 0;                         ///< signals that were sent and have not arrived
  shared_with_handler<std::uintptr_t> threads = 0;  ///< the first stopped_thread
  static constexpr std::size_t id_count = 1024;
  shared_with_handler<int>
      ids[id_count];  ///< of most of them, by the lowest bits: the list alone is slow to search
  shared_with_handler<int> failure = 0;  ///< the first -errno of a step
  shared_with_handler<int> owner =
      0;  ///< the process that stops its threads; another one's is what a fork left
  step each = nullptr;
  const void* argument = nullptr;
  kernel_sigaction before{};  ///< of the signal
};
inline thread_rally rally;

inline constexpr int rally_signal = 33;  // SIGSETXID of glibc, SIGCANCEL of musl

/// In a thread that the signal has reached: waits, and does the step.
NONO_IN_HANDLER inline void take_part() noexcept {
  const std::uint32_t gathering = rally.phase.load();
  if (gathering % thread_rally::stages != thread_rally::gather) return;
  stopped_thread self{static_cast<int>(system_kernel::call(SYS_gettid)), rally.threads.load()};
  const auto here = reinterpret_cast<std::uintptr_t>(&self);
  while (!rally.threads.compare_exchange(self.next, here)) {
  }
  rally.ids[static_cast<std::size_t>(self.tid) % thread_rally::id_count] = self.tid;
  if (rally.stopped.fetch_add(1) + 1 >= rally.awaited.load()) futex_wake(rally.stopped, 1);
  while (rally.phase.load() == gathering) (void)futex_wait(rally.phase, gathering);
  if (rally.phase.load() != gathering + 1) return;  // called off
  const std::uint32_t all = rally.stopped.load();
  if (const long got = rally.each(rally.argument); got < 0) {
    int none = 0;
    rally.failure.compare_exchange(none, static_cast<int>(got));
  }
  if (rally.done.fetch_add(1) + 1 == all) futex_wake(rally.done, 1);
}

NONO_IN_HANDLER inline void on_rally_signal(int signal, siginfo_t* info, void* context) noexcept {
  const int kept = errno;
  if (info->si_code == SI_QUEUE && info->si_value.sival_ptr == &rally) {
    rally.under_way.fetch_sub(1);
    rally.inside.fetch_add(1);
    take_part();
    rally.inside.fetch_sub(1);
  } else if (rally.before.handler > 1) {  // neither SIG_DFL nor SIG_IGN: libc's
    using with_info = void (*)(int, siginfo_t*, void*);
    const auto before =
        reinterpret_cast<with_info>(rally.before.handler);  // NOLINT: an address of the kernel's
    before(signal, info, context);
  }
  errno = kept;
}

#if defined(__x86_64__)
// The instructions by which unwinders know a signal frame.
__attribute__((naked, noinline)) inline void return_from_signal() {
  __asm__ volatile("mov $15, %rax\n\tsyscall");
}
#endif

/// Every other thread of this process, stopped. They go on when it goes.
class stopped_threads {
 public:
  stopped_threads() = default;
  stopped_threads(const stopped_threads&) = delete;
  stopped_threads& operator=(const stopped_threads&) = delete;
  ~stopped_threads() { let_go(); }

  /// Why not all could be stopped.
  struct failure {
    int os_errno = 0;  ///< 0: none
    const char* step = "";
    int tid = 0;  ///< of a thread that did not come: ETIMEDOUT
  };

  /// Stops them; after an error they all go on. deadline_ms: how long to wait for a thread that does not take signals.
  [[nodiscard]] failure stop(unsigned deadline_ms) noexcept {
    tasks_ = static_cast<int>(
        system_kernel::call(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (tasks_ < 0) return {-tasks_, "open('/proc/self/task')", 0};
    lock();  // who waits for it can be stopped
    held_.emplace();
    if (const long got = install_handler(); got < 0) return {static_cast<int>(-got), "rt_sigaction", 0};
    failure why;
    unsigned waited = 0;
    for (unsigned patience = 2;; patience = patience < longest_patience_ms ? patience * 2 : patience) {
      begin();
      why = gather(patience, waited);
      if (why.os_errno != ETIMEDOUT || waited >= deadline_ms) return why;
      finish();
      waited += pause();
    }
  }

  /// How many are stopped.
  [[nodiscard]] std::uint32_t count() const noexcept { return rally.stopped.load(); }

  /// Lets each do `step` and go on, and waits until all have. 0, or the first -errno; -ETIMEDOUT if a thread was
  /// held up for deadline_ms.
  [[nodiscard]] long each(thread_rally::step step, const void* argument, unsigned deadline_ms) noexcept {
    const std::uint32_t all = rally.stopped.load();
    rally.each = step;
    rally.argument = argument;
    rally.phase = phase_ + 1;
    futex_wake(rally.phase, INT32_MAX);
    for (unsigned waited = 0;;) {
      const std::uint32_t now = rally.done.load();
      if (now == all) return rally.failure.load();
      if (waited >= deadline_ms) return -ETIMEDOUT;
      waited += wait_slice(rally.done, now, longest_slice_ms);
    }
  }

 private:
  static constexpr unsigned longest_slice_ms = 16;
  static constexpr unsigned longest_patience_ms = 256;

  /// Waits for a change, for that long at most. What was waited in vain, in ms: a process that is stopped as a whole
  /// loses nothing of its deadline.
  static unsigned wait_slice(const futex_word& word, std::uint32_t value, unsigned ms) noexcept {
    const timespec longest{0, static_cast<long>(ms) * 1000000};
    return futex_wait(word, value, &longest) == -ETIMEDOUT ? ms : 0;
  }

  /// Sleeps for a millisecond, and says so.
  static unsigned pause() noexcept {
    const timespec moment{0, 1000000};
    (void)system_kernel::call(SYS_nanosleep, &moment, nullptr);
    return 1;
  }

  void lock() noexcept {
    const int self = static_cast<int>(system_kernel::call(SYS_getpid));
    for (int other = 0; !rally.owner.compare_exchange(other, self); other = 0) {
      if (other == self) {  // another thread applies
        (void)pause();
      } else if (rally.owner.compare_exchange(other, self)) {
        rally.inside = 0;  // left by the process that we were forked from
        break;
      }
    }
    locked_ = true;
  }

  /// The next rally, when all have left the last one.
  void begin() noexcept {
    while (rally.inside.load() != 0) (void)pause();
    phase_ = rally.phase.load() / thread_rally::stages * thread_rally::stages + thread_rally::stages +
             thread_rally::gather;
    rally.threads = 0;
    for (shared_with_handler<int>& id : rally.ids) id.clear();
    rally.stopped = rally.done = 0;
    rally.awaited = UINT32_MAX;  // until all have a signal, nobody need be woken
    rally.failure = 0;
    rally.phase = phase_;
  }
  void finish() noexcept {
    rally.phase = phase_ + (thread_rally::stages - thread_rally::gather);
    futex_wake(rally.phase, INT32_MAX);
  }

  /// Installs a handler, or none, and keeps the one that was there unless it is ours.
  static long keep_handler(const kernel_sigaction* wanted) noexcept {
    kernel_sigaction before{};
    const long got = system_kernel::call(SYS_rt_sigaction, rally_signal, wanted, &before, sizeof before.mask);
    if (got >= 0 && before.handler != reinterpret_cast<std::uintptr_t>(&on_rally_signal))
      rally.before = before;
    return got;
  }

  long install_handler() noexcept {
    kernel_sigaction ours{};
    ours.handler = reinterpret_cast<std::uintptr_t>(&on_rally_signal);
    ours.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    ours.mask = ~std::uint64_t{0};  // no other handler may run while its thread is stopped
#if defined(__x86_64__)
    constexpr unsigned long sa_restorer = 0x04000000;
    ours.flags |= sa_restorer;
    ours.restorer = reinterpret_cast<std::uintptr_t>(&return_from_signal);
#endif
    // Known before ours can be called: one of libc's signals that is not passed on leaves a setuid() waiting for ever.
    keep_handler(nullptr);
    const long got = keep_handler(&ours);
    installed_ = got >= 0;
    return got < 0 ? got : 0;
  }

  [[nodiscard]] static bool is_stopped(int tid) noexcept {
    if (rally.ids[static_cast<std::size_t>(tid) % thread_rally::id_count].load() == tid) return true;
    for (std::uintptr_t at = rally.threads.load(); at != 0;) {
      const auto* t = reinterpret_cast<const stopped_thread*>(at);  // NOLINT: an address as it was
      if (t->tid == tid) return true;
      at = t->next;
    }
    return false;
  }

  static long send(int pid, int tid) noexcept {
    siginfo_t info{};
    info.si_signo = rally_signal;
    info.si_code = SI_QUEUE;
    info.si_pid = pid;
    info.si_uid = static_cast<uid_t>(system_kernel::call(SYS_getuid));
    info.si_value.sival_ptr = &rally;
    rally.under_way.fetch_add(1);
    const long got = system_kernel::call(SYS_rt_tgsigqueueinfo, pid, tid, rally_signal, &info);
    if (got < 0) rally.under_way.fetch_sub(1);
    return got;
  }

  /// How many threads there are, this one included: the links of the directory.
  [[nodiscard]] unsigned long counted() const noexcept {
    struct stat st{};
    return ::fstat(tasks_, &st) == 0 ? threads_of(st) : 0;
  }

  /// A main thread that has ended stays in the list.
  [[nodiscard]] bool has_ended(const char* tid) const noexcept {
    char path[24];
    std::strcpy(path, tid);
    std::strcat(path, "/stat");
    char text[128];  // "TID (NAME) STATE": a name has 15 bytes at most
    const long fd = system_kernel::call(SYS_openat, tasks_, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fd == -ENOENT || fd == -ESRCH;
    const long size = system_kernel::call(SYS_read, fd, text, sizeof text - 1);
    (void)system_kernel::call(SYS_close, fd);
    if (size < 0) return size == -ESRCH;
    text[size] = '\0';
    const char* name_ends = std::strrchr(text, ')');
    return name_ends != nullptr && (name_ends[2] == 'Z' || name_ends[2] == 'X');
  }

  /// Lists and signals until a list has no thread that is not stopped, and there are no more threads than those. The list
  /// alone does not tell: the kernel ends it early where a thread ends just there, and what it leaves out then are the
  /// newest. Those that are stopped can neither end nor start others, so a count after the list is final. Gives up when
  /// none has come for `patience` ms.
  failure gather(unsigned patience, unsigned& waited) noexcept {
    const int pid = static_cast<int>(system_kernel::call(SYS_getpid));
    const int self = static_cast<int>(system_kernel::call(SYS_gettid));
    unsigned in_vain = 0;
    for (unsigned slice = 1;; slice = slice < longest_slice_ms ? slice * 2 : slice) {
      std::uint32_t listed = 0;
      std::uint32_t known = 0;
      int missing = 0;
      std::uint32_t main_thread_ended = 0;
      failure why;
      const long read = for_each_number(tasks_, [&](int tid, const char* digits) {
        if (tid == self) return;
        if (is_stopped(tid)) {
          ++listed;
          ++known;
          return;
        }
        if (slice > 1 && has_ended(digits)) {
          if (tid == pid) main_thread_ended = 1;  // and is counted until all have
          return;
        }
        // A second signal does no harm. One that has just ended (ESRCH) is in no further list.
        const long got = send(pid, tid);
        if (got < 0 && got != -EAGAIN && got != -ESRCH)
          why = {static_cast<int>(-got), "rt_tgsigqueueinfo", tid};
        ++listed;
        missing = tid;
      });
      if (read < 0) return {static_cast<int>(-read), "getdents64", 0};
      if (why.os_errno != 0) return why;
      if (missing == 0 && known == rally.stopped.load() && counted() == known + main_thread_ended + 1)
        return {};
      if (in_vain >= patience) return {ETIMEDOUT, "", missing};
      rally.awaited = listed;
      bool in_time = true;
      const std::uint32_t before = rally.stopped.load();
      for (std::uint32_t now = before; in_time && now < listed; now = rally.stopped.load())
        in_time = wait_slice(rally.stopped, now, slice) == 0;
      if (in_time) continue;
      waited += slice;
      in_vain = rally.stopped.load() != before ? 0 : in_vain + slice;
    }
  }

  void let_go() noexcept {
    if (tasks_ >= 0) (void)system_kernel::call(SYS_close, tasks_);
    if (!locked_) return;
    finish();
    // A signal that is still under way would end the process where nobody had a handler: then ours stays.
    if (installed_ && (rally.before.handler > 1 || rally.under_way.load() == 0))
      (void)system_kernel::call(SYS_rt_sigaction, rally_signal, &rally.before, nullptr,
                                sizeof rally.before.mask);
    rally.owner = 0;
  }

  std::optional<blocked_signals> held_;  // a handler here could wait for a thread that is stopped
  std::uint32_t phase_ = 0;
  int tasks_ = -1;
  bool locked_ = false;
  bool installed_ = false;
};

/// Thread `tid` of this process and why it does not take a signal, in words: `4711 (jit), which blocks every signal`.
inline std::string describe_thread(int tid) {
  std::string out = std::to_string(tid);
  const std::string path = "/proc/self/task/" + out + "/status";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char buffer[4096];
  const ssize_t size = fd < 0 ? -1 : ::read(fd, buffer, sizeof buffer);
  if (fd >= 0) ::close(fd);
  const std::string_view text(buffer, size < 0 ? 0 : static_cast<std::size_t>(size));
  const auto value_of = [&](std::string_view key) -> std::string_view {
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = text.substr(at + key.size());
    return rest.substr(0, rest.find('\n'));
  };
  const std::string_view name = value_of("Name:\t");
  const std::string_view state = value_of("State:\t");
  out.append(" (").append(name).append(")");
  const std::string mask(value_of("SigBlk:\t"));
  const bool blocks = (std::strtoull(mask.c_str(), nullptr, 16) >> (rally_signal - 1) & 1U) != 0;
  if (name.starts_with("iou-")) return out += ", which works for an io_uring ring";
  if (state.starts_with('t') || state.starts_with('T'))
    return out += ", which is stopped, by a debugger perhaps";
  if (blocks) return out += ", which blocks every signal";
  if (state.starts_with('D')) return out += ", which is in a call that nothing interrupts";
  return out += ", which did not take a signal in time";
}

}  // namespace nono::detail
#endif
