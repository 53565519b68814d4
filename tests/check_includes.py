#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the arrows: which file may include which. Run it from anywhere; --self-test judges the judge."""
import posixpath
import re
import sys
from pathlib import Path

# --- the table -------------------------------------------------------------------------------------------------

# Headers of include/nono (without .hpp), from low to high, each with what it may include. A name in capitals
# stands for a list above; FOLDER/* for every header of that folder; ALL for every header above.
VOCABULARY = "right error path network address host protection refusal arena"
NO_DSL = "ALL -caps -combine -capability_set -groups"  # a backend knows the policy, never how it was written

ARROWS = {
    "right":             "",
    "error":             "right",
    "path":              "right error",
    "network":           "right error",
    "address":           "",
    "host":              "right error path address",
    "protection":        "right error network",
    "refusal":           "",
    "arena":             "right error",
    "policy":            "VOCABULARY",
    "algebra":           "VOCABULARY policy",
    "groups":            "VOCABULARY policy",
    "caps":              "VOCABULARY policy algebra groups",
    "combine":           "VOCABULARY policy algebra caps",
    "capability_set":    "VOCABULARY policy algebra groups",
    "resolve":           "VOCABULARY",
    "bound_policy":      "VOCABULARY policy resolve",
    "bind":              "VOCABULARY policy resolve bound_policy",
    "linux/abi":         "VOCABULARY",
    "report":            "VOCABULARY linux/abi",
    "place":             "VOCABULARY resolve",
    "rule_index":        "VOCABULARY resolve bound_policy",
    "question":          "VOCABULARY policy resolve bound_policy",
    "judge":             "VOCABULARY resolve bound_policy report place rule_index question",
    "query":             "VOCABULARY bound_policy report place question judge",
    "explain":           "VOCABULARY policy resolve bound_policy report place question query",
    "tree":              "VOCABULARY policy resolve bound_policy report place question query explain",
    "macos/settings":    "",
    "macos/quote":       "VOCABULARY",
    "macos/platform_rule": "VOCABULARY macos/settings",
    "macos/places":      "VOCABULARY policy macos/*",
    "macos/rules":       "VOCABULARY macos/*",
    "macos/files":       "VOCABULARY policy macos/*",
    "macos/sockets":     "VOCABULARY policy macos/*",
    "macos/sbpl":        "VOCABULARY policy macos/*",
    "macos/model":       "VOCABULARY policy resolve question macos/settings",  # and not how a profile is written
    "macos/apply":       "VOCABULARY policy resolve bound_policy report macos/*",
    "linux/syscalls":    "VOCABULARY linux/abi",
    "linux/threads":     "VOCABULARY linux/syscalls",
    "linux/open_descriptors": "linux/syscalls",
    "linux/namespaces":  "VOCABULARY linux/syscalls",
    "linux/filter_rows": "VOCABULARY",
    "linux/filter":      "VOCABULARY linux/filter_rows",
    "linux/notification": "",
    "linux/caller":      "VOCABULARY resolve",
    "linux/sock_diag":   "VOCABULARY resolve",
    "linux/decider":     "VOCABULARY resolve bound_policy report place judge question rule_index linux/filter_rows linux/notification linux/caller linux/sock_diag",
    "linux/plan":        "VOCABULARY policy bound_policy report linux/abi linux/filter",
    "linux/apply":       "VOCABULARY policy resolve bound_policy bind report linux/*",
    "linux/confine":     "VOCABULARY report linux/*",
    "attenuation":       "VOCABULARY policy algebra bound_policy bind place rule_index",
    "apply":             "NO_DSL",
    "child":             "VOCABULARY resolve report linux/*",
    "macos/spawn":       "VOCABULARY bound_policy child macos/*",
    "spawn":             "NO_DSL",
    "prepare":           "NO_DSL",
    "supervisor":        "NO_DSL",
    "support":           "NO_DSL",
    "model":             "NO_DSL",
    "nono":              "ALL",
    "json/reader":       "error",
    "json/writer":       "",
    "json/report":       "VOCABULARY report json/writer",
    "json/state_data":   "VOCABULARY policy resolve bound_policy bind capability_set groups",
    "json/state_writer": "VOCABULARY policy bound_policy json/writer json/state_data",
    "json/state_reader": "VOCABULARY policy json/reader json/state_data json/state_writer",
    "json/state":        "ALL",
    "json/predicate":    "",
    "json/profile_fields": "",
    "json/profile_parser": "error json/reader json/writer json/predicate json/profile_fields",
    "json/profile":      "error json/predicate json/profile_fields json/profile_parser",
    "json/profile_schema": "json/writer json/profile_fields",
    "json/profile_writer": "json/writer json/profile_fields",
    "json/file":         "error",
    "format":            "ALL",
    "c/ffi_text":        "error json/writer",
    "c/ffi_rule":        "",
    "c/ffi_set":         "VOCABULARY policy capability_set c/ffi_text",
    "c/ffi_query":       "VOCABULARY policy algebra c/ffi_set",
    "c/ffi_sandbox":     "VOCABULARY bind report support apply json/report c/ffi_set c/ffi_text",
    "c/ffi_state":       "error json/reader json/state json/writer c/ffi_query c/ffi_rule c/ffi_set c/ffi_text",
    "c/ffi_diagnostics": "c/ffi_text",
    "c/nono_ffi":        "ALL",
}

