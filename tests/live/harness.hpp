// SPDX-License-Identifier: Apache-2.0
// What every live test needs: confined children and what became of them, scratch directories, runtime policies.
// Children end with _exit: nothing of the test program's own end may run in them.
#pragma once

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>  // whose std::bind must not be taken for nono::bind
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <nono/nono.hpp>

namespace live {

// ---- results: 0, an errno, or one of these ----
inline constexpr int not_confined = 200;  ///< the policy could not be applied: standard error says why
inline constexpr int odd = 201;           ///< the attempt did something that no test expects
inline constexpr int killed = 1000;       ///< plus the signal

/// What a test takes for granted, in whichever process: ends it, and so the test, if it does not hold.
inline void must(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "live test: %.*s: %s\n", static_cast<int>(what.size()), what.data(),
               std::strerror(errno));
  std::abort();
}

/// 0, or the errno of the call that gave `got`.
inline int error_of(long got) { return got < 0 ? errno : 0; }

/// The result of a child that has ended.
inline int result_of(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return odd;
  return WIFEXITED(status) ? WEXITSTATUS(status) : killed + WTERMSIG(status);
}

/// fork(), with no signal handler of the test program's in the child, and an end to a child that hangs.
inline pid_t fork_child() {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  for (const int signal : {SIGINT, SIGILL, SIGFPE, SIGSEGV, SIGTERM, SIGABRT})
    (void)std::signal(signal, SIG_DFL);
  const char* const slow = std::getenv("NONO_SLOW");  // how many times slower than usual this machine is
  ::alarm(slow != nullptr ? 60 * static_cast<unsigned>(std::atoi(slow)) : 60);
  return 0;
}

/// Runs `f` in a forked child and gives back what it returned.
template <class F>
int in_child(F&& f) {
  const pid_t pid = fork_child();
  if (pid == 0) ::_exit(f());
  return pid < 0 ? odd : result_of(pid);
}

/// Runs `f` in a forked child that `policy` confines first, by apply(). `f` may take the report.
template <class Policy, class F>
int confined(const Policy& policy, F&& f) {
  return in_child([&] {
    const auto report = nono::apply(policy);
    if (!report) {
      std::fprintf(stderr, "not confined: %s\n", report.error().message().c_str());
      return not_confined;
    }
    if constexpr (std::is_invocable_v<F, const nono::enforcement&>) {
      return static_cast<int>(f(*report));
    } else {
      return static_cast<int>(f());
    }
  });
}

/// One attempt, made twice.
struct outcome {
  int without = 0;  ///< what came of it without a sandbox
  int with = 0;     ///< and in one
  friend bool operator==(const outcome&, const outcome&) = default;
  friend std::ostream& operator<<(std::ostream& out, const outcome& o) {
    const auto text = [](int result) {
      if (result >= killed) return "signal " + std::to_string(result - killed);
      if (result == not_confined) return std::string("not confined");
      return result == 0 ? std::string("fine") : std::string(std::strerror(result));
    };
    return out << "without: " << text(o.without) << ", with: " << text(o.with);
  }
};

/// The same attempt without a sandbox and under `policy`; `prepare` runs here before each of the two.
template <class Policy, class F, class Prepare>
outcome attempt(const Policy& policy, F&& f, Prepare&& prepare) {
  outcome out;
  prepare();
  out.without = in_child(f);
  prepare();
  out.with = confined(policy, f);
  return out;
}
template <class Policy, class F>
outcome attempt(const Policy& policy, F&& f) {
  return attempt(policy, f, [] {});
}

// ---- files ----

/// A directory of the test's own, by its name without links; removed with all that is in it.
class scratch {
 public:
  scratch() {
    const char* base = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
    std::string name = std::string(base == nullptr || *base == '\0' ? "/tmp" : base) + "/nono-live.XXXXXX";
    must(::mkdtemp(name.data()) != nullptr, name);
    path_ = std::filesystem::canonical(name).string();
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  /// Makes a directory.
  [[nodiscard]] std::string directory(std::string_view name) const {
    std::string path = *this / name;
    std::filesystem::create_directories(path);
    return path;
  }
  /// Makes a file.
  [[nodiscard]] std::string file(std::string_view name, std::string_view text = "text\n") const {
    std::string path = *this / name;
    write(path, text);
    return path;
  }
  static void write(const std::string& path, std::string_view text, mode_t mode = 0644) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    must(fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()), path);
    ::close(fd);
  }

 private:
  std::string path_;
};

