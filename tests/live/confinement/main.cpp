// SPDX-License-Identifier: Apache-2.0
// attempts list              the attempts: name, class, proof, who can make it, one sentence; tabs between
// attempts try NAME FACTS    makes one; 0: got through, 10: stopped, 20: cannot be tried here
// attempts victim FILE       the process outside
#include "attempts.hpp"

#include <cstdio>
#include <cstring>

#include <unistd.h>

namespace attempts {
namespace {

struct group {
  const char* name;
  const std::span<const attempt>& attempts;
};
constexpr group groups[] = {
    {"files", file_attempts},
    {"network", network_attempts},
    {"unix sockets", unix_socket_attempts},
    {"processes", process_attempts},
    {"metadata", metadata_attempts},
    {"kernel", kernel_attempts},
    {"inherited", inherited_attempts},
};

constexpr int got_through = 0;
constexpr int was_stopped = 10;
constexpr int cannot_be_tried = 20;

const char* name_of(proof by) {
  switch (by) {
    case proof::secret:
      return "secret";
    case proof::change:
      return "change";
    case proof::call:
      return "call";
  }
  return "";
}

int list() {
  for (const group& g : groups)
    for (const attempt& a : g.attempts)
      std::printf("%.*s\t%s\t%s\t%s\t%.*s\n", static_cast<int>(a.name.size()), a.name.data(), g.name,
                  name_of(a.by), a.who == needs::root ? "root" : "anybody",
                  static_cast<int>(a.sentence.size()), a.sentence.data());
  return 0;
}

const attempt* find(std::string_view name) {
  for (const group& g : groups)
    for (const attempt& a : g.attempts)
      if (a.name == name) return &a;
  return nullptr;
}

/// What a call answers that this kernel was built without. A filter may answer the same, so it counts only where the
/// facts say that there is none.
bool means_absent(int error) {
  return error == ENOSYS || error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT;
}

int make(const attempt& a, const facts& f) {
  if (a.who == needs::root && ::geteuid() != 0) {
    std::printf("cannot be tried: for root alone\n");
    return cannot_be_tried;
  }
  try {
    a.make(f);
  } catch (const cannot& c) {
    std::printf("cannot be tried: %s\n", c.why);
    return cannot_be_tried;
  } catch (const stopped& s) {
    if (f.number("bare") == 1 && means_absent(s.error)) {
      std::printf("cannot be tried: this kernel has none: %s: %s\n", s.call, std::strerror(s.error));
      return cannot_be_tried;
    }
    std::printf("stopped: %s: %s\n", s.call, std::strerror(s.error));
    return was_stopped;
  }
  std::printf("got through\n");
  return got_through;
}

}  // namespace
}  // namespace attempts

int main(int argc, char** argv) {
  using namespace attempts;  // NOLINT(google-build-using-namespace)
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "list" && argc == 2) return list();
  if (verb == "victim" && argc >= 3) return be_the_victim(argv[2]);
  const attempt* a = verb == "try" && argc == 4 ? find(argv[2]) : nullptr;
  if (a == nullptr) {
    std::fprintf(stderr, "usage: attempts list | try NAME FACTS | victim FILE\n");
    return 2;
  }
  return make(*a, facts(argv[3]));
}
