// SPDX-License-Identifier: Apache-2.0
// Unix sockets of services outside every grant: stand-ins for docker, tmux, ssh-agent, D-Bus and the Secret Service.
#include <fcntl.h>
#include <unistd.h>

#include "ring.hpp"
#include "sockets.hpp"

namespace attempts {
namespace {

address stream(const facts& f) { return unix_path(f.outside("stream")); }
address datagram(const facts& f) { return unix_path(f.outside("datagram")); }

int stream_socket() { return make_socket(AF_UNIX, SOCK_STREAM); }
int datagram_socket() { return make_socket(AF_UNIX, SOCK_DGRAM); }

void connect_by_ring(const facts& f) {
  ring r;
  const address to = stream(f);
  const int fd = stream_socket();
  ask_by_ring(r, fd, to);
}

void from_a_pair(const facts& f) {
  int ends[2];
  check("socketpair", ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends));
  send_to(ends[0], datagram(f));
}

void by_relative_name(const facts& f) {
  check("chdir", ::chdir(f.outside(".").c_str()));
  ask(stream_socket(), unix_path("stream"));
}

void by_path_descriptor(const facts& f) {
  const int fd = open_file(f.outside("stream"), O_PATH);
  ask(stream_socket(), unix_path("/proc/self/fd/" + std::to_string(fd)));
}

/// The server gives away a descriptor of a secret file.
void receive_descriptor(const facts& f) {
  const int fd = stream_socket();
  connect_to(fd, stream(f));
  check("send", ::send(fd, "descriptor", 10, MSG_NOSIGNAL));
  char byte = 0;
  iovec piece{&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  check("recvmsg", ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS)
    throw stopped{"recvmsg: no descriptor came", EBADF};
  int given = -1;
  std::memcpy(&given, CMSG_DATA(header), sizeof given);
  print_from(given);
}

constexpr attempt all[] = {
    {"unix_stream", proof::secret, "connects to a stream socket by its path",
     [](const facts& f) { ask(stream_socket(), stream(f)); }},
    {"unix_seqpacket", proof::secret, "connects to a sequenced packet socket by its path",
     [](const facts& f) { ask(make_socket(AF_UNIX, SOCK_SEQPACKET), unix_path(f.outside("seqpacket"))); }},
    {"unix_relative", proof::secret, "connects by a relative name, from the directory outside",
     by_relative_name},
    {"unix_by_symlink", proof::secret, "connects by a symbolic link in the work directory",
     [](const facts& f) { ask(stream_socket(), unix_path(f.work("link_to_socket"))); }},
    {"unix_by_own_root", proof::secret, "connects by way of /proc/self/root",
     [](const facts& f) { ask(stream_socket(), unix_path("/proc/self/root" + f.outside("stream"))); }},
    {"unix_by_path_descriptor", proof::secret, "opens the socket with O_PATH, and connects to that",
     by_path_descriptor},
    {"unix_by_io_uring", proof::secret, "connects through a ring", connect_by_ring},
    {"unix_receive_descriptor", proof::secret, "connects, and is given a descriptor of a file",
     receive_descriptor},
    {"unix_datagram_connect", proof::change, "sends a datagram after connect()",
     [](const facts& f) {
       const int fd = datagram_socket();
       connect_to(fd, datagram(f));
       check("send", ::send(fd, "hello", 5, 0));
     }},
    {"unix_datagram_sendto", proof::change, "sends a datagram with sendto()",
     [](const facts& f) { send_to(datagram_socket(), datagram(f)); }},
    {"unix_datagram_sendmsg", proof::change, "sends a datagram with sendmsg()",
     [](const facts& f) { send_message(datagram_socket(), datagram(f)); }},
    {"unix_datagram_sendmmsg", proof::change, "sends a datagram with sendmmsg()",
     [](const facts& f) { send_messages(datagram_socket(), datagram(f)); }},
    {"unix_raw", proof::change, "sends a datagram from a raw socket, which is a datagram socket too",
     [](const facts& f) { send_to(make_socket(AF_UNIX, SOCK_RAW), datagram(f)); }},
    {"unix_pair", proof::change, "sends a datagram to outside from one end of a pair", from_a_pair},
    {"abstract_stream", proof::secret, "connects to an abstract stream socket",
     [](const facts& f) { ask(stream_socket(), unix_abstract(f.text("abstract_stream"))); }},
    {"abstract_seqpacket", proof::secret, "connects to an abstract sequenced packet socket",
     [](const facts& f) {
       ask(make_socket(AF_UNIX, SOCK_SEQPACKET), unix_abstract(f.text("abstract_seqpacket")));
     }},
    {"abstract_datagram", proof::change, "sends a datagram to an abstract socket",
     [](const facts& f) { send_to(datagram_socket(), unix_abstract(f.text("abstract_datagram"))); }},
    {"abstract_pair", proof::change, "sends a datagram to an abstract socket from one end of a pair",
     [](const facts& f) {
       int ends[2];
       check("socketpair", ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends));
       send_to(ends[0], unix_abstract(f.text("abstract_datagram")));
     }},
};

}  // namespace

const std::span<const attempt> unix_socket_attempts = all;

}  // namespace attempts
