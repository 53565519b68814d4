#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [--only NAME...] [--json FILE|-] [--readme FILE] [-v]: tries to get out of a sandbox, in every known way.

Each attempt is made three times, each time in a world of its own: without a sandbox, where it must get through; under
`nono run`; and under bubblewrap, where that is installed. That it got through is not believed, but seen: something
outside has changed, or a secret came out. Fails if anything gets through nono that expected_open.py does not list, or
if something that is listed does not any more. $NONO_BIN names the nono, $NONO_ATTEMPTS the program of attempts.

run.py --markdown USER.json ROOT.json: the table of the README, from what --json wrote as a user and as root; with
--readme FILE it is written into that."""
import argparse
import collections
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time

from expected_open import SETTINGS, expected_open
from report import compare, markdown, replace_block
from world import ROOT, KeyRing, World

NONO = os.environ.get("NONO_BIN", "")
ATTEMPTS = os.environ.get("NONO_ATTEMPTS", "")
REQUIRED = os.environ.get("NONO_REQUIRE_LIVE") == "1" or os.environ.get("CI") in ("1", "true")
FEWEST = 80  # attempts tried, or the run proves little
SECONDS = 20  # for one try

THROUGH, STOPPED, CANNOT = "through", "stopped", "cannot"


def bubblewrap(world):
    """bwrap as somebody runs it who knows it: system directories alone, every namespace, no terminal, no capability."""
    links = [w for d in ("bin", "sbin", "lib", "lib64") if os.path.islink(f"/{d}")
             for w in ("--symlink", f"usr/{d}", f"/{d}")]
    return ["bwrap", "--ro-bind", "/usr", "/usr", *links, "--ro-bind", "/etc", "/etc", "--proc", "/proc",
            "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", world.bin, world.bin,
            "--ro-bind", world.shared, world.shared, "--bind", world.work, world.work, "--chdir", world.work,
            "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--"]


WAYS = {
    # A shell in between, so that there is a parent with the user's environment.
    "bare": lambda world: ["sh", "-c", '"$@"; exit $?', "sh"],
    "nono": lambda world: [NONO, "run", "--silent", "--block-net", "--allow-cwd", "--read", world.shared, "--"],
    "bwrap": bubblewrap,
}


class Talk(threading.Thread):
    """Reads what an attempt prints, and does what somebody outside is asked to do."""

    def __init__(self, process, world):
        super().__init__(daemon=True)
        self.process, self.world, self.lines = process, world, []

    def run(self):
        for line in self.process.stdout:
            self.lines.append(line.decode("utf-8", "replace"))
            words = line.split()
            try:
                if words[:2] == [b"listening", b"tcp"]:
                    with socket.create_connection(("127.0.0.1", int(words[2])), 1) as s:
                        s.sendall(self.world.secret.encode())
                elif words[:2] == [b"listening", b"udp"]:
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                        s.sendto(self.world.secret.encode(), ("127.0.0.1", int(words[2])))
                elif words == [b"watching"]:
                    with open(f"{self.world.outside}/made-{self.world.secret}", "wb"):
                        pass
            except OSError:
                pass  # nobody there, seen from outside


def make_try(attempt, way, ring):
    """One try in a new world: (verdict, why)."""
    world = World(ATTEMPTS, ring, way == "bare")
    try:
        # The terminal is the controlling one of a new session.
        command = ["setsid", "--ctty", *WAYS[way](world), world.program, "try", attempt["name"], world.facts]
        process = subprocess.Popen(command, stdin=world.slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd=world.work, env=world.environment(), pass_fds=world.descriptors.values())
        talk = Talk(process, world)
        talk.start()
        errors = []
        reader = threading.Thread(target=lambda: errors.append(process.stderr.read()), daemon=True)
        reader.start()
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = "none in time"
        talk.join(2)
        reader.join(2)
        if "later\n" in talk.lines:  # something was left behind, and shall have its time
            time.sleep(0.6)
        process.stdout.close()
        process.stderr.close()
        said = "".join(talk.lines)
        return judge(attempt, code, said, world.secret in said, world.changes(patience=0.3 if attempt["name"].startswith("terminal") else 0.0),
                     b"".join(errors).decode("utf-8", "replace"))
    finally:
        world.remove()


def judge(attempt, code, said, told, changes, errors):
    """What an attempt says of itself, against what was seen."""
    last = said.strip().rpartition("\n")[2][-200:]
    by = attempt["proof"]
    if code == 20:
        return CANNOT, last.removeprefix("cannot be tried: ")
    if told or (by != "secret" and changes):
        return THROUGH, "a secret came out" if told else "changed: " + ", ".join(changes)[:200]
    if code == 0 and by == "call":
        return THROUGH, "the call succeeded"
    if code == 10:
        # To get as far as that without the secret is something, too.
        if changes:
            return THROUGH, "changed: " + ", ".join(changes)[:200]
        return STOPPED, last.removeprefix("stopped: ")
    if code == 0 and by == "change":
        return STOPPED, "the call had no effect outside"
    return "odd", f"exit code {code}, {last!r}, changed: {changes}, standard error: {errors[-600:]!r}"


def outer_sandbox():
    """True where this driver runs in somebody's filter (a container): what is stopped there, is not triable here."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as f:
        return "\nSeccomp:\t0\n" not in f.read()


