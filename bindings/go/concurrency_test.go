// SPDX-License-Identifier: Apache-2.0

package nono_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	nono "github.com/always-further/nono-go"
)

// together calls each many times, all at once.
func together(t *testing.T, calls ...func()) {
	t.Helper()
	var all sync.WaitGroup
	for _, call := range calls {
		for range 4 {
			all.Add(1)
			go func() {
				defer all.Done()
				for range 50 {
					call()
				}
			}()
		}
	}
	all.Wait()
}

// everything is what can be done with the three, each in a function.
func everything(d string, caps *nono.CapabilitySet, q *nono.QueryContext, state *nono.SandboxState) []func() {
	return []func(){
		func() { _ = caps.AllowPath(d, nono.AccessReadWrite) },
		func() { _ = caps.AllowFile(d, nono.AccessRead) },
		func() { _ = caps.SetNetworkMode(nono.NetworkBlocked) },
		func() { _ = caps.SetProxyPort(80) },
		func() { _ = caps.AllowPort(nono.PortBindTCP, 81) },
		func() { _ = caps.DenyPath("/secret") },
		func() { _ = caps.Deduplicate() },
		func() { _ = caps.Summary() + caps.NetworkMode().String() },
		func() { _, _ = caps.FSCapabilities(), caps.DeniedPaths() },
		func() { _, _, _ = caps.ProxyPort(), caps.IsNetworkBlocked(), nono.SupportInfo() },
		func() { _, _ = caps.PathCovered(d) },
		func() { _, _ = q.QueryPath(d, nono.AccessRead); _, _ = q.QueryNetwork(); _, _ = q.Explain(d, 0) },
		func() { _, _ = state.JSON() },
		func() {
			if restored, err := state.Caps(); err == nil {
				_ = restored.Close()
			}
		},
		func() {
			if copied, err := nono.StateFromCaps(caps); err == nil {
				_ = copied.Close()
			}
		},
		func() {
			if copied, err := nono.NewQueryContext(caps); err == nil {
				_ = copied.Close()
			}
		},
	}
}

func TestHandlesAreSafeForSeveralGoroutines(t *testing.T) {
	d := directory(t)
	// While somebody closes them: again and again, because what would go wrong then need not go wrong at once. (The race
	// detector takes each call of C for a meeting of all goroutines, and so sees less than it could.)
	for round := range 30 {
		caps := setOf(t, d)
		q, err := nono.NewQueryContext(caps)
		must(t, err)
		state, err := nono.StateFromCaps(caps)
		must(t, err)
		ending := make(chan struct{})
		go func() {
			defer close(ending)
			time.Sleep(time.Duration(round) * 100 * time.Microsecond)
			_, _, _ = caps.Close(), q.Close(), state.Close()
		}()
		together(t, everything(d, caps, q, state)...)
		<-ending
		if err := caps.AllowPath(d, nono.AccessRead); !errors.Is(err, nono.ErrInvalidArg) {
			t.Error(err)
		}
	}
}

// Each goroutine reads the message of its own failure.
func TestMessagesBelongToTheirCalls(t *testing.T) {
	caps := setOf(t)
	var calls []func()
	for _, name := range []string{"/missing-a", "/missing-b", "/missing-c", "/missing-d"} {
		calls = append(calls, func() {
			if err := caps.AllowPath(name, nono.AccessRead); err.Error() != "Path does not exist: "+name {
				t.Errorf("%s: %v", name, err)
			}
			runtime.Gosched()
		})
	}
	together(t, calls...)
}

// What nobody closed is freed: memory does not grow with each that was forgotten.
func TestForgottenHandlesAreFreed(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps memory of its own")
	}
	long := strings.Repeat("x", 1<<16)
	forget := func() {
		for range 200 { // 200 * 3 * 64 KiB: 38 MiB each time
			caps := nono.New()
			must(t, caps.AllowCommand(long))
			_, err := nono.NewQueryContext(caps)
			must(t, err)
			_, err = nono.StateFromCaps(caps)
			must(t, err)
		}
		for range 3 {
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
	}
	forget()
	before := resident(t)
	for range 5 {
		forget()
	}
	if grown := resident(t) - before; grown > 64<<20 {
		t.Errorf("%d MiB were not freed", grown>>20)
	}
}

func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
