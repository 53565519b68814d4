# SPDX-License-Identifier: Apache-2.0
"""Routes, byte by byte: what stands where the key was, what a server gets, and that no key ever comes back."""
import base64
import contextlib
import gzip
import json
import os
import re
import socket
import tempfile
import threading
import time
import unittest

import world
from test_proxy import AUTH, TOKEN, Proxy, get, read_answer, read_head
from world import LINK_LOCAL, OTHER, PRIVATE, PUBLIC, Raw, Web

KEY = "sk-live-3f9a/b+c=Zx81"
MINE = "fedcba9876543210" * 4
THEIRS = "00112233445566778899aabbccddeeff" * 2

NAMES = {"api.example": [PUBLIC], "other.example": [OTHER], "plain.example": [PUBLIC], "intranet.example": [PRIVATE],
         "cloud.example": [LINK_LOCAL], "dead.example": ["203.0.113.99"], "wrong.example": [PUBLIC]}


class Api(world.Handler):
    """Gives back all that it gets, key included, in several ways."""

    seen = []
    go_on = threading.Event()
    connections = set()

    def answer(self):
        Api.connections.add(self.client_address)
        body = self.body()
        Api.seen.append((self.command, self.path, list(self.headers.items()), body))
        path = self.path.split("?")[0]
        told = self.headers.get("Authorization") or self.headers.get("x-api-key") or self.path
        if path.endswith("/events"):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(3):
                Api.go_on.wait(20)
                Api.go_on.clear()
                self.chunk(b"data: %d\n\n" % i)
            self.chunk(b"")
        elif path.endswith("/pieces"):  # byte for byte, each a chunk of its own
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for byte in f"<{told}> and {told[:9]}":
                self.chunk(byte.encode())
            self.chunk(b"")
        elif path.endswith("/packed"):
            data = gzip.compress(told.encode())
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        elif path.endswith("/until-close"):
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nX-Told: " + told.encode() + b"\r\n\r\n" + told.encode())
            with contextlib.suppress(OSError):
                self.connection.settimeout(0.2)
                self.connection.unwrap()  # says that this is the end, and waits for the same
        elif path.endswith("/cut"):  # an end that TLS does not vouch for
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf")
        elif path.endswith("/nothing"):
            self.send_response(204)
            self.end_headers()
        else:
            text = json.dumps([self.command, self.path, list(self.headers.items()), body.decode("latin1")]).encode()
            self.send_response(200)
            self.send_header("X-Told", told)
            self.send_header("Set-Cookie", "a=" + told)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_TRACE = answer


def route(prefix="openai", host="api.example", token=MINE, **more):
    return {"prefix": prefix, "token": token, "host": host, "port": 443, "base": "/v1", "variable": "OPENAI_BASE_URL",
            "shown": {"where": "header", "name": "Authorization", "format": "Bearer {}"},
            "sent": {"where": "header", "name": "Authorization", "format": "Bearer {}"}, "ca": Routes.ca, **more}


