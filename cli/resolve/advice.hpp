// SPDX-License-Identifier: Apache-2.0
// What a user can do about what the sandbox refuses, in flags of this command: once, for the footer and for `why`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/explain.hpp>

#include "cli/resolve/resolver.hpp"

namespace nono::cli {

/// Something that was refused for want of grants.
struct lack {
  std::string_view subject;             ///< the path it is about, without links
  bool exists = false;                  ///< there is a file by that name
  bool makes_directory = false;         ///< a mkdir
  std::vector<suggested_grant> grants;  ///< from missing_grants()
};

struct advice {
  std::string text;  ///< one clause: the flags, or why none helps
  /// The flags alone, as they are typed; empty where none helps, or where something else comes first: a deny that
  /// would have to be lifted, a file that would have to be there.
  std::string flags;
  const bound_deny* deny = nullptr;  ///< what keeps it closed
};

/// The smallest grant, or why there is none.
advice advise(const lack& what, const resolution& r, const bound_policy& bound, const host& here);

/// What opens the network.
std::string network_advice(const resolution& r, const bound_policy& bound);

/// Said where ordinary permissions refuse what only a capability would pass.
inline constexpr std::string_view capability_advice =
    "it belongs to another user, and in the sandbox root has no capability to pass ordinary permissions";

}  // namespace nono::cli
