// SPDX-License-Identifier: Apache-2.0
// Exhaustive tables over kernels: what a rule gives to each type of file, and where each protection stands however
// much it is wanted. What is expected is written here anew, not taken from the library's tables.
#include <nono/bound_policy.hpp>
#include <nono/linux/apply.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <range/v3/view/cartesian_product.hpp>

#include "cli/temporary_directory.hpp"
#include "constexpr_check.hpp"
#include "strict_kernel.hpp"

using nono::bound_policy;
using nono::demand;
using nono::errc;
using nono::file_type;
using nono::protection;
using nono::right;
using nono::sandbox_target;
using nono::standing;
using nono_test::boot;
using nono_test::strict_kernel;
using nono_test::the_machine;

namespace {

/// A kernel: the ABI that it answers, and the groups of rights that it lacks all the same.
struct answer {
  int abi;
  unsigned without;
};
const std::vector<answer> kernels = {
    {1, 0},     {2, 0},      {3, 0},     {4, 0},     {5, 0},     {6, 0},     {7, 0},      {8, 0},
    {9, 0},     {10, 0},     {11, 0},    {12, 0},    {6, 0x188}, {12, 0x10}, {12, 0x20},  {12, 0x40},
    {12, 0x80}, {12, 0x100}, {12, 0x08}, {12, 0x04}, {12, 0x02}, {3, 0x06},  {12, 0x1fe},
};

constexpr std::uint64_t kernels_bits(unsigned rights) {
  constexpr std::uint64_t bits[] = {0x4, 0x8, 0x1, 0x2, 0x1fc0, 0x30, 0x2000, 0x4000, 0x8000, 0x10000};
  std::uint64_t out = 0;
  for (unsigned i = 0; i < 10; ++i)
    if ((rights >> i & 1U) != 0) out |= bits[i];
  return out;
}

std::string name_of_kernel(const answer& kernel) {
  return " on ABI " + std::to_string(kernel.abi) + " without groups " + std::to_string(kernel.without);
}

}  // namespace

TEST_CASE("kernels: every right on every type of file gets what the kernel takes, no more and no less") {
  const nono_test::temporary_directory root;
  REQUIRE(mkfifo((root / "fifo").c_str(), 0600) == 0);
  struct sample {
    file_type type;
    std::string path;
    int fd = -1;
  };
  sample samples[] = {{file_type::directory, root.path()},
                      {file_type::regular, root.file("file")},
                      {file_type::device, "/dev/null"},
                      {file_type::other, root / "fifo"}};
  for (sample& s : samples) REQUIRE((s.fd = open(s.path.c_str(), O_PATH | O_CLOEXEC)) >= 0);

  std::vector<unsigned> rights;
  for (unsigned r = 1; r < 1024; ++r) rights.push_back(r);
  std::string wrong;
  for (const auto& [kernel, granted] : ranges::views::cartesian_product(kernels, rights)) {
    boot(kernel.abi, kernel.without);
    std::string problem;
    {
      bound_policy policy;
      policy.rules = policy.memory.array<nono::bound_rule>(std::size(samples));
      for (std::size_t i = 0; i < std::size(samples); ++i) {
        policy.rules[i].path = policy.rules[i].canonical = samples[i].path;
        policy.rules[i].rights = static_cast<right>(granted);
        policy.rules[i].type = samples[i].type;
        policy.rules[i].fd = samples[i].fd;
      }
      const auto got = nono::detail::prepare_sandbox<strict_kernel>(
          policy, nono::detail::probe_kernel<strict_kernel>(), sandbox_target::this_process);
      if (!got) {
        problem = got.error().message();
      } else {
        const auto& rules = the_machine.rulesets.at(got->ruleset.get());
        std::vector<std::pair<int, std::uint64_t>> expected;
        for (const sample& s : samples) {
          std::uint64_t access = kernels_bits(granted) & the_machine.has.fs;
          if (s.type != file_type::directory) access &= nono_test::rights_of_files;
          if (access != 0) expected.emplace_back(s.fd, access);
        }
        // All that there is is handled, or what the rule leaves out would be open.
        if (rules.handled.handled_access_fs != the_machine.has.fs) problem = "handled";
        if (rules.paths != expected) problem = "given";
        if (got->planned.report.rules != expected.size()) problem = "counted";
      }
      for (nono::bound_rule& rule : policy.rules) rule.fd = -1;  // ours
    }
    if (!problem.empty() && wrong.empty())
      wrong = problem + ": rights " + std::to_string(granted) + name_of_kernel(kernel);
  }
  CHECK(wrong == "");
  for (const sample& s : samples) CHECK(close(s.fd) == 0);
}

