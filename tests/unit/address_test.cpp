// SPDX-License-Identifier: Apache-2.0
#include <nono/address.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>

#include "constexpr_check.hpp"

using nono::address_kind;
using nono::kind_of;
using nono::parse_address;
using nono::to_address_text;

TEST_CASE("address: the canonical spelling alone") {
  for (const std::string_view good : {"0.0.0.0", "1.2.3.4", "255.255.255.255", "10.0.0.1", "::", "::1", "1::",
                                      "fe80::1", "2001:db8::1:0:0:1", "2001:0:0:1::2", "1:2:3:4:5:6:7:8",
                                      "2001:db8:0:1:1:1:1:1", "::ffff:102:304", "1:0:0:2::"}) {
    INFO(std::string(good));
    const auto got = parse_address(good);
    REQUIRE(got.has_value());
    CHECK(to_address_text(*got).view() == good);
  }
  for (const std::string_view bad : {"",
                                     "1",
                                     "1.2.3",
                                     "1.2.3.4.5",
                                     "1.2.3.256",
                                     "01.2.3.4",
                                     "1.2.3.04",
                                     "1.2.3.4 ",
                                     " 1.2.3.4",
                                     "1..3.4",
                                     "1.2.3.",
                                     "0x1.2.3.4",
                                     "1.2.3.0004",
                                     "+1.2.3.4",
                                     "::0",
                                     "0::",
                                     "0:0::",
                                     "::01",
                                     "FE80::1",
                                     "1:2:3:4:5:6:7",
                                     "1:2:3:4:5:6:7:8:9",
                                     "1::2::3",
                                     ":1::",
                                     "1:",
                                     "1:::2",
                                     "::ffff:1.2.3.4",
                                     "[::1]",
                                     "fe80::1%eth0",
                                     "2001:0:0:1:0:0:0:2",
                                     "1:0:2:3:4:5:6::",
                                     ":",
                                     ":::",
                                     "12345::"}) {
    INFO(std::string(bad));
    CHECK_FALSE(parse_address(bad).has_value());
  }
  CONSTEXPR_CHECK(parse_address("127.0.0.1").has_value());
  CONSTEXPR_CHECK(parse_address("fd00:ec2::254").has_value());
}

TEST_CASE("address: what libc prints is what is canonical") {
  std::uint32_t seed = 1;
  const auto next = [&] { return seed = seed * 1664525U + 1013904223U; };
  for (int i = 0; i < 20000; ++i) {
    nono::ip_address a;
    a.is_v6 = (next() >> 16 & 1U) != 0;
    for (std::size_t k = 0; k < (a.is_v6 ? 16U : 4U); ++k)  // zeros in runs are what is shortened
      a.bytes[k] = (next() >> 16 & 3U) != 0 ? 0 : static_cast<std::uint8_t>(next() >> 24);
    if (a.is_v6) a.bytes[0] = 0x20;  // libc writes ::a.b.c.d for some others
    char text[64];
    REQUIRE(::inet_ntop(a.is_v6 ? AF_INET6 : AF_INET, a.bytes.data(), text, sizeof text) != nullptr);
    CHECK(to_address_text(a).view() == std::string_view(text));
    CHECK(parse_address(text) == a);
  }
}

TEST_CASE("address: whom it belongs to, at both ends of each range") {
  constexpr std::pair<std::string_view, address_kind> table[] = {
      {"8.8.8.8", address_kind::public_host},
      {"203.0.113.1", address_kind::public_host},
      {"127.0.0.0", address_kind::this_machine},
      {"127.255.255.255", address_kind::this_machine},
      {"126.255.255.255", address_kind::public_host},
      {"128.0.0.0", address_kind::public_host},
      {"10.0.0.0", address_kind::private_net},
      {"10.255.255.255", address_kind::private_net},
      {"11.0.0.0", address_kind::public_host},
      {"172.15.255.255", address_kind::public_host},
      {"172.16.0.0", address_kind::private_net},
      {"172.31.255.255", address_kind::private_net},
      {"172.32.0.0", address_kind::public_host},
      {"192.168.0.0", address_kind::private_net},
      {"192.168.255.255", address_kind::private_net},
      {"192.169.0.0", address_kind::public_host},
      {"100.63.255.255", address_kind::public_host},
      {"100.64.0.0", address_kind::carrier},
      {"100.127.255.255", address_kind::carrier},
      {"100.128.0.0", address_kind::public_host},
      {"100.100.100.200", address_kind::metadata},
      {"192.0.0.192", address_kind::metadata},
      {"100.100.100.201", address_kind::carrier},
      {"169.254.169.254", address_kind::link_local},
      {"169.253.255.255", address_kind::public_host},
      {"169.255.0.0", address_kind::public_host},
      {"0.0.0.0", address_kind::reserved},
      {"0.255.255.255", address_kind::reserved},
      {"192.0.0.1", address_kind::reserved},
      {"198.18.0.1", address_kind::reserved},
      {"198.20.0.0", address_kind::public_host},
      {"224.0.0.1", address_kind::reserved},
      {"255.255.255.255", address_kind::reserved},
      {"223.255.255.255", address_kind::public_host},
      {"::", address_kind::reserved},
      {"::1", address_kind::this_machine},
      {"::2", address_kind::reserved},
      {"fc00::", address_kind::private_net},
      {"fdff::1", address_kind::private_net},
      {"fd00:ec2::254", address_kind::metadata},
      {"fe80::1", address_kind::link_local},
      {"febf::1", address_kind::link_local},
      {"fec0::1", address_kind::reserved},
      {"ff02::1", address_kind::reserved},
      {"2606:4700::1111", address_kind::public_host},
      {"2001::1", address_kind::reserved},
      {"2002:a00:1::", address_kind::reserved},
      {"64:ff9b::a00:1", address_kind::reserved},
      {"::ffff:a00:1", address_kind::private_net},
      {"::ffff:7f00:1", address_kind::this_machine},
      {"::ffff:808:808", address_kind::public_host},
      {"::ffff:a9fe:a9fe", address_kind::link_local},
      {"::a00:1", address_kind::reserved},
  };
  for (const auto& [text, kind] : table) {
    INFO(std::string(text));
    const auto got = parse_address(text);
    REQUIRE(got.has_value());
    CHECK(name_of(kind_of(*got)) == name_of(kind));
  }
  CONSTEXPR_CHECK(kind_of(*parse_address("10.1.2.3")) == address_kind::private_net);
}
