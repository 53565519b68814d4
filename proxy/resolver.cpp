// SPDX-License-Identifier: Apache-2.0
// c-ares in Asio's loop: one thread, any number of names at once.
#include "proxy/resolver.hpp"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <map>
#include <utility>

#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

// c-ares could look services up by name. Ports are numbers here, and libc's own would want its shared libraries in a static
// program: these are linked in their place.
extern "C" {
servent* getservbyname(const char*, const char*) { return nullptr; }
int getservbyport_r(int, const char*, servent*, char*, std::size_t, servent** found) {
  *found = nullptr;
  return ENOENT;
}
}

namespace nono::proxy {

namespace {

namespace asio = boost::asio;

class ares_resolver final : public resolver {
 public:
  explicit ares_resolver(asio::io_context& io) : io_(io), timer_(io) {}
  ares_resolver(const ares_resolver&) = delete;
  ares_resolver& operator=(const ares_resolver&) = delete;
  ~ares_resolver() override {
    if (channel_ != nullptr) ares_destroy(channel_);
    for (auto& [fd, watched] : watched_) watched->socket.release();
  }

  int start() {
    if (const int why = ares_library_init(ARES_LIB_INIT_ALL); why != ARES_SUCCESS) return why;
    ares_options options{};
    options.flags = ARES_FLAG_NOSEARCH;
    options.timeout = 2500;  // of each try
    options.tries = 3;
    options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
      static_cast<ares_resolver*>(self)->watch(fd, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    return ares_init_options(&channel_, &options,
                             ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  }

  void resolve(const std::string& name, answer done) override {
    auto asked = std::make_unique<question>(question{*this, std::move(done)});
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &ares_resolver::answered, asked.release());
    schedule();
  }

 private:
  struct question {
    ares_resolver& self;
    answer done;
  };
  struct watched_socket {
    asio::posix::stream_descriptor socket;
    bool wants_read = false;
    bool wants_write = false;
    bool reading = false;
    bool writing = false;
  };

  static void answered(void* context, int status, int, ares_addrinfo* found) {
    const std::unique_ptr<question> asked(static_cast<question*>(context));
    std::vector<ip_address> out;
    for (const ares_addrinfo_node* n = found != nullptr ? found->nodes : nullptr; n != nullptr;
         n = n->ai_next) {
      ip_address a;
      if (n->ai_family == AF_INET) {
        sockaddr_in at{};
        std::memcpy(&at, n->ai_addr, sizeof at);
        std::memcpy(a.bytes.data(), &at.sin_addr, 4);
      } else if (n->ai_family == AF_INET6) {
        sockaddr_in6 at{};
        std::memcpy(&at, n->ai_addr, sizeof at);
        a.is_v6 = true;
        std::memcpy(a.bytes.data(), &at.sin6_addr, 16);
      } else {
        continue;
      }
      out.push_back(a);
    }
    if (found != nullptr) ares_freeaddrinfo(found);
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
    std::string why = out.empty() ? ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA : status) : "";
    asio::post(asked->self.io_, [done = std::move(asked->done), out = std::move(out), why = std::move(why)] {
      done(out, why);
    });
  }

  void watch(int fd, bool readable, bool writable) {
    auto& at = watched_[fd];
    if (!readable && !writable) {  // c-ares closes it
      if (at) at->socket.release();
      watched_.erase(fd);
      return;
    }
    if (!at) at = std::make_shared<watched_socket>(watched_socket{asio::posix::stream_descriptor(io_, fd)});
    at->wants_read = readable;
    at->wants_write = writable;
    arm(fd, at);
  }

  void arm(int fd, const std::shared_ptr<watched_socket>& at) {
    const auto wait = [&](bool& waiting, bool wanted, asio::posix::stream_descriptor::wait_type what) {
      if (!wanted || waiting) return;
      waiting = true;
      at->socket.async_wait(what, [this, fd, at, what, &waiting](const boost::system::error_code& why) {
        waiting = false;
        if (why || !at->socket.is_open()) return;
        const bool reads = what == asio::posix::stream_descriptor::wait_read;
        ares_process_fd(channel_, reads ? fd : ARES_SOCKET_BAD, reads ? ARES_SOCKET_BAD : fd);
        schedule();
        if (const auto now = watched_.find(fd); now != watched_.end() && now->second == at) arm(fd, at);
      });
    };
    wait(at->reading, at->wants_read, asio::posix::stream_descriptor::wait_read);
    wait(at->writing, at->wants_write, asio::posix::stream_descriptor::wait_write);
  }

  void schedule() {
    timeval room{};
    const timeval* const next = ares_timeout(channel_, nullptr, &room);
    if (next == nullptr) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(std::chrono::seconds(next->tv_sec) + std::chrono::microseconds(next->tv_usec));
    timer_.async_wait([this](const boost::system::error_code& why) {
      if (why) return;
      ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      schedule();
    });
  }

  asio::io_context& io_;
  asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  std::map<int, std::shared_ptr<watched_socket>> watched_;
};

}  // namespace

std::unique_ptr<resolver> system_resolver(asio::io_context& io, std::string& why) {
  auto out = std::make_unique<ares_resolver>(io);
  if (const int status = out->start(); status != ARES_SUCCESS) {
    why = ares_strerror(status);
    return nullptr;
  }
  return out;
}

}  // namespace nono::proxy
