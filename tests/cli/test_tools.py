# SPDX-License-Identifier: Apache-2.0
"""Ordinary tools do their jobs inside as they do outside, though a supervisor decides modes, times and connections."""
import fcntl
import functools
import http.server
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

from harness import BIN, PYTHON, Case, children_of, eventually, main, processes_with, state_of

OLD = 1_000_000_000  # the time of all that a test finds; what is later than the test's start is "now"
GETFLAGS = 0x80086601  # FS_IOC_GETFLAGS

# Done in a directory that holds what fixture() makes; the words name the tools. Each of them must change something.
FILES = {
    "chmod": "chmod 640 f; chmod -R u+x,o-r d; chmod g-x x",
    "touch": "touch -d '2003-04-05 06:07:08.123456789 UTC' f; touch -h -d '2004-01-01 UTC' l; touch -r f d; touch -m -d @1000000001 x",
    "chown": "chown $(id -u):$(id -g) f; chown -hR $(id -u) d l; chgrp $(id -g) x; touch done",
    "cp": "cp -p f copied; cp -a d all; cp -a l link; cp --preserve=xattr f attributes; cp --attributes-only -p x only",
    "install": "install -m 750 -D f to/g; install -d -m 711 e; install -p -m 604 x e/y",
    "mv": "mkdir e; mv f x e/; mv d e/; mv e/f here; mv -T l e/l",
    "ln": "ln f hard; ln -s f soft; ln -sfn d/g l",
    "tar": "tar -cf t --format=posix --xattrs f d l x; mkdir e; tar -xpf t --xattrs -C e; rm t",
    "gzip": "gzip -k f; gzip x; touch -r f f.gz x.gz; gunzip x.gz",
    "rsync": "mkdir e; rsync -aX f d l x e/; rsync -a --chmod=F600 f e/g; rsync -a --delete d/ e/d/",
    "setfattr": "setfattr -n user.a -v 1 f; setfattr -x user.nono f; setfattr -n user.b -v 2 d; getfattr -d --absolute-names f d",
    "chattr": "chattr +d f; chattr +A d",
    "mktemp": "t=$(mktemp -p .); echo x > $t; mv $t g; e=$(mktemp -d ./XXXXXXXX); touch $e/h; mv $e e",
    "sed": "sed -i s/t/T/ f; sed -i.bak s/e/E/ x",
    "make": "printf 'all: a b c\\n%%:\\n\\tinstall -m 640 f $@; chmod u+x $@\\n' > Makefile; make -s -j4 all; touch -r f a b c",
    "g++": "echo 'int main() {}' > p.cpp; g++ -w p.cpp -o p; ./p; g++ -c p.cpp; ar rc p.a p.o; rm p p.o p.a; touch -r f p.cpp",
    "find": "find . -type f -exec chmod 600 {} + -exec touch -d @1000000002 {} ';'",
    "perl": "perl -e 'chmod(0611, \"f\") == 1 && utime(7, 8, \"x\", \"d\") == 2 && chown(-1, -1, \"f\") == 1 or die $!'",
}
# In the installed packages of scripts/install-deps, or of every Debian; others may be missing.
REQUIRED_TOOLS = {"chmod", "touch", "chown", "cp", "install", "mv", "ln", "tar", "gzip", "rsync", "setfattr", "mktemp", "sed", "make", "g++",
                  "find", "git"}

GIT = {"GIT_CONFIG_NOSYSTEM": "1", **{f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}}


