// SPDX-License-Identifier: Apache-2.0
#include <nono/linux/abi.hpp>

#include <bit>
#include <string_view>

#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif

#include "constexpr_check.hpp"

namespace abi = nono::linux_abi;
using nono::right;

namespace {

constexpr bool rows_stand_in_order() {
  int next = 1;
  for (const auto& row : abi::abi_rows)
    if (row.abi != next++ || row.kernel.empty() || row.adds.empty()) return false;
  return next == abi::newest_abi + 1;
}
constexpr bool abilities_only_grow() {
  for (int n = 2; n <= abi::newest_abi; ++n) {
    const auto& a = abi::row_of(n - 1);
    const auto& b = abi::row_of(n);
    if ((a.fs & ~b.fs) != 0 || (a.net & ~b.net) != 0 || (a.scoped & ~b.scoped) != 0) return false;
  }
  return true;
}
constexpr bool every_bit_has_one_name() {
  std::uint64_t seen = 0;
  for (const auto& [bit, name] : abi::fs_names) {
    if (!std::has_single_bit(bit) || (seen & bit) != 0 || name.empty()) return false;
    seen |= bit;
  }
  return seen == 0x1ffff;
}
/// Each right of ours has bits of its own, and together they are all there is.
constexpr bool rights_divide_the_bits() {
  std::uint64_t seen = 0;
  for (const auto& [value, name] : nono::right_names) {
    const std::uint64_t bits = abi::fs_bits(value);
    if (bits == 0 || (seen & bits) != 0) return false;
    seen |= bits;
  }
  return seen == 0x1ffff;
}

}  // namespace

TEST_CASE("abi: the table, by number") {
  CONSTEXPR_CHECK(rows_stand_in_order());
  CONSTEXPR_CHECK(abilities_only_grow());
  constexpr std::uint64_t fs[] = {0x1fff, 0x3fff, 0x7fff,  0x7fff,  0xffff,  0xffff,
                                  0xffff, 0xffff, 0x1ffff, 0x1ffff, 0x1ffff, 0x1ffff};
  constexpr std::uint64_t net[] = {0, 0, 0, 3, 3, 3, 3, 3, 3, 0xf, 0xf, 0xf};
  constexpr std::uint64_t scoped[] = {0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3};
  constexpr std::string_view kernels[] = {"5.13", "5.19", "6.2", "6.7", "6.10", "6.12",
                                          "6.15", "7.0",  "7.1", "7.2", "7.3",  "7.4"};
  for (int n = 1; n <= 12; ++n) {
    INFO("ABI ", n);
    const auto i = static_cast<std::size_t>(n - 1);
    CHECK(abi::row_of(n).abi == n);
    CHECK(abi::row_of(n).fs == fs[i]);
    CHECK(abi::row_of(n).net == net[i]);
    CHECK(abi::row_of(n).scoped == scoped[i]);
    CHECK(abi::row_of(n).kernel == kernels[i]);
  }
}

TEST_CASE("abi: a number out of the table gets the nearest row") {
  CONSTEXPR_CHECK(abi::row_of(0).abi == 1);
  CONSTEXPR_CHECK(abi::row_of(-5).abi == 1);
  CONSTEXPR_CHECK(abi::row_of(13).abi == 12);
  CONSTEXPR_CHECK(abi::row_of(2147483647).abi == 12);
}

TEST_CASE("abi: names") { CONSTEXPR_CHECK(every_bit_has_one_name()); }

TEST_CASE("abi: our rights in the kernel's bits") {
  CONSTEXPR_CHECK(rights_divide_the_bits());
  CONSTEXPR_CHECK(abi::fs_bits(nono::no_rights) == 0);
  CONSTEXPR_CHECK(abi::fs_bits(nono::all_rights) == 0x1ffff);
  CONSTEXPR_CHECK(abi::fs_bits(nono::read) == (abi::fs_read_file | abi::fs_read_dir | abi::fs_execute));
  CONSTEXPR_CHECK(abi::fs_bits(nono::read_write) == 0x7fff);
  CONSTEXPR_CHECK(abi::fs_bits(right::create) == 0x1fc0);
  CONSTEXPR_CHECK(abi::fs_bits(right::remove) == 0x30);
  CONSTEXPR_CHECK(abi::fs_bits(right::ioctl) == 0x8000);
  CONSTEXPR_CHECK(abi::fs_bits(right::connect_unix) == 0x10000);
}

TEST_CASE("abi: the rights of a file are those that are not a directory's") {
  CONSTEXPR_CHECK(abi::fs_on_files == (0x1ULL | 0x2ULL | 0x4ULL | 0x4000ULL | 0x8000ULL | 0x10000ULL));
  CONSTEXPR_CHECK((abi::fs_bits(nono::directory_rights) & abi::fs_on_files) == 0);
  CONSTEXPR_CHECK((abi::fs_bits(nono::directory_rights) | abi::fs_on_files) == 0x1ffff);
}

TEST_CASE("abi: layouts") {
  CONSTEXPR_CHECK(sizeof(abi::ruleset_attr) == 24);
  CONSTEXPR_CHECK(offsetof(abi::ruleset_attr, handled_access_net) == 8);
  CONSTEXPR_CHECK(offsetof(abi::ruleset_attr, scoped) == 16);
  CONSTEXPR_CHECK(sizeof(abi::path_beneath_attr) == 12);
  CONSTEXPR_CHECK(sizeof(abi::net_port_attr) == 16);
  CONSTEXPR_CHECK(offsetof(abi::net_port_attr, port) == 8);
}

