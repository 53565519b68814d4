// SPDX-License-Identifier: Apache-2.0
// Every kernel from ABI 1 to 12, those that keep what their number promises and those that do not, and every call
// that can fail: against a stand-in that is as strict as the kernel.
#include <nono/bind.hpp>
#include <nono/bound_policy.hpp>
#include <nono/capability_set.hpp>
#include <nono/caps.hpp>
#include <nono/linux/apply.hpp>
#include <nono/network.hpp>

#include <cerrno>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <range/v3/view/cartesian_product.hpp>
#include <range/v3/view/indices.hpp>

#include "constexpr_check.hpp"
#include "strict_kernel.hpp"

using nono::bound_policy;
using nono::errc;
using nono::error;
using nono::network_mode;
using nono::protection;
using nono::sandbox_target;
using nono::standing;
using nono::detail::confine_thread;
using nono::detail::examine_kernel;
using nono::detail::prepare_sandbox;
using nono::detail::probe_kernel;
using nono_test::boot;
using nono_test::groups;
using nono_test::open_descriptors;
using nono_test::strict_kernel;
using nono_test::the_machine;
namespace abi = nono::linux_abi;

namespace {

bound_policy closed_network() {
  bound_policy out;
  out.network.mode = network_mode::blocked;
  return out;
}

nono::result<nono::detail::prepared_sandbox> prepare(bound_policy& policy,
                                                     sandbox_target target = sandbox_target::this_process) {
  return prepare_sandbox<strict_kernel>(policy, probe_kernel<strict_kernel>(), target);
}

abi::access_masks masks_of(const nono_test::kernel_row& row) { return {row.fs, row.net, row.scoped}; }

bool promised(int answers, const nono_test::group& g) {
  const auto& row = nono_test::kernel_rows[answers - 1];
  return ((g.fs & ~row.fs) | (g.net & ~row.net) | (g.scoped & ~row.scoped)) == 0;
}

bool holds(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

/// 5.14.0-611.el9: answers 6, and knows the rights of 4.
constexpr unsigned lacks_ioctl_and_scopes = 1U << 3 | 1U << 7 | 1U << 8;

}  // namespace

TEST_CASE("kernels: what a number promises is what such a kernel has") {
  for (int n = 1; n <= 12; ++n) {
    INFO("ABI ", n);
    const auto has = masks_of(nono_test::kernel_rows[n - 1]);
    CHECK(abi::promised_by(n) == has);
    const auto kernel = abi::kernel_of(n);
    CHECK(kernel.masks() == has);
    CHECK(kernel.real_abi() == n);
    CHECK(kernel.missing().empty());
    CHECK(to_text(kernel) == "abi=" + std::to_string(n));
  }
  CONSTEXPR_CHECK(abi::promised_by(0).empty());
  CONSTEXPR_CHECK(abi::promised_by(99) == abi::promised_by(12));
  CONSTEXPR_CHECK(abi::kernel_of(99).real_abi() == 99);
  CONSTEXPR_CHECK(abi::kernel_of(0).landlock_errno == ENOSYS);
  CHECK(to_text(abi::kernel_of(0, false)) == "no Landlock: Function not implemented; no seccomp filters");
}

TEST_CASE("kernels: the groups that are tried alone are all there is, each right once") {
  abi::access_masks all;
  for (const auto& group : abi::probe_groups) {
    CHECK_FALSE(group.empty());
    CHECK((all - group) == all);
    all = all | group;
  }
  CHECK(all == masks_of(nono_test::kernel_rows[11]));
}

TEST_CASE("kernels: where the table of protections says an ABI, that ABI has the right") {
  for (const auto& row : nono::protections) {
    INFO(std::string(row.name));
    const auto rights = nono::detail::landlock_rights(row.id);
    CHECK(rights.empty() == (row.landlock_abi == 0));
    for (int n = 1; n <= 12; ++n)
      if (row.landlock_abi != 0) CHECK(abi::promised_by(n).has(rights) == (n >= row.landlock_abi));
  }
}

TEST_CASE("kernels: an honest one gets the calls that are needed and no other") {
  for (int n = 1; n <= 12; ++n) {
    INFO("ABI ", n);
    boot(n);
    bound_policy policy = closed_network();
    const int before = open_descriptors();
    {
      const auto got = prepare(policy);
      REQUIRE(got.has_value());
      CHECK(open_descriptors() == before + 1);
      const auto& calls = the_machine.calls;
      CHECK(calls == std::map<std::string_view, int>{
                         {"version", 1}, {"errata", 1}, {"seccomp_available", 1}, {"create", 1}});
      CHECK(got->planned.report.landlock_abi == n);
      CHECK(got->planned.report.real_abi == n);
      CHECK(got->planned.report.missing.empty());
      const auto& handled = the_machine.rulesets.at(got->ruleset.get()).handled;
      CHECK(abi::access_masks{handled.handled_access_fs, handled.handled_access_net, handled.scoped} ==
            masks_of(the_machine.has));
    }
    CHECK(open_descriptors() == before);
    boot(n).knows_errata = false;
    const auto seen = examine_kernel<strict_kernel>();
    CHECK(seen.errata == 0);
    CHECK(seen.missing().empty());
    CHECK(the_machine.calls["create"] == 1);
    CHECK(open_descriptors() == before);
  }
}

TEST_CASE("kernels: one that refuses what it promises, for every ABI and every set of groups") {
  const int before = open_descriptors();
  std::string wrong;
  std::size_t liars = 0;
  for (const auto [n, without] : ranges::views::cartesian_product(
           ranges::views::indices(1, 13), ranges::views::indices(0U, nono_test::every_group + 1U))) {
    int tried = 0;
    std::string words;
    for (std::size_t i = 0; i < std::size(groups); ++i) {
      if (!promised(n, groups[i])) continue;
      ++tried;
      if ((without >> i & 1U) != 0) (words += words.empty() ? "" : ", ") += groups[i].words;
    }
    const bool honest = words.empty();
    liars += honest ? 0 : 1;
    boot(n, without);
    const bool no_files = (without & 1U) != 0;
    const bool nothing = masks_of(the_machine.has).empty();
    bound_policy policy = closed_network();
    std::string problem;
    const auto expect = [&](bool ok, const char* what) {
      if (!ok && problem.empty()) problem = what;
    };
    {
      const auto got = prepare(policy);
      expect(got.has_value() == !no_files, "refused or taken");
      if (got) {
        const auto& handled = the_machine.rulesets.at(got->ruleset.get()).handled;
        expect(abi::access_masks{handled.handled_access_fs, handled.handled_access_net, handled.scoped} ==
                   masks_of(the_machine.has),
               "a right is not handled, or one too many");
        expect(to_text(got->planned.report.missing) == words, "the report names what is missing");
        expect(to_text(got->kernel) ==
                   "abi=" + std::to_string(n) + (honest ? "" : " (claimed), missing: " + words),
               "the kernel in words");
        expect(the_machine.calls["create"] == (honest ? 1 : tried + 2), "the number of calls");
        expect(open_descriptors() == before + 1, "a probe is left open");
        expect(got->planned.report.landlock_abi == n, "the answered ABI");
        const int real = got->planned.report.real_abi;
        expect(real == n || !honest, "the real ABI of an honest kernel");
        expect(masks_of(the_machine.has).has(abi::promised_by(real)), "the real ABI is there");
        expect(real == n || !masks_of(the_machine.has).has(abi::promised_by(real + 1)), "no newer one is");
      } else if (nothing) {
        expect(got.error().code == errc::ruleset_failed, "a kernel that takes nothing at all");
        const int os_errno = got.error().os_errno;
        expect(os_errno == EINVAL || os_errno == E2BIG, "with its errno");
      } else {
        expect(got.error().code == errc::protection_unavailable, "no files");
        expect(holds(got.error().message(), "filesystem"), "names the protection");
        expect(holds(got.error().message(), "(claimed), missing: " + words), "names the rights");
      }
    }
    expect(open_descriptors() == before, "a descriptor is left open");
    boot(n, without);
    const auto seen = examine_kernel<strict_kernel>();
    expect(seen.masks() == masks_of(the_machine.has), "examine_kernel");
    expect(open_descriptors() == before, "examine_kernel leaves a descriptor");
    if (!problem.empty() && wrong.empty())
      wrong = problem + ": ABI " + std::to_string(n) + " without groups " + std::to_string(without);
  }
  CHECK(wrong == "");
  CHECK(liars > 4000);
}

TEST_CASE("kernels: 5.14.0-611.el9 answers 6 and knows the rights of 4") {
  for (const std::size_t attr_size :
       {std::size_t{16}, std::size_t{24}}) {  // without the field (E2BIG), or with it
    const auto el9 = [&] {
      boot(6, lacks_ioctl_and_scopes).has.attr_size = attr_size;
      return closed_network();
    };
    bound_policy plain = el9();
    const auto got = prepare(plain);
    REQUIRE(got.has_value());
    CHECK(to_text(got->kernel) ==
          "abi=6 (claimed), missing: fs.ioctl_dev, scope.signal, scope.abstract_unix_socket");
    CHECK(got->planned.report.real_abi == 4);
    CHECK(got->planned.report.of(protection::device_ioctl) == standing::missing);
    CHECK(got->planned.report.of(protection::signals) == standing::missing);
    CHECK(got->planned.report.of(protection::abstract_unix) == standing::missing);
    CHECK(got->planned.report.of(protection::filesystem) == standing::by_landlock);
    CHECK(got->planned.report.of(protection::network) == standing::by_landlock_and_seccomp);
    CHECK(holds(to_text(got->planned.report),
                "abi=6 (claimed), missing: fs.ioctl_dev, scope.signal, "
                "scope.abstract_unix_socket; as good as ABI 4\n"));

    bound_policy strict = el9();
    strict.strict = true;
    strict.best_effort |= protection::pathname_unix;  // no kernel of that number has it
    const auto refused = prepare(strict);
    REQUIRE_FALSE(refused.has_value());
    CHECK(
        refused.error().message() ==
        "this kernel cannot give what the policy requires: device_ioctl (ioctl on devices opened inside the "
        "sandbox), which needs Landlock ABI 5 of Linux 6.10; here Landlock's ABI is 6 (claimed), missing: "
        "fs.ioctl_dev, scope.signal, scope.abstract_unix_socket; to change that, use a kernel that has it, "
        "or name "
        "it in .best_effort(...)");

    bound_policy given_up = el9();
    given_up.strict = true;
    for (const auto id : {protection::pathname_unix, protection::device_ioctl, protection::signals,
                          protection::abstract_unix})
      given_up.best_effort |= id;
    CHECK(prepare(given_up).has_value());
  }
}

TEST_CASE("kernels: what the policy does not ask for is not missed") {
  boot(6, lacks_ioctl_and_scopes);
  bound_policy policy;
  policy.strict = true;
  policy.sockets = nono::unix_sockets::any;
  for (const auto id : {protection::device_ioctl, protection::signals, protection::abstract_unix})
    policy.lifted |= id;
  const auto got = prepare(policy);
  REQUIRE(got.has_value());
  CHECK(the_machine.calls["create"] == 1);
}

TEST_CASE("kernels: half a group is no group") {
  auto& machine = boot(12);
  machine.has.net &= ~std::uint64_t{1};     // no BIND_TCP
  machine.has.fs &= ~std::uint64_t{0x400};  // no MAKE_FIFO
  const auto seen = examine_kernel<strict_kernel>();
  CHECK(seen.net == 0xc);
  CHECK(seen.fs == 0x1e000);
  CHECK(seen.real_abi() == 0);
}

TEST_CASE("kernels: an EINVAL that no single right explains stays what it is") {
  for (const int number : {EINVAL, E2BIG}) {
    auto& machine = boot(7);
    machine.failing["create"] = number;  // whatever is asked
    bound_policy policy;
    const auto got = prepare(policy);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::ruleset_failed);
    CHECK(got.error().os_errno == number);
    CHECK(holds(got.error().message(), "landlock_create_ruleset failed"));
  }
  // Each group alone is taken, together they are not: no right is missing.
  struct picky : strict_kernel {
    static long landlock_create_ruleset(const abi::ruleset_attr* attr, std::size_t size,
                                        std::uint32_t flags) {
      if (attr != nullptr && attr->handled_access_fs != 0 && attr->scoped != 0)
        return ++the_machine.calls["create"], -EINVAL;
      return strict_kernel::landlock_create_ruleset(attr, size, flags);
    }
  };
  boot(7);
  bound_policy policy;
  const int before = open_descriptors();
  const auto got = prepare_sandbox<picky>(policy, probe_kernel<picky>(), sandbox_target::this_process);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::ruleset_failed);
  CHECK(got.error().os_errno == EINVAL);
  CHECK(the_machine.calls["create"] == 1 + 7);  // the plan's, and one for each group of ABI 7
  CHECK(open_descriptors() == before);
}

