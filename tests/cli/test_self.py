# SPDX-License-Identifier: Apache-2.0
"""What confines a program, asked from outside (--report) and from inside (NONO_CAP_FILE, why --self); hosts and scopes;
`nono shell`."""
import json
import os
import re
import stat

from harness import BIN, PYTHON, ROOT, Case, main

ASK = [BIN, "why", "--self"]


class Inside(Case):
    def ask(self, *question, flags=("--allow-cwd",), how="run", code=0, **more):
        """The answer inside a sandbox; nono itself lies in a grant there."""
        r = self.nono(how, "-s", *flags, "--read", os.path.dirname(BIN), "--", *ASK, *question, **more)
        self.assertEqual(r.code, code, r)
        return r

    def answer(self, *question, **more):
        return json.loads(self.ask(*question, "--json", **more).out)

    def test_the_file_is_named_private_and_gone_afterwards(self):
        r = self.run_("-s", "--allow-cwd", "--", "sh", "-c", "stat -c '%n %a %u' $NONO_CAP_FILE; cat $NONO_CAP_FILE")
        self.assertEqual(r.code, 0, r)
        first, _, text = r.out.decode().partition("\n")
        name, mode, uid = first.split()
        self.assertEqual((mode, int(uid)), ("600", os.geteuid()))
        self.assertFalse(os.path.exists(name))
        document = json.loads(text)
        self.assertIn({"original": self.work, "resolved": self.work, "access": "read+write", "is_file": False}, document["fs"])
        self.assertEqual(document["run"], {"version": document["run"]["version"], "target": "supervised child", "in_force": True})
        self.assertFalse(document["net_blocked"])

    def test_an_inherited_name_is_not_passed_on(self):
        env = self.env(NONO_CAP_FILE="/etc/passwd")
        r = self.run_("-s", "--", "sh", "-c", "echo $NONO_CAP_FILE", env=env)
        self.assertRegex(r.out.decode(), r"^/.*/\.nono\.json\n$")

    def test_answers_are_those_of_the_flags_and_of_the_kernel(self):
        granted, other = self.file("work/f"), self.file("home/secret")
        for how in ("run", "wrap"):
            with self.subTest(how=how):
                got = self.answer("--path", granted, how=how)
                self.assertEqual((got["status"], got["tried"], got["granted_path"]), ("allowed", "allowed", self.work))
                got = self.answer("--path", granted, "--op", "write", how=how)
                self.assertEqual((got["status"], got["tried"]), ("allowed", "allowed"))
                got = self.answer("--path", other, how=how)
                self.assertEqual((got["status"], got["reason"], got["tried"]), ("denied", "path_not_granted", "denied"))
                got = self.answer("--path", granted, "--op", "write", flags=("--read", self.work), how=how)
                self.assertEqual((got["reason"], got["tried"]), ("insufficient_access", "denied"))

    def test_what_is_denied_names_its_group(self):
        self.file("home/.ssh/id", mode=0o600)
        got = self.answer("--path", os.path.join(self.home, ".ssh/id"))
        self.assertEqual((got["status"], got["reason"], got["policy_source"], got["tried"]),
                         ("denied", "sensitive_path", "group:deny_credentials", "denied"))

    def test_the_network_and_the_scopes(self):
        got = self.answer("--host", "https://api.example.com/v1", flags=("--block-net",))
        self.assertEqual((got["status"], got["reason"], got["host"], got["port"]),
                         ("denied", "network_blocked", "api.example.com", 443))
        self.assertEqual(self.answer("--host", "api.example.com")["reason"], "network_allowed")
        got = self.answer("--scope", "signal")
        self.assertEqual((got["status"], got["scope"], got["state"], got["enforced"]), ("scope", "signal", "enforced", True))

    def test_a_profile_is_restored_with_its_hosts(self):
        got = self.answer("--host", "example.com", flags=("--profile", "go-dev", "--allow-cwd"))
        self.assertEqual((got["status"], got["reason"]), ("denied", "proxy_filtered"))
        got = self.answer("--host", "github.com", flags=("--profile", "go-dev", "--allow-cwd"))
        self.assertEqual((got["status"], got["reason"]), ("allowed", "proxy_allowed"))
        self.assertEqual(self.answer("--host", "localhost:80", flags=("--profile", "go-dev", "--allow-cwd"))["status"], "allowed")

    def test_outside_of_a_sandbox(self):
        r = self.nono("why", "--self", "--path", "/etc/passwd")
        self.check(r, 0, "NOT SANDBOXED\nDetails:         NONO_CAP_FILE is not set, so this process was not started by nono "
                         "run, wrap or shell\n")
        r = self.nono("why", "--self", "--json", "--path", "/etc/passwd")
        self.assertEqual(json.loads(r.out)["status"], "not_sandboxed")

    def test_a_lie_in_the_file_is_caught_by_trying(self):
        secret = self.file("other/secret")
        script = (f"import os, re, subprocess\np = os.environ['NONO_CAP_FILE']\nt = open(p).read()\n"
                  f"open(p, 'w').write(t.replace({self.work!r}, {os.path.dirname(secret)!r}))\n"
                  f"raise SystemExit(subprocess.run([{BIN!r}, 'why', '--self', '--path', {secret!r}]).returncode)\n")
        r = self.run_("-s", "--allow-cwd", "--read", os.path.dirname(BIN), "--", PYTHON, "-c", script)
        self.one_line(r, 1, "says that", "is allowed, and the kernel refuses it")

    def test_files_that_are_no_policy(self):
        foreign = self.file("t/foreign", "{}")
        for name, text, words in [("absent", None, "cannot be read"), ("empty", "", "ends too early"),
                                  ("cut", '{"fs": [', "ends too early"), ("other", "{}", "does not say which sandbox"),
                                  ("big", "x" * (1 << 21), "cannot be read")]:
            with self.subTest(name):
                path = os.path.join(self.tmp, name)
                if text is not None:
                    self.file(path, text)
                self.one_line(self.nono("why", "--self", "--path", "/", env=self.env(NONO_CAP_FILE=path)), 1, words)
        os.mkfifo(os.path.join(self.tmp, "fifo"))
        self.one_line(self.nono("why", "--self", "--path", "/", env=self.env(NONO_CAP_FILE=os.path.join(self.tmp, "fifo"))), 1, "FIFO")
        if ROOT:
            os.chown(foreign, 65534, 65534)
            self.one_line(self.nono("why", "--self", "--path", "/", env=self.env(NONO_CAP_FILE=foreign)), 1, "another user")

    def test_a_path_that_moved_is_said(self):
        d = self.directory("x/d")
        flags = ["--write", os.path.dirname(d), "--read", d, "--read", os.path.dirname(BIN)]
        ask = f"{BIN} why --self --path {d}"
        self.check(self.run_("-s", *flags, "--", "sh", "-c", ask), 0, None)
        r = self.run_("-s", *flags, "--", "sh", "-c", f"rmdir {d} && ln -s ../home {d} && {ask}")
        self.one_line(r, 1, f"leads to '{self.home}' now and not to '{d}'")
        os.unlink(d)
        os.mkdir(d)
        # What is gone is no rule any more, and no error.
        r = self.run_("-s", *flags, "--", "sh", "-c", f"rmdir {d} && {ask}")
        self.check(r, 0, None)
        self.assertIn(b"path_not_found", r.out)

    def test_a_name_that_is_no_utf8_leaves_the_run_and_takes_the_file(self):
        odd = os.path.join(self.base.encode(), b"odd\xff")
        os.mkdir(odd)
        r = self.run_("-v", "--read", odd, "--", "sh", "-c", "echo ${NONO_CAP_FILE-none}")
        self.check(r, 0, "none\n", "cannot ask what confines it")