@functools.cache
def http_server():
    """A server outside every sandbox; its port. It answers every GET with "outside"."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"outside")

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Tools(Case):
    def setUp(self):
        super().setUp()
        self.start = time.time() - 5

    def needs(self, tool, path=None):
        """The tool, or an aloud skip; a failure where scripts/install-deps should have installed it."""
        found = shutil.which(tool, path=path or self.env()["PATH"])
        if found is None:
            if tool in REQUIRED_TOOLS:
                self.not_here(f"{tool} is not installed; scripts/install-deps installs it")
            print(f"not tested: {tool} is not installed", flush=True)
            self.skipTest(f"{tool} is not installed")
        return found

    def fixture(self, name):
        """A directory with files of many modes, an attribute, links, and one old time."""
        where = self.directory(name)
        for path, mode in (("f", 0o644), ("x", 0o755), ("d/g", 0o600), ("d/e/h", 0o444)):
            self.file(f"{name}/{path}", f"text of {path}\n", mode)
        os.symlink("f", f"{where}/l")
        os.symlink("nowhere", f"{where}/d/dangling")
        self.attributes = True
        try:
            os.setxattr(f"{where}/f", "user.nono", b"value")
        except OSError:
            self.attributes = False
        for directory, names, files in os.walk(where, topdown=False):
            for path in [*(os.path.join(directory, n) for n in names + files), directory]:
                os.utime(path, (OLD, OLD), follow_symlinks=False)
        return where

    def tree(self, where):
        """All that can be seen of a directory from outside: what it holds, modes, owners, times, attributes, flags."""
        seen = {}
        for directory, names, files in os.walk(where):
            for path in [directory, *(os.path.join(directory, n) for n in names + files)]:
                st = os.lstat(path)
                kind = stat.S_IFMT(st.st_mode)
                text = os.readlink(path) if kind == stat.S_IFLNK else self.read(path) if kind == stat.S_IFREG else None
                attributes = {n: os.getxattr(path, n, follow_symlinks=False) for n in os.listxattr(path, follow_symlinks=False)}
                flags = struct.pack("i", 0)
                if kind in (stat.S_IFREG, stat.S_IFDIR):
                    fd = os.open(path, os.O_RDONLY)
                    try:
                        flags = fcntl.ioctl(fd, GETFLAGS, flags)
                    except OSError:
                        pass
                    os.close(fd)
                when = st.st_mtime_ns if st.st_mtime < self.start else "now"
                seen[os.path.relpath(path, where)] = (oct(st.st_mode), st.st_uid, st.st_gid, when, text, attributes, flags)
        return seen

    def script(self, text, *flags, **more):
        """A script inside, with its working directory; it works and says nothing to standard error that nono does not."""
        return self.run_("--allow-cwd", *flags, "--", "sh", "-ec", text, **more)

    def python(self, code, out, *flags, **more):
        """A Python program inside that asserts what it says."""
        path = self.file("work/script.py", "import ctypes, errno, os, signal, socket, subprocess, sys, threading, time\n" + code)
        return self.check(self.run_("--allow-cwd", *flags, "--", PYTHON, path, **more), 0, out, (), "Traceback")


class Files(Tools):
    pass


def file_case(tool, text):
    def test(self):
        self.needs(tool)
        plain, inside, closed = self.fixture("plain"), self.fixture("inside"), self.fixture("closed")
        before = self.tree(plain)
        if tool == "setfattr" and not self.attributes:
            self.not_here("this file system has no attributes of users")
        r = self.execute(["sh", "-ec", text], cwd=plain)
        if tool == "chattr" and r.code != 0:
            self.not_here("this file system has no flags")
        self.check(r, 0, None)
        expected = self.tree(plain)
        self.assertNotEqual(expected, before, "the job does something")
        self.check(self.script(text, cwd=inside), 0, r.out)
        self.assertEqual(self.tree(inside), expected)

        # What may only be read keeps everything; each command of the script is refused by itself.
        for command in text.split("; "):
            refused = self.run_("--read", closed, "--", "sh", "-ec", command, cwd=closed)
            self.assertEqual(self.tree(closed), before, refused)
        self.assertNotEqual(self.run_("--read", closed, "--", "sh", "-ec", text, cwd=closed).code, 0)
    return test


for _tool, _text in FILES.items():
    setattr(Files, f"test_{_tool.replace('+', 'p')}", file_case(_tool, _text))


class Git(Tools):
    def setUp(self):
        super().setUp()
        self.needs("git")

    def env(self, **more):
        return super().env(**GIT, **more)

    def git(self, *words, cwd=None):
        """git outside, which looks at what was done inside."""
        return self.check(self.execute(["git", *words], cwd=cwd), 0, None).out.decode()

    def test_a_days_work(self):
        r = self.script("""
            git init -q -b main r; cd r
            for i in 1 2 3 4 5 6 7 8; do mkdir -p d$i; echo $i > d$i/f; done
            printf '#!/bin/sh\\n' > run; chmod +x run; ln -s run link
            git add .; git commit -q -m one
            git checkout -q -b other; git mv d1/f d1/g; chmod -x run; git commit -q -a -m two
            git checkout -q main; test -x run; test -e d1/f
            echo changed > d2/f; git stash -q; git stash pop -q; git checkout -q -- d2/f
            git merge -q other; git tag -a -m t t; git repack -q -a -d; git gc -q --prune=now
            git worktree add -q ../tree other~0 2>/dev/null || git worktree add -q --detach ../tree other
            git clone -q . ../clone; git clone -q --no-hardlinks file://$PWD ../far; git clone -q --bare . ../bare
            cd ../clone; echo more > more; git add more; git commit -q -m three; git push -q ../bare HEAD:main
            git -C ../r pull -q ../bare main; git rebase -q HEAD~1; git archive HEAD | tar -tf - > ../names""", timeout=50)
        self.check(r, 0)
        for name in ("r", "clone", "far", "bare", "tree"):
            where = os.path.join(self.work, name)
            self.git("fsck", "--strict", cwd=where)
            self.assertEqual(self.git("log", "--format=%s", cwd=where).split()[-2:], ["two", "one"])
        self.assertEqual(self.git("status", "--porcelain", cwd=f"{self.work}/r"), "")
        self.assertEqual(self.git("log", "-1", "--format=%s", cwd=f"{self.work}/r"), "three\n")
        self.assertEqual(os.stat(f"{self.work}/clone/run").st_mode & 0o111, 0, "the mode of the second commit")
        self.assertIn("d8/f\n", self.read(f"{self.work}/names").decode())

    def repository(self, name):
        """A repository with one file and one commit; where it is."""
        where = self.directory(name)
        self.git("init", "-q", where)
        self.file(f"{name}/f")
        self.git("add", ".", cwd=where)
        self.git("commit", "-q", "-m", "one", cwd=where)
        return where

    def test_a_repository_that_may_only_be_read(self):
        where = self.repository("r")
        before = self.tree(where)
        r = self.run_("--read", where, "--", "git", "log", "--format=%s", cwd=where)
        self.check(r, 0, "one\n")
        for words in (("commit", "-q", "--allow-empty", "-m", "two"), ("tag", "t"), ("gc", "-q"), ("config", "core.fileMode", "false"),
                      ("update-index", "--chmod=+x", "f"), ("worktree", "add", "t"), ("stash", "--include-untracked")):
            r = self.run_("--read", where, "--", "git", *words, cwd=where)
            if words[0] != "stash":  # nothing to stash
                self.assertNotEqual(r.code, 0, r)
            self.assertEqual(self.tree(where), before, r)

    def test_a_clone_and_a_pull(self):
        source = self.repository("source")
        before = self.tree(source)
        self.check(self.script(f"git clone -q {source} c; cd c; git pull -q; git fsck 2>/dev/null", "--read", source), 0)
        self.check(self.execute(["git", "diff", "--quiet", "HEAD"], cwd=f"{self.work}/c"), 0)
        self.assertEqual(self.tree(source), before)
        r = self.script(f"cd c; git push -q {source} HEAD:refs/heads/new", "--read", source)
        self.assertNotEqual(r.code, 0, r)
        self.assertEqual(self.tree(source), before)

    def test_the_file_system_monitor(self):
        self.git("init", "-q", self.work)
        if self.execute(["git", "fsmonitor--daemon", "status"]).text.find("not supported") >= 0:
            print("not tested: this git has no fsmonitor daemon", flush=True)
            self.skipTest("this git has no fsmonitor daemon")
        self.addCleanup(self.execute, ["git", "fsmonitor--daemon", "stop"])
        r = self.script("git config core.fsmonitor true; git status; git fsmonitor--daemon status; echo x > f; git status --porcelain; "
                        "git fsmonitor--daemon stop")
        self.check(r, 0, None)
        self.assertIn(b"?? f\n", r.out)


class Python(Tools):
    def test_multiprocessing(self):
        code = """
