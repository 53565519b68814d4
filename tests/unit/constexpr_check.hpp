// SPDX-License-Identifier: Apache-2.0
// One expression, proven twice: by the compiler, and at run time, where coverage and sanitizers look.
#pragma once

#include <doctest/doctest.h>

#define CONSTEXPR_CHECK(...)    \
  do {                          \
    static_assert(__VA_ARGS__); \
    CHECK((__VA_ARGS__));       \
  } while (false)
