// SPDX-License-Identifier: Apache-2.0
// The same, as C++: the header guards its own declarations.
#include "interface_test.c"
