// SPDX-License-Identifier: Apache-2.0

package greet

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTo(t *testing.T) {
	if got := To("you"); got != "hello, you" {
		t.Errorf("got %q", got)
	}
}

func TestTempDir(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "x" {
		t.Fatalf("got %q, %v", got, err)
	}
}
