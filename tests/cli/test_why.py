# SPDX-License-Identifier: Apache-2.0
"""`nono why` against the sandbox itself: what it says of random questions is what a confined process then gets; and how
it says it. NONO_WHY_PAIRS asks more than the usual number, NONO_WHY_SEED something else."""
import errno
import json
import os
import random
import re
import shlex
import subprocess
import sys
import time

from harness import BIN, PYTHON, ROOT, Case, main

PAIRS = int(os.environ.get("NONO_WHY_PAIRS", "1000"))
SEED = int(os.environ.get("NONO_WHY_SEED", "1"))

# Performs the questions on its standard input, in order, and prints the errno of each; 0 where it worked.
PERFORM = r"""
import ctypes, fcntl, os, stat, sys, termios
libc = ctypes.CDLL(None, use_errno=True)
def opened(path, flags): os.close(os.open(path, flags | os.O_NONBLOCK, 0o644))
def written(path):  # what a user means by it: into a directory, or a file that may have to be made
    try: mode = os.stat(path).st_mode
    except FileNotFoundError: return opened(path, os.O_WRONLY | os.O_CREAT)
    except OSError: mode = 0
    if stat.S_ISDIR(mode): return opened(path + (b"" if path.endswith(b"/") else b"/") + b"new", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    opened(path, os.O_WRONLY)
def both(path):
    try: directory = stat.S_ISDIR(os.stat(path).st_mode)
    except OSError: directory = False
    if directory: opened(path, os.O_RDONLY | os.O_DIRECTORY); written(path)
    else: opened(path, os.O_RDWR)
def execute(path):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try: os.execve(path, [path], {})
        except OSError as e: os.write(w, str(e.errno).encode())
        os._exit(0)
    os.close(w)
    got = int(os.read(r, 9) or 0)
    os.close(r); os.waitpid(pid, 0)
    if got: raise OSError(got, "")
def exchanged(a, b):
    if libc.renameat2(-100, a, -100, b, 2) != 0: raise OSError(ctypes.get_errno(), "")
def controlled(path):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if libc.ioctl(fd, 0x5401, ctypes.create_string_buffer(256)) != 0: raise OSError(ctypes.get_errno(), "")
def truncated(path):  # not Python's, which opens
    if libc.truncate(path, ctypes.c_long(0)) != 0: raise OSError(ctypes.get_errno(), "")
perform = {
    b"read": lambda p: opened(p, os.O_RDONLY), b"write": written, b"readwrite": both,
    b"create": lambda p: opened(p, os.O_WRONLY | os.O_CREAT), b"overwrite": lambda p: opened(p, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    b"truncate": truncated, b"list": lambda p: opened(p, os.O_RDONLY | os.O_DIRECTORY), b"execute": execute, b"ioctl": controlled,
    b"stat": os.stat, b"chmod": lambda p: os.chmod(p, os.stat(p).st_mode & 0o7777), b"mkdir": os.mkdir, b"mkfifo": os.mkfifo,
    b"mksock": lambda p: os.mknod(p, stat.S_IFSOCK | 0o644), b"mkdev": lambda p: os.mknod(p, stat.S_IFCHR | 0o644, 259),
    b"symlink": lambda p: os.symlink(b"x", p), b"unlink": os.unlink, b"rmdir": os.rmdir, b"rename": os.rename,
    b"exchange": exchanged, b"link": os.link,
}
words = sys.stdin.buffer.read().split(b"\0")
for op, path, to in zip(words[0::3], words[1::3], words[2::3]):
    try: perform[op](path, to) if to else perform[op](path); got = 0
    except OSError as e: got = e.errno
    print(got)
"""

# What a plan of files looks like, below each copy. In "in" lies what flags may grant.
DIRECTORIES = ["in", "in/d", "in/d/e", "in/odd 'n\name", "out", "out/d", "out/empty"]
FILES = ["in/f", "in/d/g", "in/d/e/h", "in/odd 'n\name/\"f", "out/f", "out/d/g", "out/tool", "in/d/tool"]
SYMLINKS = [("in/up", "../out"), ("in/there", "d"), ("out/back", "../in/d/g"), ("in/escape", "../out/f"), ("in/dangling", "../out/none"),
            ("in/d/dangling", "none"), ("in/loop", "loop"), ("out/whole", "%/in/f"), ("out/to-nowhere", "%/no/where")]
