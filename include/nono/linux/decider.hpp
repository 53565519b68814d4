// SPDX-License-Identifier: Apache-2.0
// Decides the calls that the kernel alone cannot, and does those that the policy allows: on a descriptor of its own, so
// that nothing the caller changes meanwhile changes what happens.
#pragma once

#if defined(__linux__)
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <nono/bound_policy.hpp>
#include <nono/judge.hpp>
#include <nono/linux/caller.hpp>
#include <nono/linux/filter_rows.hpp>
#include <nono/linux/notification.hpp>
#include <nono/linux/sock_diag.hpp>
#include <nono/place.hpp>
#include <nono/report.hpp>
#include <nono/right.hpp>

namespace nono::detail {

/// The subject of a connection that is refused because its port is one of loopback_ports.
inline constexpr std::string_view localhost_alone = "a port that is open on localhost alone";

/// What came of a call.
struct decided {
  answer reply{};
  bool waits = false;      ///< a connection under way: it is answered when it is there
  bool by_policy = false;  ///< refused because no grant covers it
  std::string subject{};   ///< by_policy: the path, or the process
};

inline std::int64_t milliseconds_now() noexcept {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

/// Decides for one sandbox. The thread that uses it must be confined by enclose_supervisor() before the child starts:
/// the kernel then holds it to the scopes and ports of the child where it acts for the child.
class decider {
 public:
  /// netlink:       a NETLINK_SOCK_DIAG socket of the child's network; -1: servers inside the sandbox cannot be told.
  /// keeps_answers: a signal cannot make a caller ask again for what has been done.
  /// loopback_ports: TCP ports that are connected to at loopback addresses alone.
  decider(listener calls, const bound_policy& policy, const enforcement& in_force, int netlink,
          bool keeps_answers, std::vector<std::uint16_t> loopback_ports = {})
      : calls_(calls),
        by_(policy, in_force, privileges::none),
        netlink_(netlink),
        keeps_answers_(keeps_answers),
        loopback_ports_(std::move(loopback_ports)) {}

  decided decide(const notification& n, protection id) {
    const caller who(n.pid, last_caller_);
    switch (id) {
      case protection::pathname_unix:
        return n.call == SYS_listen ? listen(n, who) : connect(n, who);
      case protection::metadata:
        return metadata(n, who);
      default:
        return process(n);
    }
  }

  // Connections under way: poll() for them beside the listener, then go on with them.

  /// Appends what to poll for; returns how many milliseconds poll may take, -1 for any.
  int watch(std::vector<pollfd>& out) const {
    if (waiting_.empty()) return -1;
    const std::int64_t now = milliseconds_now();
    std::int64_t next = next_look_;
    for (const waiting& w : waiting_) {
      if (!w.retries) out.push_back({w.socket.get(), POLLOUT, 0});
      if (w.retries) next = std::min(next, w.next_try);
      if (w.deadline >= 0) next = std::min(next, w.deadline);
    }
    return static_cast<int>(std::clamp(next - now, std::int64_t{0}, between_looks));
  }
  /// polled: what watch() appended, after poll().
  void go_on(std::span<const pollfd> polled) {
    const std::int64_t now = milliseconds_now();
    const bool looks = now >= next_look_;
    if (looks) next_look_ = now + std::max(between_looks, pause_);
    std::size_t at = 0;
    std::erase_if(waiting_, [&](waiting& w) {
      const bool ready = w.retries ? now >= w.next_try : polled[at++].revents != 0;
      const bool late = w.deadline >= 0 && now >= w.deadline;
      if (!ready && !late && !looks) return false;
      if (!calls_.is_waiting(w.id)) return true;
      int why = try_connect(w);
      if (is_under_way(w, why)) {
        w.next_try = now + pause_;
        if (late) {
          why = w.retries ? EAGAIN : EINPROGRESS;  // SO_SNDTIMEO; Source: socket(7)
        } else if (!looks || !is_interrupted(w, why)) {
          return false;
        }
      }
      (void)calls_.send(w.id, {.os_errno = why});
      return true;
    });
    // Many who wait, on a slow machine: most of the time is for those who do not.
    pause_ = std::max(between_tries, 4 * (milliseconds_now() - now));
  }

 private:
  static decided done(int os_errno) { return {.reply = {.os_errno = os_errno}}; }
  static decided go_on_as_it_is() { return {.reply = {.goes_on = true}}; }
  static decided refused(int os_errno, std::string subject) {
    return {.reply = {.os_errno = os_errno}, .by_policy = true, .subject = std::move(subject)};
  }
  /// What was read of the caller may be another's by now.
  [[nodiscard]] bool is_gone(const notification& n) const noexcept { return !calls_.is_waiting(n.id); }
  /// The caller's memory or descriptors are closed to us: a program that made itself unreadable.
  static bool is_unreadable(int why) noexcept { return why == EPERM || why == EACCES; }

  // ---- connect, listen ----

  struct waiting {
    std::uint64_t id = 0;
    int pid = 0;
    descriptor socket;
    descriptor target;  ///< the file that the address names by descriptor
    sockaddr_storage address{};
    socklen_t length = 0;
    bool is_unix = false;
    bool blocks = true;    ///< the socket is a blocking one
    bool retries = false;  ///< a unix socket whose server's queue is full: there is nothing to poll for
    bool has_signal = false;
    std::int64_t next_try = 0;
    std::int64_t deadline = -1;
  };

  /// Connects without ever waiting here. 0 or errno.
  static int try_connect(waiting& w) noexcept {
    const int flags = ::fcntl(w.socket.get(), F_GETFL);
    w.blocks = (flags & O_NONBLOCK) == 0;
    if (w.blocks) (void)::fcntl(w.socket.get(), F_SETFL, flags | O_NONBLOCK);
    const int got = ::connect(w.socket.get(), reinterpret_cast<const sockaddr*>(&w.address), w.length);
    const int why = got == 0 ? 0 : errno;
    if (w.blocks) (void)::fcntl(w.socket.get(), F_SETFL, flags);
    return why;
  }
  static bool is_under_way(waiting& w, int why) noexcept {
    w.retries = why == EAGAIN && w.is_unix;
    return w.blocks && (w.retries || why == EINPROGRESS || why == EALREADY);
  }
  /// True when a signal ends the wait: a handler with SA_RESTART, or a stop, then makes the call anew. A signal that
  /// another thread may take is believed at the second look, and then ends the call: the kernel makes anew only
  /// what this thread's own signal has ended, and to others shows the bare ERESTARTSYS.
  bool is_interrupted(waiting& w, int& why) noexcept {
    constexpr int restartsys = 512;  // ERESTARTSYS, which the kernel keeps to itself. Source: linux/errno.h
    const pending_signal on_its_way = caller(w.pid, last_caller_).signal();
    const bool before = std::exchange(w.has_signal, on_its_way == pending_signal::of_any_thread);
    if (on_its_way == pending_signal::none || (w.has_signal && !before)) return false;
    // With SO_SNDTIMEO it is always EINTR. Source: signal(7)
    why = on_its_way == pending_signal::own && w.deadline < 0 ? restartsys : EINTR;
    return true;
  }

  decided connect(const notification& n, const caller& who) {
    waiting w;
    w.id = n.id;
    w.pid = n.pid;
    pinned socket = who.open_file(static_cast<int>(n.args[0]));
    if (is_unreadable(socket.os_errno))
      return refused(EACCES, "a socket of a program that is closed to tracing");
    if (socket.os_errno != 0) return done(socket.os_errno);
    w.socket = std::move(socket.fd);
    int family = 0;
    socklen_t size = sizeof family;
    if (::getsockopt(w.socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) return done(errno);
    w.is_unix = family == AF_UNIX;
    w.length = static_cast<socklen_t>(n.args[2]);  // an int to the kernel: the upper half counts for nothing
    if (w.length > (w.is_unix ? sizeof(sockaddr_un) : sizeof w.address)) return done(EINVAL);
    if (const int why = who.read(n.args[1], &w.address, w.length); why != 0) return done(why);
    if (is_gone(n)) return done(EINTR);
    if (leaves_loopback(w)) return refused(EACCES, std::string(localhost_alone));
    std::string path;
    if (w.is_unix && names_file(w, path)) {
      pinned target = who.walk(AT_FDCWD, path, true);
      if (is_gone(n)) return done(EINTR);
      if (target.os_errno != 0) return done(target.os_errno);
      file_facts file;
      if (const int why = facts_of(target.fd.get(), "", file); why != 0) return done(why);
      if (file.type == file_type::socket &&
          !is_own_server(file.id) &&  // of others the kernel has its own answer
          !is_granted(target.fd.get(), right::connect_unix))
        return refused(EACCES, name_of(target.fd.get(), path));
      w.target = std::move(target.fd);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      const fd_path name(w.target.get());
      std::memcpy(address.sun_path, name.text, sizeof name.text);
      w.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(name.text) + 1);
      std::memcpy(&w.address, &address, sizeof address);
    }
    return start(n, std::move(w));
  }

  /// True for a port of loopback_ports at another address. What was copied is what is connected to.
  [[nodiscard]] bool leaves_loopback(const waiting& w) const noexcept {
    in6_addr host{};  // 0.0.0.0 as ::, which the kernel takes for loopback, too. Source: ip(7)
    std::uint16_t port = 0;
    if (w.address.ss_family == AF_INET) {
      sockaddr_in to{};
      std::memcpy(&to, &w.address, sizeof to);
      if (to.sin_addr.s_addr != INADDR_ANY) host.s6_addr[10] = host.s6_addr[11] = 0xff;
      std::memcpy(&host.s6_addr[12], &to.sin_addr, 4);
      port = ntohs(to.sin_port);
    } else if (w.address.ss_family == AF_INET6) {
      sockaddr_in6 to{};
      std::memcpy(&to, &w.address, sizeof to);
      host = to.sin6_addr;
      port = ntohs(to.sin6_port);
    }
    if (std::find(loopback_ports_.begin(), loopback_ports_.end(), port) == loopback_ports_.end())
      return false;
    if (IN6_IS_ADDR_V4MAPPED(&host)) return host.s6_addr[12] != 127;
    return !IN6_IS_ADDR_LOOPBACK(&host) && !IN6_IS_ADDR_UNSPECIFIED(&host);
  }

  decided start(const notification& n, waiting w) {
    int why = try_connect(w);
    if (why == EINPROGRESS && w.blocks) why = try_connect(w);  // on loopback it is there by now
    if (!keeps_answers_) why = done_before(n.pid, w.socket.get(), why);
    if (!is_under_way(w, why)) return done(why);
    if (waiting_.size() >= most_waiting_) return done(EAGAIN);
    timeval limit{};
    socklen_t size = sizeof limit;
    if (::getsockopt(w.socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, &size) == 0 &&
        (limit.tv_sec != 0 || limit.tv_usec != 0))
      w.deadline = milliseconds_now() + std::int64_t{limit.tv_sec} * 1000 + limit.tv_usec / 1000;
    if (waiting_.empty()) next_look_ = milliseconds_now() + between_looks;
    waiting_.push_back(std::move(w));
    return {.waits = true};
  }

  /// A caller that is told that its socket is connected, which it last was by this very thread, has been interrupted
  /// before the answer reached it.
  int done_before(int pid, int socket, int why) noexcept {
    struct stat st{};
    if (::fstat(socket, &st) != 0) return why;
    if (why == 0) {
      connected_[next_connected_++ % connected_.size()] = {pid, st.st_ino};
    } else if (why == EISCONN) {
      for (connection& c : connected_)
        if (c.pid == pid && c.socket == st.st_ino) {
          c = {};
          return 0;
        }
    }
    return why;
  }

  /// True for the address of a pathname socket.
  static bool names_file(const waiting& w, std::string& path) {
    sockaddr_un address{};
    std::memcpy(&address, &w.address, std::min<std::size_t>(w.length, sizeof address));
    constexpr std::size_t start = offsetof(sockaddr_un, sun_path);
    if (w.length <= start || address.sun_family != AF_UNIX || address.sun_path[0] == '\0') return false;
    path.assign(address.sun_path,
                ::strnlen(address.sun_path, std::min<std::size_t>(w.length, sizeof address) - start));
    return true;
  }

  /// A socket that is about to listen inside the sandbox may be called from inside. The call goes on as it is: whatever
  /// the caller changes meanwhile, what is remembered here is a socket of its own.
  decided listen(const notification& n, const caller& who) {
    const pinned socket = who.open_file(static_cast<int>(n.args[0]));
    struct stat st{};
    if (socket.os_errno == 0 && ::fstat(socket.fd.get(), &st) == 0 && S_ISSOCK(st.st_mode)) {
      server own;
      own.socket.number = static_cast<std::uint32_t>(st.st_ino);
      if (ask_for_socket(netlink_, own.socket) && !own.socket.is_connected) {
        find_file(socket.fd.get(), who, own);
        if (!is_gone(n)) remember(own);
      }
    }
    return go_on_as_it_is();
  }

  /// A socket that listens inside, and its file as stat(2) knows it where that is not the kernel's own word.
  struct server {
    bound_socket socket;
    inode_id file{};
    [[nodiscard]] bool is_at(const inode_id& id) const noexcept {
      return socket.is_at(id) || (file == id && socket.has_number_of(id));
    }
  };
  /// Where stat(2) tells an invented device, the number of the inode alone could be that of anybody's file elsewhere. So it
  /// is looked up by the socket's name, and counts only where the sandbox may make files.
  void find_file(int socket, const caller& who, server& own) const {
    waiting bound;
    bound.length = sizeof bound.address;
    std::string path;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound.address), &bound.length) != 0 ||
        !names_file(bound, path))
      return;
    const pinned at = who.walk(AT_FDCWD, path, true);
    file_facts file;
    if (at.os_errno == 0 && facts_of(at.fd.get(), "", file) == 0 && own.socket.has_number_of(file.id) &&
        invents_devices(at.fd.get()) &&
        ((by_.handled & right::create) == no_rights || is_granted(at.fd.get(), right::create)))
      own.file = file.id;
  }
  void remember(const server& own) {
    if (servers_.size() >= most_servers)
      std::erase_if(servers_, [&](server s) { return !ask_for_socket(netlink_, s.socket); });
    if (servers_.size() >= most_servers) servers_.erase(servers_.begin());
    servers_.push_back(own);
  }
  [[nodiscard]] bool is_own_server(const inode_id& id) const noexcept {
    for (server s : servers_)
      if (s.is_at(id) && ask_for_socket(netlink_, s.socket) && s.is_at(id)) return true;
    return false;
  }

  // ---- chmod and its like ----

  /// How a call names its file.
  struct named {
    int directory = AT_FDCWD;
    std::uint64_t path = 0;
    bool follow = true;
    bool by_descriptor = false;  ///< `directory` is the file itself
    bool or_descriptor = false;  ///< AT_EMPTY_PATH
  };
  static named by_path(std::uint64_t path, bool follow = true) { return {.path = path, .follow = follow}; }
  static named by_descriptor(std::uint64_t fd) {
    return {.directory = static_cast<int>(fd), .by_descriptor = true};
  }
  static named at(std::uint64_t directory, std::uint64_t path, std::uint64_t flags) {
    return {.directory = static_cast<int>(directory),
            .path = path,
            .follow = (flags & AT_SYMLINK_NOFOLLOW) == 0,
            .or_descriptor = (flags & AT_EMPTY_PATH) != 0};
  }
  /// The older calls on times take no path at all for the descriptor itself. Source: utimensat(2)
  static named at_or_descriptor(std::uint64_t directory, std::uint64_t path, std::uint64_t flags) {
    const bool itself = path == 0 && flags == 0 && static_cast<int>(directory) != AT_FDCWD;
    return itself ? by_descriptor(directory) : at(directory, path, flags);
  }
  static bool are_flags(std::uint64_t flags) noexcept {
    return (static_cast<std::uint32_t>(flags) &
            ~static_cast<std::uint32_t>(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) == 0;
  }

  decided metadata(const notification& n, const caller& who) {
    const auto& a = n.args;
    switch (n.call) {
#if defined(SYS_chmod)
      case SYS_chmod:
        return mode(n, who, by_path(a[0]), a[1]);
      case SYS_chown:
        return owner(n, who, by_path(a[0]), a[1], a[2]);
      case SYS_lchown:
        return owner(n, who, by_path(a[0], false), a[1], a[2]);
      case SYS_utime:
        return times(n, who, by_path(a[0]), a[1], clock::seconds);
      case SYS_utimes:
        return times(n, who, by_path(a[0]), a[1], clock::microseconds);
      case SYS_futimesat:
        return times(n, who, at_or_descriptor(a[0], a[1], 0), a[2], clock::microseconds);
#endif
      case SYS_fchmod:
        return mode(n, who, by_descriptor(a[0]), a[1]);
      case SYS_fchmodat:
        return mode(n, who, at(a[0], a[1], 0), a[2]);
      case filter::call_fchmodat2:
        return are_flags(a[3]) ? mode(n, who, at(a[0], a[1], a[3]), a[2]) : done(EINVAL);
      case SYS_fchown:
        return owner(n, who, by_descriptor(a[0]), a[1], a[2]);
      case SYS_fchownat:
        return are_flags(a[4]) ? owner(n, who, at(a[0], a[1], a[4]), a[2], a[3]) : done(EINVAL);
      case SYS_utimensat:
        return are_flags(a[3]) ? times(n, who, at_or_descriptor(a[0], a[1], a[3]), a[2], clock::nanoseconds)
                               : done(EINVAL);
      case SYS_setxattr:
        return set_attribute(n, who, by_path(a[0]));
      case SYS_lsetxattr:
        return set_attribute(n, who, by_path(a[0], false));
      case SYS_fsetxattr:
        return set_attribute(n, who, by_descriptor(a[0]));
      case SYS_removexattr:
        return remove_attribute(n, who, by_path(a[0]));
      case SYS_lremovexattr:
        return remove_attribute(n, who, by_path(a[0], false));
      case SYS_fremovexattr:
        return remove_attribute(n, who, by_descriptor(a[0]));
      case SYS_ioctl:
        return flags(n, who);
      default:
        return done(ENOSYS);
    }
  }

  /// Pins the file, asks the policy, then does it. act(fd, by_path) gives 0 or errno; by_path: fd may be O_PATH.
  template <class Act>
  decided change(const notification& n, const caller& who, const named& file, Act&& act) {
    std::string path;
    bool by_path = !file.by_descriptor;
    if (by_path)
      if (const int why = who.read_text(file.path, path, max_path, ENAMETOOLONG); why != 0)
        return is_unreadable(why) ? refused(EPERM, "a path of a program that is closed to tracing")
                                  : done(why);
    const bool empty = file.by_descriptor || (file.or_descriptor && path.empty());
    const pinned got = !empty                       ? who.walk(file.directory, path, file.follow)
                       : file.directory == AT_FDCWD ? who.walk(AT_FDCWD, ".", true)
                                                    : who.open_file(file.directory);
    if (is_gone(n)) return done(EINTR);
    if (got.os_errno != 0 && empty && is_unreadable(got.os_errno))
      return refused(EPERM, "a file of a program that is closed to tracing");
    if (got.os_errno != 0) return done(got.os_errno);
    if (file.by_descriptor && is_path_alone(got.fd.get())) return done(EBADF);
    if (!may_change(got.fd.get())) return refused(EPERM, name_of(got.fd.get(), path));
    return done(act(got.fd.get(), by_path));
  }
  /// True where the policy grants writing, and for what was opened for writing or lies in no directory at all.
  [[nodiscard]] bool may_change(int fd) const {
    struct stat st{};
    if (::fstat(fd, &st) != 0) return false;
    const file_type type = type_of_mode(st.st_mode);
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) return false;
    // Access mode 3 is open for neither reading nor writing, and the kernel asks no sandbox for it.
    const bool writes = (flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR;
    if (type != file_type::device && (flags & O_PATH) == 0 && writes) return true;
    return is_granted(fd, changes_metadata(type)) || has_no_name(fd);
  }
  /// True when a grant on the file or above it gives one of the rights.
  [[nodiscard]] bool is_granted(int fd, right any_of) const {
    bool granted = false;
    const int why = for_file_and_above(fd, [&](const inode_id& id) {
      granted = (by_.index.find(id).rights & any_of) != no_rights;
      return !granted;
    });
    return why == 0 && granted;
  }
  static bool is_path_alone(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_PATH) != 0;
  }
  /// The kernel's name of the file; as the caller wrote it where it has none.
  static std::string name_of(int fd, const std::string& written) {
    path_buffer buffer{};
    const std::string_view name = name_of_descriptor(fd, buffer);
    return name.empty() ? written : std::string(name);
  }
  /// Pipes, sockets and other files of the kernel's own: "pipe:[4711]".
  static bool has_no_name(int fd) noexcept {
    path_buffer buffer{};
    const std::string_view text = read_link(fd_path(fd).text, buffer);
    return !text.empty() && text.front() != '/';
  }
  static int errno_of(long got) noexcept { return got < 0 ? errno : 0; }
  /// What lies behind an O_PATH descriptor, for calls that follow paths; EOPNOTSUPP or EPERM of a symbolic link, which
  /// has neither mode nor attributes.
  static bool is_link(int fd) noexcept {
    struct stat st{};
    return ::fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
  }

  decided mode(const notification& n, const caller& who, const named& file, std::uint64_t value) {
    const auto bits = static_cast<mode_t>(value);
    return change(n, who, file, [&](int fd, bool path) {
      if (!path) return errno_of(::fchmod(fd, bits));
      return is_link(fd) ? EOPNOTSUPP : errno_of(::chmod(fd_path(fd).text, bits));
    });
  }
  decided owner(const notification& n, const caller& who, const named& file, std::uint64_t user,
                std::uint64_t group) {
    return change(n, who, file, [&](int fd, bool path) {
      const auto u = static_cast<uid_t>(user);
      const auto g = static_cast<gid_t>(group);
      return errno_of(path ? ::fchownat(fd, "", u, g, AT_EMPTY_PATH) : ::fchown(fd, u, g));
    });
  }

  enum class clock : std::uint8_t { seconds, microseconds, nanoseconds };
  decided times(const notification& n, const caller& who, const named& file, std::uint64_t address,
                clock unit) {
    timespec set[2] = {};
    if (address != 0) {
      std::int64_t raw[4] = {};
      const std::size_t size = unit == clock::seconds ? 2 * sizeof raw[0] : sizeof raw;
      if (const int why = who.read(address, raw, size); why != 0)
        return is_unreadable(why) ? refused(EPERM, "the times of a program that is closed to tracing")
                                  : done(why);
      for (std::size_t i = 0; i < 2; ++i) {
        const std::size_t at = unit == clock::seconds ? i : 2 * i;
        set[i].tv_sec = raw[at];
        set[i].tv_nsec = unit == clock::seconds ? 0 : raw[at + 1];
        if (unit != clock::microseconds) continue;
        if (set[i].tv_nsec < 0 || set[i].tv_nsec >= 1000000) return done(EINVAL);
        set[i].tv_nsec *= 1000;
      }
    }
    const timespec* given = address == 0 ? nullptr : set;
    return change(n, who, file, [&](int fd, bool path) {
      return errno_of(path ? ::syscall(SYS_utimensat, fd, "", given, AT_EMPTY_PATH)
                           : ::syscall(SYS_utimensat, fd, nullptr, given, 0));
    });
  }

  decided set_attribute(const notification& n, const caller& who, const named& file) {
    constexpr std::size_t longest = 65536;  // XATTR_SIZE_MAX
    std::string name;
    if (const int why = read_attribute_name(n, who, name); why != 0) return done(why);
    if (n.args[3] > longest) return done(E2BIG);
    std::string value(n.args[3], '\0');
    if (const int why = who.read(n.args[2], value.data(), value.size()); why != 0) return done(why);
    const int how = static_cast<int>(n.args[4]);
    return change(n, who, file, [&](int fd, bool path) {
      if (!path) return errno_of(::fsetxattr(fd, name.c_str(), value.data(), value.size(), how));
      if (is_link(fd)) return EPERM;
      return errno_of(::setxattr(fd_path(fd).text, name.c_str(), value.data(), value.size(), how));
    });
  }
  decided remove_attribute(const notification& n, const caller& who, const named& file) {
    std::string name;
    if (const int why = read_attribute_name(n, who, name); why != 0) return done(why);
    return change(n, who, file, [&](int fd, bool path) {
      if (!path) return errno_of(::fremovexattr(fd, name.c_str()));
      return is_link(fd) ? EPERM : errno_of(::removexattr(fd_path(fd).text, name.c_str()));
    });
  }
  static int read_attribute_name(const notification& n, const caller& who, std::string& out) {
    if (const int why = who.read_text(n.args[1], out, 255, ERANGE); why != 0) return why;
    return out.empty() ? ERANGE : 0;
  }

  /// FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR: what chattr does.
  decided flags(const notification& n, const caller& who) {
    char value[28] = {};  // struct fsxattr; an int for the other
    const auto request = static_cast<std::uint32_t>(n.args[1]);
    const std::size_t size = request == filter::set_fsxattr ? sizeof value : sizeof(int);
    if (const int why = who.read(n.args[2], value, size); why != 0) return done(why);
    return change(n, who, by_descriptor(n.args[0]),
                  [&](int fd, bool) { return errno_of(::ioctl(fd, request, value)); });
  }

  // ---- other processes ----

  /// Inside are those that this thread may signal: its own scope ends where the sandbox does. Our own process is not.
  static decided process(const notification& n) {
    const bool second = n.call == SYS_setpriority || n.call == SYS_ioprio_set;
    const int pid = static_cast<int>(n.args[second ? 1 : 0]);
    const bool ours = ::syscall(SYS_tgkill, ::getpid(), pid, 0) == 0;
    if (!ours && pid > 0) {
      if (::syscall(SYS_tkill, pid, 0) == 0)
        return go_on_as_it_is();  // kill() knows no threads but the first
      if (errno == ESRCH)
        return done(ESRCH);  // nobody now: by the time of the call it might be somebody outside
    }
    return refused(EPERM, "process " + std::to_string(pid));
  }

  static constexpr std::int64_t between_looks = 100;  // milliseconds: a caller may be gone, or have a signal
  static constexpr std::int64_t between_tries = 2;
  static constexpr std::size_t most_servers = 1024;

  /// Leaves three quarters of the descriptors to the rest of the process.
  static std::size_t waiting_for_descriptors() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 16;
    return static_cast<std::size_t>(std::clamp<rlim_t>(limit.rlim_cur / 8, 16, 1024));
  }

  struct connection {
    int pid = 0;
    ino_t socket = 0;
  };

  listener calls_;
  judged by_;
  int netlink_;
  bool keeps_answers_;
  std::vector<std::uint16_t> loopback_ports_;
  held_thread last_caller_;
  std::vector<waiting> waiting_;
  std::size_t most_waiting_ = waiting_for_descriptors();  ///< each holds two descriptors of this process
  std::int64_t next_look_ = 0;
  std::int64_t pause_ = between_tries;
  std::vector<server> servers_;
  std::array<connection, 16> connected_{};  // lately, where the caller may not know yet
  std::size_t next_connected_ = 0;
};

}  // namespace nono::detail
#endif
