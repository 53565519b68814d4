// SPDX-License-Identifier: Apache-2.0
// Hears of the child's calls and remembers those that the policy does not cover.
#if defined(__linux__)
#include "cli/run/observer.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/explain.hpp>
#include <nono/linux/caller.hpp>
#include <nono/path.hpp>
#include <nono/resolve.hpp>

#include "cli/resolve/setting_paths.hpp"

namespace nono::cli {

namespace {

constexpr std::size_t most_attempts = 4096;  // what a flood may make us keep
constexpr std::size_t most_covered = 4096;   // and how many more may look covered by name

constexpr std::uint64_t exchange_flag = 2;  // RENAME_EXCHANGE; Source: renameat2(2)

/// A NUL-terminated text of another process, at most 4095 bytes; empty if it cannot be read.
/// refused: becomes true when reading other processes is not allowed at all.
std::string text_of(int pid, std::uint64_t address, bool& refused) {
  std::string out;
  const int why = nono::detail::read_text(pid, address, out, max_path, ENAMETOOLONG);
  refused = refused || why == EPERM || why == ENOSYS;  // an outer sandbox, not a bad address
  return why == 0 ? out : std::string();
}

std::string link_of(const std::string& path) {
  path_buffer buffer{};
  return std::string(read_link(path.c_str(), buffer));
}

/// What an open amounts to. A call may be several questions: what must be there, and what is made if it is not.
std::uint32_t operations_of_open(std::uint64_t flags) {
  if ((flags & O_PATH) != 0) return 0;
  const auto access = flags & O_ACCMODE;
  const bool reads = access == O_RDONLY || access == O_RDWR;
  const bool writes = access == O_WRONLY || access == O_RDWR;
  std::uint32_t asked = 0;
  if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
    return bit_of(operation::mkfifo);  // made, or there already
  if (reads) asked |= bit_of((flags & O_DIRECTORY) != 0 ? operation::list : operation::open_read);
  if (writes) asked |= bit_of((flags & O_CREAT) != 0 ? operation::create : operation::open_write);
  if (!writes && (flags & O_CREAT) != 0) asked |= bit_of(operation::mkfifo);
  if ((flags & O_TRUNC) != 0) asked |= bit_of(operation::truncate);
  return asked;
}

/// The rights that a name must be granted with to be covered.
right rights_of(std::uint32_t asked) {
  right wanted = no_rights;
  for (const operation_row& row : operations)
    if ((asked & bit_of(row.what)) != 0)
      wanted |= row.what == operation::create ? row.wanted | right::create : row.wanted;
  return wanted;
}

/// The number in "/proc/NUMBER/rest", for files that only the process itself may read; 0 otherwise.
int foreign_process_file(std::string_view path) {
  if (!path.starts_with("/proc/")) return 0;
  path.remove_prefix(6);
  int pid = 0;
  const auto [end, why] = std::from_chars(path.data(), path.data() + path.size(), pid);
  if (why != std::errc{} || pid <= 0) return 0;
  const std::string_view rest(end, static_cast<std::size_t>(path.data() + path.size() - end));
  constexpr std::string_view closed[] = {"/environ", "/mem", "/maps", "/smaps", "/fd",
                                         "/ns",      "/cwd", "/root", "/exe",   "/auxv"};
  return std::any_of(std::begin(closed), std::end(closed),
                     [&](std::string_view c) { return rest.starts_with(c); })
             ? pid
             : 0;
}

/// The rights that the grants above `path` give together, by canonical name.
/// own: becomes true when a user's or profile's grant is among them.
right granted_on(const bound_policy& policy, std::string_view path, bool& own) {
  right out = no_rights;
  for (const bound_rule* r = nearest_grant(policy, path); r != nullptr;
       r = r->above == bound_rule::no_rule ? nullptr : &policy.rules[r->above]) {
    out |= r->rights;
    own = own || r->from == origin::user || r->from == origin::profile;
  }
  return out;
}

}  // namespace

void observer::refused(const notification& call, const filter_row& row, std::string_view subject) {
  std::string what(subject);
  if (what.starts_with('/'))
    return remember_file({attempt::kind::file, std::move(what), row.id,
                          bit_of(call.call == SYS_connect ? operation::connect_unix : operation::chmod)},
                         coverage::none);
  if (what.empty()) what = row.reason;
  const bool other = row.id == protection::process_limits || row.id == protection::scheduling ||
                     row.id == protection::cpu_affinity;
  remember({other ? attempt::kind::process : attempt::kind::call,
            other && !subject.empty() ? fmt::format("{} ({})", row.reason, subject) : std::move(what),
            row.id});
}

void observer::sees(const notification& heard) {
  const int pid = heard.pid;
  const auto& args = heard.args;
  const auto directory = [&](std::size_t i) { return static_cast<int>(args[i]); };
  switch (heard.call) {
#if defined(SYS_open)
    case SYS_open:
      return look_at_path(pid, AT_FDCWD, args[0], operations_of_open(args[1]));
    case SYS_creat:
      return look_at_path(pid, AT_FDCWD, args[0], bit_of(operation::overwrite));
    case SYS_mkdir:
      return look_at_path(pid, AT_FDCWD, args[0], bit_of(operation::mkdir));
    case SYS_rmdir:
      return look_at_path(pid, AT_FDCWD, args[0], bit_of(operation::rmdir));
    case SYS_unlink:
      return look_at_path(pid, AT_FDCWD, args[0], bit_of(operation::unlink));
    case SYS_rename:
      return look_at_names(pid, AT_FDCWD, args[0], AT_FDCWD, args[1], operation::rename);
#endif
    case SYS_openat:
      return look_at_path(pid, directory(0), args[1], operations_of_open(args[2]));
    case SYS_openat2: {
      std::uint64_t flags = 0;
      if (nono::detail::read_memory(pid, args[2], &flags, sizeof flags) != 0) return;
      return look_at_path(pid, directory(0), args[1], operations_of_open(flags));
    }
    case SYS_mkdirat:
      return look_at_path(pid, directory(0), args[1], bit_of(operation::mkdir));
    case SYS_unlinkat:
      return look_at_path(pid, directory(0), args[1],
                          bit_of((args[2] & AT_REMOVEDIR) != 0 ? operation::rmdir : operation::unlink));
    case SYS_renameat:
      return look_at_names(pid, directory(0), args[1], directory(2), args[3], operation::rename);
    case SYS_renameat2:
      return look_at_names(pid, directory(0), args[1], directory(2), args[3],
                           (args[4] & exchange_flag) != 0 ? operation::exchange : operation::rename);
    case SYS_truncate:
      return look_at_path(pid, AT_FDCWD, args[0], bit_of(operation::truncate));
    case SYS_connect:
      return look_at_peer(pid, args[1], args[2]);
    case SYS_kill:
      return look_at_signal(static_cast<std::int32_t>(args[0]), static_cast<std::int32_t>(args[1]));
    default:
      return;
  }
}

std::string observer::path_of(int pid, int directory, std::uint64_t address) {
  std::string path = text_of(pid, address, blind_);
  if (path.empty() || path.front() == '/') return path;
  const std::string base = link_of(directory == AT_FDCWD ? fmt::format("/proc/{}/cwd", pid)
                                                         : fmt::format("/proc/{}/fd/{}", pid, directory));
  if (!base.starts_with('/')) return {};
  return (base == "/" ? "" : base) + "/" + path;
}

void observer::look_at_path(int pid, int directory, std::uint64_t address, std::uint32_t asked) {
  if (asked == 0) return;
  std::string path = path_of(pid, directory, address);
  if (path.empty()) return;
  if (const int other = foreign_process_file(path); other != 0) {
    if (!in_sandbox(other)) remember({attempt::kind::process, "read " + path, protection::process_memory});
    return;
  }
  const coverage by = covered(path, rights_of(asked));
  remember_file({attempt::kind::file, std::move(path), protection::filesystem, asked}, by);
}

void observer::look_at_names(int pid, int directory, std::uint64_t address, int to_directory,
                             std::uint64_t to_address, operation what) {
  std::string path = path_of(pid, directory, address);
  std::string to = path_of(pid, to_directory, to_address);
  if (path.empty() || to.empty()) return;
  const right wanted = row_of(what).wanted;
  const coverage by = std::min(covered(path, wanted), covered(to, wanted));
  remember_file({attempt::kind::file, std::move(path), protection::filesystem, bit_of(what), std::move(to)},
                by);
}

void observer::remember_file(attempt a, coverage by) {
  if (by == coverage::by_system) return;
  if (by != coverage::none && covered_by_name_ >= most_covered) return;
  const bool fresh = remember(std::move(a));
  if (fresh && by != coverage::none) ++covered_by_name_;
}

/// By name alone, which is quick and enough for most; refused_by_policy() asks the evaluator when it matters. A name below
/// a grant is covered, unless it goes up again or, in a directory of the user's, through a link: those are remembered.
observer::coverage observer::covered(std::string_view path, right wanted) const {
  // Creating is asked of the directory; whether the file is new is not worth a system call here.
  bool own = false;
  if (!contains(granted_on(policy_, path, own), wanted)) return coverage::none;
  const bool straight = path.find("/../") == path.npos && !path.ends_with("/..");
  return own || !straight ? coverage::by_user : coverage::by_system;
}

bool observer::in_sandbox(int pid) const {
  for (int hops = 0; pid > 1 && hops < 64; ++hops) {
    if (pid == child_) return true;
    const std::string stat = settings_text(fmt::format("/proc/{}/stat", pid));
    const auto end = stat.rfind(')');  // the name before it may hold anything
    if (end == std::string::npos || end + 4 >= stat.size()) return false;
    pid = std::atoi(stat.c_str() + end + 4);  // NOLINT: " S PPID", written by the kernel
  }
  return false;
}

void observer::look_at_peer(int pid, std::uint64_t address, std::uint64_t length) {
  if (policy_.network.mode == network_mode::unrestricted) return;
  sockaddr_storage peer{};
  const std::size_t size = std::min<std::size_t>(length, sizeof peer);
  if (size < sizeof(sa_family_t) || nono::detail::read_memory(pid, address, &peer, size) != 0) return;
  char text[INET6_ADDRSTRLEN] = "";
  unsigned port = 0;
  if (peer.ss_family == AF_INET) {
    const auto& ip = reinterpret_cast<const sockaddr_in&>(peer);
    used_loopback_ = used_loopback_ || ntohl(ip.sin_addr.s_addr) >> 24U == 127;
    if (ntohl(ip.sin_addr.s_addr) >> 24U == 127) return;
    (void)::inet_ntop(AF_INET, &ip.sin_addr, text, sizeof text);
    port = ntohs(ip.sin_port);
  } else if (peer.ss_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6&>(peer);
    used_loopback_ = used_loopback_ || IN6_IS_ADDR_LOOPBACK(&ip.sin6_addr);
    if (IN6_IS_ADDR_LOOPBACK(&ip.sin6_addr)) return;
    (void)::inet_ntop(AF_INET6, &ip.sin6_addr, text, sizeof text);
    port = ntohs(ip.sin6_port);
  } else {
    return;
  }
  const std::string host = peer.ss_family == AF_INET6 ? fmt::format("[{}]", text) : std::string(text);
  remember({attempt::kind::network, fmt::format("{}:{}", host, port), protection::network});
}

void observer::look_at_signal(std::int32_t target, std::int32_t signal) {
  if (target <= 0 || in_sandbox(target)) return;
  remember(
      {attempt::kind::process, fmt::format("signal {} to process {}", signal, target), protection::signals});
}

bool observer::remember(attempt a) {
  if (attempts_.size() - covered_by_name_ >= most_attempts) return false;
  const auto [at, fresh] = seen_.try_emplace(
      std::to_string(static_cast<int>(a.what)) + a.subject + (a.to.empty() ? "" : '\0' + a.to),
      attempts_.size());
  if (fresh) {
    attempts_.push_back(std::move(a));
  } else {
    attempts_[at->second].asked |= a.asked;
  }
  return fresh;
}

}  // namespace nono::cli
#endif
