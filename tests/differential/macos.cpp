// SPDX-License-Identifier: Apache-2.0
// The third side: the same policy as a profile for macOS, asked what the kernel has just answered.
#include "macos.hpp"

#include <nono/macos/sbpl.hpp>
#include <nono/path.hpp>

#include <optional>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "../sbpl/calls.hpp"
#include "../sbpl/reader.hpp"

namespace differential {

using nono::operation;
using nono::right;
using nono_test::difference;

struct macos_twin::parts {
  std::vector<nono::rule> rules;
  std::vector<nono::inode_id> ids;  // of the rules
  std::vector<std::string> paths;
  std::optional<sbpl::profile> profile;
  bool follows_names = true;  // every rule's path leads to the file that it led to

  [[nodiscard]] bool grants(std::string_view path, right wanted) const {
    right out = nono::no_rights;
    for (const nono::rule& r : rules)
      if (r.kind == nono::path_kind::file ? path == r.path : nono::is_within(path, r.path)) out |= r.rights;
    return contains(out, wanted);
  }
  void look() {
    for (std::size_t i = 0; follows_names && i < rules.size(); ++i) {
      struct stat st{};
      follows_names = ::lstat(paths[i].c_str(), &st) == 0 && nono::inode_id{st.st_dev, st.st_ino} == ids[i];
    }
  }
};

macos_twin::macos_twin(const scenario& s, const nono::bound_policy& bound, macos_tally& counts)
    : parts_(std::make_unique<parts>()), counts_(counts) {
  if (bound.network.mode == nono::network_mode::loopback && !bound.lifted.has(nono::protection::network)) {
    ++counts_.left_out[static_cast<std::size_t>(difference::loopback)];
    return;
  }
  for (const nono::bound_rule& r : bound.rules) {
    parts_->paths.emplace_back(r.canonical);
    parts_->ids.push_back(r.id);
  }
  for (std::size_t i = 0; i < bound.rules.size(); ++i) {
    nono::rule r;
    r.path = parts_->paths[i];
    r.rights = bound.rules[i].rights;
    r.kind = bound.rules[i].type == nono::file_type::directory ? nono::path_kind::directory
                                                               : nono::path_kind::file;
    parts_->rules.push_back(r);
  }
  nono::policy_ref policy;
  policy.rules = parts_->rules;
  policy.network = bound.network;
  policy.sockets = bound.sockets;
  policy.lifted = bound.lifted;
  const auto written = nono::to_sbpl(
      policy,
      {.paths = s.seed % 2 == 0 ? nono::seatbelt::path_text::quoted : nono::seatbelt::path_text::parameters});
  if (!written) return;
  sbpl::profile::parameters values;
  for (const auto& [name, value] : written->parameters) values[name] = value;
  std::string why;
  parts_->profile = sbpl::profile::read(written->text, values, why);
  for (const node& n : s.tree)
    if (n.what == node::kind::mount && !n.target.empty())
      parts_->follows_names = false;  // one file, two names
}

macos_twin::~macos_twin() = default;

void macos_twin::look() { parts_->look(); }

std::string macos_twin::compare(const nono::question& q, const nono::decision& d,
                                const std::array<nono::place, 2>& found, int seen,
                                const nono::enforcement& in_force, bool inside_server) {
  if (!parts_->profile) return {};
  using nono::cause;
  const bool by_policy =
      d.why == cause::not_granted || d.why == cause::gains_access || d.why == cause::not_in_policy;
  const bool allowed = d.why == cause::granted || d.why == cause::not_restricted;
  if (!(allowed && seen == 0) && !(by_policy && seen != 0)) return {};

  const nono::place& at = found[0];
  const nono::operation_row& row = nono::row_of(q.what);
  const std::string path = row.paths == 0 ? std::string() : at.path();
  const std::string to = row.paths == 2 ? found[1].path() : std::string();
  const nono::protection_set lifted = in_force.of(nono::protection::filesystem) == nono::standing::not_asked
                                          ? nono::protection_set(nono::protection::filesystem)
                                          : nono::protection_set();
  const bool open = lifted.has(nono::protection::filesystem);
  const bool has_truncate = parts_->grants(path, right::truncate);
  const auto of = [&] {
    if (row.paths != 0 && !parts_->follows_names) return difference::names;
    for (std::size_t i = 0; i < row.paths; ++i)
      if (found[i].exists && found[i].file.type != nono::file_type::directory && found[i].file.links > 1)
        return difference::names;
    switch (q.what) {
      case operation::truncate:
      case operation::overwrite:
        if (in_force.of(nono::protection::truncate) != nono::standing::by_landlock && !open)
          return difference::truncate;
        return has_truncate == parts_->grants(path, right::write_file) || open ? difference::none
                                                                               : difference::truncate;
      case operation::execute:
        return parts_->grants(path, right::execute) && !parts_->grants(path, right::read_file) && !open
                   ? difference::execute
                   : difference::none;
      case operation::chmod:
        return difference::metadata;
      case operation::stat:
        return difference::looking;
      case operation::link:
        return difference::hard_links;
      case operation::rename:
      case operation::exchange:
        return at.directory == found[1].directory || allowed ? difference::none : difference::moves;
      case operation::connect_abstract:
        return difference::abstract_sockets;
      case operation::connect_unix:
        return inside_server ? difference::inside_servers : difference::none;
      default:
        return difference::none;
    }
  }();
  if (of != difference::none) return ++counts_.left_out[static_cast<std::size_t>(of)], std::string();
  // Of what is no device Linux lets every ioctl pass, and what it does not know of sockets' names it cannot refuse.
  if (q.what == operation::ioctl &&
      (at.file.type != nono::file_type::device ||
       in_force.of(nono::protection::device_ioctl) != nono::standing::by_landlock))
    return {};

  nono::seatbelt::question asked;
  asked.what = q.what;
  asked.path = path;
  asked.to = to;
  asked.port = q.port;
  asked.exists = at.exists;
  asked.to_exists = found[1].exists;
  asked.type = at.exists ? at.file.type : nono::file_type::regular;
  const bool says = sbpl::allows(*parts_->profile, asked);
  ++counts_.compared;
  if (says == allowed) return {};
  return std::string("the profile for macOS ") + (says ? "allows" : "refuses") + " '" + path + "' '" + to +
         "'";
}

}  // namespace differential