import multiprocessing
def work(n): return n * n
def child(pipe, lock):
    with lock: pipe.send(os.getpid())
if __name__ == "__main__":
    for how in ("fork", "spawn", "forkserver"):
        m = multiprocessing.get_context(how)
        here, there = m.Pipe(); lock = m.Lock()
        p = m.Process(target=child, args=(there, lock)); p.start(); assert here.recv() == p.pid; p.join(); assert p.exitcode == 0
        with m.Pool(3) as pool: assert pool.map(work, range(20)) == [n * n for n in range(20)]
        with m.Manager() as manager:
            d = manager.dict(); d["x"] = 1; q = manager.Queue(); q.put(2); assert (d["x"], q.get()) == (1, 2)
        print(how)
"""
        # Its locks are POSIX semaphores, which lie there.
        self.python(code, "fork\nspawn\nforkserver\n", "--allow", "/dev/shm", timeout=50)

    def test_fsmonitor(self):
        """git asks a hook what has changed, which asks a daemon by a unix socket in the work tree: git on Linux has no
        daemon of its own before 2.50."""
        self.needs("git")
        code = """
import socketserver, subprocess, sys
def git(*words): return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout
changed = []
class Daemon(socketserver.StreamRequestHandler):
    def handle(self): self.wfile.write("\\0".join(["token", *changed]).encode() + b"\\0")
