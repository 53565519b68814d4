// SPDX-License-Identifier: Apache-2.0
// Reading references to secrets.
#include "secrets/reference.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "secrets/sentence.hpp"

namespace nono::secrets {

namespace {

constexpr std::size_t longest_keyring = 1024;  // bytes of a whole keyring:// URI
constexpr std::size_t longest = 4095;          // of any other, as of a path

constexpr bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
constexpr char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_word(c); });
}

/// What a shell or a terminal would take for more than text. No shell is started here; who copies a URI may start one.
bool has_forbidden(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
           std::string_view(";|&$`(){}<>!\\\"'").find(c) != std::string_view::npos;
  });
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> out;
  for (std::size_t start = 0;;) {
    const std::size_t slash = path.find('/', start);
    out.push_back(path.substr(start, slash - start));
    if (slash == std::string_view::npos) return out;
    start = slash + 1;
  }
}

bool has_empty(const std::vector<std::string_view>& parts) {
  return std::any_of(parts.begin(), parts.end(), [](std::string_view p) { return p.empty(); });
}

/// The start of what may be a key: enough to find it in a list, too little to use it.
std::string start_of(std::string_view text) {
  return text.size() <= 16 ? detail::quoted(text) : detail::quoted(std::string(text.substr(0, 4)) + "...");
}

/// The list of spec'd names by which a variable becomes code.
bool is_dangerous(std::string_view variable) {
  static constexpr std::string_view names[] = {
      "BASH_ENV",
      "CDPATH",
      "DOTNET_STARTUP_HOOKS",
      "ENV",
      "GOFLAGS",
      "HOME",
      "IFS",
      "JAVA_TOOL_OPTIONS",
      "NODE_OPTIONS",
      "NODE_PATH",
      "PATH",
      "PERL5LIB",
      "PERL5OPT",
      "PROMPT_COMMAND",
      "PYTHONPATH",
      "PYTHONSTARTUP",
      "RUBYLIB",
      "RUBYOPT",
      "SHELL",
      "_JAVA_OPTIONS",
  };
  std::string name(variable);
  std::transform(name.begin(), name.end(), name.begin(), upper);
  return name.starts_with("LD_") || name.starts_with("DYLD_") ||
         std::find(std::begin(names), std::end(names), name) != std::end(names);
}

result<reference> keyring(std::string_view text, std::string_view rest) {
  if (text.size() > longest_keyring)
    return refusal("a keyring:// URI is longer than 1024 bytes; write a shorter service and account");
  reference out;
  if (const std::size_t query = rest.find('?'); query != std::string_view::npos) {
    if (rest.substr(query) != "?decode=go-keyring")
      return refusal("keyring:// knows no " + detail::quoted(rest.substr(query)) +
                     "; write ?decode=go-keyring, or nothing");
    out.go_keyring = true;
    rest = rest.substr(0, query);
  }
  const auto parts = parts_of(rest);
  if (parts.size() != 2 || has_empty(parts))
    return refusal("a keyring:// URI names a service and an account; write keyring://SERVICE/ACCOUNT");
  out.service = parts[0];
  out.account = parts[1];
  out.shown = plain("keyring://" + out.service + "/" + out.account);
  return out;
}

result<reference> variable(std::string_view, std::string_view rest) {
  if (!is_word(rest))
    return refusal("the variable " + start_of(rest) +
                   " of env:// is no name of letters, digits and _; write env://OPENAI_API_KEY");
  if (is_dangerous(rest))
    return refusal("env://" + std::string(rest) +
                   " names a variable that steers programs and holds no secret; name another");
  reference out;
  out.is = reference::kind::variable;
  out.name = rest;
  out.shown = "env://" + out.name;
  return out;
}

result<reference> file(std::string_view, std::string_view rest) {
  const auto parts = parts_of(rest);
  if (!rest.starts_with('/') || rest.size() < 2)
    return refusal("a file:// URI names no absolute path; write file:///run/secrets/key");
  if (std::find(parts.begin(), parts.end(), "..") != parts.end())
    return refusal("the path " + detail::quoted(rest) +
                   " of file:// has a '..' part; write the path it stands for");
  reference out;
  out.is = reference::kind::file;
  out.name = rest;
  out.shown = plain("file://" + out.name);
  return out;
}

