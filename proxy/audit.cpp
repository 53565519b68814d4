// SPDX-License-Identifier: Apache-2.0
// One line of JSON for each decision.
#include "proxy/audit.hpp"

#include <cerrno>
#include <chrono>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nono::proxy {

std::string to_error_body(std::string_view reason) {
  const nlohmann::ordered_json out{{"error", fmt::format("nono: {}", reason)}};
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

std::string to_line(const audit_event& e, std::uint64_t unix_ms) {
  nlohmann::ordered_json out{{"timestamp_unix_ms", unix_ms},
                             {"mode", e.mode},
                             {"decision", e.allowed ? "allow" : "deny"},
                             {"target", e.target}};
  const auto add = [&](const char* key, std::string_view value) {
    if (!value.empty()) out[key] = value;
  };
  if (e.port != 0) out["port"] = e.port;
  add("method", e.method);
  add("path", e.path.substr(0, e.path.find_first_of("?#")));
  add("route_id", e.route_id);
  add("auth_mechanism", e.auth_mechanism);
  add("auth_outcome", e.auth_outcome);
  if (!e.injection_mode.empty()) out["managed_credential_active"] = true;
  add("injection_mode", e.injection_mode);
  add("denial_category", e.category);
  if (e.status != 0) out["status"] = e.status;
  add("reason", e.reason);
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

bool audit_log::write(const audit_event& event) const {
  if (fd_ < 0) return true;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string line = to_line(
      event, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t n = ::write(fd_, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace nono::proxy
