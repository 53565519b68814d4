// SPDX-License-Identifier: Apache-2.0
// The report of a sandbox as JSON: for logs, and for programs that ask what confines them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nono/json/writer.hpp>
#include <nono/protection.hpp>
#include <nono/report.hpp>

namespace nono {

/// The report as a JSON object, its members a line each and indented by `indent` more than its braces are; no line end
/// behind it. Numbers are those of the report; "protections" has one member for each, with what the policy wants
/// ("none", "preferred", "required", "lifted") and who gives it ("Landlock", "seccomp", "Landlock and seccomp",
/// "network namespace", "supervisor", "not asked", "missing", "not enforceable").
inline std::string to_json(const enforcement& e, std::string_view indent = {}) {
  std::string out = "{";
  const std::string inner = std::string(indent) + "  ";
  const auto member = [&](std::string_view key) {
    out += out.size() == 1 ? "\n" : ",\n";
    out += inner;
    detail::append_json_string(out, key);
    out += ": ";
  };
  const auto number = [&](std::string_view key, std::uint64_t value) {
    member(key);
    out += std::to_string(value);
  };
  number("landlock_abi", static_cast<std::uint64_t>(e.landlock_abi));
  number("real_abi", static_cast<std::uint64_t>(e.real_abi));
  member("missing");
  detail::append_json_string(out, e.missing.empty() ? std::string() : to_text(e.missing));
  number("rules", e.rules);
  number("covered", e.covered);
  number("skipped", e.skipped);
  number("on_9p", e.on_9p);
  number("on_fuse", e.on_fuse);
  number("threads", e.threads);
  member("mode");
  detail::append_json_string(out, name_of(e.mode));
  number("network_sockets", e.network_sockets);
  number("unix_connections", e.unix_connections);
  number("io_uring_rings", e.io_uring_rings);
  member("protections");
  for (const protection_row& row : protections) {
    out += row.id == protections[0].id ? "{\n" : ",\n";
    out += inner + "  ";
    detail::append_json_string(out, row.name);
    out += ": ";
    detail::json_line(out)
        .text("wanted", name_of(e.demand_for(row.id)))
        .text("given_by", name_of(e.of(row.id)));
  }
  out += '\n' + inner + "}\n";
  out += indent;
  return out += '}';
}

}  // namespace nono
