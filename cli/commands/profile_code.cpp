// SPDX-License-Identifier: Apache-2.0
// A resolved policy as C++ source.
#include "cli/commands/profile_code.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <unistd.h>

#include <fmt/format.h>
#include <nono/groups.hpp>

namespace nono::cli {

namespace {

constexpr std::size_t most_groups = 32;  // of one policy, as caps() has it
constexpr std::size_t usual_room = 256;  // of caps() without a number

/// Rights as an expression: read, write and both have names of their own.
std::string code_of_rights(right rights) {
  std::string out;
  const auto add = [&](std::string_view word) {
    out += fmt::format("{}nono::{}", out.empty() ? "" : " | ", word);
  };
  for (const auto& [whole, name] :
       {std::pair{right::read_write, "read_write"}, {right::read, "read"}, {right::write, "write"}})
    if (contains(rights, whole)) {
      add(name);
      rights &= ~whole;
    }
  for (const auto& [value, name] : right_names)
    if (contains(rights, value)) add(fmt::format("right::{}", name));
  return out;
}

std::string_view word_of(when_missing missing) {
  return missing == must_exist  ? "nono::must_exist"
         : missing == if_exists ? "nono::if_exists"
                                : "nono::create_dir";
}

class writer {
 public:
  writer(std::string_view name, const policy_ref& policy, const bound_policy& bound)
      : name_(identifier_of(name)), policy_(policy) {
    for (const rule& r : policy.rules) {
      if (left_out(r, bound)) {
        left_out_.push_back(r);
      } else {
        rules_.push_back(r);
      }
    }
  }

  policy_code code(std::string_view profile, const std::vector<std::string>& remarks) {
    take_groups();
    std::string& text = out_.text;
    text = fmt::format(
        "// The profile {} as it came out on one system: its paths and settings are in here.\n"
        "// Written by `nono profile show --format cpp`, with nono " NONO_VERSION ".\n",
        literal_of(profile));
    for (const std::string& line : remarks) text += "// " + line + "\n";
    text += "#pragma once\n\n#include <nono/nono.hpp>\n\n";
    const std::string chain = groups() + rules() + settings();
    own_group();
    text += fmt::format("inline constexpr auto {}_policy =\n    nono::caps{}()", name_, room());
    text += chain + ";\n";
    return std::move(out_);
  }

 private:
  /// A grant that comes to nothing here because a deny stands in its way, or the system. Code knows no giving way: there
  /// it would be refused.
  [[nodiscard]] bool left_out(const rule& r, const bound_policy& bound) const {
    if (r.is_deny()) return false;
    if (r.gives_way) {
      for (const skipped_rule& s : bound.skipped)
        if (s.path == r.path && (s.denied != nullptr || !is_missing(r.path))) return true;
      for (const bound_deny& d : bound.denies)  // what is not there yet would meet it later
        if (contradicts(d.path, r.path) || contradicts(d.canonical, r.path)) return true;
    }
    return std::any_of(policy_.rules.begin(), policy_.rules.end(),
                       [&](const rule& d) { return d.is_deny() && contradicts(d.path, r.path); });
  }

