// SPDX-License-Identifier: Apache-2.0
// Which paths from settings may be granted, and where tools really lie.
#include "cli/resolve/setting_paths.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fmt/format.h>

#include "cli/resolve/program.hpp"

namespace nono::cli {
namespace {

constexpr std::size_t longest_path = 4095;
constexpr std::size_t longest_settings_file = 65536;
constexpr int most_links_read = 500;

/// Without empty and "." components; `path` is absolute.
std::string without_dots(std::string_view path) {
  std::string plain;
  for_each_part(path, '/', [&plain](std::string_view part) {
    if (!part.empty() && part != ".") plain.append("/").append(part);
  });
  return plain.empty() ? "/" : plain;
}

bool has_parent_component(std::string_view path) {
  bool found = false;
  for_each_part(path, '/', [&found](std::string_view part) { found = found || part == ".."; });
  return found;
}

/// Directories in which the system keeps its own things, everybody's homes, or everybody's temporary files.
bool is_shared_directory(std::string_view path) {
  constexpr std::string_view alone[] = {"/bin",  "/boot",    "/etc",     "/home",   "/lib", "/lib64",
                                        "/root", "/run",     "/sbin",    "/tmp",    "/usr", "/var",
                                        "/opt",  "/var/lib", "/var/run", "/var/tmp"};
  constexpr std::string_view with_content[] = {"/proc", "/sys", "/dev"};
  return std::find(std::begin(alone), std::end(alone), path) != std::end(alone) ||
         std::any_of(std::begin(with_content), std::end(with_content),
                     [path](std::string_view directory) { return covers(directory, path); });
}

void push_once(std::vector<std::string>& list, std::string value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

}  // namespace

bool covers(std::string_view directory, std::string_view path) {
  return directory == "/" ||
         (path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/'));
}

bool is_system_prefix(std::string_view prefix) {
  return prefix == "/" || prefix == "/usr" || prefix == "/usr/local";
}

bool is_directory(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos || slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string prefix_of(const std::string& program_path) {
  const std::string directory = parent_of(program_path);
  if (!directory.ends_with("/bin")) return {};
  std::string prefix = parent_of(directory);
  return is_system_prefix(prefix) ? std::string() : prefix;
}

std::string absolute(std::string_view path, std::string_view base) {
  std::string joined = path.starts_with('/') ? std::string(path) : fmt::format("{}/{}", base, path);
  std::string out;
  bool parents = false;
  for_each_part(joined, '/', [&](std::string_view part) {
    if (part.empty() || part == ".") return;
    parents = parents || part == "..";
    out += '/';
    out += part;
  });
  if (out.empty()) out = "/";
  if (parents)
    if (auto real = canonical_path(joined)) return *real;
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::string settings_text(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  struct stat info{};
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    text.resize(longest_settings_file);
    std::size_t have = 0;
    while (have < text.size()) {
      const ssize_t n = ::read(fd, text.data() + have, text.size() - have);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      have += static_cast<std::size_t>(n);
    }
    text.resize(have);
    // A line that the limit cut in two would be read as a shorter value.
    if (have == longest_settings_file) text.resize(text.rfind('\n') + 1);
  }
  close(fd);
  return text;
}

setting_paths::setting_paths(const environment_view& env, std::string_view home,
                             std::string_view path_variable)
    : env_(env) {
  if (home.starts_with('/')) home_ = without_dots(home);
  real_home_ = canonical_path(home_).value_or(home_);
  for_each_part(path_variable, ':', [this](std::string_view entry) {
    if (entry.starts_with('/')) path_variable_.append(path_variable_.empty() ? "" : ":").append(entry);
  });
}

std::optional<std::string> setting_paths::variable(std::string_view name) const {
  const auto value = env_(name);
  if (!value || value->empty()) return std::nullopt;
  return std::string(*value);
}

std::string setting_paths::in_home(std::string_view below) const {
  if (home_.empty()) return {};
  return (home_ == "/" ? "/" : home_ + "/").append(below);
}

std::string setting_paths::xdg_directory(std::string_view name, std::string_view below_home) {
  const auto value = variable(name);
  if (!value) return in_home(below_home);
  if (value->starts_with('/')) return *value;
  (void)check(name, *value);
  return {};
}

std::string setting_paths::tool(std::string_view name) const {
  if (path_variable_.empty()) return {};
  const auto found = find_program(name, path_variable_, "/");
  const auto* as_program = std::get_if<program>(&found);
  return as_program == nullptr ? std::string() : as_program->path;
}

std::string setting_paths::real_prefix(std::string_view name) const {
  return prefix_of(canonical_path(tool(name)).value_or(""));
}

bool setting_paths::add(std::vector<std::string>& list, std::string_view label, std::string_view value) {
  if (!check(label, value)) return false;
  push_once(list, without_dots(value));
  return true;
}

bool setting_paths::check(std::string_view label, std::string_view value) {
  if (value.empty()) return false;
  const std::string objection = objection_to(value);
  if (!objection.empty())
    push_once(result.refused, std::string(label) + "=" + in_quotes(value) + " is not granted: " + objection);
  return objection.empty();
}

std::string setting_paths::objection_to(std::string_view value) const {
  if (value.size() > longest_path) return "it is longer than 4095 bytes; set it to a shorter path";
  if (std::any_of(value.begin(), value.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return "it contains a control byte; set it to a plain path";
  if (!value.starts_with('/')) return "it is not absolute; set it to a full path";
  if (has_parent_component(value)) return "it contains '..'; set it to the path without it";
  const std::string plain = without_dots(value);
  for (const std::string& path : {plain, canonical_path(plain).value_or(plain)}) {
    if (path == "/") return "it is the root directory; set it to a directory of its own";
    if ((!home_.empty() && covers(path, home_)) || (!real_home_.empty() && covers(path, real_home_)))
      return "it would cover your home directory; set it to a directory below it";
    if (is_shared_directory(path)) return "it is a directory of the system; set it to a directory of its own";
  }
  return {};
}

void setting_paths::read_links_out_of(const std::string& root,
                                      std::initializer_list<const char*> directories) {
  if (!root.starts_with("/usr/")) return;
  for (const char* directory : directories) {
    DIR* stream = opendir((root + directory).c_str());
    if (stream == nullptr) continue;
    for (int count = 0; count < most_links_read; ++count) {
      const dirent* entry = readdir(stream);
      if (entry == nullptr) break;
      if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) continue;
      const auto target = canonical_path(root + directory + "/" + entry->d_name);
      // What lies below /usr/lib and /usr/share the system groups grant already.
      if (!target || covers(root, *target) || covers("/usr/lib", *target) || covers("/usr/share", *target))
        continue;
      (void)add(is_directory(*target) ? result.read : result.read_files, "link in " + root + directory,
                *target);
    }
    closedir(stream);
  }
}

}  // namespace nono::cli
