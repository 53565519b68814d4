// SPDX-License-Identifier: Apache-2.0
// The JSON forms of `nono profile list` and `validate`.
#include <algorithm>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <nono/json/writer.hpp>

#include "cli/commands/profile.hpp"

namespace nono::cli {

namespace {

using json = nlohmann::ordered_json;

/// Plain ASCII, so that no name can send anything to a terminal; what is not UTF-8 becomes U+FFFD.
std::string written(const json& value) {
  return value.dump(2, ' ', true, json::error_handler_t::replace) + '\n';
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

std::string to_json(const validation& v) {
  return written({{"file", v.file},
                  {"valid", v.errors.empty()},
                  {"errors", v.errors},
                  {"warnings", v.warnings},
                  {"deprecated_keys", v.deprecated_keys}});
}

}  // namespace nono::cli
