// SPDX-License-Identifier: Apache-2.0
#include <nono/groups.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "constexpr_check.hpp"

using nono::group;
using nono::group_rule;
using nono::no_rights;
using nono::platform;

namespace {

struct expected_group {
  std::string_view name;
  platform on;
  bool required;
  nono::right rights;
  std::vector<std::string_view> paths;
};

// What each group promises, by hand. Left out on purpose, because a rule of Landlock could not mean it:
// /dev/stdin, /dev/stdout, /dev/stderr, /dev/fd and /proc/self (links of whoever resolves them; /proc as a whole
// stands in), /dev/pts (every terminal of the user: a group of its own), ~/.cargo as a whole (its credentials).
const std::vector<expected_group> expected = {
    {"deny_credentials",
     nono::platform::any,
     true,
     nono::no_rights,
     {"$HOME/.ssh",
      "$HOME/.gnupg",
      "$HOME/.aws",
      "$HOME/.azure",
      "$HOME/.config/gcloud",
      "$HOME/.gcloud",
      "$HOME/.kube",
      "$HOME/.docker",
      "$HOME/.git-credentials",
      "$HOME/.netrc",
      "$HOME/.npmrc",
      "$HOME/.vault-token",
      "$HOME/.credentials",
      "$HOME/.secrets",
      "$HOME/.keys",
      "$HOME/.pki",
      "$HOME/.terraform.d",
      "$HOME/.config/op",
      "$HOME/.bunfig.toml",
      "$HOME/.config/bun/bunfig.toml"}},
    {"deny_keychains_linux",
     nono::platform::linux_only,
     true,
     nono::no_rights,
     {"$HOME/.password-store", "$HOME/.1password", "$HOME/.op", "$HOME/.local/share/keyrings"}},
    {"deny_browser_data_linux",
     nono::platform::linux_only,
     true,
     nono::no_rights,
     {"$HOME/.config/google-chrome", "$HOME/.config/chromium", "$HOME/.mozilla/firefox",
      "$HOME/.config/microsoft-edge", "$HOME/.config/BraveSoftware", "$HOME/.config/vivaldi",
      "$HOME/.config/opera"}},
    {"deny_shell_history",
     nono::platform::any,
     true,
     nono::no_rights,
     {"$HOME/.bash_history", "$HOME/.zsh_history", "$HOME/.history", "$HOME/.python_history"}},
    {"deny_shell_configs",
     nono::platform::any,
     true,
     nono::no_rights,
     {"$HOME/.zshrc", "$HOME/.zprofile", "$HOME/.zshenv", "$HOME/.zlogin", "$HOME/.zlogout", "$HOME/.bashrc",
      "$HOME/.bash_profile", "$HOME/.bash_login", "$HOME/.bash_logout", "$HOME/.profile",
      "$HOME/.config/fish", "$HOME/.env", "$HOME/.envrc"}},
    {"system_read_linux_core",
     nono::platform::linux_only,
     false,
     nono::read,
     {"/bin",
      "/sbin",
      "/usr/bin",
      "/usr/sbin",
      "/usr/local/bin",
      "/lib",
      "/lib64",
      "/lib/x86_64-linux-gnu",
      "/lib/aarch64-linux-gnu",
      "/usr/lib",
      "/usr/lib64",
      "/usr/lib/x86_64-linux-gnu",
      "/usr/lib/aarch64-linux-gnu",
      "/usr/local/lib",
      "/usr/local/lib64",
      "/etc/resolv.conf",
      "/etc/hosts",
      "/etc/nsswitch.conf",
      "/etc/gai.conf",
      "/etc/ssl",
      "/etc/pki",
      "/etc/ca-certificates",
      "/etc/crypto-policies",
      "/etc/ld.so.cache",
      "/etc/ld.so.conf",
      "/etc/ld.so.conf.d",
      "/etc/localtime",
      "/etc/timezone",
      "/etc/locale.conf",
      "/etc/locale.gen",
      "/etc/alternatives",
      "/etc/os-release",
      "/etc/services",
      "/usr/share",
      "/usr/share/locale",
      "/usr/share/locale-langpack",
      "/usr/share/zoneinfo",
      "/usr/share/terminfo",
      "/usr/share/ca-certificates",
      "/lib/terminfo",
      "/etc/terminfo",
      "/dev/null",
      "/dev/zero",
      "/dev/random",
      "/dev/urandom",
      "/dev/full",
      "/dev/tty",
      "/dev/console",
      "/proc",
      "/run/systemd/resolve"}},
    {"system_write_linux",
     nono::platform::linux_only,
     false,
     nono::write,
     {"/tmp", "/dev/null", "/dev/zero", "/dev/full", "/dev/tty"}},
    {"linux_runtime_state", nono::platform::linux_only, false, nono::read, {"/run", "/var/run"}},
    {"linux_sysfs_read", nono::platform::linux_only, false, nono::read, {"/sys"}},
    {"linux_temp_read", nono::platform::linux_only, false, nono::read, {"/tmp"}},
    {"user_tools",
     nono::platform::any,
     false,
     nono::read,
     {"$HOME/.local/bin", "$HOME/.local/share/applications", "$HOME/.local/share/man",
      "$HOME/.local/share/bash-completion", "$HOME/.local/share/zsh"}},
    {"homebrew_linux", nono::platform::linux_only, false, nono::read, {"/home/linuxbrew/.linuxbrew"}},
    {"go_runtime", nono::platform::any, false, nono::read, {"$HOME/go", "/usr/local/go"}},
    {"go_runtime_linux", nono::platform::linux_only, false, nono::read_write, {"$HOME/.cache/go-build"}},
    {"rust_runtime",
     nono::platform::any,
     false,
     nono::read,
     {"$HOME/.cargo/bin", "$HOME/.cargo/registry", "$HOME/.cargo/git", "$HOME/.cargo/env",
      "$HOME/.cargo/config", "$HOME/.cargo/config.toml", "$HOME/.rustup"}},
    {"python_runtime",
     nono::platform::any,
     false,
     nono::read,
     {"$HOME/.pyenv", "$HOME/.local/lib", "$HOME/.local/share/uv", "$HOME/.conda"}},
    {"node_runtime",
     nono::platform::any,
     false,
     nono::read,
     {"$HOME/.nvm", "$HOME/.fnm", "$HOME/.npm", "$HOME/.node", "$HOME/.local/share/fnm", "$HOME/Library/pnpm",
      "$HOME/.local/share/pnpm", "/usr/local/lib/node_modules"}},
    {"java_runtime",
     nono::platform::any,
     false,
     nono::read,
     {"$HOME/.sdkman", "$HOME/.m2/repository", "$HOME/.m2/wrapper", "$HOME/.gradle/caches",
      "$HOME/.gradle/wrapper"}},
    {"nix_runtime",
     nono::platform::any,
     false,
     nono::read,
     {"$HOME/.nix-profile", "$HOME/.local/state/nix/profile", "$HOME/.local/state/nix/profiles",
      "$HOME/.nix-defexpr", "$HOME/.local/state/nix/defexpr", "/run/current-system/sw",
      "/etc/profiles/per-user", "/nix/var/nix/profiles", "/nix/store"}},
    {"user_caches_linux",
     nono::platform::linux_only,
     false,
     nono::read_write,
     {"$HOME/.cache/Cypress",
      "$HOME/.cache/bazel",
      "$HOME/.cache/black",
      "$HOME/.cache/ccache",
      "$HOME/.cache/deno",
      "$HOME/.cache/electron",
      "$HOME/.cache/fontconfig",
      "$HOME/.cache/go-build",
      "$HOME/.cache/golangci-lint",
      "$HOME/.cache/gopls",
      "$HOME/.cache/huggingface/datasets",
      "$HOME/.cache/huggingface/hub",
      "$HOME/.cache/jedi",
      "$HOME/.cache/matplotlib",
      "$HOME/.cache/mesa_shader_cache",
      "$HOME/.cache/ms-playwright",
      "$HOME/.cache/node",
      "$HOME/.cache/node-gyp",
      "$HOME/.cache/pip",
      "$HOME/.cache/pipenv",
      "$HOME/.cache/pnpm",
      "$HOME/.cache/pre-commit",
      "$HOME/.cache/puppeteer",
      "$HOME/.cache/pylint",
      "$HOME/.cache/pypoetry",
      "$HOME/.cache/ruff",
      "$HOME/.cache/sccache",
      "$HOME/.cache/torch",
      "$HOME/.cache/typescript",
      "$HOME/.cache/uv",
      "$HOME/.cache/virtualenv",
      "$HOME/.cache/yarn"}},
    {"bun_runtime", nono::platform::any, false, nono::read, {"$HOME/.bun"}},
    {"mise_manager",
     nono::platform::any,
     false,
     nono::read,
     {"$HOME/.local/share/mise", "$HOME/.config/mise", "$HOME/.local/state/mise", "$HOME/.cache/mise"}},
    {"claude_code_linux", nono::platform::linux_only, false, nono::read, {"$HOME/.local/share/claude"}},
    {"claude_cache_linux",
     nono::platform::linux_only,
     false,
     nono::read_write,
     {"$HOME/.cache/claude-cli-nodejs"}},
    {"codex_macos",
     nono::platform::macos_only,
     false,
     nono::read_write,
     {"$HOME/Library/Keychains/login.keychain-db", "$HOME/Library/Keychains/metadata.keychain-db"}},
    {"opencode_linux", nono::platform::linux_only, false, nono::read, {"$HOME/.opencode/bin"}},
    {"vscode_macos",
     nono::platform::macos_only,
     false,
     nono::read_write,
     {"$HOME/.vscode", "$HOME/Library/Application Support/Code"}},
    {"vscode_linux",
     nono::platform::linux_only,
     false,
     nono::read_write,
     {"$HOME/.vscode", "$HOME/.config/Code"}},
    {"git_config",
     nono::platform::any,
     false,
     nono::read,
     {"$HOME/.gitconfig", "$HOME/.gitignore_global", "$HOME/.config/git/config", "$HOME/.config/git/ignore",
      "$HOME/.config/git/attributes"}},
};

std::vector<const group_rule*> rules_with(const group& g, std::string_view path) {
  std::vector<const group_rule*> out;
  for (const group_rule& r : g.rules)
    if (r.path == path) out.push_back(&r);
  return out;
}

bool both_on(platform where, const group& a, const group& b) {
  const auto on = [&](const group& g) { return g.on == platform::any || g.on == where; };
  return on(a) && on(b);
}

/// Every grant that a deny of another group contradicts where both are valid, as "GRANT < GROUP: DENY".
std::set<std::string> contradictions(platform where) {
  std::set<std::string> out;
  for (const group* denying : nono::groups::all)
    for (const group* granting : nono::groups::all) {
      if (!both_on(where, *denying, *granting)) continue;
      for (const group_rule& d : denying->rules)
        for (const group_rule& r : granting->rules)
          if (d.rights == no_rights && r.rights != no_rights && nono::contradicts(d.path, r.path))
            out.insert(std::string(granting->name) + " " + std::string(r.path) + " < " + std::string(d.path));
    }
  return out;
}

// By index: under sanitizers g++ 12 does not compare addresses in constant expressions.
constexpr bool names_are_unique() {
  for (std::size_t i = 0; i < std::size(nono::groups::all); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (nono::groups::all[i]->name == nono::groups::all[k]->name) return false;
  return true;
}

}  // namespace

TEST_CASE("groups: names are unique and find their group") {
  CONSTEXPR_CHECK(names_are_unique());
  CHECK(nono::groups::find("") == nullptr);
  CHECK(nono::groups::find("deny_credential") == nullptr);
  for (const group* g : nono::groups::all) {
    INFO(g->name);
    CHECK(nono::groups::find(g->name) == g);
    CHECK_FALSE(g->name.empty());
    CHECK_FALSE(g->description.empty());
    CHECK_FALSE(g->rules.empty());
  }
}

TEST_CASE("groups: every promised path is there, with its access") {
  for (const expected_group& e : expected) {
    INFO(e.name);
    const group* g = nono::groups::find(e.name);
    REQUIRE(g != nullptr);
    CHECK(g->on == e.on);
    CHECK(g->required == e.required);
    for (const std::string_view path : e.paths) {
      INFO(path);
      const auto rules = rules_with(*g, path);
      REQUIRE(rules.size() == 1);
      CHECK(rules[0]->rights == e.rights);
    }
  }
}

TEST_CASE("groups: a grant that is not in the list of the test is a grant that nobody asked for") {
  // Beyond the list: what compilers need.
  const std::set<std::string> more = {"system_read_linux_core /usr/libexec",
                                      "system_read_linux_core /usr/include",
                                      "system_read_linux_core /usr/local/include",
                                      // pip fails where it cannot read which Debian it runs on
                                      "python_runtime /etc/debian_version", "python_runtime /etc/mime.types"};
  for (const expected_group& e : expected) {
    const group* g = nono::groups::find(e.name);
    REQUIRE(g != nullptr);
    for (const group_rule& r : g->rules) {
      if (r.rights == no_rights) continue;
      INFO(e.name, " ", r.path);
      const bool listed = std::find(e.paths.begin(), e.paths.end(), r.path) != e.paths.end();
      CHECK((listed || more.count(std::string(e.name) + " " + std::string(r.path)) == 1));
    }
  }
}

TEST_CASE("groups: the user's own $TMPDIR, which may be anything, is not granted on Linux") {
  CHECK(rules_with(nono::groups::system_write_linux, "$TMPDIR").empty());
}

TEST_CASE("groups: a required group denies and nothing else, and every denying group is required") {
  for (const group* g : nono::groups::all) {
    INFO(g->name);
    for (const group_rule& r : g->rules) CHECK((r.rights == no_rights) == g->required);
    CHECK(g->name.starts_with("deny_") == g->required);
  }
}

TEST_CASE("groups: paths are in normal form, begin with known variables and stand once in a group") {
  for (const group* g : nono::groups::all)
    for (const group_rule& r : g->rules) {
      INFO(g->name, " ", r.path);
      CHECK(nono::check_path(r.path) == nono::errc::none);
      CHECK(r.path.find("//") == std::string_view::npos);
      CHECK(r.path.find("/./") == std::string_view::npos);
      CHECK_FALSE(r.path.starts_with('~'));  // contradictions are found by name: one spelling
      CHECK(rules_with(*g, r.path).size() == 1);
      const auto variable = nono::leading_variable(r.path);
      if (!variable.empty())
        CHECK(std::find(std::begin(nono::known_variables), std::end(nono::known_variables), variable) !=
              std::end(nono::known_variables));
    }
}

TEST_CASE("groups: on Linux no grant contradicts a deny") {
  const auto found = contradictions(platform::linux_only);
  for (const std::string& pair : found) FAIL_CHECK(pair);
  CHECK(found.empty());
}

TEST_CASE(
    "groups: on macOS, where profiles deny inside allows, /Library and the key chains are granted and "
    "denied") {
  // The latter is what some agents ask for: nothing, until the user lifts the deny.
  std::set<std::string> known = {"system_read_macos /Library < /Library/Keychains",
                                 "claude_code_macos $HOME/Library/Keychains < $HOME/Library/Keychains"};
  for (const char* group : {"claude_code_macos", "codex_macos"})
    for (const char* file : {"login", "metadata"})
      known.insert(std::string(group) + " $HOME/Library/Keychains/" + file +
                   ".keychain-db < $HOME/Library/Keychains");
  CHECK(contradictions(platform::macos_only) == known);
}

TEST_CASE("groups: caches are granted without nono's own, and never as a whole where one of them is denied") {
  const std::string_view own = "$HOME/.cache/nono";
  for (const group* g : nono::groups::all)
    for (const group_rule& r : g->rules) {
      INFO(g->name, " ", r.path);
      if (r.rights != no_rights) CHECK_FALSE(nono::contradicts(own, r.path));
    }
  CHECK(rules_with(nono::groups::user_caches_linux, "$HOME/.cache").empty());
}

TEST_CASE("groups: claude_code_macos reads its versions and writes the key chains") {
  for (const group_rule& r : nono::groups::claude_code_macos.rules) {
    INFO(r.path);
    CHECK(r.rights == (r.path.find("Keychains") == std::string_view::npos ? nono::read : nono::read_write));
  }
  CHECK(nono::groups::claude_code_macos.rules.size() == 5);
}

TEST_CASE("groups: what is missing is left out, but caches of builds are made") {
  for (const group* g : nono::groups::all)
    for (const group_rule& r : g->rules) {
      INFO(g->name, " ", r.path);
      const bool cache =
          g->name == "go_runtime_linux" || g->name == "go_runtime_macos" || g->name == "claude_cache_linux";
      CHECK(r.missing == (cache ? nono::create_dir : nono::if_exists));
    }
}

TEST_CASE("groups: system_read and system_write are those of this platform") {
  CONSTEXPR_CHECK(nono::groups::system_read.here());
  CONSTEXPR_CHECK(nono::groups::system_write.here());
}
