// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (linux || darwin) && (amd64 || arm64)

package nono

/*
#include "nono.h"
*/
import "C"

// BestEffort names a protection, as a Report has it, that may be missing where the kernel does not have it.
// Errors: ErrInvalidArg, with the names that there are.
func (c *CapabilitySet) BestEffort(protection string) error {
	return c.changeBy("protection", protection,
		func(set *C.struct_NonoCapabilitySet, name *C.char) C.enum_NonoErrorCode {
			return C.nono_capability_set_best_effort(set, name)
		})
}

// Lift names a protection that is given up.
// Errors: ErrInvalidArg, with the names that there are.
func (c *CapabilitySet) Lift(protection string) error {
	return c.changeBy("protection", protection,
		func(set *C.struct_NonoCapabilitySet, name *C.char) C.enum_NonoErrorCode {
			return C.nono_capability_set_lift(set, name)
		})
}

// SetStrict makes a kernel that lacks any protection an error.
// Errors: ErrInvalidArg.
func (c *CapabilitySet) SetStrict(strict bool) error {
	return c.change(func(set *C.struct_NonoCapabilitySet) C.enum_NonoErrorCode {
		return C.nono_capability_set_set_strict(set, C.bool(strict))
	})
}
