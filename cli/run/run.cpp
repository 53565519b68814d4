// SPDX-License-Identifier: Apache-2.0
// `nono run` and `nono wrap`: resolve, print, prepare, start, watch, explain.
#include "cli/run/run.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/linux/apply.hpp>
#include <nono/spawn.hpp>
#include <nono/supervisor.hpp>

#include "cli/resolve/environment.hpp"
#include "cli/resolve/policy_document.hpp"
#include "cli/resolve/resolver.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/run/footer.hpp"
#include "cli/run/host_proxy.hpp"
#include "cli/run/java_proxy.hpp"
#include "cli/run/keys.hpp"
#include "cli/run/observer.hpp"
#include "cli/run/output.hpp"
#include "cli/run/refusals.hpp"
#include "cli/run/report_file.hpp"
#include "cli/run/scratch.hpp"
#include "cli/run/summary.hpp"
#include "cli/run/supervisor.hpp"

namespace nono::cli {

namespace {

int complained_of(const error& why, int code = 1) {
  complain(words_of(why));
  return code;
}

/// Everything that run and wrap share: what is resolved, bound and planned, and said.
struct started : sandbox {
  sandbox_target target{};
  report_file report_to;
  std::optional<scratch_directory> scratch;
  std::string start_directory;
  std::optional<host_proxy> proxy;     ///< where hosts are filtered
  nono::detail::descriptor listening;  ///< for it, in this system's network
  std::vector<std::string> environment;
};

/// One line from the terminal, byte by byte: what follows belongs to the command.
bool answered_yes() {
  std::string line;
  char c = 0;
  while (::read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
    if (line.size() < 16) line += c;
  return line == "y" || line == "Y" || line == "yes" || line == "Yes";
}

error ask_for_workdir(const run_options& options, resolution& r) {
  if (r.cwd != cwd_grant::ask || options.dry_run) return {};
  if (options.silent)
    return {errc::bad_argument, 0, {}, {}, "CWD access requires --allow-cwd in non-interactive mode"};
  if (::isatty(STDIN_FILENO) != 1) {
    say(fmt::format(
        "[nono] No terminal to ask on: going on without the working directory {} (--allow-cwd grants it).\n",
        in_quotes(r.workdir)));
    return {};
  }
  say(fmt::format("[nono] Let the command {} the working directory {}? (--allow-cwd answers yes) [y/N] ",
                  contains(r.cwd_rights, right::read_write) ? "read and write"
                  : contains(r.cwd_rights, right::write)    ? "write"
                                                            : "read",
                  in_quotes(r.workdir)));
  if (!answered_yes()) return {};
  if (auto granted = grant_workdir(r); !granted) return granted.error();
  r.cwd = cwd_grant::granted;
  return {};
}

void print_warnings(const run_options& options, const started& p) {
  if (options.silent) return;
  for (const std::string& w : p.r.warnings) say("[nono] warning: " + w + "\n");
  for (const skipped_rule& s : p.bound->skipped)
    if (s.denied != nullptr && (s.from == origin::group || s.from == origin::command))
      say(fmt::format("[nono] warning: {} is not granted to {}: it meets the denied {}\n", in_quotes(s.path),
                      s.from == origin::command ? std::string_view("the command") : s.source,
                      in_quotes(s.denied->path)));
  for (const bound_rule& r : p.bound->rules)
    if (r.on != file_system::lasting && !r.subsumed)
      say(fmt::format(
          "[nono] warning: {} lies on {}, which may make inodes anew: then what is granted there is refused; "
          "work on a Linux file system instead\n",
          in_quotes(r.path), name_of(r.on)));
  if (options.verbose > 0)
    for (const std::string& n : p.r.notes) say("[nono] note: " + n + "\n");
}

/// The child starts in the working directory if a grant covers it, else in "/".
std::string start_directory(const started& p) {
  const auto real = canonical_path(p.r.workdir);
  if (real)
    for (const bound_rule& rule : p.bound->rules)
      if (rule.type == file_type::directory && is_within(*real, rule.canonical)) return p.r.workdir;
  return "/";
}

/// Tells the command what confines it, in a file that is its own anyhow.
void offer_policy(started& p, const result<std::string>& document) {
  if (!p.scratch) return;
  const std::string path = fmt::format("{}/{}", p.scratch->path(), policy_file_name);
  const error why = document ? write_new(path, *document) : document.error();
  if (why.code == errc::none) {
    p.r.variables.emplace_back("NONO_CAP_FILE", path);
  } else {
    p.r.notes.push_back("the command cannot ask what confines it: " + why.message());
  }
}

/// What --report asks for. A report that cannot be written does not stop what runs already.
void write_report(started& p, const enforcement& report, bool in_force) {
  if (!p.report_to.wanted()) return;
  const auto text = policy_document(p, p.target, report, in_force);
  if (const error why = text ? p.report_to.write(*text) : text.error(); why.code != errc::none)
    complain(words_of(why));
}

/// Where the proxy listens in this system's network, that socket is made now.
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

/// Where Java's tools are in use, they find the proxy by a file that lies in the command's own directory.
void tell_java(started& p, std::vector<std::pair<std::string, std::string>>& variables) {
  if (!p.r.java) return;
  const std::string directory = p.scratch->path() + "/java";
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

/// What the command inherits and is told, the proxy's address last.
void build_environment(started& p) {
  std::vector<std::pair<std::string, std::string>> variables = p.r.variables;
  if (p.proxy) {
    for (const char* name : {"ALL_PROXY", "all_proxy", "FTP_PROXY", "ftp_proxy"})
      if (p.here.variable(name)) variables.emplace_back(name, "");  // they lead nowhere from inside
    for (auto& variable : p.proxy->variables(p.gate.port)) variables.push_back(std::move(variable));
    tell_java(p, variables);
  }
  p.environment = clean_environment(p.here.environment, variables, p.r.inherited);
}

error prepare(const run_options& options, sandbox_target target, bool observed, started& p) {
  p.target = target;
  auto here = this_host(environ);
  if (!here) return here.error();
  p.here = std::move(*here);
  if (options.report)
    if (error why = p.report_to.open(*options.report); why.code != errc::none) return why;
  if (!options.dry_run) {
    std::string why;
    p.scratch = scratch_directory::create(why);
    if (!p.scratch) return {errc::bad_argument, 0, {}, {}, why};
  }
  auto r = resolve(options, p.here, p.scratch ? std::string_view(p.scratch->path()) : std::string_view());
  if (!r) return r.error();
  p.r = std::move(*r);
  if (error why = ask_for_workdir(options, p.r); why.code != errc::none) return why;
  p.gate = planned_gate(options, p.r);
  if (error why = open_gate(p); why.code != errc::none) return why;
  // The proxy gets ready while we do; but nobody is asked for a key before it is known that it stays outside.
  const bool has_keys = p.r.hosts && !p.r.hosts->routes.empty();
  if (!has_keys)
    if (error why = start_proxy(options, p); why.code != errc::none) return why;
  if (error why = lower(p, target, observed); why.code != errc::none) return why;
  if (error why = check_keyring_is_out_of_reach(p); why.code != errc::none) return why;
  if (has_keys)
    if (error why = start_proxy(options, p); why.code != errc::none) return why;
  if (!options.dry_run)
    if (error why = load_variables(p.r.env_credentials, p.here, p.r.variables, p.r.warnings);
        why.code != errc::none)
      return why;
  p.start_directory = start_directory(p);
  p.r.variables.emplace_back("PWD", p.start_directory);
  const result<std::string> document = policy_document(p, target, p.report(), true);
  if (options.report && !document) return document.error();
  offer_policy(p, document);
  if (options.report && covered(p.r, *options.report, right::write_file))
    p.r.warnings.push_back(
        fmt::format("the report {} lies inside a grant that writes, so the command can change it; keep it "
                    "elsewhere",
                    in_quotes(*options.report)));
  build_environment(p);
  print_warnings(options, p);
  if (!options.silent) {
    say(summary(p.r, *p.bound, p.report(), options.verbose));
    auto keys = key_like_names(p.environment);
    // Tokens are of this run, and no keys of the user's; what was asked for has its own warning.
    if (p.proxy) std::erase(keys, "NONO_PROXY_TOKEN");
    if (p.r.hosts)
      for (const std::string& name : variables_of(p.r.hosts->routes)) std::erase(keys, name);
    for (const env_credential& e : p.r.env_credentials) std::erase(keys, e.variable);
    if (!keys.empty()) {
      std::string names;
      for (const std::string& k : keys) names += (names.empty() ? "" : ", ") + k;
      say("[nono] warning: the command inherits variables that look like keys: " + names + "\n");
    }
  }
  return {};
}

int end_dry_run(const run_options& options, started& p) {
  write_report(p, p.report(), false);
  if (!options.silent)
    say("[nono] dry-run sandbox would be applied with above capabilities\n$ " +
        command_line(options.command) + "\n");
  return 0;
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& t : texts) out.push_back(t.c_str());
  out.push_back(nullptr);
  return out;
}

/// argv[0] is the program's path, as found.
std::vector<std::string_view> arguments(const run_options& options, const started& p) {
  std::vector<std::string_view> out(options.command.begin(), options.command.end());
  out.front() = p.r.target.path;
  return out;
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

/// 127: the program could not be executed; 126: the child could not be confined; 1: it was never started.
int exit_code_of(errc code) {
  switch (code) {
    case errc::exec_failed:
      return 127;
    case errc::chdir_failed:
    case errc::ruleset_failed:
    case errc::restrict_failed:
    case errc::restrict_refused:
    case errc::filter_failed:
    case errc::filter_refused:
    case errc::listener_taken:
    case errc::too_many_filters:
    case errc::capabilities_failed:
    case errc::too_many_layers:
    case errc::namespace_refused:
      return 126;
    default:
      return 1;
  }
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
  return nono::detail::spawner(how).run(*p.prepared, arguments(options, p), plain ? &*plain : nullptr);
}

}  // namespace

int run(const run_options& options) {
  const bool observed = options.diagnostics && !options.silent;
  started p;
  if (const error why = prepare(options, sandbox_target::supervised_child, observed, p);
      why.code != errc::none)
    return complained_of(why);
  if (options.dry_run) return end_dry_run(options, p);
  if (options.verbose > 0 && !options.silent) say("Applying sandbox...\n");

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
    build_environment(p);
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
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
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
  if (p.scratch && !p.scratch->remove() && options.verbose > 0)
    say(fmt::format("[nono] note: {} could not be removed whole; a later run tries again\n",
                    in_quotes(p.scratch->path())));
  return status->exit_code();
}

int wrap(const run_options& given) {
  started p;
  run_options options = given;
  options.no_child = true;
  if (const error why = prepare(options, sandbox_target::this_process, false, p); why.code != errc::none)
    return complained_of(why);
  if (options.dry_run) return end_dry_run(options, p);

  const filter_program program = nono::detail::program_for(p.prepared->planned.filter, p.prepared->kernel);
  std::vector<std::string> words(options.command);
  words.front() = p.r.target.path;
  const std::vector<const char*> argv = pointers(words);
  const std::vector<const char*> environment = pointers(p.environment);

  using kernel_calls = nono::detail::system_kernel;
  const auto cannot = [](const char* step, long got) {
    complain(fmt::format("{} failed: {}; the command was not started", step,
                         std::strerror(static_cast<int>(-got))));
    return 126;
  };
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
  if (p.scratch && !p.scratch->keep_across_exec()) return cannot("keeping the scratch directory", -errno);
  if (::chdir(p.start_directory.c_str()) != 0)
    return complained_of({errc::chdir_failed, errno, {}, p.start_directory, {}}, 126);
  (void)::execve(p.r.target.path.c_str(),
                 const_cast<char* const*>(argv.data()),          // NOLINT: execve's signature
                 const_cast<char* const*>(environment.data()));  // NOLINT
  return complained_of({errc::exec_failed, errno, {}, p.r.target.path, {}}, 127);
}

}  // namespace nono::cli