class Questions(Case):
    def test_hosts_in_every_spelling(self):
        for given, name, port in [("example.com", "example.com", 443), ("example.com:8443", "example.com", 8443),
                                  ("https://u:p@example.com/a?b", "example.com", 443), ("http://example.com", "example.com", 80),
                                  ("[::1]:80", "::1", 80), ("::1", "::1", 443), ("10.0.0.1", "10.0.0.1", 443)]:
            with self.subTest(given):
                got = json.loads(self.nono("why", "--json", "--host", given).out)
                self.assertEqual((got["host"], got["port"], got["status"]), (name, port, "allowed"))
        got = json.loads(self.nono("why", "--json", "--host", "example.com:1", "--port", "2").out)
        self.assertEqual(got["port"], 2)

    def test_no_hosts(self):
        for given in ("", "a b", "a:b", "a:", "a:123456", "https://", "a/b", "a\nb", ":80"):
            with self.subTest(given):
                self.one_line(self.nono("why", f"--host={given}"), 2, "--host", "is no host")
        self.one_line(self.nono("why", "--host", "a:0"), 2, "a port is a number from 1 to 65535")
        self.one_line(self.nono("why", "--host", "a", "--port", "70000"), 2, "a port is a number from 1 to 65535")

    def test_one_question_at_a_time(self):
        for words in (["--host", "a", "--path", "/"], ["--host", "a", "--scope", "signal"], ["--scope", "signal", "--op", "read"],
                      ["--host", "a", "--connect-tcp", "1"]):
            with self.subTest(words):
                self.one_line(self.nono("why", *words), 2, "questions of their own")
        self.one_line(self.nono("why", "--port", "1"), 2, "--port goes with --host")
        self.one_line(self.nono("why", "--scope", "x"), 2, "neither signal nor abstract-unix-socket")
        for flag in (["--allow-cwd"], ["--read", "/"], ["--strict"]):
            self.one_line(self.nono("why", "--self", "--path", "/", *flag), 2, "--self asks the sandbox that is there")

    def test_a_scope_that_was_given_up(self):
        got = json.loads(self.nono("why", "--json", "--scope", "abstract-unix-socket", "--profile", "python-dev").out)
        self.assertEqual((got["state"], got["requested"]), ("enforced", True) if got["enforced"] else ("not_requested", False))
        text = self.nono("why", "--scope", "signal").out.decode()
        self.assertTrue(text.startswith("ENFORCED\nScope:           signal\n"), text)