namespace {

/// Who gives a protection: Landlock by a right, seccomp instead of it, seccomp always (and Landlock besides), both by
/// whatever makes a Landlock domain.
enum class giver : std::uint8_t { landlock, landlock_or_seccomp, seccomp, any_domain, nobody };
struct expected_row {
  protection id;
  giver by;
  std::uint64_t fs = 0, net = 0, scoped = 0;
};
constexpr expected_row expected_rows[] = {
    {protection::filesystem, giver::landlock, 0x1fff},
    {protection::truncate, giver::landlock_or_seccomp, 0x4000},
    {protection::device_ioctl, giver::landlock, 0x8000},
    {protection::network, giver::seccomp, 0, 0x3},
    {protection::signals, giver::landlock, 0, 0, 0x2},
    {protection::abstract_unix, giver::landlock, 0, 0, 0x1},
    {protection::pathname_unix, giver::landlock, 0x10000},
    {protection::terminal_input, giver::seccomp},
    {protection::process_limits, giver::seccomp},
    {protection::scheduling, giver::seccomp},
    {protection::keyring, giver::seccomp},
    {protection::namespaces, giver::seccomp},
    {protection::mounts, giver::seccomp, 0x1fff},
    {protection::kernel_surface, giver::seccomp},
    {protection::io_uring, giver::seccomp},
    {protection::process_memory, giver::any_domain},
    {protection::ipc, giver::seccomp},
    {protection::foreign_abi, giver::seccomp},
    {protection::cpu_affinity, giver::nobody},
    {protection::metadata, giver::nobody},
    {protection::names, giver::nobody},
};
static_assert(std::size(expected_rows) == nono::protection_count);

/// How much one protection is wanted. The others are preferred; `strict` wants them all.
enum class want : std::uint8_t { prefer, require, strict, best_effort, lifted };

bool is_lifted(const bound_policy& p, protection id) {
  return p.lifted.has(id) && id != protection::foreign_abi;  // no filter works without that one
}

standing expected_standing(const expected_row& row, const bound_policy& p, bool seccomp) {
  const auto& has = the_machine.has;
  const std::uint64_t rights = row.fs | row.net | row.scoped;
  bool handled = rights != 0 && ((row.fs & ~has.fs) | (row.net & ~has.net) | (row.scoped & ~has.scoped)) == 0;
  if (is_lifted(p, row.id)) return standing::not_asked;
  if (row.id == protection::network && p.network.mode == nono::network_mode::unrestricted)
    return standing::not_asked;
  if (p.lifted.has(protection::filesystem)) {
    if (row.id == protection::truncate || row.id == protection::device_ioctl ||
        row.id == protection::metadata)
      return standing::not_asked;
    if (row.id == protection::mounts) handled = false;
  }
  const auto asks = [&](protection id) { return !is_lifted(p, id); };
  const bool domain =
      (asks(protection::filesystem) && (has.fs & 0xffff) != 0) ||
      (asks(protection::pathname_unix) && (has.fs & 0x10000) != 0) ||
      (asks(protection::network) && p.network.mode == nono::network_mode::blocked && has.net != 0) ||
      (asks(protection::abstract_unix) && (has.scoped & 1) != 0) ||
      (asks(protection::signals) && (has.scoped & 2) != 0);
  switch (row.by) {
    case giver::landlock:
      return handled ? standing::by_landlock : standing::missing;
    case giver::landlock_or_seccomp:
      return handled ? standing::by_landlock : seccomp ? standing::by_seccomp : standing::missing;
    case giver::seccomp:
      if (!seccomp) return standing::missing;
      return handled ? standing::by_landlock_and_seccomp : standing::by_seccomp;
    case giver::any_domain:
      return seccomp && domain ? standing::by_landlock_and_seccomp : standing::missing;
    case giver::nobody:
      break;
  }
  return standing::not_enforceable;
}

demand expected_demand(protection id, const bound_policy& p, standing s) {
  if (p.lifted.has(id)) return demand::lifted;
  if (s == standing::not_asked || s == standing::not_enforceable) return demand::none;
  if (p.best_effort.has(id)) return demand::preferred;
  const bool named = id == protection::filesystem || id == protection::network;
  return p.strict || named ? demand::required : demand::preferred;
}

void ask(bound_policy& p, protection id, want how) {
  if (id == protection::network) p.network.mode = nono::network_mode::blocked;
  switch (how) {
    case want::prefer:
      p.best_effort |= id;  // takes back what naming it requires
      break;
    case want::require:
      p.strict = true;
      for (const auto& other : nono::protections)
        if (other.id != id) p.best_effort |= other.id;
      break;
    case want::strict:
      p.strict = true;
      break;
    case want::best_effort:
      p.strict = true;
      p.best_effort |= id;
      break;
    case want::lifted:
      p.lifted |= id;
      break;
  }
}

}  // namespace

