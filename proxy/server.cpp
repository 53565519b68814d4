// SPDX-License-Identifier: Apache-2.0
// The proxy.
#include "proxy/server.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "proxy/session.hpp"

namespace nono::proxy {

namespace asio = boost::asio;
using asio::ip::tcp;

std::shared_ptr<void> server::count() {
  ++*open_;
  return {nullptr, [open = open_](void*) { --*open; }};
}

void server::serve(int listener) { accept(std::make_shared<tcp::acceptor>(io_, tcp::v4(), listener)); }

void server::accept(const std::shared_ptr<tcp::acceptor>& from) {
  from->async_accept([this, from](const boost::system::error_code& why, tcp::socket client) {
    if (why == asio::error::operation_aborted) return;
    if (why) {  // no descriptor is left: the queue waits until there is
      auto later = std::make_shared<asio::steady_timer>(io_, std::chrono::milliseconds(50));
      later->async_wait([this, from, later](const boost::system::error_code&) { accept(from); });
      return;
    }
    if (*open_ >= most_)
      turn_away(std::move(client));
    else
      start_session(*this, std::move(client), count());
    accept(from);
  });
}

}  // namespace nono::proxy
