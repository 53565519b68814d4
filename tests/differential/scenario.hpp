// SPDX-License-Identifier: Apache-2.0
// One case of the differential test, as data: a tree, a policy, and questions in the order in which they are asked. A
// scenario can be run again, cut down, and printed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nono/linux/plan.hpp>
#include <nono/network.hpp>
#include <nono/protection.hpp>
#include <nono/question.hpp>
#include <nono/resolve.hpp>
#include <nono/right.hpp>

#include "../sbpl/differences.hpp"

namespace differential {

/// One file of the tree. Paths begin with "%", the directory in which most happens, or "@", one beside it.
struct node {
  enum class kind : std::uint8_t { directory, file, symlink, hard_link, fifo, socket, device, mount };
  kind what{};
  std::string path;
  std::string target;    ///< what a symlink says, the file that a hard link is another name of, the directory
                         ///< that is mounted here as well; a mount without one is a file system of its own
  unsigned mode = 0755;  ///< of a mount: 0555 makes it read-only
  int owner = -1;        ///< -1: whoever runs the test
};

struct grant {
  std::string path;
  nono::right rights{};
};

/// The calls that stand for a change of metadata: the same checks by the kernel, and other ways through a supervisor.
enum class change : std::uint8_t {
  chmod,
  from_descriptor,  ///< fchmodat() from the directory around the file
  by_magic_link,    ///< chmod() of /proc/self/fd/N, an O_PATH descriptor
  times,            ///< utimensat()
  owner,            ///< chown() to whom it belongs
  times_of_link,    ///< the same two, where a link at the end is not followed
  owner_of_link,
};
inline constexpr std::size_t change_count = 7;
constexpr bool is_of_link(change how) noexcept { return how >= change::times_of_link; }

struct asked {
  nono::operation what{};
  std::string path, to;
  unsigned port = 0;     ///< which of the test's ports
  change how{};          ///< of chmod
  bool listens = false;  ///< of bind_unix: the socket stays, and takes calls
};

struct scenario {
  std::uint64_t seed = 0;
  nono::sandbox_target target{};  ///< by apply() in a forked child, spawn() or spawn_supervised()
  std::vector<node> tree;
  std::vector<grant> grants;
  nono::network_mode network = nono::network_mode::unrestricted;
  std::vector<nono::port_use> granted_ports;  ///< by index of the test's ports
  nono::unix_sockets sockets = nono::unix_sockets::by_default;
  std::vector<nono::protection> lifted;
  std::vector<asked> questions;
};

/// The scenario of a seed: the same on every machine, but for owners, which only root can give away.
scenario generate(std::uint64_t seed, bool root);

/// True when the sandbox is a child without capabilities, and not the forked test itself.
inline bool is_child(const scenario& s) { return s.target != nono::sandbox_target::this_process; }

/// Where prediction and kernel differ.
struct disagreement {
  std::size_t question = 0;
  std::string predicted;
  std::string seen;
};

/// How often a supervisor decided what only it can, by verdict.
struct tally {
  std::size_t allowed = 0;
  std::size_t by_policy = 0;  ///< denied because no grant covers it
  std::size_t otherwise = 0;  ///< denied as without a sandbox
};

/// The same questions to a profile for macOS.
struct macos_tally {
  std::size_t compared = 0;
  std::array<std::size_t, nono_test::difference_count> left_out{};  ///< by what differs there
};

/// How a run went.
struct outcome {
  std::size_t pairs = 0;
  std::array<std::size_t, nono::cause_count> causes{};  ///< of the decisions, by cause
  tally connections, changes;                           ///< under a supervisor
  macos_tally on_macos;
  std::optional<disagreement> wrong;
  std::string broken;  ///< why the scenario could not be run at all; empty if it could
};

/// Builds the tree, starts a confined worker and asks it every question, predicting each just before.
/// work: an empty directory of the test's own.
outcome run(const scenario& s, const std::string& work);

/// The worker: reads questions from descriptor 0, tries them and writes errnos to descriptor 1.
int serve();

/// What else the test has made: see resources().
struct shared_resources {
  std::uint16_t ports[2] = {};  ///< one TCP port that is listened on, one that is free
  int listening = -1;          ///< the socket of the first: where a policy is applied it would be an open one
  std::string abstract_name;   ///< of a listening abstract socket, with its leading NUL
  int process = 0;             ///< a process outside the sandbox
  nono::inode_id null_device;  ///< of /dev/null, which the whole system shares
};
const shared_resources& resources();

std::string to_text(const scenario& s);

}  // namespace differential
