# SPDX-License-Identifier: Apache-2.0
"""`nono run`: the command line, what the specification promises first, exit codes, programs that run."""
import os
import signal

from harness import BIN, CONFINED, PYTHON, Case, main

NOT_BUILT = """--proxy-ca-validity
    --trust-proxy-ca --allow-http2 --suppress-save-prompt --ignore-denied --allow-gpu --allow-launch-services
    --memory --config --detached --detach-timeout --name --startup-timeout --diagnostics-json --rollback
    --no-rollback --no-rollback-prompt --rollback-exclude --rollback-include --rollback-all --rollback-dest
    --skip-dir --no-audit-integrity --audit-integrity --audit-sign-key --trust-override --capability-elevation
    --carve --theme --log-file""".split()


class Parsing(Case):
    def test_the_first_word_ends_the_options(self):
        self.check(self.run_("--allow", ".", "echo", "--x"), 0, "--x\n", f"  r+w  '{self.work}' (dir)\n")

    def test_two_dashes_are_optional_and_accepted(self):
        self.check(self.run_("--allow", ".", "--", "echo", "--x"), 0, "--x\n", f"  r+w  '{self.work}' (dir)\n")
        self.check(self.run_("--", "echo", "--", "a"), 0, "-- a\n")

    def test_options_of_the_command_stay_its_own(self):
        ours = ["-v", "--silent", "--dry-run", "-p", "x", "--profile=x", "--allow", "/", "--help", "-V", "--version",
                "--block-net", "--nonsense", "-"]
        for lead in (["--allow-cwd"], ["--allow-cwd", "--"], ["-a", "."], ["-v"]):
            with self.subTest(lead=lead):
                self.check(self.run_(*lead, "/bin/echo", *ours), 0, " ".join(ours) + "\n", "  net  outbound allowed\n")

    def test_words_reach_the_command_unchanged(self):
        words = ["", " ", "a b", "a\nb", "é", "a=b", "a,b", "[a,b]", "[]", "{}", "%%", "--", "-"]
        r = self.run_("--", "printf", "%s|", *words, b"\xff")
        self.check(r, 0, "".join(w + "|" for w in words).encode() + b"\xff|")

    def test_forms_of_values(self):
        for words in (["--allow", "a"], ["--allow=a"], ["-a", "a"], ["-aa"]):
            with self.subTest(words=words):
                self.directory("work/a")
                self.check(self.run_(*words, "--", "touch", "a/made", cwd=self.work), 1, b"")  # starts in "/"
                made = os.path.join(self.work, "a/made")
                self.check(self.run_(*words, "--", "touch", made), 0)
                self.assertTrue(os.path.exists(made))
                os.unlink(made)

    def test_verbose_counts(self):
        self.check(self.run_("-vv", "--", "true"), 0, b"", ["[group:system_read_linux_core]", "/.ssh'  [deny_credentials]"])
        self.check(self.run_("-v", "--", "true"), 0, b"", "[group:system_read_linux_core]")
        self.check(self.run_("--verbose", "--", "true"), 0, b"", "[group:system_read_linux_core]")
        self.check(self.run_("--", "true"), 0, b"", "system/group paths (-v to show)", "[group:system_read_linux_core]")

    def test_allow_repeats_and_splits_at_commas(self):
        a, b, c = (self.directory(n) for n in "abc")
        touch = ["touch", f"{a}/x", f"{b}/x", f"{c}/x"]
        self.check(self.run_("--allow", a, "--", *touch), 1, b"")
        self.assertEqual([os.path.exists(f"{d}/x") for d in (a, b, c)], [True, False, False])
        self.check(self.run_("--allow", f"{a},{b}", "--allow", c, "--", *touch), 0)
        self.assertEqual([os.path.exists(f"{d}/x") for d in (a, b, c)], [True, True, True])

    def test_allow_from_the_environment(self):
        a, b = self.directory("a"), self.directory("b")
        touch = ["touch", f"{a}/x", f"{b}/x"]
        self.check(self.run_("--", *touch), 1, b"")
        self.assertFalse(os.path.exists(f"{a}/x") or os.path.exists(f"{b}/x"))
        # A value on the command line beats the variable.
        self.check(self.run_("--allow", b, "--", *touch, env=self.env(NONO_ALLOW=a)), 1, b"")
        self.assertEqual([os.path.exists(f"{d}/x") for d in (a, b)], [False, True])
        self.check(self.run_("--", *touch, env=self.env(NONO_ALLOW=f"{a},{b}")), 0)

    def test_profile_from_the_environment(self):
        env = self.env(NONO_PROFILE="go-dev")
        self.check(self.run_("--dry-run", "--", "true", env=env), 0, b"", "  profile  go-dev\n")
        self.check(self.run_("--dry-run", "-p", "default", "--", "true", env=env), 0, b"", "  profile  default\n", "go-dev")
        self.check(self.run_("--dry-run", "--", "true"), 0, b"", (), "  profile  ")
        self.one_line(self.run_("--", "true", env=self.env(NONO_PROFILE="nosuch")), 1, "Profile not found", "'nosuch'")

    def test_block_net_from_the_environment(self):
        for value in ("1", "true", "yes", "on", "y", "t", "TRUE", "Yes"):
            with self.subTest(value=value):
                self.check(self.run_("--dry-run", "--", "true", env=self.env(NONO_BLOCK_NET=value)), 0, b"",
                           "  net  outbound blocked\n")
        for value in ("0", "false", "no", "off", "n", "f", "FALSE", "Off"):
            with self.subTest(value=value):
                self.check(self.run_("--dry-run", "--", "true", env=self.env(NONO_BLOCK_NET=value)), 0, b"",
                           "  net  outbound allowed\n")
        self.check(self.run_("--dry-run", "--", "true", env=self.env(NONO_BLOCK_NET="maybe")), 2, b"", "nono: ")

    def test_old_names_of_variables(self):
        for old, new, value, seen in (("NONO_NET_BLOCK", "NONO_BLOCK_NET", "1", "  net  outbound blocked\n"),
                                      ("NONO_NET_ALLOW", "NONO_ALLOW_NET", "1", "  net  outbound allowed\n"),
                                      ("NONO_ALLOW_PROXY", "NONO_ALLOW_DOMAIN", "a.test", "       a.test  [--allow-domain]\n"),
                                      ("NONO_PROXY_ALLOW", "NONO_ALLOW_DOMAIN", "a.test", "       a.test  [--allow-domain]\n"),
                                      ("NONO_PROXY_CREDENTIAL", "NONO_CREDENTIAL", "github", "a token in GITHUB_TOKEN"),
                                      ("NONO_EXTERNAL_PROXY", "NONO_UPSTREAM_PROXY", "p.test:3128", ", through p.test:3128\n"),
                                      ("NONO_EXTERNAL_PROXY_BYPASS", "NONO_UPSTREAM_BYPASS", "b.test", "")):
            with self.subTest(old):
                more = {"NONO_UPSTREAM_PROXY": "p.test:1"} if old.endswith("BYPASS") else {}
                flags = ["--allow-domain", "x.test"] if "EXTERNAL" in old else []
                warning = f"[nono] warning: the variable {old} is an old name, and was read; set {new} instead\n"
                r = self.run_("--dry-run", "-v", *flags, "--", "true", env=self.env(**{old: value, "GITHUB_TOKEN": "x", **more}))
                self.check(r, 0, b"", (seen, warning))
                # The new one counts where both are set, and nothing is said.
                r = self.run_("--dry-run", "-v", *flags, "--", "true",
                              env=self.env(**{old: "nonsense nonsense", new: value, "GITHUB_TOKEN": "x", **more}))
                self.check(r, 0, b"", seen, "is an old name")
        self.check(self.run_("--dry-run", "--", "true", env=self.env(NONO_NET_BLOCK="0")), 0, b"", "outbound allowed\n")
        self.one_line(self.run_("--", "true", env=self.env(NONO_NET_BLOCK="maybe")), 2, "the variable NONO_NET_BLOCK takes")
        self.one_line(self.nono("wrap", "--", "true", env=self.env(NONO_PROXY_ALLOW="a.test")), 2, "NONO_PROXY_ALLOW", "`nono run`")

    def test_wrap_does_not_open_what_a_variable_closes(self):
        for name in ("NONO_NETWORK_PROFILE", "NONO_ALLOW_DOMAIN", "NONO_CREDENTIAL", "NONO_UPSTREAM_PROXY", "NONO_UPSTREAM_BYPASS"):
            with self.subTest(name):
                env = self.env(**{name: "minimal"})
                self.one_line(self.nono("wrap", "--", "echo", "ran", env=env), 2, name, "use `nono run`", "--block-net")
                self.check(self.nono("wrap", "--block-net", "--", "echo", "ran", env=env), 0, "ran\n", "outbound blocked")
                self.check(self.nono("wrap", "--allow-net", "--", "echo", "ran", env=env), 0, "ran\n", "outbound allowed")
        self.check(self.nono("wrap", "--", "echo", "ran", env=self.env(NONO_ALLOW_DOMAIN="a.test", NONO_BLOCK_NET="1")), 0, "ran\n",
                   "outbound blocked")
        self.one_line(self.nono("wrap", "--", "echo", "ran", env=self.env(NONO_ALLOW_DOMAIN="a.test", NONO_BLOCK_NET="0")), 2,
                      "NONO_ALLOW_DOMAIN")

    def test_a_variable_that_says_no_contradicts_nothing(self):
        for value in ("0", "false", "no", "OFF"):
            with self.subTest(value):
                env = self.env(NONO_BLOCK_NET=value)
                self.check(self.run_("--dry-run", "--allow-net", "--", "true", env=env), 0, b"", "outbound allowed\n")
                env = self.env(NONO_ALLOW_NET=value)
                self.check(self.run_("--dry-run", "--block-net", "--", "true", env=env), 0, b"", "outbound blocked\n")
                self.check(self.run_("--dry-run", "--allow-domain", "a.test", "--", "true", env=env), 0, b"", "to 1 host")
        for env, flag in (("NONO_BLOCK_NET", "--allow-net"), ("NONO_ALLOW_NET", "--block-net"), ("NONO_ALLOW_NET", "--allow-domain=a")):
            self.one_line(self.run_(flag, "--", "true", env=self.env(**{env: "1"})), 2, "contradict each other")

    def test_usage_errors(self):
        made = os.path.join(self.work, "made")
        for words in (["--nonsense"], ["-Z"], ["--allow-cwd=maybe"], ["--block-net", "--allow-net"]):
            with self.subTest(words=words):
                self.one_line(self.run_("--allow", ".", *words, "--", "touch", made), 2)
                self.assertFalse(os.path.exists(made))
        self.one_line(self.run_("--allow"), 2, "--allow")
        self.check(self.run_("--allow", ".", "--", "touch", made), 0)  # and so the check above can fail
        self.assertTrue(os.path.exists(made))

    def test_flags_that_are_not_built(self):
        made = os.path.join(self.work, "made")
        for flag in NOT_BUILT:
            for form in ([flag], [flag, "x"], [flag + "=x"]):
                with self.subTest(form=form):
                    r = self.run_("--allow", ".", *form, "--", "touch", made)
                    self.one_line(r, 2, f"nono: {flag} is not built yet, so nothing was run")
                    self.assertFalse(os.path.exists(made))

    def test_the_end_of_the_flags_is_no_value(self):
        # "--" would be a name that is missing, and --allow-unix-socket-bind would grant the directory around it.
        for flag in ("--read", "--allow-file", "--workdir", "--profile", "--allow-unix-socket-bind"):
            with self.subTest(flag=flag):
                self.one_line(self.run_(flag, "--", "echo", "ran"), 2, f"{flag}: ")
        self.check(self.run_("--read-file", self.file("work/--") and "./--", "--", "cat", self.work + "/--"), 0, "text\n")

    def test_an_unknown_flag_is_the_one_that_is_named(self):
        # The command's own words are not searched for flags of nono's.
        self.one_line(self.run_("--nonsense", "echo", "--memory"), 2, "--nonsense")

    def test_sub_commands(self):
        for word in ("nosuch", "--nosuch", "Run"):
            self.one_line(self.nono(word), 2, word)
        for word in ("ps", "audit"):
            self.one_line(self.nono(word, "x"), 2, f"the command {word} is not built yet")

    def test_help_and_version(self):
        for words in ([], ["--help"], ["-h"]):
            r = self.check(self.nono(*words), 0, None)
            self.assertIn(b"nono run --allow-cwd -- go run .", r.out)
            self.assertEqual(r.err, b"")
        r = self.check(self.run_("--help"), 0, None)
        self.assertIn(b"--allow-cwd", r.out)
        self.assertEqual(r.err, b"")
        for words in (["--version"], ["-V"]):
            r = self.nono(*words)
            self.assertRegex(r.out, rb"\Anono \d+\.\d+\.\d+\n\Z")
            self.assertEqual((r.code, r.err), (0, b""))

    def test_no_command(self):
        self.one_line(self.run_(), 1, "no command given")
        self.one_line(self.run_("--allow-cwd"), 1, "no command given")
        self.one_line(self.run_("--allow-cwd", "--"), 1, "no command given")

    def test_silent_before_and_after_the_sub_command(self):
        self.check(self.nono("--silent", "run", "--", "sh", "-c", "exit 3"), 3)
        for words in (["-s"], ["--silent"]):
            r = self.check(self.run_(*words, "--", "sh", "-c", "echo e >&2; exit 3"), 3)
            self.assertEqual(r.err, b"e\n")
            self.check(self.run_(*words, "--", "sh", "-c", CONFINED + "exit 3"), 3)
        self.assertEqual(self.nono("--silent", "run", "--", "false").err, b"")


