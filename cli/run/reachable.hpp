// SPDX-License-Identifier: Apache-2.0
// The unix sockets of others that a sandbox leaves reachable, where neither kernel nor supervisor closes them.
#pragma once

#include <string>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/report.hpp>

namespace nono::cli {

/// The servers in the file system that this user may call though no grant covers them, each once, sorted; empty where
/// something refuses. Read from the kernel's list of the own network: servers of other networks are not in it.
std::vector<std::string> reachable_sockets(const bound_policy& policy, const enforcement& report);

/// As a row of the summary; empty if there is none. verbose: 1 or more names them all.
std::string reachable_row(const std::vector<std::string>& sockets, int verbose);

}  // namespace nono::cli
