// SPDX-License-Identifier: Apache-2.0
// The settings of the go, rust, node, python and java tool chains.
#include "cli/resolve/toolchain.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "cli/resolve/program.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/resolve/xml_text.hpp"

namespace nono::cli {
namespace {

using string_map = std::map<std::string, std::string, std::less<>>;

/// The format of `go env -w`: NAME=VALUE as it stands, no quotes; the last of a name counts.
string_map parse_go_env(std::string_view text) {
  string_map values;
  for_each_part(text, '\n', [&values](std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || line[0] < 'A' || line[0] > 'Z') return;
    values.insert_or_assign(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
  });
  return values;
}

struct setting {
  std::string label, value;
};

/// Go's order: environment, then the go/env file, then the default.
class go_environment {
 public:
  explicit go_environment(setting_paths& paths) : paths_(paths) {
    file_ = paths.variable("GOENV").value_or("");
    if (file_.empty()) {
      file_ = paths.xdg_directory("XDG_CONFIG_HOME", ".config");
      if (!file_.empty()) file_ += "/go/env";
    }
    if (file_ != "off" && file_ != "/dev/null" && paths.read_file("GOENV", file_))
      from_file_ = parse_go_env(settings_text(file_));
  }

  setting operator()(const char* name, const std::string& fallback) const {
    if (auto value = paths_.variable(name)) return {name, *std::move(value)};
    const auto found = from_file_.find(name);
    if (found == from_file_.end() || found->second.empty()) return {name, fallback};
    return {std::string(name) + " (in " + in_quotes(file_) + ")", found->second};
  }

