// SPDX-License-Identifier: Apache-2.0
//go:build cgo && darwin && amd64

// Package darwin_amd64 links the archive beside it.
package darwin_amd64

// #cgo LDFLAGS: -L${SRCDIR} -lnono_ffi -framework Security
import "C"
