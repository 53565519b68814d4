// SPDX-License-Identifier: Apache-2.0
// `nono setup`: what this system can enforce, asked and tried.
#include "cli/commands/setup.hpp"

#include <string>

#include <sys/utsname.h>
#include <unistd.h>

#include <nono/bind.hpp>
#include <nono/format.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/plan.hpp>
#include <nono/support.hpp>

#include "cli/resolve/profiles.hpp"
#include "cli/resolve/program.hpp"
#include "cli/run/output.hpp"

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

std::string tried(bool ok, std::string_view what) {
  return fmt::format("  {}  {}\n", ok ? "ok    " : "FAILED", what);
}

}  // namespace

int check_setup(int verbose) {
  const linux_abi::kernel_support kernel = support();
  utsname system{};
  (void)::uname(&system);
  std::string out;
  out += fmt::format("Binary:    {}\n", canonical_path("/proc/self/exe").value_or("unknown"));
  out += fmt::format("Version:   {}\n", NONO_VERSION);
  out += fmt::format("Platform:  {} {} {}\n", system.sysname, system.release, system.machine);
  if (kernel.wsl2) out += "           WSL2: Windows' drives (/mnt/c) are 9p, where grants may not hold\n";
  out += fmt::format("Landlock:  {}\n", landlock_words(kernel));
  out += fmt::format("seccomp:   {}\n", kernel.seccomp ? "filters available" : "no filters");

  // The table of protections as a run without profile would have it.
  policy_ref nothing;
  if (auto bound = bind(nothing, {}))
    if (auto sandbox = nono::detail::prepare_sandbox(*bound, kernel, sandbox_target::supervised_child)) {
      const enforcement& report = sandbox->planned.report;
      out += "Protections of a run without profile:\n";
      for (const protection_row& row : protections) {
        const standing s = report.of(row.id);
        if (s == standing::missing || s == standing::not_enforceable || verbose > 0 ||
            row.id == protection::filesystem)
          out += fmt::format("  {:<16}{}{}\n", row.id, s,
                             s == standing::missing ? fmt::format(" ({} has it)", row.kernel) : "");
      }
      if (verbose == 0) out += "  the others are enforced (-v lists them)\n";
    }

  const self_test_result test = self_test();
  out += "Self test, in forked children:\n";
  out += tried(test.opens_without_sandbox, "without sandbox, /proc/stat opens");
  out += tried(test.opens_inside_grant, "in a sandbox that grants /proc/version, it opens");
  out += tried(test.refused_outside_grant, "in the same sandbox, /proc/stat is refused");

  out += "Built-in profiles:\n";
  for (const builtin_profile& p : builtin_profiles())
    out += fmt::format("  {:<18}{}\n", p.name, p.description);
  out += test.passed() ? "Enforcement was seen: this system can run nono.\n"
                       : "Enforcement was NOT seen: nono refuses to run commands here.\n";
  const int written = print(out);
  return test.passed() ? written : 1;
}

}  // namespace nono::cli
