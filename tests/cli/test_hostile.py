# SPDX-License-Identifier: Apache-2.0
"""Variables, output, hostile paths and odd surroundings of `nono run`."""
import os
import pwd
import resource
import signal
import time

from harness import BIN, CONFINED, PYTHON, Case, main

HOSTILE = {
    "newlines": b"a\n[nono] forged\nnono: forged\n",
    "quotes": b"a'b\"c\\d`$(e)",
    "escapes": b"a\x1b[2Jb\x07\r\x7f",
    "c1": "a\u009b2Jb\u0085".encode(),
    "bidi": "a\u202egrant\u2066".encode(),
    "not_utf8": b"a\xff\xfe\x9b\xc3b\xe2\x28",
    "blanks": b"  a\tb  ",
    "dashes": b"--allow-net",
}


class HostilePaths(Case):
    FLAGS = ("--allow", "--read", "--write", "--allow-file", "--read-file", "--write-file")

    def safe(self, r):
        """Nothing forged, no raw control byte, valid UTF-8 (nono() has looked at that) in printable characters."""
        for line in r.text.split("\n"):
            self.assertFalse(line.startswith(("[nono] forged", "nono: forged")), r)
            self.assertTrue(all(c.isprintable() for c in line), ascii(line))

    def test_missing_paths(self):
        for name, path in HOSTILE.items():
            for flag in self.FLAGS:
                with self.subTest(flag=flag, name=name):
                    r = self.run_(flag.encode() + b"=" + path, "--", "true")
                    self.check(r, 0, b"", "skipped because the path does not exist")
                    self.safe(r)

    def test_missing_paths_elsewhere(self):
        for name, path in HOSTILE.items():
            for flag in (b"--workdir=", b"--profile=", b"--bypass-protection="):
                with self.subTest(flag=flag, name=name):
                    self.safe(self.one_line(self.run_(flag + path, "--", "true"), 1))
            self.safe(self.one_line(self.run_("--", b"./" + path), 1))
            self.safe(self.one_line(self.run_("--", b"x" + path), 1))
            self.safe(self.one_line(self.nono(b"x" + path), 2))
            self.safe(self.check(self.run_("--dry-run", "--", "echo", path), 0))

    def test_existing_directories_and_files(self):
        for name, path in HOSTILE.items():
            directory = os.path.join(self.base.encode(), b"h-" + name.encode(), path)
            os.makedirs(directory)
            with open(directory + b"/f", "wb") as f:
                f.write(b"text\n")
            with self.subTest(name=name):
                r = self.run_(b"--read=" + directory, "-v", "--", "cat", directory + b"/f")
                self.safe(self.check(r, 0, "text\n"))
                r = self.run_(b"--read-file=" + directory + b"/f", "--", "cat", directory + b"/f")
                self.safe(self.check(r, 0, "text\n"))
                r = self.run_("--allow-cwd", "--", "cat", "f", cwd=directory)
                self.safe(self.check(r, 0, "text\n"))
                r = self.run_("--", PYTHON, "-c", "import os, sys\ntry: os.open(os.fsencode(sys.argv[1]), 0)\nexcept OSError: sys.exit(4)",
                              directory + b"/f")
                self.safe(self.check(r, 4, b"", "read '"))
                self.safe(self.one_line(self.run_(b"--allow=" + directory + b"/f", "--", "true"), 1, "is not a directory"))

    def test_long_and_empty_paths(self):
        for size in (4095, 4096, 5000, 100000):
            for flag in self.FLAGS + ("--workdir", "--bypass-protection"):
                with self.subTest(flag=flag, size=size):
                    for path in ("/" + "x" * (size - 1), ("/" + "x" * 100) * (size // 101)):
                        r = self.run_(flag, path, "--", "true")
                        self.assertIn(r.code, (0, 1), r)
                        self.assertLess(max(map(len, r.text.split("\n"))), 6000, "one path fills the screen")
                        if r.code == 1:
                            self.one_line(r, 1)
                        else:
                            self.assertIn("skipped because the path does not exist", r.text)
            self.one_line(self.run_("--", "/" + "x" * (size - 1)), 1)
            self.one_line(self.run_("-p", "x" * size, "--", "true"), 1, "Profile not found")
        for flag in self.FLAGS:
            with self.subTest(flag=flag):
                self.one_line(self.run_(flag, "", "--", "true"), 1, f"{flag} needs a path")
                self.one_line(self.run_(flag + "=", "--", "true"), 1, f"{flag} needs a path")
        self.one_line(self.run_("--bypass-protection", "", "--", "true"), 1)

    def test_loops_and_odd_files(self):
        os.symlink("loop", os.path.join(self.work, "loop"))
        self.one_line(self.run_("--allow", "loop", "--", "true"), 1, "'loop' cannot be used", "symbolic links")
        os.symlink("nowhere", os.path.join(self.work, "dangling"))
        self.check(self.run_("--allow", "dangling", "--", "true"), 0, b"", "skipped because the path does not exist")
        fifo = os.path.join(self.work, "fifo")
        os.mkfifo(fifo)
        self.check(self.run_("--read-file", fifo, "--", "true"), 0)
        self.one_line(self.run_("--", fifo), 1, "fifo")

    def test_hundreds_of_grants(self):
        words = []
        for i in range(500):
            words += ["--read", self.directory(f"many/d{i}")]
        path = self.file("many/d499/f")
        self.check(self.run_(*words, "--", "cat", path), 0, "text\n")
        self.check(self.run_(*words, "--", "cat", self.file("many/f")), 1, b"")


class Environment(Case):
    DROPPED = """LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_X DYLD_INSERT_LIBRARIES BASH_ENV ENV CDPATH GLOBIGNORE BASH_FUNC_x%%
        PROMPT_COMMAND IFS PYTHONSTARTUP PYTHONPATH NODE_OPTIONS NODE_PATH PERL5OPT PERL5LIB RUBYOPT RUBYLIB GEM_PATH GEM_HOME
        JAVA_TOOL_OPTIONS _JAVA_OPTIONS DOTNET_STARTUP_HOOKS GOFLAGS OP_SERVICE_ACCOUNT_TOKEN OP_CONNECT_TOKEN
        OP_CONNECT_HOST OP_SESSION_x NONO_CAP_FILE NONO_SUPERVISOR_PATH NONO_DETACHED_LAUNCH NONO_DETACHED_SESSION_ID
        NONO_DETACHED_CWD_PROMPT_RESPONSE""".split()
    KEPT = "LANG EDITOR GOPATH NONO_OTHER MY_LD_PRELOAD LDFLAGS ENVIRONMENT PYTHONPATHS lower_case A.B".split()

    def child(self, env, *words):
        r = self.run_(*words, "--", "/usr/bin/env", "-0", env=env)
        self.check(r, 0, None)
        entries = [e for e in r.out.split(b"\0") if e]
        names = [e.split(b"=", 1)[0].decode() for e in entries]
        self.assertEqual(len(names), len(set(names)), "a name given twice")
        return {k.decode(): v.decode("utf-8", "surrogateescape") for k, v in (e.split(b"=", 1) for e in entries)}, r

    def test_dangerous_variables_are_dropped_and_others_kept(self):
        env = self.env(**{n: "/no/such" for n in self.DROPPED + self.KEPT})
        outside = self.execute(["/usr/bin/env", "-0"], env={k: v for k, v in env.items() if k != "LD_PRELOAD"})
        self.assertIn(b"\0GOFLAGS=/no/such\0", b"\0" + outside.out)
        inside, _ = self.child(env, "--allow-cwd")
        self.assertEqual([n for n in self.DROPPED if inside.get(n) == "/no/such"], [])
        self.assertEqual([n for n in self.DROPPED if n in inside], ["NONO_CAP_FILE"])  # nono's own
        self.assertEqual(inside["NONO_CAP_FILE"], inside["TMPDIR"] + "/.nono.json")
        self.assertEqual({n: inside.get(n) for n in self.KEPT}, {n: "/no/such" for n in self.KEPT})
        self.assertEqual(set(inside), (set(env) - set(self.DROPPED)) | {"PWD", "TMPDIR", "NONO_CAP_FILE"})
        for name in ("HOME", "PATH", "TERM"):
            self.assertEqual(inside[name], env[name])
        self.assertEqual(inside["PWD"], self.work)
        self.assertTrue(inside["TMPDIR"].startswith(self.tmp + "/"))

    def test_pwd_follows_the_start_directory(self):
        inside, _ = self.child(self.env(PWD=self.work))
        self.assertEqual(inside["PWD"], "/")
        link = os.path.join(self.base, "link")
        os.symlink(self.work, link)
        r = self.run_("--allow-cwd", "--", "/usr/bin/env", env=self.env(PWD=link), cwd=self.work)
        self.assertIn(f"\nPWD={link}\n", "\n" + r.out.decode(), r)
        inside, _ = self.child(self.env(PWD="/forged"), "--allow-cwd")
        self.assertEqual(inside["PWD"], self.work)

    def test_odd_entries_do_no_harm(self):
        code = ("import os, ctypes, sys; libc = ctypes.CDLL(None); "
                "env = (ctypes.c_char_p * 6)(b'PATH=/usr/bin:/bin', b'HOME=" + self.home + "', b'nothing', b'=x', b'A=1', None); "
                "argv = (ctypes.c_char_p * 5)(sys.argv[1].encode(), b'run', b'--', b'/usr/bin/env', None); "
                "libc.execve(sys.argv[1].encode(), argv, env)")
        r = self.check(self.execute([PYTHON, "-c", code, BIN]), 0, None)
        names = sorted(line.split(b"=")[0] for line in r.out.splitlines())
        self.assertEqual(names, [b"A", b"HOME", b"NONO_CAP_FILE", b"PATH", b"PWD", b"TMPDIR"])

    def test_names_of_keys_are_shown_and_never_values(self):
        env = self.env(OPENAI_API_KEY="S3CRET1", GITHUB_TOKEN="S3CRET2", MY_PASSWORD="S3CRET3", MAX_TOKENS="5", EMPTY_TOKEN="")
        for words in ([], ["-v"], ["-vvv"], ["--dry-run"]):
            with self.subTest(words=words):
                r = self.run_("--allow-cwd", *words, "--", "true", env=env)
                self.check(r, 0, b"", "variables that look like keys: GITHUB_TOKEN, MY_PASSWORD, OPENAI_API_KEY\n",
                           ["S3CRET", "MAX_TOKENS", "EMPTY_TOKEN"])
        self.check(self.run_("--", "true"), 0, b"", (), "look like keys")
        self.assertEqual(self.run_("--silent", "--", "true", env=env).err, b"")
        inside, _ = self.child(env)
        self.assertEqual(inside["GITHUB_TOKEN"], "S3CRET2")


class Output(Case):
    def test_standard_output_is_the_commands_own(self):
        every_byte = bytes(range(256)) * 500
        r = self.run_("-v", "--", "cat", stdin=every_byte)
        self.check(r, 0, every_byte, ["nono v", "Capabilities:\n"])
        r = self.run_("--", "sh", "-c", "echo out; echo err >&2; exit 3")
        self.check(r, 3, "out\n", ["nono v", "err\n", "[nono] The command exited with code 3.\n"])

    def test_full_device(self):
        with open("/dev/full", "wb") as full:
            self.check(self.run_("--", "echo", "x", stdout=full), 1, b"", "No space left on device")
            self.check(self.run_("--", "true", stdout=full), 0)
            r = self.execute([BIN, "run", "-v", "--", "sh", "-c", "echo out; exit 5"], stderr=full)
            self.assertEqual((r.code, r.out), (5, b"out\n"))
            r = self.execute([BIN, "--help"], stdout=full)
            self.assertNotEqual(r.code, 0, "help that could not be written")
            r = self.execute([BIN, "setup", "--check-only"], stdout=full)
            self.check(r, 1, b"", "standard output cannot be written")

    def test_a_reader_that_went_away(self):
        r, w = os.pipe()
        os.close(r)
        try:
            got = self.execute([BIN, "run", "--", "sh", "-c", CONFINED + "exit 5"], stderr=w)
        finally:
            os.close(w)
        self.assertEqual(got.code, 5, got)

    def test_closed_standard_descriptors(self):
        # None of nono's own files may take their places, in nono (lines would go into it) or in the command.
        code = ("import os, sys; text = ' '.join(os.readlink(f'/proc/self/fd/{i}').split(':')[0] for i in range(3)); "
                "open('targets', 'w').write(text); sys.exit(7)")
        for closed in ([], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
            with self.subTest(closed=closed):
                def close(closed=closed):
                    for fd in closed:
                        os.close(fd)
                r = self.execute([BIN, "run", "--allow-cwd", "--", PYTHON, "-c", code], preexec_fn=close)
                self.assertEqual((r.code, r.out), (7, b""), r)
                self.assertEqual(r.err == b"", 2 in closed, r)
                targets = self.read(self.work + "/targets").decode().split()
                self.assertEqual(targets, ["/dev/null" if i in closed or i == 0 else "pipe" for i in range(3)])

    def test_no_descriptor_is_inherited(self):
        secret = self.file("secret", "SECRET\n")
        fd = os.open(secret, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        os.set_inheritable(fd, True)
        high = os.dup2(fd, 200)
        self.addCleanup(os.close, high)
        code = "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd')))"
        outside = self.execute([PYTHON, "-c", code], close_fds=False)
        self.assertIn(b", 200", outside.out)
        for words in ([], ["--no-diagnostics"], ["--silent"]):
            # 3 is the directory that is being listed
            self.check(self.run_(*words, "--", PYTHON, "-c", code, close_fds=False), 0, "[0, 1, 2, 3]\n")


class Surroundings(Case):
    def test_home_unset_or_empty(self):
        for home in (None, ""):
            with self.subTest(home=home):
                r = self.run_("--", "echo", "ran", env=self.env(HOME=home))
                if r.code == 0:  # the password database has one
                    self.check(r, 0, "ran\n")
                else:
                    self.one_line(r, 1, "HOME is ")
        home = pwd.getpwuid(os.geteuid()).pw_dir
        r = self.run_("-v", "--dry-run", "--", "true", env=self.env(HOME=None))
        self.check(r, 0, b"", f"{home}/.ssh")

    def test_home_that_is_no_absolute_path(self):
        for home in ("relative", "./x", "~", "/var/../tmp", "..", "/" + "x" * 5000, "/a\n/b/../c"):
            with self.subTest(home=home):
                self.one_line(self.run_("--", "echo", "ran", env=self.env(HOME=home)), 1, "HOME is ")

    def test_home_that_does_not_exist(self):
        self.check(self.run_("--allow-cwd", "--", "sh", "-c", CONFINED + "echo ran", env=self.env(HOME="/no/such/home")), 0, "ran\n")

    def test_home_with_odd_bytes(self):
        home = self.directory("a b'\"\n\x1b[2J")
        self.file(os.path.join(home, ".ssh/id"), "KEY\n")
        r = self.run_("-v", "--", "cat", f"{home}/.ssh/id", env=self.env(HOME=home))
        self.check(r, 1, b"", "deny_credentials")

    def test_path_unset_or_empty(self):
        self.check(self.run_("--", "echo", "ran", env=self.env(PATH=None)), 0, "ran\n")
        self.one_line(self.run_("--", "no-such-program", env=self.env(PATH=None)), 1, "no-such-program")
        self.file("work/here", "#!/bin/sh\necho here\n", 0o755)
        self.check(self.run_("--allow-cwd", "--", "/bin/echo", "ran", env=self.env(PATH="")), 0, "ran\n")

    def test_no_environment_at_all(self):
        r = self.execute([BIN, "run", "--", "/bin/sh", "-c", "PATH=/usr/bin:/bin; " + CONFINED + "echo ran"], env={})
        self.check(r, 0, "ran\n")

    def test_deleted_current_directory(self):
        gone = self.directory("gone")
        r = self.execute(["sh", "-c", f'cd {gone} && rmdir {gone} && exec {BIN} run --allow-cwd -- echo ran'])
        self.one_line(r, 1, "the current directory cannot be used")

    def test_few_descriptors(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
        self.check(self.run_("--allow-cwd", "--", "sh", "-c", CONFINED + "ulimit -n; exit 3", preexec_fn=few), 3, "16\n")
        r = self.run_("--profile", "go-dev", "--allow-cwd", "--", "echo", "ran", preexec_fn=few)
        self.check(r, 0, "ran\n")

    def test_ignored_sigchld(self):
        ignore = lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        self.check(self.run_("--", "sh", "-c", CONFINED + "exit 42", preexec_fn=ignore, restore_signals=False), 42)

    def test_blocked_and_ignored_signals_are_passed_on(self):
        def prepare():
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        show = ["grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"]
        outside = self.execute(show, preexec_fn=prepare)
        self.assertIn(b"SigBlk:\t%016x" % (1 << (signal.SIGUSR2 - 1)), outside.out)
        self.check(self.run_("--", *show, preexec_fn=prepare), 0, outside.out)
        self.check(self.run_("--", *show), 0, self.execute(show).out)

    def test_umask_and_priority_are_passed_on(self):
        self.check(self.run_("--", "sh", "-c", "umask; nice", preexec_fn=lambda: (os.umask(0o027), os.nice(3))), 0, "0027\n3\n")

    def test_start_up_is_quick(self):
        times = []
        for _ in range(5):
            start = time.monotonic()
            self.check(self.run_("--", "true"), 0)
            times.append(time.monotonic() - start)
        self.assertLess(min(times), 0.5)


if __name__ == "__main__":
    main()
