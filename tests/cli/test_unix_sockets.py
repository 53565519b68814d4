# SPDX-License-Identifier: Apache-2.0
"""Unix sockets by name: who may be reached, by which flag, and no further. The servers are real ones outside."""
import json
import os
import shlex
import socket
import subprocess

from harness import BIN, PYTHON, Case, kernel_abi, main

# Connects to each of its arguments and says what came of it; exits with 3 where one was refused.
CLIENT = """
import errno, os, socket, sys
bad = 0
for path in sys.argv[1:]:
    with socket.socket(socket.AF_UNIX) as s:
        try: s.connect(os.fsencode(path)); print("ok")
        except OSError as e: print(errno.errorcode[e.errno]); bad = 3
sys.exit(bad)
"""

# Serves at its argument, and calls itself there.
SERVER = """
import os, socket, sys
s, c = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1]); s.listen(); c.connect(sys.argv[1]); s.accept()[0].send(b"served"); print(c.recv(9).decode())
"""

CHMOD = "import os, sys; os.chmod(sys.argv[1], 0o700)"

PY = (PYTHON, "-I", "-c")  # -I: without the working directory on its path, which it would look into
ONE, DIRECTORY, SUBTREE = "--allow-unix-socket", "--allow-unix-socket-dir", "--allow-unix-socket-subtree"
FLAGS = [form + bind for form in (ONE, DIRECTORY, SUBTREE) for bind in ("", "-bind")]


