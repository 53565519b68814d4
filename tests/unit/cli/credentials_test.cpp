// SPDX-License-Identifier: Apache-2.0
// Routes and variables for keys, out of flags and profile; tests/proxy has the rest.
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/resolve/credentials.hpp"
#include "cli/resolve/resolver.hpp"

using namespace nono::cli;

namespace {

using texts = std::vector<std::string>;

nono::result<std::vector<credential_route>> routes(const run_options& o, const nono::profile& says = {}) {
  host here;
  here.home = here.current = "/home/u";
  return routes_of(o, says, "p", here, "/work");
}

/// The route of one definition, or the sentence.
std::string why_not(const std::string& definition, const std::string& name = "own") {
  nono::profile says;
  says.custom_credentials = {{name, definition}};
  run_options o;
  o.credential = {name};
  const auto got = routes(o, says);
  return got ? std::string() : got.error().other;
}

}  // namespace

TEST_CASE("credentials: the services that need no definition") {
  run_options o;
  for (const auto& [name, upstream, url, variables] :
       {std::tuple("openai", "https://api.openai.com/v1", "OPENAI_BASE_URL", texts{"OPENAI_API_KEY"}),
        std::tuple("anthropic", "https://api.anthropic.com", "ANTHROPIC_BASE_URL",
                   texts{"ANTHROPIC_API_KEY"}),
        std::tuple("google-ai", "https://generativelanguage.googleapis.com", "GOOGLE_AI_BASE_URL",
                   texts{"GEMINI_API_KEY", "GOOGLE_API_KEY"}),
        std::tuple("gemini", "https://generativelanguage.googleapis.com", "GEMINI_BASE_URL",
                   texts{"GEMINI_API_KEY", "GOOGLE_API_KEY"}),
        std::tuple("github", "https://api.github.com", "GITHUB_BASE_URL", texts{"GITHUB_TOKEN"}),
        std::tuple("gitlab", "https://gitlab.com/api", "GITLAB_BASE_URL", texts{"GITLAB_TOKEN"})}) {
    o.credential = {name, name};
    const auto got = routes(o);
    REQUIRE(got.has_value());
    REQUIRE(got->size() == 1);
    const credential_route& r = got->front();
    CHECK(r.upstream() == upstream);
    CHECK(r.url_variable == url);
    CHECK(r.token_variables == variables);
    CHECK(r.by_flag);
    CHECK(r.allows_rest);
  }
}

TEST_CASE("credentials: a definition, and endpoints that are named besides") {
  nono::profile says;
  says.custom_credentials = {
      {"my-bot", R"({"upstream": "https://Bots.Example:8443/api/", "credential_key": "file:///k",
    "env_var": "BOT_TOKEN", "inject_mode": "url_path", "path_pattern": "/bot{}/", "path_replacement": "/v2-{}/",
    "proxy": {"inject_mode": "header", "inject_header": "X-Bot"}, "tls_ca": "ca.pem",
    "endpoint_policy": {"default": {"decision": "allow"}, "deny": [{"method": "POST", "path": "/x/**"}]}})"}};
  says.credentials = texts{"my-bot"};
  run_options o;
  auto got = routes(o, says);
  REQUIRE(got.has_value());
  credential_route r = got->front();
  CHECK(r.upstream() == "https://bots.example:8443/api");
  CHECK(r.url_variable == "MY_BOT_BASE_URL");
  CHECK(r.token_variables == texts{"BOT_TOKEN"});
  CHECK(r.sent.mode == "url_path");
  CHECK(r.sent.format == "/v2-{}/");
  CHECK(r.shown.mode == "header");
  CHECK(r.shown.name == "X-Bot");
  CHECK(r.shown.format == "{}");
  CHECK(r.ca_file == "/home/u/ca.pem");
  CHECK(r.deny == std::vector{std::pair<std::string, std::string>("POST", "/x/**")});
  CHECK(r.allows_rest);
  CHECK_FALSE(r.by_flag);
  CHECK(r.from == "the profile p");
  o.allow_endpoint = {"my-bot:get:/ok/*"};
  got = routes(o, says);
  REQUIRE(got.has_value());
  CHECK(got->front().allow == std::vector{std::pair<std::string, std::string>("GET", "/ok/*")});
  CHECK_FALSE(got->front().allows_rest);
  o.allow_endpoint = {"openai:GET:/x"};
  CHECK(routes(o, says).error().other ==
        "--allow-endpoint 'openai:GET:/x' speaks of a credential that is not in use; add --credential "
        "'openai'");
}

