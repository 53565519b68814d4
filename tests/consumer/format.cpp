// SPDX-License-Identifier: Apache-2.0
// Of nono::format alone: it brings nono and fmt along.
#include <fmt/format.h>
#include <nono/format.hpp>
#include <nono/nono.hpp>

constexpr auto policy = nono::caps().allow_path<nono::read>("/usr").network(nono::blocked);

int main() {
  fmt::print("{}{:>8}\n", policy, nono::protection::ipc);
  return fmt::format("{}", nono::read_write) == "read_write" ? 0 : 1;
}
