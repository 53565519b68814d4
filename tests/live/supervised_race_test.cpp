// SPDX-License-Identifier: Apache-2.0
// Races against a supervisor: threads that swap what a call names while it is being decided. Each tries NONO_RACES times
// (20000) and must get nothing that is outside, and what is inside whenever it named that.
#include <atomic>
#include <thread>

#include <netinet/in.h>
#include <sys/syscall.h>

#include "supervised_fixture.hpp"

using live::leakless;
using live::supervised;

namespace {

/// Runs `swap(round)` in a thread beside `ask(round)`. Counts of 0 and of other answers go to standard output.
template <class Swap, class Ask>
int race(int rounds, Swap&& swap, Ask&& ask) {
  std::atomic<bool> done = false;
  std::thread swapper([&] {
    for (unsigned i = 0; !done.load(std::memory_order_relaxed); ++i) swap(i);
  });
  int good = 0;
  int refused = 0;
  int other = 0;
  for (int i = 0; i < rounds; ++i) {
    const int why = ask();
    if (why == 0) {
      ++good;
    } else if (why == EACCES || why == EPERM) {
      ++refused;
    } else {
      ++other;
    }
  }
  done = true;
  swapper.join();
  char text[96];
  const int n = std::snprintf(text, sizeof text, "%d %d %d", good, refused, other);
  return ::write(STDOUT_FILENO, text, static_cast<std::size_t>(n)) == n ? 0 : live::odd;
}

/// A link that leads to `target` from one moment to the next.
void turn_link(const std::string& link, const char* target) {
  const std::string next = link + ".next";
  (void)::symlink(target, next.c_str());
  (void)::rename(next.c_str(), link.c_str());
}

/// The address in memory: "/dir/in.s" or "/dir/ou.s", of the same length.
const live::probe race_address("race-address", [](int, char** argv) {
  const live::unix_server own(argv[1], SOCK_STREAM, 4096);
  live::unix_address at(argv[1]);
  const live::unix_address inside(argv[1]);
  const live::unix_address outside(argv[2]);
  return race(
      std::atoi(argv[0]),  // NOLINT(cert-err34-c)
      [&](unsigned i) {
        const volatile char* from = (i % 2 == 0 ? inside : outside).address.sun_path;
        volatile char* to = at.address.sun_path;
        for (std::size_t k = 0; k + 2 < inside.length; ++k) to[k] = from[k];
      },
      [&] {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int why = live::error_of(::connect(fd, at.get(), at.length));
        ::close(fd);
        if (why == EAGAIN || why == 0) (void)own.visitors();
        return why;
      });
});

/// The name on disk: a link that leads inside and outside in turn.
const live::probe race_link("race-link", [](int, char** argv) {
  const live::unix_server own(argv[1], SOCK_STREAM, 4096);
  const std::string link = argv[3];
  return race(
      std::atoi(argv[0]),  // NOLINT(cert-err34-c)
      [&](unsigned i) { turn_link(link, argv[1 + i % 2]); },
      [&] {
        const int why = live::try_connect(link);
        if (why == EAGAIN || why == 0) (void)own.visitors();
        return why;
      });
});

/// The descriptor: a TCP socket and a unix socket take turns at one number, the address is the outside socket's.
const live::probe race_descriptor("race-descriptor", [](int, char** argv) {
  const live::unix_address outside(argv[1]);
  const int number = 100;
  return race(
      std::atoi(argv[0]),  // NOLINT(cert-err34-c)
      [&](unsigned i) {
        const int fd = ::socket(i % 2 == 0 ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)::dup2(fd, number);
        ::close(fd);
      },
      [&] { return live::error_of(::connect(number, outside.get(), outside.length)); });
});

/// chmod by a path in memory, a link on disk, and a directory that becomes a link.
const live::probe race_chmod("race-chmod", [](int, char** argv) {
  const std::string inside = argv[1];
  const std::string outside = argv[2];
  std::string name = inside;
  return race(
      std::atoi(argv[0]),  // NOLINT(cert-err34-c)
      [&](unsigned i) {
        const std::string& from = i % 2 == 0 ? inside : outside;
        for (std::size_t k = 0; k < name.size(); ++k) static_cast<volatile char&>(name[k]) = from[k];
      },
      [&] { return live::error_of(::syscall(SYS_fchmodat, AT_FDCWD, name.data(), 0640)); });
});
const live::probe race_chmod_link("race-chmod-link", [](int, char** argv) {
  const std::string link = argv[3];
  return race(
      std::atoi(argv[0]),  // NOLINT(cert-err34-c)
      [&](unsigned i) { turn_link(link, argv[1 + i % 2]); },
      [&] { return live::error_of(::chmod(link.c_str(), 0640)); });
});
const live::probe race_directory("race-directory", [](int, char** argv) {
  const std::string work = argv[1];
  const std::string directory = work + "/d";
  const std::string away = work + "/away";
  const std::string link = work + "/link";
  (void)::symlink(argv[2], link.c_str());
  const std::string file = directory + "/file";
  return race(
      std::atoi(argv[0]),  // NOLINT(cert-err34-c)
      [&](unsigned) {
        (void)::rename(directory.c_str(), away.c_str());
        (void)::rename(link.c_str(), directory.c_str());
        (void)::rename(directory.c_str(), link.c_str());
        (void)::rename(away.c_str(), directory.c_str());
      },
      [&] { return live::error_of(::chmod(file.c_str(), 0640)); });
});

/// Runs a race inside; `both`: it has to meet successes and refusals, else it was none.
void run(nono::capability_set policy, std::initializer_list<std::string_view> words, bool both = true) {
  const std::string program = live::self();
  policy.group(nono::groups::system_read);
  live::must(policy.allow_file<nono::read>(program).has_value(), program);
  std::vector<std::string_view> argv{program, "--probe"};
  const std::string rounds = std::to_string(live::races());
  argv.insert(argv.end(), words.begin(), words.end());
  argv.insert(argv.begin() + 3, rounds);
  nono::spawn_options options;
  options.out = nono::stream::pipe();
  auto child = nono::spawn_supervised(policy, argv, options);
  REQUIRE(child.has_value());
  CHECK(child->wait()->code == 0);  // a million rounds take their time
  const std::string said = live::read_all(child->out());
  int good = 0;
  int refused = 0;
  int other = 0;
  REQUIRE(std::sscanf(said.c_str(), "%d %d %d", &good, &refused, &other) == 3);
  MESSAGE(std::string(*words.begin()), ": ", good, " done, ", refused, " refused, ", other, " neither");
  CHECK(good + refused + other == live::races());
  if (!both) return;
  CHECK(good > 0);
  CHECK(refused > 0);
}

}  // namespace

