// SPDX-License-Identifier: Apache-2.0
// Against a stand-in for the kernel, so that every ABI and every failure is covered on any machine.
#include <nono/apply.hpp>
#include <nono/capability_set.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/confine.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/temporary_directory.hpp"
#include "constexpr_check.hpp"

namespace abi = nono::linux_abi;
using nono::errc;
using nono::sandbox_target;
using nono_test::temporary_directory;

namespace {

/// What the fake kernel answers and what it was asked.
struct fake_state {
  long version = 7;
  long errata = 0;
  long create = 0;  // 0: a descriptor
  long add_rule = 0;
  long add_port = 0;
  long restrict_self = 0;
  long no_new_privs = 0;
  long seccomp = 0;
  long seccomp_available = 0;

  std::vector<std::string> calls;
  std::vector<abi::path_beneath_attr> paths;
  std::vector<nono::inode_id> inodes;
  std::vector<abi::net_port_attr> ports;
  abi::ruleset_attr ruleset;
  int ruleset_fd = -1;
  int fails_from = 0;  // restrict_self succeeds before this many calls
  std::uint32_t restrict_flags = 0;
  unsigned filter_flags = 0;
  unsigned unknown_flags = 0;  // EINVAL for these
  std::uint16_t filter_length = 0;
};
fake_state fake;  // the functions of a kernel are static

struct fake_kernel {
  static long landlock_create_ruleset(const abi::ruleset_attr* attr, std::size_t size,
                                      std::uint32_t flags) noexcept {
    if (flags == 1) {
      fake.calls.emplace_back("version");
      return attr == nullptr && size == 0 ? fake.version : -EINVAL;
    }
    if (flags == 2) {
      fake.calls.emplace_back("errata");
      return attr == nullptr && size == 0 ? fake.errata : -EINVAL;
    }
    fake.calls.emplace_back("create");
    if (fake.create < 0) return fake.create;
    if (size != 24 || flags != 0) return -EINVAL;
    fake.ruleset = *attr;
    fake.ruleset_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fake.ruleset_fd;
  }
  static long landlock_add_rule(int ruleset, int type, const void* attr) noexcept {
    if (ruleset != fake.ruleset_fd) return -EBADF;
    if (type == 2) {
      fake.calls.emplace_back("add_port");
      if (fake.add_port < 0) return fake.add_port;
      abi::net_port_attr port;
      std::memcpy(&port, attr, sizeof port);
      fake.ports.push_back(port);
      return 0;
    }
    fake.calls.emplace_back("add_path");
    if (fake.add_rule < 0) return fake.add_rule;
    abi::path_beneath_attr path;
    std::memcpy(&path, attr, sizeof path);
    struct stat info{};
    if (fstat(path.parent_fd, &info) != 0) return -EBADF;
    fake.paths.push_back(path);
    fake.inodes.push_back({info.st_dev, info.st_ino});
    return 0;
  }
  static long landlock_restrict_self(int, std::uint32_t flags) noexcept {
    fake.calls.emplace_back("restrict_self");
    fake.restrict_flags = flags;
    if (flags != 0 && (flags != 8 || fake.version < 8)) return -EINVAL;
    return fake.fails_from != 0 && static_cast<int>(fake.calls.size()) < fake.fails_from ? 0
                                                                                         : fake.restrict_self;
  }
  static long no_new_privs() noexcept {
    fake.calls.emplace_back("no_new_privs");
    return fake.no_new_privs;
  }
  static long seccomp_filter(const sock_filter* program, std::uint16_t length, unsigned flags) noexcept {
    fake.calls.emplace_back("seccomp");
    fake.filter_length = program != nullptr ? length : std::uint16_t{0};
    fake.filter_flags = flags;
    return (flags & fake.unknown_flags) != 0 ? -EINVAL : fake.seccomp;
  }
  static long seccomp_available() noexcept {
    fake.calls.emplace_back("seccomp_available");
    return fake.seccomp_available;
  }
};

/// Counts only: its functions are called in the handlers of signals, by several threads.
struct counting_kernel {
  static inline std::atomic<int> restricted = 0;
  static long landlock_restrict_self(int ruleset, std::uint32_t flags) noexcept {
    ++restricted;
    return ruleset == 7 && flags == 0 ? 0 : -EINVAL;
  }
  static long no_new_privs() noexcept { return 0; }
  static long seccomp_filter(const sock_filter*, std::uint16_t, unsigned) noexcept { return 0; }
};

std::string all_calls() {
  std::string out;
  for (const std::string& call : fake.calls) out += call + " ";
  return out;
}

/// A policy over a temporary tree, bound, with its plan.
struct planned_policy {
  explicit planned_policy(const nono::capability_set& set, int landlock_abi = 7)
      : bound(std::move(nono::bind(set, {})).value()) {
    fake = {};
    plan =
        std::move(nono::make_plan(bound, abi::kernel_of(landlock_abi), sandbox_target::this_process)).value();
  }
  nono::bound_policy bound;
  nono::plan plan;
};

nono::capability_set two_paths(const temporary_directory& root) {
  nono::capability_set set;
  CHECK(set.allow_path<nono::read>(root / "a").has_value());
  CHECK(set.allow_file<nono::read_write>(root / "b").has_value());
  set.network(nono::only(nono::connect_tcp(443), nono::bind_tcp(0)));
  return set;
}

struct tree : temporary_directory {
  tree() {
    directory("a");
    file("b");
  }
};

}  // namespace

