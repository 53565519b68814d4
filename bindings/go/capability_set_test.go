// SPDX-License-Identifier: Apache-2.0

package nono_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	nono "github.com/always-further/nono-go"
)

func TestWords(t *testing.T) {
	for text, value := range map[string]fmt.Stringer{
		"read": nono.AccessRead, "write": nono.AccessWrite, "read-write": nono.AccessReadWrite,
		"AccessMode(3)": nono.AccessMode(3), "AccessMode(4294967295)": nono.AccessMode(1<<32 - 1),
		"blocked": nono.NetworkBlocked, "allow-all": nono.NetworkAllowAll, "proxy-only": nono.NetworkProxyOnly,
		"NetworkMode(3)": nono.NetworkMode(3),
		"connect-tcp":    nono.PortConnectTCP, "bind-tcp": nono.PortBindTCP, "PortUse(2)": nono.PortUse(2),
		"user": nono.SourceUser, "group": nono.SourceGroup, "system": nono.SourceSystem, "profile": nono.SourceProfile,
		"CapabilitySourceTag(-1)": nono.CapabilitySourceTag(-1),
		"allowed":                 nono.QueryAllowed, "denied": nono.QueryDenied, "QueryStatus(2)": nono.QueryStatus(2),
		"granted-path": nono.ReasonGrantedPath, "network-allowed": nono.ReasonNetworkAllowed,
		"path-not-granted": nono.ReasonPathNotGranted, "insufficient-access": nono.ReasonInsufficientAccess,
		"network-blocked": nono.ReasonNetworkBlocked, "QueryReason(99)": nono.QueryReason(99),
	} {
		if value.String() != text {
			t.Errorf("%s is called %s", text, value)
		}
	}
}

func TestPathsAndFiles(t *testing.T) {
	d := directory(t)
	f := file(t, d, "file")
	must(t, os.Symlink(f, d+"/link"))
	caps := setOf(t)
	for _, mode := range []nono.AccessMode{nono.AccessRead, nono.AccessWrite, nono.AccessReadWrite} {
		must(t, caps.AllowPath(d, mode))
		must(t, caps.AllowFile(d+"/link", mode))
	}
	must(t, caps.AllowRights(d, "read_file|list"))
	all := caps.FSCapabilities()
	if len(all) != 7 {
		t.Fatalf("%+v", all)
	}
	for i, mode := range []nono.AccessMode{nono.AccessRead, nono.AccessWrite, nono.AccessReadWrite} {
		a, b := all[2*i], all[2*i+1]
		if a.OriginalPath != d || a.ResolvedPath != d || a.Access != mode || a.IsFile || a.Source != nono.SourceUser ||
			a.GroupName != "" || a.Rights == "" {
			t.Errorf("%+v", a)
		}
		if b.OriginalPath != d+"/link" || b.ResolvedPath != f || b.Access != mode || !b.IsFile {
			t.Errorf("%+v", b)
		}
	}
	if fine := all[6]; fine.Rights != "read_file|list" || fine.Access <= nono.AccessReadWrite {
		t.Errorf("%+v", fine)
	}
	for err, wanted := range map[error]error{
		caps.AllowPath(d+"/missing", nono.AccessRead):   nono.ErrPathNotFound(),
		caps.AllowPath("", nono.AccessRead):             nono.ErrPathNotFound(),
		caps.AllowPath(f, nono.AccessRead):              nono.ErrExpectedDirectory(),
		caps.AllowFile(d, nono.AccessRead):              nono.ErrExpectedFile(),
		caps.AllowPath(f+"/below", nono.AccessRead):     nono.ErrPathCanonicalization(),
		caps.AllowPath(d, nono.AccessMode(3)):           nono.ErrInvalidArg(),
		caps.AllowPath("\xff", nono.AccessRead):         nono.ErrInvalidArg(),
		caps.AllowRights(d, "read|everything"):          nono.ErrInvalidArg(),
		caps.AllowRights(d+"/missing", "read"):          nono.ErrPathNotFound(),
		caps.AllowFile("/dev/null", nono.AccessMode(9)): nono.ErrInvalidArg(),
	} {
		if !errors.Is(err, wanted) {
			t.Errorf("%v, not %v", err, wanted)
		}
	}
	if len(caps.FSCapabilities()) != 7 {
		t.Error("a failure changed the set")
	}
	must(t, caps.AllowFile("/dev/null", nono.AccessReadWrite))
}

