// SPDX-License-Identifier: Apache-2.0
// What a supervisor adds to a call that it decides, and to those that it does not: the same worker beside one and
// without, in turns.
//
//   supervisor_cost DIRECTORY   files and sockets are made below DIRECTORY
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/nono.hpp>

#include "measure.hpp"

namespace {

constexpr int calls_per_round = 2000;
constexpr int rounds = 15;

int connect_to(int family, const sockaddr* address, socklen_t length) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int got = ::connect(fd, address, length);
  ::close(fd);
  return got;
}

/// One kind of call; the program ends when it fails.
struct call {
  std::string_view name;
  std::function<long()> make;
};

/// Prints the median of each kind in microseconds, a word each.
int work(const std::string& directory) {
  const std::string file = directory + "/file";
  const int read = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const int written = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  const std::string name = directory + "/socket";
  std::memcpy(at.sun_path, name.c_str(), name.size());
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  (void)::unlink(name.c_str());
  sockaddr_in ip{};
  ip.sin_family = AF_INET;
  ip.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof ip;
  const int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  auto* address = reinterpret_cast<sockaddr*>(&ip);
  if (read < 0 || written < 0 || ::bind(server, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(server, 4096) != 0 || ::bind(tcp, address, sizeof ip) != 0 || ::listen(tcp, 4096) != 0 ||
      ::getsockname(tcp, address, &length) != 0)
    return 1;
  const auto drain = [](int fd) {
    for (int got = 0; (got = ::accept(fd, nullptr, nullptr)) >= 0;) ::close(got);
  };
  const call kinds[] = {
      {"chmod", [&] { return ::chmod(file.c_str(), 0600); }},
      {"fchmod-read", [&] { return ::fchmod(read, 0600); }},
      {"fchmod-written", [&] { return ::fchmod(written, 0600); }},
      {"connect-unix", [&] { return connect_to(AF_UNIX, reinterpret_cast<sockaddr*>(&at), sizeof at); }},
      {"connect-tcp", [&] { return connect_to(AF_INET, address, sizeof ip); }},
      {"open", [&] { return ::close(::open(file.c_str(), O_RDONLY | O_CLOEXEC)); }},
      {"stat", [&] {
         struct stat st{};
         return ::stat(file.c_str(), &st);
       }}};
  for (const call& c : kinds) {
    std::vector<double> times;
    for (int i = 0; i < calls_per_round; ++i) {
      const double from = bench::now();
      const long got = c.make();
      times.push_back(bench::now() - from);
      if (got != 0) {
        std::fprintf(stderr, "%s: %s\n", std::string(c.name).c_str(), std::strerror(errno));
        return 1;
      }
      if (i % 256 == 0) {
        drain(server);
        drain(tcp);
      }
    }
    std::printf("%s %.3f\n", std::string(c.name).c_str(), bench::median(times));
  }
  return 0;
}

std::string read_all(int fd) {
  std::string out;
  char part[512];
  for (ssize_t n = 0; (n = ::read(fd, part, sizeof part)) > 0;) out.append(part, static_cast<std::size_t>(n));
  return out;
}

/// The worker's words and numbers; empty when it failed.
template <class Spawn>
std::vector<std::pair<std::string, double>> measured(Spawn&& spawn) {
  std::vector<std::pair<std::string, double>> out;
  auto child = spawn();
  if (!child) {
    std::fprintf(stderr, "%s\n", child.error().message().c_str());
    return out;
  }
  const std::string text = read_all(child->out());
  const auto status = child->wait();
  if (!status || !status->ok()) return out;
  char name[32];
  double value = 0;
  int used = 0;
  for (const char* at = text.c_str(); std::sscanf(at, "%31s %lf\n%n", name, &value, &used) == 2; at += used)
    out.emplace_back(name, value);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "work") return work(argv[2]);
  if (argc != 2) {
    std::fprintf(stderr, "usage: supervisor_cost DIRECTORY\n");
    return 2;
  }
  const std::string directory = std::string(argv[1]) + "/supervised";
  (void)::mkdir(directory.c_str(), 0700);
  ::close(::open((directory + "/file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  char self[4096];
  const ssize_t n = ::readlink("/proc/self/exe", self, sizeof self - 1);
  self[n < 0 ? 0 : n] = '\0';

  nono::capability_set policy;
  policy.group(nono::groups::system_read);
  if (!policy.allow_file<nono::read>(self) || !policy.allow_path<nono::read_write>(directory)) return 1;
  const std::vector<std::string_view> words{self, "work", directory};
  nono::spawn_options options;
  options.out = nono::stream::pipe();

  std::vector<std::string> names;
  std::vector<std::vector<double>> plain;
  std::vector<std::vector<double>> beside;
  for (int round = 0; round < rounds; ++round)
    for (int turn = 0; turn < 2; ++turn) {
      const bool supervised = (round + turn) % 2 == 0;
      const auto got =
          supervised ? measured([&] { return nono::spawn_supervised(policy, std::span(words), options); })
                     : measured([&] { return nono::spawn(policy, std::span(words), options); });
      if (got.empty()) return 1;
      auto& side = supervised ? beside : plain;
      side.resize(got.size());
      names.resize(got.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        names[i] = got[i].first;
        side[i].push_back(got[i].second);
      }
    }
  std::printf("  %-18s %9s %11s %9s %8s\n", "us, medians", "alone", "supervised", "adds", "ratio");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto adds = bench::in_pairs(beside[i], plain[i], [](double a, double b) { return a - b; });
    const auto ratio = bench::in_pairs(beside[i], plain[i], [](double a, double b) { return a / b; });
    std::printf("  %-18s %9.2f %11.2f %9.2f %8.2f\n", names[i].c_str(), bench::median(plain[i]),
                bench::median(beside[i]), bench::median(adds), bench::median(ratio));
  }
  return 0;
}
