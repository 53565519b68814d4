// SPDX-License-Identifier: Apache-2.0
// Routes and variables for keys.
#include "cli/resolve/credentials.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <nono/address.hpp>
#include <nono/host.hpp>
#include <nono/json/profile_parser.hpp>
#include <nono/json/reader.hpp>
#include <nono/network.hpp>

#include "cli/resolve/environment.hpp"
#include "cli/resolve/host_name.hpp"
#include "cli/resolve/profile_file.hpp"
#include "cli/resolve/program.hpp"
#include "cli/resolve/resolver.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/resolve/setting_paths.hpp"

namespace nono::cli {

namespace {

/// The services that need no definition. Source: the documentation of each, and its clients' names of variables.
struct service {
  std::string_view name, host, base, header, format, key;
  std::string_view variables;  // with a comma between two
};
constexpr service services[] = {
    {"openai", "api.openai.com", "/v1", "Authorization", "Bearer {}", "openai", "OPENAI_API_KEY"},
    {"anthropic", "api.anthropic.com", "", "x-api-key", "{}", "env://ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"},
    {"gemini", "generativelanguage.googleapis.com", "", "x-goog-api-key", "{}", "gemini",
     "GEMINI_API_KEY,GOOGLE_API_KEY"},
    {"google-ai", "generativelanguage.googleapis.com", "", "x-goog-api-key", "{}", "keyring://nono/google-ai",
     "GEMINI_API_KEY,GOOGLE_API_KEY"},
    {"github", "api.github.com", "", "Authorization", "token {}", "env://GITHUB_TOKEN", "GITHUB_TOKEN"},
    {"gitlab", "gitlab.com", "/api", "Authorization", "Bearer {}", "env://GITLAB_TOKEN", "GITLAB_TOKEN"},
};

std::string upper(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' || c == '.' ? '_' : c;
  return out;
}

bool is_route_name(std::string_view name) {
  for (const char c : name)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'))
      return false;
  return !name.empty() && name.size() <= 64 && name.front() != '-';
}

bool is_one_of(std::string_view chars, std::string_view text) {
  return !text.empty() && text.find_first_not_of(chars) == std::string_view::npos;
}
constexpr std::string_view letters_and_digits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool has_control_byte(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// True for a name of a header or a method. Source: RFC 9110, section 5.6.2
bool is_token(std::string_view text) {
  return is_one_of(std::string(letters_and_digits) + "!#$%&'*+-.^_`|~", text);
}

/// Reads https://host[:port][/path]. Empty: done; else the end of a sentence.
std::string_view read_upstream(std::string_view text, credential_route& to) {
  if (text.starts_with("https://")) {
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
    to.tls = false;
    to.port = 80;
  } else {
    return "is no https:// URL";
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  std::string_view path = text.substr(slash);
  if (text.find_first_of("?# ") != std::string_view::npos || has_control_byte(text))
    return "has more than a host, a port and a path";
  if (authority.find('@') != std::string_view::npos) return "carries a user name";
  while (path.ends_with('/')) path.remove_suffix(1);
  to.base = path;
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = std::min(authority.find(']'), authority.size());
    port = authority.substr(std::min(end + 1, authority.size()));
    authority = authority.substr(1, end - 1);
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    port = authority.substr(colon);
    authority = authority.substr(0, colon);
  }
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto number = parse_port(port);
    if (!number) return "has a port that is none";
    to.port = *number;
  }
  const auto name = to_dns_name(authority, {});
  if (!name) return "has a host that is none";
  for (const char c : *name) to.host += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (check_host(to.host) != errc::none || to.host.starts_with('*')) return "has a host that is none";
  const auto address = parse_address(to.host);
  const bool here = to.host == "localhost" || (address && kind_of(*address) == address_kind::this_machine);
  if (!to.tls && !here) return "is http, which is for this machine alone";
  return {};
}

/// Reads one definition of `network.custom_credentials`.
class definition_reader {
 public:
  definition_reader(std::string_view name, std::string_view profile, const json_value& d, const host& here,
                    std::string_view workdir)
      : name_(name), profile_(profile), d_(d), here_(here), workdir_(workdir) {}

