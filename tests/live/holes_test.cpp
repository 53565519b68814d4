// SPDX-License-Identifier: Apache-2.0
// Ways out that file and network rules leave open: what closes each one, or which report admits that none does.
#include "harness.hpp"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

using live::attempt;
using live::error_of;
using live::outcome;
using live::scratch;
using live::try_open;
using nono::protection;
using nono::right;
using nono::standing;

namespace {

/// The standing of a protection in a process that `policy` confines.
template <class Policy>
standing standing_in(const Policy& policy, protection id) {
  return static_cast<standing>(live::confined(
      policy, [&](const nono::enforcement& report) { return static_cast<int>(report.of(id)); }));
}

/// A process that waits, outside every sandbox.
class bystander {
 public:
  bystander() {
    if (pid_ == 0) {
      (void)::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);  // Yama shall not be what refuses
      for (;;) ::pause();
    }
    live::must(pid_ > 0, "fork");
  }
  bystander(const bystander&) = delete;
  bystander& operator=(const bystander&) = delete;
  ~bystander() {
    ::kill(pid_, SIGKILL);
    (void)live::result_of(pid_);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string proc(const char* name) const {
    return "/proc/" + std::to_string(pid_) + "/" + name;
  }

 private:
  pid_t pid_ = live::fork_child();
};

sockaddr_un pathname(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  live::must(path.size() < sizeof address.sun_path, path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}
sockaddr_un abstract(const std::string& name) {
  sockaddr_un address{};  // padded with NULs, which are a part of the name
  address.sun_family = AF_UNIX;
  live::must(name.size() + 1 < sizeof address.sun_path, name);
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  return address;
}
int connect_unix(const sockaddr_un& address, int type = SOCK_STREAM) {
  const int fd = ::socket(AF_UNIX, type, 0);
  if (fd < 0) return errno;
  return error_of(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
}
int listen_unix(const sockaddr_un& address, int type = SOCK_STREAM) {
  const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  live::must(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
  if (type == SOCK_STREAM) live::must(::listen(fd, 8) == 0, "listen");
  return fd;
}

}  // namespace

// ---- other processes ----

TEST_CASE("holes: signals reach one's own children and nobody outside") {
  if (!live::has_abi(6)) {
    CHECK(standing_in(live::nothing, protection::signals) == standing::missing);
    return;
  }
  const bystander other;
  const pid_t pid = other.pid();
  CHECK(attempt(live::nothing, [&] { return error_of(::kill(pid, SIGCONT)); }) == outcome{0, EPERM});
  CHECK(attempt(live::nothing, [&] { return error_of(::kill(pid, 0)); }) == outcome{0, EPERM});
  CHECK(attempt(live::nothing, [] { return error_of(::kill(::getppid(), SIGCONT)); }) == outcome{0, EPERM});
  CHECK(attempt(live::nothing, [&] { return error_of(::syscall(SYS_tgkill, pid, pid, SIGCONT)); }) ==
        outcome{0, EPERM});
  CHECK(attempt(live::nothing, [&] { return error_of(::sigqueue(pid, SIGCONT, {})); }) == outcome{0, EPERM});
  CHECK(attempt(live::nothing, [&] {
          const long fd = ::syscall(SYS_pidfd_open, pid, 0);
          return error_of(::syscall(SYS_pidfd_send_signal, fd, SIGCONT, nullptr, 0));
        }) == outcome{0, EPERM});
  CHECK(attempt(live::nothing, [] {
          const bystander own;
          return error_of(::kill(own.pid(), SIGTERM));
        }) == outcome{0, 0});
  CHECK(attempt(live::nothing, [] { return error_of(::raise(SIGCONT)); }) == outcome{0, 0});
  CHECK(attempt(nono::caps().lift(protection::signals), [&] { return error_of(::kill(pid, SIGCONT)); }) ==
        outcome{0, 0});
}

TEST_CASE("holes: other processes cannot be traced, nor their descriptors taken") {
  const bystander other;
  const pid_t pid = other.pid();
  CHECK(attempt(live::nothing, [&] { return error_of(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr)); }) ==
        outcome{0, EPERM});
  CHECK(attempt(live::nothing, [&] {
          const long fd = ::syscall(SYS_pidfd_open, pid, 0);
          return error_of(::syscall(SYS_pidfd_getfd, fd, 0, 0));
        }) == outcome{0, EPERM});
  CHECK(attempt(live::nothing, [&] {
          return error_of(::syscall(SYS_kcmp, pid, ::getpid(), 0, 0, 0) == 0 ? 0 : errno == ENOSYS ? 0 : -1);
        }).with == EPERM);
}

namespace {
const live::probe openers("open-for-writing", [](int, char** argv) { return try_open(argv[0], O_WRONLY); });
}  // namespace

TEST_CASE("holes: /proc of other processes gives no secret away, to root neither") {
  const bystander other;
  for (const char* name : {"environ", "maps", "mem", "fd/0", "cwd/.", "root/etc"}) {
    CAPTURE(std::string(name));
    const std::string file = other.proc(name);
    if (std::string_view(name) != "fd/0") CHECK(try_open(file) == 0);
    CHECK(live::spawned({}, {"open", file}) == EACCES);
  }
  CHECK(try_open(other.proc("mem"), O_WRONLY) == 0);
  CHECK(live::spawned(live::allow({{"/proc", nono::read_write}}), {"open-for-writing", other.proc("mem")}) ==
        EACCES);
  CHECK(live::spawned({}, {"open", "/proc/self/environ"}) == 0);
}

TEST_CASE("holes: /proc of other processes gives no secret away after apply(), to root neither") {
  const bystander other;
  const auto policy = live::allow({{"/proc", nono::read}});
  CHECK(attempt(policy, [&] { return try_open(other.proc("mem")); }) == outcome{0, EACCES});
  const auto environ_of_other = attempt(policy, [&] { return try_open(other.proc("environ")); });
  CHECK(environ_of_other.without == 0);
  // Root keeps its capabilities in apply(), and with CAP_PERFMON the kernel lets it read what is no secret to it:
  // either that is closed, or the report must not claim it.
  const bool claimed = live::confined(policy, [](const nono::enforcement& report) {
                         return report.enforced(protection::process_memory) ? 1 : 0;
                       }) == 1;
  CHECK((environ_of_other.with == EACCES || !claimed));
}

TEST_CASE(
    "holes: memory of other processes is claimed closed where a Landlock domain closes it, and only there") {
  const bystander other;
  nono::enforcement report;
  const auto opened = [&](auto&& add) {
    nono::capability_set policy;
    policy.lift(protection::filesystem).lift(protection::signals).lift(protection::abstract_unix);
    policy.unix_sockets(nono::unix_sockets::any);
    add(policy);
    return live::spawned(std::move(policy), {"open-for-writing", other.proc("mem")}, {}, &report);
  };
  // Whoever has no capabilities reads nobody who has.
  CHECK(opened([](nono::capability_set&) {}) == (live::is_root() ? EACCES : 0));
  CHECK(report.of(protection::process_memory) == standing::missing);
  CHECK(opened([](nono::capability_set& p) { p.strict(); }) == live::not_confined);
  if (!live::has_abi(4)) return;
  CHECK(opened([](nono::capability_set& p) { p.network(nono::blocked).strict(); }) == EACCES);
  CHECK(report.enforced(protection::process_memory));
}

TEST_CASE("holes: processors of others can be chosen, and the report says so") {
  const bystander other;
  CHECK(attempt(live::nothing, [&] {
          cpu_set_t set;
          if (::sched_getaffinity(other.pid(), sizeof set, &set) != 0) return errno;
          return error_of(::sched_setaffinity(other.pid(), sizeof set, &set));
        }) == outcome{0, 0});
  CHECK(standing_in(live::nothing, protection::cpu_affinity) == standing::not_enforceable);
}

// ---- unix sockets ----

TEST_CASE("holes: abstract unix sockets of others") {
  const sockaddr_un address = abstract("nono-live-" + std::to_string(::getpid()));
  const int stream = listen_unix(address);
  const sockaddr_un letters = abstract("nono-live-letters-" + std::to_string(::getpid()));
  const int box = listen_unix(letters, SOCK_DGRAM);
  const auto stream_to = [&] { return connect_unix(address); };
  const auto letter_to = [&] {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    return error_of(::sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&letters), sizeof letters));
  };
  if (live::has_abi(6)) {
    CHECK(attempt(live::nothing, stream_to) == outcome{0, EPERM});
    CHECK(attempt(live::nothing, letter_to) == outcome{0, EPERM});
    CHECK(attempt(live::nothing, [] {  // one's own are one's own
            const sockaddr_un own = abstract("nono-live-own-" + std::to_string(::getpid()));
            const int fd = listen_unix(own);
            const int got = connect_unix(own);
            ::close(fd);
            return got;
          }) == outcome{0, 0});
  } else {
    CHECK(standing_in(live::nothing, protection::abstract_unix) == standing::missing);
  }
  const auto none =  // best effort, because the letter box is open in this process, too
      nono::caps().unix_sockets(nono::unix_sockets::none).best_effort(protection::pathname_unix);
  CHECK(attempt(none, stream_to) == outcome{0, EACCES});
  CHECK(attempt(nono::caps().lift(protection::abstract_unix), stream_to) == outcome{0, 0});
  ::close(stream);
  ::close(box);
}

