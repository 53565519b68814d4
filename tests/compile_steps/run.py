#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A constant policy of 200 rules, questions about it, and the union and the intersection of two stay well below what a
compiler computes in one constant expression by default; and the whole room of caps(), 256 rules, within it.

    run.py --compiler g++ --include include

What is counted are the compiler's own steps, the same on every machine and at every load. `make bench` measures the time.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Of g++'s -fconstexpr-ops-limit (33,554,432 by default) and of clang's -fconstexpr-steps (1,048,576).
LIMITS = {"g++": ("-fconstexpr-ops-limit", 4_500_000), "clang++": ("-fconstexpr-steps", 800_000)}


def rules(count=200):
    """Distinct rules, of every kind that takes a path, in no sorted order."""
    kinds = [
        lambda n: f'.allow_path<nono::read>("/srv/data/d{n:03d}")',
        lambda n: f'.allow_path<nono::read_write>("/srv/work/w{n:03d}/cache")',
        lambda n: f'.allow_file<nono::read>("/srv/files/f{n:03d}.conf")',
        lambda n: f'.deny_path("/srv/secret/s{n:03d}")',
        lambda n: f'.allow_path<nono::read>("$DATA/v{n:03d}")',
    ]
    # 77 has no factor in common with 200 and 256, so this is a permutation.
    return [kinds[i % len(kinds)](i * 77 % count) for i in range(count)]


def policy(name, made_of, network):
    return [f"constexpr auto {name} = nono::caps()", '    .variable("$DATA")', *("    " + rule for rule in made_of),
            f"    .network({network});", f"static_assert({name}.ref().rules.size() == {len(made_of)});",
            f"const void* keep_{name}() {{ return &{name}; }}"]


def full_room():
    return policy("policy", rules(256), "nono::blocked")


def one_policy():
    return policy("policy", rules(), "nono::blocked")


def two_policies():
    """The second differs in half its rules: of grants and denies that both have, and that one has alone."""
    second = [re.sub(r"(\d)(\d\d)", lambda m: f"{(int(m[1]) + 5 * (i % 2))}{m[2]}", rule)
              for i, rule in enumerate(rules())]
    return one_policy() + policy("other", second, "nono::only(nono::connect_tcp(443))")


def questions():
    lines = []
    for n in range(10):
        lines.append(f'static_assert(policy.permits<nono::read>("/srv/data/d{n * 5:03d}/a/b/c.txt"));')
        lines.append(f'static_assert(policy.denies<nono::write>("/srv/data/d{n * 5:03d}/a/b/c.txt") == false ||'
                     f' !policy.permits<nono::write>("/srv/data/d{n * 5:03d}/a/b/c.txt"));')
    return two_policies() + lines + ["static_assert(!policy.within(other) && policy.within(policy));",
                                     "static_assert(other.minimum_landlock_abi() == 4);"]


def union():
    return two_policies() + ["constexpr auto joined = nono::union_of(policy, other);",
                             "static_assert(policy.within(joined) && other.within(joined));"]


def intersection():
    return two_policies() + ["constexpr auto common = nono::intersection_of(policy, other);",
                             "static_assert(common.within(policy) && common.within(other));"]


def compiles(compiler, include, lines, *flags):
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as unit:
        unit.write("\n".join(["#include <nono/combine.hpp>", *lines]) + "\n")
        unit.flush()
        return subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-I", include, *flags, unit.name],
                              env={**os.environ, "CCACHE_DISABLE": "1"}, capture_output=True, text=True, check=False)


def main():
    parser = argparse.ArgumentParser(description="holds constant policies to a number of the compiler's steps")
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--include", required=True)
    args = parser.parse_args()

    flag, limit = LIMITS[re.sub(r"-\d+$", "", Path(args.compiler).name)]
    failures = 0
    for name, lines, flags in (("200 rules", one_policy(), [f"{flag}={limit}"]),
                               ("22 questions", questions(), [f"{flag}={limit}"]),
                               ("union and within", union(), [f"{flag}={limit}"]),
                               ("intersection and within", intersection(), [f"{flag}={limit}"]),
                               ("256 rules, the whole room of caps()", full_room(), [])):
        done = compiles(args.compiler, args.include, lines, *flags)
        if done.returncode != 0:
            failures += 1
            print(f"{args.compiler}: {name} {' '.join(flags) or 'by default'}: {done.stderr[:2000]}")
    # The limit counts: half of it is too little.
    if compiles(args.compiler, args.include, one_policy(), f"{flag}={limit // 2}").returncode == 0:
        failures += 1
        print(f"{args.compiler}: 200 rules take less than half of {flag}={limit}: lower the limit")
    return 0 if failures == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
