// SPDX-License-Identifier: Apache-2.0
// prepare(): one policy for many children; and what happens to a path that is swapped on the way, in every door.
#include <atomic>
#include <optional>
#include <thread>

#include <sys/syscall.h>

#include "spawn_fixture.hpp"

using live::leakless;
using live::scratch;
using nono::errc;

namespace {

/// Reads its argument. 0 or errno.
const live::probe read_file("prepare.read", [](int argc, char** argv) {
  return argc == 1 ? live::try_open(argv[0]) : live::odd;
});

/// The grants of a probe, and these.
nono::capability_set for_probes(std::initializer_list<live::grant> grants) {
  nono::capability_set out = live::with_system(grants);
  live::must(out.allow_file<nono::read>(live::self()).has_value(), "allow_file");
  return out;
}

/// What a child of `policy` gets when it opens `path`.
int opens(const nono::prepared& policy, const std::string& path) {
  auto child = policy.spawn({live::self(), "--probe", "prepare.read", path});
  if (!child) {
    std::fprintf(stderr, "prepared: %s\n", child.error().message().c_str());
    return live::not_confined;
  }
  const auto status = child->wait();
  return status && status->signal == 0 ? status->code : live::odd;
}

void exchange(const std::string& a, const std::string& b) {
  constexpr unsigned rename_exchange = 2;
  live::must(::syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), rename_exchange) == 0,
             "renameat2");
}

/// Exchanges two paths as fast as it can until it goes.
class swapper {
 public:
  swapper(std::string a, std::string b)
      : thread_([this, a = std::move(a), b = std::move(b)] {
          while (!stop_) {
            exchange(a, b);
            ++swaps_;
          }
        }) {
    while (swaps_ < 10) ::usleep(100);
  }
  ~swapper() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<long> swaps_ = 0;
  std::thread thread_;
};

/// Two directories that change places, each with a file of its own name.
struct two_directories : scratch {
  std::string granted = directory("granted");
  std::string other = directory("other");
  std::string first = file("granted/first");
  std::string second = file("other/second");
  // Wherever they are, by descriptors that are opened before any sandbox.
  int first_dir = ::open(granted.c_str(), O_PATH | O_CLOEXEC);
  int second_dir = ::open(other.c_str(), O_PATH | O_CLOEXEC);
  two_directories() = default;
  two_directories(const two_directories&) = delete;
  two_directories& operator=(const two_directories&) = delete;
  ~two_directories() {
    ::close(first_dir);
    ::close(second_dir);
  }
  [[nodiscard]] bool opens_first() const { return can(::openat(first_dir, "first", O_RDONLY | O_CLOEXEC)); }
  [[nodiscard]] bool opens_second() const {
    return can(::openat(second_dir, "second", O_RDONLY | O_CLOEXEC));
  }
  static bool can(int fd) {
    if (fd >= 0) ::close(fd);
    return fd >= 0;
  }
};

/// In place of an errno.
constexpr int errno_of_change = 150;

bool holds(const nono::bound_policy& bound, const nono::inode_id& id) {
  for (const nono::bound_rule& r : bound.rules)
    if (r.id == id) return true;
  return false;
}

}  // namespace

TEST_CASE_FIXTURE(leakless, "prepare: many children of one policy, by several threads") {
  const scratch home;
  const std::string inside = home.directory("inside");
  const std::string text = home.file("inside/text");
  const std::string secret = home.file("secret");
  const auto policy = for_probes({{inside, nono::read}}).prepare();
  REQUIRE(policy.has_value());
  CHECK(policy->report().landlock_abi == live::landlock_abi());
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 10; ++n)
        if (opens(*policy, text) == 0 && opens(*policy, secret) == EACCES) ++right;
    });
  for (std::thread& t : threads) t.join();
  CHECK(right == 40);
}

TEST_CASE_FIXTURE(leakless, "prepare: a replaced path is named, and taken by refresh()") {
  const scratch home;
  const std::string inside = home.directory("inside");
  const std::string settings = home.file("settings");
  auto policy = for_probes({{inside, nono::read}, {settings, nono::read}}).prepare();
  REQUIRE(policy.has_value());
  CHECK(opens(*policy, settings) == 0);
  // As editors and git save.
  scratch::write(home / "new", "new\n");
  live::must(::rename((home / "new").c_str(), settings.c_str()) == 0, "rename");
  auto got = policy->spawn({"/bin/true"});
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::path_changed);
  CHECK(got.error().path == settings);
  CHECK(got.error().message().find(settings) != std::string::npos);
  REQUIRE(policy->refresh().has_value());
  CHECK(opens(*policy, settings) == 0);

  // What is gone: an error, and refresh() leaves everything as it was.
  live::must(::unlink(settings.c_str()) == 0, "unlink");
  CHECK(policy->spawn({"/bin/true"}).error().code == errc::path_changed);
  const auto refreshed = policy->refresh();
  REQUIRE_FALSE(refreshed.has_value());
  CHECK(refreshed.error().code == errc::path_not_found);
  CHECK(policy->spawn({"/bin/true"}).error().code == errc::path_changed);
  scratch::write(settings, "again\n");
  CHECK(policy->refresh().has_value());
  CHECK(opens(*policy, settings) == 0);
}

