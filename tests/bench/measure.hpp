// SPDX-License-Identifier: Apache-2.0
// Times in pairs: on a machine that does other things, a difference taken within one round says more than
// the difference of two averages.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <vector>

namespace bench {

/// Microseconds of the monotonic clock.
inline double now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

/// The value below which `part` (0 to 1) of all lie.
inline double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}
inline double median(const std::vector<double>& values) { return quantile(values, 0.5); }
inline double minimum(const std::vector<double>& values) { return quantile(values, 0); }

/// `op(a[i], b[i])` for each round.
template <class Op>
std::vector<double> in_pairs(const std::vector<double>& a, const std::vector<double>& b, Op op) {
  std::vector<double> out;
  out.reserve(a.size());
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) out.push_back(op(a[i], b[i]));
  return out;
}

}  // namespace bench
