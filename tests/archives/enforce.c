/* SPDX-License-Identifier: Apache-2.0
   A program that confines itself by the archive, as small as one may be: enforce DIRECTORY. What is granted opens before and
   after, what is not opens before and is refused after; so are sockets. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nono/c/nono.h>

/* 0 or errno. */
static int opens(const char *directory, const char *name, int flags) {
  char path[4096];
  int fd;
  snprintf(path, sizeof path, "%s/%s", directory, name);
  fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int connects(void) {
  struct sockaddr_in to;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  int why = 0;
  if (fd < 0) return errno;
  memset(&to, 0, sizeof to);
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) why = errno;
  close(fd);
  return why;
}

static int seen;
static void expect(const char *what, int got, int wanted) {
  if (got == wanted) return;
  fprintf(stderr, "enforce: %s: %s, and not %s\n", what, strerror(got), strerror(wanted));
  seen = 1;
}

int main(int argc, char **argv) {
  struct NonoCapabilitySet *caps = nono_capability_set_new();
  char granted[4096];
  int refused;
  if (argc != 2) return fprintf(stderr, "usage: enforce DIRECTORY, which holds granted/ and file\n"), 2;
  snprintf(granted, sizeof granted, "%s/granted", argv[1]);
  expect("the granted file before", opens(argv[1], "granted/file", O_RDONLY), 0);
  expect("the other file before", opens(argv[1], "file", O_RDONLY), 0);
  refused = connects();
  expect("a connection before", refused, ECONNREFUSED);
  if (nono_capability_set_allow_path(caps, granted, NONO_ACCESS_MODE_READ) != NONO_ERROR_CODE_OK ||
      nono_capability_set_set_network_blocked(caps, true) != NONO_ERROR_CODE_OK ||
      nono_sandbox_apply(caps) != NONO_ERROR_CODE_OK) {
    char *why = nono_last_error();
    fprintf(stderr, "enforce: %s\n", why ? why : "no message");
    return 1;
  }
  nono_capability_set_free(caps);
  expect("the granted file", opens(argv[1], "granted/file", O_RDONLY), 0);
  expect("writing the granted file", opens(argv[1], "granted/file", O_WRONLY), EACCES);
  expect("a new file beside it", opens(argv[1], "granted/new", O_WRONLY | O_CREAT), EACCES);
  expect("the other file", opens(argv[1], "file", O_RDONLY), EACCES);
  refused = connects();
  if (refused != EACCES && refused != EPERM) expect("a connection", refused, EACCES);
  if (!seen) puts("enforced");
  return seen;
}
