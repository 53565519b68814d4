// SPDX-License-Identifier: Apache-2.0

// What tests/bench/go_cost.py measures in a Go process.
//
//	go_cost apply           confines itself; prints the microseconds that took and how many threads there were
//	go_cost grants DIR...   prints the microseconds in which the grants on the directories are read back
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/always-further/nono-go"
)

func microseconds(since time.Time) float64 { return float64(time.Since(since).Nanoseconds()) / 1e3 }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func apply() {
	set := nono.New()
	must(set.AllowPath("/usr", nono.AccessRead))
	must(set.AllowPath("/etc", nono.AccessRead))
	must(set.SetNetworkBlocked(true))
	began := time.Now()
	must(nono.Apply(set))
	took := microseconds(began)
	var report struct{ Threads int }
	must(json.Unmarshal([]byte(nono.Report()), &report))
	fmt.Println(took, report.Threads)
}

func grants(directories []string) {
	set := nono.New()
	for _, directory := range directories {
		must(set.AllowPath(directory, nono.AccessRead))
	}
	began := time.Now()
	all := set.FSCapabilities()
	took := microseconds(began)
	if len(all) != len(directories) {
		must(fmt.Errorf("%d grants instead of %d", len(all), len(directories)))
	}
	fmt.Println(took)
}

func main() {
	if os.Args[1] == "apply" {
		apply()
	} else {
		grants(os.Args[2:])
	}
}
