// SPDX-License-Identifier: Apache-2.0
// What is printed before a run.
#include "cli/run/summary.hpp"

#include <string_view>

#include <nono/format.hpp>
#include <nono/tree.hpp>

#include "cli/resolve/environment.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/resolve/spelling.hpp"
#include "cli/run/reachable.hpp"

namespace nono::cli {

namespace {

constexpr std::string_view line = "------------------------------------------------------------\n";

std::string_view network_words(network_mode mode) {
  switch (mode) {
    case network_mode::unrestricted:
      return "outbound allowed";
    case network_mode::blocked:
      return "outbound blocked";
    case network_mode::loopback:
      return "outbound blocked, loopback of its own";
    case network_mode::ports:
      return "outbound to single ports";
    case network_mode::hosts:
      return "outbound to named hosts";
  }
  return {};
}

/// How many hosts, from where, and what keeps the command from going past the proxy.
std::string host_row(const resolution& r, const bound_policy& bound, const enforcement& report, int verbose,
                     bool dry_run) {
  const host_filter& f = *r.hosts;
  std::string ports;
  for (std::size_t i = 0; i < bound.network.port_count; ++i) ports += ", " + to_text(bound.network.ports[i]);
  std::string which = fmt::format("{} {}", f.hosts.size(), f.hosts.size() == 1 ? "host" : "hosts");
  if (f.any_public()) which = f.hosts.size() == 1 ? "every public host" : "every public host and others";
  const bool pinned = is_kept_to_localhost(bound.gate.port, r, bound, report);
  std::string out = fmt::format(
      "  net  proxy localhost:{}{} to {}{}{}{}\n", bound.gate.port,
      // Only a child shows whether there are namespaces, and a dry run has none.
      bound.gate.own_network
          ? dry_run ? ", in a network of its own if this system gives one," : ", in a network of its own,"
      : pinned ? ", in this system's network (where a supervisor keeps that port to localhost),"
               : ", that port of every host too (by Landlock, in this system's network),",
      which, f.profile.empty() ? "" : fmt::format(" ({})", f.profile), ports,
      f.upstream_host.empty() ? "" : fmt::format(", through {}:{}", f.upstream_host, f.upstream_port));
  if (verbose > 0)
    for (const allowed_host& h : f.hosts) out += fmt::format("       {}  [{}]\n", h.name, h.from);
  for (const credential_route& c : f.routes) {
    std::string names;
    for (const std::string& name : c.token_variables) names += (names.empty() ? "" : ", ") + name;
    out += fmt::format("  key  {}  {} to {}, a token in {}; the key of {} stays outside{}\n", c.name,
                       c.url_variable, c.upstream(), names, c.key.shown,
                       verbose > 0 ? fmt::format("  [{}]", c.from) : std::string());
  }
  return out;
}

/// True for words such as `--token=...` and `KEY=...` whose value must not be shown.
bool hides_value(std::string_view word, std::size_t equals) {
  std::string_view name = word.substr(0, equals);
  while (name.starts_with('-')) name.remove_prefix(1);
  std::string upper;
  for (const char c : name) upper += c == '-' ? '_' : c;
  constexpr std::string_view words[] = {"token", "password", "passwd", "secret", "api_key", "apikey"};
  for (const std::string_view w : words)
    if (upper == w) return true;
  return looks_like_key(upper);
}

/// `Authorization: ...` and the user part of a URL, without what must not be shown.
std::string without_secret(const std::string& word) {
  std::string lower;
  for (const char c : word) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view header : {"authorization:", "x-api-key:", "cookie:", "private-token:"})
    if (const auto at = lower.find(header); at != std::string::npos)
      return word.substr(0, at + header.size()) + " [hidden]";
  const auto scheme = word.find("://");
  if (scheme == std::string::npos) return word;
  const auto end = word.find_first_of("/?#", scheme + 3);
  const auto user = word.substr(0, end).rfind('@');
  if (user == std::string::npos || user < scheme) return word;
  return word.substr(0, scheme + 3) + "[hidden]" + word.substr(user);
}

/// A word as it stands, or in quotes where it is no plain one.
std::string as_word(const std::string& word) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
  const bool is_plain = !word.empty() && word.find_first_not_of(plain) == std::string::npos;
  return is_plain ? word : quoted_whole(word);
}

}  // namespace