TEST_CASE("kernels: an EINVAL of a rule is no reason to try rights") {
  boot(7).failing["add_port"] = EINVAL;
  bound_policy policy;
  policy.network = nono::only(nono::connect_tcp(443)).rule;
  const auto got = prepare(policy);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::ruleset_failed);
  CHECK(the_machine.calls["create"] == 1);
}

TEST_CASE("kernels: while rights are tried, a failure of another kind is an error and tells of no right") {
  const int before = open_descriptors();
  for (const auto& [number, code] : {std::pair{ENOMEM, errc::ruleset_failed},
                                     {EMFILE, errc::ruleset_failed},
                                     {EPERM, errc::landlock_refused},
                                     {ENOSYS, errc::landlock_not_in_kernel}})
    for (int good = 1; good <= 8; ++good) {  // the plan's, seven groups; the second plan's is the ninth
      auto& machine = boot(6, lacks_ioctl_and_scopes);
      machine.failing["create"] = number;
      machine.create_fails_from = good;
      bound_policy policy;
      const auto got = prepare(policy);
      REQUIRE_FALSE(got.has_value());
      CHECK(got.error().code == code);
      CHECK(got.error().os_errno == number);
      CHECK(the_machine.calls["create"] == good + 1);
      CHECK(open_descriptors() == before);
    }
}

