// SPDX-License-Identifier: Apache-2.0
// The one seam to name servers, so that tests can bring their own and count the queries.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <nono/address.hpp>

namespace nono::proxy {

class resolver {
 public:
  virtual ~resolver() = default;
  /// The addresses of a name, or why there are none (then the first is empty). Never calls back before it returns.
  using answer = std::function<void(std::vector<ip_address>, std::string why)>;
  virtual void resolve(const std::string& name, answer done) = 0;
};

/// Asks the system's name servers by c-ares, and /etc/hosts first; without search domains. It reads its configuration here,
/// before anything is confined. Null: it cannot be had, for the reason in `why`.
std::unique_ptr<resolver> system_resolver(boost::asio::io_context& io, std::string& why);

}  // namespace nono::proxy
