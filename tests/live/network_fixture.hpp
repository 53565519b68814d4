// SPDX-License-Identifier: Apache-2.0
// What the tests of the network share: kinds of sockets, and a server on this machine's loopback.
#pragma once

#include <array>
#include <cstdint>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness.hpp"

namespace live {

inline constexpr int mptcp = 262;

inline sockaddr_in loopback_port(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}
inline const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

inline std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 ? ntohs(address.sin_port) : 0;
}

/// A TCP server on 127.0.0.1 that takes connections and does nothing.
class server {
 public:
  server() {
    must(fd_ >= 0, "socket");
    const sockaddr_in address = loopback_port(0);
    must(::bind(fd_, generic(address), sizeof address) == 0, "bind");
    must(::listen(fd_, 16) == 0, "listen");
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server() { ::close(fd_); }
  [[nodiscard]] std::uint16_t port() const { return port_of(fd_); }
  /// In a child, whose copy would be an open socket.
  void close() const { ::close(fd_); }

 private:
  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

inline int connect_tcp(std::uint16_t port, int protocol = 0) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, protocol);
  if (fd < 0) return errno;
  const sockaddr_in address = loopback_port(port);
  return error_of(::connect(fd, generic(address), sizeof address));
}

struct socket_kind {
  const char* name;
  int family;
  int type;
  int protocol;
  bool privileged;
};
inline constexpr std::array kinds{
    socket_kind{"TCP", AF_INET, SOCK_STREAM, 0, false},
    socket_kind{"TCP over IPv6", AF_INET6, SOCK_STREAM, IPPROTO_TCP, false},
    socket_kind{"UDP", AF_INET, SOCK_DGRAM, 0, false},
    socket_kind{"UDP over IPv6", AF_INET6, SOCK_DGRAM, 0, false},
    socket_kind{"UDP lite", AF_INET, SOCK_DGRAM, 136, false},
    socket_kind{"ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, true},  // a setting says who may
    socket_kind{"raw", AF_INET, SOCK_RAW, IPPROTO_ICMP, true},
    socket_kind{"raw over IPv6", AF_INET6, SOCK_RAW, 58, true},
    socket_kind{"MPTCP", AF_INET, SOCK_STREAM, mptcp, false},
    socket_kind{"MPTCP over IPv6", AF_INET6, SOCK_STREAM, mptcp, false},
    socket_kind{"SCTP", AF_INET, SOCK_STREAM, IPPROTO_SCTP, false},
    socket_kind{"vsock", 40, SOCK_STREAM, 0, false},
    socket_kind{"packet", AF_PACKET, SOCK_RAW, 0, true},
    socket_kind{"route netlink", AF_NETLINK, SOCK_RAW, 0, false},
    socket_kind{"other netlink", AF_NETLINK, SOCK_RAW, 4, false},
    socket_kind{"hash and cipher", 38, SOCK_SEQPACKET, 0, false},  // AF_ALG
};

inline int make(const socket_kind& k) {
  const int fd = ::socket(k.family, k.type, k.protocol);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

inline int unix_pair() {
  int ends[2];
  return error_of(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

}  // namespace live
