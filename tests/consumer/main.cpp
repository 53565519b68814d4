// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <nono/nono.hpp>

int other();

constexpr auto policy =
    nono::caps().group(nono::groups::system_read).allow_path<nono::read>("/usr/share").network(nono::blocked);

int main() {
  auto child = policy.spawn({"/bin/true"});
  if (!child) {
    std::fputs(child.error().message().c_str(), stderr);
    return 1;
  }
  auto status = child->wait();
  if (!status) {
    std::fputs(status.error().message().c_str(), stderr);
    return 1;
  }
  return status->exit_code() + other();
}
