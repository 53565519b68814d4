# SPDX-License-Identifier: Apache-2.0
"""What a run is given and what it is not: the scratch directory, denied paths, the working directory."""
import os
import subprocess

from harness import BIN, PYTHON, Case, children_of, eventually, main, state_of


class Scratch(Case):
    def parent(self):
        return os.path.join(self.tmp, f"nono-{os.geteuid()}")

    def test_the_directory(self):
        script = """
import os, stat
d = os.environ["TMPDIR"]
open(d + "/f", "w").write("x"); assert open(d + "/f").read() == "x"; assert sorted(os.listdir(d)) == [".nono.json", "f"]
os.mkdir(d + "/sub"); os.mkdir(d + "/sub/locked", 0o000)
s = os.stat(d)
print(d, oct(stat.S_IMODE(s.st_mode)), s.st_uid)
"""
        r = self.check(self.run_("--", PYTHON, "-c", script), 0, None)
        path, mode, owner = r.out.decode().split()
        self.assertEqual((os.path.dirname(path), mode, int(owner)), (self.parent(), "0o700", os.geteuid()))
        self.assertLessEqual(len(path), 63)
        self.assertFalse(os.path.exists(path), "it is removed at the end, locked directories and all")
        self.assertEqual(os.listdir(self.parent()), [])

    def test_tmp_is_for_writing_only(self):
        path = os.path.join("/tmp", f"{self.mark}-outside")
        made = os.path.join("/tmp", f"{self.mark}-inside")
        with open(path, "w", encoding="ascii") as f:
            f.write("outside\n")
        self.addCleanup(os.unlink, path)
        self.check(self.execute(["cat", path]), 0, "outside\n")
        self.check(self.run_("--", "cat", path), 1, b"", f"read '{path}'")
        self.check(self.run_("--", "ls", "/tmp"), 2, b"", "list '/tmp'")
        self.check(self.run_("--", "sh", "-c", f"echo inside > {made}"), 0)
        self.addCleanup(os.unlink, made)
        self.assertEqual(self.read(made), b"inside\n")

    def test_without_a_usable_tmpdir_it_lies_in_tmp(self):
        long = self.directory("l" * 60)
        for value in (None, "", "relative", "/no/such/directory", long, self.file("file"), self.tmp + "/../t", "/dev/null"):
            with self.subTest(value=value):
                r = self.run_("--", "sh", "-c", 'test -d "$TMPDIR" && echo "$TMPDIR"', env=self.env(TMPDIR=value))
                self.check(r, 0, None)
                self.assertRegex(r.out, rb"\A/tmp/nono-%d[/-][a-z2-7]{6}\n\Z" % os.geteuid())
                self.assertFalse(os.path.exists(r.out.strip()))
        r = self.check(self.run_("--", "sh", "-c", 'echo "$TMPDIR"'), 0, None)
        self.assertTrue(r.out.startswith(self.tmp.encode()), r)

    def test_a_killed_run_leaves_it_to_the_next_one(self):
        p = subprocess.Popen([BIN, "run", "--", "sh", "-c", 'touch "$TMPDIR/f"; echo "$TMPDIR"; exec sleep 60'],
                             env=self.env(), cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        path = p.stdout.readline().strip().decode()
        self.assertTrue(os.path.exists(path + "/f"))
        self.check(self.run_("--", "true"), 0)
        self.assertTrue(os.path.exists(path + "/f"), "of a run that goes on")
        inside, = children_of(p.pid)
        p.kill()
        p.wait()
        p.stdout.close()
        self.assertTrue(eventually(lambda: state_of(inside) in ("", "Z")))
        self.assertTrue(os.path.exists(path + "/f"))
        self.check(self.run_("--", "true"), 0)
        self.assertEqual(os.listdir(self.parent()), [])

    def test_nowhere_to_make_it(self):
        script = f"mount -t tmpfs -o ro none /tmp || exit 77; TMPDIR=/tmp exec {BIN} run -- echo ran"
        if BIN.startswith("/tmp/"):  # a private copy of a program that will be hidden
            script = f"exec 9<{BIN}; mount -t tmpfs -o ro none /tmp || exit 77; TMPDIR=/tmp exec /proc/self/fd/9 run -- echo ran"
        flags = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps", "--mount"]
        r = self.execute(["unshare", *flags, "sh", "-c", script])
        if r.code == 77 or r.text.startswith("unshare:"):
            self.skipTest("no mount namespace of its own here")
        self.one_line(r, 1, "cannot create a scratch directory below /tmp")

    def test_a_home_in_tmp_takes_the_grant_of_tmp_away(self):
        home = os.path.join("/tmp", self.mark)
        os.mkdir(home, 0o700)
        self.addCleanup(self.remove, home)
        made = os.path.join("/tmp", self.mark + "-made")
        env = self.env(HOME=home)
        r = self.run_("--", "touch", made, env=env)
        self.check(r, 1, b"", ["[nono] warning: the grant of '/tmp' by the group system_write_linux is left out: ", home])
        self.assertFalse(os.path.exists(made))
        self.check(self.run_("--", "touch", home + "/made", env=env), 1, b"")
        self.assertEqual(os.listdir(home), [])
        link = os.path.join(self.base, "home_link")
        os.symlink(home, link)
        self.check(self.run_("--", "touch", made, env=self.env(HOME=link)), 1, b"", "is left out: ")
        self.check(self.run_("--", "touch", made), 0)  # the home lies elsewhere
        os.unlink(made)


class Denies(Case):
    def setUp(self):
        super().setUp()
        self.key = self.file("home/.ssh/id_ed25519", "KEY\n", 0o600)
        self.ssh = os.path.dirname(self.key)

    def refused(self, *words, path, deny, group="deny_credentials"):
        r = self.run_(*words, "--", "cat", self.key)
        self.one_line(r, 1, "Landlock deny-overlap", path, deny, group)
        return r

    def test_denied_files_cannot_be_read(self):
        self.check(self.execute(["cat", self.key]), 0, "KEY\n")
        self.check(self.run_("--", "cat", self.key), 1, b"", [f"read '{self.key}'", "deny_credentials"])

    def test_a_grant_equal_below_or_above(self):
        self.refused("--read", self.ssh, path=self.ssh, deny=self.ssh)
        self.refused("--allow", self.ssh, path=self.ssh, deny=self.ssh)
        self.refused("--write", self.directory("home/.ssh/sub"), path="/.ssh/sub", deny=self.ssh)
        self.refused("--read-file", self.key, path=self.key, deny=self.ssh)
        self.file("home/.config/gh/hosts.yml")
        above = os.path.join(self.home, ".config/gh")
        r = self.run_("--read", above, "--", "true")
        self.one_line(r, 1, "Landlock deny-overlap", f"--read '{above}'", ".config/gh/hosts.yml", "deny_credentials")
        self.file("home/.cargo/credentials.toml")
        r = self.run_("--read", os.path.join(self.home, ".cargo"), "--", "true")
        self.one_line(r, 1, "Landlock deny-overlap", "/.cargo'", "/.cargo/credentials", "deny_credentials")

    def test_above_one_that_does_not_exist_yet(self):
        above = self.directory("home/.cargo")
        made = os.path.join(above, "credentials.toml")
        r = self.run_("--allow", above, "--", "sh", "-c", f"echo x > {made}")
        self.assertNotEqual(r.code, 0, r)
        self.assertFalse(os.path.exists(made), r)

    def test_through_links(self):
        link = os.path.join(self.base, "link")
        os.symlink(self.ssh, link)
        self.refused("--read", link, path=link, deny=".ssh")
        to_key = os.path.join(self.base, "to_key")
        os.symlink(self.key, to_key)
        self.refused("--read-file", to_key, path=to_key, deny=".ssh")
        inside = self.directory("d")
        os.symlink(self.ssh, os.path.join(inside, "ssh"))
        r = self.run_("--read", inside, "--", "cat", f"{inside}/ssh/id_ed25519")
        self.check(r, 1, b"", f"read '{self.key}'")

    def test_a_denied_path_that_is_itself_a_link(self):
        real = self.file("real_netrc", "SECRET\n")
        os.symlink(real, os.path.join(self.home, ".netrc"))
        r = self.run_("--read-file", real, "--", "cat", real)
        self.one_line(r, 1, "Landlock deny-overlap", real, ".netrc", "deny_credentials")
        r = self.run_("--read", self.directory("real_dir"), "--", "cat", real)
        self.check(r, 1, b"")
        os.rename(self.ssh, os.path.join(self.base, "real_ssh"))
        os.symlink("../real_ssh", self.ssh)
        self.refused("--read", os.path.join(self.base, "real_ssh"), path="real_ssh", deny=".ssh")

    def test_bypass(self):
        r = self.run_("--bypass-protection", self.ssh, "--read", self.ssh, "--", "cat", self.key)
        self.check(r, 0, "KEY\n", (), "bypass_protection relaxing")
        r = self.run_("-v", "--override-deny", self.ssh, "--read", self.ssh, "--", "cat", self.key)
        self.check(r, 0, "KEY\n", "bypass_protection relaxing deny rule")
        self.one_line(self.run_("--bypass-protection", self.ssh, "--", "cat", self.key), 1, "no matching grant", self.ssh)
        self.one_line(self.run_("--bypass-protection", self.ssh, "--allow", ".", "--", "cat", self.key), 1, "no matching grant")

    def test_bypass_lifts_no_broader_deny_and_no_other(self):
        self.refused("--bypass-protection", self.key, "--read-file", self.key, path=self.key, deny=self.ssh)
        netrc = self.file("home/.netrc", "OTHER\n")
        r = self.run_("--bypass-protection", self.ssh, "--read", self.ssh, "--", "cat", netrc)
        self.check(r, 1, b"", f"read '{netrc}'")

    def test_nonos_own_directories_are_not_lifted(self):
        state = self.directory("home/.local/state/nono")
        r = self.run_("--bypass-protection", state, "--read", state, "--", "true")
        self.one_line(r, 1, "overlaps protected nono state root")


class WorkingDirectory(Case):
    GO = ("--profile", "go-dev", "--block-net")  # a profile that wants the working directory, without its network
    BOTH = 'echo "$PWD"; cat f; echo new > g; cat g'

    def setUp(self):
        super().setUp()
        self.file("work/f", "F\n")

    def test_allow_cwd_reads_and_writes(self):
        self.check(self.run_("--allow-cwd", "--", "sh", "-c", self.BOTH), 0, f"{self.work}\nF\nnew\n",
                   f"  r+w  '{self.work}' (dir)\n")
        self.assertEqual(self.read(self.work + "/g"), b"new\n")
        self.check(self.run_(*self.GO, "--allow-cwd", "--", "sh", "-c", "cat f; pwd"), 0, f"F\n{self.work}\n")

    def test_without_it_the_command_starts_in_the_root(self):
        r = self.run_("--", "sh", "-c", f"pwd; echo $PWD; cat {self.work}/f")
        self.check(r, 1, "/\n/\n", f"read '{self.work}/f'")
        self.assertEqual(os.listdir(self.work), ["f"])

    def test_without_a_terminal(self):
        r = self.run_(*self.GO, "--", "sh", "-c", f"pwd; cat {self.work}/f")
        self.check(r, 1, "/\n", [
            f"[nono] No terminal to ask on: going on without the working directory '{self.work}' (--allow-cwd grants it).\n",
            f"[nono] The working directory '{self.work}' was not granted: add --allow-cwd.\n",
            f"read '{self.work}/f': the working directory was not granted: --allow-cwd\n"])
        r = self.run_(*self.GO, "--", "true")
        self.check(r, 0, b"", "No terminal to ask on", "was not granted: add")

    def test_silent_cannot_ask(self):
        r = self.run_(*self.GO, "--silent", "--", "echo", "ran")
        self.one_line(r, 1, "CWD access requires --allow-cwd in non-interactive mode")
        self.check(self.run_(*self.GO, "--silent", "--allow-cwd", "--", "cat", "f"), 0, "F\n")

    def test_a_grant_that_covers_it_asks_nothing(self):
        self.check(self.run_(*self.GO, "--allow", ".", "--", "cat", "f"), 0, "F\n", (), "No terminal to ask on")
        self.check(self.run_(*self.GO, "--read", ".", "--", "cat", "f"), 0, "F\n", "No terminal to ask on")

    def test_workdir(self):
        other = os.path.dirname(self.file("other/f", "OTHER\n"))
        for given in (other, "../other", other + "/./"):
            with self.subTest(given=given):
                r = self.run_("--workdir", given, "--allow-cwd", "--", "sh", "-c", "/bin/pwd; cat f")
                self.check(r, 0, f"{other}\nOTHER\n")
        r = self.run_("--workdir", other, "--allow-cwd", "--", "cat", self.work + "/f")
        self.check(r, 1, b"", f"read '{self.work}/f'")
        self.check(self.run_("--workdir", other, "--", "pwd"), 0, "/\n")
        self.one_line(self.run_("--workdir", "no/such", "--", "true"), 1, "no/such", "No such file or directory")
        self.one_line(self.run_("--workdir", "f", "--", "true"), 1, "is not a directory")

    def test_a_grant_above_is_the_start_directory_too(self):
        sub = self.directory("work/sub")
        self.check(self.run_("--read", self.work, "--", "/bin/pwd", cwd=sub), 0, sub + "\n")
        self.check(self.run_("--", "/bin/pwd", cwd=sub), 0, "/\n")

    def test_the_prompt(self):
        for answer, granted in ((b"y\n", True), (b"yes\n", True), (b"Y\n", True), (b"n\n", False), (b"\n", False),
                                (b"\x04", False), (b"yy\n", False), (b"y" * 200 + b"\n", False)):
            with self.subTest(answer=answer):
                t = self.terminal("run", *self.GO, "--", "sh", "-c", f"pwd; cat {self.work}/f")
                self.assertTrue(t.expect(b"[y/N] "), t.out)
                asked = t.out
                t.send(answer)
                code = t.wait()
                self.assertIn(f"Let the command read and write the working directory '{self.work}'? (--allow-cwd answers yes) [y/N] ".encode(), asked)
                self.assertEqual(code, 0 if granted else 1, t.out)
                self.assertEqual(b"\r\nF\r\n" in t.out, granted, t.out)
                self.assertNotIn(b"\x1b", t.out)
                self.assertEqual(f"\r\n{self.work}\r\n".encode() in t.out, granted, t.out)

    def test_the_prompt_leaves_the_next_line_to_the_command(self):
        t = self.terminal("run", *self.GO, "--", "sh", "-c", "read line; echo got:$line")
        self.assertTrue(t.expect(b"[y/N] "), t.out)
        t.send(b"y\nsecond\n")
        self.assertEqual(t.wait(), 0, t.out)
        self.assertIn(b"got:second\r\n", t.out)

    def test_no_prompt_where_nothing_is_wanted(self):
        t = self.terminal("run", "--allow-cwd", "--", "cat", "f")
        self.assertEqual(t.wait(), 0, t.out)
        self.assertNotIn(b"[y/N]", t.out)
        self.assertIn(b"Capabilities:\r\n", t.out)

    def test_start_directory_of_the_prompt_is_not_forged(self):
        odd = self.directory("work/a\n[nono] granted\n\x1b[2Jb")
        t = self.terminal("run", *self.GO, "--", "true", cwd=odd)
        self.assertTrue(t.expect(b"[y/N] "), t.out)
        t.send(b"n\n")
        self.assertEqual(t.wait(), 0, t.out)
        self.assertNotIn(b"\x1b", t.out)
        self.assertNotIn(b"\n[nono] granted", t.out)


class Settings(Case):
    """Where the user's settings put a tool chain: not the user's word on this run."""

    def test_a_setting_that_names_a_denied_place_opens_nothing(self):
        secret = self.file("home/.ssh/id", "secret\n", 0o600)
        closed = os.path.dirname(secret)
        for profile, name in [("go-dev", "GOPATH"), ("go-dev", "GOMODCACHE"), ("go-dev", "GOCACHE"), ("rust-dev", "RUSTUP_HOME"),
                              ("node-dev", "npm_config_cache"), ("python-dev", "VIRTUAL_ENV"), ("java-dev", "JAVA_HOME"),
                              ("java-dev", "GRADLE_USER_HOME")]:
            with self.subTest(name):
                r = self.run_("--profile", profile, "--allow-cwd", "--", "cat", secret, env=self.env(**{name: closed}))
                self.check(r, 1, b"", "Permission denied")
                self.assertEqual(self.read(secret), b"secret\n")

    def test_what_would_open_too_much_is_refused_by_name(self):
        secret = self.file("home/secret", "secret\n")
        for value in ("/", self.home, self.home + "/.", "/a\nb", "relative"):
            with self.subTest(value):
                r = self.run_("--profile", "go-dev", "--allow-cwd", "--", "cat", secret, env=self.env(GOPATH=value))
                self.check(r, 1, b"", ["Permission denied", "GOPATH='", "is not granted: "])

    def test_without_a_home(self):
        r = self.run_("--profile", "go-dev", "--allow-cwd", "--", "true", env=self.env(HOME="relative"))
        self.one_line(r, 1, "HOME is 'relative'", "set it")


if __name__ == "__main__":
    main()
