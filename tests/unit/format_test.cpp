// SPDX-License-Identifier: Apache-2.0
#include <nono/bind.hpp>
#include <nono/capability_set.hpp>
#include <nono/caps.hpp>
#include <nono/format.hpp>

#include <cerrno>
#include <set>
#include <string>
#include <string_view>

#include "constexpr_check.hpp"

namespace abi = nono::linux_abi;
using nono::errc;
using nono::protection;
using nono::right;

namespace {

template <class T>
std::string text(const T& value) {
  return fmt::format("{}", value);
}

}  // namespace

TEST_CASE("format: rights") {
  CHECK(text(nono::read) == "read");
  CHECK(text(nono::read_write | right::ioctl) == "read_write|ioctl");
  CHECK(text(right::list | right::connect_unix) == "list|connect_unix");
  CHECK(text(nono::no_rights) == "nothing");
  CHECK(text(abi::access_masks{abi::fs_ioctl_dev, abi::net_bind_udp, abi::scope_signal}) ==
        "fs.ioctl_dev, net.bind_udp, scope.signal");
}

TEST_CASE("format: errors") {
  CHECK(text(errc::none) == "none");
  CHECK(text(errc::path_not_found) == "path_not_found");
  CHECK(text(static_cast<errc>(9999)) == "unknown");
  const nono::error why{errc::path_not_found, ENOENT, {}, "/x\n", {}};
  CHECK(text(why) == why.message());
  CHECK(text(why) == "the policy: '/x\\n' does not exist; to change that, create it, or say if_exists");
}

TEST_CASE("format: every error code has a name of its own") {
  std::set<std::string> seen;
  for (const auto& [code, words] : nono::detail::errc_texts) {
    INFO("code ", static_cast<int>(code), ": ", std::string(words));
    CHECK(text(code) != "unknown");
    CHECK(seen.insert(text(code)).second);
  }
  CHECK(seen.size() == std::size(nono::detail::errc_names));
}

TEST_CASE("format: rules and groups") {
  CHECK(fmt::format("{} {} {} {}", nono::path_kind::directory, nono::path_kind::file, nono::path_kind::any,
                    nono::path_kind::deny) == "directory file any deny");
  CHECK(fmt::format("{} {} {}", nono::must_exist, nono::if_exists, nono::create_dir) ==
        "must_exist if_exists create_dir");
  CHECK(fmt::format("{} {} {} {} {}", nono::origin::user, nono::origin::group, nono::origin::profile,
                    nono::origin::system, nono::origin::command) == "user group profile system command");
  CHECK(fmt::format("{} {} {}", nono::platform::any, nono::platform::linux_only,
                    nono::platform::macos_only) == "any linux_only macos_only");
  nono::rule rule{"/srv", nono::read, nono::path_kind::directory, nono::must_exist, nono::origin::user, {}};
  CHECK(text(rule) == "allow_path<read>('/srv')");
  rule.source = "--read";
  CHECK(text(rule) == "--read '/srv'");
  nono::group tools;
  tools.name = "tools";
  CHECK(text(tools) == "group(tools)");
  CHECK(text(nono::group_rule{"/opt", nono::read, nono::create_dir}) ==
        "allow_path<read>('/opt', create_dir)");
  CHECK(text(nono::group_rule{"$HOME/.ssh"}) == "deny_path('$HOME/.ssh')");
}

TEST_CASE("format: the network") {
  CHECK(fmt::format("{} {} {} {} {}", nono::network_mode::unrestricted, nono::network_mode::blocked,
                    nono::network_mode::loopback, nono::network_mode::ports,
                    nono::network_mode::hosts) == "unrestricted blocked loopback only hosts");
  CHECK(fmt::format("{} {}", nono::port_use::connect_tcp, nono::port_use::bind_tcp) ==
        "connect_tcp bind_tcp");
  CHECK(text(nono::connect_tcp(443)) == "connect_tcp(443)");
  CHECK(text(nono::only(nono::connect_tcp(443), nono::bind_tcp(0)).rule) ==
        "network(only(connect_tcp(443), bind_tcp(0)))");
  CHECK(fmt::format("{} {} {} {}", nono::unix_sockets::by_default, nono::unix_sockets::none,
                    nono::unix_sockets::granted, nono::unix_sockets::any) == "by_default none granted any");
}

TEST_CASE("format: protections") {
  nono::protection_set set = protection::signals;
  set |= protection::ipc;
  CHECK(text(protection::io_uring) == "io_uring");
  CHECK(text(set) == "signals|ipc");
  CHECK(text(nono::protection_set{}) == "none");
  CHECK(text(nono::row_of(protection::io_uring)) == "io_uring (io_uring, which no filter can look into)");
  CHECK(text(nono::standing::by_landlock_and_seccomp) == "Landlock and seccomp");
  CHECK(text(nono::demand::required) == "required");
  CHECK(text(nono::thread_mode::calling_thread_only) == "calling_thread_only");
  CHECK(text(nono::confined_threads::all) == "all");
  CHECK(text(nono::confined_threads::calling_only) == "calling_only");
}

