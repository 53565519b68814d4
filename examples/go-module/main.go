// A small program that a sandbox should leave alone: it reads its own module and writes a file beside it.
package main

import (
	"fmt"
	"os"
)

// Greeting is what the program says.
func Greeting(name string) string { return "hello, " + name }

func main() {
	if err := os.WriteFile("greeting.txt", []byte(Greeting("file")+"\n"), 0o644); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(Greeting("sandbox"))
}
