// SPDX-License-Identifier: Apache-2.0
// `nono setup` on macOS: Seatbelt. Not yet seen on a Mac.
#if defined(__APPLE__)
#include "cli/commands/setup_system.hpp"

#include <cerrno>
#include <cstdint>
#include <optional>

#include <fcntl.h>
#include <mach-o/dyld.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nono/bind.hpp>
#include <nono/macos/apply.hpp>
#include <nono/path.hpp>

#include "cli/resolve/program.hpp"

namespace nono::cli {

namespace {

constexpr const char* granted_file = "/private/etc/protocols";
constexpr const char* other_file = "/private/etc/services";

/// What a child sees that opens `path`: 0, errno, or -1 where it could not be confined.
int tried(const char* path, bool confined) {
  const int pid = ::fork();
  if (pid == 0) {
    if (confined) {
      const rule grant{granted_file, right::read, path_kind::any, must_exist, origin::user, {}};
      policy_ref policy;
      policy.rules = {&grant, 1};
      const auto bound = bind(policy, {});
      if (!bound || !seatbelt::confine(*bound)) ::_exit(255);
    }
    ::_exit(::open(path, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno);
  }
  int status = 0;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 255 ? WEXITSTATUS(status) : -1;
}

}  // namespace

system_setup look_at_system() {
  const seatbelt::library calls;
  system_setup out;
  char own[max_path + 1];
  std::uint32_t size = sizeof own;
  out.binary =
      (::_NSGetExecutablePath(own, &size) == 0 ? canonical_path(own) : std::nullopt).value_or("unknown");
  out.lines = std::string("Seatbelt:  ") +
              (calls.with_parameters == nullptr && calls.plain == nullptr ? "there is no libsandbox"
               : calls.sandboxed() ? "this process is sandboxed already"
                                   : "available") +
              "\n";
  if (const auto bound = bind(policy_ref{}, {})) out.report = seatbelt::report_of(*bound);
  out.test = {{tried(other_file, false) == 0, "without sandbox, /private/etc/services opens"},
              {tried(granted_file, true) == 0, "in a sandbox that grants /private/etc/protocols, it opens"},
              {tried(other_file, true) == EPERM, "in the same sandbox, /private/etc/services is refused"}};
  return out;
}

}  // namespace nono::cli
#endif
