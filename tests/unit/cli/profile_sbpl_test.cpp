// SPDX-License-Identifier: Apache-2.0
// The built-in profiles as macOS would get them, whole; and what a profile of one's own says of macOS.
#include "cli/commands/profile_sbpl.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include <unistd.h>

#include "../../golden/golden_file.hpp"
#include "../../sbpl/reader.hpp"
#include "cli/resolve/profiles.hpp"

namespace {

const char* const environment[] = {"HOME=/home/me", nullptr};

nono::cli::host here() {
  nono::cli::host out;
  out.home = "/home/me";
  out.current = "/home/me";
  out.environment = environment;
  return out;
}

std::optional<sbpl::profile> read(const std::string& text) {
  const sbpl::profile::parameters values = {
      {"HOME", "/Users/me"}, {"TMPDIR", "/private/var/folders/x"}, {"WORKDIR", "/Users/me/work"}};
  std::string why;
  auto out = sbpl::profile::read(text, values, why);
  CHECK_MESSAGE(out.has_value(), why);
  return out;
}

/// The text of a profile of one's own.
std::string own(const std::string& json) {
  const auto chosen = nono::cli::profile_of_text(json, "/home/me/p.json", here());
  REQUIRE_MESSAGE(chosen.has_value(), chosen.error().message());
  const auto text = nono::cli::sbpl_of(**chosen, here());
  REQUIRE_MESSAGE(text.has_value(), text.error().message());
  return *text;
}

bool allows(const sbpl::profile& p, const char* operation, const char* path) {
  sbpl::action a;
  a.operation = operation;
  a.path = path;
  a.type = "REGULAR-FILE";
  return p.allows(a);
}

}  // namespace

TEST_CASE("profile sbpl: every built-in profile, whole") {
  for (const nono::cli::builtin_profile& p : nono::cli::builtin_profiles()) {
    const std::string name(p.name);
    INFO(name);
    const auto chosen = nono::cli::choose_profile(name, here());
    REQUIRE_MESSAGE(chosen.has_value(), chosen.error().message());
    auto text = nono::cli::sbpl_of(**chosen, here());
    REQUIRE_MESSAGE(text.has_value(), text.error().message());
    const auto profile = read(*text);
    REQUIRE(profile.has_value());
    CHECK(allows(*profile, "file-read-data", "/usr/lib/dyld"));
    CHECK(allows(*profile, "process-exec", "/bin/sh"));
    CHECK_FALSE(allows(*profile, "file-read-data", "/Users/me/.ssh/id_ed25519"));
    CHECK_FALSE(allows(*profile, "file-read-data", "/Users/me/Library/Keychains/login.keychain-db"));
    CHECK_FALSE(allows(*profile, "file-write-data", "/usr/bin/x"));
    const std::string user = "-" + std::to_string(::getuid()) + "\"";
    for (std::size_t at = 0; (at = text->find(user, at)) != std::string::npos;)
      text->replace(at + 1, user.size() - 2, "@UID@");
    nono_test::compare_with_golden("sbpl/profile_" + name + ".sbpl", *text);
  }
}

TEST_CASE("profile sbpl: what a profile says beyond groups") {
  const auto p = read(own(R"({
    "meta": {"name": "mine"},
    "groups": {"include": ["unlink_protection"]},
    "security": {"process_info_mode": "allow_all", "ipc_mode": "full", "signal_mode": "allow_all"},
    "filesystem": {"allow": ["$WORKDIR/out"], "read_file": ["~/.gitconfig"], "deny": ["$WORKDIR/out/secret"],
                   "unix_socket": ["/tmp/agent.sock"]},
    "network": {"block": true}})"));
  REQUIRE(p.has_value());
  CHECK(allows(*p, "file-write-unlink", "/Users/me/work/out/a"));
  CHECK_FALSE(allows(*p, "file-write-unlink", "/private/tmp/a"));
  CHECK(allows(*p, "file-write-data", "/private/tmp/a"));
  CHECK(allows(*p, "file-read-data", "/Users/me/.gitconfig"));
  CHECK_FALSE(allows(*p, "file-read-data", "/Users/me/work/out/secret/a"));
  CHECK(allows(*p, "network-outbound", "/private/tmp/agent.sock"));
  CHECK(allows(*p, "process-info-pidinfo", ""));
  CHECK(allows(*p, "ipc-posix-sem", ""));
  CHECK(allows(*p, "signal", ""));
}

TEST_CASE("profile sbpl: rules for macOS alone, narrow ones, those that deny after all else") {
  const std::string text = own(R"json({"meta": {"name": "mine"}, "unsafe_macos_seatbelt_rules":
    ["(deny  file-read* (subpath \"/opt\"))", "(allow sysctl-write (sysctl-name \"kern.grade_cputype\"))"]})json");
  CHECK(text.find("\n(allow sysctl-write (sysctl-name \"kern.grade_cputype\"))\n") != std::string::npos);
  CHECK(text.ends_with("\n(deny file-read* (subpath \"/opt\"))\n"));
  for (
      const char* const broad :
      {R"json({"unsafe_macos_seatbelt_rules": ["(allow default)"]})json",
       R"json({"unsafe_macos_seatbelt_rules": ["(allow mach-lookup (global-name \"com.apple.secd\"))"]})json"}) {
    const auto chosen = nono::cli::profile_of_text(broad, "/home/me/p.json", here());
    REQUIRE_FALSE(chosen.has_value());
    CHECK(chosen.error().code == nono::errc::platform_rule_too_broad);
  }
}

TEST_CASE(
    "profile sbpl: a bypass lifts a deny and those below it, and what cannot be said is left out aloud") {
  const std::string text = own(R"json({"meta": {"name": "mine\n(allow default)"},
    "filesystem": {"read": ["$HOME/.kube", "$NOSUCH/x"], "bypass_protection": ["~/.kube"], "unix_socket_dir": ["/tmp"]},
    "network": {"network_profile": "minimal"}})json");
  const auto p = read(text);
  REQUIRE(p.has_value());
  CHECK(allows(*p, "file-read-data", "/Users/me/.kube/config"));
  CHECK_FALSE(allows(*p, "file-read-data", "/Users/me/.aws/config"));
  CHECK(text.find("; Left out, because it is no path here: '$NOSUCH/x'.\n") != std::string::npos);
  CHECK(text.find("; Left out: 'unix_socket_dir'") != std::string::npos);
  CHECK(text.find("; The profile asks for hosts.") != std::string::npos);
  CHECK(text.find("\n(allow default)") == std::string::npos);
}
