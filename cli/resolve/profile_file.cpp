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
#include <nono/resolve.hpp>

#include "cli/resolve/resolver.hpp"
#include "cli/resolve/setting_paths.hpp"

namespace nono::cli {

namespace {

error sentence(std::string text) { return {errc::bad_argument, 0, {}, {}, std::move(text)}; }

/// Groups of the reference without rules of their own here: what they do is done elsewhere, or nothing on Linux.
constexpr std::string_view groups_without_rules[] = {"dangerous_commands", "dangerous_commands_linux",
                                                     "dangerous_commands_macos", "unlink_protection"};

bool has_no_rules(std::string_view group) {
  return std::find(std::begin(groups_without_rules), std::end(groups_without_rules), group) !=
         std::end(groups_without_rules);
}

bool is_profile_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
         });
}

bool is_path(std::string_view given) {
  return given.find('/') != std::string_view::npos || given.ends_with(".json") || given.ends_with(".jsonc");
}

/// `ns/name`: the reference would ask its registry.
bool is_pack(std::string_view given) {
  return std::count(given.begin(), given.end(), '/') == 1 && given.find_first_of(".~/") != 0 &&
         !given.ends_with(".json") && !given.ends_with(".jsonc");
}

std::string profiles_directory(const host& here) {
  const auto config = here.variable("XDG_CONFIG_HOME");
  return config && config->starts_with('/') ? fmt::format("{}/nono/profiles", *config)
                                            : here.home + "/.config/nono/profiles";
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

/// A built-in profile in the words of a file, for what extends it.
profile as_file(const builtin_profile& p) {
  profile out;
  out.name = p.name;
  for (const group* g : p.groups) out.groups.emplace_back(g->name);
  if (p.workdir == right::read_write) out.workdir = "readwrite";
  if (p.wants_hosts) out.network_profile = "developer";
  if (p.full_ipc) out.ipc_mode = "full";
  return out;
}

class finder {
 public:
  explicit finder(const host& here) : here_(here) {}

  result<found_profile> by_argument(const std::string& given) {
    if (is_pack(given) && ::access(given.c_str(), F_OK) != 0)
      return sentence(
          fmt::format("{} would be a profile of a pack, and packs are not built yet; name a file or a "
                      "profile of your own",
                      nono::detail::quoted(given)));
    if (is_path(given)) return by_path(given.starts_with("~/") ? here_.home + given.substr(1) : given);
    return by_name(given);
  }

  /// What extends looks beside the child first, until one of the names was found elsewhere.
  result<found_profile> operator()(std::string_view name, const found_profile& child) {
    if (!is_profile_name(name))
      return sentence(fmt::format(
          "the profile {} extends {}, which is no name of a profile (letters, digits and hyphens)",
          nono::detail::quoted(child.id), nono::detail::quoted(name)));
    if (!child.directory.empty()) {
      const std::string beside = fmt::format("{}/{}.json", child.directory, name);
      if (beside != child.id && ::access(beside.c_str(), F_OK) == 0) return by_path(beside);
    }
    auto found = by_name(name);
    if (!found && found.error().code == errc::profile_not_found) return not_found(name, child.id);
    if (found) found->directory.clear();
    return found;
  }

 private:
  result<found_profile> by_name(std::string_view name) {
    if (!is_profile_name(name)) return not_found(name);
    const std::string directory = profiles_directory(here_);
    for (const std::string_view ending : {".jsonc", ".json"}) {
      std::string path = fmt::format("{}/{}{}", directory, name, ending);
      if (::access(path.c_str(), F_OK) == 0) return by_path(std::move(path));
    }
    if (const builtin_profile* p = find_profile(name); p != nullptr)
      return found_profile{as_file(*p), fmt::format("built-in {}", name), {}};
    return not_found(name);
  }

  result<found_profile> by_path(std::string path) {
    const std::string given = path;
    if (!path.starts_with('/')) path = fmt::format("{}/{}", here_.current, path);
    if (auto real = canonical_path(path)) path = *real;
    auto text = read_profile_file(path);
    if (!text) {
      if (text.error().os_errno == ENOENT || text.error().os_errno == ENOTDIR)
        return error{errc::profile_not_found, 0, {}, given, "; there is no such file"};
      return std::move(text.error());
    }
    if (!system_) {
      system_ = facts_of_os_release(settings_text("/etc/os-release"));
    }
    auto said = parse_profile(*text, "the profile " + nono::detail::quoted(path), *system_);
    if (!said) return std::move(said.error());
    return found_profile{std::move(*said), path, parent_of(path)};
  }

  const host& here_;
  std::optional<system_facts> system_;
};

std::string nearest_group(std::string_view name) {
  nono::detail::nearest near(name);
  for (const group* g : groups::all) near.offer(g->name, g->name);
  return std::string(near.found());
}

/// The groups by name. What is excluded must not be required, and what is included must exist.
error choose_groups(chosen_profile& out) {
  const std::string subject = "the profile " + nono::detail::quoted(out.path);
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

result<std::shared_ptr<const chosen_profile>> choose_profile(const std::string& given, const host& here) {
  finder find(here);
  auto found = find.by_argument(given);
  if (!found) return std::move(found.error());
  auto out = std::make_shared<chosen_profile>();
  if (found->id.starts_with("built-in ")) {
    out->view = *find_profile(given);
    out->name = out->view.name;
    return std::shared_ptr<const chosen_profile>(std::move(out));
  }
  out->path = found->id;
  auto whole = with_bases(*found, find);
  if (!whole) return std::move(whole.error());
  out->says = std::move(*whole);
  const std::string file = out->path.substr(out->path.rfind('/') + 1);
  out->name = out->says.name.empty() ? file.substr(0, file.rfind('.')) : out->says.name;
  out->description = out->says.description;
  if (error why = choose_groups(*out); why.code != errc::none) return why;
  const profile& says = out->says;
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
