// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (linux || darwin) && (amd64 || arm64)

package nono

/*
#include "nono.h"
*/
import "C"

// SandboxState is a set to be stored, and one that was. It may be used by several goroutines at once.
type SandboxState struct {
	owned[*C.struct_NonoSandboxState]
}

// StateFromCaps copies caps, to be stored.
// Errors: ErrInvalidArg where caps is nil or closed.
func StateFromCaps(caps *CapabilitySet) (*SandboxState, error) {
	var handle *C.struct_NonoSandboxState
	err := error(errClosedSet)
	caps.read(func(set *C.struct_NonoCapabilitySet) {
		handle, err = made(func() *C.struct_NonoSandboxState { return C.nono_sandbox_state_from_caps(set) })
	})
	if err != nil {
		return nil, err
	}
	return ownedState(handle), nil
}

// StateFromJSON reads what JSON gave. It looks at no file.
// Errors: ErrUnknown, with the place, where the text is no state; ErrInvalidArg.
func StateFromJSON(text string) (*SandboxState, error) {
	var handle *C.struct_NonoSandboxState
	err := withText("json", text, func(text *C.char) (err error) {
		handle, err = made(func() *C.struct_NonoSandboxState { return C.nono_sandbox_state_from_json(text) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return ownedState(handle), nil
}

func ownedState(handle *C.struct_NonoSandboxState) *SandboxState {
	s := new(SandboxState)
	s.own(handle, freeState)
	return s
}

func freeState(handle *C.struct_NonoSandboxState) { C.nono_sandbox_state_free(handle) }

// Close frees the state. Once more does nothing. It gives nil.
func (s *SandboxState) Close() error {
	if s != nil {
		s.close()
	}
	return nil
}

func (s *SandboxState) read(f func(*C.struct_NonoSandboxState) error) (err error) {
	if s == nil || !s.shared(func(state *C.struct_NonoSandboxState) { err = f(state) }) {
		return errClosedState
	}
	return err
}

var errClosedState = &Error{ErrCodeInvalidArg, "the state is nil or closed"}

// JSON gives the state as text: the same bytes for the same state.
// Errors: ErrUnknown where a path is no UTF-8; ErrInvalidArg where the state is nil or closed.
func (s *SandboxState) JSON() (text string, err error) {
	err = s.read(func(state *C.struct_NonoSandboxState) error {
		out, err := made(func() *C.char { return C.nono_sandbox_state_to_json(state) })
		text = taken(out)
		return err
	})
	return text, err
}

// ToJSON is JSON.
func (s *SandboxState) ToJSON() (string, error) { return s.JSON() }

// Caps gives the set again, every path looked up anew.
// Errors: ErrUnknown, in words, where a path is gone or leads elsewhere now; ErrInvalidArg where the state is nil or closed.
func (s *SandboxState) Caps() (caps *CapabilitySet, err error) {
	err = s.read(func(state *C.struct_NonoSandboxState) error {
		set, err := made(func() *C.struct_NonoCapabilitySet { return C.nono_sandbox_state_to_caps(state) })
		if err == nil {
			caps = ownedSet(set)
		}
		return err
	})
	return caps, err
}

// ToCaps is Caps.
func (s *SandboxState) ToCaps() (*CapabilitySet, error) { return s.Caps() }
