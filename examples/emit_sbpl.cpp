// SPDX-License-Identifier: Apache-2.0
// The same policy as macOS would get it: checked by the compiler, written on any system. Not yet seen on a Mac.
#include <nono/nono.hpp>

#include <cstdio>

constexpr auto policy = [] {
  using enum nono::right;
  return nono::caps()
      .target(nono::portable)
      .allow_path<read>("/usr/share")
      .allow_path<read_write>("$WORKDIR")
      .deny_path("$HOME/.ssh")
      .network(nono::blocked);
}();

// What must be in the profile, and what must not, is known before the program runs.
constexpr auto profile = nono::sbpl_text(policy);
static_assert(profile.contains("(deny default)"));
static_assert(profile.contains("(subpath (param \"WORKDIR\"))"));
static_assert(!profile.contains("(remote ip"));

int main() {
  // Quoted, the text stands alone; sandbox_init_with_parameters() gets the paths beside it.
  const auto applied = nono::to_sbpl(policy);
  if (!applied) return std::fprintf(stderr, "%s\n", applied.error().message().c_str()), 1;
  std::printf("%.*s", static_cast<int>(profile.text().size()), profile.text().data());
  for (const auto& [name, value] : applied->parameters)
    std::printf("; %s = %s\n", name.c_str(), value.c_str());
}
