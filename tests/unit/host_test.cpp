// SPDX-License-Identifier: Apache-2.0
#include <nono/host.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

#include "constexpr_check.hpp"

using nono::check_host;
using nono::errc;
using nono::is_host_within;
using namespace std::string_view_literals;

TEST_CASE("host: names of labels, and a wildcard before one") {
  for (const std::string_view good :
       {"localhost", "a", "api.example.com", "xn--bcher-kva.example", "a-b.c--d.e", "1.example", "1and1.com",
        "10.0.0.1.example", "0xg", "0y1", "127.0.0.a", "*.com", "*.example.org", "*.1.example", "a.0b",
        "10.0.0.1", "::1", "::", "2001:db8::1"}) {
    INFO(std::string(good));
    CHECK(check_host(good) == errc::none);
  }
  CONSTEXPR_CHECK(check_host("api.example.com") == errc::none);
  CONSTEXPR_CHECK(check_host("*.example.org") == errc::none);
}

TEST_CASE("host: what is no host, each for its own reason") {
  const auto all = [](errc expected, std::initializer_list<std::string_view> texts) {
    for (const std::string_view text : texts) {
      INFO(std::string(text));
      CHECK(check_host(text) == expected);
    }
  };
  all(errc::host_empty, {""});
  all(errc::host_not_bare, {"https://a.example", "a.example/x", "/", "me@a.example", "a?b", "a#b", "//a:80/",
                            "10.0.0.0/8", "HTTP://A"});
  all(errc::host_has_port, {"a.example:443", "*.a.example:443", "10.0.0.1:80", "a:", ":", "*:1"});
  all(errc::host_address_misspelt,
      {"127.1", "2130706433", "010.0.0.1", "0x7f000001", "0x7f.1", "1.2.3.0x", "0x", "a.example.1",
       "10.0.0.256", "*.0.0.1", "*.1", "::0", "0::1", "fe80::1%eth0", "[::1]", "[::1]:443", "[",
       "2001:DB8::1", "::ffff:1.2.3.4"});
  all(errc::host_wildcard_misplaced, {"*.", "*.*", "**.example", "*a.example", "a*.example", "a.*.example",
                                      "a.*", "*.*.example", "a.example*", ".*"});
  all(errc::host_not_lower_case, {"A.example", "a.examplE", "*.Example.org", "Z"});
  all(errc::host_malformed, {".",
                             "..",
                             "a.",
                             "a.example.",
                             ".a",
                             "a..b",
                             "*..a",
                             "-a",
                             "a-",
                             "a.-b.c",
                             "a.b-.c",
                             "-",
                             "a b",
                             " a",
                             "a ",
                             "a_b.example",
                             "gr\xc3\xbcn.example",
                             "a\0b"sv,
                             "\0"sv,
                             "a\n",
                             "a\\b",
                             "a%2e.b",
                             "a,b",
                             "~",
                             "$home",
                             "'"});
}

TEST_CASE("host: a label has at most 63 bytes, the whole 253") {
  const std::string label(63, 'a');
  CHECK(check_host(label) == errc::none);
  CHECK(check_host(label + 'a') == errc::host_too_long);
  CHECK(check_host("b." + label + "a.c") == errc::host_too_long);
  const std::string three = label + '.' + label + '.' + label + '.';
  const std::string whole = three + std::string(61, 'b');
  REQUIRE(whole.size() == 253);
  CHECK(check_host(whole) == errc::none);
  CHECK(check_host(whole + 'b') == errc::host_too_long);
  CHECK(check_host("*." + whole) == errc::host_too_long);
  CHECK(check_host("*." + whole.substr(2)) == errc::none);
}

TEST_CASE("host: every byte that may stand in a label, and no other") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string host = std::string("a") + static_cast<char>(static_cast<unsigned char>(byte)) + "b";
    const bool lower = byte >= 'a' && byte <= 'z';
    const bool digit = byte >= '0' && byte <= '9';
    INFO(byte);
    CHECK((check_host(host) == errc::none) == (lower || digit || byte == '-' || byte == '.'));
  }
}

TEST_CASE("host: a wildcard stands for every name below its own") {
  for (const std::string_view below : {"a.s.example", "a.b.s.example", "*.a.s.example", "*.s.example"}) {
    INFO(std::string(below));
    CHECK(is_host_within(below, "*.s.example"));
  }
  for (const std::string_view other :
       {"s.example", "as.example", "*.example", "example", "a.s.example.org", "x"}) {
    INFO(std::string(other));
    CHECK_FALSE(is_host_within(other, "*.s.example"));
  }
  CONSTEXPR_CHECK(is_host_within("a.s", "a.s"));
  CONSTEXPR_CHECK(!is_host_within("b.a.s", "a.s"));
  CONSTEXPR_CHECK(!is_host_within("*.s", "a.s"));
  CONSTEXPR_CHECK(!is_host_within("s", "*.s"));
  for (const std::string_view inside :
       {"a", "a.s.example", "*.s.example", "*", "203.0.114.1", "2606:4700::77"}) {
    INFO(std::string(inside));
    CHECK(check_host(inside) == errc::none);
    CHECK(is_host_within(inside, "*"));
  }
  for (const std::string_view outside : {"10.9.8.7", "127.0.0.1", "169.254.169.254", "::1", "fd00::1"}) {
    INFO(std::string(outside));
    CHECK_FALSE(is_host_within(outside, "*"));
  }
  CONSTEXPR_CHECK(!is_host_within("*", "*.s"));
  constexpr std::string_view patterns[] = {"*.s", "t"};
  CONSTEXPR_CHECK(nono::names_host(patterns, "a.s"));
  CONSTEXPR_CHECK(nono::names_host(patterns, "t"));
  CONSTEXPR_CHECK(!nono::names_host(patterns, "a.t"));
  CONSTEXPR_CHECK(!nono::names_host(std::span<const std::string_view>{}, "t"));
  constexpr std::string_view wide[] = {"*", "*.google.internal"};
  CONSTEXPR_CHECK(nono::names_host(wide, "a.google.internal"));
  CONSTEXPR_CHECK(!nono::names_host(wide, "metadata.google.internal"));
  constexpr std::string_view itself[] = {"metadata.google.internal"};
  CONSTEXPR_CHECK(nono::names_host(itself, "metadata.google.internal"));
}

TEST_CASE("host: hosts of the source are kept in byte order") {
  constexpr nono::hosts three{"b.example", "*.example", "a.example"};
  CONSTEXPR_CHECK(three.names().size() == 3);
  CONSTEXPR_CHECK(three.names()[0] == "*.example");
  CONSTEXPR_CHECK(three.names()[1] == "a.example");
  CONSTEXPR_CHECK(three.names()[2] == "b.example");
  CONSTEXPR_CHECK(nono::host_literal("*.example").text() == "*.example");
}
