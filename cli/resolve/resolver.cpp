// SPDX-License-Identifier: Apache-2.0
// The one resolver: flags, profile and environment become a policy.
#include "cli/resolve/resolver.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/groups.hpp>
#include <nono/path.hpp>
#include <nono/resolve.hpp>

#include "cli/resolve/sentence.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/resolve/socket_flags.hpp"
#include "cli/resolve/toolchain.hpp"
#include "cli/resolve/writable_places.hpp"

extern char** environ;  // macOS declares it nowhere; Source: environ(7)

namespace nono::cli {

namespace {

/// The canonical form of a path that may not exist yet: links are followed as far as it does.
std::string canonical_or_below(const std::string& path) {
  std::string head = path;
  std::string rest;
  for (;;) {
    if (auto real = canonical_path(head)) return rest.empty() ? *real : (*real == "/" ? "" : *real) + rest;
    const auto slash = head.rfind('/');
    if (slash == std::string::npos) return path;
    rest.insert(0, head.substr(slash));
    head.erase(slash == 0 ? 1 : slash);
    if (head == "/" && rest.size() >= path.size()) return path;
  }
}

class resolver {
 public:
  resolver(const run_options& options, const host& here) : options_(options), here_(here) {}

  error run(std::string_view scratch, resolution& out) {
    out.warnings = options_.warnings;
    if (error why = choose_profile(out); why.code != errc::none) return why;
    if (error why = find_target(out); why.code != errc::none) return why;
    if (error why = protect_roots(out); why.code != errc::none) return why;
    add_groups(out);
    if (error why = add_runtimes(out); why.code != errc::none) return why;
    if (error why = add_profile(out); why.code != errc::none) return why;
    if (error why = add_flags(out); why.code != errc::none) return why;
    if (error why = choose_network(out); why.code != errc::none) return why;
    if (error why = choose_credentials(out); why.code != errc::none) return why;
    if (error why = add_system(out, scratch); why.code != errc::none) return why;
    if (error why = check_bypass(out); why.code != errc::none) return why;
    out.policy.strict(options_.strict);
    if (error why = choose_workdir(out); why.code != errc::none) return why;
    leave_out_what_is_led_astray(out);
    if (out.cwd != cwd_grant::ask) warn_of_writable_profiles(out);
    return {};
  }

 private:
  error choose_profile(resolution& out) {
    if (options_.profile.empty()) return {};
    auto chosen = cli::choose_profile(options_.profile, here_, options_.extends);
    if (!chosen) return std::move(chosen.error());
    out.chosen = *std::move(chosen);
    out.profile = &out.chosen->view;
    says_ = &out.chosen->says;
    for (const std::string& warning : says_->warnings) out.warnings.push_back(warning);
    return {};
  }

  error find_target(resolution& out) {
    out.workdir = options_.workdir.empty() ? here_.current : absolute(options_.workdir, here_.current);
    struct stat st{};
    if (::stat(out.workdir.c_str(), &st) != 0)
      return sentence(fmt::format("the working directory {} cannot be used: {}; name another with --workdir",
                                  in_quotes(out.workdir), std::strerror(errno)));
    if (!S_ISDIR(st.st_mode))
      return sentence(fmt::format("the working directory {} is not a directory; name another with --workdir",
                                  in_quotes(out.workdir)));
    if (options_.command.empty() && !options_.needs_command) return {};
    if (options_.command.empty())
      return sentence("no command given; write it after the options: nono run --allow-cwd -- COMMAND");
    auto found =
        find_program(options_.command.front(),
                     here_.has_path ? std::string_view(here_.path) : std::string_view(), out.workdir);
    if (auto* why = std::get_if<program_error>(&found)) return sentence(std::move(why->message));
    out.target = std::get<program>(std::move(found));
    return check_command(out.target.name);
  }

