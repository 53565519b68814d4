// SPDX-License-Identifier: Apache-2.0
// Which hosts a run may reach, out of flags and profile: names with where each comes from, and what goes with them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/error.hpp>
#include <nono/json/profile_fields.hpp>

#include "cli/resolve/credentials.hpp"
#include "cli/resolve/options.hpp"
#include "cli/resolve/writable_places.hpp"

namespace nono::cli {

struct host;

struct allowed_host {
  std::string name;  ///< as check_host() takes it
  std::string from;  ///< "--allow-domain", "the group github", "npm ('/home/u/.npmrc')"
  /// Method and pattern of paths; none: the whole host.
  std::vector<std::pair<std::string, std::string>> endpoints{};
};

struct host_filter {
  std::vector<allowed_host> hosts;  ///< by name, none twice
  std::string profile;              ///< the network profile, for the summary; may be empty
  std::string upstream_host;        ///< a proxy to go through; empty: directly
  std::uint16_t upstream_port = 0;
  std::vector<std::string> upstream_bypass;
  std::vector<credential_route> routes;  ///< by name
  std::uint16_t proxy_port = 0;          ///< where the proxy is to listen; 0: anywhere

  /// True when every public host is among them.
  [[nodiscard]] bool any_public() const { return !hosts.empty() && hosts.front().name == "*"; }
  /// The entry that stands for `name`, as the proxy chooses it: the whole name before wildcards, and of them one with
  /// endpoints before others; null: none.
  [[nodiscard]] const allowed_host* find(std::string_view name) const;
};

/// True when flags or profile ask for hosts.
bool wants_hosts(const run_options& options, const profile& says);

/// The hosts that they ask for. notes: which names are others in DNS.
/// warnings: what the user should hear of, such as a port that is not looked at.
/// inside: where the settings of package tools do not count.
/// Errors: bad_argument with a sentence.
result<host_filter> filter_of(const run_options& options, const profile& says, std::string_view profile_name,
                              const host& here, std::string_view workdir, const writable_places& inside,
                              std::vector<std::string>& notes, std::vector<std::string>& warnings);

/// One word of --allow-domain that is no group: a host, in any language, `*.suffix`, an address, `host:port` or a URL.
/// Errors: bad_argument with a sentence.
result<allowed_host> read_domain(std::string_view word, std::string_view from,
                                 std::vector<std::string>& notes, std::vector<std::string>& warnings);

}  // namespace nono::cli
