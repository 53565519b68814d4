// SPDX-License-Identifier: Apache-2.0
#include <nono/linux/plan.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <range/v3/view/cartesian_product.hpp>

#include "constexpr_check.hpp"

namespace abi = nono::linux_abi;
using nono::bound_policy;
using nono::errc;
using nono::network_mode;
using nono::protection;
using nono::right;
using nono::sandbox_target;
using nono::standing;
using nono::unix_sockets;

namespace {

abi::kernel_support kernel(int landlock_abi, bool seccomp = true, int why = ENOSYS) {
  abi::kernel_support out = abi::kernel_of(landlock_abi, seccomp);
  if (landlock_abi == 0) out.landlock_errno = why;
  return out;
}

bound_policy policy(network_mode mode, unix_sockets sockets = unix_sockets::by_default) {
  bound_policy out;
  out.network.mode = mode;
  out.sockets = sockets;
  return out;
}

bound_policy ports_policy(bool binds) {
  bound_policy out;
  out.network = nono::only(nono::connect_tcp(443)).rule;
  if (binds) out.network = nono::only(nono::connect_tcp(443), nono::bind_tcp(8080)).rule;
  return out;
}

char letter(standing s) {
  switch (s) {
    case standing::by_landlock:
      return 'L';
    case standing::by_seccomp:
      return 'S';
    case standing::by_landlock_and_seccomp:
      return 'B';
    case standing::by_namespace:
      return 'N';
    case standing::by_supervisor:
      return 'V';
    case standing::by_seatbelt:
      return 'M';
    case standing::not_asked:
      return '-';
    case standing::missing:
      return 'm';
    case standing::not_enforceable:
      return 'x';
  }
  return '?';
}

/// One row of a table: where a protection stands on ABI 1 to 12. L Landlock, S seccomp, B both, N namespace,
/// V supervisor, - not asked, m missing, x not enforceable, E the plan is refused.
struct standings {
  protection id;
  std::string_view by_abi;
};

void check_table(const std::function<bound_policy()>& make, sandbox_target target,
                 const std::vector<standings>& table) {
  for (const standings& row : table) {
    std::string got;
    for (int n = 1; n <= 12; ++n) {
      bound_policy p = make();
      const auto planned = nono::make_plan(p, kernel(n), target);
      got += planned ? letter(planned->report.of(row.id)) : 'E';
    }
    INFO(std::string(nono::row_of(row.id).name));
    CHECK(got == row.by_abi);
  }
}

struct handled {
  std::array<std::uint64_t, 12> fs, net, scoped;
};

void check_handled(const std::function<bound_policy()>& make, sandbox_target target, const handled& want) {
  for (int n = 1; n <= 12; ++n) {
    bound_policy p = make();
    const auto planned = nono::make_plan(p, kernel(n), target);
    if (!planned) continue;
    const auto i = static_cast<std::size_t>(n - 1);
    INFO("ABI ", n);
    CHECK(planned->ruleset.handled_access_fs == want.fs[i]);
    CHECK(planned->ruleset.handled_access_net == want.net[i]);
    CHECK(planned->ruleset.scoped == want.scoped[i]);
    CHECK(planned->report.landlock_abi == n);
    // Never a bit that this ABI does not know: the kernel would refuse the ruleset.
    CHECK((planned->ruleset.handled_access_fs & ~abi::row_of(n).fs) == 0);
    CHECK((planned->ruleset.handled_access_net & ~abi::row_of(n).net) == 0);
    CHECK((planned->ruleset.scoped & ~abi::row_of(n).scoped) == 0);
  }
}

constexpr std::array<std::uint64_t, 12> fs_of_abi = {0x1fff, 0x3fff, 0x7fff,  0x7fff,  0xffff,  0xffff,
                                                     0xffff, 0xffff, 0x1ffff, 0x1ffff, 0x1ffff, 0x1ffff};
constexpr std::array<std::uint64_t, 12> none_of_abi = {};
constexpr std::array<std::uint64_t, 12> scoped_of_abi = {0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3};

errc code(bound_policy p, const abi::kernel_support& k,
          sandbox_target target = sandbox_target::this_process) {
  const auto planned = nono::make_plan(p, k, target);
  return planned ? errc::none : planned.error().code;
}

bool has_row(const nono::plan& p, protection id) {
  const nono::filter_table table(p.filter);
  return std::any_of(table.rows().begin(), table.rows().end(), [&](const auto& row) { return row.id == id; });
}

constexpr auto here = sandbox_target::this_process;
constexpr auto child = sandbox_target::child;

}  // namespace

