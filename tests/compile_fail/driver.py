#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the compiler refuses what it should, for the reason it should.

    driver.py --compiler g++ --include include [-j 2] [--precompile nono/caps.hpp] CASE.cpp...

The first line of a case is `// expect-error: REGEX`. The case is compiled twice:

  as it stands       the good twin: compiles without a warning
  -DEXPECT_ERROR     the bad twin: is refused with exactly one error, and REGEX is found in the words of an
                     error or a note

--precompile reads that header once for all cases, which find it included already (what few of them need better stays out:
reading back what was precompiled takes its time, too); and it compiles all good twins at once, each in a namespace of its
own, and one by one only to find the broken one. A tenth of the time together.

Each condition answers a case that would fool a simpler test: a macro that nothing looks at (bad twin compiles), a
misspelling that the compiler repairs and reports as one more error, a good twin broken for the same reason as the
bad one, an expectation that only its own echo fulfils (excerpts are off, and of a diagnostic only what follows
`error:` or `note:` is searched, so neither the text of the case nor its name can match).
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WARNINGS = ["-Werror", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow"]
# After the first error clang counts on, and reports the next as `fatal error: too many errors emitted`; that line
# counts as the second error it stands for. g++ stops for good, with a line that has no `error:` in it.
CLANG = ["-ferror-limit=1", "-fno-caret-diagnostics", "-fno-diagnostics-fixit-info", "-fno-color-diagnostics"]
GCC = ["-fmax-errors=1", "-fno-diagnostics-show-caret", "-fdiagnostics-color=never", "-fmessage-length=0"]

INCLUDE = re.compile(r"#include <.+>")
EXPECTATION = re.compile(r"// expect-error: (\S.*)")
# "file.cpp:3:5: error: words", "cc1plus: fatal error: words", "fatal error: words"
DIAGNOSTIC = re.compile(r"(?:(?:\S.*?:\d+:\d+|[^:\s]+): )?(?:fatal )?(?P<kind>error|note): (?P<words>.*)")


def is_clang(compiler):
    return "clang" in os.path.basename(compiler)


def run_compiler(compiler, include, arguments):
    includes = [flag for folder in include for flag in ("-I", folder)]
    return subprocess.run([compiler, "-std=c++20", *includes, *arguments], capture_output=True, text=True,
                          errors="replace", env={**os.environ, "LC_ALL": "C", "CCACHE_DISABLE": "1"})


def precompile(compiler, include, header, folder):
    """Returns the flags with which a case finds `header` included; or exits."""
    unit = Path(folder, "all.hpp")
    unit.write_text(f"#include <{header}>\n")
    made = Path(folder, "all.hpp.pch" if is_clang(compiler) else "all.hpp.gch")
    done = run_compiler(compiler, include, [*WARNINGS, "-x", "c++-header", str(unit), "-o", str(made)])
    if done.returncode != 0:
        sys.exit(f"{compiler} does not precompile {header}:\n{done.stderr}")
    return ["-include-pch", str(made)] if is_clang(compiler) else ["-Winvalid-pch", "-include", str(unit)]


def compile_case(compiler, include, case, extra):
    style = CLANG if is_clang(compiler) else GCC
    return run_compiler(compiler, include, ["-fsyntax-only", *style, *extra, str(case)])


def good_twins_compile(compiler, include, cases, precompiled, folder):
    unit = Path(folder, "good_twins.cpp")
    headers = sorted({line for case in cases for line in Path(case).read_text().splitlines() if INCLUDE.fullmatch(line)})
    unit.write_text("\n".join(headers) + "\n" + "".join(
        f'namespace case_{n} {{\n#include "{Path(case).resolve()}"\n}}\n' for n, case in enumerate(cases)))
    done = compile_case(compiler, include, unit, [*WARNINGS, *precompiled])
    return done.returncode == 0 and not done.stderr


def judge(compiler, include, case, precompiled=(), good_is_known=False):
    """Returns what is wrong with the case, or None."""
    lines = Path(case).read_text().splitlines()
    first = EXPECTATION.fullmatch(lines[0]) if lines else None
    if not first:
        return "the first line is not `// expect-error: REGEX`"
    try:
        expected = re.compile(first[1])
    except re.error as problem:
        return f"the expectation is no regular expression: {problem}"

    if not good_is_known:
        good = compile_case(compiler, include, case, [*WARNINGS, *precompiled])
        if good.returncode != 0 or good.stderr:
            return f"the good twin does not compile clean:\n{good.stderr}"

    bad = compile_case(compiler, include, case, [*WARNINGS[1:], "-DEXPECT_ERROR", *precompiled])
    if bad.returncode == 0:
        return "the bad twin compiles"
    found = [match for line in bad.stderr.splitlines() if (match := DIAGNOSTIC.match(line))]
    errors = [match for match in found if match["kind"] == "error"]
    if len(errors) != 1:
        return f"the bad twin gives {len(errors)} errors instead of one:\n{bad.stderr}"
    if not any(expected.search(match["words"]) for match in found):
        return f"no error or note of the bad twin says `{first[1]}`:\n{bad.stderr}"
    return None


def main():
    parser = argparse.ArgumentParser(description="compiles what must not compile")
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--precompile", metavar="HEADER")
    parser.add_argument("-j", type=int, default=1, metavar="JOBS")
    parser.add_argument("cases", nargs="+")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(args.j) as pool:
        precompiled = ()
        good = False
        if args.precompile:
            precompiled = precompile(args.compiler, args.include, args.precompile, temporary)
            good = good_twins_compile(args.compiler, args.include, args.cases, precompiled, temporary)
        verdicts = list(pool.map(lambda case: judge(args.compiler, args.include, case, precompiled, good), args.cases))
    failed = 0
    for case, problem in zip(args.cases, verdicts):
        if problem:
            failed += 1
            print(f"{case} ({args.compiler}): {problem}")
    print(f"{args.compiler}: {len(verdicts) - failed} of {len(verdicts)} refusals hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
