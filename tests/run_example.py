#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_example.py PROGRAM EXPECTED: the program must exit 0 and print EXPECTED, line by line, on stdout.

Exit 77 of the program (this kernel cannot do it) is passed on: CTest knows it as a skip.
"""
import difflib
import subprocess
import sys
from pathlib import Path

program, expected = sys.argv[1:]
run = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
if run.returncode == 77:
    sys.exit(77)

difference = list(difflib.unified_diff(
    Path(expected).read_text().splitlines(), run.stdout.splitlines(), expected, program, lineterm=""))
print("\n".join(difference))
if run.returncode != 0:
    print(f"{program}: exit status {run.returncode}")
sys.exit(bool(difference or run.returncode != 0))
