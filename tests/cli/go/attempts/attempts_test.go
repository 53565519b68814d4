// SPDX-License-Identifier: Apache-2.0

// Package attempts is a test that tries what a test has no business with. It prints "attempt NAME: ok" or the
// error for each, and fails, so that whoever runs it sees all of it.
package attempts

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

const tiocsti = 0x5412

// supervisor is the nono above this process; without one, the process that the variable VICTIM names.
func supervisor() (int, error) {
	for pid := os.Getppid(); pid > 1; {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			break
		}
		text := string(stat)
		end := strings.LastIndexByte(text, ')')
		if strings.HasSuffix(text[:end], "(nono") {
			return pid, nil
		}
		fields := strings.Fields(text[end+1:])
		if pid, err = strconv.Atoi(fields[1]); err != nil {
			break
		}
	}
	return strconv.Atoi(os.Getenv("VICTIM"))
}

func signal() error {
	pid, err := supervisor()
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGCONT)
}

func environ() error {
	pid, err := supervisor()
	if err != nil {
		return err
	}
	_, err = os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err
}

func connect() error {
	c, err := net.DialTimeout("tcp4", os.Getenv("SERVER"), 3*time.Second)
	if err == nil {
		c.Close()
	}
	return err
}

func typed() error {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer tty.Close()
	c := byte('#')
	if _, _, why := syscall.Syscall(syscall.SYS_IOCTL, tty.Fd(), tiocsti, uintptr(unsafe.Pointer(&c))); why != 0 {
		return why
	}
	return nil
}

func TestAttempts(t *testing.T) {
	home := os.Getenv("HOME")
	attempts := []struct {
		name string
		try  func() error
	}{
		{"key", func() error { _, err := os.ReadFile(filepath.Join(home, ".ssh", "id_ed25519")); return err }},
		{"home", func() error { return os.WriteFile(filepath.Join(home, "made"), []byte("x"), 0o600) }},
		{"connect", connect},
		{"signal", signal},
		{"terminal", typed},
		{"environ", environ},
	}
	for _, a := range attempts {
		err := a.try()
		var number syscall.Errno
		switch {
		case err == nil:
			fmt.Printf("attempt %s: ok\n", a.name)
		case errors.As(err, &number):
			fmt.Printf("attempt %s: %s\n", a.name, number)
		default:
			fmt.Printf("attempt %s: %v\n", a.name, err)
		}
	}
	t.Fail()
}
