// SPDX-License-Identifier: Apache-2.0
// The differential test: what the model predicts against what the kernel does, over random trees, policies and questions.
//
//   nono_differential [--pairs N] [--seed S] [--seconds T]
//
// --pairs    how many questions at least (20,000)
// --seed     of the first scenario; printed where they disagree, so that the same can be run again
// Exit: 0 no disagreement, 1 one (printed, cut down to what it takes), 77 this kernel has no Landlock.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>

#include <nono/nono.hpp>

#include "scenario.hpp"

namespace differential {
namespace {

/// Leaves out whatever is not needed for a disagreement at the last question.
class shrinker {
 public:
  shrinker(scenario s, const std::string& work) : best_(std::move(s)), work_(work) {}

  scenario run() {
    for (bool smaller = true; smaller;) {
      smaller = false;
      smaller |= without(&scenario::questions, 1);
      smaller |= without(&scenario::grants, 0);
      smaller |= without(&scenario::tree, 0);
      smaller |= without(&scenario::lifted, 0);
      smaller |= simpler([](scenario& s) { s.target = std::min(s.target, nono::sandbox_target::child); });
      smaller |= simpler([](scenario& s) {
        if (s.network != nono::network_mode::loopback) s.target = nono::sandbox_target::this_process;
      });
      smaller |= simpler([](scenario& s) { s.questions.back().how = change::chmod; });
      smaller |= simpler([](scenario& s) {
        s.network = nono::network_mode::unrestricted;
        s.granted_ports.clear();
      });
      smaller |= simpler([](scenario& s) { s.sockets = nono::unix_sockets::by_default; });
    }
    return best_;
  }

 private:
  [[nodiscard]] bool wrong(const scenario& s) const {
    const outcome o = differential::run(s, work_);
    return o.wrong && o.wrong->question + 1 == s.questions.size();
  }
  bool keep(const scenario& s) {
    if (!wrong(s)) return false;
    best_ = s;
    return true;
  }
  /// Half, then a quarter, ... then one by one; `kept` at the end stay.
  template <class T>
  bool without(std::vector<T> scenario::* part, std::size_t kept) {
    bool smaller = false;
    for (std::size_t step = (best_.*part).size(); step > 0; step /= 2)
      for (std::size_t at = 0; at + kept < (best_.*part).size();) {
        scenario s = best_;
        auto& list = s.*part;
        const std::size_t end = std::min(at + step, list.size() - kept);
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(at),
                   list.begin() + static_cast<std::ptrdiff_t>(end));
        if (keep(s)) {
          smaller = true;
        } else {
          at = end;
        }
      }
    return smaller;
  }
  template <class F>
  bool simpler(F&& change) {
    scenario s = best_;
    change(s);
    return to_text(s) != to_text(best_) && keep(s);
  }

