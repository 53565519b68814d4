// SPDX-License-Identifier: Apache-2.0
// `nono setup`: what this system can enforce, asked and tried.
#pragma once

namespace nono::cli {

/// Prints the check on standard output. 0 when enforcement was seen, 1 when not.
int check_setup(int verbose);

}  // namespace nono::cli
