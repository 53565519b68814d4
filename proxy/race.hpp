// SPDX-License-Identifier: Apache-2.0
// Connects to whichever of a host's addresses answers first, as RFC 8305 ("happy eyeballs") has it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <nono/address.hpp>

namespace nono::proxy {

/// The addresses in the order in which they are tried: IPv6 and IPv4 by turns, IPv6 first, each in the order that it came in.
std::vector<ip_address> by_turns(const std::vector<ip_address>& found);

/// What came of it: a connected socket, or what was wrong with the address that was given up last.
struct race_end {
  std::optional<boost::asio::ip::tcp::socket> socket;
  boost::system::error_code why;  ///< beast::error::timeout: no answer in 10 seconds
};

/// Tries the addresses one after the other: the next when one fails, and beside it after 250 ms without an answer. The first
/// that connects is kept, and the others are closed. Each has 10 seconds.
/// addresses: at least one; those that may be reached. done: never called before this returns.
void connect_first(const boost::asio::any_io_executor& where, const std::vector<ip_address>& addresses,
                   std::uint16_t port, std::function<void(race_end)> done);

}  // namespace nono::proxy
