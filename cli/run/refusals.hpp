// SPDX-License-Identifier: Apache-2.0
// What of the child's attempts the sandbox refused: each is asked of the evaluator that answers `why` too.
#pragma once

#if defined(__linux__)

#include <cstdint>
#include <string>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/explain.hpp>
#include <nono/report.hpp>

#include "cli/run/observer.hpp"

namespace nono::cli {

/// Something that the sandbox refused.
struct refusal {
  attempt::kind what{};
  std::string subject;                  ///< the path without links, the peer or the call, unquoted
  std::string to;                       ///< files: the second name of a rename
  protection id{};                      ///< the protection that refused, for all but files
  right wanted{};                       ///< files: every right it takes
  std::vector<suggested_grant> grants;  ///< files: what would have to be granted
  bool exists = false;                  ///< files: there is one by that name
  std::uint32_t asked = 0;              ///< files: the operations that were refused, a bit each
  bool by_capability =
      false;  ///< files: no grant helps, root's capability to pass ordinary permissions is gone
};

/// The attempts of which the sandbox is the reason, what concerns one path as one. Left out is what exists no more or
/// never did, what ordinary permissions refuse, and what the policy allows.
std::vector<refusal> refused_by_policy(const std::vector<attempt>& attempts, const bound_policy& policy,
                                       const enforcement& in_force);

}  // namespace nono::cli

#endif
