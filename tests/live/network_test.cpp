// SPDX-License-Identifier: Apache-2.0
// The network of a sandbox: blocked, or single ports. Nothing here sends a packet further than to this machine's
// loopback.
#include "network_fixture.hpp"

#include <netinet/tcp.h>
#include <sys/syscall.h>

using live::attempt;
using live::connect_tcp;
using live::error_of;
using live::generic;
using live::kinds;
using live::loopback_port;
using live::make;
using live::mptcp;
using live::outcome;
using live::server;
using live::socket_kind;
using live::unix_pair;

namespace {

constexpr int fast_open = 0x20000000;  // MSG_FASTOPEN

int bind_tcp(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  const int yes = 1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in address = loopback_port(port);
  if (::bind(fd, generic(address), sizeof address) != 0) return errno;
  return error_of(::listen(fd, 1));
}

int listen_unbound() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  return fd < 0 ? errno : error_of(::listen(fd, 1));
}

nono::capability_set one_port(nono::port_use use, std::uint16_t port) {
  nono::capability_set out;
  nono::only_ports ports{{nono::network_mode::ports, 1, {}}};
  ports.rule.ports[0] = {use, port};
  out.network(ports);
  return out;
}

/// Refused under `policy`; and if it cannot be made without a sandbox either, that is for another reason.
template <class Policy>
void check_refused(const Policy& policy, const socket_kind& kind) {
  CAPTURE(std::string(kind.name));
  const outcome got = attempt(policy, [&] { return make(kind); });
  CHECK(got.with == EACCES);
  const bool absent =
      got.without == EPROTONOSUPPORT || got.without == EAFNOSUPPORT || got.without == ESOCKTNOSUPPORT;
  const bool not_for_users = kind.privileged && (got.without == EPERM || got.without == EACCES);
  if (absent) MESSAGE("this kernel has no such socket: ", std::string(kind.name));
  CHECK((got.without == 0 || absent || not_for_users));
  if (live::is_root() && not_for_users) MESSAGE("refused to this root as well: ", std::string(kind.name));
}

int unix_socket() { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }

}  // namespace

TEST_CASE("network(blocked): every socket but unix ones is refused") {
  const auto policy = nono::caps().network(nono::blocked);
  for (const socket_kind& kind : kinds) check_refused(policy, kind);
  CHECK(attempt(policy, unix_pair) == outcome{0, 0});
  CHECK(attempt(policy, unix_socket) == outcome{0, 0});
  CHECK(attempt(policy, [] {
          int ends[2];
          return error_of(::socketpair(AF_INET, SOCK_STREAM, 0, ends));
        }).with == EACCES);
  // The kernel looks at 32 bits of the family, and so must the filter.
  CHECK(attempt(policy, [] {
          return error_of(::syscall(SYS_socket, 0x100000000L | AF_INET, SOCK_STREAM, 0));
        }) == outcome{0, EACCES});
  CHECK(live::confined(policy, [](const nono::enforcement& report) {
          return report.enforced(nono::protection::network) ? 0 : 1;
        }) == 0);
}

TEST_CASE("network(blocked): a TCP socket that is open already connects nowhere new") {
  if (!live::has_abi(4)) return;
  const server s;
  const auto connects = [&](auto policy) {
    return live::in_child([&] {
      const sockaddr_in address = loopback_port(s.port());
      s.close();
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      if (!nono::apply(policy)) return live::not_confined;
      return error_of(::connect(fd, generic(address), sizeof address));
    });
  };
  CHECK(connects(nono::caps()) == 0);
  CHECK(connects(nono::caps().network(nono::blocked)) == EACCES);
}