TEST_CASE_FIXTURE(leakless, "supervised: racing threads reach no server outside") {
  const live::scratch home;
  const std::string work = home.directory("work");
  const std::string other = home.directory("othr");
  const live::unix_server outside(other + "/s");
  const auto policy = [&] {
    nono::capability_set out = live::allow({{work, nono::read_write}});
    out.network(nono::blocked);
    return out;
  };
  run(policy(), {"race-address", work + "/s", other + "/s"});
  CHECK(outside.visitors() == 0);
  run(policy(), {"race-link", work + "/t", other + "/s", work + "/link"});
  CHECK(outside.visitors() == 0);
  run(live::allow({{work, nono::read_write}}), {"race-descriptor", other + "/s"}, false);
  CHECK(outside.visitors() == 0);
}

TEST_CASE_FIXTURE(leakless, "supervised: racing threads change no file outside") {
  const live::scratch home;
  const std::string work = home.directory("work");
  const std::string other = home.directory("othr");
  live::must(!home.directory("work/d").empty(), "d");
  const std::string inside = home.file("work/file");
  live::must(!home.file("work/d/file").empty(), "file");
  const std::string outside = home.file("othr/file");
  const auto policy = [&] { return live::allow({{work, nono::read_write}}); };
  struct stat before{};
  live::must(::stat(outside.c_str(), &before) == 0, outside);
  run(policy(), {"race-chmod", inside, outside});
  run(policy(), {"race-chmod-link", inside, outside, work + "/link"});
  live::must(::unlink((work + "/link").c_str()) == 0, "link");
  run(policy(), {"race-directory", work, other});
  struct stat after{};
  live::must(::stat(outside.c_str(), &after) == 0, outside);
  CHECK(after.st_mode == before.st_mode);
  CHECK(after.st_ctim.tv_sec == before.st_ctim.tv_sec);
  CHECK(after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}