# The only headers that touch the system; everything else is pure. Headers of constants and structures alone are no
# touch, but exist on Linux only: below linux/ they may be included, behind `#if defined(__linux__)`.
SEAMS = ("resolve place linux/syscalls linux/threads linux/namespaces linux/notification linux/caller linux/sock_diag "
         "linux/decider linux/apply linux/confine linux/open_descriptors macos/apply macos/spawn apply child spawn supervisor support "
         "json/file c/ffi_set c/ffi_query c/ffi_sandbox").split()

CONSTANTS = r"(linux|asm)/.*|sys/syscall\.h"

# What the optional doors may include besides: each brings the package it is named for.
PACKAGES = {"json/": "nlohmann/", "c/": "nlohmann/", "format": "fmt/"}

# Folders whose files must not include files of the folders behind them.
APART = {
    "cli/resolve": ["cli/run", "cli/commands"],
    "cli/run": ["cli/commands"],
    "cli": ["proxy"],
    "proxy": ["cli"],
    "secrets": ["cli", "proxy"],  # where keys come from: both may know it, and it knows neither
}

CHECKED = ["include", "cli", "proxy", "secrets"]
INCLUDE_PATH = ["include", ".", "cli", "proxy"]  # where a quoted include is looked for, after its own folder

# --- the rules -------------------------------------------------------------------------------------------------

SPDX = "// SPDX-License-Identifier: Apache-2.0"
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", re.M)
DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)", re.M)
UNDEF = re.compile(r"^\s*#\s*undef\s+(\w+)", re.M)


def allowed(header):
    """The set of headers that `header` may include, from its row of the table."""
    order = list(ARROWS)
    above = order[:order.index(header)]
    words = ARROWS[header].replace("NO_DSL", NO_DSL).replace("VOCABULARY", VOCABULARY).split()
    result = set()
    for word in words:
        if word == "ALL":
            result.update(above)
        elif word.endswith("/*"):
            result.update(name for name in above if name.startswith(word[:-1]))
        elif word.startswith("-"):
            result.discard(word[1:])
        else:
            result.add(word)
    return result - {header}


def locate(file, quote, name, files):
    """The path, within the project, of what is included, or None."""
    places = [posixpath.dirname(file)] if quote == '"' else []
    for place in places + INCLUDE_PATH:
        path = posixpath.normpath(posixpath.join(place, name))
        if path in files:
            return path
    return None


def core_problems(header, target, name):
    """What is wrong with header's including `name` (found at `target`, a header name, or not ours: None)."""
    if target:
        if target not in allowed(header):
            yield f"includes {target}.hpp, which its row of the table does not allow"
    elif name == "nono/c/nono.h":  # written from a table, and includes nothing of ours
        if not header.startswith("c/"):
            yield f"includes <{name}>, which is the C interface's alone"
    elif name.startswith("nono/"):
        yield f"includes <{name}>, which does not exist"
    elif name == "linux/landlock.h":
        yield "includes <linux/landlock.h>: distributions' copies are years behind, our own constants are not"
    elif re.fullmatch(r"[a-z_0-9]+", name):
        pass  # the standard library
    elif any(header.startswith(door) and name.startswith(package) for door, package in PACKAGES.items()):
        pass
    elif re.fullmatch(r"(sys|linux|asm|net|netinet|arpa|mach)/[\w./-]+\.h|[a-z_0-9]+\.h", name):
        if header not in SEAMS and not (header.startswith("linux/") and re.fullmatch(CONSTANTS, name)):
            yield f"includes <{name}>: only the seams ({', '.join(SEAMS)}) touch the system"
    else:
        yield f"includes <{name}>: the library needs the standard library alone"


