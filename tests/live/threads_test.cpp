// SPDX-License-Identifier: Apache-2.0
// apply() in a process with threads: every one, or an error and nothing.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "network_fixture.hpp"
#include "spawn_fixture.hpp"

using live::leakless;
using live::scratch;
using nono::errc;
using nono::thread_mode;

namespace {

/// What the ABI says is the way here.
thread_mode expected_mode() {
  return live::landlock_abi() >= 8 ? thread_mode::tsync : thread_mode::broadcast;
}

/// Threads that do nothing until they are let go.
class idle_threads {
 public:
  explicit idle_threads(int n) {
    for (int i = 0; i < n; ++i)
      threads_.emplace_back([&] {
        ++running_;
        while (!stop_) ::usleep(1000);
      });
    while (running_ < n) ::usleep(100);
  }
  ~idle_threads() {
    stop_ = true;
    for (std::thread& t : threads_) t.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int> running_ = 0;
  std::vector<std::thread> threads_;
};

/// A thread that answers what opening a file gave it, when asked.
class asked_thread {
 public:
  explicit asked_thread(
      std::string path, const std::function<void()>& first = [] {})
      : path_(std::move(path)), thread_([this, first] {
          first();
          ready_ = true;
          while (ask_ != 2) {
            if (ask_ == 1) {
              answer_ = live::try_open(path_);
              ask_ = 0;
            }
            ::usleep(100);
          }
        }) {
    while (!ready_) ::usleep(100);
  }
  ~asked_thread() {
    ask_ = 2;
    thread_.join();
  }
  int open() {
    ask_ = 1;
    while (ask_ == 1) ::usleep(100);
    return answer_;
  }

 private:
  std::string path_;
  std::atomic<bool> ready_ = false;
  std::atomic<int> ask_ = 0;
  int answer_ = -1;
  std::thread thread_;
};

bool unrestricted() {
  const std::string status = live::text_of("/proc/thread-self/status");
  return status.find("Seccomp:\t0") != std::string::npos && live::make(live::kinds[0]) == 0;
}

/// In a child: says what went wrong.
int failed(int code, const nono::error& why) {
  std::fprintf(stderr, "threads: %s\n", why.message().c_str());
  return code;
}

long raw(long number, auto... args) { return nono::detail::system_kernel::call(number, args...); }

/// Blocks even libc's signals, as no libc lets a program do.
void block_everything() {
  const std::uint64_t all = ~std::uint64_t{0};
  (void)raw(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
}

/// A deadline that a test can wait for.
constexpr nono::apply_options hurried{.deadline_ms = 100};

}  // namespace

TEST_CASE_FIXTURE(leakless, "threads: 64 of them that come and go, and not one reads the file again") {
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          constexpr int readers = 64;
          constexpr long reads_wanted = 100000;
          std::atomic<bool> stop = false;
          std::atomic<bool> confined = false;
          std::atomic<long> reads = 0;
          std::atomic<long> successes = 0;
          std::atomic<long> before = 0;
          const auto read = [&] {
            const bool was_confined = confined;
            const bool opened = live::try_open(secret) == 0;
            if (!was_confined) return void(before += opened ? 1 : 0);
            ++reads;
            if (opened) ++successes;
          };
          std::vector<std::thread> threads;
          for (int i = 0; i < readers; ++i)
            threads.emplace_back([&, i] {
              while (!stop) {
                read();
                if (i % 4 == 0) std::thread(read).join();
                if (i % 4 == 1) std::thread([&] { std::thread(read).join(); }).join();
              }
            });
          while (before < 1000) ::usleep(1000);
          const auto got = nono::apply(live::nothing);
          confined = true;
          while (got && reads < reads_wanted) ::usleep(1000);
          stop = true;
          for (std::thread& t : threads) t.join();
          if (!got) return failed(live::not_confined, got.error());
          if (got->mode != expected_mode()) return 1;
          if (got->threads < readers) return 2;
          return successes == 0 ? 0 : 3;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless,
                  "threads: one that blocks every signal that libc lets it block is confined, too") {
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          asked_thread other(secret, [] {
            sigset_t all;
            ::sigfillset(&all);
            ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
          });
          if (other.open() != 0) return 1;
          const auto got = nono::apply(live::nothing);
          if (!got) return failed(live::not_confined, got.error());
          return got->threads == 2 ? other.open() : 2;
        }) == EACCES);
}

