// SPDX-License-Identifier: Apache-2.0
// nono-proxy: started by `nono run` where hosts are filtered. Standard input: its settings, whole. Descriptor 3: a unix stream
// socket to the runner; there it says "ready" or why it cannot start, gets listening sockets, and ends when the runner does.
// Descriptor 4: the audit log.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <fmt/format.h>
#include <nono/apply.hpp>
#include <nono/caps.hpp>

#include "proxy/server.hpp"

namespace {

constexpr int control = 3;
constexpr int audit = 4;
constexpr std::size_t most_settings = std::size_t{4} << 20U;

/// What resolving reads, and nothing else: no file is opened otherwise, no program started, no unix socket made.
constexpr auto policy = nono::caps()
                            .allow_file<nono::right::read_file>("/etc/hosts", nono::if_exists)
                            .allow_file<nono::right::read_file>("/etc/resolv.conf", nono::if_exists)
                            .allow_file<nono::right::read_file>("/etc/nsswitch.conf", nono::if_exists)
                            .allow_file<nono::right::read_file>("/etc/host.conf", nono::if_exists)
                            .unix_sockets(nono::unix_sockets::none);

bool say(std::string_view text) {
  return ::send(control, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

int fail(std::string_view why) {
  (void)say(fmt::format("error {}\n", why));
  return 1;
}

std::string read_all(int fd, bool& whole) {
  std::string out;
  char part[65536];
  for (;;) {
    const ssize_t n = ::read(fd, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    whole = n == 0;
    if (n <= 0 || out.size() + static_cast<std::size_t>(n) > most_settings) return out;
    out.append(part, static_cast<std::size_t>(n));
  }
}

/// One connection takes at most four descriptors (a pipe while bytes are on their way).
std::size_t raise_limits() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return 64;
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  return files.rlim_cur < 256 ? 16 : std::min<std::size_t>((files.rlim_cur - 128) / 3, 8192);
}

/// Listening sockets come over the control socket; its end is the end of all.
class runner {
 public:
  runner(boost::asio::io_context& io, nono::proxy::server& proxy)
      : io_(io), socket_(io, control), proxy_(proxy) {}
  void listen() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& why) {
                         if (why || !take()) return io_.stop();
                         listen();
                       });
  }

 private:
  bool take() {
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    const ssize_t n = ::recvmsg(control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
      proxy_.serve(fd);
    }
    return true;
  }

  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor socket_;
  nono::proxy::server& proxy_;
};

}  // namespace

int main() {
  struct stat st{};
  if (::fstat(control, &st) != 0 || !S_ISSOCK(st.st_mode)) {
    std::fputs("nono-proxy: `nono run` starts this program where hosts are filtered; it is of no use alone\n",
               stderr);
    return 2;
  }
  // The terminal's signals are for the command; nothing of what is kept here may reach a core file or a debugger.
  (void)::setsid();
  for (const int s : {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE, SIGTSTP}) (void)::signal(s, SIG_IGN);
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)::fcntl(control, F_SETFD, FD_CLOEXEC);
  const bool audited = ::fcntl(audit, F_SETFD, FD_CLOEXEC) == 0;
  const std::size_t most = raise_limits();

  bool whole = false;
  std::string text = read_all(STDIN_FILENO, whole);
  if (!whole) return fail("its settings cannot be read whole");
  auto settings = nono::proxy::read_settings(text);
  ::explicit_bzero(text.data(), text.size());
  if (!settings) return fail(settings.error().other);
  if (const auto got = nono::proxy::read_keys(control, *settings); !got) return fail(got.error().other);
  (void)::close(STDIN_FILENO);
  (void)::open("/dev/null", O_RDONLY | O_CLOEXEC);

  boost::asio::io_context io(1);
  std::string why;
  auto names = nono::proxy::system_resolver(io, why);
  if (!names) return fail("names cannot be resolved: " + why);
  nono::proxy::server proxy(io, *std::move(settings), nono::proxy::audit_log(audited ? audit : -1),
                            std::move(names), most);
  if (std::string fault = proxy.load_trust(); !fault.empty()) return fail(fault);
  if (const auto enforced = policy.apply(); !enforced)
    return fail("it cannot confine itself: " + enforced.error().message());
  runner above(io, proxy);
  above.listen();
  if (!say("ready\n")) return 1;
  io.run();
  std::_Exit(0);  // nothing is left to be said to anybody
}
