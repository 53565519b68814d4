// SPDX-License-Identifier: Apache-2.0
// The child's environment: what is inherited, what is dropped, what looks like a secret.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nono::cli {

/// True for a variable that makes a shell, loader or interpreter run code of somebody's choice, or that opens
/// a password manager: LD_*, DYLD_*, BASH_FUNC_*, OP_SESSION_* and a fixed list. Names are case-sensitive.
bool dangerous_variable(std::string_view name);

/// True for the variables by which one nono talks to another; a child never inherits them.
bool internal_variable(std::string_view name);

/// Which variables a profile lets through, by names that may end in `*`.
struct variable_filter {
  std::optional<std::vector<std::string>> allow;  ///< nothing: all
  std::vector<std::string> deny;
  bool strip_keys = false;  ///< nor what looks like a key, unless `allow` has its whole name

  [[nodiscard]] bool lets(std::string_view name) const;
};

/// The child's environment as NAME=VALUE entries, each name once.
/// inherited: a null-terminated array such as `environ`, or null. Dangerous and internal variables and
/// entries
///            without a name are dropped; of a repeated name the first counts, as with getenv.
/// added:     names and values that win over inherited ones, the later over the earlier; not filtered, except
///            that a name or value which cannot stand in an environment is dropped.
/// filter:    what it does not let through is not inherited.
std::vector<std::string> clean_environment(const char* const* inherited,
                                           std::span<const std::pair<std::string, std::string>> added,
                                           const variable_filter& filter = {});

/// True where the value is the key; of a key of 16 bytes and more also where it stands beside other words, as in a header or a
/// URL. A shorter one may be part of a path by chance.
bool holds_key(std::string_view value, std::string_view key);

/// The names, each once, of the variables that hold the key. None where it is empty.
std::vector<std::string> variables_that_hold(const char* const* environment, std::string_view key);

/// True for a name that usually holds a secret, such as OPENAI_API_KEY or DATABASE_URL; upper and lower case
/// alike. A guess from the name alone: neither are all secrets found, nor is each name found a secret.
bool looks_like_key(std::string_view name);

/// The names among NAME=VALUE entries that look like keys and have a value: sorted, each once, never the
/// values.
std::vector<std::string> key_like_names(std::span<const std::string> environment);

}  // namespace nono::cli
