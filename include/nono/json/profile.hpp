// SPDX-License-Identifier: Apache-2.0
// Profile files: read, put together from what they extend, and merged. No file is looked at here: the caller finds them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/error.hpp>
#include <nono/json/predicate.hpp>
#include <nono/json/profile_fields.hpp>
#include <nono/json/profile_parser.hpp>

namespace nono {

/// How many profiles may extend one another in a row.
inline constexpr std::size_t max_profile_depth = 10;

/// Reads one profile: JSON with comments and trailing commas.
/// subject: how an error's sentence begins: "the profile 'agent.json'".
/// here:    for `when`.
/// Errors:  those of read_json; json_unknown_key with the nearest known one, json_wrong_type, json_bad_value,
///          json_missing_key; profile_field_not_built. All with line and column.
inline result<profile> parse_profile(std::string_view text, std::string_view subject,
                                     const system_facts& here = {}) {
  profile out;
  if (error why = detail::profile_parser(subject, here).parse(text, out); why.code != errc::none) return why;
  return out;
}

/// What `child` says on top of `base`: lists are appended without repeats, of single values the child's counts if it has
/// one, a flag is on where either has it. So a child can add and narrow by denies; what a base grants it cannot take back.
inline profile merge(profile base, const profile& child) {
  const auto append = [](auto& to, const auto& from) {
    for (const auto& item : from)
      if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
  };
  base.name = child.name;
  base.version = child.version;
  base.description = child.description;
  base.author = child.author;
  base.extends = child.extends;
  for (const detail::profile_field& f : detail::profile_fields) {
    if (f.object == "meta" || f.name == "extends" || !f.now.empty()) continue;
    if (f.list != nullptr) append(base.*f.list, child.*f.list);
    if (f.flag != nullptr) base.*f.flag = base.*f.flag || child.*f.flag;
    if (f.text != nullptr && !(child.*f.text).empty() &&
        !(f.text == &profile::workdir && child.workdir == "none"))
      base.*f.text = child.*f.text;
  }
  if (child.network_profile) base.network_profile = child.network_profile;
  if (child.credentials) {
    if (child.credentials->empty() || !base.credentials) {
      base.credentials = child.credentials;
    } else {
      append(*base.credentials, *child.credentials);
    }
  }
  if (child.allow_vars) {
    if (!base.allow_vars) base.allow_vars.emplace();
    append(*base.allow_vars, *child.allow_vars);
  }
  for (const profile_domain& d : child.domains) detail::add_domain(base.domains, d);
  const auto replace = [](auto& to, const auto& from) {
    for (const auto& added : from) {
      const auto same =
          std::find_if(to.begin(), to.end(), [&](const auto& v) { return v.first == added.first; });
      if (same == to.end()) {
        to.push_back(added);
      } else {
        same->second = added.second;
      }
    }
  };
  replace(base.custom_credentials, child.custom_credentials);
  replace(base.set_vars, child.set_vars);
  replace(base.env_credentials, child.env_credentials);
  append(base.legacy, child.legacy);
  append(base.warnings, child.warnings);
  return base;
}

/// A profile that was found, before what it extends is put below it.
struct found_profile {
  profile says;
  std::string id;         ///< one for each profile: its path, or "built-in go-dev"
  std::string directory;  ///< where its bases are looked for first; empty: nowhere but among all profiles
};

namespace detail {

template <class Find>
result<profile> flatten(const found_profile& child, Find& find, std::vector<std::string>& chain) {
  const auto shown = [&] {
    std::string out;
    for (const std::string& id : chain) out += (out.empty() ? "" : " -> ") + id;
    return out;
  };
  const bool again = std::find(chain.begin(), chain.end(), child.id) != chain.end();
  chain.push_back(child.id);
  const std::string subject = "the profile " + detail::quoted(chain.front());
  if (again) return error{errc::profile_extends_itself, 0, subject, {}, shown()};
  if (chain.size() > max_profile_depth) return error{errc::profile_extends_too_deep, 0, subject, {}, shown()};
  profile out;
  bool first = true;
  for (const std::string& name : child.says.extends) {
    result<found_profile> base = find(std::string_view(name), child);
    if (!base) return std::move(base.error());
    result<profile> whole = flatten(*base, find, chain);
    if (!whole) return whole;
    out = first ? std::move(*whole) : merge(std::move(out), *whole);
    first = false;
  }
  chain.pop_back();
  if (first) return child.says;
  return merge(std::move(out), child.says);
}

}  // namespace detail

/// A profile with all that it extends, bases from left to right and the child last.
/// find:   find(name, child) -> result<found_profile>; looks for a base of `child`.
/// Errors: those of find; profile_extends_itself and profile_extends_too_deep, which name the chain.
template <class Find>
result<profile> with_bases(const found_profile& child, Find&& find) {
  std::vector<std::string> chain;
  return detail::flatten(child, find, chain);
}

}  // namespace nono
