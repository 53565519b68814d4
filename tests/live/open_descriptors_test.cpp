// SPDX-License-Identifier: Apache-2.0
// Sockets from before that go past a policy: none is left to apply(), and none is handed to a child as a standard stream.
#include <sys/resource.h>
#include <sys/un.h>

#include "network_fixture.hpp"
#include "spawn_fixture.hpp"

using live::leakless;
using nono::errc;
using nono::protection;

namespace {

int of_unix(int type) { return ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0); }
int of_inet(int type) { return ::socket(AF_INET, type | SOCK_CLOEXEC, 0); }
/// One end of a pair whose other end stays open.
int end_of_pair(int type) {
  int ends[2];
  return ::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0 ? ends[0] : -1;
}
int listening_unix() {
  const int fd = of_unix(SOCK_STREAM);
  const sockaddr_un nameless{AF_UNIX, {}};  // the kernel chooses an abstract name
  const auto* address = reinterpret_cast<const sockaddr*>(&nameless);
  live::must(::bind(fd, address, sizeof nameless.sun_family) == 0 && ::listen(fd, 1) == 0, "listen");
  return fd;
}
int connected_tcp(const live::server& server) {
  const int fd = of_inet(SOCK_STREAM);
  const sockaddr_in address = live::loopback_port(server.port());
  live::must(::connect(fd, live::generic(address), sizeof address) == 0, "connect");
  return fd;
}

/// What apply() says in a process that has a socket open: nothing, or the end of its number.
template <class Policy>
int applied_with(const Policy& policy, const std::function<int()>& make) {
  return live::in_child([&] {
    const int fd = make();
    live::must(fd >= 0, "socket");
    const auto got = nono::apply(policy);
    if (got) return 0;
    const std::string name = "descriptor " + std::to_string(fd) + " ";
    const bool named = got.error().message().starts_with(name);
    return got.error().code == errc::socket_open && !named ? live::odd
                                                           : static_cast<int>(got.error().code) - 300;
  });
}
constexpr int refused = static_cast<int>(errc::socket_open) - 300;

nono::capability_set closed() {
  auto policy = live::with_system();
  policy.network(nono::blocked).unix_sockets(nono::unix_sockets::none);
  return policy;
}

}  // namespace

TEST_CASE_FIXTURE(
    leakless,
    "open descriptors: with unix_sockets(none) no unix socket is left that could be led elsewhere") {
  const auto none = nono::caps().unix_sockets(nono::unix_sockets::none);
  CHECK(applied_with(none, [] { return of_unix(SOCK_STREAM); }) == refused);
  CHECK(applied_with(none, [] { return of_unix(SOCK_SEQPACKET); }) == refused);
  CHECK(applied_with(none, [] { return of_unix(SOCK_DGRAM); }) == refused);
  CHECK(applied_with(none, [] { return end_of_pair(SOCK_DGRAM); }) == refused);
  CHECK(applied_with(none, listening_unix) == 0);
  CHECK(applied_with(none, [] { return end_of_pair(SOCK_STREAM); }) == 0);
  CHECK(applied_with(none, [] { return end_of_pair(SOCK_SEQPACKET); }) == 0);
  CHECK(applied_with(none, [] { return of_inet(SOCK_DGRAM); }) == 0);  // says nothing of the network
  const auto any = nono::caps().unix_sockets(nono::unix_sockets::any);
  CHECK(applied_with(any, [] { return of_unix(SOCK_STREAM); }) == 0);
  const auto given_up = none.best_effort(protection::pathname_unix);
  CHECK(applied_with(given_up, [] { return of_unix(SOCK_STREAM); }) == 0);
}

TEST_CASE_FIXTURE(leakless,
                  "open descriptors: with single ports only TCP is left that is connected or listens") {
  if (!live::has_abi(4)) return;
  const auto ports = nono::caps().network(nono::only(nono::connect_tcp(443)));
  CHECK(applied_with(ports, [] { return of_inet(SOCK_DGRAM); }) == refused);
  CHECK(applied_with(ports, [] { return of_inet(SOCK_STREAM); }) == refused);
  CHECK(applied_with(ports, [] { return ::socket(AF_INET, SOCK_STREAM, live::mptcp); }) == refused);
  CHECK(applied_with(ports, [] { return of_unix(SOCK_DGRAM); }) == 0);
  const live::server server;
  const auto connected = [&] {
    const int fd = connected_tcp(server);
    server.close();
    return fd;
  };
  CHECK(applied_with(ports, connected) == 0);
}

