// SPDX-License-Identifier: Apache-2.0
// What is printed after a run that failed.
#include "cli/run/footer.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <sys/stat.h>

#include <nono/format.hpp>

#include "cli/resolve/setting_paths.hpp"

namespace nono::cli {

namespace {

constexpr std::size_t most_lines = 10;

/// `path` as the user would type it to a shell.
std::string typed(const std::string& path, const host& here) {
  std::string shown =
      is_within(path, here.home) && path != here.home ? "~" + path.substr(here.home.size()) : path;
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./~-";
  if (shown.find_first_not_of(plain) == std::string::npos) return shown;
  std::string safe = quoted_whole(path);
  if (safe.find("\\x") != safe.npos || safe.find("\\n") != safe.npos) return safe;  // shown, not to be copied
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string_view verb(right wanted) {
  const bool reads = (wanted & right::read) != no_rights;
  const bool writes = (wanted & right::write) != no_rights;
  if (reads && writes) return "read+write";
  if (contains(wanted, right::remove) && !contains(wanted, right::create)) return "remove";
  if (contains(wanted, right::create) && !reads) return "create";
  return writes ? "write" : contains(wanted, right::list) ? "list" : "read";
}

const bound_deny* deny_over(const bound_policy& bound, const std::string& path) {
  for (const bound_deny& d : bound.denies)
    if (is_within(path, d.path) || is_within(path, d.canonical)) return &d;
  return nullptr;
}

/// A deny that a grant of the directory `path` would hold.
const bound_deny* deny_below(const bound_policy& bound, const std::string& path) {
  for (const bound_deny& d : bound.denies)
    if (is_within(d.path, path) || is_within(d.canonical, path)) return &d;
  return nullptr;
}

std::string_view flag_for(right wanted, bool file) {
  const bool reads = (wanted & right::read) != no_rights;
  const bool writes = (wanted & right::write) != no_rights;
  if (reads && writes) return file ? "--allow-file" : "--allow";
  return writes ? (file ? "--write-file" : "--write") : (file ? "--read-file" : "--read");
}

/// The smallest grant, in flags that this command takes.
std::string remedy(const attempt& a, const resolution& r, const bound_policy& bound, const host& here) {
  if (a.by_capability)
    return "it belongs to another user, and in the sandbox root has no capability to pass ordinary "
           "permissions";
  struct stat st{};
  const bool exists = ::stat(a.subject.c_str(), &st) == 0;
  const bool of_directory = (a.wanted & (right::create | right::remove)) != no_rights;
  const bool file = exists && !S_ISDIR(st.st_mode) && !of_directory;
  const std::string target = exists && !of_directory ? a.subject : parent_of(a.subject);
  if (const bound_deny* d = deny_over(bound, a.subject)) {
    if (d->from == origin::system) return fmt::format("it is {}'s own and stays closed", "nono");
    return fmt::format("denied by {} ({}); on purpose only: --bypass-protection {} {} {}",
                       d->source.empty() ? "a deny" : d->source, quoted_whole(d->path),
                       typed(std::string(d->path), here), flag_for(a.wanted, file), typed(target, here));
  }
  if (r.cwd == cwd_grant::ask && is_within(a.subject, r.workdir))
    return "the working directory was not granted: --allow-cwd";
  if (a.makes_directory)
    if (const bound_deny* d = deny_below(bound, a.subject))
      return fmt::format("{} holds the denied {}: make what you need inside it first, and grant that",
                         quoted_whole(a.subject), quoted_whole(d->path));
  if (!file)
    if (const bound_deny* d = deny_below(bound, target)) {
      if (!exists)
        return fmt::format("{} holds the denied {}, so make it first: {} {}, and {} {}", quoted_whole(target),
                           quoted_whole(d->path), a.makes_directory ? "mkdir" : "touch",
                           typed(a.subject, here),
                           flag_for(a.makes_directory ? right::read_write : a.wanted, !a.makes_directory),
                           typed(a.subject, here));
      return fmt::format("{} holds the denied {} and cannot be granted whole", quoted_whole(target),
                         quoted_whole(d->path));
    }
  if (target == "/") return "the root directory is never granted whole";
  return fmt::format("{} {}", flag_for(a.wanted, file), typed(target, here));
}

std::string network_remedy(const resolution& r, const bound_policy& bound) {
  if (bound.network.mode == network_mode::blocked) return "the network is blocked; run without --block-net";
  return fmt::format("the profile {} gives a loopback network only; --allow-net opens the network",
                     r.profile != nullptr ? r.profile->name : std::string_view("in use"));
}

/// What people look for first: denied files, the network, other processes; places that runtimes probe come last.
constexpr int last_order = 3;
int order_of(const attempt& a, const bound_policy& bound, const host& here) {
  if (a.what != attempt::kind::file) return 1;
  if (deny_over(bound, a.subject) != nullptr) return 0;
  if (a.subject == "/") return 3;
  if (is_within(a.subject, here.home)) return 2;
  constexpr std::string_view probed[] = {"/sys", "/proc", "/etc", "/run", "/var", "/dev", "/usr"};
  const bool probe = std::any_of(std::begin(probed), std::end(probed),
                                 [&](std::string_view p) { return is_within(a.subject, p); });
  return probe ? 3 : 2;
}

std::string_view nothing_refused(const exit_status& status, bool own_loopback) {
  if (status.code == 126)
    return "[nono] No file was refused to be opened; what may not be executed is not seen here.\n";
  if (own_loopback)
    return "[nono] Nothing was refused. Loopback addresses are the sandbox's own: the host's services are "
           "not on them "
           "(--allow-net opens the network).\n";
  return "[nono] Nothing was refused that a grant would allow: most likely the reason lies in the command "
         "itself.\n";
}

}  // namespace

std::string footer(const resolution& r, const bound_policy& bound, const host& here,
                   const exit_status& status, const std::vector<attempt>& refused, const observer* watcher,
                   int verbose) {
  const bool observed = watcher != nullptr && !watcher->blind();
  std::string out = status.signal != 0
                        ? fmt::format("[nono] The command was killed by signal {} ({}).\n", status.signal,
                                      ::strsignal(status.signal))
                        : fmt::format("[nono] The command exited with code {}.\n", status.code);
  if (!observed) out += "[nono] Its calls could not be watched, so what was refused is not known.\n";
  if (r.cwd == cwd_grant::ask)
    out += fmt::format("[nono] The working directory {} was not granted: add --allow-cwd.\n",
                       quoted_whole(r.workdir));
  std::vector<const attempt*> sorted;
  sorted.reserve(refused.size());
  for (int order = 0; order <= last_order; ++order)
    for (const attempt& a : refused)
      if (order_of(a, bound, here) == order) sorted.push_back(&a);
  if (!sorted.empty()) out += "[nono] The sandbox refused:\n";
  std::size_t shown = 0;
  for (const attempt* a : sorted) {
    if (shown == most_lines && verbose == 0) {
      out += fmt::format("  and {} more (-v to show)\n", sorted.size() - shown);
      break;
    }
    ++shown;
    switch (a->what) {
      case attempt::kind::file:
        out += fmt::format("  {} {}: {}\n", verb(a->wanted), quoted_whole(a->subject),
                           remedy(*a, r, bound, here));
        break;
      case attempt::kind::network:
        out += fmt::format("  connect to {}: {}\n", a->subject, network_remedy(r, bound));
        break;
      case attempt::kind::process:
        out += fmt::format("  {}: it is outside the sandbox ({}); no flag grants it\n",
                           quoted_whole(a->subject), a->id);
        break;
      case attempt::kind::call:
        if (a->id == protection::network) {
          out += fmt::format("  {}: {}\n", a->subject, network_remedy(r, bound));
        } else {
          out += fmt::format("  {}: closed in every sandbox ({}); no flag grants it\n", a->subject, a->id);
        }
        break;
    }
  }
  if (sorted.empty() && observed && r.cwd != cwd_grant::ask)
    out += nothing_refused(status, bound.network.mode == network_mode::loopback && watcher->used_loopback());
  return out;
}

}  // namespace nono::cli
