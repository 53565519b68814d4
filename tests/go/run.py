#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Go package, from outside.

run.py build --source S --build B [--compiler CXX] [--race]
    B/go/: a copy of the package with its archive, and of the example; formatting, vet, all test programs. Nothing is
    downloaded. With --race the package's tests for the race detector alone.
run.py documented --build B
    the programs that users were shown, byte for byte, as they stand (root: the directories they name are made)
"""
import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

MODULE = "github.com/always-further/nono-go"


def environment(build):
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GO", "CGO_"))}
    env["PATH"] += ":/usr/local/go/bin"
    env |= {"GOFLAGS": "-mod=mod -buildvcs=false", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOENV": "off",
            "GOCACHE": str(build / "go/cache"), "GOPATH": str(build / "go/path"), "CGO_ENABLED": "1"}
    return env


def archive(source, platform, to, compiler):
    """The build's own where there is one; else makes it where it is not, or older than what it is made of."""
    ready = to.parents[2] / "libnono_ffi.a"
    if ready.exists():
        return ready
    parts = [*source.glob("include/nono/**/*.hpp"), *source.glob("include/nono/c/*.h"), *source.glob("bindings/c/*")]
    if not to.exists() or any(part.stat().st_mtime >= to.stat().st_mtime for part in parts):
        to.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([source / "bindings/c/archive", to, compiler], check=True)
    return to


def build(source, build, compiler, race):
    env = environment(build)

    def go(*args, cwd):
        subprocess.run(["go", *args], cwd=cwd, env=env, check=True)

    platform = subprocess.run(["go", "env", "GOOS", "GOARCH"], env=env, check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip().replace("\n", "_")
    root = build / "go"
    made = archive(source, platform, root / platform / "libnono_ffi.a", compiler)
    package, agent = root / "bindings/go", root / "examples/go-agent"
    for path in (package, agent):
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(source / path.relative_to(root), path, ignore=shutil.ignore_patterns("*.a"))
    place = package / "internal/clib" / platform
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy2(made, place)

    if race:
        go("test", "-race", "-c", "-o", root / "nono_go_race", ".", cwd=package)
        return
    for path in (package, agent):
        sources = sorted(p.name for p in path.glob("*.go"))
        unformatted = subprocess.run(["gofmt", "-l", *sources], cwd=path, env=env, check=True, stdout=subprocess.PIPE).stdout
        if unformatted:
            sys.exit(f"gofmt -w repairs these of {path.relative_to(root)}: {unformatted.decode().split()}")
        go("vet", "./...", cwd=path)
    go("test", "-c", "-o", root / "nono_go_test", ".", cwd=package)
    go("test", "-c", "-o", root / "go_agent_test", ".", cwd=agent)
    for name in ("main", "state"):
        room = root / "documented" / name
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        shutil.copy2(package / "testdata/documented" / f"{name}.go", room)
        (room / "go.mod").write_text(
            f"module documented\n\ngo 1.24\n\nrequire {MODULE} v0.0.0\n\nreplace {MODULE} => {package}\n")
        if name == "state":  # as a module that holds its dependencies itself
            go("mod", "vendor", cwd=room)
        go("build", *(["-mod=vendor"] if name == "state" else []), "-o", root / f"documented_{name}", ".", cwd=room)


STATE = """{
  "fs": [
    {
      "original": "/data",
      "resolved": "/data",
      "access": "read+write",
      "is_file": false
    }
  ],
  "net_blocked": true
}
"""


def documented(build):
    made = []
    for path in ("/home", "/home/user", "/home/user/data", "/data", "/tmp"):
        try:
            os.mkdir(path)
            made.append(path)
        except FileExistsError:
            pass
        except PermissionError:
            print(f"skipped: {path} is not there and cannot be made")
            sys.exit(77)
    failures = 0
    try:
        for name, expected in (("main", "allowed\npath does not exist\n"), ("state", STATE)):
            run = subprocess.run([build / f"go/documented_{name}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, errors="replace")
            if run.returncode != 0 or run.stdout != expected:
                print(f"{name}.go: exit status {run.returncode}, and it printed\n{run.stdout}instead of\n{expected}")
                failures += 1
    finally:
        for path in reversed(made):
            os.rmdir(path)
    sys.exit(failures > 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("build", "documented"))
    parser.add_argument("--source", type=Path)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--race", action="store_true")
    args = parser.parse_args()
    if args.what == "documented":
        documented(args.build)
    else:
        build(args.source, args.build, args.compiler, args.race)


main()
