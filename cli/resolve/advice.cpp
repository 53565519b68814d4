// SPDX-License-Identifier: Apache-2.0
// What a user can do about what the sandbox refuses.
#include "cli/resolve/advice.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nono/path.hpp>

#include "cli/resolve/spelling.hpp"

namespace nono::cli {

namespace {

/// All grants as flags.
std::string flags_of(const std::vector<suggested_grant>& grants, const host& here) {
  std::string out;
  for (const suggested_grant& g : grants)
    out += fmt::format("{}{} {}", out.empty() ? "" : " ", flag_of(g), typed(g.path, here.home));
  return out;
}

/// Reading and writing as wholes are not enough: --allow and its like reach no socket.
bool connects(const lack& what) {
  return std::any_of(what.grants.begin(), what.grants.end(),
                     [](const suggested_grant& g) { return (g.rights & right::connect_unix) != no_rights; });
}

/// The directory around it cannot be granted, but what is to be made in it can. more: a flag that is needed besides.
std::string make_it_first(const lack& what, const host& here, const std::string& more = {}) {
  const std::string subject = typed(what.subject, here.home);
  right wanted = no_rights;
  for (const suggested_grant& g : what.grants) wanted |= g.rights;
  const suggested_grant made{std::string(what.subject), what.makes_directory ? right::read_write : wanted,
                             what.makes_directory ? path_kind::directory : path_kind::file};
  return fmt::format("make it first: {} {}, and {}{} {}", what.makes_directory ? "mkdir" : "touch", subject,
                     more, flag_of(made), subject);
}

}  // namespace

advice advise(const lack& what, const resolution& r, const bound_policy& bound, const host& here) {
  const bound_deny* over = deny_over(bound, what.subject);
  for (const suggested_grant& g : what.grants)
    if (over == nullptr) over = deny_over(bound, g.path);
  if (over != nullptr) {
    if (over->from == origin::system) return {"it is nono's own and stays closed", {}, over};
    const bool inside = std::all_of(what.grants.begin(), what.grants.end(), [&](const suggested_grant& g) {
      return deny_over(bound, g.path) == over;
    });
    const std::string bypass = fmt::format("--bypass-protection {} ", typed(over->path, here.home));
    return {fmt::format("denied by {} ({}); on purpose only: {}",
                        over->source.empty() ? "a deny" : over->source, quoted_whole(over->path),
                        inside ? bypass + flags_of(what.grants, here) : make_it_first(what, here, bypass)),
            {},
            over};
  }
  if (r.cwd == cwd_grant::ask && !connects(what) &&
      (is_within(what.subject, r.workdir) ||
       is_within(what.subject, canonical_path(r.workdir).value_or(r.workdir))))
    return {"the working directory was not granted: --allow-cwd", "--allow-cwd", nullptr};
  if (what.makes_directory)
    if (const bound_deny* d = deny_below(bound, what.subject))
      return {fmt::format("{} holds the denied {}: make what you need inside it first, and grant that",
                          quoted_whole(what.subject), quoted_whole(d->path)),
              {},
              d};
  for (const suggested_grant& g : what.grants) {
    if (g.kind == path_kind::file) continue;
    if (const bound_deny* d = deny_below(bound, g.path)) {
      if (!what.exists)
        return {fmt::format("{} holds the denied {}, so {}", quoted_whole(g.path), quoted_whole(d->path),
                            make_it_first(what, here)),
                {},
                d};
      return {
          fmt::format("{} holds the denied {} and cannot be granted whole; grant what is needed inside it",
                      quoted_whole(g.path), quoted_whole(d->path)),
          {},
          d};
    }
  }
  std::string flags = flags_of(what.grants, here);
  if (flags.empty()) return {"no flag grants it", {}, nullptr};
  return {flags, flags, nullptr};
}

std::string network_advice(const resolution& r, const bound_policy& bound) {
  if (bound.network.mode == network_mode::hosts)
    return "hosts are reached through the proxy alone, which HTTP_PROXY names; --allow-net opens the network";
  if (bound.network.mode == network_mode::ports)
    return "only the opened ports are there; --allow-net opens the network";
  if (bound.network.mode == network_mode::blocked)
    return r.chosen != nullptr && r.chosen->says.block_network
               ? fmt::format("the profile {} blocks the network; --allow-net opens it", r.profile->name)
               : "the network is blocked; run without --block-net";
  return fmt::format("the profile {} gives a loopback network only; --allow-net opens the network",
                     r.profile != nullptr ? r.profile->name : std::string_view("in use"));
}

}  // namespace nono::cli
