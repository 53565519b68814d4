// SPDX-License-Identifier: Apache-2.0
// What a grant can allow: one bit per kind of access, and the words built from them.
#pragma once

#include <cstdint>
#include <string_view>

namespace nono {

/// One or more kinds of access to files, joined with `|`.
/// `read` and `write` mean what they mean in profiles and in the C ABI; the other words are their parts.
/// Source: docs.kernel.org/userspace-api/landlock.html, "Filesystem flags"
enum class right : std::uint64_t {
  read_file = 1U << 0,  ///< open a file for reading
  list = 1U << 1,       ///< list a directory
  execute =
      1U << 2,  ///< execute a file, with read_file; no W^X: interpreters and ld.so run what they can read
  write_file = 1U << 3,    ///< open a file for writing
  create = 1U << 4,        ///< make files, directories, links, sockets, FIFOs and device nodes
  remove = 1U << 5,        ///< unlink and rmdir
  refer = 1U << 6,         ///< link or rename between directories (ABI 2; always refused on ABI 1)
  truncate = 1U << 7,      ///< truncate, ftruncate, O_TRUNC (ABI 3)
  ioctl = 1U << 8,         ///< ioctl on character and block devices opened from now on (ABI 5)
  connect_unix = 1U << 9,  ///< connect to pathname unix sockets of others (ABI 9)

  read = read_file | list | execute,
  write = write_file | create | remove | refer | truncate,
  read_write = read | write,
};

constexpr right operator|(right a, right b) noexcept {
  return static_cast<right>(static_cast<std::uint64_t>(a) | static_cast<std::uint64_t>(b));
}
constexpr right operator&(right a, right b) noexcept {
  return static_cast<right>(static_cast<std::uint64_t>(a) & static_cast<std::uint64_t>(b));
}
constexpr right operator~(right a) noexcept { return static_cast<right>(~static_cast<std::uint64_t>(a)); }
constexpr right& operator|=(right& a, right b) noexcept { return a = a | b; }
constexpr right& operator&=(right& a, right b) noexcept { return a = a & b; }

/// No access at all. A grant of it is refused.
inline constexpr right no_rights{};
/// Every bit there is.
inline constexpr right all_rights = right::read_write | right::ioctl | right::connect_unix;
/// The rights that only mean something on a directory.
inline constexpr right directory_rights = right::list | right::create | right::remove | right::refer;

inline constexpr right read = right::read;
inline constexpr right write = right::write;
inline constexpr right read_write = right::read_write;

/// True when `have` contains every right of `want`.
constexpr bool contains(right have, right want) noexcept { return (have & want) == want; }

/// What in a grant only Linux can give, in words; empty if every system can. On macOS writing a file and emptying it are
/// one operation.
constexpr std::string_view not_portable(right rights) noexcept {
  const bool same = contains(rights, right::write_file) == contains(rights, right::truncate);
  return same ? std::string_view() : "truncate apart from write_file";
}

/// True when `rights` asks for a directory right that a file cannot have. `read` and `write` as wholes are
/// welcome on a file (their directory parts mean nothing there); `list` alone is a mistake.
constexpr bool needs_directory(right rights) noexcept {
  right only = rights & directory_rights;
  if (contains(rights, right::read)) only &= ~right::list;
  if (contains(rights, right::write)) only &= ~(right::create | right::remove | right::refer);
  return only != no_rights;
}

/// One right and its word, in the order in which they are printed.
struct right_name {
  right value;
  std::string_view name;
};
inline constexpr right_name right_names[] = {
    {right::read_file, "read_file"}, {right::list, "list"},
    {right::execute, "execute"},     {right::write_file, "write_file"},
    {right::create, "create"},       {right::remove, "remove"},
    {right::refer, "refer"},         {right::truncate, "truncate"},
    {right::ioctl, "ioctl"},         {right::connect_unix, "connect_unix"},
};

}  // namespace nono
