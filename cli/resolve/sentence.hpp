// SPDX-License-Identifier: Apache-2.0
// An error of the command's own: its words are the whole message.
#pragma once

#include <string>
#include <utility>

#include <nono/error.hpp>

namespace nono::cli {

/// text: one sentence: what was refused, by which rule, and the smallest thing that would change it.
inline error sentence(std::string text) { return {errc::bad_argument, 0, {}, {}, std::move(text)}; }

}  // namespace nono::cli
