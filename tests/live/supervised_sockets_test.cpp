// SPDX-License-Identifier: Apache-2.0
// Unix sockets beside a supervisor: what is granted or the sandbox's own is reachable, nothing else, however it is asked.
#include <chrono>
#include <thread>

#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "supervised_fixture.hpp"

using live::leakless;
using live::supervised;
using nono::protection;
using nono::standing;

namespace {

int type_of(std::string_view word) {
  return word == "stream" ? SOCK_STREAM : word == "seqpacket" ? SOCK_SEQPACKET : SOCK_DGRAM;
}

/// connect(2), and the three calls that send to an address.
const live::probe reach("reach", [](int, char** argv) {
  const std::string_view how = argv[0];
  const int type = type_of(argv[1]);
  const live::unix_address at(argv[2]);
  const int fd = ::socket(AF_UNIX, type, 0);
  if (fd < 0) return errno;
  char text[] = "hello";
  iovec part{text, sizeof text};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(at.get());
  message.msg_namelen = at.length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  mmsghdr many{message, 0};
  if (how == "connect") return live::error_of(::connect(fd, at.get(), at.length));
  if (how == "sendto") return live::error_of(::sendto(fd, text, sizeof text, 0, at.get(), at.length));
  if (how == "sendmsg") return live::error_of(::sendmsg(fd, &message, 0));
  if (how == "sendmmsg") return live::error_of(::sendmmsg(fd, &many, 1, 0));
  return live::odd;
});

/// A socketpair of datagram sockets can name a receiver, too.
const live::probe pair_sends("pair-sends", [](int, char** argv) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return errno;
  const live::unix_address at(argv[0]);
  return live::error_of(::sendto(ends[0], "x", 1, 0, at.get(), at.length));
});

/// A TCP socket that no port was bound to gets one from the kernel, and Landlock does not look.
const live::probe listen_unbound_probe("listen-unbound", [](int, char**) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  return fd < 0 ? errno : live::error_of(::listen(fd, 1));
});

/// A server and a client, both inside.
const live::probe own_server("own-server", [](int, char** argv) {
  const int type = type_of(argv[0]);
  const live::unix_server server(argv[1], type);
  if (argv[2] != nullptr) {  // moved after it was bound
    if (::rename(argv[1], argv[2]) != 0) return errno;
    return live::try_connect(argv[2], type);
  }
  return live::try_connect(argv[1], type);
});

/// A server that is bound inside, whose name then leads to a server outside.
const live::probe forged_server("forged-server", [](int, char** argv) {
  const std::string own = argv[0];
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const live::unix_address at(own);
  if (::bind(fd, at.get(), at.length) != 0 || ::unlink(own.c_str()) != 0) return live::odd;
  if (::symlink(argv[1], own.c_str()) != 0 || ::listen(fd, 8) != 0) return live::odd;
  return live::try_connect(own);
});

/// TCP to a server of its own.
const live::probe own_tcp("own-tcp", [](int, char** argv) {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  socklen_t size = sizeof at;
  if (server < 0) return errno;
  if (::bind(server, address, size) != 0 || ::listen(server, 8) != 0) return errno;
  if (::getsockname(server, address, &size) != 0) return live::odd;
  const bool blocks = std::string_view(argv[0]) == "blocking";
  const int fd = ::socket(AF_INET, SOCK_STREAM | (blocks ? 0 : SOCK_NONBLOCK), 0);
  const int why = live::error_of(::connect(fd, address, size));
  if (blocks ? why != 0 : why != 0 && why != EINPROGRESS) return why;
  if (blocks && ::connect(fd, address, size) == 0) return live::odd;
  if (blocks && errno != EISCONN) return errno;
  if ((::fcntl(fd, F_GETFL) & O_NONBLOCK) != (blocks ? 0 : O_NONBLOCK)) return live::odd;
  const int peer = ::accept(server, nullptr, nullptr);
  char byte = 0;
  if (peer < 0 || ::write(peer, "x", 1) != 1) return live::odd;
  (void)::fcntl(fd, F_SETFL, 0);
  if (::read(fd, &byte, 1) != 1 || byte != 'x') return live::odd;
  at.sin_port = htons(1);
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  return live::error_of(::connect(other, address, size)) == ECONNREFUSED ? 0 : live::odd;
});

