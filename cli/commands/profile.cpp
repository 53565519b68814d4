// SPDX-License-Identifier: Apache-2.0
// `nono profile`: what the profiles are, and what one grants here and now.
#include "cli/commands/profile.hpp"

#include <fmt/format.h>
#include <nono/tree.hpp>

#include "cli/resolve/profiles.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/run/output.hpp"
#include "cli/run/summary.hpp"

namespace nono::cli {

int list_profiles() {
  std::string out;
  for (const builtin_profile& p : builtin_profiles()) out += fmt::format("{:<18}{}\n", p.name, p.description);
  return print(out);
}

int show_profile(const std::string& name, bool tree) {
  run_options options;
  options.profile = name;
  options.needs_command = false;
  options.auto_groups = false;
  sandbox s;
  error why = name.empty() ? error{errc::bad_argument, 0, {}, {}, "profile show needs the name of a profile"}
                           : resolve_without_running(options, s);
  if (why.code != errc::none) {
    complain(words_of(why));
    return 1;
  }
  const builtin_profile& profile = *s.r.profile;
  std::string out = fmt::format("{}: {}\n", profile.name, profile.description);
  if (tree) return print(out + to_tree(*s.bound));
  std::string groups;
  for (const auto& several : {default_groups(), profile.groups})
    for (const group* g : several)
      if (g->here()) groups += (groups.empty() ? "" : ", ") + std::string(g->name);
  out += "groups: " + groups + "\n";
  return print(out + summary(s.r, *s.bound, s.report(), 1));
}

}  // namespace nono::cli
