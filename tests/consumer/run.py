#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uses nono as other projects do.

    run.py ROAD --source DIR --build DIR --cmake CMAKE --compiler CXX

find_package      installs the headers of --build into a fresh prefix, then configures, builds and runs the
                  project in this folder against that prefix alone
format, json      the same, with the component of that name besides, which needs fmt or nlohmann/json; json also
                  without exceptions
add_subdirectory  the same project, with the checkout as its subproject
fetch_content     the same project, which fetches an archive of the checkout, from a file
pkg_config        what --build installs, moved elsewhere, by pkg-config
single_header     single_include/nono/nono.hpp and nothing else, in a directory of its own
meson             the project in this folder by Meson: nono as its subproject, then as Meson installs it
package           the Debian package that --build makes, unpacked and installed by dpkg into empty roots; the
                  command of it, and all of find_package and pkg_config from there
elsewhere         where there is no Landlock: the door says so when run, on this system told that it is not Linux; with
                  --zig COMMAND the door and each header alone are compiled for macOS and Windows besides, and for both
                  Macs a program and the whole command without its proxy are linked
flags             compiles the translation units under strict warnings: with and without exceptions and RTTI, in C++20
                  and C++23, with headers of the system before and after
"""
import argparse
import ctypes
import gzip
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
UNITS = ["main.cpp", "other.cpp"]
SKIP = 77


def run(*command, **more):
    command = [str(word) for word in command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}exit status {done.returncode}")
    return done.stdout


def needs(tool):
    """A tool that scripts/install-deps installs: where it is missing the test is skipped, but never in CI."""
    if shutil.which(tool) is None:
        print(f"not tested: {tool} is not installed; scripts/install-deps installs it")
        sys.exit(1 if os.environ.get("CI") in ("1", "true") else SKIP)
    return tool


def kernel_has_landlock():
    """landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION), the same number on all our systems."""
    return ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


def try_out(program):
    if kernel_has_landlock():
        return run(program)
    print("built, not run: this kernel has no Landlock")
    return ""


def sources(args, folder):
    """A copy of what an archive of the project would hold, without what was built."""
    kept = shutil.ignore_patterns("build*", ".git", ".cache", "__pycache__")
    shutil.copytree(args.source, folder, ignore=kept, symlinks=True)
    return folder


OPTIONAL = {"json", "c", "format.hpp"}  # headers that need a package, or are not there yet


# --- what is installed -----------------------------------------------------------------------------------------

def see_headers(args, include, optional):
    """They are all there."""
    source = {path.relative_to(args.source) for path in Path(args.source, "include").rglob("*.hpp")}
    missing = [str(path) for path in source
               if path.parts[2] not in optional and not Path(include.parent, path).is_file()]
    if missing:
        sys.exit(f"not installed: {' '.join(sorted(missing))}")


def see_modesty(args, prefix):
    """They speak of no package but where asked for one, and of no place."""
    for file in [*Path(prefix).rglob("*.cmake"), *Path(prefix).rglob("*.pc")]:
        text = file.read_text()
        if file.name.startswith(("nonoFormat", "nonoJson")):
            continue
        if file.name == "nonoConfig.cmake":  # behind the component of that name
            text = text.partition('if("format" IN_LIST')[0]
        for word in ("fmt", "nlohmann", "CLI11", "doctest", "find_dependency", args.source, args.build):
            if word in text:
                sys.exit(f"{file.relative_to(prefix)} mentions {word}")


def install(args, prefix):
    run(args.cmake, "--install", args.build, "--prefix", prefix, "--component", "nono_headers")
    asked = {"format": {"format.hpp"}, "json": {"json"}}.get(args.road, set())
    see_headers(args, prefix / "include", OPTIONAL - asked)
    see_modesty(args, prefix)


# --- how it is used --------------------------------------------------------------------------------------------

def by_cmake(args, build, road, *settings):
    kind = "Release" if road == "find_package" else "Debug"  # one with all optimisation, the rest in half the time
    run(args.cmake, "-S", HERE, "-B", build, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={kind}",
        f"-DCMAKE_CXX_COMPILER={args.compiler}", f"-DCONSUMER_ROAD={road}", *settings)
    run(args.cmake, "--build", build)
    try_out(build / "consumer")


def by_compiler(args, build, *flags):
    """Both units and a link, with these flags alone."""
    build.mkdir(exist_ok=True)
    for unit in UNITS:
        run(args.compiler, "-std=c++20", *WARNINGS, *flags, "-c", HERE / unit, "-o", build / (unit + ".o"))
    run(args.compiler, *(build / (unit + ".o") for unit in UNITS), "-o", build / "consumer")
    try_out(build / "consumer")


def by_pkg_config(args, build, data):
    """data: where pkgconfig/nono.pc stands."""
    env = {**os.environ, "PKG_CONFIG_LIBDIR": str(data / "pkgconfig"), "PKG_CONFIG_PATH": ""}
    pkg_config = needs("pkg-config")
    run(pkg_config, "--validate", "nono", env=env)
    flags = run(pkg_config, "--cflags", "--libs", "nono", env=env).split()
    if len(flags) != 1 or not Path(flags[0].removeprefix("-I"), "nono/nono.hpp").is_file():
        sys.exit(f"pkg-config gives {flags}")
    by_compiler(args, build, *flags)
    return run(pkg_config, "--modversion", "nono", env=env).strip()


# --- the roads -------------------------------------------------------------------------------------------------

def find_package(args, temporary):
    install(args, temporary / "prefix")
    by_cmake(args, temporary / "build", args.road, f"-DCMAKE_PREFIX_PATH={temporary}/prefix")
    if args.road in ("format", "json"):
        print(try_out(temporary / "build" / f"consumer_{args.road}"))


def add_subdirectory(args, temporary):
    by_cmake(args, temporary / "build", args.road, f"-DNONO_SOURCE={args.source}")


def fetch_content(args, temporary):
    sources(args, temporary / "nono-1")
    archive = temporary / "nono-1.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(temporary / "nono-1", "nono-1")
    shutil.rmtree(temporary / "nono-1")
    by_cmake(args, temporary / "build", args.road, f"-DNONO_SOURCE=file://{archive}",
             f"-DNONO_HASH={hashlib.sha256(archive.read_bytes()).hexdigest()}")


def pkg_config(args, temporary):
    install(args, temporary / "prefix")
    (temporary / "prefix").rename(temporary / "moved")
    by_pkg_config(args, temporary / "build", temporary / "moved" / "share")


def single_header(args, temporary):
    (temporary / "include" / "nono").mkdir(parents=True)
    shutil.copy(Path(args.source, "single_include/nono/nono.hpp"), temporary / "include" / "nono")
    by_compiler(args, temporary / "build", f"-I{temporary}/include")


def meson(args, temporary):
    tool = needs("meson")
    env = {**os.environ, "CXX": args.compiler}
    project = temporary / "project"
    shutil.copytree(HERE, project)
    subproject = sources(args, project / "subprojects" / "nono")
    run(tool, "setup", temporary / "build", project, "--wrap-mode=nodownload", env=env)
    run(tool, "compile", "-C", temporary / "build", "-j2")
    try_out(temporary / "build" / "consumer")

    options = run(tool, "introspect", "--targets", temporary / "build")
    if "nono_unit" in options or "nono_command" in options:
        sys.exit(f"a subproject must not build what is for working on nono:\n{options}")

    # Installed by Meson, it is what CMake installs; and without a subproject it is found there.
    prefix = temporary / "prefix"
    run(tool, "setup", temporary / "own", subproject, "--wrap-mode=nodownload", f"--prefix={prefix}", "-Dcli=disabled",
        "-Dtests=disabled", "-Dexamples=disabled", env=env)
    run(tool, "install", "-C", temporary / "own")
    by_hand = temporary / "by_cmake"
    run(args.cmake, "--install", args.build, "--prefix", by_hand, "--component", "nono_headers")
    for file in sorted((by_hand / "include").rglob("*.hpp")) + [by_hand / "share/pkgconfig/nono.pc"]:
        other = prefix / file.relative_to(by_hand)
        if not other.is_file() or other.read_bytes() != file.read_bytes():
            sys.exit(f"{file.relative_to(by_hand)} is not installed by Meson as by CMake")
    see_modesty(args, prefix)
    shutil.rmtree(project / "subprojects")
    env["PKG_CONFIG_PATH"] = str(prefix / "share/pkgconfig")
    run(tool, "setup", temporary / "found", project, "--wrap-mode=nofallback", env=env)  # what it compiles is above


def package(args, temporary):
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "gzip"):
        needs(tool)
    run(Path(args.cmake).with_name("cpack"), "-B", temporary / "made", cwd=args.build)
    packages = list((temporary / "made").glob("*.deb"))
    if len(packages) != 1:
        sys.exit(f"cpack made {packages}")
    print(run("dpkg-deb", "--info", packages[0]))
    fields = dict(line.split(": ", 1) for line in run("dpkg-deb", "--field", packages[0]).split("\n") if ": " in line)
    listed = run("dpkg-deb", "--contents", packages[0])
    for wanted in ("./usr/bin/nono\n", "./usr/bin/nono-proxy\n", "./usr/bin/nono-keyring\n", "./usr/include/nono/nono.hpp\n", "./usr/share/pkgconfig/nono.pc\n",
                   "./usr/share/cmake/nono/nonoConfig.cmake\n", "./usr/share/doc/nono/copyright\n",
                   "./usr/share/man/man1/nono.1.gz\n", "./usr/share/bash-completion/completions/nono\n",
                   "./usr/share/zsh/site-functions/_nono\n", "./usr/share/fish/vendor_completions.d/nono.fish\n"):
        if wanted not in listed:
            sys.exit(f"the package lacks {wanted}{listed}")
    for line in listed.splitlines():
        if " root/root " not in line or line[8] == "w":
            sys.exit(f"owner or mode: {line}")

    # Installed by dpkg, in an empty root where nothing runs, so without the libc of nono-keyring: the same files as
    # unpacked. It needs root.
    root = temporary / "root"
    if os.geteuid() == 0:
        (root / "var/lib/dpkg/info").mkdir(parents=True)
        (root / "var/lib/dpkg/updates").mkdir()
        (root / "var/lib/dpkg/status").touch()
        run("dpkg", f"--root={root}", "--force-depends", "--install", packages[0])
        if "install ok installed" not in run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-s", "nono"):
            sys.exit("dpkg does not call it installed")
    else:
        run("dpkg-deb", "--extract", packages[0], root)
    usr = root / "usr"
    see_headers(args, usr / "include", ("json", "c"))
    see_modesty(args, usr)
    version = run(usr / "bin" / "nono", "--version")
    for words, file in ((["completion", "bash"], "bash-completion/completions/nono"), (["completion", "zsh"], "zsh/site-functions/_nono"),
                        (["completion", "fish"], "fish/vendor_completions.d/nono.fish"), (["man"], "man/man1/nono.1.gz")):
        data = (usr / "share" / file).read_bytes()
        if (gzip.decompress(data) if file.endswith(".gz") else data).decode() != run(usr / "bin" / "nono", *words):
            sys.exit(f"{file} is not what the command itself says")
    by_cmake(args, temporary / "build", "find_package", f"-DCMAKE_PREFIX_PATH={usr}")
    said = by_pkg_config(args, temporary / "build_pc", usr / "share")
    if said not in version or not fields["Version"].startswith(said):
        sys.exit(f"versions differ: command {version}, pkg-config {said}, package {fields['Version']}")
    if not shutil.which("lintian"):
        print("not asked: lintian is not installed")
    else:
        # zlib, to read one file of a jar, is linked in like all the rest: a start has no library to look for.
        print(run("lintian", "--allow-root", "--fail-on=error,warning", "--suppress-tags="
                  "initial-upload-closes-no-bugs,embedded-library", packages[0]))


def flags(args, temporary):
    """Each of exceptions or none, C++20 or C++23, system headers before or after, beside each of the others."""
    headers = ("unistd.h", "sys/ioctl.h", "stdio.h", "thread")
    before = [word for header in headers for word in ("-include", header)]
    after = ["#include <nono/nono.hpp>", *(f"#include <{header}>" for header in headers)]
    no_exceptions = ["-fno-exceptions", "-fno-rtti"]
    newer = ["-std=c++2b"]  # as clang 16 knows C++23
    for extra, first in ([], after), (no_exceptions + before, []), (newer + before, []), (newer + no_exceptions, after):
        for unit in UNITS:
            text = temporary / unit
            text.write_text("\n".join([*first, f'#include "{HERE / unit}"', ""]))
            run(args.compiler, "-std=c++20", *WARNINGS, f"-I{args.source}/include", *extra,
                "-c", text, "-o", temporary / (unit + ".o"))
        run(args.compiler, *temporary.glob("*.o"), "-o", temporary / "consumer")
        try_out(temporary / "consumer")


# There no kernel header and little of POSIX is found, so a `#if` that is missing shows.
TARGETS = ("aarch64-macos", "x86_64-macos", "x86_64-windows-gnu")


def units_of_command(root, temporary):
    """The command and where keys come from, of which a part is the Mac's own, ten files to a unit as in the build. Not
    nono-keyring, which needs Apple's frameworks, and not the proxy."""
    files = sorted((root / "cli").rglob("*.cpp"))
    files += [root / "secrets" / f"{name}.cpp" for name in ("bitwarden_item", "child", "reference", "source")]
    units = []
    for start in range(0, len(files), 10):
        units.append(temporary / f"command{start}.cpp")
        units[-1].write_text("".join(f'#include "{file}"\n' for file in files[start:start + 10]))
    return len(files), units