/// What connect() says of arguments that are wrong.
const live::probe bad_connects("bad-connects", [](int, char** argv) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const live::unix_address at(argv[0]);
  const auto gives = [&](int wanted, long got, int line) {
    if (live::error_of(got) == wanted) return true;
    std::fprintf(stderr, "line %d: errno %d instead of %d\n", line, errno, wanted);
    return false;
  };
  bool good = gives(EBADF, ::connect(999, at.get(), at.length), __LINE__);
  good &= gives(EBADF, ::connect(-1, at.get(), at.length), __LINE__);
  const int file = ::open("/dev/null", O_RDONLY);
  good &= gives(ENOTSOCK, ::connect(file, at.get(), at.length), __LINE__);
  good &= gives(EFAULT, ::syscall(SYS_connect, fd, 8, at.length), __LINE__);
  good &= gives(EINVAL, ::connect(fd, at.get(), 0), __LINE__);
  good &= gives(EINVAL, ::connect(fd, at.get(), 4000), __LINE__);
  sockaddr_storage wide{};
  std::memcpy(&wide, at.get(), at.length);
  good &= gives(EINVAL, ::connect(fd, reinterpret_cast<const sockaddr*>(&wide), sizeof(sockaddr_un) + 1),
                __LINE__);
  good &= gives(EINVAL, ::connect(fd, at.get(), 2), __LINE__);
  sockaddr_un odd_family = at.address;
  odd_family.sun_family = AF_INET;
  good &= gives(EINVAL, ::connect(fd, reinterpret_cast<const sockaddr*>(&odd_family), at.length), __LINE__);
  good &=
      gives(ENOENT, live::error_of(-1) == 0 ? 0 : ::connect(fd, live::unix_address("/nowhere/s").get(), 14),
            __LINE__);
  good &= gives(ECONNREFUSED, ::connect(fd, live::unix_address("/dev/null").get(), 12), __LINE__);
  return good ? 0 : live::odd;
});

/// A signal comes while the caller waits for a server of its own whose queue is full; later there is room.
const live::probe interrupted_wait("interrupted-wait", [](int, char** argv) {
  const std::string_view how = argv[1];
  const live::unix_address at(argv[0]);
  const live::unix_server server(argv[0], SOCK_STREAM, 0);
  int full = 0;
  for (int i = 0; i < 64 && full == 0; ++i)
    full = live::error_of(::connect(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), at.get(), at.length));
  if (full != EAGAIN) return live::odd;
  struct sigaction action{};
  action.sa_handler = [](int) {};
  action.sa_flags = how == "breaks" ? 0 : SA_RESTART;
  (void)::sigaction(SIGALRM, &action, nullptr);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const timeval limit{5, 0};
  if (how == "limited") (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const pid_t caller = ::getpid();
  const pid_t helper = ::fork();
  if (helper == 0) {
    ::usleep(150000);
    if (how != "quiet") (void)::kill(caller, how == "stopped" ? SIGSTOP : SIGALRM);
    ::usleep(200000);
    if (how == "stopped") (void)::kill(caller, SIGCONT);
    ::usleep(100000);
    (void)server.visitors();  // makes room
    ::_exit(0);
  }
  const int why = live::error_of(::connect(fd, at.get(), at.length));
  (void)::waitpid(helper, nullptr, 0);
  return why;
});

/// What chmod costs while many callers wait for a server.
const live::probe chmod_beside_waiting("chmod-beside-waiting", [](int, char** argv) {
  const live::unix_server server(argv[0], SOCK_STREAM, 0);
  const live::unix_address at(argv[0]);
  int why = 0;
  const auto a_thousand = [&] {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000 && why == 0; ++i) why = live::error_of(::chmod(argv[0], 0700));
    return std::chrono::steady_clock::now() - start;
  };
  const auto alone = a_thousand();
  std::vector<pid_t> callers;
  for (int i = 0; i < 200; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(live::try_connect(argv[0]) == 0 ? 0 : 1);
    callers.push_back(pid);
  }
  ::usleep(300000);
  const auto beside = a_thousand();
  int bad = 0;
  for (const pid_t pid : callers) {  // everybody gets through in the end
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
      (void)server.visitors();
      ::usleep(100);
    }
    if (status != 0) ++bad;
  }
  if (why != 0 || bad != 0) return live::odd;
  return beside < 100 * alone ? 0 : 1;  // looking at all of them for each takes 150 times as long
});

