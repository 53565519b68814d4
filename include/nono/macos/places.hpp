// SPDX-License-Identifier: Apache-2.0
// The paths of a policy as one sorted table: both spellings, what is granted at each and below it, what is denied, and
// the directories on the way. What a wider grant says already is not said again.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <nono/error.hpp>
#include <nono/macos/quote.hpp>
#include <nono/macos/settings.hpp>
#include <nono/policy.hpp>
#include <nono/right.hpp>

namespace nono::seatbelt {

/// Calls `f(rule)` for every rule, those of the groups for macOS included, on whatever system this runs.
template <class F>
constexpr void for_each_macos_rule(const policy_ref& p, F&& f) {
  for (const rule& r : p.rules) f(r);
  for (const group* g : p.groups)
    if (g->on != platform::linux_only)
      for (const group_rule& r : g->rules) f(rule_of(*g, r));
}

/// What a rule gives on macOS. A file's rule holds a name: whatever has that name can be read, a directory too.
constexpr right rights_on_macos(const rule& r, bool unlink_protection) noexcept {
  right out = r.rights;
  if (r.kind == path_kind::file) {
    out &= ~directory_rights;
    if (contains(out, right::read_file)) out |= right::list;
  }
  if (unlink_protection && r.from == origin::group) out &= ~right::remove;
  return out;
}

/// One path, and what the policy says of it.
struct place {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  spelled path;
  right below = no_rights;    ///< granted on it and on all below it
  right here = no_rights;     ///< granted on it alone
  right covered = no_rights;  ///< granted by what lies above
  std::size_t above = none;   ///< the nearest place above it
  bool on_the_way = false;    ///< a grant lies below
  bool denied = false;
  bool holds_denied = false;   ///< something denied lies below
  bool below_denied = false;   ///< something denied lies above
  bool below_granted = false;  ///< a grant of any kind lies above
};

/// A table in room of the caller's.
class place_table {
 public:
  constexpr explicit place_table(std::span<place> room) noexcept : room_(room) {}

  /// How many places a policy needs at most.
  static constexpr std::size_t needed(const policy_ref& p) noexcept {
    std::size_t out = 0;
    for_each_macos_rule(p, [&](const rule& r) {
      std::size_t parts = 3;  // itself, the root, and "/private"
      for (const char c : r.path) parts += c == '/' ? 1 : 0;
      out += 2 * parts;
    });
    return out;
  }

  /// Errors: too_many_rules: the room does not do.
  constexpr errc fill(const policy_ref& p, bool unlink_protection) {
    for_each_macos_rule(p, [&](const rule& r) {
      const spelled written = spelling_of(r.path);
      add(written, r, unlink_protection);
      if (const spelled other = other_spelling(written); other.size() != 0) add(other, r, unlink_protection);
    });
    if (full_) return errc::too_many_rules;
    find_what_lies_above();
    return errc::none;
  }

  [[nodiscard]] constexpr std::span<const place> all() const noexcept { return room_.first(count_); }

 private:
  constexpr place* at(const spelled& path) {
    std::size_t low = 0;
    for (std::size_t high = count_; low < high;) {
      const std::size_t middle = (low + high) / 2;
      if (comes_before(room_[middle].path, path)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low < count_ && room_[low].path == path) return &room_[low];
    if (count_ == room_.size()) return full_ = true, nullptr;
    for (std::size_t i = count_; i > low; --i) room_[i] = room_[i - 1];
    room_[low] = place{};
    room_[low].path = path;
    ++count_;
    return &room_[low];
  }

  constexpr void add(const spelled& path, const rule& r, bool unlink_protection) {
    place* const here = at(path);
    if (here == nullptr) return;
    if (r.is_deny()) {
      here->denied = true;
    } else if (r.kind == path_kind::file) {
      here->here |= rights_on_macos(r, unlink_protection);
    } else {
      here->below |= rights_on_macos(r, unlink_protection);
    }
    for (std::size_t i = path.size(); i-- > 0;) {
      if (path[i] != '/' || path.size() == 1) continue;
      place* const p = at(path.first(i == 0 ? 1 : i));
      if (p == nullptr) return;
      (r.is_deny() ? p->holds_denied : p->on_the_way) = true;
    }
  }

  constexpr void find_what_lies_above() {
    for (std::size_t i = 0; i < count_; ++i) {
      place& p = room_[i];
      std::size_t up = i == 0 ? place::none : i - 1;
      while (up != place::none && !lies_below(p.path, room_[up].path)) up = room_[up].above;
      p.above = up;
      if (up == place::none) continue;
      const place& over = room_[up];
      p.covered = over.covered | over.below;
      p.below_granted = over.below_granted || over.below != no_rights;
      p.below_denied = over.below_denied || over.denied;
    }
  }

  std::span<place> room_;
  std::size_t count_ = 0;
  bool full_ = false;
};

}  // namespace nono::seatbelt
