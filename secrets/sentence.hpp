// SPDX-License-Identifier: Apache-2.0
// The errors of this room: their words are the whole message.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include <nono/error.hpp>

namespace nono::secrets {

/// text: one sentence: what was refused, by which rule, and the smallest thing that would change it.
inline error refusal(std::string text) { return {errc::bad_argument, 0, {}, {}, std::move(text)}; }

/// The same of a secret that is not there: not_found() knows it.
inline error missing(std::string text) { return {errc::bad_argument, ENOENT, {}, {}, std::move(text)}; }

/// The text so that it can forge neither a line nor a terminal sequence, without quotes around it.
inline std::string plain(std::string_view text) {
  const std::string within = nono::detail::quoted(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < within.size(); ++i) {
    if (within[i] == '\\' && within[i + 1] == '\'')
      continue;  // a quote needs no escape where none stand around
    out += within[i];
  }
  return out;
}

}  // namespace nono::secrets
