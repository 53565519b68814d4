// SPDX-License-Identifier: Apache-2.0
//go:build linux

package nono_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	nono "github.com/always-further/nono-go"
)

// ran gives the exit status, and what the command said.
func ran(t *testing.T, cmd *exec.Cmd) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	var exit *exec.ExitError
	if failed := cmd.Run(); failed != nil && !errors.As(failed, &exit) {
		t.Fatal(failed)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

func TestCommandIsConfined(t *testing.T) {
	needSandbox(t)
	d := directory(t)
	granted, other := file(t, d, "granted", "file"), file(t, d, "other", "file")
	caps := system(t, filepath.Dir(granted))
	if status, out, _ := ran(t, nono.Command(caps, "cat", granted)); status != 0 || out != "text of file\n" {
		t.Errorf("%d %q", status, out)
	}
	status, out, err := ran(t, nono.Command(caps, "cat", other))
	if status == 0 || out != "" || !strings.Contains(err, "Permission denied") {
		t.Errorf("%d %q %q", status, out, err)
	}
	if status, _, _ := ran(t, nono.Command(caps, "sh", "-c", "echo > "+granted)); status == 0 {
		t.Error("what may be read was written")
	}
	if text, err := os.ReadFile(granted); err != nil || len(text) == 0 {
		t.Error("what may be read was emptied")
	}
	// This process is as it was.
	file(t, d, "other", "new")
	if text, err := os.ReadFile(other); err != nil || len(text) == 0 {
		t.Error(err)
	}
	if nono.Report() != "" {
		t.Error("this process was confined")
	}
	if status, _, _ := ran(t, exec.Command("cat", other)); status != 0 {
		t.Error("another child is confined")
	}
}

func TestCommandHasNoNetwork(t *testing.T) {
	needSandbox(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	caps := system(t)
	script := "exec 3<>/dev/tcp/" + strings.Replace(listener.Addr().String(), ":", "/", 1)
	if status, _, text := ran(t, nono.Command(caps, "bash", "-c", script)); status != 0 {
		t.Fatal(text)
	}
	must(t, caps.SetNetworkMode(nono.NetworkBlocked))
	if status, _, _ := ran(t, nono.Command(caps, "bash", "-c", script)); status == 0 {
		t.Error("a blocked network connects")
	}
}

func TestCommandPassesEverythingOn(t *testing.T) {
	needSandbox(t)
	d := directory(t)
	caps := system(t, d)
	for _, status := range []int{0, 1, 3, 126, 127, 255} {
		if got, _, _ := ran(t, nono.Command(caps, "sh", "-c", "exit "+strconv.Itoa(status))); got != status {
			t.Errorf("%d instead of %d", got, status)
		}
	}
	cmd := nono.Command(caps, "sh", "-c", "kill -TERM $$")
	_, _, _ = ran(t, cmd)
	if state := cmd.ProcessState.Sys().(syscall.WaitStatus); !state.Signaled() || state.Signal() != syscall.SIGTERM {
		t.Error(cmd.ProcessState)
	}

	// Arguments, byte for byte, and the first one.
	odd := []string{"", "a b", "\xff\n", "--", "ü"}
	cmd = nono.Command(caps, "printf", append([]string{"<%s>"}, odd...)...)
	if _, out, _ := ran(t, cmd); out != "<"+strings.Join(odd, "><")+">" {
		t.Errorf("%q", out)
	}
	long := strings.Repeat("y", 100_000)
	if _, out, err := ran(t, nono.Command(caps, "printf", "%s", long)); out != long {
		t.Errorf("%d bytes, %q", len(out), err)
	}
	cmd = nono.Command(caps, "sh", "-c", "echo $0")
	cmd.Args[0] = "renamed"
	if _, out, _ := ran(t, cmd); out != "renamed\n" && out != "sh\n" {
		t.Errorf("%q", out)
	}

	// Input, environment, directory.
	cmd = nono.Command(caps, "cat")
	cmd.Stdin = strings.NewReader("through")
	if _, out, _ := ran(t, cmd); out != "through" {
		t.Errorf("%q", out)
	}
	t.Setenv("NONO_GO_TEST_INHERITED", "yes")
	if _, out, _ := ran(t, nono.Command(caps, "env")); !strings.Contains(out, "NONO_GO_TEST_INHERITED=yes\n") {
		t.Errorf("%q", out)
	}
	cmd = nono.Command(caps, "env")
	cmd.Env = []string{"ONLY=this"}
	if _, out, _ := ran(t, cmd); out != "ONLY=this\n" {
		t.Errorf("%q", out)
	}
	cmd = nono.Command(caps, "pwd")
	cmd.Dir = d
	if _, out, _ := ran(t, cmd); out != d+"\n" {
		t.Errorf("%q", out)
	}
	// A relative program is below Dir, as with os/exec.
	must(t, os.WriteFile(d+"/script", []byte("#!/bin/sh\necho of the script\n"), 0o755))
	cmd = nono.Command(caps, "./script")
	cmd.Dir = d
	if _, out, err := ran(t, cmd); out != "of the script\n" {
		t.Errorf("%q %q", out, err)
	}
	// Pipes, and Output.
	cmd = nono.Command(caps, "cat")
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	_, err = io.WriteString(in, "piped")
	must(t, err)
	must(t, in.Close())
	text, err := io.ReadAll(out)
	must(t, err)
	must(t, cmd.Wait())
	if string(text) != "piped" {
		t.Errorf("%q", text)
	}
	if text, err := nono.Command(caps, "echo", "output").Output(); err != nil || string(text) != "output\n" {
		t.Errorf("%q %v", text, err)
	}
}

func TestCommandContext(t *testing.T) {
	needSandbox(t)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	cmd := nono.CommandContext(ctx, system(t), "sleep", "60")
	if err := cmd.Run(); err == nil || ctx.Err() == nil {
		t.Error(err)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(all)
}

func TestCommandLeaksNoDescriptor(t *testing.T) {
	needSandbox(t)
	caps := system(t, "/proc")
	list := func(cmd *exec.Cmd) string {
		_, out, text := ran(t, cmd)
		if text != "" {
			t.Error(text)
		}
		return out
	}
	// Into the child: its three, and the one by which ls reads the list. What this process inherited itself stays here.
	for fd := 3; fd < 1024; fd++ {
		syscall.CloseOnExec(fd)
	}
	plain, confined := exec.Command("ls", "/proc/self/fd"), nono.Command(caps, "ls", "/proc/self/fd")
	if a, b := list(plain), list(confined); a != b || b != "0\n1\n2\n3\n" {
		t.Errorf("%q is %q in a sandbox", a, b)
	}
	// What the user adds arrives where os/exec says.
	d := directory(t)
	own, err := os.Open(file(t, d, "own"))
	must(t, err)
	defer own.Close()
	cmd := nono.Command(caps, "sh", "-c", "cat <&4; cat <&3")
	cmd.ExtraFiles = append(cmd.ExtraFiles, own)
	if status, out, _ := ran(t, cmd); out != "text of own\n" || status == 0 {
		t.Errorf("%d %q", status, out)
	}
	runtime.KeepAlive(own)

	// In here: those that ran, and those that nobody started, are closed when they are collected; or before.
	runtime.GC()
	time.Sleep(20 * time.Millisecond)
	before := descriptors(t)
	cmd = nono.Command(caps, "true")
	if now := descriptors(t); now != before+1 {
		t.Errorf("a command holds %d descriptors", now-before)
	}
	must(t, cmd.Start())
	must(t, cmd.ExtraFiles[0].Close())
	must(t, cmd.Wait())
	if now := descriptors(t); now > before {
		t.Errorf("%d descriptors, %d before", now, before)
	}
	for i := range 50 {
		cmd := nono.Command(caps, "true")
		if i%5 == 0 {
			must(t, cmd.Run())
		}
	}
	for range 50 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
		if descriptors(t) <= before {
			return
		}
	}
	t.Errorf("%d descriptors, %d before", descriptors(t), before)
}

func TestCommandFailures(t *testing.T) {
	needSandbox(t)
	d := directory(t)
	script := d + "/script"
	must(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755))
	for _, one := range []struct {
		program string
		caps    *nono.CapabilitySet
		status  int
		says    string
	}{
		{d + "/missing", system(t, d), 127, "nono: cannot run " + d + "/missing: No such file or directory\n"},
		{script, system(t), 126, "nono: cannot run " + script + ": permission denied (the sandbox must grant "},
		{script, setOf(t, d), 126, "nono: cannot run " + script + ": permission denied (the sandbox must grant "},
		{file(t, d, "no program"), system(t, d), 126, "nono: cannot run " + d + "/no program: permission denied"},
	} {
		if status, _, text := ran(t, nono.Command(one.caps, one.program)); status != one.status ||
			!strings.HasPrefix(text, one.says) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: %d %q", one.program, status, text)
		}
	}
	if err := nono.Command(system(t), "no-such-program-anywhere").Start(); !errors.Is(err, exec.ErrNotFound) {
		t.Error(err)
	}
}

