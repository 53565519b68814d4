// SPDX-License-Identifier: Apache-2.0
// A capability set as JSON: a stored state of the library, and beside it what only this interface has.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/error.hpp>
#include <nono/json/reader.hpp>
#include <nono/json/state.hpp>
#include <nono/json/writer.hpp>

#include <nono/c/ffi_query.hpp>
#include <nono/c/ffi_set.hpp>
#include <nono/c/ffi_text.hpp>

struct NonoSandboxState {
  nono::stored_policy policy{};
  // Under the key "nono_c", written where one of them says something.
  bool proxy_only = false;
  std::uint16_t proxy_port = 0;
  std::vector<std::string> allowed_commands{}, blocked_commands{}, platform_rules{};
};

namespace nono::c {

inline std::unique_ptr<NonoSandboxState> state_of(const NonoCapabilitySet& set) {
  auto out = std::make_unique<NonoSandboxState>();
  for (const entry& e : set.entries)
    out->policy.rules.push_back({.path = e.original,
                                 .resolved = e.resolved,
                                 .rights = e.rights,
                                 .kind = e.is_file ? path_kind::file : path_kind::directory,
                                 .was = stored_rule::effect::grants,
                                 .is_file = e.is_file});
  for (const denied_path& d : set.denies)
    out->policy.rules.push_back({.path = d.original,
                                 .resolved = d.resolved,
                                 .kind = path_kind::deny,
                                 .missing = if_exists,
                                 .was = stored_rule::effect::grants});
  network_rule& network = out->policy.network;
  if (set.network != NONO_NETWORK_MODE_ALLOW_ALL) network.mode = network_mode::blocked;
  const auto open = [&](port_rule port) {
    network.mode = network_mode::ports;
    network.ports[network.port_count++] = port;
  };
  if (set.proxy_port != 0) open({port_use::connect_tcp, set.proxy_port});
  for (const port_rule port : set.ports) open(port);
  out->policy.best_effort = set.best_effort;
  out->policy.lifted = set.lifted;
  out->policy.strict = set.strict;
  out->proxy_only = set.network == NONO_NETWORK_MODE_PROXY_ONLY;
  out->proxy_port = set.proxy_port;
  out->allowed_commands = set.allowed_commands;
  out->blocked_commands = set.blocked_commands;
  out->platform_rules = set.platform_rules;
  return out;
}

/// The JSON of a state. Errors: state_path_not_utf8.
inline result<std::string> json_of(const NonoSandboxState& state) {
  auto text = detail::state_writer(state.policy).text();
  if (!text) return text;
  const std::pair<std::string_view, const std::vector<std::string>*> lists[] = {
      {"allowed_commands", &state.allowed_commands},
      {"blocked_commands", &state.blocked_commands},
      {"platform_rules", &state.platform_rules},
  };
  const bool says = state.proxy_only || std::any_of(std::begin(lists), std::end(lists),
                                                    [](const auto& list) { return !list.second->empty(); });
  if (!says) return text;
  text->resize(text->size() - std::string_view("\n}").size());
  *text += ",\n  \"nono_c\": {";
  bool first = true;
  const auto member = [&](std::string_view key) {
    *text += first ? "\n    " : ",\n    ";
    first = false;
    detail::append_json_string(*text, key);
    *text += ": ";
  };
  if (state.proxy_only) {
    member("proxy_port");
    *text += std::to_string(state.proxy_port);
  }
  for (const auto& [key, list] : lists) {
    if (list->empty()) continue;
    member(key);
    *text += '[';
    for (const std::string& item : *list) {
      if (&item != list->data()) *text += ", ";
      detail::append_json_string(*text, item);
    }
    *text += ']';
  }
  *text += "\n  }\n}";
  return text;
}

/// What went wrong with a text, as callers know it.
inline std::string json_failure(const nono::error& why) { return "JSON parse error: " + why.message(); }

/// Reads the key "nono_c"; the sentence of what is wrong with it.
inline std::string read_beyond(const json_value& root, NonoSandboxState& to) {
  const json_value* const beyond = root.find("nono_c");
  if (beyond == nullptr) return {};
  using kind = json_value::kind;
  const auto wrong = [](const json_value& v, std::string_view what) {
    return "JSON parse error: \"nono_c\" " + std::string(what) + " at line " + std::to_string(v.at.line) +
           " column " + std::to_string(v.at.column);
  };
  if (beyond->is != kind::object) return wrong(*beyond, "is no object");
  for (const json_value& member : beyond->items) {
    std::vector<std::string>* const list = member.key == "allowed_commands"   ? &to.allowed_commands
                                           : member.key == "blocked_commands" ? &to.blocked_commands
                                           : member.key == "platform_rules"   ? &to.platform_rules
                                                                              : nullptr;
    if (member.key == "proxy_port") {
      if (member.is != kind::natural || member.natural > UINT16_MAX)
        return wrong(member, "has a port that is none");
      to.proxy_only = true;
      to.proxy_port = static_cast<std::uint16_t>(member.natural);
    } else if (list != nullptr) {
      if (member.is != kind::array) return wrong(member, "has a list that is none");
      for (const json_value& item : member.items) {
        if (item.is != kind::text) return wrong(item, "has an item that is no text");
        list->push_back(item.text);
      }
    }
  }
  const network_rule& network = to.policy.network;
  const bool has_port = to.proxy_port == 0
                            ? network.mode == network_mode::blocked || network.mode == network_mode::ports
                            : network.mode == network_mode::ports && network.port_count > 0 &&
                                  network.ports[0].use == port_use::connect_tcp &&
                                  network.ports[0].port == to.proxy_port;
  if (to.proxy_only && !has_port) return wrong(*beyond, "has a proxy whose port the network does not have");
  return {};
}

/// A state from its JSON; null, with a message.
inline std::unique_ptr<NonoSandboxState> state_from(std::string_view text) {
  auto state = sandbox_state::from_json(text);
  if (!state) return (void)bad_argument(json_failure(state.error())), nullptr;
  const auto root = read_json(text, "a sandbox state");
  if (!root) return (void)bad_argument(json_failure(root.error())), nullptr;
  auto out = std::make_unique<NonoSandboxState>();
  out->policy = std::move(state->data);
  if (std::string why = read_beyond(*root, *out); !why.empty())
    return (void)bad_argument(std::move(why)), nullptr;
  return out;
}

/// The set again. Nothing, with a message, where a path is gone or leads elsewhere.
inline std::unique_ptr<NonoCapabilitySet> set_of(const NonoSandboxState& state) {
  auto out = std::make_unique<NonoCapabilitySet>();
  const auto unable = [](std::string why) {
    failed_configuration("Configuration parse error: " + std::move(why));
    return nullptr;
  };
  const auto add = [&](const stored_rule& r, const std::string& group) -> bool {
    if (!r.access.empty()) return unable("invalid access mode in sandbox state: " + r.access), false;
    if (starts_with_variable(r.path)) return unable("the path " + r.path + " begins with a variable"), false;
    if (r.kind == path_kind::deny) {
      out->denies.push_back({r.path, r.resolved.empty() ? where_it_leads(r.path) : r.resolved});
      return true;
    }
    if (r.directly_in || r.binds)
      return unable("sockets that can be bound, or of one directory alone, are not built yet"), false;
    if (r.was != stored_rule::effect::grants) return true;  // it came to nothing then
    real_path at = resolve(r.path);
    if (at.code != NONO_ERROR_CODE_OK) {
      if (r.missing != must_exist) return true;
      return (void)failed(at.code, std::move(at.message)), false;
    }
    if (at.path != r.resolved)
      return unable("the path " + r.path + " leads to " + as_utf8(at.path) + " now and not to " + r.resolved),
             false;
    struct stat st{};
    const bool is_file = ::stat(at.path.c_str(), &st) != 0 || !S_ISDIR(st.st_mode);
    if (is_file != r.is_file)
      return (void)failed(
                 r.is_file ? NONO_ERROR_CODE_ERR_EXPECTED_FILE : NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY,
                 (r.is_file ? "Expected a file but got a directory: "
                            : "Expected a directory but got a file: ") +
                     r.path),
             false;
    constexpr NonoCapabilitySourceTag tags[] = {
        NONO_CAPABILITY_SOURCE_TAG_USER, NONO_CAPABILITY_SOURCE_TAG_GROUP, NONO_CAPABILITY_SOURCE_TAG_PROFILE,
        NONO_CAPABILITY_SOURCE_TAG_SYSTEM, NONO_CAPABILITY_SOURCE_TAG_SYSTEM};
    out->entries.push_back(
        {r.path, std::move(at.path), r.rights, is_file,
         group.empty() ? tags[static_cast<std::size_t>(r.from)] : NONO_CAPABILITY_SOURCE_TAG_GROUP,
         group.empty() && r.from == origin::group ? r.source : group});
    return true;
  };
  for (const stored_rule& r : state.policy.rules)
    if (!add(r, {})) return nullptr;
  for (const stored_group& g : state.policy.groups)
    for (const stored_rule& r : g.rules)
      if (!add(r, g.name)) return nullptr;
  const network_rule& network = state.policy.network;
  if (state.policy.memory_limit || network.mode == network_mode::hosts ||
      network.mode == network_mode::loopback)
    return unable("memory limits, hosts and a loopback network cannot be had through this interface");
  if (network.mode != network_mode::unrestricted)
    out->set_network(state.proxy_only ? NONO_NETWORK_MODE_PROXY_ONLY : NONO_NETWORK_MODE_BLOCKED,
                     state.proxy_port);
  for (std::size_t i = state.proxy_port != 0 ? 1 : 0; i < network.port_count; ++i)
    out->ports.push_back(network.ports[i]);
  out->allowed_commands = state.allowed_commands;
  out->blocked_commands = state.blocked_commands;
  out->platform_rules = state.platform_rules;
  out->best_effort = state.policy.best_effort;
  out->lifted = state.policy.lifted;
  out->strict = state.policy.strict;
  return out;
}

}  // namespace nono::c