HARD_LINKS = [("out/d/linked", "in/d/hard"), ("in/f", "out/hard")]
MISSING = ["in/none", "in/none", "in/d/none", "in/d/e/none", "in/there/none", "in/d/none", "out/none", "out/none/deeper", "in/f/below", "in/up/none", "in/d/e/new name"]
LOOKS = ["read", "list", "execute", "ioctl", "stat", "chmod"]
CHANGES = ["write", "readwrite", "create", "overwrite", "truncate", "mkdir", "mkfifo", "mksock", "mkdev", "symlink", "unlink", "rmdir",
           "rename", "rename", "rename", "exchange", "link", "link", "link"]
TWO_NAMES = ["rename", "exchange", "link"]


class Scenario:
    """Copies of one plan: each is asked a few questions that change nothing, and then one that may."""

    def __init__(self, rng, base, copies):
        self.rng, self.copies = rng, [os.path.join(base, str(i)) for i in range(copies)]
        modes = {d: rng.choice([0o755] * 12 + [0o700, 0o555, 0o300, 0o1777, 0]) for d in DIRECTORIES}
        modes.update({f: rng.choice([0o644] * 8 + [0o755] * 4 + [0o600, 0o400, 0o200, 0o111, 0]) for f in FILES + ["out/d/linked"]})
        theirs = [n for n in modes if ROOT and rng.random() < 0.03]  # of another user
        for copy in self.copies:
            os.mkdir(copy)
            for d in DIRECTORIES:
                os.mkdir(os.path.join(copy, d))
            for f in FILES + ["out/d/linked"]:
                with open(os.path.join(copy, f), "w", encoding="ascii") as out:
                    out.write("#!/bin/true\n")
            for name, target in SYMLINKS:
                os.symlink(target.replace("%", copy), os.path.join(copy, name))
            for name, link in HARD_LINKS:
                os.link(os.path.join(copy, name), os.path.join(copy, link))
            for n in reversed(list(modes)):
                if n in theirs:
                    os.chown(os.path.join(copy, n), 65534, 65534)
            for n in sorted(modes, key=len, reverse=True):
                os.chmod(os.path.join(copy, n), modes[n])
        self.moves = False
        self.enterable = all(modes[d] & 0o100 and d not in theirs for d in ("in", "in/d"))
        self.flags = self.some_flags()
        self.questions = [q for copy in self.copies for q in
                          [self.question(copy, rng.choice(LOOKS)) for _ in range(4)] + [self.question(copy, rng.choice(CHANGES))]]

    def some_flags(self):
        rng, flags = self.rng, []
        self.moves = rng.random() < 0.3
        if self.moves:  # a move from where a file may only be written to where it could be read
            flags = [w for copy in self.copies for w in ("--write", os.path.join(copy, "in"), "--allow", os.path.join(copy, "in/d/e"))]
        for _ in range(rng.choice([0, 1, 2, 2, 3, 3, 4, 5])):
            if rng.random() < 0.6:
                flag, name = rng.choice(["--allow", "--read", "--read", "--write"]), rng.choice(DIRECTORIES[:6] + ["in/there", "in/up"])
            else:
                flag = rng.choice(["--allow-file", "--read-file", "--write-file"])
                name = rng.choice(FILES + ["in/d/hard", "out/hard", "in/escape", "out/whole"])
            flags += [w for copy in self.copies for w in (flag, os.path.join(copy, name))]
        if self.enterable and rng.random() < 0.2:
            flags += ["--allow-cwd", "--workdir", os.path.join(self.copies[0], "in/d")]
        return flags + rng.choice([[], [], ["--block-net"]])

    def path(self, copy, op, second=False):
        rng = self.rng
        new = op in ("create", "overwrite", "mkdir", "mkfifo", "mksock", "symlink") or second
        kinds = [MISSING] * 4 + [FILES] if new else [FILES] * 4 + [DIRECTORIES] * (4 if op in ("list", "rmdir", "write", "readwrite") else 1)
        name = rng.choice(rng.choice(kinds + [MISSING, [s[0] for s in SYMLINKS], [h[1] for h in HARD_LINKS]]))
        if rng.random() < 0.2:  # by a way around
            way = rng.choice(["in/d/../../", "./", "in/up/../", "out/d/..//../", "in/there/../../", "in/f/../../", "none/../"])
            name = way + name
        return os.path.join(copy, name) + rng.choice([""] * 30 + ["/", "/.", "/.."])

    def question(self, copy, op):
        if op in TWO_NAMES and self.moves and self.rng.random() < 0.7:
            return op, os.path.join(copy, self.rng.choice(["in/f", "in/d", "in/d/g"])), os.path.join(copy, "in/d/e/moved")
        return op, self.path(copy, op), self.path(copy, op, True) if op in TWO_NAMES else ""


