// SPDX-License-Identifier: Apache-2.0
// The life of a supervised child: floods, deaths, stops, signals, outer supervisors. Nothing hangs, nothing stays behind.
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "supervised_fixture.hpp"

using live::leakless;
using live::supervised;
using nono::errc;
using nono::protection;
using nono::standing;

namespace {

/// One call of each kind that is decided. 0, or the first errno.
int one_of_each(const char* file, const char* socket) {
  if (::chmod(file, 0600) != 0) return errno;
  if (const int why = live::try_connect(socket); why != 0 && why != EAGAIN) return why;
  return live::error_of(::sched_setaffinity(::getpid(), sizeof(cpu_set_t), [] {
    static cpu_set_t all;
    (void)::sched_getaffinity(0, sizeof all, &all);
    return &all;
  }()));
}

/// N processes at once, all asking.
const live::probe flood("flood", [](int, char** argv) {
  const int processes = std::atoi(argv[0]);  // NOLINT(cert-err34-c)
  const live::unix_server server(argv[2], SOCK_STREAM, 4096);
  int wrong = 0;
  int running = 0;
  const auto reap = [&] {
    int status = 0;
    if (::wait(&status) > 0) --running;
    if (status != 0) ++wrong;
  };
  for (int i = 0; i < processes; ++i) {
    if (running == 64) reap();
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(one_of_each(argv[1], argv[2]));
    if (pid > 0) ++running;
    if (i % 32 == 0) (void)server.visitors();
  }
  while (running > 0) reap();
  return wrong == 0 ? 0 : live::odd;
});

/// Processes that are killed while they ask.
const live::probe die_asking("die-asking", [](int, char** argv) {
  const live::unix_server server(argv[1], SOCK_STREAM, 4096);
  for (int i = 0; i < 300; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0)
      for (;;) (void)one_of_each(argv[0], argv[1]);
    ::usleep(static_cast<useconds_t>(i * 7 % 900));
    (void)::kill(pid, i % 3 == 0 ? SIGSTOP : SIGKILL);
    if (i % 3 == 0) ::usleep(200);
    (void)::kill(pid, SIGKILL);
    (void)::waitpid(pid, nullptr, 0);
    (void)server.visitors();
  }
  return one_of_each(argv[0], argv[1]);
});

/// Signals that interrupt: what was done counts once.
const live::probe interrupted("interrupted", [](int, char** argv) {
  const live::unix_server server(argv[1], SOCK_STREAM, 4096);
  struct sigaction action{};
  action.sa_handler = [](int) {};
  action.sa_flags = std::string_view(argv[2]) == "restart" ? SA_RESTART : 0;
  (void)::sigaction(SIGALRM, &action, nullptr);
  const itimerval often{{0, 150}, {0, 150}};
  (void)::setitimer(ITIMER_REAL, &often, nullptr);
  const live::unix_address at(argv[1]);
  int breaks = 0;
  for (int i = 0; i < 5000; ++i) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int why = EINTR;
    while (why == EINTR) {
      why = live::error_of(::connect(fd, at.get(), at.length));
      if (why == EINTR) ++breaks;
    }
    ::close(fd);
    if (why != 0 && why != EAGAIN) return why;
    if (action.sa_flags != 0 && breaks != 0) return live::odd;
    do why = live::error_of(::chmod(argv[0], 0600));
    while (why == EINTR);
    if (why != 0) return why;
    if (i % 16 == 0) (void)server.visitors();
  }
  return 0;
});

/// A process that nobody waits for, and that goes on after the first one has ended.
const live::probe leaves_one("leaves-one", [](int, char** argv) {
  const pid_t pid = ::fork();
  if (pid != 0) return 0;
  (void)::setsid();
  ::usleep(100000);
  const int why = live::error_of(::chmod(argv[0], 0600));
  if (::write(STDOUT_FILENO, why == 0 ? "done" : "no", why == 0 ? 4 : 2) < 0) ::_exit(1);
  for (int i = 0; i < 500; ++i) {  // until nobody answers any more
    if (::chmod(argv[0], 0600) != 0 && errno == ENOSYS) {
      (void)!::write(STDOUT_FILENO, "closed", 6);
      ::_exit(0);
    }
    ::usleep(10000);
  }
  ::_exit(1);
});

const live::probe waits("waits", [](int, char**) {
  ::pause();
  return 0;
});

