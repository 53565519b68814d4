// SPDX-License-Identifier: Apache-2.0
// A command line that cannot be used, in one sentence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace nono::cli {

/// The command that the words led to, as it is typed: "nono", "nono profile show".
std::string command_of(const CLI::App& app);

/// What CLI11 found wrong: what was refused, and what would be right. words: all that were parsed.
std::string words_of(const CLI::App& app, const CLI::ParseError& why, const std::vector<std::string>& words);

/// Says what is wrong and where the flags of `command` are listed. Gives the exit code.
int usage_error(std::string_view message, std::string_view command);

}  // namespace nono::cli