// An installed header older than this library lacks some; what it has must be the same.
TEST_CASE("abi: our constants are the installed header's") {
#ifdef _LINUX_LANDLOCK_H
  CONSTEXPR_CHECK(abi::rule_path_beneath == LANDLOCK_RULE_PATH_BENEATH);
#endif
#define SAME(ours, kernels) CONSTEXPR_CHECK(static_cast<unsigned long long>(ours) == (kernels))
#ifdef LANDLOCK_CREATE_RULESET_VERSION
  SAME(abi::create_ruleset_version, LANDLOCK_CREATE_RULESET_VERSION);
#endif
#ifdef LANDLOCK_CREATE_RULESET_ERRATA
  SAME(abi::create_ruleset_errata, LANDLOCK_CREATE_RULESET_ERRATA);
#endif
#ifdef LANDLOCK_ACCESS_FS_EXECUTE
  SAME(abi::fs_execute, LANDLOCK_ACCESS_FS_EXECUTE);
#endif
#ifdef LANDLOCK_ACCESS_FS_WRITE_FILE
  SAME(abi::fs_write_file, LANDLOCK_ACCESS_FS_WRITE_FILE);
#endif
#ifdef LANDLOCK_ACCESS_FS_READ_FILE
  SAME(abi::fs_read_file, LANDLOCK_ACCESS_FS_READ_FILE);
#endif
#ifdef LANDLOCK_ACCESS_FS_READ_DIR
  SAME(abi::fs_read_dir, LANDLOCK_ACCESS_FS_READ_DIR);
#endif
#ifdef LANDLOCK_ACCESS_FS_REMOVE_DIR
  SAME(abi::fs_remove_dir, LANDLOCK_ACCESS_FS_REMOVE_DIR);
#endif
#ifdef LANDLOCK_ACCESS_FS_REMOVE_FILE
  SAME(abi::fs_remove_file, LANDLOCK_ACCESS_FS_REMOVE_FILE);
#endif
#ifdef LANDLOCK_ACCESS_FS_MAKE_CHAR
  SAME(abi::fs_make_char, LANDLOCK_ACCESS_FS_MAKE_CHAR);
#endif
#ifdef LANDLOCK_ACCESS_FS_MAKE_DIR
  SAME(abi::fs_make_dir, LANDLOCK_ACCESS_FS_MAKE_DIR);
#endif
#ifdef LANDLOCK_ACCESS_FS_MAKE_REG
  SAME(abi::fs_make_reg, LANDLOCK_ACCESS_FS_MAKE_REG);
#endif
#ifdef LANDLOCK_ACCESS_FS_MAKE_SOCK
  SAME(abi::fs_make_sock, LANDLOCK_ACCESS_FS_MAKE_SOCK);
#endif
#ifdef LANDLOCK_ACCESS_FS_MAKE_FIFO
  SAME(abi::fs_make_fifo, LANDLOCK_ACCESS_FS_MAKE_FIFO);
#endif
#ifdef LANDLOCK_ACCESS_FS_MAKE_BLOCK
  SAME(abi::fs_make_block, LANDLOCK_ACCESS_FS_MAKE_BLOCK);
#endif
#ifdef LANDLOCK_ACCESS_FS_MAKE_SYM
  SAME(abi::fs_make_sym, LANDLOCK_ACCESS_FS_MAKE_SYM);
#endif
#ifdef LANDLOCK_ACCESS_FS_REFER
  SAME(abi::fs_refer, LANDLOCK_ACCESS_FS_REFER);
#endif
#ifdef LANDLOCK_ACCESS_FS_TRUNCATE
  SAME(abi::fs_truncate, LANDLOCK_ACCESS_FS_TRUNCATE);
#endif
#ifdef LANDLOCK_ACCESS_FS_IOCTL_DEV
  SAME(abi::fs_ioctl_dev, LANDLOCK_ACCESS_FS_IOCTL_DEV);
#endif
#ifdef LANDLOCK_ACCESS_FS_RESOLVE_UNIX
  SAME(abi::fs_resolve_unix, LANDLOCK_ACCESS_FS_RESOLVE_UNIX);
#endif
#ifdef LANDLOCK_ACCESS_NET_BIND_TCP
  SAME(abi::net_bind_tcp, LANDLOCK_ACCESS_NET_BIND_TCP);
#endif
#ifdef LANDLOCK_ACCESS_NET_CONNECT_TCP
  SAME(abi::net_connect_tcp, LANDLOCK_ACCESS_NET_CONNECT_TCP);
#endif
#ifdef LANDLOCK_ACCESS_NET_BIND_UDP
  SAME(abi::net_bind_udp, LANDLOCK_ACCESS_NET_BIND_UDP);
#endif
#ifdef LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP
  SAME(abi::net_connect_send_udp, LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP);
#endif
#ifdef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
  SAME(abi::scope_abstract_unix_socket, LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET);
#endif
#ifdef LANDLOCK_SCOPE_SIGNAL
  SAME(abi::scope_signal, LANDLOCK_SCOPE_SIGNAL);
#endif
#undef SAME
}

TEST_CASE("is_wsl2: by the release of the kernel") {
  CONSTEXPR_CHECK(nono::linux_abi::is_wsl2("5.15.153.1-microsoft-standard-WSL2"));
  CONSTEXPR_CHECK(nono::linux_abi::is_wsl2("6.6.36.6-microsoft-standard-WSL2+"));
  CONSTEXPR_CHECK(!nono::linux_abi::is_wsl2("6.12.111+deb12-cloud-amd64"));
  CONSTEXPR_CHECK(!nono::linux_abi::is_wsl2(""));
  nono::linux_abi::kernel_support kernel = nono::linux_abi::kernel_of(3);
  kernel.wsl2 = true;
  CHECK(to_text(kernel) == "abi=3; WSL2");
}
