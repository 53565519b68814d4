#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uses nono as other projects do.

    run.py find_package|format|json|add_subdirectory --source DIR --build DIR --cmake CMAKE --compiler CXX
    run.py flags --source DIR --compiler CXX

find_package      installs the headers of --build into a fresh prefix, then configures, builds and runs the
                  project in this folder against that prefix alone
format, json      the same, with the component of that name besides, which needs fmt or nlohmann/json; json also
                  without exceptions
add_subdirectory  the same project, with the checkout as its subproject
flags             compiles the translation units under strict warnings, with and without exceptions and RTTI
"""
import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def run(*command):
    command = [str(word) for word in command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}exit status {done.returncode}")
    return done.stdout


def kernel_has_landlock():
    """landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION), the same number on all our systems."""
    return ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


def install(args, prefix):
    """Installs the headers, and sees that they are all there and speak of no package but where asked for one."""
    run(args.cmake, "--install", args.build, "--prefix", prefix, "--component", "nono_headers")
    source = {path.relative_to(args.source) for path in Path(args.source, "include").rglob("*.hpp")}
    optional = {"json", "c", "format.hpp"} - {"format": {"format.hpp"}, "json": {"json"}}.get(args.road, set())
    missing = [str(path) for path in source if path.parts[2] not in optional and not Path(prefix, path).is_file()]
    if missing:
        sys.exit(f"not installed: {' '.join(sorted(missing))}")
    for file in Path(prefix).rglob("*.cmake"):
        text = file.read_text()
        if file.name.startswith(("nonoFormat", "nonoJson")):
            continue
        if file.name == "nonoConfig.cmake":  # behind the component of that name
            text = text.partition('if("format" IN_LIST')[0]
        for package in ("fmt", "nlohmann", "CLI11", "doctest", "find_dependency", args.source, args.build):
            if package in text:
                sys.exit(f"{file.relative_to(prefix)} mentions {package}")


def build_and_run(args, temporary, *settings):
    run(args.cmake, "-S", HERE, "-B", temporary / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMAKE_CXX_COMPILER={args.compiler}", f"-DCONSUMER_ROAD={args.road}", *settings)
    run(args.cmake, "--build", temporary / "build")
    if kernel_has_landlock():
        run(temporary / "build" / "consumer")
        if args.road in ("format", "json"):
            print(run(temporary / "build" / f"consumer_{args.road}"))
    else:
        print("built, not run: this kernel has no Landlock")


def flags(args, temporary):
    for extra in [], ["-fno-exceptions", "-fno-rtti"], ["-std=c++2b"]:  # as clang 16 knows C++23
        for unit in HERE / "main.cpp", HERE / "other.cpp":
            run(args.compiler, "-std=c++20", *WARNINGS, f"-I{args.source}/include", *extra,
                "-c", unit, "-o", temporary / (unit.stem + ".o"))
        run(args.compiler, *temporary.glob("*.o"), "-o", temporary / "consumer")
        if kernel_has_landlock():
            run(temporary / "consumer")


def main():
    parser = argparse.ArgumentParser(description="uses nono as other projects do")
    parser.add_argument("road", choices=["find_package", "format", "json", "add_subdirectory", "flags"])
    for name in ("source", "build", "cmake", "compiler"):
        parser.add_argument("--" + name)
    args = parser.parse_args()
    os.environ.pop("CXXFLAGS", None)

    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder)
        if args.road == "flags":
            flags(args, temporary)
        elif args.road in ("find_package", "format", "json"):
            install(args, temporary / "prefix")
            build_and_run(args, temporary, f"-DCMAKE_PREFIX_PATH={temporary}/prefix")
        else:
            build_and_run(args, temporary, f"-DNONO_SOURCE={args.source}")


if __name__ == "__main__":
    main()
