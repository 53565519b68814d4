// SPDX-License-Identifier: Apache-2.0
// Items of Bitwarden, as bw prints them and as it never would.
#include "secrets/bitwarden_item.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace nono::secrets;

namespace {

constexpr std::string_view item = R"({"object":"item","id":"1","organizationId":null,"name":"OpenAI",
 "notes":"two\nlines","fields":[{"name":"team","value":"blue","type":0},{"name":"key","value":"sk-1","type":1},
 {"name":"key","value":"second"},{"name":"none","value":null},{"name":"n\u00e4me","value":"x"}],
 "login":{"uris":[{"match":null,"uri":"https://a.example"},{"uri":"b"}],"username":"me","password":"p\"\\\/\u0041\u00e9\u20ac\ud83d\ude00",
 "totp":"JBSW","passwordRevisionDate":null},"numbers":[1,-2.5e3,true,false,[]],"empty":{}} )";

std::string picked(std::string_view text, std::string_view field) {
  secret out;
  switch (pick_field(text, field, out)) {
    case pick::found:
      return std::string(out.view());
    case pick::absent:
      return "(absent)";
    case pick::malformed:
      break;
  }
  return "(malformed)";
}

}  // namespace

TEST_CASE("bitwarden item: each field") {
  CHECK(picked(item, "password") == "p\"\\/A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(picked(item, "username") == "me");
  CHECK(picked(item, "totp") == "JBSW");
  CHECK(picked(item, "uri") == "https://a.example");
  CHECK(picked(item, "notes") == "two\nlines");
  CHECK(picked(item, "team") == "blue");
  CHECK(picked(item, "key") == "sk-1");
  CHECK(picked(item, "n\xc3\xa4me") == "x");
  CHECK(picked(item, "none") == "(absent)");
  CHECK(picked(item, "id") == "(absent)");
  CHECK(picked(item, "") == "(absent)");
  CHECK(picked("{}", "password") == "(absent)");
  CHECK(picked(R"({"login":null,"fields":{},"notes":""})", "uri") == "(absent)");
  CHECK(picked(R"({"login":[],"fields":"x","notes":""})", "password") == "(absent)");
  CHECK(picked(R"({"notes":""})", "notes") == "(absent)");
  CHECK(picked(R"({"notes":7})", "notes") == "(malformed)");
}

TEST_CASE("bitwarden item: what is no JSON is said to be none, wherever it breaks off") {
  for (std::size_t size = 0; size + 2 < item.size(); ++size) {
    CAPTURE(size);
    CHECK(picked(item.substr(0, size), "password") == "(malformed)");
  }
  for (const char* text :
       {"", " ", "[]", "\"x\"", "{} {}", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{\"a\":1,}",
        "{\"a\":[1,]}", "{\"a\":\"\x01\"}", "Vault is locked.", "{\"a\":[}]"}) {
    CAPTURE(text);
    CHECK(picked(text, "password") == "(malformed)");
  }
  for (const char* text :
       {R"("\x")", R"("\u12")", R"("\ud800")", R"("\ud800\u0041")", R"("\udc00")", R"("\u12g4")"}) {
    CAPTURE(text);
    CHECK(picked(std::string(R"({"notes":)") + text + "}", "notes") == "(malformed)");
  }
  CHECK(picked(R"({"a":)" + std::string(100000, '['), "a") == "(malformed)");
  CHECK(picked(R"({"a":)" + std::string(30, '[') + std::string(30, ']') + "}", "a") == "(absent)");
}
