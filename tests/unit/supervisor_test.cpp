// SPDX-License-Identifier: Apache-2.0
// The supervisor's own confinement and its fallback, on every ABI of a kernel that is as strict as the real one.
#include <doctest/doctest.h>
#include <nono/supervisor.hpp>

#include "strict_kernel.hpp"

using nono::errc;
using nono::network_mode;
using nono::protection;
using nono::sandbox_target;
using nono::standing;
using nono_test::strict_kernel;
using nono_test::the_machine;

namespace {

nono::bound_policy policy(network_mode mode) {
  nono::bound_policy out;
  out.network.mode = mode;
  if (mode == network_mode::ports)
    out.network = nono::only(nono::connect_tcp(443), nono::bind_tcp(8080)).rule;
  return out;
}

nono::result<nono::detail::prepared_sandbox> prepared(
    nono::bound_policy& p, sandbox_target target = sandbox_target::supervised_child) {
  return nono::detail::prepare_sandbox<strict_kernel>(p, nono::detail::probe_kernel<strict_kernel>(), target);
}

}  // namespace

TEST_CASE("supervisor: it keeps the child's scopes and ports, and leaves renames alone, on every ABI") {
  for (const auto mode : {network_mode::unrestricted, network_mode::blocked, network_mode::ports})
    for (int abi = 1; abi <= 12; ++abi) {
      if (mode == network_mode::ports && abi < 4) continue;
      CAPTURE(abi);
      CAPTURE(std::string(nono::name_of(mode)));
      nono_test::boot(abi);
      nono::bound_policy p = policy(mode);
      const auto sandbox = prepared(p);
      REQUIRE(sandbox);
      const int of_child = the_machine.last_ruleset;
      CHECK(nono::detail::enclose_supervisor<strict_kernel>(*sandbox).code == errc::none);
      const auto& has = the_machine.has;
      const bool anything = has.scoped != 0 || sandbox->planned.ruleset.handled_access_net != 0;
      CHECK(the_machine.layers == (anything ? 1 : 0));
      if (!anything) continue;
      CHECK(the_machine.last_ruleset != of_child);
      const auto& own = the_machine.rulesets[the_machine.last_ruleset];
      CHECK(own.handled.handled_access_fs == (has.fs & 0x2000));  // REFER alone
      CHECK(own.handled.handled_access_net == sandbox->planned.ruleset.handled_access_net);
      CHECK(own.handled.scoped == has.scoped);
      REQUIRE(own.paths.size() == 1);
      CHECK(own.paths[0].second == 0x2000);
      CHECK(own.ports == the_machine.rulesets[of_child].ports);
      CHECK(the_machine.filters == 0);
    }
}

TEST_CASE("supervisor: where nothing is decided there is no layer") {
  nono_test::boot(12);
  nono::bound_policy p = policy(network_mode::blocked);
  const auto plain = prepared(p, sandbox_target::child);
  REQUIRE(plain);
  CHECK(nono::detail::enclose_supervisor<strict_kernel>(*plain).code == errc::none);
  CHECK(the_machine.layers == 0);
}

TEST_CASE("supervisor: the child inherits no scope that its policy lifts") {
  nono_test::boot(7);
  nono::bound_policy p = policy(network_mode::unrestricted);
  p.lifted = protection::abstract_unix;
  CHECK(nono::detail::enclose_supervisor<strict_kernel>(*prepared(p)).code == errc::none);
  CHECK(the_machine.rulesets[the_machine.last_ruleset].handled.scoped == 2);
  nono_test::boot(7);
  p.lifted = protection::signals;
  const auto sandbox = prepared(p);
  REQUIRE(sandbox);
  CHECK(sandbox->planned.report.of(protection::cpu_affinity) == standing::not_enforceable);
  CHECK_FALSE(sandbox->planned.filter.decides_processes);
  CHECK(nono::detail::enclose_supervisor<strict_kernel>(*sandbox).code == errc::none);
  CHECK(the_machine.rulesets[the_machine.last_ruleset].handled.scoped == 1);
}

TEST_CASE("supervisor: each failure of its own layer has its error") {
  for (const auto& [call, number, code] : {std::tuple{"create", EMFILE, errc::ruleset_failed},
                                           {"add_path", ENOMEM, errc::ruleset_failed},
                                           {"add_port", ENOMEM, errc::ruleset_failed},
                                           {"no_new_privs", EINVAL, errc::restrict_failed},
                                           {"restrict_self", E2BIG, errc::too_many_layers}}) {
    CAPTURE(std::string(call));
    nono_test::boot(7);
    nono::bound_policy p = policy(network_mode::ports);
    const auto sandbox = prepared(p);
    REQUIRE(sandbox);
    the_machine.failing[call] = number;
    const auto why = nono::detail::enclose_supervisor<strict_kernel>(*sandbox);
    CHECK(why.code == code);
    CHECK(why.os_errno == number);
    CHECK(the_machine.layers == 0);
  }
}

TEST_CASE("supervisor: the plan without a listener") {
  for (int abi = 1; abi <= 12; ++abi) {
    CAPTURE(abi);
    nono_test::boot(abi);
    nono::bound_policy p = policy(network_mode::blocked);
    const auto sandbox = prepared(p);
    REQUIRE(sandbox);
    const auto plain = nono::detail::plan_without_listener(p, *sandbox);
    REQUIRE(plain);
    CHECK_FALSE(plain->filter.listened());
    CHECK(plain->report.of(protection::metadata) == standing::not_enforceable);
    CHECK(plain->report.of(protection::pathname_unix) ==
          (abi < 9 ? standing::missing : standing::by_landlock));
    CHECK(plain->ruleset.handled_access_fs == sandbox->planned.ruleset.handled_access_fs);
    CHECK(plain->ruleset.scoped == sandbox->planned.ruleset.scoped);

    nono::bound_policy named = policy(network_mode::blocked);
    named.sockets = nono::unix_sockets::granted;
    const auto granted = prepared(named);
    REQUIRE(granted);
    CHECK(nono::detail::plan_without_listener(named, *granted).has_value() == (abi >= 9));
  }
  nono_test::boot(12);
  nono::bound_policy strict = policy(network_mode::blocked);
  strict.strict = true;
  const auto sandbox = prepared(strict);
  REQUIRE(sandbox);
  CHECK_FALSE(nono::detail::plan_without_listener(strict, *sandbox));  // metadata is one of all
}