TEST_CASE("probe_kernel: every ABI") {
  for (long n = 1; n <= 12; ++n) {
    fake = {};
    fake.version = n;
    fake.errata = 0xf;
    const auto got = nono::detail::probe_kernel<fake_kernel>();
    CHECK(got.landlock_abi == n);
    CHECK(got.errata == 0xf);
    CHECK(got.landlock_errno == 0);
    CHECK(got.seccomp);
    CHECK(fake.calls.size() == 3);
  }
}

TEST_CASE("probe_kernel: a kernel that does not know errata has none fixed") {
  fake = {};
  fake.errata = -EINVAL;
  const auto got = nono::detail::probe_kernel<fake_kernel>();
  CHECK(got.landlock_abi == 7);
  CHECK(got.errata == 0);
}

TEST_CASE("probe_kernel: why there is no Landlock, and whether there is seccomp") {
  for (const int why : {ENOSYS, EOPNOTSUPP, EPERM}) {
    fake = {};
    fake.version = -why;
    const auto got = nono::detail::probe_kernel<fake_kernel>();
    CHECK(got.landlock_abi == 0);
    CHECK(got.landlock_errno == why);
    CHECK(got.seccomp);
  }
  fake = {};
  fake.seccomp_available = -EOPNOTSUPP;
  CHECK_FALSE(nono::detail::probe_kernel<fake_kernel>().seccomp);
}

TEST_CASE("make_ruleset: the kernel gets exactly the rules of the plan") {
  const tree root;
  const planned_policy p(two_paths(root));
  const auto ruleset = nono::detail::make_ruleset<fake_kernel>(p.plan);
  REQUIRE(ruleset.has_value());
  CHECK(ruleset->get() == fake.ruleset_fd);
  CHECK(fake.ruleset.handled_access_fs == 0xffff);
  CHECK(fake.ruleset.handled_access_net == 3);
  CHECK(fake.ruleset.scoped == 3);
  CHECK(all_calls() == "create add_path add_path add_port add_port ");
  REQUIRE(fake.paths.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(std::uint64_t{fake.paths[i].allowed_access} == p.plan.paths[i].access);
    CHECK(int{fake.paths[i].parent_fd} == p.plan.paths[i].rule->fd);
    CHECK(fake.inodes[i] == p.plan.paths[i].rule->id);
  }
  CHECK(std::uint64_t{fake.paths[0].allowed_access} == 0xd);
  CHECK(std::uint64_t{fake.paths[1].allowed_access} == 0x4007);
  REQUIRE(fake.ports.size() == 2);
  CHECK(fake.ports[0].allowed_access == 2);
  CHECK(fake.ports[0].port == 443);
  CHECK(fake.ports[1].allowed_access == 1);
  CHECK(fake.ports[1].port == 0);
}