TEST_CASE("credentials: what is wrong with a definition is said") {
  const std::pair<std::string_view, std::string_view> table[] = {
      {R"({"upstream": "http://a.example", "credential_key": "k"})",
       "is http, which is for this machine alone"},
      {R"({"upstream": "ftp://a.example", "credential_key": "k"})", "is no https:// URL"},
      {R"({"upstream": "https://me@a.example", "credential_key": "k"})", "carries a user name"},
      {R"({"upstream": "https://a.example/?x", "credential_key": "k"})",
       "more than a host, a port and a path"},
      {R"({"upstream": "https://*.example", "credential_key": "k"})", "has a host that is none"},
      {R"({"upstream": "https://☃.example", "credential_key": "k"})", "has a host that is none"},
      {R"({"upstream": "https://127.1", "credential_key": "k"})", "has a host that is none"},
      {R"({"upstream": "https://a.example:99999", "credential_key": "k"})", "has a port that is none"},
      {R"({"upstream": "https://a.example", "auth": {}})", "auth (OAuth2) is not built yet"},
      {R"({"upstream": "https://a.example", "aws_auth": {}})", "aws_auth (SigV4) is not built yet"},
      {R"({"upstream": "https://a.example", "credential_key": "cmd://x"})", "cmd:// is not built yet"},
      {R"({"upstream": "https://a.example", "credential_key": "file:///k"})", "env_var is missing"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "env_var": "PATH"})",
       "would be read as code"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "inject_mode": "cookie"})",
       "is none of header"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "inject_header": "A B"})",
       "no name of a header"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "credential_format": "x"})",
       "needs one {}"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "credential_format": "a\r\n{}"})",
       "no text on one line"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "inject_mode": "url_path"})",
       "path_pattern '' needs one {}"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "inject_mode": "query_param"})",
       "query_param_name ''"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "endpoint_policy": {"approve": [{}]}})",
       "is not built yet"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "endpoint_rules": [{"method": "GET"}]})",
       "needs a method"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "endpoint_policy": {"default": {"decision": "ask"}}})",
       "neither allow nor deny"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "endpoint_policy": {"denny": []}})",
       "unknown key: 'endpoint_policy.denny'; write 'deny'"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "endpoint_policy": {"default": {"decision": "allow"}}, "endpoint_rules": [{"method": "GET", "path": "/"}]})",
       "leave one of them out"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "tls_client_cert": "/c"})", "go together"},
      {R"({"upstream": "https://a.example", "credential_key": "k", "tls_ca": 1})", "tls_ca is no text"},
  };
  for (const auto& [definition, words] : table) {
    const std::string got = why_not(std::string(definition));
    CAPTURE(definition);
    CAPTURE(got);
    CHECK(got.find(words) != std::string::npos);
    CHECK(got.starts_with("custom_credentials.own of the profile p: "));
  }
  CHECK(why_not(R"({"upstream": "https://a.example", "credential_key": "k"})").empty());
  CHECK(why_not(R"({"upstream": "http://127.0.0.1:8080", "credential_key": "k"})").empty());
  CHECK(why_not(R"({"upstream": "http://[::1]:8080/x", "credential_key": "env://K"})").empty());
  CHECK(
      why_not(R"({"upstream": "https://a.example", "credential_key": "k"})", "a/b").find("its name is not") !=
      std::string::npos);
}

TEST_CASE("credentials: a rule is one that a request can meet") {
  std::pair<std::string, std::string> to;
  for (const auto& [method, path, upper] : {std::tuple("get", "/", "GET"), std::tuple("*", "/a/*/**", "*"),
                                            std::tuple("M-Search", "/...", "M-SEARCH")}) {
    CHECK(read_endpoint(method, path, to).empty());
    CHECK(to == std::pair<std::string, std::string>(upper, path));
  }
  for (const auto& [method, path, words] :
       {std::tuple("", "/", "needs a method"), std::tuple("GET", "", "needs a method"),
        std::tuple("GET", "a", "needs a method"), std::tuple("G T", "/", "has the method 'G T'"),
        std::tuple("**", "/", "has the method '**'"), std::tuple("GET", "/a?b", "has the path '/a?b'"),
        std::tuple("GET", "/a#", "has the path '/a#'"), std::tuple("GET", "/%41", "has the path '/%41'"),
        std::tuple("GET", "/a\\b", "has the path"), std::tuple("GET", "/a\n", "has the path"),
        std::tuple("GET", "/a/..", "dots are resolved"), std::tuple("GET", "/./a", "dots are resolved")}) {
    CAPTURE(path);
    CHECK(read_endpoint(method, path, to).find(words) != std::string::npos);
  }
}

TEST_CASE("credentials: secrets as variables, the nearest first") {
  nono::profile says;
  says.env_credentials = {{"env://P", "A"}, {"file:///p", "B"}};
  run_options o;
  o.env_credential_map = {{"keyring://s/a", "A"}};
  o.env_credential = {"my_key", "env://E", "env://F=B", "file:///x=C"};
  const auto got = env_credentials_of(o, says, "p");
  REQUIRE(got.has_value());
  std::string all;
  for (const env_credential& e : *got) all += e.variable + '=' + e.from.shown + ' ';
  CHECK(all == "A=keyring://s/a MY_KEY=my_key E=env://E B=env://F C=file:///x ");
  for (const auto& [item, words] :
       {std::pair("file:///x", "does not say which variable"),
        std::pair("keyring://s/a=X", "--env-credential-map"),
        std::pair("env://A=LD_PRELOAD", "would be read as code"), std::pair("a b", "")}) {
    o.env_credential = {item};
    const auto no = env_credentials_of(o, says, "p");
    REQUIRE_FALSE(no.has_value());
    CHECK(no.error().other.find(words) != std::string::npos);
  }
}
