# SPDX-License-Identifier: Apache-2.0
"""The footer after a failed run: what the sandbox refused, the smallest grant that helps, and no blame beyond that."""
import os
import shlex
import signal
import socket
import subprocess
import time

from harness import BIN, PYTHON, ROOT, Case, Terminal, main

NOTHING = "[nono] Nothing was refused that a grant would allow: most likely the reason lies in the command itself.\n"
HEAD = "[nono] The sandbox refused:\n"

# Attempts by name, each with its arguments after commas; 0 when all work, else 3, and a line for each.
ATTEMPTS = """
import errno, fcntl, os, signal, socket, sys, termios, threading
def opened(path, flags): os.close(os.open(path, flags, 0o600))
def read(path):
    fd = os.open(path, os.O_RDONLY); os.read(fd, 10); os.close(fd)
def connect(host, port):
    with socket.socket() as s:
        s.settimeout(3); s.connect((host, int(port)))
def within(directory, name):
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY); os.close(os.open(name, os.O_RDONLY, dir_fd=fd))
def threaded(path):
    failed = []
    def body():
        try: opened(path, os.O_RDONLY)
        except OSError as e: failed.append(e)
    t = threading.Thread(target=body); t.start(); t.join()
    if failed: raise failed[0]
def type_into_terminal(text):
    fd = os.open("/dev/tty", os.O_RDWR)
    for c in text.encode(): fcntl.ioctl(fd, termios.TIOCSTI, bytes([c]))
what = {
    "read": read, "list": os.listdir, "write": lambda p: opened(p, os.O_WRONLY), "both": lambda p: opened(p, os.O_RDWR),
    "append": lambda p: opened(p, os.O_WRONLY | os.O_APPEND), "empty": lambda p: opened(p, os.O_WRONLY | os.O_TRUNC),
    "truncate": lambda p: os.truncate(p, 0), "create": lambda p: opened(p, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "mkdir": os.mkdir, "unlink": os.unlink, "rmdir": os.rmdir, "rename": os.rename, "within": within, "threaded": threaded,
    "connect": connect, "inet": lambda: socket.socket().close(), "tiocsti": type_into_terminal,
    "signal": lambda: os.kill(os.getppid(), signal.SIGCONT), "environ": lambda: read(f"/proc/{os.getppid()}/environ"),
    "chdir": os.chdir,
}
bad = 0
for word in sys.argv[1:]:
    name, *rest = word.split(",")
    try: what[name](*rest); result = "ok"
    except OSError as e: result = errno.errorcode.get(e.errno, str(e)); bad = 3
    print(name, result, flush=True)
sys.exit(bad)
"""


