// SPDX-License-Identifier: Apache-2.0
// What a profile holds, and the one table of its fields: the parser, the merge, the schema and the list of near names
// all go by it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nono {

/// One host of `network.allow_domain`.
struct profile_domain {
  std::string name;
  std::vector<std::pair<std::string, std::string>> endpoints{};  ///< method and path; none: the whole host
  friend bool operator==(const profile_domain&, const profile_domain&) = default;
};

/// What a profile file says, entries for other systems left out. Paths and names are as they were written.
struct profile {
  std::string name{}, version{}, description{}, author{};
  std::vector<std::string> extends{};
  std::vector<std::string> groups{}, without_groups{};
  std::vector<std::string> allow{}, read{}, write{}, allow_file{}, read_file{}, write_file{};
  std::vector<std::string> unix_socket{}, unix_socket_bind{}, unix_socket_dir{}, unix_socket_dir_bind{},
      unix_socket_subtree{}, unix_socket_subtree_bind{};
  std::vector<std::string> deny{}, bypass_protection{};
  std::vector<std::string> allowed_commands{}, denied_commands{};
  std::string signal_mode{}, process_info_mode{}, ipc_mode{};  ///< empty: not said
  std::vector<std::string> platform_rules{};                   ///< for macOS alone, as S-expressions
  bool block_network = false;
  bool interactive = false;
  std::optional<std::string> network_profile{};  ///< empty text: null, which clears what a base says
  std::vector<profile_domain> domains{};
  std::optional<std::vector<std::string>> credentials{};
  std::vector<std::pair<std::string, std::string>> custom_credentials{};   ///< name and definition, as JSON
  std::vector<std::string> open_ports{}, listen_ports{}, connect_ports{};  ///< as numbers are written
  std::string upstream_proxy{};
  std::vector<std::string> upstream_bypass{};
  std::string workdir{};  ///< empty: not said
  std::optional<std::vector<std::string>> allow_vars{};
  std::vector<std::string> deny_vars{};
  std::vector<std::pair<std::string, std::string>> set_vars{};
  std::vector<std::pair<std::string, std::string>>
      env_credentials{};                ///< where a secret comes from, and its variable
  std::vector<std::string> legacy{};    ///< old spellings that were used: "security.groups"
  std::vector<std::string> warnings{};  ///< sentences about them and the like

  friend bool operator==(const profile&, const profile&) = default;
};

