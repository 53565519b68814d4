// SPDX-License-Identifier: Apache-2.0
// Whole Seatbelt profiles against the files in sbpl/.
#include <nono/capability_set.hpp>
#include <nono/caps.hpp>
#include <nono/groups.hpp>
#include <nono/macos/sbpl.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include "../sbpl/reader.hpp"
#include "golden_file.hpp"

namespace seatbelt = nono::seatbelt;
using nono::right;
using nono_test::compare_with_golden;

namespace {

/// The profile with its parameters, as it would be applied; and that the reader takes it.
std::string whole_text(const nono::policy_ref& policy, const seatbelt::settings& with) {
  const auto made = nono::to_sbpl(policy, with);
  if (!made) return "refused: " + made.error().message() + '\n';
  sbpl::profile::parameters values;
  std::string out = made->text;
  for (const auto& [name, value] : made->parameters) {
    out += "; " + name + " = " + nono::detail::quoted(value) + '\n';
    values[name] = value.starts_with('$') ? "/q/" + value.substr(1) : value;
  }
  std::string why;
  CHECK_MESSAGE(sbpl::profile::read(made->text, values, why).has_value(), why);
  return out;
}

constexpr auto policy =
    nono::caps()
        .variable("$DATA")
        .allow_path<nono::read>("/usr/share")
        .allow_path<nono::read>("/private/var/db")
        .allow_path<nono::read>("$DATA/in")
        .allow_path<nono::read_write>("$DATA/out")
        .allow_path<right::list>("$HOME")
        .allow_file<nono::read>("~/.gitconfig")
        .allow_unix_socket("/tmp/agent.sock")
        .deny_path("/tmp/secret")
        .network(nono::only(nono::connect_tcp(443), nono::bind_tcp(8080), nono::bind_tcp(0)));

/// Names that mean something to a reader of SBPL, to a terminal, or to no one.
const std::array<std::string, 14> hostile = {
    "/h/\"",
    "/h/\\",
    "/h/\\\"",
    "/h/\") (allow default) (\"",
    "/h/new\nline\n(allow default)",
    "/h/;comment",
    "/h/#\"regex\"",
    "/h/(param \"P0\")",
    "/h/\x1b[2Jescape\x7f",
    "/h/\xff\xc0\xaf",
    "/h/gr\xc3\xbc\xc3\x9f",
    "/h/rtl\xe2\x80\xaetxt",
    "/h/*.?[a]",
    "/h/$HOME",
};

}  // namespace

TEST_CASE("golden: a constant policy as a Seatbelt profile, paths as parameters and in the text") {
  compare_with_golden("sbpl/constant_parameters.sbpl", whole_text(policy, {}));
  compare_with_golden("sbpl/constant_quoted.sbpl",
                      whole_text(policy, {.paths = seatbelt::path_text::quoted}));
}

TEST_CASE("golden: hostile paths in a Seatbelt profile") {
  nono::capability_set set;
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    const auto added = i % 3 == 2 ? set.deny_path(hostile[i]) : set.allow_path(hostile[i], nono::read);
    if (!added) continue;  // a variable in the middle
  }
  set.network(nono::blocked);
  compare_with_golden("sbpl/hostile_parameters.sbpl", whole_text(set, {}));
  compare_with_golden("sbpl/hostile_quoted.sbpl", whole_text(set, {.paths = seatbelt::path_text::quoted}));
}

TEST_CASE("golden: every setting of a Seatbelt profile") {
  nono::capability_set set;
  set.group(nono::groups::system_write_macos).group(nono::groups::deny_keychains_macos);
  REQUIRE(set.allow_path("$WORKDIR", nono::all_rights).has_value());
  const std::string_view names[] = {"api.example.com"};
  REQUIRE(set.network(names).has_value());
  constexpr std::array<std::string_view, 2> rules = {
      R"((allow sysctl-write (sysctl-name "kern.grade_cputype")))",
      R"((deny file-write* (literal "/dev/disk0")))"};
  compare_with_golden("sbpl/settings.sbpl", whole_text(set, {.paths = seatbelt::path_text::quoted,
                                                             .signals = seatbelt::reach::itself,
                                                             .process_info = seatbelt::reach::all,
                                                             .ipc = seatbelt::ipc_reach::full,
                                                             .mach_services = seatbelt::tls_system_trust,
                                                             .keychain = true,
                                                             .unlink_protection = true,
                                                             .proxy_port = 9050,
                                                             .platform_rules = rules}));
  set.lift(nono::protection::filesystem)
      .lift(nono::protection::network)
      .unix_sockets(nono::unix_sockets::any);
  compare_with_golden("sbpl/lifted.sbpl", whole_text(set, {.paths = seatbelt::path_text::quoted}));
}