/// Opens and closes. 0 or errno.
inline int try_open(const std::string& path, int flags = O_RDONLY) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

// ---- policies ----

/// A grant on a directory, or on a file if the path names one.
struct grant {
  std::string path;
  nono::right rights;
};

/// A run-time policy of these grants.
inline nono::capability_set allow(std::initializer_list<grant> grants) {
  nono::capability_set out;
  for (const grant& g : grants) {
    struct stat st{};
    const bool file = ::stat(g.path.c_str(), &st) == 0 && !S_ISDIR(st.st_mode);
    const auto added = file ? out.allow_file(g.path, g.rights) : out.allow_path(g.path, g.rights);
    must(added.has_value(), added ? g.path : added.error().message());
  }
  return out;
}

/// Nothing of files is granted, nothing else is asked: the defaults.
inline constexpr auto nothing = nono::caps();

/// What a spawned program needs to start.
inline nono::capability_set with_system(std::initializer_list<grant> grants = {}) {
  nono::capability_set out = allow(grants);
  out.group(nono::groups::system_read);
  return out;
}

/// This test program, by its name.
inline std::string self() {
  char name[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", name, sizeof name);
  return {name, n > 0 ? static_cast<std::size_t>(n) : 0};
}

// ---- what this machine has ----

inline int landlock_abi() { return nono::support().landlock_abi; }
inline bool is_root() { return ::geteuid() == 0; }

/// True when skipping is a failure: NONO_REQUIRE_LIVE=1, CI=true.
inline bool required() {
  const auto says_yes = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return value != nullptr && (std::string_view(value) == "1" || std::string_view(value) == "true");
  };
  return says_yes("NONO_REQUIRE_LIVE") || says_yes("CI");
}

/// Something that an ordinary machine has is missing, and a part of a test with it.
inline void skip(const std::string& why) {
  if (required()) {
    FAIL_CHECK("not tested, though NONO_REQUIRE_LIVE is set: ", why);
  } else {
    MESSAGE("not tested: ", why);
  }
}

/// Asks for a Landlock ABI; the answer no has been said aloud.
inline bool has_abi(int abi) {
  if (landlock_abi() >= abi) return true;
  MESSAGE("not tested: needs Landlock ABI ", abi, ", here it is ", landlock_abi());
  return false;
}

// ---- probes: pieces of this program that spawn() runs ----

/// A named piece: `nono_live --probe NAME ARG...` runs it and ends with what it returns.
struct probe {
  using body = int (*)(int argc, char** argv);
  probe(std::string_view name, body what) : name_(name), body_(what), next_(first) { first = this; }
  /// Runs the probe that `argv` asks for; -1 if it asks for none.
  static int run(int argc, char** argv) {
    if (argc < 3 || std::strcmp(argv[1], "--probe") != 0) return -1;
    for (const probe* p = first; p != nullptr; p = p->next_)
      if (p->name_ == argv[2]) return p->body_(argc - 3, argv + 3);
    return odd;
  }

 private:
  inline static const probe* first = nullptr;
  std::string_view name_;
  body body_;
  const probe* next_;
};

/// Runs a probe in a child that `start(policy, argv)` makes; the grants that the program itself needs are added.
template <class Start>
int run_probe(nono::capability_set policy, std::initializer_list<std::string_view> probe_and_arguments,
              nono::enforcement* report, Start&& start) {
  const std::string program = self();
  policy.group(nono::groups::system_read);
  must(policy.allow_file<nono::read>(program).has_value(), program);
  std::vector<std::string_view> argv{program, "--probe"};
  argv.insert(argv.end(), probe_and_arguments.begin(), probe_and_arguments.end());
  auto child = start(policy, argv);
  if (!child) {
    std::fprintf(stderr, "not spawned: %s\n", child.error().message().c_str());
    return not_confined;
  }
  if (report != nullptr) *report = child->report();
  const auto status = child->wait();
  if (!status) return odd;
  return status->signal != 0 ? killed + status->signal : status->code;
}

/// Runs a probe in a spawned child under `policy`.
inline int spawned(nono::capability_set policy, std::initializer_list<std::string_view> probe_and_arguments,
                   const nono::spawn_options& options = {}, nono::enforcement* report = nullptr) {
  return run_probe(std::move(policy), probe_and_arguments, report,
                   [&](const auto& p, const auto& argv) { return nono::spawn(p, argv, options); });
}

}  // namespace live