class UnixSockets(Case):
    def setUp(self):
        super().setUp()
        self.s = self.directory("s")
        self.a, self.b = self.serve("s/a.sock"), self.serve("s/b.sock")
        self.below, self.beside = self.serve("s/in/c.sock"), self.serve("d.sock")
        self.all = [self.a, self.b, self.below, self.beside]

    def serve(self, name):
        """A server outside every sandbox; what it is called by."""
        path = os.path.join(self.base, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(path)
        server.listen(100)
        return path

    def reached(self, flags, paths):
        """Those of `paths` that a sandboxed client reaches; the others are refused with EACCES."""
        r = self.run_(*flags, "--", *PY, CLIENT, *paths)
        words = r.out.decode().split()
        self.assertEqual(len(words), len(paths), r)
        self.assertLessEqual(set(words), {"ok", "EACCES"}, r)
        return [p for p, word in zip(paths, words) if word == "ok"]

    def why(self, flags, path, op="connect-unix"):
        r = self.nono("why", *flags, "--path", path, "--op", op, "--json")
        return json.loads(self.check(r, 0, None).out)

    def rows(self, r):
        return [line[2:] for line in r.text.partition("[nono] The sandbox refused:\n")[2].splitlines() if line.startswith("  ")]

    # ---- who is reached ----

    def test_nobody_without_a_flag(self):
        self.check(self.execute([*PY, CLIENT, *self.all]), 0, "ok\n" * 4)
        for flags in ([], ["--allow", self.s], ["--read", self.s], ["--write", self.s], ["--allow-file", self.a]):
            with self.subTest(flags=flags):
                self.assertEqual(self.reached(flags, self.all), [])

    def test_each_flag_reaches_what_it_names_and_why_agrees(self):
        link = os.path.join(self.base, "link")
        os.symlink(self.a, link)
        for flags, expected in (([ONE, self.a], [self.a]), ([ONE + "-bind", self.a], [self.a]),
                                ([DIRECTORY, self.s], [self.a, self.b]), ([DIRECTORY + "-bind", self.s], [self.a, self.b]),
                                ([SUBTREE, self.s], self.all[:3]), ([SUBTREE + "-bind", self.s], self.all[:3]),
                                ([ONE, self.b, ONE, self.below], [self.b, self.below]), ([f"{ONE}={self.a}"], [self.a]),
                                ([ONE, "../s/a.sock"], [self.a]), ([ONE, link], [self.a]), ([SUBTREE, self.base + "/s/in"], [self.below])):
            with self.subTest(flags=flags):
                self.assertEqual(self.reached(flags, self.all), expected)
                for path in self.all:
                    said = self.why(flags, path)
                    self.assertEqual(said["status"], "allowed" if path in expected else "denied", said)
                    self.assertEqual(said["errno"], None if path in expected else {"number": 13, "name": "EACCES"})
        self.assertEqual(self.reached([ONE, self.a], [link, self.a]), [link, self.a])

    def test_links_do_not_lead_out(self):
        os.symlink(self.beside, os.path.join(self.s, "out.sock"))
        for flag in (DIRECTORY, SUBTREE):
            self.assertEqual(self.reached([flag, self.s], [self.s + "/out.sock", self.beside]), [])

    def test_a_directory_is_what_is_in_it_at_the_start(self):
        later = os.path.join(self.s, "later.sock")
        code = "print('runs', flush=True)\nimport os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\n" + CLIENT
        for flag, word in ((DIRECTORY, "EACCES"), (SUBTREE, "ok")):
            with self.subTest(flag=flag):
                p = subprocess.Popen([BIN, "run", "--silent", flag, self.s, "--", *PY, code, later], env=self.env(), cwd=self.work,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
                self.addCleanup(p.kill)
                self.assertEqual(p.stdout.readline(), b"runs\n")
                os.rename(self.serve("s.sock"), later)  # there at once, and served
                self.assertEqual(p.communicate(timeout=30)[0].decode(), word + "\n")
                os.unlink(later)

    def test_wrap_takes_the_flags(self):
        r = self.nono("wrap", ONE, self.a, "--", *PY, CLIENT, self.a)
        self.check(r, 0, "ok\n", f"'{self.a}' (socket)")

    # ---- the files that come with it ----

    def test_the_file_grant_that_comes_along(self):
        path = self.file("s/f", "F\n")
        for form in (DIRECTORY, SUBTREE):
            for bind, code in (("", 1), ("-bind", 0)):
                with self.subTest(flag=form + bind):
                    self.check(self.run_(form + bind, self.s, "--", "cat", path), 0, "F\n")
                    self.check(self.run_(form + bind, self.s, "--", "touch", self.s + "/new"), code)
        self.check(self.run_(ONE, self.a, "--", *PY, CHMOD, self.a), 1)
        self.check(self.run_(ONE + "-bind", self.a, "--", *PY, CHMOD, self.a), 0)
        self.check(self.run_(ONE, self.a, "--", "cat", path), 1)

    def test_serving_inside(self):
        new = os.path.join(self.s, "new.sock")
        serve = ["--", *PY, SERVER, new]
        self.assertIn("PermissionError", self.run_(DIRECTORY, self.s, *serve).text)
        for flag, path in ((ONE + "-bind", new), (DIRECTORY + "-bind", self.s), (SUBTREE + "-bind", self.s)):
            with self.subTest(flag=flag):
                self.check(self.run_(flag, path, *serve), 0, "served\n")
                os.unlink(new)
        r = self.run_("-v", ONE + "-bind", new, *serve)
        self.check(r, 0, "served\n", [f"  r+w  '{self.s}' (dir)",
                                      f"[nono] note: {ONE}-bind '{new}' grants its directory '{self.s}', to make the socket there; "
                                      "only one that the command makes can be reached\n"])
        os.unlink(new)
        self.assertEqual(self.reached([ONE + "-bind", new], [self.a]), [], "the directory, not who listens in it")
        r = self.run_("-v", ONE + "-bind", self.a, "--", "true")
        self.check(r, 0, b"", f"[nono] note: {ONE}-bind '{self.a}' is there already: to bind it anew the command must remove it, "
                              f"which --write '{self.s}' allows\n")

    # ---- what cannot be granted ----

    def test_what_is_missing_is_left_out_with_a_warning(self):
        for flag in FLAGS:
            for path in (self.base + "/no/such", self.a + "/below"):
                with self.subTest(flag=flag, path=path):
                    self.check(self.run_(flag, path, "--", "echo", "ran"), 0, "ran\n",
                               f"were skipped because the path does not exist: {flag} '{path}'\n")
        path = self.base + "/none.sock"
        self.check(self.run_(ONE, path, "--", "true"), 0, b"", f"does not exist: {ONE} '{path}'\n")

    def test_a_directory_without_sockets(self):
        empty = self.directory("empty")
        self.file("empty/f")
        for flag in (DIRECTORY, DIRECTORY + "-bind"):
            r = self.check(self.run_(flag, empty, "--", "true"), 0, b"")
            self.assertIn(f"[nono] warning: {flag} '{empty}' holds no socket, so none can be reached\n", r.text)
        closed = self.directory("closed")
        os.chmod(closed, 0o300)
        r = self.run_(DIRECTORY, closed, "--", "true")
        if os.geteuid() != 0:
            self.one_line(r, 1, f"{DIRECTORY} '{closed}' cannot be listed: Permission denied")

    def test_a_dangling_link(self):
        link = os.path.join(self.base, "link")
        os.symlink("nowhere", link)
        for flag in FLAGS:
            r = self.run_(flag, link, "--", "true")
            self.one_line(r, 1, f"{flag} '{link}' is a symbolic link that leads nowhere; name what it should lead to ('nowhere')")

    def test_what_is_no_socket(self):
        path = self.file("f")
        fifo = os.path.join(self.base, "fifo")
        os.mkfifo(fifo)
        for bind in ("", "-bind"):
            r = self.run_(ONE + bind, path, "--", "true")
            self.one_line(r, 1, f"{ONE}{bind} '{path}' is a regular file, not a socket; use --{'allow' if bind else 'read'}-file for a file")
            self.one_line(self.run_(ONE + bind, fifo, "--", "true"), 1, f"{ONE}{bind} '{fifo}' is a FIFO, not a socket")
            self.one_line(self.run_(ONE + bind, "/dev/null", "--", "true"), 1, "'/dev/null' is a device, not a socket")
            r = self.run_(ONE + bind, self.s, "--", "true")
            self.one_line(r, 1, f"{ONE}{bind} '{self.s}' is a directory; use {DIRECTORY}{bind} for the sockets in it")
            for form in (DIRECTORY, SUBTREE):
                r = self.run_(form + bind, self.a, "--", "true")
                self.one_line(r, 1, f"{form}{bind} '{self.a}' is not a directory; use {ONE}{bind} for a single socket")
        for flag in FLAGS:
            self.one_line(self.run_(flag, "", "--", "true"), 1, f"{flag} needs a path, and got an empty one")
            self.one_line(self.run_(flag + "=", "--", "true"), 1, f"{flag} needs a path, and got an empty one")

    def test_denied_places(self):
        agent, own = self.serve("home/.ssh/agent"), self.serve("home/.config/nono/x.sock")
        ssh, home = os.path.dirname(agent), self.home
        for flag, path in ((ONE, agent), (DIRECTORY, ssh), (SUBTREE, ssh), (ONE + "-bind", ssh + "/new")):
            with self.subTest(flag=flag, path=path):
                self.one_line(self.run_(flag, path, "--", "true"), 1, "Landlock deny-overlap", flag, ssh, "deny_credentials")
        for flag, path in ((DIRECTORY, home), (SUBTREE, home), (ONE + "-bind", home + "/new")):  # holds both
            with self.subTest(flag=flag, path=path):
                self.one_line(self.run_(flag, path, "--", "true"), 1, f"{flag} '{home}' overlaps protected nono state root")
        self.one_line(self.run_(ONE, own, "--", "true"), 1, "overlaps protected nono state root", f"{ONE} '{own}'")
        self.assertEqual(self.reached(["--bypass-protection", ssh, ONE, agent], [agent]), [agent])
        r = self.run_("--", *PY, CLIENT, agent, own)
        self.check(r, 3, "EACCES\nEACCES\n", [
            f"  connect to '{agent}': denied by deny_credentials ('{ssh}'); on purpose only: --bypass-protection ~/.ssh {ONE} ~/.ssh/agent\n",
            f"  connect to '{own}': it is nono's own and stays closed\n"])
        said = self.why([], agent)
        self.assertEqual((said["reason"], said.get("suggested_flag")), ("sensitive_path", None))
        self.check(self.nono("why", "--path", agent, "--op", "connect-unix"), 0, None)

    # ---- what is said ----

    def test_the_footer_says_the_flag_and_the_flag_helps(self):
        r = self.run_("--", *PY, CLIENT, self.a, self.a)
        self.check(r, 3, "EACCES\nEACCES\n")
        self.assertEqual(self.rows(r), [f"connect to '{self.a}': {ONE} {self.a}"], r)
        self.assertEqual(self.reached([ONE, self.a], [self.a]), [self.a])
        probed = [self.file(f"s/f{i}") for i in range(12)]  # below /var, where a program looks into much that it does not need
        r = self.run_("--", *PY, "import sys\nfor p in sys.argv[2:]:\n  try: open(p)\n  except OSError: pass\ndel sys.argv[2:]\n" + CLIENT, self.a, *probed)
        self.assertEqual(self.rows(r)[0], f"connect to '{self.a}': {ONE} {self.a}", r)
        inside = self.serve("work/x.sock")
        r = self.run_("--profile", "go-dev", "--block-net", "--", *PY, CLIENT, inside)  # no --allow-cwd, which would not help
        self.check(r, 3, "EACCES\n", f"  connect to '{inside}': {ONE} {inside}\n")

    def test_a_refused_change_of_metadata(self):
        path, directory = self.file("s/f"), self.directory("s/d")
        utime = "import os, sys; os.utime(sys.argv[1])"
        for code, target, flag in ((CHMOD, path, "--write-file"), (utime, path, "--write-file"), (CHMOD, directory, "--write")):
            with self.subTest(code=code, target=target):
                r = self.run_("--", *PY, code, target)
                self.check(r, 1, b"")
                self.assertEqual(self.rows(r), [f"change metadata of '{target}': {flag} {target}"], r)
                self.check(self.run_(flag, target, "--", *PY, code, target), 0)
        r = self.run_("--", "sh", "-c", f"chmod 600 {path}; echo > {path}; exit 3")
        self.assertEqual(self.rows(r), [f"write '{path}': --write-file {path}"], r)
        key = self.file("home/.ssh/key")
        r = self.run_("--", *PY, CHMOD, key)
        self.check(r, 1, b"", f"  change metadata of '{key}': denied by deny_credentials (")
        # Connecting and writing are one flag.
        r = self.run_("--", *PY, "import os, sys\ntry: os.chmod(sys.argv[1], 0o700)\nexcept OSError: pass\n" + CLIENT, self.a)
        self.assertEqual(self.rows(r), [f"connect to '{self.a}': {ONE}-bind {self.a}"], r)

    def test_why_suggests_it(self):
        r = self.nono("why", "--path", self.a, "--op", "connect-unix")
        self.check(r, 0, None)
        text = r.out.decode()
        self.assertIn(f"Suggested fix:   {ONE} {self.a}\n", text)
        self.assertIn(f'  in the DSL:    .allow_unix_socket("{self.a}")\n', text)
        self.assertIn(f'  in a profile:  {{"filesystem":{{"unix_socket":["{self.a}"]}}}}\n', text)
        said = self.why([ONE, self.a], self.a)
        self.assertEqual((said["granted_path"], said["access"], said["source"]), (self.a, "read+connect", "user"))
        self.assertEqual(self.why([], self.a)["suggested_flag"], f"{ONE} {self.a}")
        self.assertIn("allowed by --allow-unix-socket-subtree", self.why([SUBTREE, self.s], self.below)["details"])

    def test_the_summary(self):
        flags = [ONE, self.beside, DIRECTORY, self.s, SUBTREE + "-bind", self.s + "/in"]
        r = self.check(self.run_(*flags, "--dry-run", "--", "true"), 0, b"")
        own = [line for line in r.text.splitlines() if self.base in line]
        self.assertEqual(own, [f"  r+unix  '{self.beside}' (socket)", f"  r    '{self.s}' (dir)", f"  r+unix  '{self.a}' (socket)",
                               f"  r+unix  '{self.b}' (socket)", f"  r+w+unix  '{self.s}/in' (dir)"], r)

    def test_wrap_names_what_stays_reachable(self):
        def row(verb, *flags):
            r = self.check(self.nono(verb, "-v", *flags, "--dry-run", "--", "true"), 0, b"")
            return next((line for line in r.text.splitlines() if line.startswith("  unix  reachable without a grant: ")), "")
        self.assertEqual(row("run"), "")  # the supervisor closes it, or the kernel
        if kernel_abi() >= 9:
            return self.assertEqual(row("wrap"), "")
        for path in self.all:
            self.assertIn(f"'{path}'", row("wrap"))
        self.assertNotIn(f"'{self.a}'", row("wrap", ONE, self.a))
        self.assertIn(f"'{self.b}'", row("wrap", ONE, self.a))
        os.chmod(self.b, 0)  # root's sandbox has no capability to pass that either
        self.assertNotIn(f"'{self.b}'", row("wrap"))

    def test_the_help(self):
        r = self.check(self.nono("run", "--help"), 0, None)
        for flag in FLAGS:
            self.assertIn(flag + " ", r.out.decode())
        self.assertIn("at the start", " ".join(r.out.decode().split()))

    def test_hostile_names(self):
        d = self.directory("odd")
        for name in ("a'b\"c", "x\n[nono] forged", "\x1b[2J", "a$HOME", "~", "a\\b", "é", b"\xff\x9b"):
            with self.subTest(name=name):
                name = os.fsdecode(name) if isinstance(name, bytes) else name
                path = os.path.join(d, name)
                with socket.socket(socket.AF_UNIX) as server:
                    server.bind(os.fsencode(path))
                    server.listen(9)
                    r = self.run_("--", *PY, CLIENT, path)
                    row, = self.rows(r)
                    self.assertTrue(row.startswith("connect to '"), r)
                    if "\\x" not in row and "\\n" not in row:
                        self.assertEqual(shlex.split(row.partition("': ")[2]), [ONE, path])
                    for flags in ([ONE, path], [f"{ONE}={path}"], [DIRECTORY, d], [SUBTREE, d]):
                        r = self.run_("-v", *flags, "--", *PY, CLIENT, path, self.a)
                        self.assertEqual(r.out, b"ok\nEACCES\n", r)
                        self.assertNotIn("\n[nono] forged", r.text)
                    self.assertEqual(self.why([ONE, path], path)["status"], "allowed")
                os.unlink(path)
                with open(path, "wb"):
                    pass
                self.one_line(self.run_(ONE, path, "--", "true"), 1, "is a regular file, not a socket")
                os.unlink(path)
                os.symlink("gone\n[nono] forged", path)
                self.one_line(self.run_(ONE, path, "--", "true"), 1, "leads nowhere")
                os.unlink(path)

    def test_a_name_that_no_rule_can_have_does_not_stop_a_run(self):
        odd = self.serve("s/$HOME")  # by somebody else, say
        self.one_line(self.run_(ONE, odd, "--", "true"), 1, f"{ONE}: in '{odd}' a variable stands after the start")
        r = self.run_(DIRECTORY, self.s, "--", *PY, CLIENT, self.a, odd)
        self.check(r, 3, "ok\nEACCES\n",
                   f"[nono] warning: {DIRECTORY} '{self.s}' is granted without what no rule can name: '{odd}'\n")
        self.assertEqual(self.reached([SUBTREE, self.s], [odd]), [odd])

    # ---- what needs no flag ----

    def python(self, code, **more):
        return self.run_("--allow-cwd", "--", PYTHON, self.file("work/script.py", code), **more)

    def test_multiprocessing(self):
        code = """
import multiprocessing, os
def child(pipe): pipe.send(os.getpid())
if __name__ == "__main__":
    fork = multiprocessing.get_context("forkserver")
    here, there = fork.Pipe()
    p = fork.Process(target=child, args=(there,)); p.start(); assert here.recv() == p.pid; p.join()
    print(p.exitcode)
"""
        self.check(self.python(code), 0, "0\n")
        code = """
import os, threading
from multiprocessing.connection import Client, Listener
with Listener(family="AF_UNIX") as server:
    assert server.address.startswith(os.environ["TMPDIR"])
    t = threading.Thread(target=lambda: server.accept().send("served")); t.start()
    with Client(server.address) as c: print(c.recv())
    t.join()
"""
        self.check(self.python(code), 0, "served\n")

    def test_asyncio(self):
        code = """
import asyncio, os
async def main():
    async def serve(reader, writer):
        writer.write(await reader.readline()); await writer.drain(); writer.close()
    path = os.environ["TMPDIR"] + "/x"
    async with await asyncio.start_unix_server(serve, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"echo\\n"); print((await reader.readline()).decode(), end=""); writer.close()
asyncio.run(main())
"""
        self.check(self.python(code), 0, "echo\n")

    def test_socketpair(self):
        self.check(self.python("import socket\na, b = socket.socketpair(); a.send(b'x'); print(b.recv(1).decode())\n"), 0, "x\n")

    def test_datagrams_are_refused(self):
        code = """
import errno, socket
for make in (socket.socket, socket.socketpair):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try: make(socket.AF_UNIX, kind); print("ok")
        except OSError as e: print(errno.errorcode[e.errno])
raise SystemExit(3)
"""
        self.check(self.python(code), 3, "EACCES\n" * 4, "  unix datagram sockets: closed in every sandbox (pathname_unix); no flag grants it\n")


if __name__ == "__main__":
    main()
