#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The archives that the Go package bundles, as those have them who link them.

run.py symbols             of all four: what they define and what they ask for, and their size; what libSystem has, Zig knows:
                           with --zig COMMAND those for macOS are compared with it
run.py glibc               C, C++ and Go programs, linked by gcc alone; run, enforcing, on this machine
run.py musl --zig COMMAND  a static C program on musl; run, enforcing, on this machine
run.py macos --zig COMMAND C and Go programs for both macOS, linked and inspected: there is no Mac to run them on
run.py arm64 --to DIR      C and Go programs for Linux arm64, into DIR: tests/archives/arm64 runs them

--clib DIRECTORY looks for the archives there. The Go program (binding/) knows only the reference's header and flags.
"""
import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
HEADER = PROJECT / "include/nono/c/nono.h"
LIMIT = 700 * 1024
FLAGS = {"linux": ["-lnono_ffi", "-ldl", "-lpthread", "-lm"], "darwin": ["-lnono_ffi", "-framework", "Security"]}
HERE_IS = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "none")
ZIG_TARGETS = {"amd64": "x86_64-macos.11.0", "arm64": "aarch64-macos.11.0"}


def run(*command, **more):
    command = [str(word) for word in command]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", **more)
    except FileNotFoundError:
        print(f"not tested: {command[0]} is not installed; scripts/install-deps installs it")
        sys.exit(1 if os.environ.get("CI") in ("1", "true") else 77)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}exit status {done.returncode}")
    return done.stdout


def zig_cc(args, target):
    # -Os, because for each level of optimisation it would make its libraries anew, and the archives take those of this one.
    return [*args.zig, "cc", "-target", target, "-Os"]


def archive(args, name):
    place = args.clib / name / "libnono_ffi.a"
    if not place.is_file():
        sys.exit(f"{place} is missing; `make lib-all` makes it")
    return place


# --- symbols ---------------------------------------------------------------------------------------------------

# What every C compiler's start files bring, and what only one of the two C libraries has and is asked for weakly.
STARTED = {"linux": {"__dso_handle"}, "darwin": {"___dso_handle"}}
WEAK = {"__cxa_thread_atexit_impl"}


def names(file, *options):
    return {line.split()[-1] for line in run("llvm-nm-19", *options, file).splitlines() if line and not line.endswith(":")}


def provided_by_libc():
    """What this machine's glibc has, with its loader; that musl has it as well, the links show."""
    libc = Path(run("gcc", "-print-file-name=libc.so.6").strip()).resolve()
    return {name.split("@")[0] for place in (libc, *libc.parent.glob("ld-linux*.so.*")) for name in names(place, "-D", "--defined-only")}


def declared():
    found = set(re.findall(r"^[a-z].*[ *](nono_[a-z_]+)\(", HEADER.read_text(), re.M))
    if not found:
        sys.exit("nono.h declares nothing")
    return found


def symbols(args, folder):
    for name in ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"):
        place = archive(args, name)
        system = name.split("_")[0]
        sign = "_" if system == "darwin" else ""
        defined = names(place, "-g", "--defined-only")
        other = defined ^ {sign + function for function in declared()}
        if other:
            sys.exit(f"{name}: only declared, or only defined, are {sorted(other)}")
        wanted = names(place, "-u") - STARTED[system]
        if system == "linux":
            weak = {line.split()[-1] for line in run("llvm-nm-19", "-u", place).splitlines() if " w " in line}
            if weak != WEAK:
                sys.exit(f"{name}: weak are {sorted(weak)}, and not {sorted(WEAK)}")
            missing = wanted - WEAK - provided_by_libc()
        else:
            missing = wanted - system_library(args) if args.zig else set()
        if missing:
            sys.exit(f"{name} asks for what the C library has not: {sorted(missing)}")
        index = run("llvm-nm-19", "--print-armap", place)
        if f"{sign}nono_version in nono_ffi.o" not in index:
            sys.exit(f"{name} has no index of its symbols")
        text = place.read_bytes()
        for word in (b"site-packages", b"ziglang", b"/tmp/", str(PROJECT).encode(), b"libcxx/"):
            if word in text:
                sys.exit(f"{name} holds {word.decode()!r}, which is of the machine that made it")
        if len(text) > LIMIT:
            sys.exit(f"{name} has {len(text)} bytes, more than {LIMIT}")
        print(f"{name}: {len(defined)} functions, {len(wanted)} wanted of the C library, {len(text)} bytes")


# --- Linux -----------------------------------------------------------------------------------------------------

def prepared(folder):
    """What enforce.c looks at, readable for everybody."""
    (folder / "granted").mkdir(exist_ok=True)
    for name in ("file", "granted/file"):
        (folder / name).write_text("text\n")
    os.chmod(folder, 0o755)
    return folder


def by_both(program, *arguments):
    """As root and as an ordinary user."""
    return [run(PROJECT / "tests" / how, program, *arguments).strip() for how in ("as_root", "as_user")]


