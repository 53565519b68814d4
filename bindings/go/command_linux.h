// SPDX-License-Identifier: Apache-2.0
// What the two halves of Command agree on: the Go one in the parent, the C one in the child.

// By this name a program of this package is started anew for a command: /proc/self/exe, spelt as nobody else would. The
// kernel hands the spelling to the child. Unlike a variable it does not depend on what the caller puts into Cmd.Env.
#define NONO_COMMAND_PATH "/proc/self/task/../exe"

// The message that waits in descriptor 3, the first of Cmd.ExtraFiles: this mark, the path of the program, a NUL, and as
// SCM_RIGHTS the two descriptors of nono_sandbox_prepare().
#define NONO_COMMAND_MARK "nono-go1"

// Whether this code is in the program itself, and not in a library that another program loads.
int nono_command_is_possible(void);
