// SPDX-License-Identifier: Apache-2.0
// What the runner tells the proxy.
#include "proxy/settings.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <nono/host.hpp>

namespace nono::proxy {

namespace {

using json = nlohmann::json;

error bad_settings(std::string text) { return {errc::bad_argument, 0, {}, {}, std::move(text)}; }

bool is_token(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// A member of that type, or its default where it is absent. False: it is of another.
template <class T>
bool take(const json& from, const char* key, T& to) {
  const auto at = from.find(key);
  if (at == from.end()) return true;
  if constexpr (std::is_same_v<T, std::string>) {
    if (!at->is_string()) return false;
    to = at->get<std::string>();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!at->is_boolean()) return false;
    to = at->get<bool>();
  } else if constexpr (std::is_same_v<T, std::uint16_t>) {
    if (!at->is_number_unsigned() || at->get<std::uint64_t>() > 65535) return false;
    to = at->get<std::uint16_t>();
  } else {
    if (!at->is_array()) return false;
    for (const json& one : *at) {
      if (!one.is_string()) return false;
      to.push_back(one.get<std::string>());
    }
  }
  return true;
}

}  // namespace

result<settings> read_settings(std::string_view text) {
  const json all = json::parse(text, nullptr, false);
  if (!all.is_object()) return bad_settings("the settings are not a JSON object");
  settings out;
  if (!take(all, "token", out.token) || !take(all, "hosts", out.hosts) ||
      !take(all, "any_public", out.any_public) || !take(all, "upstream_host", out.upstream_host) ||
      !take(all, "upstream_port", out.upstream_port) || !take(all, "upstream_bypass", out.upstream_bypass))
    return bad_settings("a field of the settings has a value of another type");
  if (!is_token(out.token)) return bad_settings("the token is not one of 64 hexadecimal digits");
  for (const auto* list : {&out.hosts, &out.upstream_bypass})
    for (const std::string& host : *list)
      if (check_host(host) != errc::none) return bad_settings("a host of the settings is none");
  if (out.upstream_host.empty() != (out.upstream_port == 0))
    return bad_settings("the upstream proxy needs a host and a port");
  if (const auto at = all.find("endpoints"); at != all.end()) {
    if (!at->is_array()) return bad_settings("'endpoints' is no list");
    for (const json& one : *at) {
      host_endpoints rules;
      if (!one.is_object() || !take(one, "host", rules.host) || check_host(rules.host) != errc::none)
        return bad_settings("an endpoint rule names no host");
      const auto list = one.find("rules");
      if (list == one.end() || !list->is_array())
        return bad_settings("an endpoint rule has no list of rules");
      for (const json& rule : *list) {
        endpoint e;
        if (!rule.is_object() || !take(rule, "method", e.method) || !take(rule, "path", e.path) ||
            e.method.empty() || !e.path.starts_with('/'))
          return bad_settings("an endpoint rule needs a method and a path");
        rules.endpoints.push_back(std::move(e));
      }
      out.endpoints.push_back(std::move(rules));
    }
  }
  return out;
}

}  // namespace nono::proxy
