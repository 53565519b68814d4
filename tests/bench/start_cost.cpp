// SPDX-License-Identifier: Apache-2.0
// What a sandbox adds to the start of a command: `true`, bare and through each launcher, in turns.
//
//   start_cost ROUNDS NONO LAUNCHER        in the working directory and environment to measure with
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "measure.hpp"

namespace {

struct contender {
  std::string name;
  std::vector<std::string> words;
  std::vector<double> times;
};

class starter {
 public:
  starter() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0);
  }
  starter(const starter&) = delete;
  starter& operator=(const starter&) = delete;
  ~starter() { ::posix_spawn_file_actions_destroy(&actions_); }

  /// Starts and reaps; false unless it ended with 0.
  bool operator()(const contender& c, double& microseconds) const {
    std::vector<char*> argv;
    for (const std::string& w : c.words)
      argv.push_back(const_cast<char*>(w.c_str()));  // NOLINT: old signature
    argv.push_back(nullptr);
    int status = -1;
    pid_t pid = -1;
    const double from = bench::now();
    if (::posix_spawnp(&pid, argv[0], &actions_, nullptr, argv.data(), environ) != 0) return false;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    microseconds = bench::now() - from;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int rounds = std::atoi(argv[1]);  // NOLINT
  const std::string nono = argv[2];
  const std::vector<contender> wanted = {
      {"true", {"true"}, {}},
      {"static C launcher", {argv[3], "true"}, {}},
      {"nono wrap -s", {nono, "wrap", "-s", "--", "true"}, {}},
      {"nono run -s --no-diagnostics", {nono, "run", "-s", "--no-diagnostics", "--", "true"}, {}},
      {"nono run", {nono, "run", "--", "true"}, {}},
      {"nono run --profile go-dev --allow-cwd",
       {nono, "run", "--profile", "go-dev", "--allow-cwd", "--", "true"},
       {}},
      {"bwrap --ro-bind / /", {"bwrap", "--ro-bind", "/", "/", "true"}, {}},
      {"bwrap --ro-bind / / --unshare-all", {"bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"}, {}},
  };
  const starter start;
  std::vector<contender> all;
  for (const contender& c : wanted) {  // a first round warms up, and shows what works here
    double ignored = 0;
    if (start(c, ignored) && start(c, ignored)) {
      all.push_back(c);
    } else {
      std::printf("  left out: %s does not run here\n", c.name.c_str());
      if (c.name == "true" || c.words[0] == nono) return 1;
    }
  }
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      contender& c =
          all[(i + static_cast<std::size_t>(round)) % all.size()];  // nobody always follows the same
      double took = 0;
      if (!start(c, took)) {
        std::printf("  %s failed in round %d\n", c.name.c_str(), round);
        return 1;
      }
      c.times.push_back(took);
    }

  // In pairs, and from the quiet tenth of each: on a busy machine the second is the steadier one.
  const contender& bare = all.front();
  const auto added = [&](const contender& c) {
    return bench::median(bench::in_pairs(c.times, bare.times, [](double a, double b) { return a - b; }));
  };
  const auto added_when_quiet = [&](const contender& c) {
    return bench::quantile(c.times, 0.1) - bench::quantile(bare.times, 0.1);
  };
  const contender* bwrap = nullptr;
  for (const contender& c : all)
    if (c.words.size() == 5 && c.words[0] == "bwrap") bwrap = &c;
  std::printf("  %-38s %7s %7s   %6s %6s", "us, of one start to its end", "median", "min", "adds", "quiet");
  std::printf("%s\n", bwrap != nullptr ? "   of bwrap's  quiet" : "");
  for (const contender& c : all) {
    std::printf("  %-38s %7.0f %7.0f", c.name.c_str(), bench::median(c.times), bench::minimum(c.times));
    if (&c != &bare) std::printf("   %6.0f %6.0f", added(c), added_when_quiet(c));
    if (&c != &bare && bwrap != nullptr)
      std::printf("   %10.2f %6.2f", added(c) / added(*bwrap),
                  added_when_quiet(c) / added_when_quiet(*bwrap));
    std::printf("\n");
  }
  return 0;
}
