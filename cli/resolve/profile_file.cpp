// SPDX-License-Identifier: Apache-2.0
// Profiles by name and by file.
#include "cli/resolve/profile_file.hpp"

#include <algorithm>
#include <cerrno>

#include <dirent.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/groups.hpp>
#include <nono/json/file.hpp>
#include <nono/json/profile.hpp>
#include <nono/json/profile_writer.hpp>
#include <nono/macos/platform_rule.hpp>
#include <nono/resolve.hpp>

#include "cli/resolve/resolver.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/resolve/spelling.hpp"

namespace nono::cli {

namespace {

bool has_no_rules(std::string_view group) {
  const auto all = groups_without_rules();
  return std::any_of(all.begin(), all.end(), [&](const group_without_rules& g) { return g.name == group; });
}

}  // namespace

bool is_profile_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
         });
}

std::string profiles_directory(const host& here) {
  const auto config = here.variable("XDG_CONFIG_HOME");
  return config && config->starts_with('/') ? fmt::format("{}/nono/profiles", *config)
                                            : here.home + "/.config/nono/profiles";
}

std::string nearest_group(std::string_view name) {
  nono::detail::nearest near(name);
  for (const group* g : groups::all) near.offer(g->name, g->name);
  for (const group_without_rules& g : groups_without_rules()) near.offer(g.name, g.name);
  return std::string(near.found());
}

namespace {

bool is_path(std::string_view given) {
  return given.find('/') != std::string_view::npos || given.ends_with(".json") || given.ends_with(".jsonc");
}

/// `ns/name`: the reference would ask its registry.
bool is_pack(std::string_view given) {
  return std::count(given.begin(), given.end(), '/') == 1 && given.find_first_of(".~/") != 0 &&
         !given.ends_with(".json") && !given.ends_with(".jsonc");
}

/// by: what extends it; empty if it was named by the user.
error not_found(std::string_view name, std::string_view by = {}) {
  std::string names;
  for (const builtin_profile& p : builtin_profiles())
    names += (names.empty() ? "" : ", ") + std::string(p.name);
  return {
      errc::profile_not_found,
      0,
      {},
      std::string(name),
      (by.empty() ? std::string() : fmt::format("; the profile {} extends it", nono::detail::quoted(by))) +
          "; the built-in profiles are " + names};
}

/// A built-in profile in the words of a file.
profile as_file(const builtin_profile& p) {
  profile out;
  out.name = p.name;
  out.description = p.description;
  for (const group* g : p.groups) out.groups.emplace_back(g->name);
  out.allow.assign(p.allow.begin(), p.allow.end());
  if (p.workdir == right::read) out.workdir = "read";
  if (p.workdir == right::read_write) out.workdir = "readwrite";
  if (p.wants_hosts) out.network_profile = "developer";
  if (p.full_ipc) out.ipc_mode = "full";
  out.interactive = p.interactive;
  return out;
}

class finder {
 public:
  explicit finder(const host& here, std::vector<std::string> extends = {})
      : here_(here), extends_(std::move(extends)) {}

  result<found_profile> by_argument(const std::string& given) {
    auto at = locate(given);
    return at ? read(*at) : result<found_profile>(std::move(at.error()));
  }

  result<std::string> text_of(const std::string& given) {
    auto at = locate(given);
    if (!at) return std::move(at.error());
    return at->builtin != nullptr ? result<std::string>(to_json(as_file(*at->builtin))) : text_at(*at);
  }

  /// What extends looks beside the child first, until one of the names was found elsewhere. Only a flag names paths.
  result<found_profile> operator()(std::string_view name, const found_profile& child) {
    if (is_path(name) && std::find(extends_.begin(), extends_.end(), name) != extends_.end())
      return by_argument(std::string(name));
    if (!is_profile_name(name))
      return sentence(fmt::format(
          "the profile {} extends {}, which is no name of a profile (letters, digits and hyphens)",
          nono::detail::quoted(child.id), nono::detail::quoted(name)));
    if (!child.directory.empty()) {
      const std::string beside = fmt::format("{}/{}.json", child.directory, name);
      if (beside != child.id && ::access(beside.c_str(), F_OK) == 0) return read(at_path(beside));
    }
    const auto at = by_name(name);
    if (!at) return at.error().code == errc::profile_not_found ? not_found(name, child.id) : at.error();
    auto found = read(*at);
    if (found) found->directory.clear();
    return found;
  }

  /// The files that were read, each once.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> out = files_;
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

 private:
  /// Where a profile is: in a file, or built in.
  struct place {
    std::string path;
    std::string given;  ///< as it was named
    const builtin_profile* builtin = nullptr;
  };