git("init", "-q", ".")
open("a", "w").write("1"); open("b", "w").write("1")
git("add", "a", "b"); git("commit", "-qm", "first")
server = socketserver.ThreadingUnixStreamServer(".git/fsmonitor.ipc", Daemon)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(".git/hooks/ask", "w") as hook:
    hook.write("#!" + sys.executable + "\\nimport shutil, socket, sys\\ns = socket.socket(socket.AF_UNIX)\\n"
               "s.connect('.git/fsmonitor.ipc')\\nshutil.copyfileobj(s.makefile('rb'), sys.stdout.buffer)\\n")
os.chmod(".git/hooks/ask", 0o755)
git("config", "core.fsmonitor", ".git/hooks/ask"); git("config", "core.fsmonitorHookVersion", "2")
changed[:] = ["/"]; git("status", "--porcelain")
changed[:] = []; git("status", "--porcelain")
open("a", "w").write("22"); open("b", "w").write("22")
changed[:] = ["a"]  # it is the daemon that git believes
print(git("status", "--porcelain", "-uno"), end="")
"""
        self.python(code, " M a\n", env=GIT, timeout=50)

    def test_connections(self):
        code = """
import asyncio, multiprocessing, socketserver
from multiprocessing.connection import Client, Listener
with Listener("s", family="AF_UNIX", authkey=b"k") as server:
    t = threading.Thread(target=lambda: server.accept().send(os.stat("s").st_mode)); t.start()
    with Client("s", authkey=b"k") as c: c.recv()
    t.join()
class Handler(socketserver.StreamRequestHandler):
    def handle(self): self.wfile.write(self.rfile.readline().upper())
with socketserver.ThreadingUnixStreamServer("t", Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(50):
        with socket.socket(socket.AF_UNIX) as s: s.connect("t"); s.sendall(b"x\\n"); assert s.recv(9) == b"X\\n"
    server.shutdown()
async def main():
    async def serve(reader, writer): writer.write(await reader.readline()); await writer.drain(); writer.close()
    async def ask():
        reader, writer = await asyncio.open_unix_connection("u")
        writer.write(b"x\\n"); got = await reader.readline(); writer.close(); return got
    async with await asyncio.start_unix_server(serve, "u"):
        assert await asyncio.gather(*(ask() for _ in range(50))) == [b"x\\n"] * 50
    p = await asyncio.create_subprocess_exec("sh", "-c", "chmod 600 t; read x; echo $x", stdin=-1, stdout=-1)
    assert (await p.communicate(b"x\\n"))[0] == b"x\\n" and p.returncode == 0
asyncio.run(main())
print(oct(os.stat("t").st_mode & 0o777))
"""
        self.python(code, "0o600\n")

    def test_files(self):
        self.fixture("work/a")
        code = """
import shutil, tempfile, zipfile
shutil.copytree("a", "b", symlinks=True); shutil.copystat("a/x", "b/f"); shutil.copy2("a/d/g", "b/g")
shutil.make_archive("c", "gztar", "a"); shutil.unpack_archive("c.tar.gz", "e")
with tempfile.NamedTemporaryFile(dir=".") as f: os.fchmod(f.fileno(), 0o640); os.utime(f.fileno(), (5, 6)); assert os.stat(f.name).st_mtime == 6
with tempfile.TemporaryFile() as f: os.fchmod(f.fileno(), 0o640); os.fchown(f.fileno(), -1, -1)
with tempfile.TemporaryDirectory() as d: os.mkdir(d + "/x", 0o700); os.chmod(d + "/x", 0)
with open("new", "w") as f: f.write("x")
os.chmod("new", 0o604); os.replace("new", "b/x")
fd = os.open("a", os.O_RDONLY); os.chmod("f", 0o606, dir_fd=fd); os.utime("x", ns=(1, 2), dir_fd=fd); os.utime("l", ns=(1, 3), dir_fd=fd, follow_symlinks=False)
os.mkfifo("p"); os.chmod("p", 0o622); os.truncate("f", 0) if os.path.exists("f") else None
here, there = os.pipe(); os.fchmod(here, 0o600)
"""
        self.python(code, "")
        seen = self.tree(self.work)
        for name in ("d/g", "d/dangling", "d/e/h", "d", "d/e"):
            self.assertEqual(seen["b/" + name], seen["a/" + name])
        self.assertEqual([seen[n][0][-3:] for n in ("b/f", "b/x", "a/f", "p", "e/d/e/h")], ["755", "604", "606", "622", "444"])
        self.assertEqual((seen["a/x"][3], seen["a/l"][3], seen["b/f"][3], seen["e/f"][3]), (2, 3, OLD * 10**9, OLD * 10**9))

    def test_processes_of_its_own(self):
        code = """
import resource
p = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: (os.nice(1), os.setsid(), resource.setrlimit(resource.RLIMIT_CORE, (0, 0))))
os.setpriority(os.PRIO_PROCESS, p.pid, 5); assert os.getpriority(os.PRIO_PROCESS, p.pid) == 5
resource.prlimit(p.pid, resource.RLIMIT_NOFILE, (30, 40)); assert resource.prlimit(p.pid, resource.RLIMIT_NOFILE) == (30, 40)
os.sched_setaffinity(p.pid, {min(os.sched_getaffinity(0))}); assert len(os.sched_getaffinity(p.pid)) == 1
os.sched_setscheduler(p.pid, os.SCHED_BATCH, os.sched_param(0)); assert os.sched_getscheduler(p.pid) == os.SCHED_BATCH
subprocess.run(["renice", "-n", "6", "-p", str(p.pid)], check=True, stdout=-3)
subprocess.run(["taskset", "-p", "1", str(p.pid)], check=True, stdout=-3)
subprocess.run(["prlimit", "--pid", str(p.pid), "--nofile=20"], check=True)
subprocess.run(["ionice", "-c", "3", "-p", str(p.pid)], check=True)
p.kill(); p.wait()
ids = []; done = threading.Event()
threads = [threading.Thread(target=lambda: (ids.append(threading.get_native_id()), done.wait())) for _ in range(20)]
[t.start() for t in threads]
while len(ids) < 20: time.sleep(0.01)
for i in ids: os.sched_setaffinity(i, os.sched_getaffinity(0)); os.setpriority(os.PRIO_PROCESS, i, 3)
done.set(); [t.join() for t in threads]
for act in (lambda: os.setpriority(os.PRIO_PROCESS, int(sys.argv[-1]), 5), lambda: resource.prlimit(int(sys.argv[-1]), resource.RLIMIT_NOFILE, (9, 9)),
            lambda: os.sched_setaffinity(int(sys.argv[-1]), {0})):
    try: act(); print("done")
    except OSError as e: print(errno.errorcode[e.errno])