result<reference> one_password(std::string_view text, std::string_view rest) {
  const auto parts = parts_of(rest.substr(0, rest.find('?')));  // op reads ?attribute=otp and the like
  if (parts.size() < 3 || parts.size() > 4 || has_empty(parts))
    return refusal(
        "an op:// URI names a vault, an item and a field; write op://VAULT/ITEM/FIELD or "
        "op://VAULT/ITEM/SECTION/FIELD");
  reference out;
  out.is = reference::kind::one_password;
  out.name = text;
  out.shown = plain("op://" + std::string(parts[0]) + "/...");
  return out;
}

result<reference> bitwarden(std::string_view, std::string_view rest) {
  const auto parts = parts_of(rest);
  if (parts.size() > 2 || has_empty(parts))
    return refusal("a bw:// URI names an item and at most a field of it; write bw://ITEM or bw://ITEM/FIELD");
  reference out;
  out.is = reference::kind::bitwarden;
  out.name = parts[0];
  if (parts.size() == 2) out.field = parts[1];
  out.shown = "bw://...";
  return out;
}

result<reference> apple_password(std::string_view, std::string_view rest) {
  const auto parts = parts_of(rest);
  if (parts.size() != 2 || has_empty(parts))
    return refusal(
        "an apple-password:// URI names a server and an account; write "
        "apple-password://SERVER/ACCOUNT");
  reference out;
  out.is = reference::kind::apple_password;
  out.service = parts[0];
  out.account = parts[1];
  out.shown = plain("apple-password://" + out.service + "/...");
  return out;
}

result<reference> command(std::string_view, std::string_view rest) {
  if (!is_word(rest))
    return refusal("the name " + start_of(rest) +
                   " of cmd:// is not of letters, digits and _; write a name of the profile's "
                   "credential_capture");
  reference out;
  out.is = reference::kind::command;
  out.name = rest;
  out.shown = "cmd://" + out.name;
  return out;
}

struct scheme {
  std::string_view name;
  result<reference> (*read)(std::string_view text, std::string_view rest);
};
constexpr scheme schemes[] = {
    {"keyring://", keyring},
    {"env://", variable},
    {"file://", file},
    {"op://", one_password},
    {"bw://", bitwarden},
    {"apple-password://", apple_password},
    {"apple-passwords://", apple_password},
    {"cmd://", command},
};

}  // namespace

result<reference> parse_reference(std::string_view text) {
  if (text.empty())
    return refusal("a credential's source is empty; write a name in the keyring, or env://OPENAI_API_KEY");
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) {
    if (!is_word(text))
      return refusal("the name " + start_of(text) +
                     " of a secret is not of letters, digits and _; write keyring://nono/ACCOUNT for another "
                     "account of the keyring");
    reference out;
    out.service = own_service;
    out.account = text;
    out.shown = text;
    return out;
  }
  const std::string_view head = text.substr(0, colon + 3);
  const auto* const found =
      std::find_if(std::begin(schemes), std::end(schemes), [&](const scheme& s) { return s.name == head; });
  if (found == std::end(schemes))
    return refusal(
        start_of(head) +
        " is no source of secrets; write a name in the keyring, keyring://, env://, file://, op:// or bw://");
  if (text.size() > longest)
    return refusal("a " + std::string(head) + " URI is longer than 4095 bytes; write a shorter one");
  if (has_forbidden(text))
    return refusal(
        "a " + std::string(head) +
        " URI has a control character or one of ;|&$`(){}<>!\\\"', which mean something to a shell; "
        "name the secret without");
  return found->read(text, text.substr(head.size()));
}

bool forbidden_target(std::string_view variable) {
  if (!is_word(variable) || (variable.front() >= '0' && variable.front() <= '9')) return true;
  static constexpr std::string_view own = "NONO_";
  const bool is_own =
      variable.size() >= own.size() &&
      std::equal(own.begin(), own.end(), variable.begin(), [](char a, char b) { return a == upper(b); });
  return is_own || is_dangerous(variable);
}

}  // namespace nono::secrets
