// SPDX-License-Identifier: Apache-2.0
// The plan for Seatbelt, which is the same whoever is confined. Not yet seen on a Mac.
#if defined(__APPLE__)
#include "cli/resolve/system_plan.hpp"

#include <utility>

#include <nono/macos/apply.hpp>

namespace nono::cli {

result<system_plan> plan_for_system(bound_policy& bound, const chosen_profile* chosen, sandbox_target, bool) {
  system_plan out{seatbelt_settings(chosen), seatbelt::report_of(bound)};
  seatbelt::settings with = out.with.get();
  with.proxy_port =
      bound.gate.port;  // hosts are refused when a command is to be run; a profile of them can be shown
  if (const auto made = seatbelt::profile_of(bound, with); !made) return made.error();
  return out;
}

}  // namespace nono::cli
#endif