def c_program(compiler, to, source, place, *flags):
    # An order that gcc, which reads from left to right, likes.
    run(*compiler, f"-I{PROJECT}/include", *flags, source, f"-L{place.parent}",
        *FLAGS["darwin" if "darwin" in place.parent.name else "linux"], "-o", to)
    return to


def go_program(args, to, target, compiler, *options, source=HERE / "binding"):
    """binding/ for that platform, with the compiler named."""
    system, machine = target.split("_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GO", "CGO_"))}
    env["PATH"] += ":/usr/local/go/bin"
    env |= {"GOFLAGS": "-buildvcs=false", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOENV": "off",
            "GOCACHE": str(args.build / "go-archives/cache"), "GOPATH": str(args.build / "go-archives/path"), "CGO_ENABLED": "1",
            "GOOS": system, "GOARCH": machine, "CC": compiler, "CXX": "/bin/false",
            "CGO_LDFLAGS": " ".join([f"-L{archive(args, target).parent}", *options])}
    run("go", "build", "-o", to, *(["-ldflags=-w"] if system == "darwin" else []), ".", cwd=source, env=env)
    return to


def uses_package(folder):
    """A module that uses the Go package, as users were shown; the package brings its flags."""
    folder.mkdir()
    shutil.copy(PROJECT / "bindings/go/testdata/documented/state.go", folder / "main.go")
    module = "github.com/always-further/nono-go"
    (folder / "go.mod").write_text(f"module user\n\ngo 1.24\n\nrequire {module} v0.0.0\n\nreplace {module} => {PROJECT}/bindings/go\n")
    return folder


def enforces(program, folder):
    for said in by_both(program, prepared(folder)):
        if said != "enforced":
            sys.exit(f"{program.name} said {said!r}")


def glibc(args, folder):
    place = archive(args, f"linux_{HERE_IS}")
    for kind in ([], ["-static"], ["-no-pie"], ["-fsanitize=undefined"]):
        name = kind[0].strip("-").replace("=", "_") if kind else "dynamic"
        program = c_program(["gcc", "-std=c99", "-O1"], folder / f"interface_{name}", PROJECT / "tests/c/interface_test.c", place, *kind)
        print(f"{name}: {'; '.join(by_both(program))}")
        enforces(c_program(["gcc", "-std=c99", "-O1"], folder / f"enforce_{name}", HERE / "enforce.c", place, *kind), folder)
    # A C++ program, which has a C++ library, and exceptions, of its own.
    program = c_program(["g++", "-std=c++20", "-O1"], folder / "interface_cpp", PROJECT / "tests/c/interface_test.cpp", place)
    print(f"C++: {'; '.join(by_both(program))}")
    # Position independent: a library of its own, whose users find what it exports.
    run("gcc", "-shared", "-Wl,--whole-archive", place, "-Wl,--no-whole-archive", "-Wl,-z,defs", "-Wl,-z,text", "-lpthread", "-lm",
        "-o", folder / "libnono_ffi.so")
    said = by_both(go_program(args, folder / "binding", f"linux_{HERE_IS}", "gcc"))
    print(f"Go: {'; '.join(said)}")


def musl(args, folder):
    place = archive(args, f"linux_{HERE_IS}")
    compiler = [*zig_cc(args, f"{platform.machine()}-linux-musl"), "-static"]
    program = c_program([*compiler, "-std=c99"], folder / "interface", PROJECT / "tests/c/interface_test.c", place)
    if "INTERP" in run("llvm-readelf-19", "-lW", program):
        sys.exit("the program on musl is not static")
    print(f"musl: {'; '.join(by_both(program))}")
    enforces(c_program(compiler, folder / "enforce", HERE / "enforce.c", place), folder)
    said = by_both(go_program(args, folder / "binding", f"linux_{HERE_IS}", " ".join(map(str, compiler))))
    print(f"musl, Go: {'; '.join(said)}")


def arm64(args, folder):
    """Static, so that it runs by itself, and dynamic, as usual."""
    args.to.mkdir(parents=True, exist_ok=True)
    place, compiler = archive(args, "linux_arm64"), ["aarch64-linux-gnu-gcc", "-std=c99", "-O1"]
    for kind in ("dynamic", "static"):
        flags = ["-static"] if kind == "static" else []
        c_program(compiler, args.to / f"interface_{kind}", PROJECT / "tests/c/interface_test.c", place, *flags)
        c_program(compiler, args.to / f"enforce_{kind}", HERE / "enforce.c", place, *flags)
    if args.zig:
        c_program([*zig_cc(args, "aarch64-linux-musl"), "-static"], args.to / "enforce_musl", HERE / "enforce.c", place)
    go_program(args, args.to / "binding", "linux_arm64", "aarch64-linux-gnu-gcc")


# --- macOS -----------------------------------------------------------------------------------------------------

