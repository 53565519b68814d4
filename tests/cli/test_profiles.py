#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Profile files: where they are found, what they grant and close, and every way in which one can be wrong."""
import json
import os
import socket
import subprocess

from harness import BIN, Case, main

# The profile that users were shown, as it stands.
GO_AGENT = """{
"meta": {
"name": "go-agent",
"version": "1.0.0",
"description": "Go AI agent with controlled access"
},
"security": {
"groups": ["go_runtime"]
},
"filesystem": {
"allow": ["$HOME/.cache/go-build"],
"read_file": ["$HOME/.gitconfig"]
},
"network": {
"network_profile": "minimal"
},
"workdir": { "access": "readwrite" },
"interactive": false
}
"""


class Profiles(Case):
    def profile(self, content, name="p.json"):
        return self.file(name, content if isinstance(content, (str, bytes)) else json.dumps(content))

    def sh(self, profile, script, *flags, **more):
        return self.run_("--profile", profile, *flags, "--", "sh", "-c", script, **more)

    def refused_at_once(self, profile, *words):
        """Within a second; on a busy machine the best of three counts."""
        runs = []
        while not runs or (min(runs) >= 1 and len(runs) < 3):
            r = self.one_line(self.sh(profile, "true"), 1, *words)
            runs.append(r.seconds)
        self.assertLess(min(runs), 1, r)

    def test_the_documented_profile_on_an_empty_home(self):
        path = self.profile(GO_AGENT, "work/go-agent.json")
        r = self.sh("./go-agent.json", "echo x > here && cat here; cat $HOME/.gitconfig; ls $HOME", "--allow-cwd", "-v")
        self.check(r, 2, None, ("'security.groups' is an old spelling of 'groups.include'", "profile  go-agent",
                                "proxy localhost:3128, in a network of its own",
                                "go-agent.json' lies inside a grant that writes"))
        self.assertEqual(r.out.splitlines()[0], b"x", r)
        self.file("home/.gitconfig", "[user]\n")
        self.file("home/other", "secret\n")
        self.check(self.sh(path, "cat $HOME/.gitconfig && ! cat $HOME/other && touch $HOME/.cache/go-build/x"), 0,
                   "[user]\n", not_err="lies inside a grant")
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            r = self.run_("-p", path, "--", "/usr/bin/python3", "-c",
                          f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)")
            self.assertNotEqual(r.code, 0, r)
        # wrap filters no hosts, and never opens the network instead.
        self.one_line(self.nono("wrap", "-p", path, "--", "true"), 1, "asks for hosts, which wrap cannot filter")

    def test_a_file_that_is_none(self):
        self.one_line(self.sh("./gone.json", "true"), 1, "Profile not found", "no such file")
        self.one_line(self.sh(self.directory("d.json"), "true"), 1, "cannot be read: it is a directory")
        fifo = os.path.join(self.base, "f.json")
        os.mkfifo(fifo)
        huge = os.path.join(self.base, "huge.json")
        with open(huge, "wb") as f:
            f.truncate(1 << 30)
        for path, words in ((fifo, "it is a FIFO"), ("/dev/zero", "it is a device"), (huge, "larger than 1048576 bytes")):
            self.refused_at_once(path, "cannot be read", words)
        if os.geteuid() != 0:
            os.chmod(self.profile({}, "closed.json"), 0)
            self.one_line(self.sh(os.path.join(self.base, "closed.json"), "true"), 1, "Permission denied")
        self.one_line(self.sh("some/pack", "true"), 1, "packs are not built")
        self.one_line(self.sh("no_name", "true"), 1, "Profile not found", "'no_name'")

    def test_bad_texts_are_refused_within_a_second(self):
        for text, words in (
                ("", "ends too early at line 1 column 1"),
                ('{"meta": {"name": "x"', "ends too early"),
                ("[" * 10_000, "more than 64"),
                ('{"a":' * 10_000, "more than 64"),
                (b'{"meta": {"name": "\xff"}}', "UTF-8"),
                (b"\xff\xfe{\x00}\x00", "UTF-16"),
                (b"{}\x00{}", "NUL"),
                ("{/*", "a comment that does not end"),
                ('{\n "file_system": {}}', "unknown key: 'file_system' at line 2 column 2; to change that, write 'filesystem'"),
                ('{"meta": {"name": "a"}, "meta": {"name": "b"}}', "stands twice"),
                ('{"groups": {"include": ["go_runtme"]}}', "unknown group: 'go_runtme'; to change that, write 'go_runtime'"),
                ('{"groups": {"exclude": ["deny_credentials"]}}', "Cannot exclude required groups: 'deny_credentials'"),
                ('{"\\u001b[31m": 1}', "unknown key: '\\x1b[31m'"),
                ('{"session_hooks": {"before": {"script": "/bin/true"}}}', "not built yet: 'session_hooks'"),
                ('{"filesystem": {"read": [{"path": "/", "when": "linux:"}]}}', "'when' is 'linux:'"),
                ("[" + "0," * 400_000 + "0]", "too large"),
        ):
            self.refused_at_once(self.profile(text), words)

    def test_memory_stays_bounded(self):
        path = self.profile('{"groups": {"include": [' + '"a",' * 250_000 + "]}}")
        done = subprocess.run(["/bin/sh", "-c", 'ulimit -v 200000; exec "$@"', "sh", BIN, "profile", "validate", path],
                              env=self.env(), capture_output=True, check=False)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"too large", done.stdout, done)

    def test_names_are_looked_up_in_the_users_profiles_first(self):
        self.profile({"meta": {"name": "mine"}, "filesystem": {"read": ["$HOME/a"]}}, "home/.config/nono/profiles/mine.json")
        self.file("home/a/f", "a\n")
        self.file("home/b/f", "b\n")
        read = "cat $HOME/a/f 2>&-; cat $HOME/b/f 2>&-; true"
        self.check(self.sh("mine", read), 0, "a\n")
        self.profile('{"filesystem": {"read": ["$HOME/b"],},} // this one counts',
                     "home/.config/nono/profiles/mine.jsonc")
        self.check(self.sh("mine", read), 0, "b\n")
        self.profile({"filesystem": {"read": ["$HOME/b"]}}, "elsewhere/nono/profiles/other.json")
        elsewhere = self.env(XDG_CONFIG_HOME=os.path.join(self.base, "elsewhere"))
        self.check(self.sh("other", read, env=elsewhere), 0, "b\n")
        # A file of a built-in's name shadows it: no hosts.
        self.check(self.sh("go-dev", "true"), 0, b"", "proxy localhost:3128")
        self.profile({"filesystem": {"read": ["$HOME/a"]}}, "home/.config/nono/profiles/go-dev.json")
        self.check(self.sh("go-dev", read), 0, "a\n", not_err="proxy localhost:3128")
        r = self.check(self.nono("profile", "list", "--json"), 0, None)
        listed = {p["name"]: p["source"] for p in json.loads(r.out)}
        self.assertEqual((listed["mine"], listed["go-dev"], listed["default"]),
                         ("user", "user (overrides built-in)", "built-in"), r)

    def test_extends(self):
        for name in "ab":
            self.file(f"home/{name}/f", f"{name}\n")
        read = "cat $HOME/a/f 2>&-; cat $HOME/b/f 2>&-; true"
        self.profile({"filesystem": {"read": ["$HOME/a"]}}, "base.json")
        path = self.profile({"extends": ["base"], "filesystem": {"read": ["$HOME/b"]}}, "child.json")
        self.check(self.sh(path, read), 0, "a\nb\n")
        self.one_line(self.sh(self.profile({"extends": "nowhere"}), "true"), 1, "Profile not found", "'nowhere'")
        self.one_line(self.sh(self.profile({"extends": "../base"}), "true"), 1, "no name of a profile")
        self.profile({"extends": "two"}, "one.json")
        two = self.profile({"extends": "one"}, "two.json")
        self.one_line(self.sh(two, "true"), 1, "a profile extends itself", "two.json -> ", "one.json -> ")
        # A profile beside itself of its own name: not itself, so the built-in one.
        own = self.profile({"extends": "go-dev", "network": {"network_profile": None}}, "go-dev.json")
        self.check(self.sh(own, "true"), 0, b"", not_err="proxy localhost:3128")
        for i in range(12):
            self.profile({"extends": f"d{i - 1}"} if i else {}, f"d{i}.json")
        self.one_line(self.sh(os.path.join(self.base, "d11.json"), "true"), 1, "more than 10 profiles")
        self.check(self.sh(os.path.join(self.base, "d9.json"), "true"), 0)

    def test_more_bases_by_a_flag(self):
        for name in "abc":
            self.file(f"home/{name}/f", f"{name}\n")
        read = "for d in a b c; do cat $HOME/$d/f 2>&-; done; echo $X"
        for name in "abc":
            self.profile({"filesystem": {"read": [f"$HOME/{name}"]}, "environment": {"set_vars": {"X": name}}},
                         f"home/.config/nono/profiles/{name}.json")
        path = self.profile({"extends": "b"})
        # In front of the profile's own: of single values those of the profile and its bases count.
        self.check(self.sh(path, read, "--extends", "c", "--extends=a"), 0, "a\nb\nc\nb\n")
        self.check(self.sh("default", read, "--extends", "a", "--extends", "c"), 0, "a\nc\nc\n")
        # A name is looked for beside the profile's file first; a path is below the current directory.
        self.profile({"filesystem": {"read": ["$HOME/c"]}}, "a.json")
        self.check(self.sh(path, read, "--extends", "a"), 0, "b\nc\nb\n")
        self.check(self.sh(path, read, "--extends", "../home/.config/nono/profiles/a.json"), 0, "a\nb\nb\n")
        # What a file cannot say, it cannot say beside the flag either.
        self.one_line(self.sh(self.profile({"extends": "../c"}, "q.json"), "true", "--extends", "a"), 1, "no name of a profile")
        # A built-in one keeps what it says itself: a base cannot take its hosts away.
        closed = self.profile({"network": {"network_profile": None}, "commands": {"deny": ["sh"]}}, "closed.json")
        self.one_line(self.sh("go-dev", "true", "--extends", closed), 1, "'commands.deny'")
        self.check(self.sh("go-dev", "true", "--extends", closed, "--allow-command", "sh"), 0, b"", "proxy localhost:3128")
        for command in (["wrap"], ["why"]):
            r = self.nono(*command, "-p", "default", "--extends", "a",
                          *(["--path", self.home + "/a/f"] if command == ["why"] else ["--", "cat", self.home + "/a/f"]))
            self.assertIn(b"ALLOWED" if command == ["why"] else b"a\n", r.out, r)
            self.one_line(self.nono(*command, "--extends", "a", *(["--path", "x"] if command == ["why"] else ["--", "true"])),
                          2, "--extends has no profile to put a base under; name one with --profile")
        self.check(self.run_("--extends", "a", "--", "cat", self.home + "/a/f", env=self.env(NONO_PROFILE="default")), 0, "a\n")
        self.one_line(self.sh("default", "true", "--extends", "nowhere"), 1, "Profile not found", "'nowhere'")
        self.one_line(self.sh("default", "true", "--extends", "./nowhere.json"), 1, "Profile not found", "no such file")
        self.one_line(self.sh(path, "true", "--extends", path), 1, "a profile extends itself")
        bad = self.profile({"groups": {"exclude": ["deny_credentials"]}}, "bad.json")
        self.one_line(self.sh("default", "true", "--extends", bad), 1, "the profile 'default'", "Cannot exclude required groups")
        self.one_line(self.run_("-p", "default", "--extends", "--", "true"), 2, "--extends: its value is missing before --")
        self.one_line(self.run_("-p", "default", "--extends=", "--", "true"), 1, "no name of a profile")

    def test_grants_and_denies(self):
        self.file("home/d/f", "text\n")
        self.file("home/d/g", "more\n")
        self.file("home/one", "one\n")
        grants = {"read": ["~/d"], "read_file": ["$HOME/one"], "allow": ["$WORKDIR"], "write_file": ["$MISSING/x"]}
        path = self.profile({"filesystem": grants})
        script = "cat ~/d/f ~/one && ! touch ~/d/new 2>&- && ! touch ~/one 2>&- && touch new"
        self.check(self.sh(path, script, "-v"), 0, "text\none\n", ("'$MISSING/x'", "[profile:p]"))
        closed = self.profile({"extends": "p", "filesystem": {"deny": ["~/d"]}}, "closed.json")
        self.one_line(self.sh(closed, "true"), 1, "Landlock deny-overlap", "of the profile closed")
        self.one_line(self.sh(closed, "true", "--allow", os.path.join(self.home, "d")), 1, "Landlock deny-overlap")
        alone = self.profile({"filesystem": {"deny": ["~/d"]}}, "alone.json")
        self.one_line(self.sh(alone, "true", "--read", os.path.join(self.home, "d")), 1, "Landlock deny-overlap",
                      "--read")
        self.one_line(self.sh(self.profile({"filesystem": {"deny": ["$MISSING/x"]}}), "true"), 1, "nothing would be denied")
        self.one_line(self.sh(self.profile({"filesystem": {"allow": ["~/one"]}}), "true"), 1,
                      "filesystem.allow", "is not a directory; use filesystem.allow_file")
        self.one_line(self.sh(self.profile({"filesystem": {"read_file": ["~/d"]}}), "true"), 1,
                      "is a directory; use filesystem.read for")
        self.one_line(self.sh(self.profile({"filesystem": {"allow": ["~"]}}), "true"), 1,
                      "overlaps protected nono state root")

    def test_bypass_protection(self):
        self.file("home/.aws/config", "key\n")
        grant = {"read": ["~/.aws"]}
        self.one_line(self.sh(self.profile({"filesystem": grant}), "true"), 1, "deny_credentials")
        lifted = {"filesystem": {**grant, "bypass_protection": ["~/.aws", "~/.nowhere"]}}
        self.check(self.sh(self.profile(lifted), "cat ~/.aws/config", "-v"), 0, "key\n",
                   ("bypass_protection relaxing deny rule", "'~/.nowhere' of the profile p is skipped"))
        self.one_line(self.sh(self.profile({"filesystem": {"bypass_protection": ["~/.aws"]}}), "true"), 1,
                      "has no matching grant")

    def test_groups(self):
        self.file("home/.local/bin/tool", "x\n")
        read = "cat ~/.local/bin/tool"
        self.check(self.sh(self.profile({}), read), 0, "x\n")
        self.check(self.sh(self.profile({"groups": {"exclude": ["user_tools"]}}), read), 1)
        self.check(self.sh(self.profile({"groups": {"include": [{"name": "linux_sysfs_read", "when": "linux"}]}}),
                           "ls /sys >/dev/null"), 0)
        self.check(self.sh(self.profile({"groups": {"include": [{"name": "linux_sysfs_read", "when": "macos"}]}}),
                           "ls /sys >/dev/null"), 2)

    def test_network(self):
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
            ports = [s.getsockname()[1] for s in (server, other)]
            script = ("import socket\nfor p in (%d, %d):\n try: socket.create_connection(('127.0.0.1', p), 5); print('ok')\n"
                      " except OSError as e: print(e.errno)" % tuple(ports))

            def tried(network, *flags):
                r = self.run_("-p", self.profile({"network": network}), *flags, "--", "/usr/bin/python3", "-c", script)
                return r.out.decode().split() if r.code == 0 else r.text
            self.assertEqual(tried({}), ["ok", "ok"])
            self.assertEqual(tried({"block": True}), ["13", "13"])
            self.assertEqual(tried({"block": True}, "--allow-net"), ["ok", "ok"])
            self.assertEqual(tried({"connect_port": [ports[0]]}), ["ok", "13"])
            self.assertEqual(tried({"allow_domain": ["a.example"]}), ["111", "111"])
            self.assertEqual(tried({"credentials": ["openai"]}), ["111", "111"])
            self.assertEqual(tried({"credentials": []}), ["ok", "ok"])
            self.assertEqual(tried({"allow_domain": ["a.example"]}, "--block-net"), ["13", "13"])
            self.assertIn("contradictory", tried({"block": True, "network_profile": "minimal"}))
            self.assertEqual(tried({"block": True, "open_port": [ports[0]]}), ["ok", "13"])
            self.assertIn("no network.upstream_proxy", tried({"upstream_bypass": ["x"]}))

    def test_environment(self):
        path = self.profile({"environment": {"allow_vars": ["A*", "PATH"], "deny_vars": ["AB"],
                                             "set_vars": {"NEW": "$HOME/x", "AC": "mine"}}})
        r = self.sh(path, 'echo "$AA-$AB-$AC-$B-$NEW"', env=self.env(AA="1", AB="2", AC="3", B="4"))
        self.check(r, 0, f"1--mine--{self.home}/x\n")
        self.one_line(self.sh(self.profile({"environment": {"set_vars": {"PATH": "/x"}}}), "true"), 1, "'PATH' cannot be set")

    def test_commands(self):
        path = self.profile({"commands": {"deny": ["sh"], "allow": ["rm"]}})
        self.one_line(self.sh(path, "true"), 1, "blocked by 'commands.deny'")
        self.check(self.sh(path, "true", "--allow-command", "sh"), 0)
        self.check(self.run_("-p", path, "--", "rm", "--version"), 0, None)

    def test_unix_sockets(self):
        where = os.path.join(self.directory("s"), "sock")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(where)
            server.listen(4)
            script = f"import socket; socket.socket(socket.AF_UNIX).connect({where!r})"
            for fields, code in (({}, 1), ({"unix_socket": [where]}, 0), ({"unix_socket_subtree": [f"{self.base}/s"]}, 0)):
                r = self.run_("-p", self.profile({"filesystem": fields}), "--", "/usr/bin/python3", "-c", script)
                self.assertEqual(r.code, code, r)

    def test_signals(self):
        outside = subprocess.Popen(["sleep", "60"])
        self.addCleanup(outside.wait)
        self.addCleanup(outside.kill)
        for mode, code in (("isolated", 1), ("allow_same_sandbox", 1), ("allow_all", 0)):
            r = self.sh(self.profile({"security": {"signal_mode": mode}}), f"kill -0 {outside.pid} 2>&-")
            self.assertEqual(r.code, code, r)

    def test_hostile_variables(self):
        path = self.profile({"filesystem": {"read": ["$X"]}})
        for value, words in (("/", "Landlock deny-overlap"), (self.home, "overlaps protected nono state root"),
                             (os.path.join(self.home, ".ssh"), None)):
            r = self.sh(path, "true", env=self.env(X=value))
            self.assertEqual(r.code, 1 if words else 0, r)
        os.mkdir(os.path.join(self.home, ".ssh"))
        self.one_line(self.sh(path, "true", env=self.env(X=os.path.join(self.home, ".ssh"))), 1, "deny_credentials")
        self.one_line(self.sh(self.profile({"filesystem": {"read": ["$XDG_DATA_HOME/x"]}}), "true",
                              env=self.env(XDG_DATA_HOME="relative")), 1, "no absolute path")
        # A variable of the environment does not turn $WORKDIR elsewhere.
        self.file("other/f")
        workdir = self.profile({"filesystem": {"allow": ["$WORKDIR"]}})
        r = self.sh(workdir, f"touch here && ! cat {self.base}/other/f",
                    env=self.env(WORKDIR=os.path.join(self.base, "other")))
        self.check(r, 0, None)

    def test_validate_and_schema(self):
        good = self.profile(GO_AGENT)
        r = self.check(self.nono("profile", "validate", good), 0, None)
        self.assertIn(b"is valid", r.out, r)
        self.check(self.nono("profile", "validate", good, "--strict"), 2, None)
        r = self.check(self.nono("profile", "validate", good, "--json"), 0, None)
        self.assertEqual(json.loads(r.out), {"file": good, "valid": True, "errors": [], "warnings": [
            f"'security.groups' is an old spelling of 'groups.include' (line 8 of the profile '{good}')"],
            "deprecated_keys": ["security.groups"]})
        bad = self.profile('{"nework": {}}', "bad.json")
        r = self.check(self.nono("profile", "validate", bad, "--json"), 1, None)
        self.assertFalse(json.loads(r.out)["valid"], r)
        self.assertIn("write 'network'", json.loads(r.out)["errors"][0], r)
        self.check(self.nono("profile", "validate", "go-dev"), 0, None)
        r = self.check(self.nono("profile", "schema"), 0, None)
        schema = json.loads(r.out)
        self.check(self.nono("profile", "schema", "-o", "s.json"), 0, b"")
        self.assertEqual(json.loads(self.read(os.path.join(self.work, "s.json"))), schema)
        r = self.check(self.nono("profile", "show", good), 0, None)
        self.assertIn(b"go_runtime", r.out, r)

    def builtin(self):
        listed = json.loads(self.check(self.nono("profile", "list", "--json"), 0, None).out)
        return [p["name"] for p in listed if p["source"] == "built-in"]

    def state(self, profile, **more):
        return json.loads(self.check(self.nono("profile", "show", profile, "--format", "state", **more), 0, None).out)

    def test_show_as_a_profile(self):
        """What is shown is a profile that means the same, and shows the same."""
        for name in self.builtin():
            with self.subTest(name):
                shown = self.check(self.nono("profile", "show", name, "--json"), 0, None).out
                again = self.profile(shown, f"again/{name}.json")
                self.check(self.nono("profile", "show", again, "--format", "profile"), 0, shown)
                self.check(self.nono("profile", "show", name, "--raw"), 0, shown)
                self.check(self.nono("profile", "validate", again, "--strict"), 0, None)
                self.assertEqual(self.state(again), self.state(name))
        for name in "ab":
            self.directory(f"home/{name}")
        base = self.profile({"filesystem": {"read": ["$HOME/a"], "deny": ["~/private"]}, "workdir": {"access": "read"}}, "base.json")
        text = """{"meta": {"name": "x", "description": "\u00e9 \u20ac \U0001f600 \u009b1m"}, "extends": "base", // why
            "security": {"groups": ["go_runtime"]}, "network": {"connect_port": [443]},
            "filesystem": {"allow": ["$HOME/b", {"path": "/x", "when": "macos"}]},}"""
        path = self.profile(text, "p.json")
        r = self.check(self.nono("profile", "show", path, "--json"), 0, None, "'security.groups' is an old spelling")
        self.assertTrue(r.out.isascii() and b"\x7f" not in r.out, r)
        self.assertEqual(json.loads(r.out), {
            "meta": {"name": "x", "description": "\u00e9 \u20ac \U0001f600 \u009b1m"}, "groups": {"include": ["go_runtime"]},
            "filesystem": {"allow": ["$HOME/b"], "read": ["$HOME/a"], "deny": ["~/private"]},
            "network": {"connect_port": [443]}, "workdir": {"access": "read"}})
        again = self.profile(r.out, "elsewhere/p.json")
        self.check(self.nono("profile", "show", again, "--json"), 0, r.out)
        self.assertEqual(self.state(again), self.state(path))
        self.assertNotEqual(self.state(again), self.state(base))
        self.check(self.nono("profile", "show", path, "--raw"), 0, text)
        self.check(self.nono("profile", "show", self.profile("\x1b no profile", "q.json"), "--raw"), 0, "\x1b no profile")

    def test_show_as_a_state(self):
        self.directory("home/a")
        path = self.profile({"filesystem": {"read": ["$HOME/a"]}})
        # Where the output goes is no part of what the profile grants.
        into = os.path.join(self.work, "state.json")
        with open(into, "wb") as f:
            self.assertEqual(self.nono("profile", "show", path, "--format", "state", stdout=f).code, 0)
        shown = json.loads(self.read(into))
        self.assertEqual(shown, self.state(path))
        rules = {r["path"]: r for r in shown["nono"]["rules"]}
        self.assertIn(self.home + "/a", rules)
        self.assertNotIn(into, rules)
        self.assertIn(self.home + "/.nono", rules)
        # A cache that a run makes stays one, and is not made by showing it.
        self.assertIn("create_dir", json.dumps(self.state("go-dev")))
        self.assertFalse(os.path.exists(self.home + "/.cache"))
        strange = os.fsencode(self.home) + b"/\xff"
        os.mkdir(strange)
        path = self.profile({"filesystem": {"read": ["$X"]}}, "s.json")
        self.one_line(self.nono("profile", "show", path, "--format", "state", env=self.env(X=os.fsdecode(strange))), 1, "UTF-8")

    def test_show_as_code(self):
        """tests/profile_code.py compiles it; here is what it says besides."""
        into = os.path.join(self.work, "policy.hpp")
        with open(into, "wb") as f:
            self.assertEqual(self.nono("profile", "show", "rust-dev", "--format", "cpp", stdout=f).code, 0)
        text = self.read(into).decode()
        self.assertNotIn(into, text)
        for part in ("#pragma once\n", "#include <nono/nono.hpp>\n", "inline constexpr auto rust_dev_policy =\n",
                     "// With --allow-cwd a run adds .allow_path<nono::read_write>(\"$WORKDIR\").\n", ".network(nono::hosts{"):
            self.assertIn(part, text)
        path = self.profile({"environment": {"deny_vars": ["A"]}, "commands": {"deny": ["a"]}, "workdir": {"access": "read"}})
        text = self.check(self.nono("profile", "show", path, "--format", "cpp"), 0, None).out.decode()
        self.assertIn("no part of a policy: the variables of 'environment'.\n", text)
        self.assertIn("no part of a policy: the names of 'commands'.\n", text)
        self.assertIn(".allow_path<nono::read>(\"$WORKDIR\").\n", text)

    def test_list_of_groups(self):
        r = self.check(self.nono("profile", "groups"), 0, None)
        names = [line.split()[0] for line in r.out.decode().splitlines()]
        self.assertIn("go_runtime_linux", names)
        self.assertIn("dangerous_commands_linux", names)
        self.assertNotIn("go_runtime_macos", names)
        self.assertIn(b"deny_credentials          [required] keys", r.out)
        all_of_them = json.loads(self.check(self.nono("profile", "groups", "--json", "--all-platforms"), 0, None).out)
        here = json.loads(self.check(self.nono("profile", "groups", "--json"), 0, None).out)
        self.assertEqual([g["name"] for g in here], names)
        self.assertEqual(here, [g for g in all_of_them if g["platform"] != "macos"])
        self.assertIn(b"go_runtime_macos          [macos] Go", self.check(self.nono("profile", "groups", "--all-platforms"), 0, None).out)
        for name in names:  # each can be used
            self.check(self.nono("profile", "validate", self.profile({"groups": {"include": [name]}})), 0, None)
        one = lambda name: json.loads(self.check(self.nono("profile", "groups", name, "--json"), 0, None).out)  # noqa: E731
        self.assertEqual(one("go_runtime_linux"), {
            "name": "go_runtime_linux", "description": "Go's build cache on Linux", "platform": "linux", "required": False,
            "allow": {"read": [], "write": [], "readwrite": [
                {"raw": "$HOME/.cache/go-build", "expanded": f"{self.home}/.cache/go-build"}]},
            "deny": {"access": [], "commands": [], "unlink": False}, "symlink_pairs": {}})
        secrets = one("deny_credentials")
        self.assertEqual((secrets["platform"], secrets["required"]), ("cross-platform", True))
        self.assertIn({"raw": "$HOME/.ssh", "expanded": f"{self.home}/.ssh"}, secrets["deny"]["access"])
        self.assertIn("apt", one("dangerous_commands_linux")["deny"]["commands"])
        self.assertEqual(one("dangerous_commands_macos")["platform"], "macos")
        self.assertTrue(one("unlink_protection")["deny"]["unlink"])
        self.check(self.nono("profile", "groups", "go_runtime_linux"), 0,
                   "go_runtime_linux: Go's build cache on Linux\nplatform: linux\nrequired: no\n  readwrite ~/.cache/go-build\n")
        self.one_line(self.nono("profile", "groups", "go_runtme"), 1, "there is no group 'go_runtme'; write 'go_runtime'")
        self.one_line(self.nono("profile", "groups", "zzzzzzzzzzzz", "--json"), 1,
                      "there is no group 'zzzzzzzzzzzz'; nono profile groups --all-platforms lists them")

    def test_groups_of_agents_editors_and_managers(self):
        """Each opens its places and nothing beside them, and without it they are closed."""
        for group, reads, writes, beside in (
                ("bun_runtime", [".bun/bin", ".bun/install/cache"], [], ".bunfig.toml"),
                ("mise_manager", [".local/share/mise", ".config/mise", ".local/state/mise", ".cache/mise"], [], ".local/share/x"),
                ("claude_code_linux", [".local/share/claude"], [], ".claude"),
                ("claude_cache_linux", [], [".cache/claude-cli-nodejs"], ".cache/claude"),
                ("opencode_linux", [".opencode/bin"], [], ".opencode/auth"),
                ("vscode_linux", [], [".vscode", ".config/Code"], ".config/code"),
                ("user_caches_linux", [], [".cache/pip", ".cache/uv", ".cache/huggingface/hub"], ".cache/nono")):
            with self.subTest(group):
                places = [*reads, *writes]
                for place in [*places, beside]:
                    self.file(f"home/{place}/f", "text\n")
                self.file("home/.cache/huggingface/token")
                path = self.profile({"groups": {"include": [group]}}, f"{group}.json")
                read_all = " && ".join(f"cat ~/{p}/f" for p in places)
                self.check(self.sh(path, read_all), 0, "text\n" * len(places))
                none = " || ".join(f"cat ~/{p}/f" for p in [*places, beside])
                self.check(self.sh("default", none), 1, b"")
                self.check(self.sh(path, f"cat ~/{beside}/f || cat ~/.cache/huggingface/token || cat ~/.cache/f"), 1, b"")
                for place in places:
                    r = self.sh(path, f"touch ~/{place}/new")
                    self.assertEqual(r.code == 0, place in writes, r)
        fresh = self.env(HOME=self.directory("fresh"))
        self.check(self.sh(self.profile({"groups": {"include": ["claude_cache_linux"]}}), "touch ~/.cache/claude-cli-nodejs/x",
                           env=fresh), 0)
        self.assertEqual(os.stat(self.base + "/fresh/.cache/claude-cli-nodejs").st_mode & 0o777, 0o700)

    def test_a_cache_that_holds_nonos_own_state(self):
        self.file("home/.cache/uv/f")
        r = self.sh("swival", "true", "--allow-cwd", env=self.env(XDG_STATE_HOME=self.home + "/.cache/uv"))
        self.one_line(r, 1, "overlaps protected nono state root", ".cache/uv")
        r = self.sh("swival", "cat ~/.cache/nono/f; cat ~/.local/state/nono/f; cat ~/.nono/f; touch ~/.cache/new; true",
                    env=self.env(XDG_STATE_HOME=None))
        self.check(r, 0, b"")
        self.assertFalse(os.path.exists(self.home + "/.cache/new"))

    def test_profiles_with_places_of_their_own(self):
        tmp = f"{self.tmp}/openclaw-{os.getuid()}"
        for place in (".openclaw", ".config/openclaw", ".config/swival", ".local/share/swival"):
            self.directory("home/" + place)
        os.mkdir(tmp)
        self.check(self.sh("openclaw", f"touch ~/.openclaw/x ~/.config/openclaw/x {tmp}/x", "-v"), 0, None, "[profile:openclaw]")
        self.check(self.sh("openclaw", "touch ~/.config/swival/x"), 1, b"")
        self.check(self.sh("swival", "touch ~/.config/swival/x ~/.local/share/swival/x here && ls /sys >/dev/null", "--allow-cwd"),
                   0, None, "profile  swival")
        # The working directory as each wants it.
        self.file("work/f", "text\n")
        self.check(self.sh("openclaw", "cat f; ! touch g 2>&-", "--allow-cwd"), 0, "text\n")
        # Hosts for the developer's, an open network for the others.
        for name, hosts in (("bun-dev", True), ("mise-dev", True), ("openclaw", False), ("swival", False)):
            r = self.check(self.nono("profile", "show", name), 0, None)
            self.assertEqual("proxy localhost:3128" in r.out.decode(), hosts, r)
        self.file("home/.bun/bin/tool", "bun\n")
        self.file("home/.local/share/mise/shims/tool", "mise\n")
        self.check(self.sh("bun-dev", "cat ~/.bun/bin/tool"), 0, "bun\n")
        self.check(self.sh("mise-dev", "cat ~/.local/share/mise/shims/tool"), 0, "mise\n")
        self.check(self.sh("mise-dev", "cat ~/.bun/bin/tool"), 1, b"")

    def test_groups_of_commands_are_left_out_one_by_one(self):
        for without, ran in ((["dangerous_commands"], {"rm": True, "shred": False}),
                             (["dangerous_commands_linux"], {"rm": False, "shred": True}),
                             (["dangerous_commands", "dangerous_commands_linux"], {"rm": True, "shred": True})):
            path = self.profile({"groups": {"exclude": without}})
            for command, runs in ran.items():
                r = self.run_("-p", path, "--", command, "--version")
                self.assertEqual(r.code, 0 if runs else 1, r)

    def test_init(self):
        where = os.path.join(self.home, ".config/nono/profiles")
        mine = os.path.join(where, "mine.json")
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        r = self.check(self.nono("profile", "init", "mine"), 0, f"'{mine}' is written; use it with --profile mine\n")
        self.assertEqual(json.loads(self.read(mine)), {"meta": {"name": "mine"}})
        for made in (self.home + "/.config", self.home + "/.config/nono", where):
            self.assertEqual(os.stat(made).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(mine).st_mode & 0o777, 0o600)
        self.check(self.sh("mine", "true"), 0)
        # Nothing is overwritten, and nothing left lying about.
        self.one_line(self.nono("profile", "init", "mine", "--groups", "go_runtime"), 1, f"'{mine}' exists; --force replaces it")
        self.assertEqual(json.loads(self.read(mine)), {"meta": {"name": "mine"}})
        self.assertEqual(os.listdir(where), ["mine.json"])
        r = self.nono("profile", "init", "mine", "--force", "--extends", "go-dev", "--extends=python-dev",
                      "--groups", "linux_sysfs_read,git_config", "--description", 'a "b" \u00e9\n')
        self.check(r, 0, None)
        self.assertEqual(json.loads(self.read(mine)), {
            "extends": ["go-dev", "python-dev"], "meta": {"name": "mine", "description": 'a "b" \u00e9\n'},
            "groups": {"include": ["linux_sysfs_read", "git_config"]}})
        self.check(self.nono("profile", "validate", "mine", "--strict"), 0, None)
        # A link is replaced, and what it leads to stays.
        target = self.file("target", "mine\n")
        os.unlink(mine)
        os.symlink(target, mine)
        self.one_line(self.nono("profile", "init", "mine"), 1, "exists; --force replaces it")
        self.check(self.nono("profile", "init", "mine", "--force"), 0, None)
        self.assertFalse(os.path.islink(mine))
        self.assertEqual(self.read(target), b"mine\n")
        # With every field it means the same.
        self.check(self.nono("profile", "init", "full", "--full", "--extends", "python-dev"), 0, None)
        self.assertEqual(self.state("full")["nono"]["rules"].__len__(), self.state("python-dev")["nono"]["rules"].__len__())
        r = self.check(self.nono("profile", "diff", "full", "python-dev"), 0, b"full and python-dev come to the same here\n")
        self.check(self.nono("profile", "init", "other", "-o", "o.json"), 0, f"'{self.work}/o.json' is written; use it with "
                   f"--profile '{self.work}/o.json'\n")
        self.check(self.nono("profile", "init", "far", env=self.env(XDG_CONFIG_HOME=self.base + "/c/d")), 0, None)
        self.assertTrue(os.path.exists(self.base + "/c/d/nono/profiles/far.json"))
        self.assertEqual(sorted(os.listdir(where)), ["full.json", "mine.json"])

    def test_init_refuses(self):
        for name in ("go-dev", "default"):
            self.one_line(self.nono("profile", "init", name, "--force"), 1,
                          f"'{name}' is a built-in profile, and a file of its name would take its place; choose another name")
        for name in ("", "a/b", "-a-", "a.json", "a b"):
            self.one_line(self.nono("profile", "init", "--", name), 1, "is no name of a profile; use letters, digits and hyphens")
        self.one_line(self.nono("profile", "init", "x", "--groups", "go_runtme"), 1, "unknown group: 'go_runtme'", "write 'go_runtime'")
        self.one_line(self.nono("profile", "init", "x", "--extends", "nosuch"), 1, "Profile not found: 'nosuch'")
        self.one_line(self.nono("profile", "init", "x", "--extends", "./a.json"), 1, "no name of a profile")
        self.one_line(self.nono("profile", "init", "x", "--description", b"\xff"), 1, "--description is not UTF-8")
        self.assertFalse(os.path.exists(self.home + "/.config"))
        self.one_line(self.nono("profile", "init", "x", "-o", "no/x.json"), 1, "writing beside", "No such file", "with -o")
        self.one_line(self.nono("profile", "init", "x", "-o", self.directory("d.json"), "--force"), 1, "replacing", "s a directory")
        self.one_line(self.nono("profile", "init", "x", "-o", "/proc/x.json"), 1, "writing beside '/proc/x.json' failed")
        self.profile("{}", "home/.config/nono/profiles/x.jsonc")
        for force in ([], ["--force"]):
            self.one_line(self.nono("profile", "init", "x", *force), 1, "x.jsonc' is there and would be used instead of a new x.json")
        self.file("file")
        self.one_line(self.nono("profile", "init", "y", env=self.env(XDG_CONFIG_HOME=self.base + "/file")), 1,
                      "making the directory", "Not a directory")

    def test_diff(self):
        for name in ("a", "a/b", "c", "f"):
            self.directory(f"home/{name}")
        one = self.profile({"filesystem": {"read": ["~/a", "~/c"], "deny": ["~/x"]}, "network": {"connect_port": [443]},
                            "workdir": {"access": "read"}, "commands": {"deny": ["a"]},
                            "environment": {"deny_vars": ["X"], "set_vars": {"A": "1"}}}, "one.json")
        two = self.profile({"filesystem": {"read": ["~/a/b"], "write": ["~/c"], "allow": ["~/f"]},
                            "groups": {"include": ["linux_sysfs_read"], "exclude": ["user_tools"]},
                            "network": {"network_profile": "minimal", "allow_domain": [
                                "h", {"domain": "i", "endpoints": [{"method": "GET", "path": "/"}]}]},
                            "security": {"signal_mode": "allow_all"}, "workdir": {"access": "readwrite"},
                            "environment": {"allow_vars": ["Y"], "set_vars": {"A": "2\n"}}}, "two.json")
        r = self.check(self.nono("profile", "diff", one, two, "--json"), 0, None)
        home = self.home
        self.assertEqual(json.loads(r.out), {
            "a": one, "b": two, "same": False,
            "groups": {"only_a": ["user_tools"], "only_b": ["linux_sysfs_read"]},
            "paths": {"only_a": [{"path": f"{home}/.local/bin", "access": "read"}] + [
                {"path": f"{home}/.local/share/{d}", "access": "read"} for d in ("applications", "bash-completion", "man", "zsh")] + [
                {"path": f"{home}/a", "access": "read"}, {"path": f"{home}/c", "access": "read"}],
                "only_b": [{"path": "/sys", "access": "read"}, {"path": f"{home}/c", "access": "write"},
                           {"path": f"{home}/f", "access": "readwrite"}]},
            "denies": {"only_a": [f"{home}/x"], "only_b": []},
            "network": {"only_a": ["network(only(connect_tcp(443)))"],
                        "only_b": ["network(hosts)", "network_profile minimal", "allow_domain h", "allow_domain i GET /"]},
            "protections": {"only_a": [], "only_b": ["lifted: signals"]},
            "workdir": {"only_a": ["read"], "only_b": ["readwrite"]},
            "variables": {"only_a": ["deny X", "set A=1"], "only_b": ["none but those allowed", "allow Y", "set A=2\n"]},
            "commands": {"only_a": ["deny a"], "only_b": []}})
        r = self.check(self.nono("profile", "diff", one, two), 0, None)
        text = r.out.decode()
        self.assertTrue(text.startswith(f"- {one}\n+ {two}\ngroups\n  - user_tools\n  + linux_sysfs_read\npaths\n"), r)
        for line in ("  - read      ~/a", "  + write     ~/c", "  + readwrite ~/f", "denies", "  - ~/x", "  + set A=2\\n"):
            self.assertIn(line, text.splitlines())
        # What a wider grant covers is no difference, whoever writes it one by one.
        self.assertNotIn("~/a/b", text)
        # $HOME of a group is the home directory of a profile.
        go = self.profile({"filesystem": {"read": ["~/a"]}, "groups": {"include": ["go_runtime"]}}, "go.json")
        self.directory("home/go")
        byhand = self.profile({"filesystem": {"read": ["~/a", f"{home}/go", "/usr/local/go"]}}, "byhand.json")
        r = json.loads(self.check(self.nono("profile", "diff", go, byhand, "--json"), 0, None).out)
        self.assertEqual(r["paths"]["only_b"], [])
        self.check(self.nono("profile", "diff", "default", "default"), 0, b"default and default come to the same here\n")
        same = json.loads(self.check(self.nono("profile", "diff", "default", "default", "--json"), 0, None).out)
        self.assertTrue(same["same"])
        for pair in (("default", "nosuch"), ("nosuch", "default")):
            self.one_line(self.nono("profile", "diff", *pair), 1, "Profile not found: 'nosuch'")
        self.one_line(self.nono("profile", "diff", "default", ""), 1, "profile diff needs the names of two profiles")
        self.one_line(self.nono("profile", "diff", "default"), 2, "profile diff needs its PROFILE")

    def test_show_refuses(self):
        self.one_line(self.nono("profile", "show", "go-dev", "--format", "manifest"), 2, "manifest is not built yet, so nothing was shown")
        self.one_line(self.nono("profile", "show", "default", "--format", "json"), 2,
                      "profile show has no format 'json'; write profile, cpp, state or sbpl")
        self.one_line(self.nono("profile", "show", "default", "--json", "--raw"), 2, "--json and --raw contradict each other")
        for form in ([], ["--json"], ["--raw"], ["--format", "state"], ["--format", "cpp"], ["--format", "sbpl"]):
            self.one_line(self.nono("profile", "show", "nosuch", *form), 1, "Profile not found: 'nosuch'")
            self.one_line(self.nono("profile", "show", "./nosuch.json", *form), 1, "no such file")
            self.one_line(self.nono("profile", "show", "", *form), 1, "needs the name of a profile, and got an empty one")
        self.one_line(self.nono("profile", "show", self.directory("d.json"), "--raw"), 1, "it is a directory")
        over = self.profile({"filesystem": {"read": ["~"]}})
        self.one_line(self.nono("profile", "show", over, "--format", "state"), 1, "overlaps protected nono state root")


if __name__ == "__main__":
    main()
