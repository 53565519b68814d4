// SPDX-License-Identifier: Apache-2.0
// A program for systems without Landlock: it compiles, and is told so when it runs; on macOS it would be confined, which was
// not yet seen. Policies, questions to them and texts of them are the same everywhere.
#include <cstdio>
#include <string>

#include <nono/nono.hpp>

constexpr auto policy =
    nono::caps().group(nono::groups::system_read).allow_path<nono::read>("/usr/share").network(nono::blocked);
static_assert(policy.permits<nono::read>("/usr/share/a"));
static_assert(policy.denies<nono::write>("/usr/share/a"));
static_assert(policy.within(policy) && policy.minimum_landlock_abi() == 1);

template <class Result>
static int refused(const Result& r, const char* door) {
  if (!r && r.error().code == nono::errc::unsupported_platform) return 0;
  std::fprintf(stderr, "%s: %s\n", door, r ? "it went on" : r.error().message().c_str());
  return 1;
}

// What macOS would get is the same text on every system.
static_assert(nono::sbpl_text(policy).contains("(subpath \"/usr/share\")"));

int main() {
  nono::capability_set set;
  int wrong = set.allow_path("/usr", nono::read) ? 0 : 1;
  wrong += to_text(policy.ref()).empty() ? 1 : 0;
  wrong += nono::to_sbpl(policy) ? 0 : 1;
#if defined(__APPLE__)
  if (auto child = policy.spawn({"true"})) wrong += child->wait()->exit_code();
  if (const auto in_force = policy.apply()) std::printf("%s", to_text(*in_force).c_str());
  return wrong;
#endif
  wrong += refused(policy.apply(), "apply");
  wrong += refused(nono::apply(policy), "nono::apply");
  wrong += refused(policy.spawn({"true"}), "spawn");
  wrong += refused(nono::spawn(policy, {"true"}), "nono::spawn");
  wrong += refused(policy.spawn_supervised({"true"}), "spawn_supervised");
  wrong += refused(policy.prepare(), "prepare");
  if (auto prepared = nono::prepare(policy)) return prepared->spawn({"true"})->wait()->exit_code();
  wrong += refused(nono::spawn(set.ref(), {"true"}, nono::spawn_options{}), "nono::spawn of a set");
  wrong += nono::support().landlock_errno != 0 ? 0 : 1;
  if (auto child = policy.spawn({"true"})) return child->wait()->exit_code();
  return wrong;
}
