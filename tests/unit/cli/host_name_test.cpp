// SPDX-License-Identifier: Apache-2.0
// Names of hosts in any language.
#include "cli/resolve/host_name.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nono/host.hpp>

using nono::cli::is_international;
using nono::cli::to_dns_name;

namespace {

std::string name_of(std::string_view text) {
  const auto got = to_dns_name(text, "--allow-domain");
  return got ? *got : "! " + got.error().message();
}

bool is_refused(std::string_view text, std::string_view why) {
  const std::string got = name_of(text);
  CAPTURE(got);
  return got.starts_with("! --allow-domain") && got.find(why) != std::string::npos;
}

}  // namespace

TEST_CASE("host_name: ASCII stays as it is, checked or not") {
  for (const std::string_view text :
       {"a.example", "*.a.example", "*", "A.example", "xn--bcher-kva.example", "::1", "a_b", ""})
    CHECK(name_of(text) == text);
  CHECK_FALSE(is_international("a.example"));
  CHECK(is_international("bücher.example"));
}

TEST_CASE("host_name: what is not ASCII becomes what DNS has") {
  const struct {
    std::string_view text, name;
  } cases[] = {
      {"bücher.example", "xn--bcher-kva.example"},
      {"BÜCHER.Example", "xn--bcher-kva.example"},
      {"bu\u0308cher.example", "xn--bcher-kva.example"},  // as macOS writes it
      {"*.bücher.example", "*.xn--bcher-kva.example"},
      {"faß.de", "xn--fa-hia.de"},  // nontransitional: not fass.de
      {"例え。テスト", "xn--r8jz45g.xn--zckzah"},
      {"ｇｉｔｈｕｂ.com", "github.com"},
      {"пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"},
      {"אב.example", "xn--4dbc.example"},
      {"bücher.example.", "xn--bcher-kva.example"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.text);
    CHECK(name_of(one.text) == one.name);
    CHECK(nono::check_host(name_of(one.text)) == nono::errc::none);
  }
}

TEST_CASE("host_name: what is no name is refused, with what is wrong") {
  CHECK(
      is_refused("b\xfc"
                 "cher.example",
                 "is not UTF-8"));
  CHECK(is_refused("bücher\xc3", "is not UTF-8"));
  CHECK(is_refused("\xed\xa0\x80.example", "is not UTF-8"));
  CHECK(is_refused("אa.example", "run from right to left"));
  CHECK(is_refused("1אב.example", "run from right to left"));
  CHECK(is_refused("☃.example", "a character that names may not have"));
  CHECK(is_refused("bü_cher.example", "a character that names may not have"));
  CHECK(is_refused("bü cher.example", "a character that names may not have"));
  CHECK(is_refused("bü／x.example", "a character that names may not have"));
  CHECK(is_refused("＊.bücher.example", "a character that names may not have"));  // maps to a wildcard
  CHECK(is_refused("＊", "a character that names may not have"));
  CHECK(
      is_refused("a\u202e"
                 "b.example",
                 "a character that names may not have"));
  CHECK(is_refused("ü\u2044x.example", "a character that names may not have"));
  CHECK(is_refused("\u0301a.example", "a character that names may not have"));
  CHECK(is_refused("-ü.example", "no name that DNS can have"));
  CHECK(is_refused("ab--ü.example", "no name that DNS can have"));
  CHECK(is_refused("ü..example", "no name that DNS can have"));
  CHECK(is_refused("\u00ad.example", "no name that DNS can have"));
  std::string label;
  for (int i = 0; i < 60; ++i) label += "ü";
  CHECK(is_refused(label + ".example", "longer than DNS can have it"));
  std::string name;
  for (int i = 0; i < 30; ++i) name += "bücher.";
  CHECK(is_refused(name + "example", "longer than DNS can have it"));
}

TEST_CASE("host_name: what a name cannot hold is told as of ASCII") {
  using namespace std::string_view_literals;
  CHECK(is_refused("b*.bücher.example", "wildcard"));
  CHECK(is_refused("*.*.bücher.example", "wildcard"));
  CHECK(is_refused("bücher.example:80", "port"));
  CHECK(is_refused("bücher.example/x", "without scheme, user"));
  CHECK(is_refused("bücher.example\0.evil.example"sv, "a character that names may not have"));
}

TEST_CASE("host_name: an address in other digits is none") {
  CHECK(is_refused("１２７.0.0.1", "is an address"));
  CHECK(is_refused("127。0。0。1", "is an address"));
  CHECK(is_refused("１27.1", "is an address"));
  CHECK(is_refused("ü.１2", "is an address"));
}
