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

/// Nothing, or why a socket that is open goes past what the policy requires. A closed network: any but unix ones. One of
/// single ports: any but TCP that is connected or listens, since no filter saw what the others were set to. Unix sockets
/// closed: those that could still be led elsewhere.
/// name: what to call a descriptor.
template <class Name>
error check_sockets(const open_descriptors& open, const plan& planned, Name&& name) {
  const auto required = [&](protection id) { return planned.report.demand_for(id) == demand::required; };
  const auto refused = [&](int fd, protection id) {
    return error{errc::socket_open, 0, {}, std::string(row_of(id).name), name(fd)};
  };
  if (required(protection::network)) {
    const bool ports = planned.filter.network == network_mode::ports;
    const int fd = ports ? open.first_loose_socket : open.first_network_socket;
    if (fd >= 0) return refused(fd, protection::network);
  }
  if (planned.filter.no_unix_sockets && required(protection::pathname_unix) && open.first_loose_unix >= 0)
    return refused(open.first_loose_unix, protection::pathname_unix);
  return {};
}

/// Nothing, or why what this process has open contradicts the policy.
inline error check_open(const open_descriptors& open, const bound_policy& bound, const plan& planned) {
  const auto name = [](int fd) { return "descriptor " + std::to_string(fd); };
  if (open.io_uring_rings != 0 && !bound.lifted.has(protection::io_uring) &&
      !bound.best_effort.has(protection::io_uring))
    return {errc::io_uring_open, 0, {}, {}, std::to_string(open.first_ring)};
  return check_sockets(open, planned, name);
}

/// The same of what a program gets as its standard streams: its other descriptors are closed. Where a supervisor decides
/// about connections, a unix datagram socket could call any other past it.
inline error check_streams(const plan& planned, const std::array<int, 3>& streams) {
  constexpr const char* names[] = {"standard input", "standard output", "standard error"};
  for (std::size_t i = 0; i < streams.size(); ++i) {
    open_descriptors open;
    open.look_at(streams[i]);
    const auto name = [&](int) { return std::string(names[i]); };
    if (error why = check_sockets(open, planned, name); why.code != errc::none) return why;
    if (planned.filter.decides_unix && open_descriptors::is_unix_datagram(streams[i]))
      return {errc::bad_argument,
              0,
              {},
              {},
              std::string(names[i]) +
                  " is a unix datagram socket, by which the child could call any server; give it another"};
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
  open_descriptors open;
  if (!look_at_open_descriptors(open)) return error{errc::descriptors_unseen, 0, {}, {}, {}};
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
/// Descriptors that are open stay open, with the rights they have. The report counts network sockets, connections to
/// named unix sockets and io_uring rings. Refused are rings; under a closed network each network socket, idle or not;
/// under one of single ports those that are not TCP, or neither connected nor listening; under unix_sockets(none) unix
/// sockets that are neither, or of datagrams. Memory comes from the stack.
/// Threads: from ABI 8 on the kernel confines all in one step. Below, each is stopped by signal 33 and confines itself;
/// calls that a signal interrupts (nanosleep, poll) fail with EINTR there. A thread that does not stop in time is an
/// error, and then nothing is restricted. Should a thread fail when others are confined, the process is killed.
/// extras: any number of bind("$NAME", value) and of within(parent), and at most one apply_options.
/// Errors: those of bind() and make_plan(); not_within, multi_threaded, thread_unreachable, socket_open, io_uring_open,
///         descriptors_unseen, fork_failed, ruleset_failed, path_changed, filter_failed, filter_refused,
///         too_many_filters, restrict_failed, restrict_refused, too_many_layers. In a process with one thread it may be confined in part after
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
