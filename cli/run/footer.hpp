// SPDX-License-Identifier: Apache-2.0
// What is printed after a run that failed: what the sandbox refused, by which rule, and the smallest grant that
// would allow it.
#pragma once

#if defined(__linux__)

#include <string>
#include <vector>

#include <nono/bind.hpp>
#include <nono/spawn.hpp>

#include "cli/resolve/resolver.hpp"
#include "cli/run/host_proxy.hpp"
#include "cli/run/observer.hpp"
#include "cli/run/refusals.hpp"

namespace nono::cli {

/// The footer. refused: from refused_by_policy(). watcher: null when nobody could watch the child's calls.
/// hosts: what the proxy refused.
std::string footer(const resolution& r, const bound_policy& bound, const host& here,
                   const exit_status& status, const std::vector<refusal>& refused, const observer* watcher,
                   const std::vector<refused_host>& hosts, int verbose);

}  // namespace nono::cli

#endif
