// SPDX-License-Identifier: Apache-2.0
// From a decision to what a person can do with it: one sentence, the rule that decided, and the smallest grant that would
// change it, as the DSL, the command line and a profile spell it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/error.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/question.hpp>
#include <nono/report.hpp>

namespace nono {

/// A grant that would change an answer.
struct suggested_grant {
  std::string path;  ///< without links
  right rights{};
  path_kind kind{};  ///< directory or file
};

/// What stands behind a decision.
struct explanation {
  /// The smallest grants that together make it allowed; empty where none would, or where a deny stands against it.
  std::vector<suggested_grant> grants;
  const bound_deny* deny = nullptr;  ///< the deny that covers the path, or that a grant of it would hold
  bool deny_covers = false;          ///< the deny covers the path; else it lies below it
};

/// The deny that covers `path` (without links), by either of its names; null if there is none.
inline const bound_deny* deny_over(const bound_policy& policy, std::string_view path) noexcept {
  for (const bound_deny& d : policy.denies)
    if (is_within(path, d.path) || is_within(path, d.canonical)) return &d;
  return nullptr;
}

/// A deny that a grant of the directory `path` would hold; null if there is none.
inline const bound_deny* deny_below(const bound_policy& policy, std::string_view path) noexcept {
  for (const bound_deny& d : policy.denies)
    if (is_within(d.path, path) || is_within(d.canonical, path)) return &d;
  return nullptr;
}

/// The grant of the policy that covers `path` (without links) by name, the nearest one; null if there is none.
inline const bound_rule* nearest_grant(const bound_policy& policy, std::string_view path) noexcept {
  const auto next = std::upper_bound(
      policy.rules.begin(), policy.rules.end(), path,
      [](std::string_view p, const bound_rule& r) { return detail::path_before(p, r.canonical); });
  std::size_t at = next == policy.rules.begin() ? bound_rule::no_rule
                                                : static_cast<std::size_t>(next - policy.rules.begin()) - 1;
  while (at != bound_rule::no_rule && !is_within(path, policy.rules[at].canonical))
    at = policy.rules[at].above;
  return at == bound_rule::no_rule ? nullptr : &policy.rules[at];
}

/// The smallest grants that would give a decision what it lacks, whatever stands against them.
inline std::vector<suggested_grant> missing_grants(const decision& d) {
  std::vector<suggested_grant> out;
  for (std::size_t i = 0; i < d.need_count; ++i) {
    const need& n = d.needs[i];
    if (n.missing == no_rights) continue;
    if (!out.empty() && out.back().path == n.path) {
      out.back().rights |= n.missing;
    } else {
      out.push_back(
          {n.path, n.missing, n.type == file_type::directory ? path_kind::directory : path_kind::file});
    }
  }
  return out;
}

/// Finds what would change a decision. Where the file is missing, or ordinary permissions refuse it, the grants are those
/// that it would need besides.
/// subject: the path asked about, without links, where it is known: a deny of a file that is still to be made covers it,
///          though the grant would be one of the directory around it.
inline explanation explain(const decision& d, const bound_policy& policy, std::string_view subject = {}) {
  explanation out;
  out.grants = missing_grants(d);
  if (!out.grants.empty() && !subject.empty()) {
    out.deny = deny_over(policy, subject);
    out.deny_covers = out.deny != nullptr;
  }
  for (const suggested_grant& g : out.grants) {
    if (out.deny_covers) break;
    if (const bound_deny* over = deny_over(policy, g.path); over != nullptr) {
      out.deny = over;
      out.deny_covers = true;
    } else if (const bound_deny* below =
                   g.kind == path_kind::directory ? deny_below(policy, g.path) : nullptr;
               below != nullptr && out.deny == nullptr) {
      out.deny = below;
    }
  }
  if (out.deny != nullptr) out.grants.clear();
  if (out.grants.size() ==
      2) {  // of two directories, one within the other: what the outer gets the inner has
    suggested_grant& first = out.grants.front();
    suggested_grant& second = out.grants.back();
    if (is_within(first.path, second.path))
      first.rights &= ~second.rights;
    else if (is_within(second.path, first.path))
      second.rights &= ~first.rights;
    std::erase_if(out.grants, [](const suggested_grant& g) { return g.rights == no_rights; });
  }
  return out;
}

namespace detail {

/// A C++ string literal: what is not printable ASCII comes as octal, so that no digit behind it belongs to it.
inline std::string cpp_literal(std::string_view text) {
  std::string out = "\"";
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += raw;
    } else if (c >= 0x20 && c < 0x7f) {
      out += raw;
    } else {
      out += '\\';
      for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + (c >> shift & 7U));
    }
  }
  return out += '"';
}

}  // namespace detail

/// As the DSL spells it: `.allow_file<right::read_file>("/srv/a")`, `.allow_unix_socket("/run/x")`. Valid C++ for every
/// path that a policy can name.
inline std::string in_dsl(const suggested_grant& g) {
  const std::string path = '(' + detail::cpp_literal(g.path) + ')';
  if (const std::string_view verb = detail::socket_verb(g.kind, g.rights); !verb.empty())
    return '.' + std::string(verb) + path;
  std::string out = g.kind == path_kind::file ? ".allow_file<" : ".allow_path<";
  std::string words;
  append_rights(words, g.rights);
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t end = std::min(words.find('|', at), words.size());
    if (at != 0) out += " | ";
    out += "right::";
    out.append(words, at, end - at);
    at = end + 1;
  }
  return out + '>' + path;
}