TEST_CASE("plan: standings on every ABI, network unrestricted") {
  const auto make = [] { return policy(network_mode::unrestricted); };
  check_table(make, here,
              {{protection::filesystem, "LLLLLLLLLLLL"},
               {protection::truncate, "SSLLLLLLLLLL"},
               {protection::device_ioctl, "mmmmLLLLLLLL"},
               {protection::network, "------------"},
               {protection::signals, "mmmmmLLLLLLL"},
               {protection::abstract_unix, "mmmmmLLLLLLL"},
               {protection::pathname_unix, "mmmmmmmmLLLL"},
               {protection::terminal_input, "SSSSSSSSSSSS"},
               {protection::process_limits, "SSSSSSSSSSSS"},
               {protection::scheduling, "SSSSSSSSSSSS"},
               {protection::keyring, "SSSSSSSSSSSS"},
               {protection::namespaces, "SSSSSSSSSSSS"},
               {protection::mounts, "BBBBBBBBBBBB"},
               {protection::kernel_surface, "SSSSSSSSSSSS"},
               {protection::io_uring, "SSSSSSSSSSSS"},
               {protection::process_memory, "BBBBBBBBBBBB"},
               {protection::ipc, "SSSSSSSSSSSS"},
               {protection::foreign_abi, "SSSSSSSSSSSS"},
               {protection::cpu_affinity, "xxxxxxxxxxxx"},
               {protection::metadata, "xxxxxxxxxxxx"},
               {protection::names, "xxxxxxxxxxxx"}});
  check_handled(make, here, {fs_of_abi, none_of_abi, scoped_of_abi});
}

TEST_CASE("plan: standings on every ABI, network blocked") {
  const auto make = [] { return policy(network_mode::blocked); };
  check_table(make, here,
              {{protection::filesystem, "LLLLLLLLLLLL"},
               {protection::network, "SSSBBBBBBBBB"},
               {protection::abstract_unix, "mmmmmLLLLLLL"},
               {protection::pathname_unix, "mmmmmmmmLLLL"}});
  check_handled(make, here, {fs_of_abi, {0, 0, 0, 3, 3, 3, 3, 3, 3, 15, 15, 15}, scoped_of_abi});
}

TEST_CASE("plan: standings on every ABI, network loopback") {
  const auto make = [] { return policy(network_mode::loopback); };
  check_table(make, child,
              {{protection::network, "NNNNNNNNNNNN"},
               {protection::abstract_unix, "NNNNNNNNNNNN"},
               {protection::signals, "mmmmmLLLLLLL"},
               {protection::pathname_unix, "mmmmmmmmLLLL"}});
  check_table(make, here, {{protection::network, "EEEEEEEEEEEE"}});
  check_handled(make, child, {fs_of_abi, none_of_abi, scoped_of_abi});
  for (int n = 0; n <= 12; ++n) CHECK(code(make(), kernel(n), here) == errc::needs_child);
  bound_policy p = make();
  CHECK(nono::make_plan(p, kernel(7), child)->own_network);
}

TEST_CASE("plan: hosts need the runner, on every ABI and wherever the sandbox stands") {
  const auto make = [] { return policy(network_mode::hosts); };
  for (int n = 0; n <= 12; ++n)
    for (const sandbox_target target : {here, child})
      CHECK(code(make(), kernel(n), target) == errc::hosts_need_the_runner);
  // Not to be had by doing with less: that is about kernels. What is lifted is not asked for.
  bound_policy p = make();
  p.best_effort |= protection::network;
  CHECK(code(std::move(p), kernel(7), child) == errc::hosts_need_the_runner);
  bound_policy lifted = make();
  lifted.lifted |= protection::network;
  const auto planned = nono::make_plan(lifted, kernel(7), child);
  REQUIRE(planned.has_value());
  CHECK(planned->report.of(protection::network) == standing::not_asked);
  CHECK(planned->filter.network == network_mode::unrestricted);
  // A filter that was asked for without a plan would close the network.
  const nono::filter_table closed({.network = network_mode::blocked, .lifted = {}});
  CHECK(to_text(nono::filter_table({.network = network_mode::hosts, .lifted = {}})) == to_text(closed));
}

