// SPDX-License-Identifier: Apache-2.0

// Package nono confines this process, or one command that it starts, to what a set of capabilities grants: by the kernel
// (Landlock, Linux 5.13 and later), for good, with all children.
//
//	caps := nono.New()
//	defer caps.Close()
//	if err := caps.AllowPath("/srv/data", nono.AccessRead); err != nil {
//		return err
//	}
//	if err := caps.SetNetworkMode(nono.NetworkBlocked); err != nil {
//		return err
//	}
//	out, err := nono.Command(caps, "/srv/data/tool").Output() // the child alone
//	err = nono.Apply(caps)                                    // this process, every thread of it
//
// What is not granted is closed: grant also what the program itself reads later, and what a command needs to start (its
// program, the dynamic linker and its libraries).
//
// # Errors
//
// Whatever fails gives an *[Error]. Its code has a sentinel, which is a value and a call at once, so that both of these hold:
//
//	errors.Is(err, nono.ErrPathNotFound)
//	errors.Is(err, nono.ErrPathNotFound())
//
// A [Sentinel] in an interface must not be compared by ==, which panics: that is what errors.Is is for.
//
// # Handles
//
// [CapabilitySet], [QueryContext] and [SandboxState] hold memory of the C library below. Close frees it; what was never closed
// is freed when it is collected. All three may be used by several goroutines at once. A context and a state are copies of the
// set as it was.
//
// # Building
//
// The package needs cgo and a C compiler. The C library is bundled as an archive for each platform, in internal/clib, and needs
// nothing but the C library of the system, glibc or musl.
package nono
