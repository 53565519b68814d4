// SPDX-License-Identifier: Apache-2.0
// The grants of a bound policy by inode: what the kernel keys on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/resolve.hpp>
#include <nono/right.hpp>

namespace nono::detail {

/// The grants by inode: what the kernel keys on. Looking one up costs the same for ten grants and for thousands.
class rule_index {
 public:
  explicit rule_index(std::span<const bound_rule> rules) {
    std::size_t live = 0;
    for (const bound_rule& r : rules) live += r.subsumed ? 0 : 1;
    std::size_t size = 8;
    while (size < 2 * live) size *= 2;
    slots_.resize(size);
    for (const bound_rule& r : rules) {
      if (r.subsumed) continue;
      std::size_t at = hash(r.id) & (size - 1);
      while (slots_[at].first != nullptr && slots_[at].first->id != r.id) at = (at + 1) & (size - 1);
      if (slots_[at].first == nullptr) slots_[at].first = &r;
      slots_[at].rights |= r.rights;  // of one inode all rules count together
    }
  }

  struct entry {
    const bound_rule* first = nullptr;
    right rights{};
  };
  [[nodiscard]] entry find(const inode_id& id) const noexcept {
    std::size_t at = hash(id) & (slots_.size() - 1);
    while (slots_[at].first != nullptr) {
      if (slots_[at].first->id == id) return slots_[at];
      at = (at + 1) & (slots_.size() - 1);
    }
    return {};
  }

 private:
  static std::size_t hash(const inode_id& id) noexcept {
    std::uint64_t x = (id.number ^ id.device << 40U) * 0x9e3779b97f4a7c15ULL;
    x ^= x >> 32U;
    return static_cast<std::size_t>(x * 0xd6e8feb86659fd93ULL >> 16U);
  }
  std::vector<entry> slots_;
};

}  // namespace nono::detail