 private:
  setting_paths& paths_;
  std::string file_;
  string_map from_file_;
};

void go_root(setting_paths& paths, const setting& named) {
  paths.read(named.label, named.value);
  const std::string root = paths.real_prefix("go");
  if (root.empty() || !(is_directory(root + "/src") || is_directory(root + "/pkg"))) return;
  paths.read("GOROOT (of the go on PATH)", root);
  // Debian: /usr/lib/go-1.x/src is a link to /usr/share/go-1.x/src, and others in it likewise.
  const std::string sources = canonical_path(root + "/src").value_or("");
  if (sources.starts_with("/usr/") && sources.ends_with("/src") && !covers(root, sources))
    paths.read("GOROOT (sources)", parent_of(sources));
  paths.read_links_out_of(root, {"", "/pkg"});
}

void go_settings(setting_paths& paths) {
  const go_environment go_env(paths);
  go_root(paths, go_env("GOROOT", ""));

  const setting gopath = go_env("GOPATH", paths.in_home("go"));
  paths.result.go_path = gopath.value;
  std::string first;
  for_each_part(gopath.value, ':', [&](std::string_view entry) {
    if (first.empty()) first = entry;
    paths.read(gopath.label, entry);
  });
  // Below a refused entry too: with GOPATH=$HOME the module cache itself is harmless.
  const std::string below_first = first.empty() ? first : first + "/pkg/mod";
  const setting modules = go_env("GOMODCACHE", paths.may_grant(below_first) ? below_first : "");
  if (paths.read(modules.label, modules.value)) paths.result.go_modules = modules.value;
  std::string proxy = go_env("GOPROXY", "").value;
  if (proxy.empty()) {  // the default stands in a file of the tool chain
    std::string root = go_env("GOROOT", "").value;
    if (root.empty()) root = prefix_of(canonical_path(paths.tool("go")).value_or(""));
    const auto settings = parse_go_env(settings_text(root.empty() ? "/usr/lib/go/go.env" : root + "/go.env"));
    if (const auto found = settings.find("GOPROXY"); found != settings.end()) proxy = found->second;
  }
  paths.result.go_proxy = proxy;

  setting cache = go_env("GOCACHE", "");
  if (cache.value.empty()) {
    cache.value = paths.xdg_directory("XDG_CACHE_HOME", ".cache");
    if (!cache.value.empty()) cache.value += "/go-build";
  }
  if (cache.value != "off") paths.add(paths.result.read_write, cache.label, cache.value);

  const setting temporary = go_env("GOTMPDIR", "");
  // Go does not create it, and neither do we.
  if (!temporary.value.starts_with('/') || is_directory(temporary.value))
    paths.add(paths.result.read_write, temporary.label, temporary.value);
}

void rust_settings(setting_paths& paths) {
  const std::string cargo = paths.variable("CARGO_HOME").value_or(paths.in_home(".cargo"));
  // Not the directory itself: it also holds credentials.toml.
  if (paths.check("CARGO_HOME", cargo)) {
    for (const char* part : {"/bin", "/registry", "/git"}) paths.read("CARGO_HOME", cargo + part);
    for (const char* part : {"/env", "/config.toml", "/config"}) paths.read_file("CARGO_HOME", cargo + part);
  }
  paths.read("RUSTUP_HOME", paths.variable("RUSTUP_HOME").value_or(paths.in_home(".rustup")));
  const std::string prefix = paths.real_prefix("rustc");
  if (prefix.empty() || !is_directory(prefix + "/lib/rustlib")) return;
  paths.read("the rustc on PATH", prefix + "/bin");
  paths.read("the rustc on PATH", prefix + "/lib");
}

void node_settings(setting_paths& paths) {
  for (const char* name : {"npm_config_cache", "NPM_CONFIG_CACHE"})
    paths.read(name, paths.variable(name).value_or(""));
  const std::string prefix = paths.real_prefix("node");
  if (prefix.empty()) return;
  paths.read("the node on PATH", prefix + "/bin");
  paths.read("the node on PATH", prefix + "/lib/node_modules");
}

/// Not the prefix itself: it may be a project's or the user's directory.
void read_python_prefix(setting_paths& paths, const std::string& prefix) {
  if (prefix.empty()) return;
  for (const char* part : {"/bin", "/lib", "/lib64"})
    if (is_directory(prefix + part)) paths.read("the python on PATH", prefix + part);
}

/// `home =` in pyvenv.cfg names the bin directory of the python that a virtual environment is based on. The
/// file may lie where a sandboxed program could write, so it must name a directory that really holds a
/// python.
void read_virtual_environment(setting_paths& paths, const std::string& directory) {
  const std::string file = directory + "/pyvenv.cfg";
  const std::string text = settings_text(file);
  if (text.empty()) return;
  paths.read_file("pyvenv.cfg", file);
  for_each_part(text, '\n', [&](std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || trimmed(line.substr(0, equals)) != "home") return;
    const std::string base(trimmed(line.substr(equals + 1)));
    const bool system = covers("/usr", base) || base == "/bin";
    if (system || !paths.check("home (in " + in_quotes(file) + ")", base)) return;
    for (const char* name : {"/python3", "/python"}) {
      if (!canonical_path(base + name)) continue;
      read_python_prefix(paths, prefix_of(base + name));
      break;
    }
  });
}

void python_settings(setting_paths& paths) {
  const std::string active = paths.variable("VIRTUAL_ENV").value_or("");
  if (paths.read("VIRTUAL_ENV", active)) read_virtual_environment(paths, active);
  for_each_part(paths.variable("PIP_FIND_LINKS").value_or(""), ' ', [&](std::string_view place) {
    if (place.starts_with('/')) paths.read("PIP_FIND_LINKS", place);  // else a URL
  });
  std::string found = paths.tool("python3");
  if (found.empty()) found = paths.tool("python");
  if (found.empty()) return;
  const std::string directory = parent_of(found);
  const std::string root = parent_of(directory);
  // pyenv: scripts in shims/ choose among versions/.
  if (directory.ends_with("/shims") && is_directory(root + "/versions"))
    paths.read("the python on PATH", root);
  const std::string prefix = prefix_of(found);
  if (!prefix.empty()) read_virtual_environment(paths, prefix);
  read_python_prefix(paths, prefix);
  read_python_prefix(paths, prefix_of(canonical_path(found).value_or("")));
}

/// `<localRepository>` of Maven's settings when it is a plain path, possibly below ${user.home}; else empty.
std::string local_repository(const std::string& file, const std::string& home) {
  std::optional<std::string> value;
  for_each_element(without_comments(settings_text(file)), "localRepository", [&](std::string_view first) {
    if (!value) value = first;
  });
  if (!value) return {};
  constexpr std::string_view user_home = "${user.home}";
  if (value->starts_with(user_home)) value->replace(0, user_home.size(), home);
  return value->find_first_of("$&<") == std::string::npos ? *value : std::string();
}

/// A whole installation below a directory of its own, recognised by a directory that it must have.
/// Where it is; empty when it is not known or may not be granted.
std::string read_installation(setting_paths& paths, std::string_view tool, const char* mark) {
  std::string root = paths.real_prefix(tool);
  if (root.empty() || !is_directory(root + mark)) return {};
  if (!paths.read("the " + std::string(tool) + " on PATH", root)) return {};
  paths.read_links_out_of(root, {"", "/bin", "/conf"});
  return root;
}

void read_java_home(setting_paths& paths, std::string_view label, std::string home) {
  // Java 8: <home>/jre/bin/java.
  if (home.ends_with("/jre")) home = parent_of(home);
  if (!paths.read(label, home)) return;
  paths.read_links_out_of(
      canonical_path(home).value_or(home),
      {"/conf", "/conf/security", "/conf/security/policy/limited", "/conf/security/policy/unlimited", "/lib",
       "/lib/security", "/jre/lib", "/jre/lib/security", "/jre/lib/security/policy/unlimited"});
}

void java_settings(setting_paths& paths) {
  read_java_home(paths, "JAVA_HOME", paths.variable("JAVA_HOME").value_or(""));
  read_java_home(paths, "the java on PATH", paths.real_prefix("java"));
  const std::string gradle = paths.variable("GRADLE_USER_HOME").value_or(paths.in_home(".gradle"));
  // Not the directory itself: its gradle.properties may hold passwords.
  if (paths.check("GRADLE_USER_HOME", gradle)) {
    paths.read("GRADLE_USER_HOME", gradle + "/caches");
    paths.read("GRADLE_USER_HOME", gradle + "/wrapper");
  }
  const std::string settings = paths.in_home(".m2/settings.xml");
  if (!settings.empty())
    paths.read("localRepository (in " + in_quotes(settings) + ")",
               local_repository(settings, parent_of(parent_of(settings))));
  paths.read("Maven's repository", paths.in_home(".m2/repository"));
  paths.result.maven = read_installation(paths, "mvn", "/boot");
  (void)read_installation(paths, "gradle", "/lib");
}

bool is_versioned(std::string_view name, std::string_view tool) {
  if (!name.starts_with(tool) || name.size() == tool.size()) return false;
  return name.find_first_not_of("0123456789", tool.size()) == std::string_view::npos;
}

}  // namespace

