// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (amd64 || arm64)

package nono

/*
#include "command_linux.h"
#include "nono.h"
*/
import "C"

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// Command is exec.Command, but the child is confined to caps, as they are now, before its program begins; this process is not.
// The set must grant what the program needs to start: itself, the dynamic linker and its libraries. Linux.
//
// The child is this program once more (/proc/self/exe), which confines itself before the Go runtime starts and then becomes
// the command. So Args, Env, Dir, Stdin, SysProcAttr and the like are for the command, but two fields stay as they are:
//   - Path, which names this program;
//   - ExtraFiles[0], which holds what confines the child: append your own. Entry i is descriptor 3+i of the command, and
//     descriptor 3 is closed there.
//
// A child that cannot be confined does not run: it says why on its standard error, and its exit status is 126. It is 127 where
// there is no such program, and 126 where the sandbox does not let it run.
//
// Errors are those of Start: ErrInvalidArg, ErrSandboxInit, and what exec.Command has. The one descriptor is closed when the
// Cmd is collected; after Start it may be closed sooner, by ExtraFiles[0].Close().
//
// The dynamic linker would follow variables named LD_* before the child is confined. So the command does not inherit them, and
// does not run where Env has one: set it inside, as in Command(caps, "env", "LD_LIBRARY_PATH=/opt/lib", "program").
//
// A child of root has no capabilities. Where Apply has confined this process, it must have granted this very program.
func Command(caps *CapabilitySet, name string, arg ...string) *exec.Cmd {
	return confined(caps, exec.Command(name, arg...))
}

// CommandContext is Command, with what exec.CommandContext adds.
func CommandContext(ctx context.Context, caps *CapabilitySet, name string, arg ...string) *exec.Cmd {
	return confined(caps, exec.CommandContext(ctx, name, arg...))
}

func confined(caps *CapabilitySet, cmd *exec.Cmd) *exec.Cmd {
	program := cmd.Path
	// First of all: without its descriptor the child ends, so that no Cmd that is given away here runs unconfined, even where
	// its user resets Err.
	cmd.Path = C.NONO_COMMAND_PATH
	if cmd.Err != nil && !errors.Is(cmd.Err, exec.ErrDot) {
		return cmd
	}
	file, err := handedOver(caps, program)
	if err != nil {
		cmd.Err = err
		return cmd
	}
	cmd.ExtraFiles = []*os.File{file}
	// Env stays nil, which follows Dir, where nothing has to go.
	ofLinker := func(variable string) bool { return strings.HasPrefix(variable, "LD_") }
	if env := os.Environ(); slices.ContainsFunc(env, ofLinker) {
		cmd.Env = slices.DeleteFunc(env, ofLinker)
	}
	return cmd
}

// handedOver gives a socket in which the message of command_linux.h waits.
func handedOver(caps *CapabilitySet, program string) (*os.File, error) {
	if C.nono_command_is_possible() == 0 {
		return nil, &Error{ErrCodeUnsupportedPlatform, "nono.Command needs a program in Go: this is a library in another"}
	}
	if strings.IndexByte(program, 0) >= 0 {
		return nil, &Error{ErrCodeInvalidArg, "the program's path contains a NUL byte"}
	}
	var ruleset, plan C.int
	err := error(errClosedSet)
	caps.read(func(set *C.struct_NonoCapabilitySet) {
		err = call(func() C.enum_NonoErrorCode { return C.nono_sandbox_prepare(set, &ruleset, &plan) })
	})
	if err != nil {
		return nil, err
	}
	defer syscall.Close(int(ruleset))
	defer syscall.Close(int(plan))
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	defer syscall.Close(ends[0])
	text := append([]byte(C.NONO_COMMAND_MARK+program), 0)
	rights := syscall.UnixRights(int(ruleset), int(plan))
	if err := syscall.Sendmsg(ends[0], text, rights, nil, syscall.MSG_DONTWAIT); err != nil {
		syscall.Close(ends[1])
		return nil, os.NewSyscallError("sendmsg", err)
	}
	return os.NewFile(uintptr(ends[1]), "nono.Command"), nil
}