def packages_alone(folder):
    """The headers of the command's packages, without those of this system's libc beside them."""
    folder.mkdir()
    for name in ("CLI", "fmt", "nlohmann"):
        places = [Path(place, name) for place in ("/usr/local/include", "/usr/include") if Path(place, name).is_dir()]
        if not places:
            sys.exit(f"{name} is not installed; scripts/install-deps installs it")
        (folder / name).symlink_to(places[0])
    return folder


def elsewhere(args, temporary):
    disguise = ["-U__linux__", "-U__linux", "-Ulinux"]
    run(args.compiler, "-std=c++20", *WARNINGS, *disguise, f"-I{args.source}/include", HERE / "elsewhere.cpp",
        "-o", temporary / "elsewhere")
    run(temporary / "elsewhere")
    if not args.zig:
        return
    root = Path(args.source)
    units = {HERE / "elsewhere.cpp": "include"}
    for header in sorted((root / "include/nono").rglob("*.hpp")):
        name = header.relative_to(root / "include").as_posix()
        if not re.match(r"nono/(json/|c/|format\.hpp)", name):
            units[temporary / (name.replace("/", "_") + ".cpp")] = "include"
            (temporary / (name.replace("/", "_") + ".cpp")).write_text(f"#include <{name}>\n")
    single = temporary / "single_header.cpp"
    single.write_text((HERE / "elsewhere.cpp").read_text())
    units[single] = "single_include"
    jobs = list(itertools.product(TARGETS, units.items()))
    files, command = units_of_command(root, temporary)
    packages = packages_alone(temporary / "packages")
    macs = [target for target in TARGETS if target.endswith("macos")]
    # The longest ones first.
    jobs = [(target, (unit, "include")) for target in macs for unit in command] + jobs

    def compile_unit(job):
        target, (unit, include) = job
        more = [f"-isystem{packages}", "-DFMT_HEADER_ONLY", '-DNONO_VERSION="0"', "-O0"] if unit in command else []
        return run(*args.zig.split(), "-target", target, "-std=c++20", *WARNINGS, f"-I{root / include}", f"-I{root}", *more,
                   "-c", unit, "-o", temporary / f"{target}.{unit.name}.o")

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(compile_unit, jobs))
    for target in macs:
        run(*args.zig.split(), "-target", target, temporary / f"{target}.elsewhere.cpp.o", "-o", temporary / "program")
        run(*args.zig.split(), "-target", target, *(temporary / f"{target}.{unit.name}.o" for unit in command),
            "-o", temporary / "nono")
    print(f"compiled {len(units)} units for each of {', '.join(TARGETS)}, and the command of {files} files for the Macs: "
          f"{len(done)}")


ROADS = {"find_package": find_package, "format": find_package, "json": find_package, "add_subdirectory": add_subdirectory,
         "fetch_content": fetch_content, "pkg_config": pkg_config, "single_header": single_header, "meson": meson,
         "package": package, "elsewhere": elsewhere, "flags": flags}


def main():
    parser = argparse.ArgumentParser(description="uses nono as other projects do")
    parser.add_argument("road", choices=ROADS)
    for name in ("source", "build", "cmake", "compiler", "zig"):
        parser.add_argument("--" + name)
    args = parser.parse_args()
    for name in ("CXXFLAGS", "CPPFLAGS", "LDFLAGS", "DESTDIR"):
        os.environ.pop(name, None)

    with tempfile.TemporaryDirectory() as folder:
        ROADS[args.road](args, Path(folder).resolve())


if __name__ == "__main__":
    main()
