// SPDX-License-Identifier: Apache-2.0
// The built-in groups: named sets of grants and denies, as constexpr data, each for one platform or for all.
#pragma once

#include <string_view>

#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/right.hpp>

namespace nono::groups {

namespace detail {

constexpr group_rule deny(std::string_view path) { return {path, no_rights, when_missing::if_exists}; }
constexpr group_rule r(std::string_view path) { return {path, right::read, when_missing::if_exists}; }
constexpr group_rule w(std::string_view path) { return {path, right::write, when_missing::if_exists}; }
constexpr group_rule rw(std::string_view path) { return {path, right::read_write, when_missing::if_exists}; }
/// A cache that is read and written, and made before the sandbox when it is missing.
constexpr group_rule cache(std::string_view path) {
  return {path, right::read_write, when_missing::create_dir};
}

// clang-format off: tables, packed
inline constexpr group_rule deny_credentials_rules[] = {
    deny("$HOME/.ssh"), deny("$HOME/.gnupg"), deny("$HOME/.aws"), deny("$HOME/.azure"),
    deny("$HOME/.config/gcloud"), deny("$HOME/.gcloud"), deny("$HOME/.kube"), deny("$HOME/.docker"),
    deny("$HOME/.git-credentials"), deny("$HOME/.netrc"), deny("$HOME/.npmrc"), deny("$HOME/.vault-token"),
    deny("$HOME/.credentials"), deny("$HOME/.secrets"), deny("$HOME/.keys"), deny("$HOME/.pki"),
    deny("$HOME/.terraform.d"), deny("$HOME/.config/op"), deny("$HOME/.bunfig.toml"),
    deny("$HOME/.config/bun/bunfig.toml"), deny("$HOME/.config/gh/hosts.yml"),
    deny("$HOME/.cargo/credentials"), deny("$HOME/.cargo/credentials.toml"), deny("$HOME/.pypirc"),
    deny("$HOME/.config/pip"), deny("$HOME/.codex/auth.json"), deny("$HOME/.claude/.credentials.json"),
    deny("$HOME/.cache/huggingface/token"),
};
inline constexpr group_rule deny_keychains_macos_rules[] = {
    deny("$HOME/Library/Keychains"), deny("/Library/Keychains"), deny("$HOME/.password-store"),
    deny("$HOME/.1password"), deny("$HOME/Library/Group Containers/2BUA8C4S2C.com.1password"),
    deny("$HOME/Library/Application Support/1Password"),
    deny("$HOME/Library/Containers/com.1password.1password"),
};
inline constexpr group_rule deny_keychains_linux_rules[] = {
    deny("$HOME/.password-store"), deny("$HOME/.1password"), deny("$HOME/.op"),
    deny("$HOME/.local/share/keyrings"),
};
inline constexpr group_rule deny_browser_data_macos_rules[] = {
    deny("$HOME/Library/Application Support/Google/Chrome"),
    deny("$HOME/Library/Application Support/Chromium"), deny("$HOME/Library/Application Support/Firefox"),
    deny("$HOME/Library/Application Support/Microsoft Edge"), deny("$HOME/Library/Application Support/Arc"),
    deny("$HOME/Library/Application Support/BraveSoftware"),
    deny("$HOME/Library/Application Support/Vivaldi"),
    deny("$HOME/Library/Application Support/com.operasoftware.Opera"), deny("$HOME/Library/Safari"),
};
inline constexpr group_rule deny_browser_data_linux_rules[] = {
    deny("$HOME/.config/google-chrome"), deny("$HOME/.config/chromium"), deny("$HOME/.mozilla/firefox"),
    deny("$HOME/.config/microsoft-edge"), deny("$HOME/.config/BraveSoftware"), deny("$HOME/.config/vivaldi"),
    deny("$HOME/.config/opera"),
};
inline constexpr group_rule deny_macos_private_rules[] = {
    deny("$HOME/Library/Messages"), deny("$HOME/Library/Mail"), deny("$HOME/Library/Cookies"),
    deny("$HOME/Library/Containers/com.apple.Safari"), deny("$HOME/Library/Application Support/MobileSync"),
};
inline constexpr group_rule deny_shell_history_rules[] = {
    deny("$HOME/.bash_history"), deny("$HOME/.zsh_history"), deny("$HOME/.history"),
    deny("$HOME/.python_history"),
};
inline constexpr group_rule deny_shell_configs_rules[] = {
    deny("$HOME/.zshrc"), deny("$HOME/.zprofile"), deny("$HOME/.zshenv"), deny("$HOME/.zlogin"),
    deny("$HOME/.zlogout"), deny("$HOME/.bashrc"), deny("$HOME/.bash_profile"), deny("$HOME/.bash_login"),
    deny("$HOME/.bash_logout"), deny("$HOME/.profile"), deny("$HOME/.config/fish"), deny("$HOME/.env"),
    deny("$HOME/.envrc"),
};
// Headers, because Go's net package and every C compiler read them. /proc as a whole: a rule on /proc/self would bind the process that resolves it, not its children. The
// terminals of /dev/pts are no part of this: the command grants the child's own one.
inline constexpr group_rule system_read_linux_core_rules[] = {
    r("/bin"), r("/sbin"), r("/usr/bin"), r("/usr/sbin"), r("/usr/local/bin"), r("/lib"), r("/lib64"),
    r("/lib/x86_64-linux-gnu"), r("/lib/aarch64-linux-gnu"), r("/usr/lib"), r("/usr/lib64"),
    r("/usr/lib/x86_64-linux-gnu"), r("/usr/lib/aarch64-linux-gnu"), r("/usr/local/lib"),
    r("/usr/local/lib64"), r("/usr/libexec"), r("/usr/include"), r("/usr/local/include"), r("/etc/resolv.conf"), r("/etc/hosts"), r("/etc/nsswitch.conf"),
    r("/etc/gai.conf"), r("/etc/ssl"), r("/etc/pki"), r("/etc/ca-certificates"), r("/etc/crypto-policies"),
    r("/etc/ld.so.cache"), r("/etc/ld.so.conf"), r("/etc/ld.so.conf.d"), r("/etc/localtime"),
    r("/etc/timezone"), r("/etc/locale.conf"), r("/etc/locale.gen"), r("/etc/alternatives"),
    r("/etc/os-release"), r("/etc/services"), r("/usr/share"), r("/usr/share/locale"),
    r("/usr/share/locale-langpack"), r("/usr/share/zoneinfo"), r("/usr/share/terminfo"),
    r("/usr/share/ca-certificates"), r("/lib/terminfo"), r("/etc/terminfo"), r("/run/systemd/resolve"),
    r("/dev/null"), r("/dev/zero"), r("/dev/random"), r("/dev/urandom"), r("/dev/full"), r("/dev/tty"),
    r("/dev/console"), r("/proc"),
};
// No $TMPDIR: a run gets a temporary directory of its own, and the user's may be anything.
inline constexpr group_rule system_write_linux_rules[] = {
    w("/tmp"), w("/dev/null"), w("/dev/zero"), w("/dev/full"), w("/dev/tty"),
};
inline constexpr group_rule linux_runtime_state_rules[] = {
    r("/run"), r("/var/run"),
};
inline constexpr group_rule linux_sysfs_read_rules[] = {
    r("/sys"),
};
inline constexpr group_rule linux_temp_read_rules[] = {
    r("/tmp"),
};
inline constexpr group_rule linux_all_terminals_rules[] = {
    rw("/dev/pts"),
};
inline constexpr group_rule system_read_macos_rules[] = {
    r("/bin"), r("/sbin"), r("/usr/bin"), r("/usr/sbin"), r("/usr/local/bin"), r("/usr/lib"),
    r("/usr/local/lib"), r("/usr/share"), r("/System/Library"), r("/Library"), r("/Library/Frameworks"),
    r("/dev"), r("/private/var/db/dyld"), r("/var/db/dyld"), r("/var/db"), r("/private/etc/ssl"),
    r("/etc/ssl"), r("/etc"), r("/private/etc"), r("/usr/share/zoneinfo"), r("/usr/share/locale"),
    r("/var/db/timezone"), r("/usr/share/terminfo"), r("/var"), r("/private/var"), r("/private"), r("/tmp"),
    r("/System/Volumes"), r("/System/Cryptexes"), r("/Applications"), r("/cores"), r("/opt"), r("/Volumes"),
    r("/run"), r("/nix"),
};
inline constexpr group_rule system_write_macos_rules[] = {
    w("/private/tmp"), w("/tmp"), w("/private/var/folders"), w("/var/folders"), w("/dev"), w("$TMPDIR"),
};
inline constexpr group_rule user_tools_rules[] = {
    r("$HOME/.local/bin"), r("$HOME/.local/share/applications"), r("$HOME/.local/share/man"),
    r("$HOME/.local/share/bash-completion"), r("$HOME/.local/share/zsh"),
};
inline constexpr group_rule homebrew_macos_rules[] = {
    r("/opt/homebrew"), r("/usr/local/Cellar"), r("/usr/local/opt"),
};
inline constexpr group_rule homebrew_linux_rules[] = {
    r("/home/linuxbrew/.linuxbrew"),
};
inline constexpr group_rule user_caches_macos_rules[] = {
    r("$HOME/Library/Preferences"), rw("$HOME/Library/Caches"), rw("$HOME/Library/Logs"),
};
// By its parts, not ~/.cache as a whole: ~/.cache/huggingface/token is denied, Landlock cannot deny inside a grant, and
// ~/.cache/nono is nono's own. Tools whose cache is not in the list, or not there yet, run without one.
// Source: the XDG base directory specification, $XDG_CACHE_HOME; the names are those that the tools document.
inline constexpr group_rule user_caches_linux_rules[] = {
    rw("$HOME/.cache/Cypress"), rw("$HOME/.cache/bazel"), rw("$HOME/.cache/black"), rw("$HOME/.cache/ccache"),
    rw("$HOME/.cache/deno"), rw("$HOME/.cache/electron"), rw("$HOME/.cache/fontconfig"),
    rw("$HOME/.cache/go-build"), rw("$HOME/.cache/golangci-lint"), rw("$HOME/.cache/gopls"),
    rw("$HOME/.cache/huggingface/datasets"), rw("$HOME/.cache/huggingface/hub"), rw("$HOME/.cache/jedi"),
    rw("$HOME/.cache/matplotlib"), rw("$HOME/.cache/mesa_shader_cache"), rw("$HOME/.cache/ms-playwright"),
    rw("$HOME/.cache/node"), rw("$HOME/.cache/node-gyp"), rw("$HOME/.cache/pip"), rw("$HOME/.cache/pipenv"),
    rw("$HOME/.cache/pnpm"), rw("$HOME/.cache/pre-commit"), rw("$HOME/.cache/puppeteer"),
    rw("$HOME/.cache/pylint"), rw("$HOME/.cache/pypoetry"), rw("$HOME/.cache/ruff"),
    rw("$HOME/.cache/sccache"), rw("$HOME/.cache/torch"), rw("$HOME/.cache/typescript"),
    rw("$HOME/.cache/uv"), rw("$HOME/.cache/virtualenv"), rw("$HOME/.cache/yarn"),
};
inline constexpr group_rule go_runtime_rules[] = {
    r("$HOME/go"), r("/usr/local/go"),
};
inline constexpr group_rule go_runtime_linux_rules[] = {
    cache("$HOME/.cache/go-build"),
};
inline constexpr group_rule go_runtime_macos_rules[] = {
    cache("$HOME/Library/Caches/go-build"),
};
// ~/.cargo by its parts: ~/.cargo/credentials.toml is denied, and Landlock cannot deny inside a grant.
inline constexpr group_rule rust_runtime_rules[] = {
    r("$HOME/.cargo/bin"), r("$HOME/.cargo/registry"), r("$HOME/.cargo/git"), r("$HOME/.cargo/env"),
    r("$HOME/.cargo/config"), r("$HOME/.cargo/config.toml"), r("$HOME/.rustup"),
};
inline constexpr group_rule python_runtime_rules[] = {
    r("$HOME/.pyenv"), r("$HOME/.local/lib"), r("$HOME/.local/share/uv"), r("$HOME/.conda"),
    r("/etc/mime.types"),      // its standard library reads it where it is, and fails where it cannot
    r("/etc/debian_version"),  // pip tells a registry what it runs on, and fails where this cannot be read
};
inline constexpr group_rule node_runtime_rules[] = {
    r("$HOME/.nvm"), r("$HOME/.fnm"), r("$HOME/.npm"), r("$HOME/.node"), r("$HOME/.local/share/fnm"),
    r("/usr/local/lib/node_modules"), r("$HOME/Library/pnpm"), r("$HOME/.local/share/pnpm"),
};
inline constexpr group_rule java_runtime_rules[] = {
    r("$HOME/.sdkman"), r("$HOME/.m2/repository"), r("$HOME/.m2/wrapper"), r("$HOME/.gradle/caches"),
    r("$HOME/.gradle/wrapper"),
};
inline constexpr group_rule nix_runtime_rules[] = {
    r("$HOME/.nix-profile"), r("$HOME/.local/state/nix/profile"), r("$HOME/.local/state/nix/profiles"),
    r("$HOME/.nix-defexpr"), r("$HOME/.local/state/nix/defexpr"), r("/run/current-system/sw"),
    r("/etc/profiles/per-user"), r("/nix/var/nix/profiles"), r("/nix/store"),
};
// All of bun: programs, global packages and the cache of packages, to read. What it is set to (~/.bunfig.toml) may hold
// tokens and is denied. `bun install` wants to write ~/.bun/install/cache: that is a grant of the user's own.
// Source: bun.sh/docs/installation, bun.sh/docs/install/cache
inline constexpr group_rule bun_runtime_rules[] = {
    r("$HOME/.bun"),
};
// Tools and shims, settings, which settings are trusted, and what mise remembers: read, so that tools start. `mise
// install` writes all of these, which is for outside.
// Source: mise.jdx.dev/directories.html
inline constexpr group_rule mise_manager_rules[] = {
    r("$HOME/.local/share/mise"), r("$HOME/.config/mise"), r("$HOME/.local/state/mise"), r("$HOME/.cache/mise"),
};
// Its versions, which ~/.local/bin/claude links to.
inline constexpr group_rule claude_code_linux_rules[] = {
    r("$HOME/.local/share/claude"),
};
inline constexpr group_rule claude_cache_linux_rules[] = {
    cache("$HOME/.cache/claude-cli-nodejs"),
};
// Its token lies in the login key chain. Beside the denies of the key chains these grants mean nothing, until the deny is
// lifted by name.
inline constexpr group_rule claude_code_macos_rules[] = {
    r("$HOME/.local/share/claude"), r("$HOME/Applications/Claude Code URL Handler.app"),
    rw("$HOME/Library/Keychains"), rw("$HOME/Library/Keychains/login.keychain-db"),
    rw("$HOME/Library/Keychains/metadata.keychain-db"),
};
inline constexpr group_rule codex_macos_rules[] = {
    rw("$HOME/Library/Keychains/login.keychain-db"), rw("$HOME/Library/Keychains/metadata.keychain-db"),
};
inline constexpr group_rule opencode_linux_rules[] = {
    r("$HOME/.opencode/bin"),
};
// Extensions and settings. A program that writes here can run code in the editor, outside: for agents that the editor
// itself starts.
// Source: code.visualstudio.com/docs/configure/settings, "User settings.json location"
inline constexpr group_rule vscode_macos_rules[] = {
    rw("$HOME/.vscode"), rw("$HOME/Library/Application Support/Code"),
};
inline constexpr group_rule vscode_linux_rules[] = {
    rw("$HOME/.vscode"), rw("$HOME/.config/Code"),
};
inline constexpr group_rule git_config_rules[] = {
    r("$HOME/.gitconfig"), r("$HOME/.gitignore_global"), r("$HOME/.config/git/config"),
    r("$HOME/.config/git/ignore"), r("$HOME/.config/git/attributes"),
};
// clang-format on

}  // namespace detail

inline constexpr group deny_credentials{.name = "deny_credentials",
                                        .description = "keys and tokens of common tools",
                                        .on = platform::any,
                                        .required = true,
                                        .rules = detail::deny_credentials_rules};
inline constexpr group deny_keychains_macos{.name = "deny_keychains_macos",
                                            .description = "key chains and password stores of macOS",
                                            .on = platform::macos_only,
                                            .required = true,
                                            .rules = detail::deny_keychains_macos_rules};
inline constexpr group deny_keychains_linux{.name = "deny_keychains_linux",
                                            .description = "key rings and password stores of Linux",
                                            .on = platform::linux_only,
                                            .required = true,
                                            .rules = detail::deny_keychains_linux_rules};
inline constexpr group deny_browser_data_macos{.name = "deny_browser_data_macos",
                                               .description = "browser profiles of macOS",
                                               .on = platform::macos_only,
                                               .required = true,
                                               .rules = detail::deny_browser_data_macos_rules};
inline constexpr group deny_browser_data_linux{.name = "deny_browser_data_linux",
                                               .description = "browser profiles of Linux",
                                               .on = platform::linux_only,
                                               .required = true,
                                               .rules = detail::deny_browser_data_linux_rules};
inline constexpr group deny_macos_private{.name = "deny_macos_private",
                                          .description = "messages, mail and cookies of macOS",
                                          .on = platform::macos_only,
                                          .required = true,
                                          .rules = detail::deny_macos_private_rules};
inline constexpr group deny_shell_history{.name = "deny_shell_history",
                                          .description = "what was typed into shells",
                                          .on = platform::any,
                                          .required = true,
                                          .rules = detail::deny_shell_history_rules};
inline constexpr group deny_shell_configs{.name = "deny_shell_configs",
                                          .description = "start-up files of shells",
                                          .on = platform::any,
                                          .required = true,
                                          .rules = detail::deny_shell_configs_rules};
inline constexpr group system_read_linux_core{.name = "system_read_linux_core",
                                              .description = "programs, libraries and settings of the system",
                                              .on = platform::linux_only,
                                              .required = false,
                                              .rules = detail::system_read_linux_core_rules};
inline constexpr group system_write_linux{.name = "system_write_linux",
                                          .description = "temporary files and devices that swallow output",
                                          .on = platform::linux_only,
                                          .required = false,
                                          .rules = detail::system_write_linux_rules};
inline constexpr group linux_runtime_state{.name = "linux_runtime_state",
                                           .description = "run-time state below /run",
                                           .on = platform::linux_only,
                                           .required = false,
                                           .rules = detail::linux_runtime_state_rules};
inline constexpr group linux_sysfs_read{.name = "linux_sysfs_read",
                                        .description = "devices and kernel objects below /sys",
                                        .on = platform::linux_only,
                                        .required = false,
                                        .rules = detail::linux_sysfs_read_rules};
inline constexpr group linux_temp_read{.name = "linux_temp_read",
                                       .description = "reading shared temporary files",
                                       .on = platform::linux_only,
                                       .required = false,
                                       .rules = detail::linux_temp_read_rules};
inline constexpr group linux_all_terminals{.name = "linux_all_terminals",
                                           .description = "every terminal of the user, the others included",
                                           .on = platform::linux_only,
                                           .required = false,
                                           .rules = detail::linux_all_terminals_rules};
inline constexpr group system_read_macos{.name = "system_read_macos",
                                         .description = "programs, libraries and settings of the system",
                                         .on = platform::macos_only,
                                         .required = false,
                                         .rules = detail::system_read_macos_rules};
inline constexpr group system_write_macos{.name = "system_write_macos",
                                          .description = "temporary files and devices",
                                          .on = platform::macos_only,
                                          .required = false,
                                          .rules = detail::system_write_macos_rules};
inline constexpr group user_tools{.name = "user_tools",
                                  .description = "the user's own programs",
                                  .on = platform::any,
                                  .required = false,
                                  .rules = detail::user_tools_rules};
inline constexpr group homebrew_macos{.name = "homebrew_macos",
                                      .description = "Homebrew on macOS",
                                      .on = platform::macos_only,
                                      .required = false,
                                      .rules = detail::homebrew_macos_rules};
inline constexpr group homebrew_linux{.name = "homebrew_linux",
                                      .description = "Homebrew on Linux",
                                      .on = platform::linux_only,
                                      .required = false,
                                      .rules = detail::homebrew_linux_rules};
inline constexpr group user_caches_macos{.name = "user_caches_macos",
                                         .description = "caches, logs and preferences",
                                         .on = platform::macos_only,
                                         .required = false,
                                         .rules = detail::user_caches_macos_rules};
inline constexpr group user_caches_linux{
    .name = "user_caches_linux",
    .description = "caches of common tools, without nono's own and the tokens among them",
    .on = platform::linux_only,
    .required = false,
    .rules = detail::user_caches_linux_rules};
inline constexpr group go_runtime{.name = "go_runtime",
                                  .description = "Go: tool chain and module cache",
                                  .on = platform::any,
                                  .required = false,
                                  .rules = detail::go_runtime_rules};
inline constexpr group go_runtime_linux{.name = "go_runtime_linux",
                                        .description = "Go's build cache on Linux",
                                        .on = platform::linux_only,
                                        .required = false,
                                        .rules = detail::go_runtime_linux_rules};
inline constexpr group go_runtime_macos{.name = "go_runtime_macos",
                                        .description = "Go's build cache on macOS",
                                        .on = platform::macos_only,
                                        .required = false,
                                        .rules = detail::go_runtime_macos_rules};
inline constexpr group rust_runtime{
    .name = "rust_runtime",
    .description = "Rust: tool chains, registry and installed programs, without the credentials beside them",
    .on = platform::any,
    .required = false,
    .rules = detail::rust_runtime_rules};
inline constexpr group python_runtime{.name = "python_runtime",
                                      .description = "Python: versions and packages of the user",
                                      .on = platform::any,
                                      .required = false,
                                      .rules = detail::python_runtime_rules};
inline constexpr group node_runtime{.name = "node_runtime",
                                    .description = "Node: versions, packages and caches of the user",
                                    .on = platform::any,
                                    .required = false,
                                    .rules = detail::node_runtime_rules};
inline constexpr group java_runtime{
    .name = "java_runtime",
    .description = "Java: versions, repositories and build caches of the user",
    .on = platform::any,
    .required = false,
    .rules = detail::java_runtime_rules};
inline constexpr group nix_runtime{.name = "nix_runtime",
                                   .description = "Nix: profiles and store",
                                   .on = platform::any,
                                   .required = false,
                                   .rules = detail::nix_runtime_rules};
inline constexpr group git_config{.name = "git_config",
                                  .description = "git's settings, without its stored passwords",
                                  .on = platform::any,
                                  .required = false,
                                  .rules = detail::git_config_rules};
inline constexpr group bun_runtime{.name = "bun_runtime",
                                   .description = "Bun: programs, packages and their cache",
                                   .on = platform::any,
                                   .required = false,
                                   .rules = detail::bun_runtime_rules};
inline constexpr group mise_manager{.name = "mise_manager",
                                    .description = "mise: tools, shims and settings",
                                    .on = platform::any,
                                    .required = false,
                                    .rules = detail::mise_manager_rules};
inline constexpr group claude_code_linux{.name = "claude_code_linux",
                                         .description = "Claude Code: its versions",
                                         .on = platform::linux_only,
                                         .required = false,
                                         .rules = detail::claude_code_linux_rules};
inline constexpr group claude_cache_linux{.name = "claude_cache_linux",
                                          .description = "Claude Code's cache on Linux",
                                          .on = platform::linux_only,
                                          .required = false,
                                          .rules = detail::claude_cache_linux_rules};
inline constexpr group claude_code_macos{
    .name = "claude_code_macos",
    .description = "Claude Code: its versions and the login key chain, where that is not denied",
    .on = platform::macos_only,
    .required = false,
    .rules = detail::claude_code_macos_rules};
inline constexpr group codex_macos{.name = "codex_macos",
                                   .description = "Codex: the login key chain, where that is not denied",
                                   .on = platform::macos_only,
                                   .required = false,
                                   .rules = detail::codex_macos_rules};
inline constexpr group opencode_linux{.name = "opencode_linux",
                                      .description = "opencode: its program",
                                      .on = platform::linux_only,
                                      .required = false,
                                      .rules = detail::opencode_linux_rules};
inline constexpr group vscode_macos{
    .name = "vscode_macos",
    .description = "Visual Studio Code: settings and extensions, which run outside",
    .on = platform::macos_only,
    .required = false,
    .rules = detail::vscode_macos_rules};
inline constexpr group vscode_linux{
    .name = "vscode_linux",
    .description = "Visual Studio Code: settings and extensions, which run outside",
    .on = platform::linux_only,
    .required = false,
    .rules = detail::vscode_linux_rules};

/// Programs, libraries and settings of the system that this is compiled for.
inline constexpr const group& system_read =
    this_platform == platform::macos_only ? system_read_macos : system_read_linux_core;
/// Temporary files and devices of the system that this is compiled for.
inline constexpr const group& system_write =
    this_platform == platform::macos_only ? system_write_macos : system_write_linux;

/// Every built-in group, in the order of their names' introduction.
inline constexpr const group* all[] = {
    &deny_credentials,
    &deny_keychains_macos,
    &deny_keychains_linux,
    &deny_browser_data_macos,
    &deny_browser_data_linux,
    &deny_macos_private,
    &deny_shell_history,
    &deny_shell_configs,
    &system_read_linux_core,
    &system_write_linux,
    &linux_runtime_state,
    &linux_sysfs_read,
    &linux_temp_read,
    &linux_all_terminals,
    &system_read_macos,
    &system_write_macos,
    &user_tools,
    &homebrew_macos,
    &homebrew_linux,
    &user_caches_macos,
    &go_runtime,
    &go_runtime_linux,
    &go_runtime_macos,
    &rust_runtime,
    &python_runtime,
    &node_runtime,
    &java_runtime,
    &nix_runtime,
    &git_config,
    &user_caches_linux,
    &bun_runtime,
    &mise_manager,
    &claude_code_linux,
    &claude_cache_linux,
    &claude_code_macos,
    &codex_macos,
    &opencode_linux,
    &vscode_macos,
    &vscode_linux,
};

/// The group of that name; null if there is none.
constexpr const group* find(std::string_view name) noexcept {
  for (const group* g : all)
    if (g->name == name) return g;
  return nullptr;
}

namespace detail {
constexpr bool all_paths_hold_the_rule() {
  for (const group* g : all)
    for (const group_rule& rule : g->rules)
      if (check_path(rule.path) != errc::none || rule.path != without_trailing_slash(rule.path)) return false;
  return true;
}
static_assert(all_paths_hold_the_rule());
}  // namespace detail

}  // namespace nono::groups
