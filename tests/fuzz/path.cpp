// SPDX-License-Identifier: Apache-2.0
// Any text as a path and as a host: what the rules let by is kept as they say, and no message holds a control byte.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nono/capability_set.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  nono::capability_set set;
  const auto added = set.allow_path(text, nono::read);
  if (added.has_value()) {
    const std::string_view kept = set.ref().rules[0].path;
    if (nono::check_path(kept) != nono::errc::none || !nono::is_plain(kept)) std::abort();
    if (!set.permits(kept, nono::read)) std::abort();
  } else {
    for (const char c : added.error().message())
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) std::abort();
  }
  const std::string_view hosts[] = {text};
  if (set.network(hosts) && set.ref().hosts[0] != text) std::abort();
  return 0;
}
