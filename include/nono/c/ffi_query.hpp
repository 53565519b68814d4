// SPDX-License-Identifier: Apache-2.0
// Questions to a capability set of the C interface.
#pragma once

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <nono/algebra.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

#include <nono/c/ffi_set.hpp>

namespace nono::c {

/// `path` with "." and ".." folded by name; absolute.
inline std::string folded(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    at = end + 1;
  }
  std::string out;
  for (const std::string_view part : parts) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

/// Where the kernel would look for a path: links followed, also one at the end that leads nowhere, and what is not there
/// yet below what is. Empty: nowhere, as for `missing/..`.
inline std::string where_it_leads(std::string_view given) {
  constexpr int most_links = 40;  // as the kernel has it
  if (given.empty()) return {};
  std::string path(given);
  if (!path.starts_with('/')) {
    char here[PATH_MAX];
    if (::getcwd(here, sizeof here) == nullptr) return {};
    path = std::string(here) + '/' + path;
  }
  for (int links = 0; links < most_links; ++links) {
    // The longest start of it that is there; what follows is kept as it is.
    std::string head = path;
    std::string rest;
    char* real = nullptr;
    while ((real = ::realpath(head.c_str(), nullptr)) == nullptr) {
      if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EACCES) return {};
      while (head.size() > 1 && head.ends_with('/')) head.pop_back();
      const std::size_t slash = head.rfind('/');
      if (head == "/" || slash == std::string::npos) return {};
      const std::string part = head.substr(slash + 1);
      if (part == "..") return {};
      if (part != ".") rest = rest.empty() ? part : part + '/' + rest;
      head.erase(slash == 0 ? 1 : slash);
    }
    head = real;
    std::free(real);
    if (rest.empty()) return head;
    // The first part that is missing may be a link to something missing.
    const std::string first = rest.substr(0, rest.find('/'));
    const std::string at = (head == "/" ? "/" : head + '/') + first;
    char target[PATH_MAX];
    const ssize_t size = ::readlink(at.c_str(), target, sizeof target);
    if (size <= 0) return (head == "/" ? "/" : head + '/') + rest;
    std::string next(target, static_cast<std::size_t>(size));
    if (!next.starts_with('/')) next = head + '/' + next;
    path = next + rest.substr(first.size());
  }
  return {};
}

/// What a set says of one path.
struct verdict_of_set {
  std::string path{};         ///< where it leads
  right rights{};             ///< of all grants that cover it
  const entry* by = nullptr;  ///< the nearest grant; if one alone suffices, the nearest of those
  const denied_path* denied = nullptr;
  bool lifted = false;  ///< and so is every other path

  [[nodiscard]] bool allows(right wanted) const noexcept {
    return denied == nullptr && contains(rights, wanted);
  }
};

inline verdict_of_set ask(const NonoCapabilitySet& set, std::string_view path, right wanted) {
  verdict_of_set out;
  out.path = where_it_leads(path);
  if (out.path.empty()) return out;
  // What is lifted is open everywhere; on Linux nothing holds a deny then.
  static const entry everywhere{"/", "/", right::read_write};
  policy_ref settings{};
  settings.sockets = set.sockets;
  settings.lifted = set.lifted;
  out.rights = detail::open_rights(settings);
  out.lifted = set.lifted.has(protection::filesystem);
  if (out.lifted) out.by = &everywhere;
  for (const denied_path& d : set.denies)
    if (is_within(out.path, d.resolved) && !(out.lifted && this_platform == platform::linux_only))
      out.denied = &d;
  struct stat st{};
  const bool has_names = ::stat(out.path.c_str(), &st) == 0 && st.st_nlink > 1 && !S_ISDIR(st.st_mode);
  const auto is_same_file = [&](const entry& e) {
    struct stat other{};
    return has_names && ::stat(e.resolved.c_str(), &other) == 0 && other.st_dev == st.st_dev &&
           other.st_ino == st.st_ino;
  };
  bool alone = out.lifted;
  for (const entry& e : set.entries) {
    if (e.is_file ? out.path != e.resolved && !is_same_file(e) : !is_within(out.path, e.resolved)) continue;
    out.rights |= e.rights;
    const bool suffices = contains(e.rights, wanted);
    const bool nearer = out.by == nullptr || e.resolved.size() > out.by->resolved.size();
    if ((suffices && !alone) || (suffices == alone && nearer)) out.by = &e;
    alone = alone || suffices;
  }
  return out;
}

/// In one sentence: what, by which rule, and what would change it.
inline std::string explanation(const NonoCapabilitySet& set, std::string_view path, std::uint32_t mode) {
  const right wanted = *rights_of_mode(mode);
  const verdict_of_set v = ask(set, path, wanted);
  const auto quoted = [](std::string_view text) { return detail::quoted(as_utf8(text)); };
  std::string out = words_of_rights(wanted) + ' ' + quoted(path);
  if (!v.path.empty() && v.path != path) out += ", which leads to " + quoted(v.path) + ',';
  const auto remedy = [&]() -> std::string {
    struct stat st{};
    std::string_view subject = v.path;
    bool directory = false;
    if (::stat(v.path.c_str(), &st) == 0) {
      directory = S_ISDIR(st.st_mode);
    } else {
      subject = subject.substr(0, std::max<std::size_t>(subject.rfind('/'), 1));
      directory = true;
      if (subject == "/" || ::stat(std::string(subject).c_str(), &st) != 0)
        return "; make it first, and grant it";
    }
    return std::string("; nono_capability_set_allow_") + (directory ? "path(" : "file(") + quoted(subject) +
           ", " + words_of_rights(wanted) + ") would allow it";
  };
  if (v.path.empty()) return out + " is denied: the path leads nowhere; name one that does";
  if (v.denied != nullptr)
    return out + " is denied by the deny of " + quoted(v.denied->original) + "; leave that out to grant it";
  if (v.lifted) return out + " is allowed: the set lifts 'filesystem'";
  if (v.allows(wanted))
    return out + " is allowed by the grant [" + words_of_rights(v.by->rights) + "] of " +
           quoted(v.by->original) + (contains(v.by->rights, wanted) ? "" : " and those around it");
  if (v.rights != no_rights)
    return out + " is denied: the grants that cover it give " + words_of_rights(v.rights) + " alone" +
           remedy();
  return out + " is denied: no grant covers it" + remedy();
}

}  // namespace nono::c
