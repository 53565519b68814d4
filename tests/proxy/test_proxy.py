# SPDX-License-Identifier: Apache-2.0
"""The proxy itself, byte by byte: what it lets through, what it refuses and how it says so."""
import array
import base64
import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import world
from world import LINK_LOCAL, OTHER, PRIVATE, PUBLIC, SIX, Raw, Web

BIN = os.environ.get("NONO_BIN", "")
PROXY = os.path.join(os.path.dirname(BIN), "nono-proxy")
TOKEN = "0123456789abcdef" * 4
AUTH = b"Proxy-Authorization: Basic " + base64.b64encode(b"nono:" + TOKEN.encode()) + b"\r\n"

NAMES = {
    "api.example": [PUBLIC], "other.example": [OTHER], "deep.sub.example": [PUBLIC], "sub.example": [PUBLIC],
    "six.example": [SIX], "both.example": [SIX, PUBLIC], "intranet.example": [PRIVATE], "cloud.example": [LINK_LOCAL],
    "local.example": ["127.0.0.1"], "mixed.example": [PUBLIC, PRIVATE], "mapped.example": ["::ffff:10.9.8.7"],
    "dead.example": ["203.0.113.99"], "slow.example": [PUBLIC], "metadata.google.internal": [PUBLIC],
    "empty.example": [], "hole.example": [OTHER, PUBLIC], "sixhole.example": [PUBLIC, SIX], "holes.example": [OTHER, SIX],
}


class Proxy:
    """A running nono-proxy."""

    def __init__(self, hosts=("api.example",), listen=True, settings=None, audit=None, keys=(), **more):
        self.mine, theirs = socket.socketpair()
        self.audit = audit or tempfile.TemporaryFile()
        text = json.dumps({"token": TOKEN, "hosts": list(hosts), **more}) if settings is None else settings
        stdin = tempfile.TemporaryFile()
        stdin.write(text.encode() if isinstance(text, str) else text)
        stdin.seek(0)

        def place():
            os.dup2(theirs.fileno(), 103)
            os.dup2(self.audit.fileno(), 104)
            os.dup2(103, 3)
            os.dup2(104, 4)

        self.process = subprocess.Popen([PROXY], stdin=stdin, close_fds=False, preexec_fn=place,
                                        env={k: v for k, v in os.environ.items() if k == "ASAN_OPTIONS"})
        theirs.close()
        stdin.close()
        self.mine.settimeout(20)
        for key in keys:
            with contextlib.suppress(OSError):
                self.mine.sendall(struct.pack("<I", len(key)) + key)
        self.said = b""
        while not self.said.endswith(b"\n"):
            got = self.mine.recv(4096)
            if not got:
                break
            self.said += got
        self.port = 0
        if listen and self.said == b"ready\n":
            with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
                self.port = listener.getsockname()[1]
                self.mine.sendmsg([b"l"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener.fileno()]))])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.mine.close()
        self.process.wait(20)
        self.audit.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def events(self):
        self.audit.seek(0)
        return [json.loads(line) for line in self.audit.read().splitlines()]

    def ask(self, request, more=b""):
        """One request; (status, head, body) of the answer."""
        with self.connect() as s:
            s.sendall(request + more)
            return read_answer(s)

    def tunnel(self, to, auth=AUTH):
        s = self.connect()
        s.sendall(b"CONNECT " + to.encode() + b" HTTP/1.1\r\nHost: " + to.encode() + b"\r\n" + auth + b"\r\n")
        head = read_head(s)
        return s, int(head.split()[1])


def read_head(s):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        got = s.recv(1)
        if not got:
            break
        head += got
    return head


def read_answer(s):
    head = read_head(s)
    if not head:
        return 0, "", b""
    status = int(head.split()[1])
    body = b""
    length = re.search(rb"content-length: (\d+)", head, re.I)
    if re.search(rb"transfer-encoding: chunked", head, re.I):
        f = s.makefile("rb")
        while size := int(f.readline(), 16):
            body += f.read(size)
            f.readline()
        f.readline()
    elif length:
        while len(body) < int(length[1]):
            got = s.recv(int(length[1]) - len(body))
            if not got:
                break
            body += got
    return status, head.decode("latin1"), body


def get(url, *fields, method="GET"):
    return f"{method} {url} HTTP/1.1\r\nHost: whatever.example\r\n".encode() + AUTH + b"".join(
        f + b"\r\n" for f in fields) + b"\r\n"


class ProxyTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.names = world.Names(dict(NAMES))
        cls.web = [Web(a, 80) for a in (PUBLIC, OTHER, PRIVATE, LINK_LOCAL, SIX, "127.0.0.1")]
        cls.echo = Raw(world.echo, port=7777)

    def setUp(self):
        self.names.asked.clear()
        world.Echo.seen.clear()

    # ---- who may be reached ----

    def test_a_tunnel_to_an_allowed_host(self):
        with Proxy() as p:
            s, status = p.tunnel("api.example:7777")
            self.assertEqual(status, 200)
            with s:
                s.sendall(b"hello")
                self.assertEqual(s.recv(100), b"hello")
            self.assertEqual([(e["decision"], e["mode"], e["target"], e["port"], e["auth_outcome"]) for e in p.events()],
                             [("allow", "connect", "api.example", 7777, "succeeded")])

    def test_a_refused_name_causes_no_query_and_is_told(self):
        with Proxy(("api.example", "*.sub.example")) as p:
            for name in ("other.example", "api.example.evil", "xapi.example", "sub.example", "secret.data.evil"):
                with self.subTest(name):
                    s, status = p.tunnel(f"{name}:443")
                    s.close()
                    self.assertEqual(status, 403)
            self.assertEqual(self.names.asked, [])
            status, head, body = p.ask(b"CONNECT other.example:443 HTTP/1.1\r\n" + AUTH + b"\r\n")
            self.assertEqual(body.decode(), "nono: the host other.example is not among the allowed hosts; "
                                            "--allow-domain other.example adds it\n")
            self.assertIn("HTTP/1.1 403 the host other.example is not among", head)
            event = p.events()[-1]
            self.assertEqual((event["decision"], event["denial_category"], event["target"], event["status"]),
                             ("deny", "host_denied", "other.example", 403))

    def test_every_spelling_of_an_allowed_name(self):
        with Proxy(("api.example", "*.sub.example")) as p:
            for name in ("API.Example", "api.example.", "aPi.eXample.", "deep.sub.example", "Deep.SUB.example."):
                with self.subTest(name):
                    s, status = p.tunnel(f"{name}:7777")
                    s.close()
                    self.assertEqual(status, 200)

    def test_what_is_no_host(self):
        with Proxy(("*.example",)) as p:
            for name in ("", ".", "..", "a..example", "*.example", "-a.example", "a_b.example", "b\xfccher.example",
                         "api.example..", "[api.example]", "[::1", "::1", "a b.example", "api.example%00.evil",
                         "api.example@evil.example", "api.example\tx", "xn--.-.example"):
                with self.subTest(name):
                    status, _, body = p.ask(f"CONNECT {name}:443 HTTP/1.1\r\n".encode("latin1") + AUTH + b"\r\n")
                    self.assertEqual(status, 400, body)
            for port in ("0", "65536", "443443", "-1", "+1", "x", "", "0x50", "80 ", "８"):
                with self.subTest(port=port):
                    status, _, body = p.ask(f"CONNECT api.example:{port} HTTP/1.1\r\n".encode() + AUTH + b"\r\n")
                    self.assertEqual(status, 400, body)
            self.assertEqual(self.names.asked, [])

    def test_addresses_are_refused_in_every_spelling(self):
        with Proxy(("*.example", "api.example")) as p:
            for name in ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.01",
                         "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "0.0.0.0",
                         "0", "[::]", PRIVATE, "10.591879", LINK_LOCAL, "2852039166", PUBLIC, "[2606:4700::77]",
                         "[fd00:ec2::254]", "100.100.100.200", "localhost", "ip6-localhost"):
                with self.subTest(name):
                    s, status = p.tunnel(f"{name}:80")
                    s.close()
                    self.assertEqual(status, 403)
            self.assertEqual(self.names.asked, [])

    def test_named_addresses_are_reached(self):
        with Proxy((PUBLIC, PRIVATE, SIX, "intranet.example", "127.0.0.1", "localhost", "::1")) as p:
            for name in (PUBLIC, PRIVATE, f"[{SIX}]", "10.591879", "intranet.example", "localhost", "0x7f.1"):
                with self.subTest(name):
                    status, _, _ = p.ask(get(f"http://{name}/"))
                    self.assertEqual(status, 200)

    def test_a_name_at_an_address_that_is_not_public(self):
        hosts = ("intranet.example", "cloud.example", "local.example", "mixed.example", "mapped.example", "localhost",
                 "metadata.google.internal")
        with Proxy(hosts) as p:
            for name, kind in (("intranet.example", "private"), ("cloud.example", "link-local"), ("localhost", "loopback"),
                               ("local.example", "loopback"), ("mixed.example", "private"), ("mapped.example", "private")):
                with self.subTest(name):
                    status, _, body = p.ask(get(f"http://{name}/"))
                    self.assertEqual(status, 403)
                    self.assertRegex(body.decode(), f"the host {name} is at .*, a {kind} address, which is not among the "
                                                    "allowed hosts; --allow-domain .* adds it")
            self.assertEqual(world.Echo.seen, [])

    def test_rebinding(self):
        answers = iter([[PUBLIC], [PUBLIC], ["127.0.0.1"], ["127.0.0.1"], [LINK_LOCAL], [LINK_LOCAL]])
        self.names.table["rebind.example"] = lambda kind: next(answers, [PRIVATE])
        with Proxy(("rebind.example",)) as p:  # a server that keeps its connection keeps its checked address
            got = [p.ask(get("http://rebind.example/until-close"))[0] for _ in range(4)]
        self.assertEqual(got[0], 200)
        self.assertEqual(got[1:], [403, 403, 403])

    def test_metadata_names_need_their_own_name(self):
        with Proxy(("*.google.internal", "*")) as p:
            self.assertEqual(p.ask(get("http://metadata.google.internal/"))[0], 403)
        self.assertEqual(self.names.asked, [])
        with Proxy(("metadata.google.internal",)) as p:
            self.assertEqual(p.ask(get("http://metadata.google.internal/"))[0], 200)

    def test_any_public_host(self):
        with Proxy(("*",)) as p:
            self.assertEqual(p.ask(get("http://other.example/"))[0], 200)
            self.assertEqual(p.ask(get(f"http://{OTHER}/"))[0], 200)
            for name in ("intranet.example", PRIVATE, LINK_LOCAL, "127.0.0.1", "localhost"):
                self.assertEqual(p.ask(get(f"http://{name}/"))[0], 403, name)

    def test_names_of_etc_hosts_and_both_families(self):
        with Proxy(("inhosts.example", "six.example", "both.example")) as p:
            for name in ("inhosts.example", "six.example", "both.example"):
                self.assertEqual(p.ask(get(f"http://{name}/"))[0], 200, name)

    def test_a_host_that_is_not_there(self):
        with Proxy(("nowhere.example", "empty.example", "api.example")) as p:
            for name, words in (("nowhere.example", "has no address"), ("empty.example", "has no address")):
                status, _, body = p.ask(get(f"http://{name}/"))
                self.assertEqual(status, 502)
                self.assertIn(words, body.decode())
            s, status = p.tunnel("api.example:9")
            s.close()
            self.assertEqual(status, 502)
            self.assertEqual(p.events()[-1]["denial_category"], "upstream_connect_failed")

    @contextlib.contextmanager
    def hole(self, address, port):
        """Where no answer comes: the queue of a server that takes nobody is full."""
        with contextlib.ExitStack() as stack:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            server = stack.enter_context(socket.socket(family))
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((address, port))
            server.listen(0)
            for _ in range(4):
                waiting = stack.enter_context(socket.socket(family))
                waiting.setblocking(False)
                waiting.connect_ex((address, port))
            time.sleep(0.1)
            yield server

    def timed(self, p, to):
        start = time.monotonic()
        s, status = p.tunnel(to)
        with s:
            if status == 200:
                s.sendall(b"ping")
                self.assertEqual(s.recv(4), b"ping")
            return status, time.monotonic() - start

    def test_an_address_without_an_answer_is_not_waited_for(self):
        good, six = Raw(world.echo), Raw(world.echo, SIX)
        with Proxy(("hole.example", "sixhole.example")) as p:
            with self.hole(OTHER, good.port):
                for _ in range(3):
                    status, took = self.timed(p, f"hole.example:{good.port}")
                    self.assertEqual(status, 200)
                    self.assertTrue(0.2 < took < 1, took)
            with self.hole(SIX, good.port):
                status, took = self.timed(p, f"sixhole.example:{good.port}")
                self.assertEqual(status, 200)
                self.assertTrue(0.2 < took < 1, took)  # IPv6 comes first
            with self.hole(PUBLIC, six.port):
                status, took = self.timed(p, f"sixhole.example:{six.port}")
                self.assertEqual(status, 200)
                self.assertLess(took, 0.2)
            self.no_descriptors_left(p)
            self.assertEqual([e["decision"] for e in p.events()], ["allow"] * 5)  # one for each, not for each address

    def test_an_address_that_refuses_at_once_costs_nothing(self):
        good = Raw(world.echo)
        with Proxy(("hole.example",)) as p:
            status, took = self.timed(p, f"hole.example:{good.port}")
            self.assertEqual(status, 200)
            self.assertLess(took, 0.2)

    def test_no_address_is_tried_where_one_is_forbidden(self):
        tried = []
        good = Raw(lambda taken: tried.append(taken.getpeername()))
        with Proxy(("mixed.example",)) as p:
            s, status = p.tunnel(f"mixed.example:{good.port}")
            s.close()
            self.assertEqual(status, 403)
        self.assertEqual(tried, [])

    def test_the_first_that_fails_does_not_end_the_others(self):
        """One refuses while another, before it in the row, still may answer."""
        with self.hole(SIX, 4321) as server, Proxy(("holes.example",)) as p:
            def take():
                time.sleep(0.6)
                with contextlib.ExitStack() as taken, contextlib.suppress(OSError):
                    server.settimeout(5)
                    while True:
                        taken.enter_context(server.accept()[0])
            threading.Thread(target=take, daemon=True).start()
            s, status = p.tunnel("holes.example:4321")
            s.close()
            self.assertEqual(status, 200)

    # ---- the token ----

    def test_the_token_is_wanted(self):
        good = TOKEN.encode()
        basic = lambda text: b"Basic " + base64.b64encode(text)  # noqa: E731
        with Proxy() as p:
            for value in (b"", b"Basic", basic(b"nono:"), basic(b"nono:" + good[:-1]), basic(b"nono:" + good + b"0"),
                          basic(b"nono:" + good[:-1] + b"0"), basic(good), b"Bearer " + good[:-1], b"Bearer", b"Digest x",
                          basic(b"nono:" + good.upper()), b"Basic !!!!", b"Basic " + b"A" * 5000, b"Bearer  x" + good):
                with self.subTest(value):
                    field = b"Proxy-Authorization: " + value + b"\r\n" if value else b""
                    status, head, _ = p.ask(b"CONNECT api.example:7777 HTTP/1.1\r\n" + field + b"\r\n")
                    self.assertEqual(status, 407)
                    self.assertIn('Proxy-Authenticate: Basic realm="nono"', head)
            self.assertEqual(self.names.asked, [])
            self.assertTrue(all(e["auth_outcome"] == "failed" for e in p.events()))
            for value in (b"Bearer " + good, b"bearer " + good, basic(b"anyone:" + good), basic(b":" + good)):
                s, status = p.tunnel("api.example:7777", b"Proxy-Authorization: " + value + b"\r\n")
                s.close()
                self.assertEqual(status, 200)
            with p.connect() as s:  # the connection is kept for the retry
                s.sendall(b"CONNECT api.example:7777 HTTP/1.1\r\n\r\n")
                self.assertEqual(read_answer(s)[0], 407)
                s.sendall(b"CONNECT api.example:7777 HTTP/1.1\r\n" + AUTH + b"\r\n")
                self.assertIn(b" 200 ", read_head(s))
            self.assertNotIn(TOKEN, json.dumps(p.events()))

    # ---- plain HTTP ----

    def test_requests_in_the_clear(self):
        with Proxy(("api.example", "other.example")) as p, p.connect() as s:
            for method, path, body in (("GET", "/a?q=secret#frag", b""), ("POST", "/b", b"x" * 100000), ("PUT", "/c", b""),
                                       ("HEAD", "/d", b""), ("DELETE", "/e", b"y"), ("OPTIONS", "/f", b"")):
                s.sendall(get("http://api.example" + path, b"Content-Length: %d" % len(body), b"X-Own: 1",
                              b"Connection: keep-alive, X-Hop", b"X-Hop: 1", b"Proxy-Connection: keep-alive",
                              b"Keep-Alive: timeout=5", b"TE: trailers", method=method) + body)
                if method == "HEAD":
                    self.assertIn(b" 200 OK", read_head(s))
                else:
                    status, _, got = read_answer(s)
                    self.assertEqual(status, 200)
                    self.assertEqual(got, f"{method} {path.split('#')[0]} {len(body)}\n".encode() + body)
            for method, path, fields, _ in world.Echo.seen:
                self.assertEqual(fields["Host"], "api.example")
                self.assertEqual(fields["X-Own"], "1")
                for name in ("Proxy-Authorization", "X-Hop", "Proxy-Connection", "Keep-Alive", "TE"):
                    self.assertNotIn(name, fields)
            s.sendall(get("http://other.example/x"))  # the same client, another host
            self.assertEqual(read_answer(s)[0], 200)
            self.assertNotIn("secret", json.dumps(p.events()))
            self.assertEqual([e["path"] for e in p.events()], ["/a", "/b", "/c", "/d", "/e", "/f", "/x"])

    def test_bodies_in_pieces(self):
        with Proxy() as p, p.connect() as s:
            s.sendall(get("http://api.example/up", b"Transfer-Encoding: chunked", method="POST"))
            for part in (b"5\r\nhello\r\n", b"7;x=y\r\n, world\r\n", b"0\r\n\r\n"):
                time.sleep(0.05)
                s.sendall(part)
            self.assertEqual(read_answer(s)[2], b"POST /up 12\nhello, world")
            s.sendall(get("http://api.example/chunked"))
            status, head, body = read_answer(s)
            self.assertEqual(body, b"one two three")
            s.sendall(get("http://api.example/until-close"))
            self.assertEqual(read_answer(s)[2], b"all there is")
            s.sendall(get("http://api.example/no-content"))
            self.assertEqual(read_answer(s)[0], 204)
            s.sendall(get("http://api.example/big"))
            self.assertEqual(len(read_answer(s)[2]), 8 << 20)
            s.sendall(get("http://api.example/continue", b"Expect: 100-continue", b"Content-Length: 3", method="POST"))
            self.assertIn(b" 100 ", read_head(s))
            s.sendall(b"abc")
            self.assertEqual(read_answer(s)[2], b"got abc")

    def test_events_stream_as_they_come(self):
        go = threading.Event()

        def serve(taken):
            read_head(taken)
            taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            go.wait(20)
            taken.sendall(b"data: 2\n\n")

        server = Raw(serve)
        with Proxy() as p, p.connect() as s:
            s.sendall(get(f"http://api.example:{server.port}/"))
            read_head(s)
            f = s.makefile("rb")
            self.assertEqual(f.read(int(f.readline(), 16)), b"data: 1\n\n")
            go.set()
            f.readline()
            self.assertEqual(f.read(int(f.readline(), 16)), b"data: 2\n\n")

    def test_both_ways_at_once(self):
        def serve(taken):
            read_head(taken)
            taken.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            f = taken.makefile("rb")
            while size := int(f.readline(), 16):
                data = f.read(size)
                f.readline()
                taken.sendall(b"%x\r\n%s\r\n" % (len(data), data))
            taken.sendall(b"0\r\n\r\n")

        server = Raw(serve)
        with Proxy() as p, p.connect() as s:
            s.sendall(get(f"http://api.example:{server.port}/", b"Transfer-Encoding: chunked", method="POST"))
            read_head(s)
            f = s.makefile("rb")
            for text in (b"ping", b"pong"):
                s.sendall(b"%x\r\n%s\r\n" % (len(text), text))
                self.assertEqual(f.read(int(f.readline(), 16)), text)
                f.readline()
            s.sendall(b"0\r\n\r\n")
            self.assertEqual(f.readline(), b"0\r\n")

    def test_an_answer_before_the_request_is_whole(self):
        def serve(taken):
            read_head(taken)
            taken.sendall(b"HTTP/1.1 413 Too Much\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much")
            with contextlib.suppress(OSError):
                taken.shutdown(socket.SHUT_WR)
                while taken.recv(65536):
                    pass

        server = Raw(serve)
        with Proxy() as p, p.connect() as s:
            s.sendall(get(f"http://api.example:{server.port}/", b"Content-Length: 1000000", method="POST") + b"x" * 1000)
            status, _, body = read_answer(s)
            self.assertEqual((status, body), (413, b"too much"))

    def test_a_server_that_leaves_is_not_waited_for(self):
        """Nor is the rest of the request: the client that still writes hears of it at once."""
        gone = Raw(read_head)
        early = Raw(lambda taken: (read_head(taken), taken.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad")))
        with Proxy() as p:
            for server, status in ((gone, 502), (early, 400)):
                with p.connect() as s:
                    start = time.monotonic()
                    s.sendall(get(f"http://api.example:{server.port}/", b"Content-Length: 1000", method="POST") + b"x")
                    self.assertEqual(read_answer(s)[0], status)
                    self.assertEqual(s.recv(1), b"")
                    self.assertLess(time.monotonic() - start, 5)

    def test_upgrades(self):
        def serve(taken):
            head = read_head(taken)
            self.assertIn(b"upgrade: websocket", head.lower())
            self.assertIn(b"connection: upgrade", head.lower())
            taken.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst")
            world.echo(taken)

        server = Raw(serve)
        with Proxy() as p, p.connect() as s:
            s.sendall(get(f"http://api.example:{server.port}/ws", b"Upgrade: websocket", b"Connection: Upgrade") + b"early")
            self.assertIn(b" 101 ", read_head(s))
            got = b""
            while len(got) < 10:
                got += s.recv(100)
            self.assertEqual(got, b"firstearly")
            s.sendall(b"frame")
            self.assertEqual(s.recv(100), b"frame")

    def test_other_requests(self):
        with Proxy() as p:
            for request, status in ((get("/path"), 404), (get("*", method="OPTIONS"), 404),
                                    (get("https://api.example/"), 400), (get("ftp://api.example/"), 400),
                                    (get("http://user:pw@api.example/"), 400), (get("http:///x"), 400),
                                    (get("api.example/x"), 400), (get("http://other.example/"), 403)):
                got, _, body = p.ask(request)
                self.assertEqual(got, status, (request, body))
                self.assertTrue(body.startswith(b"nono: ") and body.endswith(b"\n"), body)

    def test_a_whole_name_before_a_wildcard(self):
        everything, nothing = [{"method": "*", "path": "/**"}], [{"method": "GET", "path": "/none"}]
        for hosts, endpoints, api, tunnel in (
                (("*.example", "api.example"), {"api.example": nothing}, 403, 403),
                (("*.example", "api.example"), {"*.example": nothing}, 200, 502),  # nobody is there
                (("*.example", "api.example"), {"*.example": nothing, "api.example": everything}, 200, 403),
                (("*.example",), {"*.example": nothing}, 403, 403)):
            with self.subTest(endpoints=endpoints), Proxy(hosts, endpoints=[{"host": h, "rules": r} for h, r in endpoints.items()]) as p:
                self.assertEqual(p.ask(get("http://api.example/x"))[0], api)
                s, status = p.tunnel("api.example:443")
                s.close()
                self.assertEqual(status, tunnel)

    def test_endpoints(self):
        rules = [{"host": "api.example", "rules": [{"method": "GET", "path": "/v1/*"}, {"method": "*", "path": "/open/**"}]}]
        with Proxy(("api.example",), endpoints=rules) as p:
            for method, path, status in (("GET", "/v1/models", 200), ("POST", "/v1/models", 403), ("GET", "/v1/a/b", 403),
                                         ("GET", "/v1/", 403), ("GET", "/v2/x", 403), ("PUT", "/open/a/b/c", 200),
                                         ("GET", "/v1/../v2/x", 403), ("GET", "/v1/%2e%2e/v2", 403),
                                         ("GET", "//v1//models/", 200), ("GET", "/v1/models?x=/../..", 200),
                                         ("GET", "/v1/a%2fb", 403), ("GET", "/v1/%00", 403), ("GET", "/v1/%zz", 403),
                                         ("GET", "/open/../../x", 403)):
                self.assertEqual(p.ask(get(f"http://api.example{path}", method=method))[0], status, (method, path))
            s, status = p.tunnel("api.example:443")
            s.close()
            self.assertEqual(status, 403)
            self.assertEqual(p.events()[-1]["denial_category"], "connect_bypasses_l7")
            for field in ("X-HTTP-Method-Override: DELETE", "x-http-method: DELETE", "X-Method-Override: DELETE",
                          "X-Original-URL: /admin", "X-Rewrite-Url: /admin"):
                status, _, body = p.ask(get("http://api.example/v1/models", field.encode()))
                self.assertEqual(status, 403, field)
                self.assertIn(f"the field {field.split(':')[0]} asks for another request than the endpoint rules see", body.decode())
                self.assertEqual(p.events()[-1]["denial_category"], "endpoint_policy")
        with Proxy() as p:
            self.assertEqual(p.ask(get("http://api.example/v1/models", b"X-HTTP-Method-Override: DELETE"))[0], 200)

    # ---- a hostile client ----

    def test_requests_that_could_be_read_in_two_ways(self):
        first = b"POST http://api.example/ HTTP/1.1\r\nHost: api.example\r\n" + AUTH
        bad = {
            "length and chunked": first + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "chunked and length": first + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "two lengths": first + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "the same length twice": first + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            "a list of lengths": first + b"Content-Length: 5, 5\r\n\r\nhello",
            "a signed length": first + b"Content-Length: +5\r\n\r\nhello",
            "a hexadecimal length": first + b"Content-Length: 0x5\r\n\r\nhello",
            "a huge length": first + b"Content-Length: 99999999999999999999\r\n\r\nhello",
            "an unknown coding": first + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "chunked twice": first + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "two codings": first + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "identity": first + b"Transfer-Encoding: identity\r\n\r\n",
            "a folded line": first + b"X-A: 1\r\n 2\r\n\r\n",
            "a folded coding": first + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
            "space before the colon": first + b"Content-Length : 5\r\n\r\nhello",
            "NUL": first + b"X-A: a\0b\r\n\r\n",
            "NUL in a name": first + b"X\0A: b\r\n\r\n",
            "a lone CR": first + b"X-A: a\rContent-Length: 5\r\n\r\nhello",
            "a lone LF": first + b"X-A: a\nContent-Length: 5\r\n\r\nhello",
            "LF only": b"GET http://api.example/ HTTP/1.1\nHost: api.example\n\n",
            "two hosts": first + b"Host: other.example\r\n\r\n",
            "no colon": first + b"X-A\r\n\r\n",
            "no name": first + b": x\r\n\r\n",
            "CR in the target": b"GET http://api.example/\r\r\nX: y HTTP/1.1\r\n" + AUTH + b"\r\n",
            "a space in the target": b"GET http://api.example/a b HTTP/1.1\r\n" + AUTH + b"\r\n",
            "HTTP/0.9": b"GET http://api.example/\r\n\r\n",
            "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "HTTP/9.9": b"GET http://api.example/ HTTP/9.9\r\n" + AUTH + b"\r\n",
            "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            "an empty line": b"\r\n\r\nGET http://api.example/ HTTP/1.1\r\n\r\n",
            "a control byte": first + b"X-A: \x01\r\n\r\n",
        }
        with Proxy() as p:
            for name, request in bad.items():
                with self.subTest(name):
                    with p.connect() as s:
                        s.sendall(request)
                        s.shutdown(socket.SHUT_WR)
                        status, head, body = read_answer(s)
                        self.assertEqual(status, 400, (head, body))
                        self.assertEqual(s.recv(1), b"")  # and the connection is closed
            self.assertEqual(world.Echo.seen, [])
            self.assertEqual(self.names.asked, [])
            self.assertEqual({e["denial_category"] for e in p.events()}, {"malformed_request"})

    def test_bad_chunks(self):
        first = b"POST http://api.example/ HTTP/1.1\r\nHost: api.example\r\n" + AUTH + b"Transfer-Encoding: chunked\r\n\r\n"
        with Proxy() as p:
            for body in (b"zz\r\n", b"-5\r\nhello\r\n", b"ffffffffffffffffff\r\n", b"5\r\nhelloXX", b"5\nhello\n0\n\n",
                         b"0x5\r\nhello\r\n"):
                with self.subTest(body), p.connect() as s:
                    s.sendall(first + body)
                    s.shutdown(socket.SHUT_WR)
                    status, _, _ = read_answer(s)
                    self.assertNotEqual(status, 200)
            self.assertEqual(p.ask(get("http://api.example/"))[0], 200)

    def test_a_header_too_long(self):
        with Proxy() as p:
            for request in (b"GET http://api.example/" + b"a" * 70000, get("http://api.example/")[:-2] + b"X: " + b"b" * 70000,
                            get("http://api.example/")[:-2] + b"X: y\r\n" * 20000):
                with p.connect() as s:
                    with contextlib.suppress(OSError):
                        s.sendall(request + b"\r\n\r\n")
                    self.assertEqual(read_answer(s)[0], 431)
            long = get("http://api.example/", *[b"X-%d: %s" % (i, b"c" * 1000) for i in range(60)])
            self.assertEqual(p.ask(long)[0], 200)

    def test_a_header_byte_by_byte(self):
        with Proxy() as p, p.connect() as s:
            for byte in get("http://api.example/slow"):
                s.sendall(bytes([byte]))
            self.assertEqual(read_answer(s)[0], 200)

    def test_requests_in_one_go(self):
        with Proxy(("api.example", "other.example")) as p, p.connect() as s:
            s.sendall(get("http://api.example/1") + get("http://evil.example/2") + get("http://other.example/3"))
            self.assertEqual([read_answer(s)[0] for _ in range(3)], [200, 403, 200])

    def test_early_data_of_a_tunnel(self):
        with Proxy() as p, p.connect() as s:
            s.sendall(b"CONNECT api.example:7777 HTTP/1.1\r\n" + AUTH + b"\r\nearly")
            self.assertIn(b" 200 ", read_head(s))
            self.assertEqual(s.recv(100), b"early")

    def test_tunnels_end_on_both_sides(self):
        def half(taken):  # says its last word only when the client has said its own
            data = b""
            while got := taken.recv(65536):
                data += got
            taken.sendall(b"%d" % len(data))

        server = Raw(half)
        with Proxy() as p:
            s, status = p.tunnel(f"api.example:{server.port}")
            with s:
                self.assertEqual(status, 200)
                s.sendall(b"z" * 3000000)
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(s.recv(100), b"3000000")
                self.assertEqual(s.recv(100), b"")
            closer = Raw(lambda taken: taken.sendall(b"bye"))
            s, _ = p.tunnel(f"api.example:{closer.port}")
            with s:
                self.assertEqual(s.recv(100), b"bye")
                self.assertEqual(s.recv(100), b"")
            def reset(taken):
                taken.recv(1)
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

            resetter = Raw(reset)
            s, _ = p.tunnel(f"api.example:{resetter.port}")
            with s, contextlib.suppress(ConnectionResetError):
                s.sendall(b"x")
                self.assertEqual(s.recv(100), b"")
            self.no_descriptors_left(p)

    def no_descriptors_left(self, p, spare=40):
        end = time.monotonic() + 20
        path = f"/proc/{p.process.pid}/fd"
        while (n := len(os.listdir(path))) > spare and time.monotonic() < end:
            time.sleep(0.05)
        self.assertLessEqual(n, spare)

    def test_a_thousand_tunnels(self):
        with Proxy() as p:
            open_ = []
            for _ in range(1000):
                s, status = p.tunnel("api.example:7777")
                self.assertEqual(status, 200)
                open_.append(s)
            for i, s in enumerate(open_):
                s.sendall(b"%04d" % i)
            for i, s in enumerate(open_):
                self.assertEqual(s.recv(4), b"%04d" % i)
            with open(f"/proc/{p.process.pid}/status", encoding="ascii") as f:
                memory = int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
            print(f"resident with 1,000 tunnels: {memory} KB", file=sys.stderr)
            for s in open_:
                s.close()
            self.no_descriptors_left(p)

    def test_much_through_a_tunnel(self):
        data = os.urandom(1 << 20) * 32
        with Proxy() as p:
            s, _ = p.tunnel("api.example:7777")
            with s:
                thread = threading.Thread(target=s.sendall, args=(data,))
                thread.start()
                got = bytearray()
                while len(got) < len(data):
                    got += s.recv(1 << 20)
                thread.join()
                self.assertEqual(bytes(got), data)

    def test_a_slow_name_stops_nobody(self):
        self.names.delay["slow.example"] = 2
        with Proxy(("slow.example", "api.example")) as p, p.connect() as s:
            s.sendall(get("http://slow.example/"))
            start = time.monotonic()
            self.assertEqual(p.ask(get("http://api.example/"))[0], 200)
            self.assertLess(time.monotonic() - start, 1.5)
            self.assertEqual(read_answer(s)[0], 200)

    def test_a_client_of_http_1_0(self):
        """It knows no chunks: the end of the answer is that of the connection."""
        for path, expected in (("/chunked", b"one two three"), ("/until-close", None), ("/x", b"GET /x 0\n")):
            with self.subTest(path), Proxy() as p, p.connect() as s:
                s.sendall(get(f"http://api.example{path}").replace(b"HTTP/1.1", b"HTTP/1.0"))
                head = read_head(s)
                body = b""
                while got := s.recv(1000):
                    body += got
                self.assertIn(b" 200 ", head)
                self.assertNotRegex(head, rb"(?i)transfer-encoding")
                if expected is None:
                    expected = p.ask(get(f"http://api.example{path}"))[2]
                self.assertEqual(body, expected)

    def test_no_secret_of_a_malformed_target_is_logged(self):
        with Proxy() as p:
            for line in ("GET http://user:pw-secret@api.example/", "CONNECT user:pw-secret@api.example:443",
                         "GET https://api.example/?key=pw-secret", "GET ftp://api.example/pw-secret", "GET pw-secret"):
                with self.subTest(line):
                    self.assertEqual(p.ask(f"{line} HTTP/1.1\r\n".encode() + AUTH + b"\r\n")[0], 400)
            self.assertEqual(len(p.events()), 5)
            self.assertNotIn("pw-secret", json.dumps(p.events()))

    def test_what_nobody_asked_for_is_no_answer(self):
        taken_ = []

        def serve(taken):
            taken_.append(taken)
            while read_head(taken):
                taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore")

        server = Raw(serve)
        with Proxy() as p, p.connect() as s:
            for _ in range(3):
                s.sendall(get(f"http://api.example:{server.port}/"))
                status, _, body = read_answer(s)
                self.assertEqual((status, body), (200, b"a"))
        self.assertEqual(len(taken_), 3)

    def test_a_silence_that_is_too_long(self):
        silent = Raw(lambda taken: (read_head(taken), time.sleep(8)))
        stops = Raw(lambda taken: (read_head(taken), taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), time.sleep(8)))
        with Proxy(longest_silence=1) as p:
            start = time.monotonic()
            status, _, body = p.ask(get(f"http://api.example:{silent.port}/"))
            self.assertEqual((status, body.decode()), (504, f"nono: nothing came from api.example:{silent.port} and nothing "
                                                            "went there for 1 seconds\n"))
            with p.connect() as s:
                s.sendall(get(f"http://api.example:{stops.port}/"))
                self.assertIn(b" 200 ", read_head(s))
                got = b""
                while data := s.recv(100):
                    got += data
                self.assertEqual(got, b"abc")  # and then the end, too early
            self.assertTrue(2 <= time.monotonic() - start < 6)
            self.no_descriptors_left(p)

    def test_what_moves_is_not_silent(self):
        """However long it takes, and whichever way it goes."""
        def late(taken):
            head = read_head(taken)
            length = int(re.search(rb"Content-Length: (\d+)", head)[1])
            while length:
                length -= len(taken.recv(length))
            taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
            for _ in range(8):
                time.sleep(0.4)
                taken.sendall(b"x")

        server = Raw(late)
        with Proxy(longest_silence=1) as p, p.connect() as s:
            s.sendall(get(f"http://api.example:{server.port}/", b"Content-Length: 8", method="POST"))
            for _ in range(8):
                time.sleep(0.4)
                s.sendall(b"y")
            status, _, body = read_answer(s)
            self.assertEqual((status, body), (200, b"x" * 8))

    # ---- an upstream proxy ----

    def test_through_an_upstream_proxy(self):
        seen = []

        def serve(taken):
            head = read_head(taken)
            seen.append(head)
            if head.startswith(b"CONNECT refused"):
                taken.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            elif head.startswith(b"CONNECT"):
                taken.sendall(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nlate")
                world.echo(taken)
            else:
                taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nup")

        server = Raw(serve, PRIVATE)
        more = {"upstream_host": "intranet.example", "upstream_port": server.port, "upstream_bypass": ["*.sub.example"]}
        with Proxy(("far.example", "refused.example", "deep.sub.example"), **more) as p:
            s, status = p.tunnel("far.example:443")
            with s:
                self.assertEqual(status, 200)
                self.assertEqual(s.recv(4), b"late")
                s.sendall(b"hello")
                self.assertEqual(s.recv(5), b"hello")
            self.assertEqual(p.ask(get("http://far.example/x"))[2], b"up")
            self.assertEqual(p.ask(get("http://deep.sub.example/x"))[2], b"GET /x 0\n")
            s, status = p.tunnel("refused.example:443")
            s.close()
            self.assertEqual(status, 502)
            s, status = p.tunnel("evil.example:443")
            s.close()
            self.assertEqual(status, 403)
            self.assertEqual({e["mode"] for e in p.events() if e["target"] == "far.example"}, {"external"})
        self.assertTrue(seen[0].startswith(b"CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n"))
        self.assertTrue(seen[1].startswith(b"GET http://far.example/x HTTP/1.1\r\n"))
        self.assertNotIn(TOKEN.encode(), b"".join(seen))
        self.assertNotIn(b"nono", b"".join(seen))
        self.assertNotIn("far.example", self.names.asked)  # the upstream proxy looks them up

    # ---- its own life ----

    def test_it_ends_with_its_runner(self):
        p = Proxy()
        s, _ = p.tunnel("api.example:7777")
        p.mine.close()
        self.assertEqual(p.process.wait(20), 0)
        with s, contextlib.suppress(ConnectionResetError):
            self.assertEqual(s.recv(1), b"")

    def test_signals_of_the_terminal_do_not_end_it(self):
        with Proxy() as p:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
                os.kill(p.process.pid, number)
            self.assertEqual(p.ask(get("http://api.example/"))[0], 200)

    def test_a_killed_proxy_leaves_a_whole_log(self):
        with Proxy() as p:
            for i in range(50):
                self.assertEqual(p.ask(get(f"http://api.example/{i}"))[0], 200)
            p.process.kill()
            p.process.wait()
            self.assertEqual([e["path"] for e in p.events()], [f"/{i}" for i in range(50)])

    def test_it_is_confined_before_it_serves(self):
        with Proxy() as p:
            with open(f"/proc/{p.process.pid}/status", encoding="ascii") as f:
                self.assertRegex(f.read(), r"NoNewPrivs:\s1[\s\S]*Seccomp:\s2")
            self.assertEqual(len(os.listdir(f"/proc/{p.process.pid}/task")), 1)
            with open(f"/proc/{p.process.pid}/limits", encoding="ascii") as f:
                self.assertRegex(f.read(), r"Max core file size\s+0\s+0")

    def test_an_audit_log_that_is_full(self):
        with Proxy(audit=open("/dev/full", "wb", buffering=0)) as p:
            status, _, body = p.ask(get("http://api.example/"))
            self.assertEqual(status, 503)
            self.assertIn(b"audit log cannot be written", body)
            self.assertEqual(world.Echo.seen, [])

    def test_bad_settings(self):
        for text in ("", "{", "[]", "{}", json.dumps({"token": "short", "hosts": []}), json.dumps({"token": TOKEN, "hosts": 1}),
                     json.dumps({"token": TOKEN, "hosts": ["UPPER"]}), json.dumps({"token": TOKEN, "hosts": [1]}),
                     json.dumps({"token": TOKEN, "upstream_host": "a"}), json.dumps({"token": TOKEN, "upstream_port": 70000}),
                     json.dumps({"token": TOKEN, "endpoints": [{}]}), b"\xff\xfe", "9" * 1000):
            with Proxy(settings=text, listen=False) as p:
                self.assertTrue(p.said.startswith(b"error "), (text, p.said))
                self.assertEqual(p.process.wait(20), 1)

    def test_alone(self):
        r = subprocess.run([PROXY], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.assertEqual(r.returncode, 2)
        self.assertEqual(r.stderr.decode(), "nono-proxy: `nono run` starts this program where hosts are filtered; it is of "
                                            "no use alone\n")


if __name__ == "__main__":
    world.main()
