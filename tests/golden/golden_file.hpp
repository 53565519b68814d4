// SPDX-License-Identifier: Apache-2.0
// Whole texts against files beside this one. NONO_UPDATE_GOLDEN=1 writes those anew; the review is their diff.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#ifndef NONO_TESTS_DIR
#define NONO_TESTS_DIR "tests"
#endif

namespace nono_test {

inline void compare_with_golden(std::string_view name, const std::string& text) {
  const std::string file = std::string(NONO_TESTS_DIR "/golden/").append(name);
  INFO(file);
  if (std::getenv("NONO_UPDATE_GOLDEN") != nullptr) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    CHECK(out.good());
    return;
  }
  std::ifstream in(file, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), "missing: run once with NONO_UPDATE_GOLDEN=1");
  const std::string golden{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  CHECK(text == golden);
}

}  // namespace nono_test
