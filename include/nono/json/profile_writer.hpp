// SPDX-License-Identifier: Apache-2.0
// A profile as the text of a profile file: by the table by which files are read, so that reading it back gives the same.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/json/profile_fields.hpp>
#include <nono/json/writer.hpp>

namespace nono {

namespace detail {

class profile_writer {
 public:
  /// whole: fields that are not said as well.
  explicit profile_writer(const profile& says, bool whole = false) : says_(says), whole_(whole) {}

  std::string text() {
    out_ = "{";
    for (const profile_field& f : profile_fields) {
      if (!f.now.empty() || (f.object == "meta" && says_.name.empty())) continue;
      std::string value = value_of(f, f.object.empty() ? "  " : "    ");
      if (value.empty() && whole_) value = nothing_of(f);
      if (value.empty()) continue;
      enter(f.object);
      if (f.object.empty() || !first_in_object_) out_ += first_ ? "" : ",";
      first_ = first_in_object_ = false;
      out_ += f.object.empty() ? "\n  " : "\n    ";
      append_json_string(out_, f.name);
      out_ += ": ";
      out_ += value;
    }
    enter("");
    out_ += first_ ? "}\n" : "\n}\n";
    return std::move(out_);
  }

 private:
  /// Closes the object that is open and opens the next; the rows of one object stand together.
  void enter(std::string_view object) {
    if (object == object_) return;
    if (!object_.empty()) out_ += "\n  }";
    object_ = object;
    if (object.empty()) return;
    out_ += first_ ? "\n  " : ",\n  ";
    append_json_string(out_, object);
    out_ += ": {";
    first_in_object_ = true;
  }

  static std::string quoted_text(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
  }
  /// One item a line, so that a difference between two files is one of lines.
  static std::string list(const std::vector<std::string>& items, std::string_view indent, char open = '[') {
    const char close = open == '[' ? ']' : '}';
    std::string out(1, open);
    for (const std::string& item : items) {
      if (out.size() > 1) out += ',';
      out += '\n';
      out += indent;
      out += "  ";
      out += item;
    }
    if (!items.empty()) {
      out += '\n';
      out += indent;
    }
    return out += close;
  }
  static std::string texts(const std::vector<std::string>& all, std::string_view indent) {
    std::vector<std::string> items;
    items.reserve(all.size());
    for (const std::string& one : all) items.push_back(quoted_text(one));
    return list(items, indent);
  }
  static std::string domain(const profile_domain& d) {
    if (d.endpoints.empty()) return quoted_text(d.name);
    std::string out = "{\"domain\": " + quoted_text(d.name) + ", \"endpoints\": [";
    bool first = true;
    for (const auto& [method, path] : d.endpoints) {
      if (!first) out += ", ";
      first = false;
      json_line(out).text("method", method).text("path", path);
    }
    return out + "]}";
  }

  /// Empty where the profile says nothing.
  [[nodiscard]] std::string value_of(const profile_field& f, std::string_view indent) const {
    std::vector<std::string> items;
    switch (f.shape) {
      case field_shape::anything:
      case field_shape::nothing:
        return {};
      case field_shape::text:
      case field_shape::word:
        return (says_.*f.text).empty() ? std::string() : quoted_text(says_.*f.text);
      case field_shape::flag:
        return says_.*f.flag ? "true" : "";
      case field_shape::text_or_texts:
      case field_shape::texts:
      case field_shape::entries:
        return (says_.*f.list).empty() ? std::string() : texts(says_.*f.list, indent);
      case field_shape::ports:
        return (says_.*f.list).empty() ? std::string() : list(says_.*f.list, indent);
      case field_shape::nullable_text:
        if (!says_.network_profile) return {};
        return says_.network_profile->empty() ? "null" : quoted_text(*says_.network_profile);
      case field_shape::domains:
        for (const profile_domain& d : says_.domains) items.push_back(domain(d));
        return items.empty() ? std::string() : list(items, indent);
      case field_shape::optional_texts: {
        const auto& all = f.name == "allow_vars" ? says_.allow_vars : says_.credentials;
        return all ? texts(*all, indent) : std::string();
      }
      case field_shape::definitions:
        for (const auto& [name, definition] : says_.custom_credentials)
          items.push_back(quoted_text(name) + ": " + definition);
        return items.empty() ? std::string() : list(items, indent, '{');
      case field_shape::variables:
      case field_shape::references:
        for (const auto& [name, value] :
             f.shape == field_shape::variables ? says_.set_vars : says_.env_credentials)
          items.push_back(quoted_text(name) + ": " + quoted_text(value));
        return items.empty() ? std::string() : list(items, indent, '{');
    }
    return {};
  }

  /// What says as much as leaving the field out; empty where nothing does.
  [[nodiscard]] std::string nothing_of(const profile_field& f) const {
    switch (f.shape) {
      case field_shape::text:
        return "\"\"";
      case field_shape::word:  // the first is what holds without one, unless a base says otherwise
        return says_.extends.empty() || f.text == &profile::workdir
                   ? quoted_text(f.words.substr(0, f.words.find(' ')))
                   : std::string();
      case field_shape::flag:
        return "false";
      case field_shape::text_or_texts:
      case field_shape::texts:
      case field_shape::entries:
      case field_shape::ports:
      case field_shape::domains:
        return "[]";
      case field_shape::definitions:
      case field_shape::variables:
      case field_shape::references:
        return "{}";
      case field_shape::anything:
      case field_shape::nothing:
      case field_shape::nullable_text:   // null and [] take away
      case field_shape::optional_texts:  // what a base says
        return {};
    }
    return {};
  }

  const profile& says_;
  bool whole_;
  std::string out_;
  std::string_view object_;
  bool first_ = true;
  bool first_in_object_ = false;
};

}  // namespace detail

/// The profile as the text of a file, with a newline at its end: today's spellings, and nothing of what is not said.
/// parse_profile() of it gives the same profile, less what `legacy` and `warnings` tell of another file's spelling. As in
/// every profile, texts are UTF-8, and without a name there is no version, description and author.
inline std::string to_json(const profile& says) { return detail::profile_writer(says).text(); }

/// The same with the fields that it does not say, each with a value that says nothing: a file to be filled in. Left out are
/// those whose emptiest value would take away what a base says. It needs a name.
inline std::string profile_skeleton(const profile& says) { return detail::profile_writer(says, true).text(); }

}  // namespace nono