class Agreement(Case):
    def test_what_why_says_is_what_a_confined_process_gets(self):
        rng, start, asked, wrong, seen = random.Random(SEED), time.monotonic(), 0, [], {}
        number = 0
        while asked < PAIRS and len(wrong) < 20:
            base = self.directory(f"s{number}")
            s, number = Scenario(rng, base, 8), number + 1
            command = ["--silent", "--no-diagnostics", *s.flags, "--", PYTHON, "-c", PERFORM]
            first = self.nono("why", *s.flags, "--path", "/", "--", PYTHON)
            if first.code != 0:  # a directory that may not be entered cannot be granted: no more to why than to run
                self.check(self.run_(*command), first.code, b"", first.text)
                self.remove(base)
                continue
            said = [self.answer(s.flags, q) for q in s.questions]
            stdin = b"\0".join(w.encode() for q in s.questions for w in q)
            r = self.run_(*command, stdin=stdin)
            got = [int(n) for n in r.out.split()]
            self.assertEqual((r.code, len(got)), (0, len(said)), r)
            for q, a, number_of in zip(s.questions, said, got):
                asked += 1
                predicted = a["errno"]["number"] if a["errno"] else 0
                seen[(a["status"], a["reason"])] = seen.get((a["status"], a["reason"]), 0) + 1
                if number_of == errno.ENOTEMPTY and predicted == 0:  # what a directory holds is not looked at
                    continue
                if predicted != number_of or (a["status"] == "denied") != (number_of != 0):
                    short = " ".join(w.replace(s.copies[0], "") for i, w in enumerate(s.flags)
                                     if w.startswith(s.copies[0]) or s.flags[i + 1:i + 2] and s.flags[i + 1].startswith(s.copies[0]))
                    wrong.append(f"{q} with {short}: said {a['status']}, {a['reason']}, {errno.errorcode.get(predicted, 0)}; "
                                 f"got {errno.errorcode.get(number_of, 0)}")
            self.remove(base)
        print(f"{asked} questions in {time.monotonic() - start:.1f} s, seed {SEED}: {len(wrong)} disagreements; "
              f"{', '.join(f'{s} {r} {n}' for (s, r), n in sorted(seen.items()))}", file=sys.stderr)
        self.assertEqual(wrong, [])
        # A test of nothing but refusals would prove little.
        for kind in (("allowed", "granted_path"), ("denied", "path_not_granted"), ("denied", "insufficient_access"), ("denied", "path_not_found"),
                     ("denied", "ordinary_permissions"), ("denied", "gains_access"), ("not_enforceable", "not_enforceable")):
            self.assertGreater(seen.get(kind, 0), 0, f"never seen: {kind}")

    def answer(self, flags, question):
        op, path, to = question
        words = [BIN, "why", *flags, "--json", "--op", op, f"--path={path}"] + ([f"--to={to}"] if to else []) + ["--", PYTHON]
        done = subprocess.run(words, env=self.env(), cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, (words, done.stderr))
        return json.loads(done.stdout)


