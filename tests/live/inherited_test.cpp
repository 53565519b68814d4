// SPDX-License-Identifier: Apache-2.0
// What a child and its own children have from their parent: no descriptor, no capability, no key ring; the sandbox.
#include "harness.hpp"

#include <pthread.h>
#include <sys/syscall.h>

using live::scratch;
using live::try_open;
using nono::protection;

namespace {

int count_descriptors() {
  int n = 0;
  for (int fd = 0; fd < 4096; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) ++n;
  return n;
}
const live::probe counter("count-descriptors", [](int, char**) { return count_descriptors(); });

/// The value of a line of /proc/self/status; all ones if it has none.
std::uint64_t status_of_self(std::string_view name, int base = 16) {
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (file == nullptr) return ~std::uint64_t{0};
  std::uint64_t out = ~std::uint64_t{0};
  char line[512];
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (std::string_view(line).starts_with(name) && line[name.size()] == ':')
      out = std::strtoull(line + name.size() + 1, nullptr, base);
  std::fclose(file);
  return out;
}
const live::probe status_line("status", [](int, char** argv) {
  return static_cast<int>(status_of_self(argv[0]) & 0x7f) | (status_of_self(argv[0]) > 0x7f ? 0x40 : 0);
});
const live::probe executor("exec", [](int, char** argv) {
  return live::in_child([&] {
    const std::string program = live::self();
    const char* const again[] = {program.c_str(), "--probe", argv[0], argv[1], nullptr};
    ::execv(program.c_str(), const_cast<char* const*>(again));
    return live::odd;
  });
});
const live::probe environment_probe("environment", [](int, char** argv) {
  const char* value = std::getenv(argv[0]);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? 1 : 0;
});

}  // namespace

TEST_CASE("inherited: inherited descriptors are closed in a child") {
  const scratch home;
  const std::string file = home.file("file");
  const int low = ::open(file.c_str(), O_RDWR);  // NOLINT(android-cloexec-open): the point of it
  const int high = ::fcntl(low, F_DUPFD, 900);   // NOLINT
  REQUIRE(high >= 900);
  CHECK(live::in_child([] { return count_descriptors() >= 5 ? 0 : 1; }) == 0);
  CHECK(live::spawned({}, {"count-descriptors"}) == 3);
  ::close(low);
  ::close(high);
}

TEST_CASE("inherited: no capability is left in a child, and none comes back") {
  for (const bool loopback : {false, true}) {
    CAPTURE(loopback);
    nono::capability_set policy;
    if (loopback) policy.network(nono::loopback);
    const auto status = [&](const char* name) {
      nono::capability_set p;
      if (loopback) p.network(nono::loopback);
      return live::spawned(std::move(p), {"status", name});
    };
    if (status("Seccomp") == live::not_confined) {
      live::skip("no network namespace for this user");
      continue;
    }
    CHECK(status("CapInh") == 0);
    CHECK(status("CapPrm") == 0);
    CHECK(status("CapEff") == 0);
    CHECK(status("CapAmb") == 0);
    if (live::is_root() || loopback) CHECK(status("CapBnd") == 0);  // an ordinary user cannot empty it
    CHECK(status("NoNewPrivs") == 1);
    CHECK(status("Seccomp") == 2);
  }
  if (live::is_root()) {
    CHECK(status_of_self("CapEff") != 0);  // the test itself has some
    const scratch home;
    const std::string closed = home.file("closed");
    live::must(::chmod(closed.c_str(), 0) == 0 && ::chown(closed.c_str(), 65534, 65534) == 0, closed);
    CHECK(try_open(closed) == 0);
    CHECK(live::spawned(live::allow({{closed, nono::read}}), {"open", closed}) == EACCES);
  }
}

TEST_CASE("inherited: apply() sets no_new_privs and a filter") {
  CHECK(live::in_child([] {
          const bool before = status_of_self("NoNewPrivs") == 0 || status_of_self("Seccomp") == 0;
          if (!nono::apply(live::allow({{"/proc", nono::read}}))) return live::not_confined;
          if (status_of_self("NoNewPrivs") != 1 || status_of_self("Seccomp") != 2) return live::odd;
          return before ? 0 : 1;
        }) == 0);
}

TEST_CASE("inherited: the sandbox holds in children's children and after exec") {
  const scratch home;
  const std::string outside = home.file("outside");
  const std::string inside = home.file("inside");
  CHECK(live::spawned(live::allow({{inside, nono::read}}), {"open", inside}) == 0);
  CHECK(live::spawned(live::allow({{inside, nono::read}}), {"open", outside}) == EACCES);
  CHECK(live::spawned(live::allow({{inside, nono::read}}), {"exec", "open", inside}) == 0);
  CHECK(live::spawned(live::allow({{inside, nono::read}}), {"exec", "open", outside}) == EACCES);
  CHECK(live::spawned(live::allow({{inside, nono::read}}), {"open-in-child", outside}) == EACCES);
  CHECK(live::spawned({}, {"exec", "status", "NoNewPrivs"}) == 1);
  // After apply(), in what this process executes.
  const auto policy = live::with_system({{live::self(), nono::read}});
  CHECK(live::confined(policy, [&] {
          const std::string program = live::self();
          const char* const argv[] = {program.c_str(), "--probe", "open", outside.c_str(), nullptr};
          ::execv(program.c_str(), const_cast<char* const*>(argv));
          return live::odd;
        }) == EACCES);
}

TEST_CASE("inherited: threads that start later are confined") {
  const scratch home;
  static std::string outside;
  outside = home.file("outside");
  CHECK(live::confined(live::nothing, [] {
          static int got = live::odd;
          pthread_t thread{};
          const auto body = [](void*) -> void* {
            got = try_open(outside);
            return nullptr;
          };
          if (::pthread_create(&thread, nullptr, body, nullptr) != 0) return live::odd;
          ::pthread_join(thread, nullptr);
          return got;
        }) == EACCES);
}

TEST_CASE("inherited: a child has a session key ring of its own") {
  // Key calls are refused inside, so the ring is seen from the list of keys that the child may view.
  if (try_open("/proc/keys") != 0) return live::skip("/proc/keys does not open");
  const long joined = live::in_child([] {
    // A key in a fresh session ring; a child that had that ring would list it.
    if (::syscall(SYS_keyctl, 1, "nono-live") < 0) return live::odd;  // KEYCTL_JOIN_SESSION_KEYRING
    const long key = ::syscall(SYS_add_key, "user", "nono-live-secret", "x", 1, -3);
    // Nothing to anybody but who has it in a ring: by default the same user may see it as well.
    if (key < 0 || ::syscall(SYS_keyctl, 5, key, 0x3f000000) != 0) return live::odd;  // KEYCTL_SETPERM
    const auto lists = [](nono::capability_set policy) {
      return live::spawned(std::move(policy), {"lists", "/proc/keys", "nono-live-secret"});
    };
    nono::capability_set lifted;
    lifted.lift(protection::keyring);
    if (lists(std::move(lifted)) != 0) return 2;
    return lists({}) == 1 ? 0 : 3;
  });
  CHECK(joined == 0);
}
namespace {
const live::probe lists("lists", [](int, char** argv) {
  std::FILE* file = std::fopen(argv[0], "re");
  if (file == nullptr) return errno;
  char line[512];
  bool found = false;
  while (std::fgets(line, sizeof line, file) != nullptr)
    found = found || std::strstr(line, argv[1]) != nullptr;
  std::fclose(file);
  return found ? 0 : 1;
});
}  // namespace
