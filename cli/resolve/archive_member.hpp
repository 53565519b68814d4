// SPDX-License-Identifier: Apache-2.0
// One file of a zip archive, such as a jar: what a Java tool is set up for by default stands in there.
#pragma once

#include <cstddef>
#include <string>

namespace nono::cli {

/// The start of the file `name` of `archive`, at most `limit` bytes of it; empty where there is none, or it cannot be read.
/// archive: a path of a regular file; never waits for a FIFO.
/// On macOS always empty: hosts are not filtered there.
std::string archive_member(const std::string& archive, const char* name, std::size_t limit);

}  // namespace nono::cli
