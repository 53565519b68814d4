// SPDX-License-Identifier: Apache-2.0
// An environment of a test's own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cli/resolve/toolchain.hpp"

namespace nono_test {

using variables = std::map<std::string, std::string, std::less<>>;

/// A view of `values`, which must live longer.
inline nono::cli::environment_view view_of(const variables& values) {
  return [&values](std::string_view name) -> std::optional<std::string_view> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

}  // namespace nono_test