class Acceptance(Case):
    def test_the_exit_code_passes(self):
        self.check(self.run_("--allow", self.directory("d"), "--", "sh", "-c", CONFINED + "exit 42"), 42)

    def test_rm_is_refused_and_the_file_stays(self):
        path = self.file("d/f")
        r = self.run_("--allow", os.path.dirname(path), "--", "rm", path)
        self.assertEqual((r.code, os.path.exists(path)), (1, True), r)

    def test_what_is_read_only_cannot_be_removed(self):
        path = self.file("d/f")
        self.check(self.run_("--read", os.path.dirname(path), "--allow-command", "rm", "--", "rm", "-f", path), 1, b"", "remove '")
        self.assertTrue(os.path.exists(path))
        self.check(self.run_("--read", os.path.dirname(path), "--", "cat", path), 0, "text\n")
        self.check(self.execute(["rm", "-f", path]), 0)
        self.assertFalse(os.path.exists(path))

    def test_a_missing_grant_is_a_warning(self):
        r = self.run_("--read", "/nonexistent", "--", "true")
        self.check(r, 0, b"", ["some requested sandbox grants were skipped because the path does not exist: ",
                               "--read '/nonexistent'"])

    def test_the_home_directory_is_not_granted(self):
        link = os.path.join(self.base, "link")
        os.symlink(self.home, link)
        made = os.path.join(self.home, "made")
        state = self.directory("home/.local/state/nono/sessions")
        for path in (self.home, self.home + "/", self.base, "/var", "/", link, os.path.dirname(state),
                     os.path.dirname(os.path.dirname(state)), state, self.home + "/../home"):
            for flag in ("--allow", "--read", "--write"):
                with self.subTest(flag=flag, path=path):
                    r = self.run_(flag, path, "--", "touch", made)
                    self.one_line(r, 1, "overlaps protected nono state root")
                    self.assertFalse(os.path.exists(made))
        self.check(self.run_("--allow-cwd", "--", "true", cwd=self.home), 1, b"", "overlaps protected nono state root")

    def test_dry_run(self):
        made = os.path.join(self.work, "made")
        r = self.run_("--allow", ".", "--dry-run", "--", "touch", made, "a b")
        self.check(r, 0, b"", ["Capabilities:\n", f"  r+w  '{self.work}' (dir)\n",
                               "dry-run sandbox would be applied with above capabilities\n"])
        self.assertTrue(r.text.endswith(f"\n$ touch {made} 'a b'\n"), r)
        self.assertFalse(os.path.exists(made))
        self.assertEqual(os.listdir(self.tmp), [], "a dry run makes no scratch directory")
        r = self.run_("--profile", "go-dev", "--dry-run", "--", "go", "version")
        self.check(r, 0, b"", ["Capabilities:\n", "dry-run sandbox would be applied with above capabilities\n"])
        self.assertEqual(os.listdir(self.home), [], "a dry run makes no cache")
        self.one_line(self.run_("--dry-run", "--", "no-such-program"), 1, "'no-such-program'")

    def test_secrets_in_the_command_line_are_hidden(self):
        words = ["--token=S3CRET1", "--api-key", "S3CRET2", "GITHUB_TOKEN=S3CRET3", "--password", "S3CRET4",
                 "-Dsecret=S3CRET5", "--client-secret=S3CRET6", "plain"]
        r = self.check(self.run_("--dry-run", "--", "echo", *words), 0, b"", ["--token=[hidden]", " plain\n"], "S3CRET")
        self.assertEqual(r.text.count("[hidden]"), 6, r)

    def test_a_word_that_is_hidden_in_part_forges_nothing(self):
        r = self.run_("--dry-run", "--", "echo", "\x1b[2J\n[nono] forged_token=S3CRET")
        self.check(r, 0, b"", r"'\x1b[2J\n[nono] forged_token='[hidden]", ("\n[nono] forged", "S3CRET"))

    def test_secrets_in_headers_and_urls_are_hidden(self):
        words = ["-H", "Authorization: Bearer S3CRET1", "https://user:S3CRET2@192.0.2.1/x",
                 "https://192.0.2.1/?access_token=S3CRET3"]
        self.check(self.run_("--dry-run", "--", "echo", *words), 0, b"", "192.0.2.1", "S3CRET")

    def test_types_of_grants(self):
        path = self.file("d/f")
        directory = os.path.dirname(path)
        for flag in ("--allow", "--read", "--write"):
            self.one_line(self.run_(flag, path, "--", "true"), 1, "is not a directory", flag + "-file")
            self.one_line(self.run_(flag + "-file", directory, "--", "true"), 1, "is a directory", f"use {flag} ")
        sh = lambda script: ["sh", "-c", script]
        for flag, reads, writes in (("--allow", True, True), ("--read", True, False), ("--write", False, True)):
            for of_file in (False, True):
                with self.subTest(flag=flag, of_file=of_file):
                    grant = [flag + "-file", path] if of_file else [flag, directory]
                    with open(path, "w", encoding="ascii") as f:
                        f.write("text\n")
                    r = self.run_(*grant, "--", "cat", path)
                    self.check(r, 0 if reads else 1, "text\n" if reads else "")
                    r = self.run_(*grant, "--", *sh(f"echo new > {path}"))
                    self.assertEqual(r.code == 0, writes, r)
                    self.assertEqual(self.read(path), b"new\n" if writes else b"text\n")
                    made = os.path.join(directory, "made")
                    self.assertEqual(self.run_(*grant, "--", "touch", made).code == 0, writes and not of_file)
                    self.assertEqual(os.path.exists(made), writes and not of_file)
                    if os.path.exists(made):
                        os.unlink(made)


