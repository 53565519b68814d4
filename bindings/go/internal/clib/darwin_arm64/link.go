// SPDX-License-Identifier: Apache-2.0
//go:build cgo && darwin && arm64

// Package darwin_arm64 links the archive beside it.
package darwin_arm64

// #cgo LDFLAGS: -L${SRCDIR} -lnono_ffi -framework Security
import "C"