func TestNoCallTakesANul(t *testing.T) {
	caps := setOf(t)
	d := directory(t)
	q, err := nono.NewQueryContext(caps)
	must(t, err)
	defer q.Close()
	cut := d + "\x00/more" // C would see d alone, which is there
	calls := map[string]func() error{
		"AllowPath":       func() error { return caps.AllowPath(cut, nono.AccessRead) },
		"AllowFile":       func() error { return caps.AllowFile("/dev/null\x00", nono.AccessRead) },
		"AllowRights":     func() error { return caps.AllowRights(cut, "read") },
		"its rights":      func() error { return caps.AllowRights(d, "read\x00") },
		"DenyPath":        func() error { return caps.DenyPath(cut) },
		"AllowCommand":    func() error { return caps.AllowCommand("ls\x00") },
		"BlockCommand":    func() error { return caps.BlockCommand("rm\x00") },
		"AddPlatformRule": func() error { return caps.AddPlatformRule("(version 1)\x00") },
		"BestEffort":      func() error { return caps.BestEffort("signals\x00") },
		"Lift":            func() error { return caps.Lift("signals\x00") },
		"PathCovered":     func() error { _, err := caps.PathCovered(cut); return err },
		"QueryPath":       func() error { _, err := q.QueryPath(cut, nono.AccessRead); return err },
		"Explain":         func() error { _, err := q.Explain(cut, nono.AccessRead); return err },
		"StateFromJSON":   func() error { _, err := nono.StateFromJSON("{\x00}"); return err },
		"Command":         func() error { return nono.Command(caps, "/bin/true\x00").Err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, nono.ErrInvalidArg) || !strings.Contains(err.Error(), "NUL") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(caps.FSCapabilities()) != 0 || caps.DeniedPaths() != nil {
		t.Error("a refused call changed the set")
	}
}

func TestNetwork(t *testing.T) {
	caps := setOf(t)
	if caps.NetworkMode() != nono.NetworkAllowAll || caps.IsNetworkBlocked() || caps.ProxyPort() != 0 {
		t.Error("a new set restricts the network")
	}
	if err := caps.AllowPort(nono.PortConnectTCP, 443); !errors.Is(err, nono.ErrInvalidArg) {
		t.Errorf("an exception to nothing: %v", err)
	}
	must(t, caps.SetNetworkBlocked(true))
	if caps.NetworkMode() != nono.NetworkBlocked || !caps.IsNetworkBlocked() {
		t.Error(caps.NetworkMode())
	}
	must(t, caps.AllowPort(nono.PortConnectTCP, 443))
	must(t, caps.AllowPort(nono.PortBindTCP, 8080))
	if err := caps.AllowPort(nono.PortUse(2), 1); !errors.Is(err, nono.ErrInvalidArg) {
		t.Error(err)
	}
	if text := caps.Summary(); !strings.Contains(text, "443") || !strings.Contains(text, "8080") {
		t.Error(text)
	}
	must(t, caps.SetNetworkBlocked(false))
	if caps.NetworkMode() != nono.NetworkAllowAll {
		t.Error(caps.NetworkMode())
	}
	must(t, caps.SetNetworkMode(nono.NetworkProxyOnly))
	must(t, caps.SetProxyPort(8080))
	if caps.NetworkMode() != nono.NetworkProxyOnly || caps.ProxyPort() != 8080 || !caps.IsNetworkBlocked() {
		t.Error(caps.Summary())
	}
	if err := caps.SetNetworkMode(nono.NetworkMode(3)); !errors.Is(err, nono.ErrInvalidArg) {
		t.Error(err)
	}
}

func TestDeniesAndProtections(t *testing.T) {
	caps := setOf(t)
	d := directory(t)
	must(t, caps.DenyPath(d+"/missing"))
	must(t, caps.DenyPath(d))
	if got := caps.DeniedPaths(); !slices.Equal(got, []string{d + "/missing", d}) {
		t.Error(got)
	}
	err := caps.BestEffort("no such thing")
	if !errors.Is(err, nono.ErrInvalidArg) || !strings.Contains(err.Error(), "there are ") {
		t.Fatal(err)
	}
	_, known, _ := strings.Cut(err.Error(), "there are ")
	names := strings.Split(known, ", ")
	taken := 0
	for _, name := range names {
		if caps.BestEffort(name) == nil {
			taken++
		}
		if caps.Lift(name) == nil {
			taken++
		}
	}
	if taken == 0 {
		t.Errorf("none of %v can be lifted or missing", names)
	}
	if err := caps.Lift("no such thing"); !errors.Is(err, nono.ErrInvalidArg) {
		t.Error(err)
	}
	must(t, caps.SetStrict(true))
	must(t, caps.SetStrict(false))
}

func TestCommandsAndRules(t *testing.T) {
	caps := setOf(t)
	must(t, caps.AllowCommand("git"))
	must(t, caps.BlockCommand("rm"))
	must(t, caps.AddPlatformRule("(version 1)"))
	must(t, caps.AddPlatformRule(`(deny file-read* (subpath "/secret"))`))
	for _, rule := range []string{"", "version 1", `(allow file-read* (subpath "/"))`, "(deny"} {
		if err := caps.AddPlatformRule(rule); !errors.Is(err, nono.ErrSandboxInit) {
			t.Errorf("%q: %v", rule, err)
		}
	}
	if err := caps.AllowCommand("\xff"); !errors.Is(err, nono.ErrInvalidArg) {
		t.Error(err)
	}
}

func TestDeduplicate(t *testing.T) {
	d := directory(t)
	caps := setOf(t, d, d)
	must(t, caps.Deduplicate())
	if all := caps.FSCapabilities(); len(all) != 1 || all[0].Access != nono.AccessRead {
		t.Errorf("%+v", all)
	}
	must(t, caps.AllowPath(d, nono.AccessReadWrite))
	must(t, caps.Deduplicate())
	if all := caps.FSCapabilities(); len(all) != 1 || all[0].Access != nono.AccessReadWrite {
		t.Errorf("%+v", all)
	}
}

func TestPathCoveredAndSummary(t *testing.T) {
	d := directory(t)
	caps := setOf(t, d)
	for path, wanted := range map[string]bool{
		d: true, d + "/below": true, d + "evil": false, "/": false, "relative": false, d + "/../other": false} {
		if covered, err := caps.PathCovered(path); err != nil || covered != wanted {
			t.Errorf("%s: %v %v", path, covered, err)
		}
	}
	if text := caps.Summary(); !strings.Contains(text, d+" [read] (dir)") {
		t.Error(text)
	}
}

func TestClosedSets(t *testing.T) {
	closed := nono.New()
	must(t, closed.Close())
	must(t, closed.Close())
	for _, caps := range []*nono.CapabilitySet{closed, nil, new(nono.CapabilitySet)} {
		must(t, caps.Close())
		for name, err := range map[string]error{
			"AllowPath": caps.AllowPath("/", nono.AccessRead), "AllowFile": caps.AllowFile("/dev/null", nono.AccessRead),
			"AllowRights": caps.AllowRights("/", "read"), "DenyPath": caps.DenyPath("/"),
			"SetNetworkMode": caps.SetNetworkMode(nono.NetworkBlocked), "SetNetworkBlocked": caps.SetNetworkBlocked(true),
			"SetProxyPort": caps.SetProxyPort(1), "AllowPort": caps.AllowPort(nono.PortBindTCP, 1),
			"AllowCommand": caps.AllowCommand("a"), "BlockCommand": caps.BlockCommand("a"),
			"AddPlatformRule": caps.AddPlatformRule("(version 1)"), "Deduplicate": caps.Deduplicate(),
			"BestEffort": caps.BestEffort("signals"), "Lift": caps.Lift("signals"), "SetStrict": caps.SetStrict(true),
			"Apply": nono.Apply(caps), "Command": nono.Command(caps, "/bin/true").Err,
			"Command.Start": nono.Command(caps, "/bin/true").Start(),
		} {
			if !errors.Is(err, nono.ErrInvalidArg) {
				t.Errorf("%s of a closed set: %v", name, err)
			}
		}
		if q, err := nono.NewQueryContext(caps); q != nil || !errors.Is(err, nono.ErrInvalidArg) {
			t.Error(q, err)
		}
		if s, err := nono.StateFromCaps(caps); s != nil || !errors.Is(err, nono.ErrInvalidArg) {
			t.Error(s, err)
		}
		if caps.NetworkMode() != nono.NetworkBlocked || caps.ProxyPort() != 0 || caps.IsNetworkBlocked() ||
			caps.Summary() != "" || caps.FSCapabilities() != nil || caps.DeniedPaths() != nil {
			t.Error("a closed set says something")
		}
		if covered, err := caps.PathCovered("/"); covered || err != nil {
			t.Error(covered, err)
		}
	}
}
