// SPDX-License-Identifier: Apache-2.0
// What the tests of spawn_supervised() share: servers outside, and probes that run beside a supervisor.
#pragma once

#include <cstddef>
#include <optional>

#include <sys/socket.h>
#include <sys/un.h>

#include "harness.hpp"
#include "spawn_fixture.hpp"

namespace live {

/// The address of a pathname socket; of an abstract one if the name begins with '@'.
struct unix_address {
  explicit unix_address(std::string_view name) {
    must(name.size() < sizeof address.sun_path, "the name of a socket");
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.starts_with('@')) address.sun_path[0] = '\0';
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr_un address{};
  socklen_t length = 0;
};

/// A unix socket that listens, or waits for datagrams.
class unix_server {
 public:
  explicit unix_server(const std::string& name, int type = SOCK_STREAM, int backlog = 64)
      : fd_(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const unix_address at(name);
    must(::bind(fd_, at.get(), at.length) == 0, name);
    if (type != SOCK_DGRAM) must(::listen(fd_, backlog) == 0, name);
    if (!name.starts_with('@')) must(::chmod(name.c_str(), 0777) == 0, name);
  }
  unix_server(const unix_server&) = delete;
  unix_server& operator=(const unix_server&) = delete;
  ~unix_server() { ::close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }
  /// How many have called, or sent something, since the last time.
  int visitors() const {
    int n = 0;
    char byte = 0;
    for (;; ++n) {
      const int caller = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (caller >= 0) {
        ::close(caller);
      } else if (errno == EAGAIN || ::recv(fd_, &byte, 1, 0) < 0) {
        return n;
      }
    }
  }

 private:
  int fd_;
};

/// connect() of a fresh socket. 0 or errno.
inline int try_connect(const std::string& name, int type = SOCK_STREAM) {
  const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const unix_address at(name);
  const int why = error_of(::connect(fd, at.get(), at.length));
  ::close(fd);
  return why;
}

/// Runs a probe beside a supervisor.
inline int supervised(nono::capability_set policy,
                      std::initializer_list<std::string_view> probe_and_arguments,
                      nono::enforcement* report = nullptr) {
  return run_probe(std::move(policy), probe_and_arguments, report,
                   [](const auto& p, const auto& argv) { return nono::spawn_supervised(p, argv); });
}

/// Runs a probe in a forked child without a sandbox.
inline int without_sandbox(std::initializer_list<std::string_view> probe_and_arguments) {
  return in_child([&] {
    std::vector<std::string> words{"", "--probe"};
    words.insert(words.end(), probe_and_arguments.begin(), probe_and_arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return probe::run(static_cast<int>(words.size()), argv.data());
  });
}

/// How often a race is run; NONO_RACES says otherwise.
inline int races() {
  const char* wanted = std::getenv("NONO_RACES");        // NOLINT(concurrency-mt-unsafe)
  return wanted == nullptr ? 20000 : std::atoi(wanted);  // NOLINT(cert-err34-c)
}

}  // namespace live
