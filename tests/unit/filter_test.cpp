// SPDX-License-Identifier: Apache-2.0
#include <nono/linux/filter.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "constexpr_check.hpp"

using nono::filter_program;
using nono::filter_request;
using nono::filter_table;
using nono::network_mode;
using nono::protection;

namespace {

constexpr std::uint32_t native = nono::detail::filter::native_arch;
constexpr std::uint32_t pass = SECCOMP_RET_ALLOW;
constexpr std::uint32_t ask = SECCOMP_RET_USER_NOTIF;
constexpr std::uint32_t refuse(int number) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number); }

struct run_result {
  std::optional<std::uint32_t> verdict;  // none: the program is not well formed
  int steps = 0;
};

/// Classic BPF as far as seccomp filters use it, written from its documentation (networking/filter.rst).
run_result run(const filter_program& program, const seccomp_data& data) {
  run_result out;
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < program.length; ++at) {
    const sock_filter& i = program.code[at];
    ++out.steps;
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (i.k % 4 != 0 || i.k + 4 > sizeof data) return out;
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + i.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= i.k;
        break;
      case BPF_JMP | BPF_JA:
        at += i.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == i.k ? i.jt : i.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += a >= i.k ? i.jt : i.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (a & i.k) != 0 ? i.jt : i.jf;
        break;
      case BPF_RET | BPF_K:
        out.verdict = i.k;
        return out;
      default:
        return out;
    }
  }
  return out;
}

seccomp_data call_of(int nr, const std::array<std::uint64_t, 6>& args, std::uint32_t arch = native) {
  seccomp_data data{};
  data.nr = nr;
  data.arch = arch;
  std::copy(args.begin(), args.end(), data.args);
  return data;
}

/// What the program has to answer, from the table.
std::uint32_t expected(const filter_table& table, const seccomp_data& data) {
  if (data.arch != native) return refuse(ENOSYS);
#if defined(__x86_64__)
  if (static_cast<std::uint32_t>(data.nr) >= 0x40000000U) return refuse(ENOSYS);
#endif
  std::array<std::uint64_t, 6> args{};
  std::copy(std::begin(data.args), std::end(data.args), args.begin());
  if (const auto* row = table.refusal_of(data.nr, args))  // ENOSYS asks for a fallback: nothing to explain
    return row->decided || (table.observed() && row->refusal != ENOSYS) ? ask : refuse(row->refusal);
  return table.observed() && filter_table::watches(data.nr) ? ask : pass;
}

std::vector<filter_request> requests() {
  std::vector<filter_request> out;
  for (const auto mode :
       {network_mode::unrestricted, network_mode::blocked, network_mode::loopback, network_mode::ports})
    for (unsigned flags = 0; flags < 32; ++flags) {
      filter_request r;
      r.network = mode;
      r.binds_ports = (flags & 1) != 0;
      r.no_unix_sockets = (flags & 2) != 0;
      r.complement_truncate = (flags & 4) != 0;
      r.observed = (flags & 8) != 0;
      r.decides_processes = r.decides_unix = r.decides_metadata = (flags & 16) != 0;
      out.push_back(r);
    }
  return out;
}

std::vector<nono::protection_set> lifts() {
  std::vector<nono::protection_set> out(2);
  for (const auto& row : nono::protections) {
    out.emplace_back(row.id);
    out[1] |= row.id;
  }
  return out;
}

/// Every value that a test of this row could take for another.
std::vector<std::uint64_t> values_of(const nono::filter_row& row) {
  const std::uint64_t v = row.test.value;
  std::vector<std::uint64_t> out = {v,
                                    v + 1,
                                    v - 1,
                                    v ^ 8,
                                    v & 0xf,
                                    ~v,
                                    0,
                                    1,
                                    2,
                                    6,
                                    10,
                                    16,
                                    262,
                                    ~0ULL,
                                    v | 0xffffffff00000000ULL,
                                    v << 32,
                                    v & ~std::uint64_t{row.test.mask}};
  for (unsigned bit = 0; bit < 32; ++bit) out.push_back(1ULL << bit);
  out.push_back(v | ~std::uint64_t{row.test.mask});
  return out;
}

