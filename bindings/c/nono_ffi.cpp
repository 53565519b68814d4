// SPDX-License-Identifier: Apache-2.0
// The one translation unit of libnono_ffi.a.
#include <nono/c/nono_ffi.hpp>
