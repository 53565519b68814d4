// SPDX-License-Identifier: Apache-2.0
#include <nono/capability_set.hpp>
#include <nono/caps.hpp>
#include <nono/groups.hpp>
#include <nono/macos/sbpl.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include "../../sbpl/reader.hpp"
#include "../constexpr_check.hpp"

using nono::errc;
using nono::right;
namespace seatbelt = nono::seatbelt;
constexpr auto in_text = seatbelt::path_text::quoted;

namespace {

constexpr auto policy = nono::caps()
                            .allow_path<nono::read>("/usr/share")
                            .allow_path<nono::read_write>("$WORKDIR")
                            .allow_file<nono::read>("$HOME/.gitconfig")
                            .deny_path("$HOME/.ssh")
                            .network(nono::blocked);
constexpr auto text = nono::sbpl_text(policy);

static_assert(text.contains("(version 1)\n(deny default)\n"));
static_assert(text.contains("(allow file-read*\n  (subpath \"/usr/share\")"));
static_assert(text.contains("(subpath (param \"WORKDIR\"))"));
static_assert(text.contains("(literal (string-append (param \"HOME\") \"/.gitconfig\"))"));
static_assert(!text.contains("(remote ip"));
static_assert(
    nono::sbpl_text(policy).contains("(deny default)"));  // without a name: g++ 12 is particular about it

/// A profile of a set, and whether it allows what is asked.
struct asked {
  explicit asked(const nono::policy_ref& p, const seatbelt::settings& with = {}) {
    auto made = nono::to_sbpl(p, with);
    REQUIRE_MESSAGE(made.has_value(), made.error().message());
    written = *std::move(made);
    sbpl::profile::parameters values;
    for (const auto& [name, value] : written.parameters)
      values[name] = value.starts_with('$') ? "/q/" + value.substr(1) : value;
    std::string why;
    read = sbpl::profile::read(written.text, values, why);
    REQUIRE_MESSAGE(read.has_value(), why << "\n" << written.text);
  }
  [[nodiscard]] bool allows(std::string operation, std::string path,
                            std::string type = "REGULAR-FILE") const {
    sbpl::action a;
    a.operation = std::move(operation);
    a.path = std::move(path);
    a.type = std::move(type);
    return read->allows(a);
  }
  [[nodiscard]] bool looks_up(std::string name) const {
    sbpl::action a;
    a.operation = "mach-lookup";
    a.name = std::move(name);
    return read->allows(a);
  }
  [[nodiscard]] bool signals(std::string whom) const {
    sbpl::action a;
    a.operation = "signal";
    a.target = std::move(whom);
    return read->allows(a);
  }
  [[nodiscard]] bool connects(std::string host, int port, std::string kind = "tcp") const {
    sbpl::action a;
    a.operation = "network-outbound";
    a.host = std::move(host);
    a.kind = std::move(kind);
    a.port = port;
    return read->allows(a);
  }
  nono::sbpl_profile written;
  std::optional<sbpl::profile> read;
};

}  // namespace

TEST_CASE("sbpl: the text of a constant policy is the text of run time") {
  const auto made = nono::to_sbpl(policy, {.paths = in_text});
  REQUIRE(made.has_value());
  CHECK(made->text == text.text());
  CHECK(made->parameters == decltype(made->parameters){{"HOME", "$HOME"}, {"WORKDIR", "$WORKDIR"}});
}

TEST_CASE("sbpl: the same policy gives the same bytes, in whatever order it was put together") {
  nono::capability_set a;
  nono::capability_set b;
  REQUIRE(a.allow_path("/a", nono::read).has_value());
  REQUIRE(a.allow_path("/b", nono::write).has_value());
  REQUIRE(b.allow_path("/b", nono::write).has_value());
  REQUIRE(b.allow_path("/a", nono::read).has_value());
  a.group(nono::groups::user_tools).group(nono::groups::git_config);
  b.group(nono::groups::git_config).group(nono::groups::user_tools);
  CHECK(nono::to_sbpl(a)->text == nono::to_sbpl(b)->text);
  CHECK(nono::to_sbpl(a)->parameters == nono::to_sbpl(b)->parameters);
}