TEST_CASE("kernels: why there is no Landlock, from whichever call") {
  for (const auto& [number, code] : {std::pair{ENOSYS, errc::landlock_not_in_kernel},
                                     {EOPNOTSUPP, errc::landlock_disabled},
                                     {EPERM, errc::landlock_refused},
                                     {EACCES, errc::landlock_refused}})
    for (const char* call : {"version", "create"}) {
      INFO(call, " ", number);
      boot(7).failing[call] = number;
      bound_policy policy;
      const auto got = prepare(policy);
      REQUIRE_FALSE(got.has_value());
      CHECK(got.error().code == code);
      CHECK(got.error().os_errno == number);
      CHECK(holds(got.error().message(), "; to change that, "));
      const auto seen = examine_kernel<strict_kernel>();
      CHECK(seen.landlock_abi == 0);
      CHECK(seen.landlock_errno == number);
      CHECK(seen.masks().empty());
      CHECK(seen.seccomp);
    }
  boot(7).answers = 0;
  CHECK(probe_kernel<strict_kernel>().landlock_errno == ENOSYS);
  for (const int number : {ENOMEM, EMFILE, EFAULT}) {
    boot(7).failing["create"] = number;
    bound_policy policy;
    CHECK(prepare(policy).error().code == errc::ruleset_failed);
    CHECK(examine_kernel<strict_kernel>().landlock_abi == 7);  // a failure of ours says nothing about it
  }
}

