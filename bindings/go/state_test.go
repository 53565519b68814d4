// SPDX-License-Identifier: Apache-2.0

package nono_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	nono "github.com/always-further/nono-go"
)

func TestStateRoundTrip(t *testing.T) {
	d := directory(t)
	f := file(t, d, "odd \"name\" \n ü")
	caps := setOf(t, d)
	must(t, caps.AllowFile(f, nono.AccessReadWrite))
	must(t, caps.AllowRights(d, "read_file|execute"))
	must(t, caps.SetProxyPort(8080))
	must(t, caps.AllowPort(nono.PortConnectTCP, 443))
	must(t, caps.DenyPath("/secret"))
	state, err := nono.StateFromCaps(caps)
	must(t, err)
	defer state.Close()
	must(t, caps.AllowPath("/", nono.AccessReadWrite)) // after the copy

	text, err := state.JSON()
	must(t, err)
	var read struct {
		FS []struct {
			Original, Resolved, Access string
			IsFile                     bool `json:"is_file"`
		}
		NetBlocked bool `json:"net_blocked"`
	}
	must(t, json.Unmarshal([]byte(text), &read))
	if len(read.FS) < 2 || read.FS[0].Resolved != d || read.FS[0].Access != "read" || read.FS[1].Original != f ||
		!read.FS[1].IsFile || !read.NetBlocked {
		t.Errorf("%+v of %s", read, text)
	}
	if old, err := state.ToJSON(); err != nil || old != text {
		t.Errorf("%q %v", old, err)
	}

	again, err := nono.StateFromJSON(text)
	must(t, err)
	defer again.Close()
	if other, err := again.JSON(); err != nil || other != text {
		t.Errorf("%v\n%s\n%s", err, text, other)
	}
	for _, restore := range []func() (*nono.CapabilitySet, error){again.Caps, again.ToCaps} {
		restored, err := restore()
		must(t, err)
		if restored.NetworkMode() != nono.NetworkProxyOnly || restored.ProxyPort() != 8080 ||
			!reflect.DeepEqual(restored.FSCapabilities(), caps.FSCapabilities()[:3]) ||
			!reflect.DeepEqual(restored.DeniedPaths(), []string{"/secret"}) {
			t.Errorf("%s%+v", restored.Summary(), restored.FSCapabilities())
		}
		must(t, restored.Close())
	}
}

func TestStateFailures(t *testing.T) {
	for _, text := range []string{"", "not valid json", "[]", "{}", `{"fs": [], "net_blocked": 1}`} {
		s, err := nono.StateFromJSON(text)
		if s != nil || !errors.Is(err, nono.ErrUnknown) || !strings.Contains(err.Error(), "JSON parse error: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
	d := directory(t) + "/gone"
	must(t, os.Mkdir(d, 0o755))
	state, err := nono.StateFromCaps(setOf(t, d))
	must(t, err)
	defer state.Close()
	must(t, os.Remove(d))
	caps, err := state.Caps()
	if caps != nil || !errors.Is(err, nono.ErrUnknown) || err.Error() != "Path does not exist: "+d {
		t.Errorf("%v", err)
	}
}

func TestClosedStates(t *testing.T) {
	closed, err := nono.StateFromCaps(setOf(t))
	must(t, err)
	must(t, closed.Close())
	for _, s := range []*nono.SandboxState{closed, nil, new(nono.SandboxState)} {
		must(t, s.Close())
		text, err := s.JSON()
		if text != "" || !errors.Is(err, nono.ErrInvalidArg) {
			t.Errorf("%q %v", text, err)
		}
		caps, err := s.Caps()
		if caps != nil || !errors.Is(err, nono.ErrInvalidArg) {
			t.Errorf("%v %v", caps, err)
		}
	}
}
