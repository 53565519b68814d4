// SPDX-License-Identifier: Apache-2.0
// What a policy means on macOS: questions answered from its rules by name. It knows nothing of how a profile is written;
// tests hold it against a reader of the profile's text.
// Consistent with Apple's and Chromium's published descriptions; not yet seen on a Mac.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nono/macos/settings.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/question.hpp>
#include <nono/resolve.hpp>
#include <nono/right.hpp>

namespace nono::seatbelt {

/// A question, and what is there. Paths are absolute and without links, but for the three at the root (/etc, /tmp, /var),
/// or begin with a variable as those of the policy do.
struct question {
  operation what{};
  std::string_view path{};
  std::string_view to{};                ///< the second name of rename, exchange and link
  std::uint16_t port = 0;               ///< of connect_tcp and bind_tcp
  bool local = false;                   ///< connect_tcp to this machine
  bool exists = true;                   ///< whether there is something at `path`
  bool to_exists = false;               ///< and at `to`
  file_type type = file_type::regular;  ///< of what is at `path`
};

/// Why.
enum class reason : std::uint8_t {
  granted,         ///< by a rule
  not_granted,     ///< by none
  denied,          ///< a deny holds, whatever is granted
  holds_denied,    ///< a denied path lies below: the name must stay
  closed,          ///< the policy's network, sockets or protections close it
  not_restricted,  ///< the policy does not restrict it
  never,           ///< no profile allows it
};

constexpr std::string_view name_of(reason why) noexcept {
  constexpr std::string_view names[] = {"granted", "not_granted",    "denied", "holds_denied",
                                        "closed",  "not_restricted", "never"};
  return names[static_cast<std::size_t>(why)];
}

struct answer {
  bool allowed = false;
  reason why = reason::not_granted;
};

/// Answers questions about one policy, which must live as long as this, as must the settings.
class model {
 public:
  explicit model(const policy_ref& policy, const settings& with) noexcept : p_(policy), with_(with) {}

  [[nodiscard]] answer ask(const question& q) const {
    switch (q.what) {
      case operation::connect_tcp:
      case operation::bind_tcp:
      case operation::udp:
        return network(q);
      case operation::signal:
        return p_.lifted.has(protection::signals) || with_.signals == reach::all ? free() : closed();
      case operation::connect_abstract:
        return closed();  // macOS has no such sockets
      case operation::rename:
      case operation::exchange:
        return rename(q);
      case operation::link:  // file-link is never allowed: a second name would lead round a deny
        return lifted() ? both(make(q.path), make(q.to)) : answer{false, reason::never};
      case operation::unlink:
      case operation::rmdir:
        return remove(q.path);
      case operation::mkdir:
      case operation::mkfifo:
      case operation::mksock:
      case operation::mkdev:
      case operation::symlink:
        return make(q.path);
      case operation::bind_unix:
        return sockets() == unix_sockets::none ? closed() : make(q.path);
      case operation::connect_unix:
        return connect(q.path);
      default:
        return open(q);
    }
  }

 private:
  static answer free() noexcept { return {true, reason::not_restricted}; }
  static answer closed() noexcept { return {false, reason::closed}; }
  static answer both(const answer& a, const answer& b) noexcept { return a.allowed ? b : a; }
  [[nodiscard]] bool lifted() const noexcept { return p_.lifted.has(protection::filesystem); }
  [[nodiscard]] unix_sockets sockets() const noexcept { return nono::detail::sockets_of(p_); }

  // --- names ----------------------------------------------------------------------------------------------------

  /// One name for each file: below the links at the root, the name below /private.
  static std::string one_name(std::string_view path, bool link_itself = false) {
    if (path == "~" || path.starts_with("~/")) return "$HOME" + std::string(path.substr(1));
    for (const std::string_view link : {"/etc", "/tmp", "/var"})
      if (path.starts_with(std::string(link) + '/') || (path == link && !link_itself))
        return "/private" + std::string(path);
    return std::string(path);
  }

  /// Calls f(rule, name of its path) until it returns true. What lies behind a link at the root has two names, of which
  /// the link's own is the second.
  template <class F>
  bool any_rule(F&& f) const {
    const auto any_name = [&](const rule& r) {
      const std::string name = one_name(r.path);
      if (f(r, name)) return true;
      for (const std::string_view link : {"/etc", "/tmp", "/var"})
        if (is_within(name, "/private" + std::string(link))) return f(r, name.substr(8));
      return false;
    };
    for (const rule& r : p_.rules)
      if (any_name(r)) return true;
    for (const group* g : p_.groups) {
      if (g->on == platform::linux_only) continue;
      for (const group_rule& r : g->rules)
        if (any_name(rule_of(*g, r))) return true;
    }
    return false;
  }

