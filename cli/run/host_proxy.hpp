// SPDX-License-Identifier: Apache-2.0
// The proxy of a run whose network names hosts: a program of its own, started before the command and told what to let through.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/error.hpp>
#include <nono/resolve.hpp>

#include "cli/resolve/host_filter.hpp"
#include "cli/run/keys.hpp"

namespace nono::cli {

/// One host that the proxy has refused, and its sentence.
struct refused_host {
  std::string name;
  std::string reason;
};

/// A running nono-proxy. It ends when this does.
class host_proxy {
 public:
  host_proxy() = default;
  host_proxy(const host_proxy&) = delete;
  host_proxy& operator=(const host_proxy&) = delete;

  /// Starts the nono-proxy that lies beside this program. Must come before this process is confined.
  /// kept: its decisions go to a file below nono's state directory; else they are only kept until the run ends.
  /// routes: of the filter, whose keys are sent there and wiped here; it is started with `here`, where they came from.
  /// Errors: bad_argument with a sentence.
  error start(const host_filter& filter, const host& here, bool kept, std::vector<armed_route> routes);
  /// Waits until it is confined and ready. Errors: bad_argument with its own sentence.
  error await_ready();
  /// Gives it a listening socket. Errors: bad_argument.
  error serve(int listener);

  /// What the command is told, so that its clients find the proxy at that port.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> variables(std::uint16_t port) const;

  /// What its clients show as their password.
  [[nodiscard]] std::string_view token() const { return token_; }

  /// The variables of `here` that hold a key which was sent, each with its credential.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& copies() const { return copies_; }

  /// What it has refused so far, each once.
  [[nodiscard]] std::vector<refused_host> refused() const;
  /// True when it has ended, which it does not by itself.
  [[nodiscard]] bool has_ended();
  /// Where its decisions are kept; empty: nowhere.
  [[nodiscard]] const std::string& audit_file() const { return audit_path_; }

 private:
  error open_audit(const host& here, bool kept);
  [[nodiscard]] std::string settings_of(const host_filter& filter, const host& here) const;
  error send_keys();

  std::string token_;
  std::vector<armed_route> routes_;
  std::vector<std::pair<std::string, std::string>> copies_;
  nono::detail::descriptor control_;
  nono::detail::descriptor audit_;
  std::string audit_path_;
  int pid_ = -1;
};

/// A TCP socket that listens at 127.0.0.1 of this system's network; port: 0 for any free one, and set to it.
/// Errors: bad_argument with a sentence.
result<nono::detail::descriptor> listen_on_this_system(std::uint16_t& port);

}  // namespace nono::cli