class Report(Case):
    def test_it_says_what_is_in_force(self):
        path = os.path.join(self.base, "report.json")
        self.check(self.run_("-s", "--allow-cwd", "--block-net", "--report", path, "--", "true"), 0)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        got = json.loads(self.read(path))
        self.assertTrue(got["net_blocked"] and got["run"]["in_force"])
        e = got["enforcement"]
        self.assertEqual(e["protections"]["filesystem"], {"wanted": "required", "given_by": "Landlock"})
        self.assertIn("seccomp", e["protections"]["network"]["given_by"])
        self.assertEqual((e["threads"], e["mode"]), (1, "single"))
        self.assertGreater(e["rules"], 10)

    def test_wrap_writes_it_from_inside(self):
        path = os.path.join(self.base, "report.json")
        self.check(self.nono("wrap", "-s", "--report", path, "--", "true"), 0)
        self.assertEqual(json.loads(self.read(path))["run"]["target"], "this process")

    def test_a_dry_run_is_not_in_force(self):
        path = self.file("report.json", "old " * 100000)
        self.check(self.run_("-s", "--dry-run", "--report", path, "--", "true"), 0)
        self.assertNotIn("in_force", json.loads(self.read(path))["run"])

    def test_what_cannot_be_written_stops_the_run(self):
        os.mkfifo(os.path.join(self.base, "fifo"))
        for path, words in [("", "an empty one"), ("/nowhere/x", "No such file"), (self.base, "Is a directory"),
                            (os.path.join(self.base, "fifo"), "nobody reads it")]:
            with self.subTest(path):
                self.one_line(self.run_("-s", f"--report={path}", "--", "echo", "ran"), 1, "--report", words)
        odd = os.path.join(self.base.encode(), b"odd\xff")
        os.mkdir(odd)
        self.one_line(self.run_("-s", "--report", os.path.join(self.base, "r"), "--read", odd, "--", "echo", "ran"), 1, "UTF-8")

    def test_a_full_disk_is_said_and_the_command_runs(self):
        self.check(self.run_("-s", "--report", "/dev/full", "--", "echo", "ran"), 0, "ran\n", "No space left on device")

    def test_one_that_the_command_could_change_is_named(self):
        r = self.run_("--allow-cwd", "--report", "report.json", "--", "true")
        self.check(r, 0, b"", "lies inside a grant that writes")

    def test_it_holds_no_argument_and_no_variable(self):
        path = os.path.join(self.base, "report.json")
        self.run_("-s", "--report", path, "--", "echo", "sekrit-argument", env=self.env(API_KEY="sekrit-value"))
        self.assertNotIn(b"sekrit", self.read(path))


class Shell(Case):
    def test_the_users_own_then_sh(self):
        for env, shell in [({"SHELL": "/bin/bash"}, "/bin/bash"), ({"SHELL": None}, "/bin/sh"), ({"SHELL": ""}, "/bin/sh")]:
            with self.subTest(env):
                r = self.nono("shell", "-s", env=self.env(**env), stdin=b"echo $0; exit 3\n")
                self.check(r, 3, shell + "\n")
        r = self.nono("shell", "-s", "--shell", "/bin/sh", env=self.env(SHELL="/bin/bash"), stdin=b"echo $0\n")
        self.check(r, 0, "/bin/sh\n")

    def test_it_is_confined(self):
        secret = self.file("home/secret")
        r = self.nono("shell", "-s", "--allow-cwd", stdin=f"echo a > made; cat {secret}\n".encode())
        self.check(r, 1, b"", "Permission denied")
        self.assertEqual(self.read(os.path.join(self.work, "made")), b"a\n")

    def test_on_a_terminal(self):
        t = self.terminal("shell", "-s", "--allow-cwd", env=self.env(SHELL="/bin/sh", PS1="ready> "))
        self.assertTrue(t.expect(b"ready> "), t.out)
        t.send(b"sleep 60 & jobs; kill %1; echo so $((40 + 2))\n")
        self.assertTrue(t.expect(b"so 42"), t.out)
        t.send(b"exit 5\n")
        self.assertEqual(t.wait(), 5, t.out)
        self.assertIsNotNone(re.search(rb"Running.*sleep 60", t.out), t.out)

    def test_what_it_refuses(self):
        self.one_line(self.nono("shell", "--shell", "/nowhere/sh"), 1, "/nowhere/sh", "does not exist")
        self.one_line(self.nono("shell", "ls"), 2, "shell takes no word 'ls'")


if __name__ == "__main__":
    main()
