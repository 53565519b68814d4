// SPDX-License-Identifier: Apache-2.0
// `nono profile diff`: what one profile comes to that another does not, here and now.
#include "cli/commands/profile_diff.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nono/algebra.hpp>

#include "cli/commands/profile.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/resolve/spelling.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

/// One side, resolved.
struct side {
  sandbox s;
  capability_set policy;  ///< of absolute paths: a group's $HOME and a profile's /home/me are the same

  error resolve(const std::string& name) {
    run_options options;
    options.profile = name;
    if (name.empty()) return {errc::bad_argument, 0, {}, {}, "profile diff needs the names of two profiles"};
    if (error why = resolve_for_showing(options, s); why.code != errc::none) return why;
    auto found = policy_of_profile(options, s);
    if (!found) return std::move(found.error());
    const policy_ref from = found->ref();
    for (rule r : from.rules) {
      std::string unknown;
      const auto path = with_variables(r.path, s.here, s.r.workdir, unknown);
      if (path && unknown.empty()) r.path = *path;
      if (auto added = policy.add(r); !added) return std::move(added.error());
    }
    for (const protection_row& row : protections)
      if (from.lifted.has(row.id)) policy.lift(row.id);
    network = to_text(from.network);
    return {};
  }
  std::string network;
};

using texts = std::vector<std::string>;

difference_section section(std::string_view name, const texts& a, const texts& b) {
  difference_section out{name, {}, {}};
  const auto only = [](const texts& these, const texts& those, std::vector<difference>& to) {
    for (const std::string& one : these)
      if (std::find(those.begin(), those.end(), one) == those.end()) to.push_back({one});
  };
  only(a, b, out.only_a);
  only(b, a, out.only_b);
  return out;
}

std::string rights_in_words(right rights) {
  if (rights == right::read || rights == right::write || rights == right::read_write)
    return access_word(rights);
  std::string out;
  append_rights(out, rights);
  return out;
}

/// What `more` grants and `less` does not, each path once.
std::vector<difference> grants(const policy_ref& more, const policy_ref& less) {
  struct extra {
    rule at;
    right rights;
  };
  std::vector<extra> found;
  for (const rule& r : more.rules) {
    if (r.is_deny()) continue;
    right rights = no_rights;
    for (const auto& [one, name] : right_names)
      if (contains(r.rights, one) && !permits(less, r.path, one)) rights |= one;
    // Sorted as they are, what covers a path stands before it.
    for (const extra& e : found)
      if ((e.at.kind != path_kind::file || e.at.path == r.path) && is_within(r.path, e.at.path))
        rights &= ~e.rights;
    if (rights != no_rights) found.push_back({r, rights});
  }
  std::vector<difference> out;
  out.reserve(found.size());
  for (const extra& e : found) out.push_back({std::string(e.at.path), rights_in_words(e.rights)});
  return out;
}

std::vector<difference> denies(const policy_ref& more, const policy_ref& less) {
  std::vector<difference> out;
  for (const rule& r : more.rules)
    if (r.is_deny() && !nono::detail::is_denied(less, r.path)) out.push_back({std::string(r.path)});
  return out;
}

texts groups_of(const side& of) {
  texts out;
  for (const group* g : groups_here(*of.s.r.chosen)) out.emplace_back(g->name);
  for (const group_without_rules& g : groups_without_rules())
    if (g.here() && !g.commands.empty() && !of.s.r.chosen->leaves_out(g.name)) out.emplace_back(g.name);
  return out;
}

void add(texts& to, std::string_view word, const std::vector<std::string>& names) {
  for (const std::string& name : names) to.push_back(fmt::format("{} {}", word, name));
}