  result<place> locate(const std::string& given) {
    if (is_pack(given) && ::access(given.c_str(), F_OK) != 0)
      return sentence(
          fmt::format("{} would be a profile of a pack, and packs are not built yet; name a file or a "
                      "profile of your own",
                      nono::detail::quoted(given)));
    if (is_path(given)) return at_path(given.starts_with("~/") ? here_.home + given.substr(1) : given);
    return by_name(given);
  }

  result<place> by_name(std::string_view name) {
    if (!is_profile_name(name)) return not_found(name);
    const std::string directory = profiles_directory(here_);
    for (const std::string_view ending : {".jsonc", ".json"}) {
      std::string path = fmt::format("{}/{}{}", directory, name, ending);
      if (::access(path.c_str(), F_OK) == 0) return at_path(std::move(path));
    }
    if (const builtin_profile* p = find_profile(name); p != nullptr) return place{{}, std::string(name), p};
    return not_found(name);
  }

  [[nodiscard]] place at_path(std::string path) const {
    place out{path, path, nullptr};
    if (!path.starts_with('/')) out.path = fmt::format("{}/{}", here_.current, path);
    if (auto real = canonical_path(out.path)) out.path = *real;
    return out;
  }

  static result<std::string> text_at(const place& at) {
    auto text = read_profile_file(at.path);
    if (!text && (text.error().os_errno == ENOENT || text.error().os_errno == ENOTDIR))
      return error{errc::profile_not_found, 0, {}, at.given, "; there is no such file"};
    return text;
  }

  result<found_profile> read(const place& at) {
    if (at.builtin != nullptr)
      return found_profile{as_file(*at.builtin), fmt::format("built-in {}", at.given), {}};
    auto text = text_at(at);
    if (!text) return std::move(text.error());
    if (!system_) {
      system_ = facts_of_os_release(settings_text("/etc/os-release"));
    }
    auto said = parse_profile(*text, "the profile " + nono::detail::quoted(at.path), *system_);
    if (!said) return std::move(said.error());
    files_.push_back(at.path);
    return found_profile{std::move(*said), at.path, parent_of(at.path)};
  }

  const host& here_;
  std::vector<std::string> extends_;  // of the flag
  std::vector<std::string> files_;
  std::optional<system_facts> system_;
};

/// The groups by name. What is excluded must not be required, and what is included must exist.
error choose_groups(chosen_profile& out) {
  const std::string subject = "the profile " + nono::detail::quoted(out.path.empty() ? out.name : out.path);
  for (const std::string& name : out.says.without_groups)
    if (const group* g = groups::find(name); g != nullptr && g->required)
      return {errc::profile_group_required, 0, subject, {}, nono::detail::quoted(name)};
  for (const std::string& name : out.says.groups) {
    if (out.leaves_out(name)) continue;
    const group* const g = groups::find(name);
    if (g != nullptr) {
      const auto defaults = default_groups();
      if (std::find(defaults.begin(), defaults.end(), g) == defaults.end()) out.groups.push_back(g);
    } else if (!has_no_rules(name)) {
      const std::string near = nearest_group(name);
      return {errc::profile_group_unknown,
              0,
              subject,
              {},
              nono::detail::quoted(name) + "; to change that, " +
                  (near.empty() ? "leave it out" : "write " + nono::detail::quoted(near))};
    }
  }
  return {};
}

}  // namespace

namespace {

/// A profile that was found, with all that it extends. given: its name, if it is built in.
result<std::shared_ptr<const chosen_profile>> complete(const found_profile& found, std::string_view given,
                                                       finder& find) {
  auto out = std::make_shared<chosen_profile>();
  if (found.directory.empty()) {
    out->name = given;  // built in
  } else {
    out->path = found.id;
    const std::string file = out->path.substr(out->path.rfind('/') + 1);
    // It stands in the summary and in sentences, where a line end of the file's would begin a line of its own.
    out->name = one_line(found.says.name.empty() ? file.substr(0, file.rfind('.')) : found.says.name);
  }
  auto whole = with_bases(found, find);
  if (!whole) return std::move(whole.error());
  out->files = find.files();
  out->says = std::move(*whole);
  out->description = out->says.description;
  if (error why = choose_groups(*out); why.code != errc::none) return why;
  const profile& says = out->says;
  for (const std::string& rule :
       says.platform_rules)  // on every system, so that a profile is right on all or on none
    if (const errc why = seatbelt::check_platform_rule(rule); why != errc::none)
      return error{why, 0, {}, rule, {}};
  out->view.name = out->name;
  out->view.description = out->description;
  out->view.groups = out->groups;
  out->view.workdir = says.workdir == "readwrite" ? right::read_write
                      : says.workdir == "read"    ? right::read
                      : says.workdir == "write"   ? right::write
                                                  : no_rights;
  out->view.wants_hosts = !says.network_profile.value_or("").empty() || !says.domains.empty() ||
                          (says.credentials && !says.credentials->empty()) || !says.upstream_proxy.empty();
  out->view.full_ipc = says.ipc_mode == "full";
  return std::shared_ptr<const chosen_profile>(std::move(out));
}

}  // namespace