namespace detail {

/// What a field's value must be.
enum class field_shape : std::uint8_t {
  anything,  ///< not looked at
  text,
  word,  ///< one of the row's words
  flag,
  text_or_texts,  ///< "extends"
  texts,
  entries,  ///< texts, each of which may have a `when`
  ports,
  nullable_text,  ///< "network_profile": one of the row's words, or null
  domains,
  optional_texts,  ///< absent and empty are not the same
  definitions,     ///< "custom_credentials"
  variables,       ///< "set_vars"
  references,      ///< "env_credentials"
  nothing,         ///< a field that is not built yet: only a value that asks for nothing
};

struct profile_field {
  std::string_view object;  ///< empty: the profile itself
  std::string_view name;
  field_shape shape{};
  std::vector<std::string> profile::* list = nullptr;
  std::string profile::* text = nullptr;
  bool profile::* flag = nullptr;
  std::string_view words{};  ///< of a word: those there are; of entries: the key beside "when"
  std::string_view now{};    ///< of a legacy spelling: what it is called now
  std::string_view why{};    ///< of what is not built: the smallest thing that would help
};

inline constexpr std::string_view group_key = "name";
inline constexpr std::string_view path_key = "path";
inline constexpr std::string_view mode_names = "isolated allow_same_sandbox allow_all";
inline constexpr std::string_view host_profile_names =
    "minimal developer claude-code codex opencode enterprise";

inline constexpr profile_field profile_fields[] = {
    {"", "$schema", field_shape::anything},
    {"", "extends", field_shape::text_or_texts, &profile::extends},
    {"meta", "name", field_shape::text, nullptr, &profile::name},
    {"meta", "version", field_shape::text, nullptr, &profile::version},
    {"meta", "description", field_shape::text, nullptr, &profile::description},
    {"meta", "author", field_shape::text, nullptr, &profile::author},
    {"groups", "include", field_shape::entries, &profile::groups, nullptr, nullptr, group_key},
    {"groups", "exclude", field_shape::entries, &profile::without_groups, nullptr, nullptr, group_key},
    {"security", "groups", field_shape::entries, &profile::groups, nullptr, nullptr, group_key,
     "groups.include"},
    {"security",
     "allowed_commands",
     field_shape::texts,
     &profile::allowed_commands,
     nullptr,
     nullptr,
     {},
     "commands.allow"},
    {"security", "signal_mode", field_shape::word, nullptr, &profile::signal_mode, nullptr, mode_names},
    {"security", "process_info_mode", field_shape::word, nullptr, &profile::process_info_mode, nullptr,
     mode_names},
    {"security", "ipc_mode", field_shape::word, nullptr, &profile::ipc_mode, nullptr,
     "shared_memory_only full"},
    {"security", "capability_elevation", field_shape::nothing},
    {"security", "wsl2_proxy_policy", field_shape::nothing},
    {"filesystem", "allow", field_shape::entries, &profile::allow, nullptr, nullptr, path_key},
    {"filesystem", "read", field_shape::entries, &profile::read, nullptr, nullptr, path_key},
    {"filesystem", "write", field_shape::entries, &profile::write, nullptr, nullptr, path_key},
    {"filesystem", "allow_file", field_shape::entries, &profile::allow_file, nullptr, nullptr, path_key},
    {"filesystem", "read_file", field_shape::entries, &profile::read_file, nullptr, nullptr, path_key},
    {"filesystem", "write_file", field_shape::entries, &profile::write_file, nullptr, nullptr, path_key},
    {"filesystem", "unix_socket", field_shape::entries, &profile::unix_socket, nullptr, nullptr, path_key},
    {"filesystem", "unix_socket_bind", field_shape::entries, &profile::unix_socket_bind, nullptr, nullptr,
     path_key},
    {"filesystem", "unix_socket_dir", field_shape::entries, &profile::unix_socket_dir, nullptr, nullptr,
     path_key},
    {"filesystem", "unix_socket_dir_bind", field_shape::entries, &profile::unix_socket_dir_bind, nullptr,
     nullptr, path_key},
    {"filesystem", "unix_socket_subtree", field_shape::entries, &profile::unix_socket_subtree, nullptr,
     nullptr, path_key},
    {"filesystem", "unix_socket_subtree_bind", field_shape::entries, &profile::unix_socket_subtree_bind,
     nullptr, nullptr, path_key},
    {"filesystem", "deny", field_shape::entries, &profile::deny, nullptr, nullptr, path_key},
    {"filesystem", "bypass_protection", field_shape::entries, &profile::bypass_protection, nullptr, nullptr,
     path_key},
    {"filesystem",
     "suppress_save_prompt",
     field_shape::nothing,
     nullptr,
     nullptr,
     nullptr,
     {},
     {},
     "nono saves nothing and never asks"},
    {"filesystem",
     "ignore",
     field_shape::nothing,
     nullptr,
     nullptr,
     nullptr,
     {},
     {},
     "nono saves nothing and never asks"},
    {"policy",
     "exclude_groups",
     field_shape::texts,
     &profile::without_groups,
     nullptr,
     nullptr,
     {},
     "groups.exclude"},
    {"policy", "add_allow_read", field_shape::texts, &profile::read, nullptr, nullptr, {}, "filesystem.read"},
    {"policy",
     "add_allow_write",
     field_shape::texts,
     &profile::write,
     nullptr,
     nullptr,
     {},
     "filesystem.write"},
    {"policy",
     "add_allow_readwrite",
     field_shape::texts,
     &profile::allow,
     nullptr,
     nullptr,
     {},
     "filesystem.allow"},
    {"policy",
     "add_deny_access",
     field_shape::texts,
     &profile::deny,
     nullptr,
     nullptr,
     {},
     "filesystem.deny"},
    {"policy",
     "add_deny_commands",
     field_shape::texts,
     &profile::denied_commands,
     nullptr,
     nullptr,
     {},
     "commands.deny"},
    {"policy",
     "override_deny",
     field_shape::texts,
     &profile::bypass_protection,
     nullptr,
     nullptr,
     {},
     "filesystem.bypass_protection"},
    {"network", "block", field_shape::flag, nullptr, nullptr, &profile::block_network},
    {"network", "network_profile", field_shape::nullable_text, nullptr, nullptr, nullptr, host_profile_names},
    {"network", "allow_domain", field_shape::domains},
    {"network", "proxy_allow", field_shape::domains, nullptr, nullptr, nullptr, {}, "network.allow_domain"},
    {"network", "allow_proxy", field_shape::domains, nullptr, nullptr, nullptr, {}, "network.allow_domain"},
    {"network", "credentials", field_shape::optional_texts},
    {"network",
     "proxy_credentials",
     field_shape::optional_texts,
     nullptr,
     nullptr,
     nullptr,
     {},
     "network.credentials"},
    {"network", "custom_credentials", field_shape::definitions},
    {"network", "open_port", field_shape::ports, &profile::open_ports},
    {"network",
     "port_allow",
     field_shape::ports,
     &profile::open_ports,
     nullptr,
     nullptr,
     {},
     "network.open_port"},
    {"network",
     "allow_port",
     field_shape::ports,
     &profile::open_ports,
     nullptr,
     nullptr,
     {},
     "network.open_port"},
    {"network", "listen_port", field_shape::ports, &profile::listen_ports},
    {"network", "connect_port", field_shape::ports, &profile::connect_ports},
    {"network", "upstream_proxy", field_shape::text, nullptr, &profile::upstream_proxy},
    {"network",
     "external_proxy",
     field_shape::text,
     nullptr,
     &profile::upstream_proxy,
     nullptr,
     {},
     "network.upstream_proxy"},
    {"network", "upstream_bypass", field_shape::texts, &profile::upstream_bypass},
    {"network",
     "external_proxy_bypass",
     field_shape::texts,
     &profile::upstream_bypass,
     nullptr,
     nullptr,
     {},
     "network.upstream_bypass"},
    {"network", "tls_intercept", field_shape::nothing},
    {"network", "allow_http2", field_shape::nothing},
    {"workdir", "access", field_shape::word, nullptr, &profile::workdir, nullptr,
     "none read write readwrite"},
    {"", "interactive", field_shape::flag, nullptr, nullptr, &profile::interactive},
    {"", "env_credentials", field_shape::references},
    {"", "secrets", field_shape::references, nullptr, nullptr, nullptr, {}, "env_credentials"},
    {"environment", "allow_vars", field_shape::optional_texts},
    {"environment", "deny_vars", field_shape::texts, &profile::deny_vars},
    {"environment", "set_vars", field_shape::variables},
    {"commands", "allow", field_shape::texts, &profile::allowed_commands},
    {"commands", "deny", field_shape::texts, &profile::denied_commands},
    {"", "rollback", field_shape::nothing},
    {"", "undo", field_shape::nothing},
    {"", "hooks", field_shape::anything},
    {"", "session_hooks", field_shape::nothing},
    {"", "open_urls", field_shape::nothing},
    {"", "allow_launch_services", field_shape::nothing},
    {"", "allow_gpu", field_shape::nothing},
    {"", "allow_parent_of_protected", field_shape::nothing},
    {"", "linux", field_shape::nothing},
    {"", "diagnostics", field_shape::nothing},
    {"", "skipdirs", field_shape::nothing},
    {"", "packs", field_shape::nothing},
    {"", "binary", field_shape::nothing},
    {"", "command_args", field_shape::nothing},
    {"", "brokered_commands", field_shape::nothing},
    {"", "credential_capture", field_shape::nothing},
    {"", "command_policies", field_shape::nothing},
    {"", "unsafe_macos_seatbelt_rules", field_shape::texts, &profile::platform_rules},
};

/// The objects of a profile, in the order of the schema.
inline constexpr std::string_view profile_objects[] = {
    "meta", "groups", "security", "filesystem", "policy", "network", "workdir", "environment", "commands"};

/// The keys of one definition in "custom_credentials".
inline constexpr std::string_view definition_keys[] = {
    "upstream",        "credential_key",    "auth",           "aws_auth",         "inject_mode",
    "inject_header",   "credential_format", "path_pattern",   "path_replacement", "query_param_name",
    "proxy",           "env_var",           "endpoint_rules", "endpoint_policy",  "tls_ca",
    "tls_client_cert", "tls_client_key",
};

/// Calls f(word) for each of the words.
template <class F>
constexpr void for_each_word(std::string_view words, F&& f) {
  while (!words.empty()) {
    const std::string_view one = words.substr(0, words.find(' '));
    f(one);
    words.remove_prefix(one.size() == words.size() ? one.size() : one.size() + 1);
  }
}

/// Adds what is not there yet. Of hosts one that has rules for its endpoints stays restricted to them.
inline void add_domain(std::vector<profile_domain>& to, const profile_domain& added) {
  auto at = std::find_if(to.begin(), to.end(), [&](const profile_domain& d) { return d.name == added.name; });
  if (at == to.end()) at = to.insert(to.end(), profile_domain{added.name});
  for (const auto& e : added.endpoints)
    if (std::find(at->endpoints.begin(), at->endpoints.end(), e) == at->endpoints.end())
      at->endpoints.push_back(e);
}

inline std::string full_name(const profile_field& f) {
  return f.object.empty() ? std::string(f.name) : std::string(f.object) + '.' + std::string(f.name);
}

}  // namespace detail

}  // namespace nono