const live::probe supervise_again("supervise-again", [](int, char** argv) {
  const std::string program = live::self();
  nono::capability_set policy = live::with_system({{program, nono::read}, {argv[0], nono::read_write}});
  if (std::string_view(argv[1]) == "strict") policy.strict();
  if (std::string_view(argv[1]) == "granted") policy.unix_sockets(nono::unix_sockets::granted);
  auto child = nono::spawn_supervised(policy, {program, "--probe", "chmod-outside", argv[2]});
  if (!child) return child.error().code == errc::listener_taken ? 100 : live::not_confined;
  if (child->report().of(protection::metadata) != standing::not_enforceable) return live::odd;
  if (live::landlock_abi() < 9 && child->report().of(protection::pathname_unix) != standing::missing)
    return live::odd;
  const auto status = child->wait();
  return status && status->signal == 0 ? status->code : live::odd;
});
const live::probe chmod_outside("chmod-outside",
                                [](int, char** argv) { return live::error_of(::chmod(argv[0], 0600)); });

/// A container's filter that lets nobody listen.
const live::probe no_listener("no-listener", [](int, char** argv) {
  constexpr auto flags = static_cast<std::uint32_t>(offsetof(seccomp_data, args) + sizeof(std::uint64_t));
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(code), code};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return live::odd;
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return live::odd;
  const std::string self = live::self();
  const auto start = [&](bool strict) {
    nono::capability_set policy = live::with_system({{self, nono::read}});
    if (strict) policy.strict();
    return nono::spawn_supervised(policy, {self, "--probe", "chmod-outside", argv[0]});
  };
  auto child = start(false);
  if (!child || child->report().of(protection::metadata) != standing::not_enforceable) return live::odd;
  if (child->wait()->code != 0) return live::odd;  // nobody decides
  const auto refused = start(true);
  return !refused && refused.error().code == errc::listener_taken ? 0 : live::odd;
});

/// A program that closes itself to tracing is refused: its memory cannot be read.
const live::probe unreadable("unreadable", [](int, char** argv) {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return live::odd;
  return live::error_of(::chmod(argv[0], 0600));
});

const live::probe tcp_to("tcp-to", [](int, char** argv) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[0])));  // NOLINT(cert-err34-c)
  return live::error_of(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at));
});

nono::capability_set writable(const live::scratch& home) {
  return live::allow({{home.path(), nono::read_write}});
}

}  // namespace