TEST_CASE("format: a policy by name, however it was written") {
  constexpr auto built = nono::caps().allow_path<nono::read>("/srv").network(nono::blocked);
  constexpr std::string_view expected = "allow_path<read>('/srv')\nnetwork(blocked)\n";
  CHECK(text(built) == expected);
  CHECK(text(built.ref()) == expected);
  nono::capability_set set;
  REQUIRE(set.allow_path<nono::read>("/srv").has_value());
  set.network(nono::blocked);
  CHECK(text(set) == expected);
  set.network(nono::hosts{"b.example", "*.a.example"});
  CHECK(text(set) == "allow_path<read>('/srv')\nnetwork(hosts{\"*.a.example\", \"b.example\"})\n");
}

TEST_CASE("format: what is bound") {
  CHECK(fmt::format("{} {} {} {}", nono::file_type::directory, nono::file_type::regular,
                    nono::file_type::device, nono::file_type::other) == "directory regular device other");
  CHECK(text(nono::inode_id{2049, 131}) == "2049:131");
  nono::bound_rule rule;
  rule.path = "/link";
  rule.canonical = "/real";
  rule.rights = nono::read;
  rule.from = nono::origin::group;
  rule.source = "tools";
  CHECK(text(rule) == "grant    read '/real' written '/link'  [group:tools]");
  nono::bound_deny deny;
  deny.path = "/closed";
  CHECK(text(deny) == "deny     '/closed'");
  nono::skipped_rule skipped;
  skipped.path = "/gone";
  CHECK(text(skipped) == "missing  '/gone'");
  skipped.denied = &deny;
  CHECK(text(skipped) == "gave way '/gone'");
  nono::bound_policy policy;
  policy.denies = {&deny, 1};
  policy.network.mode = nono::network_mode::blocked;
  CHECK(text(policy) == "deny     '/closed'\nnetwork(blocked)\n");
}

TEST_CASE("format: kernels, plans and reports") {
  CHECK(text(abi::kernel_of(7)) == "abi=7");
  auto liar = abi::kernel_of(6, false);
  liar.scoped = 0;
  CHECK(text(liar) ==
        "abi=6 (claimed), missing: scope.signal, scope.abstract_unix_socket; no seccomp filters");
  CHECK(fmt::format("{} {}", nono::sandbox_target::this_process, nono::sandbox_target::child) ==
        "this process child");
  nono::bound_rule rule;
  rule.canonical = "/real";
  CHECK(text(nono::planned_path{&rule, abi::fs_read_file | abi::fs_execute}) ==
        "beneath '/real' execute|read_file");
  nono::bound_policy policy;
  const auto planned = nono::make_plan(policy, abi::kernel_of(7), nono::sandbox_target::child);
  REQUIRE(planned.has_value());
  CHECK(text(*planned) == to_text(*planned));
  CHECK(text(*planned).starts_with("own session key ring\nno capabilities\nhandle fs execute|"));
  CHECK(text(planned->report) == to_text(planned->report));
  CHECK(text(planned->report).starts_with("Landlock ABI 7, 0 rules"));
}

TEST_CASE("format: rows of the filter") {
  CHECK(text(nono::argument_test{}) == "always");
  CHECK(text(nono::argument_test{nono::argument_test::kind::differs, 2, 1, 15}) == "arg2 & 15 != 1");
  const nono::filter_row row{16, {nono::argument_test::kind::equals, 1, 7}, EPERM, protection::ipc, "why"};
  CHECK(text(row) == "call 16 arg1 == 7: errno 1  [ipc] why");
  const nono::filter_table table{nono::filter_request{}};
  CHECK(text(table) == to_text(table));
}

TEST_CASE("format: children and the self test") {
  CHECK(fmt::format("{} {} {} {}", nono::stream::inherit(), nono::stream::null(), nono::stream::pipe(),
                    nono::stream::from(5)) == "inherit null pipe descriptor 5");
  CHECK(text(nono::exit_status{3, 0}) == "exit code 3");
  CHECK(text(nono::exit_status{0, 9}) == "signal 9");
  CHECK(text(nono::self_test_result{true, true, true, 0}) == "enforcement was seen");
  CHECK(text(nono::self_test_result{true, true, false, 0}) ==
        "enforcement was not seen: the file outside the grant is not refused");
  CHECK(text(nono::self_test_result{true, false, true, 0}) ==
        "enforcement was not seen: in the sandbox, the file inside the grant does not open");
  CHECK(text(nono::self_test_result{}) ==
        "enforcement was not seen: the file outside the grant does not open without sandbox either");
}

TEST_CASE("format: width, fill and alignment are a string's") {
  CHECK(fmt::format("[{:<10}]", nono::read) == "[read      ]");
  CHECK(fmt::format("[{:*^10}]", protection::ipc) == "[***ipc****]");
  CHECK(fmt::format("[{:>{}}]", nono::standing::missing, 9) == "[  missing]");
  CHECK(fmt::format("[{:.3}]", errc::path_not_found) == "[pat]");
  CHECK(fmt::format("[{:>20}]", nono::connect_tcp(443)) == "[    connect_tcp(443)]");
  constexpr auto policy = nono::caps();
  CHECK(fmt::format("[{:<24}]", policy) == "[network(unrestricted)\n  ]");
}
