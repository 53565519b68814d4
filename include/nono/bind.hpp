// SPDX-License-Identifier: Apache-2.0
// From names to inodes: variables get their values, paths are resolved and held, denies are checked against
// the grants they meet, and grants inside wider ones are dropped. The result is what queries and plans see.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <nono/bound_policy.hpp>
#include <nono/error.hpp>
#include <nono/policy.hpp>
#include <nono/resolve.hpp>

namespace nono {

/// A value for a declared or known variable.
struct binding {
  std::string_view name;   ///< with its `$`
  std::string_view value;  ///< an absolute path without ".." part
};

/// Gives a variable its value: `policy.apply(nono::bind("$DATA", dir))`. The value must outlive the call.
constexpr binding bind(std::string_view name, std::string_view value) noexcept { return {name, value}; }

namespace detail {

/// Resolves the rules of one policy into a bound_policy.
class binder {
 public:
  binder(const policy_ref& from, std::span<const binding> bindings, bound_policy& to)
      : from_(from), bindings_(bindings), to_(to) {}

  error run() {
    if (from_.violation != errc::none)
      return {from_.violation, 0, "the rule on " + quoted(from_.violating), std::string(from_.violating),
              "an earlier rule"};
    if (const error why = check_bindings(); why.code != errc::none) return why;
    std::size_t grants = 0;
    std::size_t denies = 0;
    std::size_t optional = 0;
    for_each_rule(from_, [&](const rule& r) {
      ++(r.is_deny() ? denies : grants);
      if (!r.is_deny() && (r.missing == when_missing::if_exists || r.gives_way)) ++optional;
    });
    to_.rules = to_.memory.array<bound_rule>(grants);
    to_.denies = to_.memory.array<bound_deny>(denies);
    to_.skipped = to_.memory.array<skipped_rule>(optional);
    holding_ = grants <= 64 || grants <= descriptors_to_hold();
    error first;  // denies before grants: nothing is created where one forbids it
    for_each_rule(from_, [&](const rule& r) {
      if (first.code == errc::none && r.is_deny()) first = add_deny(r);
    });
    for_each_rule(from_, [&](const rule& r) {
      if (first.code == errc::none && !r.is_deny()) first = add_grant(r);
    });
    to_.rules = to_.rules.first(rules_);
    to_.denies = to_.denies.first(denies_);
    if (first.code != errc::none) {
      to_.skipped = {};
      return first;
    }
    // An ancestor before what lies below it, and of two rules on one path the wider one first.
    const auto before = [](const bound_rule& a, const bound_rule& b) {
      if (a.canonical != b.canonical) return path_before(a.canonical, b.canonical);
      return std::popcount(static_cast<std::uint64_t>(a.rights)) >
             std::popcount(static_cast<std::uint64_t>(b.rights));
    };
    if (!std::is_sorted(to_.rules.begin(), to_.rules.end(), before))
      std::sort(to_.rules.begin(), to_.rules.end(), before);
    if (error why = check_denies(); why.code != errc::none) return why;
    to_.skipped = to_.skipped.first(skipped_);
    subsume();
    to_.network = from_.network;
    const auto hosts = to_.memory.array<std::string_view>(from_.hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i) hosts[i] = to_.memory.copy(from_.hosts[i]);
    to_.hosts = hosts;
    to_.sockets = from_.sockets;
    to_.best_effort = from_.best_effort;
    to_.lifted = from_.lifted;
    to_.strict = from_.strict;
    return {};
  }

 private:
  static error about(errc code, const rule& r, std::string_view path, int os_errno = 0) {
    return {code, os_errno, to_text(r), std::string(path), {}};
  }

  [[nodiscard]] error check_bindings() const {
    for (const binding& b : bindings_) {
      const bool declared =
          std::find(from_.variables.begin(), from_.variables.end(), b.name) != from_.variables.end();
      if (!declared && !is_known_variable(b.name))
        return {errc::variable_unknown, 0, "bind", std::string(b.name), {}};
    }
    return {};
  }

