// SPDX-License-Identifier: Apache-2.0
// network(loopback): a network of the child's own. Nothing here sends a packet further than to a loopback.
#include "network_fixture.hpp"

#include <sys/un.h>

using live::connect_tcp;
using live::error_of;
using live::generic;
using live::kinds;
using live::loopback_port;
using live::server;
using live::socket_kind;
using live::unix_pair;

namespace {

nono::capability_set own_loopback() {
  nono::capability_set out;
  out.network(nono::loopback);
  return out;
}

int number(const char* text) { return static_cast<int>(std::strtol(text, nullptr, 10)); }

const live::probe talk("talk-to-oneself", [](int, char**) {
  const server s;
  if (const int why = connect_tcp(s.port()); why != 0) return why;
  const int six = ::socket(AF_INET6, SOCK_STREAM, 0);  // IPv6 may be off, then this says nothing
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  if (six < 0 || ::bind(six, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL ? 0 : errno;
  return 0;
});
const live::probe connect_probe("connect", [](int, char** argv) {
  return connect_tcp(static_cast<std::uint16_t>(number(argv[0])));
});
// To connect a UDP socket looks for a route and sends nothing. 192.0.2.1 is for documentation: nobody has it.
int route_out() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address = loopback_port(9);
  address.sin_addr.s_addr = inet_addr("192.0.2.1");
  return fd < 0 ? errno : error_of(::connect(fd, generic(address), sizeof address));
}
const live::probe route("route-out", [](int, char**) { return route_out(); });
const live::probe family("socket", [](int, char** argv) {
  return error_of(::socket(number(argv[0]), number(argv[1]), number(argv[2])));
});
const live::probe pair("socketpair", [](int, char**) { return unix_pair(); });

int connect_abstract(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  return error_of(::connect(fd, reinterpret_cast<const sockaddr*>(&address),
                            static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())));
}
const live::probe abstract_probe("connect-abstract",
                                 [](int, char** argv) { return connect_abstract(argv[0]); });

bool loopback_possible() {
  const int got = live::spawned(own_loopback(), {"socketpair"});
  if (got == live::not_confined) live::skip("no network namespace for this user");
  return got != live::not_confined;
}

}  // namespace

TEST_CASE("network(loopback): a server and a client inside find each other, nothing outside is there") {
  if (!loopback_possible()) return;
  const server outside;
  const std::string port = std::to_string(outside.port());
  nono::enforcement report;
  CHECK(live::spawned(own_loopback(), {"talk-to-oneself"}, {}, &report) == 0);
  CHECK(report.of(nono::protection::network) == nono::standing::by_namespace);
  CHECK(live::spawned({}, {"connect", port}) == 0);
  CHECK(live::spawned(own_loopback(), {"connect", port}) == ECONNREFUSED);
  CHECK(live::spawned(own_loopback(), {"route-out"}) == ENETUNREACH);
  if (const int got = live::spawned({}, {"route-out"}); got != 0)
    MESSAGE("this machine has no route out either: ", std::string(std::strerror(got)));
}

TEST_CASE("network(loopback): a door is open before the child starts, and leads to who asked for it") {
  if (!loopback_possible()) return;
  constexpr std::uint16_t port = 4711;
  nono::spawn_options how;
  how.door = port;
  nono::capability_set policy = live::with_system({{live::self(), nono::read}});
  policy.network(nono::loopback);
  const std::string words[] = {live::self(), "--probe", "connect", std::to_string(port)};
  const std::string_view argv[] = {words[0], words[1], words[2], words[3]};
  auto started = nono::spawn(policy, std::span<const std::string_view>(argv), how);
  REQUIRE_MESSAGE(started.has_value(), started.error().message());
  REQUIRE(started->door() >= 0);
  CHECK((::fcntl(started->door(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(started->wait()->exit_code() == 0);  // in the queue of who accepts
  const int accepted = ::accept4(started->door(), nullptr, nullptr, SOCK_CLOEXEC);
  CHECK(accepted >= 0);
  ::close(accepted);
  CHECK(live::in_child([] { return connect_tcp(port); }) == ECONNREFUSED);  // from here it is not there
  // It belongs to a network of the child's own.
  policy.network(nono::unrestricted);
  const auto refused = nono::spawn(policy, std::span<const std::string_view>(argv), how);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == nono::errc::bad_argument);
}

TEST_CASE("network(loopback): no socket but IP, unix and the route netlink") {
  if (!loopback_possible()) return;
  for (const socket_kind& kind : kinds) {
    CAPTURE(std::string(kind.name));
    const std::string words[] = {std::to_string(kind.family), std::to_string(kind.type),
                                 std::to_string(kind.protocol)};
    const int got = live::spawned(own_loopback(), {"socket", words[0], words[1], words[2]});
    if (kind.family == AF_INET || kind.family == AF_INET6) {
      // Whatever it is, it stays inside; raw sockets want a capability that the child no longer has.
      CHECK((got == 0 || (kind.privileged && (got == EPERM || got == EACCES)) || got == EPROTONOSUPPORT ||
             got == EAFNOSUPPORT || got == ESOCKTNOSUPPORT));
    } else if (kind.family == AF_NETLINK && kind.protocol == 0) {
      CHECK(got == 0);
    } else {
      CHECK(got == EACCES);
    }
  }
  CHECK(live::spawned(own_loopback(), {"socketpair"}) == 0);
}

TEST_CASE("network(loopback): abstract unix sockets of the outside are out of reach") {
  if (!loopback_possible()) return;
  const std::string name = "nono-live-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())) == 0);
  REQUIRE(::listen(fd, 4) == 0);
  auto open = nono::capability_set();
  open.lift(nono::protection::abstract_unix);
  CHECK(live::spawned(std::move(open), {"connect-abstract", name}) == 0);
  CHECK(live::spawned(own_loopback(), {"connect-abstract", name}) == ECONNREFUSED);
  auto lifted = own_loopback();  // the namespace alone is enough
  lifted.lift(nono::protection::abstract_unix);
  CHECK(live::spawned(std::move(lifted), {"connect-abstract", name}) == ECONNREFUSED);
  ::close(fd);
}

TEST_CASE("network(loopback): needs a child") {
  const auto bound = nono::apply(own_loopback());  // known at run time only, for a capability_set
  REQUIRE_FALSE(bound.has_value());
  CHECK(bound.error().code == nono::errc::needs_child);
}

TEST_CASE("network(loopback): the user keeps its number, and root is not gained") {
  if (!loopback_possible()) return;
  CHECK(live::spawned(own_loopback(),
                      {"identity", std::to_string(::geteuid()), std::to_string(::getegid())}) == 0);
}
namespace {
const live::probe identity("identity", [](int, char** argv) {
  const bool same =
      ::getuid() == static_cast<uid_t>(number(argv[0])) && ::getgid() == static_cast<gid_t>(number(argv[1]));
  return same && ::sethostname("x", 1) != 0 ? 0 : 1;
});
}  // namespace
