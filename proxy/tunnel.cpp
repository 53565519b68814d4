// SPDX-License-Identifier: Apache-2.0
// Bytes both ways between two sockets.
#include "proxy/tunnel.hpp"

#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include "proxy/silence.hpp"

namespace nono::proxy {

namespace {

using boost::asio::ip::tcp;

constexpr std::size_t pipe_size = 1U << 18U;  // the more fits, the fewer turns a bulk transfer takes
constexpr std::size_t plenty = 16384;
constexpr int turns = 16;  // then the others have their turn
/// How long one side may be silent once the other has said all: a server may think, and none is waited for for ever.
constexpr std::chrono::minutes longest_silence{5};

class tunnel : public std::enable_shared_from_this<tunnel> {
 public:
  tunnel(tcp::socket client, tcp::socket server, std::string early, std::string late,
         std::shared_ptr<pipe_pool> pipes, std::function<void()> ended)
      : client_(std::move(client)),
        server_(std::move(server)),
        pipes_(std::move(pipes)),
        ended_(std::move(ended)),
        up_{client_, server_, std::move(early)},
        down_{server_, client_, std::move(late)} {}
  tunnel(const tunnel&) = delete;
  tunnel& operator=(const tunnel&) = delete;
  ~tunnel() {
    for (way* w : {&up_, &down_})
      if (w->pipe.in >= 0) pipe_pool::close(w->pipe);  // what is in it belongs to nobody else
    ended_();
  }

  void start() {
    boost::system::error_code ignored;
    for (tcp::socket* s : {&client_, &server_}) {
      (void)s->non_blocking(true, ignored);
      (void)s->set_option(tcp::no_delay(true), ignored);
    }
    go(up_);
    go(down_);
  }

 private:
  struct way {
    tcp::socket& from;
    tcp::socket& to;
    std::string first{};     ///< goes before what is spliced
    std::size_t sent = 0;    ///< of it
    pipe_pool::pipe pipe{};  ///< held while `inside` is not 0
    std::size_t inside = 0;
    bool emptied = false;  ///< the last look brought so little that no more was there
    bool done = false;
  };

  void wait(way& w, tcp::socket& on, tcp::socket::wait_type what) {
    on.async_wait(what, [self = shared_from_this(), &w](const boost::system::error_code& why) {
      if (!why) self->go(w);
    });
  }

  /// Moves what there is. On return it waits for one of the sockets, or this way has ended.
  void go(way& w) {
    for (int turn = 0; turn < turns; ++turn) {
      if (w.done) return;
      if (w.inside == 0 && w.first.empty()) {
        if (w.pipe.in < 0) w.pipe = pipes_->take();
        if (w.pipe.in < 0) return fail();
        const ssize_t n = ::splice(w.from.native_handle(), nullptr, w.pipe.in, nullptr, pipe_size,
                                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n <= 0) pipes_->give_back(std::exchange(w.pipe, {}));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return wait(w, w.from, tcp::socket::wait_read);
        if (n < 0) return fail();
        if (n == 0) return end(w);
        w.inside = static_cast<std::size_t>(n);
        w.emptied = w.inside < plenty;
      }
      if (quiet_) quiet_->broken();
      const ssize_t n = send(w);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return wait(w, w.to, tcp::socket::wait_write);
      if (n <= 0) return fail();
      // Asking again would mostly find nothing, and the loop looks anyway before it sleeps.
      if (w.emptied && w.inside == 0 && w.first.empty()) return wait(w, w.from, tcp::socket::wait_read);
    }
    boost::asio::post(client_.get_executor(), [self = shared_from_this(), &w] { self->go(w); });
  }

  ssize_t send(way& w) {
    if (!w.first.empty()) {
      const ssize_t n =
          ::send(w.to.native_handle(), w.first.data() + w.sent, w.first.size() - w.sent, MSG_NOSIGNAL);
      if (n > 0) w.sent += static_cast<std::size_t>(n);
      if (n > 0 && w.sent == w.first.size()) std::string().swap(w.first);
      return n;
    }
    const ssize_t n = ::splice(w.pipe.out, nullptr, w.to.native_handle(), nullptr, w.inside,
                               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) w.inside -= static_cast<std::size_t>(n);
    if (n > 0 && w.inside == 0) pipes_->give_back(std::exchange(w.pipe, {}));
    return n;
  }

  /// One side has said all: the other hears of it, and may go on answering.
  void end(way& w) {
    w.done = true;
    boost::system::error_code ignored;
    (void)w.to.shutdown(tcp::socket::shutdown_send, ignored);
    if (up_.done && down_.done) return fail();
    quiet_.emplace(client_.get_executor(), longest_silence, [this] { fail(); });
  }

  void fail() {
    up_.done = down_.done = true;
    boost::system::error_code ignored;
    (void)client_.close(ignored);
    (void)server_.close(ignored);
  }

  tcp::socket client_;
  tcp::socket server_;
  std::shared_ptr<pipe_pool> pipes_;
  std::function<void()> ended_;
  way up_;
  way down_;
  std::optional<silence> quiet_;  // once one side has said all
};

}  // namespace

pipe_pool::~pipe_pool() {
  for (const pipe p : free_) close(p);
}

pipe_pool::pipe pipe_pool::take() {
  if (!free_.empty()) {
    const pipe out = free_.back();
    free_.pop_back();
    return out;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {};
  (void)::fcntl(ends[1], F_SETPIPE_SZ, pipe_size);  // an ordinary user may have no more than so many pages
  return {ends[1], ends[0]};
}

void pipe_pool::give_back(pipe p) {
  if (p.in < 0) return;
  if (free_.size() < 16)
    free_.push_back(p);
  else
    close(p);
}

void pipe_pool::close(pipe p) {
  ::close(p.in);
  ::close(p.out);
}

void start_tunnel(tcp::socket client, tcp::socket server, std::string early, std::string late,
                  std::shared_ptr<pipe_pool> pipes, std::function<void()> ended) {
  std::make_shared<tunnel>(std::move(client), std::move(server), std::move(early), std::move(late),
                           std::move(pipes), std::move(ended))
      ->start();
}

}  // namespace nono::proxy
