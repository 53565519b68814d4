// SPDX-License-Identifier: Apache-2.0
// The second translation unit; it includes what system code often has included before.
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <thread>

#include <functional>  // std::bind must not be taken for ours

#include <nono/nono.hpp>

constexpr auto other_policy = nono::caps().allow_path<nono::read>("/usr").network(nono::blocked);
static_assert(other_policy.ref().rules.size() == 1);

// Instantiated here, where <functional> came first.
nono::result<nono::enforcement> confine();
nono::result<nono::enforcement> confine() { return other_policy.apply(); }
nono::result<nono::child> start();
nono::result<nono::child> start() { return other_policy.spawn({"true"}); }

int other();
int other() { return other_policy.ref().rules[0].path == "/usr" ? 0 : 1; }
