// SPDX-License-Identifier: Apache-2.0
// Lines for the user on standard error.
#include "cli/run/output.hpp"

#include <cerrno>
#include <string>

#include <unistd.h>

namespace nono::cli {

void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void complain(std::string_view message) { say("nono: " + std::string(message) + "\n"); }

}  // namespace nono::cli
