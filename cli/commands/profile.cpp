// SPDX-License-Identifier: Apache-2.0
// `nono profile`: what the profiles are, and whether one can be used.
#include "cli/commands/profile.hpp"

#include <algorithm>
#include <fstream>

#include <unistd.h>

#include <fmt/format.h>
#include <nono/json/profile_schema.hpp>

#include "cli/resolve/profiles.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/resolve/spelling.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

int list_profiles(bool json) {
  const auto here = this_host();
  if (!here) return complain(words_of(here.error())), 1;
  std::vector<listed_profile> all;
  for (const auto& [name, path] : user_profiles(*here)) {
    listed_profile p{name, find_profile(name) != nullptr ? "user (overrides built-in)" : "user", {}, {}};
    if (const auto chosen = choose_profile(path, *here)) {
      p.description = (*chosen)->description;
      p.extends = (*chosen)->says.extends;
    } else {
      p.description = "cannot be used: " + chosen.error().message();
    }
    all.push_back(std::move(p));
  }
  for (const builtin_profile& p : builtin_profiles())
    if (std::none_of(all.begin(), all.end(), [&](const listed_profile& own) { return own.name == p.name; }))
      all.push_back({std::string(p.name), "built-in", std::string(p.description), {}});
  if (json) return print(to_json(all));
  std::string out;
  for (const listed_profile& p : all)
    out += fmt::format("{:<17} {}{}\n", p.name, p.source == "built-in" ? "" : "[" + p.source + "] ",
                       one_line(p.description));
  return print(out);
}

int validate_profile(const std::string& given, bool json, bool strict) {
  const auto here = this_host();
  if (!here) return complain(words_of(here.error())), 1;
  validation v{given, {}, {}, {}};
  if (const auto chosen = choose_profile(given, *here)) {
    v.warnings = warnings_of(**chosen);
    v.deprecated_keys = (*chosen)->says.legacy;
  } else {
    v.errors.push_back(words_of(chosen.error()));
  }
  const int code = !v.errors.empty() ? 1 : strict && !v.deprecated_keys.empty() ? 2 : 0;
  if (json) return print(to_json(v)) != 0 ? 1 : code;
  std::string out;
  for (const std::string& e : v.errors) out += "error: " + e + "\n";
  for (const std::string& w : v.warnings) out += "warning: " + w + "\n";
  out += fmt::format("{} is {}\n", nono::detail::quoted(given), v.errors.empty() ? "valid" : "not valid");
  return print(out) != 0 ? 1 : code;
}

int print_schema(const std::string& file) {
  const std::string schema = profile_schema();
  if (file.empty()) return print(schema);
  std::ofstream to(file, std::ios::binary);
  if (to << schema && to.flush()) return 0;
  complain(fmt::format("the schema could not be written to {}; name a file that can be",
                       nono::detail::quoted(file)));
  return 1;
}

}  // namespace nono::cli