  /// The name of the command itself is checked, not what it starts: a seat belt for slips, no protection.
  [[nodiscard]] error check_command(std::string_view name) const {
    const auto has = [&](const auto& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (has(options_.allow_command)) return {};
    if (has(options_.block_command))
      return sentence(fmt::format("the command {} is blocked by --block-command; leave that out to run it",
                                  in_quotes(name)));
    if (has(says_->allowed_commands)) return {};
    if (has(says_->denied_commands))
      return sentence(fmt::format(
          "the command {} is blocked by 'commands.deny' of the profile {}; --allow-command {} runs it",
          in_quotes(name), in_quotes(options_.profile), name));
    const auto& without = says_->without_groups;
    const auto all = groups_without_rules();
    // Tools whose groups nono itself knows (npm, pip) are there to be run.
    if (runtime_of_command(name) || std::none_of(all.begin(), all.end(), [&](const group_without_rules& g) {
          return g.here() && has(g.commands) &&
                 std::find(without.begin(), without.end(), g.name) == without.end();
        }))
      return {};
    return sentence(
        fmt::format("the command {} is on the list of dangerous commands; --allow-command {} runs it",
                    in_quotes(name), name));
  }

  /// nono's own state and settings: what is inside could change or report on later runs.
  error protect_roots(resolution& out) const {
    for (const std::string& root :
         {here_.home + "/.nono", here_.own_directory("XDG_STATE_HOME", "/.local/state"),
          here_.own_directory("XDG_CONFIG_HOME", "/.config")}) {
      if (auto added =
              out.policy.add({root, no_rights, path_kind::deny, if_exists, origin::system, protected_root});
          !added)
        return added.error();
      out.protected_roots.push_back(root);
    }
    return {};
  }

  /// Group rules stand as they are, but for a temporary directory in which the home directory or nono's own
  /// state lies: it would open what the denies close, so it is left out. By name: a link is for bind to find.
  void add_groups(resolution& out) {
    std::vector<std::string> inside = out.protected_roots;
    inside.push_back(here_.home);
    inside.push_back(canonical_or_below(here_.home));
    const auto add = [&](const group& g) {
      if (!g.here()) return;
      for (const group_rule& entry : g.rules) {
        rule r = rule_of(g, entry);
        if (options_.dry_run && r.missing == when_missing::create_dir) r.missing = when_missing::if_exists;
        if (r.is_deny() && bypassed(r.path, out)) continue;
        const auto held = std::find_if(inside.begin(), inside.end(), [&](const std::string& path) {
          return !r.is_deny() && r.path.starts_with('/') && is_within(path, r.path);
        });
        if (held != inside.end()) {
          out.warnings.push_back(fmt::format("the grant of {} by the group {} is left out: {} lies inside it",
                                             in_quotes(r.path), g.name, in_quotes(*held)));
          continue;
        }
        (void)out.policy.add(r);  // group paths hold the lexical rules: checked when they were compiled
      }
    };
    for (const group* g : default_groups())
      if (out.chosen == nullptr || !out.chosen->leaves_out(g->name)) add(*g);
    if (out.profile != nullptr)
      for (const group* g : out.profile->groups) add(*g);
    if (out.profile == nullptr && options_.auto_groups)
      if (const auto which = runtime_of_command(out.target.name)) {
        for (const group* g : find_profile(profile_of(*which))->groups) add(*g);
        out.notes.push_back(
            fmt::format("the command {} brought the groups of {} along (--no-auto-groups leaves them out)",
                        in_quotes(out.target.name), profile_of(*which)));
      }
  }

  static std::string_view profile_of(runtime which) {
    switch (which) {
      case runtime::go:
        return "go-dev";
      case runtime::rust:
        return "rust-dev";
      case runtime::node:
        return "node-dev";
      case runtime::python:
        return "python-dev";
      case runtime::java:
        return "java-dev";
    }
    return {};
  }
  static std::string_view group_of(runtime which) {
    switch (which) {
      case runtime::go:
        return groups::go_runtime.name;
      case runtime::rust:
        return groups::rust_runtime.name;
      case runtime::node:
        return groups::node_runtime.name;
      case runtime::python:
        return groups::python_runtime.name;
      case runtime::java:
        return groups::java_runtime.name;
    }
    return {};
  }

  /// The user's own places of a tool chain, for the runtimes whose groups are in. A place that meets a denied
  /// path gives way: settings are not the user's word on this run.
  error add_runtimes(resolution& out) {
    for (const runtime which : {runtime::go, runtime::rust, runtime::node, runtime::python, runtime::java}) {
      const bool by_profile =
          out.profile != nullptr && std::any_of(out.profile->groups.begin(), out.profile->groups.end(),
                                                [&](const group* g) { return g->name == group_of(which); });
      const bool by_command =
          out.profile == nullptr && options_.auto_groups && runtime_of_command(out.target.name) == which;
      if (!by_profile && !by_command) continue;
      std::string path = here_.path;  // a command typed with its path: its own tool chain first
      if (by_command && options_.command.front().find('/') != std::string::npos)
        path = fmt::format("{}:{}", parent_of(out.target.path), path);
      const toolchain_paths found =
          settings_of(which, [&](std::string_view name) { return here_.variable(name); }, here_.home, path);
      const auto add = [&](const std::vector<std::string>& paths, right rights, path_kind kind,
                           when_missing missing) {
        for (const std::string& p : paths)
          if (auto added = out.policy.add({p, rights, kind, missing, origin::group, group_of(which), true});
              !added)
            out.warnings.push_back(added.error().message());
      };
      add(found.read, right::read, path_kind::any, if_exists);
      add(found.read_files, right::read_file | right::execute, path_kind::file, if_exists);
      add(found.read_write, right::read_write, path_kind::any, options_.dry_run ? if_exists : create_dir);
      if (which == runtime::go && filters_hosts())
        if (error why = keep_modules_apart(out, found); why.code != errc::none) return why;
      // What these download is kept by nono itself where there is a network to download from; what is there is not looked at.
      const bool closed = options_.block_net || says_->block_network;
      struct own_cache {
        runtime of;
        std::string_view below, variable, group;
      };
      constexpr own_cache caches[] = {
          {runtime::rust, "/cargo", "CARGO_HOME", groups::rust_runtime.name},
          {runtime::node, "/npm", "npm_config_cache", groups::node_runtime.name},
          {runtime::python, "/pip", "PIP_CACHE_DIR", groups::python_runtime.name},
          {runtime::java, "/gradle", "GRADLE_USER_HOME", groups::java_runtime.name}};
      for (const own_cache& c : caches) {
        std::string cache = own_cache_at(c.below);
        if (c.of != which || closed || !can_be_made(cache)) continue;
        if (error why = keep_apart(out, cache, c.group); why.code != errc::none) return why;
        out.variables.emplace_back(c.variable, std::move(cache));
      }
      for (const std::string& refused : found.refused) out.warnings.push_back(refused);
      if (which == runtime::java) {
        out.java = found.maven;
        if (!closed)
          if (error why = keep_repository_apart(out); why.code != errc::none) return why;
      }
    }
    return {};
  }

  /// True when the network is of named hosts.
  [[nodiscard]] bool filters_hosts() const {
    return !options_.block_net && !options_.allow_net && !says_->block_network &&
           cli::wants_hosts(options_, *says_);
  }

  [[nodiscard]] std::string own_cache_at(std::string_view below) const {
    return here_.own_directory("XDG_CACHE_HOME", "/.cache") + std::string(below);
  }
  /// False where the user may not write, as below a home that is not there: a cache is not worth a failure.
  static bool can_be_made(std::string path) {
    while (::access(path.c_str(), F_OK) != 0 && path != "/") path = parent_of(path);
    return ::access(path.c_str(), W_OK | X_OK) == 0;
  }

  /// Grants a cache of nono's own, so that a sandboxed run cannot change what later builds outside trust.
  error keep_apart(resolution& out, const std::string& cache, std::string_view group) const {
    if (auto added = out.policy.add({cache, right::read_write, path_kind::directory,
                                     options_.dry_run ? if_exists : create_dir, origin::group, group, true});
        !added)
      return std::move(added.error());
    return {};
  }

  /// The same for Maven, which is told of a place by an option alone. Its script splits options at blanks.
  error keep_repository_apart(resolution& out) const {
    const std::string cache = own_cache_at("/maven");
    if (cache.find_first_of(" \t\n*?[\\") != std::string::npos || !can_be_made(cache)) return {};
    if (error why = keep_apart(out, cache, groups::java_runtime.name); why.code != errc::none) return why;
    const std::string_view before = here_.variable("MAVEN_OPTS").value_or("");
    const std::string outside = here_.home.empty() ? std::string() : here_.home + "/.m2/repository";
    // A build finds what is outside, too, from Maven 3.9 on.
    std::string options = fmt::format("{}{}-Dmaven.repo.local={}", before, before.empty() ? "" : " ", cache);
    if (!outside.empty() && outside.find_first_of(" \t\n*?[\\,") == std::string::npos)
      options += " -Dmaven.repo.local.tail=" + outside;
    out.variables.emplace_back("MAVEN_OPTS", std::move(options));
    return {};
  }

  /// Modules that go downloads inside go to a cache of nono's own, and those outside serve as its first source.
  error keep_modules_apart(resolution& out, const toolchain_paths& found) const {
    const std::string cache = own_cache_at("/go");
    if (error why = keep_apart(out, cache, groups::go_runtime.name); why.code != errc::none) return why;
    // The first place of GOPATH is also where go keeps what it knows of the checksum database.
    out.variables.emplace_back("GOPATH", found.go_path.empty() ? cache : cache + ':' + found.go_path);
    out.variables.emplace_back("GOMODCACHE", cache + "/pkg/mod");
    const std::string outside = found.go_modules + "/cache/download";
    if (found.go_modules.empty() || found.go_proxy.empty() || !is_directory(outside)) return {};
    std::string url = "file://";
    for (const char c : outside) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         std::string_view("/-._~@").find(c) != std::string_view::npos;
      url += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    out.variables.emplace_back("GOPROXY", fmt::format("{},{}", url, found.go_proxy));
    return {};
  }

  /// What the profile says beyond groups and network.
  error add_profile(resolution& out) {
    if (out.chosen == nullptr) return {};
    std::string missing;
    // A path with its variables replaced; empty where one has no value: such a grant is skipped, a deny is not.
    const auto expanded = [&](const std::string& written, std::string& path) -> error {
      std::string unknown;
      auto text = with_variables(written, here_, out.workdir, unknown);
      if (!text) return std::move(text.error());
      path = unknown.empty() ? *std::move(text) : std::string();
      return {};
    };
    struct field {
      const std::vector<std::string>& paths;
      std::string_view name;
      std::string_view other;
      right rights;
      path_kind kind;
    };
    const field fields[] = {
        {says_->allow, "filesystem.allow", "filesystem.allow_file", right::read_write, path_kind::directory},
        {says_->read, "filesystem.read", "filesystem.read_file", right::read, path_kind::any},
        {says_->write, "filesystem.write", "filesystem.write_file", right::write, path_kind::directory},
        {says_->allow_file, "filesystem.allow_file", "filesystem.allow", right::read_write, path_kind::file},
        {says_->read_file, "filesystem.read_file", "filesystem.read", right::read, path_kind::file},
        {says_->write_file, "filesystem.write_file", "filesystem.write", right::write, path_kind::file},
    };
    const auto add_each = [&](const std::vector<std::string>& paths, std::string_view name,
                              auto&& add) -> error {
      for (const std::string& written : paths) {
        std::string path;
        if (error why = expanded(written, path); why.code != errc::none) return why;
        if (path.empty()) {
          skip(name, written, missing);
        } else if (error why = add(path); why.code != errc::none) {
          return why;
        }
      }
      return {};
    };
    for (const field& f : fields) {
      const auto add = [&](const std::string& path) {
        return add_flag(out, {f.name, f.other, f.other, origin::profile, out.profile->name}, path, f.rights,
                        f.kind, missing);
      };
      if (error why = add_each(f.paths, f.name, add); why.code != errc::none) return why;
    }
    using extent = socket_flag::extent;
    const std::pair<const std::vector<std::string>&, socket_flag> sockets[] = {
        {says_->unix_socket, {"filesystem.unix_socket", extent::one, false}},
        {says_->unix_socket_bind, {"filesystem.unix_socket_bind", extent::one, true}},
        {says_->unix_socket_dir, {"filesystem.unix_socket_dir", extent::directory, false}},
        {says_->unix_socket_dir_bind, {"filesystem.unix_socket_dir_bind", extent::directory, true}},
        {says_->unix_socket_subtree, {"filesystem.unix_socket_subtree", extent::subtree, false}},
        {says_->unix_socket_subtree_bind, {"filesystem.unix_socket_subtree_bind", extent::subtree, true}},
    };
    for (const auto& entry : sockets) {
      const socket_flag& f = entry.second;
      const auto add = [&](const std::string& path) {
        return add_socket_flag(out, f, path, missing, origin::profile);
      };
      if (error why = add_each(entry.first, f.name, add); why.code != errc::none) return why;
    }
    for (const std::string& written : says_->deny) {
      std::string path;
      if (error why = expanded(written, path); why.code != errc::none) return why;
      if (path.empty())
        return sentence(fmt::format(
            "filesystem.deny {} of the profile {} has a variable without a value, so nothing would "
            "be denied; set it, or write the path",
            in_quotes(written), out.profile->name));
      const std::string whole = absolute(path, here_.current);
      if (auto added = out.policy.add(
              {whole, no_rights, path_kind::deny, if_exists, origin::profile, out.profile->name});
          !added)
        return added.error();
    }
    for (const auto& [name, written] : says_->set_vars) {
      std::string unknown;
      auto value = with_variables(written, here_, out.workdir, unknown);
      if (!value) return std::move(value.error());
      out.variables.emplace_back(name, *std::move(value));
    }
    out.inherited = {says_->allow_vars, says_->deny_vars};
    for (const auto* patterns : {&says_->deny_vars, says_->allow_vars ? &*says_->allow_vars : nullptr})
      if (patterns != nullptr)
        for (const std::string& p : *patterns)
          if (p.find('*') < p.size() - 1)
            out.warnings.push_back(
                fmt::format("the pattern {} of the profile {} has a * before its end, where it stands for "
                            "itself",
                            in_quotes(p), out.profile->name));
    if (!missing.empty())
      out.notes.push_back(
          fmt::format("grants of the profile {} were skipped because the path does not exist: {}",
                      out.profile->name, missing));
    return {};
  }

  error add_flags(resolution& out) {
    struct flag {
      const std::vector<std::string>& paths;
      std::string_view name;
      std::string_view other;
      right rights;
      path_kind kind;
    };
    const flag flags[] = {
        {options_.allow, "--allow", "--allow-file", right::read_write, path_kind::directory},
        {options_.read, "--read", "--read-file", right::read, path_kind::directory},
        {options_.write, "--write", "--write-file", right::write, path_kind::directory},
        {options_.allow_file, "--allow-file", "--allow", right::read_write, path_kind::file},
        {options_.read_file, "--read-file", "--read", right::read, path_kind::file},
        {options_.write_file, "--write-file", "--write", right::write, path_kind::file},
    };
    std::string missing;
    for (const flag& f : flags)
      for (const std::string& given : f.paths)
        if (error why = add_flag(out, {f.name, f.other, f.other, origin::user, f.name}, given, f.rights,
                                 f.kind, missing);
            why.code != errc::none)
          return why;
    using extent = socket_flag::extent;
    const std::pair<const std::vector<std::string>&, socket_flag> socket_flags[] = {
        {options_.unix_socket, {"--allow-unix-socket", extent::one, false}},
        {options_.unix_socket_bind, {"--allow-unix-socket-bind", extent::one, true}},
        {options_.unix_socket_dir, {"--allow-unix-socket-dir", extent::directory, false}},
        {options_.unix_socket_dir_bind, {"--allow-unix-socket-dir-bind", extent::directory, true}},
        {options_.unix_socket_subtree, {"--allow-unix-socket-subtree", extent::subtree, false}},
        {options_.unix_socket_subtree_bind, {"--allow-unix-socket-subtree-bind", extent::subtree, true}},
    };
    for (const auto& [paths, f] : socket_flags)
      for (const std::string& given : paths)
        if (error why = add_socket_flag(out, f, given, missing); why.code != errc::none) return why;
    if (!missing.empty())
      out.warnings.push_back("some requested sandbox grants were skipped because the path does not exist: " +
                             missing);
    return {};
  }

  /// What a flag names, absolute, and what is there; found stays empty where nothing is.
  [[nodiscard]] error look_up(std::string_view flag, const std::string& given, std::string& path,
                              std::optional<struct stat>& found) const {
    if (given.empty()) return sentence(fmt::format("{} needs a path, and got an empty one", flag));
    path = absolute(given, here_.current);
    if (check_path(path) == errc::variable_misplaced)
      return sentence(fmt::format(
          "{}: in {} a variable stands after the start, where no rule can have one; let the shell "
          "replace it, or grant the directory above",
          flag, in_quotes(path)));
    if (const errc why = check_path(path); why != errc::none || path.starts_with('$'))
      return error{why, 0, std::string(flag), path, {}};
    struct stat st{};
    if (::stat(path.c_str(), &st) == 0) {
      found = st;
    } else if (errno == EACCES || errno == ELOOP || errno == ENAMETOOLONG) {
      return sentence(
          fmt::format("{} {} cannot be used: {}; {}", flag, in_quotes(given), std::strerror(errno),
                      errno == EACCES ? "ask for access to the directories above it" : "name another path"));
    }
    return {};
  }
  static void skip(std::string_view flag, const std::string& given, std::string& missing) {
    missing += fmt::format("{}{} {}", missing.empty() ? "" : ", ", flag, in_quotes(given));
  }

  /// Where a grant is written: what a user would change, and how.
  struct place_of_grant {
    std::string_view flag;
    std::string_view for_file;       ///< the same for a single file
    std::string_view for_directory;  ///< and for a directory
    origin from = origin::user;
    std::string_view source;  ///< what the rule names
  };

  error add_flag(resolution& out, const place_of_grant& where, const std::string& given, right rights,
                 path_kind kind, std::string& missing) const {
    const std::string_view flag = where.flag;
    std::string path;
    std::optional<struct stat> found;
    if (error why = look_up(flag, given, path, found); why.code != errc::none) return why;
    if (!found) return skip(flag, given, missing), error{};
    if (kind == path_kind::directory && !S_ISDIR(found->st_mode))
      return sentence(fmt::format("{} {} is not a directory; use {} for a single file", flag,
                                  in_quotes(given), where.for_file));
    if (kind == path_kind::file && S_ISDIR(found->st_mode))
      return sentence(fmt::format("{} {} is a directory; use {} for a directory and all below it", flag,
                                  in_quotes(given), where.for_directory));
    if (auto added = out.policy.add({path, rights, kind, if_exists, where.from, where.source}); !added)
      return added.error();
    return {};
  }

  error add_socket_flag(resolution& out, const socket_flag& flag, const std::string& given,
                        std::string& missing, origin from = origin::user) const {
    std::string path;
    std::optional<struct stat> found;
    if (error why = look_up(flag.name, given, path, found); why.code != errc::none) return why;
    const socket_grants got = grants_of(flag, given, path, found ? &*found : nullptr);
    if (!got.refused.empty()) return sentence(got.refused);
    if (got.missing) skip(flag.name, given, missing);
    for (const socket_grants::grant& g : got.grants)
      if (auto added =
              out.policy.add({g.path, g.rights, g.kind, if_exists, from,
                              from == origin::user ? std::string_view(g.source) : out.profile->name});
          !added)
        return added.error();
    if (!got.warning.empty()) out.warnings.push_back(got.warning);
    if (!got.note.empty()) out.notes.push_back(got.note);
    return {};
  }

  /// Ports that are opened beside what the network else is, by flag or profile.
  struct opened_ports {
    std::vector<port_rule> rules;
    bool connects = false;            ///< some by --allow-connect-port
    std::vector<std::uint16_t> open;  ///< by --open-port, and by it alone: meant for localhost
  };
  [[nodiscard]] opened_ports ports() const {
    opened_ports out;
    const auto add = [&](port_use use, unsigned port) {
      const port_rule one{use, static_cast<std::uint16_t>(port)};
      if (std::find(out.rules.begin(), out.rules.end(), one) == out.rules.end()) out.rules.push_back(one);
    };
    const auto each = [](const std::vector<std::string>& said, const std::vector<std::uint16_t>& given,
                         auto&& f) {
      for (const std::string& port : said) f(static_cast<unsigned>(std::stoi(port)));
      for (const std::uint16_t port : given) f(port);
    };
    each(says_->connect_ports, options_.connect_port, [&](unsigned port) {
      add(port_use::connect_tcp, port);
      out.connects = true;
    });
    each(says_->listen_ports, options_.listen_port, [&](unsigned port) { add(port_use::bind_tcp, port); });
    each(says_->open_ports, options_.open_port, [&](unsigned port) {
      const auto before = out.rules.size();
      add(port_use::connect_tcp, port);
      if (out.rules.size() != before) out.open.push_back(static_cast<std::uint16_t>(port));
      add(port_use::bind_tcp, port);
    });
    return out;
  }
  static error open_all(resolution& out, const opened_ports& ports) {
    for (const port_rule& port : ports.rules)
      if (auto opened = out.policy.allow_port(port); !opened) return std::move(opened.error());
    out.open_ports = ports.open;
    return {};
  }

  error choose_network(resolution& out) {
    const bool hosts_by_profile = cli::wants_hosts({}, *says_);
    const bool hosts_by_flag = cli::wants_hosts(options_, {});
    const std::string_view name = out.profile != nullptr ? out.profile->name : std::string_view();
    if (says_->block_network && hosts_by_profile)
      return sentence(
          fmt::format("network.block and the hosts or credentials of the profile {} are contradictory; leave "
                      "one of them out",
                      name));
    if ((options_.block_net || says_->block_network) && hosts_by_flag)
      return sentence(
          fmt::format("{} and hosts or credentials of a flag are contradictory; leave one of them out",
                      options_.block_net ? std::string("--block-net")
                                         : fmt::format("network.block of the profile {}", name)));
    const opened_ports beside = ports();
    const bool filtered = filters_hosts();
    if (options_.proxy_port != 0 && !filtered)
      return sentence(
          "--proxy-port has no proxy to speak of; name hosts with --network-profile or --allow-domain, or a "
          "--credential");
    if (options_.sandbox_policy != "auto" && !filtered)
      return sentence(
          "--sandbox-policy says how hosts are filtered, and there are none; name them with "
          "--network-profile or --allow-domain");
    if (options_.allow_net) {
      out.policy.network(unrestricted);
    } else if (options_.block_net || says_->block_network) {
      if (beside.connects)
        return sentence("a blocked network and ports to connect to are contradictory; leave one of them out");
      if (beside.rules.empty())
        out.policy.network(blocked);
      else if (error why = open_all(out, beside); why.code != errc::none)
        return why;
      if (options_.block_net && hosts_by_profile)
        out.notes.push_back(fmt::format("--block-net wins over the hosts of the profile {}", name));
    } else if (filtered) {
      if (error why = filter_hosts(out, name, beside); why.code != errc::none) return why;
    } else if (beside.connects) {
      if (error why = open_all(out, beside); why.code != errc::none) return why;
    } else if (!beside.rules.empty()) {
      out.notes.emplace_back("the network is open, so no port has to be opened");
    }
    if (says_->signal_mode == "allow_all") out.policy.lift(protection::signals);
    if (this_platform != platform::macos_only && !says_->platform_rules.empty())
      out.notes.push_back(fmt::format(
          "unsafe_macos_seatbelt_rules of the profile {} are for macOS; nothing here follows them", name));
    if (out.profile != nullptr && out.profile->full_ipc) {
      out.policy.lift(protection::ipc);
      out.policy.lift(protection::abstract_unix);
      // POSIX semaphores and shared memory are files there; multiprocessing needs them.
      (void)out.policy.add({"/dev/shm", right::read_write, path_kind::directory, if_exists, origin::profile,
                            out.profile->name, true});
    }
    return {};
  }
  error choose_credentials(resolution& out) {
    const std::string_view name = out.profile != nullptr ? out.profile->name : std::string_view();
    // Also where the network has no hosts, and so no use for a key: its place is outside all the same.
    auto routes = out.hosts ? result<std::vector<credential_route>>(out.hosts->routes)
                            : routes_of(options_, *says_, name, here_, out.workdir);
    if (!routes) return std::move(routes.error());
    out.inherited.strip_keys = options_.strip_secrets || !routes->empty();
    withhold_keys(*routes, here_, out);
    auto wanted = env_credentials_of(options_, *says_, name);
    if (!wanted) return std::move(wanted.error());
    out.env_credentials = *std::move(wanted);
    return {};
  }

  error filter_hosts(resolution& out, std::string_view name, const opened_ports& beside) {
    if (options_.no_child)
      return sentence(
          fmt::format("the profile {} asks for hosts, which wrap cannot filter: use `nono run`, or add "
                      "--block-net",
                      name));
    const writable_places inside(out.policy, out.workdir, here_.home);
    auto filter = filter_of(options_, *says_, name, here_, out.workdir, inside, out.notes, out.warnings);
    if (!filter) return std::move(filter.error());
    out.hosts = *std::move(filter);
    std::vector<std::string_view> names;
    for (const allowed_host& h : out.hosts->hosts) names.emplace_back(h.name);
    if (auto set = out.policy.network(std::span<const std::string_view>(names)); !set)
      return std::move(set.error());
    if (options_.sandbox_policy == "namespace" && !beside.rules.empty())
      return sentence(
          "--sandbox-policy namespace gives a network of the command's own, in which no port of this "
          "system can be opened; leave it or the ports out");
    return open_all(out, beside);
  }

  error add_system(resolution& out, std::string_view scratch) {
    const auto add = [&](std::string_view path, right rights, path_kind kind, origin from) -> error {
      if (check_path(path) != errc::none) return {};
      auto added = out.policy.add({path, rights, kind, if_exists, from, {}, true});
      return added ? error{} : added.error();
    };
    if (!scratch.empty()) {
      if (error why = add(scratch, right::read_write, path_kind::directory, origin::system);
          why.code != errc::none)
        return why;
      out.variables.emplace_back("TMPDIR", scratch);
    }
    // The child's own terminal, and where it can get new ones; never the user's other terminals.
    bool terminal = false;
    for (int fd = 0; fd < 3; ++fd) {
      char name[64];
      if (::isatty(fd) == 1 && ::ttyname_r(fd, name, sizeof name) == 0) {
        terminal = true;
        if (error why = add(name, right::read_write, path_kind::file, origin::system); why.code != errc::none)
          return why;
      } else if (error why = add_redirected(out, fd); why.code != errc::none) {
        return why;
      }
    }
    if (terminal)
      if (error why = add("/dev/ptmx", right::read_write, path_kind::file, origin::system);
          why.code != errc::none)
        return why;
    for (const std::string& file : out.target.files)
      if (error why = add(file, right::read_file | right::execute, path_kind::file, origin::command);
          why.code != errc::none)
        return why;
    return {};
  }

  /// A file that stands behind a standard descriptor can be opened again as /dev/stdin or /dev/stdout: with the
  /// access that the descriptor has, and no more.
  error add_redirected(resolution& out, int fd) {
    struct stat st{};
    if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink == 0) return {};
    const int mode = ::fcntl(fd, F_GETFL);
    if (mode < 0) return {};
    right rights = no_rights;
    if ((mode & O_ACCMODE) != O_WRONLY) rights |= right::read_file;
    if ((mode & O_ACCMODE) != O_RDONLY) rights |= right::write_file;
    if ((mode & O_ACCMODE) != O_RDONLY && (mode & O_APPEND) == 0) rights |= right::truncate;
    path_buffer buffer{};
    const std::string_view real = nono::detail::name_of_descriptor(fd, buffer);
    if (!real.starts_with('/') || check_path(real) != errc::none) return {};
    auto added = out.policy.add({real, rights, path_kind::file, if_exists, origin::system, {}, true});
    return added ? error{} : added.error();
  }

