// SPDX-License-Identifier: Apache-2.0
// A program that is asked for a secret: what it wrote, in memory of its own, within a time.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "secrets/secret.hpp"

namespace nono::secrets {

/// What is run.
struct errand {
  std::string program;                       ///< its path
  std::vector<std::string> words;            ///< after the program's name
  const char* const* environment = nullptr;  ///< all that it gets
  std::string_view input;                    ///< what it reads; nothing else of this process is open for it
  std::size_t room = max_secret;             ///< it is stopped when it writes more bytes
  std::chrono::milliseconds limit{30000};    ///< it is stopped when it takes longer
};

/// What came of it.
struct outcome {
  enum class ending { exited, signalled, late, too_long, not_started };
  ending how = ending::not_started;
  int code = 0;           ///< exited: its code; signalled: the signal; not_started: errno
  secret output;          ///< its standard output
  std::string last_line;  ///< of its standard error; as it was written, so not for a terminal
};

/// Runs it without a shell and waits for it; a child of its own that lives on is not waited for. Where it has to be stopped, what
/// it has started is too. On Linux it ends with this process.
outcome run_errand(const errand& what);

/// The file that PATH of this environment finds for a name, in absolute directories alone: what lies in the working
/// directory is not asked for secrets. Empty where there is none.
std::string find_on_path(std::string_view name, const char* const* environment);

/// What `of` says of the first name, met on the way along an absolute path link by link, of which it says anything.
std::string met_on_the_way(std::string_view path, const std::function<std::string(const std::string&)>& of);

/// The directories of PATH that are absolute, and of which `of` says nothing on the way to them: PATH's value for a helper,
/// which looks there for its interpreter.
std::string path_for_helpers(std::string_view path, const std::function<std::string(const std::string&)>& of);

/// The value of a variable; null where it is unset.
const char* value_in(const char* const* environment, std::string_view name);

}  // namespace nono::secrets
