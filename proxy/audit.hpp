// SPDX-License-Identifier: Apache-2.0
// One line of JSON for each decision, written before what was decided happens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nono::proxy {

/// What was decided about one request. Never a body, a token, a query or a secret.
struct audit_event {
  std::string_view mode =
      "connect";  ///< connect, forward, external (through an upstream proxy), reverse (by a route)
  bool allowed = false;
  std::string_view category{};      ///< why not: host_denied, authentication_failed, ...
  std::string_view auth_outcome{};  ///< succeeded, failed
  std::string_view route_id{};
  std::string_view
      auth_mechanism{};  ///< phantom_header, phantom_path, phantom_query: where a route's token was looked for
  std::string_view injection_mode{};  ///< header, url_path, query_param, basic_auth: where its key goes
  std::string_view target{};
  std::uint16_t port = 0;
  std::string_view method{};
  std::string_view path{};  ///< is cut at its query
  unsigned status = 0;
  std::string_view reason{};
};

/// A refusal as the clients of programming interfaces show it, with a newline.
std::string to_error_body(std::string_view reason);

/// The line, with its newline.
std::string to_line(const audit_event& event, std::uint64_t unix_ms);

/// Writes events to a descriptor, each with one write(2), so that a killed proxy loses none that was acted upon.
class audit_log {
 public:
  /// fd: not owned; -1: nothing is written.
  explicit audit_log(int fd) : fd_(fd) {}
  /// False: it could not be written whole (a full disk), and what it speaks of must not happen.
  [[nodiscard]] bool write(const audit_event& event) const;

 private:
  int fd_;
};

}  // namespace nono::proxy
