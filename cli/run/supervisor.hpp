// SPDX-License-Identifier: Apache-2.0
// The loop beside a running child: one thread holds its end, the user's signals and its observed calls.
#pragma once

#include <csignal>
#include <cstdint>

#include <nono/error.hpp>
#include <nono/spawn.hpp>

#include "cli/run/observer.hpp"

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
/// themselves. watcher: null, or what answers the child's listener.
result<exit_status> supervise(child& running, const signal_guard& signals, observer* watcher, bool silent);

/// Goes on answering for processes that the command left behind, in a process of its own that ends with the last
/// of them. Returns at once; a command that left nothing behind costs one poll.
void answer_leftovers(child& running, observer& watcher);

}  // namespace nono::cli
