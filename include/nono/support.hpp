// SPDX-License-Identifier: Apache-2.0
// What this kernel can do, asked and tried.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include <nono/apply.hpp>
#include <nono/bind.hpp>
#include <nono/error.hpp>
#include <nono/linux/abi.hpp>
#include <nono/linux/apply.hpp>
#include <nono/policy.hpp>
#include <nono/report.hpp>

#if defined(__linux__)
#include <fcntl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#endif

namespace nono {

/// What the running kernel offers, tried: where it refuses what its ABI promises, the masks say what is there.
inline linux_abi::kernel_support support() noexcept {
#if defined(__linux__)
  linux_abi::kernel_support out = detail::examine_kernel();
  struct utsname name{};
  out.wsl2 = ::uname(&name) == 0 && linux_abi::is_wsl2(name.release);
  return out;
#else
  linux_abi::kernel_support none;
  none.landlock_errno = ENOSYS;
  return none;
#endif
}

/// What the self test saw. Enforcement is shown when all three are true.
struct self_test_result {
  bool opens_without_sandbox = false;  ///< the file outside the grant opens when nothing confines
  bool opens_inside_grant = false;     ///< in the sandbox, a file inside the grant opens
  bool refused_outside_grant = false;  ///< in the sandbox, the file outside is refused with EACCES
  int os_errno = 0;                    ///< why a step could not be taken

  [[nodiscard]] constexpr bool passed() const noexcept {
    return opens_without_sandbox && opens_inside_grant && refused_outside_grant;
  }
};

/// Whether enforcement was seen, and if not, which step failed first.
inline std::string to_text(const self_test_result& t) {
  if (t.passed()) return "enforcement was seen";
  std::string out = "enforcement was not seen: ";
  if (!t.opens_without_sandbox)
    return out += "the file outside the grant does not open without sandbox either";
  return out += t.opens_inside_grant ? "the file outside the grant is not refused"
                                     : "in the sandbox, the file inside the grant does not open";
}

#if defined(__linux__)

/// Tries the kernel: forks children that open one file inside a grant, one outside, and one without sandbox.
/// inside and outside: files that this process can read; the grant is made on `inside` alone.
inline self_test_result self_test(const char* inside = "/proc/version", const char* outside = "/proc/stat") {
  enum : int { opened = 10, refused = 11, failed = 12 };
  const auto in_child = [&](const char* path, bool confined) {
    const int pid = ::fork();
    if (pid == 0) {
      if (confined) {
        const rule grant{inside, right::read, path_kind::any, must_exist, origin::user, {}};
        policy_ref policy;
        policy.rules = {&grant, 1};
        detail::stack_room room;
        auto bound = nono::bind(policy, {}, room);
        if (!bound || !detail::apply_bound(*bound)) ::_exit(failed);
      }
      const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
      ::_exit(fd >= 0 ? opened : errno == EACCES ? refused : failed);
    }
    int status = 0;
    while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(failed);
  };
  self_test_result out;
  out.opens_without_sandbox = in_child(outside, false) == opened;
  out.opens_inside_grant = in_child(inside, true) == opened;
  out.refused_outside_grant = in_child(outside, true) == refused;
  return out;
}

#endif

}  // namespace nono