TEST_CASE("holes: pathname unix sockets outside every grant are closed, or reported") {
  const scratch home;
  const sockaddr_un address = pathname(home / "socket");
  const int fd = listen_unix(address);
  const auto reach = [&] { return connect_unix(address); };
  const standing said = standing_in(live::nothing, protection::pathname_unix);
  if (live::landlock_abi() >= 9) {
    CHECK(said == standing::by_landlock);
    CHECK(attempt(live::nothing, reach) == outcome{0, EACCES});
    CHECK(attempt(live::allow({{home.path(), right::connect_unix}}), reach) == outcome{0, 0});
  } else {
    CHECK(said == standing::missing);
    CHECK(attempt(live::nothing, reach) == outcome{0, 0});  // open, and the report says so
    const auto refused = [](auto policy) {
      return live::in_child([&] {
        const auto got = nono::apply(policy);
        return !got && got.error().code == nono::errc::protection_unavailable ? 0 : 1;
      });
    };
    CHECK(refused(nono::caps().unix_sockets(nono::unix_sockets::granted)) ==
          0);  // asked for by name: an error
    CHECK(refused(nono::caps().strict()) == 0);
    CHECK(standing_in(
              nono::caps().unix_sockets(nono::unix_sockets::granted).best_effort(protection::pathname_unix),
              protection::pathname_unix) == standing::missing);
  }
  const auto none = nono::caps().unix_sockets(nono::unix_sockets::none);
  CHECK(attempt(none, reach) == outcome{0, EACCES});
  CHECK(standing_in(none, protection::pathname_unix) == standing::by_seccomp);
  const auto any = nono::caps().unix_sockets(nono::unix_sockets::any);
  CHECK(attempt(any, reach) == outcome{0, 0});
  CHECK(standing_in(any, protection::pathname_unix) == standing::not_asked);
  ::close(fd);
}

