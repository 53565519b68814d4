// SPDX-License-Identifier: Apache-2.0
// The door for this process: apply(policy) confines it for good.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <nono/attenuation.hpp>
#include <nono/bind.hpp>
#include <nono/error.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/plan.hpp>
#include <nono/linux/syscalls.hpp>
#include <nono/policy.hpp>
#include <nono/report.hpp>

namespace nono {

namespace detail {

/// Room on the stack, so that confining allocates nothing for some 250 rules.
using stack_room = std::array<std::byte, 65536>;

#if defined(__linux__)
inline result<enforcement> apply_bound(bound_policy& bound) {
  const unsigned long threads = thread_count();
  if (threads != 1)
    return error{
        errc::multi_threaded, 0, {}, threads == 0 ? "an unknown number of" : std::to_string(threads), {}};
  linux_abi::kernel_support kernel = probe_kernel();
  constexpr std::uint64_t sees_all = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_PERFMON;
  kernel.reads_all_memory = (system_kernel::capabilities() & sees_all) != 0;
  result<prepared_sandbox> sandbox = prepare_sandbox(bound, kernel, sandbox_target::this_process);
  if (!sandbox) return std::move(sandbox).error();
  const filter_program program = program_for(sandbox->planned.filter, kernel);
  if (const confine_failure why = confine_thread(program, sandbox->ruleset.get(), nullptr);
      why.code != errc::none)
    return error{why.code, why.os_errno, {}, {}, why.step};
  sandbox->planned.report.threads = 1;
  return sandbox->planned.report;
}
#else
inline result<enforcement> apply_bound(bound_policy&) {
  return error{errc::unsupported_platform, 0, {}, {}, {}};
}
#endif

}  // namespace detail

/// Confines this process to a policy whose paths are resolved already.
inline result<enforcement> apply(bound_policy&& bound) { return detail::apply_bound(bound); }

/// Confines this process and all it starts from now on, for good: there is no way back.
/// Descriptors that are open stay open, with the rights they have. Memory comes from the stack.
/// Works in a process with one thread; any other is refused.
/// extras: any number of bind("$NAME", value) and of within(parent).
/// Errors: those of bind() and make_plan(); not_within, multi_threaded, ruleset_failed, path_changed, filter_failed,
///         filter_refused, too_many_filters, restrict_failed, restrict_refused, too_many_layers. After
///         filter_failed and what follows it the process may be confined in part: end it.
/// Since:  Landlock ABI 1 (Linux 5.13).
/// Source: landlock(7), seccomp(2)
template <class Policy, class... Extras>
result<enforcement> apply_to_this_process(const Policy& policy, const Extras&... extras) {
  static_assert(!Policy::needs_child(),
                "network(loopback) needs a child process: use spawn() instead of apply()");
  detail::refuse_hosts<Policy>();
  detail::stack_room room;  // deliberately not initialised
  result<bound_policy> bound =
      detail::call_extras<detail::no_options, Extras...>(extras...).bind(policy, room);
  if (!bound) return std::move(bound).error();
  return detail::apply_bound(*bound);
}

/// As the member: `nono::apply(policy, nono::bind("$DATA", dir))`.
template <class Policy, class... Extras>
  requires requires(const Policy& p) { Policy::needs_child(); }
result<enforcement> apply(const Policy& policy, const Extras&... extras) {
  return apply_to_this_process(policy, extras...);
}

}  // namespace nono
