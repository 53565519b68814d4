# SPDX-License-Identifier: Apache-2.0
"""The network of a run. Only loopback and 192.0.2.0/24 (documentation, RFC 5737) are ever spoken to."""
import socket
import threading

from harness import PYTHON, Case, main

# Each word of argv is an attempt; prints "WORD RESULT" for each: ok, or the name of the errno.
ATTEMPTS = """
import errno, os, socket, sys
def sock(family, kind, protocol=0): socket.socket(family, kind, protocol).close()
def connect(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        s.connect((host, int(port)))
        got = s.recv(16)
        if got != b"hello": raise OSError(errno.EPROTO, "odd answer")
def send(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(b"x", (host, int(port)))
def own(family, host):
    with socket.socket(family, socket.SOCK_STREAM) as server, socket.socket(family, socket.SOCK_STREAM) as client:
        server.bind((host, 0)); server.listen(1); client.settimeout(5); client.connect(server.getsockname())
        peer, _ = server.accept(); client.sendall(b"x")
        assert peer.recv(1) == b"x"
        peer.close()
def pair():
    a, b = socket.socketpair(); a.sendall(b"x"); assert b.recv(1) == b"x"; a.close(); b.close()
def abstract(name):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s: s.connect("\\0" + name)
def raw(): sock(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
what = {
    "inet": lambda: sock(socket.AF_INET, socket.SOCK_STREAM), "inet6": lambda: sock(socket.AF_INET6, socket.SOCK_STREAM),
    "udp": lambda: sock(socket.AF_INET, socket.SOCK_DGRAM), "packet": lambda: sock(17, socket.SOCK_RAW),
    "netlink": lambda: sock(socket.AF_NETLINK, socket.SOCK_RAW, 0), "vsock": lambda: sock(40, socket.SOCK_STREAM),
    "unix": lambda: sock(socket.AF_UNIX, socket.SOCK_STREAM), "pair": pair, "raw": raw,
    "own4": lambda: own(socket.AF_INET, "127.0.0.1"), "own6": lambda: own(socket.AF_INET6, "::1"),
    "connect": connect, "send": send, "abstract": abstract,
}
for word in sys.argv[1:]:
    name, *rest = word.split(",")
    try: what[name](*rest)
    except socket.timeout: print(word, "TIMEOUT")
    except OSError as e: print(word, errno.errorcode.get(e.errno, str(e)))
    else: print(word, "ok")
"""


