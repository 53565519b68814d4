// SPDX-License-Identifier: Apache-2.0
// The capability set of the C interface: entries in their order, as they were given and where they led.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <climits>

#include <nono/capability_set.hpp>
#include <nono/error.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

#include <nono/c/nono.h>
#include <nono/c/ffi_text.hpp>

namespace nono::c {

/// One granted path.
struct entry {
  std::string original;
  std::string resolved;
  right rights{};
  bool is_file = false;
  NonoCapabilitySourceTag source = NONO_CAPABILITY_SOURCE_TAG_USER;
  std::string group{};
};

struct denied_path {
  std::string original;
  std::string resolved;
};

constexpr std::optional<right> rights_of_mode(std::uint32_t mode) noexcept {
  switch (mode) {
    case NONO_ACCESS_MODE_READ:
      return right::read;
    case NONO_ACCESS_MODE_WRITE:
      return right::write;
    case NONO_ACCESS_MODE_READ_WRITE:
      return right::read_write;
    default:
      return std::nullopt;
  }
}
constexpr std::uint32_t mode_of_rights(right rights) noexcept {
  return rights == right::read         ? NONO_ACCESS_MODE_READ
         : rights == right::write      ? NONO_ACCESS_MODE_WRITE
         : rights == right::read_write ? NONO_ACCESS_MODE_READ_WRITE
                                       : NONO_ACCESS_MODE_INVALID;
}
/// The word of the mode, or the finer rights.
inline std::string words_of_rights(right rights) {
  if (rights == right::read_write) return "read+write";
  std::string out;
  append_rights(out, rights);
  return out;
}
/// What realpath(3) says of a path; the text of the failure where it says nothing.
struct real_path {
  std::string path;
  NonoErrorCode code = NONO_ERROR_CODE_OK;
  std::string message{};
};
inline real_path resolve(std::string_view given) {
  const std::string path(given);
  char* const real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) {
    const int why = errno;
    if (why == ENOENT) return {{}, NONO_ERROR_CODE_ERR_PATH_NOT_FOUND, "Path does not exist: " + path};
    return {{},
            NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION,
            "Failed to canonicalize path " + path + ": " + std::strerror(why) + " (os error " +
                std::to_string(why) + ")"};
  }
  real_path out{real};
  std::free(real);
  return out;
}