  /// Puts the path of `r` into `written_` with its variable replaced, `//` and `/./` folded.
  error expand(const rule& r, std::size_t& length) {
    const std::string_view variable = leading_variable(r.path);
    std::string_view value;
    if (!variable.empty()) {
      const auto bound = std::find_if(bindings_.begin(), bindings_.end(),
                                      [&](const binding& b) { return b.name == variable; });
      value = bound != bindings_.end() ? bound->value : environment_variable(variable, canonical_);
      if (value.empty()) return {errc::variable_unbound, 0, {}, std::string(variable), {}};
      if (starts_with_variable(value) || check_path(value) != errc::none)
        return {errc::variable_bad_value, 0, {}, std::string(variable), quoted(value)};
    }
    length = 0;
    const auto put = [&](std::string_view text) {
      for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '/' && (i + 1 == text.size() || text[i + 1] == '/')) {
          ++i;  // a slash before a slash, or at the end
        } else if (text.substr(i).starts_with("/.") && (i + 2 == text.size() || text[i + 2] == '/')) {
          i += 2;
        } else {
          if (length < max_path) written_.text[length] = text[i];
          ++length;
          ++i;
        }
      }
    };
    put(value);
    put(after_variable(r.path));
    if (length == 0) written_.text[length++] = '/';
    if (length > max_path) return about(errc::path_too_long, r, r.path);
    written_.text[length] = '\0';
    return {};
  }

  error add_grant(const rule& r) {
    std::size_t length = 0;
    if (error why = expand(r, length); why.code != errc::none) return why;
    const std::string_view path{written_.text, length};
    // Whatever value such a variable has: a policy that says $WORKDIR does not mean /etc.
    const bool spares_system =
        (r.rights & right::write) != no_rights && is_known_variable(leading_variable(r.path));
    if (spares_system && touches_system(path)) return opens_system(r, path);
    resolved_path found = resolve(path);
    if (found.os_errno == ENOENT && r.missing == when_missing::create_dir) {
      for (const bound_deny& d : to_.denies.first(denies_))
        if (contradicts(d.path, path) || contradicts(d.canonical, path)) return contradiction(r, d);
      if (const int why = make_directories(written_.text, canonical_); why != 0)
        return about(errc::path_not_accessible, r, path, why);
      found = resolve(path);
    }
    const bool missing = found.os_errno == ENOENT || found.os_errno == ENOTDIR;
    if (missing && r.missing == when_missing::must_exist)
      return about(errc::path_not_found, r, path, found.os_errno);
    const bool out_of_files = found.os_errno == EMFILE || found.os_errno == ENFILE;
    if ((missing && r.missing == when_missing::if_exists) ||
        (found.os_errno != 0 && !out_of_files && r.gives_way)) {
      to_.skipped[skipped_++] = {to_.memory.copy(path), r.from, r.source, nullptr};
      return {};
    }
    if (out_of_files) return about(errc::too_many_open_files, r, path, found.os_errno);
    if (found.os_errno != 0) return about(errc::path_not_accessible, r, path, found.os_errno);
    if (spares_system && !found.canonical.empty() && touches_system(found.canonical)) {
      close_descriptor(found.fd);
      return opens_system(r, path);
    }
    bound_rule& b = to_.rules[rules_++];  // from here on the descriptor is the policy's
    b.fd = found.fd;
    // Deleted, outside the root, or longer than any path: there is no name to check denies by.
    if (found.canonical.empty()) return about(errc::path_not_accessible, r, path, ENAMETOOLONG);
    b.path = to_.memory.copy(path);
    b.canonical = found.canonical.data() == written_.text ? b.path : to_.memory.copy(found.canonical);
    b.id = found.id;
    b.type = found.type;
    b.on = file_system_on(found);
    b.kind = r.kind;
    b.from = r.from;
    b.source = r.source;
    b.gives_way = r.gives_way;
    b.rights = r.rights;
    if (r.kind == path_kind::directory && found.type != file_type::directory)
      return about(errc::not_a_directory, r, path);
    if (r.kind == path_kind::file && found.type == file_type::directory)
      return about(errc::not_a_file, r, path);
    if (found.type != file_type::directory) b.rights &= ~directory_rights;
    // Writing to a device means little without its ioctls; a directory full of devices gets none by this.
    if (found.type == file_type::device && contains(r.rights, right::write_file)) b.rights |= right::ioctl;
    if (b.rights == no_rights) return about(errc::directory_right_on_file, r, path);
    if (!holding_) close_descriptor(std::exchange(b.fd, -1));
    return {};
  }

