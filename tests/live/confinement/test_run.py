#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The driver of the attempts is believed when it says that nothing got through: does it see it when something does?"""
import copy
import sys
import unittest

import expected_open
import report
import run


def attempt(name):
    return next(a for a in run.all_attempts() if a["name"] == name)


def row(name, nono, bwrap="stopped"):
    return {**attempt(name), "bare": ("through", ""), "nono": (nono, ""), "bwrap": (bwrap, "")}


class Judge(unittest.TestCase):
    def verdict(self, name, code, said="", told=False, changes=()):
        return run.judge(attempt(name), code, said, told, list(changes), "")[0]

    def test_what_is_seen_counts_and_not_what_is_said(self):
        self.assertEqual(self.verdict("read", 0, told=True), "through")
        self.assertEqual(self.verdict("read", 0), "odd")  # got through, it says, but where is the secret?
        self.assertEqual(self.verdict("read", 10, "stopped: open: Permission denied"), "stopped")
        self.assertEqual(self.verdict("read", 10, told=True), "through")
        self.assertEqual(self.verdict("chmod", 0, changes=["outside/file"]), "through")
        self.assertEqual(self.verdict("chmod", 10, changes=["outside/file"]), "through")
        self.assertEqual(self.verdict("chmod", 0), "stopped")  # to no effect
        self.assertEqual(self.verdict("stat", 0), "through")
        self.assertEqual(self.verdict("tcp", 10, changes=["a connection"]), "through")  # though nothing came back

    def test_what_did_not_run_is_not_stopped(self):
        for code in (1, 2, 126, 127, -9, "none in time"):
            self.assertEqual(self.verdict("read", code), "odd")
        self.assertEqual(self.verdict("read", 20, "cannot be tried: no such thing"), "cannot")


class Faults(unittest.TestCase):
    def faults(self, *rows, abi=7, complete=False):
        return run.faults(list(rows), ["nono", "bwrap"], abi, complete)

    def test_open_and_listed(self):
        self.assertEqual(self.faults(row("read", "stopped"), row("stat", "through")), [])
        self.assertIn("GETS THROUGH NONO", self.faults(row("read", "through"))[0])
        self.assertIn("is stopped now", self.faults(row("stat", "stopped"))[0])

    def test_the_list_is_that_of_the_kernel(self):
        self.assertEqual(self.faults(row("abstract_stream", "through"), row("kill", "through"), abi=5), [])
        self.assertEqual(self.faults(row("abstract_stream", "stopped"), row("kill", "stopped"), abi=6), [])
        self.assertIn("GETS THROUGH NONO", self.faults(row("kill", "through"), abi=6)[0])

    def test_not_tried(self):
        self.assertIn("without a sandbox", self.faults({**attempt("read"), "bare": ("stopped", "")})[0])
        self.assertIn("not to be judged", self.faults(row("read", "cannot"))[0])
        self.assertIn("not to be judged", self.faults(row("read", "odd"))[0])
        self.assertIn("not to be judged", self.faults(row("read", "stopped", "odd"))[0])
        few = self.faults(row("read", "stopped"), complete=True)
        self.assertTrue(any("only 1 attempts were tried" in f for f in few))
        self.assertTrue(any("no attempt has this name" in f for f in few))

    def test_every_listed_name_is_an_attempt(self):
        names = {a["name"] for a in run.all_attempts()}
        self.assertEqual(set(run.expected_open(0)) - names, set())
        self.assertEqual(set(expected_open.SETTINGS) - names, set())
        self.assertEqual(len(names), len(run.all_attempts()))


class Readme(unittest.TestCase):
    def setUp(self):
        rows = [row("read", "stopped"), row("stat", "through"), row("vsock", "stopped", "through")]
        self.user = {"root": False, "kernel": "6.18", "abi": 7, "bwrap": "0.8.0", "attempts": rows,
                     "open": run.expected_open(7), "summary": run.summary(rows, ["nono", "bwrap"])}
        self.root = {**copy.deepcopy(self.user), "root": True}
        text = report.markdown(self.user, self.root)
        self.readme = report.replace_block(f"before\n{report.BEGIN}nothing\n{report.END}after\n", text)

    def changed(self, **more):
        return report.compare(self.readme, {**self.user, **more})

    def test_agrees(self):
        self.assertEqual(report.compare(self.readme, self.user), [])
        self.assertEqual(report.compare(self.readme, self.root), [])
        self.assertTrue(self.readme.startswith("before\n") and self.readme.endswith("after\n"))

    def test_disagrees(self):
        for at, verdicts in ((0, ("through", "stopped")), (1, ("stopped", "stopped")), (2, ("stopped", "stopped"))):
            rows = copy.deepcopy(self.user["attempts"])
            rows[at]["nono"], rows[at]["bwrap"] = ((v, "") for v in verdicts)
            said = self.changed(attempts=rows, summary=run.summary(rows, ["nono", "bwrap"]))
            self.assertTrue(any(rows[at]["name"] in s for s in said), said)
        self.assertNotEqual(report.compare("no table", self.user), [])

    def test_elsewhere(self):
        rows = [r for r in copy.deepcopy(self.user["attempts"]) if r["name"] != "vsock"]
        for r in rows:
            del r["bwrap"]
        here = {"attempts": rows, "bwrap": "", "summary": run.summary(rows, ["nono"])}
        self.assertEqual([f for f in self.changed(**here) if "vsock" not in f], [])
        rows[0]["nono"] = ("through", "")
        self.assertTrue(any(f.startswith("read: the README does not say") for f in self.changed(**here)))


class Broken(unittest.TestCase):
    """Real runs, in a sandbox with a hole."""

    def tried(self, hole, *names):
        whole = run.WAYS["nono"]
        run.WAYS["nono"] = lambda world: hole(whole(world), world)
        try:
            return {r["name"]: r["nono"][0] for r in run.run([attempt(n) for n in names], ["nono"], False)}
        finally:
            run.WAYS["nono"] = whole

    def test_a_grant_too_many(self):
        names = ("read", "write", "unlink", "link_in", "by_symlink", "list", "create", "truncate", "rename", "mkdir")
        with_grant = self.tried(lambda c, world: [*c[:-1], "--allow", world.outside, "--"], *names)
        self.assertEqual(with_grant, dict.fromkeys(names, "through"))

    def test_an_open_network(self):
        names = ("tcp", "udp_sendto", "tcp_listen", "tcp_listen_unbound", "mptcp", "vsock")
        tried = self.tried(lambda c, world: ["--allow-net" if w == "--block-net" else w for w in c], *names)
        self.assertEqual([n for n, v in tried.items() if v != "through"], [])

    def test_no_sandbox(self):
        names = ("kill", "read_memory", "shared_memory", "read_key", "descriptor_read", "variable_token",
                 "abstract_stream", "terminal_of_another", "take_descriptor")
        self.assertEqual(self.tried(lambda c, world: ["env"], *names), dict.fromkeys(names, "through"))

    def test_a_sandbox_that_does_not_start(self):
        self.assertEqual(self.tried(lambda c, world: [*c[:-1], "--no-such-flag", "--"], "read"), {"read": "odd"})


if __name__ == "__main__":
    if not run.NONO or not run.ATTEMPTS:
        sys.exit("NONO_BIN and NONO_ATTEMPTS name the nono and the program of attempts")
    run.landlock_abi()  # or skipped
    unittest.main()
