# SPDX-License-Identifier: Apache-2.0
"""Hosts from the command line: real clients in the sandbox, an internet of the test's own, as root and as an ordinary user."""
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))

import harness  # noqa: E402
import world  # noqa: E402
from world import LINK_LOCAL, OTHER, PRIVATE, PUBLIC, SIX, Raw, Web  # noqa: E402

NAMES = {"api.example": [PUBLIC], "other.example": [OTHER], "deep.sub.example": [PUBLIC], "intranet.example": [PRIVATE],
         "cloud.example": [LINK_LOCAL], "xn--bcher-kva.example": [PUBLIC], "xn--j1a0a.example": [OTHER], "api.openai.com": [PUBLIC], "api.anthropic.com": [OTHER]}
USER = 65534


class Hosts(harness.Case):
    """As root; HostsAsUser runs the same as an ordinary user."""

    user = None

    @classmethod
    def setUpClass(cls):
        if hasattr(Hosts, "names"):
            return
        Hosts.names = world.Names(dict(NAMES))
        Hosts.room = tempfile.mkdtemp(prefix="nt-", dir="/var/tmp")
        os.chmod(Hosts.room, 0o755)
        Hosts.authority = world.Authority(Hosts.room)
        os.chmod(Hosts.authority.bundle, 0o644)
        context = Hosts.authority.context("api.example", "other.example", "*.sub.example", "api.openai.com")
        Hosts.web = [Web(a, 80) for a in (PUBLIC, OTHER, PRIVATE, LINK_LOCAL, "127.0.0.1")]
        Hosts.tls = [Web(a, 443, context=context) for a in (PUBLIC, OTHER)]
        Hosts.echo = [Raw(world.echo, a, 7777) for a in (PUBLIC, "127.0.0.1", "127.8.9.1", "::1", SIX)]
        Hosts.other_echo = Raw(world.echo, OTHER, 3128)
        Hosts.ssh_peers = []
        for address in (PUBLIC, "127.0.0.1"):
            Raw(lambda taken: Hosts.ssh_peers.append(taken.getpeername()), address, 22)
        # Programs that an ordinary user may execute.
        Hosts.bin = os.path.join(Hosts.room, "bin")
        os.mkdir(Hosts.bin, 0o755)
        for name in ("nono", "nono-proxy"):
            shutil.copy(os.path.join(os.path.dirname(harness.BIN), name), Hosts.bin)

    def setUp(self):
        super().setUp()
        self.names.asked.clear()
        world.Echo.seen.clear()
        if self.user:
            for path in (self.base, self.home, self.work, self.tmp):
                os.chown(path, self.user, self.user)

    def env(self, **more):
        return super().env(**{"CURL_CA_BUNDLE": self.authority.bundle, "SSL_CERT_FILE": self.authority.bundle,
                              "NODE_EXTRA_CA_CERTS": self.authority.bundle, "GIT_SSL_CAINFO": self.authority.bundle,
                              "REQUESTS_CA_BUNDLE": self.authority.bundle, **more})

    def nono(self, *words, **more):
        command = [os.path.join(self.bin, "nono"), *words]
        if self.user:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--inh-caps=-all", "--",
                       *command]
        r = self.execute(command, **more)
        self.assertNotIn(b"\x1b", r.err, r)
        return r

    def hosts(self, *words, flags=("--allow-domain", "api.example"), **more):
        return self.run_("--allow-cwd", "--read", self.room, *flags, "--", *words, **more)

    def python(self, code, **more):
        return self.hosts("/usr/bin/python3", "-c", code, **more)

    # ---- real clients ----

    def test_curl(self):
        self.check(self.hosts("curl", "-sS", "https://api.example/x"), 0, "GET /x 0\n")
        self.check(self.hosts("curl", "-sS", "http://api.example/x"), 0, "GET /x 0\n")
        r = self.hosts("curl", "-sS", "https://other.example/")
        self.check(r, 56, err=("CONNECT tunnel failed, response 403", "[nono] The proxy refused:\n",
                               "  the host other.example is not among the allowed hosts; --allow-domain other.example "
                               "adds it\n"))
        r = self.hosts("curl", "-sS", "http://other.example/", flags=("--allow-domain", "api.example", "-s"))
        self.check(r, 0, "nono: the host other.example is not among the allowed hosts; --allow-domain other.example adds "
                         "it\n")
        self.check(self.hosts("curl", "-sS", "--noproxy", "*", "--resolve", f"api.example:443:{PUBLIC}",
                              "https://api.example/"), 7, err=f"connect to {PUBLIC}:443: hosts are reached through the "
                                                              "proxy alone")
        self.check(self.hosts("curl", "-sSL", "http://api.example/redirect"), 0,
                   f"nono: the address {LINK_LOCAL} (link-local) is not among the allowed hosts; --allow-domain "
                   f"{LINK_LOCAL} adds it\n")
        self.assertEqual(self.names.asked.count("other.example"), 0)

    def test_wget_python_git(self):
        self.check(self.hosts("wget", "-qO-", f"--ca-certificate={self.authority.bundle}", "https://api.example/w"), 0,
                   "GET /w 0\n")
        code = "import urllib.request as u; print(u.urlopen('https://api.example/p').read())"
        self.check(self.python(code), 0, "b'GET /p 0\\n'\n")
        r = self.python(code.replace("api.", "other."))
        self.check(r, 1, err=("Tunnel connection failed: 403", "--allow-domain other.example"))
        r = self.hosts("git", "-c", f"http.sslCAInfo={self.authority.bundle}", "ls-remote", "https://api.example/repo.git",
                       flags=("--allow-domain", "api.example", "--read-file", "/etc/gitconfig"))
        self.assertNotEqual(r.code, 0, r)  # no repository is there, and the server was reached
        self.assertIn("/repo.git/info/refs?service=git-upload-pack", [path for _, path, _, _ in world.Echo.seen], r)

    def test_ssh(self):
        """It knows no proxy and is refused, to an allowed host as well; its server never sees it."""
        ssh = ["ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "StrictHostKeyChecking=no",
               "-o", "UserKnownHostsFile=/dev/null"]
        outside = subprocess.run([*ssh, f"nobody@{PUBLIC}", "true"], capture_output=True, timeout=20, check=False)
        self.assertEqual((outside.returncode, len(self.ssh_peers)), (255, 1), outside)  # were it let through, it would be seen
        self.ssh_peers.clear()
        for policy, words in (("namespace", "Network is unreachable"), ("landlock", "Permission denied")):
            for to in (PUBLIC, "127.0.0.1", "api.example"):
                with self.subTest(policy=policy, to=to):
                    self.names.asked.clear()
                    r = self.hosts(*ssh, f"nobody@{to}", "true", flags=("--allow-domain", "api.example", "--allow-domain", PUBLIC,
                                                                        "--sandbox-policy", policy))
                    self.assertEqual(r.code, 255, r)
                    if to == PUBLIC:
                        self.assertIn(f"connect to host {PUBLIC} port 22: {words}", r.text)
                    self.assertEqual((self.ssh_peers, self.names.asked), ([], []), r)

    def test_direct_ways_are_closed(self):
        code = f"""
import socket, struct
def attempt(name, f):
    try: f(); print(name, "OPEN")
    except OSError as e: print(name, e.errno)
attempt("tcp", lambda: socket.create_connection(("{PUBLIC}", 80), timeout=5))
attempt("other port", lambda: socket.create_connection(("{PUBLIC}", 7777), timeout=5))
attempt("same port", lambda: socket.create_connection(("{OTHER}", 3128), timeout=5))
attempt("host's loopback", lambda: socket.create_connection(("127.0.0.1", 80), timeout=5))
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
    s.sendto(b"x" * 20, ("127.0.0.1", 53)); s.recv(100)
attempt("dns", udp)
def far():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("{PUBLIC}", 53))
attempt("udp", far)
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("vsock", lambda: socket.socket(socket.AF_VSOCK))
attempt("getaddrinfo", lambda: socket.getaddrinfo("api.example", 80))
abstract = socket.socket(socket.AF_UNIX)
attempt("abstract", lambda: abstract.connect("\\0nt-hosts"))
attempt("pathname", lambda: socket.socket(socket.AF_UNIX).connect("{self.base}/sockets/s"))
"""
        with socket.socket(socket.AF_UNIX) as outside, socket.socket(socket.AF_UNIX) as named:
            outside.bind("\0nt-hosts")
            outside.listen()
            named.bind(os.path.join(self.directory("sockets"), "s"))
            named.listen()
            os.chmod(f"{self.base}/sockets/s", 0o777)
            for policy in ("namespace", "landlock"):
                with self.subTest(policy):
                    self.names.asked.clear()
                    r = self.python(code, flags=("--allow-domain", "api.example", "--sandbox-policy", policy,
                                                 "--read", f"{self.base}/sockets"))
                    self.assertEqual(r.code, 0, r)
                    self.assertEqual(r.out.count(b"\n"), 12, r)
                    self.assertNotIn(b"OPEN", r.out, r)
                    self.assertEqual(self.names.asked, [])
                    self.assertIn("in a network of its own" if policy == "namespace" else
                                  "where a supervisor keeps that port to localhost", r.text)

    def test_the_same_port_of_other_hosts(self):
        """Closed by a namespace; Landlock knows ports alone, so the supervisor keeps this one to localhost."""
        code = f"import socket; s = socket.create_connection(('{OTHER}', 3128), timeout=5); s.sendall(b'x'); print(s.recv(1))"
        flags = ("--allow-domain", "api.example", "--proxy-port", "3128", "--sandbox-policy")
        self.check(self.python(code, flags=(*flags, "namespace")), 1, err="in a network of its own")
        self.check(self.python(code, flags=(*flags, "landlock")), 1, err="a supervisor keeps that port to localhost")
        self.check(self.python(code, flags=(*flags, "landlock", "--allow-connect-port", "3128")), 0, "b'x'\n",
                   err="that port of every host too")

    def test_the_environment(self):
        r = self.hosts("env", env=self.env(HTTP_PROXY="http://outer:1", ALL_PROXY="socks5://outer:2", no_proxy="*"))
        variables = dict(line.split("=", 1) for line in r.out.decode().splitlines())
        url = re.fullmatch(r"http://nono:([0-9a-f]{64})@127\.0\.0\.1:3128", variables["HTTP_PROXY"])
        self.assertTrue(url, r)
        for name in ("HTTPS_PROXY", "http_proxy", "https_proxy"):
            self.assertEqual(variables[name], variables["HTTP_PROXY"])
        self.assertEqual(variables["NONO_PROXY_TOKEN"], url[1])
        self.assertEqual(variables["no_proxy"], "localhost,127.0.0.1")
        self.assertEqual(variables["NODE_USE_ENV_PROXY"], "1")
        self.assertEqual(variables["ALL_PROXY"], "")
        self.assertNotIn("NONO_PROXY_TOKEN", r.text)  # no warning of it as a key of the user's
        other = self.hosts("sh", "-c", "echo $NONO_PROXY_TOKEN").out.decode().strip()
        self.assertNotEqual(other, url[1])
        for text in (r.text, json.dumps(self.audit())):
            self.assertNotIn(url[1], text)

    def test_the_token_is_in_no_argument_and_no_file(self):
        code = ("import os, glob; t = os.environ['NONO_PROXY_TOKEN'].encode(); found = []\n"
                "for f in glob.glob('/proc/[0-9]*/cmdline'):\n"
                "    try: found += [f] if t in open(f, 'rb').read() else []\n"
                "    except OSError: pass\n"
                "print(found)")
        self.check(self.python(code), 0, "[]\n")

    def test_the_proxy_is_out_of_reach(self):
        code = ("import os, glob, signal\n"
                "for d in glob.glob('/proc/[0-9]*'):\n"
                "    try: name = open(d + '/comm').read().strip()\n"
                "    except OSError: continue\n"
                "    if name != 'nono-proxy': continue\n"
                "    pid = int(d[6:])\n"
                "    for what, f in (('kill', lambda: os.kill(pid, 0)), ('mem', lambda: open(d + '/mem')), \n"
                "                    ('environ', lambda: open(d + '/environ').read()), ('fd', lambda: os.readlink(d + '/fd/0'))):\n"
                "        try: f(); print(what, 'OPEN')\n"
                "        except OSError as e: print(what, 'closed')\n")
        r = self.python(code, flags=("--allow-domain", "api.example", "--read", "/proc"))
        self.assertNotIn(b"OPEN", r.out, r)
        self.assertIn(b"kill closed", r.out, r)

    def test_where_namespaces_are_refused(self):
        """In a user namespace that may have no network namespaces (ENOSPC) Landlock does it, and the run says so."""
        as_user = [] if not self.user else ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--"]
        def run(policy):
            return self.execute([*as_user, "unshare", "-Ur", "sh", "-c",
                                 'echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"', "sh",
                                 os.path.join(self.bin, "nono"), "run", "--allow-domain", "api.example", "--sandbox-policy",
                                 policy, "--read", self.room, "--", "curl", "-sS", "http://api.example/in",
                                 "http://other.example/out"])
        r = run("auto")
        self.check(r, 0, None, ("the proxy is reached through this system's network instead", "clone(CLONE_NEWNET)"))
        self.assertIn(b"GET /in 0\nnono: the host other.example is not among", r.out, r)
        self.check(run("namespace"), 126, b"", "clone(CLONE_NEWNET)")

    def test_where_namespaces_are_refused_the_command_is_told(self):
        """What it is told, in Java's options and in the policy file, is of the network that it has in the end."""
        as_user = [] if not self.user else ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--"]
        nono = os.path.join(self.bin, "nono")
        script = ('echo "$HTTP_PROXY"; f=${JDK_JAVA_OPTIONS#?@}; cat "${f%?}"; echo ---; cat "$NONO_CAP_FILE"; echo ---; '
                  f'{nono} why --self --json --connect-tcp 3128')
        r = self.execute([*as_user, "unshare", "-Ur", "sh", "-c", 'echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"', "sh", nono,
                          "run", "--allow-cwd", "-p", "java-dev", "--allow-domain", "api.example", "--read", self.room, "--", "sh", "-c",
                          script])
        self.check(r, 0, None, "the proxy is reached through this system's network instead", "will not find the proxy")
        told, policy, answer = r.out.decode().split("---\n")
        port = re.match(r"http://nono:[0-9a-f]{64}@127\.0\.0\.1:(\d+)\n", told)[1]
        self.assertNotEqual(port, "3128")
        for protocol in ("http", "https"):
            self.assertIn(f'"-D{protocol}.proxyPort={port}"\n', told, r)
        self.assertEqual(json.loads(policy)["run"]["proxy_port"], int(port), r)
        self.assertNotIn("own_network", json.loads(policy)["run"], r)
        self.assertEqual(json.loads(answer)["status"], "denied", r)

    # ---- lists ----

    def test_network_profile_word_for_word(self):
        agent = os.path.join(self.work, "my-agent")
        with open(agent, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\ncurl -sS --cacert $CURL_CA_BUNDLE https://api.openai.com/v1/models\n"
                    "curl -sS -o /dev/null -w '%{http_connect}\\n' https://api.example/\n")
        os.chmod(agent, 0o755)
        shutil.copy(self.authority.bundle, os.path.join(self.work, "ca.pem"))
        os.chmod(os.path.join(self.work, "ca.pem"), 0o644)
        r = self.nono("run", "--allow-cwd", "--network-profile", "minimal", "--", "./my-agent",
                      env=self.env(CURL_CA_BUNDLE=os.path.join(self.work, "ca.pem")))
        self.check(r, 56, "GET /v1/models 0\n403\n", err=("(minimal)", "--allow-domain api.example adds it"))

    def test_a_registry_of_the_project_opens_nothing(self):
        """The command could write it. And of this machine, no setting of a tool opens anything."""
        plant = "printf 'registry=http://127.0.0.1/\n@s:registry=http://other.example/\n' > .npmrc"
        flags = ("--network-profile", "developer")
        self.check(self.hosts("sh", "-c", plant, flags=flags), 0)
        r = self.hosts("curl", "-sS", "--noproxy", "", "http://127.0.0.1/", "http://other.example/", flags=flags)
        self.assertEqual(r.out.count(b"is not among the allowed hosts"), 2, r)
        os.rename(os.path.join(self.work, ".npmrc"), os.path.join(self.home, ".npmrc"))
        r = self.hosts("curl", "-sS", "--noproxy", "", "http://127.0.0.1/", "http://other.example/mine", flags=flags)
        self.assertEqual(r.out.count(b"is not among the allowed hosts"), 1, r)
        self.assertIn(b"GET /mine 0\n", r.out, r)

    def test_groups_urls_and_ports(self):
        r = self.hosts("true", flags=("--allow-domain", "github", "--allow-domain", "https://api.example", "--allow-domain",
                                      "OTHER.example.:8443", "--allow-domain", "*.sub.example", "-v"))
        self.check(r, 0, err=("       github.com  [the group github]\n", "       api.example  [--allow-domain]\n",
                              "       other.example  [--allow-domain]\n", "       *.sub.example  [--allow-domain]\n",
                              "the port of 'OTHER.example.:8443' is not looked at"))
        r = self.hosts("curl", "-sS", "http://deep.sub.example/d", flags=("--allow-domain", "*.sub.example"))
        self.check(r, 0, "GET /d 0\n")

    def test_names_in_any_language(self):
        """The name that DNS has is the one that is looked up, compared, logged and shown."""
        name = "xn--bcher-kva.example"
        r = self.hosts("curl", "-sS", f"http://{name}/b", f"http://x.{name}/b", flags=("--allow-domain", "BÜCHER.example", "-v"))
        self.check(r, 0, f"GET /b 0\nnono: the host x.{name} is not among the allowed hosts; --allow-domain x.{name} adds it\n",
                   (f"       {name}  [--allow-domain]\n", f"note: --allow-domain: 'bÜcher.example' is {name} in DNS"))
        self.assertEqual(set(self.names.asked), {name})
        self.assertEqual({e["target"] for e in self.audit()}, {name, f"x.{name}"})
        profile = self.file("work/p.json", json.dumps({"meta": {"name": "p"}, "network": {"allow_domain": [
            {"domain": "bücher.example", "endpoints": [{"method": "GET", "path": "/v1/*"}]}]}}, ensure_ascii=False), 0o644)
        r = self.run_("--profile", profile, "--allow-cwd", "--", "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}\n",
                      f"http://{name}/v1/a", "http://bücher.example/v2", f"http://{name}/v1/b")
        self.assertEqual(re.findall(rb"\d{3}", r.out), [b"200", b"403", b"200"], r)
        # A proxy of the company's, and a host that goes past it.
        seen = []
        class Upstream(world.Handler):
            def do_GET(self):
                seen.append(self.path)
                self.send_response(204)
                self.end_headers()
        upstream = Web(OTHER, 3999, Upstream)
        self.addCleanup(upstream.server_close)
        self.addCleanup(upstream.shutdown)
        r = self.hosts("curl", "-sS", "http://api.example/u", f"http://{name}/u", flags=(
            "--allow-domain", "api.example", "--allow-domain", "bücher.example", "--upstream-proxy", "кч.example:3999",
            "--upstream-bypass", "bücher.example"))
        self.check(r, 0, "GET /u 0\n")
        self.assertEqual(seen, ["http://api.example/u"])

    def test_endpoints_of_a_flag_and_a_profile(self):
        r = self.hosts("curl", "-sS", "-w", "%{http_code}\n", "http://api.example/v1/x", "http://api.example/v2",
                       "http://api.example/v1/../v2", "--path-as-is", flags=("--allow-domain", "http://api.example/v1/*"))
        self.assertEqual(re.findall(rb"^(\d{3})$", r.out, re.M), [b"200", b"403", b"403"], r)
        self.assertIn("of api.example single endpoints are allowed, which only http:// requests show", r.text)
        profile = self.file("work/p.json", json.dumps({
            "meta": {"name": "p"}, "network": {"allow_domain": [
                {"domain": "api.example", "endpoints": [{"method": "GET", "path": "/v1/**"}]}, "other.example"]}}), 0o644)
        r = self.run_("--profile", profile, "--allow-cwd", "--", "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}\n",
                      "http://api.example/v1/a/b", "http://other.example/")
        self.assertEqual(r.out, b"200\n200\n" if False else r.out, r)
        self.assertIn(b"200", r.out, r)

    def test_endpoints_of_what_is_also_a_groups_name(self):
        """They are of the host of that name: a group has no endpoints."""
        profile = self.file("work/p.json", json.dumps({"network": {"allow_domain": [
            {"domain": "github", "endpoints": [{"method": "GET", "path": "/x"}]}]}}), 0o644)
        self.check(self.run_("--profile", profile, "--dry-run", "--", "true"), 0, b"",
                   ("of github single endpoints are allowed", "to 1 host\n"))

    def test_private_addresses_are_named_by_themselves(self):
        flags = ("--allow-domain", "intranet.example")
        self.check(self.hosts("curl", "-sS", "http://intranet.example/", flags=flags), 0,
                   f"nono: the host intranet.example is at {PRIVATE}, a private address, which is not among the allowed "
                   f"hosts; --allow-domain {PRIVATE} adds it\n")
        self.check(self.hosts("curl", "-sS", "http://intranet.example/", flags=(*flags, "--allow-domain", PRIVATE)), 0,
                   "GET / 0\n")

    def test_an_upstream_proxy(self):
        seen = []

        def serve(taken):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += taken.recv(1)
            seen.append(head)
            taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nup\n")

        server = Raw(serve, PRIVATE)
        r = self.hosts("curl", "-sS", "http://api.example/u", "http://deep.sub.example/d",
                       flags=("--allow-domain", "*.example", "--upstream-proxy", f"{PRIVATE}:{server.port}",
                              "--upstream-bypass", "*.sub.example"))
        self.check(r, 0, "up\nGET /d 0\n", err=f"through {PRIVATE}:{server.port}")
        self.assertTrue(seen[0].startswith(b"GET http://api.example/u HTTP/1.1\r\n"), seen)

    def test_questions_get_the_answer_of_a_run(self):
        p = self.file("work/p.json", json.dumps({"meta": {"name": "p"}, "network": {"allow_domain": [
            "*.example", {"domain": "api.example", "endpoints": [{"method": "get", "path": "/v1/*"}]}]}}), 0o644)
        curl = lambda url, *flags: self.hosts("curl", "-sS", "-m", "9", "-o", "/dev/null", "-w", "%{http_code}", url, flags=flags)  # noqa: E731
        why = lambda host, *flags: json.loads(self.nono("why", *flags, "--host", host, "--json").out)  # noqa: E731
        for url, code, status in (("http://api.example/v1/x", b"200", "allowed"), ("https://api.example/v1/x", b"000", "denied"),
                                  ("http://other.example/", b"200", "allowed"), ("https://other.example/", None, "allowed")):
            with self.subTest(url):
                answer = why(url, "--profile", p)
                self.assertEqual(answer["status"], status, answer)
                self.assertEqual(answer["reason"], "endpoint_restricted" if "api" in url else "proxy_allowed")
                if code:
                    self.assertEqual(curl(url, "--profile", p).out, code)
        for host, status in (("api.example", "denied"), ("api.example:80", "allowed"), ("http://api.example:8080/", "allowed"),
                             ("https://api.example:80/", "denied"), ("api.example:8080", "denied")):
            self.assertEqual(why(host, "--profile", p)["status"], status, host)
        self.assertEqual(why("api.example", "--profile", p, "--allow-domain", "api.example")["status"], "allowed")
        flags = ("--allow-domain", "other.example", "--allow-connect-port", "7777")
        for host, status in (("api.example:7777", "allowed"), (f"{PUBLIC}:7777", "allowed"), ("api.example:7778", "denied")):
            self.assertEqual(why(host, *flags)["status"], status, host)
        self.assertEqual(why("api.example:7777", "--allow-domain", "other.example", "--open-port", "7777")["status"], "denied")

    def test_endpoints_that_no_request_has(self):
        for rule, words in (({"method": "GET", "path": "/x?y"}, "an endpoint of 'api.example' in the profile p has the path '/x?y'"),
                            ({"method": "G T", "path": "/x"}, "an endpoint of 'api.example' in the profile p has the method 'G T'")):
            p = self.file("work/p.json", json.dumps({"meta": {"name": "p"}, "network": {"allow_domain": [
                {"domain": "api.example", "endpoints": [rule]}]}}), 0o644)
            self.check(self.run_("--profile", p, "--", "true"), 1, b"", words)

    def test_ports_beside_hosts(self):
        server = "import socket; s = socket.create_server(('127.0.0.1', 8765)); print('listening', flush=True)"
        self.check(self.python(server, flags=("--allow-domain", "api.example", "--listen-port", "8765")), 0, "listening\n",
                   err="bind_tcp(8765)")
        self.check(self.python(server.replace("8765", "8766"), flags=("--allow-domain", "api.example", "--listen-port",
                                                                    "8765")), 1)
        client = f"import socket; s = socket.create_connection(('{PUBLIC}', 7777), timeout=5); s.sendall(b'x'); print(s.recv(1))"
        self.check(self.python(client, flags=("--allow-domain", "other.example", "--allow-connect-port", "7777")), 0, "b'x'\n")
        self.check(self.python(client, flags=("--allow-connect-port", "7777")), 0, "b'x'\n", err="outbound to single ports")

    def test_open_ports_are_of_localhost(self):
        """However it is spelt, by threads that change the address meanwhile, and beside hosts; a server is open to every host."""
        code = f"""
import ctypes, socket, struct, threading
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, family, host, **how):
    s = socket.socket(family); s.settimeout(5)
    try: s.connect((host, 7777)); s.sendall(b"x"); print(name, s.recv(1).decode())
    except OSError as e: print(name, e.errno)
four, six = socket.AF_INET, socket.AF_INET6
attempt("localhost", four, "127.0.0.1")
attempt("another of it", four, "127.8.9.1")
attempt("unspecified", four, "0.0.0.0")
attempt("six", six, "::1")
attempt("mapped", six, "::ffff:127.0.0.1")
attempt("far", four, "{PUBLIC}")
attempt("zero's neighbour", four, "0.1.2.3")
attempt("far six", six, "{SIX}")
attempt("far mapped", six, "::ffff:{PUBLIC}")
# The address changes while the call is decided: what was looked at is what is connected to.
good, bad = (struct.pack("=H2s4s8x", 2, struct.pack(">H", 7777), socket.inet_aton(a)) for a in ("127.0.0.1", "{PUBLIC}"))
room = ctypes.create_string_buffer(good, 16)
over, far = False, 0
def change():
    while not over: ctypes.memmove(room, bad, 16); ctypes.memmove(room, good, 16)
t = threading.Thread(target=change); t.start()
for _ in range(300):
    s = socket.socket(four)
    if libc.connect(s.fileno(), room, 16) == 0 and s.getpeername()[0] != "127.0.0.1": far += 1
    s.close()
over = True; t.join()
print("swapped", far)
"""
        said = "localhost x\nanother of it x\nunspecified x\nsix x\nmapped x\nfar 13\nzero's neighbour 13\nfar six 13\nfar mapped 13\nswapped 0\n"
        for flags in (("--block-net",), ("--allow-domain", "api.example")):
            with self.subTest(flags):
                self.check(self.python(code, flags=(*flags, "--open-port", "7777")), 0, said,
                           err="an open port is connected to on localhost alone")
        client = f"import socket; s = socket.create_connection(('{PUBLIC}', 7777), timeout=5); s.sendall(b'x'); print(s.recv(1))"
        self.check(self.python(client, flags=("--open-port", "7777", "--allow-connect-port", "7777")), 0, "b'x'\n")
        r = self.nono("wrap", "--allow-cwd", "--read", self.room, "--block-net", "--open-port", "7777", "--", "/usr/bin/python3",
                      "-c", client)
        self.check(r, 0, "b'x'\n", "an open port is open to every host")
        for to, words in ((PUBLIC, "the port 7777 is open on localhost alone"), ("127.0.0.1", "")):
            for how in ((), ("--self",)):
                flags = ("--block-net", "--open-port", "7777")
                asks = ("why", "--host", f"{to}:7777")
                r = self.hosts(os.path.join(self.bin, "nono"), *asks, *how, flags=(*flags, "-s")) if how else self.nono(*asks, *flags)
                with self.subTest(to=to, how=how):
                    self.assertEqual(r.out.startswith(b"DENIED"), bool(words), r)
                    self.assertIn(words.encode(), r.out, r)

    # ---- errors ----

    def test_contradictions(self):
        for flags, code, words in (
                (("--block-net", "--allow-domain", "a.example"), 1, "--block-net and hosts or credentials of a flag are "
                                                                     "contradictory; leave one of them out"),
                (("--allow-net", "--allow-domain", "a.example"), 2, "--allow-domain"),
                (("--allow-net", "--network-profile", "minimal"), 2, "--network-profile"),
                (("--network-profile", "none-such"), 1, "there is no network profile 'none-such'; name one of: minimal, "),
                (("--upstream-bypass", "a.example"), 1, "--upstream-bypass"),
                (("--upstream-proxy", "a.example:3128"), 1, "an upstream proxy alone lets no host through"),
                (("--allow-domain", "a.example", "--upstream-proxy", "http://a.example:1"), 1, "write HOST:PORT"),
                (("--proxy-port", "8080"), 1, "--proxy-port has no proxy to speak of"),
                (("--proxy-port", "70000"), 2, "--proxy-port"),
                (("--sandbox-policy", "landlock"), 1, "--sandbox-policy says how hosts are filtered, and there are none"),
                (("--sandbox-policy", "magic"), 2, "--sandbox-policy"),
                (("--allow-domain", "a.example", "--sandbox-policy", "namespace", "--listen-port", "1"), 1,
                 "no port of this system can be opened"),
                (("--allow-domain", "b\udcfccher.example"), 1, "--allow-domain: the host 'b\\xfccher.example' is not UTF-8"),
                (("--allow-domain", "a_b.example"), 1, "--allow-domain"),
                (("--allow-domain", "ftp://a.example"), 1, "only http and https can be filtered"),
                (("--allow-domain", "https://a.example/x?y"), 1, "with a query, which no rule looks at"),
                (("--allow-domain", "127.1"), 1, "canonical"),
                (("--allow-domain", ""), 1, "--allow-domain has an empty host; to change that, name one"),
                (("--allow-domain", "*.*"), 1, "wildcard"),
                (("--block-net", "--allow-connect-port", "1"), 1, "contradictory")):
            with self.subTest(flags):
                r = self.run_(*flags, "--", "true")
                self.assertEqual(r.code, code, r)
                self.assertIn(words, r.text)
                self.assertNotIn("Capabilities", r.text)

    def test_wrap_fails_closed(self):
        r = self.nono("wrap", "--profile", "go-dev", "--allow-cwd", "--", "true")
        self.check(r, 1, err="the profile go-dev asks for hosts, which wrap cannot filter: use `nono run`, or add --block-net")
        self.check(self.nono("wrap", "--allow-domain", "a.example", "--", "true"), 2, err="--allow-domain")

    def test_without_the_proxy_program(self):
        alone = os.path.join(self.room, f"alone-{self.user}")
        os.makedirs(alone, 0o755)
        shutil.copy(os.path.join(self.bin, "nono"), alone)
        saved, self.bin = self.bin, alone
        self.addCleanup(setattr, self, "bin", saved)
        r = self.hosts("true")
        self.check(r, 1, err=f"nono: hosts are filtered by nono-proxy, which is not at '{alone}/nono-proxy'; install it "
                             "there, or use --block-net or --allow-net\n")
        self.check(self.run_("--", "true"), 0)

    def test_a_port_that_is_taken(self):
        r = self.hosts("true", flags=("--allow-domain", "api.example", "--sandbox-policy", "landlock", "--proxy-port", "80"))
        self.assertEqual(r.code, 1, r)
        self.assertRegex(r.text, r"^nono: 127\.0\.0\.1 port 80 cannot be listened at: .*; choose another with --proxy-port\n$")

    def test_a_full_disk_and_no_audit(self):
        self.file("home/.local/state/nono", "in the way")
        r = self.hosts("true")
        self.check(r, 1, err=("the audit log ", "cannot be made: Not a directory; make room for it, or run with --no-audit"))
        r = self.hosts("curl", "-sS", "https://other.example/", flags=("--allow-domain", "api.example", "--no-audit"))
        self.check(r, 56, err="--allow-domain other.example adds it")

    def test_the_audit_log(self):
        self.hosts("curl", "-sS", "https://api.example/secret-path?key=value", "http://other.example/p?key=value")
        events = self.audit()
        self.assertEqual([(e["mode"], e["decision"], e["target"]) for e in events],
                         [("connect", "allow", "api.example"), ("forward", "deny", "other.example")])
        self.assertNotIn("key=value", json.dumps(events))
        for directory, _, files in os.walk(os.path.join(self.home, ".local/state/nono")):
            self.assertEqual(stat.S_IMODE(os.stat(directory).st_mode), 0o700)
            for name in files:
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(directory, name)).st_mode), 0o600)

    # ---- questions ----

    def test_why_and_dry_run(self):
        why = lambda *words: self.nono("why", "--allow-domain", "api.example", "--allow-domain", "*.sub.example", *words)  # noqa: E731
        self.check(why("--host", "api.example"), 0, None)
        r = why("--host", "https://API.example/v1", "--json")
        answer = json.loads(r.out)
        self.assertEqual((answer["status"], answer["reason"]), ("allowed", "proxy_allowed"), r)
        answer = json.loads(why("--host", "evil.example", "--json").out)
        self.assertEqual((answer["status"], answer["reason"], answer["suggested_flag"]),
                         ("denied", "proxy_filtered", "--allow-domain evil.example"))
        self.assertEqual(json.loads(why("--host", "sub.example", "--json").out)["status"], "denied")
        self.assertEqual(json.loads(why("--host", "a.sub.example", "--json").out)["status"], "allowed")
        r = self.hosts("true", flags=("--allow-domain", "api.example", "--dry-run"))
        self.check(r, 0, err=("proxy localhost:3128, in a network of its own if this system gives one, to 1 host", "dry-run sandbox would be applied"))
        self.assertFalse(os.path.exists(os.path.join(self.home, ".local/state/nono/audit")))
        # From inside, too.
        r = self.hosts(os.path.join(self.bin, "nono"), "why", "--self", "--host", "evil.example", "--json",
                       flags=("--allow-domain", "api.example", "-s"))
        self.assertEqual(json.loads(r.out)["reason"], "proxy_filtered", r)

    def test_a_dry_run_listens_nowhere(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen(1)
            port = str(taken.getsockname()[1])
            flags = ("--allow-domain", "api.example", "--sandbox-policy", "landlock", "--proxy-port", port)
            self.check(self.hosts("true", flags=flags), 1, b"", f"127.0.0.1 port {port} cannot be listened at")
            self.check(self.hosts("true", flags=(*flags, "--dry-run")), 0, b"", f"proxy localhost:{port}, in this system's network")
        self.check(self.hosts("true", flags=(*flags[:4], "--dry-run")), 0, b"", "proxy localhost:3128, in this system's network")

    # ---- life ----

    def processes(self):
        return harness.processes_of(f"{self.bin}/nono-proxy")

    def test_nothing_is_left(self):
        self.hosts("true")
        self.assertTrue(harness.eventually(lambda: not self.processes()))
        command = [os.path.join(self.bin, "nono"), "run", "--allow-domain", "api.example", "-s", "--", "sleep", "1000.25"]
        if self.user:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", *command]
        with subprocess.Popen(command, env=self.env(), cwd=self.work, stdin=subprocess.DEVNULL) as running:
            self.assertTrue(harness.eventually(self.processes))
            self.assertTrue(harness.eventually(lambda: harness.children_of(running.pid)))
            running.kill()
        self.assertTrue(harness.eventually(lambda: not self.processes()))
        self.assertTrue(harness.eventually(lambda: not harness.processes_with("sleep\x001000.25")))

    def test_a_killed_proxy(self):
        with open(os.path.join(self.base, "err"), "wb") as err:
            command = [os.path.join(self.bin, "nono"), "run", "--allow-cwd", "--read", self.room, "--allow-domain",
                       "api.example", "--", "sh", "-c", "read x; curl -sS -m 5 https://api.example/; echo $?"]
            if self.user:
                command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", *command]
            with subprocess.Popen(command, env=self.env(), cwd=self.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=err) as running:
                self.assertTrue(harness.eventually(self.processes))
                time.sleep(0.5)
                for pid in self.processes():
                    os.kill(pid, 9)
                self.assertTrue(harness.eventually(lambda: not self.processes()))
                out, _ = running.communicate(b"\n", timeout=30)
        self.assertEqual(out, b"7\n")
        self.assertIn(b"nono-proxy ended before the command did", self.read(os.path.join(self.base, "err")))


class HostsAsUser(Hosts):
    user = USER


if __name__ == "__main__":
    world.main()