TEST_CASE("unix_sockets(none): socketpair alone") {
  const auto none = nono::caps().unix_sockets(nono::unix_sockets::none);
  CHECK(attempt(none, unix_socket) == outcome{0, EACCES});
  CHECK(attempt(none, [] { return error_of(::socket(AF_UNIX, SOCK_DGRAM, 0)); }) == outcome{0, EACCES});
  CHECK(attempt(none, unix_pair) == outcome{0, 0});
  CHECK(attempt(none, [] {  // an end could send anywhere
          int ends[2];
          return error_of(::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
        }) == outcome{0, EACCES});
  CHECK(attempt(none, [] { return make(kinds[0]); }) == outcome{0, 0});  // says nothing of the network
  const auto neither = none.network(nono::blocked);
  CHECK(attempt(neither, unix_socket) == outcome{0, EACCES});
  CHECK(attempt(neither, unix_pair) == outcome{0, 0});
  CHECK(attempt(neither, [] { return make(kinds[0]); }) == outcome{0, EACCES});
}

TEST_CASE("network(only(connect_tcp)): that port and no other, TCP and nothing else") {
  if (!live::has_abi(4)) return;
  const server s;
  const server other;
  const auto policy = one_port(nono::port_use::connect_tcp, s.port());
  CHECK(attempt(policy, [&] { return connect_tcp(s.port()); }) == outcome{0, 0});
  CHECK(attempt(policy, [&] { return connect_tcp(s.port(), IPPROTO_TCP); }) == outcome{0, 0});
  CHECK(attempt(policy, [&] { return connect_tcp(other.port()); }) == outcome{0, EACCES});
  for (const socket_kind& kind : kinds)
    if (!((kind.family == AF_INET || kind.family == AF_INET6) && kind.type == SOCK_STREAM &&
          (kind.protocol == 0 || kind.protocol == IPPROTO_TCP)))
      check_refused(policy, kind);
  // Not even to the port that is open: MPTCP and Fast Open pass by Landlock.
  CHECK(live::confined(policy, [&] { return connect_tcp(s.port(), mptcp); }) == EACCES);
  CHECK(attempt(policy, unix_socket) == outcome{0, 0});
  CHECK(attempt(policy, [] { return bind_tcp(0); }) == outcome{0, EACCES});
  CHECK(attempt(policy, listen_unbound) == outcome{0, EACCES});
}

TEST_CASE("network(only(connect_tcp)): TCP Fast Open is refused in each of its ways") {
  if (!live::has_abi(4)) return;
  const server s;
  const server other;
  const auto policy = one_port(nono::port_use::connect_tcp, s.port());
  static const sockaddr_in* target = nullptr;
  const sockaddr_in address = loopback_port(other.port());
  target = &address;
  const auto with_socket = [](auto send) {
    return [send] {
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      return fd < 0 ? errno : error_of(send(fd));
    };
  };
  static char data[] = "data";
  const auto send_to =
      with_socket([](int fd) { return ::sendto(fd, data, 4, fast_open, generic(*target), sizeof *target); });
  const auto message = [] {
    static iovec piece{data, 4};
    msghdr out{};
    out.msg_name = const_cast<sockaddr_in*>(target);
    out.msg_namelen = sizeof *target;
    out.msg_iov = &piece;
    out.msg_iovlen = 1;
    return out;
  };
  const auto send_msg = with_socket([message](int fd) {
    const msghdr m = message();
    return ::sendmsg(fd, &m, fast_open);
  });
  const auto send_mmsg = with_socket([message](int fd) {
    mmsghdr m{message(), 0};
    return ::sendmmsg(fd, &m, 1, fast_open);
  });
  const auto lazily = with_socket([](int fd) {
    const int yes = 1;
    if (::setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &yes, sizeof yes) != 0) return -1;
    return ::connect(fd, generic(*target), sizeof *target);
  });
  if (live::in_child(send_to) != 0) return live::skip("TCP Fast Open is off (net.ipv4.tcp_fastopen)");
  CHECK(attempt(policy, send_to) == outcome{0, EACCES});
  CHECK(attempt(policy, send_msg) == outcome{0, EACCES});
  CHECK(attempt(policy, send_mmsg) == outcome{0, EACCES});
  CHECK(attempt(policy, lazily) == outcome{0, EACCES});
  // Plain data on a connection that is allowed passes.
  CHECK(attempt(policy, [&] {
          const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
          const sockaddr_in open_port = loopback_port(s.port());
          if (::connect(fd, generic(open_port), sizeof open_port) != 0) return errno;
          if (::sendto(fd, data, 4, 0, nullptr, 0) != 4) return live::odd;
          const msghdr m = [] {
            msghdr out{};
            static iovec piece{data, 4};
            out.msg_iov = &piece;
            out.msg_iovlen = 1;
            return out;
          }();
          return ::sendmsg(fd, &m, 0) == 4 ? 0 : errno;
        }) == outcome{0, 0});
}

TEST_CASE("network(only(bind_tcp)): that port and no other") {
  if (!live::has_abi(4)) return;
  std::uint16_t port = 0;
  std::uint16_t second = 0;
  {
    const server a;  // two ports that were free a moment ago
    const server b;
    port = a.port();
    second = b.port();
  }
  const auto policy = one_port(nono::port_use::bind_tcp, port);
  CHECK(attempt(policy, [&] { return bind_tcp(port); }) == outcome{0, 0});
  CHECK(attempt(policy, [&] { return bind_tcp(second); }) == outcome{0, EACCES});
  CHECK(attempt(policy, [] { return bind_tcp(0); }) == outcome{0, EACCES});
  const server s;
  CHECK(attempt(policy, [&] { return connect_tcp(s.port()); }) == outcome{0, EACCES});
  const auto any_free_port = one_port(nono::port_use::bind_tcp, 0);
  CHECK(attempt(any_free_port, [] { return bind_tcp(0); }) == outcome{0, 0});
  CHECK(attempt(any_free_port, [&] { return bind_tcp(second); }) == outcome{0, EACCES});
  // Open on every kernel so far: where one port may be bound, a socket that listens without bind() gets another.
  CHECK(attempt(policy, listen_unbound) == outcome{0, 0});
}

TEST_CASE("network(hosts): an error, and nothing else in its place") {
  for (const bool best_effort : {false, true}) {
    nono::capability_set policy;  // known at run time only, so the compiler cannot say it
    policy.network(nono::hosts{"api.example.com"});
    if (best_effort) policy.best_effort(nono::protection::network);
    const auto confined = nono::apply(policy);
    REQUIRE_FALSE(confined.has_value());
    CHECK(confined.error().code == nono::errc::hosts_need_the_runner);
    const auto child = nono::spawn(policy, {"true"});
    REQUIRE_FALSE(child.has_value());
    CHECK(child.error().code == nono::errc::hosts_need_the_runner);
  }
}
