# SPDX-License-Identifier: Apache-2.0
"""The main job: Go programs build, run and are tested in the sandbox, and a hostile test gets nowhere."""
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from harness import BASE, PATH, REQUIRED, ROOT, Case, Terminal, main

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go")
MODULES = {
    "github.com/yuin/goldmark@v1.8.7": 7,  # and how many packages with tests to expect at least
    "github.com/pelletier/go-toml/v2@v2.4.3": 5,
    "github.com/gorilla/mux@v1.8.1": 1,
}
GO_DEV = ("--profile", "go-dev")
# Both users can read it; the one who comes first fills it.
CACHE = os.path.join(BASE, "nono-test-modules")


def modules_directory():
    """CACHE, or one of our own if CACHE is somebody else's or not complete."""
    for path in (CACHE, f"{CACHE}-{os.geteuid()}"):
        try:
            os.mkdir(path, 0o755)
        except FileExistsError:
            pass
        owner = os.lstat(path).st_uid
        if os.path.islink(path) or owner not in (0, os.geteuid()):
            continue
        if owner == os.geteuid() or os.path.exists(f"{path}/complete"):
            return path
    raise OSError(f"{CACHE} cannot be used")


class locked:
    """One fetch at a time."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self):
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *_):
        os.close(self.fd)


def fetch():
    """Downloads the modules outside the sandbox, with the user's own settings; gives back the module cache."""
    path = modules_directory()
    cache = f"{path}/mod"
    with locked(path):
        if os.path.exists(f"{path}/complete"):
            return cache
        home = tempfile.mkdtemp(prefix="nt-", dir=BASE)
        try:
            # HOME stays the user's: go reads its settings there.
            env = {**os.environ, "PATH": PATH, "GOMODCACHE": cache, "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local",
                   "GOCACHE": f"{home}/cache"}
            os.umask(0o022)
            for module in MODULES:
                subprocess.run(["go", "mod", "download", module], env=env, cwd=home, check=True, capture_output=True,
                               timeout=60, stdin=subprocess.DEVNULL)
                # The module's own requirements, for its tests.
                subprocess.run(["go", "mod", "download"], env=env, cwd=f"{cache}/{module}", check=True,
                               capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        finally:
            shutil.rmtree(home, ignore_errors=True)
        with open(f"{path}/complete", "w", encoding="ascii"):
            pass
    return cache


def setUpModule():
    """One home for all of these, and so one build cache: Go compiles its own library once, in the sandbox."""
    Go.shared = tempfile.mkdtemp(prefix="nt-", dir=BASE)
    unittest.addModuleCleanup(Case.remove, Go.shared)
    Go.shared_home = os.path.join(Go.shared, "home")
    os.mkdir(Go.shared_home, 0o700)


class Go(Case):
    """The home is empty when the first test starts, whichever that is; every test takes away what it leaves elsewhere."""

    @classmethod
    def setUpClass(cls):
        cls.go = shutil.which("go", path=PATH)
        if cls.go is None:
            if REQUIRED:
                raise RuntimeError("there is no go on this machine")
            raise unittest.SkipTest("there is no go on this machine")

    def setUp(self):
        super().setUp()
        self.home = self.shared_home

    def env(self, **more):
        # Nothing is fetched in here: whatever is missing fails at once.
        return super().env(GOPROXY="off", GOTOOLCHAIN="local", **more)

    def module(self, name):
        """A fresh, writable copy of a module of ours."""
        path = os.path.join(self.base, name)
        shutil.copytree(os.path.join(SOURCES, name), path)
        return path

    def run_(self, *words, **more):
        more.setdefault("timeout", 110)
        return super().run_(*words, **more)


class Hello(Go):
    def test_1_an_empty_home_directory(self):
        where = self.module("hello")
        self.assertEqual(os.listdir(self.home), [])
        r = self.run_("--allow-cwd", "--", "go", "run", ".", cwd=where)
        self.check(r, 0, "hello, world\n", (), "[nono] warning")
        self.assertTrue(os.path.isdir(f"{self.home}/.cache/go-build"))
        self.assertEqual(os.stat(f"{self.home}/.cache/go-build").st_mode & 0o777, 0o700)
        self.assertEqual(os.listdir(f"{self.tmp}/nono-{os.geteuid()}"), [])
        self.assertEqual(sorted(os.listdir(where)), ["go.mod", "greet", "main.go"])

    def test_no_auto_groups(self):
        # What --allow-cwd alone gives is too little: the group that `go` brings along is what works above.
        r = self.run_("--no-auto-groups", "--allow-cwd", "--", "go", "run", ".", cwd=self.module("hello"))
        self.assertNotEqual(r.code, 0, r)
        self.assertEqual(r.out, b"")

    def test_without_the_working_directory(self):
        where = self.module("hello")
        r = self.run_("--", "go", "run", where, cwd=where)
        self.assertNotEqual(r.code, 0, r)
        self.assertEqual(r.out, b"")

    def test_asked_on_a_terminal(self):
        where = self.module("hello")
        for answer, granted in ((b"y\n", True), (b"n\n", False)):
            with self.subTest(answer=answer):
                t = self.terminal("run", *GO_DEV, "--", "go", "run", ".", cwd=where)
                self.assertTrue(t.expect(b"[y/N] "), t.out)
                t.send(answer)
                code = t.wait(90)
                self.assertEqual(code == 0, granted, t.out)
                self.assertEqual(b"hello, world\r\n" in t.out, granted, t.out)
                if not granted:
                    self.assertIn(f"[nono] The working directory '{where}' was not granted: add --allow-cwd.\r\n".encode(), t.out)

    def test_without_a_terminal(self):
        where = self.module("hello")
        r = self.run_(*GO_DEV, "--", "go", "run", ".", cwd=where)
        self.assertNotEqual(r.code, 0, r)
        self.check(r, r.code, b"", ["[nono] No terminal to ask on: going on without the working directory",
                                    f"[nono] The working directory '{where}' was not granted: add --allow-cwd.\n"])

    def test_build_and_test(self):
        where = self.module("hello")
        self.check(self.run_(*GO_DEV, "--allow-cwd", "--", "go", "build", "./...", cwd=where), 0)
        self.check(self.run_(*GO_DEV, "--allow-cwd", "--", "go", "build", "-o", "program", ".", cwd=where), 0)
        self.check(self.execute([f"{where}/program"]), 0, "hello, world\n")
        r = self.run_(*GO_DEV, "--allow-cwd", "--", "go", "test", "-count=1", "-v", "./...", cwd=where)
        self.check(r, 0, None)
        for name in (b"--- PASS: TestTo ", b"--- PASS: TestTempDir ", b"ok  \thello/greet\t"):
            self.assertIn(name, r.out, r)
        r = self.run_("--allow-cwd", "--", "go", "vet", "./...", cwd=where)
        self.check(r, 0)

    def test_sockets_and_modes_under_preemption(self):
        where = self.module("sockets")
        os.mkdir(f"{where}/changed")
        closed = self.file("closed", mode=0o600)
        self.check(self.run_(*GO_DEV, "--allow-cwd", "--", "go", "run", ".", cwd=where), 0, "ok\n")
        self.assertEqual({(os.stat(f"{where}/changed/{i}").st_mode & 0o777, os.stat(f"{where}/changed/{i}").st_mtime_ns) for i in range(50)},
                         {(0o640, 1_000_000_000_123_456_789)})
        self.assertEqual(os.stat(closed).st_mode & 0o777, 0o600)

    def test_a_program_that_does_not_compile(self):
        where = self.module("hello")
        self.file(f"{where}/main.go", "package main\n\nfunc main() { nothing() }\n")
        r = self.run_("--allow-cwd", "--", "go", "run", ".", cwd=where)
        self.assertIn(r.code, (1, 2), r)  # 2 up to Go 1.19
        self.check(r, r.code, b"", ["undefined: nothing", f"[nono] The command exited with code {r.code}.\n"])
        # Go's probing of the home directory is not followed by advice that nono itself refuses to take.
        self.assertNotIn("--allow ~/.config\n", r.text, r)

    def test_the_users_settings_are_followed(self):
        where = self.module("hello")
        cache = os.path.join(self.shared, "elsewhere")  # a build cache that is set, not the default
        if os.path.isdir(f"{self.home}/.cache/go-build"):
            shutil.copytree(f"{self.home}/.cache/go-build", cache)
        self.file(f"{self.home}/.config/go/env", f"GOCACHE={cache}\n")
        self.addCleanup(os.unlink, f"{self.home}/.config/go/env")
        r = self.run_("-v", *GO_DEV, "--allow-cwd", "--", "go", "env", "GOCACHE", cwd=where)
        self.check(r, 0, None, f"r+w  '{cache}' (dir)  [group:go_runtime")
        r = self.run_(*GO_DEV, "--allow-cwd", "--", "go", "run", ".", cwd=where)
        self.check(r, 0, "hello, world\n")


class Hostile(Go):
    def test_a_test_that_tries_everything(self):
        where = self.module("attempts")
        self.file(f"{self.home}/.ssh/id_ed25519", "KEY\n", 0o600)
        self.addCleanup(shutil.rmtree, f"{self.home}/.ssh")
        made = f"{self.home}/made"
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        victim = subprocess.Popen(["sleep", "300"], env=self.env())
        self.addCleanup(victim.wait)
        self.addCleanup(victim.kill)
        env = self.env(SERVER=f"127.0.0.1:{server.getsockname()[1]}", VICTIM=str(victim.pid), S3CRET="S3CRET_VALUE")
        with open("/proc/sys/dev/tty/legacy_tiocsti", encoding="ascii") as f:
            tiocsti = ROOT or f.read().strip() == "1"

        command = [self.go, "test", "-vet=off", "-count=1", "."]
        t = Terminal(command, {**env, "GOCACHE": f"{self.home}/.cache/go-build"}, where)
        self.assertEqual(t.wait(90), 1, t.out)
        for name in ("key", "home", "connect", "signal", "environ") + (("terminal",) if tiocsti else ()):
            self.assertIn(f"attempt {name}: ok\r\n".encode(), t.out)
        os.unlink(made)

        t = self.terminal("run", *GO_DEV, "--allow-cwd", "--", *command, env=env, cwd=where)
        self.assertEqual(t.wait(90), 1, t.out)
        for name, why in (("key", "permission denied"), ("home", "permission denied"), ("connect", "connection refused"),
                          ("signal", "operation not permitted"), ("environ", "permission denied"),
                          ("terminal", "operation not permitted")):
            self.assertIn(f"attempt {name}: {why}\r\n".encode(), t.out)
        self.assertFalse(os.path.exists(made))
        footer = t.out.partition(b"[nono] The sandbox refused:\r\n")[2].decode()
        self.assertIn(f"  read '{self.home}/.ssh/id_ed25519': denied by deny_credentials ", footer)
        self.assertIn(f"  create '{made}': ", footer)
        self.assertRegex(footer, r"  'signal 18 to process \d+': .*no flag grants it\r\n")
        self.assertRegex(footer, r"  'read /proc/\d+/environ': .*no flag grants it\r\n")
        self.assertIn("  TIOCSTI types into the terminal: ", footer)
        self.assertNotIn(b"S3CRET_VALUE", t.out)


class Modules(Go):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.cache = fetch()
        except (subprocess.SubprocessError, OSError) as why:
            said = getattr(why, "stderr", None) or b""
            message = f"the modules could not be fetched: {why} {said.decode(errors='replace')[-500:]}"
            if REQUIRED:
                raise RuntimeError(message) from why
            raise unittest.SkipTest(message) from why

    def env(self, **more):
        return super().env(GOMODCACHE=self.cache, **more)

    def build_and_test(self, module, at_least):
        where = os.path.join(self.base, "module")
        shutil.copytree(os.path.join(self.cache, module), where)
        for directory, _, files in os.walk(where):
            for path in [directory, *(os.path.join(directory, f) for f in files)]:
                os.chmod(path, 0o700 if os.path.isdir(path) else 0o600)
        start = time.monotonic()
        self.check(self.run_(*GO_DEV, "--allow-cwd", "--", "go", "build", "./...", cwd=where), 0)
        built = time.monotonic()
        r = self.run_(*GO_DEV, "--allow-cwd", "--", "go", "test", "-vet=off", "-ldflags=-s -w", "-count=1", "./...", cwd=where)
        self.check(r, 0, None)
        passed = r.out.decode().count("ok  \t")
        self.assertGreaterEqual(passed, at_least, r)
        self.assertNotIn(b"FAIL", r.out, r)
        print(f"{module}: {passed} packages; build {built - start:.1f} s, test {time.monotonic() - built:.1f} s", flush=True)

    def test_goldmark(self):
        self.build_and_test("github.com/yuin/goldmark@v1.8.7", MODULES["github.com/yuin/goldmark@v1.8.7"])

    def test_go_toml(self):
        self.build_and_test("github.com/pelletier/go-toml/v2@v2.4.3", MODULES["github.com/pelletier/go-toml/v2@v2.4.3"])

    def test_mux(self):
        self.build_and_test("github.com/gorilla/mux@v1.8.1", MODULES["github.com/gorilla/mux@v1.8.1"])

    def test_the_module_cache_cannot_be_changed(self):
        where = self.module("hello")
        path = f"{self.cache}/github.com/gorilla/mux@v1.8.1/mux.go"
        r = self.run_(*GO_DEV, "--allow-cwd", "--", "sh", "-c", f"grep -c package {path} && echo x >> {path}", cwd=where)
        self.assertNotEqual(r.code, 0, r)
        self.assertNotEqual(r.out, b"", "it can be read")
        if os.access(path, os.W_OK):
            self.assertIn(f"write '{path}'", r.text, r)


if __name__ == "__main__":
    main()