std::string summary(const resolution& r, const bound_policy& bound, const enforcement& report, int verbose,
                    bool dry_run) {
  std::string out = fmt::format("nono v{}\n{}Capabilities:\n", NONO_VERSION, line);
  std::size_t hidden = 0;
  for (const bound_rule& rule : bound.rules) {
    const bool own = rule.from == origin::user || rule.from == origin::profile;
    if (!own && verbose == 0) {
      ++hidden;
      continue;
    }
    out += fmt::format("  {:<3}  {} ({})", badge(rule.rights), quoted_whole(rule.path),
                       rule.type == file_type::directory ? "dir"
                       : rule.type == file_type::socket  ? "socket"
                                                         : "file");
    // A link in what the user named is shown always: the command may have put it there.
    if (!rule.canonical.empty() && rule.canonical != rule.path) out += " -> " + quoted_whole(rule.canonical);
    if (verbose > 0) {
      out += fmt::format("  [{}]{}", source_text(rule.from, rule.source),
                         rule.subsumed ? " (covered by a wider grant)" : "");
    }
    out += '\n';
  }
  if (hidden != 0) out += fmt::format("  + {} system/group paths (-v to show)\n", hidden);
  if (verbose > 0) {
    for (const skipped_rule& s : bound.skipped)
      if (s.denied == nullptr) out += fmt::format("  -    {} does not exist\n", quoted_whole(s.path));
    for (const bound_deny& d : bound.denies)
      out += fmt::format("  deny {}  [{}]\n", quoted_whole(d.path), d.source.empty() ? "user" : d.source);
  }
  out += r.hosts ? host_row(r, bound, report, verbose, dry_run)
                 : fmt::format("  net  {}\n", network_words(bound.network.mode));
  std::string missing;
  for (const protection_row& row : protections) {
    const bool absent = report.of(row.id) == standing::missing;
    const bool unsupervised = row.supervisor && (absent || report.of(row.id) == standing::not_enforceable);
    if (!absent && !unsupervised) continue;
    missing += fmt::format(
        "{}{} ({}{}{} has it)", missing.empty() ? "" : ", ", row.id, row.landlock_abi != 0 ? row.kernel : "",
        row.landlock_abi != 0 && unsupervised ? " or " : "", unsupervised ? "nono run" : "");
  }
  if (!missing.empty() || !report.missing.empty())
    out += fmt::format("  kernel  Landlock ABI {}{}{}{}\n", report.landlock_abi,
                       report.missing.empty() ? "" : fmt::format(" (claimed), missing: {}", report.missing),
                       missing.empty() ? "" : "; not protected here: ", missing);
  out += reachable_row(reachable_sockets(bound, report), verbose);
  if (r.profile != nullptr) out += fmt::format("  profile  {}\n", r.profile->name);
  return out += line;
}

std::string command_line(const std::vector<std::string>& command) {
  std::string out;
  bool hide_next = false;
  for (const std::string& word : command) {
    if (!out.empty()) out += ' ';
    const auto equals = word.find('=');
    if (hide_next) {
      out += "[hidden]";
      hide_next = false;
    } else if (equals != std::string::npos && hides_value(word, equals)) {
      out += as_word(word.substr(0, equals + 1)) + "[hidden]";
    } else if (const std::string hidden = without_secret(word); hidden != word) {
      out += quoted_whole(hidden);
    } else {
      out += as_word(word);
    }
    if (word.starts_with('-') && equals == std::string::npos && hides_value(word, word.size()))
      hide_next = true;
  }
  return out;
}

}  // namespace nono::cli
