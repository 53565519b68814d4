// SPDX-License-Identifier: Apache-2.0
// The README's table of what differs between systems is the one that the tests leave questions out by.
#include "../../sbpl/differences.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#ifndef NONO_TESTS_DIR
#define NONO_TESTS_DIR "tests"
#endif

TEST_CASE("differences: each has its place, and its row in the README") {
  std::ifstream in(NONO_TESTS_DIR "/../README.md");
  REQUIRE(in.good());
  const std::string readme{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::size_t from = readme.find("\n## macOS\n");
  REQUIRE(from != std::string::npos);
  const std::string section = readme.substr(from, readme.find("\n## ", from + 1) - from);
  std::size_t rows = 0;
  for (std::size_t at = section.find("\n| "); at != std::string::npos; at = section.find("\n| ", at + 1))
    ++rows;
  CHECK(rows == nono_test::difference_count);  // one of them is the head
  for (std::size_t i = 0; i < nono_test::difference_count; ++i) {
    const nono_test::difference_row& row = nono_test::differences[i];
    CHECK(static_cast<std::size_t>(row.id) == i);
    if (row.id == nono_test::difference::none) continue;
    const std::string line = "\n| " + std::string(row.what) + " | " + std::string(row.on_linux) + " | " +
                             std::string(row.on_macos) + " |\n";
    INFO(line);
    CHECK(section.find(line) != std::string::npos);
  }
}
