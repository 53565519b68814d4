// SPDX-License-Identifier: Apache-2.0
// The door for a supervised child: spawn_supervised(policy, argv) also closes what the kernel alone leaves open. One
// thread beside the child decides its connections, its changes of metadata and its calls on other processes.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/attenuation.hpp>
#include <nono/bound_policy.hpp>
#include <nono/child.hpp>
#include <nono/error.hpp>
#include <nono/linux/apply.hpp>
#include <nono/linux/decider.hpp>
#include <nono/linux/filter.hpp>
#include <nono/linux/notification.hpp>
#include <nono/linux/plan.hpp>
#include <nono/policy.hpp>
#include <nono/spawn.hpp>

#if defined(__linux__)
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace nono {

#if defined(__linux__)

/// Hears of the calls that a supervisor answers. It must not wait: the caller does.
class call_observer {
 public:
  /// Refused by `row`; subject: the path or process that no grant covers, empty where the filter alone refused.
  virtual void refused(const notification& call, const filter_row& row, std::string_view subject) = 0;
  /// Sees an observed call that no filter refuses, before anybody decides it (see spawn_options::observed).
  virtual void sees(const notification& call) = 0;

 protected:
  ~call_observer() = default;
};

/// One more descriptor that a supervisor's loop watches.
struct watched_descriptor {
  int fd = -1;
  void* context = nullptr;
  void (*readable)(void* context) = nullptr;  ///< is called while it can be read
};

/// Answers the calls of one supervised child. The thread that uses it must have called enclose_supervisor() before the
/// child started. What it does for the child it does with the child's ordinary permissions: without capabilities. The child
/// and the policy must outlive it.
class supervisor {
 public:
  /// loopback_ports: TCP ports to which it connects nobody but at loopback addresses, where connections come to it:
  /// planned.filter.decides_unix. Landlock knows ports alone.
  supervisor(child& running, const bound_policy& policy, const plan& planned, call_observer* heard = nullptr,
             std::vector<std::uint16_t> loopback_ports = {})
      : running_(running),
        calls_(running.listener()),
        table_(planned.filter),
        decider_(calls_, policy, planned.report, running.diagnostics(), running.keeps_answers(),
                 std::move(loopback_ports)),
        privileged_(detail::system_kernel::capabilities() != 0),
        heard_(heard) {}

  /// Runs until the child's first process ends, and reaps it; or until `stop` can be read.
  /// Errors: wait_failed; ECANCELED when stopped.
  result<exit_status> run(std::span<const watched_descriptor> also = {}, int stop = -1) {
    for (;;) {
      if (const int why = wait_for_something(running_.pidfd(), stop, also); why != 0)
        return error{errc::wait_failed, why, {}, {}, {}};
      if ((polled_[0].revents & POLLIN) != 0) return running_.wait();
      if ((polled_[1].revents & POLLIN) != 0) return error{errc::wait_failed, ECANCELED, {}, {}, {}};
    }
  }

  /// Goes on for what the first process left behind, until nobody is left or `stop` can be read. At once where nobody is.
  void serve_rest(int stop) {
    while (listening_) {
      if (wait_for_something(-1, stop, {}) != 0 || (polled_[1].revents & POLLIN) != 0) return;
    }
  }

 private:
  /// Around what is done for the child: no capabilities, and none of libc's signals, whose work would fail here without
  /// them and nowhere else.
  struct as_the_child {
    detail::blocked_signals held{detail::libc_signals};
    detail::capabilities_aside aside{privileges::none};
  };

  /// One round: a descriptor is ready, or a call is answered. 0 or errno.
  int wait_for_something(int ended, int stop, std::span<const watched_descriptor> also) {
    polled_.clear();
    polled_.push_back({ended, POLLIN, 0});
    polled_.push_back({stop, POLLIN, 0});
    polled_.push_back({listening_ ? calls_.fd() : -1, POLLIN, 0});
    for (const watched_descriptor& w : also) polled_.push_back({w.fd, POLLIN, 0});
    const std::size_t own = polled_.size();
    const int longest = decider_.watch(polled_);
    if (::poll(polled_.data(), polled_.size(), longest) < 0) return errno == EINTR ? again() : errno;
    const short called = polled_[2].revents;
    if (longest >= 0 || called != 0) {
      std::optional<as_the_child> as;
      if (privileged_) as.emplace();
      if (longest >= 0) decider_.go_on(std::span(polled_).subspan(own));
      if (called != 0)
        listening_ = (called & POLLIN) != 0 && answer_one();  // POLLHUP: nobody is left who could call
    }
    for (std::size_t i = 0; i < also.size(); ++i)
      if ((polled_[3 + i].revents & POLLIN) != 0) also[i].readable(also[i].context);
    return 0;
  }
  int again() noexcept {
    for (pollfd& p : polled_) p.revents = 0;
    return 0;
  }

  /// False when the listener is of no more use.
  bool answer_one() {
    notification call;
    if (const int why = calls_.receive(call); why != 0) return why == EINTR || why == ENOENT;
    const filter_row* row = table_.refusal_of(call.call, call.args);
    if (heard_ != nullptr && (row == nullptr || row->decided) && filter_table::watches(call.call))
      heard_->sees(call);
    detail::decided got;
    if (row == nullptr) {
      got.reply.goes_on = true;
    } else if (row->decided) {
      got = decider_.decide(call, row->id);
      if (got.waits) return true;
    } else {
      got.reply.os_errno = row->refusal;
      got.by_policy = true;
    }
    if (got.by_policy && heard_ != nullptr) heard_->refused(call, *row, got.subject);
    (void)calls_.send(call.id, got.reply);
    return true;
  }

  child& running_;
  listener calls_;
  filter_table table_;
  detail::decider decider_;
  bool privileged_;
  call_observer* heard_;
  std::vector<pollfd> polled_;
  bool listening_ = true;
};

namespace detail {

/// Confines the calling thread to what it may do for its child, before the child starts: it keeps the child's scopes
/// and TCP ports itself, so that the kernel decides about abstract sockets, ports and who is inside. Files stay open to
/// it, and moving them between directories (REFER), which a second layer would take from the child; where the child's
/// own layer handles no files, one that does would have the kernel ask that one, too, and it grants nothing.
template <class Kernel = system_kernel>
confine_failure enclose_supervisor(const prepared_sandbox& sandbox) {
  const plan& p = sandbox.planned;
  if (!p.filter.listened()) return {};
  const linux_abi::ruleset_attr attr{.handled_access_fs = p.ruleset.handled_access_fs & linux_abi::fs_refer,
                                     .handled_access_net = p.ruleset.handled_access_net,
                                     .scoped = p.ruleset.scoped};
  if (attr.handled_access_net == 0 && attr.scoped == 0) return {};
  const auto failed = [](const char* step, long got) {
    return confine_failure{errc::ruleset_failed, static_cast<int>(-got), step};
  };
  const long fd = Kernel::landlock_create_ruleset(&attr, sizeof attr, 0);
  if (fd < 0) return failed("landlock_create_ruleset for the supervisor", fd);
  const descriptor ruleset(static_cast<int>(fd));
  if (attr.handled_access_fs != 0) {
    path_buffer buffer{};
    const resolved_path root = resolve_path("/", buffer);
    const descriptor held(root.fd);
    const linux_abi::path_beneath_attr all{attr.handled_access_fs, root.fd};
    if (const long got = Kernel::landlock_add_rule(ruleset.get(), linux_abi::rule_path_beneath, &all);
        got < 0)
      return failed("landlock_add_rule for the supervisor", got);
  }
  if (const long got = add_ports<Kernel>(ruleset.get(), p); got < 0)
    return failed("landlock_add_rule for the supervisor", got);
  return confine_thread<Kernel>(filter_program{}, ruleset.get(), nullptr);
}

/// The plan for the case that the kernel gives no listener (an outer supervisor has it, or it is forbidden); none where
/// the policy then would lack what it requires.
inline std::optional<plan> plan_without_listener(bound_policy& bound, const prepared_sandbox& sandbox) {
  if (bound.strict) return std::nullopt;
  result<plan> plain = make_plan(bound, sandbox.kernel, sandbox_target::child);
  return plain ? std::optional<plan>(*plain) : std::nullopt;
}

/// What the owner of a supervised child and its thread share.
struct supervised_run {
  supervised_run(bound_policy&& b, const spawn_options& o) : bound(std::move(b)), options(o) {}

  enum phase : int { starting, failed, running, ended };

  bound_policy bound;
  spawn_options options;
  std::span<const std::string_view> argv;
  std::optional<error> why;
  std::optional<child> handle;
  std::optional<result<exit_status>> status;
  descriptor stop;
  std::atomic<int> at = starting;

  void reach(phase next) noexcept {
    at.store(next);
    at.notify_all();
  }
  void await_beyond(phase last) const noexcept {
    for (int now = at.load(); now <= last; now = at.load()) at.wait(now);
  }

  /// The supervising thread. Signals are blocked in it.
  void supervise() {
    result<prepared_sandbox> sandbox = start();
    if (!sandbox) {
      why = std::move(sandbox).error();
      return reach(failed);
    }
    supervisor answers(*handle, bound, sandbox->planned);
    reach(running);
    status = answers.run({}, stop.get());
    reach(ended);
    if (*status) answers.serve_rest(stop.get());
  }

 private:
  result<prepared_sandbox> start() {
    (void)system_kernel::call(SYS_unshare, CLONE_FS);  // a directory of its own: the process may change its
    result<prepared_sandbox> sandbox =
        prepare_sandbox(bound, probe_kernel(), sandbox_target::supervised_child, options.observed);
    if (!sandbox) return sandbox;
    if (const confine_failure no = enclose_supervisor(*sandbox); no.code != errc::none)
      return error{no.code, no.os_errno, {}, {}, no.step};
    const std::optional<plan> plain = plan_without_listener(bound, *sandbox);
    result<child> got = spawner(options).run(*sandbox, argv, plain ? &*plain : nullptr);
    if (!got) return std::move(got).error();
    sandbox->ruleset = descriptor();  // the child has it
    handle.emplace(*std::move(got));
    return sandbox;
  }
};

}  // namespace detail

class supervised_child;
namespace detail {
inline result<supervised_child> start_supervised(bound_policy&& bound, std::span<const std::string_view> argv,
                                                 const spawn_options& options);
}

/// A running child and its supervisor, a thread of this process. When it goes without wait(), the child is killed and
/// reaped, or waited for where this process has become somebody who may not kill it; processes that it left behind lose
/// their supervisor: the calls that one decides give ENOSYS from then on.
class supervised_child {
 public:
  supervised_child(supervised_child&& other) noexcept : run_(std::move(other.run_)), thread_(other.thread_) {}
  supervised_child& operator=(supervised_child&&) = delete;
  ~supervised_child() {
    if (run_ == nullptr) return;
    if (run_->at.load() < detail::supervised_run::ended && kill(SIGKILL) == -EPERM) (void)wait();
    const std::uint64_t one = 1;
    (void)!::write(run_->stop.get(), &one, sizeof one);
    ::pthread_join(thread_, nullptr);
  }

  [[nodiscard]] int pid() const noexcept { return run_->handle->pid(); }
  [[nodiscard]] int pidfd() const noexcept { return run_->handle->pidfd(); }
  [[nodiscard]] int in() const noexcept { return run_->handle->in(); }
  [[nodiscard]] int out() const noexcept { return run_->handle->out(); }
  [[nodiscard]] int err() const noexcept { return run_->handle->err(); }
  void close_in() noexcept { run_->handle->close_in(); }
  /// What is in force in the child.
  [[nodiscard]] const enforcement& report() const noexcept { return run_->handle->report(); }

  /// Sends a signal. 0 or -errno.
  int kill(int signal) const noexcept { return run_->handle->kill(signal); }
  /// Waits for the end of the first process; its supervisor has reaped it. Errors: wait_failed.
  result<exit_status> wait() {
    run_->await_beyond(detail::supervised_run::running);
    return *run_->status;
  }

 private:
  supervised_child(std::unique_ptr<detail::supervised_run> run, pthread_t thread) noexcept
      : run_(std::move(run)), thread_(thread) {}
  friend result<supervised_child> detail::start_supervised(bound_policy&&, std::span<const std::string_view>,
                                                           const spawn_options&);

  std::unique_ptr<detail::supervised_run> run_;
  pthread_t thread_;
};

namespace detail {
inline result<supervised_child> start_supervised(bound_policy&& bound, std::span<const std::string_view> argv,
                                                 const spawn_options& options) {
  using run_type = supervised_run;
  auto run = std::make_unique<run_type>(std::move(bound), options);
  run->argv = argv;
  run->options.ends_with_parent = true;
  run->stop = detail::descriptor(::eventfd(0, EFD_CLOEXEC));
  if (run->stop.get() < 0) return error{errc::fork_failed, errno, {}, {}, "eventfd"};
  pthread_t thread{};
  std::optional<detail::blocked_signals> held(std::in_place,
                                              ~detail::libc_signals);  // the thread inherits that
  const std::uint64_t mask = held->before();
  if (run->options.signal_mask == nullptr) run->options.signal_mask = &mask;
  const int why = ::pthread_create(
      &thread, nullptr,
      [](void* shared) -> void* {
        static_cast<run_type*>(shared)->supervise();
        return nullptr;
      },
      run.get());
  held.reset();
  if (why != 0) return error{errc::fork_failed, why, {}, {}, "pthread_create"};
  run->await_beyond(run_type::starting);
  if (run->why) {
    ::pthread_join(thread, nullptr);
    return *std::move(run->why);
  }
  return supervised_child(std::move(run), thread);
}
}  // namespace detail

#else

class supervised_child : public detail::no_child {
  supervised_child() = default;
};

namespace detail {
inline result<supervised_child> start_supervised(bound_policy&&, std::span<const std::string_view>,
                                                 const spawn_options&) {
  return error{errc::unsupported_platform, 0, {}, {}, {}};
}
}  // namespace detail

#endif

/// As spawn(), with a supervisor: a thread of this process that decides what the kernel alone cannot, and ends with the
/// child. Unix sockets are reachable where the policy grants connect_unix and inside the sandbox, on every kernel; modes,
/// owners, times and attributes change where it grants writing; limits and scheduling only inside the sandbox. Where
/// the kernel gives no listener (an outer supervisor has it), the child is started as by spawn(), and the report says so;
/// with strict() it is an error.
/// Cost: some 20 us for each such call, nothing for others. The child gets a signal (SIGKILL) when this process ends.
/// Errors: those of spawn(); listener_taken.
/// Since:  Landlock ABI 1 (Linux 5.13); who is inside is known since ABI 6 (6.12).
inline result<supervised_child> spawn_supervised(bound_policy&& bound, std::span<const std::string_view> argv,
                                                 const spawn_options& options = {}) {
  if (error why = check_unchanged(bound); why.code != errc::none) return why;
  return detail::start_supervised(std::move(bound), argv, options);
}

/// extras: any number of bind("$NAME", value) and of within(parent), and at most one spawn_options.
template <class... Extras>
result<supervised_child> spawn_supervised_child(const policy_ref& policy,
                                                std::span<const std::string_view> argv,
                                                const Extras&... extras) {
  const detail::call_extras<spawn_options, Extras...> sorted(extras...);
  result<bound_policy> bound = sorted.bind(policy, {});
  if (!bound) return std::move(bound).error();
  return detail::start_supervised(*std::move(bound), argv, sorted.options);
}
template <class... Extras>
result<supervised_child> spawn_supervised_child(const policy_ref& policy,
                                                std::initializer_list<std::string_view> argv,
                                                const Extras&... extras) {
  return spawn_supervised_child(policy, std::span<const std::string_view>(argv.begin(), argv.size()),
                                extras...);
}

/// A policy whose type says that it names hosts.
template <class Policy, class Argv = std::initializer_list<std::string_view>, class... Extras>
  requires(Policy::needs_runner())
result<supervised_child> spawn_supervised_child(const Policy&, const Argv&, const Extras&...) {
  detail::refuse_hosts<Policy>();
  return error{errc::hosts_need_the_runner, 0, {}, {}, {}};
}

/// As the member: `nono::spawn_supervised(policy, {"git", "status"})`.
template <class... Extras>
result<supervised_child> spawn_supervised(const policy_ref& policy,
                                          std::initializer_list<std::string_view> argv,
                                          const Extras&... extras) {
  return spawn_supervised_child(policy, argv, extras...);
}
template <class... Extras>
result<supervised_child> spawn_supervised(const policy_ref& policy, std::span<const std::string_view> argv,
                                          const Extras&... extras) {
  return spawn_supervised_child(policy, argv, extras...);
}
template <class Policy, class Argv = std::initializer_list<std::string_view>, class... Extras>
  requires(Policy::needs_runner())
result<supervised_child> spawn_supervised(const Policy& policy, const Argv& argv, const Extras&... extras) {
  return spawn_supervised_child(policy, argv, extras...);
}

}  // namespace nono