  /// A denied path that is granted on purpose: its own deny and those below it are lifted, broader ones not.
  bool bypassed(std::string_view denied, resolution& out) {
    std::string path(denied);
    if (leading_variable(path) == "$HOME") path = here_.home + std::string(after_variable(path));
    for (const std::string& given : options_.bypass_protection)
      if (is_within(path, absolute(expand_home(given), here_.current))) return relaxed(path, out);
    for (const std::string& given : says_->bypass_protection) {
      std::string unknown;
      const auto expanded = with_variables(given, here_, out.workdir, unknown);
      if (expanded && unknown.empty() && is_within(path, absolute(*expanded, here_.current)))
        return relaxed(path, out);
    }
    return false;
  }
  static bool relaxed(const std::string& path, resolution& out) {
    out.notes.push_back("bypass_protection relaxing deny rule " + in_quotes(path));
    return true;
  }
  [[nodiscard]] std::string expand_home(const std::string& path) const {
    return path == "~" || path.starts_with("~/") ? here_.home + path.substr(1) : path;
  }

  error check_bypass(resolution& out) {
    const auto granted = [&](const std::string& path) {
      const auto rules = out.policy.ref().rules;
      return covered(out, path, no_rights) || std::any_of(rules.begin(), rules.end(), [&](const rule& r) {
               return !r.is_deny() && (r.from == origin::user || r.from == origin::profile) &&
                      is_within(r.path, path);
             });
    };
    for (const std::string& given : options_.bypass_protection)
      if (!granted(absolute(expand_home(given), here_.current)))
        return sentence(
            fmt::format("--bypass-protection {} has no matching grant; add --read, --write or --allow for it",
                        in_quotes(given)));
    for (const std::string& given : says_->bypass_protection) {
      std::string unknown;
      const auto expanded = with_variables(given, here_, out.workdir, unknown);
      if (!expanded) return expanded.error();
      const std::string path = absolute(*expanded, here_.current);
      if (!unknown.empty() || ::access(path.c_str(), F_OK) != 0) {
        out.warnings.push_back(
            fmt::format("filesystem.bypass_protection {} of the profile {} is skipped: there is no such path",
                        in_quotes(given), out.profile->name));
      } else if (!granted(path)) {
        return sentence(
            fmt::format("filesystem.bypass_protection {} of the profile {} has no matching grant; add it to "
                        "filesystem.read, .write or .allow",
                        in_quotes(given), out.profile->name));
      }
    }
    return {};
  }

