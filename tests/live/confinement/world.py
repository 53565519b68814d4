# SPDX-License-Identifier: Apache-2.0
"""The world outside: what attempts go for, made afresh for each try, and looked at before and after."""
import contextlib
import ctypes
import fcntl
import os
import platform
import pty
import resource
import secrets
import selectors
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import threading

# Not below /tmp, which nono's default groups let be written.
BASE = "/var/tmp"
ROOT = os.geteuid() == 0

libc = ctypes.CDLL(None, use_errno=True)
CALLS = {"x86_64": {"add_key": 248, "keyctl": 250, "ioprio_get": 252},
         "aarch64": {"add_key": 217, "keyctl": 219, "ioprio_get": 31}}[platform.machine()]
KEY_NAME, SESSION, KEY_JOIN, KEY_UNLINK, KEY_READ = b"nono-confinement", -3, 1, 9, 11
IPC_CREAT, IPC_RMID, IPC_STAT, SEM_GETVAL, SEM_SETVAL = 0o1000, 0, 2, 12, 16
FS_IOC_GETFLAGS = 0x80086601


def call(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def syscall(name, *args):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return call(libc.syscall(ctypes.c_long(CALLS[name]), *words), name)


class KeyRing:
    """A session key ring of the driver's own, which its children inherit, with one secret key."""

    def __init__(self, secret):
        self.usable = True
        try:
            syscall("keyctl", KEY_JOIN, None)
            self.key = syscall("add_key", b"user", KEY_NAME, secret.encode(), len(secret), SESSION)
        except OSError:
            self.usable = False

    def keys(self):
        if not self.usable:
            return ()
        ids = (ctypes.c_int32 * 64)()
        size = syscall("keyctl", KEY_READ, SESSION, ids, ctypes.sizeof(ids))
        return tuple(ids[: size // 4])

    def restore(self):
        for key in self.keys():
            if key != self.key:
                syscall("keyctl", KEY_UNLINK, key, SESSION)


class Ipc:
    """A System V segment, semaphore and queue, a POSIX queue, POSIX shared memory."""

    class Message(ctypes.Structure):
        _fields_ = [("type", ctypes.c_long), ("text", ctypes.c_char * 64)]

    def __init__(self, mark, secret):
        libc.shmat.restype = ctypes.c_void_p
        self.shm = call(libc.shmget(0, 4096, IPC_CREAT | 0o600), "shmget")
        self.sem = call(libc.semget(0, 1, IPC_CREAT | 0o600), "semget")
        self.msg = call(libc.msgget(0, IPC_CREAT | 0o600), "msgget")
        at = ctypes.c_void_p(libc.shmat(self.shm, None, 0))
        ctypes.memmove(at, secret.encode(), len(secret))
        libc.shmdt(at)
        call(libc.semctl(self.sem, 0, SEM_SETVAL, 1), "semctl")
        message = self.Message(1, secret.encode())
        call(libc.msgsnd(self.msg, ctypes.byref(message), len(message.text), 0), "msgsnd")
        self.mq = f"/{mark}"
        attributes = (ctypes.c_long * 8)(0, 4, 256)
        self.queue = call(libc.mq_open(self.mq.encode(), os.O_CREAT | os.O_RDWR, 0o600, attributes), "mq_open")
        call(libc.mq_send(self.queue, secret.encode(), len(secret), 0), "mq_send")
        self.memory = mark
        with open(f"/dev/shm/{mark}", "w", encoding="ascii") as f:
            f.write(secret)

    def state(self):
        status = ctypes.create_string_buffer(512)
        libc.msgctl(self.msg, IPC_STAT, status)
        messages = int.from_bytes(status.raw[80:88], "little")  # msg_qnum
        waiting = (ctypes.c_long * 8)()
        libc.mq_getattr(self.queue, waiting)
        return libc.semctl(self.sem, 0, SEM_GETVAL), messages, waiting[3]

    def remove(self):
        libc.shmctl(self.shm, IPC_RMID, None)
        libc.semctl(self.sem, 0, IPC_RMID, 0)
        libc.msgctl(self.msg, IPC_RMID, None)
        os.close(self.queue)
        libc.mq_unlink(self.mq.encode())
        with contextlib.suppress(OSError):
            os.unlink(f"/dev/shm/{self.memory}")


class Services:
    """Everything that listens outside, in one thread: it answers with the secret, and counts what arrives."""

    def __init__(self, world):
        self.world, self.arrived = world, []
        self.selector = selectors.DefaultSelector()
        self.wake, self.stop_end = socket.socketpair()
        self.selector.register(self.stop_end, selectors.EVENT_READ, None)
        self.ports = {
            "tcp": self.listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": self.listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "tcp6": 0,
        }
        with contextlib.suppress(OSError):
            self.ports["tcp6"] = self.listen(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0))
        for name, kind in (("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM),
                           ("seqpacket", socket.SOCK_SEQPACKET)):
            self.listen(socket.AF_UNIX, kind, f"{world.outside}/{name}")
            self.listen(socket.AF_UNIX, kind, f"\0{world.mark}-{name}")
        self.inherited, ours = socket.socketpair()
        self.selector.register(ours, selectors.EVENT_READ, self.answer)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def listen(self, family, kind, at):
        s = socket.socket(family, kind)
        s.bind(at)
        if kind != socket.SOCK_DGRAM:
            s.listen(8)
        self.selector.register(s, selectors.EVENT_READ, self.receive if kind == socket.SOCK_DGRAM else self.accept)
        return s.getsockname()[1] if family != socket.AF_UNIX else 0

    def watch_terminal(self, master, name):
        self.selector.register(master, selectors.EVENT_READ, lambda fd: self.read_terminal(fd, name))

    def read_terminal(self, fd, name):
        try:
            text = os.read(fd, 4096)
        except OSError:  # nobody has the other side open
            text = b""
        if text:
            self.arrived.append(f"{name}: {text!r}")
        else:
            self.selector.unregister(fd)

    def accept(self, s):
        connection, _ = s.accept()
        self.arrived.append("a connection")
        self.selector.register(connection, selectors.EVENT_READ, self.answer)

    def answer(self, s):
        try:
            text = s.recv(256)
            if text:
                self.arrived.append("data on a connection")
            if text == b"descriptor":
                with open(f"{self.world.outside}/secret", "rb") as f:
                    socket.send_fds(s, [b"x"], [f.fileno()])
            elif text:
                s.sendall(self.world.secret.encode())
                return
        except OSError:
            pass
        self.selector.unregister(s)
        s.close()

    def receive(self, s):
        _, sender = s.recvfrom(256)
        self.arrived.append("a datagram")
        with contextlib.suppress(OSError):
            if sender:
                s.sendto(self.world.secret.encode(), sender)

    def serve(self):
        stopping = False
        while True:
            ready = self.selector.select(0 if stopping else None)
            if stopping and not [k for k, _ in ready if k.data]:
                return
            for key, _ in ready:
                if key.data is None:
                    stopping = True
                else:
                    key.data(key.fileobj)

    def stop(self):
        """Takes in what has arrived by now, and ends."""
        self.wake.send(b"x")
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            if not isinstance(key.fileobj, int):
                key.fileobj.close()
        self.selector.close()
        self.wake.close()
        self.inherited.close()


class World:
    """One world, for one try."""

    def __init__(self, attempts, ring, bare):
        self.secret = ring.secret if ring.usable else secrets.token_hex(12)
        self.ring = ring
        self.base = tempfile.mkdtemp(prefix="nono-confinement-", dir=BASE)
        os.chmod(self.base, 0o755)
        self.mark = os.path.basename(self.base)
        self.outside, self.work, self.shared, self.home, self.bin = (
            os.path.join(self.base, n) for n in ("outside", "work", "shared", "home", "bin"))
        self.make_files(attempts)
        self.ipc = Ipc(self.mark, self.secret)
        self.services = Services(self)
        self.make_terminals()
        self.make_victim()
        self.descriptors = {"fd_read": os.open(f"{self.outside}/secret", os.O_RDONLY),
                            "fd_write": os.open(f"{self.outside}/file", os.O_WRONLY | os.O_APPEND),
                            "fd_directory": os.open(self.outside, os.O_RDONLY | os.O_DIRECTORY),
                            "fd_socket": self.services.inherited.fileno()}
        self.write_facts(bare)
        self.before = self.state()

    def make_files(self, attempts):
        for directory in (self.outside, self.work, self.shared, self.home, self.bin, f"{self.outside}/empty"):
            os.mkdir(directory)
        os.chmod(self.home, 0o700)

        def write(path, text, mode=0o644):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            os.chmod(path, mode)

        write(f"{self.outside}/secret", self.secret + "\n", 0o600)
        write(f"{self.outside}/file", "before\n")
        write(f"{self.outside}/program", f"#!/bin/sh\necho {self.secret}\n", 0o755)
        write(f"{self.outside}/named-{self.secret}", "")
        write(f"{self.shared}/file", "before\n")
        write(f"{self.work}/own", "own\n")
        os.symlink(f"somewhere/{self.secret}", f"{self.outside}/points")
        os.symlink("../outside/secret", f"{self.work}/link")
        os.symlink("../outside/file", f"{self.work}/link_to_file")
        os.symlink("../outside/stream", f"{self.work}/link_to_socket")
        os.link(f"{self.outside}/secret", f"{self.work}/hard_link")
        with contextlib.suppress(OSError):  # not every file system has them
            os.setxattr(f"{self.outside}/secret", "user.nono", self.secret.encode())
        self.program = f"{self.bin}/attempts"
        shutil.copy2(attempts, self.program)

    def make_terminals(self):
        self.master, self.slave = pty.openpty()
        self.other_master, self.other_slave = pty.openpty()
        self.services.watch_terminal(self.master, "terminal")
        self.services.watch_terminal(self.other_master, "other terminal")

    def make_victim(self):
        # The secret is in its environment, its command line and its memory, and behind its descriptor.
        self.victim = subprocess.Popen(
            [self.program, "victim", f"{self.outside}/secret", self.secret], stdout=subprocess.PIPE, process_group=0,
            stdin=subprocess.DEVNULL, cwd=self.outside, env={"VICTIM_SECRET": self.secret})
        self.secret_at, self.buffer_at, self.victim_fd = self.victim.stdout.readline().decode().split()

    def disk(self):
        """The disk that holds all this, if there is one."""
        device = os.stat(self.base).st_dev
        link = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"
        path = "/dev/" + os.path.basename(os.path.realpath(link))
        try:
            with open(path, "rb"):
                return path if os.path.exists(link) else ""
        except OSError:  # a container's root may have none, or not this one
            return ""

    def write_facts(self, bare):
        facts = {
            "bare": int(bare), "outside": self.outside, "work": self.work, "shared": self.shared, "disk": self.disk(),
            "victim": self.victim.pid, "victim_fd": self.victim_fd, "secret_at": self.secret_at,
            "buffer_at": self.buffer_at, **self.services.ports,
            "shm": self.ipc.shm, "sem": self.ipc.sem, "msg": self.ipc.msg, "mq": self.ipc.mq,
            "posix_shm": self.ipc.memory, "key": KEY_NAME.decode(), "other_terminal": os.ttyname(self.other_slave),
            **{f"abstract_{kind}": f"{self.mark}-{kind}" for kind in ("stream", "datagram", "seqpacket")},
            **self.descriptors,
        }
        self.facts = f"{self.work}/facts"
        with open(self.facts, "w", encoding="ascii") as f:
            f.writelines(f"{key}={value}\n" for key, value in facts.items())

    def environment(self):
        """What the user's shell holds: keys, and variables that make programs run something."""
        return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": self.home, "LANG": "C.UTF-8",
                "LD_PRELOAD": f"/nowhere/{self.secret}.so", "BASH_ENV": f"/nowhere/{self.secret}",
                "NODE_OPTIONS": f"--require=/nowhere/{self.secret}", "OP_SERVICE_ACCOUNT_TOKEN": self.secret,
                "AWS_SECRET_ACCESS_KEY": self.secret}

    # ---- what is seen from outside ----

    def files(self):
        seen = {}
        for top in (self.outside, self.shared):
            for directory, directories, names in os.walk(top):
                for path in [directory, *(os.path.join(directory, n) for n in directories + names)]:
                    st = os.lstat(path)
                    seen[path] = (st.st_mode, st.st_uid, st.st_gid, st.st_size, st.st_mtime_ns, st.st_nlink, st.st_ino)
                    with contextlib.suppress(OSError):
                        seen[path] += tuple((a, os.getxattr(path, a, follow_symlinks=False))
                                            for a in os.listxattr(path, follow_symlinks=False))
        for path in (f"{self.outside}/file", f"{self.shared}/file"):
            with contextlib.suppress(OSError), open(path, "rb") as f:
                flags = ctypes.c_long(0)
                seen[f"content of {path}"] = f.read()
                fcntl.ioctl(f, FS_IOC_GETFLAGS, flags)
                seen[f"flags of {path}"] = flags.value
        return seen

    def process(self):
        pid = self.victim.pid
        if self.victim.poll() is not None:
            return {"victim": "dead"}
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(int(self.buffer_at, 16))
            buffer = memory.read(64)
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as f:
            score = f.read()
        return {"victim": "alive", "its memory": buffer, "its score": score,
                "its limit": resource.prlimit(pid, resource.RLIMIT_CPU),
                "its priority": os.getpriority(os.PRIO_PROCESS, pid), "its policy": os.sched_getscheduler(pid),
                "its I/O priority": syscall("ioprio_get", 1, pid), "its processors": os.sched_getaffinity(pid)}

    def state(self):
        with os.scandir(self.work) as entries:
            setuid = any(e.stat(follow_symlinks=False).st_mode & stat.S_ISUID for e in entries)
        late = os.path.exists(f"{self.work}/late")
        return {**self.files(), **self.process(), "setuid programs": setuid, "late": late, "IPC": self.ipc.state(),
                "keys": self.ring.keys()}

    def changes(self, patience=0.0):
        """What differs from the beginning, and what has arrived. The services end with it.

        patience: seconds to wait for something to arrive; what is typed into a terminal comes out of it by a work queue."""
        end = time.monotonic() + patience
        while not self.services.arrived and time.monotonic() < end:
            time.sleep(0.005)
        with contextlib.suppress(subprocess.TimeoutExpired):  # a signal takes a moment
            self.victim.wait(0.003)
        after = self.state()
        self.services.stop()
        changed = sorted(k for k in self.before.keys() | after.keys() if self.before.get(k) != after.get(k))
        return [os.path.relpath(k, self.base) if k.startswith("/") else k for k in changed] + self.services.arrived

    def remove(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.victim.pid, signal.SIGKILL)
        self.victim.wait()
        self.victim.stdout.close()
        for name, fd in self.descriptors.items():
            if name != "fd_socket":
                os.close(fd)
        for fd in (self.master, self.slave, self.other_master, self.other_slave):
            os.close(fd)
        self.ipc.remove()
        self.ring.restore()
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            for mount in [line.split()[4] for line in f if self.base in line]:
                call(libc.umount2(mount.encode(), 2), "umount2")
        shutil.rmtree(self.base)
