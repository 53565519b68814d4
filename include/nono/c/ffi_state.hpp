// SPDX-License-Identifier: Apache-2.0
// A capability set as JSON: a stored state of the library, and beside it what only this interface has.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
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
#include <nono/c/ffi_rule.hpp>
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

/// Where an entry came from, in the words of both.
inline constexpr std::pair<origin, NonoCapabilitySourceTag> source_tags[] = {
    {origin::user, NONO_CAPABILITY_SOURCE_TAG_USER},
    {origin::group, NONO_CAPABILITY_SOURCE_TAG_GROUP},
    {origin::profile, NONO_CAPABILITY_SOURCE_TAG_PROFILE},
    {origin::system, NONO_CAPABILITY_SOURCE_TAG_SYSTEM},
    {origin::command, NONO_CAPABILITY_SOURCE_TAG_SYSTEM},
};

inline std::unique_ptr<NonoSandboxState> state_of(const NonoCapabilitySet& set) {
  auto out = std::make_unique<NonoSandboxState>();
  // A file may be called "$HOME"; in a state that is a variable.
  const auto as_stored = [](const std::string& path) { return path.starts_with('$') ? "./" + path : path; };
  for (const entry& e : set.entries) {
    const auto* const source = std::find_if(std::begin(source_tags), std::end(source_tags),
                                            [&](const auto& row) { return row.second == e.source; });
    out->policy.rules.push_back({.path = as_stored(e.original),
                                 .resolved = e.resolved,
                                 .rights = e.rights,
                                 .kind = e.is_file ? path_kind::file : path_kind::directory,
                                 .from = source->first,
                                 .source = e.group,
                                 .was = stored_rule::effect::grants,
                                 .is_file = e.is_file});
  }
  for (const denied_path& d : set.denies)
    out->policy.rules.push_back({.path = as_stored(d.original),
                                 .resolved = d.resolved,
                                 .kind = path_kind::deny,
                                 .missing = if_exists,
                                 .was = stored_rule::effect::grants});
  detail::mark_unfit(out->policy);
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
  out->policy.sockets = set.sockets;
  out->policy.target = set.target;
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
  if (text->size() > max_state_text)
    return error{errc::json_too_large,
                 0,
                 "the sandbox state",
                 {},
                 "more than " + std::to_string(max_state_text) + " bytes"};
  return text;
}

/// Reads the key "nono_c"; the sentence of what is wrong with it.
inline std::string read_beyond(const json_value& root, NonoSandboxState& to) {
  const json_value* const beyond = root.find("nono_c");
  if (beyond == nullptr) return {};
  using kind = json_value::kind;
  const auto wrong = [](const json_value& v, std::string_view what) {
    return "JSON parse error: \"nono_c\" " + std::string(what) + " at line " + std::to_string(v.at.line) +
           " column " + std::to_string(v.at.column);
  };
  if (std::count_if(root.items.begin(), root.items.end(),
                    [](const json_value& v) { return v.key == "nono_c"; }) > 1)
    return wrong(*beyond, "stands twice");
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
  if (!state) return (void)bad_argument(state.error().message()), nullptr;
  const auto root = read_json(text, "JSON parse error", detail::json_of_state);
  if (!root) return (void)bad_argument(root.error().message()), nullptr;
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
    const auto moved = [&](const std::string& to) {
      return unable("the path " + r.path + " leads to " + as_utf8(to) + " now and not to " + r.resolved),
             false;
    };
    if (r.kind == path_kind::deny) {
      std::string now = where_it_leads(r.path);
      if (!r.resolved.empty() && now != r.resolved) return moved(now);
      out->denies.push_back({r.path, std::move(now)});
      return true;
    }
    if (r.directly_in || r.binds)
      return unable("sockets that can be bound, or of one directory alone, are not built yet"), false;
    // It came to nothing then. A grant that meets a deny is here still: apply() refuses the two.
    if (r.was == stored_rule::effect::absent || (r.was == stored_rule::effect::unfit && r.gives_way))
      return true;
    real_path at = resolve(r.path);
    if (at.code != NONO_ERROR_CODE_OK) {
      if (r.missing != must_exist) return true;
      return (void)failed(at.code, std::move(at.message)), false;
    }
    if (at.path != r.resolved) return moved(at.path);
    struct stat st{};
    const bool is_there = ::stat(at.path.c_str(), &st) == 0;
    if (r.pinned && (!is_there || inode_id{static_cast<std::uint64_t>(st.st_dev),
                                           static_cast<std::uint64_t>(st.st_ino)} != *r.pinned))
      return unable("another file stands at " + r.path + " now"), false;
    const bool is_file = !is_there || !S_ISDIR(st.st_mode);
    if (is_file != r.is_file)
      return (void)failed(
                 r.is_file ? NONO_ERROR_CODE_ERR_EXPECTED_FILE : NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY,
                 (r.is_file ? "Expected a file but got a directory: "
                            : "Expected a directory but got a file: ") +
                     r.path),
             false;
    out->entries.push_back({r.path, std::move(at.path), r.rights, is_file,
                            group.empty() ? source_tags[static_cast<std::size_t>(r.from)].second
                                          : NONO_CAPABILITY_SOURCE_TAG_GROUP,
                            group.empty() && r.from == origin::group ? r.source : group});
    return true;
  };
  for (const stored_rule& r : state.policy.rules)
    if (!add(r, {})) return nullptr;
  for (const stored_group& g : state.policy.groups)
    if (g.on == platform::any || g.on == this_platform)
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
  for (const std::string& rule : state.platform_rules)
    if (std::string why = platform_rule(rule).check(); !why.empty()) return unable(std::move(why));
  out->best_effort = state.policy.best_effort;
  out->lifted = state.policy.lifted;
  out->strict = state.policy.strict;
  out->sockets = state.policy.sockets;
  out->target = state.policy.target;
  return out;
}

}  // namespace nono::c
