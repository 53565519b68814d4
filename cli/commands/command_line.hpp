// SPDX-License-Identifier: Apache-2.0
// The command line: sub commands, flags and their environment variables.
#pragma once

namespace nono::cli {

/// Parses and runs. Returns the exit code; 2 for a usage error.
int main(int argc, char** argv);

}  // namespace nono::cli
