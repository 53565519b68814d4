// SPDX-License-Identifier: Apache-2.0
// The rules of the proxy without a socket; tests/proxy has the rest.
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include "proxy/audit.hpp"
#include "proxy/endpoint.hpp"
#include "proxy/header.hpp"
#include "proxy/rules.hpp"
#include "proxy/settings.hpp"
#include "proxy/target.hpp"

using namespace nono::proxy;
using nono::parse_address;

namespace {

const std::string good_token(64, 'a');

settings with_hosts(std::vector<std::string> hosts) {
  settings out;
  out.token = good_token;
  out.hosts = std::move(hosts);
  return out;
}

target to_host(std::string_view authority) {
  const auto got = parse_authority(authority, 443);
  REQUIRE(got.has_value());
  return *got;
}

}  // namespace

TEST_CASE("proxy target: one spelling of each host") {
  constexpr std::pair<std::string_view, std::string_view> table[] = {
      {"API.Example.", "api.example"},   {"127.1", "127.0.0.1"},
      {"0x7f000001", "127.0.0.1"},       {"2130706433", "127.0.0.1"},
      {"017700000001", "127.0.0.1"},     {"10.0x0.00.1", "10.0.0.1"},
      {"[::ffff:10.0.0.1]", "10.0.0.1"}, {"[0:0::1]", "::1"},
      {"[FE80::1]", "fe80::1"},          {"0", "0.0.0.0"},
      {"a.b-c.1x", "a.b-c.1x"},          {"xn--bcher-kva.example", "xn--bcher-kva.example"},
  };
  for (const auto& [written, host] : table) {
    INFO(std::string(written));
    CHECK(to_host(written).host == host);
    CHECK(to_host(std::string(written) + ":8080").port == 8080);
    CHECK(to_host(written).port == 443);
  }
  for (const std::string_view bad :
       {"", ".", "a..b", "*.a", "a b", "::1", "[::1", "[a]", "[::1]x", "a:0", "a:65536", "a:", "a:1:2",
        "1.2.3.4.5", "a_b", "-a", "a.1", "[::1%eth0]", "\xc3\xbc.example"}) {
    INFO(std::string(bad));
    CHECK_FALSE(parse_authority(bad, 443).has_value());
  }
  CHECK_FALSE(parse_authority("a", 0).has_value());
  CHECK(to_host("[::1]:80").authority() == "[::1]:80");
}

TEST_CASE("proxy rules: by name, then by address") {
  const settings s = with_hosts({"*.wild.example", "10.1.1.1", "a.example"});
  const host_rules rules(s);
  for (const std::string_view yes : {"a.example", "x.wild.example", "x.y.wild.example", "10.1.1.1"})
    CHECK(rules.by_name(to_host(yes)).allowed);
  for (const std::string_view no :
       {"b.example", "wild.example", "xwild.example", "10.1.1.2", "8.8.8.8", "a.example.b"})
    CHECK_FALSE(rules.by_name(to_host(no)).allowed);
  const auto at = [&](std::initializer_list<const char*> texts) {
    std::vector<nono::ip_address> all;
    for (const char* t : texts) all.push_back(*address_of(t));
    return rules.by_address(to_host("a.example"), all);
  };
  CHECK(at({"8.8.8.8", "2606:4700::1"}).allowed);
  CHECK(at({"10.1.1.1"}).allowed);
  CHECK(at({"8.8.8.8", "10.1.1.2"}).reason ==
        "the host a.example is at 10.1.1.2, a private address, which is not among the allowed hosts; "
        "--allow-domain "
        "10.1.1.2 adds it");
  for (const char* no : {"127.0.0.1", "::1", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1", "100.64.0.1",
                         "fd00:ec2::254", "0.0.0.0", "64:ff9b::1"})
    CHECK_FALSE(at({no}).allowed);
}

TEST_CASE("proxy endpoints: normal paths, and patterns") {
  constexpr std::pair<std::string_view, std::string_view> paths[] = {
      {"/", "/"},          {"", "/"},         {"/a/b/", "/a/b"},    {"//a//b", "/a/b"},
      {"/a/./b", "/a/b"},  {"/a/../b", "/b"}, {"/a%2fb", "/a/b"},   {"/a/%2e%2e/b", "/b"},
      {"/a?b/../c", "/a"}, {"/%41", "/A"},    {"/a%252e", "/a%2e"},
  };
  for (const auto& [written, normal] : paths) {
    INFO(written);
    const auto got = resolve_path(written);
    REQUIRE(got.has_value());
    CHECK(got->plain == normal);
  }
  for (const std::string_view bad : {"/..", "/a/../..", "/%00", "/%0a", "/%", "/%2", "/%zz", "/a\\b", "/%5c"})
    CHECK_FALSE(resolve_path(bad).has_value());
  constexpr std::pair<std::string_view, std::string_view> yes[] = {
      {"/v1/*", "/v1/a"},       {"/v1/**", "/v1"}, {"/v1/**", "/v1/a/b"}, {"/**/x", "/a/b/x"},
      {"/**/x", "/x"},          {"/a*c", "/abc"},  {"/a*c", "/ac"},       {"/", "/"},
      {"/*/b/**/c*", "/a/b/c"}, {"/v1/", "/v1"},
  };
  for (const auto& [pattern, path] : yes) CHECK(path_matches(pattern, path));
  constexpr std::pair<std::string_view, std::string_view> no[] = {
      {"/v1/*", "/v1"}, {"/v1/*", "/v1/a/b"}, {"/v1", "/v1/a"},
      {"/a*c", "/ab"},  {"/", "/a"},          {"/**/x", "/a/y"},
  };
  for (const auto& [pattern, path] : no) CHECK_FALSE(path_matches(pattern, path));
  CHECK(allows({"*", "/a"}, "POST", "/a"));
  CHECK_FALSE(allows({"GET", "/a"}, "POST", "/a"));
}

TEST_CASE("proxy header: the token, in each form and no other") {
  CHECK(presents("Bearer " + good_token, good_token));
  CHECK(presents("bearer  " + good_token, good_token));
  CHECK_FALSE(presents("Bearer " + good_token.substr(1), good_token));
  CHECK_FALSE(presents("Bearer " + good_token + "a", good_token));
  CHECK_FALSE(presents(good_token, good_token));
  CHECK_FALSE(presents("", good_token));
  CHECK(presents("Basic eDp0b2tlbg==", "token"));      // x:token
  CHECK_FALSE(presents("Basic eDp0b2tlbg", "token"));  // without its padding
  for (std::size_t cut = 1; cut < 200; ++cut)          // under a sanitizer: nothing is written past the room
    CHECK_FALSE(presents("Basic " + std::string(cut, 'A'), "token"));
  CHECK_FALSE(presents("Basic dG9rZW4=", "token"));  // token
  CHECK_FALSE(presents("Basic eDp0b2tlbg==!", "token"));
  CHECK_FALSE(presents("Basic eDo=", ""));
}

TEST_CASE("proxy audit: one line, and nothing that is not UTF-8") {
  audit_event e;
  e.target = "a\n\xff\"";
  e.path = "/p?key=secret";
  e.port = 1;
  const std::string line = to_line(e, 7);
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(line.find("secret") == std::string::npos);
  CHECK(line.starts_with(R"({"timestamp_unix_ms":7,"mode":"connect","decision":"deny","target":"a\n)"));
}