result<std::shared_ptr<const chosen_profile>> choose_profile(const std::string& given, const host& here,
                                                             const std::vector<std::string>& extends) {
  finder find(here, extends);
  auto found = find.by_argument(given);
  if (!found) return std::move(found.error());
  found->says.extends.insert(found->says.extends.begin(), extends.begin(), extends.end());
  return complete(*found, given, find);
}

result<std::shared_ptr<const chosen_profile>> profile_of_text(const std::string& text,
                                                              const std::string& path, const host& here) {
  auto said = parse_profile(text, "the profile " + nono::detail::quoted(path),
                            facts_of_os_release(settings_text("/etc/os-release")));
  if (!said) return std::move(said.error());
  finder find(here);
  return complete({std::move(*said), path, parent_of(path)}, {}, find);
}

result<std::string> text_of_profile(const std::string& given, const host& here) {
  return finder(here).text_of(given);
}

std::vector<const group*> groups_here(const chosen_profile& chosen) {
  std::vector<const group*> out;
  for (const auto& several : {default_groups(), chosen.view.groups})
    for (const group* g : several)
      if (g->here() && !chosen.leaves_out(g->name)) out.push_back(g);
  return out;
}

std::vector<std::string> warnings_of(const chosen_profile& chosen) {
  std::vector<std::string> out = chosen.says.warnings;
  for (const std::string& name : chosen.says.without_groups)
    if (groups::find(name) == nullptr && !has_no_rules(name))
      out.push_back(fmt::format("the group {} is excluded, and there is none of that name",
                                nono::detail::quoted(name)));
  return out;
}

std::vector<std::pair<std::string, std::string>> user_profiles(const host& here) {
  std::vector<std::pair<std::string, std::string>> out;
  const std::string directory = profiles_directory(here);
  DIR* const open = ::opendir(directory.c_str());
  if (open == nullptr) return out;
  while (const dirent* entry = ::readdir(open)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string_view file(entry->d_name);
    const std::size_t dot = file.rfind('.');
    if (dot == std::string_view::npos || (file.substr(dot) != ".json" && file.substr(dot) != ".jsonc"))
      continue;
    if (is_profile_name(file.substr(0, dot)))
      out.emplace_back(file.substr(0, dot), fmt::format("{}/{}", directory, file));
  }
  (void)::closedir(open);
  // Of two endings .jsonc counts, which sorts behind .json.
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  });
  out.erase(
      std::unique(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
      out.end());
  return out;
}

result<std::string> with_variables(std::string_view path, const host& here, std::string_view workdir,
                                   std::string& unknown) {
  const auto xdg = [&](std::string_view name, std::string_view below) -> std::string {
    const auto value = here.variable(name);
    return value ? std::string(*value) : below.empty() ? std::string() : here.home + std::string(below);
  };
  const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "WORKDIR") return std::string(workdir);
    if (name == "HOME") return here.home;
    if (name == "TMPDIR") return std::string(here.variable(name).value_or("/tmp"));
    if (name == "UID") return fmt::to_string(::getuid());
    if (name == "XDG_CONFIG_HOME") return xdg(name, "/.config");
    if (name == "XDG_STATE_HOME") return xdg(name, "/.local/state");
    if (name == "XDG_CACHE_HOME") return xdg(name, "/.cache");
    if (name == "XDG_DATA_HOME") return xdg(name, "/.local/share");
    if (name == "NONO_CONFIG") return xdg("XDG_CONFIG_HOME", "/.config") + "/nono";
    if (name == "NONO_PACKAGES") return xdg("XDG_CONFIG_HOME", "/.config") + "/nono/packages";
    const auto value = here.variable(name);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  std::string out;
  if (path == "~" || path.starts_with("~/")) {
    out = here.home;
    path.remove_prefix(1);
  }
  while (!path.empty()) {
    const std::size_t dollar = path.find('$');
    out += path.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    path.remove_prefix(dollar + 1);
    std::size_t n = 0;
    while (n < path.size() && nono::detail::is_environment_name(path.substr(0, n + 1))) ++n;
    const std::string_view name = path.substr(0, n);
    path.remove_prefix(n);
    const std::optional<std::string> value = n == 0 ? std::nullopt : value_of(name);
    if (value) {
      if ((name.starts_with("XDG_") || name == "TMPDIR") && !value->starts_with('/'))
        return sentence(
            fmt::format("the variable {} is {}, which is no absolute path; set it to one, or unset it", name,
                        nono::detail::quoted(*value)));
      out += *value;
    } else {
      if (unknown.empty()) unknown = fmt::format("${}", name);
      out += '$';
      out += name;
    }
  }
  return out;
}

}  // namespace nono::cli
