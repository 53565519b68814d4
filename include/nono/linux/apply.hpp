// SPDX-License-Identifier: Apache-2.0
// From a plan to the kernel: the ruleset is made first, with everything that can fail; then one thread is
// confined by three calls that need no memory. The kernel is a template parameter, so that tests can stand
// in.
#pragma once

#if defined(__linux__)
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <string>

#include <nono/error.hpp>
#include <nono/linux/abi.hpp>
#include <nono/linux/filter.hpp>
#include <nono/linux/plan.hpp>
#include <nono/linux/syscalls.hpp>
#include <nono/resolve.hpp>

namespace nono::detail {

/// Asks the kernel what it can do: three system calls.
template <class Kernel = system_kernel>
linux_abi::kernel_support probe_kernel() noexcept {
  linux_abi::kernel_support out;
  const long abi = Kernel::landlock_create_ruleset(nullptr, 0, linux_abi::create_ruleset_version);
  if (abi < 0) {
    out.landlock_errno = static_cast<int>(-abi);
  } else {
    out.landlock_abi = static_cast<int>(abi);
    const long errata = Kernel::landlock_create_ruleset(nullptr, 0, linux_abi::create_ruleset_errata);
    out.errata = errata < 0 ? 0 : static_cast<std::uint32_t>(errata);  // EINVAL: older than the question
  }
  out.seccomp = Kernel::seccomp_available() == 0;
  return out;
}

/// Makes the ruleset of a plan; -1 where the plan needs none. Each path is taken by the descriptor that holds
/// it, or resolved again and compared.
template <class Kernel = system_kernel>
result<descriptor> make_ruleset(const plan& p) {
  const linux_abi::ruleset_attr& attr = p.ruleset;
  if (attr.handled_access_fs == 0 && attr.handled_access_net == 0 && attr.scoped == 0) return descriptor(-1);
  const long fd = Kernel::landlock_create_ruleset(&attr, sizeof attr, 0);
  if (fd < 0) return error{errc::ruleset_failed, static_cast<int>(-fd), {}, {}, "landlock_create_ruleset"};
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
  for (const linux_abi::net_port_attr& port : p.ports)
    if (const long got = Kernel::landlock_add_rule(ruleset.get(), linux_abi::rule_net_port, &port);
        got < 0 && got != -EAFNOSUPPORT)  // a kernel without IP has no port to close
      return error{errc::ruleset_failed, static_cast<int>(-got), {}, {}, "landlock_add_rule for a port"};
  return ruleset;
}

/// What went wrong while confining, without memory: a code, errno and a word of static storage.
struct confine_failure {
  errc code = errc::none;
  int os_errno = 0;
  const char* step = "";
};

/// Confines the calling thread: no_new_privs, the filter, then Landlock. Safe between fork and exec.
/// listener: null, or where to put the descriptor on which a supervisor hears of observed calls.
template <class Kernel = system_kernel>
confine_failure confine_thread(const filter_program& program, int ruleset, int* listener) noexcept {
  if (const long got = Kernel::no_new_privs(); got < 0)
    return {errc::restrict_failed, static_cast<int>(-got), "prctl(PR_SET_NO_NEW_PRIVS)"};
  if (program.length != 0) {
    const long got = Kernel::seccomp_filter(program.code.data(), program.length,
                                            listener != nullptr ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U);
    if (got < 0) return {errc::filter_failed, static_cast<int>(-got), "seccomp"};
    if (listener != nullptr) *listener = static_cast<int>(got);
  }
  if (ruleset >= 0)
    if (const long got = Kernel::landlock_restrict_self(ruleset, 0); got < 0)
      return {got == -E2BIG ? errc::too_many_layers : errc::restrict_failed, static_cast<int>(-got),
              "landlock_restrict_self"};
  return {};
}

/// The threads of this process; 0: cannot be known. Two answers without reading anything: unshare of a thread group
/// does nothing and succeeds for one thread only, and the links of /proc/self/task count them.
/// Source: unshare(2), CLONE_THREAD
inline unsigned long thread_count() noexcept {
  constexpr unsigned long clone_thread = 0x00010000;
  if (system_kernel::call(SYS_unshare, clone_thread) == 0) return 1;
  struct stat st{};
  if (::stat("/proc/self/task", &st) == 0 && st.st_nlink > 2) return st.st_nlink - 2;
  return 0;
}

/// The program of a request; empty where the kernel has no filters.
inline filter_program program_for(const filter_request& request, const linux_abi::kernel_support& kernel) {
  return kernel.seccomp ? compile(filter_table(request)) : filter_program{};
}

}  // namespace nono::detail
#endif
