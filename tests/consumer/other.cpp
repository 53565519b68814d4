// SPDX-License-Identifier: Apache-2.0
// The second translation unit; it includes what system code often has included before.
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <thread>

#include <nono/nono.hpp>

constexpr auto other_policy = nono::caps().allow_path<nono::read>("/usr").network(nono::blocked);
static_assert(other_policy.permits<nono::read>("/usr/share"));

int other();
int other() { return other_policy.permits<nono::read>("/usr/lib") ? 0 : 1; }
