// SPDX-License-Identifier: Apache-2.0
#include <nono/json/profile_schema.hpp>
#include <nono/json/state.hpp>

nono::result<std::string> stored(const nono::policy_ref& policy);
nono::result<std::string> stored(const nono::policy_ref& policy) {
  const auto state = nono::sandbox_state::from(policy);
  return state ? state->to_json() : nono::result<std::string>(state.error());
}
