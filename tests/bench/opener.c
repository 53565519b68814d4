// SPDX-License-Identifier: Apache-2.0
// The worst case for watching: opens and closes one file COUNT times and prints microseconds per open.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const long count = atol(argv[1]);
  struct timespec from;
  struct timespec to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (long i = 0; i < count; ++i) {
    const int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      perror(argv[2]);
      return 1;
    }
    close(fd);
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  const double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
  printf("%.3f\n", ns / 1000 / (double)count);
  return 0;
}
