// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (linux || darwin) && (amd64 || arm64)

package nono

/*
#include "nono.h"
*/
import "C"

// Apply confines this process to caps: every thread of it, so whatever thread a goroutine runs on, all children, and for good.
// The set stays usable. An empty set is legal: no path at all. Once more confines the process further; that looks for the
// threads in /proc, which the set before must let it read.
//
// What is open stays open; sockets that are open and contradict the set are an error. A system call that a thread waits in
// goes on, or is repeated by the Go runtime.
// Errors: ErrSandboxInit, ErrInvalidArg where caps is nil or closed. Since Linux 5.13.
func Apply(caps *CapabilitySet) error {
	err := error(errClosedSet)
	caps.read(func(set *C.struct_NonoCapabilitySet) {
		err = call(func() C.enum_NonoErrorCode { return C.nono_sandbox_apply(set) })
	})
	return err
}

// Report gives what the last Apply of this process put in force, protection by protection, as JSON; "" before.
func Report() string { return taken(C.nono_sandbox_report_json()) }

// IsSupported reports whether Apply can work here. It restricts nobody.
func IsSupported() bool { return bool(C.nono_sandbox_is_supported()) }

// PlatformInfo is what this system is and has.
type PlatformInfo struct {
	Platform    string // linux or macos
	Details     string // for people
	IsSupported bool   // as IsSupported()
}

// SupportInfo tells what this system is and has.
func SupportInfo() PlatformInfo {
	info := C.nono_sandbox_support_info()
	return PlatformInfo{
		Platform:    taken(info.platform),
		Details:     taken(info.details),
		IsSupported: bool(info.is_supported),
	}
}

// Version gives the version of the C library.
func Version() string { return taken(C.nono_version()) }
