// SPDX-License-Identifier: Apache-2.0
// What the command of a run could put in the place of programs that later run outside, with all that the user may.
#pragma once

#include <string>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/place.hpp>

#include "cli/resolve/sandbox.hpp"

namespace nono::cli {

/// True where the inode is that of what look() has found, or of a directory above it.
bool lies_below(const place& at, const inode_id& inode);

/// The grants of a bound policy that let the command write.
std::vector<writable_grant> writing_grants(const bound_policy& bound);

/// The grant, in quotes, by which the command could write the file of this name, or have another by its name; empty: none.
/// path: absolute, without links in its directories. What the permissions of files forbid to this user, no grant allows.
std::string grant_over(const std::vector<writable_grant>& places, const std::string& path);

/// A warning where nono itself can be replaced by what the user grants: whoever builds nono wants to run it all the same.
/// Empty: it cannot.
std::string warning_of_own_place(const std::vector<writable_grant>& places);

}  // namespace nono::cli
