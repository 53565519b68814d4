// SPDX-License-Identifier: Apache-2.0
#include <nono/arena.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "constexpr_check.hpp"

using nono::detail::arena;

namespace {

struct alignas(64) wide {
  std::byte content[64];
};

template <class T>
bool aligned(const T* at) {
  return reinterpret_cast<std::uintptr_t>(at) % alignof(T) == 0;
}

struct value {
  int number = 7;
  bool flag = true;
};

}  // namespace

TEST_CASE("arena: pieces are aligned and initialised") {
  alignas(64) std::byte room[1024];
  std::memset(room, 0xAA, sizeof room);
  arena memory{std::span<std::byte>(room)};
  (void)memory.copy("x");  // puts the next address off
  const auto numbers = memory.array<std::uint64_t>(3);
  CHECK(aligned(numbers.data()));
  for (const std::uint64_t n : numbers) CHECK(n == 0);
  (void)memory.copy("xyz");
  CHECK(aligned(memory.array<wide>(2).data()));
  const auto values = memory.array<value>(2);
  CHECK(aligned(values.data()));
  CHECK(values[1].number == 7);
  CHECK(values[1].flag);
}

TEST_CASE("arena: the room first, the heap when it is full") {
  alignas(16) std::byte room[64];
  arena memory{std::span<std::byte>(room)};
  const auto inside = [&](const void* at) {
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    const auto begin = reinterpret_cast<std::uintptr_t>(room);
    return address >= begin && address < begin + sizeof room;
  };
  const std::string_view all = memory.copy(std::string(63, 'a'));  // to the last byte
  CHECK(inside(all.data()));
  const std::string_view more = memory.copy("b");
  CHECK_FALSE(inside(more.data()));
  CHECK(all == std::string(63, 'a'));
  CHECK(more == "b");
}

TEST_CASE("arena: copies end with a NUL and begin afresh") {
  arena memory;
  CHECK(memory.copy("").empty());
  const std::string_view text = memory.copy("abc");
  CHECK(std::strlen(text.data()) == 3);
  const std::string_view nothing = memory.copy({});
  CHECK(nothing.data() != nullptr);
  CHECK(*nothing.data() == '\0');
  CHECK(memory.array<int>(0).empty());
  CHECK(memory.array<char>(100'000).size() == 100'000);
}

TEST_CASE("arena: thousands of pieces of many sizes keep what is written into them") {
  std::byte room[5000];
  arena memory{std::span<std::byte>(room)};
  std::mt19937_64 random(1);
  struct piece {
    std::span<std::uint32_t> numbers;
    std::uint32_t mark;
    std::string_view text;
    std::string expected;
  };
  std::vector<piece> pieces;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const auto size = static_cast<std::size_t>(random() % (i % 50 == 0 ? 5000 : 60));
    piece p{memory.array<std::uint32_t>(size),
            i,
            {},
            std::string(static_cast<std::size_t>(random() % 40), static_cast<char>('a' + i % 26))};
    for (std::uint32_t& n : p.numbers) n = i;
    p.text = memory.copy(p.expected);
    pieces.push_back(std::move(p));
  }
  int bad = 0;
  for (const piece& p : pieces) {
    for (const std::uint32_t n : p.numbers) bad += n == p.mark ? 0 : 1;
    bad += p.text == p.expected && p.text.data()[p.text.size()] == '\0' ? 0 : 1;
    bad += aligned(p.numbers.data()) ? 0 : 1;
  }
  CHECK(bad == 0);
}

TEST_CASE("arena: moving hands the memory over") {
  arena first;
  const std::string_view text = first.copy("kept");
  arena second = std::move(first);
  CHECK(text == "kept");
  const std::string_view fresh = first.copy("new");  // NOLINT(bugprone-use-after-move): empty, and usable
  CHECK(fresh == "new");
  arena third;
  (void)third.copy("other");
  third = std::move(second);
  CHECK(text == "kept");
  CHECK(third.copy("more") == "more");
}
