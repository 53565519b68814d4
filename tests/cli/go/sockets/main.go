// SPDX-License-Identifier: Apache-2.0

// Sockets serves and calls itself from many goroutines, over unix sockets and TCP, while others change modes and times
// and the scheduler preempts all of them with signals.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func serve(network, address string) net.Listener {
	server, err := net.Listen(network, address)
	must(err)
	go func() {
		for {
			peer, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				_, err := io.Copy(peer, peer)
				must(err)
				must(peer.Close())
			}()
		}
	}()
	return server
}

func call(address net.Addr) {
	peer, err := net.Dial(address.Network(), address.String())
	must(err)
	_, err = peer.Write([]byte("echo"))
	must(err)
	text := make([]byte, 4)
	_, err = io.ReadFull(peer, text)
	must(err)
	if string(text) != "echo" {
		must(fmt.Errorf("got %q", text))
	}
	must(peer.Close())
}

func change(name string) {
	when := time.Unix(1_000_000_000, 123_456_789)
	must(os.WriteFile(name, []byte("x"), 0o600))
	must(os.Chmod(name, 0o640))
	must(os.Chtimes(name, when, when))
	st, err := os.Stat(name)
	must(err)
	if st.Mode() != 0o640 || !st.ModTime().Equal(when) {
		must(fmt.Errorf("%v %v", st.Mode(), st.ModTime()))
	}
}

func main() {
	stop := make(chan struct{})
	for i := 0; i < 2; i++ {
		go func() { // runs until SIGURG takes the processor away
			for n := 0; ; n++ {
				if n%100_000_000 == 0 {
					select {
					case <-stop:
						return
					default:
					}
				}
			}
		}()
	}
	servers := []net.Listener{serve("unix", "s"), serve("tcp", "127.0.0.1:0")}
	var all sync.WaitGroup
	for i := 0; i < 50; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			for n := 0; n < 10; n++ {
				for _, server := range servers {
					call(server.Addr())
				}
				change(filepath.Join("changed", fmt.Sprint(i)))
			}
		}(i)
	}
	all.Wait()
	close(stop)
	if err := os.Chmod("../closed", 0o777); !os.IsPermission(err) {
		must(fmt.Errorf("outside: %v", err))
	}
	fmt.Println("ok")
}