TEST_CASE("plan: a runner carries hosts out by a network of the child's own, or by its proxy's port alone") {
  const auto with = [](nono::host_gate gate) {
    return [gate] {
      bound_policy p = policy(network_mode::hosts);
      p.gate = gate;
      return p;
    };
  };
  const auto own = with({8080, true});
  check_table(own, child, {{protection::network, "NNNNNNNNNNNN"}});
  bound_policy inside = own();
  const auto closed = nono::make_plan(inside, kernel(7), child);
  REQUIRE(closed.has_value());
  CHECK(closed->own_network);
  CHECK(closed->ports.empty());
  CHECK(closed->filter.network == network_mode::loopback);

  const auto shared = with({8080, false});
  check_table(shared, child, {{protection::network, "EEEBBBBBBBBB"}});
  bound_policy beside = shared();
  beside.network.ports[beside.network.port_count++] = nono::bind_tcp(9000);
  const auto ports = nono::make_plan(beside, kernel(7), child);
  REQUIRE(ports.has_value());
  CHECK_FALSE(ports->own_network);
  REQUIRE(ports->ports.size() == 2);
  CHECK((ports->ports[0].port == 9000 && ports->ports[0].allowed_access == nono::linux_abi::net_bind_tcp));
  CHECK((ports->ports[1].port == 8080 && ports->ports[1].allowed_access == nono::linux_abi::net_connect_tcp));
  CHECK(ports->filter.network == network_mode::ports);
  CHECK(ports->filter.binds_ports);

  // Nobody but a runner has a child.
  for (const bool which : {true, false})
    CHECK(code(with({8080, which})(), kernel(7), here) == errc::hosts_need_the_runner);
}

TEST_CASE("plan: standings on every ABI, single ports") {
  for (const bool binds : {false, true}) {
    const auto make = [&] { return ports_policy(binds); };
    check_table(make, here, {{protection::network, "EEEBBBBBBBBB"}, {protection::truncate, "EEELLLLLLLLL"}});
    check_handled(make, here, {fs_of_abi, {0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3}, scoped_of_abi});
    bound_policy p = make();
    const auto planned = nono::make_plan(p, kernel(7), here);
    REQUIRE(planned.has_value());
    CHECK(planned->filter.binds_ports == binds);
    REQUIRE(planned->ports.size() == (binds ? 2 : 1));
    CHECK(planned->ports[0].allowed_access == 2);  // CONNECT_TCP
    CHECK(planned->ports[0].port == 443);
    if (!binds) continue;
    CHECK(planned->ports[1].allowed_access == 1);  // BIND_TCP
    CHECK(planned->ports[1].port == 8080);
  }
}

TEST_CASE("plan: ports on ABI 3 name what they need") {
  bound_policy p = ports_policy(false);
  const auto planned = nono::make_plan(p, kernel(3), here);
  REQUIRE_FALSE(planned.has_value());
  CHECK(planned.error().code == errc::protection_unavailable);
  const std::string message = planned.error().message();
  INFO(message);
  CHECK(message.find("network") != std::string::npos);
  CHECK(message.find("ABI 4") != std::string::npos);
  CHECK(message.find("6.7") != std::string::npos);
  CHECK(message.find("here Landlock's ABI is 3") != std::string::npos);
}