  result<credential_route> run() {
    credential_route out;
    out.name = name_;
    out.url_variable = upper(name_) + "_BASE_URL";
    if (!is_route_name(name_)) return wrong("its name is not of letters, digits, - and _");
    if (d_.find("auth") != nullptr) return wrong("auth (OAuth2) is not built yet; name a credential_key");
    if (d_.find("aws_auth") != nullptr)
      return wrong("aws_auth (SigV4) is not built yet; name a credential_key");
    std::string upstream;
    std::string key;
    text("upstream", upstream);
    text("credential_key", key);
    if (const std::string_view fault = read_upstream(upstream, out); !fault.empty())
      return wrong(fmt::format("upstream {} {}", in_quotes(upstream), fault));
    const std::string key_path = place(d_, out.sent);
    out.shown = out.sent;
    if (const json_value* const proxy = d_.find("proxy")) {
      if (!keys(*proxy, "proxy",
                {"inject_mode", "inject_header", "credential_format", "path_pattern", "path_replacement",
                 "query_param_name"}))
        return wrong(fault_);
      out.shown = {};
      (void)place(*proxy, out.shown);
    }
    if (!key_path.empty()) out.sent.format = key_path;
    if (!fault_.empty()) return wrong(fault_);
    auto from = secrets::parse_reference(key);
    if (!from) return wrong(from.error().other);
    out.key = *std::move(from);
    if (out.key.is == secrets::reference::kind::command)
      return wrong("cmd:// is not built yet; name another source");
    if (error why = variables(key, out); why.code != errc::none) return why;
    rules(out);
    path("tls_ca", out.ca_file);
    path("tls_client_cert", out.certificate_file);
    path("tls_client_key", out.certificate_key_file);
    if (out.certificate_file.empty() != out.certificate_key_file.empty())
      fault_ = "tls_client_cert and tls_client_key go together";
    if (!fault_.empty()) return wrong(fault_);
    return out;
  }

 private:
  error wrong(const std::string& why) const {
    return sentence(fmt::format("custom_credentials.{} of the profile {}: {}", name_, profile_, why));
  }
  void text(std::string_view key, std::string& to, const json_value* of = nullptr) {
    const json_value* const v = (of != nullptr ? *of : d_).find(key);
    if (v == nullptr || v->is == json_value::kind::null) return;
    if (v->is != json_value::kind::text || has_control_byte(v->text))
      fault_ = fmt::format("{} is no text on one line", key);
    else
      to = v->text;
  }

  /// Gives what the key goes by in a path, if it is not what the token goes by.
  std::string place(const json_value& of, credential_place& to) {
    std::string pattern;
    std::string replacement;
    std::string parameter;
    text("inject_mode", to.mode, &of);
    text("inject_header", to.name, &of);
    text("credential_format", to.format, &of);
    text("path_pattern", pattern, &of);
    text("path_replacement", replacement, &of);
    text("query_param_name", parameter, &of);
    const auto holes = [](std::string_view t) {
      std::size_t n = 0;
      for (std::size_t at = 0; (at = t.find("{}", at)) != std::string_view::npos; at += 2) ++n;
      return n;
    };
    if (to.mode == "header") {
      if (to.name.empty()) to.name = "Authorization";
      if (to.format.empty()) to.format = upper(to.name) == "AUTHORIZATION" ? "Bearer {}" : "{}";
      if (!is_token(to.name))
        fault_ = fmt::format("inject_header {} is no name of a header", in_quotes(to.name));
      else if (holes(to.format) != 1)
        fault_ = fmt::format("credential_format {} needs one {{}}, where the key goes", in_quotes(to.format));
    } else if (to.mode == "url_path") {
      to.format = pattern;
      const auto is_piece = [&](std::string_view t) {
        return holes(t) == 1 && t.starts_with('/') && t.find_first_of(" ?#%") == std::string_view::npos;
      };
      if (!is_piece(pattern))
        fault_ = fmt::format("path_pattern {} needs one {{}} and a / at its beginning", in_quotes(pattern));
      if (!replacement.empty() && !is_piece(replacement))
        fault_ = fmt::format("path_replacement {} needs one {{}} and a / at its beginning",
                             in_quotes(replacement));
      return replacement;
    } else if (to.mode == "query_param") {
      to.name = parameter;
      if (!is_one_of(std::string(letters_and_digits) + "_-", parameter))
        fault_ = fmt::format("query_param_name {} is not of letters, digits, - and _", in_quotes(parameter));
    } else if (to.mode == "basic_auth") {
      to.name = "Authorization";
    } else {
      fault_ = fmt::format("inject_mode {} is none of header, url_path, query_param and basic_auth",
                           in_quotes(to.mode));
    }
    return {};
  }

