// SPDX-License-Identifier: Apache-2.0
// The third side: the same policy as a profile for macOS, asked what the kernel has just answered.
#pragma once

#include <array>
#include <memory>
#include <string>

#include <nono/bound_policy.hpp>
#include <nono/place.hpp>
#include <nono/question.hpp>
#include <nono/report.hpp>

#include "scenario.hpp"

namespace differential {

/// A profile for macOS, and the reader that answers from its text.
class macos_twin {
 public:
  macos_twin(const scenario& s, const nono::bound_policy& bound, macos_tally& counts);
  ~macos_twin();
  macos_twin(const macos_twin&) = delete;
  macos_twin& operator=(const macos_twin&) = delete;

  /// Before the call: whether every rule's path still leads to the file that it led to.
  void look();
  /// After it: compares what the profile says with what the kernel answered (seen: 0 or errno), where both can say it; counts what
  /// only one can. An empty string, or where they disagree.
  std::string compare(const nono::question& q, const nono::decision& d,
                      const std::array<nono::place, 2>& found, int seen, const nono::enforcement& in_force,
                      bool inside_server);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
  macos_tally& counts_;
};

}  // namespace differential