def within(file, folder):
    return file.startswith(folder + "/")


def problems_of(file, text, files):
    header = file[len("include/nono/"):-len(".hpp")] if within(file, "include/nono") else None
    if header is not None and header not in ARROWS:
        yield "is not in the table of tests/check_includes.py: give it a row"
        header = None
    if text.split("\n", 1)[0] != SPDX:
        yield f"does not begin with `{SPDX}`"
    if file.endswith(".hpp"):
        if not re.search(r"^#pragma once$", text, re.M):
            yield "has no `#pragma once`"
        for macro in sorted(set(DEFINE.findall(text)) - set(UNDEF.findall(text))):
            if not macro.startswith("NONO_"):
                yield f"leaves the macro {macro} behind"

    for quote, name in INCLUDE.findall(text):
        path = locate(file, quote, name, files)
        if header is not None:
            ours = path and within(path, "include/nono")
            yield from core_problems(header, path[len("include/nono/"):-len(".hpp")] if ours else None, name)
        elif within(file, "include") and path and not within(path, "include"):
            yield f"includes {path}"
        for folder, others in APART.items():
            for other in others:
                if within(file, folder) and path and within(path, other):
                    yield f"includes {path}: {folder} must not know {other}"


def table_problems():
    order = list(ARROWS)
    for header in order:
        for other in allowed(header):
            if other not in order:
                yield f"table: {header} may include {other}, which has no row"
            elif order.index(other) >= order.index(header):
                yield f"table: {header} may include {other}, which does not stand above it"


def check(files):
    """files: path within the project -> text. Returns all problems, as lines."""
    return list(table_problems()) + [
        f"{file}: {problem}" for file, text in sorted(files.items()) for problem in problems_of(file, text, files)]


# --- running it ------------------------------------------------------------------------------------------------

def read_project(root):
    return {path.relative_to(root).as_posix(): path.read_text()
            for folder in CHECKED for path in (root / folder).rglob("*") if path.suffix in (".hpp", ".cpp")}


