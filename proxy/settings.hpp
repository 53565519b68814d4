// SPDX-License-Identifier: Apache-2.0
// What the runner tells the proxy, once, as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nono/error.hpp>

#include "proxy/endpoint.hpp"
#include "proxy/route.hpp"

namespace nono::proxy {

/// A host whose requests are looked at one by one.
struct host_endpoints {
  std::string host;
  std::vector<endpoint> endpoints;
};

struct settings {
  std::string token;               ///< what a client has to show; 64 lower-case hexadecimal digits
  std::vector<std::string> hosts;  ///< names, patterns and addresses, each as check_host() takes it
  std::vector<host_endpoints> endpoints;
  std::string upstream_host;  ///< a proxy to go through; empty: directly
  std::uint16_t upstream_port = 0;
  std::vector<std::string> upstream_bypass;  ///< hosts that are reached directly all the same
  std::vector<route> routes;                 ///< their keys come by themselves
  std::string roots;                         ///< a file of TLS roots in place of the system's; empty: those
  /// Seconds in which no byte of a request or of its answer moves: models think for long.
  std::uint16_t longest_silence = 900;
};

/// Reads and checks them. Errors: bad_argument with a sentence.
result<settings> read_settings(std::string_view json);

/// Reads the key of each route, and the one of its certificate if it has one, from a descriptor: four bytes for the length, the
/// lowest first, then the bytes, straight into memory of their own. Errors: bad_argument with a sentence.
result<success> read_keys(int fd, settings& to);

}  // namespace nono::proxy
