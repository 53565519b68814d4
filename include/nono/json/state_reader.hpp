// SPDX-License-Identifier: Apache-2.0
// A text as a stored state: the reference's keys as it reads them, and the key "nono", of which nothing unknown is let by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/error.hpp>
#include <nono/json/reader.hpp>
#include <nono/json/state_data.hpp>
#include <nono/json/state_writer.hpp>
#include <nono/policy.hpp>

namespace nono::detail {

/// What a stored state may be, as JSON.
inline constexpr json_options json_of_state{
    .repeated_keys = true, .bytes = max_state_text, .depth = 128, .values = 200'000};

class state_reader {
 public:
  error read(std::string_view text, stored_policy& to) {
    const result<json_value> root = read_json(text, subject, json_of_state);
    if (!root) return root.error();
    read_root(*root, to);
    return std::move(failed_);
  }

 private:
  using kind = json_value::kind;
  static constexpr std::string_view subject = "JSON parse error";

  // --- what a value must be; the first that is not is kept ---------------------------------------------------------

  void fail(errc code, std::string detail, json_position at) {
    if (failed_.code == errc::none) failed_ = json_error(code, subject, std::move(detail), at);
  }
  bool is(const json_value& v, kind wanted, std::string_view what) {
    if (v.is == wanted) return true;
    fail(errc::json_wrong_type,
         detail::quoted(what) + " must be " + text_of(name_of(wanted)) + ", not " + text_of(name_of(v.is)),
         v.at);
    return false;
  }
  /// A member that the object may have once; null when it is not there.
  const json_value* member(const json_value& object, std::string_view key) {
    const json_value* found = nullptr;
    for (const json_value& m : object.items) {
      if (m.key != key) continue;
      if (found != nullptr)
        fail(errc::json_repeated_key, "the key " + detail::quoted(key) + " stands twice", m.key_at);
      if (found == nullptr) found = &m;
    }
    return found;
  }
  const json_value* member(const json_value& object, std::string_view key, kind wanted) {
    const json_value* const m = member(object, key);
    return m != nullptr && is(*m, wanted, key) ? m : nullptr;
  }
  const json_value* needed(const json_value& object, std::string_view key, kind wanted) {
    const json_value* const m = member(object, key);
    if (m == nullptr) fail(errc::json_missing_key, detail::quoted(key), object.at);
    return m != nullptr && is(*m, wanted, key) ? m : nullptr;
  }
  std::string text(const json_value& object, std::string_view key) {
    const json_value* const m = needed(object, key, kind::text);
    return m == nullptr ? std::string() : m->text;
  }
  std::string optional_text(const json_value& object, std::string_view key) {
    const json_value* const m = member(object, key, kind::text);
    return m == nullptr ? std::string() : m->text;
  }
  bool truth(const json_value& object, std::string_view key) {
    const json_value* const m = member(object, key, kind::boolean);
    return m != nullptr && m->truth;
  }
  template <class F>
  void each(const json_value* array, F&& f) {
    if (array != nullptr)
      for (const json_value& item : array->items)
        if (failed_.code == errc::none) f(item);
  }
  /// The number of the word among `words`; the first when there is none.
  template <std::size_t N>
  std::size_t word(const json_value* v, const std::string_view (&words)[N]) {
    if (v == nullptr) return 0;
    std::string known;
    for (std::size_t i = 0; i < N; ++i) {
      if (words[i] == v->text) return i;
      known += (i == 0 ? "" : ", ") + text_of(words[i]);
    }
    fail(errc::json_bad_value, detail::quoted(v->text) + " is none of " + known, v->at);
    return 0;
  }
  void known_keys(const json_value& object, std::initializer_list<std::string_view> keys) {
    for (const json_value& m : object.items)
      if (std::find(keys.begin(), keys.end(), m.key) == keys.end())
        fail(errc::json_unknown_key, detail::quoted(m.key), m.key_at);
  }

  // --- the reference's keys ----------------------------------------------------------------------------------------

  void read_root(const json_value& root, stored_policy& to) {
    if (!is(root, kind::object, "a sandbox state")) return;
    reference_view view;
    each(needed(root, "fs", kind::array), [&](const json_value& v) { read_file(v, view); });
    each(member(root, "unix_sockets", kind::array), [&](const json_value& v) { read_socket(v, view); });
    const json_value* const blocked = needed(root, "net_blocked", kind::boolean);
    view.net_blocked = blocked != nullptr && blocked->truth;
    read_limits(member(root, "resource_limits"), to);
    const json_value* const beyond = member(root, "nono", kind::object);
    if (failed_.code != errc::none) return;
    if (beyond == nullptr) return take(view, to);
    read_beyond(*beyond, to);
    if (failed_.code == errc::none && !(reference_view_of(to) == view))
      fail(errc::state_contradicts_itself, "the key \"nono\" and the keys beside it do not say the same",
           beyond->key_at);
  }
  std::string resolved(const json_value& object) {
    std::string path = text(object, "resolved");
    if (failed_.code == errc::none && !path.starts_with('/'))
      fail(errc::json_bad_value, "the resolved path " + detail::quoted(path) + " is not absolute", object.at);
    return path;
  }
  void read_file(const json_value& v, reference_view& view) {
    if (!is(v, kind::object, "fs")) return;
    reference_view::file f{text(v, "original"), resolved(v), text(v, "access"), false};
    const json_value* const is_file = needed(v, "is_file", kind::boolean);
    f.is_file = is_file != nullptr && is_file->truth;
    view.files.push_back(std::move(f));
  }
  void read_socket(const json_value& v, reference_view& view) {
    static constexpr std::string_view scopes[] = {"file", "dir_children", "dir_subtree"};
    static constexpr std::string_view mode_words[] = {"connect", "connect+bind"};
    if (!is(v, kind::object, "unix_sockets")) return;
    const json_value* const scope = member(v, "scope", kind::text);
    // Before "scope" there was a bool.
    const std::size_t which = scope == nullptr && truth(v, "is_directory") ? 1 : word(scope, scopes);
    view.sockets.push_back({text(v, "original"), resolved(v), scopes[which],
                            mode_words[word(needed(v, "mode", kind::text), mode_words)]});
  }
  void read_limits(const json_value* limits, stored_policy& to) {
    if (limits == nullptr || limits->is == kind::null || !is(*limits, kind::object, "resource_limits"))
      return;
    to.has_limits = true;
    const json_value* const memory = member(*limits, "memory_bytes");
    if (memory == nullptr || memory->is == kind::null || !is(*memory, kind::natural, "memory_bytes")) return;
    to.memory_limit = memory->natural;
  }
  /// Nothing but the reference's keys: they are the policy.
  static void take(const reference_view& view, stored_policy& to) {
    for (const reference_view::file& f : view.files) {
      stored_rule r{.path = f.original, .resolved = f.resolved, .is_file = f.is_file};
      r.kind = f.is_file ? path_kind::file : path_kind::directory;
      for (const right rights : {right::read, right::write, right::read_write})
        if (access_word_of(rights) == f.access) r.rights = rights;
      if (r.rights == no_rights) r.access = f.access;
      to.rules.push_back(std::move(r));
    }
    for (const reference_view::socket& s : view.sockets) {
      stored_rule r{.path = s.original, .resolved = s.resolved, .rights = right::connect_unix};
      r.is_file = s.scope == "file";
      r.kind = r.is_file ? path_kind::file : path_kind::directory;
      r.directly_in = s.scope == "dir_children";
      r.binds = s.mode == "connect+bind";
      to.rules.push_back(std::move(r));
    }
    to.network.mode = view.net_blocked ? network_mode::blocked : network_mode::unrestricted;
  }

  // --- the key "nono" ----------------------------------------------------------------------------------------------

  void read_beyond(const json_value& v, stored_policy& to) {
    const json_value* const version = needed(v, "version", kind::natural);
    if (version != nullptr && version->natural != 1)
      fail(errc::state_version_unknown, std::to_string(version->natural), version->at);
    if (failed_.code != errc::none) return;
    known_keys(v, {"version", "rules", "groups", "variables", "network", "unix_sockets", "best_effort",
                   "lifted", "strict", "target"});
    static constexpr std::string_view sockets[] = {"by_default", "none", "granted", "any"};
    static constexpr std::string_view targets[] = {"unspecified", "linux_only", "portable"};
    each(member(v, "variables", kind::array), [&](const json_value& name) {
      if (is(name, kind::text, "variables")) to.variables.push_back(name.text);
    });
    each(member(v, "rules", kind::array), [&](const json_value& r) { read_rule(r, to.rules, nullptr); });
    each(member(v, "groups", kind::array), [&](const json_value& g) { read_group(g, to); });
    if (const json_value* network = needed(v, "network", kind::object)) read_network(*network, to);
    to.sockets = static_cast<unix_sockets>(word(member(v, "unix_sockets", kind::text), sockets));
    to.target = static_cast<target_systems>(word(member(v, "target", kind::text), targets));
    read_protections(v, "best_effort", to.best_effort);
    read_protections(v, "lifted", to.lifted);
    to.strict = truth(v, "strict");
  }
  void read_group(const json_value& v, stored_policy& to) {
    if (!is(v, kind::object, "groups")) return;
    known_keys(v, {"name", "platform", "rules"});
    stored_group g{text(v, "name")};
    g.on = static_cast<platform>(word(member(v, "platform", kind::text), platform_words));
    each(needed(v, "rules", kind::array), [&](const json_value& r) { read_rule(r, g.rules, &g); });
    to.groups.push_back(std::move(g));
  }
  void read_rule(const json_value& v, std::vector<stored_rule>& to, const stored_group* group) {
    if (!is(v, kind::object, "rules")) return;
    known_keys(v, {"path", "kind", "rights", "resolved", "came_to", "is_file", "missing", "origin", "source",
                   "gives_way", "device", "inode", "access", "binds", "directly_in"});
    stored_rule r{.path = text(v, "path")};
    r.kind = static_cast<path_kind>(word(needed(v, "kind", kind::text), kind_words));
    r.access = optional_text(v, "access");  // a word that says no rights
    if (r.kind != path_kind::deny && r.access.empty()) r.rights = rights(v);
    // Only what stands under a variable, or is another system's, may lead nowhere: else nothing would be checked.
    const bool elsewhere = starts_with_variable(r.path) || (group != nullptr && group->on != platform::any);
    if (!elsewhere || v.find("resolved") != nullptr) r.resolved = resolved(v);
    r.was = r.resolved.empty()
                ? stored_rule::effect::absent
                : static_cast<stored_rule::effect>(word(member(v, "came_to", kind::text), effect_words));
    r.is_file = r.kind == path_kind::any ? truth(v, "is_file")
                                         : r.kind == path_kind::file && r.was != stored_rule::effect::absent;
    r.missing = static_cast<when_missing>(word(member(v, "missing", kind::text), missing_words));
    r.from = group != nullptr ? origin::group
                              : static_cast<origin>(word(member(v, "origin", kind::text), origin_names));
    r.source = group != nullptr ? group->name : optional_text(v, "source");
    r.gives_way = truth(v, "gives_way");
    const json_value* const device = member(v, "device", kind::natural);
    if (device != nullptr || v.find("inode") != nullptr) {
      const json_value* const inode = needed(v, "inode", kind::natural);
      if (device == nullptr) fail(errc::json_missing_key, "'device'", v.at);
      if (device != nullptr && inode != nullptr) r.pinned = inode_id{device->natural, inode->natural};
    }
    r.binds = truth(v, "binds");
    r.directly_in = truth(v, "directly_in");
    to.push_back(std::move(r));
  }
  right rights(const json_value& v) {
    const json_value* const words = needed(v, "rights", kind::text);
    if (words == nullptr) return no_rights;
    std::string_view unknown;
    const right out = rights_of_words(words->text, unknown);
    if (unknown.data() != nullptr)
      fail(errc::json_bad_value, detail::quoted(unknown) + " is no right", words->at);
    return out;
  }
  void read_network(const json_value& v, stored_policy& to) {
    static constexpr std::string_view mode_words[] = {"unrestricted", "blocked", "loopback", "only", "hosts"};
    known_keys(v, {"mode", "ports", "hosts"});
    to.network.mode = static_cast<network_mode>(word(needed(v, "mode", kind::text), mode_words));
    each(member(v, "ports", kind::array), [&](const json_value& p) {
      if (!is(p, kind::object, "ports")) return;
      known_keys(p, {"connect_tcp", "bind_tcp"});
      for (const port_use use : {port_use::connect_tcp, port_use::bind_tcp}) {
        const json_value* const number = member(p, name_of(use), kind::natural);
        if (number == nullptr) continue;
        if (number->natural > 65535 || check_port(static_cast<long long>(number->natural), use) != errc::none)
          return fail(errc::json_bad_value, "the port is out of range", number->at);
        if (to.network.port_count == max_ports)
          return fail(errc::json_bad_value, "more than 32 ports", number->at);
        to.network.ports[to.network.port_count++] = {use, static_cast<std::uint16_t>(number->natural)};
      }
    });
    each(member(v, "hosts", kind::array), [&](const json_value& h) {
      if (is(h, kind::text, "hosts")) to.hosts.push_back(h.text);
    });
    const bool names_hosts = to.network.mode == network_mode::hosts;
    if ((to.network.port_count != 0 ? !names_hosts && to.network.mode != network_mode::ports
                                    : to.network.mode == network_mode::ports) ||
        to.hosts.empty() == names_hosts)
      fail(errc::json_bad_value, "the network's mode does not go with its ports and hosts", v.at);
  }
  void read_protections(const json_value& v, std::string_view key, protection_set& to) {
    each(member(v, key, kind::array), [&](const json_value& name) {
      if (!is(name, kind::text, key)) return;
      for (const protection_row& row : protections)
        if (row.name == name.text) {
          to |= row.id;
          return;
        }
      fail(errc::json_bad_value, detail::quoted(name.text) + " is no protection", name.at);
    });
  }

  error failed_;
};

}  // namespace nono::detail
