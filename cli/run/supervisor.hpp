// SPDX-License-Identifier: Apache-2.0
// The library's loop beside a running child, and what a command adds: the user's signals, the shell's job control, and
// what the child leaves behind.
#pragma once

#if defined(__linux__)

#include <csignal>
#include <cstdint>

#include <nono/error.hpp>
#include <nono/spawn.hpp>
#include <nono/supervisor.hpp>

namespace nono::cli {

/// Blocks the signals that the loop reads; made before the child starts, so that none is lost.
class signal_guard {
 public:
  signal_guard();
  ~signal_guard();
  signal_guard(const signal_guard&) = delete;
  signal_guard& operator=(const signal_guard&) = delete;
  /// The signals that were blocked before: what the child starts with.
  [[nodiscard]] const std::uint64_t& before() const { return before_; }
  [[nodiscard]] const sigset_t& held() const { return held_; }

 private:
  std::uint64_t before_ = 0;
  sigset_t held_{};
};

/// Runs until the child ends. Signals that a user sent are passed on; those of the terminal reach the child by
/// themselves.
result<exit_status> supervise(child& running, const signal_guard& signals, supervisor& answers, bool silent);

/// Goes on answering for processes that the command left behind, in a process of its own that ends with the last
/// of them. Returns at once; a command that left nothing behind costs one poll.
void answer_leftovers(const child& running, supervisor& answers);

}  // namespace nono::cli

#endif
