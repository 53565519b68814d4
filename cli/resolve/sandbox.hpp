// SPDX-License-Identifier: Apache-2.0
// From a resolution to what would be enforced: the policy on inodes and the plan for this system. `run`, `wrap`, `why` and
// `profile show` all come through here, so that what one shows is what the other enforces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nono/bind.hpp>
#include <nono/error.hpp>
#include <nono/report.hpp>

#include "cli/resolve/resolver.hpp"
#include "cli/resolve/system_plan.hpp"

namespace nono::cli {

/// What is known of one sandbox before anything is started. It stays where it is: the plan refers to `bound`.
struct sandbox {
  host here;
  resolution r;
  host_gate gate;  ///< how hosts are filtered, where they are
  std::optional<bound_policy> bound;
  std::optional<system_plan> prepared;

  [[nodiscard]] const enforcement& report() const { return report_of(*prepared); }
};

/// The ports to which a supervisor lets the command connect on this machine alone: the open ones, and the proxy's. Landlock
/// knows no addresses, so there are none where no supervisor decides connections.
std::vector<std::uint16_t> loopback_ports(const resolution& r, const bound_policy& bound,
                                          const enforcement& report);
/// True for one of them.
bool is_kept_to_localhost(std::uint16_t port, const resolution& r, const bound_policy& bound,
                          const enforcement& report);

/// Where the proxy listens in a network of the command's own, where all ports are free; 3128 is what proxies use.
inline constexpr std::uint16_t usual_proxy_port = 3128;

/// How the hosts of `s.r` would be filtered: by a network of the command's own, unless ports of this system's have to be opened
/// or it is not wanted; then the port may still be 0, any free one.
host_gate planned_gate(const run_options& options, const resolution& r);

/// Binds `s.r` and plans it for this system. Errors: those of bind() and plan_for_system().
error lower(sandbox& s, sandbox_target target, bool observed = false);

/// The whole way for a sandbox that nobody will start: as in a dry run nothing is made and nobody is asked.
error resolve_without_running(run_options options, sandbox& s);

/// The same of a profile alone, without a command and what one brings along. Completes `options`.
error resolve_for_showing(run_options& options, sandbox& s);

/// The policy of a profile by name: what every run grants it, less what each run adds of its own (its terminal, the files
/// behind its standard streams, its temporary directory). options, s: of resolve_for_showing().
result<capability_set> policy_of_profile(const run_options& options, const sandbox& s);

/// The error in the words that scripts look for.
std::string words_of(const error& why);

}  // namespace nono::cli
