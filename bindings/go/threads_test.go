// SPDX-License-Identifier: Apache-2.0
//go:build linux

package nono_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	nono "github.com/always-further/nono-go"
)

// opens reports whether the file can be opened, by the plainest call.
func opens(path string) bool {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	syscall.Close(fd)
	return true
}

// churn keeps threads coming and going, each of which tries to open secret; it gives what stops it and tells how many opened it
// in tries that began after applied was set, and how many tries there were.
func churn(secret string, applied *atomic.Bool) (stop func() (opened, tries int64)) {
	var opened, tries atomic.Int64
	var ending atomic.Bool
	var running sync.WaitGroup
	try := func() {
		after := applied.Load()
		got := opens(secret)
		if after {
			tries.Add(1)
			if got {
				opened.Add(1)
			}
		}
	}
	for range min(8, 2*runtime.GOMAXPROCS(0)) { // on one processor each hand-over takes its time
		running.Add(1)
		go func() {
			defer running.Done()
			for !ending.Load() {
				try()
				ended := make(chan struct{})
				go func() { // the thread ends with its goroutine, which does not unlock it
					defer close(ended)
					runtime.LockOSThread()
					try()
				}()
				<-ended
			}
		}()
	}
	return func() (int64, int64) {
		ending.Store(true)
		running.Wait()
		return opened.Load(), tries.Load()
	}
}

func init() {
	// Threads that wait in a system call, that belong to one goroutine, that poll the network, that come and go.
	children["threads"] = func(args []string) {
		secret, socket := args[0], args[1]
		processors, err := strconv.Atoi(args[2])
		need(err)
		runtime.GOMAXPROCS(processors)

		var pipe [2]int
		need(syscall.Pipe(pipe[:])) // blocking: the reader keeps a thread
		type outcome struct {
			read   int
			err    error
			opened bool
		}
		waited, locked := make(chan outcome), make(chan outcome)
		threads := make(chan int, 2)
		go func() {
			runtime.LockOSThread()
			threads <- syscall.Gettid()
			n, err := syscall.Read(pipe[0], make([]byte, 1))
			waited <- outcome{n, err, opens(secret)}
		}()
		wake := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			threads <- syscall.Gettid()
			<-wake
			locked <- outcome{opened: opens(secret)}
		}()
		<-threads
		<-threads

		listeners := []net.Listener{}
		for _, where := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", socket}} {
			listener, err := net.Listen(where[0], where[1])
			need(err)
			listeners = append(listeners, listener)
			go func() {
				for {
					connection, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = fmt.Fprint(connection, opens(secret))
					_ = connection.Close()
				}
			}()
		}

		var applied atomic.Bool
		stop := churn(secret, &applied)
		time.Sleep(20 * time.Millisecond)
		check(opens(secret), "the secret cannot be read before")
		caps := nono.New()
		need(caps.AllowPath("/proc", nono.AccessRead))
		need(caps.AllowPath(filepath.Dir(socket), nono.AccessReadWrite))
		need(nono.Apply(caps))
		applied.Store(true)

		// 10^4 reads by many goroutines.
		var all sync.WaitGroup
		var succeeded atomic.Int64
		for range 200 {
			all.Add(1)
			go func() {
				defer all.Done()
				for range 50 {
					if _, err := os.ReadFile(secret); !refused(err) {
						succeeded.Add(1)
					}
				}
			}()
		}
		all.Wait()
		check(succeeded.Load() == 0, fmt.Sprint(succeeded.Load(), " reads succeeded"))

		_, err = syscall.Write(pipe[1], []byte("x"))
		need(err)
		got := <-waited
		check(got.read == 1 && got.err == nil, fmt.Sprint("the blocked read gave ", got))
		check(!got.opened, "the thread that waited is not confined")
		close(wake)
		check(!(<-locked).opened, "the locked thread is not confined")
		for _, listener := range listeners {
			connection, err := net.Dial(listener.Addr().Network(), listener.Addr().String())
			need(err)
			answer := make([]byte, 8)
			n, err := connection.Read(answer)
			need(err)
			check(string(answer[:n]) == "false", "who accepts is not confined: "+string(answer[:n]))
			need(connection.Close())
		}
		time.Sleep(20 * time.Millisecond)
		opened, tries := stop()
		check(tries > 0 && opened == 0, fmt.Sprint(opened, " of ", tries, " threads are not confined"))

		states, err := filepath.Glob("/proc/self/task/*/status")
		need(err)
		for _, state := range states {
			text, err := os.ReadFile(state)
			check(err != nil || bytes.Contains(text, []byte("\nNoNewPrivs:\t1\n")), "no_new_privs is not set: "+state)
		}
		check(len(states) > 3, "the threads were not looked at")
	}
}

func TestApplyConfinesEveryThread(t *testing.T) {
	needSandbox(t)
	for processors, rounds := range map[string]int{"1": 1, "2": 2, "64": 5} {
		for round := range rounds {
			t.Run(fmt.Sprint(processors, "/", round), func(t *testing.T) {
				d := directory(t)
				inChild(t, "threads", file(t, d, "secret"), filepath.Dir(file(t, d, "sockets", "file"))+"/s", processors)
			})
		}
	}
}
