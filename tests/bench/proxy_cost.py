# SPDX-License-Identifier: Apache-2.0
"""What the proxy costs beside a direct connection, in turns, in a network namespace of its own. Needs root.

  proxy_cost.py NONO
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


def row(what, direct, through, unit, goal, ratio=False):
    pairs = [(b / a if ratio else b - a) for a, b in zip(direct, through)]
    low, _, high = statistics.quantiles(pairs, n=4)
    print(f"  {what:<44}{statistics.median(direct):>10.1f}{statistics.median(through):>10.1f} {unit:<6}"
          f"{statistics.median(pairs):>8.2f} ({low:.2f} to {high:.2f})   goal {goal}")


def tunnel(p, port):
    s, status = p.tunnel(f"{PUBLIC}:{port}")
    assert status == 200, status
    return s


def first_byte(p):
    hello = Raw(lambda s: (s.sendall(b"x"), s.recv(1)))

    def direct():
        start = time.perf_counter()
        with socket.create_connection((PUBLIC, hello.port)) as s:
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
    row("first byte of a new connection", *in_turns(1000, direct, through), "us", "200 more")


def round_trip(p):
    echo = Raw(world.echo)

    def ping(s):
        start = time.perf_counter()
        s.sendall(b"x")
        s.recv(1)
        return us(time.perf_counter() - start)
    with socket.create_connection((PUBLIC, echo.port)) as a, tunnel(p, echo.port) as b:
        for s in (a, b):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        row("round trip in an open one", *in_turns(5000, lambda: ping(a), lambda: ping(b)), "us", "15 more")


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
    row("bytes through one", *in_turns(7, lambda: read(lambda: socket.create_connection((PUBLIC, source.port))),
                                       lambda: read(lambda: tunnel(p, source.port))), "MB/s", "0.7 of direct", ratio=True)


def idle_tunnels(p):
    def resident():
        with open(f"/proc/{p.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    quiet = Raw(lambda s: s.recv(1))
    held = [tunnel(p, quiet.port) for _ in range(50)]
    before = resident()
    held += [tunnel(p, quiet.port) for _ in range(1000)]
    print(f"  {'memory of an idle one, 1000 held':<44}{'':>20} KB    {(resident() - before) / 1000:>8.2f}   goal 32")
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
    with test_proxy.Proxy(hosts=("*",), routes=[route], keys=(b"a key of the user's",)) as p:
        direct = trusting.wrap_socket(socket.create_connection((PUBLIC, 443)), server_hostname="api.example")
        through = p.connect()

        def call(s, path):
            request = f"GET {path} HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {ROUTE_TOKEN}\r\n\r\n".encode()
            start = time.perf_counter()
            s.sendall(request)
            got = b""
            while b"GET /x 0\n" not in got:
                got += s.recv(4096)
            return us(time.perf_counter() - start)
        for s in (direct, through):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        call(through, "/api/x")
        row("a call by a route, connections kept", *in_turns(2000, lambda: call(direct, "/x"), lambda: call(through, "/api/x")), "us",
            "300 more")
        direct.close()
        through.close()


def start(nono, room):
    env = {"HOME": room, "PATH": os.environ["PATH"], "API_KEY": "a key of the user's"}
    plain = [nono, "run", "-s", "--no-diagnostics", "--", "true"]

    def timed(words):
        begin = time.perf_counter()
        subprocess.run(words, env=env, cwd=room, check=True, stdin=subprocess.DEVNULL)
        return us(time.perf_counter() - begin)
    hosts = [*plain[:4], "--network-profile", "minimal", "--", "true"]
    with open(os.path.join(room, "p.json"), "w", encoding="ascii") as f:
        f.write('{"network": {"custom_credentials": {"own": {"upstream": "https://api.test", "credential_key": "env://API_KEY"}}}}')
    key = [*plain[:4], "-p", os.path.join(room, "p.json"), "--credential", "own", "--", "true"]
    bare, with_hosts, with_key = in_turns(150, lambda: timed(plain), lambda: timed(hosts), lambda: timed(key))
    row("start of run with --network-profile minimal", bare, with_hosts, "us", "4000 more")
    row("start of run with --credential", bare, with_key, "us", "none")


def main():
    nono = os.environ["NONO_BIN"]
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
    print(f"  {'':<44}{'direct':>10}{'proxy':>10}{'':<7}{'median of pairs':>8}")
    sys.stdout.flush()
    main()