  /// Asks once for each of the last few devices without a number of their own, among which 9p and FUSE are.
  file_system file_system_on(const resolved_path& found) noexcept {
    if ((found.id.device >> 8U & 0xfffU) != 0) return file_system::lasting;
    for (const known_device& k : devices_)
      if (k.number == found.id.device) return k.kind;
    known_device& k = devices_[next_device_++ % devices_.size()];
    return (k = {found.id.device, file_system_of_descriptor(found.fd)}).kind;
  }

  error opens_system(const rule& r, std::string_view path) {
    if (!r.gives_way) return about(errc::variable_opens_system, r, path);
    to_.skipped[skipped_++] = {to_.memory.copy(path), r.from, r.source, nullptr};
    return {};
  }

  /// As resolve_path; when descriptors run out, all that are held are let go and compared later instead.
  resolved_path resolve(std::string_view path) {
    resolved_path found = resolve_path(path.data(), canonical_);
    if (found.os_errno != EMFILE || !holding_) return found;
    holding_ = false;
    for (bound_rule& r : to_.rules) close_descriptor(std::exchange(r.fd, -1));
    return resolve_path(path.data(), canonical_);
  }

  /// A deny holds by both names, as written and without links; where it does not exist yet, the links above it
  /// are followed, dangling ones too. Most denies of a policy stand in few directories: each is resolved once.
  error add_deny(const rule& r) {
    std::size_t length = 0;
    if (error why = expand(r, length); why.code != errc::none) return why;
    bound_deny& d = to_.denies[denies_++];
    d = {to_.memory.copy({written_.text, length}), {}, r.from, r.source};
    d.canonical = d.path;
    const std::string_view parent = d.path.substr(0, d.path.rfind('/'));
    if (!missing_.empty() && is_within(d.path, missing_)) return {};
    if (is_straight(parent) && is_no_link(d.path.data())) return {};
    std::size_t missing = 0;
    std::string path(d.path);
    int hops = 0;
    for (std::size_t cut = path.size();;) {
      const std::string head = cut == 0 ? "/" : path.substr(0, cut);
      const resolved_path found = resolve(head);
      close_descriptor(found.fd);
      if (found.os_errno == EMFILE || found.os_errno == ENFILE)
        return about(errc::too_many_open_files, r, d.path, found.os_errno);
      if (found.os_errno == 0) {
        const bool straight = found.canonical.data() == head.data();
        if (found.canonical.empty()) return about(errc::path_not_accessible, r, d.path, ENAMETOOLONG);
        if (straight && hops == 0 && cut >= parent.size() && !is_straight(parent))
          straight_[next_straight_++ % straight_.size()] = parent;
        if (straight && hops == 0 && missing != 0) missing_ = d.path.substr(0, missing);
        if (straight && hops == 0) return {};
        d.canonical = to_.memory.copy(joined(found.canonical, std::string_view(path).substr(cut)));
        return {};
      }
      if (const std::string_view target = read_link(head.c_str(), canonical_);
          !target.empty() && ++hops < 40) {
        // A link that leads nowhere yet: what will be made there is denied as well.
        std::string led_to = target.starts_with('/') ? std::string() : head.substr(0, head.rfind('/'));
        led_to += '/';
        led_to += target;
        led_to += std::string_view(path).substr(cut);
        path = folded(led_to);
        cut = path.size();
        continue;
      }
      if (cut == 0) return {};
      missing = cut;
      cut = path.rfind('/', cut - 1);
    }
  }

  [[nodiscard]] bool is_straight(std::string_view directory) const noexcept {
    return std::find(straight_.begin(), straight_.end(), directory) != straight_.end();
  }

  static std::string joined(std::string_view directory, std::string_view rest) {
    std::string out(directory == "/" ? std::string_view{} : directory);
    out += rest;
    return out.empty() ? "/" : out;
  }