TEST_CASE_FIXTURE(leakless,
                  "open descriptors: where /proc is closed each number is tried, and not without end") {
  CHECK(live::in_child([] {
          const int fd = ::fcntl(of_inet(SOCK_DGRAM), F_DUPFD_CLOEXEC, 900);
          live::must(nono::apply(live::allow({{"/usr", nono::read}})).has_value(), "apply");
          const auto got = nono::apply(nono::caps().network(nono::blocked), nono::calling_thread_only);
          return !got && got.error().code == errc::socket_open && fd == 900 ? 0 : 1;
        }) == 0);
  // With room for no descriptor neither a list can be had nor a number tried.
  CHECK(live::in_child([] {
          rlimit limit{};
          ::getrlimit(RLIMIT_NOFILE, &limit);
          limit.rlim_cur = 0;
          live::must(::setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
          const auto got = nono::apply(nono::caps()
                                           .lift(protection::filesystem)
                                           .lift(protection::signals)
                                           .lift(protection::abstract_unix)
                                           .unix_sockets(nono::unix_sockets::any),
                                       nono::calling_thread_only);
          return !got && got.error().code == errc::descriptors_unseen ? 0 : 1;
        }) == 0);
  nono::detail::open_descriptors open;
  constexpr std::uint64_t most = 1U << 24U;
  CHECK(nono::detail::look_at_numbers(open, most, 1024));
  CHECK_FALSE(nono::detail::look_at_numbers(open, most + 1, 1024));
  const int fd = of_inet(SOCK_DGRAM);
  CHECK(nono::detail::look_at_numbers(open, static_cast<std::uint64_t>(fd) + 1, 3));
  CHECK(open.first_network_socket == fd);
  ::close(fd);
}

TEST_CASE_FIXTURE(leakless, "open descriptors: no standard stream of a child is a socket past its network") {
  const live::server server;
  const auto given = [](const nono::capability_set& policy, int fd) {
    nono::spawn_options options;
    options.in = nono::stream::from(fd);
    return live::spawn_error(policy, {"/bin/true"}, options);
  };
  const int udp = of_inet(SOCK_DGRAM);
  const int tcp = connected_tcp(server);
  const int unix_datagrams = of_unix(SOCK_DGRAM);
  CHECK(given(closed(), udp) == errc::socket_open);
  CHECK(given(closed(), tcp) == errc::socket_open);  // as apply() has it
  CHECK(given(closed(), unix_datagrams) == errc::socket_open);
  CHECK(given(live::with_system().network(nono::loopback), udp) == errc::socket_open);
  CHECK(given(live::with_system(), udp) == errc::none);
  CHECK(given(closed().best_effort(protection::network), tcp) == errc::none);
  if (live::has_abi(4)) {
    auto ports = live::with_system();
    ports.network(nono::only(nono::connect_tcp(443)));
    CHECK(given(ports, udp) == errc::socket_open);
    CHECK(given(ports, tcp) == errc::none);
  }
  int ends[2];
  live::must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  CHECK(given(closed(), ends[0]) == errc::none);  // as many programs start others

  nono::spawn_options options;
  options.err = nono::stream::from(udp);
  const auto supervised = nono::spawn_supervised(closed(), {"/bin/true"}, options);
  REQUIRE_FALSE(supervised.has_value());
  CHECK(supervised.error().message().starts_with("standard error is an open socket"));
  const auto prepared = nono::prepare(closed());
  REQUIRE(prepared.has_value());
  const auto child = prepared->spawn({"/bin/true"}, options);
  CHECK((!child && child.error().code == errc::socket_open));
  // An inherited one.
  CHECK(live::in_child([&] {
          live::must(::dup2(udp, 0) == 0, "dup2");
          return live::spawn_error(closed(), {"/bin/true"}) == errc::socket_open ? 0 : 1;
        }) == 0);
  for (const int fd : {udp, tcp, unix_datagrams, ends[0], ends[1]}) ::close(fd);
}
