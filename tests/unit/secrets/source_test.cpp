// SPDX-License-Identifier: Apache-2.0
// The sources of secrets, with programs that stand in for op, bw and nono-keyring; tests/cli has the real keyring.
#include "secrets/source.hpp"

#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "secrets/child.hpp"
#include "unit/cli/temporary_directory.hpp"

using namespace nono::secrets;
using nono_test::temporary_directory;
using std::string;

namespace {

reference of(std::string_view text) {
  auto out = parse_reference(text);
  if (!out) FAIL(out.error().message());
  return *out;
}

/// A directory with programs on PATH, and the sources that see it.
struct place {
  temporary_directory tmp;
  string path = "PATH=" + tmp.path() + "/bin:/usr/bin:/bin";
  std::vector<string> more;
  surroundings with;

  place() { with.keyring_program = tmp.path() + "/bin/nono-keyring"; }

  void program(const string& name, const string& script) const {
    (void)tmp.file("bin/" + name, "#!/bin/sh\n" + script, 0755);
  }
  nono::result<secret> loaded(std::string_view text) {
    std::vector<const char*> entries{path.c_str()};
    for (const string& one : more) entries.push_back(one.c_str());
    entries.push_back(nullptr);
    with.environment = entries.data();
    auto out = load(of(text), with);
    with.environment = nullptr;
    return out;
  }
  string value(std::string_view text) {
    auto got = loaded(text);
    if (!got) FAIL(got.error().message());
    return string(got->view());
  }
  /// The message; absent: whether that is what it says.
  string refused(std::string_view text, bool absent = false) {
    const auto got = loaded(text);
    REQUIRE_FALSE(got);
    CHECK(not_found(got.error()) == absent);
    return got.error().message();
  }
};

/// In a child of its own: what it changes of descriptors and signals ends with it.
int in_a_child(const std::function<bool()>& holds) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(holds() ? 0 : 1);
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("source: a variable of the environment that is given") {
  place here;
  here.more = {"KEY=S3CRET", "EMPTY=", "KEYS=x", "LONG=" + string(max_secret + 1, 'x'), "KEY=second"};
  CHECK(here.value("env://KEY") == "S3CRET");
  CHECK(here.refused("env://EMPTY", true) ==
        "Secret not found: env://EMPTY is unset or empty; export it before nono starts");
  CHECK(here.refused("env://KE", true).find("env://KE is unset") != string::npos);
  CHECK(here.refused("env://LONG") ==
        "the secret of env://LONG is longer than 65536 bytes; name one that is a key");
  CHECK_FALSE(load(of("env://KEY"), {}));
}

TEST_CASE("source: a file, without one line end") {
  place here;
  const auto file = [&](const string& content, mode_t mode = 0600) {
    return "file://" + here.tmp.file("key", content, mode);
  };
  CHECK(here.value(file("S3CRET\n")) == "S3CRET");
  CHECK(here.value(file("S3CRET", 0644)) == "S3CRET");
  CHECK(here.value(file("a\nb\n\n")) == "a\nb\n");
  CHECK(here.value(file(string(max_secret, 'x'))).size() == max_secret);
  CHECK(here.value(file(string(max_secret, 'x') + "\n")).size() == max_secret);
  CHECK(here.refused(file(string(max_secret + 1, 'x'))).find("is longer than 65536 bytes") != string::npos);
  CHECK(here.refused(file(string(max_secret + 9, 'x'))).find("is longer than 65536 bytes") != string::npos);
  const string shown = file("");
  for (const char* empty : {"", "\n"})
    CHECK(here.refused(file(empty), true) == "Secret not found: " + shown + " is empty; put the key into it");
  CHECK(here.refused(file(string("a\0b", 3))) ==
        "the secret of " + shown + " has a NUL byte; name one that is text");
  for (const mode_t mode : {0620U, 0602U})
    CHECK(here.refused(file("S3CRET", mode)) ==
          "the secret of " + shown + " cannot be read: others may write it; use chmod go-w on it");
  CHECK(here.value("file://" + here.tmp.link("link", here.tmp.file("key", "S3CRET", 0600))) == "S3CRET");
  const string gone = "file://" + here.tmp / "gone";
  CHECK(here.refused(gone, true) ==
        "Secret not found: there is no " + gone + "; put it there, or name another file");
  CHECK(here.refused(gone + "/x", true).find("there is no") != string::npos);
  CHECK(here.refused("file://" + here.tmp / "key/x", true).find("there is no") != string::npos);
  REQUIRE(mkfifo((here.tmp / "fifo").c_str(), 0600) == 0);
  for (const string& path : {here.tmp / "fifo", here.tmp.path(), string("/dev/zero")})
    CHECK(here.refused("file://" + path) ==
          "the secret of file://" + path + " cannot be read: it is no regular file; name one that is");
  if (geteuid() != 0)
    CHECK(here.refused(file("S3CRET", 0)) ==
          "the secret of " + shown + " cannot be read: Permission denied; give yourself read permission");
}

TEST_CASE("source: 1Password's program, without a shell") {
  place here;
  CHECK(here.refused("op://v/i/f") ==
        "the secret of op://v/... is with 1Password, whose program op is not on PATH; install it, or name "
        "another "
        "source");
  here.more = {"OP_SESSION_x=token"};
  here.program("op", "[ \"$OP_SESSION_x\" = token ] && [ $# = 3 ] && printf '%s;' \"$@\"; cat; echo");
  CHECK(here.value("op://v/an item/f") == "read;--;op://v/an item/f;");
  here.program("op", "echo noise >&2; printf 'a\\nb'");
  CHECK(here.value("op://v/i/f") == "a\nb");
  here.program("op", ":");
  CHECK(here.refused("op://v/i/f", true) ==
        "Secret not found: op gave nothing for op://v/...; sign in to it, or name a field that has a value");
  here.program("op",
               "echo S3CRET; echo first >&2; printf '[ERROR] \\033[31mnot signed in\\n\\n' >&2; exit 6");
  CHECK(here.refused("op://v/i/f") ==
        "the secret of op://v/... was not given: op says '[ERROR] \\x1b[31mnot signed in'; run op yourself "
        "to see "
        "whether you are signed in and the secret is there");
  here.program("op", "echo S3CRET; exit 7");
  CHECK(here.refused("op://v/i/f").find("op ended with exit code 7;") != string::npos);
  here.program("op", "kill -9 $$");
  CHECK(here.refused("op://v/i/f").find("op was ended by signal 9;") != string::npos);
  here.program("op", "head -c 65536 /dev/zero | tr '\\0' x; echo");
  CHECK(here.value("op://v/i/f").size() == max_secret);
  here.program("op", "yes S3CRET");
  CHECK(here.refused("op://v/i/f").find("op wrote more than a secret can be;") != string::npos);
  here.program("op", "yes error >&2 & printf x; sleep .2; kill $!");
  CHECK(here.value("op://v/i/f") == "x");
  (void)here.tmp.file("bin/op", "no program", 0755);
  CHECK(here.refused("op://v/i/f").find("op could not be started: Exec format error;") != string::npos);
}

TEST_CASE("source: a program that hangs is killed and reaped") {
  place here;
  here.with.helper_limit = std::chrono::milliseconds(300);
  here.program("op", "echo $$ > " + here.tmp / "pid" + "; printf S3CRET; exec sleep 100");
  const auto start = std::chrono::steady_clock::now();
  CHECK(here.refused("op://v/i/f").find("op did not answer in 0 seconds;") != string::npos);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  pid_t pid = 0;
  std::ifstream(here.tmp / "pid") >> pid;
  REQUIRE(pid > 0);
  CHECK(kill(pid, 0) == -1);
  CHECK(errno == ESRCH);
  // One that ends, and leaves a child that keeps its output open.
  here.program("op", "sleep 100 & echo $! > " + here.tmp / "pid" + "; printf S3CRET");
  here.with.helper_limit = std::chrono::seconds(20);
  CHECK(here.value("op://v/i/f") == "S3CRET");
  std::ifstream(here.tmp / "pid") >> pid;
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  CHECK(kill(pid, SIGKILL) == 0);
}

TEST_CASE("source: what a program that hangs has started is killed with it") {
  place here;
  here.with.helper_limit = std::chrono::milliseconds(300);
  here.program("op", "sh -c 'sleep 100 & echo $! > " + here.tmp / "pid" + "; wait' & wait");
  CHECK(here.refused("op://v/i/f").find("op did not answer in 0 seconds;") != string::npos);
  pid_t pid = 0;
  std::ifstream(here.tmp / "pid") >> pid;
  REQUIRE(pid > 0);
  // Nobody waits for it here: gone, or dead.
  string state;
  for (int i = 0; i < 100 && kill(pid, 0) == 0 && state != "Z"; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    string skipped;
    stat >> skipped >> skipped >> state;
    (void)usleep(10000);
  }
  CHECK((kill(pid, 0) != 0 || state == "Z"));
}

TEST_CASE("source: a program that could be replaced is not asked, nor is its interpreter looked for there") {
  place here;
  here.with.grant_over = [&](const string& path) {
    return path.starts_with(here.tmp / "work/") ? string("'work'") : string();
  };
  (void)here.tmp.file("away/op", "#!/bin/sh\necho wrong", 0755);
  const string planted = here.tmp.file("work/bin/op", "#!/bin/sh\necho wrong", 0755);
  (void)here.tmp.file("work/bin/interpreter", "#!/bin/sh\necho wrong", 0755);
  (void)here.tmp.file("bin/interpreter", "#!/bin/sh\necho right", 0755);
  (void)here.tmp.link("work/link", here.tmp / "away");
  (void)here.tmp.link("to", "work/link");
  (void)here.tmp.directory("links");
  (void)here.tmp.link("links/op", "../work/bin/op");
  for (const char* const directory :
       {"work/bin", "work/link", "to", "links", "work/../work/bin", "bin/../work/bin"}) {
    here.path = "PATH=" + here.tmp / directory + ":/usr/bin:/bin";
    CHECK(here.refused("op://v/i/f") ==
          "the secret of op://v/... is with 1Password, whose program '" + here.tmp / directory +
              "/op' the command could replace: 'work' is granted; leave out that grant, or take "
              "the directory out of PATH");
  }
  here.program("op", "exec interpreter");
  here.path = "PATH=" + here.tmp / "bin" + ":/usr/bin:/bin";
  (void)here.tmp.file("bin/op", "#!/usr/bin/env interpreter", 0755);
  const string rest = here.tmp / "bin" + ":/usr/bin:/bin";
  REQUIRE(unlink(planted.c_str()) == 0);
  for (const string& first : {here.tmp / "work/bin", here.tmp / "work", string("work/bin"), string()}) {
    here.path = "PATH=" + first + ":" + rest;
    CHECK(here.value("op://v/i/f") == "right");
  }
  CHECK(path_for_helpers(here.tmp / "work:" + here.tmp / "to:bin::/bin:", here.with.grant_over) == "/bin");
}

TEST_CASE("source: what lies in the working directory is not asked") {
  place here;
  here.program("op", "printf wrong");
  for (const string& path :
       {string("PATH="), string("PATH=:."), string("PATH=bin:./bin"), string("NOPATH=/bin")}) {
    here.path = path;
    CHECK(here.refused("op://v/i/f").find("is not on PATH") != string::npos);
  }
  for (const string& path : {string("PATH=.:/bin"), string("PATH=:/bin"), string("PATH=/bin:")}) {
    here.path = path;
    CHECK(in_a_child([&] { return chdir((here.tmp / "bin").c_str()) == 0 && !here.loaded("op://v/i/f"); }) ==
          0);
  }
  (void)here.tmp.directory("first/op");
  (void)here.tmp.file("second/op", "", 0644);
  here.path = "PATH=" + here.tmp / "first" + ":" + here.tmp / "second" + "::" + here.tmp / "bin" + ":/bin";
  CHECK(here.value("op://v/i/f") == "wrong");
}

TEST_CASE("source: Bitwarden's program, and a field of an item") {
  place here;
  here.program("bw", "printf '%s;' \"$@\"");
  CHECK(here.value("bw://-my item") == "get;password;--;-my item;");
  here.program(
      "bw",
      "[ \"$*\" = 'get item -- OpenAI' ] && echo '{\"login\":{\"password\":\"S3CRET\"},\"notes\":null}'");
  CHECK(here.value("bw://OpenAI/password") == "S3CRET");
  CHECK(here.refused("bw://OpenAI/notes", true) ==
        "Secret not found: the item of bw://... has no such field with a value; name another");
  here.program("bw", "echo S3CRET is locked");
  CHECK(here.refused("bw://OpenAI/notes") ==
        "bw gave for bw://... what is no item in JSON; run bw get item yourself to see it");
  here.program("bw", ":");
  CHECK(here.refused("bw://OpenAI", true).find("bw gave nothing") != string::npos);
  CHECK(here.refused("bw://OpenAI/notes", true).find("bw gave nothing") != string::npos);
}

TEST_CASE("source: the keyring, by what nono-keyring answers") {
  place here;
  CHECK(here.refused("openai") ==
        "Failed to access system keystore: nono-keyring, which speaks to it, is not at '" +
            here.with.keyring_program + "'; install it there, or name a secret of env:// or file://");
  here.program("nono-keyring", "[ \"$*\" = 'get nono openai' ] && printf S3CRET");
  CHECK(here.value("openai") == "S3CRET");
  CHECK(here.refused("other", true) ==
        "Secret not found in keystore: other; store it with nono credential set other");
  CHECK(here.refused("keyring://s/a b", true) ==
        "Secret not found in keystore: keyring://s/a b; store it with nono credential set a b --service s");
  here.program("nono-keyring", "echo noise >&2; printf 'it is locked; unlock \\033it' >&2; exit 2");
  CHECK(here.refused("openai") == "Failed to access system keystore: it is locked; unlock \\x1bit");
  here.program("nono-keyring", "exit 2");
  CHECK(here.refused("openai") ==
        "Failed to access system keystore: nono-keyring ended with exit code 2; install it anew");
  here.program("nono-keyring", "sleep 100");
  here.with.keyring_limit = std::chrono::milliseconds(200);
  CHECK(here.refused("openai") ==
        "Failed to access system keystore: it did not answer in 0 seconds; unlock it and try again");
  here.with.keyring_limit = std::chrono::seconds(120);
  here.program("nono-keyring", "printf go-keyring-base64:czNjcmV0IQ==");
  CHECK(here.value("keyring://s/a?decode=go-keyring") == "s3cret!");
  CHECK(here.value("keyring://s/a") == "go-keyring-base64:czNjcmV0IQ==");
  for (const string plain : {"plain", "and longer than the mark would be"}) {
    here.program("nono-keyring", "printf '" + plain + "'");
    CHECK(here.value("keyring://s/a?decode=go-keyring") == plain);
  }
  for (const char* none : {"a", "a===", "c z", "c%%zN"}) {
    here.program("nono-keyring", string("printf 'go-keyring-base64:") + none + "'");
    CHECK(here.refused("keyring://s/a?decode=go-keyring") ==
          "the secret of keyring://s/a is marked go-keyring-base64: and is no base64; store it anew");
  }
  here.program("nono-keyring", "printf go-keyring-base64:");
  CHECK(here.refused("keyring://s/a?decode=go-keyring", true).find("Secret not found in keystore") == 0);
}

TEST_CASE("source: storing, naming and removing") {
  place here;
  here.program("nono-keyring",
               "printf '%s ' \"$@\" > " + here.tmp / "said" + "; cat >> " + here.tmp / "said");
  CHECK(store("nono", "openai", secret::copy_of("S3CRET"), here.with).code == nono::errc::none);
  std::stringstream said;
  said << std::ifstream(here.tmp / "said").rdbuf();
  CHECK(said.str() == "set nono openai S3CRET");
  here.program("nono-keyring", "[ $(cat | wc -c) = 65536 ]");
  CHECK(store("nono", "x", secret::copy_of(string(max_secret, 'x')), here.with).code == nono::errc::none);
  here.program("nono-keyring", "exit 1");
  CHECK(store("nono", "x", secret::copy_of("S"), here.with).message() ==
        "Failed to access system keystore: it stored nothing");
  const auto gone = remove("nono", "x", here.with);
  CHECK(not_found(gone));
  CHECK(gone.message() == "Secret not found in keystore: x; nono credential list shows those that are there");
  here.program("nono-keyring", "printf 'b\\na\\n\\nb\\n'");
  auto all = keyring_accounts("nono", here.with);
  REQUIRE(all);
  CHECK(*all == std::vector<string>{"a", "b"});
  CHECK(remove("nono", "x", here.with).code == nono::errc::none);
  here.program("nono-keyring", "echo 'there is none' >&2; exit 2");
  for (const auto& why : {store("nono", "x", secret::copy_of("S"), here.with), remove("nono", "x", here.with),
                          keyring_accounts("nono", here.with).error()})
    CHECK(why.message() == "Failed to access system keystore: there is none");
}

TEST_CASE("source: what it cannot serve") {
  place here;
  CHECK(here.refused("cmd://x") == "cmd://x is of the proxy's routes alone; name another source");
#ifndef __APPLE__
  CHECK(here.refused("apple-password://a/b") ==
        "apple-password:// is of macOS alone; store the secret in the keyring, and name it there");
#endif
}

TEST_CASE("source: whatever is closed, ignored or not read") {
  place here;
  here.program("op", "ls /proc/self/fd | wc -l | tr -d ' \\n'; cat");
  // The three, and the one by which ls reads the directory: whatever else is open here.
  CHECK(in_a_child([&] {
          (void)fcntl(0, F_DUPFD, 20);
          return here.value("op://v/i/f") == "4";
        }) == 0);
  CHECK(in_a_child([&] {
          for (int fd = 0; fd < 3; ++fd) close(fd);
          return here.value("op://v/i/f") == "4" && fcntl(0, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0;
        }) == 0);
  CHECK(in_a_child([&] {
          (void)signal(SIGCHLD, SIG_IGN);
          return here.value("op://v/i/f") == "4" && signal(SIGCHLD, SIG_DFL) == SIG_IGN;
        }) == 0);
  here.program("op", "echo fault; exit 3");
  CHECK(in_a_child([&] {
          (void)signal(SIGCHLD, SIG_IGN);
          return here.refused("op://v/i/f").find("exit code 3") != string::npos;
        }) == 0);
  // Nobody reads what is written to it, and it is more than a socket holds.
  here.program("nono-keyring", "exec <&-; sleep .3");
  CHECK(in_a_child([&] {
          return store("nono", "x", secret::copy_of(string(max_secret, 'x')), here.with).code ==
                 nono::errc::none;
        }) == 0);
  // A signal's handler runs in between, again and again.
  here.program("op", "sleep .3; printf S3CRET");
  CHECK(in_a_child([&] {
          struct sigaction action{};
          action.sa_handler = [](int) {};
          (void)sigaction(SIGALRM, &action, nullptr);
          const itimerval often{{0, 5000}, {0, 5000}};
          (void)setitimer(ITIMER_REAL, &often, nullptr);
          return here.value("op://v/i/f") == "S3CRET";
        }) == 0);
}
