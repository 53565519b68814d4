// SPDX-License-Identifier: Apache-2.0
// `nono profile groups`: what the groups are that profiles are made of.
#include "cli/commands/profile_groups.hpp"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>
#include <nono/groups.hpp>

#include "cli/resolve/resolver.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/resolve/spelling.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

std::string_view name_of(platform on) {
  return on == platform::any ? "cross-platform" : on == platform::linux_only ? "linux" : "macos";
}

listed_path listed(std::string_view path, const host& here) {
  std::string unknown;
  const auto expanded = with_variables(path, here, here.current, unknown);
  return {std::string(path), expanded && unknown.empty() ? *expanded : std::string(path)};
}

listed_group listed(const group& g, const host& here) {
  listed_group out{
      std::string(g.name), std::string(g.description), name_of(g.on), g.required, {}, {}, {}, false};
  for (const right rights : {right::read, right::write, right::read_write}) {
    auto& paths = out.allow.emplace_back(access_word(rights), std::vector<listed_path>()).second;
    for (const group_rule& r : g.rules)
      if (r.rights == rights) paths.push_back(listed(r.path, here));
  }
  for (const group_rule& r : g.rules)
    if (r.rights == no_rights) out.deny.push_back(listed(r.path, here));
  return out;
}

listed_group listed(const group_without_rules& g) {
  listed_group out{
      std::string(g.name), std::string(g.description), name_of(g.on), false, {}, {}, {}, g.unlink};
  for (const right rights : {right::read, right::write, right::read_write})
    out.allow.emplace_back(access_word(rights), std::vector<listed_path>());
  out.commands.assign(g.commands.begin(), g.commands.end());
  return out;
}

std::string whole(const listed_group& g, const host& here) {
  std::string out = fmt::format("{}: {}\nplatform: {}\nrequired: {}\n", g.name, g.description, g.platform,
                                g.required ? "yes, no profile can leave it out" : "no");
  const auto add = [&](std::string_view how, const std::vector<listed_path>& paths) {
    for (const listed_path& p : paths) out += fmt::format("  {:<10}{}\n", how, typed(p.expanded, here.home));
  };
  for (const auto& [access, paths] : g.allow) add(access, paths);
  add("deny", g.deny);
  for (const std::string& c : g.commands) out += fmt::format("  {:<10}{}\n", "command", c);
  if (g.unlink) out += "  removing files\n";
  return out;
}

}  // namespace

int show_groups(const groups_options& o) {
  const auto here = this_host();
  if (!here) return complain(words_of(here.error())), 1;
  std::vector<listed_group> all;
  const auto wanted = [&](const auto& g) {
    return o.name.empty() ? o.all_platforms || g.here() : g.name == o.name;
  };
  for (const group* g : groups::all)
    if (wanted(*g)) all.push_back(listed(*g, *here));
  for (const group_without_rules& g : groups_without_rules())
    if (wanted(g)) all.push_back(listed(g));
  if (all.empty()) {
    const std::string near = nearest_group(o.name);
    complain(fmt::format("there is no group {}; {}", nono::detail::quoted(o.name),
                         near.empty() ? "nono profile groups --all-platforms lists them"
                                      : "write " + nono::detail::quoted(near)));
    return 1;
  }
  if (!o.name.empty()) return print(o.json ? to_json(all.front()) : whole(all.front(), *here));
  if (o.json) return print(to_json(all));
  std::string out;
  for (const listed_group& g : all)
    out +=
        fmt::format("{:<26}{}{}{}\n", g.name, g.required ? "[required] " : "",
                    o.all_platforms && g.platform != "cross-platform" ? fmt::format("[{}] ", g.platform) : "",
                    g.description);
  return print(out);
}

}  // namespace nono::cli
