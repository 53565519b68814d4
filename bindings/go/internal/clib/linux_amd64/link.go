// SPDX-License-Identifier: Apache-2.0
//go:build cgo && linux && amd64

// Package linux_amd64 links the archive beside it.
package linux_amd64

// #cgo LDFLAGS: -L${SRCDIR} -lnono_ffi -ldl -lpthread -lm
import "C"