TEST_CASE("plan: unix sockets") {
  check_table([] { return policy(network_mode::unrestricted, unix_sockets::none); }, here,
              {{protection::pathname_unix, "SSSSSSSSSSSS"}, {protection::abstract_unix, "SSSSSSSSSSSS"}});
  check_table([] { return policy(network_mode::unrestricted, unix_sockets::granted); }, here,
              {{protection::pathname_unix, "EEEEEEEELLLL"}, {protection::abstract_unix, "EEEEEEEELLLL"}});
  check_table([] { return policy(network_mode::unrestricted, unix_sockets::any); }, here,
              {{protection::pathname_unix, "------------"}, {protection::abstract_unix, "mmmmmLLLLLLL"}});
  bound_policy any = policy(network_mode::unrestricted, unix_sockets::any);
  CHECK(nono::make_plan(any, kernel(12), here)->ruleset.handled_access_fs == 0xffff);
  bound_policy none = policy(network_mode::unrestricted, unix_sockets::none);
  CHECK(nono::make_plan(none, kernel(7), here)->filter.no_unix_sockets);
}

TEST_CASE("plan: strict requires what is only preferred") {
  const auto make = [] {
    bound_policy p = policy(network_mode::blocked);
    p.strict = true;
    return p;
  };
  check_table(make, here, {{protection::pathname_unix, "EEEEEEEELLLL"}, {protection::names, "EEEEEEEExxxx"}});
  bound_policy p = make();
  const std::string message = nono::make_plan(p, kernel(7), here).error().message();
  INFO(message);
  CHECK(message.find("pathname_unix") != std::string::npos);
  CHECK(message.find("7.1") != std::string::npos);
  const auto given_up = [&] {
    bound_policy q = make();
    q.best_effort |= protection::pathname_unix;
    return q;
  };
  check_table(given_up, here, {{protection::pathname_unix, "EEEEEmmmLLLL"}});
}

TEST_CASE("plan: best_effort turns a requirement into a preference") {
  const auto make = [] {
    bound_policy p = ports_policy(false);
    p.best_effort |= protection::network;
    return p;
  };
  check_table(make, here, {{protection::network, "mmmBBBBBBBBB"}, {protection::filesystem, "LLLLLLLLLLLL"}});
  bound_policy p;
  p.best_effort |= protection::filesystem;
  const auto planned = nono::make_plan(p, kernel(0), here);
  REQUIRE(planned.has_value());
  CHECK(planned->report.of(protection::filesystem) == standing::missing);
  CHECK(planned->ruleset.handled_access_fs == 0);
  CHECK(planned->ruleset.scoped == 0);
}

TEST_CASE("plan: a process that sees all memory is told so, and nothing else is") {
  auto all = kernel(12);
  all.reads_all_memory = true;
  bound_policy p;
  const auto planned = nono::make_plan(p, all, here);
  REQUIRE(planned.has_value());
  CHECK(planned->report.of(protection::process_memory) == standing::missing);
  CHECK(planned->report.of(protection::mounts) == standing::by_landlock_and_seccomp);
  const auto of_child = nono::make_plan(p, all, nono::sandbox_target::child);
  CHECK(of_child->report.of(protection::process_memory) == standing::by_landlock_and_seccomp);
  p.strict = true;
  const auto refused = nono::make_plan(p, all, here);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message().find("CAP_PERFMON") != std::string::npos);
}

TEST_CASE("plan: memory of others is protected by whatever makes a Landlock domain, and by nothing else") {
  const auto standing_with = [](const abi::kernel_support& k, auto... lifted) {
    bound_policy p;
    p.sockets = nono::unix_sockets::any;
    ((p.lifted |= lifted), ...);
    p.best_effort |= protection::filesystem;
    return nono::make_plan(p, k, child)->report.of(protection::process_memory);
  };
  using enum protection;
  constexpr auto both = standing::by_landlock_and_seccomp;
  CHECK(standing_with(kernel(0)) == standing::missing);
  CHECK(standing_with(kernel(1)) == both);
  CHECK(standing_with(kernel(5), filesystem) == standing::missing);
  CHECK(standing_with(kernel(6), filesystem) == both);
  CHECK(standing_with(kernel(6), filesystem, signals) == both);
  CHECK(standing_with(kernel(12), filesystem, signals, abstract_unix) == standing::missing);
  bound_policy p;
  p.sockets = nono::unix_sockets::any;
  p.strict = true;
  for (const protection id : {filesystem, signals, abstract_unix}) p.lifted |= id;
  const auto refused = nono::make_plan(p, kernel(12), child);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().other.starts_with("process_memory, which any Landlock domain gives"));
}

