// SPDX-License-Identifier: Apache-2.0
//go:build linux

package nono_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	nono "github.com/always-further/nono-go"
)

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

// The dynamic linker runs before anything of this package does.
func TestCommandHasNothingForTheDynamicLinker(t *testing.T) {
	needSandbox(t)
	caps := system(t)
	t.Setenv("LD_LIBRARY_PATH", "/nowhere:")
	t.Setenv("LD_BIND_NOW", "1")
	t.Setenv("KEPT", "1")
	status, out, text := ran(t, nono.Command(caps, "env"))
	if status != 0 || strings.Contains(out, "LD_") || !strings.Contains(out, "KEPT=1\n") {
		t.Error(status, out, text)
	}
	status, out, text = ran(t, nono.Command(caps, "env", "LD_LIBRARY_PATH=/inside", "env"))
	if status != 0 || !strings.Contains(out, "LD_LIBRARY_PATH=/inside\n") {
		t.Error(status, out, text)
	}
	for _, variable := range []string{"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_DEBUG_OUTPUT"} {
		cmd := nono.Command(caps, "env")
		cmd.Env = append(cmd.Environ(), variable+"=/nowhere")
		status, out, text := ran(t, cmd)
		if status != 126 || out != "" || !strings.Contains(text, "the dynamic linker would follow "+variable+" before the sandbox") {
			t.Error(variable, status, out, text)
		}
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
