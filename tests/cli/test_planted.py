# SPDX-License-Identifier: Apache-2.0
"""What a command put where it may write, and what the next run makes of it: settings, links, reports, profiles."""
import json
import os

from harness import BIN, PYTHON, Case, Terminal, main


class Registries(Case):
    """Hosts of package_registries, which come from the settings of tools."""

    FLAGS = ("--network-profile", "developer", "--dry-run", "-v")

    def hosts(self, *flags, env=(), **more):
        r = self.check(self.run_(*self.FLAGS, *flags, "--", "true", env=self.env(**dict(env)), **more), 0)
        return r, [line.split()[0] for line in r.text.split("\n") if line.startswith("       ")]

    def left_out(self, got, *hosts):
        r, listed = got
        for host in hosts:
            self.assertNotIn(host, listed, r)
            self.assertIn(f"note: the registry {host} of ", r.text, r)
            self.assertIn(f"; --allow-domain {host} adds it", r.text, r)

    def test_of_the_users_file(self):
        self.file("home/.npmrc", "registry=https://mine.test/\n@s:registry=http://127.0.0.1:18777/\n")
        self.file("home/.yarnrc.yml", 'npmRegistryServer: "http://sub.localhost:9/"\n')
        self.file("home/.config/pip/pip.conf", "[global]\nindex-url = http://10.1.2.3/simple\nextra-index-url = http://localhost/\n")
        got = self.hosts()
        self.assertIn("mine.test", got[1], got[0])
        self.left_out(got, "127.0.0.1", "sub.localhost", "10.1.2.3", "localhost")
        r, listed = self.hosts("--allow-domain", "127.0.0.1")
        self.assertIn("127.0.0.1", listed, r)
        self.assertNotIn("registry 127.0.0.1", r.text, r)

    def test_of_the_project(self):
        self.file("work/.npmrc", "registry=https://planted.test/\n@s:registry=http://127.0.0.1:18777/\n")
        self.file("work/.yarnrc.yml", "npmRegistryServer: https://yarn.test/\n")
        for flags in ((), ("--allow-cwd",), ("--read", self.work)):  # an earlier run may have had more
            with self.subTest(flags=flags):
                self.left_out(self.hosts(*flags), "planted.test", "127.0.0.1", "yarn.test")
        r, listed = self.hosts("--allow-domain", "planted.test")
        self.assertIn("planted.test", listed, r)

    def test_of_files_that_the_command_may_write(self):
        other = self.directory("other")
        self.file("other/npmrc", "registry=https://npm.test/\n")
        self.file("other/goenv", "GOPROXY=https://go.test\n")
        self.file("other/pip.conf", "[global]\nindex-url=https://pip.test/\n")
        self.file("other/cargo/config.toml", '[source.x]\nregistry = "https://cargo.test/"\n')
        env = {"NPM_CONFIG_USERCONFIG": f"{other}/npmrc", "GOENV": f"{other}/goenv", "PIP_CONFIG_FILE": f"{other}/pip.conf",
               "CARGO_HOME": f"{other}/cargo"}
        names = ("npm.test", "go.test", "pip.test", "cargo.test")
        for flags in ((), ("--read", other)):
            r, listed = self.hosts(*flags, env=env)
            self.assertEqual([n for n in names if n not in listed], [], r)
        self.left_out(self.hosts("--allow", other, env=env), *names)
        for name in ("npmrc", "goenv", "pip.conf"):
            with self.subTest(name=name):
                self.left_out(self.hosts("--allow-file", f"{other}/{name}", env=env), names[("npmrc", "goenv", "pip.conf").index(name)])

    def test_through_a_link(self):
        """The user's own file, of which a part of the way lies in the project."""
        self.file("elsewhere/npmrc", "registry=https://linked.test/\n")
        os.symlink("../elsewhere", os.path.join(self.work, "settings"))
        os.symlink(os.path.join(self.work, "settings", "npmrc"), os.path.join(self.home, ".npmrc"))
        self.left_out(self.hosts(), "linked.test")

    def test_of_a_virtual_environment(self):
        models = "lib/python3.99/site-packages/pip/_internal/models/index.py"
        text = 'PyPI = PackageIndex("https://index.test/", file_storage_domain="files.test")\n'
        self.file(f"work/.venv/{models}", text)
        self.left_out(self.hosts(env={"VIRTUAL_ENV": os.path.join(self.work, ".venv")}), "index.test", "files.test")
        self.file(f"outside/{models}", text)
        r, listed = self.hosts(env={"VIRTUAL_ENV": os.path.join(self.base, "outside")})
        self.assertIn("files.test", listed, r)