TEST_CASE("plan: what is lifted is not asked for") {
  for (const auto& row : nono::protections) {
    if (row.id == protection::foreign_abi) continue;  // no filter works without it: it stays
    INFO(std::string(row.name));
    bound_policy p;
    p.lifted |= row.id;
    const auto planned = nono::make_plan(p, kernel(12), here);
    REQUIRE(planned.has_value());
    CHECK(planned->report.of(row.id) == standing::not_asked);
    CHECK_FALSE(has_row(*planned, row.id));
  }
  const auto lifted = [](protection id) {
    bound_policy p;
    p.lifted |= id;
    return nono::make_plan(p, kernel(12), here)->ruleset;
  };
  CHECK(lifted(protection::truncate).handled_access_fs == (0x1ffff & ~0x4000));
  CHECK(lifted(protection::device_ioctl).handled_access_fs == (0x1ffff & ~0x8000));
  CHECK(lifted(protection::pathname_unix).handled_access_fs == 0xffff);
  CHECK(lifted(protection::filesystem).handled_access_fs == 0x10000);
  CHECK(lifted(protection::signals).scoped == 1);
  CHECK(lifted(protection::abstract_unix).scoped == 2);
}

TEST_CASE("plan: a network that is lifted is not handled by Landlock either") {
  for (const auto mode : {network_mode::blocked, network_mode::ports}) {
    bound_policy p = mode == network_mode::ports ? ports_policy(true) : policy(mode);
    p.lifted |= protection::network;
    const auto planned = nono::make_plan(p, kernel(7), here);
    REQUIRE(planned.has_value());
    CHECK(planned->report.of(protection::network) == standing::not_asked);
    CHECK(planned->ruleset.handled_access_net == 0);
    CHECK(planned->ports.empty());
  }
}

TEST_CASE("plan: with the file system lifted, the report claims nothing that rests on it") {
  for (int n = 1; n <= 12; ++n) {
    INFO("ABI ", n);
    bound_policy p;
    p.lifted |= protection::filesystem;
    const auto planned = nono::make_plan(p, kernel(n), here);
    REQUIRE(planned.has_value());
    CHECK_FALSE(planned->report.enforced(protection::truncate));
    CHECK_FALSE(planned->report.enforced(protection::device_ioctl));
    // A domain bans mounts only if it handles some right on files.
    if (planned->ruleset.handled_access_fs == 0)
      CHECK(planned->report.of(protection::mounts) == standing::by_seccomp);
  }
}

TEST_CASE("plan: no Landlock, for three reasons") {
  CHECK(code(policy(network_mode::unrestricted), kernel(0, true, ENOSYS)) == errc::landlock_not_in_kernel);
  CHECK(code(policy(network_mode::unrestricted), kernel(0, true, EOPNOTSUPP)) == errc::landlock_disabled);
  CHECK(code(policy(network_mode::unrestricted), kernel(0, true, EPERM)) == errc::landlock_refused);
  CHECK(code(policy(network_mode::blocked), kernel(0, true, EACCES)) == errc::landlock_refused);
}

TEST_CASE("plan: a kernel without seccomp") {
  CHECK(code(policy(network_mode::unrestricted), kernel(12, false)) == errc::none);
  bound_policy p;
  const auto planned = nono::make_plan(p, kernel(12, false), here);
  CHECK(planned->report.of(protection::ipc) == standing::missing);
  CHECK(planned->report.of(protection::mounts) == standing::missing);
  CHECK(code(policy(network_mode::blocked), kernel(12, false)) != errc::none);
  CHECK(code(ports_policy(false), kernel(12, false)) != errc::none);
  CHECK(code(policy(network_mode::loopback), kernel(12, false), child) != errc::none);
  CHECK(code(policy(network_mode::unrestricted, unix_sockets::none), kernel(12, false)) != errc::none);
  // Nobody can listen where nothing is filtered.
  bound_policy observed;
  CHECK_FALSE(nono::make_plan(observed, kernel(12, false), child, true)->filter.observed);
  CHECK(nono::make_plan(observed, kernel(12, true), child, true)->filter.observed);
}

