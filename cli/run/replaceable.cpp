// SPDX-License-Identifier: Apache-2.0
// What the command of a run could replace.
#include "cli/run/replaceable.hpp"

#include <algorithm>
#include <iterator>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/resolve/program.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "secrets/child.hpp"
#include "secrets/source.hpp"

namespace nono::cli {

namespace {

/// Whether this user may take the name away: in a sticky directory, as /tmp is, only what is the user's own.
bool may_rename(const std::string& directory, const std::string& path) {
  struct stat above{};
  struct stat is{};
  if (::stat(directory.c_str(), &above) != 0 || ::access(directory.c_str(), W_OK | X_OK) != 0) return false;
  if ((above.st_mode & S_ISVTX) == 0 || above.st_uid == ::geteuid()) return true;
  return ::lstat(path.c_str(), &is) != 0 || is.st_uid == ::geteuid();
}

bool may_write(const std::string& path) {
  struct stat is{};
  return ::lstat(path.c_str(), &is) == 0 && S_ISREG(is.st_mode) && ::access(path.c_str(), W_OK) == 0;
}

}  // namespace

bool lies_below(const place& at, const inode_id& inode) {
  return (at.exists && at.file.id == inode) ||
         std::find(at.above.begin(), at.above.end(), inode) != at.above.end();
}

std::vector<writable_grant> writing_grants(const bound_policy& bound) {
  std::vector<writable_grant> out;
  for (const bound_rule& rule : bound.rules)
    if ((rule.rights & right::write) != no_rights)
      out.push_back({std::string(rule.canonical), std::string(rule.path), rule.id, rule.from});
  return out;
}

std::string grant_over(const std::vector<writable_grant>& places, const std::string& path) {
  const std::string directory = parent_of(path);
  const place above = look(directory, {});
  const place at = look(path, {.follow = false});
  const auto covers = [](const writable_grant& one, const std::string& name, const place& found) {
    return is_within(name, one.canonical) || lies_below(found, one.inode);
  };
  for (const writable_grant& one : places)
    if ((covers(one, directory, above) && may_rename(directory, path)) ||
        (covers(one, path, at) && may_write(path)))
      return in_quotes(one.written);
  return {};
}

std::string warning_of_own_place(const std::vector<writable_grant>& places) {
  std::vector<writable_grant> by_user;
  std::copy_if(places.begin(), places.end(), std::back_inserter(by_user), [](const writable_grant& one) {
    return one.from == origin::user || one.from == origin::profile;
  });
  const std::string own = secrets::program_beside("nono");
  const std::string grant =
      secrets::met_on_the_way(own, [&](const std::string& path) { return grant_over(by_user, path); });
  if (grant.empty()) return {};
  return fmt::format(
      "the command could replace {} and the programs beside it, which later runs start outside of the "
      "sandbox: {} is granted; run a nono that lies elsewhere",
      in_quotes(own), grant);
}

}  // namespace nono::cli
