// SPDX-License-Identifier: Apache-2.0
// What attempts are told, and the steps that many have in common.
#include "attempts.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

namespace attempts {

facts::facts(const char* file) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (const auto equals = line.find('='); equals != std::string::npos)
      values_[line.substr(0, equals)] = line.substr(equals + 1);
}

const std::string& facts::text(const std::string& key) const {
  const auto found = values_.find(key);
  if (found != values_.end()) return found->second;
  std::fprintf(stderr, "attempts: the file of facts has no '%s'\n", key.c_str());
  std::exit(2);  // NOLINT(concurrency-mt-unsafe)
}

long facts::number(const std::string& key) const { return std::strtol(text(key).c_str(), nullptr, 0); }

int open_file(const std::string& path, int flags, unsigned mode) {
  return check("open", ::open(path.c_str(), flags | O_CLOEXEC, mode));
}

void print(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stdout);
  (void)std::fputc('\n', stdout);
  (void)std::fflush(stdout);
}

void print_from(int fd) {
  char text[4096];
  const ssize_t n = check("read", ::read(fd, text, sizeof text));
  print({text, static_cast<std::size_t>(n)});
}

void print_file(const std::string& path) { print_from(open_file(path, O_RDONLY)); }

void put(int fd) { (void)check("write", ::write(fd, "changed\n", 8)); }

}  // namespace attempts
