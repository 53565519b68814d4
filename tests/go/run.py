#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Go package, from outside.

run.py build --source S --build B [--compiler CXX] [--race]
    B/go/: a copy of the package with its archive, and of the example; formatting, vet, all test programs. Nothing is
    downloaded. With --race the package's tests for the race detector alone.
run.py bundled --source S --build B
    The package as `go get` finds it, with what is checked in: as a module in a zip file, in B/go-bundled/, where no C++ compiler
    is to be found. A new module gets it, and a program; and the package's own tests are built against its archive.
run.py staticcheck --build B
    staticcheck over what `build` made there. It is downloaded by the user's own settings, and kept in B/go/bin.
run.py documented --build B
    the programs that users were shown, byte for byte, as they stand (root: the directories they name are made)
"""
import argparse
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

MODULE = "github.com/always-further/nono-go"
STATICCHECK = "v0.6.1"


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


def staticcheck(build):
    root = build / "go"
    program = root / "bin" / f"staticcheck-{STATICCHECK}"
    if not program.exists():
        env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/local/go/bin", GOBIN=str(program.parent), GOTOOLCHAIN="local")
        subprocess.run(["go", "install", f"honnef.co/go/tools/cmd/staticcheck@{STATICCHECK}"], env=env, check=True)
        (program.parent / "staticcheck").rename(program)
    for path in ("bindings/go", "examples/go-agent"):
        subprocess.run([program, "-checks", "all", "./..."], cwd=root / path, env=environment(build), check=True)


def newcomer(room):
    """A directory for PATH with a C compiler, and no C++ compiler."""
    place = room / "bin"
    place.mkdir()
    for tool in ("gcc", "as", "ld", "ar", "go", "sh"):
        found = shutil.which(tool, path=os.environ["PATH"].replace("/usr/lib/ccache:", "") + ":/usr/local/go/bin")
        if found is None:
            print(f"not tested: {tool} is not installed; scripts/install-deps installs it")
            sys.exit(1 if os.environ.get("CI") in ("1", "true") else 77)
        (place / tool).symlink_to(os.path.realpath(found) if tool == "go" else found)
    for tool in ("g++", "c++", "clang++"):
        if shutil.which(tool, path=str(place)):
            sys.exit(f"{tool} is in a newcomer's path")
    return place


def bundled(source, build):
    """The module is made of what git tracks, so that what .gitignore hides is missed here, too."""
    root = build / "go-bundled"
    for name in ("bin", "program", "proxy", "go/path"):  # the cache of compiled packages stays
        shutil.rmtree(root / name, ignore_errors=True)
    root.mkdir(parents=True, exist_ok=True)
    package = source / "bindings/go"
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"], cwd=package,
                            stdout=subprocess.PIPE, text=True)
    files = [package / name for name in listed.stdout.splitlines()] if listed.returncode == 0 else package.rglob("*")
    files = sorted(file for file in files if file.is_file())
    # A version of its own for each content: go takes what it has compiled of a version to be of this one.
    content = zlib.crc32(b"".join(str(file.relative_to(package)).encode() + file.read_bytes() for file in files))
    version, made = f"v0.0.{content}", root / "proxy" / MODULE / "@v"
    made.mkdir(parents=True)
    (made / f"{version}.info").write_text(f'{{"Version": "{version}"}}')
    shutil.copy2(package / "go.mod", made / f"{version}.mod")
    with zipfile.ZipFile(made / f"{version}.zip", "w", zipfile.ZIP_DEFLATED) as module:
        for file in files:
            module.write(file, f"{MODULE}@{version}/{file.relative_to(package)}")

    env = environment(root)
    env |= {"PATH": str(newcomer(root)), "GOPROXY": f"file://{root / 'proxy'}", "GOSUMDB": "off", "GOFLAGS": "-buildvcs=false -modcacherw"}

    def go(*args):
        subprocess.run(["go", *args], cwd=program, env=env, check=True)

    program = root / "program"
    program.mkdir()
    shutil.copy2(package / "testdata/documented/state.go", program / "main.go")
    go("mod", "init", "newcomer")
    go("get", f"{MODULE}@{version}")
    go("build", "-o", root / "program_bundled", ".")
    go("test", "-c", "-o", root / "nono_go_bundled", MODULE)


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
    parser.add_argument("what", choices=("build", "bundled", "staticcheck", "documented"))
    parser.add_argument("--source", type=Path)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--race", action="store_true")
    args = parser.parse_args()
    if args.what == "documented":
        documented(args.build)
    elif args.what == "staticcheck":
        staticcheck(args.build)
    elif args.what == "bundled":
        bundled(args.source, args.build)
    else:
        build(args.source, args.build, args.compiler, args.race)


main()
