// SPDX-License-Identifier: Apache-2.0
// What this system makes of a bound policy before anything is started.
#pragma once

#include <nono/bound_policy.hpp>
#include <nono/error.hpp>
#include <nono/report.hpp>

#if defined(__linux__)
#include <nono/linux/apply.hpp>
#else
#include "cli/resolve/seatbelt_settings.hpp"
#endif

namespace nono::cli {

struct chosen_profile;

#if defined(__linux__)

/// The plan, and the ruleset that this kernel has taken.
using system_plan = nono::detail::prepared_sandbox;

inline const enforcement& report_of(const system_plan& p) noexcept { return p.planned.report; }

#else

/// What the Seatbelt profile is written with, and what that enforces.
struct system_plan {
  seatbelt_settings with;
  enforcement report;
};

inline const enforcement& report_of(const system_plan& p) noexcept { return p.report; }

#endif

/// Plans, so that what the system cannot do is known before anything starts. The plan refers to both; chosen may be null.
/// Errors: on Linux those of prepare_sandbox(); on macOS those of seatbelt::profile_of().
result<system_plan> plan_for_system(bound_policy& bound, const chosen_profile* chosen, sandbox_target target,
                                    bool observed);

}  // namespace nono::cli