TEST_CASE_FIXTURE(leakless, "threads: one that cannot be reached is named, and nothing is restricted") {
  if (expected_mode() == thread_mode::tsync) return;  // no signal is sent
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          {
            const idle_threads others(3);
            asked_thread deaf(secret, [] {
              block_everything();
              (void)::prctl(PR_SET_NAME, "deaf one");
            });
            const auto got = nono::apply(live::nothing, hurried);
            if (got || got.error().code != errc::thread_unreachable) return 1;
            if (got.error().message().find("(deaf one), which blocks every signal") == std::string::npos)
              return failed(2, got.error());
            if (!unrestricted() || live::try_open(secret) != 0 || deaf.open() != 0) return 3;
          }
          const auto got = nono::apply(live::nothing);
          if (!got) return failed(live::not_confined, got.error());
          return live::try_open(secret);
        }) == EACCES);
}

TEST_CASE_FIXTURE(leakless, "threads: one that waits in vfork is waited for") {
  if (expected_mode() == thread_mode::tsync) return;
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          int ends[2];
          live::must(::pipe2(ends, O_CLOEXEC) == 0, "pipe2");
          std::atomic<bool> in_vfork = false;
          std::atomic<bool> applied = false;
          std::atomic<int> after = -1;
          std::thread other([&] {
            in_vfork = true;
            const pid_t pid = ::vfork();  // NOLINT: this is the point
            if (pid == 0) {
              char byte = 0;
              (void)!::read(ends[0], &byte, 1);
              ::_exit(0);
            }
            while (!applied) ::usleep(100);
            after = live::try_open(secret);
            (void)live::result_of(pid);
          });
          while (!in_vfork) ::usleep(100);
          ::usleep(20000);
          const auto late = nono::apply(live::nothing, hurried);
          const pid_t helper = ::fork();
          if (helper == 0) {
            ::usleep(100000);
            (void)!::write(ends[1], "x", 1);
            ::_exit(0);
          }
          const auto got = nono::apply(live::nothing);
          applied = true;
          other.join();
          (void)live::result_of(helper);
          if (late || late.error().code != errc::thread_unreachable) return 1;
          if (late.error().message().find("which is in a call that nothing interrupts") == std::string::npos)
            return failed(2, late.error());
          if (!got) return failed(live::not_confined, got.error());
          return after.load();
        }) == EACCES);
}

TEST_CASE_FIXTURE(leakless, "threads: the main thread has ended already") {
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          std::thread([&] {
            ::usleep(20000);
            asked_thread other(secret);
            const auto got = nono::apply(live::nothing);
            ::_exit(got ? other.open() : failed(live::not_confined, got.error()));
          }).detach();
          (void)raw(SYS_exit, 0);
          return 0;
        }) == EACCES);
}

