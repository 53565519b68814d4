# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command share: a home and a scratch parent of their own, runs of $NONO_BIN, terminals."""
import contextlib
import ctypes
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BIN = os.environ.get("NONO_BIN", "")
PYTHON = "/usr/bin/python3"
ROOT = os.geteuid() == 0
REQUIRED = os.environ.get("NONO_REQUIRE_LIVE") == "1" or os.environ.get("CI") in ("1", "true")
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/go/bin"
# Not below /tmp: the default groups let /tmp be written, but for a home that lies in it.
BASE = "/var/tmp"


def kernel_abi():
    """The Landlock ABI as the kernel tells it: landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)."""
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1)


# In front of a shell script: it goes on in a sandbox only.
CONFINED = "grep -q '^Seccomp:.2$' /proc/self/status || exit 99; "


class Run:
    """What came of a command."""

    def __init__(self, command, code, out, err, seconds):
        self.command, self.code, self.out, self.err, self.seconds = command, code, out, err, seconds

    @property
    def text(self):
        return self.err.decode("utf-8", "backslashreplace")

    def __str__(self):
        command = [w if len(w) < 200 else w[:60] for w in self.command]
        return f"{command}\n-> {self.code}\nstdout: {self.out[-3000:]!r}\nstderr:\n{self.text[-6000:]}"


def processes_with(mark):
    """The processes that have `mark` on their command line; zombies have none left."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as f:
                if mark.encode() in f.read():
                    found.append(int(name))
    return found


def processes_of(program):
    """The processes that execute the file `program`, and no copy of it: another test may run one meanwhile."""
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.readlink(f"/proc/{name}/exe") == program:
                found.append(int(name))
    return found


def state_of(pid):
    """The state letter of a process; "" when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def confined(pid):
    """True when a seccomp filter is in force in a process."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
        return "\nSeccomp:\t2\n" in f.read()


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(p) for p in f.read().split()]


def eventually(true, seconds=10.0):
    """Waits until `true()` is; what it gave last."""
    end = time.monotonic() + seconds
    while True:
        got = true()
        if got or time.monotonic() > end:
            return got
        time.sleep(0.01)


class Terminal:
    """A process on a terminal of its own, as its session's leader and in its foreground."""

    def __init__(self, command, env, cwd):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                os.execve(command[0], command, env)
            finally:
                os._exit(99)
        self.out = b""

    def _read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], max(seconds, 0))
        if not ready:
            return False
        try:
            got = os.read(self.master, 65536)
        except OSError:  # EIO: nobody has the other side open
            return False
        self.out += got
        return bool(got)

    def expect(self, text, seconds=20.0):
        """Reads until `text` has appeared; True if it did."""
        end = time.monotonic() + seconds
        while text not in self.out and time.monotonic() < end:
            if not self._read(min(0.2, end - time.monotonic())) and state_of(self.pid) in ("", "Z"):
                break
        while self._read(0):
            pass
        return text in self.out

    def send(self, text):
        os.write(self.master, text)

    def wait(self, seconds=30.0):
        """The exit status as a shell says it; -1 if it did not end in time (it is killed then)."""
        end = time.monotonic() + seconds
        while True:
            self._read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                status = None
                break
        while self._read(0.05):
            pass
        os.close(self.master)
        if status is None:
            return -1
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code


