// SPDX-License-Identifier: Apache-2.0
// The nono command.
#include <exception>

#include <fcntl.h>
#include <unistd.h>

#include "cli/commands/command_line.hpp"
#include "cli/run/output.hpp"

int main(int argc, char** argv) {
  // Descriptors 0 to 2 that are closed would be taken by our own files, and written to as if they were output.
  for (int fd = 0; fd < 3; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) return 1;
  try {
    return nono::cli::main(argc, argv);
  } catch (const std::exception& e) {  // out of memory, a broken standard library: nothing was started
    nono::cli::complain(e.what());
    return 1;
  }
}
