// SPDX-License-Identifier: Apache-2.0
// What a process is born with: descriptors, environment, terminal.
#include "attempts.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace attempts {
namespace {

int descriptor(const facts& f, const char* key) { return static_cast<int>(f.number(key)); }

void print_variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  if (value == nullptr) throw stopped{"getenv", ENOENT};
  print(value);
}

/// Types a line into the terminal that stands behind standard input.
void type_into_terminal(const facts&) {
  for (const char* c = "exit\n"; *c != '\0'; ++c) check("ioctl TIOCSTI", ::ioctl(STDIN_FILENO, TIOCSTI, c));
}
/// The kernel looks at 32 bits of the request, and so must a filter.
void type_by_long_request(const facts&) {
  for (const char* c = "exit\n"; *c != '\0'; ++c)
    check("ioctl TIOCSTI", ::ioctl(STDIN_FILENO, 0x7700000000UL | TIOCSTI, c));
}

void read_by_directory(const facts& f) {
  print_from(check("openat", ::openat(descriptor(f, "fd_directory"), "secret", O_RDONLY | O_CLOEXEC)));
}

void ask_by_socket(const facts& f) {
  const int fd = descriptor(f, "fd_socket");
  check("send", ::send(fd, "hello", 5, MSG_NOSIGNAL));
  print_from(fd);
}

constexpr attempt all[] = {
    {"descriptor_read", proof::secret, "reads from a descriptor that was left open",
     [](const facts& f) { print_from(descriptor(f, "fd_read")); }},
    {"descriptor_write", proof::change, "writes to a descriptor that was left open",
     [](const facts& f) { put(descriptor(f, "fd_write")); }},
    {"descriptor_directory", proof::secret, "opens a file by a directory that was left open",
     read_by_directory},
    {"descriptor_socket", proof::secret, "asks a server by a connection that was left open", ask_by_socket},
    {"variable_preload", proof::secret, "is given LD_PRELOAD",
     [](const facts&) { print_variable("LD_PRELOAD"); }},
    {"variable_start_file", proof::secret, "is given BASH_ENV, which names a file that shells run",
     [](const facts&) { print_variable("BASH_ENV"); }},
    {"variable_node_options", proof::secret, "is given NODE_OPTIONS",
     [](const facts&) { print_variable("NODE_OPTIONS"); }},
    {"variable_token", proof::secret, "is given the token of a password manager (OP_SERVICE_ACCOUNT_TOKEN)",
     [](const facts&) { print_variable("OP_SERVICE_ACCOUNT_TOKEN"); }},
    {"variable_key", proof::secret, "is given a key that the user exported (AWS_SECRET_ACCESS_KEY)",
     [](const facts&) { print_variable("AWS_SECRET_ACCESS_KEY"); }},
    {"environ_of_parent", proof::secret, "reads the environment of the process that started it",
     [](const facts&) { print_file("/proc/" + std::to_string(::getppid()) + "/environ"); }},
    {"terminal_input", proof::change, "types into its terminal", type_into_terminal},
    {"terminal_input_long", proof::change, "types into its terminal, with a request of 64 bits",
     type_by_long_request},
    {"terminal_of_another", proof::change, "writes to another terminal",
     [](const facts& f) { put(open_file(f.text("other_terminal"), O_WRONLY | O_NOCTTY)); }},
};

}  // namespace

const std::span<const attempt> inherited_attempts = all;

}  // namespace attempts
