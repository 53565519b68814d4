# SPDX-License-Identifier: Apache-2.0
"""What the proxy costs beside a direct connection and beside a relay that does nothing else, in turns, in a network namespace
of its own. Needs root.

  proxy_cost.py NONO RELAY
"""
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

os.environ["NONO_BIN"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "proxy"))

import test_proxy  # noqa: E402
import world  # noqa: E402
from world import PUBLIC, Raw, Web  # noqa: E402

ROUTE_TOKEN = "fedcba9876543210" * 4


def us(seconds):
    return seconds * 1e6


def in_turns(rounds, *ways):
    """Values of each way, taken in turns."""
    values = [[] for _ in ways]
    for i in range(rounds):
        for k in range(len(ways)):
            j = (i + k) % len(ways)
            values[j].append(ways[j]())
    return values


def row(what, unit, goal, direct, through, floor=(), ratio=False):
    def beside(values):
        return [(b / a if ratio else b - a) for a, b in zip(direct, values)]
    pairs = beside(through)
    low, _, high = statistics.quantiles(pairs, n=4)
    bare = (f"{statistics.median(floor):>10.1f}", f"{statistics.median(beside(floor)):>8.2f}") if floor else (" " * 10, " " * 8)
    print(f"  {what:<44}{statistics.median(direct):>10.1f}{bare[0]}{statistics.median(through):>10.1f} {unit:<6}"
          f"{bare[1]}{statistics.median(pairs):>9.2f} ({low:.2f} to {high:.2f})   goal {goal}")
    sys.stdout.flush()


class Relay:
    """The floor: a relay in front of a server of ours."""

    program = None

    def __init__(self, port):
        self.process = subprocess.Popen([Relay.program, PUBLIC, str(port)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))


def tunnel(p, port):
    s, status = p.tunnel(f"{PUBLIC}:{port}")
    assert status == 200, status
    return s


def first_byte(p):
    hello = Raw(lambda s: (s.sendall(b"x"), s.recv(1)))

    def bare(connect):
        start = time.perf_counter()
        with connect() as s:
            s.recv(1)
            return us(time.perf_counter() - start)

    request = f"CONNECT {PUBLIC}:{hello.port} HTTP/1.1\r\nHost: x\r\n".encode() + test_proxy.AUTH + b"\r\n"
    answer = len(b"HTTP/1.1 200 Connection Established\r\n\r\n") + 1

    def through():
        start = time.perf_counter()
        with p.connect() as s:
            s.sendall(request)
            got = 0
            while got < answer:
                got += len(s.recv(4096))
            return us(time.perf_counter() - start)
    with Relay(hello.port) as relay:
        row("first byte of a new connection", "us", "200 more",
            *in_turns(1000, lambda: bare(lambda: socket.create_connection((PUBLIC, hello.port))), through,
                      lambda: bare(relay.connect)))


def round_trip(p):
    echo = Raw(world.echo)

    def ping(s):
        start = time.perf_counter()
        s.sendall(b"x")
        s.recv(1)
        return us(time.perf_counter() - start)
    with Relay(echo.port) as relay, socket.create_connection((PUBLIC, echo.port)) as a, tunnel(p, echo.port) as b, \
            relay.connect() as c:
        for s in (a, b, c):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        row("round trip in an open one", "us", "15 more", *in_turns(5000, *(lambda s=s: ping(s) for s in (a, b, c))))


