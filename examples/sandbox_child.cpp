// SPDX-License-Identifier: Apache-2.0
// Starts a child that may read system files and one directory: what it may, it does; what it may not, it is told.
#include <nono/nono.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

constexpr auto policy = [] {
  using enum nono::right;
  return nono::caps()
      .group(nono::groups::system_read)
      .variable("$DATA")
      .allow_path<read>("$DATA/public")
      .network(nono::blocked);
}();

int main() {
  char name[] = "/tmp/nono-example-XXXXXX";
  const std::string data = mkdtemp(name);
  std::filesystem::create_directory(data + "/public");
  std::ofstream(data + "/public/hello.txt") << "hello from a granted file\n";
  std::ofstream(data + "/secret.txt") << "never shown\n";

  int failures = 0;
  for (const char* file : {"/public/hello.txt", "/secret.txt"}) {
    std::fflush(stdout);
    nono::spawn_options options;
    options.err = nono::stream::null();
    auto child = policy.spawn({"cat", data + file}, nono::bind("$DATA", data), options);
    if (!child) {
      std::printf("%s\n", child.error().message().c_str());
      ++failures;
      continue;
    }
    const auto status = child->wait();
    std::printf("cat %s: %s\n", file, status && status->ok() ? "read" : "refused");
  }
  std::filesystem::remove_all(data);
  return failures;
}
