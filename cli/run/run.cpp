// SPDX-License-Identifier: Apache-2.0
// `nono run` and `nono wrap`: prepare, then what the system does.
#include "cli/run/run.hpp"

#include "cli/run/output.hpp"
#include "cli/run/started.hpp"
#include "cli/run/system.hpp"

namespace nono::cli {

int run(const run_options& options) {
  const bool observed = options.diagnostics && !options.silent;
  started p;
  if (const error why = prepare(options, sandbox_target::supervised_child, observed, p);
      why.code != errc::none)
    return complained_of(why);
  if (options.dry_run) return end_dry_run(options, p);
  if (options.verbose > 0 && !options.silent) say("Applying sandbox...\n");
  return start_and_watch(options, p, observed);
}

int wrap(const run_options& given) {
  started p;
  run_options options = given;
  options.no_child = true;
  if (const error why = prepare(options, sandbox_target::this_process, false, p); why.code != errc::none)
    return complained_of(why);
  if (options.dry_run) return end_dry_run(options, p);
  return confine_and_become(options, p);
}

}  // namespace nono::cli