class Footer(Case):
    def setUp(self):
        super().setUp()
        self.other = self.directory("other")  # beside the working directory, and granted by nothing

    def attempts(self, *words, flags=("--allow-cwd",), **more):
        return self.run_(*flags, "--", PYTHON, "-c", ATTEMPTS, *words, **more)

    def works_outside(self, *words):
        r = self.execute([PYTHON, "-c", ATTEMPTS, *words])
        self.check(r, 0, "".join(f"{w.split(',')[0]} ok\n" for w in words))

    def lines(self, r):
        """The footer's rows, without their indent."""
        self.assertIn(HEAD, r.text, r)
        rest = r.text.partition(HEAD)[2].splitlines()
        self.assertTrue(rest, r)
        return [line[2:] for line in rest if line.startswith("  ")]

    def refusal(self, r, verb, path):
        """What the footer says behind `verb 'path': `, the one row about it."""
        rows = [line for line in self.lines(r) if line.startswith(f"{verb} '{path}': ")]
        self.assertEqual(len(rows), 1, r)
        return rows[0].partition("': ")[2]

    def words_of(self, remedy):
        """The flags in a remedy as a shell would hand them over."""
        return [self.home + w[1:] if w.startswith("~/") else w for w in shlex.split(remedy[remedy.index("--"):])]

    def remedied(self, attempt, verb, path, remedy, prepare=lambda: None, undo=lambda: None):
        """The attempt works outside, is refused inside with exactly this remedy, and works with it."""
        prepare()
        self.works_outside(attempt)
        undo()
        prepare()
        r = self.attempts(attempt)
        self.check(r, 3, None, "[nono] The command exited with code 3.\n", NOTHING)
        said = self.refusal(r, verb, path)
        self.assertEqual(said, remedy, r)
        r = self.attempts(attempt, flags=["--allow-cwd", *self.words_of(said)])
        self.check(r, 0, attempt.split(",")[0] + " ok\n", (), "[nono] The")
        undo()

    # ---- files: the suggestion is taken out of the footer and tried ----

    def test_reading_a_file(self):
        path = self.file("other/f")
        link = os.path.join(self.work, "link")
        os.symlink(path, link)
        for attempt in (f"read,{path}", f"threaded,{path}", f"within,{self.other},f", "read,../other/f", "read,link"):
            with self.subTest(attempt=attempt):
                self.remedied(attempt, "read", path, f"--read-file {path}")

    def test_listing_a_directory(self):
        self.remedied(f"list,{self.other}", "list", self.other, f"--read {self.other}")

    def test_writing_a_file(self):
        path = self.file("other/f")
        for attempt in ("write", "append", "empty", "truncate"):
            with self.subTest(attempt=attempt):
                self.remedied(f"{attempt},{path}", "write", path, f"--write-file {path}")
        self.remedied(f"both,{path}", "read+write", path, f"--allow-file {path}")

    def test_creating_and_removing(self):
        path = os.path.join(self.other, "made")
        self.remedied(f"create,{path}", "create", path, f"--write {self.other}", undo=lambda: os.unlink(path))
        self.remedied(f"mkdir,{path}", "create", path, f"--write {self.other}", undo=lambda: os.rmdir(path))

    def test_removing(self):
        path = os.path.join(self.other, "f")
        self.remedied(f"unlink,{path}", "remove", path, f"--write {self.other}", prepare=lambda: self.file(path))
        self.remedied(f"rmdir,{path}", "remove", path, f"--write {self.other}", prepare=lambda: os.mkdir(path))

    def test_names_that_a_shell_would_change(self):
        for name in ("a b", "a'b", "a$b", "a*", "~", "-x", "a\"b", "é", "a;b", "a\\b"):
            with self.subTest(name=name):
                path = self.file(f"other/{name}")
                r = self.attempts(f"read,{path}")
                self.check(r, 3, "read EACCES\n")
                row, = [line for line in self.lines(r) if line.startswith("read ")]
                words = self.words_of(row[row.index("': ") + 3:])
                self.assertEqual(words, ["--read-file", path], r)
                self.check(self.attempts(f"read,{path}", flags=["--allow-cwd", *words]), 0, "read ok\n")

    def test_several_attempts_on_one_path_are_one_row(self):
        path = self.file("other/f")
        r = self.attempts(f"read,{path}", f"write,{path}", f"read,{path}")
        self.check(r, 3, "read EACCES\nwrite EACCES\nread EACCES\n")
        self.assertEqual(self.refusal(r, "read+write", path), f"--allow-file {path}")

    def test_a_rename_is_one_row_with_both_names(self):
        path = self.file("other/f")
        to = os.path.join(self.directory("more"), "g")
        r = self.attempts(f"rename,{path},{to}")
        self.check(r, 3, "rename EACCES\n")
        row, = [line for line in self.lines(r) if line.startswith("rename ")]
        self.assertEqual(row, f"rename '{path}' to '{to}': --write {self.other} --write {os.path.dirname(to)}", r)
        r = self.attempts(f"rename,{path},{to}", flags=["--allow-cwd", *self.words_of(row[row.index("': ") + 3:])])
        self.check(r, 0, "rename ok\n")

    def test_a_move_that_would_gain_access(self):
        # Granted by name on both sides; the kernel refuses, because the file could be read at its new place.
        path, to = self.file("other/f"), os.path.join(self.work, "g")
        r = self.attempts(f"rename,{path},{to}", flags=["--allow-cwd", "--write", self.other])
        self.check(r, 3, "rename EXDEV\n", f"  rename '{path}' to '{to}': --read {self.other}\n")
        r = self.attempts(f"rename,{path},{to}", flags=["--allow-cwd", "--write", self.other, "--read", self.other])
        self.check(r, 0, "rename ok\n")

    def test_grants_that_allow_only_together_are_not_blamed(self):
        path, closed = self.file("other/f"), self.file("closed")
        r = self.attempts(f"both,{path}", f"read,{closed}", flags=["--read", self.other, "--write-file", path])
        self.check(r, 3, "both ok\nread EACCES\n", f"  read '{closed}': --read-file {closed}\n", f"'{path}': ")

    # ---- the home directory ----

    def test_the_ssh_key(self):
        key = self.file("home/.ssh/id_ed25519", "KEY\n")
        ssh = os.path.dirname(key)
        self.works_outside(f"read,{key}", f"list,{ssh}")
        r = self.attempts(f"read,{key}")
        self.check(r, 3, "read EACCES\n", "deny_credentials", NOTHING)
        said = self.refusal(r, "read", key)
        self.assertIn("denied by deny_credentials", said)
        self.assertIn("--bypass-protection ~/.ssh", said)
        r = self.attempts(f"read,{key}", flags=["--allow-cwd", *self.words_of(said)])
        self.check(r, 0, "read ok\n")
        r = self.attempts(f"list,{ssh}")
        said = self.refusal(r, "list", ssh)
        self.check(self.attempts(f"list,{ssh}", flags=["--allow-cwd", *self.words_of(said)]), 0, "list ok\n")

    def test_an_existing_file_in_the_home_directory(self):
        path = self.file("home/notes")
        self.remedied(f"read,{path}", "read", path, "--read-file ~/notes")
        self.remedied(f"write,{path}", "write", path, "--write-file ~/notes")
        path = self.file("home/project/f")
        self.remedied(f"create,{path}2", "create", path + "2", "--write ~/project", undo=lambda: os.unlink(path + "2"))

    def test_a_new_file_in_the_home_directory(self):
        path = os.path.join(self.home, "made")
        self.works_outside(f"create,{path}")
        os.unlink(path)
        self.check(self.attempts(f"create,{path}"), 3, "create EACCES\n")
        self.assertFalse(os.path.exists(path))
        r = self.run_("--allow-cwd", "--", "sh", "-c", f"echo x > {path}")
        said = self.refusal(r, "create", path)
        self.assertIn("make it first: touch ~/made, and --write-file ~/made", said)
        self.file(path)
        r = self.run_("--allow-cwd", *self.words_of(said), "--", "sh", "-c", f"echo x > {path}")
        self.check(r, 0)
        self.assertEqual(self.read(path), b"x\n")

    def test_a_new_directory_in_the_home_directory(self):
        path = os.path.join(self.home, "made")
        r = self.attempts(f"mkdir,{path}")
        self.assertIn("make it first: mkdir ~/made, and --allow ~/made", self.refusal(r, "create", path))

    def test_a_new_directory_that_would_hold_denied_ones(self):
        # ~/.config/nono is nono's own: advice to grant ~/.config could not be taken.
        for name in (".config", ".local", ".cargo"):
            with self.subTest(name=name):
                path = os.path.join(self.home, name)
                r = self.attempts(f"mkdir,{path}")
                said = self.refusal(r, "create", path)
                if "--" in said:
                    os.mkdir(path)
                    self.check(self.attempts(f"create,{path}/f", flags=["--allow-cwd", *self.words_of(said)]), 0, "create ok\n")

    def test_nonos_own_directories(self):
        path = self.file("home/.config/nono/config.toml")
        self.works_outside(f"write,{path}")
        r = self.attempts(f"write,{path}")
        self.check(r, 3, "write EACCES\n")
        said = self.refusal(r, "write", path)
        self.assertNotIn("--", said)
        self.assertIn("stays closed", said)

    # ---- what is no file ----

    def test_the_network(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        self.works_outside("inet", f"connect,127.0.0.1,{port}")
        r = self.attempts("connect,192.0.2.1,80", flags=["--allow-cwd", "--profile", "go-dev"])
        self.check(r, 3, "connect ENETUNREACH\n",
                   "  connect to 192.0.2.1:80: hosts are reached through the proxy alone, which HTTP_PROXY names; --allow-net "
                   "opens the network\n")
        r = self.attempts(f"connect,127.0.0.1,{port}", flags=["--allow-cwd", "--profile", "go-dev"])
        self.check(r, 3, "connect ECONNREFUSED\n")
        r = self.attempts(f"connect,127.0.0.1,{port}", flags=["--allow-cwd", "--profile", "go-dev", "--allow-net"])
        self.check(r, 0, "connect ok\n")
        r = self.attempts("inet", flags=["--allow-cwd", "--block-net"])
        self.check(r, 3, "inet EACCES\n", "the network is blocked; run without --block-net\n")
        self.check(self.attempts("inet"), 0, "inet ok\n")

    def test_the_hosts_loopback_under_a_loopback_network_is_explained(self):
        # 127.0.0.1 is the sandbox's own: a database on the host's looks as if it were down.
        r = self.attempts("connect,127.0.0.1,9", flags=["--allow-cwd", "--profile", "go-dev"])
        self.check(r, 3, "connect ECONNREFUSED\n", "[nono] The command exited with code 3.\n", NOTHING)

    def test_a_signal_to_the_supervisor(self):
        self.works_outside("signal")
        r = self.attempts("signal")
        self.check(r, 3, "signal EPERM\n", (), NOTHING)
        row, = [line for line in self.lines(r) if "signal" in line]
        self.assertRegex(row, r"\A'signal %d to process \d+': it is outside the sandbox \(signals\); no flag grants it\Z" % signal.SIGCONT)

    def test_the_supervisors_environment(self):
        self.works_outside("environ")
        r = self.attempts("environ", env=self.env(S3CRET_NAME="S3CRET_VALUE"))
        self.assertEqual((r.code, r.out), (3, b"environ EACCES\n"), r)
        row, = [line for line in self.lines(r) if "environ" in line]
        self.assertRegex(row, r"\A'read /proc/\d+/environ': it is outside the sandbox \(process_memory\); no flag grants it\Z")
        self.assertNotIn("S3CRET_VALUE", r.text)

    def test_typing_into_the_terminal(self):
        with open("/proc/sys/dev/tty/legacy_tiocsti", encoding="ascii") as f:
            possible = ROOT or f.read().strip() == "1"
        if possible:  # else the kernel itself refuses it, with another errno
            t = Terminal([PYTHON, "-c", ATTEMPTS, "tiocsti,#x"], self.env(), self.work)
            self.assertEqual(t.wait(), 0, t.out)
            self.assertIn(b"tiocsti ok", t.out)
            self.assertIn(b"#x", t.out)  # the terminal's echo
        t = self.terminal("run", "--", PYTHON, "-c", ATTEMPTS, "tiocsti,#x")
        self.assertEqual(t.wait(), 3, t.out)
        self.assertIn(b"tiocsti EPERM\r\n", t.out)
        self.assertNotIn(b"#x", t.out)
        self.assertIn(b"  TIOCSTI types into the terminal: closed in every sandbox (terminal_input); no flag grants it\r\n", t.out)
        self.assertNotIn(b"\x1b", t.out)

    # ---- no blame ----

    def test_a_missing_file_is_not_blamed(self):
        for path in (f"{self.work}/missing", "/usr/lib/missing", f"{self.other}/missing", "/no/such/directory/f"):
            with self.subTest(path=path):
                r = self.attempts(f"read,{path}")
                self.check(r, 3, None, NOTHING, HEAD)

    def test_ordinary_permissions_are_not_blamed(self):
        if ROOT:
            self.skipTest("root has none")
        path = self.file("work/closed", mode=0)
        r = self.attempts(f"read,{path}", "read,/etc/shadow", "create,/usr/bin/made", "mkdir,/etc/made")
        self.check(r, 3, None, NOTHING, HEAD)

    def test_capabilities_that_root_loses_are_named(self):
        # The kernel lets root pass ordinary permissions by a capability that every sandbox drops.
        if not ROOT:
            self.skipTest("only root has them")
        path = self.file("work/theirs", mode=0o600)
        os.chown(path, 65534, 65534)
        self.works_outside(f"read,{path}")
        self.check(self.attempts(f"read,{path}"), 3, "read EACCES\n", (), NOTHING)

    def test_a_program_that_may_not_be_executed_is_not_the_commands_own_fault(self):
        tool = self.file("other/tool", "#!/bin/sh\necho ran\n", 0o755)
        self.check(self.execute(["sh", "-c", tool]), 0, "ran\n")
        self.check(self.run_("--", "sh", "-c", tool), 126, b"", (), NOTHING)

    def test_an_ordinary_failure(self):
        self.check(self.run_("--", "sh", "-c", "exit 9"), 9, b"", ["[nono] The command exited with code 9.\n", NOTHING], HEAD)
        self.check(self.run_("--", "sh", "-c", "kill -KILL $$"), 137, b"", ["[nono] The command was killed by signal 9 (Killed).\n"], HEAD)

    def test_no_footer_after_success(self):
        path = self.file("other/f")
        self.check(self.run_("--", "sh", "-c", f"cat {path}; true"), 0, b"", (), ["[nono] The", HEAD, NOTHING])

    def test_no_footer_when_it_is_not_wanted(self):
        path = self.file("other/f")
        self.check(self.attempts(f"read,{path}"), 3, None, HEAD)
        self.check(self.attempts(f"read,{path}", flags=["--allow-cwd", "--no-diagnostics"]), 3, "read EACCES\n", "Capabilities:", "[nono]")
        r = self.attempts(f"read,{path}", flags=["--allow-cwd", "--silent"])
        self.assertEqual((r.code, r.out, r.err), (3, b"read EACCES\n", b""))

    # ---- hostile ----

    def test_names_cannot_forge_lines(self):
        for name in ("a\n[nono] forged\n  read 'x': --allow .", "a\x1b[2J\x1b]0;title\x07", "a\rb", "a\u009b2J", "a\u202eb", b"a\xff\xfe\x9bc"):
            path = os.path.join(self.other.encode(), name.encode() if isinstance(name, str) else name)
            with open(path, "wb"):
                pass
            with self.subTest(name=name):
                r = self.attempts(b"read," + path)
                self.check(r, 3, "read EACCES\n", "read '")
                self.assertNotIn("\n[nono] forged", r.text)
                self.assertTrue(all(c.isprintable() or c == "\n" for c in r.text), ascii(r.text))
                rows = self.lines(r)
                self.assertEqual(len(rows), 1, r)

    def test_a_flood_of_names(self):
        code = f"""
import os, sys
for i in range(100000):
    try: os.open("{self.other}/" + str(i), os.O_WRONLY | os.O_CREAT)
    except PermissionError: pass
    else: sys.exit(4)
sys.exit(3)
"""
        for flags in ([], ["-v"]):
            with self.subTest(flags=flags):
                start = time.monotonic()
                p = subprocess.Popen([BIN, "run", *flags, "--", PYTHON, "-c", code], env=self.env(), cwd=self.work,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                text = p.stderr.read().decode()
                p.stderr.close()
                _, status, used = os.wait4(p.pid, 0)
                p.returncode = os.waitstatus_to_exitcode(status)
                self.assertEqual(p.returncode, 3, text[-2000:])
                self.assertLess(time.monotonic() - start, 30)
                self.assertLess(used.ru_maxrss, 64 * 1024, "KiB of nono or of its largest child")
                self.assertIn(HEAD, text)
                rows = text.partition(HEAD)[2].splitlines()
                if flags:
                    self.assertLess(len(rows), 5000)
                else:
                    self.assertLess(len(rows), 15)
                    self.assertRegex(rows[-1], r"\A  and \d+ more \(-v to show\)\Z")

    def test_a_flood_does_not_hide_the_denied_file(self):
        key = self.file("home/.ssh/id_ed25519")
        code = ("import os, sys\nfor i in range(50):\n  try: os.open(sys.argv[1] + '/' + str(i), 65)\n  except OSError: pass\n"
                "os.open(sys.argv[2], 0)")
        r = self.run_("--", PYTHON, "-c", code, self.other, key)
        self.assertEqual(r.code, 1, r)
        self.assertTrue(self.lines(r)[0].startswith(f"read '{key}': denied by deny_credentials"), r)

    def test_wild_pointers_and_long_names(self):
        code = """
import ctypes, sys
libc = ctypes.CDLL(None)
for call, args in ((257, (-100, 1, 0)), (257, (-100, 0, 0)), (257, (-100, -4096, 0)), (257, (-5, b"x", 0)), (437, (-100, b"/x", 1, 24)),
                   (42, (3, 1, 16)), (42, (3, 0, 1 << 40)), (62, (-1 & 0xffffffff, 0)), (82, (1, 2)), (257, (-100, b"/" + b"x" * 5000, 0)),
                   (257, (-100, b"/" + b"y/" * 2040, 65)), (257, (999999, b"f", 0)), (62, (0x7fffffff, 9))):
    libc.syscall(call, *args)
sys.exit(3)
"""
        if os.uname().machine != "x86_64":
            self.skipTest("numbers of x86_64")
        self.check(self.run_("--block-net", "--", PYTHON, "-c", code), 3, b"", "[nono] The command exited with code 3.\n")


if __name__ == "__main__":
    main()
