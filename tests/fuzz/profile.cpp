// SPDX-License-Identifier: Apache-2.0
// Any text as a profile: read or refused, merged by the laws of merge, and the same when it is written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nono/json/profile.hpp>
#include <nono/json/profile_writer.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const nono::system_facts here = nono::facts_of_os_release("ID=debian\nVERSION_ID=12\n");
  (void)nono::holds(text, here);
  (void)nono::facts_of_os_release(text);
  const auto p = nono::parse_profile(text, "x", here);
  if (!p) return p.error().message().empty() ? std::abort(), 1 : 0;
  if (!(nono::merge(*p, {}).deny == p->deny) || !(nono::merge({}, *p).read == p->read)) std::abort();
  if (!(nono::merge(*p, *p) == *p)) std::abort();
  nono::profile plain = *p;
  plain.legacy.clear();
  plain.warnings.clear();
  const auto again = nono::parse_profile(nono::to_json(*p), "x", here);
  if (!again || !(*again == plain)) std::abort();
  return 0;
}
