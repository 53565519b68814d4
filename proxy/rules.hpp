// SPDX-License-Identifier: Apache-2.0
// Who may be reached: by name before anything is looked up, by address after, and by request where one is seen.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nono/address.hpp>

#include "proxy/settings.hpp"
#include "proxy/target.hpp"

namespace nono::proxy {

class host_rules {
 public:
  explicit host_rules(const settings& s) : settings_(s) {}

  /// By name alone. What this refuses causes no query.
  [[nodiscard]] verdict by_name(const target& to) const;
  /// By the addresses that a name has: each that is no public host's must be named itself. One that is not refuses all, so
  /// that no answer of a name server can smuggle one in.
  [[nodiscard]] verdict by_address(const target& to, std::span<const ip_address> found) const;
  /// The same for a route's server, which the user has named: with TLS its certificate says who it is, so it can be anywhere
  /// but where clouds serve credentials; without, it is this machine.
  [[nodiscard]] static verdict by_address_of(const route& r, std::span<const ip_address> found);
  /// A tunnel hides its requests: a host with endpoint rules gets none.
  [[nodiscard]] verdict tunnel(const target& to) const;
  /// True when some rules are of single requests to the host.
  [[nodiscard]] bool judges_requests(std::string_view host) const { return endpoints_of(host) != nullptr; }
  /// A request in the clear.
  [[nodiscard]] verdict request(const target& to, std::string_view method, std::string_view path) const;
  /// True when the host is reached through the upstream proxy.
  [[nodiscard]] bool goes_upstream(const target& to) const;

 private:
  [[nodiscard]] bool names(std::string_view host) const;
  [[nodiscard]] const host_endpoints* endpoints_of(std::string_view host) const;

  const settings& settings_;
};

}  // namespace nono::proxy
