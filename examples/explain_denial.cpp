// SPDX-License-Identifier: Apache-2.0
// A child is refused: why, and what is the least that would let it through? The answer becomes a grant.
#include <nono/nono.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

int main() {
  namespace fs = std::filesystem;
  char name[] = "/tmp/nono-example-XXXXXX";
  const std::string data = mkdtemp(name);
  fs::create_directory(data + "/in");
  std::ofstream(data + "/in/table.csv") << "1,2,3\n";
  const auto shown = [&](std::string text) {
    for (std::size_t at; (at = text.find(data)) != text.npos;) text.replace(at, data.size(), "$DATA");
    return text;
  };

  nono::capability_set policy;
  policy.group(nono::groups::system_read).network(nono::blocked);
  if (!policy.allow_path<nono::read>(data + "/in")) return 1;

  const std::string copy = data + "/out.csv";
  for (int attempt = 1; attempt <= 2; ++attempt) {
    nono::spawn_options options;
    options.err = nono::stream::null();
    auto child = policy.spawn({"cp", data + "/in/table.csv", copy}, options);
    if (!child) return std::fprintf(stderr, "%s\n", child.error().message().c_str()), 77;
    const bool done = child->wait()->ok();
    std::printf("cp, attempt %d: %s\n", attempt, done ? "done" : "refused");
    if (done) break;

    const auto model = nono::model_of(policy, nono::sandbox_target::child);
    if (!model) return 1;
    const nono::question asked{nono::operation::create, copy};
    std::printf("  %s\n", shown(model->explain(asked)).c_str());
    for (const nono::suggested_grant& g : nono::missing_grants(model->ask(asked))) {
      std::printf("  granted: %s\n", shown(g.path).c_str());
      if (!policy.allow_path(g.path, g.rights)) return 1;
    }
  }
  fs::remove_all(data);
}
