#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes single_include/nono/*.hpp from include/nono: every header of a door, in order, each once.

    amalgamate.py                writes the files
    amalgamate.py --check        compares them with what include/nono gives now; says what repairs them
    amalgamate.py --forward DIR  writes DIR/nono/NAME.hpp for every header, which includes the door that holds it:
                                 so that what includes single headers can be built against single_include
    amalgamate.py --self-test    judges the judge

The output depends on include/nono and the version in CMakeLists.txt alone: no clock, no git.
"""
import argparse
import fnmatch
import re
import sys
from pathlib import Path

# --- the table -------------------------------------------------------------------------------------------------

# file made: the headers it starts from (patterns below include/nono), and the files made above it in this table that it
# includes instead of repeating what they hold.
DOORS = {
    "nono.hpp":   ("nono.hpp", ()),
    "format.hpp": ("format.hpp", ("nono.hpp",)),
    "json.hpp":   ("json/*", ("nono.hpp",)),
}

# Headers that need no door. Any other header that no door reaches is an error: it would be missing.
OUTSIDE = ("c/*",)

# --- the rules -------------------------------------------------------------------------------------------------

SPDX = "// SPDX-License-Identifier: Apache-2.0"
REPAIR = "make amalgamate"
WIDTH = 119

INCLUDE = re.compile(r"^\s*#\s*include\s*(<([^>]+)>|.*)")
CONDITION = re.compile(r"^\s*#\s*(if|endif)")
NO_CODE = re.compile(r"^\s*($|#|//)")


class Problem(Exception):
    pass


def fitting(headers, patterns):
    """Those of `headers`, sorted, that fit one of the patterns."""
    return [name for name in sorted(headers) if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]


class Amalgam:
    """One file in the making. held: headers that are in it, or in a door that it includes; own: those in it."""

    def __init__(self, headers, held):
        self.headers, self.held = headers, set(held)
        self.own, self.open, self.standard, self.lines = [], [], set(), []

    def add(self, name):
        """Appends a header behind all that it includes. Own includes go up even where they stand in an `#if`: what they
        name guards itself, as every header here compiles alone on every system."""
        if name in self.open:
            raise Problem(f"{name} includes itself, by {' and '.join(self.open[self.open.index(name):])}")
        if name in self.held:
            return
        self.open.append(name)
        body = self.above(name)
        self.open.pop()
        self.held.add(name)
        self.own.append(name)
        body = self.once(body)
        if any(not NO_CODE.match(line) for line in body):
            title = f"// --- nono/{name} "
            self.lines += ["", title + "-" * (WIDTH - len(title)), "", *body]

    def above(self, name):
        """Adds what a header includes of ours; gives back its lines without that, and whether they stand in an `#if` or
        below code."""
        lines = self.headers[name].split("\n")
        if lines[0] != SPDX:
            raise Problem(f"{name} does not begin with `{SPDX}`")
        if "#pragma once" not in lines:
            raise Problem(f"{name} has no `#pragma once`")
        depth, code, rest = 0, False, []
        for number, line in enumerate(lines[1:], 2):
            code = code or not NO_CODE.match(line)
            condition, include = CONDITION.match(line), INCLUDE.match(line)
            if condition:
                depth += 1 if condition[1] == "if" else -1
            if include and include[2] is None:
                raise Problem(f"{name}:{number}: only #include <...> is understood")
            if include and include[2].startswith("nono/"):
                other = include[2][len("nono/"):]
                if code:
                    raise Problem(f"{name}:{number}: includes <nono/{other}> below code, where it cannot be moved up")
                if other not in self.headers:
                    raise Problem(f"{name}:{number}: includes <nono/{other}>, which does not exist")
                self.add(other)
            elif line != "#pragma once":
                rest.append((line, depth > 0, code))
        if depth != 0:
            raise Problem(f"{name}: an #if without #endif")
        return rest

    def once(self, lines):
        """The lines without the includes of others that the file has already, and without the gaps that leaves. What
        stands in an `#if` stays there, and promises nothing to what comes after."""
        body = []
        for line, conditional, code in lines:
            include = INCLUDE.match(line)
            if include and not conditional and not code:
                if include[2] in self.standard:
                    continue
                self.standard.add(include[2])
            if line or code or (body and body[-1]):
                body.append(line)
        while body and not body[-1]:
            body.pop()
        return body


def amalgamate(headers, version, doors=None, outside=OUTSIDE):
    """headers: name below include/nono -> text. Gives name -> text of what is made, and name -> headers it holds."""
    made, holds = {}, {}
    for door, (start, below) in (DOORS if doors is None else doors).items():
        first = fitting(headers, start.split())
        if not first:
            raise Problem(f"{door}: there is no {start} to make it from")
        amalgam = Amalgam(headers, (name for other in below for name in holds[other]))
        for name in first:
            amalgam.add(name)
        made[door] = "\n".join([
            f"// Generated by single_include/amalgamate.py from include/nono: do not edit, `{REPAIR}` writes it anew.",
            SPDX,
            f"// nono for C++ {version}, {door}; licence: https://www.apache.org/licenses/LICENSE-2.0",
            "#pragma once",
            *([""] + [f"#include <nono/{other}>" for other in below] if below else []),
            *amalgam.lines, ""])
        holds[door] = amalgam.own
    held = {name for names in holds.values() for name in names}
    lost = sorted(set(headers) - held - set(fitting(headers, outside)))
    if lost:
        raise Problem(f"no include reaches {', '.join(lost)}: include it in a door, or give it a row in the table")
    return made, holds


def stale(made, present):
    """What is wrong with the files that are there (name -> text), as lines."""
    for name in sorted(set(made) | set(present)):
        if name not in made:
            yield f"single_include/nono/{name} is made from nothing: delete it"
        elif name not in present:
            yield f"single_include/nono/{name} is missing; `{REPAIR}` writes it"
        elif present[name] != made[name]:
            yield f"single_include/nono/{name} is not what include/nono gives; `{REPAIR}` writes it anew"


def forwards(holds):
    """name below nono/ -> text: each header as one that includes its door. The doors' own names stay free."""
    return {name: f"#pragma once\n#include <nono/{door}>\n"
            for door, names in holds.items() for name in names if name not in holds}


