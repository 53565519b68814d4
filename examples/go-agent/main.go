// SPDX-License-Identifier: Apache-2.0

// An agent that trusts neither its tools nor itself: each tool runs in a sandbox that only reads the workspace, and before the
// agent works on what they said, it gives up all but the workspace.
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/always-further/nono-go"
)

func main() {
	home, err := os.MkdirTemp("", "go-agent-")
	check(err)
	secret, workspace := filepath.Join(home, "secret"), filepath.Join(home, "workspace")
	check(os.WriteFile(secret, []byte("a key"), 0o600))
	check(os.Mkdir(workspace, 0o700))
	check(os.WriteFile(filepath.Join(workspace, "notes"), []byte("locks are cheap and keys are not\n"), 0o600))

	tools := sandbox(workspace, nono.AccessRead, "/usr", "/bin", "/lib", "/lib64")
	words := tool(tools, workspace, "wc", "-w", "notes")
	fmt.Println("the notes have", words, "words")
	fmt.Println("a tool reads the secret:", tool(tools, workspace, "cat", secret))
	fmt.Println("a tool writes:", tool(tools, workspace, "sh", "-c", "echo changed > notes"))

	own := sandbox(workspace, nono.AccessReadWrite)
	check(nono.Apply(own))
	check(os.WriteFile(filepath.Join(workspace, "answer"), []byte(words), 0o600))
	fmt.Println("the agent wrote its answer")
	_, err = os.ReadFile(secret)
	fmt.Println("the agent reads the secret:", why(err))
	_, err = net.Dial("tcp", "127.0.0.1:80")
	fmt.Println("the agent connects:", why(err))
}

// sandbox grants the workspace, and reading what is there of the other directories. It has no network.
func sandbox(workspace string, mode nono.AccessMode, programs ...string) *nono.CapabilitySet {
	caps := nono.New()
	check(caps.SetNetworkMode(nono.NetworkBlocked))
	check(caps.AllowPath(workspace, mode))
	for _, path := range programs {
		if err := caps.AllowPath(path, nono.AccessRead); !errors.Is(err, nono.ErrPathNotFound) {
			check(err)
		}
	}
	return caps
}

// tool gives what a tool said first, or why it said nothing.
func tool(caps *nono.CapabilitySet, directory, name string, args ...string) string {
	cmd := nono.Command(caps, name, args...)
	cmd.Dir = directory
	out, err := cmd.Output()
	if err != nil {
		return "refused"
	}
	return strings.Fields(string(out))[0]
}

func why(err error) error {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
