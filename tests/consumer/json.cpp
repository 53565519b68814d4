// SPDX-License-Identifier: Apache-2.0
// Of nono::json alone, without exceptions: what is wrong in a text is a value.
#include <nono/json/profile.hpp>
#include <nono/json/state.hpp>
#include <nono/nono.hpp>

#include <cstdio>

nono::result<std::string> stored(const nono::policy_ref& policy);

constexpr auto policy = nono::caps().allow_path<nono::read>("/usr").network(nono::blocked).strict();

int main() {
  const auto text = stored(policy);
  if (!text) return std::puts(text.error().message().c_str()), 1;
  const auto caps = nono::sandbox_state::from_json(*text)->to_caps();
  if (!caps || to_text(caps->ref()) != to_text(policy.ref())) return 1;
  std::puts(nono::sandbox_state::from_json("{\"fs\": [}").error().message().c_str());
  std::puts(nono::parse_profile("{\"metta\": 1, }", "x").error().message().c_str());
  return nono::sandbox_state::from_json("[1e999, \"\xff\"]").has_value() ? 1 : 0;
}