class Network(Case):
    def server(self, family=socket.AF_INET, host="127.0.0.1"):
        """A server of the host's; gives back its port."""
        s = socket.socket(family, socket.SOCK_STREAM)
        s.bind((host, 0))
        s.listen(16)

        def serve():
            while True:
                try:
                    peer, _ = s.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(b"hello")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def stop():
            s.shutdown(socket.SHUT_RDWR)
            s.close()
            thread.join()

        self.addCleanup(stop)
        return s.getsockname()[1]

    def results(self, r):
        self.assertEqual(r.code, 0, r)
        return dict(line.rsplit(" ", 1) for line in r.out.decode().splitlines())

    def outside(self, *attempts):
        return self.results(self.execute([PYTHON, "-c", ATTEMPTS, *attempts]))

    def inside(self, *words):
        at = words.index("--")
        return self.results(self.run_(*words[:at], "--allow-cwd", "--", PYTHON, "-c", ATTEMPTS, *words[at + 1:]))

    def all_as(self, result, got, but=()):
        self.assertEqual(got, {k: dict(but).get(k, result) for k in got})

    def test_block_net_leaves_unix_sockets_alone(self):
        port = self.server()
        closed = ["inet", "inet6", "udp", "netlink", f"connect,127.0.0.1,{port}"]
        opened = ["unix", "pair"]
        self.all_as("ok", self.outside(*closed, *opened))
        for flags in (["--block-net"], ["--net-block"], ["--block-net", "--profile", "go-dev"],
                      ["--block-net", "--profile", "python-dev"], ["--block-net", "--no-diagnostics"]):
            with self.subTest(flags=flags):
                self.all_as("EACCES", self.inside(*flags, "--", *closed))
                self.all_as("ok", self.inside(*flags, "--", *opened))
        got = self.inside("--block-net", "--", "packet", "vsock", "raw")
        self.all_as("EACCES", got)
        self.check(self.run_("--block-net", "--dry-run", "--", "true"), 0, b"", "  net  outbound blocked\n")

    def test_block_net_refuses_a_socket_as_standard_input(self):
        says = "standard input is an open socket, which goes past what the policy says of 'network'"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for how, code in (("run", 1), ("wrap", 126)):
                with self.subTest(how=how):
                    self.one_line(self.nono(how, "--silent", "--block-net", "--", "true", stdin=udp), code, says)
                    self.check(self.nono(how, "--silent", "--", "true", stdin=udp), 0)

    def test_default_reaches_the_hosts_loopback(self):
        port = self.server()
        attempts = [f"connect,127.0.0.1,{port}", "inet", "inet6", "udp", "own4", "pair"]
        self.all_as("ok", self.outside(*attempts))
        self.all_as("ok", self.inside("--", *attempts))
        self.check(self.run_("--dry-run", "--", "true"), 0, b"", "  net  outbound allowed\n")

    def test_go_dev_has_a_network_of_its_own(self):
        port = self.server()
        host = f"connect,127.0.0.1,{port}"
        self.all_as("ok", self.outside(host, "own4", "send,127.0.0.1,9", "pair"))
        got = self.inside("--profile", "go-dev", "--", "own4", "own6", "pair", host, "connect,192.0.2.1,80",
                          "send,192.0.2.1,53", "send,127.0.0.1,9", "inet", "udp", "packet", "vsock")
        self.all_as("ok", got, {host: "ECONNREFUSED", "connect,192.0.2.1,80": "ENETUNREACH", "send,192.0.2.1,53": "ENETUNREACH",
                                "packet": "EACCES", "vsock": "EACCES", "own6": got["own6"]}.items())
        self.assertIn(got["own6"], ("ok", "EADDRNOTAVAIL"))
        r = self.run_("--profile", "go-dev", "--dry-run", "--", "true")
        self.check(r, 0, b"", ["  net  proxy localhost:3128, in a network of its own if this system gives one, to "])

    def test_go_dev_has_one_interface(self):
        self.file("work/x")
        r = self.run_("--profile", "go-dev", "--allow-cwd", "--", PYTHON, "-c", "import socket; print(socket.if_nameindex())")
        self.check(r, 0, "[(1, 'lo')]\n")

    def test_allow_net_opens_what_the_profile_closes(self):
        port = self.server()
        host = f"connect,127.0.0.1,{port}"
        for flag in ("--allow-net", "--net-allow"):
            self.assertEqual(self.inside("--profile", "go-dev", "--", host), {host: "ECONNREFUSED"})
            self.assertEqual(self.inside("--profile", "go-dev", flag, "--", host), {host: "ok"})
        r = self.run_("--profile", "go-dev", "--allow-net", "--dry-run", "--", "true")
        self.check(r, 0, b"", "  net  outbound allowed\n", "host-filtered")

    def test_block_net_and_allow_net_contradict_each_other(self):
        for words in (["--block-net", "--allow-net"], ["--allow-net", "--block-net"], ["--net-allow", "--net-block"]):
            self.one_line(self.run_(*words, "--", "echo", "ran"), 2, "--block-net", "--allow-net")

    def test_abstract_sockets_of_the_host(self):
        name = self.mark + "-abstract"
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(s.close)
        s.bind("\0" + name)
        s.listen(16)
        attempt = f"abstract,{name}"
        self.assertEqual(self.outside(attempt), {attempt: "ok"})
        self.assertEqual(self.inside("--", attempt), {attempt: "EPERM"})
        self.assertEqual(self.inside("--block-net", "--", attempt), {attempt: "EPERM"})
        self.assertNotEqual(self.inside("--profile", "go-dev", "--", attempt), {attempt: "ok"})

    def test_grandchildren_and_threads_are_no_way_out(self):
        port = self.server()
        code = ("import subprocess, sys, threading\n"
                "t = threading.Thread(target=lambda: subprocess.run([sys.executable, '-c', *sys.argv[1:]]))\n"
                "t.start(); t.join()")
        words = [PYTHON, "-c", code, ATTEMPTS, f"connect,127.0.0.1,{port}"]
        self.check(self.execute(words), 0, f"connect,127.0.0.1,{port} ok\n")
        self.check(self.run_("--block-net", "--", *words), 0, f"connect,127.0.0.1,{port} EACCES\n")


if __name__ == "__main__":
    main()
