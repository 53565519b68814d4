// SPDX-License-Identifier: Apache-2.0
// Sandboxes in sandboxes: a second policy narrows the first, and the kernel's sixteen layers are the end.
#include "harness.hpp"

#include <sys/socket.h>

using live::scratch;
using live::try_open;
using nono::right;

TEST_CASE("layers: a second policy narrows the first and cannot widen it") {
  const scratch dir;
  const std::string one = dir.file("one");
  const std::string two = dir.file("two");
  const auto both = live::allow({{one, right::read}, {two, right::read}});
  const auto first_only = live::allow({{one, right::read}});
  const auto everything = live::allow({{"/", right::read_write}});
  const auto opens = [&](const nono::capability_set& outer, const nono::capability_set& inner,
                         const std::string& path) {
    return live::confined(
        outer, [&] { return nono::apply(inner).has_value() ? try_open(path) : live::not_confined; });
  };
  CHECK(opens(both, both, two) == 0);
  CHECK(opens(both, first_only, one) == 0);
  CHECK(opens(both, first_only, two) == EACCES);  // narrowed
  CHECK(opens(first_only, both, one) == 0);
  CHECK(opens(first_only, both, two) == EACCES);  // not widened
  CHECK(opens(first_only, everything, two) == EACCES);
}

TEST_CASE("layers: the network of a second policy narrows as well") {
  const auto socket_in = [](auto policy) {
    return live::confined(live::nothing, [&] {
      if (!nono::apply(policy)) return live::not_confined;
      return live::error_of(::socket(AF_INET, SOCK_STREAM, 0));
    });
  };
  CHECK(socket_in(nono::caps()) == 0);
  CHECK(socket_in(nono::caps().network(nono::blocked)) == EACCES);
  CHECK(live::confined(nono::caps().network(nono::blocked), [] {
          if (!nono::apply(nono::caps().network(nono::unrestricted))) return live::not_confined;
          return live::error_of(::socket(AF_INET, SOCK_STREAM, 0));
        }) == EACCES);
}

TEST_CASE("layers: moving files between directories survives a second, equal policy") {
  if (!live::has_abi(2)) return;
  const scratch dir;
  const std::string from = dir.directory("from") + "/f";
  const std::string to = dir.directory("to") + "/f";
  const auto policy = live::allow({{dir.path(), right::read_write}});
  const auto move = [&] { return live::error_of(::rename(from.c_str(), to.c_str())); };
  scratch::write(from, "text");
  CHECK(live::confined(policy,
                       [&] { return nono::apply(policy).has_value() ? move() : live::not_confined; }) == 0);
  scratch::write(from, "text");
  // A layer that knows files and grants none takes the right to move away.
  CHECK(live::confined(policy, [&] {
          return nono::apply(live::nothing).has_value() ? move() : live::not_confined;
        }) == EACCES);
}

TEST_CASE("layers: a program that a sandbox starts can confine its own children") {
  const scratch dir;
  const std::string one = dir.file("one");
  const std::string two = dir.file("two");
  CHECK(live::spawned(live::allow({{dir.path(), right::read}}), {"spawn-again", one, one}) == 0);
  CHECK(live::spawned(live::allow({{dir.path(), right::read}}), {"spawn-again", one, two}) == EACCES);
  CHECK(live::spawned(live::allow({{one, right::read}}), {"spawn-again", one, one}) == 0);
}

namespace {
// In a sandbox already: spawns a child that is granted argv[0] and opens argv[1].
const live::probe spawn_again("spawn-again", [](int, char** argv) {
  return live::spawned(live::allow({{argv[0], right::read}}), {"open", argv[1]});
});
const live::probe open_probe("open", [](int, char** argv) { return try_open(argv[0]); });
}  // namespace

TEST_CASE("layers: the 17th is too_many_layers") {
  int layers = 0;
  const int got = live::in_child([&] {
    for (int i = 0; i < 32; ++i) {
      const auto report = nono::apply(live::nothing);
      if (report) continue;
      if (report.error().code != nono::errc::too_many_layers || report.error().os_errno != E2BIG)
        return live::odd;
      // Still under the sixteen before, and able to say so.
      if (try_open("/proc/version") != EACCES || report.error().message().empty()) return live::odd;
      return 100 + i;
    }
    return live::odd;
  });
  layers = got - 100;
  INFO("layers: ", layers);
  CHECK(layers <= 16);
  CHECK(layers > 0);
  if (layers != 16) live::skip("the test runs below other layers already");
}

TEST_CASE("layers: a child that would be the 17th is not started") {
  const int got = live::in_child([] {
    const auto policy = live::with_system();
    for (int i = 0; i < 32; ++i) {
      const auto child = nono::spawn(policy, {"/bin/true"});
      if (!child)
        return child.error().code == nono::errc::too_many_layers && ::waitpid(-1, nullptr, WNOHANG) == -1
                   ? 0
                   : live::odd;
      if (!nono::apply(policy)) return live::not_confined;
    }
    return live::odd;
  });
  CHECK(got == 0);
}
