// SPDX-License-Identifier: Apache-2.0
// What is printed after a run that failed.
#if defined(__linux__)
#include "cli/run/footer.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <nono/format.hpp>

#include "cli/resolve/advice.hpp"

namespace nono::cli {

namespace {

constexpr std::size_t most_lines = 10;

std::string_view verb(const refusal& a) {
  const right wanted = a.wanted;
  if (contains(wanted, right::connect_unix)) return "connect to";
  if (a.asked == bit_of(operation::chmod)) return "change metadata of";
  const bool reads = (wanted & right::read) != no_rights;
  const bool writes = (wanted & right::write) != no_rights;
  if (reads && writes) return "read+write";
  if (contains(wanted, right::remove) && !contains(wanted, right::create)) return "remove";
  if (contains(wanted, right::create) && !reads) return "create";
  return writes ? "write" : contains(wanted, right::list) ? "list" : "read";
}

std::string remedy(const refusal& a, const resolution& r, const bound_policy& bound, const host& here) {
  if (a.by_capability) return std::string(capability_advice);
  return advise({a.subject, a.exists, (a.asked & bit_of(operation::mkdir)) != 0, a.grants}, r, bound, here)
      .text;
}

/// What was tried, on which names.
std::string what_of(const refusal& a) {
  if (a.to.empty()) return fmt::format("{} {}", verb(a), quoted_whole(a.subject));
  return fmt::format("rename {} to {}", quoted_whole(a.subject), quoted_whole(a.to));
}

/// What people look for first: denied files, the network, other processes; places that runtimes probe come last.
constexpr int last_order = 3;
int order_of(const refusal& a, const bound_policy& bound, const host& here) {
  if (a.what != attempt::kind::file) return 1;
  if (deny_over(bound, a.subject) != nullptr) return 0;
  if (a.subject == "/") return 3;
  if (is_within(a.subject, here.home) || contains(a.wanted, right::connect_unix)) return 2;
  constexpr std::string_view probed[] = {"/sys", "/proc", "/etc", "/run", "/var", "/dev", "/usr"};
  const bool probe = std::any_of(std::begin(probed), std::end(probed),
                                 [&](std::string_view p) { return is_within(a.subject, p); });
  return probe ? 3 : 2;
}

std::string_view nothing_refused(const exit_status& status, bool own_loopback) {
  if (status.code == 126)
    return "[nono] No file was refused to be opened. Executing is not watched: if a program could not be "
           "executed, grant "
           "the directory that it lies in with --read.\n";
  if (own_loopback)
    return "[nono] Nothing was refused. Loopback addresses are the sandbox's own: the host's services are "
           "not on them "
           "(--allow-net opens the network).\n";
  return "[nono] Nothing was refused that a grant would allow: most likely the reason lies in the command "
         "itself.\n";
}

}  // namespace

std::string footer(const resolution& r, const bound_policy& bound, const host& here,
                   const exit_status& status, const std::vector<refusal>& refused, const observer* watcher,
                   const std::vector<refused_host>& hosts, int verbose) {
  const bool observed = watcher != nullptr && !watcher->blind();
  std::string out = status.signal != 0
                        ? fmt::format("[nono] The command was killed by signal {} ({}).\n", status.signal,
                                      ::strsignal(status.signal))
                        : fmt::format("[nono] The command exited with code {}.\n", status.code);
  if (!observed) out += "[nono] Its calls could not be watched, so what was refused is not known.\n";
  if (r.cwd == cwd_grant::ask)
    out += fmt::format("[nono] The working directory {} was not granted: add --allow-cwd.\n",
                       quoted_whole(r.workdir));
  std::vector<const refusal*> sorted;
  sorted.reserve(refused.size());
  for (int order = 0; order <= last_order; ++order)
    for (const refusal& a : refused)
      if (order_of(a, bound, here) == order) sorted.push_back(&a);
  if (!sorted.empty()) out += "[nono] The sandbox refused:\n";
  std::size_t shown = 0;
  for (const refusal* a : sorted) {
    if (shown == most_lines && verbose == 0) {
      out += fmt::format("  and {} more (-v to show)\n", sorted.size() - shown);
      break;
    }
    ++shown;
    switch (a->what) {
      case attempt::kind::file:
        out += fmt::format("  {}: {}\n", what_of(*a), remedy(*a, r, bound, here));
        break;
      case attempt::kind::network:
        out += fmt::format("  connect to {}: {}\n", a->subject, network_advice(r, bound));
        break;
      case attempt::kind::process:
        out += fmt::format("  {}: it is outside the sandbox ({}); no flag grants it\n",
                           quoted_whole(a->subject), a->id);
        break;
      case attempt::kind::call:
        if (a->id == protection::network) {
          out += fmt::format("  a network socket: {}\n", network_advice(r, bound));
        } else if (a->subject == nono::detail::localhost_alone) {
          out += fmt::format("  {}: --open-port is about no other host\n", a->subject);
        } else {
          out += fmt::format("  {}: closed in every sandbox ({}); no flag grants it\n", a->subject, a->id);
        }
        break;
    }
  }
  if (!hosts.empty()) out += "[nono] The proxy refused:\n";
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (i == most_lines && verbose == 0) {
      out += fmt::format("  and {} more (-v to show)\n", hosts.size() - i);
      break;
    }
    out += fmt::format("  {}\n", hosts[i].reason);
  }
  if (sorted.empty() && hosts.empty() && observed && r.cwd != cwd_grant::ask)
    out += nothing_refused(
        status, nono::detail::network_of(bound) == network_mode::loopback && watcher->used_loopback());
  return out;
}

}  // namespace nono::cli
#endif
