// SPDX-License-Identifier: Apache-2.0
// The system calls that confine: thin wrappers that return a value or -errno and have no opinion. Everything
// that talks to the kernel about confinement goes through `system_kernel`, or through a stand-in of its
// shape.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <span>

#include <nono/linux/abi.hpp>

#if defined(__linux__)
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset  // the same numbers on every architecture that we build for
#define NONO_SYS_landlock 444
#else
#define NONO_SYS_landlock SYS_landlock_create_ruleset
#endif

#if defined(__SANITIZE_THREAD__)
#define NONO_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NONO_THREAD_SANITIZER 1
#endif
#endif
#ifdef NONO_THREAD_SANITIZER
extern "C" int __clone(int (*)(void*), void*, int, void*, ...) noexcept;  // NOLINT: glibc's
#endif
// In a handler that ThreadSanitizer does not know of, nothing may call its runtime, which it may have interrupted.
#if defined(NONO_THREAD_SANITIZER) && defined(__clang__)
#define NONO_IN_HANDLER __attribute__((disable_sanitizer_instrumentation))
#elif defined(NONO_THREAD_SANITIZER)
#define NONO_IN_HANDLER __attribute__((no_sanitize_thread))
#else
#define NONO_IN_HANDLER
#endif

namespace nono::detail {

/// Nothing here allocates, takes a lock or needs the heap: safe between fork and exec.
struct system_kernel {
  template <class... Args>
  NONO_IN_HANDLER static long call(long number, Args... args) noexcept {
    const long got = ::syscall(number, args...);
    return got < 0 ? -errno : got;
  }

  static long landlock_create_ruleset(const linux_abi::ruleset_attr* attr, std::size_t size,
                                      std::uint32_t flags) noexcept {
    return call(NONO_SYS_landlock, attr, size, flags);
  }
  static long landlock_add_rule(int ruleset, int type, const void* attr) noexcept {
    return call(NONO_SYS_landlock + 1, ruleset, type, attr, 0U);
  }
  NONO_IN_HANDLER static long landlock_restrict_self(int ruleset, std::uint32_t flags) noexcept {
    return call(NONO_SYS_landlock + 2, ruleset, flags);
  }
  NONO_IN_HANDLER static long no_new_privs() noexcept {
    return call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
  }

  /// Installs a filter on the calling thread. Returns 0, or the listener's descriptor with NEW_LISTENER.
  static long seccomp_filter(const sock_filter* program, std::uint16_t length, unsigned flags) noexcept {
    const sock_fprog filter{length, const_cast<sock_filter*>(program)};  // NOLINT: the kernel only reads it
    return call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  }
  /// 0 when filters are compiled in: the action to return an errno is there.
  static long seccomp_available() noexcept {
    const std::uint32_t action = SECCOMP_RET_ERRNO;
    return call(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0U, &action);
  }

  /// Empties the ambient, bounding, inheritable, permitted and effective sets of the calling thread.
  static long drop_capabilities() noexcept {
    long got = call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL);
    if (got < 0) return got;
    for (unsigned long cap = 0; cap < 64; ++cap) {
      got = call(SYS_prctl, PR_CAPBSET_DROP, cap, 0UL, 0UL, 0UL);
      // EINVAL: one past the last capability of this kernel. EPERM: an ordinary user; no_new_privs then keeps
      // exec from giving back what the capset below takes.
      if (got == -EINVAL || got == -EPERM) break;
      if (got < 0) return got;
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    return call(SYS_capset, &header, none);
  }
  /// The effective and permitted capabilities of the calling thread together, bit N for capability N.
  static std::uint64_t capabilities() noexcept {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {};
    if (call(SYS_capget, &header, have) < 0) return ~std::uint64_t{0};
    const auto both = [&](int i) { return std::uint64_t{have[i].effective | have[i].permitted}; };
    return both(0) | both(1) << 32U;
  }

  /// A key ring of the calling thread's own instead of the session's that it inherited.
  static long new_session_keyring() noexcept {
    return call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, static_cast<const char*>(nullptr));
  }
};

/// clone(2) on a stack of its own. ThreadSanitizer takes the function of libc for a fork, which it is not where memory is
/// shared; the other name leads past it.
inline int clone_on(std::span<std::byte> stack, int (*child)(void*), int flags, void* argument,
                    int* pidfd = nullptr) noexcept {
#ifdef NONO_THREAD_SANITIZER
  return ::__clone(child, stack.data() + stack.size(), flags, argument, pidfd);
#else
  return ::clone(child, stack.data() + stack.size(), flags, argument, pidfd);
#endif
}

/// f(N, its digits) for each entry of a directory of /proc whose name is a number, from the first on. 0 or -errno.
template <class F>
long for_each_number(int directory, F&& f) noexcept {
  struct entry {  // linux_dirent64
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[1];
  };
  alignas(entry) char buffer[8192];
  if (const long got = system_kernel::call(SYS_lseek, directory, 0L, 0); got < 0) return got;
  for (;;) {
    const long size = system_kernel::call(SYS_getdents64, directory, buffer, sizeof buffer);
    if (size <= 0) return size;
    for (long at = 0; at < size;) {
      const auto* e = reinterpret_cast<const entry*>(buffer + at);  // NOLINT: the kernel's layout
      at += e->size;
      if (e->name[0] < '0' || e->name[0] > '9') continue;  // "." and ".."
      int number = 0;
      for (const char* c = e->name; *c != '\0'; ++c) number = number * 10 + (*c - '0');
      f(number, static_cast<const char*>(e->name));
    }
  }
}

/// A signal's action as the kernel takes it.
struct kernel_sigaction {
  std::uintptr_t handler;
  unsigned long flags;
  std::uintptr_t restorer;
  std::uint64_t mask;
};

/// Sets the calling thread's mask of blocked signals: bit N-1 for signal N.
inline void set_signal_mask(const std::uint64_t& mask) noexcept {
  (void)system_kernel::call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

/// Blocks signals in the calling thread until it goes.
class blocked_signals {
 public:
  explicit blocked_signals(std::uint64_t which = ~std::uint64_t{0}) noexcept {
    (void)system_kernel::call(SYS_rt_sigprocmask, SIG_BLOCK, &which, &before_, sizeof before_);
  }
  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;
  ~blocked_signals() { set_signal_mask(before_); }
  /// The mask as it was.
  [[nodiscard]] const std::uint64_t& before() const noexcept { return before_; }

 private:
  std::uint64_t before_ = 0;
};

/// Signals 32 and 33, by which libc changes the user of every thread of a process.
inline constexpr std::uint64_t libc_signals = std::uint64_t{3} << 31U;

}  // namespace nono::detail
#undef NONO_SYS_landlock
#endif