  /// Without "." and ".." parts, by name.
  static std::string folded(std::string_view path) {
    std::string out;
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/', 1), path.size());
      const std::string_view part =
          path.substr(path.front() == '/' ? 1 : 0, end - (path.front() == '/' ? 1 : 0));
      if (part == "..") {
        out.erase(out.empty() ? 0 : out.rfind('/'));
      } else if (!part.empty() && part != ".") {
        out += '/';
        out += part;
      }
      path.remove_prefix(end);
    }
    return out.empty() ? "/" : out;
  }

  static error contradiction(const rule& granted, const bound_deny& d) {
    return {errc::deny_contradicts_grant, 0, to_text(granted), std::string(d.path), to_text(rule_of(d))};
  }

  /// A grant that meets a deny is an error that names both; one that gives way is left out: the stricter
  /// sandbox. Of several denies that are met, one of nono's own is named.
  error check_denies() {
    if constexpr (this_platform == platform::macos_only) return {};  // Seatbelt has denies inside grants
    std::size_t kept = 0;
    for (std::size_t i = 0; i < to_.rules.size(); ++i) {
      bound_rule& r = to_.rules[i];
      const bound_deny* denied = nullptr;
      for (const bound_deny& d : to_.denies)
        if ((denied == nullptr || d.from == origin::system) && (meets(d.path, r) || meets(d.canonical, r)))
          denied = &d;
      if (denied == nullptr) {
        if (kept != i) std::swap(to_.rules[kept], r);
        ++kept;
      } else if (r.gives_way) {
        to_.skipped[skipped_++] = {r.path, r.from, r.source, denied};
        close_descriptor(std::exchange(r.fd, -1));
      } else {
        return contradiction(rule_of(r), *denied);
      }
    }
    to_.rules = to_.rules.first(kept);
    return {};
  }
  static bool meets(std::string_view denied, const bound_rule& r) noexcept {
    const auto meets_name = [&](std::string_view name) {
      return is_within(name, denied) || (r.type == file_type::directory && is_within(denied, name));
    };
    return meets_name(r.canonical) || (r.path.data() != r.canonical.data() && meets_name(r.path));
  }

  /// Marks each rule that one wider rule at or above it makes needless. One, not their union: kernels before
  /// 5.19 wanted a single rule with every right that is asked for. Sorted as they are, the ancestors of a
  /// rule are among its predecessor and that one's ancestors.
  void subsume() const noexcept {
    for (std::size_t i = 0; i < to_.rules.size(); ++i) {
      bound_rule& inner = to_.rules[i];
      std::size_t above = i == 0 ? none : i - 1;
      while (above != none && !is_within(inner.canonical, to_.rules[above].canonical))
        above = to_.rules[above].above;
      inner.above = above;
      for (; above != none && !inner.subsumed; above = to_.rules[above].above)
        inner.subsumed = contains(to_.rules[above].rights, inner.rights);
      if (inner.subsumed) close_descriptor(std::exchange(inner.fd, -1));
    }
  }
  static constexpr std::size_t none = bound_rule::no_rule;

  const policy_ref& from_;
  std::span<const binding> bindings_;
  bound_policy& to_;
  path_buffer written_{};
  path_buffer canonical_{};
  std::string_view missing_;                  // nothing by that name, and no link above it
  std::array<std::string_view, 4> straight_;  // directories without a link on the way to them
  std::size_t next_straight_ = 0;
  struct known_device {
    std::uint64_t number = 0;  // 0: none
    file_system kind{};
  };
  std::array<known_device, 8> devices_{};
  std::size_t next_device_ = 0;
  std::size_t rules_ = 0;
  std::size_t denies_ = 0;
  std::size_t skipped_ = 0;
  bool holding_ = true;
};

}  // namespace detail

/// Resolves a policy. room: memory to use before the heap.
/// Errors: path_not_found, not_a_directory, not_a_file, path_not_accessible, too_many_open_files,
///         deny_contradicts_grant, variable_opens_system, variable_unbound, variable_bad_value, variable_unknown, and what building
///         the policy at run time broke.
inline result<bound_policy> bind(const policy_ref& policy, std::span<const binding> bindings,
                                 std::span<std::byte> room = {}) {
  bound_policy out(room);
  if (error why = detail::binder(policy, bindings, out).run(); why.code != errc::none) return why;
  return out;
}

/// Nothing, or the first grant whose path no longer leads to the file that it was resolved to. Two system calls for each
/// rule, four where a link is on the way. Errors: path_changed.
inline error check_unchanged(const bound_policy& bound) {
  path_buffer buffer{};
  for (const bound_rule& r : bound.rules) {
    const resolved_path now = resolve_path(r.path.data(), buffer);
    close_descriptor(now.fd);
    if (now.os_errno != 0 || now.id != r.id)
      return {errc::path_changed, now.os_errno, to_text(rule_of(r)), std::string(r.path), {}};
  }
  return {};
}

}  // namespace nono