def request(target, *fields, method="GET", token=MINE):
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1:3128", *fields]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.names = world.Names(dict(NAMES))
        cls.room = tempfile.mkdtemp(prefix="nt-", dir="/var/tmp")
        authority = world.Authority(cls.room)
        with open(authority.bundle, encoding="ascii") as f:
            cls.ca = f.read()
        cls.bundle = authority.bundle
        context = authority.context("api.example", "other.example", "intranet.example", "cloud.example", "dead.example")
        for address in (PUBLIC, OTHER, PRIVATE, LINK_LOCAL):
            Web(address, 443, Api, context)
        Web("127.0.0.1", 8080, Api)
        Web(PUBLIC, 8080, Api)

    def setUp(self):
        Api.seen.clear()
        Api.connections.clear()
        self.names.asked.clear()

    def proxy(self, *routes, keys=(KEY.encode(),), **more):
        return Proxy(hosts=more.pop("hosts", ("*",)), routes=list(routes or [route()]), keys=keys, **more)

    def clean(self, *texts):
        for text in texts:
            text = text if isinstance(text, bytes) else text.encode("latin1")
            self.assertNotIn(KEY.encode(), text)
            self.assertNotIn(base64.b64encode(KEY.encode()), text)

    def test_the_key_goes_out_and_does_not_come_back(self):
        with self.proxy() as p:
            status, head, body = p.ask(request("/openai/models?x=1&y=%2F", "X-Own: 1"))
            events = p.events()
        self.assertEqual(status, 200)
        self.clean(head, body)
        self.assertIn("x-told: bearer " + "*" * len(KEY), head.lower())
        method, path, fields, _ = Api.seen[0]
        self.assertEqual((method, path), ("GET", "/v1/models?x=1&y=%2F"))
        self.assertEqual([v for k, v in fields if k.lower() == "authorization"], ["Bearer " + KEY])
        self.assertEqual({k.lower(): v for k, v in fields}, {"host": "api.example", "accept-encoding": "identity",
                                                             "authorization": "Bearer " + KEY, "x-own": "1"})
        self.assertNotIn(MINE, str(Api.seen))
        self.assertEqual(len(events), 1)
        event = dict(events[0])
        event.pop("timestamp_unix_ms")
        self.assertEqual(event, {"mode": "reverse", "decision": "allow", "target": "api.example", "port": 443, "method": "GET",
                                 "path": "/models", "route_id": "openai", "auth_mechanism": "phantom_header",
                                 "auth_outcome": "succeeded", "managed_credential_active": True, "injection_mode": "header"})

    def test_tokens(self):
        other = route("other", "other.example", THEIRS)
        with self.proxy(route(), other, keys=(KEY.encode(), b"another key")) as p:
            self.assertEqual(p.ask(request("/other/x", token=THEIRS))[0], 200)
            Api.seen.clear()
            for token in (None, "", "x", THEIRS, TOKEN, MINE[:-1] + "1", "1" + MINE[1:], MINE + "0", MINE[:-1], MINE.upper(), KEY):
                status, head, body = p.ask(request("/openai/models", token=token))
                self.assertEqual(status, 401, token)
                self.assertIn("token of this run where the key would stand, in the header Authorization", body.decode())
                self.assertIn("application/json", head)
                self.assertEqual(json.loads(body)["error"][:6], "nono: ")
            # Twice is no better than once: which of them counts?
            self.assertEqual(p.ask(request("/openai/models", f"Authorization: Bearer {MINE}"))[0], 401)
            self.assertEqual(p.ask(request("/openai/models", token=None) [:-2] + AUTH + b"\r\n")[0], 401)
            self.assertEqual(Api.seen, [])
            for value in (MINE, "token " + MINE, "bearer  " + MINE, "Basic " + base64.b64encode(b"me:" + MINE.encode()).decode()):
                self.assertEqual(p.ask(request("/openai/models", "Authorization: " + value, token=None))[0], 200, value)
            reasons = str(p.events())
        self.clean(reasons)
        for token in (MINE, THEIRS, TOKEN):
            self.assertNotIn(token, reasons)

    def test_no_such_route(self):
        with self.proxy() as p:
            for target in ("/", "/open", "/openaix/models", "/OPENAI/x", "//openai/x", "/./openai/x", "/%6fpenai/x", "*"):
                status, _, body = p.ask(request(target))
                self.assertEqual(status, 404, target)
                self.assertEqual(json.loads(body), {"error": "nono: there is no such route here; there is /openai"})
            self.assertEqual(Api.seen, [])

    def test_paths_stay_below_the_base(self):
        with self.proxy() as p:
            for target, wanted in (("/openai", "/v1/"), ("/openai/", "/v1/"), ("/openai?a=b", "/v1/?a=b"),
                                   ("/openai/a/../b", "/v1/b"), ("/openai/a/%2e%2E/b", "/v1/b"), ("/openai/./a/.", "/v1/a/"),
                                   ("/openai/a//b", "/v1/a//b"), ("/openai/g%2Fp/x%20y", "/v1/g%2Fp/x%20y"),
                                   ("/openai/a#b", "/v1/a")):
                self.assertEqual(p.ask(request(target))[0], 200, target)
                self.assertEqual(Api.seen[-1][1], wanted, target)
            count = len(Api.seen)
            for target in ("/openai/..", "/openai/../admin", "/openai/a/../../admin", "/openai/%2e%2e/admin", "/openai/%2E./x",
                           "/openai/a%2F..%2F..%2Fadmin", "/openai/..%2Fadmin", "/openai/a%5cb", "/openai/a%00b", "/openai/%zz"):
                self.assertEqual(p.ask(request(target))[0], 400, target)
            self.assertEqual(len(Api.seen), count)

    def test_endpoint_rules(self):
        rules = {"deny": [{"method": "*", "path": "/files/**"}], "allow": [{"method": "POST", "path": "/chat/*"},
                                                                          {"method": "GET", "path": "/files/x"}], "allows_rest": False}
        with self.proxy(route(**rules)) as p:
            self.assertEqual(p.ask(request("/openai/chat/completions", "Content-Length: 0", method="POST"))[0], 200)
            for method, target in (("GET", "/chat/completions"), ("POST", "/chat/a/b"), ("GET", "/files/x"), ("GET", "/models"),
                                   ("POST", "/chat/../files/x"), ("POST", "/chat%2Fa/b"), ("POST", "/chat/x/%2e%2e/../y")):
                status, _, body = p.ask(request("/openai" + target, "Content-Length: 0", method=method))
                self.assertEqual(status, 403, target)
                self.assertIn("endpoint rule", body.decode())
            status, _, body = p.ask(request("/openai/chat/completions", "Content-Length: 0", "X-HTTP-Method-Override: DELETE", method="POST"))
            self.assertEqual(status, 403)
            self.assertIn("X-HTTP-Method-Override asks for another request than the endpoint rules see", body.decode())
            self.assertEqual(len(Api.seen), 1)
            self.assertEqual({e["denial_category"] for e in p.events() if e["decision"] == "deny"}, {"endpoint_policy"})
        with self.proxy(route(deny=[{"method": "DELETE", "path": "/**"}])) as p:  # to some servers they are the same
            for method in ("DELETE", "delete", "Delete"):
                self.assertEqual(p.ask(request("/openai/models", "Content-Length: 0", method=method))[0], 403)
        with self.proxy(route(deny=rules["deny"])) as p:
            self.assertEqual(p.ask(request("/openai/models"))[0], 200)
            self.assertEqual(p.ask(request("/openai/files/a/b"))[0], 403)

    def test_what_could_carry_the_key_out(self):
        with self.proxy() as p:
            for fields in (["Connection: x-own", "X-Own: 1"], ["Range: bytes=0-3"], ["Accept-Encoding: gzip, br"], ["TE: trailers"],
                           ["Proxy-Authorization: Basic abcd"]):
                self.assertEqual(p.ask(request("/openai/models", *fields))[0], 200)
                names = [k.lower() for k, _ in Api.seen[-1][2]]
                self.assertEqual(sorted(names), ["accept-encoding", "authorization", "host"], fields)
            self.assertEqual(p.ask(request("/openai/x", method="TRACE"))[0], 405)
            self.assertEqual(p.ask(request("/openai/x", "Connection: upgrade", "Upgrade: websocket"))[0], 501)
            status, head, body = p.ask(request("/openai/packed"))
            self.assertEqual(status, 502)
            self.assertIn("Content-Encoding, in which the key cannot be looked for", body.decode())
            for target in ("/openai/pieces", "/openai/until-close"):
                status, head, body = p.ask(request(target))
                self.assertEqual(status, 200)
                self.clean(head, body)
                self.assertIn(b"Bearer " + b"*" * len(KEY), body)
            self.assertEqual(p.ask(request("/openai/pieces"))[2], f"<Bearer {'*' * len(KEY)}> and Bearer {KEY[:2]}".encode())
            self.assertEqual(p.ask(request("/openai/nothing"))[0], 204)

    def test_the_host_is_reached_by_the_route_alone(self):
        with self.proxy(hosts=("api.example", "*")) as p:
            s, status = p.tunnel("api.example:443")
            reason = s.recv(4096).decode()
            s.close()
            self.assertEqual(status, 403)
            self.assertIn("send requests to the URL in OPENAI_BASE_URL", reason)
            self.assertEqual(p.ask(get("http://API.example./"))[0], 403)
            s, status = p.tunnel("other.example:443")
            s.close()
            self.assertEqual(status, 200)
        with self.proxy(hosts=("other.example",)) as p:  # not among the hosts: allowed for its route
            self.assertEqual(p.ask(request("/openai/models"))[0], 200)

    def test_places(self):
        query = {"where": "query_param", "name": "key"}
        path = {"where": "url_path", "format": "/bot{}/"}
        plain = {"where": "header", "name": "x-api-key", "format": "{}"}
        basic = {"where": "basic_auth"}
        coded = "sk-live-3f9a%2Fb%2Bc%3DZx81"
        for shown, sent, ask, fields, wanted, told in (
                (plain, plain, "/openai/m", [f"X-Api-Key: {MINE}"], "/v1/m", ("x-api-key", KEY)),
                (query, query, f"/openai/m?a=1&key={MINE}&b", [], f"/v1/m?a=1&b&key={coded}", None),
                (query, query, f"/openai/m?k%65y={MINE}", [], f"/v1/m?key={coded}", None),
                (query, plain, f"/openai/m?key={MINE}", ["X-Api-Key: mine"], "/v1/m", ("x-api-key", KEY)),
                (path, path, f"/openai/bot{MINE}/getMe?x", [], f"/v1/bot{coded}/getMe?x", None),
                (path, {"where": "url_path", "format": "/tok-{}/"}, f"/openai/bot{MINE}/getMe", [], f"/v1/tok-{coded}/getMe", None),
                (path, plain, f"/openai/bot{MINE}/getMe", [], "/v1/getMe", ("x-api-key", KEY)),
                (plain, path, "/openai/getMe", [f"x-api-key: {MINE}"], f"/v1/bot{coded}/getMe", None),
                (basic, basic, "/openai/m", ["Authorization: Basic " + base64.b64encode(b"u:" + MINE.encode()).decode()], "/v1/m",
                 ("authorization", "Basic " + base64.b64encode(b"user:" + KEY.encode()).decode()))):
            key = ("user:" + KEY if sent is basic else KEY).encode()
            with self.subTest(f"{shown} {sent}"), self.proxy(route(shown=shown, sent=sent), keys=(key,)) as p:
                status, head, body = p.ask(request(ask, *fields, token=None))
                self.assertEqual((status, Api.seen[-1][1]), (200, wanted))
                self.clean(head, body)
                self.assertNotIn(coded, head + body.decode("latin1"))
                self.assertNotIn(MINE, str(Api.seen[-1]))
                if told:
                    self.assertEqual([v for k, v in Api.seen[-1][2] if k.lower() == told[0]], [told[1]])
                self.clean(str(p.events()))
                self.assertNotIn(MINE, str(p.events()))
                for wrong in (ask.replace(MINE, THEIRS), ask.replace(MINE, MINE[:-1])):
                    given = [f.replace(MINE, THEIRS) for f in fields if MINE in f] if ask == wrong else fields
                    if shown is basic:
                        given = ["Authorization: Basic " + base64.b64encode(b"u:" + THEIRS.encode()).decode()]
                    self.assertEqual(p.ask(request(wrong, *given, token=None))[0], 401, wrong)

    def test_a_bearer_in_the_place_of_another_header(self):
        plain = {"where": "header", "name": "x-api-key", "format": "{}"}
        sent = lambda name: [v for k, v in Api.seen[-1][2] if k.lower() == name]  # noqa: E731
        with self.proxy(route(shown=plain, sent=plain)) as p:
            for fields in ([f"Authorization: Bearer {MINE}"], [f"X-Api-Key: {MINE}", f"Authorization: Bearer {MINE}"]):
                self.assertEqual(p.ask(request("/openai/m", *fields, token=None))[0], 200, fields)
                self.assertEqual((sent("x-api-key"), sent("authorization")), ([KEY], []))
            self.assertEqual(p.ask(request("/openai/m", f"X-Api-Key: {MINE}", "Authorization: mine", token=None))[0], 200)
            self.assertEqual((sent("x-api-key"), sent("authorization")), ([KEY], ["mine"]))  # what is the client's stays
            count = len(Api.seen)
            for fields in ([f"X-Api-Key: {THEIRS}", f"Authorization: Bearer {MINE}"], [f"Authorization: Bearer {THEIRS}"],
                           [f"Authorization: Bearer {MINE}"] * 2, ["X-Api-Key: ", f"Authorization: Bearer {MINE}"]):
                self.assertEqual(p.ask(request("/openai/m", *fields, token=None))[0], 401, fields)
            self.assertEqual(len(Api.seen), count)

    def test_bodies_stream_both_ways(self):
        with self.proxy() as p:
            big = os.urandom(3 << 20)
            fields = (f"Content-Length: {len(big)}",)
            self.assertEqual(p.ask(request("/openai/up", *fields, method="POST"), big)[0], 200)
            self.assertTrue(Api.seen[-1][3] == big)
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (b"one", b"two" * 9000, b"three")) + b"0\r\n\r\n"
            self.assertEqual(p.ask(request("/openai/up", "Transfer-Encoding: chunked", method="POST"), chunks)[0], 200)
            self.assertTrue(Api.seen[-1][3] == b"one" + b"two" * 9000 + b"three")
            with p.connect() as s:  # an event is here before the next is made
                s.sendall(request("/openai/events"))
                read_head(s)
                f = s.makefile("rb")
                for i in range(3):
                    Api.go_on.set()
                    size = int(f.readline(), 16)
                    self.assertEqual(f.read(size + 2), b"data: %d\n\n\r\n" % i)
                self.assertEqual(f.readline() + f.readline(), b"0\r\n\r\n")
                s.sendall(request("/openai/models"))  # and the connection goes on
                self.assertEqual(read_answer(s)[0], 200)

    def test_connections_are_kept(self):
        with self.proxy() as p:
            for _ in range(5):
                self.assertEqual(p.ask(request("/openai/models"))[0], 200)
            self.assertEqual(len(Api.connections), 1)
            self.assertEqual(p.ask(request("/openai/until-close"))[0], 200)
            self.assertEqual(p.ask(request("/openai/models"))[0], 200)
            self.assertEqual(len(Api.connections), 2)

    def test_an_answer_that_was_cut(self):
        with self.proxy() as p, p.connect() as s:
            s.sendall(request("/openai/cut"))
            got = b"".join(iter(lambda: s.recv(4096), b""))
            self.assertTrue(got.endswith(b"4\r\nhalf\r\n"), got)  # and no last chunk

    def test_who_the_server_is(self):
        for more, words in (({"host": "wrong.example"}, "hostname mismatch"), ({"host": "203.0.113.10"}, "IP address mismatch"),
                            ({"host": "dead.example"}, "cannot be reached"), ({"port": 8080}, "is not proved to be api.example"),
                            ({"host": "cloud.example"}, "link-local address, which no route leads to"),
                            ({"host": "api.example", "tls": False, "port": 8080}, "which needs https"),
                            ({"host": "nowhere.example"}, "has no address")):
            with self.subTest(more), self.proxy(route(**more)) as p:
                status, _, body = p.ask(request("/openai/models"))
                self.assertIn(status, (403, 502))
                self.assertIn(words, body.decode())
        self.assertEqual(Api.seen, [])
        for more in ({"host": "intranet.example"}, {"tls": False, "host": "127.0.0.1", "port": 8080}):
            with self.subTest(more), self.proxy(route(**more)) as p:
                self.assertEqual(p.ask(request("/openai/models"))[0], 200)
        with self.proxy(route(ca="")) as p:  # the system does not know our authority
            self.assertIn(b"unable to get local issuer certificate", p.ask(request("/openai/models"))[2])
        with self.proxy(route(ca=""), roots=self.bundle) as p:
            self.assertEqual(p.ask(request("/openai/models"))[0], 200)

    def test_by_another_proxy(self):
        asked = []

        def upstream(taken):
            asked.append(read_head(taken).split(b"\r\n")[0])
            with socket.create_connection((PUBLIC, 443)) as there:
                taken.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                for a, b in ((taken, there), (there, taken)):
                    threading.Thread(target=lambda a=a, b=b: [b.sendall(d) for d in iter(lambda: a.recv(65536), b"")],
                                     daemon=True).start()
                time.sleep(5)

        raw = Raw(upstream, OTHER)
        with self.proxy(upstream_host=OTHER, upstream_port=raw.port) as p:
            self.assertEqual(p.ask(request("/openai/models"))[0], 200)
        self.assertEqual(asked, [b"CONNECT api.example:443 HTTP/1.1"])

    def test_bad_routes_and_keys(self):
        for more, keys in (({"prefix": ""}, (b"a key",)), ({"prefix": "a/b"}, (b"a key",)), ({"token": "short"}, (b"a key",)),
                           ({"port": 0}, (b"a key",)), ({"host": "*.example"}, (b"a key",)), ({"base": "v1"}, (b"a key",)),
                           ({"base": "/v1/"}, (b"a key",)), ({"sent": {"where": "header", "name": "A B", "format": "{}"}}, (b"a key",)),
                           ({"sent": {"where": "header", "name": "A", "format": "x\r\n{}"}}, (b"a key",)),
                           ({"sent": {"where": "header", "name": "A", "format": "{}{}"}}, (b"a key",)),
                           ({"sent": {"where": "url_path", "format": "/x"}}, (b"a key",)), ({"allow": [{"method": "GET"}]}, (b"a key",)),
                           ({"ca": "no PEM"}, (b"a key",)), ({}, (b"abc",)), ({}, (b"with\nline",)), ({}, (b"with\0zero",)),
                           ({"sent": {"where": "basic_auth"}}, (b"no colon",)), ({}, (b"x" * 65537,))):
            with self.subTest(f"{more} {keys[0][:9]}"), self.proxy(route(**more), keys=keys, listen=False) as p:
                self.assertRegex(p.said, rb"^error .+\n$")
                self.assertEqual(p.process.wait(20), 1)

    @staticmethod
    def mappings_with(key, pid):
        found = []
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                start, end = (int(x, 16) for x in line.split()[0].split("-"))
                if "rw" not in line or "[v" in line:
                    continue
                mem.seek(start)
                if key.encode() in mem.read(end - start):
                    found.append(line.strip())
        return found

    def test_no_key_in_what_can_be_seen_of_the_proxy(self):
        with self.proxy() as p:
            self.assertEqual(p.ask(request("/openai/nothing"))[0], 204)
            with open(f"/proc/{p.process.pid}/smaps", encoding="ascii") as f:
                locked = [m for m in re.findall(r"VmFlags: (.*)", f.read()) if " lo " in m + " " and " dd " in m + " "]
            self.assertGreaterEqual(len(locked), 2)  # the key, and the key as it is sent
            # And nowhere else, as long as the server does not send it back, once the request has ended here too.
            end = time.monotonic() + 5
            while len(found := self.mappings_with(KEY, p.process.pid)) != 2 and time.monotonic() < end:
                time.sleep(0.05)
            self.assertEqual(len(found), 2, found)


if __name__ == "__main__":
    world.main()
