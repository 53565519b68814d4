// SPDX-License-Identifier: Apache-2.0
// The program that spawn() starts, its arguments, and how it ends.
#include "spawn_fixture.hpp"

#include <poll.h>
#include <sys/prctl.h>

using live::leakless;
using live::output_of;
using live::read_all;
using live::scratch;
using live::spawn_error;
using nono::errc;
using nono::spawn_options;
using nono::stream;

namespace {

const live::probe leave("exit",
                        [](int, char** argv) { return static_cast<int>(std::strtol(argv[0], nullptr, 10)); });
const live::probe end_by("end-by-signal", [](int, char** argv) {
  const int signal = static_cast<int>(std::strtol(argv[0], nullptr, 10));
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // no core file
  (void)std::signal(signal, SIG_DFL);          // a sanitizer may have taken it
  return ::raise(signal);
});

}  // namespace

TEST_CASE_FIXTURE(leakless, "spawn: programs that cannot be started") {
  const scratch home;
  const auto policy = live::with_system({{home.path(), nono::read}});
  const auto error_of_spawn = [](const nono::capability_set& p,
                                 std::initializer_list<std::string_view> argv) {
    const auto child = nono::spawn(p, argv);
    REQUIRE_FALSE(child.has_value());
    CHECK(child.error().message().find(*argv.begin()) != std::string::npos);
    return child.error();
  };
  const std::string missing = home / "missing";
  CHECK(error_of_spawn(policy, {missing}).code == errc::program_not_found);
  CHECK(error_of_spawn(policy, {missing}).os_errno == ENOENT);
  CHECK(error_of_spawn(policy, {"nono-live-no-such-program"}).code == errc::program_not_found);
  const std::string plain = home.file("plain");
  CHECK(error_of_spawn(policy, {plain}).code == errc::program_not_executable);
  CHECK(error_of_spawn(policy, {plain}).os_errno == EACCES);
  CHECK(error_of_spawn(policy, {home.path()}).code == errc::program_not_executable);
  CHECK(error_of_spawn(policy, {home.path()}).os_errno == EACCES);
  const std::string garbage = home / "garbage";
  scratch::write(garbage, "neither ELF nor script\n", 0755);
  CHECK(error_of_spawn(policy, {garbage}).code == errc::exec_failed);
  CHECK(error_of_spawn(policy, {garbage}).os_errno == ENOEXEC);
  const std::string no_interpreter = home / "no-interpreter";
  scratch::write(no_interpreter, "#!/nono-live/nowhere\n", 0755);
  CHECK(error_of_spawn(policy, {no_interpreter}).os_errno == ENOENT);

  // Outside every grant, and inside one that does not hold the loader.
  CHECK(error_of_spawn(live::with_system(), {garbage}).code == errc::exec_failed);
  CHECK(error_of_spawn(live::with_system(), {garbage}).os_errno == EACCES);
  CHECK(error_of_spawn(nono::capability_set(), {"/bin/true"}).os_errno == EACCES);
  const std::string copy = home / "true";
  std::filesystem::copy_file("/bin/true", copy);
  const auto alone = live::allow({{copy, nono::read}});
  CHECK(error_of_spawn(alone, {copy}).os_errno == EACCES);
  CHECK(spawn_error(live::with_system({{copy, nono::read}}), {copy}) == errc::none);
}

TEST_CASE_FIXTURE(leakless, "spawn: arguments") {
  using std::string_view_literals::operator""sv;
  CHECK(output_of({"/bin/echo", "one", "", "two words"}) == "one  two words\n");
  CHECK(spawn_error(live::with_system(), {"/bin/echo", "a\0b"sv}) == errc::bad_argument);
  CHECK(spawn_error(live::with_system(), {"/bin/echo\0/x"sv}) == errc::bad_argument);
  CHECK(spawn_error(live::with_system(), {}) == errc::bad_argument);
  CHECK(spawn_error(live::with_system(), {""}) == errc::program_not_found);
  CHECK(output_of({"echo", "by PATH"}) == "by PATH\n");
  spawn_options options;
  options.program = "/bin/sh";
  CHECK(output_of({"another-name", "-c", "echo $0"}, options) == "another-name\n");
}