TEST_CASE(
    "kernels: every protection, however much it is wanted, is given, reported missing, or refused by name") {
  std::vector<answer> all = kernels;
  all.push_back({0, 0});
  const std::array wants = {want::prefer, want::require, want::strict, want::best_effort, want::lifted};
  const std::array either = {false, true};
  std::string wrong;
  std::size_t refused = 0;
  for (const auto& [kernel, row, how, seccomp] :
       ranges::views::cartesian_product(all, expected_rows, wants, either)) {
    boot(kernel.abi, kernel.without).seccomp = seccomp;
    bound_policy policy;
    ask(policy, row.id, how);
    std::string problem;
    const auto expect = [&](bool ok, std::string_view what) {
      if (!ok && problem.empty()) problem = what;
    };
    const auto got = nono::detail::prepare_sandbox<strict_kernel>(
        policy, nono::detail::probe_kernel<strict_kernel>(), sandbox_target::this_process);
    std::vector<protection> lacking;  // what is required and missing
    for (const expected_row& each : expected_rows) {
      const standing s = expected_standing(each, policy, seccomp);
      if (s == standing::missing && expected_demand(each.id, policy, s) == demand::required)
        lacking.push_back(each.id);
    }
    expect(got.has_value() == lacking.empty(), lacking.empty() ? "refused" : "taken");
    if (got && lacking.empty()) {
      for (const expected_row& each : expected_rows) {
        const standing s = expected_standing(each, policy, seccomp);
        expect(got->planned.report.of(each.id) == s, nono::row_of(each.id).name);
        expect(got->planned.report.demand_for(each.id) == expected_demand(each.id, policy, s), "demand");
        expect(!got->planned.report.enforced(each.id) || !is_lifted(policy, each.id), "lifted and enforced");
      }
      expect(got->planned.report.missing.empty() == (kernel.without == 0 || the_machine.calls["create"] <= 1),
             "what is missing is known once it was refused");
    } else if (!got) {
      ++refused;
      const nono::error& why = got.error();
      bool named = kernel.abi == 0 && why.code == errc::landlock_not_in_kernel &&
                   lacking.front() == protection::filesystem;
      for (const protection id : lacking)
        named = named ||
                (why.code == errc::protection_unavailable && why.other.starts_with(nono::row_of(id).name) &&
                 why.message().find(".best_effort(") != std::string::npos);
      expect(named, "the error names another protection");
      if (how == want::require) expect(lacking == std::vector{row.id}, "only that one is required");
      if (how == want::best_effort)
        expect(!why.other.starts_with(std::string(nono::row_of(row.id).name) + " ("),
               "refused in spite of best effort");
    }
    if (!problem.empty() && wrong.empty())
      wrong = problem + ": " + std::string(nono::row_of(row.id).name) + " wanted " +
              std::to_string(static_cast<int>(how)) + (seccomp ? "" : " without seccomp") +
              name_of_kernel(kernel) + (got ? "" : ": " + got.error().message());
  }
  CHECK(wrong == "");
  CHECK(refused > 500);
}
