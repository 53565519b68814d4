// SPDX-License-Identifier: Apache-2.0
// What the --allow-unix-socket flags grant: connecting to sockets by name, and the file grants that belong to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include <nono/policy.hpp>
#include <nono/right.hpp>

namespace nono::cli {

struct socket_flag {
  enum class extent : std::uint8_t { one, directory, subtree };
  std::string_view name;
  extent of{};
  bool binds = false;  ///< sockets may be made there as well
};

/// What one use of a flag comes to.
struct socket_grants {
  struct grant {
    std::string path;
    right rights{};
    path_kind kind{};
    std::string source;
  };
  std::vector<grant> grants;
  std::string refused;   ///< a sentence; empty: it can be granted
  std::string warning;   ///< empty: there is nothing to warn of
  std::string note;      ///< the same
  bool missing = false;  ///< there is nothing by that name, and so no grant
};

/// given: the path as it was written. path: the same, absolute. found: what is there, links followed; null: nothing.
/// Landlock knows subtrees only. What lies directly in a directory is therefore granted one by one, as it is now.
socket_grants grants_of(const socket_flag& flag, const std::string& given, const std::string& path,
                        const struct stat* found);

}  // namespace nono::cli