TEST_CASE("kernels: each failure of each call has a sentence of its own") {
  std::set<std::string> sentences;
  nono::filter_program program;
  program.length = 3;
  const auto confine = [&](const char* call, int number) {
    boot(7).failing[call] = number;
    bound_policy policy;
    const auto sandbox = prepare(policy);
    REQUIRE(sandbox.has_value());
    const auto why = confine_thread<strict_kernel>(program, sandbox->ruleset.get(), nullptr);
    REQUIRE(why.code != errc::none);
    CHECK(why.os_errno == number);
    const error whole{why.code, why.os_errno, {}, {}, why.step};
    CHECK(sentences.insert(whole.message()).second);
    return whole;
  };
  CHECK(confine("restrict_self", EPERM).code == errc::restrict_refused);
  CHECK(confine("restrict_self", EACCES).code == errc::restrict_refused);
  CHECK(confine("restrict_self", E2BIG).code == errc::too_many_layers);
  CHECK(confine("restrict_self", ENOSYS).code == errc::landlock_not_in_kernel);
  CHECK(confine("restrict_self", EOPNOTSUPP).code == errc::landlock_disabled);
  CHECK(confine("restrict_self", EINVAL).code == errc::restrict_failed);
  CHECK(confine("restrict_self", ENOMEM).code == errc::restrict_failed);
  CHECK(confine("no_new_privs", EINVAL).code == errc::restrict_failed);
  CHECK(confine("seccomp", EPERM).code == errc::filter_refused);
  CHECK(confine("seccomp", ENOSYS).code == errc::seccomp_unavailable);
  CHECK(confine("seccomp", EINVAL).code == errc::filter_failed);
  CHECK(confine("seccomp", ENOMEM).code == errc::too_many_filters);
  CHECK(confine("seccomp", EBUSY).code == errc::listener_taken);
}

