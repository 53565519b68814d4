# SPDX-License-Identifier: Apache-2.0
"""A kernel that refuses rights which its ABI promises, as 5.14.0-611.el9 does: this one, with a supervisor around the
command that reads each ruleset which is asked for, and answers EINVAL for some rights."""
import ctypes
import fcntl
import os
import platform
import select
import socket
import struct
import subprocess
import threading

from harness import BIN, PYTHON, Case, Run, kernel_abi, main

IOCTL_DEV = 1 << 15
REFER = 1 << 13
SCOPES = 3
MISSING = "missing: fs.ioctl_dev, scope.signal, scope.abstract_unix_socket"

# Installs a filter that asks about landlock_create_ruleset(attr, size, 0), hands the listener over, and executes.
CHILD = """
import ctypes, os, platform, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def op(code, k, jt=0, jf=0): return struct.pack("HBBI", code, jt, jf, k)
program = (op(0x20, 0) + op(0x15, 444, 0, 3) + op(0x20, 32) + op(0x15, 0, 0, 1) + op(0x06, 0x7fc00000)
           + op(0x06, 0x7fff0000))
class Fprog(ctypes.Structure): _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
assert libc.prctl(38, 1, 0, 0, 0) == 0
number = {"x86_64": 317, "aarch64": 277}[platform.machine()]
listener = libc.syscall(number, 1, 8, ctypes.byref(Fprog(len(program) // 8, program)))
assert listener >= 0
with socket.socket(fileno=int(sys.argv[1])) as s: socket.send_fds(s, [b"x"], [listener])
os.close(listener)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Kernel(threading.Thread):
    """Answers EINVAL where a ruleset handles a right of `fs` or `scoped`, and lets the others pass. `asked` has all."""

    def __init__(self, theirs, fs, scoped):
        super().__init__(daemon=True)
        self.theirs, self.fs, self.scoped, self.asked = theirs, fs, scoped, []

    def run(self):
        with self.theirs:
            _, fds, _, _ = socket.recv_fds(self.theirs, 1, 1)
        if not fds:
            return
        poll = select.poll()
        poll.register(fds[0], select.POLLIN)
        while not poll.poll()[0][1] & select.POLLHUP:
            call = bytearray(80)
            try:
                fcntl.ioctl(fds[0], 0xC0502100, call)  # SECCOMP_IOCTL_NOTIF_RECV
                ident, pid = struct.unpack_from("QI", call)
                address, size = struct.unpack_from("QQ", call, 32)
                memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
                fs, net, scoped = struct.unpack("QQQ", os.pread(memory, size, address)[:24])
                os.close(memory)
                self.asked.append((fs, net, scoped))
                refused = fs & self.fs or scoped & self.scoped
                answer = struct.pack("QqiI", ident, 0, *((-22, 0) if refused else (0, 1)))
                fcntl.ioctl(fds[0], 0xC0182101, answer)  # SECCOMP_IOCTL_NOTIF_SEND
            except FileNotFoundError:
                pass  # it was killed meanwhile
        os.close(fds[0])


class Kernels(Case):
    def setUp(self):
        super().setUp()
        if kernel_abi() < 6:
            self.not_here("needs Landlock ABI 6, to take rights away from it")

    def under(self, *words, fs=IOCTL_DEV, scoped=SCOPES):
        ours, theirs = socket.socketpair()
        kernel = Kernel(ours, fs, scoped)
        kernel.start()
        command = [PYTHON, "-c", CHILD, str(theirs.fileno()), BIN, *words]
        with theirs:
            p = subprocess.Popen(command, env=self.env(), cwd=self.work, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()])
        out, err = p.communicate(timeout=60)
        kernel.join(10)
        self.assertFalse(kernel.is_alive())
        return Run(list(words), p.returncode, out, err, 0), kernel.asked

    def test_setup_says_what_is_missing(self):
        r, _ = self.under("setup", "--check-only")
        self.check(r, 0, None)
        self.assertRegex(r.out.decode(), rf"\nLandlock:  ABI {kernel_abi()} \(claimed\), as of Linux [0-9.]+, {MISSING}\n")
        for name in ("device_ioctl", "signals", "abstract_unix"):
            self.assertRegex(r.out.decode(), rf"\n  {name} +missing \(Linux")
        self.assertIn(b"Enforcement was seen", r.out)

    def test_it_confines_with_what_is_there_and_says_so(self):
        outside = self.file("home/secret", "SECRET\n")
        inside = self.file("work/f", "F\n")
        for verb in ("run", "wrap"):
            r, _ = self.under(verb, "--allow-cwd", "--", "cat", inside, outside)
            self.check(r, 1, "F\n")
            self.assertIn(f"  kernel  Landlock ABI {kernel_abi()} (claimed), {MISSING}; not protected here: device_ioctl (",
                          r.text)
            self.assertIn("Permission denied", r.text)
            r, _ = self.under(verb, "--dry-run", "--", "true")
            self.check(r, 0, b"")
            self.assertIn(f"(claimed), {MISSING};", r.text)

    def test_what_is_required_and_missing_is_an_error_that_names_it(self):
        made = os.path.join(self.work, "made")
        for words in (["run"], ["wrap"], ["run", "--dry-run"], ["wrap", "--dry-run"]):
            # What no kernel of this number has comes first, and then nothing is tried; a supervisor may have it.
            strict = "device_ioctl" if kernel_abi() >= 9 or words[0] == "run" else "pathname_unix"
            r, _ = self.under(*words, "--strict", "--allow-cwd", "--", "touch", made)
            self.one_line(r, 1, f"nono: this kernel cannot give what the policy requires: {strict} (")
            r, _ = self.under(*words, "--allow-cwd", "--", "touch", made, fs=0x1FFF)
            self.one_line(r, 1, "nono: this kernel cannot give what the policy requires: filesystem (",
                          "(claimed), missing: fs.execute, fs.write_file, ", "scope.signal")
            self.assertFalse(os.path.exists(made))

    def test_an_honest_kernel_is_asked_once(self):
        for words, own in ((["run"], [(REFER, 0, SCOPES)]), (["wrap"], []), (["run", "--dry-run"], [])):
            r, asked = self.under(*words, "--", "true", fs=0, scoped=0)
            self.check(r, 0, b"")
            self.assertEqual(asked[1:], own)  # the supervisor's own layer
        r, asked = self.under("run", "--", "true")
        self.check(r, 0, b"")
        self.assertEqual((asked[0][0] & IOCTL_DEV, asked[0][2]), (IOCTL_DEV, SCOPES))
        self.assertEqual((asked[-1][0] & IOCTL_DEV, asked[-1][2]), (0, 0))

    def test_a_kernel_that_takes_no_ruleset_at_all(self):
        made = os.path.join(self.work, "made")
        r, _ = self.under("run", "--allow-cwd", "--", "touch", made, fs=~0, scoped=~0)
        self.one_line(r, 1, "nono: ")
        self.assertFalse(os.path.exists(made))


if __name__ == "__main__":
    main()
