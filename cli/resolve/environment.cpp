// SPDX-License-Identifier: Apache-2.0
// Filtering of inherited variables, and the names that look like secrets.
#include "cli/resolve/environment.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace nono::cli {
namespace {

constexpr std::string_view dangerous_prefixes[] = {"LD_", "DYLD_", "BASH_FUNC_", "OP_SESSION_"};

constexpr std::string_view dangerous_names[] = {"BASH_ENV",
                                                "ENV",
                                                "CDPATH",
                                                "GLOBIGNORE",
                                                "PROMPT_COMMAND",
                                                "IFS",
                                                "PYTHONSTARTUP",
                                                "PYTHONPATH",
                                                "NODE_OPTIONS",
                                                "NODE_PATH",
                                                "PERL5OPT",
                                                "PERL5LIB",
                                                "RUBYOPT",
                                                "RUBYLIB",
                                                "GEM_PATH",
                                                "GEM_HOME",
                                                "GOFLAGS",
                                                "_JAVA_OPTIONS",
                                                "JAVA_TOOL_OPTIONS",
                                                "DOTNET_STARTUP_HOOKS",
                                                "OP_CONNECT_TOKEN",
                                                "OP_CONNECT_HOST",
                                                "OP_SERVICE_ACCOUNT_TOKEN"};

constexpr std::string_view internal_names[] = {"NONO_CAP_FILE", "NONO_SUPERVISOR_PATH",
                                               "NONO_DETACHED_LAUNCH", "NONO_DETACHED_SESSION_ID",
                                               "NONO_DETACHED_CWD_PROMPT_RESPONSE"};

/// Whole names that no rule below finds.
constexpr std::string_view key_names[] = {
    "BW_SESSION", "DATABASE_URL", "DOCKER_AUTH_CONFIG", "SECRET_KEY_BASE", "SSHPASS",
    "MYSQL_PWD",  "REDIS_URL",    "MONGODB_URI",        "MONGODB_URL",     "MONGO_URL",
    "MONGO_URI",  "POSTGRES_URL", "AMQP_URL",           "RABBITMQ_URL"};

/// Endings of the last word: PGPASSWORD and CSRFTOKEN count, MAX_TOKENS does not.
constexpr std::string_view key_endings[] = {"TOKEN",     "SECRET",     "SECRETS",    "PASSWORD",
                                            "PASSWD",    "PASSPHRASE", "APIKEY",     "ACCESSKEY",
                                            "SECRETKEY", "PRIVATEKEY", "CREDENTIAL", "CREDENTIALS"};

/// Endings that must start at a word, and have a word in front.
constexpr std::string_view key_tails[] = {"KEY", "ACCESS_KEY_ID", "PASS",        "PAT",
                                          "JWT", "DATABASE_URL",  "WEBHOOK_URL", "CONNECTION_STRING"};

/// What ends in KEY and is for everybody to see. GPG_KEY is a fingerprint, in the environment of every Python image of Docker's.
constexpr std::string_view public_names[] = {"GPG_KEY", "PUBLIC_KEY"};
constexpr std::string_view public_tail = "_PUBLIC_KEY";

template <typename List>
bool contains(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

bool can_stand_in_environment(std::string_view name, std::string_view value) {
  return !name.empty() && name.find('=') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos && value.find('\0') == std::string_view::npos;
}

/// Upper case, with '_' for '-' and '.', and without a number at the end: openai-api-key-2 is OPENAI_API_KEY.
std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c >= 'a' && c <= 'z')
      plain += static_cast<char>(c - 'a' + 'A');
    else
      plain += c == '-' || c == '.' ? '_' : c;
  }
  const std::size_t last = plain.find_last_not_of("0123456789");
  if (last != std::string::npos && last + 1 < plain.size())
    plain.resize(plain[last] == '_' ? last : last + 1);
  return plain;
}

}  // namespace

bool dangerous_variable(std::string_view name) {
  return contains(dangerous_names, name) ||
         std::any_of(std::begin(dangerous_prefixes), std::end(dangerous_prefixes),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

bool internal_variable(std::string_view name) { return contains(internal_names, name); }

bool variable_filter::lets(std::string_view name) const {
  const auto names = [&](const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
      return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1))
                                    : name == pattern;
    });
  };
  if (strip_keys && looks_like_key(name) && !(allow && contains(*allow, name))) return false;
  return (!allow || names(*allow)) && !names(deny);
}

std::vector<std::string> clean_environment(const char* const* inherited,
                                           std::span<const std::pair<std::string, std::string>> added,
                                           const variable_filter& filter) {
  std::vector<std::string> result;
  std::set<std::string, std::less<>> taken;
  for (const auto& [name, value] : added)
    if (can_stand_in_environment(name, value)) taken.insert(name);
  for (; inherited != nullptr && *inherited != nullptr; ++inherited) {
    const std::string_view entry = *inherited;
    const std::string_view name = name_of(entry);
    if (name.empty() || name.size() == entry.size() || dangerous_variable(name) || internal_variable(name) ||
        !filter.lets(name))
      continue;
    if (taken.insert(std::string(name)).second) result.emplace_back(entry);
  }
  std::set<std::string, std::less<>> done;
  const std::size_t first_added = result.size();
  for (auto it = added.rbegin(); it != added.rend(); ++it)
    if (can_stand_in_environment(it->first, it->second) && done.insert(it->first).second)
      result.push_back(it->first + "=" + it->second);
  std::reverse(result.begin() + static_cast<std::ptrdiff_t>(first_added), result.end());
  return result;
}

bool holds_key(std::string_view value, std::string_view key) {
  constexpr std::size_t long_enough = 16;
  if (key.empty()) return false;
  return key.size() < long_enough ? value == key : value.find(key) != std::string_view::npos;
}

std::vector<std::string> variables_that_hold(const char* const* environment, std::string_view key) {
  std::vector<std::string> out;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::string_view name = name_of(entry);
    if (name.size() == entry.size() || !holds_key(entry.substr(name.size() + 1), key)) continue;
    if (!contains(out, name)) out.emplace_back(name);
  }
  return out;
}

bool looks_like_key(std::string_view name) {
  const std::string plain = plain_name(name);
  if (contains(key_names, plain)) return true;
  if (contains(public_names, plain) || plain.ends_with(public_tail)) return false;
  const std::string_view last_word = std::string_view(plain).substr(plain.rfind('_') + 1);
  if (std::any_of(std::begin(key_endings), std::end(key_endings),
                  [&](std::string_view e) { return last_word.ends_with(e); }))
    return true;
  return std::any_of(std::begin(key_tails), std::end(key_tails), [&](std::string_view tail) {
    return plain.size() > tail.size() + 1 && plain.ends_with(tail) &&
           plain[plain.size() - tail.size() - 1] == '_';
  });
}

std::vector<std::string> key_like_names(std::span<const std::string> environment) {
  std::set<std::string> names;
  for (const std::string& entry : environment) {
    const std::string_view name = name_of(entry);
    if (name.size() + 1 < entry.size() && looks_like_key(name)) names.emplace(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace nono::cli