TEST_CASE_FIXTURE(leakless,
                  "threads: calls go on, masks and handlers stay, libc still changes every thread's user") {
  const scratch home;
  CHECK(live::in_child([&] {
          int ends[2];
          live::must(::pipe2(ends, O_CLOEXEC) == 0, "pipe2");
          std::atomic<int> got_byte = -1;
          std::thread reader([&] {
            char byte = 0;
            got_byte = ::read(ends[0], &byte, 1) == 1 ? byte : -errno;
          });
          const idle_threads others(3);
          ::usleep(10000);
          nono::detail::kernel_sigaction before{};
          nono::detail::kernel_sigaction after{};
          sigset_t mask_before{};
          sigset_t mask_after{};
          (void)raw(SYS_rt_sigaction, 33, nullptr, &before, sizeof before.mask);
          ::sigprocmask(SIG_SETMASK, nullptr, &mask_before);
          const auto got = nono::apply(live::nothing);
          if (!got) return failed(live::not_confined, got.error());
          (void)raw(SYS_rt_sigaction, 33, nullptr, &after, sizeof after.mask);
          ::sigprocmask(SIG_SETMASK, nullptr, &mask_after);
          if (before.handler != after.handler || before.flags != after.flags) return 1;
          if (std::memcmp(&mask_before, &mask_after, sizeof mask_before) != 0) return 2;
          (void)!::write(ends[1], "x", 1);
          reader.join();
          if (got_byte != 'x') return 3;
          // By the same signal, in all threads.
          return ::setresuid(::getuid(), ::getuid(), ::getuid()) == 0 ? 0 : 4;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "threads: several apply at once, and each policy is in force in each thread") {
  const scratch home;
  const std::string a = home.directory("a");
  const std::string b = home.directory("b");
  const std::string in_a = home.file("a/file");
  const std::string in_b = home.file("b/file");
  CHECK(live::in_child([&] {
          asked_thread asks_a(in_a);
          asked_thread asks_b(in_b);
          std::atomic<int> ready = 0;
          std::atomic<int> applied = 0;
          const auto apply = [&](const std::string& path) {
            ++ready;
            while (ready < 6) {
            }
            // Each must still be able to list the threads below the others' policies.
            const auto got = nono::apply(live::allow({{path, nono::read}, {"/proc", nono::read}}));
            if (got) ++applied;
            if (!got) (void)failed(0, got.error());
          };
          std::vector<std::thread> threads;
          for (int i = 0; i < 6; ++i) threads.emplace_back([&, i] { apply(i % 2 == 0 ? a : b); });
          for (std::thread& t : threads) t.join();
          if (applied != 6) return 1;
          return asks_a.open() == EACCES && asks_b.open() == EACCES ? 0 : 2;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "threads: libc changes every thread's user meanwhile, by the same signal") {
  // Many layers in one process, and then processes whose first apply() meets a change of user: a signal of libc's that is
  // lost leaves that waiting for ever.
  for (int round = 0; round < 12; ++round)
    CHECK(live::in_child([round] {
            std::atomic<bool> stop = false;
            std::atomic<bool> changes = true;
            const idle_threads others(3);
            std::thread changer([&] {
              while (!stop)
                if (::setresuid(::getuid(), ::getuid(), ::getuid()) != 0) changes = false;
            });
            const auto policy = live::allow({{"/", nono::read_write}});
            int result = 0;
            for (int layer = 0; layer < (round == 0 ? 12 : 1) && result == 0; ++layer)
              if (const auto got = nono::apply(policy); !got) result = failed(layer + 1, got.error());
            stop = true;
            changer.join();
            return result == 0 && !changes ? 20 : result;
          }) == 0);
}

TEST_CASE_FIXTURE(leakless, "threads: no other handler runs in one that is stopped") {
  if (expected_mode() == thread_mode::tsync) return;
  CHECK(live::in_child([] {
          std::atomic<bool> stop = false;
          nono::detail::kernel_sigaction seen{};
          const idle_threads others(1);
          std::atomic<bool> is_deaf = false;
          std::thread deaf([&] {
            block_everything();
            is_deaf = true;
            while (!stop) {
              nono::detail::kernel_sigaction now{};
              (void)raw(SYS_rt_sigaction, 33, nullptr, &now, sizeof now.mask);
              if (now.handler == reinterpret_cast<std::uintptr_t>(&nono::detail::on_rally_signal)) seen = now;
            }
          });
          while (!is_deaf) ::usleep(100);
          const auto got = nono::apply(live::nothing, hurried);
          stop = true;
          deaf.join();
          if (got || got.error().code != errc::thread_unreachable) return 1;
          constexpr std::uint64_t unblockable = 1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1);
          if ((seen.mask | unblockable) != ~std::uint64_t{0}) return 2;
          constexpr unsigned long flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
          return (seen.flags & flags) == flags ? 0 : 3;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "threads: a process forked while its parent applied") {
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          nono::detail::rally.owner = ::getppid();
          nono::detail::rally.phase = 7;
          asked_thread other(secret);
          const auto got = nono::apply(live::nothing);
          return got ? other.open() : failed(live::not_confined, got.error());
        }) == EACCES);
}

TEST_CASE_FIXTURE(leakless, "threads: calling_thread_only confines that one") {
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          asked_thread other(secret);
          const auto got = nono::apply(live::nothing, nono::calling_thread_only);
          if (!got) return failed(live::not_confined, got.error());
          if (got->mode != thread_mode::calling_thread_only || got->threads != 1) return 1;
          if (to_text(*got).find("threads: 1, calling_thread_only: the others are not confined") ==
              std::string::npos)
            return 2;
          return other.open() == 0 ? live::try_open(secret) : 3;
        }) == EACCES);
}

TEST_CASE_FIXTURE(leakless, "threads: where none can be listed, one that ends just now is waited for") {
  CHECK(live::in_child([&] {
          std::atomic<bool> go_on = false;
          std::thread other([&] {
            while (!go_on) ::usleep(100);
            ::usleep(20000);  // as a thread that was joined, and that the kernel has not taken away yet
          });
          other.detach();
          if (const auto got = nono::apply(live::nothing); !got)
            return failed(live::not_confined, got.error());
          const auto early = nono::apply(live::nothing);  // /proc is closed now
          if (expected_mode() == thread_mode::broadcast &&
              (early || early.error().code != errc::multi_threaded))
            return 1;
          go_on = true;
          const auto got = nono::apply(live::nothing);
          if (!got) return failed(2, got.error());
          return expected_mode() == thread_mode::tsync || got->mode == thread_mode::single ? 0 : 3;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "threads: what the kernel refuses is found before anything is restricted") {
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          const idle_threads others(3);
          const auto policy = live::allow({{"/", nono::read_write}});
          for (int layer = 0; layer < 16; ++layer)
            if (const auto got = nono::apply(policy); !got) return failed(layer + 1, got.error());
          const auto filters = [] {
            const std::string status = live::text_of("/proc/thread-self/status");
            return status.substr(status.find("Seccomp_filters:"), 20);
          };
          const std::string before = filters();
          const auto got = nono::apply(live::nothing);
          if (got || got.error().code != errc::too_many_layers) return 20;
          return filters() == before && live::try_open(secret) == 0 ? 0 : 21;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "threads: one that fails when others are confined ends the process") {
  if (expected_mode() == thread_mode::tsync) return;  // all or none
  int ends[2];
  live::must(::pipe2(ends, O_CLOEXEC) == 0, "pipe2");
  CHECK(live::in_child([&] {
          ::dup2(ends[1], STDERR_FILENO);
          asked_thread deep("/", [] {
            const nono::linux_abi::ruleset_attr attr{0, nono::linux_abi::net_bind_tcp, 0};
            using kernel = nono::detail::system_kernel;
            const auto ruleset = static_cast<int>(kernel::landlock_create_ruleset(&attr, sizeof attr, 0));
            live::must(kernel::no_new_privs() == 0, "no_new_privs");
            for (int layer = 0; layer < 16; ++layer)
              live::must(kernel::landlock_restrict_self(ruleset, 0) == 0, "restrict_self");
          });
          (void)nono::apply(live::nothing);
          return 1;
        }) == live::killed + SIGKILL);
  ::close(ends[1]);
  CHECK(live::read_all(ends[0]) ==
        "nono: a thread could not be confined when others were already; the process ends\n");
  ::close(ends[0]);
}

TEST_CASE_FIXTURE(leakless, "threads: a filter of its own keeps a thread from taking ours") {
  const scratch home;
  const std::string secret = home.file("secret");
  CHECK(live::in_child([&] {
          asked_thread other(secret, [] {
            live::must(
                nono::apply(live::allow({{"/", nono::read_write}}), nono::calling_thread_only).has_value(),
                "apply");
          });
          const auto got = nono::apply(live::nothing);
          if (got || got.error().code != errc::thread_unreachable) return 1;
          if (got.error().message().find("which has a seccomp filter of its own") == std::string::npos)
            return failed(2, got.error());
          return unrestricted() && other.open() == 0 ? live::try_open(secret) : 3;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless,
                  "open descriptors: a socket contradicts a blocked network, and is counted on an open one") {
  CHECK(live::in_child([] {
          const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
          const auto refused = nono::apply(nono::caps().network(nono::blocked));
          if (refused || refused.error().code != errc::socket_open) return 1;
          if (refused.error().message().find("descriptor " + std::to_string(fd) + " ") == std::string::npos)
            return failed(2, refused.error());
          if (!unrestricted()) return 3;
          const auto got =
              nono::apply(nono::caps().network(nono::blocked).best_effort(nono::protection::network));
          if (!got) return failed(live::not_confined, got.error());
          if (got->network_sockets != 1 || got->io_uring_rings != 0) return 4;
          return to_text(*got).find("open from before: 1 network sockets") != std::string::npos ? 0 : 5;
        }) == 0);
}

TEST_CASE_FIXTURE(
    leakless,
    "open descriptors: sockets contradict a blocked network, and busy TCP is counted under one of ports") {
  const auto idle = [] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); };
  const auto listening = [&] {
    const int fd = idle();
    live::must(::listen(fd, 1) == 0, "listen");
    return fd;
  };
  const live::server server;
  const auto connected = [&] {
    const int fd = idle();
    const sockaddr_in address = live::loopback_port(server.port());
    live::must(::connect(fd, live::generic(address), sizeof address) == 0, "connect");
    return fd;
  };
  const auto mptcp = [] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, live::mptcp); };
  const auto blocked = [&](auto make) {
    return live::in_child([&] {
      (void)make();
      server.close();
      const auto got = nono::apply(nono::caps().network(nono::blocked));
      return got && got->network_sockets == 1 ? 0 : got ? 1 : static_cast<int>(got.error().code) - 300;
    });
  };
  constexpr int refused = static_cast<int>(errc::socket_open) - 300;
  CHECK(blocked(listening) == refused);
  CHECK(blocked(connected) == refused);
  CHECK(blocked(mptcp) == refused);
  CHECK(blocked(idle) == refused);  // Fast Open does not go through connect(), and so not through Landlock
  CHECK(live::in_child([&] {
          (void)connected();
          server.close();
          const auto got = nono::apply(nono::caps());
          const auto ports = nono::apply(nono::caps().network(nono::only(nono::connect_tcp(1))));
          return got && got->network_sockets == 1 && ports && ports->network_sockets == 1 ? 0 : 1;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "open descriptors: what contradicts nothing is counted") {
  if (live::has_abi(6))
    CHECK(live::in_child([] {  // everything is required, but the network is open
            (void)::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const auto got = nono::apply(nono::caps()
                                             .strict()
                                             .unix_sockets(nono::unix_sockets::none)
                                             .best_effort(nono::protection::process_memory));
            if (!got) return failed(1, got.error());
            return got->network_sockets == 1 ? 0 : 2;
          }) == 0);
  CHECK(live::in_child([] {
          int pair[2];
          live::must(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
          const auto got = nono::apply(nono::caps().network(nono::blocked));
          return got && got->network_sockets == 0 && got->unix_connections == 0 ? 0 : 1;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "open descriptors: an io_uring ring is an error, or dead") {
  const auto ring = [] {
    io_uring_params params{};
    return static_cast<int>(raw(SYS_io_uring_setup, 4U, &params));
  };
  const int here = ring();
  if (here < 0) return live::skip("io_uring is not there: " + std::string(std::strerror(-here)));
  ::close(here);
  CHECK(live::in_child([&] {
          const int fd = ring();
          const auto refused = nono::apply(nono::caps());
          if (refused || refused.error().code != errc::io_uring_open) return 1;
          if (refused.error().message().find("descriptor " + std::to_string(fd) + " ") == std::string::npos)
            return failed(2, refused.error());
          if (!unrestricted()) return 3;
          const auto got = nono::apply(nono::caps().best_effort(nono::protection::io_uring));
          if (!got) return failed(live::not_confined, got.error());
          if (got->io_uring_rings != 1) return 4;
          if (raw(SYS_io_uring_enter, fd, 0U, 0U, 0U, nullptr, 0UL) != -ENOSYS) return 5;
          return raw(SYS_io_uring_register, fd, 10U, nullptr, 0U) == -ENOSYS ? 0 : 6;
        }) == 0);
  CHECK(live::in_child([&] {
          const int fd = ring();
          const auto got = nono::apply(nono::caps().lift(nono::protection::io_uring));
          return got && got->io_uring_rings == 1 && raw(SYS_io_uring_enter, fd, 0U, 0U, 0U, nullptr, 0UL) == 0
                     ? 0
                     : 1;
        }) == 0);
}