TEST_CASE("make_ruleset: a plan that asks nothing of Landlock makes none") {
  fake = {};
  const auto got = nono::detail::make_ruleset<fake_kernel>(nono::plan{});
  REQUIRE(got.has_value());
  CHECK(got->get() == -1);
  CHECK(fake.calls.empty());
}

TEST_CASE("make_ruleset: each failure has its error, stops, and closes the ruleset") {
  const tree root;
  const planned_policy p(two_paths(root));
  const auto failed = [&] {
    auto got = nono::detail::make_ruleset<fake_kernel>(p.plan);
    REQUIRE_FALSE(got.has_value());
    if (fake.ruleset_fd >= 0) CHECK(fcntl(fake.ruleset_fd, F_GETFD) == -1);
    CHECK(got.error().code == errc::ruleset_failed);
    return got.error();
  };
  fake.create = -ENOMEM;
  CHECK(failed().os_errno == ENOMEM);
  CHECK(all_calls() == "create ");
  fake = {};
  fake.add_rule = -EBADFD;
  const nono::error add = failed();
  CHECK(add.os_errno == EBADFD);
  CHECK(add.message().find("'" + (root / "a") + "'") != std::string::npos);
  CHECK(all_calls() == "create add_path ");
  fake = {};
  fake.add_port = -EINVAL;
  CHECK(failed().os_errno == EINVAL);
  CHECK(all_calls() == "create add_path add_path add_port ");
}

TEST_CASE("make_ruleset: a kernel without IP has no port to close") {
  const tree root;
  const planned_policy p(two_paths(root));
  fake.add_port = -EAFNOSUPPORT;
  CHECK(nono::detail::make_ruleset<fake_kernel>(p.plan).has_value());
  CHECK(all_calls() == "create add_path add_path add_port add_port ");
}

TEST_CASE("make_ruleset: a path that is not held is resolved again, and a swap is an error") {
  const tree root;
  planned_policy p(two_paths(root));
  for (auto& rule : p.bound.rules) nono::close_descriptor(std::exchange(rule.fd, -1));
  REQUIRE(nono::detail::make_ruleset<fake_kernel>(p.plan).has_value());
  REQUIRE(fake.inodes.size() == 2);
  CHECK(fake.inodes[0] == p.bound.rules[0].id);
  CHECK(fake.inodes[1] == p.bound.rules[1].id);
  for (const auto& path : fake.paths) CHECK(fcntl(path.parent_fd, F_GETFD) == -1);  // let go at once

  const auto changed = [&] {
    fake = {};
    const auto got = nono::detail::make_ruleset<fake_kernel>(p.plan);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::path_changed);
    CHECK(got.error().path == root / "a");
    CHECK(fcntl(fake.ruleset_fd, F_GETFD) == -1);
    CHECK(all_calls() == "create ");
  };
  REQUIRE(rename((root / "a").c_str(), (root / "kept").c_str()) == 0);
  changed();  // gone
  root.directory("a");
  changed();  // another directory of that name
  REQUIRE(rmdir((root / "a").c_str()) == 0);
  REQUIRE(symlink("b", (root / "a").c_str()) == 0);
  changed();  // a link
  REQUIRE(unlink((root / "a").c_str()) == 0);
  REQUIRE(symlink("kept", (root / "a").c_str()) == 0);
  fake = {};
  CHECK(nono::detail::make_ruleset<fake_kernel>(p.plan).has_value());  // the same inode is the same
}

