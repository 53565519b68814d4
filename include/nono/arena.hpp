// SPDX-License-Identifier: Apache-2.0
// Memory that is taken piece by piece and given back at once: first from room that the caller lends (on its
// stack), then from the heap. What apply() needs fits the room, so that it allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nono::detail {

class arena {
 public:
  arena() = default;
  explicit arena(std::span<std::byte> room) noexcept : next_(room.data()), left_(room.size()) {}
  arena(arena&& other) noexcept
      : next_(std::exchange(other.next_, nullptr)),
        left_(std::exchange(other.left_, 0)),
        blocks_(std::exchange(other.blocks_, nullptr)) {}
  arena& operator=(arena&& other) noexcept {
    std::swap(next_, other.next_);
    std::swap(left_, other.left_);
    std::swap(blocks_, other.blocks_);
    return *this;
  }
  ~arena() {
    while (blocks_ != nullptr) std::free(std::exchange(blocks_, blocks_->next));  // NOLINT
  }

  /// `count` value-initialised objects. Running out of memory ends the process, as operator new would without
  /// exceptions: there is no weaker sandbox to fall back to.
  template <class T>
  [[nodiscard]] std::span<T> array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    if (count > SIZE_MAX / sizeof(T)) std::abort();
    auto* first = static_cast<T*>(take(count * sizeof(T), alignof(T)));
    for (std::size_t i = 0; i < count; ++i) ::new (static_cast<void*>(first + i)) T();
    return {first, count};
  }

  /// A copy of `text` with a NUL behind it, which is not part of the view.
  [[nodiscard]] std::string_view copy(std::string_view text) {
    auto* to = static_cast<char*>(take(text.size() + 1, 1));
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    to[text.size()] = '\0';
    return {to, text.size()};
  }

 private:
  struct block {
    block* next;
    std::size_t size;
  };

  void* take(std::size_t size, std::size_t alignment) {
    const std::size_t skip = (alignment - reinterpret_cast<std::uintptr_t>(next_) % alignment) % alignment;
    if (next_ == nullptr || size + skip > left_) {
      // Each block as large as all before it, so that a large policy takes few.
      const std::size_t least = blocks_ == nullptr ? 4000 : 2 * blocks_->size;
      const std::size_t room = size + alignment > least ? size + alignment : least;
      auto* fresh = static_cast<block*>(std::malloc(sizeof(block) + room));  // NOLINT
      if (fresh == nullptr) std::abort();
      *fresh = {blocks_, room};
      blocks_ = fresh;
      next_ = reinterpret_cast<std::byte*>(fresh + 1);
      left_ = room;
      return take(size, alignment);
    }
    std::byte* at = next_ + skip;
    next_ = at + size;
    left_ -= size + skip;
    return at;
  }

  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  block* blocks_ = nullptr;
};

}  // namespace nono::detail
