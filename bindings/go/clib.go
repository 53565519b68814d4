// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (linux || darwin) && (amd64 || arm64)

package nono

/*
#cgo CFLAGS: -I${SRCDIR}/internal/clib
#include "nono.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"

	// The header and the archive are in packages of their own, so that `go mod vendor` takes them along.
	_ "github.com/always-further/nono-go/internal/clib"
)

// onThread calls f, which reports whether it worked, and gives the message of its failure. The C library keeps that for each
// thread, so the goroutine stays on one until the message is read.
func onThread(f func() bool) (message string, ok bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if f() {
		return "", true
	}
	message = taken(C.nono_last_error())
	C.nono_clear_error()
	return message, false
}

// call makes an error of what f gives.
func call(f func() C.enum_NonoErrorCode) error {
	var code C.enum_NonoErrorCode
	message, ok := onThread(func() bool {
		code = f()
		return code == C.NONO_ERROR_CODE_OK
	})
	if ok {
		return nil
	}
	return &Error{ErrorCode(code), message}
}

// made is call for what gives a pointer P: nil is a failure, and has no code.
func made[P comparable](f func() P) (out P, err error) {
	var null P
	message, ok := onThread(func() bool {
		out = f()
		return out != null
	})
	if !ok {
		err = &Error{ErrCodeUnknown, message}
	}
	return out, err
}

// withText calls f with a copy of text, which it frees. A NUL byte, at which C would cut the text, is refused.
func withText(what, text string, f func(*C.char) error) error {
	if strings.IndexByte(text, 0) >= 0 {
		return &Error{ErrCodeInvalidArg, what + " contains a NUL byte"}
	}
	given := C.CString(text)
	defer C.free(unsafe.Pointer(given))
	return f(given)
}

// taken gives a text of the C library, and frees it there; "" for NULL.
func taken(text *C.char) string {
	if text == nil {
		return ""
	}
	defer C.nono_string_free(text)
	return C.GoString(text)
}
