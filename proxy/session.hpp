// SPDX-License-Identifier: Apache-2.0
// One client's connection: request after request, until it becomes a tunnel or ends.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

namespace nono::proxy {

class server;

/// Serves the connection. counted: is let go when the last of it is closed.
void start_session(server& owner, boost::asio::ip::tcp::socket client, std::shared_ptr<void> counted);

/// Answers 503 and closes.
void turn_away(boost::asio::ip::tcp::socket client);

}  // namespace nono::proxy