def self_test():
    def hpp(*lines):
        return "\n".join([SPDX, "#pragma once", *lines, ""])

    base = {f"include/nono/{name}.hpp": hpp() for name in ARROWS}
    base.update({f"cli/{name}.hpp": hpp() for name in ("resolve/plan", "run/loop", "commands/run")})
    base["proxy/hosts.hpp"] = hpp()
    base["secrets/secret.hpp"] = hpp()
    cases = [  # file, its text, words of the one problem it must give (None: none)
        ("include/nono/policy.hpp", hpp("#include <nono/right.hpp>", "#include <string>"), None),
        ("include/nono/policy.hpp", hpp('#include "right.hpp"', '#include "nono/path.hpp"'), None),
        ("include/nono/policy.hpp", hpp("#include <nono/caps.hpp>"), "caps.hpp, which its row"),
        ("include/nono/linux/plan.hpp", hpp('#include "../caps.hpp"'), "caps.hpp, which its row"),
        ("include/nono/linux/plan.hpp", hpp('  #  include "../groups.hpp"'), "groups.hpp, which its row"),
        ("include/nono/linux/plan.hpp", hpp("// #include <nono/caps.hpp>"), None),
        ("include/nono/linux/apply.hpp", hpp("#include <nono/linux/plan.hpp>", "#include <unistd.h>"), None),
        ("include/nono/spawn.hpp", hpp("#include <nono/apply.hpp>", "#include <sys/wait.h>"), None),
        ("include/nono/spawn.hpp", hpp("#include <nono/capability_set.hpp>"), "capability_set.hpp, which"),
        ("include/nono/nono.hpp", hpp("#include <nono/spawn.hpp>", "#include <nono/caps.hpp>"), None),
        ("include/nono/nono.hpp", hpp("#include <nono/format.hpp>"), "format.hpp, which its row"),
        ("include/nono/path.hpp", hpp("#include <unistd.h>"), "only the seams"),
        ("include/nono/linux/filter.hpp", hpp("#include <linux/seccomp.h>", "#include <sys/syscall.h>"), None),
        ("include/nono/linux/filter.hpp", hpp("#include <unistd.h>"), "only the seams"),
        ("include/nono/linux/filter.hpp", hpp("#include <linux/landlock.h>"), "years behind"),
        ("include/nono/policy.hpp", hpp("#include <linux/seccomp.h>"), "only the seams"),
        ("include/nono/macos/sbpl.hpp", hpp("#include <nono/caps.hpp>"), "caps.hpp, which its row"),
        ("include/nono/macos/model.hpp", hpp("#include <nono/macos/rules.hpp>"), "rules.hpp, which its row"),
        ("include/nono/resolve.hpp", hpp("#include <fcntl.h>", "#include <linux/openat2.h>"), None),
        ("include/nono/linux/syscalls.hpp", hpp("#include <linux/landlock.h>"), "years behind"),
        ("include/nono/path.hpp", hpp("#include <fmt/format.h>"), "standard library alone"),
        ("include/nono/path.hpp", hpp("#include <CLI/CLI.hpp>"), "standard library alone"),
        ("include/nono/path.hpp", hpp('#include "../../cli/resolve/plan.hpp"'), "standard library alone"),
        ("include/nono/path.hpp", hpp("#include <nono/gone.hpp>"), "does not exist"),
        ("include/nono/c/ffi_text.hpp", hpp("#include <nono/c/nono.h>"), None),
        ("include/nono/path.hpp", hpp("#include <nono/c/nono.h>"), "the C interface's alone"),
        ("include/nono/format.hpp", hpp("#include <fmt/format.h>"), None),
        ("include/nono/format.hpp", hpp("#include <nlohmann/json.hpp>"), "standard library alone"),
        ("include/nono/novel.hpp", hpp(), "not in the table"),
        ("include/nono/path.hpp", hpp("#define NONO_SWITCH 1", "#define HELPER", "#undef HELPER"), None),
        ("include/nono/path.hpp", hpp("#define HELPER(x) x"), "leaves the macro HELPER"),
        ("include/nono/path.hpp", "#pragma once\n", "does not begin"),
        ("include/nono/path.hpp", SPDX + "\n", "no `#pragma once`"),
        ("cli/main.cpp", SPDX + '\n#include "commands/run.hpp"\n#include <CLI/CLI.hpp>\n', None),
        ("cli/resolve/plan.hpp", hpp("#include <nono/caps.hpp>"), None),
        ("cli/resolve/plan.hpp", hpp('#include "../run/loop.hpp"'), "must not know cli/run"),
        ("cli/resolve/plan.cpp", SPDX + '\n#include "cli/commands/run.hpp"\n', "must not know cli/commands"),
        ("cli/run/loop.hpp", hpp('#include "resolve/plan.hpp"'), None),
        ("cli/run/loop.hpp", hpp('#include "commands/run.hpp"'), "must not know cli/commands"),
        ("cli/run/loop.hpp", hpp('#include "../../proxy/hosts.hpp"'), "must not know proxy"),
        ("proxy/hosts.hpp", hpp('#include "cli/run/loop.hpp"'), "must not know cli"),
        ("proxy/hosts.hpp", hpp("#include <nono/network.hpp>"), None),
        ("secrets/source.hpp", hpp('#include "proxy/hosts.hpp"'), "must not know proxy"),
        ("proxy/hosts.hpp", hpp('#include "secrets/secret.hpp"'), None),
    ]
    wrong = 0 if check(base) == [] else 1
    for file, text, words in cases:
        found = check({**base, file: text})
        if found if words is None else len(found) != 1 or words not in found[0]:
            wrong += 1
            print(f"{file}:\n{text}wanted {words or 'no problem'}, found {found}")
    print(f"self-test: {len(cases)} cases, {wrong} wrong")
    return wrong


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    files = read_project(Path(__file__).resolve().parent.parent)
    problems = check(files)
    print("\n".join(problems + [f"{len(files)} files, {len(problems)} problems"]))
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