class Case(unittest.TestCase):
    """Each test has its own `home`, `work` (where it starts) and `tmp` (TMPDIR), side by side below `base`."""

    maxDiff = None

    def setUp(self):
        # "nt-" and 8 letters: TMPDIR must stay below 40 bytes to be taken.
        self.base = tempfile.mkdtemp(prefix="nt-", dir=BASE)
        self.addCleanup(self.remove, self.base)
        self.home, self.work, self.tmp = (os.path.join(self.base, n) for n in ("home", "work", "t"))
        for directory in (self.home, self.work, self.tmp):
            os.mkdir(directory, 0o700)
        self.mark = os.path.basename(self.base)

    @staticmethod
    def remove(path):
        for directory, names, _ in os.walk(path):  # from above: what is closed is opened before it is entered
            for name in names:
                if not os.path.islink(os.path.join(directory, name)):
                    with contextlib.suppress(OSError):
                        os.chmod(os.path.join(directory, name), 0o700)
        shutil.rmtree(path, ignore_errors=True)

    def env(self, **more):
        """A small environment; None takes a variable out."""
        env = {"PATH": PATH, "HOME": self.home, "TMPDIR": self.tmp, "LANG": "C.UTF-8", "TERM": "dumb"}
        env.update(more)
        return {k: v for k, v in env.items() if v is not None}

    def execute(self, command, *, env=None, cwd=None, stdin=subprocess.DEVNULL, timeout=60, **more):
        """Runs any command."""
        start = time.monotonic()
        feed = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        done = subprocess.run(command, env=self.env() if env is None else env, cwd=cwd or self.work,
                              timeout=timeout, check=False, **feed, **more)
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return Run(command, code, done.stdout or b"", done.stderr or b"", time.monotonic() - start)

    def nono(self, *words, **more):
        """Runs nono. Whatever comes of it: its standard error holds no escape sequence and valid UTF-8 alone."""
        r = self.execute([BIN, *words], **more)
        self.assertNotIn(b"\x1b", r.err, r)
        try:
            r.err.decode("utf-8")
        except UnicodeDecodeError as why:
            self.fail(f"standard error is not UTF-8: {why}\n{r}")
        return r

    def run_(self, *words, **more):
        return self.nono("run", *words, **more)

    def check(self, r, code, out=b"", err=(), not_err=()):
        """Exactly this exit code and standard output; these texts in standard error, and those not."""
        self.assertEqual(r.code, code, r)
        if out is not None:
            self.assertEqual(r.out, out.encode() if isinstance(out, str) else out, r)
        for text in [err] if isinstance(err, str) else err:
            self.assertIn(text, r.text, r)
        for text in [not_err] if isinstance(not_err, str) else not_err:
            self.assertNotIn(text, r.text, r)
        return r

    def one_line(self, r, code, *texts):
        """Nothing but one line of nono's own, of the form of its errors."""
        self.check(r, code, b"", texts)
        self.assertTrue(r.text.startswith("nono: ") and r.text.endswith("\n"), r)
        self.assertEqual(r.text.count("\n"), 1, r)
        return r

    def audit(self):
        """What nono's proxies have decided in runs of this home."""
        events = []
        for directory, _, files in os.walk(os.path.join(self.home, ".local/state/nono/audit")):
            for name in files:
                with open(os.path.join(directory, name), encoding="utf-8") as f:
                    events += [json.loads(line) for line in f]
        return events

    def terminal(self, *words, env=None, cwd=None):
        return Terminal([BIN, *words], self.env() if env is None else env, cwd or self.work)

    def file(self, name, text="text\n", mode=None):
        """Writes a file below `base` (or by absolute name) with its directories; gives back its path."""
        path = os.path.join(self.base, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)
        if mode is not None:
            os.chmod(path, mode)
        return path

    def directory(self, name):
        path = os.path.join(self.base, name)
        os.makedirs(path, exist_ok=True)
        return path

    def read(self, path):
        with open(path, "rb") as f:
            return f.read()

    def not_here(self, why):
        """A part that this machine cannot do: skipped aloud, or a failure where nothing may be skipped."""
        if REQUIRED:
            self.fail(f"not tested, though nothing may be skipped: {why}")
        self.skipTest(why)


def main():
    if not BIN:
        print("NONO_BIN is not set: it names the nono to test", file=sys.stderr)
        sys.exit(1)
    check = subprocess.run([BIN, "setup", "--check-only"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if check.returncode != 0 and b"Enforcement was NOT seen" in check.stdout and not REQUIRED:
        print("skipped: this system does not enforce what nono asks for", file=sys.stderr)
        sys.exit(77)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):  # a shell's background job is started with some ignored
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    start = time.monotonic()
    program = unittest.main(module="__main__", exit=False, verbosity=1)
    print(f"{program.result.testsRun} tests in {time.monotonic() - start:.1f} s as uid {os.geteuid()}", file=sys.stderr)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun else 1)
