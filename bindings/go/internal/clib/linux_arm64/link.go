// SPDX-License-Identifier: Apache-2.0
//go:build cgo && linux && arm64

// Package clib links the archive beside it.
package clib

// #cgo LDFLAGS: -L${SRCDIR} -lnono_ffi -ldl -lpthread -lm
import "C"
