// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (linux || darwin) && (amd64 || arm64)

package nono

import (
	"runtime"
	"sync"
)

// owned is a handle of the C library: used by several goroutines at once, closed once, and freed when its owner is collected
// without that. P is the pointer to the C structure.
type owned[P comparable] struct {
	lock    sync.RWMutex
	handle  P // null: closed
	free    func(P)
	cleanup runtime.Cleanup
}

// own takes the handle, which free frees.
func (o *owned[P]) own(handle P, free func(P)) {
	o.handle, o.free = handle, free
	o.cleanup = runtime.AddCleanup(o, free, handle)
}

func (o *owned[P]) isOpen() bool {
	var null P
	return o.handle != null
}

// close frees the handle, where it is open.
func (o *owned[P]) close() {
	o.lock.Lock()
	defer o.lock.Unlock()
	if o.isOpen() {
		o.cleanup.Stop()
		o.free(o.handle)
		var null P
		o.handle = null
	}
}

// shared calls f with the handle, beside others that share it; it reports whether that is open.
func (o *owned[P]) shared(f func(P)) bool {
	o.lock.RLock()
	defer o.lock.RUnlock()
	if !o.isOpen() {
		return false
	}
	f(o.handle)
	return true
}

// alone is shared, with the handle to itself.
func (o *owned[P]) alone(f func(P)) bool {
	o.lock.Lock()
	defer o.lock.Unlock()
	if !o.isOpen() {
		return false
	}
	f(o.handle)
	return true
}