"""
        other = subprocess.Popen(["sleep", "60"], env=self.env())
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.python(code.replace("sys.argv[-1]", repr(str(other.pid))), "EPERM\nEPERM\nEPERM\n")
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, other.pid), os.getpriority(os.PRIO_PROCESS, 0))


# A server whose queue is full, and a blocking connect(2) by libc itself, which hides no EINTR.
BLACKHOLE = """
libc = ctypes.CDLL(None, use_errno=True)
queued = []
def raw_connect(s, address):
    return ctypes.get_errno() if libc.connect(s.fileno(), address, len(address)) else 0
def inet(port): return socket.AF_INET.to_bytes(2, sys.byteorder) + port.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
def blackhole():
    server = socket.create_server(("127.0.0.1", 0), backlog=0)
    for _ in range(4):
        s = socket.socket(); s.setblocking(False); s.connect_ex(server.getsockname()); queued.append(s)
    time.sleep(0.1)
    return server, inet(server.getsockname()[1])
"""


class Tcp(Tools):
    def test_http(self):
        port = http_server()
        code = f"""
import http.server, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"inside")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for p in (server.server_address[1], {port}):
    print(urllib.request.urlopen(f"http://127.0.0.1:{{p}}/").read().decode())
    print(urllib.request.urlopen(f"http://localhost:{{p}}/", timeout=10).read().decode())
"""
        self.python(code, "inside\ninside\noutside\noutside\n", "--allow-net")
        r = self.run_("--allow-cwd", "--block-net", "--", PYTHON, f"{self.work}/script.py")
        self.assertEqual((r.code, r.out), (1, b""), r)

    def test_curl(self):
        self.needs("curl")
        port = http_server()
        self.check(self.script(f"curl -sS --max-time 10 127.0.0.1:{port}/ localhost:{port}/", "--allow-net"), 0, "outsideoutside")
        r = self.script("curl -sS --max-time 10 127.0.0.1:1/", "--allow-net")
        self.assertEqual(r.code, 7, r)  # CURLE_COULDNT_CONNECT
        self.assertNotEqual(self.script(f"curl -sS --max-time 10 127.0.0.1:{port}/", "--block-net").code, 0)

    def test_connects(self):
        code = BLACKHOLE + """
