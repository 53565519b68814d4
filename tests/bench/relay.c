// SPDX-License-Identifier: Apache-2.0
// The floor of any proxy: takes connections on 127.0.0.1, prints the port, and moves bytes between each of them and
// ADDRESS PORT, with no more calls than that needs. One thread, blocking sends.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most = 1024 };
static int other[most];  // the descriptor at the far end of this one
static int loop;

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
}

static void join(int client, const struct sockaddr_in* to) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  if (client >= most || server >= most || connect(server, (const struct sockaddr*)to, sizeof *to) != 0) exit(1);
  const int one = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  other[client] = server;
  other[server] = client;
  watch(client);
  watch(server);
}

static void move(int from) {
  static char room[1 << 18];
  const int to = other[from];
  if (to < 0) return;  // ended in the same turn
  const ssize_t got = recv(from, room, sizeof room, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {  // one side has ended: so do both
    other[to] = other[from] = -1;
    close(to);
    close(from);
    return;
  }
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t n = send(to, room + sent, (size_t)(got - sent), MSG_NOSIGNAL);
    if (n < 0) return;
    sent += n;
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  const int door = socket(AF_INET, SOCK_STREAM, 0);
  if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || bind(door, (struct sockaddr*)&at, sizeof at) != 0 ||
      listen(door, 64) != 0 || getsockname(door, (struct sockaddr*)&at, &size) != 0)
    return 1;
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  loop = epoll_create1(0);
  watch(door);
  for (;;) {
    struct epoll_event ready[64];
    const int n = epoll_wait(loop, ready, 64, -1);
    for (int i = 0; i < n; ++i) {
      if (ready[i].data.fd == door)
        join(accept(door, NULL, NULL), &to);
      else
        move(ready[i].data.fd);
    }
  }
}
