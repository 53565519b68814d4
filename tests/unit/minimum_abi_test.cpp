// SPDX-License-Identifier: Apache-2.0
// What a policy says of itself by name is what a plan finds: two tables, held together.
#include <nono/algebra.hpp>
#include <nono/bind.hpp>
#include <nono/linux/plan.hpp>

#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <range/v3/view/cartesian_product.hpp>

TEST_CASE("minimum_landlock_abi: a plan can be made from that ABI on, and not before") {
  using enum nono::network_mode;
  constexpr nono::network_mode networks[] = {unrestricted, blocked, loopback, ports};
  constexpr nono::unix_sockets sockets[] = {nono::unix_sockets::by_default, nono::unix_sockets::none,
                                            nono::unix_sockets::granted, nono::unix_sockets::any};
  constexpr bool both[] = {false, true};
  std::vector<nono::protection_set> given_up{{}};
  for (const nono::protection_row& row : nono::protections) given_up.emplace_back(row.id);
  // What one lift takes away must not be counted on by another protection.
  for (const auto& [a, b] : {std::pair{nono::protection::signals, nono::protection::device_ioctl},
                             std::pair{nono::protection::network, nono::protection::pathname_unix}}) {
    given_up.emplace_back(a);
    given_up.back() |= b;
  }
  // What makes a Landlock domain, and with it protects memory.
  nono::protection_set domain;
  for (const auto id :
       {nono::protection::filesystem, nono::protection::signals, nono::protection::abstract_unix}) {
    domain |= id;
    given_up.push_back(domain);
  }
  for (const auto& [network, socket, strict, best_effort, lifted] :
       ranges::views::cartesian_product(networks, sockets, both, given_up, given_up)) {
    nono::policy_ref policy;
    policy.network.mode = network;
    policy.sockets = socket;
    policy.strict = strict;
    policy.best_effort = best_effort;
    policy.lifted = lifted;
    auto bound = nono::bind(policy, {});
    REQUIRE(bound.has_value());
    const int minimum = nono::minimum_landlock_abi(policy);
    int wrong = 0;
    for (int abi = 0; abi <= nono::linux_abi::newest_abi; ++abi) {
      const bool planned =
          nono::make_plan(*bound, nono::linux_abi::kernel_of(abi), nono::sandbox_target::child).has_value();
      wrong += planned == (abi >= minimum) ? 0 : 1;
    }
    CAPTURE(nono::to_text(policy));
    CHECK(wrong == 0);
  }
}
