// SPDX-License-Identifier: Apache-2.0
// `nono setup`: what this system can enforce, asked and tried.
#include "cli/commands/setup.hpp"

#include <algorithm>
#include <string>

#include <sys/utsname.h>

#include <nono/format.hpp>

#include "cli/commands/setup_system.hpp"
#include "cli/resolve/profiles.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

std::string tried(bool ok, std::string_view what) {
  return fmt::format("  {}  {}\n", ok ? "ok    " : "FAILED", what);
}

}  // namespace

int check_setup(int verbose) {
  const system_setup found = look_at_system();
  utsname system{};
  (void)::uname(&system);
  std::string out;
  out += fmt::format("Binary:    {}\n", found.binary);
  out += fmt::format("Version:   {}\n", NONO_VERSION);
  out += fmt::format("Platform:  {} {} {}\n", system.sysname, system.release, system.machine);
  out += found.lines;

  // The table of protections as a run without profile would have it.
  if (found.report) {
    out += "Protections of a run without profile:\n";
    for (const protection_row& row : protections) {
      const standing s = found.report->of(row.id);
      if (s == standing::missing || s == standing::not_enforceable || verbose > 0 ||
          row.id == protection::filesystem)
        out += fmt::format("  {:<16}{}{}\n", row.id, s,
                           s == standing::missing ? fmt::format(" ({} has it)", row.kernel) : "");
    }
    if (verbose == 0) out += "  the others are enforced (-v lists them)\n";
  }

  out += "Self test, in forked children:\n";
  for (const tried_step& step : found.test) out += tried(step.ok, step.what);
  const bool passed =
      std::all_of(found.test.begin(), found.test.end(), [](const tried_step& s) { return s.ok; });

  out += "Built-in profiles:\n";
  for (const builtin_profile& p : builtin_profiles())
    out += fmt::format("  {:<18}{}\n", p.name, p.description);
  out += passed ? "Enforcement was seen: this system can run nono.\n"
                : "Enforcement was NOT seen: nono refuses to run commands here.\n";
  const int written = print(out);
  return passed ? written : 1;
}

}  // namespace nono::cli
