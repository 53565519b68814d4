// SPDX-License-Identifier: Apache-2.0
// Confining this process, and handing the means to a child.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <fcntl.h>
#include <linux/filter.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <nono/apply.hpp>
#include <nono/bind.hpp>
#include <nono/error.hpp>
#include <nono/json/report.hpp>
#include <nono/report.hpp>
#include <nono/support.hpp>

#include <nono/c/ffi_set.hpp>
#include <nono/c/ffi_text.hpp>

namespace nono::c {

/// What the last apply of this process put in force.
struct last_report {
  std::mutex guard;
  std::optional<enforcement> report;
};
inline last_report& report_of_this_process() noexcept {
  static last_report one;
  return one;
}

inline NonoErrorCode failed(const nono::error& why) {
  const bool path = why.code == errc::path_not_found || why.code == errc::path_not_accessible;
  if (path && why.os_errno != 0)
    return failed(NONO_ERROR_CODE_ERR_SANDBOX_INIT,
                  "Landlock path error: failed to open \"" + why.path + "\": " + std::strerror(why.os_errno) +
                      " (os error " + std::to_string(why.os_errno) + ")",
                  NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_PATH);
  return failed_sandbox(why.message());
}

inline result<bound_policy> bound(const NonoCapabilitySet& set) {
  auto policy = set.policy();
  if (!policy) return std::move(policy.error());
  return bind(policy->ref(), {});
}

inline NonoErrorCode apply_set(const NonoCapabilitySet& set) {
  auto policy = bound(set);
  if (!policy) return failed(policy.error());
#if defined(__APPLE__)
  const std::vector<std::string_view> rules(set.platform_rules.begin(), set.platform_rules.end());
  seatbelt::settings with;
  with.mach_services = seatbelt::tls_system_trust;
  with.platform_rules = rules;
  auto report = seatbelt::confine(*policy, with);
#else
  auto report = detail::apply_bound(*policy);
#endif
  if (!report) return failed(report.error());
  last_report& last = report_of_this_process();
  const std::lock_guard lock(last.guard);
  last.report = *report;
  return NONO_ERROR_CODE_OK;
}

#if defined(__linux__)

/// What nono_sandbox_enter() reads from the plan's descriptor.
struct stored_plan {
  static constexpr std::uint64_t right_mark = 0x316e616c706f6e6fULL;  // "onoplan1"
  std::uint64_t mark = right_mark;
  std::uint64_t length = 0;
  std::array<sock_filter, std::tuple_size_v<decltype(filter_program::code)>> code{};
};

inline NonoErrorCode prepare_set(const NonoCapabilitySet& set, int& ruleset, int& plan) {
  auto policy = bound(set);
  if (!policy) return failed(policy.error());
  const linux_abi::kernel_support kernel = detail::probe_kernel();
  auto sandbox = detail::prepare_sandbox(*policy, kernel, sandbox_target::child);
  if (!sandbox) return failed(sandbox.error());
  const filter_program program = detail::program_for(sandbox->planned.filter, kernel);
  stored_plan stored;
  stored.length = program.length;
  stored.code = program.code;
  const detail::descriptor file(
      static_cast<int>(::syscall(SYS_memfd_create, "nono-plan", 3U /* cloexec, sealing */)));
  const auto refused = [](const char* step) {
    return failed_sandbox(std::string(step) + ": " + std::strerror(errno));
  };
  if (file.get() < 0) return refused("memfd_create");
  if (::write(file.get(), &stored, sizeof stored) != static_cast<ssize_t>(sizeof stored))
    return refused("write");
  if (::fcntl(file.get(), F_ADD_SEALS, 0x000f /* seal, shrink, grow, write */) != 0)
    return refused("F_ADD_SEALS");
  const int kept = ::fcntl(file.get(), F_DUPFD_CLOEXEC, 3);
  const int rules = ::fcntl(sandbox->ruleset.get(), F_DUPFD_CLOEXEC, 3);
  if (kept < 0 || rules < 0) {
    close_descriptor(kept);
    close_descriptor(rules);
    return refused("F_DUPFD_CLOEXEC");
  }
  ruleset = rules;
  plan = kept;
  return NONO_ERROR_CODE_OK;
}

/// System calls alone. 0, or the errno.
inline int enter(int ruleset, int plan) noexcept {
  stored_plan stored;
  if (::pread(plan, &stored, sizeof stored, 0) != static_cast<ssize_t>(sizeof stored) ||
      stored.mark != stored_plan::right_mark || stored.length > stored.code.size())
    return EINVAL;
  constexpr int all_seals = 0x000f;
  if ((::fcntl(plan, F_GET_SEALS) & all_seals) != all_seals) return EINVAL;
  filter_program program;
  program.code = stored.code;
  program.length = static_cast<std::uint16_t>(stored.length);
  using kernel = detail::system_kernel;
  if (detail::thread_count() != 1) return EBUSY;
  (void)kernel::new_session_keyring();
  if (const long got = kernel::no_new_privs(); got < 0) return static_cast<int>(-got);
  if (const long got = kernel::drop_capabilities(); got < 0) return static_cast<int>(-got);
  const auto why = detail::confine_thread(program, ruleset, nullptr);
  return why.code == errc::none ? 0 : why.os_errno != 0 ? why.os_errno : EINVAL;
}

#endif

/// True where nono_sandbox_apply() can confine. Restricts nobody.
inline bool is_supported() {
#if defined(__APPLE__)
  return true;
#else
  return support().landlock_abi > 0;
#endif
}

/// What nono_sandbox_support_info() says of this system.
inline std::string support_details() {
#if defined(__linux__)
  const auto kernel = support();
  if (kernel.landlock_abi < 1)
    return "Landlock is not available: it needs Linux 5.13 or later, with landlock among the active security "
           "modules";
  constexpr std::pair<int, std::string_view> features[] = {
      {1, "Basic filesystem access control"}, {2, "File rename across directories (Refer)"},
      {3, "File truncation (Truncate)"},      {4, "TCP network filtering"},
      {5, "Device ioctl filtering"},          {6, "Signal and abstract UNIX socket scoping"},
      {8, "Restricting all threads at once"}, {9, "Connecting to pathname UNIX sockets"},
  };
  std::string out = "Landlock available (Landlock V" + std::to_string(kernel.landlock_abi) + ", features: ";
  bool first = true;
  for (const auto& [abi, name] : features) {
    if (kernel.landlock_abi < abi) continue;
    if (!first) out += ", ";
    first = false;
    out += name;
  }
  return out + ')';
#elif defined(__APPLE__)
  return "macOS Seatbelt sandbox available";
#else
  return "this system has no sandbox that nono knows";
#endif
}

}  // namespace nono::c