TEST_CASE_FIXTURE(leakless, "supervised: a flood from 1000 processes gets right answers") {
  const live::scratch home;
  const std::string file = home.file("file");
  CHECK(supervised(writable(home), {"flood", "1000", file, home / "s"}) == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: callers that die or stop in the middle leave nothing behind") {
  const live::scratch home;
  const std::string file = home.file("file");
  CHECK(supervised(writable(home), {"die-asking", file, home / "s"}) == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: signals in the middle of a call change no answer") {
  for (const std::string_view how : {"restart", "break"}) {
    CAPTURE(std::string(how));
    const live::scratch home;
    const std::string file = home.file("file");
    CHECK(supervised(writable(home), {"interrupted", file, home / "s", how}) == 0);
  }
}

TEST_CASE_FIXTURE(leakless, "supervised: the child's end, its signals and its owner's") {
  const live::scratch home;
  const std::string program = live::self();
  const auto start = [&](std::string_view probe, const nono::spawn_options& options = {}) {
    return nono::spawn_supervised(live::with_system({{program, nono::read}, {home.path(), nono::read_write}}),
                                  {program, "--probe", probe, home / "file"}, options);
  };
  {
    auto child = start("waits");
    REQUIRE(child.has_value());
    CHECK(::kill(child->pid(), 0) == 0);
    CHECK(child->kill(SIGTERM) == 0);
    const auto status = child->wait();
    REQUIRE(status.has_value());
    CHECK(status->signal == SIGTERM);
    CHECK(child->wait()->signal == SIGTERM);  // as often as one likes
  }
  {
    const auto child = start("waits");  // goes without wait(): killed and reaped
    REQUIRE(child.has_value());
  }
  {
    auto child = start("nowhere");
    REQUIRE(child.has_value());
    CHECK(child->wait()->code == live::odd);
  }
  constexpr auto constant = nono::caps().group(nono::groups::system_read).network(nono::blocked);
  auto member = constant.spawn_supervised({"/bin/true"});
  REQUIRE(member.has_value());
  CHECK(member->wait()->ok());
  auto within = nono::spawn_supervised(constant, {"/bin/true"}, nono::within(nono::caps()));
  REQUIRE_FALSE(within.has_value());
  CHECK(within.error().code == errc::not_within);
  const auto error = nono::spawn_supervised(live::with_system(), {"/nono-live/none"});
  REQUIRE_FALSE(error.has_value());
  CHECK(error.error().code == errc::program_not_found);
}

TEST_CASE_FIXTURE(leakless,
                  "supervised: what the first process leaves behind is answered until its owner goes") {
  const live::scratch home;
  const std::string file = home.file("file");
  const std::string program = live::self();
  nono::spawn_options options;
  options.out = nono::stream::pipe();
  int out = -1;
  {
    auto child =
        nono::spawn_supervised(live::with_system({{program, nono::read}, {home.path(), nono::read_write}}),
                               {program, "--probe", "leaves-one", file}, options);
    REQUIRE(child.has_value());
    CHECK(child->wait()->code == 0);
    char text[8] = {};
    CHECK(::read(child->out(), text, sizeof text) == 4);
    CHECK(std::string(text) == "done");
    out = ::fcntl(child->out(), F_DUPFD_CLOEXEC, 0);
  }
  CHECK(live::read_all(out) == "closed");
  ::close(out);
}

TEST_CASE("supervised: a supervisor that is killed ends its child") {
  int ends[2];
  live::must(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
  const pid_t owner = live::fork_child();
  if (owner == 0) {
    const std::string program = live::self();
    auto child =
        nono::spawn_supervised(live::with_system({{program, nono::read}}), {program, "--probe", "waits"});
    const int pid = child ? child->pid() : -1;
    if (::write(ends[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  int pid = -1;
  REQUIRE(::read(ends[0], &pid, sizeof pid) == sizeof pid);
  REQUIRE(pid > 0);
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  REQUIRE(pidfd >= 0);
  (void)::kill(owner, SIGKILL);
  (void)::waitpid(owner, nullptr, 0);
  pollfd ended{pidfd, POLLIN, 0};
  CHECK(::poll(&ended, 1, 10000) == 1);
  for (const int fd : {pidfd, ends[0], ends[1]}) ::close(fd);
}

TEST_CASE_FIXTURE(leakless,
                  "supervised: below a supervisor there is no second one, and the first still decides") {
  const live::scratch home;
  const std::string outside = home.file("outside");
  const std::string work = home.directory("work");
  const auto run = [&](std::string_view how, const std::string& file) {
    return supervised(live::allow({{work, nono::read_write}, {"/proc", nono::read}}),
                      {"supervise-again", work, how, file});
  };
  CHECK(run("default", outside) == EPERM);
  CHECK(run("default", home.file("work/file")) == 0);
  CHECK(run("strict", outside) == 100);
  if (live::landlock_abi() < 9) CHECK(run("granted", outside) == 100);
}

TEST_CASE_FIXTURE(leakless, "supervised: no stream of the child is a unix datagram socket") {
  if (live::landlock_abi() >= 9) return;
  int ends[2];
  live::must(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  nono::spawn_options options;
  options.err = nono::stream::from(ends[0]);
  const auto child = nono::spawn_supervised(live::with_system(), {"/bin/true"}, options);
  REQUIRE_FALSE(child.has_value());
  CHECK(child.error().code == errc::bad_argument);
  CHECK(child.error().message().starts_with("standard error is a unix datagram socket"));
  CHECK(nono::spawn(live::with_system(), {"/bin/true"}, options).has_value());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE_FIXTURE(leakless, "supervised: the process may change its user beside a supervisor") {
  if (!live::is_root()) return;
  CHECK(live::in_child([] {
          int pid = -1;
          {
            auto child = nono::spawn_supervised(live::with_system(), {"/bin/sleep", "2"});
            if (!child || ::setuid(65534) != 0) return live::odd;  // libc asks every thread, and waits for it
            pid = child->pid();
            if (child->kill(SIGKILL) != -EPERM) return 1;
          }
          // It could not be killed, so it was waited for.
          return ::kill(pid, 0) < 0 && errno == ESRCH ? 0 : 2;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless,
                  "supervised: where nobody may listen the child runs without, and the report says so") {
  const live::scratch home;
  CHECK(live::without_sandbox({"no-listener", home.file("file")}) == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: a program that cannot be read into is refused") {
  const live::scratch home;
  const std::string file = home.file("file");
  CHECK(supervised(writable(home), {"unreadable", file}) == EPERM);
}

TEST_CASE_FIXTURE(leakless, "supervised: the kernel holds the supervisor to the child's ports") {
  if (!live::has_abi(4)) return;
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  socklen_t size = sizeof at;
  live::must(::bind(server, address, size) == 0 && ::listen(server, 8) == 0 &&
                 ::getsockname(server, address, &size) == 0,
             "a TCP server");
  const std::uint16_t port = ntohs(at.sin_port);
  const auto with_port = [&](std::uint16_t granted) {
    nono::capability_set out;
    live::must(out.allow_port({nono::port_use::connect_tcp, granted}).has_value(), "port");
    return out;
  };
  CHECK(supervised(with_port(port), {"tcp-to", std::to_string(port)}) == 0);
  CHECK(supervised(with_port(port == 443 ? 444 : 443), {"tcp-to", std::to_string(port)}) == EACCES);
  ::close(server);
}
