// SPDX-License-Identifier: Apache-2.0
// A host's name in any language, as DNS has it.
#pragma once

#include <string>
#include <string_view>

#include <nono/error.hpp>

namespace nono::cli {

/// True where some of the text is not ASCII.
bool is_international(std::string_view text);

/// The name as check_host() takes it, with xn-- for what is not ASCII, as browsers do it (UTS 46, nontransitional). A
/// `*.` before it stays. A text of ASCII comes back as it is, unchecked.
/// from: who said it, for the sentence.
/// Errors: bad_argument with a sentence; on macOS, where no hosts are filtered, for each name that is not ASCII.
result<std::string> to_dns_name(std::string_view name, std::string_view from);

}  // namespace nono::cli