class Links(Case):
    def setUp(self):
        super().setUp()
        self.secret = self.file("home/Documents/secret", "secret\n")

    def run_python(self, code, *flags, **env):
        return self.run_("--allow-cwd", *flags, "--", "python3", "-c", code, env=self.env(**env))

    def test_a_virtual_environment_that_becomes_a_link(self):
        venv = self.directory("work/.venv")
        self.file("work/.venv/x", "of the project\n")
        plant = "import os; os.rename('.venv', 'was'); os.symlink(os.environ['HOME'] + '/Documents', '.venv')"
        self.check(self.run_python(plant, VIRTUAL_ENV=venv), 0, b"")
        self.assertTrue(os.path.islink(venv))
        for path in (self.secret, f"{venv}/secret"):
            r = self.run_python(f"print(open({path!r}).read())", VIRTUAL_ENV=venv)
            self.check(r, 1, b"", ("Permission denied", f"the link '{venv}' lies where a sandboxed command may have put it, and leads to "
                                                        f"'{self.home}/Documents'"))
        # And of what stays in the project nothing is said.
        os.unlink(venv)
        os.symlink("was", venv)
        self.check(self.run_python(f"print(open('{venv}/x').read(), end='')", VIRTUAL_ENV=venv), 0, "of the project\n", (), "is left out")

    def test_a_link_on_the_way(self):
        """~/envs -> work/envs -> elsewhere: what is spelled lies outside, and so does what it comes to."""
        os.symlink(os.path.join(self.work, "envs"), os.path.join(self.home, "envs"))
        os.symlink("../home/Documents", os.path.join(self.work, "envs"))
        r = self.run_python(f"print(open({self.secret!r}).read())", VIRTUAL_ENV=os.path.join(self.home, "envs"))
        self.check(r, 1, b"", ("Permission denied", f"the link '{self.work}/envs' lies"))
        self.check(self.run_python("", VIRTUAL_ENV=os.path.join(self.base, "home/Documents")), 0, b"", (), "is left out")

    def test_a_cache_that_becomes_a_link(self):
        tool = self.file("bin/go", "#!/bin/sh\necho planted > \"$HOME/Documents/new\"\n", 0o755)
        cache = os.path.join(self.work, ".cache", "gb")
        os.makedirs(os.path.dirname(cache))
        os.symlink(os.path.join(self.home, "Documents"), cache)
        for below in ("", "/deeper"):  # missing: it would be made
            with self.subTest(below=below):
                r = self.run_("--allow-cwd", "--", tool, env=self.env(GOCACHE=cache + below))
                self.assertIn(f"the link '{cache}' lies where a sandboxed command may have put it", r.text, r)
                self.assertEqual(os.listdir(os.path.join(self.home, "Documents")), ["secret"], r)

    def test_without_a_grant_of_the_working_directory(self):
        """An earlier run had one."""
        venv = os.path.join(self.work, ".venv")
        os.symlink(os.path.join(self.home, "Documents"), venv)
        r = self.run_("--", "python3", "-c", f"print(open({self.secret!r}).read())", env=self.env(VIRTUAL_ENV=venv))
        self.check(r, 1, b"", "is left out")

    def test_places_of_groups(self):
        share = self.directory("home/.local/share")
        os.symlink("../../Documents", os.path.join(share, "uv"))
        words = ("-p", "python-dev", "--allow-net", "--", "cat", self.secret)
        self.check(self.run_(*words), 0, "secret\n")  # the user's own link
        r = self.run_(*words, cwd=share)
        self.check(r, 1, b"", f"by the group python_runtime is left out: the link '{share}/uv'")

    def test_the_summary_shows_where_links_lead(self):
        os.symlink("../home/Documents", os.path.join(self.work, "data"))
        r = self.run_("--read", os.path.join(self.work, "data"), "--dry-run", "--", "true")
        self.check(r, 0, b"", f"  r    '{self.work}/data' (dir) -> '{self.home}/Documents'\n")
        profile = self.file("p.json", json.dumps({"filesystem": {"read": [os.path.join(self.work, "data")]}}))
        r = self.run_("-p", profile, "--dry-run", "--", "true")
        self.check(r, 0, b"", f"'{self.work}/data' (dir) -> '{self.home}/Documents'\n")


