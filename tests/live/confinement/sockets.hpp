// SPDX-License-Identifier: Apache-2.0
// Sockets, for the attempts of the network and of unix sockets.
#pragma once

#include "attempts.hpp"
#include "ring.hpp"

#include <cstddef>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace attempts {

/// Any address with its length.
struct address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&storage); }

  template <class T>
  static address of(const T& from, std::size_t length = sizeof(T)) {
    address out;
    std::memcpy(&out.storage, &from, sizeof from);
    out.length = static_cast<socklen_t>(length);
    return out;
  }
};

inline address loopback(long port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address::of(to);
}
inline address loopback6(long port) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(static_cast<std::uint16_t>(port));
  to.sin6_addr = in6addr_loopback;
  return address::of(to);
}
inline address unix_path(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof to.sun_path) throw cannot{"the name of the socket is too long"};
  std::memcpy(to.sun_path, path.c_str(), path.size() + 1);
  return address::of(to);
}
inline address unix_abstract(const std::string& name) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (name.size() + 1 >= sizeof to.sun_path) throw cannot{"the name of the socket is too long"};
  std::memcpy(to.sun_path + 1, name.data(), name.size());
  return address::of(to, offsetof(sockaddr_un, sun_path) + 1 + name.size());
}

/// Makes a socket wait for a second, not for ever.
inline void limit_time(int fd) {
  const timeval second{1, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
}

inline int make_socket(int family, int type, int protocol = 0) {
  const int fd = check("socket", ::socket(family, type | SOCK_CLOEXEC, protocol));
  limit_time(fd);
  return fd;
}

inline void connect_to(int fd, const address& to) {
  check("connect", ::connect(fd, to.generic(), to.length));
}

/// The answer of whoever listens outside.
inline void print_answer(int fd) {
  char text[256];
  const ssize_t n = check("recv", ::recv(fd, text, sizeof text, 0));
  if (n == 0) throw stopped{"recv: the other side hung up", ECONNRESET};
  print({text, static_cast<std::size_t>(n)});
}

/// Asks whom a socket is connected to, and prints the answer.
inline void ask_connected(int fd) {
  check("send", ::send(fd, "hello", 5, MSG_NOSIGNAL));
  print_answer(fd);
}
/// Connects, asks and prints the answer.
inline void ask(int fd, const address& whom) {
  connect_to(fd, whom);
  ask_connected(fd);
}
/// The same, connected by io_uring.
inline void ask_by_ring(ring& r, int fd, const address& whom) {
  io_uring_sqe connect{};
  connect.opcode = IORING_OP_CONNECT;
  connect.fd = fd;
  connect.addr = ring::address(whom.generic());
  connect.off = whom.length;
  r.submit("io_uring connect", connect);
  ask_connected(fd);
}

/// A message with an address.
struct letter {
  iovec piece{const_cast<char*>("hello"), 5};
  msghdr header{};
  explicit letter(const address& to) {
    header.msg_name = const_cast<sockaddr*>(to.generic());
    header.msg_namelen = to.length;
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
  }
  letter(const letter&) = delete;
  letter& operator=(const letter&) = delete;
};

inline void send_to(int fd, const address& to, int flags = 0) {
  check("sendto", ::sendto(fd, "hello", 5, flags | MSG_NOSIGNAL, to.generic(), to.length));
}
inline void send_message(int fd, const address& to) {
  const letter l(to);
  check("sendmsg", ::sendmsg(fd, &l.header, MSG_NOSIGNAL));
}
inline void send_messages(int fd, const address& to) {
  const letter l(to);
  mmsghdr many{l.header, 0};
  check("sendmmsg", ::sendmmsg(fd, &many, 1, MSG_NOSIGNAL));
}

}  // namespace attempts