TEST_CASE("plan: where seccomp is what is missing, the error says seccomp") {
  for (bound_policy& p : std::array{policy(network_mode::blocked), ports_policy(false),
                                    policy(network_mode::unrestricted, unix_sockets::none)}) {
    const auto planned = nono::make_plan(p, kernel(12, false), here);
    REQUIRE_FALSE(planned.has_value());
    const std::string message = planned.error().message();
    INFO(message);
    CHECK(message.find("seccomp") != std::string::npos);
  }
}

TEST_CASE("plan: a child loses capabilities and the session key ring") {
  bound_policy p;
  const auto of_child = nono::make_plan(p, kernel(7), child);
  CHECK(of_child->drop_capabilities);
  CHECK(of_child->own_keyring);
  CHECK_FALSE(of_child->own_network);
  const auto of_process = nono::make_plan(p, kernel(7), here);
  CHECK_FALSE(of_process->drop_capabilities);
  CHECK_FALSE(of_process->own_keyring);
  bound_policy lifted;
  lifted.lifted |= protection::keyring;
  CHECK_FALSE(nono::make_plan(lifted, kernel(7), child)->own_keyring);
}

TEST_CASE("plan: path rules carry what this ABI handles and this file can have") {
  bound_policy p;
  p.rules = p.memory.array<nono::bound_rule>(6);
  const auto rule = [&](std::size_t i, std::string_view path, right rights, nono::file_type type) {
    p.rules[i].path = p.rules[i].canonical = path;
    p.rules[i].rights = rights;
    p.rules[i].type = type;
  };
  rule(0, "/all", nono::all_rights, nono::file_type::directory);
  rule(1, "/covered", nono::read, nono::file_type::directory);
  p.rules[1].subsumed = true;
  rule(2, "/dev/x", right::ioctl, nono::file_type::device);
  rule(3, "/file", nono::all_rights, nono::file_type::regular);
  rule(4, "/read", nono::read, nono::file_type::directory);
  rule(5, "/sock", right::connect_unix, nono::file_type::other);
  p.skipped = p.memory.array<nono::skipped_rule>(3);
  for (int n = 1; n <= 12; ++n) {
    INFO("ABI ", n);
    const auto planned = nono::make_plan(p, kernel(n), here);
    REQUIRE(planned.has_value());
    const auto of = [&](std::string_view path) -> std::uint64_t {
      for (const auto& planned_path : planned->paths)
        if (planned_path.rule->path == path) return planned_path.access;
      return 0;
    };
    const std::uint64_t all = abi::row_of(n).fs;
    CHECK(of("/all") == all);
    CHECK(of("/covered") == 0);
    CHECK(of("/dev/x") == (n >= 5 ? 0x8000U : 0U));
    CHECK(of("/file") == (all & 0x1c007));
    CHECK(of("/read") == 0xd);
    CHECK(of("/sock") == (n >= 9 ? 0x10000U : 0U));
    // A rule that is left with nothing is not given to the kernel, which refuses empty ones.
    for (const auto& path : planned->paths) CHECK(path.access != 0);
    CHECK(planned->paths.size() == (n < 5 ? 3 : n < 9 ? 4 : 5));
    CHECK(planned->report.rules == planned->paths.size());
    CHECK(planned->report.covered == 1);
    CHECK(planned->report.skipped == 3);
  }
}

TEST_CASE("plan: below ABI 3 the filter complements truncation") {
  for (int n = 1; n <= 12; ++n) {
    bound_policy p;
    CHECK(nono::make_plan(p, kernel(n), here)->filter.complement_truncate == (n < 3));
  }
}

TEST_CASE("plan: a kernel newer than the table is taken for the newest known") {
  bound_policy p = policy(network_mode::blocked);
  const auto planned = nono::make_plan(p, kernel(99), here);
  REQUIRE(planned.has_value());
  CHECK(planned->ruleset.handled_access_fs == 0x1ffff);
  CHECK(planned->ruleset.handled_access_net == 15);
  CHECK(planned->report.landlock_abi == 99);
}