TEST_CASE("kernels: no_new_privs comes first, and the seventeenth layer is refused") {
  for (int n = 1; n <= 12; ++n) {
    INFO("ABI ", n);
    boot(n);
    bound_policy policy = closed_network();
    const auto sandbox = prepare(policy);
    REQUIRE(sandbox.has_value());
    CHECK(strict_kernel::landlock_restrict_self(sandbox->ruleset.get(), 0) == -EPERM);
    const auto program = nono::detail::program_for(sandbox->planned.filter, sandbox->kernel);
    for (int layer = 1; layer <= 16; ++layer)
      REQUIRE(confine_thread<strict_kernel>(program, sandbox->ruleset.get(), nullptr).code == errc::none);
    CHECK(the_machine.layers == 16);
    CHECK(the_machine.filters == 16);
    CHECK(confine_thread<strict_kernel>(program, sandbox->ruleset.get(), nullptr).code ==
          errc::too_many_layers);
  }
}

TEST_CASE("kernels: the stand-in refuses what the kernel refuses") {
  const auto create = [](abi::ruleset_attr attr, std::size_t size = sizeof attr) {
    return strict_kernel::landlock_create_ruleset(&attr, size, 0);
  };
  boot(7);
  CHECK(create({}) == -ENOMSG);
  CHECK(create({0x10000}) == -EINVAL);
  CHECK(create({1, 4}) == -EINVAL);
  CHECK(create({1, 0, 4}) == -EINVAL);
  CHECK(create({1}, 7) == -EINVAL);
  CHECK(create({1}, 4097) == -E2BIG);
  CHECK(strict_kernel::landlock_create_ruleset(nullptr, 8, 0) == -EFAULT);
  CHECK(strict_kernel::landlock_create_ruleset(nullptr, 0, 4) == -EINVAL);
  const abi::ruleset_attr one{1};
  CHECK(strict_kernel::landlock_create_ruleset(&one, 8, 1) == -EINVAL);
  const nono::detail::descriptor rules(static_cast<int>(create({0x9, 1})));
  const auto path = [&](std::uint64_t access, int fd) {
    const abi::path_beneath_attr attr{access, fd};
    return strict_kernel::landlock_add_rule(rules.get(), 1, &attr);
  };
  const nono::detail::descriptor root(open("/", O_PATH | O_CLOEXEC));
  const nono::detail::descriptor file(open("/dev/null", O_PATH | O_CLOEXEC));
  CHECK(path(0x9, root.get()) == 0);
  CHECK(path(0x1, file.get()) == 0);
  CHECK(path(0x8, file.get()) == -EINVAL);
  CHECK(path(0x2, root.get()) == -EINVAL);
  CHECK(path(0, root.get()) == -ENOMSG);
  CHECK(path(1, -1) == -EBADF);
  const auto port = [&](std::uint64_t access, std::uint64_t number) {
    const abi::net_port_attr attr{access, number};
    return strict_kernel::landlock_add_rule(rules.get(), 2, &attr);
  };
  CHECK(port(1, 65535) == 0);
  CHECK(port(1, 65536) == -EINVAL);
  CHECK(port(2, 1) == -EINVAL);
  CHECK(port(0, 1) == -ENOMSG);
  const abi::net_port_attr any{1, 1};
  CHECK(strict_kernel::landlock_add_rule(rules.get(), 3, &any) == -EINVAL);
  CHECK(strict_kernel::landlock_add_rule(file.get(), 2, &any) == -EBADFD);
  CHECK(strict_kernel::landlock_add_rule(-1, 2, &any) == -EBADF);
  CHECK(strict_kernel::no_new_privs() == 0);
  CHECK(strict_kernel::landlock_restrict_self(rules.get(), 8) == -EINVAL);
  CHECK(strict_kernel::landlock_restrict_self(file.get(), 0) == -EBADFD);
  boot(3);
  CHECK(create({1, 1}) == -E2BIG);
  boot(5);
  CHECK(create({1, 1, 1}) == -E2BIG);
}

