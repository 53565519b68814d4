// SPDX-License-Identifier: Apache-2.0

package nono_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	nono "github.com/always-further/nono-go"
)

// What confines a process does so for good: it runs in a child, which is this program with the variable set to a name of
// children. A child that fails panics.
const childVariable = "NONO_GO_TEST_CHILD"

var children = map[string]func(args []string){}

func TestMain(m *testing.M) {
	if name, ok := os.LookupEnv(childVariable); ok {
		f, known := children[name]
		if !known {
			panic("no child " + name)
		}
		f(os.Args[1:])
		fmt.Println("done " + name)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// inChild runs a child, which must come to its end, and gives what it printed.
func inChild(t *testing.T, name string, args ...string) string {
	t.Helper()
	needSandbox(t)
	return inChildWith(t, nil, name, args...)
}

func inChildWith(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	cmd := exec.Command(program, args...)
	cmd.Env = append(append(os.Environ(), childVariable+"="+name), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	out, ended := strings.CutSuffix(stdout.String(), "done "+name+"\n")
	if err != nil || !ended {
		t.Fatalf("child %s: %v\n%s%s", name, err, stdout.String(), stderr.String())
	}
	return out
}

// needSandbox skips where this kernel cannot; with NONO_REQUIRE_LIVE=1 that is a failure.
func needSandbox(t *testing.T) {
	t.Helper()
	if nono.IsSupported() {
		return
	}
	if os.Getenv("NONO_REQUIRE_LIVE") == "1" {
		t.Fatal("this kernel has no Landlock")
	}
	t.Skip("this kernel has no Landlock")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// need is must for children.
func need(err error) {
	if err != nil {
		panic(err)
	}
}

func check(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

func refused(err error) bool { return errors.Is(err, os.ErrPermission) }

// directory is a fresh one without links in its path.
func directory(t testing.TB) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	return path
}

func file(t testing.TB, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte("text of "+filepath.Base(path)+"\n"), 0o644))
	return path
}

// setOf reads the directories.
func setOf(t testing.TB, directories ...string) *nono.CapabilitySet {
	t.Helper()
	caps := nono.New()
	t.Cleanup(func() { caps.Close() })
	for _, d := range directories {
		must(t, caps.AllowPath(d, nono.AccessRead))
	}
	return caps
}

// system is setOf with what programs of this system need to start, where it is there.
func system(t testing.TB, directories ...string) *nono.CapabilitySet {
	t.Helper()
	caps := setOf(t, directories...)
	for _, d := range []string{"/usr", "/bin", "/lib", "/lib64"} {
		if err := caps.AllowPath(d, nono.AccessRead); err != nil && !errors.Is(err, nono.ErrPathNotFound) {
			t.Fatal(err)
		}
	}
	return caps
}
