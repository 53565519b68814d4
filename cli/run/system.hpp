// SPDX-License-Identifier: Apache-2.0
// What differs between systems when a command is run: the proxy, the command itself, and who may look at this process.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nono/error.hpp>

namespace nono::cli {

struct run_options;
struct started;

/// Where the proxy listens in this system's network, that socket is made now.
/// Errors: bad_argument with a sentence, where this system has no proxy too.
error open_gate(started& p);

/// Starts the proxy of a run that names hosts. Errors: bad_argument with a sentence.
error start_proxy(const run_options& options, started& p);

/// What tells the command where the proxy is.
void add_proxy_variables(started& p, std::vector<std::pair<std::string, std::string>>& variables);

/// Starts the command confined, and waits for it. Returns the exit code of `nono run`.
int start_and_watch(const run_options& options, started& p, bool observed);

/// Confines this process and executes the command in its place; returns only on failure, with the exit code.
int confine_and_become(const run_options& options, started& p);

/// Whether others of this user may look at the memory of this process. Only Linux has a switch for it.
void set_dumpable(bool may) noexcept;

}  // namespace nono::cli
