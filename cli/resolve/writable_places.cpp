// SPDX-License-Identifier: Apache-2.0
// Which places a sandboxed command may have changed.
#include "cli/resolve/writable_places.hpp"

#include <algorithm>

#include <unistd.h>

#include <nono/path.hpp>

#include "cli/resolve/setting_paths.hpp"

namespace nono::cli {

namespace {

/// Where a link leads; empty: it is none, or cannot be read.
const std::string& target_of(const std::string& path, known_links& known) {
  const auto [at, is_new] = known.try_emplace(path);
  if (!is_new) return at->second;
  char target[max_path + 1];
  const ssize_t n = ::readlink(path.c_str(), target, sizeof target);
  if (n > 0) at->second.assign(target, static_cast<std::size_t>(n));
  return at->second;
}

}  // namespace

walked_path walk(std::string_view path, known_links& known) {
  constexpr std::size_t most_links = 40;  // Source: path_resolution(7)
  walked_path out;
  std::vector<std::string> ahead;  // the next part last
  const auto push = [&](std::string_view more) {
    const auto at = static_cast<std::ptrdiff_t>(ahead.size());
    for_each_part(more, '/', [&](std::string_view part) {
      if (!part.empty() && part != ".") ahead.emplace_back(part);
    });
    std::reverse(ahead.begin() + at, ahead.end());
  };
  push(path);
  while (!ahead.empty()) {
    const std::string part = std::move(ahead.back());
    ahead.pop_back();
    if (part == "..") {
      out.end.resize(out.end.empty() ? 0 : out.end.rfind('/'));
      continue;
    }
    std::string next = out.end + '/' + part;
    const std::string target = out.links.size() < most_links ? target_of(next, known) : std::string();
    if (target.empty()) {
      out.end = std::move(next);
      continue;
    }
    out.links.push_back(std::move(next));
    if (target.front() == '/') out.end.clear();
    push(target);
  }
  if (out.end.empty()) out.end.push_back('/');
  return out;
}

writable_places::writable_places(const capability_set& policy, std::string_view workdir,
                                 std::string_view home) {
  const auto add = [&](std::string_view path) {
    std::string real = walk(path, known_).end;
    if (std::find(places_.begin(), places_.end(), real) == places_.end()) places_.push_back(std::move(real));
  };
  if (!is_within(walk(home, known_).end, walk(workdir, known_).end)) add(workdir);
  for (const rule& r : policy.ref().rules) {
    if (r.is_deny() || (r.rights & right::write) == no_rights) continue;
    if (r.from == origin::system || r.from == origin::command) continue;
    const std::string path = at_home(r.path, home);
    if (path.starts_with('/')) add(path);
  }
}

bool writable_places::decide(std::string_view path) const {
  const auto in_one = [&](const std::string& at) {
    return std::any_of(places_.begin(), places_.end(),
                       [&](const std::string& place) { return is_within(at, place); });
  };
  const walked_path way = walk(path, known_);
  return in_one(way.end) || std::any_of(way.links.begin(), way.links.end(), in_one);
}

std::string writable_places::way_out(std::string_view path) const {
  const walked_path way = walk(path, known_);
  for (const std::string& link : way.links)
    for (const std::string& place : places_)
      if (is_within(link, place) && link != place && !is_within(way.end, place)) return link;
  return {};
}

std::string at_home(std::string_view path, std::string_view home) {
  return leading_variable(path) == "$HOME" ? std::string(home).append(after_variable(path))
                                           : std::string(path);
}

}  // namespace nono::cli
