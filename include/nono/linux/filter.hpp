// SPDX-License-Identifier: Apache-2.0
// The rows of one sandbox's filter: evaluated here for a supervisor and for tests, compiled to BPF for the kernel.
#pragma once

#if defined(__linux__)
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <nono/linux/filter_rows.hpp>
#include <nono/network.hpp>
#include <nono/protection.hpp>

namespace nono {

/// What a filter is made for.
struct filter_request {
  network_mode network = network_mode::unrestricted;
  bool binds_ports = false;  ///< network(only(...)) with a port to bind
  bool no_unix_sockets = false;
  bool complement_truncate = false;
  bool observed = false;  ///< a supervisor listens: refusals and observed calls go to it
  // What a supervisor decides, call by call.
  bool decides_processes = false;  ///< limits and scheduling: of processes inside the sandbox
  bool decides_unix = false;       ///< connections; unix datagram sockets are refused
  bool decides_metadata = false;
  protection_set lifted;

  /// True when somebody has to listen.
  [[nodiscard]] constexpr bool listened() const noexcept {
    return observed || decides_processes || decides_unix || decides_metadata;
  }
};

/// The rows of one filter, by call, in the order in which they are tested.
class filter_table {
 public:
  explicit constexpr filter_table(const filter_request& request) : observed_(request.observed) {
    namespace f = detail::filter;
    const auto add = [&](std::span<const filter_row> rows, bool decided = false) {
      for (const filter_row& row : rows)
        if (!request.lifted.has(row.id)) insert(row, decided);
    };
    add(f::baseline, request.decides_processes);
    if (request.decides_processes) add(f::affinity_rows, true);
    if (request.no_unix_sockets) add(f::no_unix_rows);
    if (request.decides_unix || request.no_unix_sockets) add(f::unix_datagram_rows);
    if (request.decides_metadata) add(f::metadata_rows, true);
    switch (request.network) {
      case network_mode::unrestricted:
        break;
      case network_mode::blocked:
      case network_mode::hosts:  // no plan asks for it, and no filter knows names: closed
        add(f::blocked_rows);
        break;
      case network_mode::loopback:
        add(f::loopback_rows);
        break;
      case network_mode::ports:
        add(f::ports_rows);
        if (!request.binds_ports) add(f::no_listen_rows);
        break;
    }
    if (request.decides_unix) add(f::unix_call_rows, true);
    if (request.complement_truncate) add(f::truncate_rows);
  }

  [[nodiscard]] constexpr std::span<const filter_row> rows() const noexcept { return {rows_.data(), count_}; }

  /// Where a supervisor listens, it is asked about refusals and observed calls.
  [[nodiscard]] constexpr bool observed() const noexcept { return observed_; }
  [[nodiscard]] static constexpr bool watches(int call) noexcept {
    for (const int seen : detail::filter::observed_calls)
      if (seen == call) return true;
    return false;
  }

  /// The row that refuses this call, or has it decided; null if it is allowed.
  [[nodiscard]] constexpr const filter_row* refusal_of(
      int call, std::span<const std::uint64_t, 6> args) const noexcept {
    for (const filter_row& row : rows())
      if (row.call == call && row.test.matches(static_cast<std::uint32_t>(args[row.test.argument])) &&
          row.also.matches(static_cast<std::uint32_t>(args[row.also.argument])))
        return row.refusal == 0 ? nullptr : &row;
    return nullptr;
  }

 private:
  constexpr void insert(const filter_row& row, bool decided) noexcept {
    std::size_t at = count_;
    while (at > 0 && rows_[at - 1].call > row.call) {
      rows_[at] = rows_[at - 1];
      --at;
    }
    rows_[at] = row;
    rows_[at].decided = row.decided && decided;
    ++count_;
  }

  std::array<filter_row, 128> rows_{};
  std::size_t count_ = 0;
  bool observed_;
};

/// A BPF program.
struct filter_program {
  std::array<sock_filter, 512> code{};
  std::uint16_t length = 0;
};

namespace detail {

/// Compiles a table: the architecture first (others are refused whole), then a binary search for the call. The
/// search is for the kernel's sake: at every installation it walks the program once for each call there is.
class filter_compiler {
 public:
  explicit constexpr filter_compiler(const filter_table& table) {
    namespace f = filter;
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, f::native_arch, 1, 0);
    give(SECCOMP_RET_ERRNO | ENOSYS);
    load(offsetof(seccomp_data, nr));
    if (f::x32_bit != 0) {
      jump(BPF_JGE, f::x32_bit, 0, 1);
      give(SECCOMP_RET_ERRNO | ENOSYS);
    }
    const auto rows = table.rows();
    for (std::size_t i = 0; i < rows.size();) {
      const std::size_t first = i;
      while (i < rows.size() && rows[i].call == rows[first].call) ++i;
      add({rows[first].call, rows.subspan(first, i - first), table.observed()});
    }
    if (table.observed())
      for (const int call : f::observed_calls) add({call, {}, true});
    search(0, count_);
  }
  filter_program program;

