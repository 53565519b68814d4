// SPDX-License-Identifier: Apache-2.0
// Asks a policy before anything is confined: what would the kernel allow, by which rule, and what would change it?
#include <nono/nono.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

constexpr auto policy = [] {
  using enum nono::right;
  return nono::caps()
      .variable("$DATA")
      .allow_path<read>("$DATA/in")
      .allow_path<read_write>("$DATA/out")
      .network(nono::only(nono::connect_tcp(443)));
}();

int main() {
  char name[] = "/tmp/nono-example-XXXXXX";
  const std::string data = mkdtemp(name);
  for (const char* directory : {"/in", "/out", "/private"})
    std::filesystem::create_directory(data + directory);
  std::ofstream(data + "/in/table.csv") << "1,2,3\n";
  std::ofstream(data + "/private/key.pem") << "secret\n";
  std::filesystem::create_symlink(data + "/private/key.pem", data + "/in/link");

  const auto model = nono::model_of(policy, nono::sandbox_target::child, nono::bind("$DATA", data));
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message().c_str()), 77;
  using op = nono::operation;
  const std::string table = data + "/in/table.csv";
  const std::string link = data + "/in/link";
  const std::string moved = data + "/out/table.csv";
  const nono::question questions[] = {
      {op::open_read, table},     {op::open_write, table},        {op::open_read, link},
      {op::rename, table, moved}, {op::connect_tcp, {}, {}, 443}, {op::connect_tcp, {}, {}, 80},
  };
  for (const nono::question& q : questions) {
    std::string sentence = model->explain(q);
    for (std::size_t at; (at = sentence.find(data)) != sentence.npos;)
      sentence.replace(at, data.size(), "$DATA");
    std::printf("%s\n", sentence.c_str());
  }
  std::filesystem::remove_all(data);
}
