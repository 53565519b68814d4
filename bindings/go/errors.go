// SPDX-License-Identifier: Apache-2.0

package nono

import "strconv"

// Error is what every call of this package fails with.
type Error struct {
	code    ErrorCode
	message string
}

// Code tells what kind of failure it is.
func (e *Error) Code() ErrorCode { return e.code }

// Message says what failed, in words, with the path or the value.
func (e *Error) Message() string { return e.message }

// Error is Message, and never empty.
func (e *Error) Error() string {
	if e.message == "" {
		return numbered("nono error", int64(e.code))
	}
	return e.message
}

// Is reports whether target, an *Error or a Sentinel, has the same code; the words do not count.
func (e *Error) Is(target error) bool {
	switch other := target.(type) {
	case *Error:
		return other != nil && other.code == e.code
	case Sentinel:
		return other.is(e.code)
	}
	return false
}

// Sentinel stands for all errors of one code: as a value, and called.
type Sentinel func() error

func sentinel(code ErrorCode, words string) Sentinel {
	one := &Error{code, words}
	return func() error { return one }
}

// Error gives the words for the code.
func (s Sentinel) Error() string { return s().Error() }

// Is reports whether target, an *Error or a Sentinel, has the same code.
func (s Sentinel) Is(target error) bool {
	one, ok := s().(*Error)
	return ok && one.Is(target)
}

// As gives the *Error that a call of the sentinel gives, for errors.As.
func (s Sentinel) As(target any) bool {
	to, ok := target.(**Error)
	if !ok {
		return false
	}
	*to, ok = s().(*Error)
	return ok
}

func (s Sentinel) is(code ErrorCode) bool {
	if s == nil {
		return false
	}
	one, ok := s().(*Error)
	return ok && one.code == code
}

// numbered is the text of a value that has no word.
func numbered(kind string, value int64) string {
	return kind + "(" + strconv.FormatInt(value, 10) + ")"
}
