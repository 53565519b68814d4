// SPDX-License-Identifier: Apache-2.0
// The listener of a filter: a call of the child's arrives, waits, and gets its answer. Thin wrappers without opinion.
#pragma once

#if defined(__linux__)
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include <linux/seccomp.h>
#include <sys/ioctl.h>

namespace nono {

/// One call that waits for its answer. Source: seccomp_unotify(2)
struct notification {
  std::uint64_t id = 0;  ///< of this wait: what pid meant holds while is_waiting(id)
  int pid = 0;           ///< the calling thread
  int call = 0;
  std::array<std::uint64_t, 6> args{};
};

/// What the caller gets.
struct answer {
  int os_errno = 0;      ///< 0: the call has been done for the caller and succeeded
  bool goes_on = false;  ///< the kernel does the call as it stands now: arguments in memory may have changed
};

/// The owner's side of the listener; does not close it.
class listener {
 public:
  explicit listener(int fd) noexcept : fd_(fd) {
    // Linux 6.6; an older header does not have it, an older kernel refuses it. Wakes the other side on our processor:
    // halves what a call costs.
    constexpr unsigned long set_flags = SECCOMP_IOW(4, std::uint64_t);
    constexpr std::uint64_t sync_wake_up = 1;
    if (fd >= 0) (void)::ioctl(fd, set_flags, sync_wake_up);
  }

  [[nodiscard]] int fd() const noexcept { return fd_; }

  /// The next call. 0, or an errno: EINTR and ENOENT (the caller was killed meanwhile) mean "try again".
  [[nodiscard]] int receive(notification& out) const noexcept {
    seccomp_notif got{};
    if (::ioctl(fd_, SECCOMP_IOCTL_NOTIF_RECV, &got) != 0) return errno;
    out.id = got.id;
    out.pid = static_cast<int>(got.pid);
    out.call = got.data.nr;
    std::copy(std::begin(got.data.args), std::end(got.data.args), out.args.begin());
    return 0;
  }

  /// True while the call waits: until then its thread is the one that made it.
  [[nodiscard]] bool is_waiting(std::uint64_t id) const noexcept {
    return ::ioctl(fd_, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
  }

  /// False when nobody waits any more: the caller was killed or interrupted by a signal.
  [[nodiscard]] bool send(std::uint64_t id, answer what) const noexcept {
    seccomp_notif_resp out{};
    out.id = id;
    out.error = -what.os_errno;
    if (what.goes_on) out.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    while (::ioctl(fd_, SECCOMP_IOCTL_NOTIF_SEND, &out) != 0)
      if (errno != EINTR) return false;
    return true;
  }

 private:
  int fd_;
};

}  // namespace nono
#endif