/// The flag of the command that gives it, without its path: `--read-file`. Flags are wider than rights: reading and
/// writing as wholes, and connecting brings one of them along.
inline std::string_view flag_of(const suggested_grant& g) noexcept {
  const bool file = g.kind == path_kind::file;
  const bool reads = (g.rights & right::read) != no_rights;
  const bool writes =
      (g.rights & (right::write | right::ioctl)) != no_rights;  // writing a device brings its ioctls
  if ((g.rights & right::connect_unix) != no_rights) {
    if (writes) return file ? "--allow-unix-socket-bind" : "--allow-unix-socket-subtree-bind";
    return file ? "--allow-unix-socket" : "--allow-unix-socket-subtree";
  }
  if (reads && writes) return file ? "--allow-file" : "--allow";
  return writes ? (file ? "--write-file" : "--write") : (file ? "--read-file" : "--read");
}

/// The field of a profile's "filesystem" that gives it: `read_file`.
inline std::string_view profile_field_of(const suggested_grant& g) noexcept {
  constexpr std::string_view fields[][2] = {
      {"--allow", "allow"},
      {"--allow-file", "allow_file"},
      {"--read", "read"},
      {"--read-file", "read_file"},
      {"--write", "write"},
      {"--write-file", "write_file"},
      {"--allow-unix-socket", "unix_socket"},
      {"--allow-unix-socket-bind", "unix_socket_bind"},
      {"--allow-unix-socket-subtree", "unix_socket_subtree"},
      {"--allow-unix-socket-subtree-bind", "unix_socket_subtree_bind"},
  };
  const std::string_view flag = flag_of(g);
  for (const auto& [given, field] : fields)
    if (given == flag) return field;
  return {};
}

/// The decision and its reason in one sentence: what, the verdict, by which rule.
/// q: the question as it was asked. why: from explain().
inline std::string reason_text(const decision& d, const question& q, const bound_policy& policy,
                               const explanation& why) {
  std::string out(name_of(d.what));
  if (row_of(d.what).paths > 0) {
    out += ' ';
    append_quoted(out, q.path);
  }
  if (row_of(d.what).paths > 1) {
    out += " to ";
    append_quoted(out, q.to);
  }
  if (d.what == operation::connect_tcp || d.what == operation::bind_tcp) out += ' ' + std::to_string(q.port);
  out += ": ";
  out += name_of(d.status);
  const auto errno_words = [&] { return std::string(std::strerror(d.os_errno)); };
  const protection_row& row = row_of(d.concerns);
  switch (d.why) {
    case cause::granted: {
      bool first = true;
      for (std::size_t i = 0; i < d.need_count; ++i)
        for (const bound_rule* r : d.needs[i].by) {
          if (r == nullptr) continue;
          out += first ? " by " : " and ";
          out += to_text(rule_of(*r));
          first = false;
        }
      if (first) out += " by " + to_text(policy.network, policy.hosts);
      return out;
    }
    case cause::own_network:
      return out += ", on a loopback network of the sandbox's own";
    case cause::not_restricted:
      return out += ", because the policy does not restrict it";
    case cause::not_enforced:
      out += ": ";
      out += row.name;
      return out += row.kernel == "none" ? " is beyond every kernel"
                                         : " needs " + std::string(row.kernel) +
                                               ", so the call succeeds here whatever the policy says";
    case cause::missing:
    case cause::unsuitable:
      return out += ", with or without a sandbox: " + errno_words();
    case cause::permissions:
      return out += " by ordinary permissions, with or without a sandbox: " + errno_words();
    case cause::not_in_policy:
      out += " by ";
      if (d.concerns == protection::network) return out += to_text(policy.network, policy.hosts);
      if (d.concerns == protection::pathname_unix) return out += "unix_sockets(none)";
      return out += "the protection " + std::string(row.name);
    case cause::not_granted:
    case cause::gains_access:
      break;
  }
  if (why.deny != nullptr) {
    out += why.deny_covers ? " by " : ", because no grant may hold ";
    return out += to_text(rule_of(*why.deny));
  }
  return out += d.why == cause::gains_access ? ", because the file would gain rights by the move"
                                             : ", because no grant covers it";
}

/// The same with what would change it, in the words of the DSL.
inline std::string to_text(const decision& d, const question& q, const bound_policy& policy,
                           std::string_view subject = {}) {
  const explanation why = explain(d, policy, subject);
  std::string out = reason_text(d, q, policy, why);
  if (d.why == cause::not_granted || d.why == cause::gains_access) {
    for (std::size_t i = 0; i < why.grants.size(); ++i)
      out += (i == 0 ? "; to change that, " : " and ") + in_dsl(why.grants[i]);
  } else if (d.why == cause::not_in_policy && d.concerns != protection::network &&
             d.concerns != protection::pathname_unix) {
    out += "; to change that, .lift(protection::" + std::string(row_of(d.concerns).name) + ")";
  }
  return out;
}

}  // namespace nono