# Zig brings no frameworks. These are what a Go program with cgo asks for, by the names that Apple's documentation gives.
STUBS = {
    "Security.framework/Security": ("/System/Library/Frameworks/Security.framework/Versions/A/Security", ["_SecCopyErrorMessageString"]),
    "CoreFoundation.framework/CoreFoundation": (
        "/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation",
        ["_CFBundleCopyResourceURL", "_CFBundleGetMainBundle", "_CFBundleGetValueForInfoDictionaryKey", "_CFRelease",
         "_CFStringGetCString", "_CFURLCreateStringByAddingPercentEscapes", "_CFURLGetString", "___CFConstantStringClassReference"]),
    "libresolv": ("/usr/lib/libresolv.9.dylib", ["_res_9_ninit"]),
}


def write_stubs(folder):
    for name, (install_name, exports) in STUBS.items():
        path = folder / f"{name}.tbd"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"""--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '{install_name}'
current-version: 1
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ {', '.join(exports)} ]
...
""")
    return folder


def system_library(args):
    """The symbols of libSystem, as Zig knows them."""
    where = re.search(r'lib_dir[^"]*"([^"]+)"', run(*args.zig, "env"))
    text = Path(where[1], "libc/darwin/libSystem.tbd").read_text()
    return set(re.findall(r"[\w$]+", text))


def macos(args, folder):
    stubs = write_stubs(folder / "stubs")
    known, user = system_library(args), uses_package(folder / "user")
    for machine, target in ZIG_TARGETS.items():
        where = f"darwin_{machine}"
        place = archive(args, where)
        strangers = names(place, "-u") - STARTED["darwin"] - known
        if strangers:
            sys.exit(f"{where} asks for what libSystem has not: {sorted(strangers)}")
        # The stub directory first: without it the flags of the reference name a framework that is nowhere.
        search = [f"-F{stubs}", f"-L{stubs}"]
        compiler = zig_cc(args, target)
        programs = {"C": c_program([*compiler, *search], folder / f"enforce_{machine}", HERE / "enforce.c", place),
                    "Go": go_program(args, folder / f"binding_{machine}", where, " ".join(map(str, compiler)), *search),
                    "Go package": go_program(args, folder / f"package_{machine}", where, " ".join(map(str, compiler)), *search, source=user)}
        # All of it, with nothing left out because nobody calls it.
        whole = folder / "whole.c"
        whole.write_text("#include <nono/c/nono.h>\nvoid (*all[])(void) = {\n"
                         + "".join(f"  (void (*)(void)){name},\n" for name in sorted(declared()))
                         + "};\nint main(int argc, char **argv) { (void)argv; return all[argc] == 0; }\n")
        programs["whole"] = c_program([*compiler, *search], folder / f"whole_{machine}", whole, place)
        for language, program in programs.items():
            inspect(program, machine, f"{where}, {language}", known)


def inspect(program, machine, what, known):
    header = run("llvm-objdump-19", "--macho", "--private-header", program)
    wanted = {"amd64": "X86_64", "arm64": "ARM64"}[machine]
    if wanted not in header or "EXECUTE" not in header:
        sys.exit(f"{what}: no program for {machine}:\n{header}")
    libraries = run("llvm-objdump-19", "--macho", "--dylibs-used", program).splitlines()[1:]
    strange = [line.split()[0] for line in libraries
               if line.split()[0] != "/usr/lib/libSystem.B.dylib" and line.split()[0] not in {name for name, _ in STUBS.values()}]
    if strange or not any("libSystem" in line for line in libraries):
        sys.exit(f"{what}: needs {strange or 'nothing of the system'}")
    stubbed = {name for _, exports in STUBS.values() for name in exports}
    left = names(program, "-u") - known - stubbed - {"dyld_stub_binder"}
    if left:
        sys.exit(f"{what}: undefined is {sorted(left)}")
    defined = names(program, "--defined-only")
    if "_nono_capability_set_new" not in defined:
        sys.exit(f"{what}: the archive is not in it")
    print(f"{what}: {program.stat().st_size} bytes, {len(libraries)} libraries")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("symbols", "glibc", "musl", "macos", "arm64"))
    parser.add_argument("--zig", type=str.split, default=[])
    parser.add_argument("--clib", type=Path, default=PROJECT / "bindings/go/internal/clib")
    parser.add_argument("--build", type=Path, default=PROJECT / "build")
    parser.add_argument("--to", type=Path)
    args = parser.parse_args()
    if args.what in ("musl", "macos") and not args.zig or args.what == "arm64" and not args.to:
        parser.error(f"{args.what} wants --{'to' if args.what == 'arm64' else 'zig'}")
    args.clib, args.build = args.clib.resolve(), args.build.resolve()
    with tempfile.TemporaryDirectory() as folder:
        globals()[args.what](args, Path(folder).resolve())


if __name__ == "__main__":
    main()
