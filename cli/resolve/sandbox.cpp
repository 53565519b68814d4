// SPDX-License-Identifier: Apache-2.0
// From a resolution to what would be enforced.
#include "cli/resolve/sandbox.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

namespace nono::cli {

host_gate planned_gate(const run_options& options, const resolution& r) {
  if (!r.hosts) return {};
  const bool own = options.sandbox_policy != "landlock" && r.policy.ref().network.port_count == 0;
  const std::uint16_t port = r.hosts->proxy_port;
  return {port != 0 || !own ? port : usual_proxy_port, own};
}

std::vector<std::uint16_t> loopback_ports(const resolution& r, const bound_policy& bound,
                                          const enforcement& report) {
  if (report.of(protection::pathname_unix) != standing::by_supervisor) return {};
  std::vector<std::uint16_t> out = r.open_ports;
  if (bound.gate.port != 0 && !bound.gate.own_network &&
      !bound.network.opens({port_use::connect_tcp, bound.gate.port}))
    out.push_back(bound.gate.port);
  return out;
}

bool is_kept_to_localhost(std::uint16_t port, const resolution& r, const bound_policy& bound,
                          const enforcement& report) {
  const auto kept = loopback_ports(r, bound, report);
  return std::find(kept.begin(), kept.end(), port) != kept.end();
}

error lower(sandbox& s, sandbox_target target, bool observed) {
  const binding home =
      nono::bind("$HOME", s.here.home);  // HOME may be unset: then it comes from the password file
  auto bound = nono::bind(s.r.policy.ref(), {&home, 1});
  if (!bound) return bound.error();
  s.bound.emplace(std::move(*bound));
  s.bound->gate = s.gate;
  auto prepared = plan_for_system(*s.bound, s.r.chosen.get(), target, observed);
  if (!prepared) return prepared.error();
  s.prepared.emplace(*std::move(prepared));
  if (!s.r.open_ports.empty()) {
    std::string words =
        loopback_ports(s.r, *s.bound, s.report()).empty()
            ? "an open port is open to every host: no rule of the kernel can say \"localhost\""
            : "an open port is connected to on localhost alone, but what the command serves there is open to "
              "every host: bind() is not kept to localhost";
    if (std::find(s.r.warnings.begin(), s.r.warnings.end(), words) == s.r.warnings.end())
      s.r.warnings.push_back(std::move(words));
  }
  if (s.r.chosen && s.r.chosen->says.signal_mode == "allow_same_sandbox" &&
      s.report().of(protection::signals) == standing::missing)
    return {errc::protection_unavailable,
            0,
            {},
            {},
            fmt::format("signals ({}), which 'security.signal_mode' of the profile {} asks for",
                        row_of(protection::signals).kernel, s.r.chosen->name)};
  return {};
}

error resolve_without_running(run_options options, sandbox& s) {
  options.dry_run = true;
  auto here = this_host();
  if (!here) return here.error();
  s.here = std::move(*here);
  auto r = resolve(options, s.here, {});
  if (!r) return r.error();
  s.r = std::move(*r);
  s.gate = planned_gate(options, s.r);
  if (s.r.hosts && s.gate.port == 0) s.gate.port = usual_proxy_port;  // any free one, only to be looked at
  return lower(s, sandbox_target::supervised_child);
}

error resolve_for_showing(run_options& options, sandbox& s) {
  options.needs_command = false;
  options.auto_groups = false;
  return resolve_without_running(options, s);
}

result<capability_set> policy_of_profile(const run_options& options, const sandbox& s) {
  auto r = resolve(options, s.here, {});  // not a dry run: caches that a run makes are said to be made
  if (!r) return r.error();
  r->policy.remove_if([](const rule& one) { return one.from == origin::system && !one.is_deny(); });
  return std::move(r->policy);
}

std::string words_of(const error& why) {
  std::string message = why.message();
  const std::string fact = message.substr(0, message.rfind("; to change that, "));
  switch (why.code) {
    case errc::deny_contradicts_grant:
      if (why.other.find(protected_root) != std::string::npos)
        return fmt::format("{} overlaps {} {}; grant a directory beside it", why.rule, protected_root,
                           in_quotes(why.path));
      // What a profile denies by itself, no flag lifts.
      return "Landlock deny-overlap: " + message +
             (why.other.find(" of the group ") == std::string::npos
                  ? std::string()
                  : fmt::format(", or add --bypass-protection {} on purpose", in_quotes(why.path)));
    case errc::protection_unavailable:
      return fact +
             "; to change that, use a kernel that has it, or leave out what requires it (--strict, or a "
             "field of the "
             "profile)";
    case errc::chdir_failed:
      return message + "; make it a directory that you may enter, or name another with --workdir";
    case errc::exec_failed:
      if (why.os_errno == ENOEXEC)
        return fact +
               "; to change that, give it to its interpreter: it is neither a script with a #! line nor a "
               "program for "
               "this machine";
      return message;
    default:
      return message;
  }
}

}  // namespace nono::cli
