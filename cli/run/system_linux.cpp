// SPDX-License-Identifier: Apache-2.0
// A command on Linux: a supervised child, or this process itself, by Landlock and seccomp.
#if defined(__linux__)
#include "cli/run/system.hpp"

#include <cstring>
#include <optional>
#include <string_view>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/linux/apply.hpp>
#include <nono/spawn.hpp>
#include <nono/supervisor.hpp>

#include "cli/resolve/environment.hpp"
#include "cli/resolve/policy_document.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/run/footer.hpp"
#include "cli/run/host_proxy.hpp"
#include "cli/run/java_proxy.hpp"
#include "cli/run/keys.hpp"
#include "cli/run/observer.hpp"
#include "cli/run/output.hpp"
#include "cli/run/refusals.hpp"
#include "cli/run/started.hpp"
#include "cli/run/supervisor.hpp"

namespace nono::cli {

namespace {

/// Where Java's tools are in use, they find the proxy by a file that lies in the command's own directory.
void tell_java(started& p, std::vector<std::pair<std::string, std::string>>& variables) {
  if (!p.r.java) return;
  // After a first attempt its files are there, and speak of another port.
  const std::string directory = p.scratch->path() + (p.gate.own_network ? "/java" : "/java-here");
  const std::string_view before =
      p.r.inherited.lets(java_options_name) ? p.here.variable(java_options_name).value_or("") : "";
  std::string value = java_options_variable(before, directory);
  const error why = value.empty() ? sentence("TMPDIR has both kinds of quotes; set another")
                                  : write_java_options(directory, *p.r.java, {p.gate.port, p.proxy->token()});
  if (why.code == errc::none)
    variables.emplace_back(java_options_name, std::move(value));
  else
    p.r.warnings.push_back("Java's tools will not find the proxy: " + why.message());
}

/// What the child lacks of what was planned, because an outer supervisor has the listener.
std::string lost_words(const started& p, const enforcement& in_force) {
  const enforcement& planned = p.report();
  std::string names;
  for (const protection_row& row : protections)
    if (planned.of(row.id) == standing::by_supervisor && !in_force.enforced(row.id))
      names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  if (names.empty()) return {};
  if (!loopback_ports(p.r, *p.bound, planned).empty()) names += ", ports on localhost alone";
  return "[nono] warning: this run is supervised from outside already, and there can be one supervisor only: "
         "this "
         "one does not add " +
         names + "\n";
}

/// Starts the command. It can be tried again with another gate.
result<nono::child> start_command(const run_options& options, started& p, const signal_guard& signals) {
  const std::vector<const char*> environment = pointers(p.environment);
  spawn_options how;
  how.directory = p.start_directory;
  how.environment = environment.data();
  how.program = p.r.target.path;
  how.signal_mask = &signals.before();
  how.ends_with_parent = true;
  how.door = p.gate.own_network ? p.gate.port : 0;
  if (const auto why = nono::detail::enclose_supervisor(*p.prepared); why.code != errc::none)
    return error{why.code, why.os_errno, {}, {}, why.step};
  const std::optional<plan> plain = nono::detail::plan_without_listener(*p.bound, *p.prepared);
  const std::vector<std::string> words = arguments(options, p);
  const std::vector<std::string_view> argv(words.begin(), words.end());
  return nono::detail::spawner(how).run(*p.prepared, argv, plain ? &*plain : nullptr);
}

}  // namespace

error open_gate(started& p) {
  if (!p.r.hosts || p.gate.own_network) return {};
  auto socket = listen_on_this_system(p.gate.port);
  if (!socket) return std::move(socket.error());
  p.listening = *std::move(socket);
  return {};
}

error start_proxy(const run_options& options, started& p) {
  if (!p.r.hosts || options.dry_run) return {};
  auto keys = load_keys(p.r.hosts->routes, p.here, p.r.warnings);
  if (!keys) return std::move(keys.error());
  p.proxy.emplace();
  return p.proxy->start(*p.r.hosts, p.here, options.audit, *std::move(keys));
}

void add_proxy_variables(started& p, std::vector<std::pair<std::string, std::string>>& variables) {
  if (!p.proxy) return;
  for (const char* name : {"ALL_PROXY", "all_proxy", "FTP_PROXY", "ftp_proxy"})
    if (p.here.variable(name)) variables.emplace_back(name, "");  // they lead nowhere from inside
  for (auto& variable : p.proxy->variables(p.gate.port)) variables.push_back(std::move(variable));
  tell_java(p, variables);
}

int start_and_watch(const run_options& options, started& p, bool observed) {
  const signal_guard signals;
  if (p.proxy)
    if (const error why = p.proxy->await_ready(); why.code != errc::none) return complained_of(why, 126);
  std::optional<result<nono::child>> tried(std::in_place, start_command(options, p, signals));
  const auto refused_namespace = [&] { return !*tried && tried->error().code == errc::namespace_refused; };
  if (refused_namespace() && p.proxy && options.sandbox_policy == "auto") {
    if (!options.silent)
      say("[nono] warning: " + tried->error().message() +
          "; the proxy is reached through this system's network instead\n");
    p.gate = {p.r.hosts->proxy_port, false};
    if (const error why = open_gate(p); why.code != errc::none) return complained_of(why, 126);
    if (const error why = lower(p, sandbox_target::supervised_child, observed); why.code != errc::none)
      return complained_of(why, 126);
    // What the command can ask and is told is of the network that it has.
    offer_policy(p, policy_document(p, p.target, p.report(), true));
    build_environment(p);
    print_warnings(options, p);
    tried.emplace(start_command(options, p, signals));
  }
  result<nono::child>& child = *tried;
  if (!child) return complained_of(child.error(), exit_code_of(child.error().code));
  if (p.proxy) {
    const int listener = p.gate.own_network ? child->door() : p.listening.get();
    if (const error why = p.proxy->serve(listener); why.code != errc::none) return complained_of(why, 126);
    child->close_door();
    p.listening = nono::detail::descriptor();
  }
  p.prepared->ruleset = nono::detail::descriptor();  // the child has it; we live long
  if (!options.silent) say(lost_words(p, child->report()));
  // What we hold is no longer the child's to look at.
  set_dumpable(false);
  write_report(p, child->report(), true);

  std::optional<observer> watcher;
  if (observed && child->listener() >= 0) watcher.emplace(child->pid(), *p.bound);
  supervisor answers(*child, *p.bound, p.prepared->planned, watcher ? &*watcher : nullptr,
                     loopback_ports(p.r, *p.bound, p.report()));
  const auto status = supervise(*child, signals, answers, options.silent);
  if (!status) return complained_of(status.error());
  answer_leftovers(*child, answers);
  if (!status->ok() && observed)
    say(footer(
        p.r, *p.bound, p.here, *status,
        watcher ? refused_by_policy(watcher->attempts(), *p.bound, child->report()) : std::vector<refusal>{},
        watcher ? &*watcher : nullptr, p.proxy ? p.proxy->refused() : std::vector<refused_host>{},
        options.verbose));
  if (p.proxy && p.proxy->has_ended() && !options.silent)
    say("[nono] warning: nono-proxy ended before the command did, which reached no host from then on\n");
  clean_up(options, p);
  return status->exit_code();
}

int confine_and_become(const run_options& options, started& p) {
  const filter_program program = nono::detail::program_for(p.prepared->planned.filter, p.prepared->kernel);
  using kernel_calls = nono::detail::system_kernel;
  const auto cannot = [](const char* step, long got) {
    complain(fmt::format("{} failed: {}; the command was not started", step,
                         std::strerror(static_cast<int>(-got))));
    return 126;
  };
  if (const error why = nono::detail::check_streams(p.prepared->planned, {0, 1, 2}); why.code != errc::none)
    return complained_of(why, 126);
  (void)kernel_calls::new_session_keyring();
  if (const long got = kernel_calls::no_new_privs(); got < 0)
    return cannot("prctl(PR_SET_NO_NEW_PRIVS)", got);
  if (const long got = kernel_calls::drop_capabilities(); got < 0) return cannot("capset", got);
  if (const auto why = nono::detail::confine_thread(program, p.prepared->ruleset.get(), nullptr);
      why.code != errc::none)
    return complained_of({why.code, why.os_errno, {}, {}, why.step}, 126);
  write_report(p, p.report(), true);
  // Everything but the standard descriptors closes with exec, except the scratch directory's lock: it lives as
  // long as the command, and a later run removes the directory.
  if (const long got = kernel_calls::call(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */); got < 0)
    return cannot("close_range", got);
  return execute(options, p);
}

void set_dumpable(bool may) noexcept { (void)::prctl(PR_SET_DUMPABLE, may ? 1 : 0, 0, 0, 0); }

}  // namespace nono::cli
#endif
