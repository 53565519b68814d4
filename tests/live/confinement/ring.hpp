// SPDX-License-Identifier: Apache-2.0
// An io_uring of one entry, by hand.
#pragma once

#include "attempts.hpp"

#include <atomic>

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace attempts {

class ring {
 public:
  ring() {
    fd_ = static_cast<int>(check("io_uring_setup", ::syscall(SYS_io_uring_setup, 1, &about_)));
    submissions_ = map(about_.sq_off.array + about_.sq_entries * sizeof(std::uint32_t), IORING_OFF_SQ_RING);
    completions_ = map(about_.cq_off.cqes + about_.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
    entries_ = map(about_.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
  }

  /// Submits one entry and waits; its result, or the end of the attempt.
  int submit(const char* call, const io_uring_sqe& entry) {
    *reinterpret_cast<io_uring_sqe*>(entries_) = entry;
    *word(submissions_, about_.sq_off.array) = 0;
    std::atomic_ref(*word(submissions_, about_.sq_off.tail)).fetch_add(1);
    check("io_uring_enter", ::syscall(SYS_io_uring_enter, fd_, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0));
    std::atomic_ref head(*word(completions_, about_.cq_off.head));
    const auto* done = reinterpret_cast<const io_uring_cqe*>(completions_ + about_.cq_off.cqes) +
                       (head.load() & *word(completions_, about_.cq_off.ring_mask));
    const int result = done->res;
    head.fetch_add(1);
    if (result < 0) throw stopped{call, -result};
    return result;
  }

  static std::uint64_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

 private:
  char* map(std::size_t size, off_t what) const {
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, what);
    if (at == MAP_FAILED) throw stopped{"mmap of a ring", errno};
    return static_cast<char*>(at);
  }
  static std::uint32_t* word(char* base, std::uint32_t offset) {
    return reinterpret_cast<std::uint32_t*>(base + offset);
  }

  io_uring_params about_{};
  int fd_ = -1;
  char* submissions_ = nullptr;
  char* completions_ = nullptr;
  char* entries_ = nullptr;
};

}  // namespace attempts
