// SPDX-License-Identifier: Apache-2.0
// What can be asked of a sandbox, and the shape of the answer: plain data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nono/bound_policy.hpp>
#include <nono/protection.hpp>
#include <nono/right.hpp>

namespace nono {

/// What a confined process could try. Each is one system call, named as users of the command name it.
enum class operation : std::uint8_t {
  // a file, where links at the end of the path are followed
  open_read,        ///< open(O_RDONLY); of a directory: list it
  open_write,       ///< open(O_WRONLY)
  open_read_write,  ///< open(O_RDWR)
  create,           ///< open(O_WRONLY|O_CREAT): make it if it is not there
  overwrite,        ///< open(O_WRONLY|O_CREAT|O_TRUNC): what a shell's `>` does
  truncate,         ///< truncate(2)
  list,             ///< open(O_RDONLY|O_DIRECTORY)
  execute,          ///< execve(2) of this one file; its interpreter and libraries are questions of their own
  ioctl,            ///< open(O_RDONLY) of a device and an ioctl on it
  connect_unix,     ///< connect(2) of a stream socket to a pathname socket of a process outside
  stat,             ///< stat(2)
  chmod,            ///< chmod(2)
  // a name in a directory, where they are not
  mkdir,
  mkfifo,
  mksock,  ///< mknod(S_IFSOCK)
  mkdev,   ///< mknod(S_IFCHR)
  symlink,
  bind_unix,  ///< bind(2) of a unix socket to a name
  unlink,
  rmdir,
  // two names
  rename,    ///< rename(2)
  exchange,  ///< renameat2(RENAME_EXCHANGE)
  link,      ///< link(2)
  // no file
  connect_tcp,       ///< connect(2) to a TCP port of any address
  bind_tcp,          ///< bind(2) to a TCP port
  udp,               ///< socket(AF_INET, SOCK_DGRAM) and its use
  connect_abstract,  ///< connect(2) to an abstract unix socket of a process outside
  signal,            ///< kill(2) of a process outside
};

/// What look() has to find out for an operation.
struct operation_row {
  operation what;
  std::string_view name;
  std::uint8_t paths;        ///< how many it has
  bool follow;               ///< a link at the end is followed
  std::uint8_t file_access;  ///< ordinary permission of the file that it needs: 4 read, 2 write, 1 execute
  bool changes_directory;    ///< it makes or removes an entry
  right wanted;              ///< what is asked of grants where the file exists
};

inline constexpr operation_row operations[] = {
    {operation::open_read, "read", 1, true, 4, false, right::read_file},
    {operation::open_write, "write", 1, true, 2, false, right::write_file},
    {operation::open_read_write, "readwrite", 1, true, 6, false, right::read_file | right::write_file},
    {operation::create, "create", 1, true, 2, true, right::write_file},
    {operation::overwrite, "overwrite", 1, true, 2, true, right::write_file},
    {operation::truncate, "truncate", 1, true, 2, false, right::truncate},
    {operation::list, "list", 1, true, 4, false, right::list},
    {operation::execute, "execute", 1, true, 1, false, right::read_file | right::execute},
    {operation::ioctl, "ioctl", 1, true, 4, false, right::read_file},
    {operation::connect_unix, "connect-unix", 1, true, 2, false, right::connect_unix},
    {operation::stat, "stat", 1, true, 0, false, no_rights},
    {operation::chmod, "chmod", 1, true, 0, false, no_rights},
    {operation::mkdir, "mkdir", 1, false, 0, true, right::create},
    {operation::mkfifo, "mkfifo", 1, false, 0, true, right::create},
    {operation::mksock, "mksock", 1, false, 0, true, right::create},
    {operation::mkdev, "mkdev", 1, false, 0, true, right::create},
    {operation::symlink, "symlink", 1, false, 0, true, right::create},
    {operation::bind_unix, "bind-unix", 1, false, 0, true, right::create},
    {operation::unlink, "unlink", 1, false, 0, true, right::remove},
    {operation::rmdir, "rmdir", 1, false, 0, true, right::remove},
    {operation::rename, "rename", 2, false, 2, true, right::create | right::remove},
    {operation::exchange, "exchange", 2, false, 2, true, right::create | right::remove},
    {operation::link, "link", 2, false, 6, true, right::create},
    {operation::connect_tcp, "connect-tcp", 0, false, 0, false, no_rights},
    {operation::bind_tcp, "bind-tcp", 0, false, 0, false, no_rights},
    {operation::udp, "udp", 0, false, 0, false, no_rights},
    {operation::connect_abstract, "connect-abstract", 0, false, 0, false, no_rights},
    {operation::signal, "signal", 0, false, 0, false, no_rights},
};

constexpr const operation_row& row_of(operation what) noexcept {
  return operations[static_cast<std::size_t>(what)];
}
constexpr std::string_view name_of(operation what) noexcept { return row_of(what).name; }

/// One question.
struct question {
  operation what{};
  std::string_view
      path{};              ///< absolute; "." and ".." parts and links are followed as the kernel follows them
  std::string_view to{};   ///< the second name of rename, exchange and link
  std::uint16_t port = 0;  ///< of connect_tcp and bind_tcp
};

enum class verdict : std::uint8_t {
  allowed,
  denied,
  not_enforceable,  ///< the policy does not allow it, and this kernel lets it happen all the same
};

/// Why. In the order of attribution: of several reasons the first is given, because without it the next would not have
/// mattered; what the sandbox adds comes last.
enum class cause : std::uint8_t {
  missing,         ///< it does not exist, or leads nowhere
  unsuitable,      ///< it is of the wrong kind, or there already
  permissions,     ///< ordinary permissions, or a read-only file system
  not_granted,     ///< no grant covers it
  gains_access,    ///< the move would give the file more access than it has (EXDEV)
  not_in_policy,   ///< the policy's network, sockets or scopes close it
  granted,         ///< grants cover it
  own_network,     ///< it happens in the sandbox's own loopback network
  not_restricted,  ///< the policy does not restrict it
  not_enforced,    ///< this kernel cannot refuse it
};
inline constexpr std::size_t cause_count = 10;

constexpr std::string_view name_of(cause why) noexcept {
  constexpr std::string_view names[cause_count] = {
      "missing",       "unsuitable", "permissions", "not_granted",    "gains_access",
      "not_in_policy", "granted",    "own_network", "not_restricted", "not_enforced"};
  return names[static_cast<std::size_t>(why)];
}
constexpr std::string_view name_of(verdict v) noexcept {
  constexpr std::string_view names[] = {"allowed", "denied", "not enforceable"};
  return names[static_cast<std::size_t>(v)];
}

/// What one place must be granted, and what it is.
struct need {
  right wanted{};                         ///< every right that the operation needs there
  right missing{};                        ///< those that no grant gives
  std::string path;                       ///< where a grant would have to cover, without links
  file_type type{};                       ///< of that path
  std::array<const bound_rule*, 4> by{};  ///< the grants that give the others, nearest first
};

/// The answer.
struct decision {
  operation what{};
  verdict status{};
  cause why{};
  int os_errno = 0;  ///< what the call gives in the sandbox; 0 when it succeeds
  protection concerns = protection::filesystem;
  std::array<need, 2> needs;
  std::uint8_t need_count = 0;

  [[nodiscard]] constexpr bool allowed() const noexcept { return status == verdict::allowed; }
};

}  // namespace nono