TEST_CASE("confine_thread: no_new_privs, the filter, then Landlock") {
  fake = {};
  nono::filter_program program;
  program.length = 3;
  CHECK(nono::detail::confine_thread<fake_kernel>(program, 5, nullptr).code == errc::none);
  CHECK(all_calls() == "no_new_privs seccomp restrict_self ");
  CHECK(fake.filter_length == 3);
  CHECK(fake.filter_flags == 0);
  fake = {};
  CHECK(nono::detail::confine_thread<fake_kernel>(nono::filter_program{}, 5, nullptr).code == errc::none);
  CHECK(all_calls() == "no_new_privs restrict_self ");
  fake = {};
  CHECK(nono::detail::confine_thread<fake_kernel>(program, -1, nullptr).code == errc::none);
  CHECK(all_calls() == "no_new_privs seccomp ");
  fake = {};
  fake.seccomp = 42;
  nono::detail::new_listener listener;
  CHECK(nono::detail::confine_thread<fake_kernel>(program, 5, &listener).code == errc::none);
  CHECK(listener.fd == 42);
  CHECK(listener.keeps_answers);
  CHECK(fake.filter_flags == (SECCOMP_FILTER_FLAG_NEW_LISTENER | 32U));
  fake = {};
  fake.seccomp = 42;
  fake.unknown_flags = 32;  // before Linux 5.19
  CHECK(nono::detail::confine_thread<fake_kernel>(program, 5, &listener).code == errc::none);
  CHECK(listener.fd == 42);
  CHECK_FALSE(listener.keeps_answers);
  CHECK(fake.filter_flags == SECCOMP_FILTER_FLAG_NEW_LISTENER);
  CHECK(all_calls() == "no_new_privs seccomp seccomp restrict_self ");
}

TEST_CASE("confine_thread: each failure has its error, and no later step is taken") {
  nono::filter_program program;
  program.length = 3;
  const auto failed = [&](errc code, int number, const std::string& taken,
                          nono::detail::new_listener* listener = nullptr) {
    const auto got = nono::detail::confine_thread<fake_kernel>(program, 5, listener);
    CHECK(got.code == code);
    CHECK(got.os_errno == number);
    CHECK(std::string(got.step).size() > 3);
    CHECK(all_calls() == taken);
  };
  fake = {};
  fake.no_new_privs = -EINVAL;
  failed(errc::restrict_failed, EINVAL, "no_new_privs ");
  fake = {};
  fake.seccomp = -EACCES;
  failed(errc::filter_refused, EACCES, "no_new_privs seccomp ");
  for (const auto& [number, code] : {std::pair{ENOSYS, errc::seccomp_unavailable},
                                     {EPERM, errc::filter_refused},
                                     {ENOMEM, errc::too_many_filters},
                                     {EINVAL, errc::filter_failed},
                                     {EFAULT, errc::filter_failed}}) {
    fake = {};
    fake.seccomp = -number;
    failed(code, number, "no_new_privs seccomp ");
  }
  fake = {};
  fake.seccomp = -EBUSY;
  nono::detail::new_listener listener;
  failed(errc::listener_taken, EBUSY, "no_new_privs seccomp ", &listener);
  CHECK(listener.fd == -1);
  fake = {};
  fake.restrict_self = -E2BIG;
  failed(errc::too_many_layers, E2BIG, "no_new_privs seccomp restrict_self ");
  fake = {};
  fake.restrict_self = -EPERM;
  failed(errc::restrict_refused, EPERM, "no_new_privs seccomp restrict_self ");
  for (const auto& [number, code] : {std::pair{ENOSYS, errc::landlock_not_in_kernel},
                                     {EOPNOTSUPP, errc::landlock_disabled},
                                     {EINVAL, errc::restrict_failed},
                                     {EBADFD, errc::restrict_failed}}) {
    fake = {};
    fake.restrict_self = -number;
    failed(code, number, "no_new_privs seccomp restrict_self ");
  }
}

TEST_CASE("program_for: no seccomp, no program") {
  abi::kernel_support k;
  CHECK(nono::detail::program_for({}, k).length == 0);
  k.seccomp = true;
  CHECK(nono::detail::program_for({}, k).length > 10);
}

TEST_CASE("thread_count: this process and its threads") {
  REQUIRE(nono::detail::thread_count() == 1);
  std::atomic<bool> go{false};
  std::thread other([&] {
    while (!go) usleep(1000);
  });
  CHECK(nono::detail::thread_count() == 2);
  go = true;
  other.join();
}