def all_powerful():
    """True for a root that has not been robbed of its capabilities: CAP_SYS_ADMIN stands for them."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as f:
        return ROOT and int(f.read().partition("CapEff:\t")[2].split()[0], 16) >> 21 & 1 == 1


def without_sandbox(attempt, ring):
    """The first try; what this system stops by itself is not triable."""
    if attempt["needs"] == "root" and not all_powerful():
        return CANNOT, "for root alone"
    verdict, why = make_try(attempt, "bare", ring)
    if verdict == STOPPED and attempt["name"] in SETTINGS:
        return CANNOT, f"{why} (by {SETTINGS[attempt['name']]})"
    if verdict == STOPPED and outer_sandbox():
        return CANNOT, f"{why} (by the sandbox around this test)"
    return verdict, why


def run(attempts, ways, verbose):
    """Makes all tries: a list of {name, class, sentence, bare, nono, bwrap: (verdict, why)}."""
    ring = KeyRing(secret := secrets.token_hex(12))
    ring.secret = secret
    results = []
    for attempt in attempts:
        row = dict(attempt)
        row["bare"] = without_sandbox(attempt, ring)
        if row["bare"][0] == THROUGH:
            for way in ways:
                row[way] = make_try(attempt, way, ring)
        results.append(row)
        if verbose:
            print(attempt["name"], *(f"{w}: {' '.join(row[w])}" for w in ("bare", *ways) if w in row), sep="\n    ")
    return results


def summary(results, ways):
    """By class: how many were tried, and how many got through."""
    counts = collections.OrderedDict()
    for row in results:
        count = counts.setdefault(row["class"], dict.fromkeys(("tried", *ways), 0))
        if row["bare"][0] == THROUGH:
            count["tried"] += 1
            for way in ways:
                count[way] += row[way][0] == THROUGH
    return counts


def faults(results, ways, abi, complete):
    """What must not be."""
    found = []
    expected = expected_open(abi)
    for row in results:
        name = row["name"]
        for way in ("bare", *ways):
            verdict, why = row.get(way, (None, ""))
            if verdict == "odd" or (verdict == CANNOT and way != "bare"):
                found.append(f"{name}, {way}: not to be judged: {why}")
        if row["bare"][0] == STOPPED:
            found.append(f"{name}: does not get through without a sandbox: {row['bare'][1]}")
        got = row.get("nono", (None, ""))
        if got[0] == THROUGH and name not in expected:
            found.append(f"{name}: GETS THROUGH NONO ({row['sentence']}): {got[1]}")
        if got[0] == STOPPED and name in expected:
            found.append(f"{name}: is stopped now ({got[1]}): take it off the list of what is open")
    known = {row["name"] for row in results}
    tried = sum(row["bare"][0] == THROUGH for row in results)
    if complete:
        found += [f"{name}: listed as open, but no attempt has this name" for name in expected if name not in known]
        if tried < FEWEST:
            found.append(f"only {tried} attempts were tried, at least {FEWEST} must be")
    return found


def landlock_abi():
    check = subprocess.run([NONO, "setup", "--check-only"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if check.returncode != 0:
        print("skipped: this system does not enforce what nono asks for", file=sys.stderr)
        sys.exit(1 if REQUIRED else 77)
    words = check.stdout.decode().partition("Landlock:")[2].split()
    return int(words[1].strip(",")) if words[0] == "ABI" else 0


def bwrap_version():
    """Its version; "" where it is missing or does not work."""
    if shutil.which("bwrap") is None:
        return ""
    works = subprocess.run(["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"], capture_output=True, check=False)
    if works.returncode != 0:
        return ""
    return subprocess.run(["bwrap", "--version"], capture_output=True, check=True).stdout.decode().split()[-1]


def all_attempts():
    listed = subprocess.run([ATTEMPTS, "list"], capture_output=True, check=True).stdout.decode()
    return [dict(zip(("name", "class", "proof", "needs", "sentence"), line.split("\t"), strict=True))
            for line in listed.splitlines()]


def print_table(results, ways):
    for row in results:
        if row["bare"][0] == CANNOT:
            print(f"  not triable here: {row['name']}: {row['bare'][1]}")
    print("\n" + "".join(f"{t:>14}" for t in ("", "tried", *ways)))
    counts = summary(results, ways)
    total = {k: sum(c[k] for c in counts.values()) for k in ("tried", *ways)}
    for name, count in [*counts.items(), ("all", total)]:
        print(f"{name:>14}" + "".join(f"{count[k]:>14}" for k in ("tried", *ways)))
    for way in ways:
        through = [row["name"] for row in results if row.get(way, ("",))[0] == THROUGH]
        print(f"through {way}: {' '.join(through) or 'none'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--readme", metavar="FILE", default=os.environ.get("NONO_README", ""))
    parser.add_argument("--markdown", nargs=2, metavar=("USER", "ROOT"))
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    if options.markdown:
        loaded = []
        for name in options.markdown:
            with open(name, encoding="utf-8") as f:
                loaded.append(json.load(f))
        if options.readme:
            with open(options.readme, "r+", encoding="utf-8") as f:
                text = replace_block(f.read(), markdown(*loaded))
                f.seek(0)
                f.truncate()
                f.write(text)
        else:
            print(markdown(*loaded), end="")
        return 0
    if not NONO or not ATTEMPTS:
        print("NONO_BIN and NONO_ATTEMPTS name the nono and the program of attempts", file=sys.stderr)
        return 1
    start = time.monotonic()
    abi, bwrap = landlock_abi(), bwrap_version()
    ways = ["nono"] + (["bwrap"] if bwrap else [])
    attempts = [a for a in all_attempts() if not options.only or a["name"] in options.only]
    said, sys.stdout = sys.stdout, sys.stderr if options.json == "-" else sys.stdout
    results = run(attempts, ways, options.verbose)
    print_table(results, ways)
    found = faults(results, ways, abi, not options.only)
    done = {"root": ROOT, "kernel": ".".join(os.uname().release.split(".")[:2]), "abi": abi, "bwrap": bwrap,
            "summary": summary(results, ways), "attempts": results, "open": expected_open(abi)}
    if options.json:
        with contextlib.nullcontext(said) if options.json == "-" else open(options.json, "w", encoding="utf-8") as f:
            json.dump(done, f, indent=1)
    if options.readme and not options.only:
        with open(options.readme, encoding="utf-8") as f:
            found += compare(f.read(), done)
    for fault in found:
        print(f"FAULT: {fault}")
    print(f"{len(results)} attempts in {time.monotonic() - start:.0f} s as uid {os.geteuid()}, Landlock ABI {abi}, "
          f"bubblewrap {bwrap or 'missing'}: {len(found)} faults")
    return 1 if found or not results else 0


if __name__ == "__main__":
    sys.exit(main())
