// SPDX-License-Identifier: Apache-2.0
// Bytes both ways between two sockets, moved by the kernel: splice(2), with a pipe that is held only while bytes are in it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace nono::proxy {

/// Pipes that are not in use. Every one that comes back is empty.
class pipe_pool {
 public:
  struct pipe {
    int in = -1;
    int out = -1;
  };
  pipe_pool() = default;
  pipe_pool(const pipe_pool&) = delete;
  pipe_pool& operator=(const pipe_pool&) = delete;
  ~pipe_pool();
  /// in is -1 when the process has no descriptor left.
  pipe take();
  void give_back(pipe p);
  static void close(pipe p);

 private:
  std::vector<pipe> free_;
};

/// Relays until both sides have ended, or one has failed, then closes both and calls `ended`.
/// early: bytes that came with the request and belong to the server; late: bytes of the server's for the client.
void start_tunnel(boost::asio::ip::tcp::socket client, boost::asio::ip::tcp::socket server, std::string early,
                  std::string late, std::shared_ptr<pipe_pool> pipes, std::function<void()> ended);

}  // namespace nono::proxy
