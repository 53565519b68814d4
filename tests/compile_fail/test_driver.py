#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_driver.py COMPILER...: the driver accepts a sound case and sees through every way to fool it."""
import subprocess
import sys
import tempfile
from pathlib import Path

import driver

SOUND = """// expect-error: number_must_be_even
namespace detail {
void number_must_be_even();
}
consteval int even(int n) {
  if (n % 2 != 0) detail::number_must_be_even();
  return n;
}
#ifdef EXPECT_ERROR
int n = even(3);
#else
int n = even(4);
#endif
"""

# name: (source, what the driver must say; None = accepted)
CASES = {
    "sound": (SOUND, None),
    "static_assert": (
        "// expect-error: the rule, (in|with) words\n"
        "#ifdef EXPECT_ERROR\nstatic_assert(sizeof(int) == 1, \"the rule, in words\");\n#endif\n", None),
    "dead_macro": (SOUND.replace("ifdef EXPECT_ERROR", "ifdef EXPECT_EROR"), "bad twin compiles"),
    "misspelt_expectation": (SOUND.replace("expect-error: number_must", "expect-error: numbr_must"),
                             "no error or note"),
    "no_expectation": (SOUND.split("\n", 1)[1], "first line"),
    "broken_expectation": (SOUND.replace("expect-error: number", "expect-error: (number"), "no regular expression"),
    "warning_in_good_twin": (SOUND + "static int unused(int m) { int n = m; return n; }\n", "good twin"),
    "same_error_in_both_twins": (SOUND.replace("even(4)", "even(5)"), "good twin"),
    # Refused for another reason; what is expected stands in a comment of the refused line, and in its name.
    "echo": (SOUND.replace("even(3);", "oops;  // number_must_be_even"), "no error or note"),
    "echo_number_must_be_even": (SOUND.replace("even(3);", "oops;"), "no error or note"),
    # The compiler stops at the first error, so what is expected must not be the second.
    "expected_error_comes_second": (
        SOUND.replace("int n = even(3);", "int m = oops;\nint n = even(3);"), ("no error or note", "2 errors")),
    # clang mends `evem` and goes on to the expected error: neither may count as the refusal.
    "misspelling_that_is_repaired": (SOUND.replace("even(3)", "evem(3)"), ("no error or note", "2 errors")),
    "missing_header": (SOUND.replace("int n = even(3);", "#include \"number_must_be.hpp\""), "no error or note"),
}
# g++ cannot see a second error behind the limit; clang says that there was one.
CLANG_CASES = {
    "two_errors": (SOUND.replace("int n = even(3);", "int n = even(3);\nint m = oops;"), "2 errors"),
}


def check(compiler, folder):
    wrong = 0
    cases = {**CASES, **(CLANG_CASES if driver.is_clang(compiler) else {})}
    for name, (source, wanted) in cases.items():
        case = Path(folder, name + ".cpp")
        case.write_text(source)
        verdict = driver.judge(compiler, [], case)
        wanted = (wanted,) if isinstance(wanted, str) else wanted
        if verdict is None if wanted is None else verdict and any(words in verdict for words in wanted):
            continue
        wrong += 1
        print(f"{compiler}: {name}: wanted {wanted or 'acceptance'}, the driver says: {verdict or 'accepted'}")
    print(f"{compiler}: {len(cases) - wrong} of {len(cases)} verdicts are right")
    return wrong


RULE = """#pragma once
namespace detail { void number_must_be_even(); }
consteval int even(int n) {
  if (n % 2 != 0) detail::number_must_be_even();
  return n;
}
"""
WITH_RULE = """// expect-error: number_must_be_even
#include <rule.hpp>
#ifdef EXPECT_ERROR
int n = even(3);
#else
int n = even(4);
#endif
"""
# The second of three cases, and whether all are accepted.
TOGETHER = {
    "sound_together": (WITH_RULE, True),
    "broken_good_twin": (WITH_RULE.replace("even(4)", "even(5)"), False),
    "warning_in_good_twin_of_many": (WITH_RULE + "inline int f(int m) { int k = m; return 1; }\n", False),
    "dead_macro_of_many": (WITH_RULE.replace("even(3)", "even(2)"), False),
    "other_reason_of_many": (WITH_RULE.replace("even(3)", "oops"), False),
}


def check_together(compiler, folder):
    """The same with a precompiled header and all good twins at once, as the tests are run."""
    Path(folder, "rule.hpp").write_text(RULE)
    cases = [Path(folder, f"case_{n}.cpp") for n in range(3)]
    wrong = 0
    for name, (source, wanted) in TOGETHER.items():
        for case in cases:
            case.write_text(source if case == cases[1] else WITH_RULE)
        done = subprocess.run([sys.executable, driver.__file__, "--compiler", compiler, "--include", folder, "-j", "2",
                               "--precompile", "rule.hpp", *map(str, cases)], capture_output=True, text=True)
        blamed = [case for case in cases if f"{case} (" in done.stdout]
        if (done.returncode == 0) == wanted and blamed == ([] if wanted else [cases[1]]):
            continue
        wrong += 1
        print(f"{compiler}: {name}: the driver exits with {done.returncode} and says:\n{done.stdout}{done.stderr}")
    print(f"{compiler}: {len(TOGETHER) - wrong} of {len(TOGETHER)} verdicts on many cases are right")
    return wrong


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(any([check(compiler, temporary) + check_together(compiler, temporary) for compiler in sys.argv[1:]]) or len(sys.argv) < 2)