// ---- what no rule covers ----

TEST_CASE("holes: names and metadata outside every grant leak, and the report says so") {
  const scratch home;
  const std::string file = home.file("file");
  struct stat st{};
  CHECK(attempt(live::nothing, [&] { return error_of(::stat(file.c_str(), &st)); }) == outcome{0, 0});
  CHECK(attempt(live::nothing, [&] { return error_of(::chmod(file.c_str(), 0600)); }) == outcome{0, 0});
  CHECK(attempt(live::nothing, [&] { return error_of(::chown(file.c_str(), ::geteuid(), ::getegid())); }) ==
        outcome{0, 0});
  CHECK(attempt(live::nothing, [&] { return error_of(::utimes(file.c_str(), nullptr)); }) == outcome{0, 0});
  CHECK(attempt(live::nothing, [&] { return error_of(::access(file.c_str(), R_OK)); }) == outcome{0, 0});
  CHECK(attempt(live::nothing, [&] { return try_open(file, O_PATH); }) == outcome{0, 0});
  CHECK(attempt(live::nothing, [&] { return try_open(file); }) == outcome{0, EACCES});
  CHECK(standing_in(live::nothing, protection::metadata) == standing::not_enforceable);
  CHECK(standing_in(live::nothing, protection::names) == standing::not_enforceable);
  // Not enforceable is no reason to fail. A process that keeps its capabilities cannot have this one, and is told.
  const auto strict = nono::caps().strict().unix_sockets(nono::unix_sockets::none);
  const auto rest = strict.best_effort(protection::process_memory);
  CHECK(standing_in(rest, protection::names) == standing::not_enforceable);
  const bool sees_all = standing_in(live::nothing, protection::process_memory) == standing::missing;
  CHECK(sees_all == (::geteuid() == 0));
  const int code = live::confined(strict, [](const nono::enforcement&) { return 0; });
  CHECK((code != 0) == sees_all);
}

// ---- mounts ----

TEST_CASE("holes: nothing can be mounted, not even in a mount namespace of one's own") {
  const scratch home;
  const std::string dir = home.directory("dir");
  const std::string file = home.file("dir/file");
  const auto mounts_in = [&](auto policy, bool sandboxed) {
    return live::in_child([&] {
      const int flags = live::is_root() ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
      if (::unshare(flags) != 0) return live::odd;
      if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return live::odd;
      if (sandboxed && !nono::apply(policy)) return live::not_confined;
      if (::mount("none", dir.c_str(), "tmpfs", 0, nullptr) != 0) return errno;
      return try_open(file) == ENOENT ? 0 : live::odd;
    });
  };
  if (mounts_in(live::nothing, false) == live::odd) return live::skip("no mount namespace for this user");
  CHECK(mounts_in(live::nothing, false) == 0);
  CHECK(mounts_in(live::nothing, true) == EPERM);
  CHECK(mounts_in(nono::caps().lift(protection::mounts), true) == EPERM);      // Landlock alone
  CHECK(mounts_in(nono::caps().lift(protection::filesystem), true) == EPERM);  // the filter alone
  CHECK(mounts_in(nono::caps().lift(protection::filesystem).lift(protection::mounts), true) == 0);
}
