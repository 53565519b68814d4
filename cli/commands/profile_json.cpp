// SPDX-License-Identifier: Apache-2.0
// The JSON forms of `nono profile list`, `validate`, `groups` and `diff`.
#include <algorithm>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <nono/json/writer.hpp>

#include "cli/commands/profile.hpp"
#include "cli/commands/profile_diff.hpp"
#include "cli/commands/profile_groups.hpp"

namespace nono::cli {

namespace {

using json = nlohmann::ordered_json;

/// Plain ASCII, so that no name can send anything to a terminal; what is not UTF-8 becomes U+FFFD.
std::string written(const json& value) {
  return value.dump(2, ' ', true, json::error_handler_t::replace) + '\n';
}

json paths_of(const std::vector<listed_path>& all) {
  json out = json::array();
  for (const listed_path& p : all) out.push_back({{"raw", p.raw}, {"expanded", p.expanded}});
  return out;
}

json object_of(const listed_group& g) {
  json allow = json::object();
  for (const auto& [access, paths] : g.allow) allow[access] = paths_of(paths);
  return {{"name", g.name},
          {"description", g.description},
          {"platform", g.platform},
          {"required", g.required},
          {"allow", allow},
          {"deny", {{"access", paths_of(g.deny)}, {"commands", g.commands}, {"unlink", g.unlink}}},
          {"symlink_pairs", json::object()}};
}

json differences(const std::vector<difference>& all) {
  json out = json::array();
  for (const difference& d : all) {
    if (d.access.empty()) {
      out.push_back(d.what);
    } else {
      out.push_back({{"path", d.what}, {"access", d.access}});
    }
  }
  return out;
}

}  // namespace

std::string plain_ascii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t n = std::max<std::size_t>(nono::detail::utf8_sequence(text), 1);
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x7f) {
      out += text.front();
    } else {  // only texts have such bytes, so escaped they are the same JSON
      std::uint32_t point = n == 1 ? first : first & (0xffU >> (n + 1));
      for (const char c : text.substr(1, n - 1))
        point = point << 6U | (static_cast<unsigned char>(c) & 0x3fU);
      if (point > 0xffff)
        out += fmt::format("\\u{:04x}\\u{:04x}", 0xd7c0 + (point >> 10U), 0xdc00 + (point & 0x3ffU));
      else
        out += fmt::format("\\u{:04x}", point);
    }
    text.remove_prefix(n);
  }
  return out;
}

std::string to_json(const std::vector<listed_profile>& all) {
  json out = json::array();
  for (const listed_profile& p : all)
    out.push_back({{"name", p.name},
                   {"source", p.source},
                   {"pack", nullptr},
                   {"description", p.description},
                   {"extends", p.extends}});
  return written(out);
}

std::string to_json(const listed_group& g) { return written(object_of(g)); }

std::string to_json(const std::vector<listed_group>& all) {
  json out = json::array();
  for (const listed_group& g : all) out.push_back(object_of(g));
  return written(out);
}

std::string to_json(const profile_difference& d) {
  bool same = true;
  json out = {{"a", d.a}, {"b", d.b}, {"same", true}};
  for (const difference_section& s : d.sections) {
    same = same && s.only_a.empty() && s.only_b.empty();
    out[std::string(s.name)] = {{"only_a", differences(s.only_a)}, {"only_b", differences(s.only_b)}};
  }
  out["same"] = same;
  return written(out);
}

std::string to_json(const validation& v) {
  return written({{"file", v.file},
                  {"valid", v.errors.empty()},
                  {"errors", v.errors},
                  {"warnings", v.warnings},
                  {"deprecated_keys", v.deprecated_keys}});
}

}  // namespace nono::cli
