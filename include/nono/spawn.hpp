// SPDX-License-Identifier: Apache-2.0
// The door for a child: spawn(policy, argv) starts a program that is confined before its first instruction.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <nono/apply.hpp>
#include <nono/arena.hpp>
#include <nono/attenuation.hpp>
#include <nono/bind.hpp>
#include <nono/child.hpp>
#include <nono/error.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/namespaces.hpp>
#include <nono/linux/plan.hpp>
#include <nono/policy.hpp>
#include <nono/report.hpp>

#if defined(__APPLE__)
#include <nono/macos/spawn.hpp>
#elif defined(__linux__)
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace nono {

#if defined(__linux__)

namespace detail {

/// Starts one child; the parts of spawn().
class spawner {
 public:
  explicit spawner(const spawn_options& options) : options_(options) {}

  result<child> run(bound_policy& bound, std::span<const std::string_view> argv) {
    if (error why = take(argv); why.code != errc::none) return why;
    result<prepared_sandbox> sandbox =
        prepare_sandbox(bound, probe_kernel(), sandbox_target::child, options_.observed);
    if (!sandbox) return std::move(sandbox).error();
    return start_in(*sandbox);
  }
  /// In a sandbox that was prepared for a child, observed if the options say so.
  /// plain: what to do where the kernel gives no listener; null: the same rows without one, and an error where a
  /// supervisor was to decide.
  result<child> run(const prepared_sandbox& sandbox, std::span<const std::string_view> argv,
                    const plan* plain = nullptr) {
    if (error why = take(argv); why.code != errc::none) return why;
    return start_in(sandbox, plain);
  }

 private:
  error take(std::span<const std::string_view> argv) {
    if (argv.empty()) return {errc::bad_argument, 0, {}, {}, "spawn() needs at least the name of a program"};
    if (error why = copy_arguments(argv); why.code != errc::none) return why;
    if (error why = find_program(argv[0]); why.code != errc::none) return why;
    return pin_program();
  }

  result<child> start_in(const prepared_sandbox& sandbox, const plan* plain = nullptr) {
    plan_ = &sandbox.planned;
    ruleset_ = sandbox.ruleset.get();
    program_ = program_for(plan_->filter, sandbox.kernel);
    listened_ = plan_->filter.listened();
    if (listened_) {
      filter_request without = plain != nullptr ? plain->filter : plan_->filter;
      without.observed = false;
      if (!without.listened()) plain_program_ = program_for(without, sandbox.kernel);
      plain_report_ = plain != nullptr ? &plain->report : &plan_->report;
    }
    if (options_.door != 0 && !plan_->own_network)
      return error{errc::bad_argument, 0, {}, {}, "spawn_options::door needs a network of the child's own"};
    if (error why = open_streams(); why.code != errc::none) return why;
    const auto stream = [&](int i) { return child_ends_[i].get() >= 0 ? child_ends_[i].get() : i; };
    if (error why = check_streams(*plan_, {stream(0), stream(1), stream(2)}); why.code != errc::none)
      return why;
    return start();
  }

  error copy_arguments(std::span<const std::string_view> argv) {
    const auto pointers = memory_.array<char*>(argv.size() + 1);
    for (std::size_t i = 0; i < argv.size(); ++i) {
      if (argv[i].find('\0') != std::string_view::npos)
        return {errc::bad_argument, 0, {}, {}, "an argument of spawn() has a NUL byte"};
      pointers[i] = const_cast<char*>(memory_.copy(argv[i]).data());  // NOLINT: execve's old signature
    }
    for (const std::string_view text : {options_.program, options_.directory})
      if (text.find('\0') != std::string_view::npos)
        return {errc::bad_argument, 0, {}, {}, "the program or the directory of spawn() has a NUL byte"};
    argv_ = pointers.data();
    if (!options_.directory.empty()) directory_ = memory_.copy(options_.directory).data();
    return {};
  }

  static bool is_executable_file(const char* path) noexcept {
    struct stat st{};
    return ::stat(path, &st) == 0 && S_ISREG(st.st_mode) && ::access(path, X_OK) == 0;
  }

  error find_program(std::string_view name) {
    if (!options_.program.empty()) name = options_.program;
    if (name.find('/') != std::string_view::npos) {
      path_ = memory_.copy(name).data();
      if (!is_executable_file(path_)) {
        const int why = errno;
        struct stat st{};
        if (::stat(path_, &st) != 0) return {errc::program_not_found, errno, {}, std::string(name), {}};
        return {errc::program_not_executable, S_ISREG(st.st_mode) ? why : EACCES, {}, std::string(name), {}};
      }
      return {};
    }
    const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
    std::string_view rest = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
    for (;;) {
      const std::size_t colon = rest.find(':');
      std::string candidate(rest.substr(0, colon));
      candidate += candidate.empty() ? "./" : "/";
      candidate += name;
      if (!name.empty() && is_executable_file(candidate.c_str())) {
        path_ = memory_.copy(candidate).data();
        return {};
      }
      if (colon == std::string_view::npos) break;
      rest.remove_prefix(colon + 1);
    }
    return {errc::program_not_found, ENOENT, {}, std::string(name), {}};
  }

  /// A relative program means the file that was looked up here, wherever the child starts.
  error pin_program() {
    if (directory_ == nullptr || path_[0] == '/') return {};
    path_buffer here{};
    if (::getcwd(here.text, sizeof here.text) == nullptr)
      return {errc::program_not_found, errno, {}, std::string(path_), {}};
    std::string whole(here.text);
    whole += '/';
    whole += path_;
    path_ = memory_.copy(whole).data();
    return {};
  }

  /// Opens what the child's streams need, all close-on-exec and above the standard descriptors.
  error open_streams() {
    const stream wanted[3] = {options_.in, options_.out, options_.err};
    for (int i = 0; i < 3; ++i) {
      const auto fail = [&](const char* step) { return error{errc::stdio_failed, errno, {}, {}, step}; };
      int source = -1;
      switch (wanted[i].what()) {
        case stream::kind::inherit:
          continue;
        case stream::kind::null:
          source = ::open("/dev/null", (i == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
          if (source < 0) return fail("open('/dev/null')");
          break;
        case stream::kind::pipe: {
          int ends[2];
          if (::pipe2(ends, O_CLOEXEC) != 0) return fail("pipe2");
          source = ends[i == 0 ? 0 : 1];
          parent_ends_[i] = descriptor(ends[i == 0 ? 1 : 0]);
          break;
        }
        case stream::kind::descriptor:
          source = wanted[i].fd();
          break;
      }
      // A source at 0 to 2 could be overwritten before it is used.
      const int high = ::fcntl(source, F_DUPFD_CLOEXEC, 3);
      const int why = errno;
      if (wanted[i].what() != stream::kind::descriptor) ::close(source);
      if (high < 0) {
        errno = why;
        return fail("fcntl(F_DUPFD_CLOEXEC)");
      }
      child_ends_[i] = descriptor(high);
    }
    return {};
  }

  result<child> start() {
    parent_ = ::getpid();
    uid_ = ::geteuid();
    gid_ = ::getegid();
    // The child shares our memory until it executes (we are suspended meanwhile), so it costs no page table
    // and hands its failure over in place. For what it opens for us it shares the descriptor table at first, too.
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    if (shares_descriptors()) flags |= CLONE_FILES;
    const bool privileged = uid_ == 0;
    if (plan_->own_network) flags |= loopback_clone_flags(privileged);
    int pid = -1;
    int pidfd = -1;
    int why = 0;
    {
      const blocked_signals blocked;  // no handler of the parent's may run in the child
      mask_ = &blocked;
      pid = launch(flags, pidfd, why);
      if (pid < 0 && why == EPERM && plan_->own_network && privileged) {  // root without CAP_SYS_ADMIN
        flags |= CLONE_NEWUSER;
        user_namespace_ = true;
        pid = launch(flags, pidfd, why);
      }
    }
    if (pid < 0) {
      if (plan_->own_network && (why == EPERM || why == ENOSPC || why == EUSERS || why == EINVAL))
        return error{errc::namespace_refused, why, {}, {}, "clone(CLONE_NEWNET)"};
      return error{errc::fork_failed, why, {}, {}, "clone"};
    }
    child out(pid, pidfd);
    out.listener_ = descriptor(listener_.fd);
    out.keeps_answers_ = listener_.keeps_answers;
    out.diagnostics_ = descriptor(diagnostics_);
    out.door_ = descriptor(door_);
    if (failure_.code != errc::none) {
      (void)out.wait();
      return error{failure_.code, failure_.os_errno, {}, failed_path(), failure_.step};
    }
    out.in_ = std::move(parent_ends_[0]);
    out.out_ = std::move(parent_ends_[1]);
    out.err_ = std::move(parent_ends_[2]);
    out.report_ = listened_ && listener_.fd < 0 ? *plain_report_ : plan_->report;
    out.report_.threads = 1;
    return out;
  }

  [[nodiscard]] bool shares_descriptors() const noexcept { return listened_ || options_.door != 0; }

  int launch(int flags, int& pidfd, int& why) noexcept {
    user_namespace_ = (flags & CLONE_NEWUSER) != 0;
    alignas(16) std::byte stack[32768];
    const auto child = [](void* self) { return static_cast<spawner*>(self)->in_child(); };
    const int pid = clone_on(stack, child, flags, this, &pidfd);
    why = errno;
    return pid;
  }

  [[nodiscard]] std::string failed_path() const {
    if (failure_.code == errc::exec_failed) return path_;
    if (failure_.code == errc::chdir_failed) return directory_;
    return {};
  }

  int fail(errc code, int os_errno, const char* step) noexcept {
    failure_ = {code, os_errno, step};
    return 127;
  }

  // ---- from here on in the child: system calls only, no memory, no locks ----
  int in_child() noexcept {
    using kernel = system_kernel;
    reset_signal_handlers();
    if (plan_->own_network) {
      if (user_namespace_)
        if (const int got = map_identity(uid_, gid_); got != 0)
          return fail(errc::namespace_refused, -got, "writing /proc/self/uid_map");
      if (const int got = bring_loopback_up(); got != 0)
        return fail(errc::namespace_refused, -got, "bringing lo up");
      if (options_.door != 0) {
        const int got = listen_on_loopback(options_.door);
        if (got < 0) return fail(errc::namespace_refused, -got, "listening on lo");
        door_ = got;
      }
    }
    if (plan_->own_keyring) (void)kernel::new_session_keyring();  // the filter closes the calls in any case
    // Before Landlock and the filter: none of it needs a capability once no_new_privs is set.
    if (plan_->drop_capabilities) {
      if (const long got = kernel::no_new_privs(); got < 0)
        return fail(errc::restrict_failed, static_cast<int>(-got), "prctl(PR_SET_NO_NEW_PRIVS)");
      if (const long got = kernel::drop_capabilities(); got < 0)
        return fail(errc::capabilities_failed, static_cast<int>(-got), "capset");
    }
    // Of this network, for who shares our descriptors: the supervisor.
    if (plan_->filter.decides_unix)
      diagnostics_ =
          static_cast<int>(kernel::call(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    confine_failure why = confine_thread(program_, ruleset_, listened_ ? &listener_ : nullptr);
    // An outer supervisor listens already (EBUSY), or nobody may: then the rows that need none.
    if (listened_ && listener_.fd < 0 && plain_program_.length != 0 && why.code != errc::none)
      why = confine_thread(plain_program_, ruleset_, nullptr);
    if (why.code != errc::none) return fail(why.code, why.os_errno, why.step);
    if (shares_descriptors() && kernel::call(SYS_unshare, CLONE_FILES) < 0)
      return fail(errc::fork_failed, errno, "unshare(CLONE_FILES)");
    for (int i = 0; i < 3; ++i)
      if (child_ends_[i].get() >= 0 && kernel::call(SYS_dup3, child_ends_[i].get(), i, 0) < 0)
        return fail(errc::stdio_failed, errno, "dup3");
    if (const long got = kernel::call(SYS_close_range, 3U, ~0U, 0U); got < 0)
      return fail(errc::stdio_failed, static_cast<int>(-got), "close_range");
    if (directory_ != nullptr && kernel::call(SYS_chdir, directory_) < 0)
      return fail(errc::chdir_failed, errno, "chdir");
    if (options_.ends_with_parent) {
      (void)kernel::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
      if (::getppid() != parent_)
        return fail(errc::fork_failed, ESRCH, "waiting for the parent, which has ended");
    }
    set_signal_mask(options_.signal_mask != nullptr ? *options_.signal_mask : mask_->before());
    const char* const* environment = options_.environment != nullptr ? options_.environment : environ;
    (void)kernel::call(SYS_execve, path_, argv_, environment);
    return fail(errc::exec_failed, errno, "execve");
  }

  /// A handler would run in memory that we share: caught signals go back to their default first.
  static void reset_signal_handlers() noexcept {
    for (int signal = 1; signal <= 64; ++signal) {
      kernel_sigaction now{};
      if (system_kernel::call(SYS_rt_sigaction, signal, nullptr, &now, sizeof now.mask) < 0) continue;
      if (now.handler <= 1) continue;  // SIG_DFL, SIG_IGN
      const kernel_sigaction fresh{};
      (void)system_kernel::call(SYS_rt_sigaction, signal, &fresh, nullptr, sizeof fresh.mask);
    }
  }

  const spawn_options& options_;
  arena memory_;
  const plan* plan_ = nullptr;
  const enforcement* plain_report_ = nullptr;
  filter_program program_;
  filter_program plain_program_;
  descriptor parent_ends_[3];
  descriptor child_ends_[3];
  char** argv_ = nullptr;
  const char* path_ = nullptr;
  const char* directory_ = nullptr;
  const blocked_signals* mask_ = nullptr;
  confine_failure failure_;
  int ruleset_ = -1;
  int parent_ = -1;
  new_listener listener_;
  int diagnostics_ = -1;
  int door_ = -1;
  bool listened_ = false;
  unsigned uid_ = 0;
  unsigned gid_ = 0;
  bool user_namespace_ = false;
};

}  // namespace detail

#elif !defined(__APPLE__)  // macos/spawn.hpp has its own

namespace detail {

class spawner {
 public:
  explicit spawner(const spawn_options&) {}
  result<child> run(bound_policy&, std::span<const std::string_view>) {
    return error{errc::unsupported_platform, 0, {}, {}, {}};
  }
};

}  // namespace detail

#endif

/// Starts `argv` in a child that the policy confines, whose paths are resolved already and still lead to the same files.
inline result<child> spawn(bound_policy&& bound, std::span<const std::string_view> argv,
                           const spawn_options& options = {}) {
  if (error why = check_unchanged(bound); why.code != errc::none) return why;
  return detail::spawner(options).run(bound, argv);
}

/// Starts `argv` confined: everything is prepared here, and between clone and exec the child makes system calls
/// only. It keeps standard input, output and error; every other descriptor is closed. Its capabilities are emptied.
/// A standard stream is refused where it is a socket that apply() would refuse, and not counted where it is not.
/// argv[0] is looked up on PATH here, outside the sandbox; the policy must let it be read and executed.
/// extras: any number of bind("$NAME", value) and of within(parent), and at most one spawn_options.
/// Errors: those of bind() and make_plan(); program_not_found, program_not_executable, exec_failed, chdir_failed,
///         stdio_failed, socket_open, namespace_refused, fork_failed, and what confining itself can fail with. After
///         an error no child is left.
/// Since:  Landlock ABI 1 (Linux 5.13).
template <class... Extras>
result<child> spawn_child(const policy_ref& policy, std::span<const std::string_view> argv,
                          const Extras&... extras) {
  const detail::call_extras<spawn_options, Extras...> sorted(extras...);
  detail::stack_room room;  // deliberately not initialised
  result<bound_policy> bound = sorted.bind(policy, room);
  if (!bound) return std::move(bound).error();
  return detail::spawner(sorted.options).run(*bound, argv);
}
template <class... Extras>
result<child> spawn_child(const policy_ref& policy, std::initializer_list<std::string_view> argv,
                          const Extras&... extras) {
  return spawn_child(policy, std::span<const std::string_view>(argv.begin(), argv.size()), extras...);
}

/// A policy whose type says that it names hosts.
template <class Policy, class Argv = std::initializer_list<std::string_view>, class... Extras>
  requires(Policy::needs_runner())
result<child> spawn_child(const Policy&, const Argv&, const Extras&...) {
  detail::refuse_hosts<Policy>();
  return error{errc::hosts_need_the_runner, 0, {}, {}, {}};
}

/// As the member: `nono::spawn(policy, {"git", "status"})`.
template <class... Extras>
result<child> spawn(const policy_ref& policy, std::initializer_list<std::string_view> argv,
                    const Extras&... extras) {
  return spawn_child(policy, argv, extras...);
}
template <class... Extras>
result<child> spawn(const policy_ref& policy, std::span<const std::string_view> argv,
                    const Extras&... extras) {
  return spawn_child(policy, argv, extras...);
}
template <class Policy, class Argv = std::initializer_list<std::string_view>, class... Extras>
  requires(Policy::needs_runner())
result<child> spawn(const Policy& policy, const Argv& argv, const Extras&... extras) {
  return spawn_child(policy, argv, extras...);
}

}  // namespace nono
