// SPDX-License-Identifier: Apache-2.0
// From the text of a profile to what it says: by the table of fields, and nothing that stands in no row is let by.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/error.hpp>
#include <nono/json/predicate.hpp>
#include <nono/json/profile_fields.hpp>
#include <nono/json/reader.hpp>
#include <nono/json/writer.hpp>

namespace nono::detail {

/// How many letters must be changed, added or left out to make one word of the other.
inline std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t k = 0; k <= b.size(); ++k) row[k] = k;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0]++;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const std::size_t change = corner + (a[i - 1] == b[k - 1] ? 0 : 1);
      corner = row[k];
      row[k] = std::min({change, row[k] + 1, row[k - 1] + 1});
    }
  }
  return row[b.size()];
}

/// Finds the word that was probably meant.
class nearest {
 public:
  explicit nearest(std::string_view wrong) : wrong_(wrong.substr(0, 64)) {}
  void offer(std::string_view word, std::string_view shown) {
    const std::size_t d = distance(wrong_, word);
    if (d >= best_) return;
    best_ = d;
    shown_ = shown;
  }
  /// As it was offered; empty when nothing is near.
  [[nodiscard]] std::string_view found() const {
    return best_ <= std::max<std::size_t>(wrong_.size() < 4 ? 1 : 2, wrong_.size() / 3)
               ? std::string_view(shown_)
               : std::string_view();
  }

 private:
  std::string_view wrong_;
  std::size_t best_ = SIZE_MAX;
  std::string shown_;
};

/// What to do about a key that is none of `known`.
inline std::string instead_of(std::string_view wrong, std::span<const std::string_view> known) {
  nearest near(wrong);
  for (const std::string_view key : known) near.offer(key, key);
  return near.found().empty() ? "leave it out" : "write " + detail::quoted(near.found());
}

