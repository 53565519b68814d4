// SPDX-License-Identifier: Apache-2.0
// A scenario in words, for whoever has to understand a disagreement.
#include <string>

#include <nono/error.hpp>
#include <nono/policy.hpp>

#include "scenario.hpp"

namespace differential {

std::string to_text(const scenario& s) {
  const auto quoted = [](const std::string& text) { return nono::detail::quoted(text); };
  std::string out(nono::name_of(s.target));
  out += '\n';
  constexpr const char* kinds[] = {"directory", "file",   "symlink", "hard link",
                                   "fifo",      "socket", "device",  "mount"};
  for (const node& n : s.tree) {
    char mode[8];
    (void)std::snprintf(mode, sizeof mode, "%04o", n.mode);
    out += std::string("  ") + kinds[static_cast<std::size_t>(n.what)] + " " + quoted(n.path);
    if (!n.target.empty()) out += " -> " + quoted(n.target);
    if (n.what != node::kind::symlink && n.what != node::kind::hard_link) out += std::string(" ") + mode;
    if (n.owner >= 0) out += " of " + std::to_string(n.owner);
    out += '\n';
  }
  for (const grant& g : s.grants) {
    out += "  grant ";
    nono::append_rights(out, g.rights);
    out += " on " + quoted(g.path) + '\n';
  }
  out += "  network " + std::string(nono::name_of(s.network));
  for (const nono::port_use use : s.granted_ports)
    out += use == nono::port_use::connect_tcp ? " connect" : " bind";
  out += ", unix sockets " + std::to_string(static_cast<int>(s.sockets));
  for (const nono::protection id : s.lifted) out += ", lift " + std::string(nono::row_of(id).name);
  out += '\n';
  constexpr const char* changes[change_count] = {"chmod", "fchmodat",           "/proc/self/fd", "utimensat",
                                                 "chown", "utimensat nofollow", "lchown"};
  for (const asked& q : s.questions) {
    out += "  ask " + std::string(nono::name_of(q.what)) + ' ' + quoted(q.path);
    if (!q.to.empty()) out += " to " + quoted(q.to);
    if (q.what == nono::operation::chmod)
      out += std::string(" by ") + changes[static_cast<std::size_t>(q.how)];
    if (q.listens) out += " and listen";
    out += '\n';
  }
  return out;
}

}  // namespace differential
