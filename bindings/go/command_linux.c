// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (amd64 || arm64)

// The child's half of Command: before the Go runtime starts, while there is one thread, the process confines itself and
// becomes the program that was asked for. Whatever is not as it should be ends the process; nothing of the Go program runs.
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command_linux.h"
#include "nono.h"

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));  // the linker's: of what this is linked into

enum { descriptor = 3, cannot_confine = 126, not_found = 127 };

int nono_command_is_possible(void) {
  return (unsigned long)&__ehdr_start + __ehdr_start.e_phoff == getauxval(AT_PHDR);
}

__attribute__((noreturn)) static void give_up(int status, const char *what, const char *path, const char *why) {
  dprintf(STDERR_FILENO, "nono: %s%s%s: %s\n", what, *path == '\0' ? "" : " ", path, why);
  _exit(status);
}

// The arguments, which lie before the environment where the kernel put both: not every C library hands them to a constructor,
// and /proc may be closed. NULL where somebody has moved the environment already.
static char **arguments(void) {
  char **at = environ - 1;
  if (*at != NULL) return NULL;
  // Up to the word that counts those passed: no address is as small.
  for (size_t count = 0; at[-1] != (char *)count; ++count) --at;
  return at;
}

// The dynamic linker loads and writes what these name before anything here can confine it.
static const char *linker_variable(void) {
  for (char **variable = environ; *variable != NULL; ++variable)
    if (strncmp(*variable, "LD_", 3) == 0) return *variable;
  return NULL;
}

// Reads the message; gives the path, or NULL.
static const char *message(int *ruleset, int *plan) {
  static char text[sizeof NONO_COMMAND_MARK + 4096];
  const size_t mark = sizeof NONO_COMMAND_MARK - 1;
  union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control;
  struct iovec place = {text, sizeof text};
  struct msghdr in = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  const ssize_t got = recvmsg(descriptor, &in, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 || (in.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return NULL;
  const struct cmsghdr *const rights = CMSG_FIRSTHDR(&in);
  if (rights == NULL || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(2 * sizeof(int)))
    return NULL;
  memcpy(ruleset, CMSG_DATA(rights), sizeof *ruleset);
  memcpy(plan, CMSG_DATA(rights) + sizeof *ruleset, sizeof *plan);
  if ((size_t)got < mark + 2 || memcmp(text, NONO_COMMAND_MARK, mark) != 0) return NULL;
  // One NUL, at the end.
  return strnlen(text + mark, (size_t)got - mark) == (size_t)got - mark - 1 ? text + mark : NULL;
}

__attribute__((constructor)) static void become_the_command(void) {
  const char *const started_as = (const char *)getauxval(AT_EXECFN);
  if (started_as == NULL || strcmp(started_as, NONO_COMMAND_PATH) != 0) return;
  // Who starts a program that runs with the rights of another user must not choose what it becomes.
  if (getauxval(AT_SECURE) != 0)
    give_up(cannot_confine, "cannot start a command", "", "this program gains rights when it is started");
  int ruleset = -1, plan = -1;
  const char *const path = message(&ruleset, &plan);
  if (path == NULL)
    give_up(cannot_confine, "cannot start a command", "",
            "descriptor 3 is not what nono.Command put first into ExtraFiles, or it was used already");
  const char *const variable = linker_variable();
  if (variable != NULL) {
    dprintf(STDERR_FILENO,
            "nono: cannot run %s: the dynamic linker would follow %.*s before the sandbox is closed: take it out of Cmd.Env, "
            "or set it inside, with env(1)\n",
            path, (int)strcspn(variable, "="), variable);
    _exit(cannot_confine);
  }
  char **const argv = arguments();
  if (argv == NULL) give_up(cannot_confine, "cannot run", path, "the arguments cannot be found");
  if (nono_sandbox_enter(ruleset, plan) != NONO_ERROR_CODE_OK)
    give_up(cannot_confine, "cannot confine", path, strerror(errno));
  close(ruleset);
  close(plan);
  close(descriptor);
  execve(path, argv, environ);
  if (errno == EACCES)
    give_up(cannot_confine, "cannot run", path,
            "permission denied (the sandbox must grant reading the program and its interpreter)");
  give_up(errno == ENOENT ? not_found : cannot_confine, "cannot run", path, strerror(errno));
}