/// A server whose queue is full makes a blocking caller wait, as long as SO_SNDTIMEO says.
const live::probe full_queue("full-queue", [](int, char** argv) {
  const live::unix_address at(argv[0]);
  int full = 0;
  for (int i = 0; i < 64 && full == 0; ++i)
    full = live::error_of(::connect(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), at.get(), at.length));
  if (full != EAGAIN) return live::odd;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const timeval limit{0, 200000};
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  timespec before{};
  timespec after{};
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  if (live::error_of(::connect(fd, at.get(), at.length)) != EAGAIN) return live::odd;
  ::clock_gettime(CLOCK_MONOTONIC, &after);
  const double waited = static_cast<double>(after.tv_sec - before.tv_sec) +
                        1e-9 * static_cast<double>(after.tv_nsec - before.tv_nsec);
  if (waited < 0.19 || waited > 5) return live::odd;
  ::alarm(20);
  int patient = -1;
  std::thread waiter(
      [&] { patient = live::error_of(::connect(::socket(AF_UNIX, SOCK_STREAM, 0), at.get(), at.length)); });
  ::usleep(50000);
  const int other =
      live::error_of(::chmod(argv[0], 0600));  // who asks for something else is answered meanwhile
  if (::write(STDOUT_FILENO, "now", 3) != 3) return live::odd;
  waiter.join();
  return other == EPERM ? patient : live::odd;
});

/// A server inside that has gone, whose file's number a server outside may get.
const live::probe gone_server("gone-server", [](int, char** argv) {
  struct stat st{};
  {
    const live::unix_server server(argv[0]);
    if (::stat(argv[0], &st) != 0 || live::try_connect(argv[0]) != 0) return live::odd;
  }
  if (::unlink(argv[0]) != 0) return errno;
  const std::string number = std::to_string(st.st_ino);
  if (::write(STDOUT_FILENO, number.c_str(), number.size() + 1) < 0) return live::odd;
  char word = 0;
  if (::read(STDIN_FILENO, &word, 1) != 1) return live::odd;
  return live::try_connect(argv[1]);
});

/// A server inside whose file has the number of another's elsewhere.
const live::probe same_number("same-number", [](int, char** argv) {
  struct stat wanted{};
  struct stat own{};
  if (::stat(argv[1], &wanted) != 0 || live::try_connect(argv[1]) != EACCES) return live::odd;
  const live::unix_address at(argv[0]);
  int fd = -1;
  while (own.st_ino < wanted.st_ino) {
    ::close(fd);
    (void)::unlink(argv[0]);
    fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::bind(fd, at.get(), at.length) != 0 || ::stat(argv[0], &own) != 0) return errno;
  }
  if (own.st_ino != wanted.st_ino || own.st_dev == wanted.st_dev) return live::odd;
  if (::listen(fd, 8) != 0 || live::try_connect(argv[0]) != 0) return live::odd;
  return live::try_connect(argv[1]);
});

/// A connection that a server outside has accepted, and that is told to listen.
const live::probe accepted_listens("accepted-listens", [](int, char** argv) {
  if (live::try_connect(argv[0]) != EACCES) return live::odd;
  if (live::error_of(::listen(STDIN_FILENO, 8)) != EINVAL) return live::odd;
  return live::try_connect(argv[0]);
});