std::optional<runtime> runtime_of_command(std::string_view basename) {
  struct entry {
    std::string_view name;
    runtime which;
  };
  using enum runtime;
  static constexpr entry commands[] = {
      {"go", go},       {"gofmt", go},     {"gopls", go},     {"cargo", rust},    {"rustc", rust},
      {"rustup", rust}, {"rustdoc", rust}, {"rustfmt", rust}, {"node", node},     {"npm", node},
      {"npx", node},    {"pnpm", node},    {"yarn", node},    {"python", python}, {"python3", python},
      {"pip", python},  {"pip3", python},  {"uv", python},    {"uvx", python},    {"pytest", python},
      {"java", java},   {"javac", java},   {"jar", java},     {"jshell", java},   {"mvn", java},
      {"mvnw", java},   {"gradle", java},  {"gradlew", java}};
  for (const entry& command : commands)
    if (command.name == basename) return command.which;
  if (is_versioned(basename, "python3.") || is_versioned(basename, "pip3.")) return python;
  return std::nullopt;
}

toolchain_paths settings_of(runtime which, const environment_view& env, std::string_view home,
                            std::string_view path_variable) {
  setting_paths paths(env, home, path_variable);
  switch (which) {
    case runtime::go:
      go_settings(paths);
      break;
    case runtime::rust:
      rust_settings(paths);
      break;
    case runtime::node:
      node_settings(paths);
      break;
    case runtime::python:
      python_settings(paths);
      break;
    case runtime::java:
      java_settings(paths);
      break;
  }
  return std::move(paths.result);
}

}  // namespace nono::cli
