// SPDX-License-Identifier: Apache-2.0
// nono-keyring get|set|remove|list SERVICE [ACCOUNT]: the system's keyring, for the nono command.
//
// A program of its own: nono is static and cannot load the library that speaks to the keyring. A secret comes in by
// standard input and goes out by standard output. It exits with 0, with 1 where there is no such secret, and with 2
// and a sentence on standard error where the keyring cannot be reached.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

#include "secrets/keyring.hpp"

namespace {

using nono::secrets::max_secret;
using nono::secrets::secret;
using nono::secrets::keyring::answer;

constexpr int wrong_use = 64;  // EX_USAGE

bool write_whole(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// All of standard input, and a NUL behind it. False where that is empty, has a NUL or is too long.
bool read_whole(secret& value) {
  value = secret(max_secret + 1);
  std::size_t done = 0;
  while (value.data() != nullptr && done < value.size()) {
    const ssize_t n = ::read(STDIN_FILENO, value.data() + done, value.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) {
      if (done == 0 || value.view().substr(0, done).find('\0') != std::string_view::npos) return false;
      value.shrink(done + 1);  // what follows are zeros
      return true;
    }
    done += static_cast<std::size_t>(n);
  }
  return false;
}

answer obey(std::string_view verb, const char* service, const char* account, std::string& why) {
  namespace keyring = nono::secrets::keyring;
  const auto written = [&](std::string_view text) {
    if (write_whole(text)) return answer::done;
    why = std::string("nobody takes what it gave: ") + std::strerror(errno);
    return answer::unreachable;
  };
  if (verb == "list") {
    std::vector<std::string> accounts;
    if (const answer is = keyring::list(service, accounts, why); is != answer::done) return is;
    std::string lines;
    for (const std::string& name : accounts)
      if (name.find('\n') == std::string::npos) lines += name + "\n";
    return written(lines);
  }
  if (verb == "remove") return keyring::remove(service, account, why);
  secret value;
  if (verb == "set") {
    if (read_whole(value)) return keyring::set(service, account, value, why);
    why = "a secret has 1 to 65536 bytes and no NUL among them; give one that has";
    return answer::unreachable;
  }
  const answer is = keyring::get(service, account, value, why);
  return is == answer::done ? written(value.view()) : is;
}

}  // namespace

int main(int argc, char** argv) {
  // No other process of the user's reads its memory, and no core dump keeps it.
#ifdef __linux__
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  for (int fd = 0; fd < 3; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
      return wrong_use;

  const std::string_view verb = argc > 1 ? argv[1] : "";
  const bool lists = verb == "list";
  if ((!lists && verb != "get" && verb != "set" && verb != "remove") || argc != (lists ? 3 : 4)) {
    std::fputs("nono-keyring: `nono credential` starts this program; it is of no use by itself\n", stderr);
    return wrong_use;
  }
  std::string why;
  const answer is = obey(verb, argv[2], lists ? nullptr : argv[3], why);
  if (is == answer::unreachable) std::fprintf(stderr, "%s\n", why.c_str());
  return static_cast<int>(is);
}