inline const protection_row* protection_named(std::string_view name) noexcept {
  for (const protection_row& row : protections)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace nono::c

struct NonoCapabilitySet {
  std::vector<nono::c::entry> entries{};
  std::vector<nono::c::denied_path> denies{};
  std::uint32_t network = NONO_NETWORK_MODE_ALLOW_ALL;
  std::uint16_t proxy_port = 0;
  std::vector<nono::port_rule> ports{};  ///< exceptions to a closed network
  std::vector<std::string> allowed_commands{}, blocked_commands{}, platform_rules{};
  nono::protection_set best_effort{}, lifted{};
  bool strict = false;
  // What only a stored state brings.
  nono::unix_sockets sockets = nono::unix_sockets::by_default;
  nono::target_systems target = nono::target_systems::unspecified;

  /// What type a path must have.
  enum class wanted { directory, file, any };

  NonoErrorCode grant(std::string_view path, nono::right rights, wanted type) {
    using namespace nono::c;
    real_path at = resolve(path);
    if (at.code != NONO_ERROR_CODE_OK) return failed(at.code, std::move(at.message));
    struct stat st{};
    const bool known = ::stat(at.path.c_str(), &st) == 0;
    const bool directory = known && S_ISDIR(st.st_mode);
    if (type == wanted::directory && !directory)
      return failed(NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY,
                    std::string("Expected a directory but got a file: ").append(path));
    if (type == wanted::file && directory)
      return failed(NONO_ERROR_CODE_ERR_EXPECTED_FILE,
                    std::string("Expected a file but got a directory: ").append(path));
    entries.push_back({std::string(path), std::move(at.path), rights, !directory});
    return NONO_ERROR_CODE_OK;
  }

  void set_network(std::uint32_t mode, std::uint16_t port = 0) {
    network = mode;
    proxy_port = port;
    ports.clear();
  }

  /// The policy that the set means.
  [[nodiscard]] nono::result<nono::capability_set> policy() const {
    using namespace nono;
    capability_set out;
    for (const c::entry& e : entries)
      if (auto added = out.add({e.resolved,
                                e.rights,
                                e.is_file ? path_kind::file : path_kind::directory,
                                must_exist,
                                origin::user,
                                {}});
          !added)
        return std::move(added.error());
    for (const c::denied_path& d : denies)
      if (auto added = out.add({d.resolved, no_rights, path_kind::deny, if_exists, origin::user, {}}); !added)
        return std::move(added.error());
    if (network != NONO_NETWORK_MODE_ALLOW_ALL) {
      // Ports are a mode of their own there, not exceptions.
      if (proxy_port == 0 && ports.empty()) out.network(blocked);
      if (proxy_port != 0)
        if (auto opened = out.allow_port({port_use::connect_tcp, proxy_port}); !opened)
          return std::move(opened.error());
      for (const port_rule port : ports)
        if (auto opened = out.allow_port(port); !opened) return std::move(opened.error());
    }
    for (const protection_row& row : protections) {
      if (best_effort.has(row.id)) out.best_effort(row.id);
      if (lifted.has(row.id)) out.lift(row.id);
    }
    out.unix_sockets(sockets).strict(strict).target(target);
    return out;
  }

  /// Section 5.2 of the interface: one entry for a path. Of two spellings the one that is a link stays.
  void deduplicate() {
    std::vector<nono::c::entry> kept;
    for (nono::c::entry& e : entries) {
      const auto same = std::find_if(kept.begin(), kept.end(), [&](const nono::c::entry& k) {
        return k.resolved == e.resolved && k.is_file == e.is_file;
      });
      if (same == kept.end()) {
        kept.push_back(std::move(e));
        continue;
      }
      same->rights |= e.rights;
      if (same->original == same->resolved && e.original != e.resolved && !is_own(e.original))
        same->original = std::move(e.original);
    }
    entries = std::move(kept);
  }

  [[nodiscard]] std::string summary() const {
    std::string out;
    if (!entries.empty()) out += "Filesystem:\n";
    for (const nono::c::entry& e : entries)
      out += "  " + e.resolved + " [" + nono::c::words_of_rights(e.rights) +
             (e.is_file ? "] (file)\n" : "] (dir)\n");
    if (!denies.empty()) out += "Denied:\n";
    for (const nono::c::denied_path& d : denies) out += "  " + d.resolved + "\n";
    if (out.empty()) out = "(no capabilities granted)\n";
    out += "Network:\n  outbound: ";
    out += network == NONO_NETWORK_MODE_BLOCKED ? "blocked"
           : network == NONO_NETWORK_MODE_ALLOW_ALL
               ? "allowed"
               : "proxy-only (localhost:" + std::to_string(proxy_port) + ")";
    for (const nono::port_use use : {nono::port_use::connect_tcp, nono::port_use::bind_tcp}) {
      std::string numbers;
      for (const nono::port_rule p : ports)
        if (p.use == use) numbers += (numbers.empty() ? "" : ", ") + std::to_string(p.port);
      if (!numbers.empty())
        out += (use == nono::port_use::connect_tcp ? "\n  tcp connect ports: " : "\n  tcp bind ports: ") +
               numbers;
    }
    return out;
  }

 private:
  /// What is another file for each process is better named by where it leads.
  static bool is_own(std::string_view path) noexcept {
    for (const std::string_view own : {"/dev/fd", "/proc/self", "/proc/thread-self"})
      if (nono::is_within(path, own)) return true;
    return path.starts_with("/dev/std");
  }
};
