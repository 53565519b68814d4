# SPDX-License-Identifier: Apache-2.0
"""nono credential, with a real keyring on a session bus of the test's own, in a home of its own; and without any."""
import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import termios

from harness import BIN, Case, Terminal, eventually, main, state_of

SECRET = b"S3CRET-key_0"
KEYRING = os.path.join(os.path.dirname(BIN), "nono-keyring")
DAEMON = "gnome-keyring-daemon"
TOOLS = ("dbus-daemon", DAEMON, "secret-tool", "gdbus")


class Credential(Case):
    def setUp(self):
        super().setUp()
        self.runtime = os.path.join(self.base, "r")
        os.mkdir(self.runtime, 0o700)
        self.bus = None

    def env(self, **more):
        return super().env(**{"XDG_RUNTIME_DIR": self.runtime, "DBUS_SESSION_BUS_ADDRESS": self.bus, **more})

    def start(self, command, **more):
        """A process that ends with the test."""
        p = subprocess.Popen(command, env=self.env(), cwd=self.work, stderr=subprocess.DEVNULL, **more)
        self.addCleanup(p.wait, 10)
        self.addCleanup(p.kill)
        for stream in (p.stdin, p.stdout):
            if stream is not None:
                self.addCleanup(stream.close)
        return p

    def start_bus(self):
        for tool in TOOLS:
            if shutil.which(tool) is None:
                self.not_here(f"{tool} is not installed")
        # A configuration without services: nothing is started that nobody asked for, such as a prompt for a password.
        config = self.file("bus.conf", f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
            "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd"><busconfig><type>session</type>
            <listen>unix:path={self.runtime}/test-bus</listen><auth>EXTERNAL</auth><policy context="default">
            <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>""")
        p = self.start(["dbus-daemon", "--nofork", "--print-address", f"--config-file={config}"], stdout=subprocess.PIPE)
        self.bus = p.stdout.readline().decode().strip()
        self.assertTrue(self.bus)

    def start_keyring(self):
        self.start_bus()
        p = self.start([DAEMON, "--foreground", "--unlock", "--components=secrets"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        p.stdin.write(b"password")
        p.stdin.close()
        self.assertTrue(eventually(lambda: self.call("org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner",
                                                     "org.freedesktop.secrets").out == b"(true,)\n"))
        self.assertTrue(eventually(lambda: b"collection/login" in self.call(
            "org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias", "default").out))

    def call(self, name, path, method, *words):
        return self.execute(["gdbus", "call", "--session", "--dest", name, "--object-path", path, "--method", method, *words])

    def lock(self):
        self.check(self.call("org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
                             "['/org/freedesktop/secrets/collection/login']"), 0, None)

    def tool(self, verb, *words, value=b""):
        label = ["--label", "of the test"] if verb == "store" else []
        return self.execute(["secret-tool", verb, *label, *words], stdin=value)

    def credential(self, *words, **more):
        r = self.nono("credential", *words, **more)
        self.assertNotIn(SECRET, r.out + r.err, r)
        return r

    def keyring(self, *words, **more):
        return self.execute([KEYRING, *words], **more)

    @staticmethod
    def attributes(account, service="nono"):
        return ["service", service, "username", account, "target", "default"]


class WithKeyring(Credential):
    def test_what_nono_stores_secret_tool_finds(self):
        self.start_keyring()
        self.check(self.credential("set", "openai", stdin=SECRET + b"\n"), 0, "Stored 'openai' in the keyring.\n")
        self.check(self.tool("lookup", *self.attributes("openai")), 0, SECRET)
        self.check(self.credential("set", "openai", stdin=b"another"), 0, None)
        self.check(self.tool("lookup", *self.attributes("openai")), 0, b"another")
        self.check(self.credential("set", "google-ai", "--service", "nono", stdin=SECRET), 0, None)
        self.check(self.credential("set", "a.b@c", "--service", "gh:github.com", stdin=SECRET), 0, None)
        self.check(self.tool("lookup", *self.attributes("a.b@c", "gh:github.com")), 0, SECRET)
        self.check(self.credential("list"), 0, "google-ai\nopenai\n")
        self.check(self.credential("list", "--service", "gh:github.com"), 0, "a.b@c\n")
        self.check(self.credential("list", "--service", "none"), 0, "")
        self.check(self.credential("remove", "openai"), 0, "Removed 'openai' from the keyring.\n")
        self.assertNotEqual(self.tool("lookup", *self.attributes("openai")).code, 0)
        self.one_line(self.credential("remove", "openai"), 1, "nono: Secret not found in keystore: openai; nono credential list "
                      "shows those that are there")
        self.check(self.credential("list"), 0, "google-ai\n")

    def test_what_secret_tool_stores_nono_finds(self):
        self.start_keyring()
        self.check(self.tool("store", *self.attributes("openai"), value=SECRET), 0)
        self.check(self.keyring("get", "nono", "openai"), 0, SECRET)
        self.check(self.credential("list"), 0, "openai\n")
        self.check(self.credential("set", "openai", stdin=b"second"), 0, None)  # in its place, not beside it
        self.check(self.tool("lookup", *self.attributes("openai")), 0, b"second")
        self.check(self.keyring("get", "nono", "openai"), 0, b"second")
        self.check(self.tool("store", *self.attributes("openai"), value=b"third"), 0)
        self.check(self.keyring("get", "nono", "openai"), 0, b"third")
        self.check(self.credential("remove", "openai"), 0, None)
        self.check(self.keyring("get", "nono", "openai"), 1)

    def test_what_others_store_without_a_target(self):
        self.start_keyring()
        self.check(self.tool("store", "service", "gh", "username", "me", value=b"theirs"), 0)
        self.check(self.keyring("get", "gh", "me"), 0, b"theirs")
        self.check(self.credential("set", "me", "--service", "gh", stdin=b"ours"), 0, None)
        self.check(self.keyring("get", "gh", "me"), 0, b"ours")
        self.check(self.credential("list", "--service", "gh"), 0, "me\n")
        self.check(self.credential("remove", "me", "--service", "gh"), 0, None)
        self.check(self.keyring("get", "gh", "me"), 0, b"theirs")
        self.check(self.credential("remove", "me", "--service", "gh"), 0, None)
        self.check(self.keyring("get", "gh", "me"), 1)

    def test_bytes_are_kept(self):
        self.start_keyring()
        for value in (b"x", b" a\tb \xc3\xa9 \n", bytes(range(1, 128)) * 8, b"x" * 65536):
            self.check(self.credential("set", "k", stdin=value + b"\n"), 0, None)
            self.check(self.keyring("get", "nono", "k"), 0, value)

    def test_names_cannot_forge_lines(self):
        self.start_keyring()
        self.check(self.tool("store", *self.attributes("a\x1b[31mb"), value=SECRET), 0)
        self.check(self.tool("store", *self.attributes("c\nd"), value=SECRET), 0)
        self.check(self.credential("list"), 0, "a\\x1b[31mb\n")

    def test_a_locked_keyring(self):
        self.start_keyring()
        self.check(self.credential("set", "openai", stdin=SECRET), 0, None)
        self.lock()
        locked = "nono: Failed to access system keystore: it is locked, and was not unlocked; unlock it in your desktop's password " \
                 "manager, and try again\n"
        self.one_line(self.credential("list"), 1, locked)
        self.one_line(self.credential("remove", "openai"), 1, locked)
        self.check(self.keyring("get", "nono", "openai"), 2, b"", locked.partition("keystore: ")[2])
        self.one_line(self.credential("set", "openai", stdin=b"other"), 1, "nono: Failed to access system keystore: it answers '",
                      "'; see that a keyring runs on this session's bus and is unlocked")

    def test_a_bus_without_a_keyring(self):
        self.start_bus()
        for words in (("list",), ("remove", "x"), ("set", "x")):
            self.one_line(self.credential(*words, stdin=SECRET), 1, "nono: Failed to access system keystore: it answers '",
                          "org.freedesktop.secrets", "'; see that a keyring runs on this session's bus and is unlocked")

    def test_a_bus_in_the_runtime_directory(self):
        self.start_keyring()
        os.symlink("test-bus", os.path.join(self.runtime, "bus"))
        self.bus = None
        self.check(self.credential("set", "openai", stdin=SECRET), 0, None)
        self.check(self.credential("list"), 0, "openai\n")

    def test_without_libsecret(self):
        """The loader takes the first file of that name; an empty one is no library."""
        self.start_keyring()
        self.file("lib/libsecret-1.so.0", "")
        words = "nono: Failed to access system keystore: libsecret-1.so.0 is not on this system; install it (libsecret-1-0, " \
                "libsecret), or name a secret of env:// or file://\n"
        self.one_line(self.credential("list", env=self.env(LD_LIBRARY_PATH=os.path.join(self.base, "lib"))), 1, words)


class WithoutKeyring(Credential):
    def test_no_session_bus(self):
        words = "nono: Failed to access system keystore: there is no session bus, on which it is reached (DBUS_SESSION_BUS_ADDRESS is " \
                "unset); log in to a session, start nono below dbus-run-session, or name a secret of env:// or file://\n"
        for env in (self.env(), self.env(XDG_RUNTIME_DIR=None, DISPLAY=":77"), self.env(DBUS_SESSION_BUS_ADDRESS=""),
                    self.env(DBUS_SESSION_BUS_ADDRESS="autolaunch:", DISPLAY=":77")):
            for command in (("list",), ("remove", "x"), ("set", "x")):
                self.one_line(self.credential(*command, stdin=SECRET, env=env), 1, words)
        self.one_line(self.credential("list", env=self.env(DBUS_SESSION_BUS_ADDRESS="unix:path=/none")), 1,
                      "nono: Failed to access system keystore: it answers '")

    def test_a_program_that_is_not_there(self):
        alone = os.path.join(self.base, "bin/nono")
        os.makedirs(os.path.dirname(alone))
        shutil.copy(BIN, alone)
        r = self.execute([alone, "credential", "list"])
        self.one_line(r, 1, f"nono: Failed to access system keystore: nono-keyring, which speaks to it, is not at '{alone}-keyring'; "
                      "install it there, or name a secret of env:// or file://\n")

    def test_a_secret_is_no_argument(self):
        words = "a secret in the list of arguments would be seen by every process, so credential set takes a NAME alone; type the " \
                "secret when it is asked for, or pipe it in"
        secret = SECRET.decode()
        for command in (("set", "openai", secret), ("set", "openai", secret, "more"), ("set", "openai", "--", secret),
                        ("set", "--service", "x", "openai", secret)):
            self.check(self.credential(*command), 2, b"", words)
        for command in (("set", "openai", "--value", secret), ("set", "openai", f"--value={secret}"), ("set", f"openai={secret}"),
                        ("set", f"{secret}!"), ("set", f"a?{secret}", "--service", "x")):
            self.check(self.credential(*command), 2, b"")

    def test_what_is_no_secret(self):
        for value, words in ((b"", "the secret is empty, so nothing was stored; type it, or pipe it in"),
                             (b"\n", "the secret is empty"),
                             (b"S3C\0RET", "the secret has a NUL byte, so nothing was stored; give one that is text"),
                             (b"x" * 65537, "the secret is longer than 65536 bytes, so nothing was stored; give one that is a key"),
                             (b"x" * 200000, "the secret is longer than 65536 bytes")):
            self.one_line(self.credential("set", "openai", stdin=value), 1, "nono: " + words)
        r = self.execute(["/bin/sh", "-c", f"exec {BIN} credential set x <&-"])
        self.one_line(r, 1, "nono: the secret is empty")
        self.one_line(self.execute(["/bin/sh", "-c", f"exec {BIN} credential set x </"]), 1,
                      "nono: standard input cannot be read: Is a directory")

    def test_the_helper_by_itself(self):
        words = "nono-keyring: `nono credential` starts this program; it is of no use by itself\n"
        for command in ((), ("get",), ("get", "a"), ("list",), ("list", "a", "b"), ("set", "a"), ("take", "a", "b"), ("get", "a", "b", "c")):
            self.check(self.keyring(*command), 64, b"", words)
        for value in (b"", b"a\0b", b"x" * 65537):
            self.check(self.keyring("set", "a", "b", stdin=value), 2, b"", "a secret has 1 to 65536 bytes and no NUL among them")

    def test_the_helper_is_not_readable_by_others(self):
        r, w = os.pipe()
        p = self.start([KEYRING, "set", "a", "b"], stdin=r)
        os.close(r)
        try:
            # Owned by root where a process is not dumpable, whoever runs it.
            self.assertTrue(eventually(lambda: self.not_dumpable(p.pid)), "dumpable")
            self.assertTrue(eventually(lambda: re.search(rb"Max core file size +0 +0 ", self.read(f"/proc/{p.pid}/limits"))), "core dumps")
        finally:
            os.close(w)

    @staticmethod
    def not_dumpable(pid):
        if os.geteuid() == 0:  # root's own files look the same; coredump_filter is not read, and limits say the rest
            return True
        with contextlib.suppress(OSError):
            return os.stat(f"/proc/{pid}/environ").st_uid == 0
        return False


class OnATerminal(Credential):
    PROMPT = b"Secret for 'openai': "

    def echoes(self, t):
        return bool(termios.tcgetattr(t.master)[3] & termios.ECHO)

    def asked(self):
        t = self.terminal("credential", "set", "openai")
        self.assertTrue(t.expect(self.PROMPT), t.out)
        self.assertFalse(self.echoes(t))
        return t

    def test_what_is_typed_is_not_shown(self):
        self.start_keyring()
        t = self.asked()
        t.send(SECRET + b"\nmore that was pasted\n")
        self.assertEqual(t.wait(), 0, t.out)
        self.assertEqual(t.out, self.PROMPT + b"\r\nStored 'openai' in the keyring.\r\n")
        self.check(self.keyring("get", "nono", "openai"), 0, SECRET)

    def test_a_helper_asks_on_the_terminal(self):
        self.file("tools/op", "#!/bin/sh\nsh -c 'printf Password: >/dev/tty; read word </dev/tty; echo \"$word\"'\n", 0o755)
        env = self.env(PATH=f"{self.base}/tools:{os.environ['PATH']}")
        t = self.terminal("run", "-s", "--env-credential", "op://vault/item/field=A", "--", "sh", "-c", "echo =$A=", env=env)
        self.assertTrue(t.expect(b"Password:"), t.out)
        t.send(b"typed-in\n")
        self.assertEqual(t.wait(), 0, t.out)
        self.assertIn(b"=typed-in=", t.out)
        # What is typed to end it ends all of it.
        t = self.terminal("run", "-s", "--env-credential", "op://vault/item/field=A", "--", "true", env=env)
        self.assertTrue(t.expect(b"Password:"), t.out)
        t.send(b"\x03")
        self.assertEqual(t.wait(), 128 + signal.SIGINT, t.out)

    def test_nothing_is_typed(self):
        for keys in (b"\n", b"\x04"):
            t = self.asked()
            t.send(keys)
            self.assertEqual(t.wait(), 1, t.out)
            self.assertIn(b"nono: the secret is empty", t.out)

    def test_a_line_that_the_terminal_would_cut(self):
        t = self.asked()
        for _ in range(10):
            t.send(b"x" * 500)
        t.send(b"\n")
        self.assertEqual(t.wait(), 1, t.out)
        self.assertIn(b"nono: a terminal's line has at most 4095 bytes, and more were typed; pipe the secret in", t.out)

    def ended(self, t, number):
        """How it ended, with the terminal as it was."""
        self.assertTrue(eventually(lambda: state_of(t.pid) in ("", "Z")), state_of(t.pid))
        self.assertTrue(self.echoes(t))
        self.assertEqual(t.wait(), 128 + number, t.out)
        self.assertNotIn(SECRET, t.out)

    def test_signals_put_the_terminal_right(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(signal=number):
                t = self.asked()
                t.send(SECRET)
                os.kill(t.pid, number)
                self.ended(t, number)
        t = self.asked()
        t.send(SECRET[:4] + b"\x03")  # Ctrl-C
        self.ended(t, signal.SIGINT)

    def test_stopped_and_continued(self):
        """Below a shell with job control: the leader of a session cannot be stopped by the terminal."""
        shell = subprocess.list2cmdline([BIN, "credential", "set", "openai"])
        t = Terminal(["/bin/sh", "-c", f"set -m; {shell}; echo back; sleep .1; read x; fg; echo ended $?"], self.env(), self.work)
        self.assertTrue(t.expect(self.PROMPT), t.out)
        self.assertFalse(self.echoes(t))
        t.send(SECRET[:3] + b"\x1a")  # Ctrl-Z
        self.assertTrue(t.expect(b"back"), t.out)
        self.assertTrue(eventually(lambda: self.echoes(t)))
        seen = len(t.out)
        t.send(b"go\n")
        self.assertTrue(eventually(lambda: not self.echoes(t)))
        self.assertTrue(t.expect(b"openai'"), t.out)
        t.expect(self.PROMPT, 1)
        self.assertIn(self.PROMPT, t.out[seen:])
        t.send(b"\n")
        self.assertTrue(t.expect(b"ended 1"), t.out)
        t.wait()
        self.assertNotIn(SECRET[:3], t.out)


class Installed(Credential):
    def test_nono_keyring_is_linked_to_libc_alone(self):
        self.assertTrue(stat.S_IXUSR & os.stat(KEYRING).st_mode)
        if shutil.which("readelf") is None:
            self.not_here("readelf is not installed")
        r = self.execute(["readelf", "-d", KEYRING])
        needed = [line.split("[")[1].rstrip("]") for line in r.out.decode().splitlines() if "(NEEDED)" in line]
        if any("asan" in name or "tsan" in name for name in needed):
            self.skipTest("a sanitizer's program")
        self.assertTrue(needed)
        self.assertLessEqual(set(needed), {"libc.so.6", "libdl.so.2", "ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2"}, r)


if __name__ == "__main__":
    main()