TEST_CASE("sbpl: paths travel as parameters and are not in the text") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/secret \"place\") (allow default)", nono::read).has_value());
  const asked p(set);
  CHECK(p.written.text.find("secret") == std::string::npos);
  CHECK(p.allows("file-read-data", "/secret \"place\") (allow default)/x"));
  CHECK_FALSE(p.allows("file-read-data", "/etc/passwd"));
}

TEST_CASE("sbpl: what a wider grant says is not said again") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/a", nono::read).has_value());
  REQUIRE(set.allow_path("/a/b", nono::read).has_value());
  REQUIRE(set.allow_path("/a/c", nono::read_write).has_value());
  const auto made = nono::to_sbpl(set, {.paths = in_text});
  CHECK(made->text.find("\"/a/b\"") == std::string::npos);
  CHECK(made->text.find("(allow file-read*\n  (subpath \"/a\"))") != std::string::npos);
  CHECK(made->text.find("(allow file-write-create\n  (require-all (subpath \"/a/c\")") != std::string::npos);
}

TEST_CASE("sbpl: both spellings of what lies behind the links at the root") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/tmp/a", nono::read_write).has_value());
  REQUIRE(set.deny_path("/private/var/db/secret").has_value());
  REQUIRE(set.allow_path("/var", nono::read).has_value());
  const asked p(set);
  for (const char* path : {"/tmp/a/x", "/private/tmp/a/x"}) CHECK(p.allows("file-write-create", path));
  for (const char* path : {"/tmp", "/private", "/private/tmp", "/", "/etc"})
    CHECK(p.allows("file-read-metadata", path));
  for (const char* path : {"/var/db/x", "/private/var/db/x"}) CHECK(p.allows("file-read-data", path));
  for (const char* path : {"/var/db/secret/x", "/private/var/db/secret"})
    CHECK_FALSE(p.allows("file-read-data", path));
}

TEST_CASE("sbpl: a grant of a directory says nothing of its own name") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/w", nono::read_write).has_value());
  const asked p(set);
  CHECK(p.allows("file-write-unlink", "/w/a"));
  CHECK_FALSE(p.allows("file-write-unlink", "/w"));
  CHECK_FALSE(p.allows("file-write-create", "/w"));
  CHECK(p.allows("file-write-mode", "/w"));
}

TEST_CASE("sbpl: a deny holds below a grant, and its directories cannot be moved away") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/w", nono::read_write).has_value());
  REQUIRE(set.allow_path("/w/a/secret/open", nono::read).has_value());
  REQUIRE(set.deny_path("/w/a/secret").has_value());
  const asked p(set);
  for (const char* operation : {"file-read-data", "file-read-xattr", "file-write-data", "file-write-create",
                                "file-write-unlink", "process-exec", "network-outbound"}) {
    CHECK_FALSE(p.allows(operation, "/w/a/secret"));
    CHECK_FALSE(p.allows(operation, "/w/a/secret/open"));
  }
  CHECK(p.allows("file-read-metadata", "/w/a/secret"));
  CHECK_FALSE(p.allows("file-write-unlink", "/w/a"));
  CHECK(p.allows("file-write-unlink", "/w/b"));
  CHECK(p.allows("file-write-create", "/w/a/more"));
}

TEST_CASE("sbpl: reading files and listing directories apart") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/files", right::read_file).has_value());
  REQUIRE(set.allow_path("/names", right::list).has_value());
  const asked p(set);
  CHECK(p.allows("file-read-data", "/files/a"));
  CHECK_FALSE(p.allows("file-read-data", "/files/d", "DIRECTORY"));
  CHECK_FALSE(p.allows("file-read-data", "/names/a"));
  CHECK(p.allows("file-read-data", "/names/d", "DIRECTORY"));
  CHECK(p.allows("file-read-metadata", "/names/a"));
}

