// SPDX-License-Identifier: Apache-2.0
// A run until its command starts: resolved, bound, planned and said. The same on every system.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nono/error.hpp>
#include <nono/report.hpp>
#include <nono/resolve.hpp>

#include "cli/resolve/options.hpp"
#include "cli/resolve/sandbox.hpp"
#include "cli/run/host_proxy.hpp"
#include "cli/run/report_file.hpp"
#include "cli/run/scratch.hpp"

namespace nono::cli {

/// Everything that run and wrap share: what is resolved, bound and planned, and said.
struct started : sandbox {
  sandbox_target target{};
  report_file report_to;
  std::optional<scratch_directory> scratch;
  std::string start_directory;
  std::optional<host_proxy> proxy;     ///< where hosts are filtered
  nono::detail::descriptor listening;  ///< for it, in this system's network
  std::vector<std::string> environment;
  std::size_t warned = 0;  ///< how many of the warnings have been printed
};

/// Gets everything ready and says what will be in force. Errors: whose message is the sentence to print.
error prepare(const run_options& options, sandbox_target target, bool observed, started& p);

/// What a dry run has to say after prepare(). The exit code.
int end_dry_run(const run_options& options, started& p);

/// Tells the command what confines it, in a file that is its own anyhow; again, where that has changed.
/// document: of policy_document().
void offer_policy(started& p, const result<std::string>& document);

/// Prints the warnings that have come since the last time.
void print_warnings(const run_options& options, started& p);

/// What the command inherits and is told, the proxy's address last.
void build_environment(started& p);

/// What --report asks for. A report that cannot be written does not stop what runs already.
void write_report(started& p, const enforcement& report, bool in_force);

/// argv[0] is the program's path, as found.
std::vector<std::string> arguments(const run_options& options, const started& p);

/// Pointers to texts, with a null at the end, as execve() wants them.
std::vector<const char*> pointers(const std::vector<std::string>& texts);

/// What this process, confined already, does last: everything but the standard descriptors closes with it.
/// Returns only on failure, with the exit code.
int execute(const run_options& options, started& p);

/// Removes what was made for the run after its end.
void clean_up(const run_options& options, started& p);

/// 127: the program could not be executed; 126: the child could not be confined; 1: it was never started.
int exit_code_of(errc code);

/// Says what is wrong. Returns the exit code.
int complained_of(const error& why, int code = 1);

}  // namespace nono::cli