class comparison {
 public:
  void check(const filter_table& table, const filter_program& program, const seccomp_data& data) {
    const run_result got = run(program, data);
    const std::uint32_t want = expected(table, data);
    ++count_;
    if (got.verdict == want) return;
    if (bad_++ == 0)
      first_ = "call " + std::to_string(data.nr) + " arch " + std::to_string(data.arch) + ": " +
               (got.verdict ? std::to_string(*got.verdict) : "no verdict") + " instead of " +
               std::to_string(want);
  }
  void finish(std::size_t at_least) const {
    INFO(first_);
    CHECK(bad_ == 0);
    CHECK(count_ >= at_least);
  }

 private:
  std::size_t count_ = 0;
  std::size_t bad_ = 0;
  std::string first_;
};

std::uint32_t verdict(const filter_request& request, int nr, const std::array<std::uint64_t, 6>& args,
                      std::uint32_t arch = native) {
  return run(nono::compile(filter_table(request)), call_of(nr, args, arch)).verdict.value_or(0);
}

filter_request network(network_mode mode, bool binds = false) {
  filter_request out;
  out.network = mode;
  out.binds_ports = binds;
  return out;
}

}  // namespace

TEST_CASE("filter: the program says what the table says, for every row and value") {
  comparison all;
  for (filter_request request : requests())
    for (const auto& lifted : lifts()) {
      request.lifted = lifted;
      const filter_table table(request);
      const filter_program program = nono::compile(table);
      for (const auto& row : table.rows()) {
        std::array<std::uint64_t, 6> args{};
        all.check(table, program, call_of(row.call, args));
        if (!lifted.empty() && request.network != network_mode::ports) continue;  // the same rows, fewer
        for (const std::uint64_t value : values_of(row)) {
          args[row.test.argument] = value;
          all.check(table, program, call_of(row.call, args));
          all.check(table, program, call_of(row.call, args, native ^ 1));
          if (row.call != SYS_socket && row.call != SYS_socketpair) continue;
          for (const std::uint64_t other : {0U, 1U, 2U, 3U, 5U, 6U, 10U, 16U, 262U})  // two arguments decide
            for (std::size_t i = 0; i < 3; ++i) {
              auto both = args;
              if (i != row.test.argument) both[i] = other;
              all.check(table, program, call_of(row.call, both));
            }
        }
      }
    }
  all.finish(300'000);
}

TEST_CASE("filter: the program says what the table says, for 100000 random calls") {
  std::mt19937_64 random(7);
  const auto kinds = requests();
  comparison all;
  constexpr std::uint32_t arches[] = {native, native,          native,         native,
                                      0,      AUDIT_ARCH_I386, AUDIT_ARCH_ARM, ~0U};
  constexpr std::uint64_t words[] = {0, 1, 2, 3, 6, 10, 16, 0x200, 0x203, 0x5412, 0x541c, 0x20000000, ~0ULL};
  for (std::size_t i = 0; i < kinds.size(); ++i)
    for (int lifted = 0; lifted < 8; ++lifted) {
      filter_request request = kinds[i];
      for (const auto& row : nono::protections)
        if (lifted != 0 && random() % 4 == 0) request.lifted |= row.id;
      const filter_table table(request);
      const filter_program program = nono::compile(table);
      for (int n = 0; n < 200; ++n) {
        std::array<std::uint64_t, 6> args{};
        for (auto& arg : args) {
          arg = random() % 2 == 0 ? words[random() % std::size(words)] : random() >> (random() % 64);
          if (random() % 4 == 0) arg |= random() << 32;
        }
        int nr = static_cast<int>(random() % 500);
        if (random() % 2 == 0 && !table.rows().empty())
          nr = table.rows()[random() % table.rows().size()].call;
        if (random() % 8 == 0) nr = static_cast<int>(static_cast<std::uint32_t>(random()));
        if (random() % 8 == 0) nr |= 0x40000000;
        all.check(table, program, call_of(nr, args, arches[random() % std::size(arches)]));
      }
    }
  all.finish(100'000);
}

TEST_CASE("filter: every program is one that the kernel takes") {
  std::size_t longest = 0;
  for (filter_request request : requests())
    for (const auto& lifted : lifts()) {
      request.lifted = lifted;
      const filter_program p = nono::compile(filter_table(request));
      longest = std::max<std::size_t>(longest, p.length);
      REQUIRE(p.length < 512);
      int bad = 0;
      for (std::size_t i = 0; i < p.length; ++i) {
        const sock_filter& f = p.code[i];
        const auto kind = BPF_CLASS(f.code);
        const std::size_t leap = f.code == (BPF_JMP | BPF_JA) ? f.k : std::max(f.jt, f.jf);
        if (kind == BPF_JMP) bad += i + 1 + leap < p.length ? 0 : 1;
        if (kind == BPF_LD) bad += f.code == (BPF_LD | BPF_W | BPF_ABS) && f.k % 4 == 0 && f.k < 64 ? 0 : 1;
        if (kind == BPF_RET)
          bad += f.k == pass || f.k == ask || (f.k & 0xffff0000U) == SECCOMP_RET_ERRNO ? 0 : 1;
        // Nobody may be asked where nobody listens: the call would fail with ENOSYS.
        if (kind == BPF_RET && f.k == ask) bad += request.listened() ? 0 : 1;
      }
      CHECK(bad == 0);
      CHECK(BPF_CLASS(p.code[p.length - 1u].code) == BPF_RET);
    }
  MESSAGE("longest program: ", longest, " instructions");
}

TEST_CASE("filter: how long the most frequent call takes") {
  for (const auto mode : {network_mode::unrestricted, network_mode::blocked, network_mode::ports}) {
    const filter_program p = nono::compile(filter_table(network(mode)));
    const run_result got = run(p, call_of(SYS_read, {}));
    CHECK(got.verdict == pass);
    MESSAGE("read() passes after ", got.steps, " of ", p.length, " instructions");
  }
}

TEST_CASE("filter: it can be compiled by the compiler") {
  constexpr filter_table table(filter_request{});
  constexpr filter_program program = nono::compile(table);
  CONSTEXPR_CHECK(program.length > 10);
  CONSTEXPR_CHECK(table.rows().size() == std::size(nono::detail::filter::baseline));
}

TEST_CASE("filter: rows of one call stand together, in the order in which they are tested") {
  for (const filter_request& request : requests()) {
    const filter_table table(request);
    const auto rows = table.rows();
    CHECK(std::is_sorted(rows.begin(), rows.end(),
                         [](const auto& a, const auto& b) { return a.call < b.call; }));
    for (const auto& row : rows) CHECK((row.test.argument < 6 && row.also.argument < 6));
  }
}

TEST_CASE("filter: a supervisor opens nothing by itself but what it may decide") {
  std::mt19937_64 random(11);
  constexpr std::uint64_t words[] = {0, 1, 2, 3, 5, 6, 10, 16, 0x200, 0x203, 0x5412, 0x40086602, 0x20000000};
  std::size_t refusals = 0;
  std::size_t wrong = 0;
  for (filter_request request : requests()) {
    request.decides_processes = request.decides_unix = request.decides_metadata = false;
    const filter_table plain(request);
    request.decides_processes = request.decides_unix = request.decides_metadata = true;
    const filter_table supervised(request);
    for (const auto& row : supervised.rows())
      for (int n = 0; n < 40; ++n) {
        std::array<std::uint64_t, 6> args{};
        for (auto& arg : args) arg = words[random() % std::size(words)];
        const auto* before = plain.refusal_of(row.call, args);
        if (before == nullptr) continue;
        ++refusals;
        const auto* now = supervised.refusal_of(row.call, args);
        const bool may_decide =
            before->id == nono::protection::process_limits || before->id == nono::protection::scheduling;
        if (now == nullptr || (now->decided && !may_decide)) ++wrong;
      }
  }
  CHECK(wrong == 0);
  CHECK(refusals > 10'000);
}

TEST_CASE("filter: what a supervisor decides") {
  filter_request request = network(network_mode::blocked);
  const auto all = [&] {
    return std::array{request.decides_processes, request.decides_unix, request.decides_metadata};
  };
  CHECK(all() == std::array{false, false, false});
  CHECK_FALSE(request.listened());
  CHECK(verdict(request, SYS_connect, {}) == pass);
  CHECK(verdict(request, SYS_fchmod, {}) == pass);
  CHECK(verdict(request, SYS_prlimit64, {4711}) == refuse(EPERM));
  CHECK(verdict(request, SYS_sched_setaffinity, {4711}) == pass);
  CHECK(verdict(request, SYS_socket, {1, 2}) == pass);

  request.decides_processes = true;
  CHECK(request.listened());
  CHECK(verdict(request, SYS_prlimit64, {4711}) == ask);
  CHECK(verdict(request, SYS_prlimit64, {0}) == pass);
  CHECK(verdict(request, SYS_sched_setaffinity, {4711}) == ask);
  CHECK(verdict(request, SYS_sched_setaffinity, {0}) == pass);
  CHECK(verdict(request, SYS_setpriority, {0, 4711}) == ask);
  CHECK(verdict(request, SYS_setpriority, {1, 0}) == refuse(EPERM));  // a group: nobody can tell who is in it
  CHECK(verdict(request, SYS_keyctl, {}) == refuse(EPERM));
  CHECK(verdict(request, SYS_connect, {}) == pass);

  request.decides_processes = false;
  request.decides_unix = true;
  for (const auto mode :
       {network_mode::unrestricted, network_mode::blocked, network_mode::loopback, network_mode::ports}) {
    request.network = mode;
    CHECK(verdict(request, SYS_connect, {}) == ask);
    CHECK(verdict(request, SYS_socket, {1, 1}) == pass);
    CHECK(verdict(request, SYS_socket, {1, 5 | 02000000}) == pass);  // SOCK_SEQPACKET|SOCK_CLOEXEC
    for (const std::uint64_t type : {2U, 3U, 2U | 02000000U, 3U | 04000U}) {
      CHECK(verdict(request, SYS_socket, {1, type}) == refuse(EACCES));
      CHECK(verdict(request, SYS_socketpair, {1, type}) == refuse(EACCES));
    }
    CHECK(verdict(request, SYS_socketpair, {1, 1}) == pass);
  }
  CHECK(verdict(request, SYS_fchmod, {}) == pass);
  // Where the network lets nobody listen, a supervisor has no say in it.
  request.network = network_mode::ports;
  CHECK(verdict(request, SYS_listen, {}) == refuse(EACCES));
  request.binds_ports = true;
  CHECK(verdict(request, SYS_listen, {}) == ask);
  request.binds_ports = false;

  request.decides_unix = false;
  request.decides_metadata = true;
  for (const int call : {SYS_fchmod, SYS_fchmodat, 452, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_setxattr,
                         SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr})
    CHECK(verdict(request, call, {}) == ask);
#if defined(SYS_chmod)
  for (const int call : {SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat})
    CHECK(verdict(request, call, {}) == ask);
#endif
  for (const int call : {463, 466, 469}) CHECK(verdict(request, call, {}) == refuse(ENOSYS));
  CHECK(verdict(request, SYS_ioctl, {0, 0x40086602}) == ask);
  CHECK(verdict(request, SYS_ioctl, {0, 0x401c5820}) == ask);
  CHECK(verdict(request, SYS_ioctl, {0, 0x5412}) == refuse(EPERM));
  CHECK(verdict(request, SYS_ioctl, {0, 0x5401}) == pass);
  request.lifted = protection::metadata;
  CHECK(verdict(request, SYS_fchmod, {}) == pass);
}

TEST_CASE("filter: foreign entries are refused whole") {
  for (const filter_request& request : requests()) {
    CHECK(verdict(request, SYS_read, {}, AUDIT_ARCH_I386) == refuse(ENOSYS));
    CHECK(verdict(request, 0, {}, 0) == refuse(ENOSYS));
#if defined(__x86_64__)
    CHECK(verdict(request, SYS_read | 0x40000000, {}) == refuse(ENOSYS));
    CHECK(verdict(request, -1, {}) == refuse(ENOSYS));
#endif
  }
}

TEST_CASE("filter: the baseline, by example") {
  const filter_request plain;
  CHECK(verdict(plain, SYS_read, {}) == pass);
  CHECK(verdict(plain, SYS_execve, {}) == pass);
  CHECK(verdict(plain, SYS_ioctl, {0, TIOCSTI}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_ioctl, {0, TIOCSTI | 0x100000000ULL}) ==
        refuse(EPERM));  // the kernel looks at 32 bits
  CHECK(verdict(plain, SYS_ioctl, {0, TIOCLINUX}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_ioctl, {0, TIOCGWINSZ}) == pass);
  CHECK(verdict(plain, SYS_prlimit64, {0}) == pass);
  CHECK(verdict(plain, SYS_prlimit64, {1}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_setpriority, {0, 0}) == pass);
  CHECK(verdict(plain, SYS_setpriority, {0, 1}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_setpriority, {2, 0}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_clone, {0x00010900}) == pass);                // a thread
  CHECK(verdict(plain, SYS_clone, {0x10000000 | 17}) == refuse(EPERM));  // CLONE_NEWUSER
  CHECK(verdict(plain, SYS_clone, {0x80 | 17}) == pass);  // signal bits of clone, no time namespace
  CHECK(verdict(plain, SYS_unshare, {0x80}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_unshare, {0x400}) == pass);  // CLONE_FILES
  for (const unsigned flag :
       {0x00020000U, 0x02000000U, 0x04000000U, 0x08000000U, 0x10000000U, 0x20000000U, 0x40000000U}) {
    CHECK(verdict(plain, SYS_clone, {flag}) == refuse(EPERM));
    CHECK(verdict(plain, SYS_unshare, {flag}) == refuse(EPERM));
  }
  CHECK(verdict(plain, SYS_clone3, {}) == refuse(ENOSYS));
  CHECK(verdict(plain, SYS_io_uring_setup, {}) == refuse(ENOSYS));
  CHECK(verdict(plain, SYS_mount, {}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_bpf, {}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_shmget, {}) == refuse(EPERM));
  CHECK(verdict(plain, SYS_socket, {AF_INET, SOCK_DGRAM}) == pass);
  filter_request lifted;
  lifted.lifted |= protection::ipc;
  CHECK(verdict(lifted, SYS_shmget, {}) == pass);
  CHECK(verdict(lifted, SYS_mount, {}) == refuse(EPERM));
}

TEST_CASE("filter: blocked leaves unix sockets") {
  const filter_request blocked = network(network_mode::blocked);
  CHECK(verdict(blocked, SYS_socket, {AF_UNIX, SOCK_STREAM}) == pass);
  CHECK(verdict(blocked, SYS_socketpair, {AF_UNIX, SOCK_STREAM}) == pass);
  for (std::uint64_t family = 0; family < 64; ++family) {
    if (family == AF_UNIX) continue;
    CHECK(verdict(blocked, SYS_socket, {family, SOCK_STREAM}) == refuse(EACCES));
    CHECK(verdict(blocked, SYS_socketpair, {family, SOCK_STREAM}) == refuse(EACCES));
  }
  CHECK(verdict(blocked, SYS_socket, {AF_UNIX | 0x100000000ULL}) == pass);  // the kernel looks at 32 bits
}

TEST_CASE("filter: loopback leaves IP and the route socket") {
  const filter_request loopback = network(network_mode::loopback);
  CHECK(verdict(loopback, SYS_socket, {AF_UNIX, SOCK_STREAM}) == pass);
  CHECK(verdict(loopback, SYS_socket, {AF_INET, SOCK_DGRAM}) == pass);
  CHECK(verdict(loopback, SYS_socket, {AF_INET6, SOCK_STREAM}) == pass);
  CHECK(verdict(loopback, SYS_socket, {AF_NETLINK, SOCK_RAW, 0}) == pass);
  CHECK(verdict(loopback, SYS_socket, {AF_NETLINK, SOCK_RAW, 9}) == refuse(EACCES));
  CHECK(verdict(loopback, SYS_socket, {AF_VSOCK, SOCK_STREAM}) == refuse(EACCES));
  CHECK(verdict(loopback, SYS_socket, {AF_PACKET, SOCK_RAW}) == refuse(EACCES));
}

TEST_CASE("filter: ports leave TCP") {
  for (const bool binds : {false, true}) {
    const filter_request ports = network(network_mode::ports, binds);
    for (const std::uint64_t family : {std::uint64_t{AF_INET}, std::uint64_t{AF_INET6}}) {
      CHECK(verdict(ports, SYS_socket, {family, SOCK_STREAM, 0}) == pass);
      CHECK(verdict(ports, SYS_socket, {family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP}) ==
            pass);
      CHECK(verdict(ports, SYS_socket, {family, SOCK_STREAM, 262}) == refuse(EACCES));  // MPTCP
      CHECK(verdict(ports, SYS_socket, {family, SOCK_STREAM, 132}) == refuse(EACCES));  // SCTP
      CHECK(verdict(ports, SYS_socket, {family, SOCK_DGRAM, 0}) == refuse(EACCES));
      CHECK(verdict(ports, SYS_socket, {family, SOCK_RAW, 6}) == refuse(EACCES));
    }
    CHECK(verdict(ports, SYS_socket, {AF_UNIX, SOCK_DGRAM, 0}) == pass);
    CHECK(verdict(ports, SYS_socket, {AF_NETLINK, SOCK_RAW, 0}) == refuse(EACCES));
    CHECK(verdict(ports, SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}) == refuse(EACCES));
    CHECK(verdict(ports, SYS_sendto, {0, 0, 0, MSG_FASTOPEN}) == refuse(EACCES));
    CHECK(verdict(ports, SYS_sendmsg, {0, 0, MSG_FASTOPEN}) == refuse(EACCES));
    CHECK(verdict(ports, SYS_sendmmsg, {0, 0, 0, MSG_FASTOPEN | MSG_DONTWAIT}) == refuse(EACCES));
    CHECK(verdict(ports, SYS_sendto, {0, 0, 0, MSG_NOSIGNAL}) == pass);
    CHECK(verdict(ports, SYS_listen, {}) == (binds ? pass : refuse(EACCES)));
  }
}

TEST_CASE("filter: without a port to bind nobody listens, beside a supervisor either") {
  filter_request ports = network(network_mode::ports);
  ports.decides_unix = true;
  CHECK(verdict(ports, SYS_listen, {}) == refuse(EACCES));
  ports.binds_ports = true;
  CHECK(verdict(ports, SYS_listen, {}) == ask);
}

TEST_CASE("filter: no unix sockets, in every network") {
  for (const auto mode :
       {network_mode::unrestricted, network_mode::blocked, network_mode::loopback, network_mode::ports}) {
    filter_request none = network(mode);
    none.no_unix_sockets = true;
    CHECK(verdict(none, SYS_socket, {AF_UNIX, SOCK_STREAM}) == refuse(EACCES));
    CHECK(verdict(none, SYS_socketpair, {AF_UNIX, SOCK_STREAM}) == pass);
  }
}

TEST_CASE("filter: truncation where Landlock does not know it") {
  filter_request old;
  old.complement_truncate = true;
  CHECK(verdict(old, SYS_truncate, {}) == refuse(EACCES));
  CHECK(verdict(old, SYS_openat, {0, 0, O_ACCMODE | O_TRUNC}) == refuse(EACCES));  // neither reads nor writes
  CHECK(verdict(old, SYS_openat, {0, 0, O_ACCMODE}) == pass);
  CHECK(verdict(old, SYS_openat, {0, 0, O_TRUNC}) == refuse(EACCES));
  CHECK(verdict(old, SYS_openat, {0, 0, O_TRUNC | O_CREAT}) == refuse(EACCES));
  CHECK(verdict(old, SYS_openat, {0, 0, O_TRUNC | O_WRONLY}) == pass);
  CHECK(verdict(old, SYS_openat, {0, 0, O_RDONLY}) == pass);
  CHECK(verdict(old, SYS_openat2, {}) == refuse(ENOSYS));
  CHECK(verdict(old, SYS_ftruncate, {}) == pass);
  CHECK(verdict(filter_request{}, SYS_truncate, {}) == pass);
}

TEST_CASE("filter: a listener is asked about refusals and observed calls, and about no other") {
  filter_request observed = network(network_mode::blocked);
  observed.observed = true;
  CHECK(verdict(observed, SYS_socket, {AF_INET}) == ask);
  CHECK(verdict(observed, SYS_socket, {AF_UNIX}) == pass);
  CHECK(verdict(observed, SYS_mount, {}) == ask);
  CHECK(verdict(observed, SYS_clone3, {}) == refuse(ENOSYS));
  CHECK(verdict(observed, SYS_io_uring_setup, {}) == refuse(ENOSYS));
  CHECK(verdict(observed, SYS_openat, {}) == ask);
  CHECK(verdict(observed, SYS_connect, {}) == ask);
  CHECK(verdict(observed, SYS_read, {}) == pass);
  // Between filter and exec the child's own calls must pass: nobody answers yet.
  for (const int call :
       {SYS_execve, SYS_execveat, SYS_dup3, SYS_close_range, SYS_chdir, SYS_rt_sigprocmask, 446})
    CHECK(verdict(observed, call, {}) == pass);
  CHECK(verdict(observed, SYS_unshare, {0x400}) == pass);
  for (const int call : nono::detail::filter::observed_calls) CHECK(filter_table::watches(call));
  CHECK_FALSE(filter_table::watches(SYS_execve));
}

TEST_CASE("filter: an argument test looks at the low 32 bits") {
  using nono::argument_test;
  using enum argument_test::kind;
  CONSTEXPR_CHECK(argument_test{}.matches(0));
  CONSTEXPR_CHECK(argument_test{equals, 0, 2, ~8U}.matches(10));
  CONSTEXPR_CHECK(!argument_test{equals, 0, 2, ~8U}.matches(3));
  CONSTEXPR_CHECK(argument_test{differs, 0, 2, ~8U}.matches(3));
  CONSTEXPR_CHECK(!argument_test{differs, 0, 2, ~8U}.matches(2));
  CONSTEXPR_CHECK(argument_test{any_bit, 0, 6, ~0U}.matches(4));
  CONSTEXPR_CHECK(!argument_test{any_bit, 0, 6, ~0U}.matches(9));
}

TEST_CASE("filter: the text names call, test, errno, protection and reason") {
  const std::string text = to_text(filter_table(network(network_mode::ports)));
  CHECK(text.find("call " + std::to_string(SYS_ioctl) +
                  " arg1 == 21522: errno 1  [terminal_input] TIOCSTI types into the terminal\n") !=
        std::string::npos);
  CHECK(text.find("call " + std::to_string(SYS_socket) + " arg1 & 15 != 1: errno 13  [network] TCP only\n") !=
        std::string::npos);
  CHECK(text.find("call " + std::to_string(SYS_socket) + " arg0 == 1: allow  [network] unix socket\n") !=
        std::string::npos);
  CHECK(text.find("call " + std::to_string(SYS_sendto) +
                  " arg3 & 536870912: errno 13  [network] TCP Fast Open\n") != std::string::npos);
  CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) ==
        filter_table(network(network_mode::ports)).rows().size());
}
