// SPDX-License-Identifier: Apache-2.0
// Starting children: their streams, environment and directory; what errors leave behind (nothing).
#include "spawn_fixture.hpp"

#include <sys/resource.h>

using live::leakless;
using live::output_of;
using live::read_all;
using live::scratch;
using live::spawn_error;
using nono::errc;
using nono::spawn_options;
using nono::stream;

// ---- streams ----

TEST_CASE_FIXTURE(leakless, "spawn: pipes") {
  spawn_options options;
  options.in = stream::pipe();
  options.out = stream::pipe();
  options.err = stream::pipe();
  auto child = nono::spawn(live::with_system(), {"/bin/sh", "-c", "cat; echo err >&2"}, options);
  REQUIRE(child.has_value());
  REQUIRE(::write(child->in(), "hello", 5) == 5);
  child->close_in();
  CHECK(child->in() == -1);
  CHECK(read_all(child->out()) == "hello");
  CHECK(read_all(child->err()) == "err\n");
  CHECK(child->wait()->ok());
}

TEST_CASE_FIXTURE(leakless, "spawn: pipes that were not asked for are not there") {
  auto child = nono::spawn(live::with_system(), {"/bin/true"});
  REQUIRE(child.has_value());
  CHECK(child->in() == -1);
  CHECK(child->out() == -1);
  CHECK(child->err() == -1);
  CHECK(child->listener() == -1);
  CHECK(child->report().threads == 1);
  CHECK(child->wait()->ok());
}

TEST_CASE_FIXTURE(leakless, "spawn: null streams") {
  spawn_options options;
  options.in = stream::null();
  options.err = stream::null();
  CHECK(output_of({"/bin/sh", "-c", "cat; echo lost >&2; echo kept"}, options) == "kept\n");
}

TEST_CASE_FIXTURE(leakless, "spawn: descriptors of the parent's, outside every grant") {
  const scratch home;
  const std::string in = home.file("in", "from a file");
  const std::string out = home.file("out", "");
  const int from = ::open(in.c_str(), O_RDONLY | O_CLOEXEC);
  const int to = ::open(out.c_str(), O_WRONLY | O_CLOEXEC);
  spawn_options options;
  options.in = stream::from(from);
  options.out = stream::from(to);
  options.err = stream::from(to);  // twice the same
  auto child = nono::spawn(live::with_system(), {"/bin/sh", "-c", "cat; echo ' and more' >&2"}, options);
  REQUIRE(child.has_value());
  CHECK(child->wait()->ok());
  CHECK(live::text_of(out) == "from a file and more\n");
  ::close(from);
  ::close(to);
}

TEST_CASE_FIXTURE(leakless, "spawn: swapped standard descriptors") {
  const scratch home;
  const std::string first = home.file("first", "");
  const std::string second = home.file("second", "hello");
  CHECK(live::in_child([&] {
          ::close(0);
          ::close(1);
          if (::open(first.c_str(), O_RDWR) != 0 || ::open(second.c_str(), O_RDWR) != 1)
            return live::odd;  // NOLINT
          spawn_options options;
          options.in = stream::from(1);
          options.out = stream::from(0);
          auto child = nono::spawn(live::with_system(), {"/bin/cat"}, options);
          return child && child->wait()->ok() ? 0 : 1;
        }) == 0);
  CHECK(live::text_of(first) == "hello");
  CHECK(live::text_of(second) == "hello");
}

