// SPDX-License-Identifier: Apache-2.0
// Who may be reached.
#include "proxy/rules.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nono/host.hpp>

namespace nono::proxy {

bool host_rules::names(std::string_view host) const { return names_host(settings_.hosts, host); }

const host_endpoints* host_rules::endpoints_of(std::string_view host) const {
  for (const host_endpoints& one : settings_.endpoints)
    if (is_host_within(host, one.host)) return &one;
  return nullptr;
}

verdict host_rules::by_name(const target& to) const {
  for (const route& r : settings_.routes)
    if (r.host == to.host)
      return verdict::no(
          "connect_bypasses_l7",
          fmt::format(
              "the host {} is reached by the route {}, which adds the key: send requests to the URL in "
              "{}",
              to.host, r.prefix, r.variable));
  if (names(to.host)) return {};
  if (to.address) {
    return verdict::no(
        "host_denied",
        fmt::format("the address {} ({}) is not among the allowed hosts; --allow-domain {} adds it", to.host,
                    name_of(kind_of(*to.address)), to.host));
  }
  return verdict::no(
      "host_denied",
      fmt::format("the host {} is not among the allowed hosts; --allow-domain {} adds it", to.host, to.host));
}

verdict host_rules::by_address(const target& to, std::span<const ip_address> found) const {
  for (const ip_address& one : found) {
    const ip_address a = unmapped(one);
    const address_kind kind = kind_of(a);
    const address_text text = to_address_text(a);
    if (kind == address_kind::public_host || names(text.view())) continue;
    return verdict::no(
        "host_denied",
        fmt::format("the host {} is at {}, a {} address, which is not among the allowed hosts; "
                    "--allow-domain {} adds it",
                    to.host, text.view(), name_of(kind), text.view()));
  }
  return {};
}

verdict host_rules::by_address_of(const route& r, std::span<const ip_address> found) {
  for (const ip_address& one : found) {
    const address_kind kind = kind_of(unmapped(one));
    const bool none =
        kind == address_kind::link_local || kind == address_kind::metadata || kind == address_kind::reserved;
    if (r.tls ? !none : kind == address_kind::this_machine) continue;
    return verdict::no("host_denied",
                       fmt::format("the server {} of the route {} is at {}, a {} address, which {}", r.host,
                                   r.prefix, to_address_text(unmapped(one)).view(), name_of(kind),
                                   r.tls ? "no route leads to" : "needs https"));
  }
  return {};
}

verdict host_rules::tunnel(const target& to) const {
  if (endpoints_of(to.host) == nullptr) return {};
  return verdict::no("connect_bypasses_l7",
                     fmt::format("the host {} is allowed for single endpoints, which a tunnel would hide; "
                                 "--allow-domain {} allows it whole",
                                 to.host, to.host));
}

verdict host_rules::request(const target& to, std::string_view method, std::string_view path) const {
  const host_endpoints* const rules = endpoints_of(to.host);
  if (rules == nullptr) return {};
  const auto resolved = resolve_path(path);
  if (resolved)
    for (const endpoint& rule : rules->endpoints)
      if (allows(rule, method, resolved->plain)) return {};
  return verdict::no("endpoint_policy", fmt::format("no endpoint rule of the host {} allows {} {}", to.host,
                                                    method, resolved ? resolved->plain : "this path"));
}

bool host_rules::goes_upstream(const target& to) const {
  if (settings_.upstream_host.empty()) return false;
  return std::none_of(settings_.upstream_bypass.begin(), settings_.upstream_bypass.end(),
                      [&](const std::string& pattern) { return is_host_within(to.host, pattern); });
}

}  // namespace nono::proxy