import select
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    try: server = socket.create_server((host, 0), family=family)
    except OSError: continue  # no IPv6
    at = server.getsockname()
    s = socket.socket(family); s.connect(at); server.accept()[0].send(b"x"); assert s.recv(1) == b"x"
    s = socket.socket(family); s.setblocking(False); assert s.connect_ex(at) in (0, errno.EINPROGRESS)
    assert select.select([], [s], [], 5)[1]; assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    assert s.connect_ex(at) in (0, errno.EISCONN); assert s.connect_ex(at) == errno.EISCONN
    s = socket.create_connection(at[:2], timeout=5); assert s.gettimeout() == 5
    server.close()
    s = socket.socket(family); assert s.connect_ex(at) == errno.ECONNREFUSED
    s = socket.socket(family); s.setblocking(False); why = s.connect_ex(at); select.select([], [s], [], 5)
    assert errno.ECONNREFUSED in (why, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)), why
    server = socket.socket(family, socket.SOCK_DGRAM); server.bind((host, 0))
    s = socket.socket(family, socket.SOCK_DGRAM); s.connect(server.getsockname()); s.send(b"x"); assert server.recv(9) == b"x"
    s.connect(server.getsockname())  # a datagram socket may call again
assert {a[4][0] for a in socket.getaddrinfo("localhost", 80)} <= {"127.0.0.1", "::1"}
server, at = blackhole()
def took(f):
    start = time.monotonic(); why = f(); return why, time.monotonic() - start
def limited():
    s = socket.socket(); s.settimeout(0.4)
    try: s.connect(server.getsockname())
    except TimeoutError: return "timeout"
why, seconds = took(limited); assert why == "timeout" and 0.3 < seconds < 2, (why, seconds)
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (0).to_bytes(8, "little") + (400000).to_bytes(8, "little"))
why, seconds = took(lambda: raw_connect(s, at)); assert why == errno.EINPROGRESS and 0.3 < seconds < 2, (why, seconds)
print("ok")
"""
        self.python(code, "ok\n", "--allow-net")
        self.check(self.execute([PYTHON, f"{self.work}/script.py"]), 0, "ok\n")  # and so it is outside

    def test_an_alarm_ends_a_connect(self):
        code = BLACKHOLE + """
server, at = blackhole()
called = []
signal.signal(signal.SIGALRM, lambda *_: called.append(time.monotonic()))
start = time.monotonic(); signal.setitimer(signal.ITIMER_REAL, 0.3)
why = raw_connect(socket.socket(), at); seconds = time.monotonic() - start
assert why == errno.EINTR and called and seconds < 0.8, (why, called, seconds)
class Over(Exception): pass
def over(*_): raise Over
signal.signal(signal.SIGALRM, over)
start = time.monotonic(); signal.setitimer(signal.ITIMER_REAL, 0.3)
try: socket.socket().connect(server.getsockname())
except Over: print("ok")
assert time.monotonic() - start < 0.8
"""
        self.python(code, "ok\n", "--allow-net")

    def test_a_handler_that_restarts_calls_ends_no_connect(self):
        code = BLACKHOLE + """
server, at = blackhole()
signal.signal(signal.SIGALRM, lambda *_: None); signal.siginterrupt(signal.SIGALRM, False)
if os.fork() == 0:
    signal.alarm(0)
    time.sleep(0.8)
    try:
        server.settimeout(1.5)
        while True: server.accept()
    except TimeoutError: os._exit(0)
signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
why = raw_connect(socket.socket(), at)
signal.setitimer(signal.ITIMER_REAL, 0)  # while it ends, the interpreter has no handler any more
print(why)
"""
        self.python(code, "0\n", "--allow-net")

    def test_a_stop_ends_no_connect(self):
        code = BLACKHOLE + """
server, at = blackhole()
parent = os.getpid()
if os.fork() == 0:
    time.sleep(0.3); os.kill(parent, signal.SIGSTOP); time.sleep(0.5); os.kill(parent, signal.SIGCONT)
    server.settimeout(1.5)
    try:
        while True: server.accept()
    except TimeoutError: os._exit(0)
print(raw_connect(socket.socket(), at))
"""
        self.python(code, "0\n", "--allow-net")

    def test_a_full_queue_of_unix_sockets(self):
        code = BLACKHOLE + """
for name in ("s", "\\0nono-test-%d" % os.getpid()):
    server = socket.socket(socket.AF_UNIX); server.bind(name); server.listen(0)
    held = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for s in held: s.setblocking(False)
    assert [s.connect_ex(name) for s in held][-1] == errno.EAGAIN
    def room(server=server):
        time.sleep(0.3)
        for _ in range(2): server.accept()
    t = threading.Thread(target=room, daemon=True); t.start(); start = time.monotonic()
    s = socket.socket(socket.AF_UNIX); s.connect(name); assert time.monotonic() - start > 0.2
    t.join()
print("ok")
"""
        self.python(code, "ok\n")


class Jobs(Tools):
    LOOP = """
