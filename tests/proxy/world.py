# SPDX-License-Identifier: Apache-2.0
"""A small internet in a network namespace of the test's own: addresses on lo, a name server that remembers what it was asked,
web servers, and names. Nothing leaves it. Needs root, or a user namespace of one's own."""
import contextlib
import ctypes
import http.server
import os
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
PUBLIC = "203.0.113.10"  # for documentation: it is nobody's, and no range of its own for the proxy
OTHER = "203.0.113.11"
PRIVATE = "10.9.8.7"
LINK_LOCAL = "169.254.169.254"
SIX = "2606:4700::77"

libc = ctypes.CDLL(None, use_errno=True)


def must(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def enter():
    """Puts this process (before it has threads) into a network and a mount namespace of its own."""
    must(libc.unshare(CLONE_NEWNET | CLONE_NEWNS))
    must(libc.mount(b"none", b"/", None, 0x44000, None))  # MS_REC | MS_PRIVATE
    for words in (["link", "set", "lo", "up"], *(["addr", "add", f"{a}/{64 if ':' in a else 32}", "dev", "lo"]
                                                 for a in (PUBLIC, OTHER, PRIVATE, LINK_LOCAL, SIX))):
        subprocess.run(["ip", *words], check=True)
    # The name server listens where /etc/resolv.conf says.
    room = tempfile.mkdtemp(prefix="world-", dir="/var/tmp")
    os.chmod(room, 0o755)
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n"),
                       ("hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n203.0.113.10 inhosts.example\n")):
        path = os.path.join(room, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        must(libc.mount(path.encode(), os.path.realpath(f"/etc/{name}").encode(), None, 4096, None))  # MS_BIND


class Names(threading.Thread):
    """A name server. `table`: name -> addresses, or a function that gives them; `asked`: every name it was asked for."""

    def __init__(self, table):
        super().__init__(daemon=True)
        self.table, self.asked, self.delay = table, [], {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.start()

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            threading.Thread(target=self.answer, args=(query, peer), daemon=True).start()

    def answer(self, query, peer):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]])
            at += 1 + query[at]
        name = b".".join(labels).decode("latin1").lower()
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        question = query[12:at + 5]
        self.asked.append(name)
        if name in self.delay:
            threading.Event().wait(self.delay[name])
        found = self.table.get(name)
        code = 3 if found is None else 0
        found = found(kind) if callable(found) else found or []
        records = b""
        count = 0
        for a in found:
            six = ":" in a
            if (kind == 28) != six or kind not in (1, 28):
                continue
            data = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, a)
            records += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(data)) + data
            count += 1
        header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0)
        with contextlib.suppress(OSError):
            self.socket.sendto(header + question + records, peer)


class Handler(http.server.BaseHTTPRequestHandler):
    """What every server here does: it says nothing to the terminal, and takes and gives bodies in either form."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        out = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            out += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return out

    def chunk(self, data):
        """One chunk, of bytes or a text; an empty one is the end."""
        data = data.encode() if isinstance(data, str) else data
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


class Echo(Handler):
    """Answers with what it was asked; some paths do something else."""

    seen = []

    def reply(self, status, body, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer(self):
        body = self.body()
        Echo.seen.append((self.command, self.path, dict(self.headers.items()), body))
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"one ", b"two ", b"three", b""):
                self.chunk(part)
        elif self.path == "/until-close":
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall there is")
        elif self.path == "/continue":
            self.reply(200, b"got " + body)
        elif self.path == "/no-content":
            self.send_response(204)
            self.end_headers()
        elif self.path.startswith("/redirect"):
            self.reply(302, b"", Location=f"http://{LINK_LOCAL}/latest/meta-data/")
        elif self.path == "/big":
            self.reply(200, b"x" * (8 << 20))
        elif self.path == "/early":
            self.close_connection = True
            self.reply(413, b"too much", Connection="close")
        else:
            self.reply(200, f"{self.command} {self.path} {len(body)}\n".encode() + body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer


class Web(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address, port, handler=Echo, context=None):
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)  # HTTPServer's asks for the address' name
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        pass


class Raw(threading.Thread):
    """A TCP server that hands each connection to `serve(socket)` in a thread of its own."""

    def __init__(self, serve, address=PUBLIC, port=0):
        super().__init__(daemon=True)
        self.serve = serve
        self.listener = socket.create_server((address, port), backlog=4096,
                                             family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                taken, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(taken,), daemon=True).start()

    def one(self, taken):
        with contextlib.suppress(OSError), taken:
            self.serve(taken)


def echo(taken):
    while data := taken.recv(65536):
        taken.sendall(data)


class Authority:
    """A certificate authority of the test's own; `bundle` is its certificate."""

    def __init__(self, room):
        self.room = room
        self.key, self.bundle = os.path.join(room, "ca.key"), os.path.join(room, "ca.pem")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                     "-subj", "/CN=test authority", "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign", "-keyout", self.key, "-out", self.bundle)

    @staticmethod
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    def context(self, *names):
        """A server's TLS context for these names."""
        import ssl
        base = os.path.join(self.room, names[0].replace("*", "any"))
        with open(base + ".ext", "w", encoding="ascii") as f:
            f.write("subjectAltName=" + ",".join(f"DNS:{n}" for n in names) + "\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                     f"/CN={names[0]}", "-keyout", base + ".key", "-out", base + ".csr")
        self.openssl("x509", "-req", "-in", base + ".csr", "-CA", self.bundle, "-CAkey", self.key, "-CAcreateserial",
                     "-days", "2", "-extfile", base + ".ext", "-out", base + ".pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(base + ".pem", base + ".key")
        return context


def main(afterwards=lambda: None):
    """Runs the tests of the main program in here, and ends it."""
    if not os.environ.get("NONO_BIN"):
        sys.exit("NONO_BIN is not set: the proxy lies beside the nono that it names")
    enter()
    start = time.monotonic()
    program = unittest.main(module="__main__", exit=False)
    afterwards()
    print(f"{program.result.testsRun} tests in {time.monotonic() - start:.1f} s", file=sys.stderr)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun else 1)


if __name__ == "__main__":
    sys.exit("world.py is no test of its own")
