// SPDX-License-Identifier: Apache-2.0
// Two services, one policy within the other: the compiler proves it of the names, and spawn() of the files.
#include <nono/nono.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

constexpr auto gateway = [] {
  using enum nono::right;
  return nono::caps()
      .group(nono::groups::system_read)
      .variable("$DATA")
      .allow_path<read_write>("$DATA/jobs")
      .network(nono::only(nono::connect_tcp(443)));
}();
constexpr auto worker = [] {
  using enum nono::right;
  return nono::caps()
      .group(nono::groups::system_read)
      .variable("$DATA")
      .allow_path<read>("$DATA/jobs/today")
      .network(nono::blocked);
}();

static_assert(worker.within(gateway));
static_assert(!gateway.within(worker));

int main() {
  namespace fs = std::filesystem;
  char name[] = "/tmp/nono-example-XXXXXX";
  const std::string data = mkdtemp(name);
  const std::string today = data + "/jobs/today";
  fs::create_directories(today);
  fs::create_directory(data + "/private");
  std::ofstream(today + "/job.txt") << "a job\n";

  const auto start = [&](const char* what) {
    std::printf("%s: ", what);
    std::fflush(stdout);
    auto child = worker.spawn({"cat", today + "/job.txt"}, nono::bind("$DATA", data), nono::within(gateway));
    if (child) return child->wait()->exit_code();
    std::string why = child.error().message();
    for (std::size_t at; (at = why.find(data)) != why.npos;) why.replace(at, data.size(), "$DATA");
    std::printf("%s\n", why.c_str());
    return 0;
  };
  int failures = start("a directory of the gateway's");
  // The same names, and now a link leads where the gateway may not go.
  fs::remove_all(today);
  fs::create_directory_symlink(data + "/private", today);
  failures += start("a link out of it");
  fs::remove_all(data);
  return failures;
}
