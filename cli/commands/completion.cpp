// SPDX-License-Identifier: Apache-2.0
// Which shells there are scripts for.
#include "cli/commands/completion.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/resolve/program.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

std::string check_shell(std::string_view shell) {
  if (std::find(std::begin(completion_shells), std::end(completion_shells), shell) !=
      std::end(completion_shells))
    return {};
  if (shell == "powershell" || shell == "pwsh")
    return "there is no completion for powershell; name bash, zsh or fish";
  return fmt::format("there is no completion for the shell {}; name bash, zsh or fish", in_quotes(shell));
}

int print_completion(std::string_view shell, const command_entry& root) {
  return print(shell == "bash"  ? bash_completion(root)
               : shell == "zsh" ? zsh_completion(root)
                                : fish_completion(root));
}

}  // namespace nono::cli
