// SPDX-License-Identifier: Apache-2.0
// Hears of the child's calls that name files, peers and processes, lets them pass or gives the filter's refusal,
// and remembers those that the policy does not cover: what the footer is made of. It learns and never allows:
// the kernel has decided already, and what is read here could have changed since.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nono/bind.hpp>
#include <nono/linux/filter.hpp>

namespace nono::cli {

/// Something that the child tried and that the policy does not cover.
struct attempt {
  enum class kind : std::uint8_t { file, network, process, call };
  kind what{};
  std::string subject;           ///< the path, the peer or the call, unquoted
  right wanted{};                ///< files: the rights it takes
  protection id{};               ///< the protection that refused, for all but files
  bool makes_directory = false;  ///< files: it was a mkdir
  bool by_capability = false;  ///< files: granted, but root's capability to pass ordinary permissions is gone
};

class observer {
 public:
  /// listener: answered here and closed by its owner. child: the first process of the sandbox.
  observer(int listener, int child, const bound_policy& policy, const filter_request& request);

  /// Answers one call. False when the listener is of no more use.
  bool answer();

  /// What was tried, each once, in order.
  [[nodiscard]] const std::vector<attempt>& attempts() const { return attempts_; }
  /// True when a loopback address was called.
  [[nodiscard]] bool used_loopback() const { return used_loopback_; }
  /// True when the child's memory may not be read, so that paths stay unknown.
  [[nodiscard]] bool blind() const { return blind_; }

 private:
  void look_at(int call, int pid, const std::uint64_t* args);
  void look_at_path(int pid, int directory, std::uint64_t address, right wanted,
                    bool makes_directory = false);
  void look_at_peer(int pid, std::uint64_t address, std::uint64_t length);
  void look_at_signal(std::int32_t target, std::int32_t signal);
  enum class coverage : std::uint8_t { none, by_system, by_user };
  [[nodiscard]] coverage covered(std::string_view path, right wanted) const;
  [[nodiscard]] bool in_sandbox(int pid) const;
  bool remember(attempt a);

  bool blind_ = false;
  bool used_loopback_ = false;
  int listener_;
  int child_;
  const bound_policy& policy_;
  filter_table table_;
  std::vector<attempt> attempts_;
  std::size_t covered_by_name_ = 0;
  std::unordered_map<std::string, std::size_t> seen_;  // by kind and subject
};

/// The attempts of which the sandbox is the reason: they exist, ordinary permissions allow them, and no grant
/// covers them once links are followed. The others are left out.
std::vector<attempt> refused_by_policy(const std::vector<attempt>& attempts, const bound_policy& policy);

}  // namespace nono::cli
