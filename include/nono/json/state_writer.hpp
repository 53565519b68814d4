// SPDX-License-Identifier: Apache-2.0
// A stored state as a text: the reference's keys in its layout, then the key "nono" with a line for each rule.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nono/error.hpp>
#include <nono/json/state_data.hpp>
#include <nono/json/writer.hpp>
#include <nono/policy.hpp>

namespace nono::detail {

inline constexpr std::string_view kind_words[] = {"directory", "file", "any", "deny"};
inline constexpr std::string_view missing_words[] = {"must_exist", "if_exists", "create_dir"};
inline constexpr std::string_view effect_words[] = {"grants", "absent", "unfit"};
inline constexpr std::string_view platform_words[] = {"any", "linux", "macos"};

template <class Enum, std::size_t N>
constexpr std::string_view word_of(Enum value, const std::string_view (&words)[N]) noexcept {
  return words[static_cast<std::size_t>(value)];
}

class state_writer {
 public:
  explicit state_writer(const stored_policy& from) : from_(from) {}

  result<std::string> text() {
    const reference_view view = reference_view_of(from_);
    out_.reserve(1024 + 256 * (from_.rules.size() + view.files.size()));  // what most need
    out_ = "{\n  \"fs\": ";
    list(view.files, [&](const reference_view::file& f) {
      object(f.original, f.resolved);
      out_ += ",\n      \"access\": ";
      put(f.access);
      out_ += f.is_file ? ",\n      \"is_file\": true" : ",\n      \"is_file\": false";
    });
    if (!view.sockets.empty()) {
      out_ += ",\n  \"unix_sockets\": ";
      list(view.sockets, [&](const reference_view::socket& s) {
        object(s.original, s.resolved);
        out_ += ",\n      \"scope\": ";
        put(s.scope);
        out_ += ",\n      \"mode\": ";
        put(s.mode);
      });
    }
    out_ += view.net_blocked ? ",\n  \"net_blocked\": true" : ",\n  \"net_blocked\": false";
    if (from_.has_limits)
      out_ += from_.memory_limit ? ",\n  \"resource_limits\": {\n    \"memory_bytes\": " +
                                       std::to_string(*from_.memory_limit) + "\n  }"
                                 : ",\n  \"resource_limits\": {}";
    if (!reference_can_say(from_)) put_beyond();
    out_ += "\n}";
    if (failed_.code != errc::none) return std::move(failed_);
    if (out_.size() > max_state_text)
      return error{errc::json_too_large,
                   0,
                   "the sandbox state",
                   {},
                   "more than " + std::to_string(max_state_text) + " bytes"};
    return std::move(out_);
  }

 private:
  void put(std::string_view text) {
    if (!is_utf8(text) && failed_.code == errc::none)
      failed_ = {errc::state_path_not_utf8, 0, "the sandbox state", std::string(text), {}};
    append_json_string(out_, text);
  }
  template <class Items, class F>
  void list(const Items& items, F&& each) {
    out_ += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      out_ += i == 0 ? "\n    {\n" : ",\n    {\n";
      each(items[i]);
      out_ += "\n    }";
    }
    out_ += items.empty() ? "]" : "\n  ]";
  }
  void object(std::string_view original, std::string_view resolved) {
    out_ += "      \"original\": ";
    put(original);
    out_ += ",\n      \"resolved\": ";
    put(resolved);
  }

