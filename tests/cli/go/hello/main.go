// SPDX-License-Identifier: Apache-2.0

// Hello says who it greets, from a package of its own and a file that it writes and reads back.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"hello/greet"
)

func main() {
	name := filepath.Join(os.TempDir(), "greeting")
	if err := os.WriteFile(name, []byte(greet.To("world")), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	}
	fmt.Println(string(text))
}