class ExitCodes(Case):
    def test_of_the_child(self):
        for code in (0, 1, 2, 77, 126, 127, 128, 137, 255):
            self.check(self.run_("--", "sh", "-c", f"{CONFINED}echo out; exit {code}"), code, "out\n")

    def test_of_signals(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGPIPE):
            r = self.run_("--", PYTHON, "-c", f"import os, signal as s; s.signal({int(number)}, 0) if {int(number)} != 9 else 0; os.kill(os.getpid(), {int(number)})")
            self.check(r, 128 + number, b"", f"[nono] The command was killed by signal {int(number)} (")

    def test_program_that_is_not_there(self):
        r = self.one_line(self.run_("--", "no-such-program"), 1, "'no-such-program' was not found on PATH")
        self.one_line(self.run_("--", "./no/such"), 1, f"no/such' does not exist")
        self.one_line(self.run_("--", ""), 1, "the command is empty")
        self.one_line(self.run_("--", "/"), 1, "is a directory")
        self.one_line(self.run_("--", self.file("plain", "x", 0o644)), 1, "is not marked as executable")
        self.assertNotIn("Capabilities", r.text)

    def test_program_that_cannot_be_executed_gives_127(self):
        garbage = self.file("garbage", b"\x00\x01\x02\x03 not a program", 0o755)
        self.check(self.run_("--", garbage), 127, b"", ["nono: ", garbage, "Exec format error"])
        lost = self.file("lost", "#!/no/such/interpreter\n", 0o755)
        self.check(self.run_("--", lost), 127, b"", ["nono: ", lost, "No such file or directory"])

    def test_a_directory_that_cannot_be_entered_gives_126(self):
        closed = self.directory("closed")
        os.chmod(closed, 0o600)
        r = self.run_("--workdir", closed, "--allow-cwd", "--", "echo", "ran")
        self.check(r, 126, b"", ["nono: ", closed, "Permission denied"])


