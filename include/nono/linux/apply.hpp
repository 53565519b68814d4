// SPDX-License-Identifier: Apache-2.0
// From a plan to the kernel: the ruleset is made first, with everything that can fail; then one thread is
// confined by three calls that need no memory. The kernel is a template parameter, so that tests can stand
// in.
#pragma once

#if defined(__linux__)
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include <nono/error.hpp>
#include <nono/linux/abi.hpp>
#include <nono/linux/filter.hpp>
#include <nono/linux/plan.hpp>
#include <nono/linux/syscalls.hpp>
#include <nono/resolve.hpp>

namespace nono::detail {

/// Asks the kernel what it can do, and takes its word: three system calls.
template <class Kernel = system_kernel>
linux_abi::kernel_support probe_kernel() noexcept {
  linux_abi::kernel_support out;
  const long abi = Kernel::landlock_create_ruleset(nullptr, 0, linux_abi::create_ruleset_version);
  if (abi <= 0) {  // there is no ABI 0
    out.landlock_errno = abi < 0 ? static_cast<int>(-abi) : ENOSYS;
  } else {
    out = linux_abi::kernel_of(static_cast<int>(abi));
    const long errata = Kernel::landlock_create_ruleset(nullptr, 0, linux_abi::create_ruleset_errata);
    out.errata = errata < 0 ? 0 : static_cast<std::uint32_t>(errata);  // EINVAL: older than the question
  }
  out.seccomp = Kernel::seccomp_available() == 0;
  return out;
}

/// True for what the kernel answers to a ruleset of which it does not know a right (EINVAL) or a whole field
/// (E2BIG: one behind the end of its own structure is not zero).
constexpr bool is_unknown_right(long got) noexcept { return got == -EINVAL || got == -E2BIG; }

/// Whether the kernel takes a ruleset that handles this: 0 or -errno. The ruleset is thrown away.
template <class Kernel = system_kernel>
long try_ruleset(const linux_abi::access_masks& handled) noexcept {
  const linux_abi::ruleset_attr attr{handled.fs, handled.net, handled.scoped};
  const long fd = Kernel::landlock_create_ruleset(&attr, sizeof attr, 0);
  if (fd < 0) return fd;
  const descriptor thrown_away(static_cast<int>(fd));
  return 0;
}

/// Leaves of what `kernel` promises what it takes, each group tried alone. 0, or the -errno of a call that failed
/// for another reason, which tells nothing about a right.
template <class Kernel = system_kernel>
long try_groups(linux_abi::kernel_support& kernel) noexcept {
  linux_abi::access_masks taken;
  for (const linux_abi::access_masks& group : linux_abi::probe_groups) {
    if (!kernel.has(group)) continue;
    const long got = try_ruleset<Kernel>(group);
    if (got == 0) taken = taken | group;
    if (got < 0 && !is_unknown_right(got)) return got;
  }
  kernel.masks() = taken;
  return 0;
}

/// As probe_kernel, and tries whether the word is kept: one call more if it is.
template <class Kernel = system_kernel>
linux_abi::kernel_support examine_kernel() noexcept {
  linux_abi::kernel_support out = probe_kernel<Kernel>();
  if (out.landlock_abi == 0) return out;
  long got = try_ruleset<Kernel>(out.masks());
  if (is_unknown_right(got)) got = try_groups<Kernel>(out);
  if (got == -ENOSYS || got == -EOPNOTSUPP || got == -EPERM || got == -EACCES) {
    out = linux_abi::kernel_of(0, out.seccomp);
    out.landlock_errno = static_cast<int>(-got);
  }
  return out;
}

inline constexpr std::string_view create_call = "landlock_create_ruleset";

inline error create_failed(long got) {
  const int os_errno = static_cast<int>(-got);
  const bool whole = got == -ENOSYS || got == -EOPNOTSUPP || got == -EPERM || got == -EACCES;
  return {
      whole ? no_landlock_code(os_errno) : errc::ruleset_failed, os_errno, {}, {}, std::string(create_call)};
}

/// Adds the ports of a plan to a ruleset. 0 or -errno.
template <class Kernel = system_kernel>
long add_ports(int ruleset, const plan& p) noexcept {
  for (const linux_abi::net_port_attr& port : p.ports)
    if (const long got = Kernel::landlock_add_rule(ruleset, linux_abi::rule_net_port, &port);
        got < 0 && got != -EAFNOSUPPORT)  // a kernel without IP has no port to close
      return got;
  return 0;
}

/// Makes the ruleset of a plan; -1 where the plan needs none. Each path is taken by the descriptor that holds
/// it, or resolved again and compared.
template <class Kernel = system_kernel>
result<descriptor> make_ruleset(const plan& p) {
  const linux_abi::ruleset_attr& attr = p.ruleset;
  if (attr.handled_access_fs == 0 && attr.handled_access_net == 0 && attr.scoped == 0) return descriptor(-1);
  const long fd = Kernel::landlock_create_ruleset(&attr, sizeof attr, 0);
  if (fd < 0) return create_failed(fd);
  descriptor ruleset(static_cast<int>(fd));
  path_buffer buffer{};
  for (const planned_path& path : p.paths) {
    const bound_rule& rule = *path.rule;
    descriptor again;
    if (rule.fd < 0) {
      const resolved_path found = resolve_path(rule.path.data(), buffer);
      again = descriptor(found.fd);
      if (found.os_errno != 0 || found.id != rule.id)
        return error{errc::path_changed, found.os_errno, "the policy", std::string(rule.path), {}};
    }
    const linux_abi::path_beneath_attr beneath{path.access, rule.fd < 0 ? again.get() : rule.fd};
    if (const long got = Kernel::landlock_add_rule(ruleset.get(), linux_abi::rule_path_beneath, &beneath);
        got < 0)
      return error{
          errc::ruleset_failed, static_cast<int>(-got), " for " + quoted(rule.path), {}, "landlock_add_rule"};
  }
  if (const long got = add_ports<Kernel>(ruleset.get(), p); got < 0)
    return error{errc::ruleset_failed, static_cast<int>(-got), {}, {}, "landlock_add_rule for a port"};
  return ruleset;
}

/// A plan and its ruleset, which this kernel has taken.
struct prepared_sandbox {
  linux_abi::kernel_support kernel;
  plan planned;  ///< refers to the bound policy
  descriptor ruleset;
};

/// Plans and makes the ruleset. Where the kernel refuses rights that its ABI promises, it is asked for each group of
/// them, and the plan is made again for what is there: what is required and missing is an error then.
/// Errors: those of make_plan() and make_ruleset().
template <class Kernel = system_kernel>
result<prepared_sandbox> prepare_sandbox(bound_policy& bound, linux_abi::kernel_support kernel,
                                         sandbox_target target, bool observed = false) {
  for (bool tried = false;; tried = true) {
    result<plan> planned = make_plan(bound, kernel, target, observed);
    if (!planned) return std::move(planned).error();
    result<descriptor> ruleset = make_ruleset<Kernel>(*planned);
    if (ruleset) return prepared_sandbox{kernel, *planned, *std::move(ruleset)};
    const error& why = ruleset.error();
    if (tried || why.other != create_call || !is_unknown_right(-why.os_errno))
      return std::move(ruleset).error();
    const linux_abi::access_masks promised = kernel.masks();
    if (const long got = try_groups<Kernel>(kernel); got < 0) return create_failed(got);
    // A kernel that takes each group, or none, does not refuse a right: the fault lies elsewhere.
    if (kernel.empty() || kernel.masks() == promised) return std::move(ruleset).error();
  }
}

/// What went wrong while confining, without memory: a code, errno and a word of static storage.
struct confine_failure {
  errc code = errc::none;
  int os_errno = 0;
  const char* step = "";
  int tid = 0;  ///< of the thread that stands in the way
};

constexpr errc restrict_code(long got) noexcept {
  switch (-got) {
    case E2BIG:
      return errc::too_many_layers;
    case EPERM:
    case EACCES:
      return errc::restrict_refused;
    case ENOSYS:
    case EOPNOTSUPP:
      return no_landlock_code(static_cast<int>(-got));
    default:
      return errc::restrict_failed;
  }
}

constexpr errc filter_code(long got) noexcept {
  switch (-got) {
    case ENOSYS:
      return errc::seccomp_unavailable;
    case EPERM:
    case EACCES:
      return errc::filter_refused;
    case EBUSY:
      return errc::listener_taken;
    case ENOMEM:
      return errc::too_many_filters;
    default:
      return errc::filter_failed;
  }
}

/// What a filter with a listener gives.
struct new_listener {
  int fd = -1;
  bool keeps_answers = false;  ///< a signal in the middle of an answer does not make the caller ask again
};

/// Asks for no_new_privs on the calling thread.
template <class Kernel = system_kernel>
confine_failure give_up_privileges() noexcept {
  const long got = Kernel::no_new_privs();
  if (got < 0) return {errc::restrict_failed, static_cast<int>(-got), "prctl(PR_SET_NO_NEW_PRIVS)"};
  return {};
}

/// Installs a filter without a listener; none if the program is empty.
/// flags: SECCOMP_FILTER_FLAG_TSYNC for every thread, all or none.
template <class Kernel = system_kernel>
confine_failure install_filter(const filter_program& program, unsigned flags = 0) noexcept {
  if (program.length == 0) return {};
  const long got = Kernel::seccomp_filter(program.code.data(), program.length, flags);
  if (got < 0) return {filter_code(got), static_cast<int>(-got), "seccomp"};
  if (got > 0) return {errc::thread_unreachable, 0, "seccomp", static_cast<int>(got)};
  return {};
}

/// Installs a filter with a listener.
template <class Kernel = system_kernel>
confine_failure install_listener(const filter_program& program, new_listener& heard) noexcept {
  constexpr unsigned wait_killable = 1U << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19
  constexpr unsigned listening = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const auto install = [&](unsigned flags) {
    return Kernel::seccomp_filter(program.code.data(), program.length, flags);
  };
  long got = install(listening | wait_killable);
  const bool keeps_answers = got != -EINVAL;
  if (!keeps_answers) got = install(listening);
  if (got == -EINVAL)
    return {errc::listener_taken, EINVAL, "seccomp"};  // a container that knows no listeners
  if (got < 0) return {filter_code(got), static_cast<int>(-got), "seccomp"};
  heard = {static_cast<int>(got), keeps_answers};
  return {};
}

/// Restricts the calling thread; nothing if there is no ruleset.
/// flags: restrict_self_tsync for every thread, all or none.
template <class Kernel = system_kernel>
confine_failure restrict_self(int ruleset, std::uint32_t flags = 0) noexcept {
  if (ruleset < 0) return {};
  const long got = Kernel::landlock_restrict_self(ruleset, flags);
  if (got < 0) return {restrict_code(got), static_cast<int>(-got), "landlock_restrict_self"};
  return {};
}

/// Confines the calling thread: no_new_privs, the filter, then Landlock. Safe between fork and exec.
/// heard: null, or where to put the listener on which a supervisor hears of calls.
template <class Kernel = system_kernel>
confine_failure confine_thread(const filter_program& program, int ruleset, new_listener* heard) noexcept {
  confine_failure why = give_up_privileges<Kernel>();
  if (why.code == errc::none)
    why = heard != nullptr && program.length != 0 ? install_listener<Kernel>(program, *heard)
                                                  : install_filter<Kernel>(program);
  return why.code == errc::none ? restrict_self<Kernel>(ruleset) : why;
}

/// The program of a request; empty where the kernel has no filters.
inline filter_program program_for(const filter_request& request, const linux_abi::kernel_support& kernel) {
  return kernel.seccomp ? compile(filter_table(request)) : filter_program{};
}

}  // namespace nono::detail
#endif
