// SPDX-License-Identifier: Apache-2.0
// Which file a unix socket is bound to, by the kernel's own word. Source: sock_diag(7)
#pragma once

#if defined(__linux__)
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <nono/resolve.hpp>

namespace nono::detail {

/// A unix socket and the file that it is bound to, in the kernel's numbers.
struct bound_socket {
  std::uint32_t number = 0;      ///< the socket's inode
  std::uint32_t cookie[2] = {};  ///< never given twice
  std::uint32_t file = 0;        ///< the file's inode, its low half
  std::uint32_t device = 0;
  bool is_connected = false;  ///< accepted sockets have the address of the one that accepted them

  [[nodiscard]] bool has_number_of(const inode_id& id) const noexcept {
    return file == static_cast<std::uint32_t>(id.number);
  }
  /// True when the socket is bound to that file, for certain. Some file systems tell stat(2) a device of their own making
  /// (see invents_devices()): there it is never true.
  [[nodiscard]] bool is_at(const inode_id& id) const noexcept {
    const std::uint32_t major = major_of_device(id.device);
    const std::uint32_t minor = minor_of_device(id.device);
    return has_number_of(id) && device == (major << 20U | minor);
  }
};

/// Whether stat(2) tells another device than the file system's own for what `fd` is on: btrfs for its subvolumes, overlayfs
/// for its layers.
inline bool invents_devices(int fd) noexcept {
  struct statfs fs{};
  return ::fstatfs(fd, &fs) == 0 && (fs.f_type == BTRFS_SUPER_MAGIC || fs.f_type == OVERLAYFS_SUPER_MAGIC);
}

/// Asks for the socket of that number, and of that cookie unless it is 0. False when there is none, it is bound to no
/// file, or the kernel does not tell (no CONFIG_UNIX_DIAG). netlink: a NETLINK_SOCK_DIAG socket of the same network.
inline bool ask_for_socket(int netlink, bound_socket& socket) noexcept {
  constexpr std::uint8_t unconnected = 7, listening = 10;  // Source: net/tcp_states.h
  struct {
    nlmsghdr header;
    unix_diag_req request;
  } out{};
  out.header.nlmsg_len = sizeof out;
  out.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  out.header.nlmsg_flags = NLM_F_REQUEST;
  out.request.sdiag_family = AF_UNIX;
  out.request.udiag_states = ~0U;
  out.request.udiag_ino = socket.number;
  out.request.udiag_show = UDIAG_SHOW_VFS;
  const bool any = socket.cookie[0] == 0 && socket.cookie[1] == 0;
  for (int i = 0; i < 2; ++i) out.request.udiag_cookie[i] = any ? ~0U : socket.cookie[i];
  if (::send(netlink, &out, sizeof out, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof out)) return false;

  alignas(nlmsghdr) char in[1024];
  const ssize_t got = ::recv(netlink, in, sizeof in, 0);
  nlmsghdr header{};
  unix_diag_msg message{};
  if (got < static_cast<ssize_t>(sizeof header + sizeof message)) return false;
  std::memcpy(&header, in, sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;  // NLMSG_ERROR: there is no such socket
  std::memcpy(&message, in + sizeof header, sizeof message);
  if (message.udiag_ino != socket.number) return false;
  std::size_t at = sizeof header + sizeof message;
  while (at + sizeof(rtattr) <= static_cast<std::size_t>(got)) {
    rtattr attribute{};
    std::memcpy(&attribute, in + at, sizeof attribute);
    unix_diag_vfs file{};
    if (attribute.rta_len < sizeof attribute) return false;
    if (attribute.rta_type == UNIX_DIAG_VFS && attribute.rta_len >= sizeof attribute + sizeof file &&
        at + sizeof attribute + sizeof file <= static_cast<std::size_t>(got)) {
      std::memcpy(&file, in + at + sizeof attribute, sizeof file);
      socket.cookie[0] = message.udiag_cookie[0];
      socket.cookie[1] = message.udiag_cookie[1];
      socket.file = file.udiag_vfs_ino;
      socket.device = file.udiag_vfs_dev;
      socket.is_connected = message.udiag_state != unconnected && message.udiag_state != listening;
      return true;
    }
    at += (attribute.rta_len + 3U) & ~std::size_t{3};
  }
  return false;
}

}  // namespace nono::detail
#endif