  error variables(const std::string& key, credential_route& out) {
    std::string variable;
    text("env_var", variable);
    using kind = secrets::reference::kind;
    if (variable.empty() && out.key.is == kind::variable) variable = out.key.name;
    if (variable.empty() && out.key.is == kind::keyring && key.find("://") == std::string::npos)
      variable = upper(key);
    if (variable.empty())
      return wrong("env_var is missing: the variable in which the command finds its token");
    if (secrets::forbidden_target(variable))
      return wrong(
          fmt::format("env_var {} would be read as code, or is no name of a variable", in_quotes(variable)));
    out.token_variables = {variable};
    return {};
  }

  /// The first is the one that is said.
  void fault(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }

  /// Whether it is an object; one with other keys than these is a fault.
  bool keys(const json_value& of, std::string_view place, std::initializer_list<std::string_view> known) {
    if (of.is != json_value::kind::object) {
      fault(fmt::format("{} is no object", place));
      return false;
    }
    for (const json_value& m : of.items) {
      if (std::find(known.begin(), known.end(), m.key) != known.end()) continue;
      fault(fmt::format("unknown key: {}; {}", in_quotes(fmt::format("{}.{}", place, m.key)),
                        nono::detail::instead_of(m.key, {known.begin(), known.size()})));
    }
    return true;
  }

  void list(const json_value& of, std::string_view key, const std::string& place,
            std::vector<std::pair<std::string, std::string>>& to) {
    const json_value* const v = of.find(key);
    if (v == nullptr) return;
    if (v->is != json_value::kind::array) return fault(place + " is no list");
    for (const json_value& rule : v->items) {
      std::string method;
      std::string path;
      if (rule.is == json_value::kind::object) keys(rule, place, {"method", "path"});
      text("method", method, &rule);
      text("path", path, &rule);
      std::pair<std::string, std::string> one;
      if (const std::string wrong = read_endpoint(method, path, one); !wrong.empty())
        fault(fmt::format("a rule of {} {}", place, wrong));
      to.push_back(std::move(one));
    }
  }
  void rules(credential_route& out) {
    list(d_, "endpoint_rules", "endpoint_rules", out.allow);
    if (!out.allow.empty()) out.allows_rest = false;
    const json_value* const policy = d_.find("endpoint_policy");
    if (policy == nullptr) return;
    if (!keys(*policy, "endpoint_policy", {"default", "deny", "approve", "allow"})) return;
    const bool only_these = !out.allow.empty();
    if (const json_value* const approve = policy->find("approve");
        approve != nullptr && (approve->is != json_value::kind::array || !approve->items.empty()))
      fault("endpoint_policy.approve is not built yet; write the rules to allow or deny");
    list(*policy, "deny", "endpoint_policy.deny", out.deny);
    list(*policy, "allow", "endpoint_policy.allow", out.allow);
    std::string decision = "deny";
    if (const json_value* const fallback = policy->find("default"))
      if (keys(*fallback, "endpoint_policy.default", {"decision", "backend", "timeout_secs"}))
        text("decision", decision, fallback);
    if (decision != "allow" && decision != "deny")
      fault(
          fmt::format("endpoint_policy.default.decision {} is neither allow nor deny", in_quotes(decision)));
    out.allows_rest = decision == "allow";
    if (only_these && out.allows_rest)
      fault(
          "endpoint_rules let nothing else through, and endpoint_policy.default.decision 'allow' everything; "
          "leave one of them out");
  }
  void path(std::string_view key, std::string& to) {
    std::string written;
    text(key, written);
    if (written.empty()) return;
    std::string unknown;
    auto whole = with_variables(written, here_, workdir_, unknown);
    if (!whole || !unknown.empty())
      fault_ = fmt::format("{} {} has a variable without a value", key, in_quotes(written));
    else
      to = absolute(*whole, here_.current);
  }

