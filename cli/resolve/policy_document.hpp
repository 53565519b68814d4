// SPDX-License-Identifier: Apache-2.0
// What one run enforces as a JSON document: a stored state, and besides what it stands for. `--report` writes it for whoever
// started the run, NONO_CAP_FILE names it to whoever is inside, and `why --self` reads it there.
#pragma once

#include <string>
#include <string_view>

#include <nono/error.hpp>
#include <nono/report.hpp>

#include "cli/resolve/sandbox.hpp"

namespace nono::cli {

/// Below the scratch directory; NONO_CAP_FILE names it.
inline constexpr std::string_view policy_file_name = ".nono.json";

/// The document of a sandbox, with a line end.
/// report:   what is, or would be, enforced.
/// in_force: false for a dry run.
/// Errors:   state_path_not_utf8: JSON cannot name such a path.
result<std::string> policy_document(const sandbox& s, sandbox_target target, const enforcement& report,
                                    bool in_force);

/// The sandbox of a document again, bound and planned for this kernel, without the rules whose paths are gone.
/// path: of the document: a regular file of this user, at most 1 MiB.
/// Errors: a sentence that begins with the path; those of sandbox_state and lower().
error restore(const std::string& path, sandbox& s);

}  // namespace nono::cli
