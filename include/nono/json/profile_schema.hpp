// SPDX-License-Identifier: Apache-2.0
// What a profile may hold, as a JSON Schema: made from the table by which profiles are read.
#pragma once

#include <string>
#include <string_view>

#include <nono/json/profile_fields.hpp>
#include <nono/json/writer.hpp>

namespace nono {

namespace detail {

class schema_writer {
 public:
  std::string text() {
    out_ =
        "{\n"
        "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
        "  \"title\": \"A profile of nono\",\n"
        "  \"type\": \"object\",\n"
        "  \"additionalProperties\": false,\n"
        "  \"properties\": {";
    bool first = true;
    fields("", "    ", first);
    for (const std::string_view object : profile_objects) {
      next(first, "    ");
      append_json_string(out_, object);
      out_ += ": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,";
      if (object == "meta") out_ += "\n      \"required\": [\"name\"],";
      out_ += "\n      \"properties\": {";
      bool inner = true;
      fields(object, "        ", inner);
      out_ += "\n      }\n    }";
    }
    out_ +=
        "\n  },\n"
        "  \"$defs\": {\n"
        "    \"texts\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/text\"}},\n"
        "    \"text\": {\"type\": \"string\", \"pattern\": \"^[^\\\\u0000]*$\"},\n"
        "    \"some_text\": {\"type\": \"string\", \"pattern\": \"^[^\\\\u0000]+$\"},\n"
        "    \"predicate\": {\n"
        "      \"type\": \"string\",\n"
        "      \"pattern\": \"";
    out_ += predicate;
    out_ +=
        "\"\n"
        "    },\n"
        "    \"when\": {\"anyOf\": [\n"
        "      {\"$ref\": \"#/$defs/predicate\"},\n"
        "      {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/predicate\"}}\n"
        "    ]},\n"
        "    \"path_entries\": ";
    entries(path_key);
    out_ += ",\n    \"name_entries\": ";
    entries(group_key);
    out_ +=
        ",\n"
        "    \"variable\": {\"type\": \"string\", \"pattern\": \"^[A-Za-z_][A-Za-z0-9_]*$\"},\n"
        "    \"nothing\": {\"enum\": [null, false, [], {}]}\n"
        "  }\n"
        "}\n";
    return std::move(out_);
  }

 private:
  // As holds() reads it. The length of what systems nobody knows may say is theirs.
  static constexpr std::string_view predicate =
      "^!?(linux(:[-A-Za-z0-9._+~]+(:(==|>=|<=|>|<)?[-A-Za-z0-9._+~]+(:[-A-Za-z0-9._+~]+)?)?)?"
      "|macos(:(==|>=|<=|>|<)?[-A-Za-z0-9._+~]+)?"
      "|(?!(linux|macos)(:|$))[-A-Za-z0-9._+~]+(:(==|>=|<=|>|<)?[-A-Za-z0-9._+~]+(:[-A-Za-z0-9._+~]+)?)?)$";

