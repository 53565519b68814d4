// SPDX-License-Identifier: Apache-2.0
// How questions reach the confined worker.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "scenario.hpp"

namespace differential {

/// Followed by the two names. Answered with an int: 0 or an errno.
struct wire_question {
  std::uint32_t what = 0;
  std::uint32_t path_length = 0;
  std::uint32_t to_length = 0;
  std::int32_t process = 0;
  std::uint16_t port = 0;
  change how{};
  bool listens = false;
};

bool read_whole(int fd, void* to, std::size_t size);
bool write_whole(int fd, const void* from, std::size_t size);

}  // namespace differential