TEST_CASE_FIXTURE(leakless, "spawn: a stream from a descriptor while its own place is empty") {
  const scratch home;
  const std::string out = home.file("out", "");
  nono::capability_set policy;  // holds no descriptor of a path, which would fill the empty places
  policy.lift(nono::protection::filesystem);
  CHECK(live::in_child([&] {
          const int to = ::fcntl(::open(out.c_str(), O_WRONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 50);
          for (const int fd : {0, 1, 2}) ::close(fd);
          spawn_options options;
          options.out = stream::from(to);
          auto child = nono::spawn(policy, {"/bin/echo", "hello"}, options);
          return child && child->wait()->ok() ? 0 : 1;
        }) == 0);
  CHECK(live::text_of(out) == "hello\n");
}

TEST_CASE_FIXTURE(leakless, "spawn: a parent without standard descriptors") {
  const auto with_closed = [](const spawn_options& options, std::initializer_list<std::string_view> argv,
                              std::string_view expected) {
    return live::in_child([&] {
      for (const int fd : {0, 1, 2}) ::close(fd);
      auto child = nono::spawn(live::with_system({{live::self(), nono::read}}), argv, options);
      if (!child) return 1;
      if (child->out() >= 0 && read_all(child->out()) != expected) return 2;
      const auto status = child->wait();
      return !status || status->signal != 0 ? 3 : status->code;
    });
  };
  spawn_options options;
  options.out = stream::pipe();
  CHECK(with_closed(options, {"/bin/echo", "hello"}, "hello\n") == 0);
  options.in = stream::pipe();
  options.err = stream::pipe();
  CHECK(with_closed(options, {"/bin/echo", "hello"}, "hello\n") == 0);
  options = {};
  options.in = options.err = stream::null();
  options.out = stream::pipe();
  CHECK(with_closed(options, {"/bin/echo", "hello"}, "hello\n") == 0);
  // Nothing of ours slips into the empty places.
  const std::string program = live::self();
  CHECK(with_closed({}, {program, "--probe", "count-descriptors"}, "") == 0);
  options = {};
  options.err = stream::null();
  CHECK(with_closed(options, {program, "--probe", "count-descriptors"}, "") == 1);
}

TEST_CASE_FIXTURE(leakless, "spawn: a descriptor that is none") {
  spawn_options options;
  options.err = stream::from(9999);
  const auto child = nono::spawn(live::with_system(), {"/bin/true"}, options);
  REQUIRE_FALSE(child.has_value());
  CHECK(child.error().code == errc::stdio_failed);
  CHECK(child.error().os_errno == EBADF);
  options = {};
  options.in = stream::pipe();  // made, and closed again
  options.out = stream::from(9999);
  CHECK(spawn_error(live::with_system(), {"/bin/true"}, options) == errc::stdio_failed);
}

TEST_CASE_FIXTURE(leakless, "spawn: without descriptors it fails, and with enough it works") {
  CHECK(live::in_child([] {
          int failures = 0;
          const int lowest = live::open_descriptors();
          for (int most = lowest; most < lowest + 30; ++most) {
            const rlimit limit{static_cast<rlim_t>(most), 4096};
            if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return live::odd;
            spawn_options options;
            options.in = options.out = options.err = stream::pipe();
            auto child = nono::spawn(live::with_system(), {"/bin/true"}, options);
            if (child && !child->wait()->ok()) return 1;
            if (!child && (child.error().os_errno != EMFILE || child.error().message().empty())) return 2;
            if (!child) ++failures;
            const bool worked = child.has_value();
            {
              const auto gone = std::move(child);
            }
            if (live::open_descriptors() != lowest) return 3;
            if (worked && failures > 0) return 0;
          }
          return 4;
        }) == 0);
}

// ---- environment and directory ----

TEST_CASE_FIXTURE(leakless, "spawn: the environment that is given, and no other") {
  const char* const given[] = {"FIRST=1", "SECOND=two words", nullptr};
  spawn_options options;
  options.environment = given;
  CHECK(output_of({"/usr/bin/env"}, options) == "FIRST=1\nSECOND=two words\n");
  const char* const empty[] = {nullptr};
  options.environment = empty;
  CHECK(output_of({"/usr/bin/env"}, options).empty());
  REQUIRE(::setenv("NONO_LIVE_VARIABLE", "inherited", 1) == 0);  // NOLINT(concurrency-mt-unsafe)
  CHECK(output_of({"/bin/sh", "-c", "echo $NONO_LIVE_VARIABLE"}) == "inherited\n");
  ::unsetenv("NONO_LIVE_VARIABLE");  // NOLINT(concurrency-mt-unsafe)
}

TEST_CASE_FIXTURE(leakless, "spawn: the directory that is given") {
  const scratch home;
  spawn_options options;
  options.directory = home.path();
  CHECK(output_of({"/bin/pwd", "-P"}, options) == home.path() + "\n");
  options.directory = {};
  CHECK(output_of({"/bin/pwd", "-P"}) == std::filesystem::current_path().string() + "\n");

  const std::string missing = home / "missing";
  options.directory = missing;
  const auto child = nono::spawn(live::with_system(), {"/bin/true"}, options);
  REQUIRE_FALSE(child.has_value());
  CHECK(child.error().code == errc::chdir_failed);
  CHECK(child.error().os_errno == ENOENT);
  CHECK(child.error().path == missing);
  CHECK(child.error().message().find(missing) != std::string::npos);
  const std::string file = home.file("file");
  options.directory = file;
  CHECK(spawn_error(live::with_system(), {"/bin/true"}, options) == errc::chdir_failed);
}

TEST_CASE_FIXTURE(leakless,
                  "spawn: a relative program is the one that was looked up, wherever the child starts") {
  const scratch home;
  const std::string here = home.directory("here");
  const std::string there = home.directory("there");
  scratch::write(here + "/tool", "#!/bin/sh\necho here\n", 0755);
  scratch::write(there + "/tool", "#!/bin/sh\necho there\n", 0755);
  const auto run = [&](std::string_view directory) {
    return live::in_child([&] {
      if (::chdir(here.c_str()) != 0) return live::odd;
      spawn_options options;
      options.directory = directory;
      options.out = stream::pipe();
      auto child = nono::spawn(live::with_system({{home.path(), nono::read}}), {"./tool"}, options);
      if (!child) return child.error().os_errno;
      const std::string got = read_all(child->out());
      (void)child->wait();
      return got == "here\n" ? 0 : got == "there\n" ? 1 : live::odd;
    });
  };
  CHECK(run({}) == 0);
  CHECK(run(there) == 0);
  CHECK(run(home.path()) == 0);
}