  void next(bool& first, std::string_view indent) {
    out_ += first ? "\n" : ",\n";
    out_ += indent;
    first = false;
  }
  void fields(std::string_view object, std::string_view indent, bool& first) {
    for (const profile_field& f : profile_fields) {
      if (f.object != object) continue;
      next(first, indent);
      append_json_string(out_, f.name);
      out_ += ": {";
      if (!f.now.empty()) {
        out_ += "\"deprecated\": true, \"description\": ";
        append_json_string(out_, "now " + std::string(f.now));
        out_ += ", ";
      }
      out_ += shape(f);
      out_ += '}';
    }
  }
  static std::string words(std::string_view all) {
    std::string out;
    for_each_word(all, [&](std::string_view word) {
      out += out.empty() ? "\"" : ", \"";
      out += word;
      out += '"';
    });
    return out;
  }
  static std::string shape(const profile_field& f) {
    switch (f.shape) {
      case field_shape::anything:
        return "\"description\": \"not looked at\"";
      case field_shape::text:
        return f.text == &profile::name ? "\"$ref\": \"#/$defs/some_text\"" : "\"$ref\": \"#/$defs/text\"";
      case field_shape::word:
        return "\"enum\": [" + words(f.words) + ']';
      case field_shape::flag:
        return "\"type\": \"boolean\"";
      case field_shape::text_or_texts:
        return "\"anyOf\": [{\"$ref\": \"#/$defs/text\"}, {\"$ref\": \"#/$defs/texts\"}]";
      case field_shape::texts:
      case field_shape::optional_texts:
        return "\"$ref\": \"#/$defs/texts\"";
      case field_shape::entries:
        return f.words == path_key ? "\"$ref\": \"#/$defs/path_entries\""
                                   : "\"$ref\": \"#/$defs/name_entries\"";
      case field_shape::ports:
        return std::string("\"type\": \"array\", \"items\": {\"type\": \"integer\", \"minimum\": ") +
               (f.list == &profile::listen_ports ? '0' : '1') + ", \"maximum\": 65535}";
      case field_shape::nullable_text:
        return "\"enum\": [null, " + words(f.words) + ']';
      case field_shape::domains:
        return "\"type\": \"array\", \"items\": {\"anyOf\": [{\"$ref\": \"#/$defs/some_text\"}, "
               "{\"type\": \"object\", \"required\": [\"domain\"], \"additionalProperties\": false, "
               "\"properties\": {\"domain\": {\"$ref\": "
               "\"#/$defs/some_text\"}, \"endpoints\": {\"type\": \"array\", \"items\": {\"type\": "
               "\"object\", "
               "\"required\": [\"method\", \"path\"], \"additionalProperties\": false, \"properties\": "
               "{\"method\": {\"$ref\": "
               "\"#/$defs/text\"}, "
               "\"path\": {\"$ref\": \"#/$defs/text\"}}}}}}]}";
      case field_shape::definitions: {
        std::string keys;
        for (const std::string_view key : definition_keys) {
          keys += keys.empty() ? "\"" : ", \"";
          keys += key;
          keys += key == "upstream" ? "\": {\"$ref\": \"#/$defs/text\"}" : "\": {}";
        }
        return "\"type\": \"object\", \"additionalProperties\": {\"type\": \"object\", \"required\": "
               "[\"upstream\"], "
               "\"additionalProperties\": false, \"oneOf\": [{\"required\": [\"credential_key\"]}, "
               "{\"required\": "
               "[\"auth\"]}, {\"required\": [\"aws_auth\"]}], \"properties\": {" +
               keys + "}}";
      }
      case field_shape::variables:
        return "\"type\": \"object\", \"propertyNames\": {\"pattern\": "
               "\"^(?!PATH$|NONO_)[A-Za-z_][A-Za-z0-9_]*$\"}, \"additionalProperties\": {\"$ref\": "
               "\"#/$defs/text\"}";
      case field_shape::references:
        return "\"type\": \"object\", \"propertyNames\": {\"minLength\": 1}, \"additionalProperties\": "
               "{\"anyOf\": "
               "[{\"$ref\": \"#/$defs/variable\"}, {\"type\": \"object\", \"additionalProperties\": false, "
               "\"required\": [\"env_var\"], \"properties\": {\"env_var\": {\"$ref\": \"#/$defs/variable\"}, "
               "\"when\": {\"$ref\": \"#/$defs/when\"}}}]}";
      case field_shape::nothing:
        return "\"$ref\": \"#/$defs/nothing\"";
    }
    return {};
  }
  void entries(std::string_view key) {
    out_ +=
        "{\n      \"type\": \"array\",\n      \"items\": {\"anyOf\": [\n        {\"$ref\": "
        "\"#/$defs/some_text\"},\n"
        "        {\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"";
    out_ += key;
    out_ += "\"], \"properties\": {\"";
    out_ += key;
    out_ +=
        "\": {\"$ref\": \"#/$defs/some_text\"}, \"when\": {\"$ref\": \"#/$defs/when\"}}}\n      ]}\n    }";
  }

  std::string out_;
};

}  // namespace detail

/// The schema of profile files (JSON Schema, draft 2020-12), for editors and checks. It says what parse_profile() takes;
/// comments and trailing commas it cannot say.
inline std::string profile_schema() { return detail::schema_writer().text(); }

}  // namespace nono