  std::string_view name_;
  std::string_view profile_;
  const json_value& d_;
  const host& here_;
  std::string_view workdir_;
  std::string fault_;
};

credential_route of_service(const service& s) {
  credential_route out;
  out.name = s.name;
  out.host = s.host;
  out.base = s.base;
  out.sent = out.shown = {"header", std::string(s.header), std::string(s.format)};
  out.key = *secrets::parse_reference(s.key);
  for_each_part(s.variables, ',', [&](std::string_view v) { out.token_variables.emplace_back(v); });
  out.url_variable = upper(s.name) + "_BASE_URL";
  return out;
}

/// SERVICE:METHOD:/path of --allow-endpoint.
error add_endpoint(std::string_view word, std::vector<credential_route>& routes) {
  const std::size_t first = word.find(':');
  const std::size_t second = first == std::string_view::npos ? first : word.find(':', first + 1);
  if (second == std::string_view::npos || second == first + 1 || second + 1 >= word.size() ||
      word[second + 1] != '/')
    return sentence(
        fmt::format("--allow-endpoint {} is not SERVICE:METHOD:/path, such as openai:POST:/chat/completions",
                    in_quotes(word)));
  const std::string_view name = word.substr(0, first);
  const auto at =
      std::find_if(routes.begin(), routes.end(), [&](const credential_route& r) { return r.name == name; });
  if (at == routes.end())
    return sentence(
        fmt::format("--allow-endpoint {} speaks of a credential that is not in use; add --credential {}",
                    in_quotes(word), in_quotes(name)));
  std::pair<std::string, std::string> rule;
  if (const std::string wrong =
          read_endpoint(word.substr(first + 1, second - first - 1), word.substr(second + 1), rule);
      !wrong.empty())
    return sentence(fmt::format("--allow-endpoint {} {}", in_quotes(word), wrong));
  at->allow.push_back(std::move(rule));
  at->allows_rest = false;
  return {};
}

}  // namespace

std::string credential_route::upstream() const {
  const std::string server = host.find(':') != std::string::npos ? '[' + host + ']' : host;
  return fmt::format("{}://{}{}{}", tls ? "https" : "http", server,
                     port == (tls ? 443 : 80) ? std::string() : fmt::format(":{}", port), base);
}

std::string read_endpoint(std::string_view method, std::string_view path,
                          std::pair<std::string, std::string>& to) {
  if (method.empty() || !path.starts_with('/')) return "needs a method, or *, and a path that begins with /";
  if (!is_token(method) || (method != "*" && method.find('*') != std::string_view::npos))
    return fmt::format("has the method {}, which no request has; write one such as GET, or * for all",
                       in_quotes(method));
  if (path.find_first_of("?#%\\") != std::string_view::npos || has_control_byte(path))
    return fmt::format(
        "has the path {}, which no request has: paths are compared decoded, without what begins with ? or #; "
        "write * in its place",
        in_quotes(path));
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment == "." || segment == "..")
      return fmt::format(
          "has the path {}, which no request has: dots are resolved before; write where it leads",
          in_quotes(path));
    rest.remove_prefix(segment.size());
  }
  to = {{}, std::string(path)};
  for (const char c : method) to.first += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return {};
}

bool wants_routes(const run_options& options, const profile& says) {
  return !options.credential.empty() || (says.credentials && !says.credentials->empty());
}