TEST_CASE("sbpl: programs run where execute is granted, and nowhere else") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/bin", nono::read).has_value());
  REQUIRE(set.allow_path("/data", right::read_file | right::list).has_value());
  const asked p(set);
  CHECK(p.allows("process-exec", "/bin/sh"));
  CHECK(p.allows("process-exec-interpreter", "/bin/sh"));
  CHECK(p.allows("file-map-executable", "/bin/libx.dylib"));
  CHECK_FALSE(p.allows("process-exec", "/data/sh"));
  CHECK_FALSE(p.allows("file-map-executable", "/data/libx.dylib"));
}

TEST_CASE("sbpl: hard links are in no profile, so no second name leads round a deny") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/", nono::all_rights).has_value());
  CHECK_FALSE(asked(set).allows("file-link", "/a"));
  set.lift(nono::protection::filesystem);
  REQUIRE(set.deny_path("/secret").has_value());
  const asked p(set);
  CHECK(p.allows("file-link", "/a"));
  CHECK_FALSE(p.allows("file-link", "/secret/a"));
}

TEST_CASE("sbpl: networks") {
  nono::capability_set set;
  CHECK(asked(set).connects("192.0.2.1", 443));
  CHECK(asked(set).connects("192.0.2.1", 53, "udp"));
  CHECK(asked(set).allows("network-outbound", "/private/var/run/mDNSResponder"));
  set.network(nono::blocked);
  CHECK_FALSE(asked(set).connects("localhost", 443));
  CHECK_FALSE(asked(set).allows("network-outbound", "/private/var/run/mDNSResponder"));
  set.network(nono::only(nono::connect_tcp(443), nono::bind_tcp(8080), nono::connect_tcp(22)));
  const asked ports(set);
  CHECK(ports.connects("192.0.2.1", 443));
  CHECK_FALSE(ports.connects("192.0.2.1", 80));
  CHECK_FALSE(ports.connects("192.0.2.1", 443, "udp"));
  CHECK(ports.written.text.find("\"*:22\"))\n(allow network-outbound (remote tcp \"*:443\"") !=
        std::string::npos);
  const std::string_view names[] = {"api.example.com"};
  REQUIRE(set.network(names).has_value());
  const asked hosts(set, {.proxy_port = 9050});
  CHECK(hosts.connects("localhost", 9050));
  CHECK_FALSE(hosts.connects("192.0.2.1", 9050));
  CHECK_FALSE(hosts.connects("localhost", 443));
  CHECK_FALSE(hosts.allows("network-outbound", "/private/var/run/mDNSResponder"));
  CHECK(nono::to_sbpl(set).error().code == errc::hosts_need_the_runner);
  set.network(nono::loopback);
  CHECK(nono::to_sbpl(set).error().code == errc::not_on_macos);
}

TEST_CASE("sbpl: unix sockets") {
  nono::capability_set set;
  REQUIRE(set.allow_unix_socket("/s/agent").has_value());
  REQUIRE(set.allow_path("/w", nono::write).has_value());
  set.network(nono::blocked);
  const asked granted(set);
  CHECK(granted.allows("network-outbound", "/s/agent"));
  CHECK_FALSE(granted.allows("network-outbound", "/s/other"));
  CHECK(granted.allows("network-bind", "/w/mine"));
  CHECK_FALSE(granted.allows("network-bind", "/s/mine"));
  nono::capability_set none;
  REQUIRE(none.allow_path("/w", nono::write).has_value());
  none.network(nono::blocked).unix_sockets(nono::unix_sockets::none);
  CHECK_FALSE(asked(none).allows("network-bind", "/w/mine"));
}

TEST_CASE("sbpl: signals, IPC and services") {
  nono::capability_set set;
  CHECK(asked(set).signals("self"));
  CHECK(asked(set).signals("same-sandbox"));
  CHECK_FALSE(asked(set).signals("others"));
  CHECK_FALSE(asked(set, {.signals = seatbelt::reach::itself}).signals("same-sandbox"));
  CHECK_FALSE(asked(set).looks_up("com.apple.trustd"));
  CHECK(asked(set, {.mach_services = seatbelt::tls_system_trust}).looks_up("com.apple.trustd.agent"));
  const auto ipc = [&](seatbelt::ipc_reach reach) {
    const asked p(set, {.ipc = reach});
    return std::string(p.allows("ipc-posix-shm-read-data", "") ? "m" : "") +
           (p.allows("ipc-posix-sem", "") ? "s" : "") + (p.allows("ipc-sysv-shm", "") ? "v" : "");
  };
  CHECK(ipc(seatbelt::ipc_reach::none).empty());
  CHECK(ipc(seatbelt::ipc_reach::shared_memory) == "m");
  CHECK(ipc(seatbelt::ipc_reach::full) == "msv");
  set.lift(nono::protection::signals);
  CHECK(asked(set).signals("others"));
}