# --- running it ------------------------------------------------------------------------------------------------

def read(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8")
            for path in folder.rglob("*.hpp")} if folder.is_dir() else {}


def write(folder, files):
    """Writes what has changed, so that nothing is rebuilt for nothing; removes headers that are no longer made."""
    present = read(folder)
    for name in set(present) - set(files):
        (folder / name).unlink()
    for name, text in files.items():
        if present.get(name) != text:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode("utf-8"))


def self_test():
    def hpp(*lines):
        return "\n".join([SPDX, "// A room.", "#pragma once", *lines, ""])

    doors = {"nono.hpp": ("nono.hpp", ()), "more.hpp": ("more/*.hpp", ("nono.hpp",))}
    good = {
        "nono.hpp": hpp("#include <nono/a.hpp>", "#include <nono/linux/b.hpp>"),
        "a.hpp": hpp("#include <vector>", "#include <nono/c.hpp>", "int a;"),
        "linux/b.hpp": hpp("#if defined(__linux__)", "#include <vector>", "#include <unistd.h>", "#include <nono/c.hpp>",
                           "int b;", "#endif"),
        "c.hpp": hpp("#if defined(__linux__)", "#include <unistd.h>", "#endif", "#include <vector>", "int c;"),
        "more/d.hpp": hpp("#include <other/x.h>", "#include <nono/c.hpp>", "int d;"),
        "c/nono_ffi.hpp": hpp("int ffi;"),
    }

    def problem(files, of=None):
        try:
            amalgamate({name: text for name, text in {**good, **files}.items() if text is not None}, "1", of or doors)
        except Problem as why:
            return str(why)
        return ""

    made, holds = amalgamate(good, "1", doors)
    one, more = made["nono.hpp"], made["more.hpp"]
    assert one.startswith("// Generated by ") and one.split("\n")[1] == SPDX and one.endswith("int b;\n#endif\n"), one
    assert (one.index("int c;") < one.index("int a;") < one.index("int b;")), one
    assert [one.count(f"int {name};") for name in "abcd"] == [1, 1, 1, 0], one
    # <vector>: above c, which stands first, though a asks first; again in b, where it stands in an #if, like <unistd.h>.
    assert one.index("<vector>") < one.index("int c;"), one
    assert (one.count("<vector>"), one.count("<unistd.h>"), one.count("#if"), one.count("#endif")) == (2, 2, 2, 2), one
    assert one.count("#pragma once") == 1 and "#include <nono/" not in one, one
    assert "#include <nono/nono.hpp>" in more and "int d;" in more and "int c;" not in more, more
    assert holds == {"nono.hpp": ["c.hpp", "a.hpp", "linux/b.hpp", "nono.hpp"], "more.hpp": ["more/d.hpp"]}, holds
    assert amalgamate(dict(reversed(good.items())), "1", doors)[0] == made, "the order of reading must not matter"
    assert "no include reaches lost.hpp" in problem({"lost.hpp": hpp("int lost;")})
    assert "no include reaches linux/b.hpp" in problem({"nono.hpp": hpp("#include <nono/a.hpp>")})
    assert "no include reaches more/d.hpp" in problem({}, {"nono.hpp": doors["nono.hpp"]})
    assert "there is no more/*.hpp" in problem({"more/d.hpp": None})
    assert "<nono/no.hpp>, which does not exist" in problem({"a.hpp": hpp("#include <nono/no.hpp>")})
    assert "includes itself, by c.hpp and a.hpp" in problem({"c.hpp": hpp("#include <nono/a.hpp>"),
                                                              "a.hpp": hpp("#include <nono/c.hpp>"),
                                                              "nono.hpp": hpp("#include <nono/c.hpp>",
                                                                              "#include <nono/linux/b.hpp>")})
    assert "a.hpp:5: includes <nono/c.hpp> below code" in problem({"a.hpp": hpp("int a;", "#include <nono/c.hpp>")})
    assert "a.hpp:4: only #include <...>" in problem({"a.hpp": hpp('#include "c.hpp"')})
    assert "without #endif" in problem({"a.hpp": hpp("#include <nono/c.hpp>", "#if 1")})
    assert "does not begin with" in problem({"a.hpp": "#pragma once\n"})
    assert "no `#pragma once`" in problem({"a.hpp": SPDX + "\n"})

    assert not list(stale(made, made))
    assert [line.split(" ", 1) for line in stale(made, {"nono.hpp": one + "\n", "old.hpp": ""})] == [
        ["single_include/nono/more.hpp", "is missing; `make amalgamate` writes it"],
        ["single_include/nono/nono.hpp", "is not what include/nono gives; `make amalgamate` writes it anew"],
        ["single_include/nono/old.hpp", "is made from nothing: delete it"]]
    assert forwards(holds) == {
        "a.hpp": "#pragma once\n#include <nono/nono.hpp>\n", "c.hpp": "#pragma once\n#include <nono/nono.hpp>\n",
        "linux/b.hpp": "#pragma once\n#include <nono/nono.hpp>\n", "more/d.hpp": "#pragma once\n#include <nono/more.hpp>\n"}
    print("amalgamate.py: the self test passes")


def main():
    parser = argparse.ArgumentParser(description="makes single_include/nono/*.hpp from include/nono")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 with the command that repairs")
    parser.add_argument("--forward", metavar="DIR", type=Path, help="write headers that include the doors, below DIR")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()

    root = Path(__file__).resolve().parent.parent
    version = re.search(r"^project\(nono VERSION (\S+)", (root / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)[1]
    try:
        made, holds = amalgamate(read(root / "include/nono"), version)
    except Problem as why:
        sys.exit(f"amalgamate.py: {why}")
    single = root / "single_include/nono"
    if args.check:
        wrong = list(stale(made, read(single)))
        if wrong:
            sys.exit("\n".join(wrong))
    elif args.forward:
        write(args.forward / "nono", forwards(holds))
    else:
        write(single, made)
    return None


if __name__ == "__main__":
    main()