TEST_CASE_FIXTURE(leakless, "spawn: a NUL in the program's or the directory's name cuts nothing off") {
  using std::string_view_literals::operator""sv;
  spawn_options with_nul;
  with_nul.program = "/bin/true\0x"sv;
  CHECK(spawn_error(live::with_system(), {"true"}, with_nul) == errc::bad_argument);
  with_nul = {};
  with_nul.directory = "/\0x"sv;
  CHECK(spawn_error(live::with_system(), {"true"}, with_nul) == errc::bad_argument);
}

// ---- the end ----

TEST_CASE_FIXTURE(leakless, "spawn: exit codes and signals") {
  CHECK(live::spawned({}, {"exit", "0"}) == 0);
  CHECK(live::spawned({}, {"exit", "3"}) == 3);
  CHECK(live::spawned({}, {"exit", "255"}) == 255);
  for (const int signal : {SIGKILL, SIGTERM, SIGSEGV, SIGUSR1}) {
    const std::string text = std::to_string(signal);
    CHECK(live::spawned({}, {"end-by-signal", text}) == live::killed + signal);
  }
  auto child = nono::spawn(live::with_system(), {"/bin/sleep", "60"});
  REQUIRE(child.has_value());
  CHECK(child->kill(SIGTERM) == 0);
  const auto status = child->wait();
  REQUIRE(status.has_value());
  CHECK(status->signal == SIGTERM);
  CHECK(status->exit_code() == 128 + SIGTERM);
  CHECK_FALSE(status->ok());
  CHECK(child->kill(SIGTERM) == -ESRCH);
}

TEST_CASE_FIXTURE(leakless, "spawn: a second wait() is an error") {
  auto child = nono::spawn(live::with_system(), {"/bin/true"});
  REQUIRE(child.has_value());
  CHECK(child->wait().has_value());
  const auto again = child->wait();
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == errc::wait_failed);
  CHECK(again.error().os_errno == ECHILD);
}

TEST_CASE_FIXTURE(leakless, "spawn: somebody else reaps") {
  CHECK(live::in_child([] {
          std::signal(SIGCHLD, SIG_IGN);
          auto child = nono::spawn(live::with_system(), {"/bin/true"});
          if (!child) return 1;
          const auto status = child->wait();
          return !status && status.error().code == errc::wait_failed && status.error().os_errno == ECHILD ? 0
                                                                                                          : 2;
        }) == 0);
}

TEST_CASE_FIXTURE(leakless, "spawn: the pidfd tells the end") {
  spawn_options options;
  options.in = stream::pipe();
  auto child = nono::spawn(live::with_system(), {"/bin/cat"}, options);
  REQUIRE(child.has_value());
  pollfd end{child->pidfd(), POLLIN, 0};
  CHECK(::poll(&end, 1, 50) == 0);
  child->close_in();
  CHECK(::poll(&end, 1, 10000) == 1);
  CHECK(child->wait()->ok());
}

TEST_CASE_FIXTURE(leakless, "spawn: a child without an owner is killed and reaped") {
  int pid = 0;
  {
    auto child = nono::spawn(live::with_system(), {"/bin/sleep", "60"});
    REQUIRE(child.has_value());
    pid = child->pid();
    nono::child moved = std::move(*child);
    CHECK(moved.pid() == pid);
    CHECK(::kill(pid, 0) == 0);
  }
  CHECK(::kill(pid, 0) == -1);
  CHECK(errno == ESRCH);
}

TEST_CASE_FIXTURE(leakless, "spawn: a released child goes on") {
  int pid = 0;
  {
    auto child = nono::spawn(live::with_system(), {"/bin/sleep", "60"});
    REQUIRE(child.has_value());
    pid = child->pid();
    child->release();
  }
  CHECK(::kill(pid, SIGTERM) == 0);
  CHECK(live::result_of(pid) == live::killed + SIGTERM);
}
