// SPDX-License-Identifier: Apache-2.0
// Which places a sandboxed command may have changed, in this run or in an earlier one: what lies there is its word, not the
// user's, and a link that lies there leads where it likes.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nono/capability_set.hpp>

namespace nono::cli {

/// The way of a path through the file system. What is not there stays as it is spelled.
struct walked_path {
  std::vector<std::string> links;  ///< where each link lies that was followed
  std::string end;
};
/// What readlink() has said of paths so far; empty: no link.
using known_links = std::unordered_map<std::string, std::string>;
/// path: absolute. known: saves asking again for what many paths go through.
walked_path walk(std::string_view path, known_links& known);
inline walked_path walk(std::string_view path) {
  known_links none;
  return walk(path, none);
}

/// The path of a rule with $HOME replaced; another variable stays.
std::string at_home(std::string_view path, std::string_view home);

/// For the start of one run: each link is looked at once.
class writable_places {
 public:
  writable_places() = default;
  /// Those to which the policy's grants for users, profiles and groups let it write, and the working directory: an earlier run
  /// may have had it, or this one is given it yet. One that holds the home directory is not counted, since it cannot be
  /// granted.
  writable_places(const capability_set& policy, std::string_view workdir, std::string_view home);

  /// True when something that was put there decides what is at `path`: the file, or a link on the way to it.
  [[nodiscard]] bool decide(std::string_view path) const;

  /// The link in one of these places that leads `path` out of it; empty where none does.
  [[nodiscard]] std::string way_out(std::string_view path) const;

 private:
  std::vector<std::string> places_;  // canonical
  mutable known_links known_;
};

}  // namespace nono::cli
