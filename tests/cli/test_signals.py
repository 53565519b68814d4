# SPDX-License-Identifier: Apache-2.0
"""Signals, the terminal's keys, job control, and what is left behind."""
import os
import signal
import subprocess
import time

from harness import BIN, PYTHON, Case, Terminal, children_of, confined, eventually, main, processes_with, state_of

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

# A shell's part of job control: runs argv[2:] in the foreground, tells when it stops, continues it once.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
try: os.setpgid(pid, pid)
except OSError: pass
while True:
    _, status = os.waitpid(pid, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpgrp())
    if not os.WIFSTOPPED(status): break
    print("shell: stopped by", os.WSTOPSIG(status), flush=True)
    sys.stdin.readline()
    print("shell: fg", flush=True)
    os.tcsetpgrp(0, pid)
    os.killpg(pid, signal.SIGCONT)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""


class Forwarding(Case):
    def start(self, *command, **more):
        """A run in a session of its own, so that nothing but our signals reaches it; waits for its first line."""
        more.setdefault("stderr", subprocess.DEVNULL)
        p = subprocess.Popen([BIN, "run", "--", *command, self.mark], env=self.env(), cwd=self.work,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True, **more)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        self.assertEqual(p.stdout.readline(), b"ready\n")
        self.assertTrue(confined(children_of(p.pid)[0]))
        return p

    @staticmethod
    def code(p):
        got = p.wait(20)
        return got if got >= 0 else 128 - got

    def test_they_end_the_command(self):
        for number in FORWARDED:
            with self.subTest(number=number):
                p = self.start("sh", "-c", "ulimit -c 0; echo ready; exec sleep 60")
                p.send_signal(number)
                self.assertEqual(self.code(p), 128 + number)
                self.assertEqual(processes_with(self.mark), [])

    def test_the_command_handles_them(self):
        for number in FORWARDED + (signal.SIGUSR1, signal.SIGUSR2):
            with self.subTest(number=number):
                code = (f"import os, signal, time\nsignal.signal({int(number)}, lambda *_: (os.write(1, b'got\\n'), os._exit(5)))\n"
                        "os.write(1, b'ready\\n')\nwhile True: time.sleep(0.05)")
                p = self.start(PYTHON, "-c", code)
                p.send_signal(number)
                self.assertEqual(p.stdout.readline(), b"got\n")
                self.assertEqual(self.code(p), 5)

    def test_one_that_the_command_ignores(self):
        p = self.start(PYTHON, "-c", "import signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                                     "print('ready', flush=True)\ntime.sleep(0.4); sys.exit(3)")
        p.send_signal(signal.SIGTERM)
        self.assertEqual(self.code(p), 3)

    def test_a_thousand_signals(self):
        code = """
import os, signal, time
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"."))
os.write(1, b"ready\\n")
while True: time.sleep(0.05)
"""
        p = self.start(PYTHON, "-c", code)
        for _ in range(1000):  # one after the other: each must arrive
            p.send_signal(signal.SIGUSR1)
            self.assertEqual(os.read(p.stdout.fileno(), 1), b".")
        for _ in range(1000):  # and all at once, which the kernel may merge
            p.send_signal(signal.SIGUSR1)
        p.send_signal(signal.SIGTERM)
        self.assertEqual(self.code(p), 128 + signal.SIGTERM)

    def test_while_many_calls_are_watched(self):
        code = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
os.write(1, b"ready\\n")
while True:
    try: os.open("/no/such/file", 0)
    except OSError: pass
"""
        p = self.start(PYTHON, "-c", code)
        time.sleep(0.2)
        p.send_signal(signal.SIGTERM)
        self.assertEqual(self.code(p), 9)

    def test_killing_nono_kills_the_command(self):
        for words in ([], ["--no-diagnostics"]):
            p = subprocess.Popen([BIN, "run", *words, "--", "sh", "-c", "echo ready; exec sleep 60", self.mark], env=self.env(),
                                 cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            with p:
                self.assertEqual(p.stdout.readline(), b"ready\n")
                inside, = children_of(p.pid)
                self.assertIn(state_of(inside), ("S", "R", "D"))
                p.kill()
            self.assertTrue(eventually(lambda: state_of(inside) in ("", "Z")), "the command lives on")


class Keys(Case):
    COUNT = """
import os, signal, sys, time
n = 0
def count(*_):
    global n
    n += 1
signal.signal(int(sys.argv[1]), count)
os.write(1, b"ready\\n")
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end: time.sleep(0.05)
print("count", n, flush=True)
sys.exit(3)
"""

    def test_ctrl_c_reaches_the_command_exactly_once(self):
        for key, number in ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)):
            with self.subTest(key=key):
                t = self.terminal("run", "--", PYTHON, "-c", self.COUNT, str(int(number)), "0.6")
                self.assertTrue(t.expect(b"ready\r\n"), t.out)
                t.send(key)
                self.assertEqual(t.wait(), 3, t.out)
                self.assertIn(b"count 1\r\n", t.out)

    def test_ctrl_c_twice(self):
        t = self.terminal("run", "--", PYTHON, "-c", self.COUNT, str(int(signal.SIGINT)), "0.8")
        self.assertTrue(t.expect(b"ready\r\n"), t.out)
        t.send(b"\x03")
        time.sleep(0.2)
        t.send(b"\x03")
        self.assertEqual(t.wait(), 3, t.out)
        self.assertIn(b"count 2\r\n", t.out)

    def test_a_command_that_ignores_ctrl_c(self):
        t = self.terminal("run", "--", "sh", "-c", "trap '' INT; echo ready; sleep 0.4; exit 3")
        self.assertTrue(t.expect(b"ready\r\n"), t.out)
        t.send(b"\x03")
        self.assertEqual(t.wait(), 3, t.out)

    def test_ctrl_c_ends_an_ordinary_command(self):
        t = self.terminal("run", "--", "sh", "-c", "echo ready; exec sleep 60")
        self.assertTrue(t.expect(b"ready\r\n"), t.out)
        t.send(b"\x03")
        self.assertEqual(t.wait(), 130, t.out)

    def test_a_terminal_that_goes_away(self):
        # Here nono leads the session, as under `ssh -t` and `xterm -e`: the kernel tells the leader alone.
        for leader in ([PYTHON, "-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"], [PYTHON, "-c", SHELL]):
            with self.subTest(leader=leader[2][:20]):
                t = Terminal([*leader, BIN, "run", "--", "sh", "-c", "echo ready; exec sleep 15", self.mark], self.env(), self.work)
                self.assertTrue(t.expect(b"ready\r\n"), t.out)
                self.assertNotEqual(processes_with(self.mark), [])
                os.close(t.master)
                gone = eventually(lambda: not processes_with(self.mark), 3)
                os.waitpid(t.pid, 0)
                self.assertTrue(gone, "the command outlives its terminal")


class JobControl(Case):
    TICKS = """
import os, signal, sys, time
signal.signal(signal.SIGCONT, lambda *_: (os.write(1, b"command: continued\\n"), sys.exit(7)))
os.write(1, b"ready\\n")
if len(sys.argv) > 1 and sys.argv[1] == "self": os.kill(os.getpid(), int(sys.argv[2]))
while True: time.sleep(0.05)  # short: Python sees a signal that comes just before a sleep only after it
"""

    def shell(self, *command, nono=True):
        words = [BIN, "run", "--", *command] if nono else [*command]
        return Terminal([PYTHON, "-c", SHELL, *words], self.env(), self.work)

    def stop_and_go(self, nono, key, *arguments, by=signal.SIGTSTP):
        t = self.shell(PYTHON, "-c", self.TICKS, *arguments, self.mark, nono=nono)
        self.assertTrue(t.expect(b"ready\r\n"), t.out)
        if key:
            t.send(key)
        self.assertTrue(t.expect(b"shell: stopped by %d\r\n" % by, 10), t.out)
        running = [p for p in processes_with(self.mark) if p != t.pid]
        self.assertEqual(len(running), 2 if nono else 1, t.out)
        self.assertTrue(eventually(lambda: {state_of(p) for p in running} == {"T"}, 3), [state_of(p) for p in running])
        self.assertNotIn(b"continued", t.out)
        t.send(b"\n")
        self.assertEqual(t.wait(), 7, t.out)
        self.assertIn(b"shell: fg\r\n", t.out)
        self.assertEqual(t.out.count(b"command: continued"), 1, t.out)
        return t

    def test_ctrl_z_and_fg(self):
        self.stop_and_go(False, b"\x1a")
        self.stop_and_go(True, b"\x1a")

    def test_a_command_that_stops_itself(self):
        for number in (signal.SIGSTOP, signal.SIGTSTP):
            with self.subTest(number=number):
                self.stop_and_go(False, b"", "self", str(int(number)), by=number)
                t = self.stop_and_go(True, b"", "self", str(int(number)), by=signal.SIGSTOP)
                self.assertIn(b"[nono] Session stopped.\r\n", t.out)

    def test_stopping_without_a_terminal_stops_the_command_alone(self):
        p = subprocess.Popen([BIN, "run", "--", PYTHON, "-c", self.TICKS, "self", str(int(signal.SIGSTOP)), self.mark],
                             env=self.env(), cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, start_new_session=True)
        with p:
            self.assertEqual(p.stdout.readline(), b"ready\n")
            inside, = children_of(p.pid)
            self.assertTrue(eventually(lambda: state_of(inside) == "T"))
            time.sleep(0.2)
            self.assertNotEqual(state_of(p.pid), "T")
            os.kill(inside, signal.SIGCONT)
            self.assertEqual(p.wait(10), 7)


class LeftBehind(Case):
    def test_a_background_process_goes_on(self):
        # It opens files after nono has ended: its calls must still be answered.
        script = ('(exec >/dev/null 2>&1 </dev/null; sleep 0.8; cat f > g 2> errors && ls . > listing && rm f && mv g h '
                  '&& echo done > end; cat /etc/shadow /no/such 2>> errors; sleep 0.3) & exit 4')
        for words in ([], ["--no-diagnostics"]):
            with self.subTest(words=words):
                for name in os.listdir(self.work):
                    os.unlink(os.path.join(self.work, name))
                self.file("work/f", "F\n")
                r = self.run_("--allow-cwd", *words, "--", "sh", "-c", script, self.mark)
                self.assertEqual((r.code, r.out), (4, b""), r)
                self.assertLess(r.seconds, 0.7)
                left = processes_with(self.mark)
                self.assertNotEqual(left, [], "nothing runs in the background: this test tests nothing")
                self.assertTrue(eventually(lambda: os.path.exists(f"{self.work}/end")), os.listdir(self.work))
                self.assertEqual(self.read(f"{self.work}/h"), b"F\n")
                self.assertFalse(os.path.exists(f"{self.work}/f"))
                self.assertTrue(eventually(lambda: not processes_with(self.mark), 5), "a helper is left behind")
                self.assertNotIn(b"Function not implemented", self.read(f"{self.work}/errors"))

    def test_the_helper_can_be_ended(self):
        script = f'{PYTHON} -c "import time; time.sleep(20)" {self.mark} >/dev/null 2>&1 </dev/null & exit 0'
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number=number):
                self.check(self.run_("--allow-cwd", "--", "sh", "-c", script), 0)
                def helpers():
                    return [p for p in processes_with(self.mark) if p in processes_with("--allow-cwd")]
                helper, = helpers()
                os.kill(helper, number)
                ended = eventually(lambda: not helpers(), 5)
                for pid in processes_with(self.mark):
                    os.kill(pid, signal.SIGKILL)
                self.assertTrue(ended, f"{helper} is still there")

    def test_the_helper_holds_no_pipe_open(self):
        # `nono run ... | cat` ends when nono does, though a process was left behind.
        start = time.monotonic()
        r = self.execute(["sh", "-c", f'"{BIN}" run --allow-cwd -- sh -c "(exec >/dev/null 2>&1 </dev/null; sleep 3) & echo out" {self.mark} 2>&1 | tail -n 1'])
        self.assertEqual((r.code, r.out), (0, b"out\n"), r)
        self.assertLess(time.monotonic() - start, 2.5)
        self.assertTrue(eventually(lambda: not processes_with(self.mark)))

    def test_two_hundred_runs_leave_nothing(self):
        parent = os.path.join(self.tmp, f"nono-{os.geteuid()}")
        for i in range(200):
            r = self.execute([BIN, "run", "--", "sh", "-c", 'echo x > "$TMPDIR/f"; exit ' + str(i % 3), self.mark])
            self.assertEqual(r.code, i % 3, r)
        self.assertEqual(os.listdir(parent), [])
        self.assertEqual(processes_with(self.mark), [])

    def test_many_runs_at_once(self):
        runs = [subprocess.Popen([BIN, "run", "--", "sh", "-c", 'echo x > "$TMPDIR/f" && cat "$TMPDIR/f"', self.mark],
                                 env=self.env(), cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE) for _ in range(20)]
        for p in runs:
            out, err = p.communicate(timeout=30)
            self.assertEqual((p.returncode, out), (0, b"x\n"), err)
        self.assertEqual(os.listdir(os.path.join(self.tmp, f"nono-{os.geteuid()}")), [])
        self.assertEqual(processes_with(self.mark), [])


if __name__ == "__main__":
    main()