// The kernel's own way, which no kernel at hand has: ABI 8 and later.
TEST_CASE("confine_threads: TSYNC, rehearsed in a child first") {
  using nono::thread_mode;
  nono::filter_program program;
  program.length = 1;
  const auto confine = [&](thread_mode mode) {
    std::uint32_t threads = 5;
    const auto why = nono::detail::confine_threads<fake_kernel>(program, 7, mode, 100, threads);
    CHECK(threads == 5);  // the kernel does not tell
    return why;
  };
  const std::string once = "no_new_privs seccomp restrict_self ";
  fake = {};
  fake.version = 8;
  CHECK(confine(thread_mode::tsync).code == errc::none);
  CHECK(all_calls() == once + once);
  CHECK(fake.filter_flags == 1);    // SECCOMP_FILTER_FLAG_TSYNC
  CHECK(fake.restrict_flags == 8);  // LANDLOCK_RESTRICT_SELF_TSYNC

  SUBCASE("what the rehearsal refuses is not done") {
    fake = {};
    fake.version = 8;
    fake.restrict_self = -E2BIG;
    CHECK(confine(thread_mode::tsync).code == errc::too_many_layers);
    CHECK(all_calls() == once);
    fake = {};
    fake.seccomp = -ENOMEM;
    CHECK(confine(thread_mode::tsync).code == errc::too_many_filters);
    CHECK(all_calls() == "no_new_privs seccomp ");
  }
  SUBCASE("a refusal that only the real one meets") {
    fake = {};
    fake.version = 8;
    fake.restrict_self = -EPERM;
    fake.fails_from = 4;
    CHECK(confine(thread_mode::tsync).code == errc::restrict_refused);
    CHECK(all_calls() == once + once);
  }
  SUBCASE("a kernel that knows no TSYNC after all") {
    fake = {};
    fake.version = 7;
    const auto why = confine(thread_mode::tsync);
    CHECK(why.code == errc::restrict_failed);
    CHECK(why.os_errno == EINVAL);
  }
  SUBCASE("the thread whose filter differs") {
    fake = {};
    fake.seccomp = 4711;
    const auto why = confine(thread_mode::tsync);
    CHECK(why.code == errc::thread_unreachable);
    CHECK(why.tid == 4711);
    CHECK(all_calls() == "no_new_privs seccomp ");
  }
  SUBCASE("without a ruleset only the filter, also where threads would be stopped for one") {
    for (const thread_mode mode : {thread_mode::tsync, thread_mode::broadcast}) {
      fake = {};
      std::uint32_t threads = 5;
      CHECK(nono::detail::confine_threads<fake_kernel>(program, -1, mode, 100, threads).code == errc::none);
      CHECK(all_calls() == "no_new_privs seccomp no_new_privs seccomp ");
      CHECK(fake.filter_flags == 1);
    }
  }
}

TEST_CASE("confine_threads: broadcast, each thread by itself") {
  std::atomic<bool> go{false};
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i)
    others.emplace_back([&] {
      while (!go) usleep(1000);
    });
  nono::filter_program program;
  program.length = 1;
  std::uint32_t threads = 0;
  fake = {};
  const auto why =
      nono::detail::confine_threads<counting_kernel>(program, 7, nono::thread_mode::broadcast, 5000, threads);
  go = true;
  for (std::thread& t : others) t.join();
  CHECK(why.code == errc::none);
  CHECK(threads == 4);
  CHECK(counting_kernel::restricted == 1 + 4);  // the rehearsal, too
}

TEST_CASE("descriptor: closes once") {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  {
    nono::detail::descriptor first(fd);
    nono::detail::descriptor second(std::move(first));
    CHECK(first.get() == -1);  // NOLINT(bugprone-use-after-move)
    CHECK(second.get() == fd);
    first = std::move(second);
    CHECK(first.get() == fd);
  }
  CHECK(fcntl(fd, F_GETFD) == -1);
  const int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(nono::detail::descriptor(kept).release() == kept);
  CHECK(close(kept) == 0);
}