class Why(Case):
    def setUp(self):
        super().setUp()
        self.path = self.file("data/f")
        self.data = os.path.dirname(self.path)

    def why(self, *words, **more):
        return self.nono("why", *words, **more)

    def json(self, *words, **more):
        r = self.check(self.why("--json", *words, **more), 0, None)
        r.out.decode("ascii")
        return json.loads(r.out)

    # ---- the shapes of the answer ----

    def test_allowed(self):
        r = self.check(self.why("--read", self.data, "--path", self.path), 0, None)
        self.assertEqual(r.out.decode(), f"""ALLOWED
Reason:          granted_path
Details:         read '{self.path}': allowed by --read '{self.data}'
Granted by:      --read '{self.data}'
Access:          read
Source:          user
""")
        self.assertEqual(self.json("--read", self.data, "--path", self.path), {
            "status": "allowed", "reason": "granted_path", "details": f"read '{self.path}': allowed by --read '{self.data}'",
            "granted_path": self.data, "access": "read", "source": "user", "operation": "read", "errno": None})

    def test_not_granted(self):
        r = self.check(self.why("--path", self.path), 0, None)
        self.assertEqual(r.out.decode(), f"""DENIED
Reason:          path_not_granted
Details:         read '{self.path}': denied, because no grant covers it
Error:           EACCES (13)
Suggested fix:   --read-file {self.path}
  in the DSL:    .allow_file<right::read_file>("{self.path}")
  in a profile:  {{"filesystem":{{"read_file":["{self.path}"]}}}}
""")
        self.assertEqual(self.json("--path", self.path), {
            "status": "denied", "reason": "path_not_granted", "details": f"read '{self.path}': denied, because no grant covers it",
            "suggested_flag": f"--read-file {self.path}",
            "suggested": {"dsl": [f'.allow_file<right::read_file>("{self.path}")'], "profile": {"filesystem": {"read_file": [self.path]}}},
            "operation": "read", "errno": {"number": 13, "name": "EACCES"}})

    def test_the_json_is_pretty_printed(self):
        self.assertIn(b'{\n  "status": "allowed",\n  "reason": "granted_path",\n', self.why("--json", "-r", self.data, "--path", self.path).out)

    def test_insufficient_access(self):
        a = self.json("--read", self.data, "--op", "write", "--path", self.path)
        self.assertEqual((a["status"], a["reason"]), ("denied", "insufficient_access"))
        self.assertEqual(a["matching_capability"], {"path": self.data, "access": "read", "source": "user"})
        self.assertEqual(a["suggested_flag"], f"--write-file {self.path}")
        self.assertIn(f"Closest match:   --read '{self.data}'\n".encode(),
                      self.why("--read", self.data, "--op", "write", "--path", self.path).out)

    def test_a_sensitive_path(self):
        key = self.file("home/.ssh/id_ed25519")
        a = self.json("--path", key)
        self.assertEqual((a["status"], a["reason"], a["policy_source"], a["errno"]["name"]),
                         ("denied", "sensitive_path", "group:deny_credentials", "EACCES"))
        self.assertNotIn("suggested_flag", a)  # nothing that a tool should add by itself
        self.assertNotIn("suggested", a)
        text = self.why("--path", key).out.decode()
        self.assertIn("on purpose only: --bypass-protection ~/.ssh --read-file ~/.ssh/id_ed25519\n", text)
        a = self.json("--bypass-protection", os.path.dirname(key), "--read-file", key, "--path", key)
        self.assertEqual(a["status"], "allowed")

    def test_a_sensitive_path_that_is_not_there(self):
        a = self.json("--path", os.path.join(self.home, ".ssh/id_rsa"))
        self.assertEqual((a["status"], a["reason"], a["policy_source"], a["errno"]["name"]),
                         ("denied", "sensitive_path", "group:deny_credentials", "ENOENT"))

    def test_a_denied_file_is_named_where_it_would_be_made(self):
        a = self.json("--op", "write", "--path", os.path.join(self.home, ".bashrc"))
        self.assertEqual((a["reason"], a["policy_source"], a["operation"]), ("sensitive_path", "group:deny_shell_configs", "create"))

    def test_not_found(self):
        a = self.json("--read", self.data, "--path", self.data + "/none")
        self.assertEqual((a["status"], a["reason"], a["errno"]), ("denied", "path_not_found", {"number": 2, "name": "ENOENT"}))
        self.assertNotIn("suggested_flag", a)  # it would be allowed
        a = self.json("--path", self.data + "/none")
        self.assertEqual((a["reason"], a["suggested_flag"]), ("path_not_found", f"--read {self.data}"))

    def test_ordinary_permissions(self):
        os.chmod(self.path, 0)
        a = self.json("--read", self.data, "--path", self.path)
        self.assertEqual((a["status"], a["reason"], a["errno"]["name"]), ("denied", "ordinary_permissions", "EACCES"))
        self.assertNotIn("suggested_flag", a)
        self.assertEqual("no capability" in a["details"], ROOT)  # outside the sandbox root may

    def test_of_the_wrong_kind(self):
        a = self.json("--read", self.data, "--op", "list", "--path", self.path)
        self.assertEqual((a["status"], a["reason"], a["errno"]["name"]), ("denied", "unsuitable", "ENOTDIR"))

    def test_gains_access(self):
        other = self.directory("other")
        a = self.json("--write", self.data, "--allow", other, "--op", "rename", "--path", self.path, "--to", other + "/f")
        self.assertEqual((a["status"], a["reason"], a["errno"]["name"]), ("denied", "gains_access", "EXDEV"))
        a = self.json("--allow", self.data, "--allow", other, "--op", "rename", "--path", self.path, "--to", other + "/f")
        self.assertEqual(a["status"], "allowed")
        a = self.json("--read", self.data, "--allow", other, "--op", "rename", "--path", self.path, "--to", other + "/f")
        self.assertEqual((a["reason"], a["matching_capability"]["path"], a["suggested_flag"]),
                         ("insufficient_access", self.data, f"--write {self.data}"))

    def test_not_enforceable(self):
        a = self.json("--op", "stat", "--path", self.path)
        self.assertEqual((a["status"], a["reason"], a["errno"]), ("not_enforceable", "not_enforceable", None))
        self.assertTrue(self.why("--op", "stat", "--path", self.path).out.startswith(b"NOT ENFORCEABLE\n"))

    def test_what_the_supervisor_decides(self):
        a = self.json("--op", "chmod", "--path", self.path)
        self.assertEqual((a["status"], a["reason"], a["errno"]["name"], a["suggested_flag"]),
                         ("denied", "path_not_granted", "EPERM", f"--write-file {self.path}"))
        self.assertEqual(self.json("--write", self.data, "--op", "chmod", "--path", self.path)["status"], "allowed")

    def test_the_network(self):
        a = self.json("--connect-tcp", "443")
        self.assertEqual((a["status"], a["reason"]), ("allowed", "network_allowed"))
        for words in (["--connect-tcp", "443"], ["--bind-tcp", "8080"], ["--op", "udp"]):
            a = self.json("--block-net", *words)
            self.assertEqual((a["status"], a["reason"], a["errno"]["name"]), ("denied", "network_blocked", "EACCES"))

    # ---- the question ----

    def test_write_means_what_a_user_means(self):
        for words, operation, status in ((["--allow", self.data, "--path", self.data], "create", "allowed"),
                                         (["--read", self.data, "--path", self.data], "create", "denied"),
                                         (["--allow", self.data, "--path", self.data + "/none"], "create", "allowed"),
                                         (["--allow-file", self.path, "--path", self.path], "write", "allowed")):
            a = self.json("--op", "write", *words)
            self.assertEqual((a["operation"], a["status"]), (operation, status), words)
        a = self.json("--op", "readwrite", "--write", self.data, "--path", self.data)
        self.assertEqual((a["operation"], a["status"]), ("list", "denied"))
        a = self.json("--op", "readwrite", "--allow", self.data, "--path", self.data)
        self.assertEqual((a["operation"], a["status"]), ("create", "allowed"))
        self.file("data/new")  # the name that is asked about is taken
        self.assertEqual(self.json("--op", "write", "--allow", self.data, "--path", self.data)["status"], "allowed")

    def test_relative_paths_are_below_the_current_directory(self):
        for given in ("../data/f", "./../data/../data/./f"):
            self.assertEqual(self.json("--read", self.data, "--path", given)["status"], "allowed")
        os.symlink(self.data, os.path.join(self.work, "link"))
        # The kernel's "link/.." is the directory around what the link leads to.
        self.assertEqual(self.json("--read", self.data, "--path", "link/../data/f")["status"], "allowed")
        r = self.check(self.why("--read", self.data, "--path", "link/f"), 0, None)
        self.assertIn(f"Leads to:        '{self.path}'\n".encode(), r.out)

    def test_the_working_directory(self):
        path = self.file("work/f")
        a = self.json("--profile", "go-dev", "--path", path)
        self.assertEqual((a["status"], a["suggested_flag"]), ("denied", "--allow-cwd"))
        self.assertEqual(self.json("--allow-cwd", "--path", path)["status"], "allowed")

    def test_a_command_brings_what_run_would_give_it(self):
        tool = self.file("data/tool", "#!/bin/sh\n", 0o755)
        self.assertEqual(self.json("--op", "execute", "--path", tool)["status"], "denied")
        a = self.json("--op", "execute", "--path", tool, "--", tool)
        self.assertEqual((a["status"], a["source"]), ("allowed", "command"))
        cache = self.directory("home/.cargo/registry")
        self.assertEqual(self.json("--path", cache)["status"], "denied")
        self.assertEqual(self.json("--profile", "rust-dev", "--path", cache)["source"], "group:rust_runtime")
        self.one_line(self.why("--path", tool, "--", "no-such-command"), 1, "no-such-command")

    def test_nothing_is_made(self):
        before = sorted(os.listdir(self.base) + os.listdir(self.tmp) + os.listdir(self.home))
        self.json("--profile", "go-dev", "--allow-cwd", "--op", "create", "--path", "new")
        self.assertEqual(sorted(os.listdir(self.base) + os.listdir(self.tmp) + os.listdir(self.home)), before)
        self.assertEqual(os.listdir(self.work), [])

    def test_the_suggested_flag_is_what_it_takes(self):
        for op, path in (("read", self.path), ("write", self.path), ("list", self.data), ("create", self.data + "/new"), ("unlink", self.path)):
            with self.subTest(op=op):
                a = self.json("--op", op, "--path", path)
                self.assertEqual(a["status"], "denied")
                self.assertEqual(self.json(*shlex.split(a["suggested_flag"]), "--op", op, "--path", path)["status"], "allowed")

    def test_the_footer_says_the_same(self):
        r = self.run_("--", "cat", self.path)
        self.assertIn(f"read '{self.path}': {self.json('--path', self.path)['suggested_flag']}\n", r.text)

    def test_the_tree(self):
        self.file("home/.ssh/id")
        r = self.check(self.why("--read", self.data, "--tree", "--path", self.path), 0, None)
        lines = r.out.decode().splitlines()
        self.assertTrue(any(l.endswith("read  dir  [user]  <- grants") for l in lines), r)
        self.assertTrue(any(l.endswith("'f'  <- asked") for l in lines), r)
        r = self.check(self.why("--tree", "--path", self.home + "/.ssh/id"), 0, None)
        self.assertRegex(r.out.decode(), r"'\.ssh'  denied  \[group:deny_credentials\]  <- closes\n[^\n]*'id'  <- asked\n")

    # ---- mistakes ----

    def test_bad_input(self):
        for words, text in (([], "--path"), (["--op", "read"], "--path"), (["--path", self.path, "--op", "nonsense"], "nonsense"),
                            (["--path", ""], "empty"), (["--path="], "empty"), (["--path"], "--path"),
                            (["--path", "a", "--path", "b"], "one question"), (["--path", self.path, "--op", "rename"], "--to"),
                            (["--path", self.path, "--to", "b"], "--to"), (["--path", self.path, "--connect-tcp", "1"], "--connect-tcp"),
                            (["--connect-tcp", "0"], "65535"), (["--connect-tcp", "65536"], "65535"), (["--connect-tcp", "x"], "--connect-tcp"),
                            (["--op", "udp", "--path", self.path], "no file"), (["--path", self.path, "--tree", "--json"], "--json"),
                            (["--path", self.path, "--nonsense"], "--nonsense")):
            with self.subTest(words=words):
                self.one_line(self.why(*words), 2, text)
        for word in ("--command", "--caller"):
            for form in ([word], [word, "x"], [word + "=x"]):
                self.one_line(self.why("--path", self.path, *form), 2, f"{word} is not built yet, so nothing was asked")
        self.one_line(self.why("--allow", "/", "--path", self.path), 1, "protected nono state root")
        self.one_line(self.why("--profile", "none-such", "--path", self.path), 1, "Profile not found")

    def test_warnings_are_those_of_a_run(self):
        words = ["why", "--read", self.data + "/none", "--path", self.path]
        self.check(self.nono(*words), 0, None, "requested sandbox grants were skipped because the path does not exist")
        self.assertEqual(self.nono("--silent", *words).err, b"")

    def test_names_that_would_forge_an_answer(self):
        for name in (b"a\nALLOWED", b"it's \"x\"", b"\xff\xfe\x9b", "\u202eabc".encode(), b"\x1b[2J", b"a\\b", b"#x y"):
            path = os.path.join(self.data.encode(), name)
            with open(path, "wb"):
                pass
            with self.subTest(name=name):
                r = self.check(self.why(b"--path", path), 0, None)
                text = r.out.decode("utf-8")
                self.assertTrue(all(c.isprintable() or c == "\n" for c in text), ascii(text))
                self.assertEqual([l for l in text.splitlines() if l.startswith("ALLOWED")], [])
                self.assertEqual(len(text.splitlines()), 7, text)
                a = self.json(b"--path", path)
                self.assertEqual(a["suggested"]["profile"]["filesystem"]["read_file"], [path.decode("utf-8", "replace")])
                self.assertEqual(self.json(b"--read-file", path, b"--path", path)["status"], "allowed")

    def test_standard_output_that_is_full(self):
        with open("/dev/full", "wb") as full:
            r = self.why("--path", self.path, stdout=full)
        self.one_line(r, 1, "standard output")