class Reports(Case):
    def test_a_link_is_refused(self):
        target = self.file("home/notes", "mine\n")
        for to in (target, "nowhere"):
            link = os.path.join(self.work, "r.json")
            os.symlink(to, link)
            for path in (link, "r.json"):
                with self.subTest(to=to, path=path):
                    r = self.run_("-s", "--allow-cwd", f"--report={path}", "--", "echo", "ran")
                    self.one_line(r, 1, f"--report '{path}' is a symbolic link")
            os.unlink(link)
        self.assertEqual(self.read(target), b"mine\n")
        self.assertFalse(os.path.exists(os.path.join(self.work, "nowhere")))

    def test_links_of_the_system_are_none_of_a_command(self):
        r = self.check(self.run_("-s", "--dry-run", "--report", "/dev/stdout", "--", "true"), 0, None)
        self.assertIn("run", json.loads(r.out))

    def test_one_below_a_link_in_a_grant_is_named(self):
        os.symlink("../home", os.path.join(self.work, "out"))
        for path in ("out/r.json", os.path.join(self.work, "out", "r.json")):
            with self.subTest(path=path):
                self.check(self.run_("--allow-cwd", "--report", path, "--", "true"), 0, b"", "lies inside a grant that writes")


class ProfileFiles(Case):
    WARNING = "lies inside a grant that writes, so the command could change what the next run grants"

    def test_bases(self):
        base = self.file("work/base.json", "{}")
        self.file("work/more.json", "{}")
        profile = self.file("work/p.json", '{"extends": "more"}')
        r = self.run_("-p", profile, "--extends", base, "--allow", self.work, "--dry-run", "--", "true")
        self.check(r, 0, b"", [f"'{self.work}/{n}.json' {self.WARNING}" for n in ("p", "base", "more")])
        outside = self.file("p.json", "{}")
        r = self.run_("-p", outside, "--extends", base, "--allow", self.work, "--dry-run", "--", "true")
        self.check(r, 0, b"", f"'{base}' {self.WARNING}", f"'{outside}' {self.WARNING}")

    def test_after_the_answer(self):
        profile = self.file("work/p.json", '{"workdir": {"access": "readwrite"}}')
        for answer, warns in ((b"y\n", True), (b"n\n", False)):
            with self.subTest(answer=answer):
                t = self.terminal("run", "-p", profile, "--", "true")
                self.assertTrue(t.expect(b"[y/N] "), t.out)
                t.send(answer)
                self.assertEqual(t.wait(), 0, t.out)
                self.assertEqual(self.WARNING.encode() in t.out, warns, t.out)

    def test_nobody_is_asked_where_the_question_is_not_seen(self):
        profile = self.file("p.json", '{"workdir": {"access": "readwrite"}}')
        errors = os.path.join(self.base, "errors")
        script = f'exec "{BIN}" run -p "{profile}" -- {PYTHON} -c "print(1 + 1)" 2> "{errors}"'
        t = Terminal(["/bin/sh", "-c", script], self.env(), self.work)
        self.assertEqual(t.wait(10), 0, t.out)
        self.assertEqual(t.out, b"2\r\n")
        self.assertIn(b"No terminal to ask on", self.read(errors))

    def test_a_name_forges_nothing(self):
        name = "x\n[nono] forged\n\x1b[2Jy"
        profile = self.file("p.json", json.dumps({"meta": {"name": name}, "filesystem": {"read": ["$NOSUCH/x"]}}))
        for flags in ((), ("-v",), ("--block-command", "true")):
            with self.subTest(flags=flags):
                r = self.run_("-p", profile, *flags, "--dry-run", "--", "true")
                self.assertNotIn("\n[nono] forged", r.text, r)
                if not flags:
                    self.assertIn(r"  profile  x\n[nono] forged\n\x1b[2Jy" + "\n", r.text, r)
        self.assertNotIn("\n[nono] forged", self.nono("profile", "show", profile).out.decode())

    def test_http2_is_not_built(self):
        profile = self.file("p.json", '{"network": {"allow_http2": true}}')
        self.one_line(self.run_("-p", profile, "--", "true"), 1, "not built yet: 'network.allow_http2'")
        self.file("p.json", '{"network": {"allow_http2": false}}')
        self.check(self.run_("-p", profile, "--", "true"), 0)


if __name__ == "__main__":
    main()
