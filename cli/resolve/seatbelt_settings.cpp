// SPDX-License-Identifier: Apache-2.0
// What a profile by name says to Seatbelt beside its policy.
#include "cli/resolve/seatbelt_settings.hpp"

#include <algorithm>

namespace nono::cli {

seatbelt_settings::seatbelt_settings(const chosen_profile* chosen) {
  using enum seatbelt::reach;
  with_.mach_services = seatbelt::tls_system_trust;
  if (chosen == nullptr) return;
  const nono::profile& says = chosen->says;
  with_.process_info = says.process_info_mode == "allow_all"            ? all
                       : says.process_info_mode == "allow_same_sandbox" ? same_sandbox
                                                                        : itself;
  platform_rules_.assign(says.platform_rules.begin(), says.platform_rules.end());
  if (chosen->view.full_ipc) with_.ipc = seatbelt::ipc_reach::full;
  with_.unlink_protection =
      std::find(says.groups.begin(), says.groups.end(), "unlink_protection") != says.groups.end();
}

seatbelt::settings seatbelt_settings::get(seatbelt::path_text paths) const {
  seatbelt::settings out = with_;
  out.paths = paths;
  out.platform_rules = platform_rules_;
  return out;
}

}  // namespace nono::cli
