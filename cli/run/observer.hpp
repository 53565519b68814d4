// SPDX-License-Identifier: Apache-2.0
// Hears of the child's calls that name files, peers and processes, and remembers those that the policy does not cover:
// what the footer is made of. It learns and never allows: kernel and supervisor decide, and what is read here could have
// changed since.
#pragma once

#if defined(__linux__)

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nono/bind.hpp>
#include <nono/linux/notification.hpp>
#include <nono/question.hpp>
#include <nono/supervisor.hpp>

namespace nono::cli {

/// A bit for each operation.
constexpr std::uint32_t bit_of(operation what) noexcept { return 1U << static_cast<unsigned>(what); }

/// Something that the child tried and that the policy does not cover by name.
struct attempt {
  enum class kind : std::uint8_t { file, network, process, call };
  kind what{};
  std::string subject;      ///< the path, the peer or the call, unquoted
  protection id{};          ///< the protection that refused, for all but files
  std::uint32_t asked = 0;  ///< files: the operations, a bit each
  std::string to{};         ///< files: the second name of a rename
};

class observer final : public call_observer {
 public:
  /// child: the first process of the sandbox.
  observer(int child, const bound_policy& policy) : child_(child), policy_(policy) {}

  void refused(const notification& call, const filter_row& row, std::string_view subject) override;
  void sees(const notification& call) override;

  /// What was tried, each once, in order.
  [[nodiscard]] const std::vector<attempt>& attempts() const { return attempts_; }
  /// True when a loopback address was called.
  [[nodiscard]] bool used_loopback() const { return used_loopback_; }
  /// True when the child's memory may not be read, so that paths stay unknown.
  [[nodiscard]] bool blind() const { return blind_; }

 private:
  /// Calls that name one file; asked: the operations that it amounts to.
  void look_at_path(int pid, int directory, std::uint64_t address, std::uint32_t asked);
  void look_at_names(int pid, int directory, std::uint64_t address, int to_directory,
                     std::uint64_t to_address, operation what);
  /// The absolute name that a call was given; empty if it cannot be read.
  std::string path_of(int pid, int directory, std::uint64_t address);
  void look_at_peer(int pid, std::uint64_t address, std::uint64_t length);
  void look_at_signal(std::int32_t target, std::int32_t signal);
  enum class coverage : std::uint8_t { none, by_system, by_user };
  [[nodiscard]] coverage covered(std::string_view path, right wanted) const;
  [[nodiscard]] bool in_sandbox(int pid) const;
  void remember_file(attempt a, coverage by);
  bool remember(attempt a);

  bool blind_ = false;
  bool used_loopback_ = false;
  int child_;
  const bound_policy& policy_;
  std::vector<attempt> attempts_;
  std::size_t covered_by_name_ = 0;
  std::unordered_map<std::string, std::size_t> seen_;  // by kind and subject
};

}  // namespace nono::cli

#endif