class Profile(Case):
    def test_list(self):
        r = self.check(self.nono("profile", "list"), 0, None)
        self.assertIn("go-dev            Go", r.out.decode())

    def test_show(self):
        r = self.check(self.nono("profile", "show", "rust-dev"), 0, None)
        self.assertIn("rust-dev: Rust", r.out.decode())
        self.assertIn("[group:system_read_linux_core]", r.out.decode())

    def test_tree(self):
        os.makedirs(os.path.join(self.home, ".cargo/registry"))
        os.mkdir(os.path.join(self.home, ".ssh"))
        r = self.check(self.nono("profile", "show", "rust-dev", "--tree"), 0, None)
        lines = r.out.decode().splitlines()
        self.assertEqual(lines[1], "'/'")
        self.assertTrue(any(re.search(r"'registry'  read  dir  \[group:rust_runtime\]", l) for l in lines), r)
        self.assertTrue(any(re.search(r"'\.ssh'  denied  \[group:deny_credentials\]$", l) for l in lines), r)

    def test_bad_input(self):
        self.one_line(self.nono("profile"), 2)
        self.one_line(self.nono("profile", "show"), 2, "profile show needs its PROFILE")
        self.one_line(self.nono("profile", "nonsense"), 2)
        self.one_line(self.nono("profile", "show", "none-such"), 1, "Profile not found")
        self.one_line(self.nono("profile", "show", "a", "b"), 2)
        self.one_line(self.nono("profile", "show", ""), 1, "name")


if __name__ == "__main__":
    main()
