// SPDX-License-Identifier: Apache-2.0
// Any text as a stored state: what is read is written in a form that is read again and written alike.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nono/json/state.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto state = nono::sandbox_state::from_json({reinterpret_cast<const char*>(data), size});
  if (!state) return state.error().message().empty() ? std::abort(), 1 : 0;
  const auto text = state->to_json();
  if (!text) return 0;
  const auto again = nono::sandbox_state::from_json(*text);
  if (!again) std::abort();
  if (const auto twice = again->to_json(); !twice || *twice != *text) std::abort();
  if (const auto caps = state->to_caps(); !caps && caps.error().message().empty()) std::abort();
  return 0;
}
