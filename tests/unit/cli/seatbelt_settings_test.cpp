// SPDX-License-Identifier: Apache-2.0
// What a profile says to Seatbelt beside its policy.
#include "cli/resolve/seatbelt_settings.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "cli/resolve/resolver.hpp"

namespace {

using nono::cli::seatbelt_settings;
namespace seatbelt = nono::seatbelt;

nono::cli::host here() {
  nono::cli::host out;
  out.home = out.current = "/home/me";
  return out;
}

}  // namespace

TEST_CASE("seatbelt_settings: without a profile, TLS and nothing of others") {
  const seatbelt_settings none(nullptr);
  const seatbelt::settings with = none.get();
  CHECK(with.paths == seatbelt::path_text::parameters);
  CHECK(std::ranges::equal(with.mach_services, seatbelt::tls_system_trust));
  CHECK(with.process_info == seatbelt::reach::itself);
  CHECK(with.ipc == seatbelt::ipc_reach::shared_memory);
  CHECK_FALSE(with.unlink_protection);
  CHECK_FALSE(with.keychain);
  CHECK(with.platform_rules.empty());
}

TEST_CASE("seatbelt_settings: what a profile says, and copies refer to themselves") {
  const auto chosen = nono::cli::profile_of_text(R"json({
    "groups": {"include": ["unlink_protection"]},
    "security": {"process_info_mode": "allow_same_sandbox", "ipc_mode": "full"},
    "unsafe_macos_seatbelt_rules": ["(deny file-read*)"]})json",
                                                 "/home/me/p.json", here());
  REQUIRE_MESSAGE(chosen.has_value(), chosen.error().message());
  const seatbelt_settings copy = seatbelt_settings(chosen->get());
  const seatbelt::settings with = copy.get(seatbelt::path_text::quoted);
  CHECK(with.paths == seatbelt::path_text::quoted);
  CHECK(with.process_info == seatbelt::reach::same_sandbox);
  CHECK(with.ipc == seatbelt::ipc_reach::full);
  CHECK(with.unlink_protection);
  REQUIRE(with.platform_rules.size() == 1);
  CHECK(with.platform_rules[0] == "(deny file-read*)");
}
