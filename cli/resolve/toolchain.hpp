// SPDX-License-Identifier: Apache-2.0
// Paths of tool chains as the user has set them, read from variables and files without starting any tool.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nono::cli {

enum class runtime { go, rust, node, python, java };

/// The runtime whose group a command brings along; nothing for other commands.
std::optional<runtime> runtime_of_command(std::string_view basename);

/// The value of a variable, or nothing when it is unset. An empty value counts as unset.
using environment_view = std::function<std::optional<std::string_view>(std::string_view)>;

/// What a runtime needs besides the fixed paths of its group. All paths are absolute, without "." and ".."
/// parts, not resolved, may be missing, and none covers the home directory, `/` or a system directory such as
/// /etc. Deny rules have not been asked: that is the caller's part.
struct toolchain_paths {
  std::vector<std::string> read;        ///< directories
  std::vector<std::string> read_write;  ///< caches; to be created 0700 when missing
  std::vector<std::string> read_files;
  std::vector<std::string> refused;  ///< a sentence for each value that names a path which may not be granted
  std::string go_path;               ///< GOPATH
  std::string go_modules;            ///< where go keeps the modules that it has downloaded; empty: not known
  std::string go_proxy;              ///< where it downloads them from, as GOPROXY; empty: not known
  std::string maven;                 ///< where Maven is installed; empty: not known
};

/// Reads the user's settings.
/// home:          absolute; empty when unknown, then nothing has a default.
/// path_variable: the value of PATH, for the real place of the tools; relative entries are ignored. To follow
/// a
///                command that was typed with a path, put its directory in front.
/// go:     GOROOT, GOPATH, GOMODCACHE, GOCACHE, GOTMPDIR from the environment, then from the file GOENV
/// names, then
///         the defaults. Only GOCACHE and an existing GOTMPDIR are read+write.
/// rust:   RUSTUP_HOME; of CARGO_HOME its parts without the credentials; the prefix of rustc.
/// node:   npm_config_cache; the modules beside the `node` found.
/// python: VIRTUAL_ENV; the prefix of the `python3` found, and of the one its virtual environment is based
/// on. java:   JAVA_HOME; caches and wrapper of GRADLE_USER_HOME; Maven's local repository; the real places
/// of java,
///         mvn and gradle.
toolchain_paths settings_of(runtime which, const environment_view& env, std::string_view home,
                            std::string_view path_variable);

}  // namespace nono::cli
