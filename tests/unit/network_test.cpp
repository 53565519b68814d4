// SPDX-License-Identifier: Apache-2.0
#include <nono/network.hpp>

#include "constexpr_check.hpp"

using nono::check_port;
using nono::errc;
using nono::network_mode;
using nono::port_use;

TEST_CASE("network: ports are 1 to 65535, and 0 to bind only") {
  CONSTEXPR_CHECK(check_port(1, port_use::connect_tcp) == errc::none);
  CONSTEXPR_CHECK(check_port(65535, port_use::connect_tcp) == errc::none);
  CONSTEXPR_CHECK(check_port(0, port_use::connect_tcp) == errc::port_out_of_range);
  CONSTEXPR_CHECK(check_port(65536, port_use::connect_tcp) == errc::port_out_of_range);
  CONSTEXPR_CHECK(check_port(-1, port_use::connect_tcp) == errc::port_out_of_range);
  CONSTEXPR_CHECK(check_port(0, port_use::bind_tcp) == errc::none);
  CONSTEXPR_CHECK(check_port(65535, port_use::bind_tcp) == errc::none);
  CONSTEXPR_CHECK(check_port(65536, port_use::bind_tcp) == errc::port_out_of_range);
  CONSTEXPR_CHECK(check_port(-1, port_use::bind_tcp) == errc::port_out_of_range);
  // What a narrower type would have taken for port 443.
  CONSTEXPR_CHECK(check_port(65536 + 443, port_use::connect_tcp) == errc::port_out_of_range);
  CONSTEXPR_CHECK(check_port((1LL << 32) + 443, port_use::connect_tcp) == errc::port_out_of_range);
}

TEST_CASE("network: a port in digits") {
  using nono::parse_port;
  CONSTEXPR_CHECK(parse_port("1") == 1);
  CONSTEXPR_CHECK(parse_port("00443") == 443);
  CONSTEXPR_CHECK(parse_port("65535") == 65535);
  for (const std::string_view none :
       {"", "0", "00000", "65536", "99999", "000443", "+1", "-1", " 1", "1 ", "0x1", "4a"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_port(none).has_value());
  }
}

TEST_CASE("network: a port given twice is seen, another use of it is another port") {
  using nono::bind_tcp;
  using nono::connect_tcp;
  CONSTEXPR_CHECK(has_port_twice(nono::only(bind_tcp(1), connect_tcp(2), bind_tcp(1)).rule));
  CONSTEXPR_CHECK(!has_port_twice(nono::only(bind_tcp(1), connect_tcp(1)).rule));
  CONSTEXPR_CHECK(!has_port_twice(nono::network_rule{}));
  CONSTEXPR_CHECK(nono::only(bind_tcp(1)).rule.opens(bind_tcp(1)));
  CONSTEXPR_CHECK(!nono::only(bind_tcp(1)).rule.opens(connect_tcp(1)));
}

TEST_CASE("network: the words of the DSL") {
  CONSTEXPR_CHECK(nono::connect_tcp(443) == nono::port_rule{port_use::connect_tcp, 443});
  CONSTEXPR_CHECK(nono::bind_tcp(0) == nono::port_rule{port_use::bind_tcp, 0});
  CONSTEXPR_CHECK(nono::only(nono::connect_tcp(443)).rule.mode == network_mode::ports);
  CONSTEXPR_CHECK(nono::only(nono::connect_tcp(443), nono::bind_tcp(8080)).rule.port_count == 2);
  CONSTEXPR_CHECK(nono::only(nono::connect_tcp(443), nono::bind_tcp(8080)).rule.ports[1] ==
                  nono::bind_tcp(8080));
  CONSTEXPR_CHECK(nono::network_rule{}.mode == network_mode::unrestricted);
  CONSTEXPR_CHECK(nono::network_rule{}.port_count == 0);
}