  void member(std::string_view key) {
    out_ += ",\n    \"";
    out_ += key;
    out_ += "\": ";
  }
  void put_beyond() {
    out_ += ",\n  \"nono\": {\n    \"version\": 1";
    if (!from_.rules.empty()) {
      member("rules");
      put_rules(from_.rules, "    ", false);
    }
    if (!from_.groups.empty()) {
      member("groups");
      for (std::size_t i = 0; i < from_.groups.size(); ++i) {
        const stored_group& g = from_.groups[i];
        out_ += i == 0 ? "[\n      {\"name\": " : ",\n      {\"name\": ";
        put(g.name);
        if (g.on != platform::any) {
          out_ += ", \"platform\": ";
          put(word_of(g.on, platform_words));
        }
        out_ += ", \"rules\": ";
        put_rules(g.rules, "      ", true);
        out_ += '}';
      }
      out_ += "\n    ]";
    }
    if (!from_.variables.empty()) {
      member("variables");
      words(from_.variables);
    }
    member("network");
    put_network();
    if (from_.sockets != unix_sockets::by_default) {
      member("unix_sockets");
      put(name_of(from_.sockets));
    }
    protections_of("best_effort", from_.best_effort);
    protections_of("lifted", from_.lifted);
    if (from_.strict) {
      member("strict");
      out_ += "true";
    }
    if (from_.target != target_systems::unspecified) {
      member("target");
      put(name_of(from_.target));
    }
    out_ += "\n  }";
  }

  void put_rules(const std::vector<stored_rule>& rules, std::string_view indent, bool of_group) {
    out_ += '[';
    for (const stored_rule& r : rules) {
      out_ += &r == rules.data() ? "\n" : ",\n";
      out_ += indent;
      out_ += "  ";
      put_rule(r, of_group);
    }
    if (!rules.empty()) {
      out_ += '\n';
      out_ += indent;
    }
    out_ += ']';
  }
  void put_rule(const stored_rule& r, bool of_group) {
    for (const std::string_view text : {r.path, r.resolved, r.source, r.access})
      if (!is_utf8(text)) return put(text);  // notes the error
    json_line line(out_);
    line.text("path", r.path).text("kind", word_of(r.kind, kind_words));
    if (r.kind != path_kind::deny && r.access.empty()) {
      std::string rights;
      append_rights(rights, r.rights);
      line.text("rights", rights);
    }
    if (!r.resolved.empty()) {
      line.text("resolved", r.resolved);
      if (r.was != stored_rule::effect::grants) line.text("came_to", word_of(r.was, effect_words));
    }
    if (r.kind == path_kind::any && r.is_file) line.truth("is_file");
    if (r.missing != must_exist) line.text("missing", word_of(r.missing, missing_words));
    if (!of_group && r.from != origin::user) line.text("origin", word_of(r.from, origin_names));
    if (!of_group && !r.source.empty()) line.text("source", r.source);
    if (r.gives_way) line.truth("gives_way");
    if (r.pinned) line.natural("device", r.pinned->device).natural("inode", r.pinned->number);
    if (!r.access.empty()) line.text("access", r.access);
    if (r.binds) line.truth("binds");
    if (r.directly_in) line.truth("directly_in");
  }
  void put_network() {
    out_ += "{\"mode\": ";
    put(name_of(from_.network.mode));
    if (from_.network.port_count != 0) {
      out_ += ", \"ports\": [";
      for (std::size_t i = 0; i < from_.network.port_count; ++i) {
        if (i != 0) out_ += ", ";
        json_line(out_).natural(name_of(from_.network.ports[i].use), from_.network.ports[i].port);
      }
      out_ += ']';
    }
    if (!from_.hosts.empty()) {
      out_ += ", \"hosts\": ";
      words(from_.hosts);
    }
    out_ += '}';
  }
  template <class Texts>
  void words(const Texts& texts) {
    out_ += '[';
    bool first = true;
    for (const std::string_view text : texts) {
      if (!first) out_ += ", ";
      first = false;
      put(text);
    }
    out_ += ']';
  }
  void protections_of(std::string_view key, protection_set named) {
    std::vector<std::string_view> names;
    for (const protection_row& row : protections)
      if (named.has(row.id)) names.push_back(row.name);
    if (names.empty()) return;
    member(key);
    words(names);
  }

  const stored_policy& from_;
  std::string out_;
  error failed_;
};

}  // namespace nono::detail
