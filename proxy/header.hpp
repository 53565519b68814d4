// SPDX-License-Identifier: Apache-2.0
// The bytes of a request's header, looked at before any parser is: what two parsers could read in two ways is refused.
#pragma once

#include <cstddef>
#include <string_view>

namespace nono::proxy {

/// The largest header block in bytes; RFC 9110 leaves it to each server.
inline constexpr std::size_t max_header = 65536;

/// Where the header block ends (behind its empty line); 0: not yet. looked_at: so many bytes were known to hold no end.
std::size_t end_of_header(std::string_view bytes, std::size_t looked_at = 0);

/// True when a line ends with LF alone: the end of such a block would never come.
bool has_bare_line_end(std::string_view bytes, std::size_t looked_at = 0);

/// What is wrong with a whole header block, as the end of a sentence; empty: nothing. Refused are line ends that are not CRLF,
/// folded lines, control bytes, malformed names, a second Host or Content-Length, a length that is no number, a transfer coding
/// other than chunked, and both together. Source: RFC 9112, sections 2.2, 5 and 6; RFC 9110, 5.5 and 5.6.2.
std::string_view fault_of_header(std::string_view block);

bool has_control_byte(std::string_view text);

/// True for what can be the name of a field. Source: RFC 9110, 5.6.2.
bool is_field_name(std::string_view text);

/// True when the value of Proxy-Authorization presents the token: `Bearer T`, or `Basic` with T as the password of any user.
/// The comparison takes the same time wherever they differ.
bool presents(std::string_view authorization, std::string_view token);

/// True when a header's value carries the token: alone, behind a word such as `Bearer` or `token`, or as in presents().
bool carries(std::string_view value, std::string_view token);

/// Compares in a time that does not depend on where they differ. False where `b` is empty.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace nono::proxy
