#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""readme.py README COMPILER INCLUDE: the first C++ block of the README compiles without a warning, and the line that it
says is refused is refused, with the words that it gives."""
import re
import subprocess
import sys
from pathlib import Path

readme, compiler, include = sys.argv[1:]
text = Path(readme).read_text()
block = re.search(r"```cpp\n(.*?)```", text, re.S).group(1)
refused = re.search(r"^( *)// (\..*?) *// does not compile: (\w+).*$", block, re.M)
if refused is None:
    sys.exit("the README's first C++ block has no refused line")


def compile_block(source):
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror",
               "-I", include, "-fsyntax-only", "-x", "c++", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True)


good = compile_block(block)
if good.returncode != 0:
    sys.exit("the README's first C++ block does not compile:\n" + good.stderr)
bad = compile_block(block.replace(refused.group(0), refused.group(1) + refused.group(2)))
if bad.returncode == 0 or refused.group(3) not in bad.stderr:
    sys.exit(f"the README says that {refused.group(2)} is refused with {refused.group(3)}; the compiler says:\n{bad.stderr}")

# The table of refusals names what the compile-fail cases expect, and all of it.
cases = Path(readme).parent / "tests" / "compile_fail"
expected = {p.name: p.read_text().splitlines()[0].removeprefix("// expect-error: ") for p in sorted(cases.glob("*.cpp"))}
section = text.split("## Refusals of the compiler")[1].split("\n## ")[0]
table = re.findall(r"\| `([^`]+)` \|$", section, re.M)
if not table or not expected:
    sys.exit("the README's table of refusals, or the folder of compile-fail cases, is empty")
for words in table:
    if not any(re.search(regex, words) for regex in expected.values()):
        sys.exit(f"no compile-fail case expects `{words}`, which the README's table names")
for case, regex in expected.items():
    if not any(re.search(regex, words) for words in table):
        sys.exit(f"the README's table has no refusal with the words that {case} expects: {regex}")
print("readme: as written")
