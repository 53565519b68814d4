// SPDX-License-Identifier: Apache-2.0
// The JSON forms of `nono profile list` and `validate`.
#include <nlohmann/json.hpp>

#include "cli/commands/profile.hpp"

namespace nono::cli {

namespace {

using json = nlohmann::ordered_json;

/// Plain ASCII, so that no name can send anything to a terminal; what is not UTF-8 becomes U+FFFD.
std::string written(const json& value) {
  return value.dump(2, ' ', true, json::error_handler_t::replace) + '\n';
}

}  // namespace

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
