// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"os"
	"os/exec"
	"testing"
)

//go:embed main.expected
var expected string

// The agent confines itself for good: it is a child, which is this program with the variable set.
const asAgent = "GO_AGENT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asAgent) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAgent(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), asAgent+"=1", "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != expected {
		t.Errorf("%v\n%s", err, out)
	}
}
