// SPDX-License-Identifier: Apache-2.0
// Paths that come from variables and settings files, checked before any of them becomes a grant.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/resolve/toolchain.hpp"

namespace nono::cli {

/// True when `directory` is `path` or one of its ancestors; both absolute and without dots.
bool covers(std::string_view directory, std::string_view path);

/// True for prefixes whose bin and lib the system groups grant already.
bool is_system_prefix(std::string_view prefix);

bool is_directory(const std::string& path);

/// "/a" for "/a/b"; "/" for "/a".
std::string parent_of(std::string_view path);

/// `path` below `base` if it is relative, with `.` and empty parts folded; `..` goes through realpath, because
/// only the file system knows what it means behind a link.
std::string absolute(std::string_view path, std::string_view base);

/// The start of a regular file, at most 64 KiB and then whole lines only; empty when it cannot be read. Never
/// waits for a FIFO.
std::string settings_text(const std::string& path);

/// Without blanks and line ends at both ends.
std::string_view trimmed(std::string_view text);

template <typename Visit>
void for_each_part(std::string_view text, char separator, Visit visit) {
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = text.find(separator, start);
    if (end == std::string_view::npos) end = text.size();
    visit(text.substr(start, end - start));
    start = end + 1;
  }
}

/// Collects the paths of one runtime.
class setting_paths {
 public:
  setting_paths(const environment_view& env, std::string_view home, std::string_view path_variable);

  toolchain_paths result;

  /// The variable's value unless it is unset or empty.
  std::optional<std::string> variable(std::string_view name) const;

  /// `below` under the home directory; empty when that is unknown.
  std::string in_home(std::string_view below) const;

  /// A directory of the XDG base directory specification, which wants absolute values; empty when there is
  /// none.
  std::string xdg_directory(std::string_view name, std::string_view below_home);

  /// Where PATH has the tool, links unresolved; empty when it has none.
  std::string tool(std::string_view name) const;

  /// R when the real path of the tool on PATH is R/bin/..., unless R is the system's; else empty.
  std::string real_prefix(std::string_view name) const;

  /// Adds `value` to one of the lists of `result`, or to the refused ones a sentence that begins with
  /// `label`. True when it may be granted; an empty value is neither granted nor refused.
  bool add(std::vector<std::string>& list, std::string_view label, std::string_view value);
  bool read(std::string_view label, std::string_view value) { return add(result.read, label, value); }
  bool read_file(std::string_view label, std::string_view value) {
    return add(result.read_files, label, value);
  }

  /// True when `value` is a path that may be granted. Says nothing to anybody.
  bool may_grant(std::string_view value) const { return !value.empty() && objection_to(value).empty(); }

  /// As add(), without a grant.
  bool check(std::string_view label, std::string_view value);

  /// Distributions link parts of a tool to /etc: adds the targets of the links in these directories of
  /// `root`. Below /usr only: in a directory that a sandboxed program could write, a planted link would widen
  /// the next run.
  void read_links_out_of(const std::string& root, std::initializer_list<const char*> directories);

 private:
  std::string objection_to(std::string_view value) const;

  const environment_view& env_;
  std::string home_;
  std::string real_home_;
  std::string path_variable_;
};

/// R for R/bin/name, unless R is the system's; else empty.
std::string prefix_of(const std::string& program_path);

}  // namespace nono::cli
