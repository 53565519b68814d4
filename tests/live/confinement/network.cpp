// SPDX-License-Identifier: Apache-2.0
// The network: out to a server, and in from a client. Nothing here goes further than to this machine's loopback.
#include <cstdio>
#include <fstream>

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/vm_sockets.h>
#include <netinet/ip_icmp.h>
#include <poll.h>

#include <linux/inet_diag.h>

#include "ring.hpp"
#include "sockets.hpp"

namespace attempts {
namespace {

constexpr int protocol_mptcp = 262;
constexpr int family_smc = 43;
constexpr int family_xdp = 44;
constexpr int fast_open = 0x20000000;  // MSG_FASTOPEN

/// Lets somebody outside connect: the driver reads the port from standard output.
void be_called(int fd) {
  check("listen", ::listen(fd, 1));
  sockaddr_in bound{};
  socklen_t length = sizeof bound;
  check("getsockname", ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length));
  print("listening tcp " + std::to_string(ntohs(bound.sin_port)));
  pollfd caller{fd, POLLIN, 0};  // MPTCP's accept knows no time limit
  if (check("poll", ::poll(&caller, 1, 1000)) == 0) throw stopped{"nobody connected", ETIMEDOUT};
  print_answer(check("accept", ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC)));
}

void bind_to(int fd, const address& at) { check("bind", ::bind(fd, at.generic(), at.length)); }

void bind_low_port(const facts&) {
  const int fd = make_socket(AF_INET, SOCK_STREAM);
  for (long port = 1023; port > 900; --port) {  // one that is free
    const address at = loopback(port);
    if (::bind(fd, at.generic(), at.length) == 0) return be_called(fd);
    if (errno != EADDRINUSE) throw stopped{"bind", errno};
  }
  throw cannot{"no free port below 1024"};
}

void receive_udp(const facts&) {
  const int fd = make_socket(AF_INET, SOCK_DGRAM);
  bind_to(fd, loopback(0));
  sockaddr_in bound{};
  socklen_t length = sizeof bound;
  check("getsockname", ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length));
  print("listening udp " + std::to_string(ntohs(bound.sin_port)));
  print_answer(fd);
}

/// The kernel of the loopback interface answers.
void ping(int type) {
  const int fd = make_socket(AF_INET, type, IPPROTO_ICMP);
  icmphdr echo{};
  echo.type = ICMP_ECHO;
  echo.checksum = static_cast<std::uint16_t>(~htons(ICMP_ECHO << 8));
  const address to = loopback(0);
  check("sendto", ::sendto(fd, &echo, sizeof echo, 0, to.generic(), to.length));
  char answer[256];
  check("recv", ::recv(fd, answer, sizeof answer, 0));
}

void fast_open_by_sendto(const facts& f) {
  const int fd = make_socket(AF_INET, SOCK_STREAM);
  send_to(fd, loopback(f.number("tcp")), fast_open);
  print_answer(fd);
}

/// A filter of socket() does not see this one.
int socket_of_ring(ring& r, int type) {
  io_uring_sqe make{};
  make.opcode = IORING_OP_SOCKET;
  make.fd = AF_INET;
  make.off = static_cast<std::uint64_t>(type);
  const int fd = r.submit("io_uring socket", make);
  limit_time(fd);
  return fd;
}

void ask_udp_by_ring(const facts& f) {
  ring r;
  const int fd = socket_of_ring(r, SOCK_DGRAM);
  send_to(fd, loopback(f.number("udp")));
  print_answer(fd);
}

void connect_by_ring(const facts& f) {
  ring r;
  const address to = loopback(f.number("tcp"));
  const int fd = socket_of_ring(r, SOCK_STREAM);
  ask_by_ring(r, fd, to);
}

void vsock(const facts&) {
  const int fd = make_socket(AF_VSOCK, SOCK_STREAM);
  sockaddr_vm any{};
  any.svm_family = AF_VSOCK;
  any.svm_cid = VMADDR_CID_ANY;
  any.svm_port = VMADDR_PORT_ANY;
  bind_to(fd, address::of(any));
  check("listen", ::listen(fd, 1));
}