  static bool is_missing(std::string_view path) {
    return ::access(std::string(path).c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
  }

  /// Takes out of the rules those of every group that is there as a whole.
  void take_groups() {
    for (const group* g : groups::all) {
      if (!g->here() || groups_.size() + 1 == most_groups) continue;  // one place is for what is left
      std::vector<std::size_t> found;
      for (const group_rule& entry : g->rules) {
        const rule wanted = rule_of(*g, entry);
        for (std::size_t i = 0; i < rules_.size(); ++i) {
          const rule& r = rules_[i];
          if (r.path == wanted.path && r.rights == wanted.rights && r.kind == wanted.kind &&
              r.missing == wanted.missing && r.from == origin::group && r.source == g->name && !r.gives_way)
            found.push_back(i);
        }
      }
      if (found.size() != g->rules.size()) continue;
      groups_.push_back(g);
      std::sort(found.begin(), found.end());
      for (auto at = found.rbegin(); at != found.rend(); ++at)
        rules_.erase(rules_.begin() + static_cast<std::ptrdiff_t>(*at));
    }
  }

  [[nodiscard]] std::string groups() const {
    std::string out;
    for (const group* g : groups_) out += fmt::format("\n        .group(nono::groups::{})", g->name);
    return out;
  }

  /// What one by one is left, joined by path and kind. A grant that may be a file or a directory has no verb: only groups
  /// have those.
  std::string rules() {
    std::vector<rule> joined;
    for (const rule& r : rules_) {
      const auto same = std::find_if(joined.begin(), joined.end(),
                                     [&](const rule& j) { return j.path == r.path && j.kind == r.kind; });
      if (same == joined.end()) {
        joined.push_back(r);
      } else {
        same->rights |= r.rights;
        same->missing = std::min(same->missing, r.missing);
      }
    }
    std::string out;
    for (const rule& r : joined) {
      const bool twice = std::any_of(joined.begin(), joined.end(), [&](const rule& j) {
        return j.path == r.path && j.kind != r.kind && j.kind != path_kind::any && r.kind != path_kind::any;
      });
      if (twice) {
        out_.unsaid.push_back(
            fmt::format("nono::caps() has no word for {} beside another kind of grant on the same "
                        "path, so the code leaves it out; grant the path in one way only",
                        to_text(r)));
        out += fmt::format("\n        // not said: {} is granted as a file and as a directory",
                           literal_of(r.path));
      } else if (r.kind == path_kind::any) {
        either_.push_back(r);
      } else {
        out += line(r);
        ++count_;
      }
    }
    for (const rule& r : left_out_)
      out += fmt::format("\n        // left out, because it gave way here: {} on {}",
                         code_of_rights(r.rights), literal_of(r.path));
    if (!either_.empty()) out += fmt::format("\n        .group({}_paths)", name_);
    return out;
  }
  static std::string line(const rule& r) {
    if (r.is_deny()) return fmt::format("\n        .deny_path({})", literal_of(r.path));
    const std::string missing =
        r.missing == must_exist ? std::string() : fmt::format(", {}", word_of(r.missing));
    if (r.rights == right::connect_unix)
      return fmt::format("\n        .{}({}{})",
                         r.kind == path_kind::file ? "allow_unix_socket" : "allow_unix_sockets_below",
                         literal_of(r.path), missing);
    return fmt::format("\n        .{}<{}>({}{})", r.kind == path_kind::file ? "allow_file" : "allow_path",
                       code_of_rights(r.rights), literal_of(r.path), missing);
  }

  /// The group of the grants that may be a file or a directory.
  void own_group() {
    if (either_.empty()) return;
    out_.text += fmt::format(
        "// Grants of whatever is there, a file or a directory.\n"
        "inline constexpr nono::group_rule {}_path_rules[] = {{\n",
        name_);
    for (const rule& r : either_)
      out_.text += fmt::format("    {{{}, {}, {}}},\n", literal_of(r.path), code_of_rights(r.rights),
                               word_of(r.missing));
    out_.text += fmt::format(
        "}};\ninline constexpr nono::group {0}_paths{{.name = \"{0}_paths\",\n"
        "    .description = \"what the profile grants besides\",\n"
        "    .on = nono::platform::any,\n"
        "    .required = false,\n"
        "    .rules = {0}_path_rules}};\n\n",
        name_);
  }

  [[nodiscard]] std::string room() const {
    return count_ > usual_room ? fmt::format("<{}>", count_) : std::string();
  }

  [[nodiscard]] std::string settings() const {
    std::string out;
    const network_rule& n = policy_.network;
    if (n.mode == network_mode::ports) {
      std::string ports;
      for (std::size_t i = 0; i < n.port_count; ++i)
        ports += fmt::format("{}nono::{}({})", i == 0 ? "" : ", ", name_of(n.ports[i].use), n.ports[i].port);
      out += fmt::format("\n        .network(nono::only({}))", ports);
    } else if (n.mode == network_mode::hosts) {
      std::string names;
      for (const std::string_view host : policy_.hosts)
        names += (names.empty() ? "" : ", ") + literal_of(host);
      out += fmt::format("\n        .network(nono::hosts{{{}}})", names);
    } else {
      out += fmt::format("\n        .network(nono::{})", name_of(n.mode));
    }
    if (policy_.sockets != unix_sockets::by_default)
      out += fmt::format("\n        .unix_sockets(nono::unix_sockets::{})", name_of(policy_.sockets));
    for (const protection_row& row : protections) {
      if (policy_.lifted.has(row.id)) out += fmt::format("\n        .lift(nono::protection::{})", row.name);
      if (policy_.best_effort.has(row.id))
        out += fmt::format("\n        .best_effort(nono::protection::{})", row.name);
    }
    if (policy_.strict) out += "\n        .strict()";
    if (policy_.target != target_systems::unspecified)
      out += fmt::format("\n        .target(nono::{})", name_of(policy_.target));
    return out;
  }

  std::string name_;
  const policy_ref& policy_;
  std::vector<rule> rules_;
  std::vector<rule> left_out_;
  std::vector<rule> either_;
  std::vector<const group*> groups_;
  std::size_t count_ = 0;
  policy_code out_;
};

}  // namespace

std::string literal_of(std::string_view bytes) {
  std::string out = "\"";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte < 0x20 || byte > 0x7e) {
      out += fmt::format("\\{:03o}", byte);  // always three digits: what follows cannot join it
    } else if (byte == '"' || byte == '\\' ||
               (byte == '?' && i > 0 && bytes[i - 1] == '?')) {  // ??/ may be a backslash
      out += '\\';
      out += bytes[i];
    } else {
      out += bytes[i];
    }
  }
  return out + '"';
}

std::string identifier_of(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      out += c;
    } else if (!out.empty() &&
               out.back() != '_') {  // two in a row are the compiler's, and one in front may be
      out += '_';
    }
  }
  while (out.ends_with('_')) out.pop_back();
  if (out.empty() || (out.front() >= '0' && out.front() <= '9'))
    out.insert(0, out.empty() ? "profile" : "profile_");
  return out;
}

policy_code code_of(std::string_view name, const policy_ref& policy, const bound_policy& bound,
                    const std::vector<std::string>& remarks) {
  return writer(name, policy, bound).code(name, remarks);
}

}  // namespace nono::cli
