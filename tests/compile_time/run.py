#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A constant policy of 200 rules compiles in less than a second over the headers alone.

    run.py --compiler g++ --include include

User CPU time of `-c -O0`, best of three: the machine's other work can only make a run slower, never faster.
"""
import argparse
import os
import sys
import tempfile
from pathlib import Path

LIMIT = 1.0  # seconds
RUNS = 3


def rules():
    """200 distinct rules, of every kind that takes a path, in no sorted order."""
    kinds = [
        lambda n: f'.allow_path<nono::read>("/srv/data/d{n:03d}")',
        lambda n: f'.allow_path<nono::read_write>("/srv/work/w{n:03d}/cache")',
        lambda n: f'.allow_file<nono::read>("/srv/files/f{n:03d}.conf")',
        lambda n: f'.deny_path("/srv/secret/s{n:03d}")',
        lambda n: f'.allow_path<nono::read>("$DATA/v{n:03d}")',
    ]
    # 77 has no factor in common with 200, so this is a permutation.
    return [kinds[i % len(kinds)](i * 77 % 200) for i in range(200)]


def source(with_policy):
    lines = ["#include <nono/nono.hpp>"]
    if with_policy:
        lines += ["constexpr auto policy = nono::caps()", '    .variable("$DATA")']
        lines += ["    " + rule for rule in rules()]
        lines += ["    .network(nono::blocked);",
                  'static_assert(policy.ref().rules.size() == 200);',
                  "const void* keep() { return &policy; }"]
    return "\n".join(lines) + "\n"


def seconds(command):
    best = None
    for _ in range(RUNS):
        pid = os.posix_spawnp(command[0], command, {**os.environ, "CCACHE_DISABLE": "1"})
        _, status, usage = os.wait4(pid, 0)  # the compiler proper is a child that the driver has waited for
        if status != 0:
            sys.exit(f"{' '.join(command)}: does not compile")
        best = usage.ru_utime if best is None else min(best, usage.ru_utime)
    return best


def main():
    parser = argparse.ArgumentParser(description="measures the compile time of 200 rules")
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--include", required=True)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        took = {}
        for name in ("headers", "policy"):
            unit = Path(temporary, name + ".cpp")
            unit.write_text(source(name == "policy"))
            took[name] = seconds([args.compiler, "-std=c++20", "-O0", "-I", args.include, "-c", str(unit),
                                  "-o", str(unit) + ".o"])
    over = took["policy"] - took["headers"]
    print(f"{args.compiler}: headers {took['headers']:.2f} s, 200 rules {over:.2f} s more, limit {LIMIT:.2f} s")
    return 0 if over < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
