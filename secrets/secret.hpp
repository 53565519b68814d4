// SPDX-License-Identifier: Apache-2.0
// A secret in memory of its own. The standard library alone: the command and the proxy both use it.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace nono::secrets {

/// The longest secret in bytes: far beyond any key, and little enough to be locked.
inline constexpr std::size_t max_secret = 65536;

/// Bytes that are kept out of swap (mlock), of core dumps and of forked children, and are wiped when they are let go.
/// Each lies in pages of its own. Where locking is refused (RLIMIT_MEMLOCK) the rest still holds.
class secret {
 public:
  secret() noexcept = default;
  /// Room for `size` bytes, zeros at first. data() is null where there is no memory.
  explicit secret(std::size_t size) noexcept : room_(rounded(size)) {
    if (size == 0) return;
    void* const at = ::mmap(nullptr, room_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return;
    data_ = static_cast<char*>(at);
    size_ = size;
    (void)::mlock(at, room_);
#ifdef MADV_DONTDUMP
    (void)::madvise(at, room_, MADV_DONTDUMP);  // since Linux 3.4
#endif
#ifdef MADV_WIPEONFORK
    (void)::madvise(at, room_, MADV_WIPEONFORK);  // since Linux 4.14
#endif
  }
  secret(secret&& other) noexcept { swap(other); }
  secret& operator=(secret&& other) noexcept {
    secret(std::move(other)).swap(*this);
    return *this;
  }
  secret(const secret&) = delete;
  secret& operator=(const secret&) = delete;
  ~secret() {
    if (data_ == nullptr) return;
    wipe(data_, room_);
    (void)::munmap(data_, room_);
  }

  [[nodiscard]] char* data() noexcept { return data_; }
  [[nodiscard]] const char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::string_view view() const noexcept { return {data_, size_}; }

  /// Keeps the first `size` bytes and wipes the others.
  void shrink(std::size_t size) noexcept {
    if (size >= size_) return;
    wipe(data_ + size, size_ - size);
    size_ = size;
  }
  /// Another of these with the same bytes.
  [[nodiscard]] static secret copy_of(std::string_view text) noexcept {
    secret out(text.size());
    if (out.data_ != nullptr) std::memcpy(out.data_, text.data(), text.size());
    return out;
  }

  /// Overwrites bytes that nobody reads any more; the compiler leaves it in.
  static void wipe(void* at, std::size_t size) noexcept {
    volatile auto* byte = static_cast<unsigned char*>(at);
    for (std::size_t i = 0; i < size; ++i) byte[i] = 0;
  }

 private:
  static std::size_t rounded(std::size_t size) noexcept {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (size + page - 1) / page * page;
  }
  void swap(secret& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
  }

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace nono::secrets