nono::capability_set blocked(std::initializer_list<live::grant> grants = {}) {
  nono::capability_set out = live::allow(grants);
  out.network(nono::blocked);
  return out;
}
nono::capability_set with_network(nono::network_mode mode, std::initializer_list<live::grant> grants = {}) {
  nono::capability_set out = live::allow(grants);
  if (mode == nono::network_mode::blocked) out.network(nono::blocked);
  if (mode == nono::network_mode::loopback) out.network(nono::loopback);
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(leakless, "supervised: sockets outside every grant are unreachable") {
  const live::scratch home;
  const live::scratch outside;
  const std::string work = home.directory("work");
  const live::unix_server stream(outside / "docker.sock");
  const live::unix_server seqpacket(outside / "seq.sock", SOCK_SEQPACKET);
  const live::unix_server datagram(outside / "log.sock", SOCK_DGRAM);
  const std::string abstract = "@nono-live-" + std::to_string(::getpid());
  const live::unix_server hidden(abstract);
  live::must(::symlink((outside / "docker.sock").c_str(), (work + "/link").c_str()) == 0, "symlink");
  live::must(::symlink(outside.path().c_str(), (work + "/dir").c_str()) == 0, "symlink");

  for (const std::string_view how : {"connect", "sendto", "sendmsg", "sendmmsg"}) {
    CAPTURE(std::string(how));
    CHECK(live::without_sandbox({"reach", how, "datagram", outside / "log.sock"}) == 0);
    CHECK(datagram.visitors() == (how == "connect" ? 0 : 1));
    CHECK(supervised(blocked({{work, nono::read_write}}), {"reach", how, "datagram", outside / "log.sock"}) ==
          EACCES);
    CHECK(datagram.visitors() == 0);
  }
  const auto refused = [&](std::string_view type, const std::string& path) {
    return supervised(blocked({{work, nono::read_write}}), {"reach", "connect", type, path});
  };
  CHECK(refused("stream", outside / "docker.sock") == EACCES);
  CHECK(refused("stream", work + "/link") == EACCES);
  CHECK(refused("stream", work + "/dir/docker.sock") == EACCES);
  CHECK(refused("stream", work + "/../../" + outside.path().substr(5) + "/docker.sock") == EACCES);
  CHECK(refused("stream", "/proc/self/root" + outside.path() + "/docker.sock") == EACCES);
  CHECK(refused("stream",
                "/proc/" + std::to_string(::getpid()) + "/root" + outside.path() + "/docker.sock") == EACCES);
  CHECK(refused("seqpacket", outside / "seq.sock") == EACCES);
  if (live::has_abi(6)) CHECK(refused("stream", abstract) == EPERM);
  CHECK(supervised(blocked(), {"pair-sends", outside / "log.sock"}) == EACCES);
  CHECK(stream.visitors() == 0);
  CHECK(seqpacket.visitors() == 0);
  CHECK(hidden.visitors() == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: what is granted is reachable, and no more") {
  const live::scratch home;
  const live::unix_server one(home / "one.sock");
  const live::unix_server two(home / "two.sock", SOCK_SEQPACKET);
  const auto one_only = [&] { return blocked({{home / "one.sock", nono::right::connect_unix}}); };
  nono::enforcement report;
  CHECK(supervised(one_only(), {"reach", "connect", "stream", home / "one.sock"}, &report) == 0);
  CHECK(one.visitors() == 1);
  if (live::landlock_abi() < 9) CHECK(report.of(protection::pathname_unix) == standing::by_supervisor);
  CHECK(supervised(one_only(), {"reach", "connect", "seqpacket", home / "two.sock"}) == EACCES);
  CHECK(two.visitors() == 0);

  CHECK(supervised(blocked({{home.path(), nono::right::connect_unix}}),
                   {"reach", "connect", "seqpacket", home / "two.sock"}) == 0);
  CHECK(two.visitors() == 1);
  // Reading and writing a directory is not talking to whoever serves there.
  CHECK(supervised(blocked({{home.path(), nono::read_write}}),
                   {"reach", "connect", "stream", home / "one.sock"}) == EACCES);
  CHECK(one.visitors() == 0);

  nono::capability_set any = blocked();
  any.unix_sockets(nono::unix_sockets::any);
  CHECK(supervised(std::move(any), {"reach", "connect", "stream", home / "one.sock"}) == 0);
  CHECK(one.visitors() == 1);
}

TEST_CASE_FIXTURE(leakless, "supervised: what is lifted is open") {
  const std::string abstract = "@nono-live-lifted-" + std::to_string(::getpid());
  const live::unix_server server(abstract);
  nono::capability_set policy = blocked();
  policy.lift(protection::abstract_unix);
  CHECK(supervised(std::move(policy), {"reach", "connect", "stream", abstract}) == 0);
  CHECK(server.visitors() == 1);
}

TEST_CASE_FIXTURE(leakless, "supervised: of what is no socket, ordinary permissions are asked first") {
  const live::scratch home;
  const std::string file = home.file("file");
  CHECK(supervised(blocked(), {"reach", "connect", "stream", file}) == ECONNREFUSED);
  live::must(::chmod(file.c_str(), 0400) == 0, file);
  CHECK(supervised(blocked(), {"reach", "connect", "stream", file}) ==
        EACCES);  // root has no capabilities there
}

TEST_CASE_FIXTURE(leakless, "supervised: servers inside the sandbox are reachable from inside") {
  const live::scratch home;
  const auto run = [&](std::initializer_list<std::string_view> words) {
    return supervised(blocked({{home.path(), nono::read_write}}), words);
  };
  CHECK(run({"own-server", "stream", home / "a.sock"}) == 0);
  CHECK(run({"own-server", "seqpacket", home / "b.sock"}) == 0);
  CHECK(run({"own-server", "stream", "@nono-live-own"}) == 0);
  CHECK(run({"own-server", "stream", home / "c.sock", home / "moved.sock"}) == 0);
  // Who serves is the kernel's word, not the name that a server was bound to.
  const live::scratch outside;
  const live::unix_server other(outside / "other.sock");
  CHECK(run({"forged-server", home / "d.sock", outside / "other.sock"}) == EACCES);
  CHECK(other.visitors() == 0);
  // In a network of its own, too: the kernel is asked in that network.
  const auto own = [&](std::initializer_list<std::string_view> words) {
    return supervised(with_network(nono::network_mode::loopback, {{home.path(), nono::read_write}}), words);
  };
  CHECK(own({"own-server", "stream", home / "e.sock"}) == 0);
  CHECK(own({"own-server", "stream", "@nono-live-own"}) == 0);
  CHECK(own({"reach", "connect", "stream", outside / "other.sock"}) == EACCES);
  CHECK(other.visitors() == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: a server that has gone lends its place to nobody") {
  const live::scratch home;
  const std::string work = home.directory("work");
  const std::string program = live::self();
  nono::spawn_options options;
  options.in = nono::stream::pipe();
  options.out = nono::stream::pipe();
  auto child =
      nono::spawn_supervised(live::with_system({{program, nono::read}, {work, nono::read_write}}),
                             {program, "--probe", "gone-server", work + "/s", home / "other"}, options);
  REQUIRE(child.has_value());
  char number[32] = {};
  REQUIRE(::read(child->out(), number, sizeof number - 1) > 0);
  bool same = false;
  for (int i = 0; i < 200 && !same; ++i) {
    (void)::unlink((home / "other").c_str());
    const live::unix_server outside(home / "other");
    struct stat st{};
    live::must(::stat((home / "other").c_str(), &st) == 0, "stat");
    same = std::to_string(st.st_ino) == number;
    if (!same && i < 199) continue;
    REQUIRE(::write(child->in(), "x", 1) == 1);
    CHECK(child->wait()->code == EACCES);
    CHECK(outside.visitors() == 0);
  }
  MESSAGE("the number of the file was ", std::string(same ? "given again" : "not given again"));
}

TEST_CASE_FIXTURE(leakless, "supervised: a server lends its number to nobody on another file system") {
  if (::geteuid() != 0) return;  // who mounts
  const live::scratch home;
  const std::string own = home.directory("own");
  const std::string others = home.directory("others");
  CHECK(live::in_child([&] {
          if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            return live::odd;
          for (const std::string& place : {own, others})
            if (::mount("nono", place.c_str(), "tmpfs", 0, nullptr) != 0) return live::odd;
          for (int i = 0; i < 200; ++i) {  // what has been used before
            const std::string name = others + "/used";
            ::close(::open(name.c_str(), O_CREAT | O_WRONLY, 0600));
            (void)::unlink(name.c_str());
          }
          const live::unix_server outside(others + "/s");
          const int got =
              supervised(blocked({{own, nono::read_write}}), {"same-number", own + "/s", others + "/s"});
          return outside.visitors() == 0 ? got : live::odd;
        }) == EACCES);
}

TEST_CASE_FIXTURE(leakless, "supervised: a file system that invents devices has servers, too") {
  if (::geteuid() != 0) return;  // who mounts
  const live::scratch home;
  const std::string place = home.directory("place");
  CHECK(live::in_child([&] {
          if (::unshare(CLONE_NEWNS) != 0 ||
              ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
              ::mount("nono", place.c_str(), "tmpfs", 0, nullptr) != 0)
            return live::odd;
          for (const char* part : {"/lower", "/upper", "/work", "/merged"})
            if (::mkdir((place + part).c_str(), 0755) != 0) return live::odd;
          const std::string layers =
              "lowerdir=" + place + "/lower,upperdir=" + place + "/upper,workdir=" + place + "/work";
          const std::string merged = place + "/merged";
          if (::mount("overlay", merged.c_str(), "overlay", 0, layers.c_str()) != 0) return errno;
          const live::unix_server outside(merged + "/outside");
          if (supervised(blocked({{merged, nono::read_write}}),
                         {"reach", "connect", "stream", merged + "/outside"}) != EACCES)
            return live::odd;
          return supervised(blocked({{merged, nono::read_write}}), {"own-server", "stream", merged + "/own"});
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: what was accepted makes nobody a server of the sandbox's own") {
  const live::scratch home;
  const live::unix_server outside(home / "s");
  const int caller = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const live::unix_address at(home / "s");
  live::must(::connect(caller, at.get(), at.length) == 0, "connect");
  const int accepted = ::accept4(outside.fd(), nullptr, nullptr, SOCK_CLOEXEC);
  live::must(accepted >= 0, "accept");
  const std::string program = live::self();
  nono::spawn_options options;
  options.in = nono::stream::from(accepted);
  auto child = nono::spawn_supervised(live::with_system({{program, nono::read}}),
                                      {program, "--probe", "accepted-listens", home / "s"}, options);
  REQUIRE(child.has_value());
  CHECK(child->wait()->code == EACCES);
  CHECK(outside.visitors() == 0);
  ::close(accepted);
  ::close(caller);
}

TEST_CASE_FIXTURE(leakless, "supervised: other families connect as they did") {
  for (const std::string_view how : {"blocking", "nonblocking"}) {
    CAPTURE(std::string(how));
    CHECK(supervised(with_network(nono::network_mode::loopback), {"own-tcp", how}) == 0);
    CHECK(supervised(with_network(nono::network_mode::unrestricted), {"own-tcp", how}) == 0);
    CHECK(supervised(with_network(nono::network_mode::blocked), {"own-tcp", how}) == EACCES);
  }
}

TEST_CASE_FIXTURE(leakless, "supervised: without a port to bind no TCP socket listens") {
  if (!live::has_abi(4)) return;
  nono::capability_set policy;
  policy.network(nono::only(nono::connect_tcp(443)));
  CHECK(supervised(std::move(policy), {"listen-unbound"}) == EACCES);
}

TEST_CASE_FIXTURE(leakless, "supervised: bad calls get the kernel's answers") {
  const live::scratch home;
  const live::unix_server server(home / "s");
  CHECK(supervised(blocked({{home / "s", nono::right::connect_unix}}), {"bad-connects", home / "s"}) == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: who has to wait for a server waits, and nobody else does") {
  const live::scratch home;
  const live::unix_server server(home / "s", SOCK_STREAM, 0);
  const std::string program = live::self();
  nono::capability_set policy =
      live::with_system({{program, nono::read}, {home / "s", nono::right::connect_unix}});
  nono::spawn_options options;
  options.out = nono::stream::pipe();
  auto child = nono::spawn_supervised(policy, {program, "--probe", "full-queue", home / "s"}, options);
  REQUIRE(child.has_value());
  char text[4] = {};
  CHECK(::read(child->out(), text, 3) == 3);
  CHECK(std::string(text) == "now");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(server.visitors() > 0);  // makes room
  const auto status = child->wait();
  REQUIRE(status.has_value());
  CHECK(status->code == 0);
  (void)server.visitors();
}

TEST_CASE_FIXTURE(leakless, "supervised: a signal ends a wait as it would without a supervisor") {
  struct expected {
    std::string_view how;
    int why;
  };
  for (const expected& e :
       {expected{"quiet", 0}, {"breaks", EINTR}, {"restarts", 0}, {"stopped", 0}, {"limited", EINTR}}) {
    for (const bool abstract : {false, true}) {
      CAPTURE(std::string(e.how));
      CAPTURE(abstract);
      const live::scratch home;
      const std::string name = abstract ? "@nono-live-wait" : home / "s";
      CHECK(live::without_sandbox({"interrupted-wait", name, e.how}) == e.why);
      if (!abstract) live::must(::unlink(name.c_str()) == 0, name);
      CHECK(supervised(blocked({{home.path(), nono::read_write}}), {"interrupted-wait", name, e.how}) ==
            e.why);
    }
  }
}

TEST_CASE_FIXTURE(leakless, "supervised: those who wait for a server slow nobody down") {
  const live::scratch home;
  CHECK(supervised(blocked({{home.path(), nono::read_write}}), {"chmod-beside-waiting", home / "s"}) == 0);
}