  /// Section 5 of the specification: who wants the working directory, and with which level.
  error choose_workdir(resolution& out) {
    const right wanted = out.profile != nullptr && out.profile->workdir != no_rights ? out.profile->workdir
                         : options_.allow_cwd                                        ? right::read_write
                                                                                     : no_rights;
    if (wanted == no_rights || covered(out, out.workdir, wanted)) return {};
    out.cwd_rights = wanted;
    if (!options_.allow_cwd) {
      out.cwd = cwd_grant::ask;
      return {};
    }
    out.cwd = cwd_grant::granted;
    auto granted = grant_workdir(out);
    return granted ? error{} : granted.error();
  }

  /// Groups and the settings of tools name places, and a link that the command put into one of its own would make them stand
  /// for another: with VIRTUAL_ENV=$PWD/.venv and .venv -> ~/Documents the next run would read those.
  void leave_out_what_is_led_astray(resolution& out) const {
    const writable_places inside(out.policy, out.workdir, here_.home);
    out.policy.remove_if([&](const rule& r) {
      if (r.is_deny() || r.from != origin::group) return false;
      const std::string path = at_home(r.path, here_.home);
      const std::string link = path.starts_with('/') ? inside.way_out(path) : std::string();
      if (link.empty()) return false;
      out.warnings.push_back(
          fmt::format("the grant of {} by the group {} is left out: the link {} lies where a sandboxed "
                      "command may have put "
                      "it, and leads to {}; grant that by --read or --allow if it is meant",
                      in_quotes(path), r.source, in_quotes(link), in_quotes(walk(path).end)));
      return true;
    });
  }

