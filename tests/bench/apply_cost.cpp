// SPDX-License-Identifier: Apache-2.0
// What nono adds to the system calls that a policy needs at least: the same rules by hand, in turns.
//
//   apply_cost DIRECTORY             the tables; directories to grant are made below DIRECTORY
//   apply_cost DIRECTORY nono|raw N  one apply of N rules, for a tracer
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <nono/nono.hpp>

#include "measure.hpp"

// Counts every allocation: operator new comes here as well.
static std::size_t allocations = 0;
#if defined(__GLIBC__)
extern "C" {
void* __libc_malloc(std::size_t size);                 // NOLINT
void* __libc_calloc(std::size_t n, std::size_t size);  // NOLINT
void* __libc_realloc(void* old, std::size_t size);     // NOLINT
void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
  ++allocations;
  return __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
}
#endif

namespace {

[[noreturn]] void stop(const char* step) {
  std::perror(step);
  std::_Exit(1);
}

/// What both sides grant: reading `n` directories that lie side by side, or what the profile go-dev does.
struct workload {
  std::vector<std::string> made;  ///< directories, for as long as this lives
  std::vector<nono::rule> rules;
  nono::capability_set groups;
  // Known in advance to the raw side, which needs no policy to find them.
  std::vector<std::string> paths;
  std::vector<std::uint64_t> access;  ///< of each path, were it a directory
  bool some_missing = false;          ///< and some a link
  nono::linux_abi::ruleset_attr attr;
  nono::filter_program filter;

  workload(const std::string& below, int n) {
    for (int i = 0; i < n; ++i) {
      char name[16];
      std::snprintf(name, sizeof name, "/d%04d", i);
      made.push_back(below + name);
      if (::mkdir(made.back().c_str(), 0755) != 0 && errno != EEXIST) stop(made.back().c_str());
    }
    for (const std::string& p : made)
      rules.push_back({p, nono::read, nono::path_kind::directory, nono::must_exist, nono::origin::user, {}});
    plan_by_hand();
  }
  workload() {
    namespace g = nono::groups;
    for (const nono::group* one :
         {&g::deny_credentials, &g::deny_keychains_linux, &g::deny_browser_data_linux, &g::deny_shell_history,
          &g::deny_shell_configs, &g::system_read_linux_core, &g::system_write_linux, &g::user_tools,
          &g::homebrew_linux, &g::go_runtime, &g::go_runtime_linux, &g::git_config})
      groups.group(*one);
    some_missing = true;
    plan_by_hand();
  }
  workload(const workload&) = delete;
  workload& operator=(const workload&) = delete;
  ~workload() {
    for (const std::string& p : made) ::rmdir(p.c_str());
  }

  [[nodiscard]] nono::policy_ref policy() const {
    nono::policy_ref out = groups.ref();
    if (!rules.empty()) out.rules = rules;
    return out;
  }

 private:
  /// Every path that is granted, also where there is none or a wider grant makes it needless.
  void plan_by_hand() {
    auto bound = nono::bind(policy(), {});
    if (!bound) stop(bound.error().message().c_str());
    const auto kernel = nono::support();
    const auto planned = nono::make_plan(*bound, kernel, nono::sandbox_target::this_process);
    if (!planned) stop(planned.error().message().c_str());
    attr = planned->ruleset;
    filter = nono::detail::program_for(planned->filter, kernel);
    const char* const home = std::getenv("HOME");
    for_each_rule(policy(), [&](const nono::rule& r) {
      if (r.is_deny()) return;
      paths.emplace_back(r.path.starts_with("$HOME")
                             ? std::string(home != nullptr ? home : "/root").append(r.path.substr(5))
                             : std::string(r.path));
      access.push_back(nono::linux_abi::fs_bits(r.rights) & attr.handled_access_fs);
    });
  }
};

int raw_ruleset(const workload& w) {
  const long ruleset = ::syscall(SYS_landlock_create_ruleset, &w.attr, sizeof w.attr, 0U);
  if (ruleset < 0) stop("landlock_create_ruleset");
  for (std::size_t i = 0; i < w.paths.size(); ++i) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = w.some_missing ? 0 : RESOLVE_NO_SYMLINKS;
    const long fd = ::syscall(SYS_openat2, AT_FDCWD, w.paths[i].c_str(), &how, sizeof how);
    if (fd < 0 && w.some_missing) continue;
    struct stat st{};
    if (fd < 0 || ::fstat(static_cast<int>(fd), &st) != 0) stop("openat2");
    const landlock_path_beneath_attr beneath{
        S_ISDIR(st.st_mode) ? w.access[i] : w.access[i] & nono::linux_abi::fs_on_files,
        static_cast<std::int32_t>(fd)};
    if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0U) != 0)
      stop("landlock_add_rule");
    ::close(static_cast<int>(fd));
  }
  return static_cast<int>(ruleset);
}

void raw_prepare(const workload& w) { ::close(raw_ruleset(w)); }

