// SPDX-License-Identifier: Apache-2.0
// A run until its command starts.
#include "cli/run/started.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/resolve/environment.hpp"
#include "cli/resolve/policy_document.hpp"
#include "cli/resolve/resolver.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/run/keys.hpp"
#include "cli/run/output.hpp"
#include "cli/run/replaceable.hpp"
#include "cli/run/summary.hpp"
#include "cli/run/system.hpp"

namespace nono::cli {

namespace {

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
  // The answer counts only where the question can be seen.
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) {
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

void print_bound_warnings(const run_options& options, const started& p) {
  if (options.silent) return;
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

}  // namespace

void offer_policy(started& p, const result<std::string>& document) {
  if (!p.scratch) return;
  const std::string path = fmt::format("{}/{}", p.scratch->path(), policy_file_name);
  (void)::unlink(path.c_str());
  std::erase_if(p.r.variables, [](const auto& v) { return v.first == "NONO_CAP_FILE"; });
  const error why = document ? write_new(path, *document) : document.error();
  if (why.code == errc::none) {
    p.r.variables.emplace_back("NONO_CAP_FILE", path);
  } else {
    p.r.notes.push_back("the command cannot ask what confines it: " + why.message());
  }
}

void print_warnings(const run_options& options, started& p) {
  for (; p.warned < p.r.warnings.size(); ++p.warned)
    if (!options.silent) say("[nono] warning: " + p.r.warnings[p.warned] + "\n");
}

int complained_of(const error& why, int code) {
  complain(words_of(why));
  return code;
}

void write_report(started& p, const enforcement& report, bool in_force) {
  if (!p.report_to.wanted()) return;
  const auto text = policy_document(p, p.target, report, in_force);
  if (const error why = text ? p.report_to.write(*text) : text.error(); why.code != errc::none)
    complain(words_of(why));
}

void build_environment(started& p) {
  std::vector<std::pair<std::string, std::string>> variables = p.r.variables;
  add_proxy_variables(p, variables);
  p.environment = clean_environment(p.here.environment, variables, p.r.inherited);
}

error prepare(const run_options& options, sandbox_target target, bool observed, started& p) {
  p.target = target;
  auto here = this_host();
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
  const bool asked = p.r.cwd == cwd_grant::ask;
  if (error why = ask_for_workdir(options, p.r); why.code != errc::none) return why;
  if (asked) warn_of_writable_profiles(p.r);
  p.gate = planned_gate(options, p.r);
  if (options.dry_run) {
    if (p.r.hosts && p.gate.port == 0) p.gate.port = usual_proxy_port;  // any free one, only to be looked at
  } else if (error why = open_gate(p); why.code != errc::none) {
    return why;
  }
  // The proxy gets ready while we do; but nobody is asked for a key before it is known that it stays outside.
  const bool has_keys = p.r.hosts && !p.r.hosts->routes.empty();
  if (!has_keys)
    if (error why = start_proxy(options, p); why.code != errc::none) return why;
  if (error why = lower(p, target, observed); why.code != errc::none) return why;
  p.here.writable = writing_grants(*p.bound);
  if (std::string words = warning_of_own_place(p.here.writable); !words.empty())
    p.r.warnings.push_back(std::move(words));
  if (error why = check_keys_are_out_of_reach(p); why.code != errc::none) return why;
  if (has_keys)
    if (error why = start_proxy(options, p); why.code != errc::none) return why;
  if (p.proxy)
    for (const auto& [variable, credential] : p.proxy->copies())
      withhold_copy(variable, credential, p.here, p.r);
  if (!options.dry_run)
    if (error why = load_variables(p.r.env_credentials, p.here, p.r.variables, p.r.warnings);
        why.code != errc::none)
      return why;
  p.start_directory = start_directory(p);
  p.r.variables.emplace_back("PWD", p.start_directory);
  const result<std::string> document = policy_document(p, target, p.report(), true);
  if (options.report && !document) return document.error();
  offer_policy(p, document);
  if (options.report && covered(p.r, absolute(*options.report, p.here.current), right::write_file))
    p.r.warnings.push_back(
        fmt::format("the report {} lies inside a grant that writes, so the command can change it; keep it "
                    "elsewhere",
                    in_quotes(*options.report)));
  build_environment(p);
  print_warnings(options, p);
  print_bound_warnings(options, p);
  if (!options.silent) {
    say(summary(p.r, *p.bound, p.report(), options.verbose, options.dry_run));
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

std::vector<std::string> arguments(const run_options& options, const started& p) {
  std::vector<std::string> out(options.command);
  out.front() = p.r.target.path;
  return out;
}

int execute(const run_options& options, started& p) {
  if (p.scratch && !p.scratch->keep_across_exec()) {
    complain(fmt::format("keeping the scratch directory failed: {}; the command was not started",
                         std::strerror(errno)));
    return 126;
  }
  if (::chdir(p.start_directory.c_str()) != 0)
    return complained_of({errc::chdir_failed, errno, {}, p.start_directory, {}}, 126);
  const std::vector<std::string> words = arguments(options, p);
  const std::vector<const char*> argv = pointers(words);
  const std::vector<const char*> environment = pointers(p.environment);
  (void)::execve(p.r.target.path.c_str(),
                 const_cast<char* const*>(argv.data()),          // NOLINT: execve's signature
                 const_cast<char* const*>(environment.data()));  // NOLINT
  return complained_of({errc::exec_failed, errno, {}, p.r.target.path, {}}, 127);
}

void clean_up(const run_options& options, started& p) {
  if (p.scratch && !p.scratch->remove() && options.verbose > 0)
    say(fmt::format("[nono] note: {} could not be removed whole; a later run tries again\n",
                    in_quotes(p.scratch->path())));
}

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
    case errc::sandbox_refused:
      return 126;
    default:
      return 1;
  }
}

}  // namespace nono::cli