/// Sends a netlink request and gives back the type of the answer, or ends the attempt.
template <class Request>
nlmsghdr ask_kernel(int protocol, const Request& request, char* answer, std::size_t room) {
  const int fd = make_socket(AF_NETLINK, SOCK_RAW, protocol);
  check("send", ::send(fd, &request, sizeof request, 0));
  const ssize_t n = check("recv", ::recv(fd, answer, room, 0));
  nlmsghdr first{};
  if (static_cast<std::size_t>(n) < sizeof first) throw stopped{"netlink", EPROTO};
  std::memcpy(&first, answer, sizeof first);
  if (first.nlmsg_type == NLMSG_ERROR) {
    nlmsgerr why{};
    std::memcpy(&why, answer + sizeof first, sizeof why);
    if (why.error < 0) throw stopped{"netlink", -why.error};
  }
  return first;
}

void list_interfaces(const facts&) {
  struct {
    nlmsghdr header{sizeof(nlmsghdr) + sizeof(ifinfomsg), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
    ifinfomsg what{};
  } request;
  char answer[16384];
  const nlmsghdr first = ask_kernel(NETLINK_ROUTE, request, answer, sizeof answer);
  // Everybody has a loopback interface; it is the machine's others that are somebody's business.
  const std::size_t length = NLMSG_ALIGN(first.nlmsg_len);
  nlmsghdr second{};
  if (length + sizeof second <= sizeof answer) std::memcpy(&second, answer + length, sizeof second);
  if (second.nlmsg_type != RTM_NEWLINK) throw stopped{"netlink: the loopback interface alone", ENODEV};
}

/// No interface has this number, so nothing changes: but who may not change any is told so before.
void change_interface(const facts&) {
  struct {
    nlmsghdr header{sizeof(nlmsghdr) + sizeof(ifinfomsg), RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0};
    ifinfomsg what{};
  } request;
  request.what.ifi_index = 0x7ffffff0;
  char answer[4096];
  try {
    ask_kernel(NETLINK_ROUTE, request, answer, sizeof answer);
  } catch (const stopped& s) {
    if (s.error != ENODEV) throw;
  }
}

/// Lists the sockets of all processes, and finds the one of the server.
void list_sockets(const facts& f) {
  struct {
    nlmsghdr header{sizeof(nlmsghdr) + sizeof(inet_diag_req_v2), SOCK_DIAG_BY_FAMILY,
                    NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
    inet_diag_req_v2 what{};
  } request;
  request.what.sdiag_family = AF_INET;
  request.what.sdiag_protocol = IPPROTO_TCP;
  request.what.idiag_states = 1U << 10U;  // listening
  static char answer[65536];
  nlmsghdr head = ask_kernel(NETLINK_SOCK_DIAG, request, answer, sizeof answer);
  for (std::size_t at = 0; head.nlmsg_type == SOCK_DIAG_BY_FAMILY;
       std::memcpy(&head, answer + at, sizeof head)) {
    inet_diag_msg socket{};
    std::memcpy(&socket, answer + at + sizeof head, sizeof socket);
    if (ntohs(socket.id.idiag_sport) == f.number("tcp")) return;
    at += NLMSG_ALIGN(head.nlmsg_len);
    if (at + sizeof head + sizeof socket > sizeof answer) break;
  }
  throw stopped{"netlink: the server is not in the list", ENOENT};
}

/// Without a netlink socket: the kernel lists them in a file, too.
void list_sockets_by_file(const facts& f) {
  char port[8];
  std::snprintf(port, sizeof port, ":%04lX", f.number("tcp"));
  std::ifstream in("/proc/net/tcp");
  if (!in) throw stopped{"open", errno};
  for (std::string line; std::getline(in, line);)
    if (line.find(port) != std::string::npos) return;
  throw stopped{"the server is not in the list", ENOENT};
}

void only_a_socket(int family, int type, int protocol) { make_socket(family, type, protocol); }

constexpr attempt all[] = {
    {"tcp", proof::secret, "connects by TCP",
     [](const facts& f) { ask(make_socket(AF_INET, SOCK_STREAM), loopback(f.number("tcp"))); }},
    {"tcp_ipv6", proof::secret, "connects by TCP over IPv6",
     [](const facts& f) {
       if (f.number("tcp6") == 0) throw cannot{"this machine has no IPv6"};
       ask(make_socket(AF_INET6, SOCK_STREAM), loopback6(f.number("tcp6")));
     }},
    {"tcp_mapped", proof::secret, "connects by TCP over IPv6 to an IPv4 address",
     [](const facts& f) {
       sockaddr_in6 to{};
       to.sin6_family = AF_INET6;
       to.sin6_port = htons(static_cast<std::uint16_t>(f.number("tcp")));
       (void)::inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
       ask(make_socket(AF_INET6, SOCK_STREAM), address::of(to));
     }},
    {"tcp_fast_open", proof::secret, "connects by TCP Fast Open, without connect()", fast_open_by_sendto},
    {"mptcp", proof::secret, "connects by MPTCP, which falls back to TCP",
     [](const facts& f) {
       ask(make_socket(AF_INET, SOCK_STREAM, protocol_mptcp), loopback(f.number("tcp")));
     }},
    {"smc", proof::secret, "connects by SMC, which falls back to TCP",
     [](const facts& f) { ask(make_socket(family_smc, SOCK_STREAM), loopback(f.number("tcp"))); }},
    {"tcp_by_io_uring", proof::secret, "connects by TCP through a ring, which makes the socket as well",
     connect_by_ring},
    {"tcp_listen", proof::secret, "listens on a port, and is connected to",
     [](const facts&) {
       const int fd = make_socket(AF_INET, SOCK_STREAM);
       bind_to(fd, loopback(0));
       be_called(fd);
     }},
    {"tcp_listen_unbound", proof::secret, "listens without bind(), on a port of the kernel's choice",
     [](const facts&) { be_called(make_socket(AF_INET, SOCK_STREAM)); }},
    {"tcp_listen_low", proof::secret, "listens on a port below 1024", bind_low_port, needs::root},
    {"mptcp_listen", proof::secret, "listens by MPTCP",
     [](const facts&) { be_called(make_socket(AF_INET, SOCK_STREAM, protocol_mptcp)); }},
    {"udp_sendto", proof::secret, "asks by UDP with sendto()",
     [](const facts& f) {
       const int fd = make_socket(AF_INET, SOCK_DGRAM);
       send_to(fd, loopback(f.number("udp")));
       print_answer(fd);
     }},
    {"udp_sendmmsg", proof::secret, "asks by UDP with sendmmsg()",
     [](const facts& f) {
       const int fd = make_socket(AF_INET, SOCK_DGRAM);
       send_messages(fd, loopback(f.number("udp")));
       print_answer(fd);
     }},
    {"udp_connect", proof::secret, "asks by UDP with connect()",
     [](const facts& f) { ask(make_socket(AF_INET, SOCK_DGRAM), loopback(f.number("udp"))); }},
    {"udp_receive", proof::secret, "receives by UDP from outside", receive_udp},
    {"udp_by_io_uring", proof::secret, "asks by UDP, with a socket that a ring made", ask_udp_by_ring},
    {"ping", proof::call, "pings by a ping socket", [](const facts&) { ping(SOCK_DGRAM); }},
    {"raw_icmp", proof::call, "pings by a raw socket", [](const facts&) { ping(SOCK_RAW); }, needs::root},
    {"packet", proof::call, "opens a socket that sees every packet",
     [](const facts&) { only_a_socket(AF_PACKET, SOCK_RAW, htons(3)); }, needs::root},
    {"xdp", proof::call, "opens a socket below the network stack",
     [](const facts&) { only_a_socket(family_xdp, SOCK_RAW, 0); }, needs::root},
    {"vsock", proof::call, "listens for the host of a virtual machine", vsock},
    {"sctp", proof::call, "opens an SCTP socket",
     [](const facts&) { only_a_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP); }},
    {"alg", proof::call, "opens a socket of the kernel's cryptography",
     [](const facts&) { only_a_socket(AF_ALG, SOCK_SEQPACKET, 0); }},
    {"interfaces", proof::call, "lists the machine's network interfaces", list_interfaces},
    {"change_interface", proof::call, "is allowed to change a network interface", change_interface,
     needs::root},
    {"list_sockets", proof::call, "lists the sockets of other processes", list_sockets},
    {"list_sockets_by_file", proof::call, "lists them by /proc/net", list_sockets_by_file},
};

}  // namespace

const std::span<const attempt> network_attempts = all;

}  // namespace attempts
