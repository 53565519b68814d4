// SPDX-License-Identifier: Apache-2.0
// In which order a host's addresses are tried.
#include "proxy/race.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nono/address.hpp>

namespace {

std::string order_of(std::initializer_list<const char*> found) {
  std::vector<nono::ip_address> addresses;
  for (const char* const a : found) addresses.push_back(*nono::parse_address(a));
  std::string out;
  for (const nono::ip_address& a : nono::proxy::by_turns(addresses))
    out += std::string(out.empty() ? "" : " ") + std::string(nono::to_address_text(a).view());
  return out;
}

}  // namespace

TEST_CASE("race: the families take turns, IPv6 first") {
  CHECK(order_of({"192.0.2.1"}) == "192.0.2.1");
  CHECK(order_of({"192.0.2.2", "192.0.2.1"}) == "192.0.2.2 192.0.2.1");
  CHECK(order_of({"192.0.2.1", "2001:db8::1"}) == "2001:db8::1 192.0.2.1");
  CHECK(order_of({"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::2", "2001:db8::1"}) ==
        "2001:db8::2 192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3");
}