func TestCommandFromTheCurrentDirectory(t *testing.T) {
	needSandbox(t)
	d := directory(t)
	must(t, os.WriteFile(d+"/here", []byte("#!/bin/sh\ncat "+file(t, directory(t), "secret")+"\n"), 0o755))
	t.Chdir(d)
	t.Setenv("PATH", "."+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd := nono.Command(system(t, d), "here")
	if !errors.Is(cmd.Err, exec.ErrDot) {
		t.Fatal(cmd.Err)
	}
	cmd.Err = nil // as os/exec says
	if status, out, text := ran(t, cmd); status != 1 || out != "" || !strings.Contains(text, "Permission denied") {
		t.Errorf("%d %q %q", status, out, text)
	}
}

func init() {
	// A process that confined itself starts a command that it confines further.
	children["apply_and_command"] = func(args []string) {
		granted, other := args[0], args[1]
		program, err := os.Executable()
		need(err)
		outer := nono.New()
		for _, d := range []string{"/usr", "/bin", "/lib", "/lib64", filepath.Dir(granted), filepath.Dir(other), filepath.Dir(program)} { // no /proc
			if err := outer.AllowPath(d, nono.AccessRead); !errors.Is(err, nono.ErrPathNotFound) {
				need(err)
			}
		}
		need(outer.AllowFile("/dev/null", nono.AccessReadWrite))
		need(outer.SetNetworkMode(nono.NetworkBlocked))
		need(nono.Apply(outer))
		inner := nono.New()
		for _, d := range []string{"/usr", "/bin", "/lib", "/lib64", filepath.Dir(granted)} {
			if err := inner.AllowPath(d, nono.AccessRead); !errors.Is(err, nono.ErrPathNotFound) {
				need(err)
			}
		}
		need(inner.SetNetworkMode(nono.NetworkBlocked))
		out, err := nono.Command(inner, "cat", granted).CombinedOutput()
		check(err == nil, fmt.Sprint(err, string(out)))
		check(nono.Command(inner, "cat", other).Run() != nil, "the inner sandbox reads the other file")
		_, err = os.ReadFile(other)
		need(err)
	}
}

func TestCommandBelowApply(t *testing.T) {
	d := directory(t)
	inChild(t, "apply_and_command", file(t, d, "granted", "file"), file(t, d, "other", "file"))
}

func TestManyCommandsAtOnce(t *testing.T) {
	needSandbox(t)
	d := directory(t)
	secret := file(t, d, "secret")
	caps := system(t)
	together(t, func() {
		if out, err := nono.Command(caps, "cat", secret).Output(); err == nil || len(out) > 0 {
			t.Errorf("%q", out)
		}
	})
}
