// SPDX-License-Identifier: Apache-2.0
// The command line: sub commands, flags and their environment variables.
#include "cli/commands/command_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nono/error.hpp>

#include "cli/commands/completion.hpp"
#include "cli/commands/credential.hpp"
#include "cli/commands/man_page.hpp"
#include "cli/commands/profile_flags.hpp"
#include "cli/commands/setup.hpp"
#include "cli/commands/usage.hpp"
#include "cli/commands/why.hpp"
#include "cli/resolve/options.hpp"
#include "cli/run/output.hpp"
#include "cli/run/run.hpp"

namespace nono::cli {

namespace {

/// Flags that belong to the command and are not built yet: refused with a sentence, never taken for granted.
constexpr std::string_view not_built[] = {
    "--proxy-ca-validity",
    "--trust-proxy-ca",
    "--allow-http2",
    "--suppress-save-prompt",
    "--ignore-denied",
    "--allow-gpu",
    "--allow-launch-services",
    "--memory",
    "--config",
    "--detached",
    "--detach-timeout",
    "--name",
    "--startup-timeout",
    "--diagnostics-json",
    "--rollback",
    "--no-rollback",
    "--no-rollback-prompt",
    "--rollback-exclude",
    "--rollback-include",
    "--rollback-all",
    "--rollback-dest",
    "--skip-dir",
    "--no-audit-integrity",
    "--audit-integrity",
    "--audit-sign-key",
    "--trust-override",
    "--capability-elevation",
    "--carve",
    "--theme",
    "--log-file",
};
/// The same of `why`.
constexpr std::string_view not_built_in_why[] = {
    "--command",
    "--caller",
};
constexpr std::string_view commands_not_built[] = {
    "ps",      "stop",     "detach", "attach", "pause",    "resume", "logs",  "inspect",
    "session", "cleanup",  "prune",  "audit",  "rollback", "trust",  "pull",  "remove",
    "update",  "outdated", "pin",    "unpin",  "search",   "list",   "learn", "policy",
};

/// type: what a shell completes, DIR, FILE or PATH.
CLI::Option* add_paths(CLI::App& app, const char* names, std::vector<std::string>& to, const char* what,
                       const char* type = "PATH") {
  return app.add_option(names, to, what)->allow_extra_args(false)->type_name(type);
}

/// A second value is taken all the same, so that the mistake can be named.
void expect_one(CLI::Option* option) { option->expected(1, CLI::detail::expected_max_vector_size / 2); }

void add_ports(CLI::App& app, const char* names, std::vector<std::uint16_t>& to, int lowest,
               const char* what) {
  app.add_option(names, to, what)
      ->allow_extra_args(false)
      ->check(CLI::Range(lowest, 65535))
      ->type_name("PORT");
}

void add_port_flags(CLI::App& app, run_options& o) {
  add_ports(app, "--listen-port,--allow-bind", o.listen_port, 0, "Let a TCP port be listened at");
  add_ports(app, "--open-port,--allow-port", o.open_port, 1,
            "Let a TCP port be connected to and listened at, of this machine and every other");
  add_ports(
      app, "--allow-connect-port", o.connect_port, 1,
      "Let a TCP port be connected to, past the proxy; without hosts: these ports and no other network");
}

/// The variables of flags that name hosts.
constexpr std::string_view host_variables[] = {"NONO_NETWORK_PROFILE", "NONO_ALLOW_DOMAIN", "NONO_CREDENTIAL",
                                               "NONO_UPSTREAM_PROXY", "NONO_UPSTREAM_BYPASS"};

std::string_view value_of(std::string_view variable) {
  const char* const value = std::getenv(std::string(variable).c_str());  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::string_view() : std::string_view(value);
}

/// The names that variables had before, each behind the one of now.
constexpr std::pair<std::string_view, std::string_view> old_names[] = {
    {"NONO_BLOCK_NET", "NONO_NET_BLOCK"},
    {"NONO_ALLOW_NET", "NONO_NET_ALLOW"},
    {"NONO_ALLOW_DOMAIN", "NONO_ALLOW_PROXY"},
    {"NONO_ALLOW_DOMAIN", "NONO_PROXY_ALLOW"},
    {"NONO_CREDENTIAL", "NONO_PROXY_CREDENTIAL"},
    {"NONO_UPSTREAM_PROXY", "NONO_EXTERNAL_PROXY"},
    {"NONO_UPSTREAM_BYPASS", "NONO_EXTERNAL_PROXY_BYPASS"},
};

/// The variable that stands for a flag: the old name of one where that alone is set; empty where it says no, which a flag
/// that is not there says as well. CLI11 would take such a flag for given.
std::string variable_for(std::string_view name) {
  if (value_of(name).empty())
    for (const auto& [now, before] : old_names)
      if (now == name && !value_of(before).empty()) return std::string(before);
  return std::string(name);
}

/// The same of a flag without a value.
std::string switch_for(std::string_view name) {
  std::string out = variable_for(name);
  const std::string value(value_of(out));
  try {
    if (!value.empty() && CLI::detail::to_flag_value(value) <= 0) out.clear();
  } catch (const std::logic_error&) {
    return out;  // no such value: CLI11 will say so
  }
  return out;
}

/// Says where an old name was read.
void warn_of_old_names(run_options& o) {
  for (const auto& [now, before] : old_names)
    if (variable_for(now) == before)
      o.warnings.push_back(
          fmt::format("the variable {} is an old name, and was read; set {} instead", before, now));
}

/// Which hosts the command reaches, through the proxy.
void add_host_flags(CLI::App& app, run_options& o, CLI::Option& open) {
  app.add_option("--network-profile", o.network_profile,
                 "Only the hosts of this list: minimal (APIs of models), developer, enterprise")
      ->envname(variable_for("NONO_NETWORK_PROFILE"))
      ->type_name("NETWORK_PROFILE")
      ->excludes(&open);
  app.add_option("--allow-domain,--allow-proxy,--proxy-allow", o.allow_domain,
                 "Only this host and others that are named: a name, *.suffix, an address, a URL, a group")
      ->allow_extra_args(false)
      ->envname(variable_for("NONO_ALLOW_DOMAIN"))
      ->type_name("HOST")
      ->excludes(&open);
  app.add_option("--upstream-proxy,--external-proxy", o.upstream_proxy, "Reach the hosts through this proxy")
      ->envname(variable_for("NONO_UPSTREAM_PROXY"))
      ->type_name("HOST:PORT")
      ->excludes(&open);
  app.add_option("--upstream-bypass,--external-proxy-bypass", o.upstream_bypass,
                 "Reach this host directly all the same; commas separate")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->envname(variable_for("NONO_UPSTREAM_BYPASS"))
      ->type_name("HOST")
      ->excludes(&open);
  app.add_option("--credential,--proxy-credential", o.credential,
                 "Let the proxy add the key of this service, which the command never has: openai, anthropic, "
                 "gemini, google-ai, "
                 "github, gitlab or one of the profile's")
      ->allow_extra_args(false)
      ->envname(variable_for("NONO_CREDENTIAL"))
      ->type_name("SERVICE")
      ->excludes(&open);
  app.add_option(
         "--allow-endpoint", o.allow_endpoint,
         "Of a credential's service only this and other endpoints that are named, * for any one segment")
      ->allow_extra_args(false)
      ->type_name("SERVICE:METHOD:/PATH")
      ->excludes(&open);
  app.add_option("--proxy-port", o.proxy_port, "Where the proxy listens, at 127.0.0.1")
      ->check(CLI::Range(1, 65535))
      ->type_name("PORT")
      ->excludes(&open);
  app.add_option("--sandbox-policy", o.sandbox_policy,
                 "What keeps the command from going past the proxy: a network of its own (namespace), the "
                 "proxy's port alone "
                 "(landlock), or the first that this system gives (auto)")
      ->check(CLI::IsMember({"auto", "namespace", "landlock"}))
      ->type_name("POLICY");
}

/// The flags that shape the policy: of everything that runs, and the context of a question.
/// hosts: and those of the proxy, which wrap has not.
void add_policy_flags(CLI::App& app, run_options& o, bool hosts = true) {
  // One value for each flag: what follows may be the command.
  app.add_option("-a,--allow", o.allow, "Read and write a directory and all below it; commas separate")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->envname("NONO_ALLOW")
      ->type_name("DIR");
  add_paths(app, "-r,--read", o.read, "Read a directory and all below it", "DIR");
  add_paths(app, "-w,--write", o.write, "Write a directory and all below it, without reading", "DIR");
  add_paths(app, "--allow-file", o.allow_file, "Read and write one file", "FILE");
  add_paths(app, "--read-file", o.read_file, "Read one file", "FILE");
  add_paths(app, "--write-file", o.write_file, "Write one file", "FILE");
  add_paths(app, "--allow-unix-socket", o.unix_socket, "Connect to one unix socket");
  add_paths(app, "--allow-unix-socket-bind", o.unix_socket_bind,
            "The same, and write it; one that is not there yet: read and write its directory, to make it");
  add_paths(app, "--allow-unix-socket-dir", o.unix_socket_dir,
            "Connect to the unix sockets that lie in a directory at the start, not deeper and not those made "
            "later by others; read the directory and all below it",
            "DIR");
  add_paths(app, "--allow-unix-socket-dir-bind", o.unix_socket_dir_bind,
            "The same, and write the directory and all below it", "DIR");
  add_paths(app, "--allow-unix-socket-subtree", o.unix_socket_subtree,
            "Connect to every unix socket below a directory; read it and all below it", "DIR");
  add_paths(app, "--allow-unix-socket-subtree-bind", o.unix_socket_subtree_bind,
            "The same, and write the directory and all below it", "DIR");
  app.add_flag("--allow-cwd", o.allow_cwd, "Grant the working directory without asking");
  app.add_option("--workdir", o.workdir, "The working directory, instead of the current one")
      ->type_name("DIR");
  app.add_option("-p,--profile", o.profile,
                 "A profile by name (nono profile list shows them), or a profile file")
      ->envname("NONO_PROFILE")
      ->type_name("PROFILE");
  app.add_option("--extends", o.extends, "A profile more that the profile extends, in front of its own")
      ->allow_extra_args(false)
      ->type_name("PROFILE");
  add_paths(app, "--bypass-protection,--override-deny", o.bypass_protection,
            "Lift the protection of a path that is granted as well");
  app.add_option("--allow-command", o.allow_command, "Start this command though it is on the dangerous list")
      ->allow_extra_args(false)
      ->type_name("COMMAND");
  app.add_option("--block-command", o.block_command, "Do not start a command of this name")
      ->allow_extra_args(false)
      ->type_name("COMMAND");
  add_port_flags(app, o);
  auto* block = app.add_flag("--block-net,--net-block", o.block_net, "No network: nothing but unix sockets")
                    ->envname(switch_for("NONO_BLOCK_NET"));
  auto* open =
      app.add_flag("--allow-net,--net-allow", o.allow_net, "The whole network, whatever the profile says")
          ->envname(switch_for("NONO_ALLOW_NET"))
          ->excludes(block);
  if (hosts) add_host_flags(app, o, *open);
  app.add_option("--env-credential", o.env_credential,
                 "Give the command this secret in a variable, where it can read it; commas separate")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->envname("NONO_ENV_CREDENTIAL")
      ->type_name("NAME|REFERENCE=VARIABLE");
  app.add_option("--env-credential-map", o.env_credential_map, "The same, from any source to any variable")
      ->type_size(2)
      ->expected(1, CLI::detail::expected_max_vector_size / 2)
      ->allow_extra_args(false)
      ->type_name("REFERENCE VARIABLE");
  app.add_flag("--strip-secrets", o.strip_secrets,
               "Let the command inherit no variable that looks like a key; --credential implies it");
  app.add_flag_callback(
      "--no-auto-groups", [&o] { o.auto_groups = false; }, "A known tool brings no group along");
  app.add_flag("--strict", o.strict, "Fail where the kernel lacks a protection, instead of reporting it");
}

void add_run_flags(CLI::App& app, run_options& o, bool hosts = true) {
  add_policy_flags(app, o, hosts);
  if (hosts)
    app.add_flag_callback("--no-audit", [&o] { o.audit = false; }, "Keep no log of the proxy's decisions");
  app.add_flag_callback(
      "--no-diagnostics", [&o] { o.diagnostics = false; },
      "Do not watch the command's calls; no footer after a failure");
  app.add_flag("--dry-run", o.dry_run, "Resolve and print, run nothing");
  app.add_option("--report", o.report, "Write what is enforced to a file, as JSON")->type_name("FILE");
  app.add_flag("-v,--verbose", o.verbose, "List every grant with its source; repeat for more");
  app.add_flag("-s,--silent", o.silent, "Print nothing of nono's own but errors");
}
void add_command(CLI::App& app, std::vector<std::string>& command, const char* what) {
  app.add_option("command", command, what)->type_name("COMMAND [ARGS...]");
  app.positionals_at_end();
}

void add_why_flags(CLI::App& app, why_options& o) {
  expect_one(add_paths(app, "--path", o.paths, "The path that is asked about"));
  expect_one(app.add_option("--op", o.operations, "What would be done there; read if it is not given")
                 ->allow_extra_args(false)
                 ->type_name("OPERATION"));
  expect_one(add_paths(app, "--to", o.to, "The second name of rename, exchange and link"));
  app.add_option("--connect-tcp", o.connect_tcp, "A TCP port to connect to")->type_name("PORT");
  app.add_option("--bind-tcp", o.bind_tcp, "A TCP port to bind")->type_name("PORT");
  app.add_option("--host", o.host, "A host or URL to connect to")->type_name("HOST_OR_URL");
  app.add_option("--port", o.port, "The port of --host, if it is not 443 or the URL's")->type_name("PORT");
  app.add_option("--scope", o.scope, "signal or abstract-unix-socket: is what is outside out of reach?")
      ->type_name("SCOPE");
  app.add_flag("--self", o.self, "Ask the sandbox in which this runs, and try what can be tried");
  auto* json = app.add_flag("--json", o.json, "The answer as JSON");
  app.add_flag("--tree", o.tree, "The policy as a tree besides, with what the question touched")
      ->excludes(json);
  add_policy_flags(app, o.context);
  add_command(app, o.context.command, "Ask as if this command were run");
  app.footer("Operations: " + operation_names() +
             ".\n"
             "write of a directory asks whether a file could be made in it, and of a missing file whether it "
             "could be made.\n"
             "Nothing is run and nothing is made: the private TMPDIR and the caches that a run would make "
             "are not there.\n"
             "The exit code is 0 whatever the answer.");
}

constexpr std::string_view with_value[] = {
    "-a",
    "--allow",
    "-r",
    "--read",
    "-w",
    "--write",
    "--allow-file",
    "--read-file",
    "--write-file",
    "--allow-unix-socket",
    "--allow-unix-socket-bind",
    "--allow-unix-socket-dir",
    "--allow-unix-socket-dir-bind",
    "--allow-unix-socket-subtree",
    "--allow-unix-socket-subtree-bind",
    "--workdir",
    "-p",
    "--profile",
    "--extends",
    "--bypass-protection",
    "--override-deny",
    "--allow-command",
    "--block-command",
    "--network-profile",
    "--allow-domain",
    "--allow-proxy",
    "--proxy-allow",
    "--listen-port",
    "--allow-bind",
    "--open-port",
    "--allow-port",
    "--allow-connect-port",
    "--upstream-proxy",
    "--external-proxy",
    "--upstream-bypass",
    "--external-proxy-bypass",
    "--proxy-port",
    "--sandbox-policy",
    "--credential",
    "--proxy-credential",
    "--allow-endpoint",
    "--env-credential",
    "--path",
    "--op",
    "--to",
    "--connect-tcp",
    "--bind-tcp",
    "--report",
    "--shell",
    "--host",
    "--port",
    "--scope",
};

/// Flags cost more to set up than to parse: those of a command come when it is named, and all of them for who shows the
/// whole tree.
class lazy_flags {
 public:
  void of(CLI::App* command, std::function<void()> add) {
    command->preparse_callback([this, i = waiting_.size()](std::size_t) { add_once(i); });
    waiting_.push_back(std::move(add));
  }
  void add_all() {
    for (std::size_t i = 0; i < waiting_.size(); ++i) add_once(i);
  }