texts network_of(const side& of) {
  const profile& says = of.s.r.chosen->says;
  texts out = {of.network};
  if (!says.network_profile.value_or("").empty()) out.push_back("network_profile " + *says.network_profile);
  for (const profile_domain& d : says.domains) {
    if (d.endpoints.empty()) out.push_back("allow_domain " + d.name);
    for (const auto& [method, path] : d.endpoints)
      out.push_back(fmt::format("allow_domain {} {} {}", d.name, method, path));
  }
  if (says.credentials) add(out, "credential", *says.credentials);
  for (const auto& [name, definition] : says.custom_credentials)
    out.push_back(fmt::format("custom_credential {} {}", name, definition));
  if (!says.upstream_proxy.empty()) out.push_back("upstream_proxy " + says.upstream_proxy);
  add(out, "upstream_bypass", says.upstream_bypass);
  return out;
}

texts protections_of(const side& of) {
  texts out;
  for (const protection_row& row : protections)
    if (of.policy.ref().lifted.has(row.id)) out.push_back(fmt::format("lifted: {}", row.name));
  const std::string& signals = of.s.r.chosen->says.signal_mode;
  if (signals == "allow_same_sandbox") out.emplace_back("required: signals");
  add(out, "macOS rule", of.s.r.chosen->says.platform_rules);
  return out;
}

texts variables_of(const side& of) {
  const profile& says = of.s.r.chosen->says;
  texts out;
  if (says.allow_vars) {
    out.emplace_back("none but those allowed");
    add(out, "allow", *says.allow_vars);
  }
  add(out, "deny", says.deny_vars);
  for (const auto& [name, value] : says.set_vars) out.push_back(fmt::format("set {}={}", name, value));
  for (const auto& [from, name] : says.env_credentials)
    out.push_back(fmt::format("env_credential {}={}", name, from));
  return out;
}

texts commands_of(const side& of) {
  texts out;
  add(out, "allow", of.s.r.chosen->says.allowed_commands);
  add(out, "deny", of.s.r.chosen->says.denied_commands);
  return out;
}

std::vector<difference_section> compare(const side& a, const side& b) {
  const policy_ref pa = a.policy.ref();
  const policy_ref pb = b.policy.ref();
  const auto workdir = [](const side& of) {
    const right rights = of.s.r.profile->workdir;
    return texts{rights == no_rights ? "none" : access_word(rights)};
  };
  return {section("groups", groups_of(a), groups_of(b)),
          {"paths", grants(pa, pb), grants(pb, pa)},
          {"denies", denies(pa, pb), denies(pb, pa)},
          section("network", network_of(a), network_of(b)),
          section("protections", protections_of(a), protections_of(b)),
          section("workdir", workdir(a), workdir(b)),
          section("variables", variables_of(a), variables_of(b)),
          section("commands", commands_of(a), commands_of(b))};
}

std::string to_text(const profile_difference& d, const host& here) {
  std::string out;
  for (const difference_section& s : d.sections) {
    if (s.only_a.empty() && s.only_b.empty()) continue;
    out += fmt::format("{}\n", s.name);
    const bool paths = s.name == "paths" || s.name == "denies";
    for (const auto& [sign, all] : {std::pair{'-', &s.only_a}, {'+', &s.only_b}})
      for (const difference& one : *all)
        out += fmt::format("  {} {}{}\n", sign,
                           one.access.empty() ? "" : fmt::format("{:<10}", one.access + " "),
                           paths ? typed(one.what, here.home) : one_line(one.what));
  }
  const std::string a = one_line(d.a);
  const std::string b = one_line(d.b);
  return out.empty() ? fmt::format("{} and {} come to the same here\n", a, b)
                     : fmt::format("- {}\n+ {}\n", a, b) + out;
}

}  // namespace

int diff_profiles(const std::string& a, const std::string& b, bool json) {
  side first;
  side second;
  for (const auto& [of, name] : {std::pair{&first, &a}, {&second, &b}})
    if (error why = of->resolve(*name); why.code != errc::none) return complain(words_of(why)), 1;
  const profile_difference d{a, b, compare(first, second)};
  return print(json ? to_json(d) : to_text(d, first.s.here));
}

}  // namespace nono::cli
