// SPDX-License-Identifier: Apache-2.0
// A policy as a JSON text: written by one process, restored by another. What the reference's keys can say is written as
// the reference writes it, byte for byte; the rest stands under the one key "nono", and in the others in a stricter form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nono/bind.hpp>
#include <nono/bound_policy.hpp>
#include <nono/capability_set.hpp>
#include <nono/error.hpp>
#include <nono/json/state_data.hpp>
#include <nono/json/state_reader.hpp>
#include <nono/json/state_writer.hpp>
#include <nono/policy.hpp>

namespace nono {

/// A policy with what its paths led to when it was taken, ready to be written or restored.
class sandbox_state {
 public:
  /// Takes a policy: caps(), capability_set, or what stands for them. Paths are looked up now; nothing is kept open.
  /// bindings: values of declared variables. Paths under one that has none are kept by name alone.
  /// pins:     by_inode: restoring also wants the same device and inode at every path.
  /// Errors:   what building the policy broke; variable_bad_value, variable_unknown, path_too_long,
  ///           path_not_accessible.
  static result<sandbox_state> from(const policy_ref& policy, std::span<const binding> bindings = {},
                                    pinning pins = pinning::by_name) {
    sandbox_state out;
    if (error why = detail::state_taker(bindings, pins).take(policy, out.data); why.code != errc::none)
      return why;
    return out;
  }
  static result<sandbox_state> from(const policy_ref& policy, std::initializer_list<binding> bindings,
                                    pinning pins = pinning::by_name) {
    return from(policy, std::span(bindings.begin(), bindings.size()), pins);
  }

  /// Takes a policy that is bound already, without looking at any file: its grants and denies by the paths that they have
  /// now, with what they led to when it was bound. What was skipped or covered by wider grants is left out.
  static sandbox_state from(const bound_policy& policy) {
    sandbox_state out;
    detail::take_bound(policy, out.data);
    return out;
  }

  /// Reads a text of to_json() or of the reference. Looks at no file.
  /// Errors: json_malformed and its kind, with line and column; state_version_unknown; state_contradicts_itself where the
  ///         key "nono" and the reference's keys do not say the same.
  static result<sandbox_state> from_json(std::string_view text) {
    sandbox_state out;
    if (error why = detail::state_reader().read(text, out.data); why.code != errc::none) return why;
    return out;
  }

  /// The text, without a newline at its end; the same state gives the same bytes.
  /// Errors: state_path_not_utf8; json_too_large: 4 MiB are what from_json() reads.
  [[nodiscard]] result<std::string> to_json() const { return detail::state_writer(data).text(); }

  /// The policy again, by name. Each path must lead to what it led to when the state was taken, and where it was pinned
  /// to the same file; between here and apply() that can change once more, as with any policy by name.
  /// bindings: as those of from(): a path under a variable that had a value then needs one now.
  /// Errors:   state_path_moved, state_file_replaced, path_not_found (a path that must exist and was there),
  ///           state_not_restorable (a memory limit, sockets of one directory alone, an unknown access word), and those
  ///           of capability_set.
  [[nodiscard]] result<capability_set> to_caps(std::span<const binding> bindings = {}) const {
    capability_set out;
    if (error why = detail::state_restorer(bindings).restore(data, out); why.code != errc::none) return why;
    return out;
  }
  [[nodiscard]] result<capability_set> to_caps(std::initializer_list<binding> bindings) const {
    return to_caps(std::span(bindings.begin(), bindings.size()));
  }

  stored_policy data;  ///< what is written, as plain data
};

}  // namespace nono