TEST_CASE(
    "kernels: strict(), best_effort() and lift() as they are written, at compile time and at run time") {
  constexpr auto strict = nono::caps().strict();
  constexpr auto given_up = nono::caps().strict().best_effort(protection::signals);
  constexpr auto lifted = nono::caps().strict().lift(protection::signals);
  constexpr unsigned no_signals = 1U << 7;
  const auto came_of = [&](const nono::policy_ref& policy, int answers, unsigned without) {
    boot(answers, without);
    auto bound = nono::bind(policy, {});
    REQUIRE(bound.has_value());
    const auto got = prepare(*bound);
    if (got) return std::string(name_of(got->planned.report.of(protection::signals)));
    CHECK(got.error().code == errc::protection_unavailable);
    return got.error().other.substr(0, got.error().other.find(' '));
  };
  const auto set_like = [](auto&& change) {
    nono::capability_set set;
    set.strict();
    change(set);
    return set;
  };
  CHECK(came_of(strict, 12, 0) == "Landlock");
  CHECK(came_of(strict, 12, no_signals) == "signals");
  CHECK(came_of(given_up, 12, no_signals) == "missing");
  CHECK(came_of(lifted, 12, no_signals) == "not asked");
  CHECK(came_of(strict, 5, 0) == "signals");
  CHECK(came_of(given_up, 5, 0) == "abstract_unix");
  const auto run_time = set_like([](auto&) {});
  const auto run_time_given_up = set_like([](auto& set) { set.best_effort(protection::signals); });
  const auto run_time_lifted = set_like([](auto& set) { set.lift(protection::signals); });
  CHECK(came_of(run_time, 12, 0) == "Landlock");
  CHECK(came_of(run_time, 12, no_signals) == "signals");
  CHECK(came_of(run_time_given_up, 12, no_signals) == "missing");
  CHECK(came_of(run_time_lifted, 12, no_signals) == "not asked");
}
