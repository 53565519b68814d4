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

// Whatever a caller does to a Cmd, nothing of it runs outside.
func TestNoCommandRunsUnconfined(t *testing.T) {
	needSandbox(t)
	t.Setenv(childVariable, "no child") // what this program would do, were it to run unconfined
	d := directory(t)
	secret := file(t, d, "secret")
	caps := system(t)
	null, err := os.Open("/dev/null")
	must(t, err)
	defer null.Close()
	for name, spoil := range map[string]func(*exec.Cmd){
		"no ExtraFiles":      func(cmd *exec.Cmd) { cmd.ExtraFiles = nil },
		"another file first": func(cmd *exec.Cmd) { cmd.ExtraFiles = append([]*os.File{null}, cmd.ExtraFiles...) },
		"a pipe":             func(cmd *exec.Cmd) { r, _, _ := os.Pipe(); cmd.ExtraFiles[0] = r },
		"a socket":           func(cmd *exec.Cmd) { cmd.ExtraFiles[0] = message(t, nil) },
		"other descriptors":  func(cmd *exec.Cmd) { cmd.ExtraFiles[0] = message(t, []byte("nono-go1/bin/cat\x00"), 0, 1) },
		// From here on with what belongs there but for one thing.
		"another mark":   respelt(t, func(text string) string { return strings.Replace(text, "go1", "go0", 1) }),
		"no path":        respelt(t, func(string) string { return "nono-go1\x00" }),
		"no NUL":         respelt(t, func(text string) string { return strings.TrimRight(text, "\x00") }),
		"two NULs":       respelt(t, func(text string) string { return text + "\x00" }),
		"too long":       respelt(t, func(text string) string { return strings.Replace(text, "/", strings.Repeat("/", 5000), 1) }),
		"no descriptors": resent(t, nil),
		"one descriptor": resent(t, []int{0}),
		"one too many":   resent(t, []int{0, 1, 1}),
		"exchanged":      resent(t, []int{1, 0}),
		"twice the plan": resent(t, []int{1, 1}),
	} {
		cmd := nono.Command(caps, "cat", secret)
		spoil(cmd)
		if status, out, text := ran(t, cmd); status != 126 || out != "" || !strings.HasPrefix(text, "nono: cannot ") {
			t.Errorf("%s: %d %q %q", name, status, out, text)
		}
	}
	for name, spoil := range map[string]func(*exec.Cmd){
		"another Env":        func(cmd *exec.Cmd) { cmd.Env = []string{"A=b"} },
		"os.Environ and one": func(cmd *exec.Cmd) { cmd.Env = append(os.Environ(), "A=b") },
		"another Args":       func(cmd *exec.Cmd) { cmd.Args = []string{"cat", secret} },
		"one more":           func(cmd *exec.Cmd) { cmd.ExtraFiles = append(cmd.ExtraFiles, null) },
		"sent again":         respelt(t, func(text string) string { return text }),
	} {
		cmd := nono.Command(caps, "cat", secret)
		spoil(cmd)
		if status, out, text := ran(t, cmd); status != 1 || out != "" || !strings.Contains(text, "Permission denied") {
			t.Errorf("%s: %d %q %q", name, status, out, text)
		}
	}
	// Where there was an error that the caller takes away, too.
	for name, cmd := range map[string]*exec.Cmd{
		"nil":       nono.Command(nil, "cat", secret),
		"not found": nono.Command(caps, "no-such-program-anywhere", secret),
	} {
		cmd.Err = nil
		if status, out, _ := ran(t, cmd); status != 126 || out != "" {
			t.Errorf("%s: %d %q", name, status, out)
		}
	}
	// A Cmd runs once; a copy of it is refused, not started without a sandbox.
	first := nono.Command(caps, "true")
	second := &exec.Cmd{Path: first.Path, Args: first.Args, ExtraFiles: first.ExtraFiles}
	if status, _, _ := ran(t, first); status != 0 {
		t.Error(status)
	}
	if status, _, _ := ran(t, second); status != 126 {
		t.Error(status)
	}
}

// message is a socket in which a text and descriptors wait, which are no ruleset and no plan.
func message(t *testing.T, text []byte, descriptors ...int) *os.File {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	if text != nil {
		var rights []byte
		if len(descriptors) > 0 {
			rights = syscall.UnixRights(descriptors...)
		}
		must(t, syscall.Sendmsg(ends[0], text, rights, nil, 0))
		must(t, syscall.Close(ends[0]))
	}
	return os.NewFile(uintptr(ends[1]), "message")
}

// changed takes the message of a Cmd and puts another in its place.
func changed(t *testing.T, change func(text string, descriptors []int) (string, []int)) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		text, control := make([]byte, 8192), make([]byte, 256)
		n, m, _, _, err := syscall.Recvmsg(int(cmd.ExtraFiles[0].Fd()), text, control, syscall.MSG_CMSG_CLOEXEC)
		must(t, err)
		messages, err := syscall.ParseSocketControlMessage(control[:m])
		must(t, err)
		descriptors, err := syscall.ParseUnixRights(&messages[0])
		must(t, err)
		other, chosen := change(string(text[:n]), descriptors)
		cmd.ExtraFiles[0] = message(t, []byte(other), chosen...)
		for _, fd := range descriptors {
			must(t, syscall.Close(fd))
		}
	}
}

func respelt(t *testing.T, change func(string) string) func(*exec.Cmd) {
	return changed(t, func(text string, descriptors []int) (string, []int) { return change(text), descriptors })
}

func resent(t *testing.T, which []int) func(*exec.Cmd) {
	return changed(t, func(text string, descriptors []int) (string, []int) {
		var chosen []int
		for _, i := range which {
			chosen = append(chosen, descriptors[i])
		}
		return text, chosen
	})
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
		for _, d := range []string{"/usr", "/bin", "/lib", "/lib64", filepath.Dir(granted), filepath.Dir(other), filepath.Dir(program), "/proc"} {
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

func init() {
	children["command_of_setuid"] = func([]string) {
		check(os.Geteuid() == 0 && os.Getuid() != 0, "this is no set-user-ID program")
		cmd := nono.Command(nono.New(), "/bin/true")
		out, err := cmd.CombinedOutput()
		check(err != nil && cmd.ProcessState.ExitCode() == 126 && strings.Contains(string(out), "gains rights"),
			fmt.Sprint(err, " ", string(out)))
	}
}

// Where the child would have more rights than who started this program, it does not become anything.
func TestCommandOfASetUserIDProgram(t *testing.T) {
	needSandbox(t)
	if os.Getuid() != 0 {
		t.Skip("only root makes such a program")
	}
	program, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	d := directory(t)
	must(t, os.Chmod(filepath.Dir(d), 0o755))
	must(t, os.WriteFile(d+"/program", program, 0o755))
	must(t, os.Chmod(d+"/program", 0o755|os.ModeSetuid))
	cmd := exec.Command(d + "/program")
	cmd.Env = append(os.Environ(), childVariable+"=command_of_setuid")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
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