  const run_options& options_;
  const host& here_;
  const nono::profile nothing_said_;
  const nono::profile* says_ = &nothing_said_;
};

/// The home directory of a user in /etc/passwd; empty if it is not there. Read here, because the resolver of libc
/// would load libraries into a static program. Source: passwd(5)
std::string home_of(unsigned uid) {
  std::string home;
  for_each_part(settings_text("/etc/passwd"), '\n', [&](std::string_view line) {
    std::string_view fields[7];
    std::size_t n = 0;
    for (std::size_t start = 0; n < 7; ++n) {
      const auto end = std::min(line.find(':', start), line.size());
      fields[n] = line.substr(start, end - start);
      start = std::min(end + 1, line.size());
    }
    if (home.empty() && fields[2] == fmt::to_string(uid)) home = fields[5];
  });
  return home;
}

}  // namespace

std::optional<std::string_view> host::variable(std::string_view name) const {
  for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.size() > name.size() && text[name.size()] == '=' && text.starts_with(name)) {
      const std::string_view value = text.substr(name.size() + 1);
      return value.empty() ? std::nullopt : std::optional(value);
    }
  }
  return std::nullopt;
}

std::string host::own_directory(std::string_view xdg, std::string_view below) const {
  const auto value = variable(xdg);
  return fmt::format("{}/nono",
                     value && value->starts_with('/') ? std::string(*value) : home + std::string(below));
}

