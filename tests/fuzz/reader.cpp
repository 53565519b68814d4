// SPDX-License-Identifier: Apache-2.0
// Any text: a tree, or an error with its place. What is JSON without comments is the same with them welcome.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nono/json/reader.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto strict = nono::read_json(text, "x");
  const auto relaxed = nono::read_json(text, "x", {.relaxed = true});
  if (strict && !relaxed) std::abort();
  if (!relaxed && relaxed.error().message().find("x: ") != 0) std::abort();
  return 0;
}
