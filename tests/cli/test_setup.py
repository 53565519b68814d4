# SPDX-License-Identifier: Apache-2.0
"""`nono setup` and `nono wrap`."""
import ctypes
import os
import platform
import signal
import subprocess

from harness import BIN, PYTHON, Case, confined, kernel_abi, main, state_of

PROFILES = ("default", "linux-host-compat", "go-dev", "rust-dev", "node-dev", "python-dev", "java-dev",
            "bun-dev", "mise-dev", "openclaw", "swival")


class Setup(Case):
    def test_check_only(self):
        r = self.check(self.nono("setup", "--check-only"), 0, None)
        self.assertEqual(r.err, b"")
        out = r.out.decode()
        self.assertIn(f"Binary:    {os.path.realpath(BIN)}\n", out)
        self.assertRegex(out, r"\nVersion:   \d+\.\d+\.\d+\n")
        self.assertIn(f"\nPlatform:  Linux {platform.release()} {platform.machine()}\n", out)
        self.assertRegex(out, rf"\nLandlock:  ABI {kernel_abi()}\b")
        self.assertIn("\nseccomp:   filters available\n", out)
        self.assertIn("\n  ok      without sandbox, /proc/stat opens\n", out)
        self.assertIn("\n  ok      in a sandbox that grants /proc/version, it opens\n", out)
        self.assertIn("\n  ok      in the same sandbox, /proc/stat is refused\n", out)
        self.assertNotIn("FAILED", out)
        self.assertTrue(out.endswith("Enforcement was seen: this system can run nono.\n"), out)
        self.assertNotIn("\x1b", out)

    def test_profiles_are_listed_and_can_be_used(self):
        out = self.nono("setup", "--check-only").out.decode()
        listed = [line.split()[0] for line in out.partition("Built-in profiles:\n")[2].splitlines() if line.startswith("  ")]
        self.assertEqual(tuple(listed), PROFILES)
        for name in PROFILES:
            self.check(self.nono("run", "-p", name, "--block-net", "--dry-run", "--", "true"), 0, b"", f"  profile  {name}\n")
        self.one_line(self.nono("run", "-p", "nosuch", "--", "true"), 1, "Profile not found", *PROFILES)
        self.one_line(self.nono("run", "-p", "./x.json", "--", "true"), 1, "'./x.json'")

    def test_verbose_lists_every_protection(self):
        brief, full = (self.check(self.nono("setup", "--check-only", *v), 0, None).out for v in ((), ("-v",)))
        for name in ("signals", "terminal_input", "keyring", "io_uring", "process_memory"):
            self.assertIn(f"  {name:<16}".encode(), full)
            self.assertNotIn(f"  {name:<16}".encode(), brief)

    def test_where_nothing_can_be_enforced_it_says_so(self):
        # A filter around it that answers ENOSYS to Landlock, as an old kernel does; the run must not go on without.
        code = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def op(code, k, jt=0, jf=0): return struct.pack("HBBI", code, jt, jf, k)