import os, socket, sys, time
def once(i):
    os.chmod("f", 0o600 + i % 64); os.utime("f", (i, i))
    with socket.socket(socket.AF_UNIX) as s: s.connect("s")
"""

    def serve(self, path):
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(path)
        server.listen(1000)
        return server

    def test_pipelines(self):
        for i in range(300):
            self.file(f"work/d/{i}", mode=0o600)
        r = self.script("find d -type f -print0 | xargs -0 -n 10 -P 8 chmod 640; ls d | (cd d; xargs -n 50 -P 4 touch -d @1000000003) | cat; "
                        "ls -l d | grep -c '^-rw-r-----' | (read n; chmod 700 .; echo $n)")
        self.check(r, 0, "300\n")
        self.assertEqual({(os.stat(f"{self.work}/d/{i}").st_mode & 0o777, os.stat(f"{self.work}/d/{i}").st_mtime) for i in range(300)},
                         {(0o640, 1000000003)})

    def test_200_processes_at_once(self):
        self.file("work/f")
        server = self.serve(f"{self.work}/s")
        stop = threading.Event()

        def accept():
            server.settimeout(0.1)
            while not stop.is_set():
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    pass
        t = threading.Thread(target=accept)
        t.start()
        try:
            self.python(self.LOOP + """
for _ in range(200):
    if os.fork() == 0:
        for i in range(20): once(i)
        os._exit(0)
print(sum(os.wait()[1] == 0 for _ in range(200)))
""", "200\n", "--allow-unix-socket", f"{self.work}/s", timeout=50)
        finally:
            stop.set()
            t.join()

    def test_who_outlives_the_command(self):
        self.file("work/f")
        server = self.serve(f"{self.work}/s")
        self.file("work/rest.py", self.LOOP + """
while not os.path.exists("go"): time.sleep(0.01)
for i in range(200): once(i)
try: os.chmod("../closed", 0o777)
except PermissionError: os.rename("f", "done")
""")
        closed = self.file("closed", mode=0o600)
        self.check(self.script(f"setsid /usr/bin/python3 {self.work}/rest.py > log 2>&1 < /dev/null &", "--allow-unix-socket", f"{self.work}/s"), 0)
        self.assertTrue(eventually(lambda: processes_with(self.mark)), "it is there")
        self.file("work/go")
        for _ in range(200):
            server.accept()[0].close()
        self.assertTrue(eventually(lambda: os.path.exists(f"{self.work}/done")), self.read(f"{self.work}/log"))
        st = os.stat(f"{self.work}/done")
        self.assertEqual((st.st_mode & 0o777, st.st_mtime, os.stat(closed).st_mode & 0o777), (0o600 + 199 % 64, 199, 0o600))
        self.assertTrue(eventually(lambda: not processes_with(self.mark)), "nobody stays")

    def test_stop_and_go_on(self):
        self.file("work/f")
        server = self.serve(f"{self.work}/s")
        accepting = threading.Thread(target=lambda: [server.accept()[0].close() for _ in range(3000)], daemon=True)
        accepting.start()
        self.file("work/loop.py", self.LOOP + "for i in range(3000): once(i)\nprint('all')\n")
        p = subprocess.Popen([BIN, "run", "--allow-cwd", "--allow-unix-socket", f"{self.work}/s", "--", PYTHON, "loop.py"], env=self.env(),
                             cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(p.kill)
        self.assertTrue(eventually(lambda: children_of(p.pid) and os.stat(f"{self.work}/f").st_mtime < 1000))
        child = children_of(p.pid)[0]
        for who in (child, p.pid, child):
            os.kill(who, signal.SIGSTOP)
            self.assertTrue(eventually(lambda who=who: state_of(who) in ("T", "")))
            time.sleep(0.1)
            os.kill(who, signal.SIGCONT)
        out, err = p.communicate(timeout=30)
        self.assertEqual((p.returncode, out), (0, b"all\n"), err)
        self.assertEqual(os.stat(f"{self.work}/f").st_mtime, 2999)
        accepting.join(10)


class Others(Tools):
    """Tools that a machine may not have."""

    def test_node(self):
        self.needs("node")
        self.file("work/f")
        self.file("work/package/package.json", '{"name": "local", "version": "1.0.0", "main": "main.js", "bin": {"local": "main.js"}}')
        self.file("work/package/main.js", "#!/usr/bin/env node\nmodule.exports = 7;\n")
        self.file("work/package.json", '{"name": "user", "version": "1.0.0"}')
        self.file("work/main.js", """
