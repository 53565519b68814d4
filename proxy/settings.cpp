// SPDX-License-Identifier: Apache-2.0
// What the runner tells the proxy.
#include "proxy/settings.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <nono/host.hpp>

#include "proxy/header.hpp"

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

/// A list of rules. False: it is none.
bool take_rules(const json& from, const char* key, std::vector<endpoint>& to) {
  const auto list = from.find(key);
  if (list == from.end()) return true;
  if (!list->is_array()) return false;
  for (const json& rule : *list) {
    endpoint e;
    if (!rule.is_object() || !take(rule, "method", e.method) || !take(rule, "path", e.path) ||
        e.method.empty() || !e.path.starts_with('/'))
      return false;
    to.push_back(std::move(e));
  }
  return true;
}

bool take_place(const json& from, const char* key, credential_place& to) {
  const auto at = from.find(key);
  std::string where;
  if (at == from.end() || !at->is_object() || !take(*at, "where", where) || !take(*at, "name", to.name) ||
      !take(*at, "format", to.format))
    return false;
  using place = credential_place::kind;
  constexpr place places[] = {place::header, place::path, place::query, place::basic};
  const auto* const named =
      std::find_if(std::begin(places), std::end(places), [&](place k) { return name_of(k) == where; });
  if (named == std::end(places)) return false;
  to.where = *named;
  const bool one_hole = to.format.find("{}") != std::string::npos &&
                        to.format.find("{}") == to.format.rfind("{}") && !has_control_byte(to.format);
  switch (to.where) {
    case place::header:
      return is_field_name(to.name) && one_hole;
    case place::path:
      return to.format.starts_with('/') && one_hole && to.format.find_first_of(" ?#%") == std::string::npos;
    case place::query:
      return is_field_name(to.name);
    case place::basic:
      to.name = "Authorization";
      return true;
  }
  return false;
}

/// Empty: `to` is a route.
std::string take_route(const json& one, route& to) {
  if (!one.is_object() || !take(one, "prefix", to.prefix) || to.prefix.empty() ||
      to.prefix.find_first_of("/?#% ") != std::string::npos || has_control_byte(to.prefix))
    return "a route has no name that can stand in a path";
  const auto wrong = [&](const char* what) { return fmt::format("the route {} has {}", to.prefix, what); };
  if (!take(one, "token", to.token) || !is_token(to.token)) return wrong("no token of 64 hexadecimal digits");
  if (!take(one, "tls", to.tls) || !take(one, "host", to.host) || check_host(to.host) != errc::none ||
      to.host.starts_with('*') || !take(one, "port", to.port) || to.port == 0)
    return wrong("no server");
  if (!take(one, "base", to.base) || (!to.base.empty() && !to.base.starts_with('/')) ||
      to.base.ends_with('/') || to.base.find_first_of(" ?#") != std::string::npos ||
      has_control_byte(to.base))
    return wrong("a base that is no path");
  if (!take_place(one, "shown", to.shown)) return wrong("no place for its token");
  if (!take_place(one, "sent", to.sent)) return wrong("no place for its key");
  if (!take(one, "variable", to.variable) || !take_rules(one, "deny", to.deny) ||
      !take_rules(one, "allow", to.allow) || !take(one, "allows_rest", to.allows_rest))
    return wrong("rules that are none");
  if (!take(one, "ca", to.ca) || !take(one, "certificate", to.certificate) ||
      !take(one, "has_certificate_key", to.has_certificate_key) || !take(one, "missing", to.missing))
    return wrong("certificates that are no text");
  return {};
}

/// False: the descriptor ended before.
bool read_whole(int fd, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::read(fd, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

/// One key. False: there is none.
bool read_key(int fd, secrets::secret& to) {
  std::array<unsigned char, 4> length{};
  if (!read_whole(fd, reinterpret_cast<char*>(length.data()), length.size())) return false;
  const std::size_t size = length[0] | std::size_t{length[1]} << 8U | std::size_t{length[2]} << 16U |
                           std::size_t{length[3]} << 24U;
  if (size == 0 || size > secrets::max_secret) return false;
  to = secrets::secret(size);
  return to.data() != nullptr && read_whole(fd, to.data(), size);
}

}  // namespace

result<success> read_keys(int fd, settings& to) {
  for (route& r : to.routes) {
    if ((r.missing.empty() && !read_key(fd, r.key)) ||
        (r.has_certificate_key && !read_key(fd, r.certificate_key)))
      return bad_settings(fmt::format("the key of the route {} did not come", r.prefix));
    if (!r.missing.empty()) continue;
    if (const std::string_view fault = prepare_key(r); !fault.empty())
      return bad_settings(fmt::format("the key of the route {} {}", r.prefix, fault));
  }
  return success{};
}

result<settings> read_settings(std::string_view text) {
  const json all = json::parse(text, nullptr, false);
  if (!all.is_object()) return bad_settings("the settings are not a JSON object");
  settings out;
  if (!take(all, "token", out.token) || !take(all, "hosts", out.hosts) ||
      !take(all, "upstream_host", out.upstream_host) || !take(all, "upstream_port", out.upstream_port) ||
      !take(all, "upstream_bypass", out.upstream_bypass) ||
      !take(all, "longest_silence", out.longest_silence))
    return bad_settings("a field of the settings has a value of another type");
  if (out.longest_silence == 0) return bad_settings("a silence of no seconds is always too long");
  if (!take(all, "roots", out.roots)) return bad_settings("the file of TLS roots has no name");
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
      if (!take_rules(one, "rules", rules.endpoints))
        return bad_settings("an endpoint rule needs a method and a path");
      out.endpoints.push_back(std::move(rules));
    }
  }
  if (const auto at = all.find("routes"); at != all.end()) {
    if (!at->is_array()) return bad_settings("'routes' is no list");
    for (const json& one : *at) {
      route r;
      if (std::string fault = take_route(one, r); !fault.empty()) return bad_settings(std::move(fault));
      out.routes.push_back(std::move(r));
    }
  }
  return out;
}

}  // namespace nono::proxy
