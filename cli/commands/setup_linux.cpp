// SPDX-License-Identifier: Apache-2.0
// `nono setup` on Linux: Landlock and seccomp.
#if defined(__linux__)
#include "cli/commands/setup_system.hpp"

#include <nono/bind.hpp>
#include <nono/format.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/plan.hpp>
#include <nono/support.hpp>

#include "cli/resolve/program.hpp"

namespace nono::cli {

namespace {

std::string landlock_words(const linux_abi::kernel_support& kernel) {
  if (kernel.landlock_abi > 0) {
    const linux_abi::access_masks missing = kernel.missing();
    return fmt::format("ABI {}{}, as of Linux {}{}", kernel.landlock_abi, missing.empty() ? "" : " (claimed)",
                       linux_abi::row_of(kernel.landlock_abi).kernel,
                       missing.empty() ? "" : fmt::format(", missing: {}", missing));
  }
  return fmt::format("{}", nono::detail::no_landlock(kernel));
}

}  // namespace

system_setup look_at_system() {
  const linux_abi::kernel_support kernel = support();
  system_setup out;
  out.binary = canonical_path("/proc/self/exe").value_or("unknown");
  if (kernel.wsl2)
    out.lines += "           WSL2: Windows' drives (/mnt/c) are 9p, where grants may not hold\n";
  out.lines += fmt::format("Landlock:  {}\n", landlock_words(kernel));
  out.lines += fmt::format("seccomp:   {}\n", kernel.seccomp ? "filters available" : "no filters");

  policy_ref nothing;
  if (auto bound = bind(nothing, {}))
    if (auto sandbox = nono::detail::prepare_sandbox(*bound, kernel, sandbox_target::supervised_child))
      out.report = sandbox->planned.report;

  const self_test_result test = self_test();
  out.test = {{test.opens_without_sandbox, "without sandbox, /proc/stat opens"},
              {test.opens_inside_grant, "in a sandbox that grants /proc/version, it opens"},
              {test.refused_outside_grant, "in the same sandbox, /proc/stat is refused"}};
  return out;
}

}  // namespace nono::cli
#endif