program = (op(0x20, 0) + op(0x35, 444, 0, 2) + op(0x35, 447, 1, 0) + op(0x06, 0x00050000 | 38) + op(0x06, 0x7fff0000))
class Fprog(ctypes.Structure): _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Fprog(len(program) // 8, program)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
        made = os.path.join(self.work, "made")
        under = lambda *words: self.execute([PYTHON, "-c", code, BIN, *words])
        r = under("setup", "--check-only")
        self.check(r, 1, None)
        self.assertIn(b"Enforcement was NOT seen: nono refuses to run commands here.\n", r.out)
        for words in (["run"], ["wrap"]):
            r = under(*words, "--allow-cwd", "--", "touch", made)
            self.assertEqual((r.code, r.out), (1, b""), r)
            self.assertIn("nono: ", r.text)
            self.assertFalse(os.path.exists(made))

    def test_usage(self):
        self.one_line(self.nono("setup", "--nosuch"), 2)
        self.one_line(self.nono("setup", "extra"), 2)


class Wrap(Case):
    def wrap(self, *words, **more):
        return self.nono("wrap", *words, **more)

    def test_exit_codes(self):
        self.check(self.wrap("--allow-cwd", "--", "sh", "-c", "echo out; exit 42"), 42, "out\n", "Capabilities:\n", "exited with")
        self.check(self.wrap("--", "sh", "-c", "kill -TERM $$"), 143, b"")
        self.one_line(self.wrap("--", "no-such-program"), 1, "'no-such-program'")
        self.check(self.wrap("--", self.file("bad", b"\0\1\2", 0o755)), 127, b"", ["nono: executing ", "Exec format error"])
        self.one_line(self.wrap("--nonsense", "--", "true"), 2)
        self.check(self.wrap("--silent", "--", "sh", "-c", "exit 3"), 3)

    def test_it_is_the_same_process(self):
        p = subprocess.Popen([BIN, "wrap", "--", "sh", "-c", "echo $$; exec sleep 30"], env=self.env(), cwd=self.work,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with p:
            self.assertEqual(int(p.stdout.readline()), p.pid)
            self.assertTrue(confined(p.pid))
            p.send_signal(signal.SIGTERM)
            self.assertEqual(p.wait(10), -signal.SIGTERM)

    def test_it_confines(self):
        key = self.file("home/.ssh/id", "KEY\n")
        inside = self.file("work/f", "F\n")
        self.check(self.execute(["cat", key, inside]), 0, "KEY\nF\n")
        self.check(self.wrap("--allow-cwd", "--", "cat", key, inside), 1, "F\n", "Permission denied")
        self.check(self.wrap("--read", os.path.dirname(key), "--", "cat", key), 1, b"", "Landlock deny-overlap")
        made = os.path.join(self.home, "made")
        self.check(self.wrap("--allow-cwd", "--", "sh", "-c", f"echo x > g; echo x > {made}"), 2, b"")
        self.assertEqual((os.path.exists(self.work + "/g"), os.path.exists(made)), (True, False))
        code = "import errno, socket\ntry: socket.socket()\nexcept OSError as e: print(errno.errorcode[e.errno])\nelse: print('ok')"
        self.check(self.wrap("--", PYTHON, "-c", code), 0, "ok\n")
        self.check(self.wrap("--block-net", "--", PYTHON, "-c", code), 0, "EACCES\n")
        self.check(self.wrap("--", "sh", "-c", "grep -E '^(NoNewPrivs|CapEff):' /proc/self/status"), 0,
                   "CapEff:\t0000000000000000\nNoNewPrivs:\t1\n")

    def test_environment_and_descriptors(self):
        r = self.wrap("--", "/usr/bin/env", env=self.env(GOFLAGS="-x", LD_PRELOAD="", EDITOR="vi"))
        self.check(r, 0, None)
        self.assertIn(b"\nEDITOR=vi\n", b"\n" + r.out)
        self.assertNotIn(b"GOFLAGS", r.out)
        self.assertIn(b"\nPWD=/\n", b"\n" + r.out)
        secret = os.open(self.file("secret"), os.O_RDONLY)
        self.addCleanup(os.close, secret)
        os.set_inheritable(secret, True)
        code = ("import os\nfor n in sorted(os.listdir('/proc/self/fd'), key=int):\n"
                "  try: print(n, os.readlink('/proc/self/fd/' + n))\n  except OSError: pass")
        outside = self.execute([PYTHON, "-c", code], close_fds=False)
        self.assertIn(b"/secret\n", outside.out)
        r = self.check(self.wrap("--", PYTHON, "-c", code, close_fds=False), 0, None)
        self.assertNotIn(b"/secret\n", r.out)

    def test_a_profile_that_wants_hosts(self):
        made = os.path.join(self.work, "made")
        for profile in ("go-dev", "rust-dev", "node-dev", "python-dev", "java-dev", "bun-dev", "mise-dev"):
            r = self.wrap("--profile", profile, "--allow-cwd", "--", "touch", made)
            self.one_line(r, 1, profile, "`nono run`")
            self.assertFalse(os.path.exists(made))
        for flag in ("--block-net", "--allow-net"):
            self.check(self.wrap("--profile", "go-dev", flag, "--allow-cwd", "--", "touch", made), 0)
            os.unlink(made)

    def test_flags_that_are_not_built(self):
        for flag in ("--credential", "--network-profile", "--memory"):
            self.one_line(self.wrap(flag, "x", "--", "true"), 2, flag)

    def test_dry_run(self):
        self.check(self.wrap("--dry-run", "--", "echo", "ran"), 0, b"", ["dry-run sandbox would be applied", "$ echo ran\n"])

    def test_the_scratch_directory_goes_with_a_later_run(self):
        parent = os.path.join(self.tmp, f"nono-{os.geteuid()}")
        r = self.check(self.wrap("--", "sh", "-c", 'echo x > "$TMPDIR/f" && cat "$TMPDIR/f" && echo "$TMPDIR"'), 0, None)
        text, path = r.out.decode().splitlines()
        self.assertEqual((text, os.path.dirname(path)), ("x", parent))
        self.assertTrue(os.path.exists(path))
        p = subprocess.Popen([BIN, "wrap", "--", "sh", "-c", 'echo "$TMPDIR"; exec sleep 30'], env=self.env(), cwd=self.work,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with p:
            running = p.stdout.readline().strip().decode()
            self.assertFalse(os.path.exists(path), "the later run removed it")
            self.check(self.nono("run", "--", "true"), 0)
            self.assertTrue(os.path.exists(running), "of a command that goes on")
            p.kill()
        self.assertEqual(state_of(p.pid), "")
        self.check(self.nono("run", "--", "true"), 0)
        self.assertEqual(os.listdir(parent), [])


if __name__ == "__main__":
    main()