 private:
  constexpr void emit(std::uint16_t code, std::uint32_t k, std::size_t if_true = 0,
                      std::size_t if_false = 0) {
    program.code[program.length++] = {code, static_cast<std::uint8_t>(if_true),
                                      static_cast<std::uint8_t>(if_false), k};
  }
  constexpr void load(std::size_t offset) {
    emit(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  constexpr void jump(std::uint16_t test, std::uint32_t k, std::size_t if_true, std::size_t if_false) {
    emit(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), k, if_true, if_false);
  }
  constexpr void give(std::uint32_t verdict) { emit(BPF_RET | BPF_K, verdict); }

  struct call_block {
    int call = 0;
    std::span<const filter_row> rows;
    bool observed = false;
  };

  /// Keeps the blocks sorted by call; one that is there already stays.
  constexpr void add(const call_block& added) {
    std::size_t at = count_;
    while (at > 0 && blocks_[at - 1].call >= added.call) --at;
    if (at < count_ && blocks_[at].call == added.call) return;
    for (std::size_t i = count_; i > at; --i) blocks_[i] = blocks_[i - 1];
    blocks_[at] = added;
    ++count_;
  }

  constexpr void search(std::size_t low, std::size_t high) {
    if (high - low <= 2) {
      for (std::size_t i = low; i < high; ++i) block(blocks_[i]);
      give(SECCOMP_RET_ALLOW);
      return;
    }
    const std::size_t middle = (low + high) / 2;
    jump(BPF_JGE, static_cast<std::uint32_t>(blocks_[middle].call), 0, 1);
    const std::size_t leap = program.length;  // jumps beyond 255 instructions need a leap of their own
    emit(BPF_JMP | BPF_JA, 0);
    search(low, middle);
    program.code[leap].k = static_cast<std::uint32_t>(program.length - leap - 1);
    search(middle, high);
  }

  constexpr void block(const call_block& b) {
    const auto& [call, rows, observed] = b;
    const std::size_t entry = program.length;
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 0);  // where to go otherwise is known at the end
    bool open_end = true;
    for (const filter_row& row : rows) {
      const std::size_t first = test(row.test);
      const std::size_t second = test(row.also);
      give(row.refusal == 0 ? SECCOMP_RET_ALLOW
           // ENOSYS asks for a fallback: nothing to explain
           : row.decided || (observed && row.refusal != ENOSYS)
               ? SECCOMP_RET_USER_NOTIF
               : SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(row.refusal));
      if (first == no_test && second == no_test) {
        open_end = false;
        break;
      }
      leave(row.test, first);
      leave(row.also, second);
    }
    if (open_end) give(observed && filter_table::watches(call) ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
    program.code[entry].jf = static_cast<std::uint8_t>(program.length - entry - 1);
  }

  static constexpr std::size_t no_test = SIZE_MAX;
  /// Emits a test whose miss has nowhere to go yet. Its place, or no_test.
  constexpr std::size_t test(const argument_test& t) {
    if (t.how == argument_test::kind::always) return no_test;
    load(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * t.argument);
    if (t.mask != ~0U) emit(BPF_ALU | BPF_AND | BPF_K, t.mask);
    jump(t.how == argument_test::kind::any_bit ? BPF_JSET : BPF_JEQ, t.value, 0, 0);
    return program.length - std::size_t{1};
  }
  /// Where it misses, it goes on here.
  constexpr void leave(const argument_test& t, std::size_t at) {
    if (at == no_test) return;
    const auto skipped = static_cast<std::uint8_t>(program.length - at - 1);
    (t.how == argument_test::kind::differs ? program.code[at].jt : program.code[at].jf) = skipped;
  }

  std::array<call_block, 112> blocks_{};
  std::size_t count_ = 0;
};

}  // namespace detail

/// The BPF program of a table.
constexpr filter_program compile(const filter_table& table) { return detail::filter_compiler(table).program; }

/// The test as an expression, `arg2 & 15 != 1`; `always` for one that every call passes.
inline std::string to_text(const argument_test& t) {
  if (t.how == argument_test::kind::always) return "always";
  std::string out = "arg" + std::to_string(t.argument);
  if (t.mask != ~0U) out += " & " + std::to_string(t.mask);
  constexpr std::string_view words[] = {"", " == ", " != ", " & "};
  out += words[static_cast<std::size_t>(t.how)];
  return out += std::to_string(t.value);
}

/// Call number, argument test, errno, protection and reason.
inline std::string to_text(const filter_row& row) {
  std::string out = "call " + std::to_string(row.call);
  if (row.test.how != argument_test::kind::always) out += ' ' + to_text(row.test);
  if (row.also.how != argument_test::kind::always) out += " and " + to_text(row.also);
  out += row.refusal == 0 ? ": allow" : ": errno " + std::to_string(row.refusal);
  if (row.decided) out += " unless the supervisor allows it";
  out += "  [";
  out += row_of(row.id).name;
  out += "] ";
  return out += row.reason;
}

/// The rows, a line each.
inline std::string to_text(const filter_table& table) {
  std::string out;
  for (const filter_row& row : table.rows()) out += to_text(row) + '\n';
  return out;
}

}  // namespace nono
#endif
