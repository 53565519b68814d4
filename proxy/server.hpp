// SPDX-License-Identifier: Apache-2.0
// The proxy: takes connections from inside a sandbox and lets those to allowed hosts through.
#pragma once

#include <cstddef>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "proxy/audit.hpp"
#include "proxy/connection.hpp"
#include "proxy/resolver.hpp"
#include "proxy/rules.hpp"
#include "proxy/settings.hpp"
#include "proxy/tunnel.hpp"

namespace nono::proxy {

/// What all connections share. It stays where it is; the loop must end before it does.
class server {
 public:
  /// most: how many connections are held at once; one more is answered 503.
  server(boost::asio::io_context& io, settings s, audit_log log, std::unique_ptr<resolver> names,
         std::size_t most)
      : io_(io),
        settings_(std::move(s)),
        rules_(settings_),
        log_(log),
        names_(std::move(names)),
        most_(most) {}
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Reads what certificates are judged by. Must come before files are out of reach. Empty: done, else a sentence.
  std::string load_trust() { return believed_.load(settings_.routes, settings_.roots); }

  /// Accepts from a listening socket, which it takes over.
  void serve(int listener);

  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] const settings& asked() const { return settings_; }
  [[nodiscard]] const host_rules& rules() const { return rules_; }
  [[nodiscard]] const audit_log& log() const { return log_; }
  [[nodiscard]] resolver& names() { return *names_; }
  [[nodiscard]] trust& believed() { return believed_; }
  [[nodiscard]] connection_pool& kept() { return kept_; }
  [[nodiscard]] const std::shared_ptr<pipe_pool>& pipes() const { return pipes_; }
  [[nodiscard]] std::size_t open() const { return *open_; }
  /// Counts one connection for as long as the result lives.
  [[nodiscard]] std::shared_ptr<void> count();

 private:
  void accept(const std::shared_ptr<boost::asio::ip::tcp::acceptor>& from);

  boost::asio::io_context& io_;
  settings settings_;
  host_rules rules_;
  audit_log log_;
  std::unique_ptr<resolver> names_;
  std::size_t most_;
  trust believed_;
  connection_pool kept_;
  std::shared_ptr<pipe_pool> pipes_ = std::make_shared<pipe_pool>();
  std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
};

}  // namespace nono::proxy