result<std::vector<credential_route>> routes_of(const run_options& options, const profile& says,
                                                std::string_view profile_name, const host& here,
                                                std::string_view workdir) {
  std::vector<credential_route> known;
  for (const auto& [name, text] : says.custom_credentials) {
    const auto d = read_json(text, "custom_credentials." + name);
    if (!d) return d.error();
    auto one = definition_reader(name, profile_name, *d, here, workdir).run();
    if (!one) return std::move(one.error());
    known.push_back(*std::move(one));
  }
  for (const service& s : services)
    if (std::none_of(known.begin(), known.end(), [&](const credential_route& r) { return r.name == s.name; }))
      known.push_back(of_service(s));
  std::vector<credential_route> out;
  const auto add = [&](const std::string& name, const std::string& from, bool by_flag) -> error {
    const auto at =
        std::find_if(known.begin(), known.end(), [&](const credential_route& r) { return r.name == name; });
    if (at == known.end()) {
      std::string names;
      for (const credential_route& r : known) names += (names.empty() ? "" : ", ") + r.name;
      return sentence(fmt::format("{} names the credential {}, which nothing defines; name one of: {}", from,
                                  in_quotes(name), names));
    }
    const auto there =
        std::find_if(out.begin(), out.end(), [&](const credential_route& r) { return r.name == name; });
    credential_route& one = there == out.end() ? out.emplace_back(*at) : *there;
    one.from = from;
    one.by_flag = one.by_flag || by_flag;
    return {};
  };
  if (says.credentials)
    for (const std::string& name : *says.credentials)
      if (error why = add(name, fmt::format("the profile {}", profile_name), false); why.code != errc::none)
        return why;
  for (const std::string& name : options.credential)
    if (error why = add(name, "--credential", true); why.code != errc::none) return why;
  for (const std::string& word : options.allow_endpoint)
    if (error why = add_endpoint(word, out); why.code != errc::none) return why;
  // Two routes that set the same variable would leave one of them without its token.
  for (std::size_t i = 0; i < out.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      for (const std::string& v : out[i].token_variables)
        if (std::find(out[j].token_variables.begin(), out[j].token_variables.end(), v) !=
            out[j].token_variables.end())
          return sentence(fmt::format(
              "the credentials {} and {} both go by the variable {}; use one of them, or give one "
              "another env_var",
              out[j].name, out[i].name, v));
  std::sort(out.begin(), out.end(),
            [](const credential_route& a, const credential_route& b) { return a.name < b.name; });
  return out;
}

result<std::vector<env_credential>> env_credentials_of(const run_options& options, const profile& says,
                                                       std::string_view profile_name) {
  std::vector<env_credential> out;
  const auto add = [&](std::string_view reference, std::string variable, const std::string& source) -> error {
    auto from = secrets::parse_reference(reference);
    if (!from) return sentence(fmt::format("{}: {}", source, from.error().other));
    if (from->is == secrets::reference::kind::command)
      return sentence(
          fmt::format("{}: cmd:// is for routes, and not built yet; name another source", source));
    if (secrets::forbidden_target(variable))
      return sentence(
          fmt::format("{}: a secret cannot go to {}, which would be read as code, or is no name of a "
                      "variable",
                      source, in_quotes(variable)));
    const bool taken =
        std::any_of(out.begin(), out.end(), [&](const env_credential& e) { return e.variable == variable; });
    if (!taken) out.push_back({*std::move(from), std::move(variable), source});
    return {};
  };
  for (const auto& [reference, variable] : options.env_credential_map)
    if (error why = add(reference, variable, "--env-credential-map"); why.code != errc::none) return why;
  for (const std::string& item : options.env_credential) {
    const bool uri = item.find("://") != std::string::npos;
    const std::size_t equal = uri ? item.rfind('=') : std::string::npos;
    std::string variable;
    if (equal != std::string::npos)
      variable = item.substr(equal + 1);
    else if (!uri)
      variable = upper(item);
    else if (item.starts_with("env://"))
      variable = item.substr(6);
    else
      return sentence(
          fmt::format("--env-credential {} does not say which variable it goes to; write it as "
                      "REFERENCE=VARIABLE",
                      in_quotes(item)));
    if (item.starts_with("keyring://") || item.starts_with("apple-password"))
      return sentence(fmt::format("--env-credential takes no {}; use --env-credential-map REFERENCE VARIABLE",
                                  in_quotes(item.substr(0, item.find("://") + 3))));
    if (error why = add(item.substr(0, equal), std::move(variable), "--env-credential");
        why.code != errc::none)
      return why;
  }
  for (const auto& [reference, variable] : says.env_credentials)
    if (error why = add(reference, variable, fmt::format("env_credentials of the profile {}", profile_name));
        why.code != errc::none)
      return why;
  return out;
}

std::vector<std::string> variables_of(const std::vector<credential_route>& routes) {
  std::vector<std::string> out;
  for (const credential_route& r : routes) {
    out.insert(out.end(), r.token_variables.begin(), r.token_variables.end());
    out.push_back(r.url_variable);
  }
  return out;
}

void withhold_copy(const std::string& variable, std::string_view credential, const host& here,
                   resolution& out) {
  const std::string_view value = here.variable(variable).value_or("");
  const auto said = [&](std::string_view name, std::string_view what) {
    out.notes.push_back(fmt::format("the variable {} is not {}: it holds the key of the credential {}", name,
                                    what, credential));
  };
  if (out.inherited.lets(variable)) {
    said(variable, "inherited");
    out.inherited.deny.push_back(variable);
  }
  std::erase_if(out.variables, [&](const auto& set) {
    if (!holds_key(set.second, value)) return false;
    said(set.first, "set");
    return true;
  });
}

void withhold_keys(const std::vector<credential_route>& routes, const host& here, resolution& out) {
  for (std::string& name : variables_of(routes)) out.inherited.deny.push_back(std::move(name));
  const auto of_variable = [](const credential_route& r) {
    return r.key.is == secrets::reference::kind::variable;
  };
  for (const credential_route& r : routes)
    if (of_variable(r)) out.inherited.deny.push_back(r.key.name);
  for (const credential_route& r : routes)
    if (of_variable(r))
      for (const std::string& name :
           variables_that_hold(here.environment, here.variable(r.key.name).value_or("")))
        withhold_copy(name, r.name, here, out);
}

}  // namespace nono::cli