 private:
  void add_once(std::size_t i) {
    if (const auto add = std::exchange(waiting_[i], nullptr)) add();
  }

  std::vector<std::function<void()>> waiting_;
};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// CLI11 would take the command's [a,b] for a list of two words; with this behind it, which no argument holds, it is one.
constexpr char no_list = '\0';

/// nono's own words, then the command. `--flag=` becomes two words, because an empty value would otherwise be taken
/// from the next one. unbuilt: the first flag that is not built yet. bare: the first that has the end of the flags for a value.
std::vector<std::string> own_words(int argc, char** argv, std::string_view& unbuilt, std::string_view& bare) {
  std::vector<std::string> out;
  int i = 1;
  for (bool command = false; i < argc; ++i) {
    const std::string_view word(argv[i]);
    if (word == "--" || (command && !word.starts_with('-'))) break;
    command = command || !word.starts_with('-');  // run, wrap: flags may follow
    const std::string_view name = word.substr(0, word.find('='));
    const bool asks = argc > 1 && std::string_view(argv[1]) == "why";
    if (unbuilt.empty() && (is_one_of(name, not_built) || (asks && is_one_of(name, not_built_in_why))))
      unbuilt = name;
    if (word.ends_with('=') && is_one_of(name, with_value)) {
      out.emplace_back(name);
      out.emplace_back();
    } else {
      out.emplace_back(word);
      if (is_one_of(word, with_value) && i + 1 < argc) {
        if (bare.empty() && std::string_view(argv[i + 1]) == "--") bare = word;
        out.emplace_back(argv[++i]);
      }
    }
  }
  for (; i < argc; ++i) {
    out.emplace_back(argv[i]);
    if (out.back().starts_with('[') && out.back().ends_with(']')) out.back() += no_list;
  }
  return out;
}

/// The command as it was written.
void take_marks_off(std::vector<std::string>& command) {
  for (std::string& word : command)
    if (word.ends_with(no_list)) word.pop_back();
}

/// What `nono shell` starts: the one that was named, the user's own, or the one that every system has.
std::string shell_of(const std::string& named) {
  if (!named.empty()) return named;
  const char* const own = std::getenv("SHELL");
  return own != nullptr && *own != '\0' ? own : "/bin/sh";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs a command in a sandbox that the kernel enforces and nothing can lift", "nono"};
  app.set_version_flag("-V,--version", fmt::format("nono {}", NONO_VERSION));
  app.require_subcommand(0, 1);
  app.footer(
      "Examples:\n"
      "  nono run --allow-cwd -- go run .\n"
      "  nono run --profile go-dev --allow-cwd -- go test ./...\n"
      "  nono run --read ./data --block-net -- python3 report.py\n"
      "  nono why --allow-cwd --path ~/.ssh/id_ed25519\n"
      "  nono setup --check-only");
  run_options options;
  bool silent = false;
  app.add_flag("-s,--silent", silent, "Print nothing of nono's own but errors");

  CLI::App* run_command = app.add_subcommand("run", "Run a command in a sandbox and watch over it");
  lazy_flags flags;
  const auto add_flags_to = [&](CLI::App* command) {
    add_run_flags(*command, options, command == run_command);
    add_command(*command, options.command, "The command and its arguments");
  };
  flags.of(run_command, [&] { add_flags_to(run_command); });
  CLI::App* wrap_command =
      app.add_subcommand("wrap", "Confine this process and execute the command in its place");
  flags.of(wrap_command, [&] { add_flags_to(wrap_command); });
  CLI::App* shell_command = app.add_subcommand("shell", "Run a shell in a sandbox, as run does");
  std::string shell;
  flags.of(shell_command, [&] {
    shell_command->add_option("--shell", shell, "This one, instead of $SHELL or /bin/sh")->type_name("FILE");
    add_run_flags(*shell_command, options);
  });
  CLI::App* setup_command = app.add_subcommand("setup", "Show what this system can enforce, and try it");
  bool check_only = false;
  int setup_verbose = 0;
  setup_command->add_flag("--check-only", check_only, "Change nothing (as yet setup never does)");
  setup_command->add_flag("-v,--verbose", setup_verbose, "List every protection");

  CLI::App* why_command = app.add_subcommand(
      "why", "Say whether a sandbox would allow something, by which rule, and what would change it");
  why_options question;
  flags.of(why_command, [&] { add_why_flags(*why_command, question); });
  CLI::App* profile_command = app.add_subcommand("profile", "Show, compare, check and begin profiles");
  profile_flags about_profiles(*profile_command);
  flags.of(profile_command, [&] { about_profiles.add(); });
  CLI::App* credential_command =
      app.add_subcommand("credential", "Store, name and remove secrets in the system's keyring");
  credential_flags about_secrets(*credential_command);
  flags.of(credential_command, [&] { about_secrets.add(); });
  CLI::App* completion_command =
      app.add_subcommand("completion", "Print the script by which a shell completes nono's words");
  std::string completed_shell;
  flags.of(completion_command, [&] {
    completion_command->add_option("shell", completed_shell, "bash, zsh or fish")
        ->required()
        ->type_name("SHELL");
  });
  CLI::App* man_command = app.add_subcommand("man", "Print the manual page");
  man_command->group("");  // for whoever installs nono

  std::string_view unbuilt;
  std::string_view bare;
  std::vector<std::string> words = own_words(argc, argv, unbuilt, bare);
  if (!bare.empty())
    return usage_error(fmt::format("{}: its value is missing before --", bare), app.get_name());
  std::vector<std::string> backwards(words.rbegin(), words.rend());  // as CLI11 wants it
  try {
    app.parse(backwards);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // --help and --version
      std::ostringstream text;
      (void)app.exit(e, text, text);
      return print(text.str());
    }
    if (!unbuilt.empty())
      return usage_error(fmt::format("{} is not built yet, so nothing was {}", unbuilt,
                                     std::string_view(argv[1]) == "why" ? "asked" : "run"),
                         command_of(app));
    if (argc > 1 && std::find(std::begin(commands_not_built), std::end(commands_not_built),
                              std::string_view(argv[1])) != std::end(commands_not_built))
      return usage_error(fmt::format("the command {} is not built yet", argv[1]), app.get_name());
    return usage_error(words_of(app, e, words), command_of(app));
  }
  take_marks_off(options.command);
  take_marks_off(question.context.command);
  for (const run_options* o : {&std::as_const(options), &std::as_const(question.context)})
    if (!o->extends.empty() && o->profile.empty())
      return usage_error("--extends has no profile to put a base under; name one with --profile",
                         command_of(app));
  for (run_options* o : {&options, &question.context}) warn_of_old_names(*o);
  // wrap has no flags for hosts, and would leave the network open that the variable closes.
  if (wrap_command->parsed() && !options.block_net && !options.allow_net)
    for (const std::string_view name : host_variables)
      if (const std::string read = variable_for(name); !value_of(read).empty())
        return usage_error(
            fmt::format(
                "the variable {} names hosts, which wrap cannot filter: use `nono run`, add --block-net or "
                "--allow-net, or unset it",
                read),
            command_of(app));
  options.silent = options.silent || silent;
  question.context.silent = silent;
  if (run_command->parsed()) return run(options);
  if (wrap_command->parsed()) return wrap(options);
  if (shell_command->parsed()) {
    options.command = {shell_of(shell)};
    return run(options);
  }
  if (setup_command->parsed()) return check_setup(setup_verbose);
  if (why_command->parsed()) {
    const std::string wrong = check(question);
    return wrong.empty() ? why(question) : usage_error(wrong, command_of(app));
  }
  if (profile_command->parsed()) {
    const std::string wrong = about_profiles.wrong();
    return wrong.empty() ? about_profiles.run() : usage_error(wrong, command_of(app));
  }
  if (credential_command->parsed()) {
    const std::string wrong = about_secrets.wrong();
    return wrong.empty() ? about_secrets.run() : usage_error(wrong, command_of(app));
  }
  if (completion_command->parsed()) {
    if (const std::string wrong = check_shell(completed_shell); !wrong.empty())
      return usage_error(wrong, command_of(app));
    flags.add_all();
    return print_completion(completed_shell, read_tree(app));
  }
  if (man_command->parsed()) {
    flags.add_all();
    return print(man_page(read_tree(app)));
  }
  return print(app.help());
}

}  // namespace nono::cli