  scenario best_;
  const std::string& work_;
};

int report(const scenario& s, const disagreement& first, const std::string& work) {
  std::printf("seed %llu, question %zu: predicted %s, seen %s\n", static_cast<unsigned long long>(s.seed),
              first.question, first.predicted.c_str(), first.seen.c_str());
  scenario cut = s;
  cut.questions.resize(first.question + 1);
  cut = shrinker(cut, work).run();
  const outcome again = run(cut, work);
  std::printf("%s", to_text(cut).c_str());
  if (again.wrong)
    std::printf("predicted %s, seen %s\n", again.wrong->predicted.c_str(), again.wrong->seen.c_str());
  else
    std::printf("cut down, it does not show every time: run the seed again\n");
  return 1;
}

void add(tally& to, const tally& t) {
  to.allowed += t.allowed;
  to.by_policy += t.by_policy;
  to.otherwise += t.otherwise;
}

int main(int argc, char** argv) {
  std::size_t pairs = 20000;
  std::uint64_t seed = 1;
  bool one = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    const bool more = i + 1 < argc;
    if (word == "--serve") return serve();
    if (word == "--pairs" && more) {
      pairs = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--seed" && more) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--one") {
      one = true;
    } else {
      std::fprintf(stderr, "usage: nono_differential [--pairs N] [--seed S] [--one]\n");
      return 2;
    }
  }
  const char* required = std::getenv("NONO_REQUIRE_LIVE");  // NOLINT(concurrency-mt-unsafe)
  if (nono::support().landlock_abi == 0) {
    std::printf("this kernel has no Landlock\n");
    return required != nullptr && *required != '\0' && *required != '0' ? 1 : 77;
  }
  (void)std::signal(SIGPIPE, SIG_IGN);
  (void)::umask(0);
  std::string work = "/tmp/nd-XXXXXX";
  if (::mkdtemp(work.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  (void)::chmod(work.c_str(), 0755);
  // Mounts are made where nobody else sees them; without them the rest is as it is.
  struct stat null_before{};
  (void)::stat("/dev/null", &null_before);
  const bool root = ::geteuid() == 0 && ::unshare(CLONE_NEWNS) == 0 &&
                    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  std::size_t done = 0;
  std::size_t scenarios = 0;
  std::size_t broken = 0;
  std::array<std::size_t, nono::cause_count> causes{};
  tally connections;
  tally changes;
  macos_tally on_macos;
  std::string why;
  int status = 0;
  const auto before = std::chrono::steady_clock::now();
  while (status == 0 && done < pairs) {
    const scenario s = generate(seed++, root);
    const outcome o = run(s, work);
    ++scenarios;
    done += o.pairs;
    for (std::size_t i = 0; i < causes.size(); ++i) causes[i] += o.causes[i];
    add(connections, o.connections);
    add(changes, o.changes);
    on_macos.compared += o.on_macos.compared;
    for (std::size_t i = 0; i < on_macos.left_out.size(); ++i) on_macos.left_out[i] += o.on_macos.left_out[i];
    if (!o.broken.empty()) {
      ++broken;
      why = o.broken;
    }
    if (o.wrong) status = report(s, *o.wrong, work);
    if (one) break;
    if (scenarios == 100 && broken > 50) break;
  }
  (void)::rmdir(work.c_str());
  if (struct stat st{}; ::stat("/dev/null", &st) != 0 || st.st_mode != null_before.st_mode ||
                        st.st_mtim.tv_sec != null_before.st_mtim.tv_sec) {
    // Links of the trees lead to it: the one file outside of them that questions reach.
    std::printf("the test changed /dev/null\n");
    (void)::chmod("/dev/null", null_before.st_mode & 07777U);
    status = 1;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  std::printf("%zu pairs in %zu scenarios as %s, %.1f s, next seed %llu; %zu scenarios could not run%s%s\n",
              done, scenarios, root ? "root" : "an ordinary user", seconds,
              static_cast<unsigned long long>(seed), broken, broken != 0 ? ", the last because " : "",
              why.c_str());
  for (std::size_t i = 0; i < causes.size(); ++i)
    std::printf("  %-15s %zu\n", std::string(nono::name_of(static_cast<nono::cause>(i))).c_str(), causes[i]);
  std::printf("decided by a supervisor:\n");
  for (const auto& [what, t] : {std::pair{"connect-unix", connections}, {"chmod", changes}})
    std::printf("  %-15s %zu allowed, %zu denied by the policy, %zu denied otherwise\n", what, t.allowed,
                t.by_policy, t.otherwise);
  std::printf("the profile for macOS says the same %zu times; left out, because it differs there:\n",
              on_macos.compared);
  for (const nono_test::difference_row& row : nono_test::differences)
    if (const std::size_t n = on_macos.left_out[static_cast<std::size_t>(row.id)]; n != 0)
      std::printf("  %6zu %s\n", n, std::string(row.what).c_str());
  if (done > 1000 && on_macos.compared * 10 < done) {  // it would prove nothing
    std::printf("too few questions were compared with the profile for macOS\n");
    status = 1;
  }
  if (broken * 20 > scenarios) {
    std::printf("too many scenarios could not run\n");
    status = 1;
  }
  return status;
}

}  // namespace
}  // namespace differential

int main(int argc, char** argv) { return differential::main(argc, argv); }