TEST_CASE("plan: what a supervisor closes, on every ABI") {
  const auto make = [] { return policy(network_mode::blocked); };
  check_table(make, sandbox_target::supervised_child,
              {{protection::pathname_unix, "VVVVVVVVLLLL"},
               {protection::metadata, "VVVVVVVVVVVV"},
               {protection::cpu_affinity, "xxxxxVVVVVVV"},
               {protection::process_limits, "SSSSSSSSSSSS"},
               {protection::names, "xxxxxxxxxxxx"}});
  const auto named = [] {
    bound_policy p = policy(network_mode::blocked);
    p.sockets = unix_sockets::granted;
    return p;
  };
  check_table(named, sandbox_target::supervised_child, {{protection::pathname_unix, "VVVVVVVVLLLL"}});
  check_table(named, child, {{protection::pathname_unix, "EEEEEEEELLLL"}});
  const auto none = [] {
    bound_policy p = policy(network_mode::blocked);
    p.sockets = unix_sockets::none;
    return p;
  };
  check_table(none, sandbox_target::supervised_child, {{protection::pathname_unix, "SSSSSSSSSSSS"}});
  const auto any = [] {
    bound_policy p = policy(network_mode::blocked);
    p.sockets = unix_sockets::any;
    p.lifted |= protection::metadata;
    return p;
  };
  check_table(any, sandbox_target::supervised_child,
              {{protection::pathname_unix, "------------"}, {protection::metadata, "------------"}});
  const auto all_files = [] {
    bound_policy p = policy(network_mode::blocked);
    p.lifted |= protection::filesystem;
    return p;
  };
  check_table(all_files, sandbox_target::supervised_child, {{protection::metadata, "------------"}});

  bound_policy p = make();
  const auto planned = nono::make_plan(p, kernel(7), sandbox_target::supervised_child);
  REQUIRE(planned);
  CHECK(planned->filter.decides_unix);
  CHECK(planned->filter.decides_metadata);
  CHECK(planned->filter.decides_processes);
  CHECK(planned->drop_capabilities);
  CHECK_FALSE(nono::make_plan(p, kernel(7), child)->filter.listened());
  CHECK_FALSE(nono::make_plan(p, kernel(9), sandbox_target::supervised_child)->filter.decides_unix);
  bound_policy open = policy(network_mode::unrestricted);  // without filters nobody can be asked
  CHECK_FALSE(nono::make_plan(open, kernel(7, false), sandbox_target::supervised_child)->filter.listened());
}

TEST_CASE("plan: without a scope of signals no supervisor can tell who is inside") {
  bound_policy p = policy(network_mode::blocked);
  p.lifted |= protection::signals;
  const auto planned = nono::make_plan(p, kernel(7), sandbox_target::supervised_child);
  REQUIRE(planned.has_value());
  CHECK(planned->report.of(protection::cpu_affinity) == standing::not_enforceable);
  CHECK(planned->report.of(protection::process_limits) == standing::by_seccomp);
  CHECK_FALSE(planned->filter.decides_processes);
  CHECK(planned->filter.decides_metadata);
}

