// SPDX-License-Identifier: Apache-2.0
// The part of a Seatbelt profile that speaks of files: what is granted, what leads there, and what stays closed.
#pragma once

#include <cstddef>
#include <string_view>

#include <nono/macos/places.hpp>
#include <nono/macos/rules.hpp>
#include <nono/macos/settings.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

namespace nono::seatbelt {

/// Terminals. Who may ioctl one may type into it (TIOCSTI), so protection::terminal_input keeps them closed.
/// Source: tty(4), pty(4) of macOS
inline constexpr std::string_view terminals = "(regex #\"^/dev/(tty|ptmx)\")";

namespace detail {

constexpr bool reads_all(right r) noexcept { return contains(r, right::read_file | right::list); }

/// True for "/" and the links there, whose metadata every profile allows: no path can be looked up without.
constexpr bool always_seen(const spelled& path) noexcept {
  if (path == spelled{{}, "/"}) return true;
  for (const std::string_view link : root_links)
    if (path == spelled{{}, link}) return true;
  return false;
}

/// Names, kinds and sizes: of what is granted in any way, of what leads there, and of the denied path itself, so that a
/// program that looks finds it there and is refused when it opens.
template <class Sink>
constexpr void allow_metadata(rules<Sink>& r) {
  typename rules<Sink>::open_rule rule{"allow", "file-read-metadata"};
  r.line(rule);
  r.out().put("(literal \"/\")");
  for (const std::string_view link : root_links) {
    r.out().put(" (literal \"");
    r.out().put(link);
    r.out().put("\")");
  }
  for (const place& p : r.places()) {
    if (p.below_granted || reads_all(p.below)) continue;
    const bool whole = p.below != no_rights;
    const bool alone = p.on_the_way || p.denied || (p.here != no_rights && !reads_all(p.here));
    if (!whole && (!alone || always_seen(p.path))) continue;
    r.line(rule);
    r.filter(whole ? "subpath" : "literal", p);
  }
  r.close(rule);
}

/// One operation reads files and lists directories: where only one of the two is granted, the kind of the file decides.
template <class Sink>
constexpr void allow_reading(rules<Sink>& r) {
  constexpr right both = right::read_file | right::list;
  typename rules<Sink>::open_rule rule{"allow", "file-read*"};
  for (const place& p : r.places()) {
    if ((r.added_below(p) & both) != no_rights) {
      r.line(rule);
      const bool all = reads_all(p.below);
      if (!all) r.out().put("(require-all ");
      r.filter("subpath", p);
      if (!all)
        r.out().put(contains(p.below, right::list) ? " (vnode-type DIRECTORY))"
                                                   : " (require-not (vnode-type DIRECTORY)))");
    }
    if ((r.added_here(p) & both) != no_rights) {
      r.line(rule);
      r.filter("literal", p);
    }
  }
  r.close(rule);
}

}  // namespace detail

/// What the policy grants of files.
template <class Sink>
constexpr void allow_files(const policy_ref& policy, rules<Sink>& r) {
  if (policy.lifted.has(protection::filesystem)) return r.whole("(allow file* process-exec*)");
  detail::allow_metadata(r);
  detail::allow_reading(r);
  r.allow(executing);
  r.allow(writing);
  r.allow(creating);
  if (!r.with().unlink_protection) r.allow(removing);
  r.allow(controlling);
  if (policy.lifted.has(protection::device_ioctl))
    r.whole("(allow file-ioctl)");
  else if (policy.lifted.has(protection::terminal_input))
    r.whole("(allow file-ioctl ", terminals, ")");
}

/// What no grant gives back, after all that allows.
template <class Sink>
constexpr void deny_files(const policy_ref& policy, rules<Sink>& r) {
  using open_rule = typename rules<Sink>::open_rule;
  const bool all = policy.lifted.has(protection::filesystem);
  if (r.with().unlink_protection && !all) {
    r.whole("(deny file-write-unlink)");
    r.allow(removing);
  }
  bool ioctls = all || policy.lifted.has(protection::device_ioctl);
  bool removes = all;
  for (const place& p : r.places()) {
    ioctls = ioctls || contains(p.below | p.here, right::ioctl);
    removes = removes || contains(p.below, right::remove);
  }
  if (ioctls && !policy.lifted.has(protection::terminal_input)) r.whole("(deny file-ioctl ", terminals, ")");

  // All but looking. Where everything is allowed, so is what has no right of its own, such as making hard links.
  open_rule closed{"deny", all ? "file* network-bind network-inbound network-outbound process-exec*"
                               : "file-ioctl file-map-executable file-read-data file-read-xattr file-write* "
                                 "network-bind network-inbound network-outbound process-exec*"};
  open_rule kept{"deny", "file-write-unlink"};
  for (const place& p : r.places()) {
    if (!p.denied || p.below_denied) continue;
    r.line(closed);
    r.filter("subpath", p);
  }
  r.close(closed);
  if (all && closed.begun) r.whole("(allow file-read-metadata)");
  // Moved away, a directory around a denied path would take it out of its name. What a variable stands for may lie
  // below any grant.
  for (const place& p : r.places()) {
    if (!p.holds_denied || p.denied || p.below_denied) continue;
    if (!contains(p.covered, right::remove) && !all && !(removes && p.path[0] == '$')) continue;
    r.line(kept);
    r.filter("literal", p);
  }
  r.close(kept);
}

}  // namespace nono::seatbelt
