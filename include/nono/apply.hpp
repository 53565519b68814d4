// SPDX-License-Identifier: Apache-2.0
// The door for this process: apply(policy) confines it for good.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <nono/attenuation.hpp>
#include <nono/bind.hpp>
#include <nono/error.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/confine.hpp>
#include <nono/linux/open_descriptors.hpp>
#include <nono/linux/plan.hpp>
#include <nono/linux/syscalls.hpp>
#include <nono/linux/threads.hpp>
#include <nono/policy.hpp>
#include <nono/report.hpp>

#if defined(__APPLE__)
#include <nono/macos/apply.hpp>
#endif

namespace nono {

/// Which threads apply() confines.
enum class confined_threads : std::uint8_t { all, calling_only };

constexpr std::string_view name_of(confined_threads threads) noexcept {
  return threads == confined_threads::all ? "all" : "calling_only";
}

/// How apply() confines this process.
struct apply_options {
  confined_threads threads = confined_threads::all;
  unsigned deadline_ms = 5000;  ///< how long a thread may take to stop, below Landlock ABI 8
};

/// Every thread, or an error: the default.
inline constexpr apply_options require_all_threads{};
/// `policy.apply(nono::calling_thread_only)`: the other threads stay as free as they are, and share memory with this
/// one: no protection against code that can write there.
inline constexpr apply_options calling_thread_only{confined_threads::calling_only};

namespace detail {

/// Room on the stack, so that confining allocates nothing for some 250 rules.
using stack_room = std::array<std::byte, 65536>;

#if defined(__linux__)

/// Nothing, or why what is open already contradicts the policy.
inline error check_open(const open_descriptors& open, const bound_policy& bound, const plan& planned) {
  if (open.io_uring_rings != 0 && !bound.lifted.has(protection::io_uring) &&
      !bound.best_effort.has(protection::io_uring))
    return {errc::io_uring_open, 0, {}, {}, std::to_string(open.first_ring)};
  if (network_of(bound) == network_mode::blocked && required(protection::network, bound)) {
    // Landlock keeps plain TCP sockets from connecting, whenever they were made.
    const bool handled = (planned.ruleset.handled_access_net & linux_abi::net_connect_tcp) != 0;
    const int fd = open.first_busy_socket < 0 && !handled ? open.first_idle_socket : open.first_busy_socket;
    if (fd >= 0) return {errc::socket_open, 0, {}, {}, std::to_string(fd)};
  }
  return {};
}

inline error confine_error(const confine_failure& why) {
  if (why.code != errc::thread_unreachable) return {why.code, why.os_errno, {}, {}, why.step};
  const bool filtered = why.step == std::string_view("seccomp");
  return {why.code,
          why.os_errno,
          {},
          {},
          filtered ? std::to_string(why.tid) + ", which has a seccomp filter of its own"
                   : describe_thread(why.tid)};
}

/// How a process of `threads` threads (0: nobody knows) is confined.
inline thread_mode mode_for(unsigned long threads, const apply_options& options,
                            const linux_abi::kernel_support& kernel) noexcept {
  if (threads == 1) return thread_mode::single;
  if (options.threads == confined_threads::calling_only) return thread_mode::calling_thread_only;
  return kernel.landlock_abi >= linux_abi::first_abi_with_tsync ? thread_mode::tsync : thread_mode::broadcast;
}

inline result<enforcement> apply_bound(bound_policy& bound, const apply_options& options = {}) {
  const unsigned long counted = thread_count();
  linux_abi::kernel_support kernel = probe_kernel();
  thread_mode mode = mode_for(counted, options, kernel);
  if (mode == thread_mode::broadcast && soon_alone()) mode = thread_mode::single;
  const bool all = mode == thread_mode::tsync || mode == thread_mode::broadcast;
  constexpr std::uint64_t sees_all = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_PERFMON;
  kernel.reads_all_memory = (system_kernel::capabilities() & sees_all) != 0;
  // Each thread will have a domain of its own: without that erratum the scope would keep libc from its own threads.
  if (mode == thread_mode::broadcast && (kernel.errata & linux_abi::erratum_signals_between_threads) == 0)
    kernel.scoped &= ~linux_abi::scope_signal;
  result<prepared_sandbox> sandbox = prepare_sandbox(bound, kernel, sandbox_target::this_process);
  if (!sandbox) return std::move(sandbox).error();
  plan& planned = sandbox->planned;
  for (bound_rule& r : bound.rules) close_descriptor(std::exchange(r.fd, -1));  // the ruleset has them
  const open_descriptors open = look_at_open_descriptors();
  if (error why = check_open(open, bound, planned); why.code != errc::none) return why;
  const filter_program program = program_for(planned.filter, kernel);
  std::uint32_t threads = all ? static_cast<std::uint32_t>(counted) : 1;
  const confine_failure why =
      all ? confine_threads(program, sandbox->ruleset.get(), mode, options.deadline_ms, threads)
          : confine_thread(program, sandbox->ruleset.get(), nullptr);
  if (why.code != errc::none) return confine_error(why);
  planned.report.threads = threads;
  planned.report.mode = mode;
  planned.report.network_sockets = open.network_sockets;
  planned.report.unix_connections = open.unix_connections;
  planned.report.io_uring_rings = open.io_uring_rings;
  return planned.report;
}
#elif defined(__APPLE__)
inline result<enforcement> apply_bound(bound_policy& bound, const apply_options& = {}) {
  return seatbelt::confine(bound);
}
#else
inline result<enforcement> apply_bound(bound_policy&, const apply_options& = {}) {
  return error{errc::unsupported_platform, 0, {}, {}, {}};
}
#endif

}  // namespace detail

/// Confines this process to a policy whose paths are resolved already, and still lead to the same files.
inline result<enforcement> apply(bound_policy&& bound, const apply_options& options = {}) {
  if (error why = check_unchanged(bound); why.code != errc::none) return why;
  return detail::apply_bound(bound, options);
}

/// Confines this process, every thread of it, and all it starts from now on, for good: there is no way back.
/// Descriptors that are open stay open, with the rights they have; the report counts sockets and io_uring rings, and
/// those that contradict the policy are an error. Memory comes from the stack.
/// Threads: from ABI 8 on the kernel confines all in one step. Below, each is stopped by signal 33 and confines itself;
/// calls that a signal interrupts (nanosleep, poll) fail with EINTR there. A thread that does not stop in time is an
/// error, and then nothing is restricted. Should a thread fail when others are confined, the process is killed.
/// extras: any number of bind("$NAME", value) and of within(parent), and at most one apply_options.
/// Errors: those of bind() and make_plan(); not_within, multi_threaded, thread_unreachable, socket_open, io_uring_open,
///         fork_failed, ruleset_failed, path_changed, filter_failed, filter_refused, too_many_filters, restrict_failed,
///         restrict_refused, too_many_layers. In a process with one thread it may be confined in part after
///         filter_failed and what follows it: end it.
/// Since:  Landlock ABI 1 (Linux 5.13).
/// Source: landlock(7), seccomp(2)
template <class Policy, class... Extras>
result<enforcement> apply_to_this_process(const Policy& policy, const Extras&... extras) {
  static_assert(!Policy::needs_child(),
                "network(loopback) needs a child process: use spawn() instead of apply()");
  detail::refuse_hosts<Policy>();
  detail::stack_room room;  // deliberately not initialised
  const detail::call_extras<apply_options, Extras...> sorted(extras...);
  result<bound_policy> bound = sorted.bind(policy, room);
  if (!bound) return std::move(bound).error();
  return detail::apply_bound(*bound, sorted.options);
}

/// As the member: `nono::apply(policy, nono::bind("$DATA", dir))`.
template <class Policy, class... Extras>
  requires requires(const Policy& p) { Policy::needs_child(); }
result<enforcement> apply(const Policy& policy, const Extras&... extras) {
  return apply_to_this_process(policy, extras...);
}

}  // namespace nono
