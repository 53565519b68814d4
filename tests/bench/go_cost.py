#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the Go package costs: the size of a small program, Apply beside apply() of C++, reading a thousand grants back.

    go_cost.py GO_FLOOR ROOM      the program bench/go_floor, and a directory that is emptied and written to
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODULE = "github.com/always-further/nono-go"
SMALL = """package main

import (
	"fmt"
	"os"
%s)
%s
func main() {
%s	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(len(text))
}
"""
CONFINED = """	set := nono.New()
	if err := set.AllowPath("/etc", nono.AccessRead); err != nil {
		panic(err)
	}
	if err := nono.Apply(set); err != nil {
		panic(err)
	}
"""
PROGRAMS = {"plain": SMALL % ("", "", ""), "cgo": SMALL % ("", 'import "C"\n', ""),
            "nono": SMALL % (f'\n\t"{MODULE}"\n', "", CONFINED), "cost": (HERE / "go/main.go").read_text()}


def built(room, name, environment):
    place = room / name
    place.mkdir()
    (place / "main.go").write_text(PROGRAMS[name])
    needs = f"\nrequire {MODULE} v0.0.0\n\nreplace {MODULE} => {HERE.parent.parent / 'bindings/go'}\n"
    (place / "go.mod").write_text("module example.org/small\n\ngo 1.24\n" + (needs if MODULE in PROGRAMS[name] else ""))
    subprocess.run(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", place / "program", "."], cwd=place, env=environment,
                   check=True)
    return place / "program"


def numbers(*words):
    return [float(word) for word in subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout.split()]


def main():
    floor, room = sys.argv[1], pathlib.Path(sys.argv[2])
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    environment = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false", "GOPROXY": "off", "GOWORK": "off", "GOTOOLCHAIN": "local",
                   "GOENV": "off", "CGO_ENABLED": "1"}
    program = {name: built(room, name, environment) for name in PROGRAMS}
    size = {name: path.stat().st_size for name, path in program.items()}
    print(f"  a small program, stripped: {size['plain'] / 1e6:.2f} MB; by cgo {size['cgo'] / 1e6:.2f}; with nono "
          f"{size['nono'] / 1e6:.2f}: {(size['nono'] - size['cgo']) / 1e6:.2f} MB more than by cgo. Goal: 0.40")
    pairs = []
    for _ in range(60):
        took, threads = numbers(program["cost"], "apply")
        pairs.append((numbers(floor, int(threads))[0], took, threads))
    ratio = statistics.median(mine / theirs for theirs, mine, _ in pairs)
    by_cpp, by_go, threads = (statistics.median(column) for column in zip(*pairs))
    print(f"  Apply, {threads:.0f} threads: {by_go:.0f} us; apply() of C++ with as many: {by_cpp:.0f} us; median of ratios "
          f"{ratio:.2f}, 60 pairs. Goal: 1.10")
    directories = [room / "d" / str(i) for i in range(1000)]
    for directory in directories:
        directory.mkdir(parents=True)
    ten = statistics.median(numbers(program["cost"], "grants", *directories[:10])[0] for _ in range(15))
    all_of_them = statistics.median(numbers(program["cost"], "grants", *directories)[0] for _ in range(15))
    print(f"  FSCapabilities of 10 grants: {ten:.0f} us; of 1,000: {all_of_them:.0f} us, {all_of_them / 1000:.2f} us for each")
    shutil.rmtree(room)


if __name__ == "__main__":
    main()
