// SPDX-License-Identifier: Apache-2.0
// The plan for Landlock and seccomp.
#if defined(__linux__)
#include "cli/resolve/system_plan.hpp"

namespace nono::cli {

result<system_plan> plan_for_system(bound_policy& bound, const chosen_profile*, sandbox_target target,
                                    bool observed) {
  return nono::detail::prepare_sandbox(bound, nono::detail::probe_kernel(), target, observed);
}

}  // namespace nono::cli
#endif
