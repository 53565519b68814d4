// SPDX-License-Identifier: Apache-2.0
//go:build cgo && linux && arm64

// Package linux_arm64 links the archive beside it.
package linux_arm64

// #cgo LDFLAGS: -L${SRCDIR} -lnono_ffi -ldl -lpthread -lm
import "C"
