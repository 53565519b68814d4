// SPDX-License-Identifier: Apache-2.0

package nono_test

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	nono "github.com/always-further/nono-go"
)

func TestWhatThisSystemIs(t *testing.T) {
	info := nono.SupportInfo()
	if info.Platform == "" || info.Details == "" || info.IsSupported != nono.IsSupported() || nono.Version() == "" {
		t.Errorf("%+v %s", info, nono.Version())
	}
	if nono.Report() != "" {
		t.Error("a report before any Apply")
	}
}

func init() {
	// The file of the first argument is granted, its sibling not.
	children["apply"] = func(args []string) {
		granted, sibling := args[0], args[1]
		caps := nono.New()
		need(caps.AllowFile(granted, nono.AccessRead))
		need(nono.Apply(caps))
		text, err := os.ReadFile(granted)
		check(err == nil && len(text) > 0, "the granted file cannot be read")
		_, err = os.ReadFile(sibling)
		check(refused(err), "the sibling can be read")
		check(refused(os.WriteFile(granted, nil, 0o644)), "the granted file can be written")
		check(refused(os.WriteFile(sibling+".new", nil, 0o644)), "a file can be made")
		// The set stays usable.
		check(errors.Is(caps.AllowPath("/nonexistent", nono.AccessRead), nono.ErrPathNotFound()), "a used set is closed")
		check(len(caps.FSCapabilities()) == 1, "a used set is empty")
		var report map[string]any
		need(json.Unmarshal([]byte(nono.Report()), &report))
		check(len(report) > 0, "an empty report")
		need(caps.Close())
		check(errors.Is(nono.Apply(caps), nono.ErrInvalidArg), "a closed set applies")
	}
	// An empty set grants no path. Children are confined, too.
	children["apply_nothing"] = func(args []string) {
		caps := nono.New()
		need(nono.Apply(caps))
		_, err := os.ReadFile(args[0])
		check(refused(err), "an ungranted file can be read")
		check(exec.Command("/bin/true").Run() != nil, "a program runs that is not granted")
	}
	children["apply_twice"] = func(args []string) {
		granted, sibling := args[0], args[1]
		caps := nono.New()
		need(caps.AllowPath("/proc", nono.AccessRead)) // to find the threads by, the second time
		need(caps.AllowFile(granted, nono.AccessRead))
		need(caps.AllowFile(sibling, nono.AccessRead))
		need(nono.Apply(caps))
		_, err := os.ReadFile(sibling)
		need(err)
		less := nono.New()
		need(less.AllowFile(granted, nono.AccessRead))
		need(nono.Apply(less))
		_, err = os.ReadFile(granted)
		need(err)
		_, err = os.ReadFile(sibling)
		check(refused(err), "a second set does not confine further")
		check(errors.Is(nono.Apply(caps), nono.ErrSandboxInit), "the threads are not found, and nobody says so")
	}
	// The argument is the address of a listener of the parent.
	children["apply_network"] = func(args []string) {
		caps := nono.New()
		need(caps.SetNetworkMode(nono.NetworkBlocked))
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		need(err)
		err = nono.Apply(caps)
		check(errors.Is(err, nono.ErrSandboxInit) && nono.Report() == "", "what is open contradicts the set")
		need(listener.Close())
		connection, err := net.Dial("tcp", args[0])
		need(err)
		need(connection.Close())
		need(nono.Apply(caps))
		_, err = net.Dial("tcp", args[0])
		check(refused(err), "a blocked network connects")
		_, err = net.Listen("tcp", "127.0.0.1:0")
		check(refused(err), "a blocked network listens")
		_, err = net.ListenPacket("udp", "127.0.0.1:0")
		check(err != nil, "a blocked network has UDP")
	}
	children["apply_port"] = func(args []string) {
		open, shut := args[0], args[1]
		_, port, err := net.SplitHostPort(open)
		need(err)
		number, err := strconv.ParseUint(port, 10, 16)
		need(err)
		caps := nono.New()
		if args[2] == "proxy" {
			need(caps.SetProxyPort(uint16(number)))
		} else {
			need(caps.SetNetworkMode(nono.NetworkBlocked))
			need(caps.AllowPort(nono.PortConnectTCP, uint16(number)))
		}
		need(nono.Apply(caps))
		connection, err := net.Dial("tcp", open)
		need(err)
		need(connection.Close())
		_, err = net.Dial("tcp", shut)
		check(refused(err), "another port connects")
	}
	children["apply_denied"] = func(args []string) {
		caps := nono.New()
		need(caps.AllowPath(args[0], nono.AccessRead))
		need(caps.DenyPath(args[0] + "/inner"))
		check(errors.Is(nono.Apply(caps), nono.ErrSandboxInit), "a grant covers a deny")
		_, err := os.ReadDir("/")
		need(err) // and nothing is in force
	}
}

func TestApply(t *testing.T) {
	d := directory(t)
	inChild(t, "apply", file(t, d, "granted"), file(t, d, "sibling"))
}

func TestApplyTwice(t *testing.T) {
	d := directory(t)
	inChild(t, "apply_twice", file(t, d, "granted"), file(t, d, "sibling"))
}

func TestApplyNothing(t *testing.T) { inChild(t, "apply_nothing", file(t, directory(t), "file")) }

func TestApplyNetwork(t *testing.T) {
	var addresses []string
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	inChild(t, "apply_network", addresses...)
	for _, by := range []string{"port", "proxy"} {
		inChild(t, "apply_port", addresses[0], addresses[1], by)
	}
}

func TestApplyRefusesAContradiction(t *testing.T) {
	d := directory(t)
	file(t, d, "inner", "file")
	inChild(t, "apply_denied", d)
}

// A path that is gone when the set is applied is an error in words, and nothing is in force.
func TestApplyMissesAPath(t *testing.T) {
	needSandbox(t)
	d := directory(t)
	gone := filepath.Join(d, "gone")
	must(t, os.Mkdir(gone, 0o755))
	caps := setOf(t, gone)
	must(t, os.Remove(gone))
	err := nono.Apply(caps)
	if !errors.Is(err, nono.ErrSandboxInit) || !strings.Contains(err.Error(), gone) {
		t.Errorf("%v", err)
	}
	if err := nono.Command(caps, "/bin/true").Start(); !errors.Is(err, nono.ErrSandboxInit) {
		t.Errorf("%v", err)
	}
	file(t, d, "still writable")
}