/// True for a name that a POSIX shell could set.
constexpr bool is_environment_name(std::string_view name) noexcept {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name)
    if (!(c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
      return false;
  return true;
}

class profile_parser {
 public:
  profile_parser(std::string_view subject, const system_facts& here) : subject_(subject), here_(here) {}

  error parse(std::string_view text, profile& to) {
    const result<json_value> root = read_json(text, subject_, {.relaxed = true});
    if (!root) return root.error();
    out_ = &to;
    if (is(*root, kind::object, "a profile")) members(*root, "");
    return std::move(failed_);
  }

 private:
  using kind = json_value::kind;

  void fail(errc code, std::string detail, json_position at, std::string_view remedy = {}) {
    if (failed_.code != errc::none) return;
    failed_ = json_error(code, subject_, std::move(detail), at);
    if (!remedy.empty()) failed_.other += "; to change that, " + std::string(remedy);
  }
  bool is(const json_value& v, kind wanted, std::string_view what) {
    if (v.is == wanted) return true;
    fail(errc::json_wrong_type,
         detail::quoted(what) + " must be " + std::string(name_of(wanted)) + ", not " +
             std::string(name_of(v.is)),
         v.at);
    return false;
  }
  template <class F>
  void each(const json_value& v, std::string_view what, F&& f) {
    if (!is(v, kind::array, what)) return;
    for (const json_value& item : v.items)
      if (failed_.code == errc::none) f(item);
  }
  void add(std::vector<std::string>& to, std::string_view text) {
    if (std::find(to.begin(), to.end(), text) == to.end()) to.emplace_back(text);
  }
  bool is_text(const json_value& v, std::string_view what) {
    if (!is(v, kind::text, what)) return false;
    if (v.text.find('\0') == std::string::npos) return true;
    fail(errc::json_bad_value, detail::quoted(what) + " has a NUL character", v.at);
    return false;
  }

  void members(const json_value& object, std::string_view of) {
    for (const json_value& m : object.items) {
      if (failed_.code != errc::none) return;
      const auto row =
          std::find_if(std::begin(profile_fields), std::end(profile_fields),
                       [&](const profile_field& f) { return f.object == of && f.name == m.key; });
      if (row != std::end(profile_fields)) {
        field(*row, m);
      } else if (of.empty() && std::find(std::begin(profile_objects), std::end(profile_objects), m.key) !=
                                   std::end(profile_objects)) {
        if (is(m, kind::object, m.key)) members(m, m.key);
        if (m.key == "meta" && m.find("name") == nullptr) fail(errc::json_missing_key, "'meta.name'", m.at);
      } else {
        unknown(m, of);
      }
    }
  }
  void unknown(const json_value& m, std::string_view of) {
    nearest near(m.key);
    std::string elsewhere;
    for (const profile_field& f : profile_fields) {
      if (f.object == of) near.offer(f.name, full_name(f));
      if (f.name == m.key && elsewhere.empty()) elsewhere = full_name(f);
    }
    if (of.empty())
      for (const std::string_view object : profile_objects) near.offer(object, object);
    const std::string name = of.empty() ? m.key : std::string(of) + '.' + m.key;
    const std::string meant = elsewhere.empty() ? std::string(near.found()) : elsewhere;
    fail(errc::json_unknown_key, detail::quoted(name), m.key_at,
         meant.empty() ? "leave it out" : "write " + detail::quoted(meant));
  }

  void field(const profile_field& f, const json_value& v) {
    const std::string name = full_name(f);
    if (!f.now.empty()) {
      add(out_->legacy, name);
      out_->warnings.push_back(detail::quoted(name) + " is an old spelling of " + detail::quoted(f.now) +
                               " (line " + std::to_string(v.key_at.line) + " of " + std::string(subject_) +
                               ")");
    }
    switch (f.shape) {
      case field_shape::anything:
        return;
      case field_shape::text:
        if (is_text(v, name)) out_->*f.text = v.text;
        if (name == "meta.name" && failed_.code == errc::none && v.text.empty())
          fail(errc::json_bad_value, "'meta.name' is empty", v.at);
        return;
      case field_shape::word:
        if (is_text(v, name) && one_of(f, v)) out_->*f.text = v.text;
        return;
      case field_shape::flag:
        if (is(v, kind::boolean, name)) out_->*f.flag = v.truth;
        return;
      case field_shape::text_or_texts:
        if (v.is == kind::text) {
          if (is_text(v, name)) add(out_->*f.list, v.text);
          return;
        }
        [[fallthrough]];
      case field_shape::texts:
        return each(v, name, [&](const json_value& item) {
          if (is_text(item, name)) add(out_->*f.list, item.text);
        });
      case field_shape::entries:
        return each(v, name, [&](const json_value& item) { entry(f, name, item); });
      case field_shape::ports:
        return each(v, name, [&](const json_value& item) { port(f, name, item); });
      case field_shape::nullable_text:
        if (v.is == kind::null) {
          out_->network_profile = "";
        } else if (is_text(v, name) && one_of(f, v)) {
          out_->network_profile = v.text;
        }
        return;
      case field_shape::domains:
        return each(v, name, [&](const json_value& item) { domain(name, item); });
      case field_shape::optional_texts: {
        auto& to = name == "environment.allow_vars" ? out_->allow_vars : out_->credentials;
        if (!to) to.emplace();
        return each(v, name, [&](const json_value& item) {
          if (is_text(item, name)) add(*to, item.text);
        });
      }
      case field_shape::definitions:
        return definitions(name, v);
      case field_shape::variables:
        return variables(name, v);
      case field_shape::references:
        return references(name, v);
      case field_shape::nothing:
        if (v.is == kind::null || (v.is == kind::boolean && !v.truth) ||
            ((v.is == kind::array || v.is == kind::object) && v.items.empty()))
          return;
        return fail(errc::profile_field_not_built, detail::quoted(name), v.key_at,
                    f.why.empty() ? "leave it out" : "leave it out: " + std::string(f.why));
    }
  }

  bool one_of(const profile_field& f, const json_value& v) {
    bool known = false;
    std::string all;
    for_each_word(f.words, [&](std::string_view word) {
      known = known || word == v.text;
      all += (all.empty() ? "" : ", ") + std::string(word);
    });
    if (!known)
      fail(errc::json_bad_value, detail::quoted(full_name(f)) + " is " + detail::quoted(v.text), v.at,
           "write one of " + all);
    return known;
  }

  /// A text, or {"path": ..., "when": ...}.
  void entry(const profile_field& f, std::string_view name, const json_value& v) {
    if (v.is != kind::object) {
      if (is_text(v, name) && not_empty(name, v)) add(out_->*f.list, v.text);
      return;
    }
    const std::string_view keys[] = {f.words, "when"};
    only(keys, name, v);
    const json_value* const what = v.find(f.words);
    if (what == nullptr) return fail(errc::json_missing_key, detail::quoted(f.words), v.at);
    if (!is_text(*what, name) || !not_empty(name, *what)) return;
    const json_value* const when = v.find("when");
    if (when == nullptr || holds_one(*when)) add(out_->*f.list, what->text);
  }
  /// Whether an object has no other keys than these.
  bool only(std::span<const std::string_view> keys, std::string_view name, const json_value& object) {
    for (const json_value& m : object.items) {
      if (std::find(keys.begin(), keys.end(), m.key) != keys.end()) continue;
      fail(errc::json_unknown_key, detail::quoted(std::string(name) + '.' + m.key), m.key_at,
           instead_of(m.key, keys));
      return false;
    }
    return true;
  }
  bool not_empty(std::string_view name, const json_value& v) {
    if (v.text.empty()) fail(errc::json_bad_value, detail::quoted(name) + " has an empty entry", v.at);
    return !v.text.empty();
  }
  bool holds_one(const json_value& v) {
    if (v.is == kind::array) {
      bool any = false;  // every one is looked at: a wrong one is wrong on every system
      for (const json_value& item : v.items) any = holds_one_text(item) || any;
      return any;
    }
    return holds_one_text(v);
  }
  bool holds_one_text(const json_value& v) {
    if (!is_text(v, "when")) return false;
    const std::optional<bool> yes = holds(v.text, here_);
    if (!yes)
      fail(errc::json_bad_value, "'when' is " + detail::quoted(v.text), v.at,
           "write linux[:id[:version[:variant]]], macos[:version] or windows[:version[:build]], with ! "
           "before it for the "
           "contrary");
    return yes.value_or(false);
  }

  void port(const profile_field& f, std::string_view name, const json_value& v) {
    if (!is(v, kind::natural, name)) return;
    const bool zero = v.natural == 0 && f.list != &profile::listen_ports;
    if (v.natural > 65535 || zero)
      return fail(errc::json_bad_value, detail::quoted(name) + " has the port " + std::to_string(v.natural),
                  v.at, "write 1 to 65535");
    add(out_->*f.list, std::to_string(v.natural));
  }

  void domain(std::string_view name, const json_value& v) {
    profile_domain d;
    if (v.is == kind::text) {
      if (is_text(v, name)) d.name = v.text;
    } else if (is(v, kind::object, name)) {
      constexpr std::string_view keys[] = {"domain", "endpoints"};
      if (!only(keys, name, v)) return;
      const json_value* const host = v.find("domain");
      if (host == nullptr) return fail(errc::json_missing_key, "'domain'", v.at);
      if (is_text(*host, "domain")) d.name = host->text;
      if (const json_value* const endpoints = v.find("endpoints"))
        each(*endpoints, "endpoints", [&](const json_value& e) {
          constexpr std::string_view of_endpoint[] = {"method", "path"};
          if (!is(e, kind::object, "endpoints") || !only(of_endpoint, "endpoints", e)) return;
          const json_value* const method = e.find("method");
          const json_value* const path = e.find("path");
          if (method == nullptr || path == nullptr)
            return fail(errc::json_missing_key, method == nullptr ? "'method'" : "'path'", e.at);
          if (is_text(*method, "method") && is_text(*path, "path"))
            d.endpoints.emplace_back(method->text, path->text);
        });
    }
    if (failed_.code == errc::none && d.name.empty())
      return fail(errc::json_bad_value, detail::quoted(name) + " has an empty entry", v.at);
    if (failed_.code == errc::none) add_domain(out_->domains, d);
  }

  void definitions(std::string_view name, const json_value& v) {
    if (!is(v, kind::object, name)) return;
    for (const json_value& d : v.items) {
      if (failed_.code != errc::none || !is(d, kind::object, d.key)) return;
      if (!only(definition_keys, std::string(name) + '.' + d.key, d)) return;
      const json_value* const upstream = d.find("upstream");
      if (upstream == nullptr) return fail(errc::json_missing_key, "'upstream'", d.at);
      if (!is_text(*upstream, "upstream")) return;
      int keys = 0;
      for (const std::string_view key : {"credential_key", "auth", "aws_auth"})
        keys += d.find(key) != nullptr ? 1 : 0;
      if (keys != 1)
        return fail(errc::json_bad_value,
                    detail::quoted(d.key) + " has " + std::to_string(keys) + " of its secrets", d.at,
                    "write one of credential_key, auth, aws_auth");
      std::string definition;
      if (append_json(definition, d)) out_->custom_credentials.emplace_back(d.key, std::move(definition));
    }
  }
  /// On one line. False where a value has no exact text here.
  bool append_json(std::string& out, const json_value& v) {
    switch (v.is) {
      case kind::null:
        out += "null";
        return true;
      case kind::boolean:
        out += v.truth ? "true" : "false";
        return true;
      case kind::natural:
        out += std::to_string(v.natural);
        return true;
      case kind::number:
        fail(errc::json_bad_value, "a credential's definition has a number with a sign or a fraction", v.at,
             "write a whole number");
        return false;
      case kind::text:
        append_json_string(out, v.text);
        return true;
      case kind::array:
      case kind::object:
        break;
    }
    const bool object = v.is == kind::object;
    out += object ? '{' : '[';
    for (const json_value& item : v.items) {
      if (&item != &v.items.front()) out += ", ";
      if (object) {
        append_json_string(out, item.key);
        out += ": ";
      }
      if (!append_json(out, item)) return false;
    }
    out += object ? '}' : ']';
    return true;
  }

  void variables(std::string_view name, const json_value& v) {
    if (!is(v, kind::object, name)) return;
    for (const json_value& m : v.items) {
      if (failed_.code != errc::none || !is_text(m, m.key)) return;
      if (!is_environment_name(m.key) || m.key == "PATH" || m.key.starts_with("NONO_"))
        return fail(errc::json_bad_value, detail::quoted(m.key) + " cannot be set in 'environment.set_vars'",
                    m.key_at,
                    "name a variable other than PATH and NONO_*, of letters, digits and underscores");
      out_->set_vars.emplace_back(m.key, m.text);
    }
  }

  /// {reference: variable}, or {reference: {"env_var": variable, "when": ...}}.
  void references(std::string_view name, const json_value& v) {
    if (!is(v, kind::object, name)) return;
    for (const json_value& m : v.items) {
      if (failed_.code != errc::none) return;
      const json_value* variable = &m;
      bool here = true;
      if (m.is == kind::object) {
        constexpr std::string_view keys[] = {"env_var", "when"};
        if (!only(keys, name, m)) return;
        variable = m.find("env_var");
        if (variable == nullptr) return fail(errc::json_missing_key, "'env_var'", m.at);
        if (const json_value* const when = m.find("when")) here = holds_one(*when);
      }
      if (failed_.code != errc::none || !is_text(*variable, m.key.empty() ? name : m.key)) return;
      if (m.key.empty() || !is_environment_name(variable->text))
        return fail(errc::json_bad_value,
                    detail::quoted(m.key) + " cannot go to " + detail::quoted(variable->text) + " in '" +
                        std::string(name) + '\'',
                    m.key_at, "write {\"where the secret is\": \"VARIABLE\"}");
      if (!here) continue;
      auto& to = out_->env_credentials;
      const auto same =
          std::find_if(to.begin(), to.end(), [&](const auto& one) { return one.first == m.key; });
      if (same == to.end())
        to.emplace_back(m.key, variable->text);
      else
        same->second = variable->text;
    }
  }

  std::string_view subject_;
  const system_facts& here_;
  profile* out_ = nullptr;
  error failed_;
};

}  // namespace nono::detail
