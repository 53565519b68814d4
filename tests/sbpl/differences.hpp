// SPDX-License-Identifier: Apache-2.0
// What one policy means differently on Linux and on macOS. The test against the kernel leaves out what these rows speak of,
// and counts it; the README shows them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nono_test {

enum class difference : std::uint8_t {
  none,
  names,
  moves,
  hard_links,
  truncate,
  execute,
  metadata,
  looking,
  denies,
  inside_servers,
  abstract_sockets,
  loopback,
  terminals,
};

struct difference_row {
  difference id;
  std::string_view what;
  std::string_view on_linux;
  std::string_view on_macos;
};

inline constexpr difference_row differences[] = {
    {difference::none, "", "", ""},
    {difference::names, "what a grant holds", "the file that was there: it keeps the grant when it is moved",
     "the name: what takes it has the grant"},
    {difference::moves, "moving a file into another directory",
     "needs `refer` in both, and never gives it more access",
     "needs `remove` and `create`, as inside one directory"},
    {difference::hard_links, "making hard links", "needs `create`, and `refer` between directories",
     "never: a second name would lead round a deny"},
    {difference::truncate, "emptying a file", "`truncate`", "`write_file`, which is one with it"},
    {difference::execute, "running a program", "`execute` and `read_file`", "`execute`"},
    {difference::metadata, "chmod, chown, times and attributes",
     "only a supervisor can refuse them; it lets pass what `write_file` or `create` covers", "`write_file`"},
    {difference::looking, "stat of a file outside every grant", "always possible",
     "refused, but for the directories above a grant and denied paths themselves"},
    {difference::denies, "a deny inside a grant", "an error: Landlock has none",
     "holds; the directories between cannot be moved or removed"},
    {difference::inside_servers, "connecting to a unix socket that was made inside the sandbox",
     "needs no grant", "needs `connect_unix`"},
    {difference::abstract_sockets, "abstract unix sockets", "closed, from ABI 6", "there are none"},
    {difference::loopback, "`network(loopback)`", "a network of the child's own", "refused: `not_on_macos`"},
    {difference::terminals, "ioctl on terminals (size, raw mode)",
     "possible; only TIOCSTI and TIOCLINUX are refused",
     "refused as a whole, unless `terminal_input` is lifted"},
};
inline constexpr std::size_t difference_count = sizeof differences / sizeof differences[0];

}  // namespace nono_test
