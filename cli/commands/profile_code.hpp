// SPDX-License-Identifier: Apache-2.0
// A resolved policy as C++ source, in the words of nono::caps(): what a profile comes to, for a program to be built with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/policy.hpp>

namespace nono::cli {

struct policy_code {
  std::string text;                 ///< a header
  std::vector<std::string> unsaid;  ///< a sentence for each rule that nono::caps() has no word for
};

/// A string literal of C++ with exactly these bytes, which holds no NUL: printable ASCII of one line, whatever they are.
std::string literal_of(std::string_view bytes);

/// The profile's name as the beginning of an identifier.
std::string identifier_of(std::string_view name);

/// The code. name: of the profile. remarks: lines for its head, of printable ASCII.
/// policy: without variables of its own. bound: the same policy bound here, which tells what gave way to a deny: that is
///         left out, with a comment, because code knows no giving way.
policy_code code_of(std::string_view name, const policy_ref& policy, const bound_policy& bound,
                    const std::vector<std::string>& remarks);

}  // namespace nono::cli