class Programs(Case):
    def test_a_script_outside_the_system_directories_runs(self):
        script = self.file("bin/script", '#!/bin/sh\necho "$0 $*"\ncat "$(dirname "$0")/other"\n', 0o755)
        self.file("bin/other", "closed\n")
        self.check(self.execute([script, "a"]), 0, f"{script} a\nclosed\n")
        r = self.run_("-v", "--", script, "a")  # the script itself, and nothing beside it
        self.check(r, 1, f"{script} a\n", [f"'{script}' (file)  [command]", "/bin/other"])
        env = self.env(PATH=os.path.dirname(script) + ":/usr/bin:/bin")
        self.check(self.run_("--", "script", "b", env=env), 1, f"{script} b\n")

    def test_an_interpreter_outside_the_system_directories_runs(self):
        shell = self.file("tools/shell", self.read("/bin/dash" if os.path.exists("/bin/dash") else "/bin/sh"), 0o755)
        script = self.file("bin/script", f"#!{shell}\necho ran\n", 0o755)
        self.check(self.run_("--", script), 0, "ran\n")
        by_env = self.file("bin/by_env", "#!/usr/bin/env shell\necho ran\n", 0o755)
        env = self.env(PATH=os.path.dirname(shell) + ":/usr/bin:/bin")
        self.check(self.run_("--", by_env, env=env), 0, "ran\n")
        # Only because they were asked for: a program that the script starts is not granted.
        other = self.file("bin/other", f"#!/bin/sh\n{script}\n", 0o755)
        self.check(self.execute([other]), 0, "ran\n")
        self.check(self.run_("--", other), 126, b"")

    def test_a_denied_program_does_not_run(self):
        script = self.file("home/.ssh/script", "#!/bin/sh\necho ran\n", 0o755)
        self.check(self.execute([script]), 0, "ran\n")
        self.check(self.run_("--", script), 127, b"", ["nono: ", script])

    def test_nono_in_nono(self):
        key = self.file("home/.ssh/id", "KEY\n")
        inner = [BIN, "run", "--allow-cwd", "--"]
        self.check(self.run_("--allow-cwd", "--", *inner, "sh", "-c", "pwd; echo x > f; exit 42"), 42, f"{self.work}\n")
        self.assertTrue(os.path.exists(self.work + "/f"))
        # Layers only ever take away.
        r = self.run_("--allow-cwd", "--", BIN, "run", "--bypass-protection", os.path.dirname(key), "--read",
                      os.path.dirname(key), "--", "cat", key)
        self.assertNotEqual(r.code, 0, r)
        self.assertEqual(r.out, b"")

    def test_relative_to_the_working_directory(self):
        self.file("work/script", "#!/bin/sh\necho ran in \"$PWD\"\n", 0o755)
        self.check(self.run_("--allow-cwd", "--", "./script"), 0, f"ran in {self.work}\n")
        self.check(self.run_("--", "./script"), 0, "ran in /\n")


if __name__ == "__main__":
    main()
