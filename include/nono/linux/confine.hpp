// SPDX-License-Identifier: Apache-2.0
// Confining this process with all its threads: rehearsed in a child, so that what can fail fails before anything is
// restricted; then every thread or, where that turns out impossible half-way, the end of the process.
#pragma once

#if defined(__linux__)
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nono/error.hpp>
#include <nono/linux/abi.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/filter.hpp>
#include <nono/linux/syscalls.hpp>
#include <nono/linux/threads.hpp>
#include <nono/report.hpp>

namespace nono::detail {

/// What confining the calling thread would say: a child with the same memory does it and ends.
template <class Kernel = system_kernel>
confine_failure rehearse(const filter_program& program, int ruleset) noexcept {
  struct stage {
    const filter_program& program;
    int ruleset = -1;
    confine_failure why;
  } here{program, ruleset, {}};
  const blocked_signals no_handler_may_run_there;
  alignas(16) std::byte stack[16384];
  const auto child = [](void* at) {
    stage& s = *static_cast<stage*>(at);
    s.why = confine_thread<Kernel>(s.program, s.ruleset, nullptr);
    return 0;
  };
  const int pid = clone_on(stack, child, CLONE_VM | CLONE_VFORK, &here);  // without a SIGCHLD at its end
  if (pid < 0) return {errc::fork_failed, errno, "clone, to rehearse"};
  while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  return here.why;
}

/// Some threads are confined, one is not, and there is no way back.
[[noreturn]] inline void end_process() noexcept {
  constexpr std::string_view text =
      "nono: a thread could not be confined when others were already; the process ends\n";
  (void)system_kernel::call(SYS_write, STDERR_FILENO, text.data(), text.size());
  (void)system_kernel::call(SYS_kill, system_kernel::call(SYS_getpid), SIGKILL);
  for (;;) (void)system_kernel::call(SYS_exit_group, 128 + SIGKILL);
}

/// What each stopped thread does. at: where the ruleset's number is.
template <class Kernel>
NONO_IN_HANDLER long confine_stopped_thread(const void* at) noexcept {
  if (const long got = Kernel::no_new_privs(); got < 0) return got;
  return Kernel::landlock_restrict_self(*static_cast<const int*>(at), 0);
}

/// Confines every thread by TSYNC, or by broadcast; in an error none is restricted beyond no_new_privs, but for what
/// the rehearsal could not foresee: then the filter may be in force.
/// deadline_ms: how long a thread may take to stop. threads: how many were confined, where they were counted.
template <class Kernel = system_kernel>
confine_failure confine_threads(const filter_program& program, int ruleset, thread_mode mode,
                                unsigned deadline_ms, std::uint32_t& threads) noexcept {
  confine_failure why = rehearse<Kernel>(program, ruleset);
  if (why.code != errc::none) return why;
  const bool by_kernel = mode == thread_mode::tsync;
  stopped_threads others;
  if (!by_kernel && ruleset >= 0) {
    const stopped_threads::failure late = others.stop(deadline_ms);
    if (late.tid != 0) return {errc::thread_unreachable, late.os_errno, late.step, late.tid};
    if (late.os_errno != 0) return {errc::multi_threaded, late.os_errno, late.step};
    threads = others.count() + 1;
  }
  why = give_up_privileges<Kernel>();
  if (why.code == errc::none) why = install_filter<Kernel>(program, SECCOMP_FILTER_FLAG_TSYNC);
  if (why.code == errc::none)
    why = restrict_self<Kernel>(ruleset, by_kernel ? linux_abi::restrict_self_tsync : 0);
  if (why.code != errc::none || by_kernel || ruleset < 0) return why;
  if (others.each(&confine_stopped_thread<Kernel>, &ruleset, deadline_ms) != 0) end_process();
  return {};
}

}  // namespace nono::detail
#endif
