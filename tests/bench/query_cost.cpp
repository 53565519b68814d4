// SPDX-License-Identifier: Apache-2.0
// What a question costs beyond looking at its path, at 10 to 4,000 grants: it must not grow with them.
//
//   query_cost DIRECTORY   directories to grant are made below DIRECTORY
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <nono/nono.hpp>

#include "measure.hpp"

namespace {

[[noreturn]] void stop(const char* step) {
  std::perror(step);
  std::_Exit(1);
}

void row(const std::string& below, int grants) {
  std::vector<std::string> paths;
  nono::capability_set set;
  for (int i = 0; i < grants; ++i) {
    char name[16];
    std::snprintf(name, sizeof name, "/d%04d", i);
    paths.push_back(below + name);
    if (::mkdir(paths.back().c_str(), 0755) != 0 && errno != EEXIST) stop(paths.back().c_str());
    if (!set.allow_path(paths.back(), nono::read)) stop("allow_path");
  }
  const auto model = nono::model_of(set, nono::sandbox_target::this_process);
  if (!model) stop(model.error().message().c_str());
  const nono::query query(model->policy(), model->report(), nono::privileges::as_they_are);
  const std::string& granted = paths[paths.size() / 2];
  const std::string refused = below;
  const nono::look_request how{true, 4, false, nono::privileges::as_they_are};
  std::vector<double> looks;
  std::vector<double> decides;
  std::vector<double> asks;
  const nono::question questions[] = {{nono::operation::list, granted}, {nono::operation::list, refused}};
  constexpr int rounds = 400;
  constexpr int inner = 20;
  std::size_t allowed = 0;
  for (int i = 0; i < rounds; ++i) {
    const nono::question& q = questions[i % 2];
    const double a = bench::now();
    for (int k = 0; k < inner; ++k) allowed += nono::look(q.path, how).exists ? 1 : 0;
    const double b = bench::now();
    for (int k = 0; k < inner; ++k) allowed += query.ask(q).allowed() ? 1 : 0;
    const double c = bench::now();
    const nono::place at = nono::look(q.path, how);
    const double d = bench::now();
    for (int k = 0; k < inner; ++k) allowed += query.decide(q, at, nullptr).allowed() ? 1 : 0;
    const double e = bench::now();
    looks.push_back((b - a) / inner);
    asks.push_back((c - b) / inner);
    decides.push_back((e - d) / inner);
  }
  if (allowed == 0) stop("nothing was allowed");
  std::printf("  %6d grants   look %6.2f us   ask %6.2f us   decide alone %5.2f us\n", grants,
              bench::median(looks), bench::median(asks), bench::median(decides));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: query_cost DIRECTORY\n");
    return 2;
  }
  for (const int grants : {10, 100, 1000, 4000}) row(argv[1], grants);
}
