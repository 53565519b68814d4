// SPDX-License-Identifier: Apache-2.0
// Routes without a socket; tests/proxy has the rest.
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include "proxy/endpoint.hpp"
#include "proxy/route.hpp"

using namespace nono::proxy;

namespace {

route with_key(std::string_view key, credential_place::kind where = credential_place::kind::header) {
  route r;
  r.prefix = "api";
  r.sent.where = where;
  r.sent.format = where == credential_place::kind::path ? "/bot{}/" : "Bearer {}";
  r.key = nono::secrets::secret::copy_of(key);
  REQUIRE(prepare_key(r).empty());
  return r;
}

}  // namespace

TEST_CASE("route: what a server is asked stays below its base") {
  constexpr std::pair<std::string_view, std::string_view> good[] = {{"/", "/"},
                                                                    {"/a/b", "/a/b"},
                                                                    {"/a/../b", "/b"},
                                                                    {"/a/%2E%2e/b?c=/../d", "/b?c=/../d"},
                                                                    {"/a/.", "/a/"},
                                                                    {"/a/..", "/"},
                                                                    {"/a//b/", "/a//b/"},
                                                                    {"/g%2Fp", "/g%2Fp"},
                                                                    {"/a/./../.?x", "/?x"},
                                                                    {"/...", "/..."},
                                                                    {"/a%2Fb..c", "/a%2Fb..c"}};
  for (const auto& [given, wanted] : good) {
    INFO(given);
    const auto got = resolve_path(given);
    REQUIRE(got.has_value());
    CHECK(got->sent == wanted);
  }
  for (const std::string_view bad :
       {"/..", "/a/../..", "/%2e%2e", "/a%2f..", "/..%2Fa", "/a%2F.%2Fb", "/a/../../b", "/a//..", "/a//../b",
        "/a%2Fb/..", "/%", "/%0a", "/a%5cb"}) {
    INFO(bad);
    CHECK_FALSE(resolve_path(bad).has_value());
  }
}

TEST_CASE("route: what the rules see is what the server is asked, for any path") {
  std::mt19937 random(7);
  constexpr std::string_view pieces[] = {"a", ".", "..", "%2e",   "%2E%2e", "%2F",
                                         "/", "/", "//", "b%20c", "x"};
  for (int i = 0; i < 20000; ++i) {
    std::string path = "/";
    for (unsigned n = static_cast<unsigned>(random() % 8); n > 0; --n)
      path += pieces[random() % std::size(pieces)];
    const auto once = resolve_path(path);
    if (!once) continue;
    CAPTURE(path);
    const auto twice = resolve_path(once->sent);
    REQUIRE(twice.has_value());
    CHECK(twice->sent == once->sent);
    CHECK(twice->plain == once->plain);
    CHECK((once->plain + '/').find("/../") == std::string::npos);
  }
}

TEST_CASE("route: in whatever pieces a key comes back, it is not let through, and nothing else changes") {
  const std::string key = "aab-aabaab/+key";
  for (const auto where : {credential_place::kind::header, credential_place::kind::path}) {
    const route r = with_key(key, where);
    std::mt19937 random(11);
    for (int i = 0; i < 3000; ++i) {
      std::string text;
      for (unsigned n = static_cast<unsigned>(random() % 6); n > 0; --n) {
        const std::string_view some[] = {r.key.view(), r.key_sent.view(),        "aab-aab", "a",
                                         "xyz",        r.key.view().substr(0, 9)};
        text += some[random() % std::size(some)];
      }
      std::string whole = text;
      scrubber::clean(r, whole);
      CHECK(whole.size() == text.size());
      CHECK(whole.find(r.key.view()) == std::string::npos);
      scrubber pieces(r);
      std::string got;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t n = std::min<std::size_t>(1 + random() % 7, text.size() - at);
        got += pieces.pass(std::string_view(text).substr(at, n), at + n == text.size());
        at += n;
      }
      CAPTURE(text);
      CHECK(got == whole);
    }
  }
}

TEST_CASE("route: only what may be a key waits") {
  const route r = with_key("secret-key");
  scrubber s(r);
  CHECK(s.pass("data: 1\n\n", false) == "data: 1\n\n");
  CHECK(s.pass("x secre", false) == "x ");
  CHECK(s.pass("tly", false) == "secretly");
  CHECK(s.pass("s", false) == "");
  CHECK(s.pass("", true) == "s");
}

TEST_CASE("route: keys that cannot stand in their place are refused") {
  for (const std::string_view key : {"abc", "with\nline", "with\x7f"}) {
    route r;
    r.key = nono::secrets::secret::copy_of(key);
    CHECK_FALSE(prepare_key(r).empty());
  }
  route basic;
  basic.sent.where = credential_place::kind::basic;
  basic.key = nono::secrets::secret::copy_of("user:pass");
  CHECK(prepare_key(basic).empty());
  CHECK(basic.key_sent.view() == "dXNlcjpwYXNz");
  CHECK(with_key("a b/c", credential_place::kind::path).key_sent.view() == "a%20b%2Fc");
}
