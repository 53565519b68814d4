// SPDX-License-Identifier: Apache-2.0
// The unix sockets of others that a sandbox leaves reachable.
#include "cli/run/reachable.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <nono/path.hpp>
#include <nono/query.hpp>

#include "cli/resolve/program.hpp"

namespace nono::cli {

namespace {

constexpr std::size_t most_shown = 4;

/// The paths that servers were bound to. Source: proc_net(5), unix
std::vector<std::string> bound_servers() {
  std::vector<std::string> out;
  std::ifstream list("/proc/net/unix");
  std::string line;
  std::getline(list, line);  // the heading
  while (std::getline(list, line)) {
    std::istringstream words(line);
    std::string number, references, protocol, flags, type, state, inode, path;
    words >> number >> references >> protocol >> flags >> type >> state >> inode;
    std::getline(words >> std::ws, path);
    const bool receives = flags == "00010000" || type == "0002";  // it listens, or takes datagrams
    if (receives && path.starts_with('/')) out.push_back(path);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

std::vector<std::string> reachable_sockets(const bound_policy& policy, const enforcement& report) {
  std::vector<std::string> out;
  if (report.of(protection::pathname_unix) != standing::missing) return out;
  const query confined(policy, report, privileges::none);
  for (std::string& path : bound_servers())
    if (confined.ask(operation::connect_unix, path).status == verdict::not_enforceable)
      out.push_back(std::move(path));
  return out;
}

std::string reachable_row(const std::vector<std::string>& sockets, int verbose) {
  if (sockets.empty()) return {};
  const std::size_t shown = verbose > 0 ? sockets.size() : std::min(most_shown, sockets.size());
  std::string out = "  unix  reachable without a grant: ";
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + quoted_whole(sockets[i]);
  if (shown < sockets.size()) out += fmt::format(" and {} more (-v to show)", sockets.size() - shown);
  return out + '\n';
}

}  // namespace nono::cli
