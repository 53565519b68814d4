// SPDX-License-Identifier: Apache-2.0

package nono_test

import (
	"errors"
	"strings"
	"testing"

	nono "github.com/always-further/nono-go"
)

func TestQueries(t *testing.T) {
	d := directory(t)
	caps := setOf(t, d)
	must(t, caps.SetNetworkMode(nono.NetworkBlocked))
	q, err := nono.NewQueryContext(caps)
	must(t, err)
	defer q.Close()

	// A copy: what is granted later does not count.
	must(t, caps.AllowPath(d, nono.AccessReadWrite))
	must(t, caps.SetNetworkMode(nono.NetworkAllowAll))

	for _, one := range []struct {
		path   string
		mode   nono.AccessMode
		wanted nono.QueryResult
	}{
		{d + "/new", nono.AccessRead, nono.QueryResult{Status: nono.QueryAllowed, Reason: nono.ReasonGrantedPath,
			GrantedPath: d, GrantedAccess: "read"}},
		{d, nono.AccessWrite, nono.QueryResult{Status: nono.QueryDenied, Reason: nono.ReasonInsufficientAccess,
			ActualAccess: "read", RequestedAccess: "write"}},
		{d, nono.AccessReadWrite, nono.QueryResult{Status: nono.QueryDenied, Reason: nono.ReasonInsufficientAccess,
			ActualAccess: "read", RequestedAccess: "read+write"}},
		{"/etc/passwd", nono.AccessRead, nono.QueryResult{Status: nono.QueryDenied, Reason: nono.ReasonPathNotGranted}},
	} {
		if got, err := q.QueryPath(one.path, one.mode); err != nil || got != one.wanted {
			t.Errorf("%s %s: %+v %v", one.mode, one.path, got, err)
		}
	}
	denied := nono.QueryResult{Status: nono.QueryDenied, Reason: nono.ReasonNetworkBlocked}
	if got, err := q.QueryNetwork(); err != nil || got != denied {
		t.Errorf("%+v %v", got, err)
	}
	later, err := nono.NewQueryContext(caps)
	must(t, err)
	defer later.Close()
	allowed := nono.QueryResult{Status: nono.QueryAllowed, Reason: nono.ReasonNetworkAllowed}
	if got, err := later.QueryNetwork(); err != nil || got != allowed {
		t.Errorf("%+v %v", got, err)
	}

	if _, err := q.QueryPath(d, nono.AccessMode(3)); !errors.Is(err, nono.ErrInvalidArg) {
		t.Error(err)
	}
	if _, err := q.QueryPath("\xff", nono.AccessRead); !errors.Is(err, nono.ErrInvalidArg) {
		t.Error(err)
	}
}

func TestExplain(t *testing.T) {
	d := directory(t)
	q, err := nono.NewQueryContext(setOf(t, d))
	must(t, err)
	defer q.Close()
	for _, path := range []string{d, "/etc/passwd"} {
		if text, err := q.Explain(path, nono.AccessRead); err != nil || !strings.Contains(text, path) {
			t.Errorf("%q %v", text, err)
		}
	}
	if text, err := q.Explain(d, nono.AccessMode(3)); text != "" || !errors.Is(err, nono.ErrInvalidArg) {
		t.Errorf("%q %v", text, err)
	}
}

func TestClosedContexts(t *testing.T) {
	closed, err := nono.NewQueryContext(setOf(t))
	must(t, err)
	must(t, closed.Close())
	for _, q := range []*nono.QueryContext{closed, nil, new(nono.QueryContext)} {
		must(t, q.Close())
		_, path := q.QueryPath("/", nono.AccessRead)
		_, network := q.QueryNetwork()
		_, words := q.Explain("/", nono.AccessRead)
		for _, err := range []error{path, network, words} {
			if !errors.Is(err, nono.ErrInvalidArg) {
				t.Error(err)
			}
		}
	}
}
