// SPDX-License-Identifier: Apache-2.0
// What the archives of the Go package have in place of the C++ library's exceptions and memory: without memory, and wherever
// that library would throw, the process ends. Nothing of ours throws or catches; so the unwinder and the names of its
// messages stay out (60 KB), and no `operator new` of a C++ program that links an archive meets ours.
#include <cstddef>
#include <cstdlib>
#include <new>

void* operator new(std::size_t size) {
  if (void* made = std::malloc(size == 0 ? 1 : size)) return made;
  std::abort();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const std::size_t unit = static_cast<std::size_t>(alignment) < sizeof(void*)
                               ? sizeof(void*)
                               : static_cast<std::size_t>(alignment);
  void* made = nullptr;
  if (::posix_memalign(&made, unit, size == 0 ? 1 : size) != 0) std::abort();
  return made;
}
void* operator new[](std::size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
void operator delete(void* made) noexcept { std::free(made); }
void operator delete[](void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t) noexcept { std::free(made); }
void operator delete[](void* made, std::size_t) noexcept { std::free(made); }
void operator delete(void* made, std::align_val_t) noexcept { std::free(made); }
void operator delete[](void* made, std::align_val_t) noexcept { std::free(made); }
void operator delete(void* made, std::size_t, std::align_val_t) noexcept { std::free(made); }
void operator delete[](void* made, std::size_t, std::align_val_t) noexcept { std::free(made); }

namespace std {
[[noreturn]] void terminate() noexcept { abort(); }
}  // namespace std

// Source: itanium-cxx-abi.github.io/cxx-abi/abi-eh.html, "C++ Exception Handling", and cxxabi.h of libc++abi
extern "C" {
#define NONO_NEVER(name) \
  [[noreturn]] void name() { std::abort(); }
NONO_NEVER(__cxa_allocate_exception)
NONO_NEVER(__cxa_throw)
NONO_NEVER(__cxa_rethrow)
NONO_NEVER(__cxa_begin_catch)
NONO_NEVER(__cxa_end_catch)
NONO_NEVER(__cxa_free_exception)
NONO_NEVER(__cxa_init_primary_exception)
NONO_NEVER(__cxa_current_primary_exception)
NONO_NEVER(__cxa_rethrow_primary_exception)
NONO_NEVER(__cxa_increment_exception_refcount)
NONO_NEVER(__cxa_decrement_exception_refcount)
NONO_NEVER(__cxa_uncaught_exceptions)
NONO_NEVER(__gxx_personality_v0)
NONO_NEVER(_Unwind_Resume)
#undef NONO_NEVER
}