TEST_CASE_FIXTURE(leakless, "prepare: it owns what it was given, and can be moved") {
  const scratch home;
  const std::string inside = home.directory("inside");
  const std::string text = home.file("inside/text");
  const auto make = [&] {
    nono::capability_set wider = for_probes({{home.path(), nono::read}});
    nono::capability_set policy = for_probes({});
    live::must(policy.variable("$DATA").has_value() && policy.allow_path<nono::read>("$DATA").has_value(),
               "$DATA");
    const std::string value = inside;
    return policy.prepare(nono::bind("$DATA", value), nono::within(wider));
  };
  auto policy = make();
  REQUIRE(policy.has_value());
  nono::prepared moved = *std::move(policy);
  CHECK(opens(moved, text) == 0);
  CHECK(moved.refresh().has_value());
  CHECK(opens(moved, text) == 0);
}

TEST_CASE_FIXTURE(leakless, "prepare: errors") {
  const scratch home;
  const std::string inside = home.directory("inside");
  CHECK(live::allow({{inside, nono::read}}).prepare(nono::within(live::allow({}))).error().code ==
        errc::not_within);
  nono::capability_set absent;
  live::must(absent.allow_path<nono::read>(home / "absent").has_value(), "allow_path");
  CHECK(nono::prepare(absent).error().code == errc::path_not_found);
  const auto policy = for_probes({}).prepare();
  REQUIRE(policy.has_value());
  nono::spawn_options observed;
  observed.observed = true;
  CHECK(policy->spawn({"/bin/true"}, observed).error().code == errc::bad_argument);
  CHECK(policy->spawn({"/absent/program"}).error().code == errc::program_not_found);
  CHECK(policy->spawn({"true"})->wait()->ok());
}

TEST_CASE_FIXTURE(leakless, "swapped paths: a bound policy is refused by every door") {
  const two_directories home;
  const auto bound = [&] { return nono::bind(for_probes({{home.granted, nono::read}}), {}); };
  const auto swapped = [&] {
    auto out = bound();
    exchange(home.granted, home.other);
    return out;
  };
  const std::string_view argv[] = {"/bin/true"};
  auto first = swapped();
  CHECK(nono::spawn(*std::move(first), argv).error().code == errc::path_changed);
  auto second = swapped();
  CHECK(nono::spawn_supervised(*std::move(second), argv).error().code == errc::path_changed);
  CHECK(live::in_child([&] {
          auto third = swapped();
          const auto got = nono::apply(*std::move(third));
          exchange(home.granted, home.other);
          return !got && got.error().code == errc::path_changed && home.opens_first() && home.opens_second()
                     ? 0
                     : 1;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless,
                  "swapped paths: against a racing renamer one file is granted, the one that was resolved") {
  const two_directories home;
  const auto policy = for_probes({{home.granted, nono::read}});
  const swapper racing(home.granted, home.other);
  int refused = 0;
  int first = 0;
  int second = 0;
  int wrong = 0;
  const auto count = [&](int got) {
    ++(got == errno_of_change ? refused : got == 1 ? first : got == 2 ? second : wrong);
  };
  const auto granted = [&] { return (home.opens_first() ? 1 : 0) + (home.opens_second() ? 2 : 0); };
  for (int i = 0; i < 3000 && (i < 100 || first == 0 || second == 0 || refused == 0); ++i) {
    count(live::in_child([&] {  // resolved and applied in one
      const auto got = nono::apply(policy);
      return got ? granted() : errno_of_change;
    }));
    count(live::in_child([&] {  // resolved, then applied
      auto bound = nono::bind(policy, {});
      if (!bound) return live::odd;
      struct stat st{};
      const bool resolved_first = ::fstat(home.first_dir, &st) == 0 && holds(*bound, {st.st_dev, st.st_ino});
      const auto got = nono::apply(*std::move(bound));
      if (!got) return got.error().code == errc::path_changed ? errno_of_change : live::odd;
      return granted() == (resolved_first ? 1 : 2) ? granted() : live::odd;
    }));
  }
  CAPTURE(first);
  CAPTURE(second);
  CHECK(wrong == 0);
  CHECK(first > 0);
  CHECK(second > 0);
  CHECK(refused > 0);
}

TEST_CASE_FIXTURE(leakless, "swapped paths: prepared children against a racing renamer") {
  const two_directories home;
  const auto policy = for_probes({{home.granted, nono::read}}).prepare();
  REQUIRE(policy.has_value());
  const swapper racing(home.granted, home.other);
  nono::spawn_options options;
  options.out = options.err = nono::stream::null();
  int started = 0;
  int refused = 0;
  for (int i = 0; i < 3000 && (i < 100 || started == 0 || refused == 0); ++i) {
    // By either name: it is the first directory that was resolved.
    auto child = policy->spawn(
        {"/bin/sh", "-c", "cat \"$1\"/second \"$2\"/second", "sh", home.granted, home.other}, options);
    if (!child) {
      CHECK(child.error().code == errc::path_changed);
      ++refused;
    } else {
      ++started;
      CHECK_FALSE(child->wait()->ok());
    }
  }
  CHECK(started > 0);
  CHECK(refused > 0);
}
