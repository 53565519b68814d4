// SPDX-License-Identifier: Apache-2.0
// `nono profile show`: what one profile grants here and now.
#include "cli/commands/profile_show.hpp"

#include <unistd.h>

#include <fmt/format.h>
#include <nono/json/profile_writer.hpp>
#include <nono/json/state.hpp>
#include <nono/tree.hpp>

#include "cli/commands/profile.hpp"
#include "cli/commands/profile_code.hpp"
#include "cli/commands/profile_sbpl.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/resolve/spelling.hpp"
#include "cli/run/output.hpp"
#include "cli/run/summary.hpp"

namespace nono::cli {

namespace {

int complain_of(const error& why) { return complain(words_of(why)), 1; }

int show_file(const show_options& o) {
  const auto here = this_host();
  if (!here) return complain_of(here.error());
  if (o.raw) {
    const auto text = text_of_profile(o.name, *here);
    return text ? print(*text) : complain_of(text.error());
  }
  const auto chosen = choose_profile(o.name, *here);
  if (!chosen) return complain_of(chosen.error());
  for (const std::string& warning : (*chosen)->says.warnings) complain("warning: " + warning);
  profile whole = (*chosen)->says;
  whole.extends.clear();  // it is merged
  return print(plain_ascii(to_json(whole)));
}

/// By name: of this system nothing is asked but who the user is.
int show_sbpl(const show_options& o) {
  const auto here = this_host();
  if (!here) return complain_of(here.error());
  const auto chosen = choose_profile(o.name, *here);
  if (!chosen) return complain_of(chosen.error());
  for (const std::string& warning : (*chosen)->says.warnings) complain("warning: " + warning);
  const auto text = sbpl_of(**chosen, *here);
  return text ? print(*text) : complain_of(text.error());
}

int show_state(const sandbox& s, const capability_set& policy) {
  const binding home = nono::bind("$HOME", s.here.home);
  const auto state = sandbox_state::from(policy, {&home, 1});
  if (!state) return complain_of(state.error());
  const auto text = state->to_json();
  return text ? print(plain_ascii(*text) + '\n') : complain_of(text.error());
}

/// What the profile says that is no part of a policy.
std::vector<std::string> beside_the_policy(const resolution& r) {
  std::vector<std::string> out;
  const profile& says = r.chosen->says;
  const auto tell = [&](bool said, std::string_view what) {
    if (said) out.push_back(fmt::format("Not in here, because it is no part of a policy: {}.", what));
  };
  if (r.cwd_rights != no_rights)
    out.push_back(fmt::format("With --allow-cwd a run adds .allow_path<nono::{}>(\"$WORKDIR\").",
                              r.cwd_rights == right::read_write ? "read_write"
                              : r.cwd_rights == right::read     ? "read"
                                                                : "write"));
  tell(says.allow_vars || !says.deny_vars.empty() || !says.set_vars.empty(),
       "the variables of 'environment'");
  tell(!says.env_credentials.empty() || (says.credentials && !says.credentials->empty()), "the credentials");
  tell(!says.allowed_commands.empty() || !says.denied_commands.empty(), "the names of 'commands'");
  tell(says.signal_mode == "allow_same_sandbox", "that the kernel must be able to hold back signals");
  return out;
}

/// Complains of what the code does not say, and fails where that is a part of the policy.
int show_code(const sandbox& s, const capability_set& policy) {
  const std::vector<std::string> beside = beside_the_policy(s.r);
  const policy_code code = code_of(s.r.profile->name, policy.ref(), *s.bound, beside);
  for (const std::string& unsaid : code.unsaid) complain(unsaid);
  return print(code.text) != 0 || !code.unsaid.empty() ? 1 : 0;
}

std::string for_a_reader(const sandbox& s, bool tree) {
  const builtin_profile& profile = *s.r.profile;
  std::string out = fmt::format("{}: {}\n", one_line(profile.name), one_line(profile.description));
  if (tree) return out + to_tree(*s.bound);
  std::string groups;
  for (const group* g : groups_here(*s.r.chosen))
    groups += (groups.empty() ? "" : ", ") + std::string(g->name);
  return out + "groups: " + groups + "\n" + summary(s.r, *s.bound, s.report(), 1, true);
}

}  // namespace

std::string check(const show_options& o) {
  if (o.format == "manifest")
    return "profile show --format manifest is not built yet, so nothing was shown; --format state has the "
           "policy as "
           "data";
  if (!o.format.empty() && o.format != "profile" && o.format != "cpp" && o.format != "state" &&
      o.format != "sbpl")
    return fmt::format("profile show has no format {}; write profile, cpp, state or sbpl",
                       nono::detail::quoted(o.format));
  return {};
}

int show_profile(const show_options& o) {
  if (o.name.empty()) return complain("profile show needs the name of a profile, and got an empty one"), 1;
  if (o.json || o.raw || o.format == "profile") return show_file(o);
  if (o.format == "sbpl") return show_sbpl(o);
  sandbox s;
  run_options options;
  options.profile = o.name;
  if (error why = resolve_for_showing(options, s); why.code != errc::none) return complain_of(why);
  for (const std::string& warning : s.r.warnings) complain("warning: " + warning);
  if (o.format.empty()) return print(for_a_reader(s, o.tree));
  auto policy = policy_of_profile(options, s);
  if (!policy) return complain_of(policy.error());
  return o.format == "cpp" ? show_code(s, *policy) : show_state(s, *policy);
}

}  // namespace nono::cli