TEST_CASE("plan: the report says what the plan does, for every combination") {
  const std::vector<int> abis = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::vector<bool> either = {false, true};
  const std::vector<network_mode> modes = {network_mode::unrestricted, network_mode::blocked,
                                           network_mode::loopback, network_mode::ports};
  const std::vector<unix_sockets> sockets = {unix_sockets::by_default, unix_sockets::none,
                                             unix_sockets::granted, unix_sockets::any};
  // The file system and the network have cases of their own above; the last one lifts nothing.
  std::vector<std::optional<protection>> lifts = {std::nullopt};
  for (const auto& row : nono::protections)
    if (row.id != protection::filesystem && row.id != protection::network) lifts.emplace_back(row.id);

  const std::vector<sandbox_target> targets = {child, sandbox_target::supervised_child};

  std::size_t planned_count = 0;
  std::size_t refused = 0;
  std::string wrong;
  for (const auto& [n, seccomp, mode, which, strict, effort, lifted, target] :
       ranges::views::cartesian_product(abis, either, modes, sockets, either, either, lifts, targets)) {
    bound_policy p = mode == network_mode::ports ? ports_policy(seccomp) : policy(mode);
    p.sockets = which;
    p.strict = strict;
    if (effort)
      for (const auto& row : nono::protections) p.best_effort |= row.id;
    if (lifted) p.lifted |= *lifted;
    const auto k = kernel(n, seccomp);
    const auto got = nono::make_plan(p, k, target);
    std::string problem;
    const auto expect = [&](bool holds, const char* what) {
      if (!holds && problem.empty()) problem = what;
    };
    if (!got) {
      ++refused;
      expect(!effort, "refused in spite of best effort");
      const errc why = got.error().code;
      expect(why == errc::landlock_not_in_kernel || why == errc::protection_unavailable ||
                 why == errc::seccomp_unavailable,
             "an unexpected refusal");
    } else {
      ++planned_count;
      const auto& report = got->report;
      const auto& rules = got->ruleset;
      const auto by_landlock = [&](protection id) {
        return report.of(id) == standing::by_landlock || report.of(id) == standing::by_landlock_and_seccomp;
      };
      const auto by_seccomp = [&](protection id) {
        return report.of(id) == standing::by_seccomp || report.of(id) == standing::by_landlock_and_seccomp;
      };
      expect(by_landlock(protection::filesystem) == ((rules.handled_access_fs & 0x1fff) == 0x1fff),
             "filesystem");
      expect(by_landlock(protection::truncate) == ((rules.handled_access_fs & 0x4000) != 0), "truncate");
      expect(by_landlock(protection::device_ioctl) == ((rules.handled_access_fs & 0x8000) != 0),
             "device_ioctl");
      if (which != unix_sockets::none)
        expect(by_landlock(protection::pathname_unix) == ((rules.handled_access_fs & 0x10000) != 0),
               "pathname");
      expect(by_landlock(protection::signals) == ((rules.scoped & 2) != 0), "signals");
      if (by_landlock(protection::abstract_unix)) expect((rules.scoped & 1) != 0, "abstract_unix");
      // Without seccomp the rest of the network is open, so that Landlock's part of it does not count.
      if (seccomp) expect(by_landlock(protection::network) == (rules.handled_access_net != 0), "network");
      expect((report.of(protection::network) == standing::by_namespace) <= got->own_network, "namespace");
      expect((rules.handled_access_fs & ~(n == 0 ? 0 : abi::row_of(n).fs)) == 0, "unknown fs bits");
      expect((rules.handled_access_net & ~(n == 0 ? 0 : abi::row_of(n).net)) == 0, "unknown net bits");
      expect((rules.scoped & ~(n == 0 ? 0 : abi::row_of(n).scoped)) == 0, "unknown scopes");
      for (const auto& row : nono::protections) {
        const standing s = report.of(row.id);
        if (lifted == row.id && row.id != protection::foreign_abi) expect(s == standing::not_asked, "lifted");
        if (strict && !effort) expect(s != standing::missing, "strict and missing");
        if (by_seccomp(row.id)) {
          expect(seccomp, "by seccomp, and there is none");
          // Two are given by something else than rows of their own.
          if (row.id != protection::foreign_abi && row.id != protection::abstract_unix)
            expect(has_row(*got, row.id), row.name.data());
        }
        if (s == standing::not_asked) expect(!has_row(*got, row.id), "rows of what was not asked");
        if (s == standing::by_supervisor) {
          expect(target == sandbox_target::supervised_child && seccomp, "a supervisor, and there is none");
          expect(has_row(*got, row.id) && got->filter.listened(), "nobody asks the supervisor");
        }
        if (target == sandbox_target::supervised_child && seccomp)
          expect(row.id == protection::names || s != standing::not_enforceable || n < 6 ||
                     lifted == protection::signals,  // who is inside is told by their scope
                 "left open");
      }
    }
    if (!problem.empty() && wrong.empty())
      wrong = problem + " on ABI " + std::to_string(n) + (seccomp ? "" : " without seccomp") + ", network " +
              std::string(nono::name_of(mode)) + ", sockets " + std::to_string(static_cast<int>(which)) +
              (lifted ? ", lifted " + std::string(nono::row_of(*lifted).name) : "");
  }
  CHECK(wrong == "");
  CHECK(planned_count > 10'000);
  CHECK(refused > 1'000);
}