  [[nodiscard]] bool gives(const rule& r, right wanted) const {
    if (wanted == right::remove && with_.unlink_protection && r.from == origin::group) return false;
    return contains(r.rights, wanted);
  }
  /// True when a rule gives `wanted`, one right, on what is at `name`.
  [[nodiscard]] bool granted(std::string_view name, right wanted) const {
    return any_rule([&](const rule& r, const std::string& at) {
      if (r.is_deny()) return false;
      if (r.kind != path_kind::file) return gives(r, wanted) && is_within(name, at);
      // A file's rule holds a name: a directory that takes it can be listed by who may read the file.
      return name == at && gives(r, wanted == right::list ? right::read_file : wanted);
    });
  }
  /// The same of an entry in a directory: a grant of the directory itself says nothing of its own name.
  [[nodiscard]] bool granted_inside(std::string_view name, right wanted) const {
    return any_rule([&](const rule& r, const std::string& at) {
      return !r.is_deny() && r.kind != path_kind::file && gives(r, wanted) && name != at &&
             is_within(name, at);
    });
  }
  [[nodiscard]] bool denied(std::string_view name) const {
    return any_rule([&](const rule& r, const std::string& at) { return r.is_deny() && is_within(name, at); });
  }
  [[nodiscard]] bool holds_denied(std::string_view name) const {
    return any_rule([&](const rule& r, const std::string& at) {
      return r.is_deny() && name != at && is_within(at, name);
    });
  }

  // --- files ----------------------------------------------------------------------------------------------------

  /// What is at `path` needs each of `rights`.
  [[nodiscard]] answer file(std::string_view path, right rights) const {
    const std::string name = one_name(path);
    if (denied(name)) return {false, reason::denied};
    if (lifted()) return free();
    for (const auto& [value, word] : right_names)
      if (contains(rights, value) && !granted(name, value)) return {false, reason::not_granted};
    return {true, reason::granted};
  }

  [[nodiscard]] answer make(std::string_view path) const {
    const std::string name = one_name(path, true);
    if (denied(name)) return {false, reason::denied};
    if (lifted()) return free();
    return granted_inside(name, right::create) ? answer{true, reason::granted} : answer{};
  }

  [[nodiscard]] answer remove(std::string_view path) const {
    const std::string name = one_name(path, true);
    if (denied(name)) return {false, reason::denied};
    if (holds_denied(name)) return {false, reason::holds_denied};
    if (lifted()) return free();
    return granted_inside(name, right::remove) ? answer{true, reason::granted} : answer{};
  }

  /// A name goes and a name comes; what stood at the second goes as well.
  [[nodiscard]] answer rename(const question& q) const {
    answer out = both(remove(q.path), make(q.to));
    if (q.what == operation::exchange) return both(out, both(remove(q.to), make(q.path)));
    return q.to_exists ? both(out, remove(q.to)) : out;
  }

  [[nodiscard]] answer open(const question& q) const {
    const bool directory = q.type == file_type::directory;
    switch (q.what) {
      case operation::open_read:
      case operation::list:
        return file(q.path, directory ? right::list : right::read_file);
      case operation::open_read_write:
        return file(q.path, (directory ? right::list : right::read_file) | right::write_file);
      case operation::create:
      case operation::overwrite:
        return q.exists ? file(q.path, right::write_file)
                        : both(make(one_name(q.path)), file(q.path, right::write_file));
      case operation::execute:
        return file(q.path, right::execute);
      case operation::ioctl: {
        const bool terminal = q.path.starts_with("/dev/tty") || q.path.starts_with("/dev/ptmx");
        const answer read = file(q.path, directory ? right::list : right::read_file);
        if (!read.allowed) return read;
        if (terminal) return p_.lifted.has(protection::terminal_input) ? free() : closed();
        return p_.lifted.has(protection::device_ioctl) ? free() : file(q.path, right::ioctl);
      }
      case operation::stat:
        return stat(one_name(q.path));
      default:  // writing, emptying, chmod
        return file(q.path, right::write_file);
    }
  }

  /// What may be looked at: what is granted in any way, what leads there, the denied path itself, and the root.
  [[nodiscard]] answer stat(const std::string& name) const {
    if (lifted()) return free();
    if (name == "/") return {true, reason::not_restricted};
    const bool seen = any_rule([&](const rule& r, const std::string& at) {
      if (name == at) return true;
      if (r.is_deny()) return false;
      return is_within(at, name) || (r.kind != path_kind::file && is_within(name, at));
    });
    return seen ? answer{true, reason::granted} : answer{};
  }

  // --- sockets --------------------------------------------------------------------------------------------------

  [[nodiscard]] answer connect(std::string_view path) const {
    const std::string name = one_name(path);
    if (sockets() == unix_sockets::none) return closed();
    if (denied(name)) return {false, reason::denied};
    if (sockets() == unix_sockets::any) return free();
    const bool resolver = name == "/private/var/run/mDNSResponder";
    if (resolver && nono::detail::network_of(p_) == network_mode::unrestricted) return free();
    return granted(name, right::connect_unix) ? answer{true, reason::granted} : answer{};
  }

  [[nodiscard]] answer network(const question& q) const {
    switch (nono::detail::network_of(p_)) {
      case network_mode::unrestricted:
        return free();
      case network_mode::ports:
        if (q.what == operation::udp) return closed();
        return p_.network.opens(
                   {q.what == operation::connect_tcp ? port_use::connect_tcp : port_use::bind_tcp, q.port})
                   ? answer{true, reason::granted}
                   : closed();
      case network_mode::hosts:
        return q.what == operation::connect_tcp && q.local && q.port == with_.proxy_port && q.port != 0
                   ? answer{true, reason::granted}
                   : closed();
      default:
        return closed();
    }
  }

  const policy_ref& p_;
  const settings& with_;
};

}  // namespace nono::seatbelt