TEST_CASE("sbpl: the key chain is denied, whoever lists its services") {
  nono::capability_set set;
  constexpr std::array<std::string_view, 2> sly = {"com.apple.SecurityServer", "com.example.service"};
  const asked closed(set, {.mach_services = sly});
  CHECK_FALSE(closed.looks_up("com.apple.SecurityServer"));
  CHECK_FALSE(closed.looks_up("com.apple.secd"));
  CHECK(closed.looks_up("com.example.service"));
  CHECK(asked(set, {.keychain = true}).looks_up("com.apple.SecurityServer"));
}

TEST_CASE("sbpl: terminals cannot be typed into, unless that is lifted") {
  nono::capability_set set;
  REQUIRE(set.allow_path("/dev", nono::read_write | right::ioctl).has_value());
  CHECK(asked(set).allows("file-ioctl", "/dev/null"));
  CHECK_FALSE(asked(set).allows("file-ioctl", "/dev/ttys001"));
  CHECK_FALSE(asked(set).allows("file-ioctl", "/dev/ptmx"));
  set.lift(nono::protection::terminal_input);
  CHECK(asked(set).allows("file-ioctl", "/dev/ttys001"));
}

TEST_CASE("sbpl: unlink protection leaves removing to the user's own grants") {
  nono::capability_set set;
  set.group(nono::groups::system_write_macos);
  REQUIRE(set.allow_path("/w", nono::read_write).has_value());
  CHECK(asked(set).allows("file-write-unlink", "/private/tmp/a"));
  const asked p(set, {.unlink_protection = true});
  CHECK_FALSE(p.allows("file-write-unlink", "/private/tmp/a"));
  CHECK(p.allows("file-write-create", "/private/tmp/a"));
  CHECK(p.allows("file-write-unlink", "/w/a"));
}

TEST_CASE("sbpl: a platform rule is written anew and stands before the denies") {
  nono::capability_set set;
  REQUIRE(set.deny_path("/secret").has_value());
  constexpr std::array<std::string_view, 2> rules = {"(deny  file-write*\n(literal \"/a\") )",
                                                     "(allow sysctl-write\t(sysctl-name \"kern.x\"))"};
  const asked p(set, {.platform_rules = rules});
  const std::string& t = p.written.text;
  const std::size_t allow = t.find("\n(allow sysctl-write (sysctl-name \"kern.x\"))\n");
  const std::size_t deny = t.find("\n(deny file-ioctl");
  REQUIRE(allow != std::string::npos);
  CHECK(allow < deny);
  CHECK(t.ends_with("\n(deny file-write* (literal \"/a\"))\n"));
  constexpr std::array<std::string_view, 1> broad = {"(allow default)"};
  const auto refused = nono::to_sbpl(set, {.platform_rules = broad});
  CHECK(refused.error().code == errc::platform_rule_too_broad);
  CHECK(refused.error().message().find("'(allow default)'") != std::string::npos);
}

TEST_CASE("sbpl: groups for macOS are in it on every system, and those of Linux on none") {
  nono::capability_set set;
  set.group(nono::groups::system_read_macos).group(nono::groups::system_read_linux_core);
  const asked p(set);
  CHECK(p.allows("file-read-data", "/System/Library/x"));
  CHECK_FALSE(p.allows("file-read-data", "/proc/self/status"));
}

TEST_CASE("sbpl: a violation of the policy is its error") {
  nono::capability_set set;
  set.lift(nono::protection::foreign_abi);
  CHECK(nono::to_sbpl(set).error().code == errc::protection_not_liftable);
}
