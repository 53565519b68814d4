// SPDX-License-Identifier: Apache-2.0
// The built-in profiles, as data.
#include "cli/resolve/profiles.hpp"

#include <nono/groups.hpp>

namespace nono::cli {

namespace {

namespace g = groups;

constexpr const group* defaults[] = {
    &g::deny_credentials,
    &g::deny_keychains_macos,
    &g::deny_keychains_linux,
    &g::deny_browser_data_macos,
    &g::deny_browser_data_linux,
    &g::deny_macos_private,
    &g::deny_shell_history,
    &g::deny_shell_configs,
    &g::system_read_macos,
    &g::system_read_linux_core,
    &g::system_write_macos,
    &g::system_write_linux,
    &g::user_tools,
    &g::homebrew_macos,
    &g::homebrew_linux,
};
constexpr const group* host_compat[] = {&g::linux_runtime_state, &g::linux_sysfs_read, &g::linux_temp_read};
// Tools ask git for versions and fail when its settings exist and cannot be read.
constexpr const group* go[] = {&g::go_runtime, &g::go_runtime_linux, &g::go_runtime_macos, &g::git_config};
constexpr const group* rust[] = {&g::rust_runtime, &g::git_config};
constexpr const group* node[] = {&g::node_runtime, &g::git_config};
constexpr const group* python[] = {&g::python_runtime, &g::git_config};
constexpr const group* java[] = {&g::java_runtime, &g::git_config};
constexpr const group* bun[] = {&g::bun_runtime, &g::git_config};
constexpr const group* mise[] = {&g::mise_manager, &g::git_config};
constexpr const group* openclaw_groups[] = {&g::node_runtime};
constexpr std::string_view openclaw_places[] = {"$HOME/.openclaw", "$HOME/.config/openclaw",
                                                "$TMPDIR/openclaw-$UID"};
// And unlink_protection, which has no rules.
constexpr const group* swival_groups[] = {&g::python_runtime,    &g::node_runtime,     &g::user_caches_macos,
                                          &g::user_caches_linux, &g::linux_sysfs_read, &g::git_config};
constexpr std::string_view swival_places[] = {"$HOME/.config/swival", "$HOME/.local/share/swival"};

constexpr builtin_profile profiles[] = {
    {"default", "system programs and libraries, temporary files, nothing of the user's", {}},
    {"linux-host-compat", "default, and run-time state, /sys and /tmp to read", host_compat},
    {"go-dev", "Go: tool chain, module cache, build cache", go, right::read_write, true},
    {"rust-dev", "Rust: tool chains and registry", rust, right::read_write, true},
    {"node-dev", "Node: versions, packages and caches", node, right::read_write, true},
    {"python-dev", "Python: versions and packages", python, right::read_write, true, true},
    {"java-dev", "Java: versions, repositories and caches", java, right::read_write, true},
    {"bun-dev", "Bun: programs, packages and their cache", bun, right::read_write, true},
    {"mise-dev", "mise: tools, shims and settings", mise, right::read_write, true},
    {"openclaw", "OpenClaw: its own files, Node, an open network", openclaw_groups, right::read, false, false,
     openclaw_places},
    {"swival", "Swival: its own files, Python, Node, caches, an open network", swival_groups,
     right::read_write, false, false, swival_places, true},
};

constexpr std::string_view dangerous[] = {
    "rm",  "rmdir", "dd",      "chmod", "chown",    "chgrp",  "mv",   "cp",       "truncate",
    "scp", "rsync", "sftp",    "ftp",   "xargs",    "sudo",   "su",   "doas",     "pip",
    "npm", "kill",  "killall", "pkill", "shutdown", "reboot", "halt", "poweroff",
};
constexpr std::string_view dangerous_macos[] = {"srm", "brew", "launchctl"};
constexpr std::string_view dangerous_linux[] = {
    "shred",  "mkfs", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkswap", "fdisk", "parted", "gdisk",  "wipefs",
    "chattr", "init", "systemctl", "apt",      "apt-get",    "dpkg",   "yum",   "dnf",    "pacman", "pkexec",
};

constexpr group_without_rules without_rules[] = {
    {"dangerous_commands", "commands that are not started by slip", platform::any, dangerous},
    {"dangerous_commands_macos", "the same of macOS", platform::macos_only, dangerous_macos},
    {"dangerous_commands_linux", "the same of Linux", platform::linux_only, dangerous_linux},
    {"unlink_protection",
     "files are not removed outside what may be written; no effect on Linux",
     platform::any,
     {},
     true},
};

}  // namespace

std::span<const group_without_rules> groups_without_rules() { return without_rules; }

std::span<const group* const> default_groups() { return defaults; }

std::span<const builtin_profile> builtin_profiles() { return profiles; }

const builtin_profile* find_profile(std::string_view name) {
  for (const builtin_profile& p : profiles)
    if (p.name == name) return &p;
  return nullptr;
}

}  // namespace nono::cli