const fs = require("fs"), net = require("net"), { fork, execFileSync } = require("child_process"), { Worker } = require("worker_threads");
const assert = require("assert");
if (process.argv[2] === "child") { process.on("message", m => { process.send(m + 1); process.disconnect(); }); return; }
const ask = path => new Promise((done, fail) => net.connect(path).on("data", d => done(String(d))).on("error", fail));
(async () => {
  fs.chmodSync("f", 0o640); fs.utimesSync("f", 5, 6); await fs.promises.lutimes("f", 7, 8); await fs.promises.chmod("f", 0o604);
  fs.cpSync("package", "copy", { recursive: true, preserveTimestamps: true });
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => new Promise(done => {
    const c = fork(__filename, ["child"]); c.on("message", done); c.send(i); })));
  assert.deepEqual(answers, [1, 2, 3, 4, 5, 6, 7, 8]);
  const server = net.createServer(c => c.end("served"));
  await new Promise(done => server.listen("s", done));
  fs.chmodSync("s", 0o700);
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 50 }, () => ask("s")))), new Set(["served"]));
  server.close();
  await Promise.all(Array.from({ length: 4 }, () => new Promise((done, fail) =>
    new Worker("require('fs').chmodSync('f', 0o604)", { eval: true }).on("exit", done).on("error", fail))));
  assert.throws(() => fs.chmodSync("../closed", 0o777), /EPERM/);
  console.log("ok");
})();
""")
        closed = self.file("closed", mode=0o600)
        self.check(self.run_("--allow-cwd", "--", "node", "main.js"), 0, "ok\n")
        st = os.stat(f"{self.work}/f")
        self.assertEqual((st.st_mode & 0o777, st.st_mtime, os.stat(closed).st_mode & 0o777), (0o604, 8, 0o600))
        self.needs("npm")
        os.mkdir(f"{self.home}/.npm")
        r = self.run_("--profile", "node-dev", "--allow", f"{self.home}/.npm", "--allow-cwd", "--block-net", "--", "npm", "install", "--offline", "--no-audit", "--no-fund", "--install-links",
                      "./package", timeout=50)
        self.check(r, 0, None)
        self.check(self.execute(["node", "-p", "require('local')"]), 0, "7\n")
        self.assertTrue(os.access(f"{self.work}/node_modules/.bin/local", os.X_OK))

    def test_cargo(self):
        path = os.environ["PATH"]
        cargo = self.needs("cargo", path)
        sysroot = self.execute(["rustc", "--print", "sysroot"], env={**os.environ, "HOME": os.path.expanduser("~")}).out.decode().strip()
        if not sysroot:
            print(f"not tested: {cargo} has no tool chain", flush=True)
            self.skipTest("no rust tool chain")
        self.file("work/Cargo.toml", '[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2021"\n')
        self.file("work/src/main.rs", """
use std::{fs, os::unix::{fs::PermissionsExt, net::{UnixListener, UnixStream}}, thread};
fn main() {
    fs::write("f", "x").unwrap();
    fs::set_permissions("f", fs::Permissions::from_mode(0o640)).unwrap();
    let server = UnixListener::bind("s").unwrap();
    let t = thread::spawn(move || for _ in 0..20 { server.accept().unwrap(); });
    for _ in 0..20 { UnixStream::connect("s").unwrap(); }
    t.join().unwrap();
    println!("ok");
}
""")
        env = self.env(PATH=f"{sysroot}/bin:{self.env()['PATH']}", CARGO_HOME=f"{self.home}/.cargo", CARGO_NET_OFFLINE="true")
        os.mkdir(f"{self.home}/.cargo")
        r = self.run_("--profile", "rust-dev", "--allow-cwd", "--read", sysroot, "--", f"{sysroot}/bin/cargo", "run", "-q", "--offline", env=env, timeout=50)
        self.check(r, 0, "ok\n")
        self.assertEqual(os.stat(f"{self.work}/f").st_mode & 0o777, 0o640)

    def test_sqlite_patch_and_zip(self):
        for tool, text in (("sqlite3", "sqlite3 b 'pragma journal_mode=wal; create table t(x); insert into t values(1); select x from t'; chmod 600 b"),
                           ("patch", "printf -- '--- f\\n+++ f\\n@@ -1 +1 @@\\n-text of f\\n+new\\n' | patch -s f; cat f"),
                           ("unzip", "/usr/bin/python3 -m zipfile -c z d f; mkdir o; unzip -q z -d o; cat o/f")):
            with self.subTest(tool=tool):
                self.needs(tool)
                plain, inside = self.fixture("plain-" + tool), self.fixture("inside-" + tool)
                expected = self.check(self.execute(["sh", "-ec", text], cwd=plain), 0, None)
                self.check(self.script(text, cwd=inside), 0, expected.out)


if __name__ == "__main__":
    main()
