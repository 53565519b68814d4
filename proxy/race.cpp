// SPDX-License-Identifier: Apache-2.0
// Happy eyeballs.
#include "proxy/race.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace nono::proxy {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto time_of_each = 10s;
constexpr auto head_start = 250ms;       // Source: RFC 8305, 8: Connection Attempt Delay
constexpr std::size_t most_at_once = 4;  // descriptors are few, and a name may have any number of addresses

tcp::endpoint endpoint_of(const ip_address& a, std::uint16_t port) {
  if (a.is_v6) {
    asio::ip::address_v6::bytes_type bytes;
    std::copy(a.bytes.begin(), a.bytes.end(), bytes.begin());
    return {asio::ip::address_v6(bytes), port};
  }
  asio::ip::address_v4::bytes_type bytes;
  std::copy_n(a.bytes.begin(), 4, bytes.begin());
  return {asio::ip::address_v4(bytes), port};
}

/// Lives as long as one of its handlers waits.
class race : public std::enable_shared_from_this<race> {
 public:
  race(const asio::any_io_executor& where, std::vector<ip_address> addresses, std::uint16_t port,
       std::function<void(race_end)> done)
      : where_(where),
        addresses_(std::move(addresses)),
        port_(port),
        done_(std::move(done)),
        next_in_(where) {}

  void try_next() {
    const std::size_t i = running_.size();
    running_.push_back(std::make_unique<beast::tcp_stream>(where_));
    ++open_;
    running_.back()->expires_after(time_of_each);
    running_.back()->async_connect(endpoint_of(addresses_[i], port_),
                                   [self = shared_from_this(), i](error_code why) { self->ended(i, why); });
    if (!may_start()) return;
    next_in_.expires_after(head_start);
    next_in_.async_wait([self = shared_from_this()](error_code why) {
      if (!why && self->done_ && self->may_start()) self->try_next();
    });
  }

 private:
  [[nodiscard]] bool may_start() const { return running_.size() < addresses_.size() && open_ < most_at_once; }

  void ended(std::size_t i, error_code why) {
    --open_;
    if (!done_) return;  // another was first
    if (why) {
      running_[i]->close();
      next_in_.cancel();
      if (may_start()) return try_next();
      if (open_ == 0) finish({std::nullopt, why});
      return;
    }
    running_[i]->expires_never();
    tcp::socket won = running_[i]->release_socket();
    finish({std::move(won), {}});
  }

  void finish(race_end end) {
    next_in_.cancel();
    const auto done = std::exchange(done_, nullptr);
    for (const auto& one : running_) one->close();
    done(std::move(end));
  }

  asio::any_io_executor where_;
  std::vector<ip_address> addresses_;
  std::uint16_t port_;
  std::function<void(race_end)> done_;  // empty once it has been called
  asio::steady_timer next_in_;
  std::vector<std::unique_ptr<beast::tcp_stream>> running_;  // by address
  std::size_t open_ = 0;
};

}  // namespace

std::vector<ip_address> by_turns(const std::vector<ip_address>& found) {
  std::vector<ip_address> six;
  std::vector<ip_address> four;
  for (const ip_address& a : found) (a.is_v6 ? six : four).push_back(a);
  std::vector<ip_address> out;
  for (std::size_t i = 0; i < std::max(six.size(), four.size()); ++i) {
    if (i < six.size()) out.push_back(six[i]);
    if (i < four.size()) out.push_back(four[i]);
  }
  return out;
}

void connect_first(const asio::any_io_executor& where, const std::vector<ip_address>& addresses,
                   std::uint16_t port, std::function<void(race_end)> done) {
  std::make_shared<race>(where, by_turns(addresses), port, std::move(done))->try_next();
}

}  // namespace nono::proxy
