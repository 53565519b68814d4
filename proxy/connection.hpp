// SPDX-License-Identifier: Apache-2.0
// A connection to a server, in the clear or by TLS, and those that are kept for the next request.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffer_traits.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "proxy/route.hpp"

namespace nono::proxy {

/// Whom we believe to be who they say they are: the system's roots, or a route's own; and what we show ourselves.
/// TLS 1.2 and newer. Source of the places: those of the usual distributions.
class trust {
 public:
  trust();
  ~trust();
  trust(const trust&) = delete;
  trust& operator=(const trust&) = delete;

  /// Reads the roots, which are the system's if no file of them is named, and those of the routes. Must come before files are
  /// out of reach. Empty: done, else a sentence.
  std::string load(const std::vector<route>& routes, const std::string& roots);

 private:
  friend class connection;
  struct contexts;
  std::unique_ptr<contexts> all_;
};

/// Stays where it is while something is read or written. Its operations are those of a stream as Asio means it; their handlers
/// run in the one thread of the loop.
class connection {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;
  using done = std::function<void(boost::system::error_code, std::size_t)>;

  explicit connection(boost::asio::ip::tcp::socket socket);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  executor_type get_executor() { return tcp_.get_executor(); }
  /// The TCP stream below, for its time limits and its end.
  boost::beast::tcp_stream& tcp() { return tcp_; }

  /// Shakes hands with the route's server, which has to prove its name. f: empty, or what went wrong.
  void start_tls(trust& believed, const route& r, std::function<void(std::string)> f);

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& to, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& buffers) {
          if (tls_ == nullptr) return tcp_.async_read_some(buffers, std::move(handler));
          read_tls(first_of<boost::asio::mutable_buffer>(buffers), erased(std::move(handler)));
        },
        token, to);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& from, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& buffers) {
          if (tls_ == nullptr) return tcp_.async_write_some(buffers, std::move(handler));
          write_tls(first_of<boost::asio::const_buffer>(buffers), erased(std::move(handler)));
        },
        token, from);
  }

  /// What was read and not used yet.
  boost::beast::flat_buffer buffer;

  /// True when all that has come is used. What a server says unasked would be taken for the answer to the next request.
  [[nodiscard]] bool is_clean() const;

 private:
  struct tls;
  void read_tls(boost::asio::mutable_buffer to, done f);
  void write_tls(boost::asio::const_buffer from, done f);

  /// Operations on TLS are compiled once and not for every handler; this costs an allocation each.
  template <class Handler>
  static done erased(Handler handler) {
    return [kept = std::make_shared<Handler>(std::move(handler))](
               boost::system::error_code why, std::size_t n) { std::move (*kept)(why, n); };
  }
  template <class One, class Buffers>
  static One first_of(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at)
      if (const One one(*at); one.size() != 0) return one;
    return {};
  }

  boost::beast::tcp_stream tcp_;
  std::unique_ptr<tls> tls_;
};

/// Connections that servers keep open, by whom they lead to. None is kept longer than a minute, nor more than 32.
class connection_pool {
 public:
  /// One that can be used; null: none.
  std::unique_ptr<connection> take(std::string_view to);
  /// One that is not clean is closed instead.
  void keep(std::string to, std::unique_ptr<connection> one);

 private:
  struct kept {
    std::string to;
    std::unique_ptr<connection> one;
    std::chrono::steady_clock::time_point since;
  };
  std::deque<kept> all_;  // the oldest first
};

}  // namespace nono::proxy