void raw_apply(const workload& w) {
  const int ruleset = raw_ruleset(w);
  if (::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) != 0) stop("prctl");
  sock_fprog program{w.filter.length, const_cast<sock_filter*>(w.filter.code.data())};  // NOLINT
  if (w.filter.length != 0 && ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program) != 0)
    stop("seccomp");
  if (::syscall(SYS_landlock_restrict_self, ruleset, 0U) != 0) stop("landlock_restrict_self");
  ::close(ruleset);
}

void nono_prepare(const workload& w) {
  nono::detail::stack_room room;
  auto bound = nono::bind(w.policy(), {}, room);
  if (!bound) stop("bind");
  static const auto kernel = nono::support();
  const auto planned = nono::make_plan(*bound, kernel, nono::sandbox_target::this_process);
  if (!planned || !nono::detail::make_ruleset(*planned)) stop("make_ruleset");
}

void nono_apply(const workload& w) {
  nono::detail::stack_room room;
  auto bound = nono::bind(w.policy(), {}, room);
  if (!bound || !nono::detail::apply_bound(*bound)) stop("apply");
}

using work = void (*)(const workload&);

double time_here(work what, const workload& w) {
  const double from = bench::now();
  what(w);
  return bench::now() - from;
}

/// In a child, since there is no way back; the time is taken inside, without fork and exit.
double time_in_child(work what, const workload& w) {
  static auto* const shared = static_cast<double*>(
      ::mmap(nullptr, sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t pid = ::fork();
  if (pid == 0) {
    *shared = time_here(what, w);
    std::_Exit(0);
  }
  int status = -1;
  if (::waitpid(pid, &status, 0) != pid || status != 0) stop("a child that applies");
  return *shared;
}

void compare(const char* what, const workload& w, double (*timed)(work, const workload&), work ours, work raw,
             int rounds) {
  std::vector<double> our_times;
  std::vector<double> raw_times;
  for (int i = -3; i < rounds; ++i) {
    const bool ours_first = i % 2 == 0;
    const double first = timed(ours_first ? ours : raw, w);
    const double second = timed(ours_first ? raw : ours, w);
    if (i < 0) continue;
    our_times.push_back(ours_first ? first : second);
    raw_times.push_back(ours_first ? second : first);
  }
  const auto ratios = bench::in_pairs(our_times, raw_times, [](double a, double b) { return a / b; });
  std::printf("  %-8s %5zu %9.1f %9.1f %9.3f   %5.3f to %5.3f %9.3f\n", what, w.paths.size(),
              bench::median(our_times), bench::median(raw_times), bench::median(ratios),
              bench::quantile(ratios, 0.25), bench::quantile(ratios, 0.75),
              bench::minimum(our_times) / bench::minimum(raw_times));
}

constexpr auto constant_policy =
    nono::caps().allow_path<nono::read>("/usr").allow_path<nono::read>("/etc").allow_path < nono::read |
    nono::right::execute > ("/usr/bin")
                               .allow_path<nono::read_write>("/var/tmp")
                               .allow_file<nono::read_write>("/dev/null")
                               .network(nono::blocked);

/// The allocations of a call, counted in a child.
template <class Call>
std::size_t allocations_of(Call call) {
  static auto* const shared = static_cast<std::size_t*>(
      ::mmap(nullptr, sizeof(std::size_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t pid = ::fork();
  if (pid == 0) {
    allocations = 0;
    call();
    *shared = allocations;
    std::_Exit(0);
  }
  int status = -1;
  if (::waitpid(pid, &status, 0) != pid || status != 0) stop("a child that counts allocations");
  return *shared;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4) {
    const workload w(argv[1], std::atoi(argv[3]));  // NOLINT
    ::prctl(PR_SET_NAME, "measured");               // what a trace is cut at
    (std::string_view(argv[2]) == "raw" ? raw_apply : nono_apply)(w);
    ::prctl(PR_SET_NAME, "done");
    return 0;
  }
  if (argc != 2) return 2;
  (void)nono::detail::thread_count();  // so that no child has to look its symbols up
  std::printf("  %-8s %5s %9s %9s %9s   %14s %9s\n", "", "rules", "nono us", "raw us", "ratio", "middle half",
              "of minima");
  for (const int n : {10, 100, 1000}) {
    const workload w(argv[1], n);
    compare("prepare", w, time_here, nono_prepare, raw_prepare, n == 1000 ? 200 : 1000);
    compare("apply", w, time_in_child, nono_apply, raw_apply, n == 1000 ? 100 : 200);
  }
  // Less is given to the kernel than was written, but denies are looked at besides.
  const workload go_dev;
  compare("go-dev", go_dev, time_in_child, nono_apply, raw_apply, 200);
#if defined(__GLIBC__)
  std::printf("  heap allocations: apply of a constant policy %zu", allocations_of([] {
                if (!nono::apply(constant_policy)) stop("apply");
              }));
  for (const int n : {10, 100, 1000}) {
    const workload w(argv[1], n);
    std::printf(", of %d rules %zu", n, allocations_of([&] { nono_apply(w); }));
  }
  std::printf("\n");
#endif
  return 0;
}
