// SPDX-License-Identifier: Apache-2.0
// Confines this process for good, then tries what the policy grants and what it does not.
#include <nono/nono.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

constexpr auto policy =
    nono::caps().allow_path<nono::read>("/usr/share").deny_path("$HOME/.ssh").network(nono::blocked);

// These do not compile, and the compiler says why:
//   nono::caps().allow_path<nono::read>("data");         // path_must_be_absolute
//   policy.network(nono::loopback);                      // the network was given twice
//   nono::caps().deny_path("$HOME/.ssh")
//               .allow_path<nono::read>("$HOME");        // grant_holds_a_denied_path (in a constant policy)

static void show(const char* what, int result) {
  std::printf("%-22s %s\n", what, result >= 0 ? "allowed" : std::strerror(errno));
}

int main() {
  const auto enforced = policy.apply();
  if (!enforced) {
    std::fprintf(stderr, "%s\n", enforced.error().message().c_str());
    return 1;
  }
  show("open /usr/share", open("/usr/share", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  show("open /etc/passwd", open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  show("socket(AF_INET)", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  std::printf("network is closed by   %s\n",
              enforced->enforced(nono::protection::network) ? "the kernel" : "nobody");
}
