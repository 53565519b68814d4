// SPDX-License-Identifier: Apache-2.0
//go:build cgo && darwin && amd64

// Package clib links the archive beside it.
package clib

// #cgo LDFLAGS: -L${SRCDIR} -lnono_ffi -framework Security
import "C"
