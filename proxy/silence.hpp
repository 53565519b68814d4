// SPDX-License-Identifier: Apache-2.0
// How long nothing may happen, however many operations there are that something could happen in.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace nono::proxy {

/// Calls `give_up` once when nothing has moved for that long. A limit of each operation would also end one that waits while
/// another, the other way, goes on. It must go before what `give_up` refers to.
class silence {
 public:
  silence(boost::asio::any_io_executor where, std::chrono::seconds longest, std::function<void()> give_up)
      : watched_(std::make_shared<watched>(std::move(where), longest, std::move(give_up))) {
    wait(watched_);
  }
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;
  ~silence() {
    watched_->give_up = nullptr;
    watched_->timer.cancel();
  }

  void broken() { watched_->last = clock::now(); }
  [[nodiscard]] bool was_too_long() const { return watched_->given_up; }

 private:
  using clock = std::chrono::steady_clock;
  struct watched {
    watched(boost::asio::any_io_executor where, std::chrono::seconds l, std::function<void()> f)
        : timer(std::move(where)), longest(l), give_up(std::move(f)) {}
    boost::asio::steady_timer timer;
    std::chrono::seconds longest;
    std::function<void()> give_up;
    clock::time_point last = clock::now();
    bool given_up = false;
  };

  static void wait(const std::shared_ptr<watched>& w) {
    w->timer.expires_at(w->last + w->longest);
    w->timer.async_wait([w](const boost::system::error_code&) {
      if (!w->give_up) return;
      if (clock::now() < w->last + w->longest) return wait(w);
      w->given_up = true;
      std::exchange(w->give_up, nullptr)();
    });
  }

  std::shared_ptr<watched> watched_;
};

}  // namespace nono::proxy