result<host> this_host(const char* const* environment) {
  host out;
  out.environment = environment;
  if (const auto home = out.variable("HOME")) {
    out.home = without_trailing_slash(*home);
  } else {
    out.home = home_of(::geteuid());
  }
  if (out.home.empty() || check_path(out.home) != errc::none || !out.home.starts_with('/'))
    return sentence(
        fmt::format("HOME is {}, which is no absolute path without '..'; set it, because the protected paths "
                    "depend on it",
                    in_quotes(out.home)));
  char buffer[max_path + 1];
  if (::getcwd(buffer, sizeof buffer) == nullptr)
    return sentence(fmt::format("the current directory cannot be used: {}; change to one that exists",
                                std::strerror(errno)));
  out.current = buffer;
  if (const auto pwd = out.variable("PWD"); pwd && pwd->starts_with('/') && check_path(*pwd) == errc::none)
    if (canonical_path(std::string(*pwd)) == out.current) out.current = *pwd;
  const auto path = out.variable("PATH");
  out.has_path = path.has_value();
  if (path) out.path = *path;
  return out;
}

result<host> this_host() { return this_host(environ); }

bool covered(const resolution& r, std::string_view path, right rights) {
  const std::string real = canonical_or_below(std::string(path));
  for (const rule& granted : r.policy.ref().rules) {
    if (granted.is_deny() || (granted.from != origin::user && granted.from != origin::profile)) continue;
    if (!contains(granted.rights, rights)) continue;
    if (is_within(path, granted.path) || is_within(real, canonical_or_below(std::string(granted.path))))
      return true;
  }
  return false;
}

void warn_of_writable_profiles(resolution& r) {
  if (r.chosen == nullptr) return;
  for (const std::string& file : r.chosen->files)
    if (covered(r, file, right::write_file))
      r.warnings.push_back(
          fmt::format("the profile file {} lies inside a grant that writes, so the command could change what "
                      "the next run grants; keep it elsewhere",
                      in_quotes(file)));
}

result<success> grant_workdir(resolution& r) {
  return r.policy.add(
      {r.workdir, r.cwd_rights, path_kind::directory, must_exist, origin::user, "--allow-cwd"});
}

result<resolution> resolve(const run_options& options, const host& here, std::string_view scratch) {
  resolution out;
  if (error why = resolver(options, here).run(scratch, out); why.code != errc::none) return why;
  return out;
}

}  // namespace nono::cli
