// SPDX-License-Identifier: Apache-2.0
// A policy as a text: this process makes it and writes it down, another one reads it and lives under it.
#include <nono/json/state.hpp>
#include <nono/nono.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace fs = std::filesystem;

constexpr auto policy = [] {
  using enum nono::right;
  return nono::caps().variable("$DATA").allow_path<read>("$DATA/in").allow_path < write_file |
         list > ("$DATA/out")  // finer than the reference's keys can say
                    .network(nono::blocked);
}();

/// The second process: it knows nothing but the text and the directory.
int restore(const std::string& text, const std::string& data) {
  const auto state = nono::sandbox_state::from_json(text);
  if (!state) return std::printf("%s\n", state.error().message().c_str()), 1;
  const auto caps = state->to_caps({nono::bind("$DATA", data)});
  if (!caps) {
    std::string why = caps.error().message();
    for (std::size_t at; (at = why.find(data)) != why.npos;) why.replace(at, data.size(), "DIR");
    return std::printf("not restored: %s\n", why.c_str()), 1;
  }
  if (const auto done = caps->apply(nono::bind("$DATA", data)); !done)
    return std::fprintf(stderr, "%s\n", done.error().message().c_str()), 77;
  std::printf("in/table.csv  %s\n", std::ifstream(data + "/in/table.csv") ? "can be read" : "is closed");
  std::printf("key.pem       %s\n", std::ifstream(data + "/key.pem") ? "can be read" : "is closed");
  return 0;
}

int in_another_process(const std::string& text, const std::string& data) {
  std::fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    const int code = restore(text, data);
    std::fflush(stdout);
    _exit(code);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}

int main() {
  char name[] = "/tmp/nono-example-XXXXXX";
  const std::string data = fs::canonical(mkdtemp(name));
  for (const char* directory : {"/in", "/out", "/other"}) fs::create_directory(data + directory);
  for (const char* file : {"/in/table.csv", "/key.pem"}) std::ofstream(data + file) << "1,2,3\n";

  const auto state = nono::sandbox_state::from(policy, {nono::bind("$DATA", data)});
  const auto text = state ? state->to_json() : nono::result<std::string>(state.error());
  if (!text) return std::printf("%s\n", text.error().message().c_str()), 1;
  const int code = in_another_process(*text, data);
  if (code == 77) return fs::remove_all(data), 77;

  fs::remove(data + "/in/table.csv");  // somebody turns a path of the policy elsewhere
  fs::remove(data + "/in");
  fs::create_directory_symlink(data, data + "/in");
  in_another_process(*text, data);
  fs::remove_all(data);
}