def throughput(p):
    size = 256 << 20
    block = b"x" * (1 << 20)

    def serve(s):
        s.recv(1)
        for _ in range(size // len(block)):
            s.sendall(block)
    source = Raw(serve)

    def read(connect):
        room = bytearray(1 << 20)
        with connect() as s:
            s.sendall(b"x")
            start = time.perf_counter()
            left = size
            while left:
                left -= s.recv_into(room)
            return size / (time.perf_counter() - start) / 1e6
    with Relay(source.port) as relay:
        row("bytes through one", "MB/s", "0.7 of direct",
            *in_turns(9, lambda: read(lambda: socket.create_connection((PUBLIC, source.port))),
                      lambda: read(lambda: tunnel(p, source.port)), lambda: read(relay.connect)), ratio=True)


def idle_tunnels(p):
    def resident():
        with open(f"/proc/{p.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    quiet = Raw(lambda s: s.recv(1))
    held = [tunnel(p, quiet.port) for _ in range(50)]
    before = resident()
    held += [tunnel(p, quiet.port) for _ in range(1000)]
    print(f"  {'memory of an idle one, 1000 held':<44}{'':>30} KB    {'':>8}{(resident() - before) / 1000:>9.2f}   goal 32")
    for s in held:
        s.close()


def route_call(room):
    authority = world.Authority(room)
    context = authority.context("api.example")
    Web(PUBLIC, 443, context=context)
    with open(authority.bundle, encoding="ascii") as f:
        ca = f.read()
    import ssl
    trusting = ssl.create_default_context(cafile=authority.bundle)
    place = {"where": "header", "name": "Authorization", "format": "Bearer {}"}
    route = {"prefix": "api", "token": ROUTE_TOKEN, "host": "api.example", "port": 443, "variable": "API_BASE_URL", "shown": place,
             "sent": place, "ca": ca}
    def encrypted(s):
        return trusting.wrap_socket(s, server_hostname="api.example")
    with test_proxy.Proxy(hosts=("*",), routes=[route], keys=(b"a key of the user's",)) as p, Relay(443) as relay:
        direct, floor, through = encrypted(socket.create_connection((PUBLIC, 443))), encrypted(relay.connect()), p.connect()

        def call(s, path):
            request = f"GET {path} HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {ROUTE_TOKEN}\r\n\r\n".encode()
            start = time.perf_counter()
            s.sendall(request)
            got = b""
            while b"GET /x 0\n" not in got:
                got += s.recv(4096)
            return us(time.perf_counter() - start)
        for s in (direct, through, floor):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        call(through, "/api/x")
        row("a call by a route, connections kept", "us", "300 more",
            *in_turns(2000, lambda: call(direct, "/x"), lambda: call(through, "/api/x"), lambda: call(floor, "/x")))
        for s in (direct, through, floor):
            s.close()


def start(nono, room):
    env = {"HOME": room, "PATH": os.environ["PATH"], "API_KEY": "a key of the user's"}
    plain = [nono, "run", "-s", "--no-diagnostics", "--", "true"]

    def timed(words):
        time.sleep(0.02)  # the kernel is still at taking the last network namespace apart
        begin = time.perf_counter()
        subprocess.run(words, env=env, cwd=room, check=True, stdin=subprocess.DEVNULL)
        return us(time.perf_counter() - begin)
    hosts = [*plain[:4], "--network-profile", "minimal", "--", "true"]
    with open(os.path.join(room, "p.json"), "w", encoding="ascii") as f:
        f.write('{"network": {"custom_credentials": {"own": {"upstream": "https://api.test", "credential_key": "env://API_KEY"}}}}')
    key = [*plain[:4], "-p", os.path.join(room, "p.json"), "--credential", "own", "--", "true"]
    bare, with_hosts, with_key = in_turns(150, lambda: timed(plain), lambda: timed(hosts), lambda: timed(key))
    row("start of run with --network-profile minimal", "us", "4000 more", bare, with_hosts)
    row("start of run with --credential", "us", "none", bare, with_key)


def main():
    nono, Relay.program = os.environ["NONO_BIN"], os.path.abspath(sys.argv[2])
    room = tempfile.mkdtemp(prefix="nb-", dir="/var/tmp")
    start(nono, room)
    world.enter()
    world.Names({"api.example": [PUBLIC]})
    with test_proxy.Proxy(hosts=(PUBLIC,)) as p:
        first_byte(p)
        round_trip(p)
        throughput(p)
        idle_tunnels(p)
    route_call(room)
    subprocess.run(["rm", "-rf", room], check=True)
    os._exit(0 if threading.active_count() else 1)  # servers' threads wait for nobody


if __name__ == "__main__":
    print(f"  {'':<44}{'direct':>10}{'relay':>10}{'proxy':>10}{'':<7}{'relay, proxy in pairs with direct':>8}")
    sys.stdout.flush()
    main()
