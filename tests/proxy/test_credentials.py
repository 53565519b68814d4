# SPDX-License-Identifier: Apache-2.0
"""Credentials from the command line: keys that the command uses and never has, as root and as an ordinary user."""
import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time

import services  # first: it knows where the others are
import harness
import world
from harness import eventually
from services import KEYS, SERVICES, USER, Service

# The command looks for a key that it must not have: it knows the first bytes, the length and a hash of the whole.
SEARCH = '''
import hashlib, re
BEGIN, SIZE, HASH = sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3]
def holds(data):
    return any(hashlib.sha256(data[m.start():m.start() + SIZE]).hexdigest() == HASH for m in re.finditer(re.escape(BEGIN), data))
def file_holds(path):
    try:
        with open(path, "rb") as f: return holds(f.read(1 << 24))
    except OSError: return False
def memory_holds(pid):
    """None: it cannot be read."""
    out = False
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                start, end = (int(x, 16) for x in line.split()[0].split("-"))
                if "r" not in line.split()[1] or "[v" in line: continue
                try:
                    mem.seek(start)
                    out = holds(mem.read(end - start)) or out
                except OSError: pass
        return out
    except OSError: return None
'''


def wanted(key):
    """The words for SEARCH."""
    key = KEYS[key].encode()
    return key[:6].decode(), str(len(key)), hashlib.sha256(key).hexdigest()


class Credentials(services.Case):
    """As root; CredentialsAsUser runs the same as an ordinary user."""

    # ---- 1. services, definitions and sources ----

    def use(self, flags, names, **more):
        """Asks by each route for NAME_BASE_URL/x, with the token that is in the variable, as the service's clients do."""
        code = "for n, variables, field, value in json.loads(sys.argv[1]):\n" \
               "  tokens = {E[v] for v in variables}; token = tokens.pop()\n" \
               "  url = E[n.upper().replace('-', '_') + '_BASE_URL']\n" \
               "  tell([n, url, token, len(tokens), *ask(url + '/x?y=1', {field: value.replace('{}', token)})])\n"
        return self.told(flags, code, json.dumps([(n, SERVICES[n][5], *SERVICES[n][2:4]) for n in names]), **more)

    def check_use(self, names, told):
        self.assertEqual([t[0] for t in told], list(names))
        for (name, url, token, others, status, fields, body), seen in zip(told, Service.seen):
            host, base, header, value, key, _ = SERVICES[name]
            self.assertRegex(url, rf"^http://127\.0\.0\.1:\d+/{name}$")
            self.assertRegex(token, "^[0-9a-f]{64}$")
            self.assertEqual((status, others), (200, 0))
            self.assertEqual((seen["host"], seen["path"]), (host, base + "/x?y=1"))
            self.assertEqual([v for k, v in seen["headers"] if k.lower() == header.lower()], [value.replace("{}", KEYS[key])])
            self.assertNotIn(token, str(seen))
            self.assertIn(value.replace("{}", "*" * len(KEYS[key])), body)  # it came back, and was blotted out
            self.clean(fields, str(fields))
        self.assertEqual(len({t[2] for t in told}), len(told), "a token is of one route")

    def test_every_service(self):
        names = ("anthropic", "gemini", "github", "gitlab", "openai")
        told = self.use([w for n in names for w in ("--credential", n)], names)
        self.check_use(names, told)
        Service.seen.clear()
        again = self.use(["--credential", "google-ai", "--proxy-credential", "openai"], ("google-ai", "openai"))
        self.check_use(("google-ai", "openai"), again)
        self.assertNotEqual(again[1][2], told[4][2], "a token is of one run")

    def test_by_variable_and_by_profile(self):
        p = self.profile(network={"credentials": ["github", "openai"]})
        self.check_use(("github", "openai"), self.use(["--profile", p], ("github", "openai")))
        Service.seen.clear()
        self.check_use(("gitlab",), self.use([], ("gitlab",), env=self.env(NONO_CREDENTIAL="gitlab")))

    def test_two_that_want_one_variable(self):
        r = self.under(["--credential", "gemini", "--credential", "google-ai"], "true")
        self.check(r, 1, err="nono: the credentials gemini and google-ai both go by the variable GEMINI_API_KEY; use one of "
                             "them, or give one another env_var\n")

    def own(self, **definition):
        """A profile with one definition, of the credential `own`."""
        return self.profile(network={"credentials": ["own"], "custom_credentials": {"own": {
            k: v for k, v in {"upstream": "https://own.example/api/", "credential_key": "env://OWN_SECRET", **definition}.items()
            if v is not None}}})

    def ask_own(self, path, fields=None, env=None, shows="OWN_SECRET", **definition):
        """What the server saw of one request; {} in path and fields is the token."""
        Service.seen.clear()
        code = "t = E[sys.argv[1]]; tell([t, *ask(E['OWN_BASE_URL'] + sys.argv[2].replace('{}', t), " \
               "{k: v.replace('{}', t) for k, v in json.loads(sys.argv[3]).items()})])"
        told = self.told(["--profile", self.own(**definition)], code, shows, path, json.dumps(fields or {}),
                         env=env or self.env(OWN_SECRET=KEYS["own"]))
        self.assertEqual(told[0][1], 200, told)
        self.assertNotIn(told[0][0], str(Service.seen))
        return Service.seen[0]

    def header(self, seen, name):
        return [v for k, v in seen["headers"] if k.lower() == name]

    def test_definitions(self):
        key, coded = KEYS["own"], "own-3kEy.of~7he%2Fprofile%2Bx%3D"
        bearer = {"Authorization": "Bearer {}"}
        seen = self.ask_own("/a?b=1", bearer)
        self.assertEqual((seen["path"], self.header(seen, "authorization")), ("/api/a?b=1", ["Bearer " + key]))
        seen = self.ask_own("/a", {"X-Own": "{}"}, inject_header="X-Own")
        self.assertEqual(self.header(seen, "x-own"), [key])
        seen = self.ask_own("/a", {"X-Own": "Key {}"}, inject_header="X-Own", credential_format="Key {}")
        self.assertEqual(self.header(seen, "x-own"), ["Key " + key])
        seen = self.ask_own("/bot{}/getMe", inject_mode="url_path", path_pattern="/bot{}/")
        self.assertEqual(seen["path"], f"/api/bot{coded}/getMe")
        seen = self.ask_own("/bot{}/getMe", inject_mode="url_path", path_pattern="/bot{}/", path_replacement="/real-{}/")
        self.assertEqual(seen["path"], f"/api/real-{coded}/getMe")
        seen = self.ask_own("/a?key={}&b=1", inject_mode="query_param", query_param_name="key")
        self.assertEqual(seen["path"], f"/api/a?b=1&key={coded}")
        seen = self.ask_own("/a", {"X-Own": "{}"}, inject_mode="query_param", query_param_name="key",
                            proxy={"inject_mode": "header", "inject_header": "X-Own"})
        self.assertEqual((seen["path"], self.header(seen, "x-own")), (f"/api/a?key={coded}", []))
        seen = self.ask_own("/a?t={}", inject_header="X-Own", proxy={"inject_mode": "query_param", "query_param_name": "t"})
        self.assertEqual((seen["path"], self.header(seen, "x-own")), ("/api/a", [key]))
        pair = "user:" + KEYS["file"]
        Service.seen.clear()
        told = self.told(["--profile", self.own(inject_mode="basic_auth")], "import base64\n"
                         "t = E['OWN_SECRET']; c = base64.b64encode(('x:' + t).encode()).decode()\n"
                         "tell(ask(E['OWN_BASE_URL'] + '/b', {'Authorization': 'Basic ' + c}))", env=self.env(OWN_SECRET=pair))
        self.assertEqual(told[0][0], 200)
        sent = "Basic " + base64.b64encode(pair.encode()).decode()
        self.assertEqual(self.header(Service.seen[0], "authorization"), [sent])
        self.assertNotIn(sent, str(told))

    def test_a_definition_in_the_place_of_a_service(self):
        p = self.profile(network={"credentials": ["openai"], "custom_credentials": {"openai": {
            "upstream": "https://own.example/v9", "credential_key": "env://OWN_SECRET", "env_var": "OPENAI_API_KEY"}}})
        Service.seen.clear()
        told = self.told(["--profile", p], "tell(ask(E['OPENAI_BASE_URL'] + '/x', {'Authorization': E['OPENAI_API_KEY']}))",
                         env=self.env(OWN_SECRET=KEYS["own"]))
        self.assertEqual((told[0][0], Service.seen[0]["host"], Service.seen[0]["path"]), (200, "own.example", "/v9/x"))

    def test_endpoint_rules(self):
        code = "for m, p in (('GET', '/a'), ('POST', '/a'), ('GET', '/a/b'), ('GET', '/c/d'), ('GET', '/a/../c/d'), ('GET', '/c%2Fd')):\n" \
               "  tell(ask(E['OWN_BASE_URL'] + p, {'Authorization': E['OWN_SECRET']}, method=m)[0])"
        env = self.env(OWN_SECRET=KEYS["own"])
        for wanted_codes, definition in (
                ([200, 403, 403, 403, 403, 403], {"endpoint_rules": [{"method": "GET", "path": "/a"}]}),
                ([200, 200, 403, 200, 200, 200], {"endpoint_rules": [{"method": "*", "path": "/a"}, {"method": "GET", "path": "/c/**"}]}),
                ([200, 200, 403, 200, 200, 200], {"endpoint_policy": {"default": {"decision": "allow"},
                                                                      "deny": [{"method": "*", "path": "/a/*"}]}}),
                ([200, 403, 200, 200, 200, 200], {"endpoint_policy": {"default": {"decision": "allow"},
                                                                      "deny": [{"method": "post", "path": "/**"}]}}),
                ([403, 200, 403, 403, 403, 403], {"endpoint_policy": {"default": {"decision": "deny"}, "deny": [{"method": "*", "path": "/c/**"}],
                                                                      "allow": [{"method": "POST", "path": "/**"}]}})):
            with self.subTest(definition):
                self.assertEqual(self.told(["--profile", self.own(**definition)], code, env=env), wanted_codes)
        r = self.python(["--credential", "openai", "--allow-endpoint", "openai:GET:/models/*", "--allow-endpoint",
                         "openai:post:/chat/completions"],
                        "h = {'Authorization': 'Bearer ' + E['OPENAI_API_KEY']}\n"
                        "for m, p in (('GET', '/models/a'), ('GET', '/models/a/b'), ('DELETE', '/models/a'), ('GET', '/chat/completions')):\n"
                        "  tell(ask(E['OPENAI_BASE_URL'] + p, h, method=m)[0])\nsys.exit(3)")
        self.check(r, 3, "200\n403\n403\n403\n", "no endpoint rule of the route openai allows DELETE /models/a")

    def test_servers_that_are_not_believed(self):
        code = "tell(ask(E['OWN_BASE_URL'] + '/a', {'Authorization': E['OWN_SECRET']}))"
        env = self.env(OWN_SECRET=KEYS["own"], SSL_CERT_FILE=None)
        self.check(self.under(["--profile", self.own()], "true", env={**env, "SSL_CERT_FILE": "/none"}), 126, b"",
                   "nono: nono-proxy cannot start: the TLS roots of SSL_CERT_FILE, /none, cannot be read")
        told = self.told(["--profile", self.own()], code, env=env)
        self.assertEqual(told[0][0], 502, told)
        self.assertIn("is not proved to be own.example: unable to get local issuer certificate", told[0][2])
        told = self.told(["--profile", self.own(tls_ca=self.authority.bundle)], code, env=env)
        self.assertEqual(told[0][0], 200, told)
        self.check(self.under(["--profile", self.own(tls_ca="/none")], "true", env=env), 1, b"", "tls_ca '/none' of the credential own "
                   "cannot be read")

    def test_a_certificate_of_our_own(self):
        base = os.path.join(self.base, "keys")
        self.authority.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a client", "-keyout", f"{base}/c.key",
                               "-out", f"{base}/c.csr")
        self.authority.openssl("x509", "-req", "-in", f"{base}/c.csr", "-CA", self.authority.bundle, "-CAkey", self.authority.key,
                               "-CAcreateserial", "-days", "2", "-out", f"{base}/c.pem")
        for name in ("c.key", "c.pem"):
            if self.user:
                os.chown(f"{base}/{name}", self.user, self.user)
        import ssl
        context = self.authority.context("own.example")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority.bundle)
        server = world.Web(world.PUBLIC, 8443 + (self.user is not None), Service, context)
        upstream = {"upstream": f"https://own.example:{server.server_port}"}
        seen = self.ask_own("/a", {"Authorization": "{}"}, **upstream, tls_client_cert=f"{base}/c.pem", tls_client_key=f"{base}/c.key")
        self.assertIn("a client", str(seen["peer"]))
        self.assertEqual(seen["host"], f"own.example:{server.server_port}")
        told = self.told(["--profile", self.own(**upstream)], "tell(ask(E['OWN_BASE_URL'] + '/a', {'Authorization': E['OWN_SECRET']}))",
                         env=self.env(OWN_SECRET=KEYS["own"]))
        self.assertEqual(told[0][0], 502, told)
        r = self.under(["--profile", self.own(tls_client_cert=f"{base}/c.pem", tls_client_key=self.key_file())], "true",
                       env=self.env(OWN_SECRET=KEYS["own"]))
        self.check(r, 126, b"", "the tls_client_cert of the route own and its key are no pair in PEM")

    def test_an_http_server_of_this_machine(self):
        self.assertEqual(self.ask_own("/a", {"Authorization": "{}"}, upstream="http://localhost:8080/x")["path"], "/x/a")

    def test_refused_definitions(self):
        rule = {"method": "GET", "path": "/"}
        for definition, words in (
                ({"upstream": "ftp://own.example"}, "upstream 'ftp://own.example' is no https:// URL"),
                ({"upstream": ""}, "upstream '' is no https:// URL"),
                ({"upstream": "https://own.example/?a"}, "has more than a host, a port and a path"),
                ({"upstream": "https://me@own.example"}, "carries a user name"),
                ({"upstream": "https://own.example:0"}, "has a port that is none"),
                ({"upstream": "https://own.example:70000"}, "has a port that is none"),
                ({"upstream": "https://own.example:x"}, "has a port that is none"),
                ({"upstream": "https://*.example"}, "has a host that is none"),
                ({"upstream": "https://"}, "has a host that is none"),
                ({"upstream": "http://own.example"}, "is http, which is for this machine alone"),
                ({"upstream": f"http://{world.PRIVATE}"}, "is http, which is for this machine alone"),
                ({"upstream": 1}, "'upstream' must be a text, not a number"),
                ({"credential_format": "a\nb{}"}, "credential_format is no text on one line"),
                ({"auth": {}}, "'own' has 2 of its secrets"),
                ({"auth": {}, "credential_key": None}, "auth (OAuth2) is not built yet; name a credential_key"),
                ({"aws_auth": {}, "credential_key": None}, "aws_auth (SigV4) is not built yet; name a credential_key"),
                ({"proxy": 1}, "proxy is no object"),
                ({"credential_key": ""}, "a credential's source is empty"),
                ({"credential_key": "cmd://x"}, "cmd:// is not built yet; name another source"),
                ({"credential_key": "vault://x"}, "'vault://' is no source of secrets"),
                ({"credential_key": "env://PATH"}, "env://PATH names a variable that steers programs"),
                ({"inject_header": "A B"}, "inject_header 'A B' is no name of a header"),
                ({"credential_format": "x"}, "credential_format 'x' needs one {}, where the key goes"),
                ({"inject_mode": "url_path"}, "path_pattern '' needs one {} and a / at its beginning"),
                ({"inject_mode": "url_path", "path_pattern": "/{}/{}"}, "path_pattern '/{}/{}' needs one {}"),
                ({"inject_mode": "url_path", "path_pattern": "/{}", "path_replacement": "{}"}, "path_replacement '{}' needs one {}"),
                ({"inject_mode": "query_param"}, "query_param_name '' is not of letters, digits, - and _"),
                ({"inject_mode": "cookie"}, "inject_mode 'cookie' is none of header, url_path, query_param and basic_auth"),
                ({"proxy": {"inject_mode": "cookie"}}, "inject_mode 'cookie' is none of"),
                ({"credential_key": "file:///k"}, "env_var is missing: the variable in which the command finds its token"),
                ({"credential_key": "keyring://a/b"}, "env_var is missing"),
                ({"credential_key": "op://a/b/c"}, "env_var is missing"),
                ({"env_var": "LD_PRELOAD"}, "env_var 'LD_PRELOAD' would be read as code, or is no name of a variable"),
                ({"env_var": "ld_preload"}, "env_var 'ld_preload' would be read as code"),
                ({"env_var": "NONO_X"}, "env_var 'NONO_X' would be read as code"),
                ({"env_var": "1A"}, "env_var '1A' would be read as code"),
                ({"endpoint_rules": 1}, "endpoint_rules is no list"),
                ({"endpoint_rules": [{"path": "x"}]}, "a rule of endpoint_rules needs a method, or *, and a path that begins with /"),
                ({"endpoint_rules": [1]}, "a rule of endpoint_rules needs a method"),
                ({"endpoint_rules": [{"path": "/x"}]}, "a rule of endpoint_rules needs a method, or *"),
                ({"endpoint_rules": [{**rule, "methods": "GET"}]}, "unknown key: 'endpoint_rules.methods'; write 'method'"),
                ({"endpoint_rules": [{"method": "G*", "path": "/"}]}, "a rule of endpoint_rules has the method 'G*', which no request has"),
                ({"endpoint_rules": [{"method": "GET ", "path": "/"}]}, "has the method 'GET ', which no request has"),
                ({"endpoint_rules": [{"method": "GET", "path": "/x?a=1"}]}, "has the path '/x?a=1', which no request has"),
                ({"endpoint_rules": [{"method": "GET", "path": "/x#a"}]}, "has the path '/x#a', which no request has"),
                ({"endpoint_rules": [{"method": "GET", "path": "/x%20"}]}, "has the path '/x%20', which no request has"),
                ({"endpoint_rules": [{"method": "GET", "path": "/x/../y"}]}, "dots are resolved before; write where it leads"),
                ({"endpoint_policy": {"denny": [rule]}}, "unknown key: 'endpoint_policy.denny'; write 'deny'"),
                ({"endpoint_policy": {"default": {"decisoin": "deny"}}}, "unknown key: 'endpoint_policy.default.decisoin'; write 'decision'"),
                ({"endpoint_policy": {"default": "deny"}}, "endpoint_policy.default is no object"),
                ({"endpoint_policy": {"deny": [{**rule, "x": 1}]}}, "unknown key: 'endpoint_policy.deny.x'; leave it out"),
                ({"endpoint_policy": {"deny": [{"method": "GET", "path": "/x?"}]}}, "a rule of endpoint_policy.deny has the path '/x?'"),
                ({"endpoint_rules": [rule], "endpoint_policy": {"default": {"decision": "allow"}}}, "leave one of them out"),
                ({"proxy": {"inject_moode": "header"}}, "unknown key: 'proxy.inject_moode'; write 'inject_mode'"),
                ({"endpoint_policy": 1}, "endpoint_policy is no object"),
                ({"endpoint_policy": {"approve": [rule]}}, "endpoint_policy.approve is not built yet"),
                ({"endpoint_policy": {"default": {"decision": "ask"}}}, "endpoint_policy.default.decision 'ask' is neither allow nor deny"),
                ({"tls_ca": "$NONE_SUCH/x"}, "tls_ca '$NONE_SUCH/x' has a variable without a value"),
                ({"tls_client_cert": "/x"}, "tls_client_cert and tls_client_key go together")):
            with self.subTest(definition):
                r = self.run_("--profile", self.own(**definition), "--", "true")
                self.one_line(r, 1, words)
                self.assertTrue("custom_credentials.own of the profile p: " in r.text or "p.json': " in r.text, r)
        r = self.run_("--profile", self.profile(network={"custom_credentials": {"a b": {"upstream": "https://own.example",
                                                                                       "credential_key": "k"}}}), "--", "true")
        self.one_line(r, 1, "its name is not of letters, digits, - and _")

    def test_refused_flags(self):
        for flags, code, words in (
                (("--credential", "none-such"), 1, "--credential names the credential 'none-such', which nothing defines; name one of: "
                                                   "openai, anthropic, gemini, google-ai, github, gitlab"),
                (("--allow-endpoint", "openai:GET:/x"), 1, "speaks of a credential that is not in use; add --credential 'openai'"),
                (("--credential", "openai", "--allow-endpoint", "openai:GET"), 1, "is not SERVICE:METHOD:/path"),
                (("--credential", "openai", "--allow-endpoint", "openai::/x"), 1, "is not SERVICE:METHOD:/path"),
                (("--credential", "openai", "--allow-endpoint", "openai:GET:x"), 1, "is not SERVICE:METHOD:/path"),
                (("--credential", "openai", "--allow-endpoint", "openai:GET:/x?y"), 1, "has the path '/x?y', which no request has"),
                (("--credential", "openai", "--allow-net"), 2, "--credential"),
                (("--credential", "openai", "--block-net"), 1, "--block-net and hosts or credentials of a flag are contradictory"),
                (("--credential", "openai", "--env-credential", "a,keyring://x/y=Z"), 1, "--env-credential takes no 'keyring://'; use "
                                                                                        "--env-credential-map REFERENCE VARIABLE"),
                (("--env-credential", "file:///x"), 1, "does not say which variable it goes to; write it as REFERENCE=VARIABLE"),
                (("--env-credential", "env://A=PATH"), 1, "a secret cannot go to 'PATH', which would be read as code"),
                (("--env-credential", "env://A=ld_preload"), 1, "a secret cannot go to 'ld_preload'"),
                (("--env-credential-map", "env://A", "NODE_OPTIONS"), 1, "a secret cannot go to 'NODE_OPTIONS'"),
                (("--env-credential", "path"), 1, "a secret cannot go to 'PATH'"),
                (("--env-credential", "cmd://x=Y"), 1, "cmd:// is for routes, and not built yet; name another source"),
                (("--env-credential", "a-b"), 1, "is not of letters, digits and _")):
            with self.subTest(flags):
                r = self.under(flags, "true")
                self.assertEqual(r.code, code, r)
                self.assertIn(words, r.text)
                self.assertNotIn("Capabilities", r.text)
        blocked = self.profile(network={"block": True})
        self.one_line(self.run_("--profile", blocked, "--credential", "openai", "--", "true"), 1,
                      "network.block of the profile p and hosts or credentials of a flag are contradictory")

    def test_sources(self):
        tools = self.directory("tools")
        os.chmod(self.base, 0o755)
        os.chmod(tools, 0o755)
        self.file("tools/op", f"#!/bin/sh\n[ \"$1 $2 $3\" = 'read -- op://vault/item/field' ] && echo {KEYS['op']}\n", 0o755)
        self.file("tools/bw", f"#!/bin/sh\ncase \"$*\" in 'get password -- item') echo {KEYS['bw']};; 'get item -- it') "
                              f"echo '{{\"login\": {{\"totp\": \"{KEYS['bw']}\"}}}}';; *) echo 'Not found.' >&2; exit 1;; esac\n", 0o755)
        bearer = {"Authorization": "{}"}
        env = self.env(PATH=tools + ":" + harness.PATH, OWN_SECRET=KEYS["own"])
        for source, key in (("env://OWN_SECRET", "own"), (f"file://{self.key_file()}", "file"), ("op://vault/item/field", "op"),
                            ("bw://item", "bw"), ("bw://it/totp", "bw"), ("openai", "openai"), ("keyring://nono/gemini", "gemini")):
            with self.subTest(source):
                seen = self.ask_own("/a", bearer, env=env, shows="IT", credential_key=source, env_var="IT")
                self.assertEqual(self.header(seen, "authorization"), ["Bearer " + KEYS[key]])

    def test_a_helper_that_the_command_could_replace(self):
        os.chmod(self.base, 0o755)
        mark, planted = os.path.join(self.base, "ran"), f"#!/bin/sh\ntouch {self.base}/ran\n"
        for name in ("tools", "work/bin", "home/away"):
            path = self.directory(name)
            os.chmod(path, 0o755)
            if self.user:
                os.chown(path, self.user, self.user)
        own = lambda path: self.user and os.chown(path, self.user, self.user)  # noqa: E731
        own(self.file("work/bin/op", planted, 0o755))
        own(self.file("home/away/op", planted, 0o755))
        os.symlink(os.path.join(self.base, "home/away"), os.path.join(self.work, "link"))
        os.symlink(os.path.join(self.work, "bin/op"), os.path.join(self.base, "tools/op"))
        for directory in ("work/bin", "work/link", "tools"):
            for flags in (["--profile", self.own(credential_key="op://vault/item/field", env_var="IT")],
                          ["--env-credential", "op://vault/item/field=A"]):
                with self.subTest(directory=directory, flags=flags):
                    env = self.env(PATH=f"{self.base}/{directory}:{harness.PATH}")
                    r = self.under(flags, "true", env=env)
                    self.assertFalse(os.path.exists(mark), r)
                    self.assertIn(f"whose program '{self.base}/{directory}/op' the command could replace: '{self.work}' is granted", r.text)
        away = self.directory("home/away")
        bound = self.directory("bound")
        self.bind_mount(away, bound)
        r = self.under(["--allow", bound, "--env-credential", "op://vault/item/field=A"], "true", env=self.env(PATH=f"{away}:{harness.PATH}"))
        self.assertIn(f"whose program '{away}/op' the command could replace: '{bound}' is granted", r.text)
        self.assertFalse(os.path.exists(mark), r)
        # Nor is its interpreter looked for there.
        os.unlink(os.path.join(self.base, "tools/op"))
        self.file("tools/op", "#!/usr/bin/env interpreter\n", 0o755)
        self.file("tools/interpreter", f"#!/bin/sh\necho {KEYS['op']}\n", 0o755)
        own(self.file("work/bin/interpreter", planted, 0o755))
        env = self.env(PATH=f"{self.work}/bin:bin:{self.work}/link:{self.base}/tools:{harness.PATH}")
        os.unlink(os.path.join(self.work, "bin/op"))
        os.unlink(os.path.join(self.base, "home/away/op"))
        seen = self.ask_own("/a", {"Authorization": "{}"}, env=env, shows="IT", credential_key="op://vault/item/field", env_var="IT")
        self.assertEqual(self.header(seen, "authorization"), ["Bearer " + KEYS["op"]])
        self.assertFalse(os.path.exists(mark))

    def test_a_missing_secret(self):
        mark = os.path.join(self.work, "ran")
        for flags, env, words in (
                (("--credential", "openai"), {"DBUS_SESSION_BUS_ADDRESS": None, "XDG_RUNTIME_DIR": None},
                 "nono: --credential openai: Failed to access system keystore: there is no session bus"),
                (("--credential", "anthropic"), {"ANTHROPIC_API_KEY": None}, "nono: --credential anthropic: Secret not found: "
                 "env://ANTHROPIC_API_KEY is unset or empty; export it before nono starts; nothing was run\n"),
                (("--credential", "anthropic"), {"ANTHROPIC_API_KEY": ""}, "is unset or empty"),
                (("--credential", "none", "--profile", self.profile(network={"custom_credentials": {"none": {
                    "upstream": "https://own.example", "credential_key": "none"}}})), {},
                 "nono: --credential none: Secret not found in keystore: none; store it with nono credential set none; nothing was run\n")):
            with self.subTest(words):
                r = self.one_line(self.under(flags, "touch", mark, env=self.env(**env)), 1, words)
                self.assertFalse(os.path.exists(mark), r)

    def test_a_missing_secret_of_a_profile(self):
        p = self.profile(network={"credentials": ["none", "github"], "custom_credentials": {"none": {
            "upstream": "https://own.example", "credential_key": "none", "env_var": "NONE_KEY"}}})
        code = "tell([E.get('NONE_KEY'), *ask(E['NONE_BASE_URL'] + '/a', {'Authorization': 'x'})])\n" \
               "tell(ask(E['GITHUB_BASE_URL'] + '/a', {'Authorization': 'token ' + E['GITHUB_TOKEN']})[0])"
        r = self.python(["--profile", p], code, env=self.env(NONE_KEY=KEYS["own"]))
        self.assertEqual(r.code, 0, r)
        first, second = (json.loads(line) for line in r.out.splitlines())
        self.assertEqual((first[0], first[1], second), (None, 503, 200))
        self.assertIn("the route none has no key: Secret not found in keystore: none", first[3])
        self.assertIn("[nono] warning: Proxy credential warnings: none of the profile p: Secret not found in keystore: none; store it with "
                      "nono credential set none (credential_not_found)", r.text)
        r = self.under(["--profile", p], "true", env=self.env(DBUS_SESSION_BUS_ADDRESS=None, XDG_RUNTIME_DIR=None))
        self.check(r, 0, err="(credential_unavailable)")

    def test_keys_that_cannot_be_used(self):
        for key, words in (("abc", "is shorter than 4 bytes"), ("two\nlines", "has a control byte, such as a line end")):
            r = self.under(["--credential", "github"], "true", env=self.env(GITHUB_TOKEN=key))
            self.check(r, 126, b"", f"the key of the route github {words}")
        r = self.under(["--profile", self.own(inject_mode="basic_auth")], "true", env=self.env(OWN_SECRET=KEYS["own"]))
        self.check(r, 126, b"", "the key of the route own is not of the form user:password")
        path = self.key_file(mode=0o666)
        os.chmod(path, 0o666)
        r = self.under(["--profile", self.own(credential_key=f"file://{path}", env_var="IT"), "--credential", "own"], "true")
        self.check(r, 1, b"", "others may write it; use chmod go-w on it")

    # ---- 2. variables ----

    def variables(self, flags, **more):
        r = self.under(flags, "env", **more)
        self.assertEqual(r.code, 0, r)
        return dict(line.split("=", 1) for line in r.out.decode().splitlines() if "=" in line), r

    def test_the_users_own_keys_stay_outside(self):
        env = self.env(OPENAI_API_KEY=KEYS["own"], OPENAI_BASE_URL="https://evil.example", MY_TOKEN=KEYS["file"], AWS_SECRET_ACCESS_KEY=
                       KEYS["op"], PLAIN="kept", MAX_TOKENS="7")
        inside, r = self.variables(["--credential", "openai"], env=env)
        self.assertRegex(inside["OPENAI_API_KEY"], "^[0-9a-f]{64}$")
        self.assertTrue(inside["OPENAI_BASE_URL"].startswith("http://127.0.0.1:"), r)
        for name in ("MY_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "ANTHROPIC_API_KEY"):
            self.assertNotIn(name, inside)
        self.assertEqual((inside["PLAIN"], inside["MAX_TOKENS"]), ("kept", "7"))
        self.assertNotIn("look like keys", r.text)
        # A name of no key, which a definition makes one: not loaded, and all the same not inherited.
        p = self.own(credential_key="none", env_var="PLAIN")
        inside, r = self.variables(["--profile", p], env=env)
        self.assertNotIn("PLAIN", inside)
        inside, r = self.variables(["--strip-secrets"], env=env)
        for name in ("MY_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
            self.assertNotIn(name, inside)
        self.assertEqual((inside["PLAIN"], "HTTP_PROXY" in inside), ("kept", False))
        # Without either they are the user's affair, and the summary says so.
        inside, r = self.variables([], env=env, tells=True)
        self.assertEqual(inside["MY_TOKEN"], KEYS["file"])
        self.assertIn("the command inherits variables that look like keys: ANTHROPIC_API_KEY, AWS_SECRET_ACCESS_KEY, ", r.text)

    def test_where_a_key_comes_from_stays_outside(self):
        definition = {"upstream": "https://own.example", "credential_key": "env://OWN_REAL", "env_var": "OWN_TOKEN"}
        env = self.env(OWN_REAL=KEYS["own"], MYPAT=KEYS["own"], HEADER=f"Authorization: Bearer {KEYS['own']}", PLAIN="kept")
        for more in ({}, {"allow_vars": ["OWN_REAL", "MYPAT", "HEADER", "PLAIN", "PATH", "HOME"]}, {"set_vars": {"SET": "x $OWN_REAL"}}):
            with self.subTest(more):
                p = self.profile(network={"credentials": ["own"], "custom_credentials": {"own": definition}}, environment=more)
                inside, r = self.variables(["-v", "--profile", p], env=env)
                self.assertFalse({"OWN_REAL", "MYPAT", "HEADER", "SET"} & set(inside), r)
                self.assertRegex(inside["OWN_TOKEN"], "^[0-9a-f]{64}$")
                self.assertEqual(inside["PLAIN"], "kept")
                self.assertEqual(r.text.count("the variable MYPAT is not inherited: it holds the key of the credential own\n"), 1, r)
                self.assertEqual(r.text.count("the variable SET is not set: it holds the key of the credential own\n"), "set_vars" in more, r)
        # The copies of a key from elsewhere are known when it is loaded.
        p = self.own(credential_key=f"file://{self.key_file()}", env_var="IT")
        inside, r = self.variables(["-v", "--profile", p], env=self.env(COPY=KEYS["file"]))
        self.assertNotIn("COPY", inside)
        self.assertIn("[nono] note: the variable COPY is not inherited: it holds the key of the credential own\n", r.text)
        # A short key may stand in other words by chance.
        inside, r = self.variables(["--credential", "github"], env=self.env(GITHUB_TOKEN="abcdefgh", MYPAT="abcdefgh", PLAIN="xabcdefgh"))
        self.assertEqual((inside.get("MYPAT"), inside["PLAIN"]), (None, "xabcdefgh"), r)

    def test_a_network_without_use_for_a_key(self):
        p = self.profile(network={"network_profile": "minimal", "credentials": ["github"]})
        env = self.env(MYPAT=KEYS["github"])
        for flags in (["--block-net"], ["--allow-net"]):
            inside, r = self.variables(["--profile", p, *flags], env=env)
            self.assertFalse({"GITHUB_TOKEN", "MYPAT", "ANTHROPIC_API_KEY", "GITHUB_BASE_URL"} & set(inside), r)
        self.check(self.nono("wrap", "--profile", p, "--block-net", "--", "sh", "-c", "echo .$GITHUB_TOKEN.$MYPAT.", env=env), 0, "...\n")

    def bind_mount(self, path, at):
        subprocess.run(["mount", "--bind", path, at], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", at], check=True)

    def test_a_key_file_under_a_grant(self):
        key, link = self.key_file(), os.path.join(self.work, "link")
        os.symlink(self.keys, link)
        self.file("keys/c.pem", "x")
        hard, bound = os.path.join(self.base, "hard"), self.directory("bound")
        os.link(key, hard)
        self.bind_mount(self.keys, bound)
        of_key = {"credential_key": f"file://{key}", "env_var": "IT"}
        for definition, flags, words in (
                (of_key, ["--read", self.keys], f"the key of the credential own is in '{key}', which the command could read itself: "
                                                f"'{self.keys}' is granted [user]; leave out that grant, or keep the file elsewhere"),
                (of_key, ["--read-file", hard], f"'{hard}' is granted"), (of_key, ["--read", bound], f"'{bound}' is granted"),
                (of_key, ["--read-file", key], f"'{key}' is granted"), (of_key, ["--allow", link], f"'{link}' is granted"),
                ({"credential_key": f"file://{link}/file", "env_var": "IT"}, ["--read", self.keys], f"'{self.keys}' is granted"),
                ({"tls_client_cert": f"{self.keys}/c.pem", "tls_client_key": key}, ["--read", self.keys],
                 f"the tls_client_key of the credential own is in '{key}'")):
            with self.subTest(flags=flags):
                r = self.one_line(self.under(["--profile", self.own(**definition), *flags], "true", env=self.env(OWN_SECRET=KEYS["own"])), 1, words)
        p = self.profile(network={"credentials": ["own"], "custom_credentials": {"own": {"upstream": "https://own.example", **of_key}}},
                         filesystem={"read": [self.keys]})
        self.one_line(self.under(["--profile", p], "true"), 1, "is granted [profile:p]")
        self.check(self.under(["--profile", self.own(**of_key), "--write", self.keys], "true"), 0)

    def test_secrets_in_variables(self):
        path = self.key_file()
        inside, r = self.variables(["--env-credential", "openai,env://OWN_SECRET", "--env-credential", f"file://{path}=FROM_FILE",
                                    "--env-credential", "env://GITHUB_TOKEN=OTHER_NAME", "--env-credential-map", "keyring://nono/gemini",
                                    "FROM_KEYRING", "--strip-secrets"], env=self.env(OWN_SECRET=KEYS["own"]), tells=True)
        self.assertEqual([inside.get(n) for n in ("OPENAI", "OWN_SECRET", "FROM_FILE", "OTHER_NAME", "FROM_KEYRING", "GITHUB_TOKEN")],
                         [KEYS[k] for k in ("openai", "own", "file", "github", "gemini")] + [None])
        for shown, name in (("openai", "OPENAI"), ("env://OWN_SECRET", "OWN_SECRET"), (f"file://{path}", "FROM_FILE"),
                            ("env://GITHUB_TOKEN", "OTHER_NAME"), ("keyring://nono/gemini", "FROM_KEYRING")):
            self.assertIn(f"[nono] warning: the command can read the secret {shown} in {name}; --credential keeps keys out of it\n", r.text)
        inside, _ = self.variables([], env=self.env(NONO_ENV_CREDENTIAL="env://GITHUB_TOKEN=A"), tells=True)
        self.assertEqual(inside["A"], KEYS["github"])

    def test_secrets_in_variables_by_profile(self):
        p = self.profile(env_credentials={"env://OWN_SECRET": "A", "env://GITLAB_TOKEN": {"env_var": "B", "when": "linux"},
                                          "env://GITHUB_TOKEN": {"env_var": "C", "when": "macos"}})
        env = self.env(OWN_SECRET=KEYS["own"])
        inside, r = self.variables(["--profile", p], env=env, tells=True)
        self.assertEqual((inside["A"], inside["B"], inside.get("C")), (KEYS["own"], KEYS["gitlab"], None))
        # map > list > profile
        inside, r = self.variables(["--profile", p, "--env-credential", "env://GITHUB_TOKEN=A,env://GITHUB_TOKEN=B",
                                    "--env-credential-map", "env://ANTHROPIC_API_KEY", "A"], env=env, tells=True)
        self.assertEqual((inside["A"], inside["B"]), (KEYS["anthropic"], KEYS["github"]))
        for words, section in (("'1' cannot", {"env://A": "1"}), ("write 'env_var' and 'when' alone", {"env://A": {"env_var": "B", "x": 1}})):
            self.one_line(self.run_("--profile", self.profile(env_credentials=section), "--", "true"), 1)
        self.one_line(self.run_("--profile", self.profile(env_credentials={"env://A": "PATH"}), "--", "true"), 1,
                      "env_credentials of the profile p: a secret cannot go to 'PATH'")

    def test_a_variable_without_its_secret(self):
        mark = os.path.join(self.work, "ran")
        for flags, words in ((("--env-credential", "none"), "nono: --env-credential: Secret not found in keystore: none; store it with nono "
                                                             "credential set none; nothing was run\n"),
                             (("--env-credential-map", "env://NONE", "A"), "nono: --env-credential-map: Secret not found: env://NONE"),
                             (("--profile", self.profile(env_credentials={"env://NONE": "A"})),
                              "nono: env_credentials of the profile p: Secret not found: env://NONE")):
            with self.subTest(flags):
                r = self.under(flags, "touch", mark)
                self.assertEqual(r.code, 1, r)
                self.assertIn(words, r.text)
                self.assertFalse(os.path.exists(mark))

    def test_wrap(self):
        r = self.nono("wrap", "--allow-cwd", "--env-credential", "openai", "--", "sh", "-c", "echo $OPENAI", tells=True)
        self.check(r, 0, KEYS["openai"] + "\n", "the command can read the secret openai in OPENAI")
        self.check(self.nono("wrap", "--strip-secrets", "--", "sh", "-c", "echo .$GITHUB_TOKEN."), 0, "..\n")
        p = self.profile(network={"credentials": ["openai"]})
        self.check(self.nono("wrap", "--profile", p, "--", "true"), 1, b"", ("which wrap cannot", "`nono run`"))
        self.check(self.nono("wrap", "--credential", "openai", "--", "true"), 2, b"", "--credential")

    # ---- 3. the network ----

    REACH = ("import urllib.request, urllib.error\n"
             "for u in sys.argv[1:]:\n"
             "  try: tell(urllib.request.urlopen(u, timeout=20).status)\n"
             "  except urllib.error.HTTPError as e: tell(e.code)\n"
             "  except OSError as e: tell(str(e))\n"
             "tell(ask(E['OPENAI_BASE_URL'] + '/models', {'Authorization': 'Bearer ' + E['OPENAI_API_KEY']})[0])\n"
             "sys.exit(3)")

    def reach(self, flags, *urls):
        r = self.python(["--credential", "openai", *flags], self.REACH, *urls)
        self.assertEqual(r.code, 3, r)
        return [json.loads(line) for line in r.out.splitlines()], r

    def test_a_credential_alone(self):
        told, r = self.reach([], "http://own.example/", "https://other.example/", "http://intranet.example/", f"http://{world.PRIVATE}/",
                             "http://127.0.0.1:8080/", "http://cloud.example/", f"http://{world.LINK_LOCAL}/", "https://api.openai.com/")
        self.assertEqual(told[:2], [200, 200])
        self.assertEqual(told[2:4], [403, 403])
        self.assertEqual(told[5:7], [403, 403])
        self.assertEqual(told[8], 200)
        self.assertIn("403", told[7])
        self.assertIn("the host api.openai.com is reached by the route openai, which adds the key: send requests to the URL in "
                      "OPENAI_BASE_URL", r.text)
        self.assertIn("to every public host", r.text)
        self.assertIn("  key  openai  OPENAI_BASE_URL to https://api.openai.com/v1, a token in OPENAI_API_KEY; the key of openai stays outside", r.text)

    def test_with_hosts(self):
        for policy in ("namespace", "landlock"):
            with self.subTest(policy):
                told, r = self.reach(["--network-profile", "minimal", "--sandbox-policy", policy], "http://own.example/",
                                     "https://api.openai.com/", "https://api.anthropic.com/")
                self.assertEqual((told[0], told[2], told[3]), (403, 200, 200), r)
                self.assertIn("403", told[1])
                told, r = self.reach(["--allow-domain", "other.example", "--sandbox-policy", policy], "http://own.example/",
                                     "https://other.example/", "https://api.openai.com/", "http://api.openai.com/")
                self.assertEqual((told[0], told[1], told[3], told[4]), (403, 200, 403, 200), r)
                self.assertIn("403", told[2])

    def test_no_way_but_the_proxy(self):
        code = "import socket\n" \
               "for to in json.loads(sys.argv[1]):\n" \
               "  try: socket.create_connection(to, timeout=5); tell('OPEN')\n" \
               "  except OSError as e: tell(e.errno)"
        for policy in ("namespace", "landlock"):
            told = self.told(["--credential", "openai", "--sandbox-policy", policy], code,
                             json.dumps([(world.PUBLIC, 443), (world.PRIVATE, 80), ("127.0.0.1", 8080), ("api.openai.com", 443)]))
            self.assertNotIn("OPEN", told)

    def test_questions(self):
        why = lambda *words: json.loads(self.nono("why", "--credential", "openai", *words, "--json").out)  # noqa: E731
        answer = why("--host", "api.openai.com")
        self.assertEqual((answer["status"], answer["reason"]), ("allowed", "proxy_allowed"))
        self.assertIn("by the route openai of --credential alone, at the URL in OPENAI_BASE_URL", answer["details"])
        self.assertEqual(why("--host", "own.example")["status"], "allowed")
        self.assertEqual(why("--host", "own.example", "--allow-domain", "other.example")["status"], "denied")
        self.assertEqual(why("--host", world.LINK_LOCAL)["status"], "denied")
        self.assertEqual(why("--host", world.PRIVATE)["status"], "denied")
        for host in ("metadata.google.internal", "metadata.goog"):
            self.assertEqual(why("--host", host)["status"], "denied")

    # ---- 4. the key is nowhere ----

    def test_the_key_is_nowhere_inside(self):
        code = SEARCH + '''
found, refused = [], 0
if any(holds((k + "=" + v).encode()) for k, v in E.items()) or file_holds("/proc/self/environ"): found.append("environ")
for n in range(64):
    try: data = os.pread(n, 1 << 24, 0)
    except OSError:
        try: os.fstat(n)
        except OSError: continue
        data = os.readlink(f"/proc/self/fd/{n}").encode()
    if holds(data): found.append(f"fd {n}")
for top in sys.argv[4:] + [E["TMPDIR"], os.getcwd()]:
    for d, _, files in os.walk(top):
        found += [os.path.join(d, f) for f in files if file_holds(os.path.join(d, f))]
if "NONO_CAP_FILE" in E and file_holds(E["NONO_CAP_FILE"]): found.append("NONO_CAP_FILE")
others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()] + ([str(os.getppid())] if os.getppid() else [])
for p in others:
    readable = memory_holds(p)
    if readable is None: refused += 1
    if readable: found.append(f"memory of {p}")
    for name in ("environ", "cmdline", "maps", "stack"):
        if file_holds(f"/proc/{p}/{name}"): found.append(f"{name} of {p}")
    try: fds = os.listdir(f"/proc/{p}/fd")
    except OSError: fds = []
    found += [f"fd {fd} of {p}" for fd in fds if file_holds(f"/proc/{p}/fd/{fd}")]
got = b""
if "OPENAI_BASE_URL" in E:
    h = {"Authorization": "Bearer " + E["OPENAI_API_KEY"]}
    for path in ("/models", "/pieces", "/x%20y"):
        status, fields, body = ask(E["OPENAI_BASE_URL"] + path, h)
        assert status == 200, status
        got += str(fields).encode() + body.encode("latin1")
    for stream in (False, True):
        got += ask(E["OPENAI_BASE_URL"] + "/chat/completions", h, json.dumps({"model": "m", "stream": stream}))[2].encode("latin1")
    if holds(got): found.append("answer")
if memory_holds("self"): found.append("own memory")
tell([found, refused, len(others), memory_holds("self") is not None, len(got)])
'''
        report = os.path.join(self.base, "report.json")
        room = self.directory("work/granted")
        os.chmod(room, 0o777)
        for flags in ((), ("--sandbox-policy", "landlock")):
            r = self.python(["--credential", "openai", "--read", "/proc", "--report", report, "-vvv", *flags], code, *wanted("openai"), self.room,
                            room)
            self.assertEqual(r.code, 0, r)
            found, refused, others, own, size = json.loads(r.out)
            self.assertEqual(found, [], r)
            self.assertTrue(own and size > 1000, r)
            self.assertEqual(refused, others, "the memory of another process can be read")
            self.clean("report", self.read(report))
            token_words = r.text + self.read(report).decode() + json.dumps(self.audit())
            self.assertNotRegex(token_words, "[0-9a-f]{64}")
        # The search finds what is there.
        r = self.python(["--env-credential", "openai", "--read", "/proc"], code, *wanted("openai"), tells=True)
        self.assertTrue({"environ", "own memory"} <= set(json.loads(r.out)[0]), r)

    def test_the_key_is_nowhere_in_what_is_printed(self):
        report = os.path.join(self.base, "report.json")
        self.check(self.under(["--credential", "openai", "--credential", "github", "--dry-run", "-vvv", "--report", report], "true"), 0)
        self.clean("report", self.read(report))
        self.check(self.nono("why", "--credential", "openai", "--credential", "github", "--host", "api.github.com"), 0, None)
        self.check(self.nono("why", "--credential", "github", "--host", "api.github.com", "--json"), 0, None)
        r = self.python(["--credential", "github"], "tell(open(E['NONO_CAP_FILE']).read())\nask(E['GITHUB_BASE_URL'] + '/x?y=' + E["
                        "'GITHUB_TOKEN'], {'Authorization': E['GITHUB_TOKEN']})\nask(E['GITHUB_BASE_URL'], {'Authorization': 'x'})\nsys.exit(3)")
        self.check(r, 3, None, "the route github wants the token of this run where the key would stand")
        self.assertNotRegex(r.text + r.out.decode() + json.dumps(self.audit()), "[0-9a-f]{64}")
        self.assertEqual([(e["mode"], e["decision"], e.get("route_id")) for e in self.audit()],
                         [("reverse", "allow", "github"), ("reverse", "deny", "github")])
        for directory, _, files in os.walk(os.path.join(self.home, ".local/state/nono/audit")):
            self.assertEqual([stat.S_IMODE(os.stat(os.path.join(directory, f)).st_mode) for f in files], [0o600] * len(files))

    def test_the_key_is_nowhere_outside(self):
        p = self.own(credential_key=f"file://{self.key_file()}", env_var="IT")
        with self.running(["--credential", "openai", "--credential", "github", "--profile", p], "/usr/bin/python3", "-c", services.CLIENT +
                          "tell(ask(E['OPENAI_BASE_URL'] + '/x', {'Authorization': E['OPENAI_API_KEY']})[0])\nsys.stdin.read(1)") as run:
            self.assertEqual(run.stdout.readline(), b"200\n")
            proxy = self.proxy_of(run)
            for pid in (proxy, run.pid):
                self.clean(pid, self.read(f"/proc/{pid}/cmdline"))
                self.clean(pid, self.read(f"/proc/{pid}/environ"), ("openai", "file") + (("github",) if pid == proxy else ()))
                self.assertRegex(self.read(f"/proc/{pid}/limits") if pid == proxy else b"Max core file size 0 0 ",
                                 rb"Max core file size +0 +0 ")
                # Not dumpable: owned by root, and closed for the user's other processes.
                self.assertEqual(os.stat(f"/proc/{pid}/environ").st_uid, 0)
            self.assertEqual(self.read(f"/proc/{proxy}/environ"), b"")
            # nono has wiped what it gave away; the proxy has it, so the search is a search.
            for pid, there in ((run.pid, False), (proxy, True)):
                r = self.execute(["/usr/bin/python3", "-c", services.CLIENT + SEARCH + "tell(memory_holds(sys.argv[4]))", *wanted("openai"),
                                  str(pid)])
                self.assertEqual(json.loads(r.out), there, r)
            r = self.execute(["/usr/bin/python3", "-c", services.CLIENT + SEARCH + "tell(memory_holds(sys.argv[4]))", *wanted("file"), str(run.pid)])
            self.assertEqual(json.loads(r.out), False, r)
            for fd in os.listdir(f"/proc/{run.pid}/fd"):
                link = os.readlink(f"/proc/{run.pid}/fd/{fd}")
                if link.startswith("/memfd:"):
                    self.clean(link, self.read(f"/proc/{run.pid}/fd/{fd}"))
            if self.user:
                for name in ("environ", "mem", "maps"):
                    r = self.execute(self.as_who(["cat", f"/proc/{proxy}/{name}"]))
                    self.assertNotEqual(r.code, 0, r)

    def test_no_core_file(self):
        cores = lambda: [f for f in os.listdir(self.work) if f.startswith("core")]  # noqa: E731
        self.execute(self.as_who(["sh", "-c", "ulimit -c unlimited; sh -c 'kill -ABRT $$'"]))
        seen = bool(cores())
        for name in cores():
            os.unlink(os.path.join(self.work, name))
        nono = " ".join(self.command("run", "--credential", "openai", "--allow-cwd", "--", "sh", "-c")) + " 'echo up; read x'"
        with subprocess.Popen(["sh", "-c", f"ulimit -c unlimited; exec {nono}"], cwd=self.work, env=self.env(), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            self.assertEqual(run.stdout.readline(), b"up\n")
            proxy = self.proxy_of(run)
            os.kill(proxy, signal.SIGABRT)
            self.assertTrue(eventually(lambda: harness.state_of(proxy) in ("Z", "")))
            _, err = run.communicate(b"\n", timeout=20)
        self.assertIn(b"nono-proxy ended before the command did", err)
        self.assertEqual(cores(), [])
        r = self.execute(["sh", "-c", f"ulimit -c unlimited; exec {nono.rpartition(' sh -c')[0]} sh -c 'ulimit -Sc; ulimit -Hc'"])
        self.check(r, 0, "unlimited\nunlimited\n")  # the command's own limit is the user's
        if not seen:
            self.not_here("core files are not written to the working directory here")

    # ---- 5. attacks ----

    def test_the_keyring_is_out_of_reach(self):
        words = ("lookup", "service", "nono", "username", "openai", "target", "default")
        self.check(self.execute(self.as_who(["secret-tool", *words]), env=self.outside()), 0, KEYS["openai"])  # outside it is there
        agent = os.path.join(self.runtime, "agent.sock")
        if not os.path.exists(agent):
            self.spawn(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL)
            server = self.spawn(["/usr/bin/python3", "-c", "import socket, os, time\n"
                                 f"os.mkdir('{self.runtime}/systemd')\n"
                                 f"s = socket.socket(socket.AF_UNIX); s.bind('{self.runtime}/systemd/private'); s.listen()\n"
                                 "a = socket.socket(socket.AF_UNIX); a.bind('\\0nt-private'); a.listen(); print(1, flush=True)\ntime.sleep(600)"],
                                stdout=subprocess.PIPE)
            self.assertEqual(server.stdout.readline(), b"1\n")
            self.spawn(["tmux", "-S", os.path.join(self.runtime, "tmux"), "new-session", "-d", "sleep 600"], stdout=subprocess.DEVNULL).wait(20)
        self.assertTrue(eventually(lambda: os.path.exists(agent)))
        outside = {**self.outside(), "SSH_AUTH_SOCK": agent}
        self.assertIn(self.execute(self.as_who(["ssh-add", "-l"]), env=outside).code, (0, 1))  # 2: it cannot be reached
        self.check(self.execute(self.as_who(["tmux", "-S", f"{self.runtime}/tmux", "list-sessions"]), env=outside), 0, None)
        code = '''
import ctypes, socket, subprocess
R = E["XDG_RUNTIME_DIR"]
def run(name, *words):
    try: r = subprocess.run(words, capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
    except OSError as e: return tell([name, "not run", str(e)])
    tell([name, r.returncode, (r.stdout + r.stderr).decode("latin1")[-300:]])
run("secret-tool", "secret-tool", "lookup", "service", "nono", "username", "openai", "target", "default")
run("gdbus", "gdbus", "call", "--session", "-d", "org.freedesktop.secrets", "-o", "/org/freedesktop/secrets", "-m",
    "org.freedesktop.DBus.Peer.Ping")
run("curl", "curl", "-sS", "-m", "5", "--unix-socket", R + "/bus", "http://x/")
run("ssh-add", "ssh-add", "-l")
run("tmux", "tmux", "-S", R + "/tmux", "new-window", "touch /tmp/no")
run("systemd-run", "systemd-run", "--user", "true")
run("nono-keyring", sys.argv[1] + "/nono-keyring", "get", "nono", "openai")
run("nono", sys.argv[1] + "/nono", "run", "--env-credential", "openai", "--", "env")
for name in (R + "/bus", R + "/systemd/private", R + "/tmux", R + "/agent.sock", "\\0nt-private"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        try: socket.socket(socket.AF_UNIX, kind).connect(name); tell([name, 0, ""])
        except OSError as e: tell([name, e.errno, str(e)])
'''
        for policy in ("namespace", "landlock"):
            with self.subTest(policy):
                told = self.told(["--credential", "openai", "--read", self.runtime, "--sandbox-policy", policy], code, self.bin,
                                 env=self.env(SSH_AUTH_SOCK=agent))
                self.assertEqual(len(told), 18)
                for name, status, text in told[:8]:
                    self.assertNotIn(status, (0, "not run"), (name, text))
                for name, status, text in told[8:]:  # EPERM, EACCES; ECONNREFUSED: the name is of another network
                    self.assertIn(status, (1, 13, 111) if name.startswith("\0") else (1, 13), (name, text))

    def test_the_proxy_is_out_of_reach(self):
        code = '''
import ctypes, subprocess
libc = ctypes.CDLL(None, use_errno=True)
above = os.getppid()
def is_ours(p):
    try: name, _, rest = open(f"/proc/{p}/stat").read().partition("(")[2].rpartition(")")
    except OSError: return False
    return int(p) == above or (name == "nono-proxy" and int(rest.split()[1]) == above)
proxies = [p for p in os.listdir("/proc") if p.isdigit() and is_ours(p)]
def attempt(name, f):
    try: f(); tell([name, "OPEN"])
    except OSError as e: tell([name, "closed" if e.errno in (1, 13) else e.errno])  # EPERM, EACCES
def call(f, *a):
    def go():
        if f(*a) < 0: raise OSError(ctypes.get_errno(), "")
    return go
for p in proxies:
    for file in ("environ", "maps", "smaps", "auxv", "syscall", "stack", "fd/0", "fdinfo/0"):
        attempt(file, lambda: open(f"/proc/{p}/{file}", "rb").read(1))
    attempt("mem", lambda: open(f"/proc/{p}/mem", "rb"))
    attempt("map_files", lambda: os.listdir(f"/proc/{p}/map_files"))
    attempt("fd", lambda: os.readlink(f"/proc/{p}/fd/3"))
    attempt("root", lambda: os.listdir(f"/proc/{p}/root"))
    attempt("attach", call(libc.ptrace, 16, int(p), 0, 0))
    attempt("seize", call(libc.ptrace, 0x4206, int(p), 0, 0))
    attempt("kill", lambda: os.kill(int(p), 0))
    attempt("prlimit", lambda: __import__("resource").prlimit(int(p), 4))
    buffer = ctypes.create_string_buffer(8)
    iov = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    there = (ctypes.c_size_t * 2)(0x400000, 8)
    attempt("vm", call(libc.process_vm_readv, int(p), iov, 1, there, 1, 0))
    attempt("pidfd", lambda: [libc.syscall(438, os.pidfd_open(int(p)), 3, 0) < 0 and call(lambda: -1)()])
tell([len(proxies), "count"])
r = subprocess.run(["gdb", "-nx", "-batch", "-p", sys.argv[1] if not proxies else proxies[0], "-ex", "info proc"], capture_output=True,
                   stdin=subprocess.DEVNULL, timeout=60)
tell(["gdb", (r.stdout + r.stderr).decode("latin1")])
'''
        for policy in ("namespace", "landlock"):
            with self.subTest(policy):
                told = self.told(["--credential", "openai", "--read", "/proc", "--sandbox-policy", policy], code, "1")
                count, gdb = told.pop(-2), told.pop()
                self.assertEqual(count[0], 2, "nono and its proxy are not seen, so nothing was tried")
                self.assertEqual({what for _, what in told}, {"closed"}, told)
                self.assertRegex(gdb[1], "(?i)not permitted|denied")

    def test_grants_that_lead_to_the_keyring(self):
        bus, words = f"{self.runtime}/bus", "is in the keyring, which the command could ask itself by"
        above = self.session
        for flag, path in (("--allow-unix-socket", bus), ("--allow-unix-socket-dir", self.runtime), ("--allow-unix-socket-subtree", self.runtime),
                           ("--allow-unix-socket-subtree", above), ("--allow-unix-socket-bind", bus),
                           ("--allow-unix-socket-subtree-bind", above)):
            with self.subTest(flag):
                r = self.under(["--credential", "openai", flag, path], "true")
                self.assertEqual(r.code, 1, r)
                self.assertIn(words, r.text)
                self.assertNotIn("Capabilities", r.text)
                # By another name of it, too.
                link = os.path.join(self.work, "link")
                if not os.path.lexists(link):
                    os.symlink(self.session, link)
                r = self.under(["--credential", "openai", flag, path.replace(self.session, link)], "true")
                self.assertEqual(r.code, 1, r)
        self.check(self.under(["--credential", "github", "--allow-unix-socket", bus], "true"), 0)  # no key is in there
        r = self.under(["--credential", "openai", "--allow-unix-socket", bus], "true", env=self.env(DBUS_SESSION_BUS_ADDRESS=None))
        self.assertEqual(r.code, 1, r)

    def test_other_tokens(self):
        code = '''
mine, other = E["OPENAI_API_KEY"], E["GITHUB_TOKEN"]
for t in (mine, sys.argv[1], other, E["NONO_PROXY_TOKEN"], "", mine[:-1], mine + "0", mine[1:], mine.upper() if mine.upper() != mine else "x",
          mine[:-1] + ("0" if mine[-1] != "0" else "1"), "*", "{}", mine + "," + mine):
    status, fields, body = ask(E["OPENAI_BASE_URL"] + "/x", {"Authorization": "Bearer " + t})
    tell([status, body if status != 200 else ""])
import http.client, urllib.parse
to = urllib.parse.urlsplit(E["OPENAI_BASE_URL"])
for fields in ([], ["Authorization"] * 2, ["X-Api-Key"], ["Proxy-Authorization"]):
    c = http.client.HTTPConnection(to.hostname, to.port)
    c.putrequest("GET", to.path + "/x")
    for f in fields: c.putheader(f, "Bearer " + mine)
    c.endheaders()
    tell([c.getresponse().status, ""])
'''
        flags = ["--credential", "openai", "--credential", "github"]
        earlier = self.told(flags, "tell(E['OPENAI_API_KEY'])")[0]
        told = self.told(flags, code, earlier)
        self.assertEqual([t[0] for t in told], [200] + [401] * 16, told)
        self.assertEqual(len(Service.seen), 1)
        for _, body in told[1:13]:
            self.assertIn("the route openai wants the token of this run where the key would stand", body)

    # ---- 6. clients ----

    def chat(self, flags, *words, **more):
        r = self.under(["--credential", "openai", "--credential", "anthropic", *flags], *words, **more)
        self.assertEqual(r.code, 0, r)
        return r

    def check_chat(self, r, plain, streamed):
        """The answer is there, with stars in the place of the key; and the server saw the key."""
        stars = "Hello! Bearer " + "*" * len(KEYS["openai"])
        self.assertIn(stars, plain, r)
        self.assertIn(stars, "".join(re.findall(r'"content": ?"([^"]*)"', streamed)), r)
        self.assertIn("data: [DONE]", streamed)
        self.assertEqual([s["path"] for s in Service.seen], ["/v1/chat/completions"] * 2)

    def test_curl(self):
        script = "for s in false true; do curl -sS -N $OPENAI_BASE_URL/chat/completions -H \"Authorization: Bearer $OPENAI_API_KEY\" " \
                 "-H 'Content-Type: application/json' -d '{\"model\": \"m\", \"stream\": '$s'}'; echo; echo ==; done\n" \
                 "curl -sS $ANTHROPIC_BASE_URL/v1/messages -H \"x-api-key: $ANTHROPIC_API_KEY\" -d '{\"model\": \"m\"}'; echo; echo ==; " \
                 "curl -sS -N $ANTHROPIC_BASE_URL/v1/messages -H \"x-api-key: $ANTHROPIC_API_KEY\" -d '{\"model\": \"m\", \"stream\": true}'"
        r = self.chat([], "sh", "-c", script)
        plain, streamed, message, events = r.out.decode().split("\n==\n")
        anthropic = Service.seen[2:]
        del Service.seen[2:]
        self.check_chat(r, plain, streamed)
        self.assertEqual([s["path"] for s in anthropic], ["/v1/messages"] * 2)
        stars = "*" * len(KEYS["anthropic"])
        self.assertEqual(json.loads(message)["content"][0]["text"], "Hello! " + stars)
        self.assertEqual("".join(re.findall(r'"text_delta", "text": "([^"]*)"', events)), "Hello! " + stars)

    def test_python(self):
        code = "import urllib.request\nfor s in (False, True):\n" \
               "  q = urllib.request.Request(E['OPENAI_BASE_URL'] + '/chat/completions', json.dumps({'model': 'm', 'stream': s}).encode(), " \
               "{'Authorization': 'Bearer ' + E['OPENAI_API_KEY']})\n  print(urllib.request.urlopen(q).read().decode(), '\\n==')"
        r = self.chat([], "/usr/bin/python3", "-c", services.CLIENT + code)
        self.check_chat(r, *r.out.decode().split("\n==")[:2])

    def test_node(self):
        script = self.file("work/a.mjs", """
import http from "node:http";
const url = process.env.OPENAI_BASE_URL + "/chat/completions";
const headers = {authorization: "Bearer " + process.env.OPENAI_API_KEY, "content-type": "application/json"};
for (const stream of [false, true]) {
  const r = await fetch(url, {method: "POST", headers, body: JSON.stringify({model: "m", stream})});
  let text = ""; const d = new TextDecoder();
  for await (const part of r.body) text += d.decode(part, {stream: true});
  console.log(text + "\\n==");
}
for (const stream of [false, true]) {
  console.log(await new Promise((done, fail) => {
    const q = http.request(url, {method: "POST", headers}, r => { let t = ""; r.on("data", d => t += d); r.on("end", () => done(t)); });
    q.on("error", fail); q.end(JSON.stringify({model: "m", stream}));
  }) + "\\n==");
}
""", 0o644)
        r = self.chat([], "node", script)
        parts = r.out.decode().split("\n==\n")
        by_http = Service.seen[2:]
        del Service.seen[2:]
        self.check_chat(r, *parts[:2])
        Service.seen[:] = by_http
        self.check_chat(r, *parts[2:4])

    def test_go(self):
        program = os.path.join(self.room, "go-client")
        if not os.path.exists(program):
            source = self.file("go/main.go", """package main
import ("bufio"; "fmt"; "io"; "net/http"; "os"; "strings")
func main() {
	for _, stream := range []string{"false", "true"} {
		q, _ := http.NewRequest("POST", os.Getenv("OPENAI_BASE_URL")+"/chat/completions", strings.NewReader(`{"model": "m", "stream": `+stream+`}`))
		q.Header.Set("Authorization", "Bearer "+os.Getenv("OPENAI_API_KEY"))
		r, err := http.DefaultClient.Do(q)
		if err != nil { fmt.Println(err); os.Exit(1) }
		if stream == "true" {
			for lines := bufio.NewScanner(r.Body); lines.Scan(); { fmt.Println(lines.Text()) }
		} else {
			body, _ := io.ReadAll(r.Body); fmt.Println(string(body))
		}
		fmt.Println("==")
	}
}
""")
            env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GO111MODULE": "off", "PATH": harness.PATH}
            done = subprocess.run(["go", "build", "-o", program, source], env=env, capture_output=True, check=False, cwd=self.base)
            self.assertEqual(done.returncode, 0, done.stderr)
        r = self.chat([], program)
        self.check_chat(r, *r.out.decode().split("\n==\n")[:2])

    # ---- 7. bad things ----

    def test_the_proxy_is_killed_while_it_streams(self):
        code = "import http.client, urllib.parse\nto = urllib.parse.urlsplit(E['OPENAI_BASE_URL'])\n" \
               "c = http.client.HTTPConnection(to.hostname, to.port, timeout=20)\n" \
               "c.request('GET', to.path + '/endless', headers={'Authorization': 'Bearer ' + E['OPENAI_API_KEY']})\n" \
               "r = c.getresponse(); print(r.readline(), flush=True)\n" \
               "try: r.read(); print('all')\nexcept (OSError, http.client.HTTPException) as e: print('cut', flush=True)\n" \
               "try: ask(E['OPENAI_BASE_URL'])\nexcept OSError as e: print('gone', flush=True)"
        with self.running(["--credential", "openai"], "/usr/bin/python3", "-c", services.CLIENT + code) as run:
            self.assertEqual(run.stdout.readline(), b"b'data: 0\\n'\n")
            os.kill(self.proxy_of(run), signal.SIGKILL)
            self.assertEqual(run.stdout.read(), b"cut\ngone\n")
            self.assertEqual(run.wait(20), 0)
        text = self.read(os.path.join(self.base, "err"))
        self.assertIn(b"nono-proxy ended before the command did", text)
        self.clean("err", text)

    def left_over(self):
        """The processes that have begun in this test's directories; a run begins there, and so does all that it starts."""
        found = []
        for pid in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if pid.isdigit() and os.readlink(f"/proc/{pid}/cwd").startswith(self.base):
                    found.append((pid, self.read(f"/proc/{pid}/cmdline")))
        return found

    def test_a_signal_while_a_secret_is_waited_for(self):
        """Nothing is left: no helper, no proxy, no command."""
        slow = f"#!/bin/sh\necho $$ > {self.work}/pid\nexec sleep 1001\n"
        os.chmod(self.base, 0o755)
        os.chmod(self.directory("tools"), 0o755)
        self.file("tools/op", slow, 0o755)
        for name in ("nono", "nono-proxy"):
            shutil.copy(os.path.join(self.bin, name), os.path.join(self.base, "tools"))
        self.file("tools/nono-keyring", slow, 0o755)
        saved, self.bin = self.bin, os.path.join(self.base, "tools")
        self.addCleanup(setattr, self, "bin", saved)
        p = self.own(credential_key="op://vault/item/field", env_var="IT")
        env = self.env(PATH=f"{self.base}/tools:{harness.PATH}")
        path = os.path.join(self.work, "pid")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for flags in (["--profile", p], ["--credential", "openai"], ["--env-credential", "op://vault/item/field=A"]):
                with self.subTest(number=number, flags=flags), self.running([*flags, "--credential", "github"], "sleep", "1002", env=env) as run:
                    self.assertTrue(eventually(lambda: os.path.exists(path) and self.read(path).endswith(b"\n")))
                    os.unlink(path)
                    os.kill(run.pid, number)
                    self.assertEqual(run.wait(20), -number)
                    self.assertTrue(eventually(lambda: not self.left_over(), 5), self.left_over())

    def kill_left_over(self):
        for pid, _ in self.left_over():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def test_what_a_helper_has_started_ends_with_it(self):
        self.addCleanup(self.kill_left_over)  # a nono that is killed can end its helper alone
        os.chmod(self.base, 0o755)
        os.chmod(self.directory("tools"), 0o755)
        self.file("tools/op", f"#!/bin/sh\nsh -c 'sleep 971 & echo $! > {self.work}/pid; wait' &\nwait\n", 0o755)
        path = os.path.join(self.work, "pid")
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number=number), self.running(["--env-credential", "op://vault/item/field=A"], "sleep", "1004",
                                                           env=self.env(PATH=f"{self.base}/tools:{harness.PATH}")) as run:
                self.assertTrue(eventually(lambda: os.path.exists(path) and self.read(path).endswith(b"\n")))
                sleeps = int(self.read(path))
                os.unlink(path)
                helper = next(p for p in harness.children_of(run.pid))
                os.kill(run.pid, number)
                self.assertEqual(run.wait(20), -number)
                self.assertTrue(eventually(lambda: harness.state_of(helper) in ("Z", ""), 5), "the helper lives on")
                if number == signal.SIGTERM:
                    self.assertTrue(eventually(lambda: harness.state_of(sleeps) in ("Z", ""), 5), "what it started lives on")

    def test_a_signal_at_any_moment(self):
        for delay in (0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12):
            for number in (signal.SIGINT, signal.SIGKILL):
                with self.subTest(delay=delay, number=number), self.running(["--credential", "openai"], "sleep", "1003") as run:
                    time.sleep(delay)
                    os.kill(run.pid, number)
                    self.assertNotEqual(run.wait(20), 0)
                    self.assertTrue(eventually(lambda: not self.left_over(), 5), self.left_over())

    def test_a_full_disk(self):
        state = self.directory("home/.local/state/nono")
        for path in (state, os.path.dirname(state), os.path.dirname(os.path.dirname(state))):
            if self.user:
                os.chown(path, self.user, self.user)
        owner = f",uid={self.user},gid={self.user}" if self.user else ""
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=16k,nr_inodes=16,mode=700{owner}", "none", state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=True)
        with self.running(["--credential", "openai"], "/usr/bin/python3", "-c", services.CLIENT + "h = {'Authorization': E['OPENAI_API_KEY']}\n"
                          "for i in range(200):\n  s = ask(E['OPENAI_BASE_URL'] + '/' + 'x' * 500, h)\n  if s[0] != 200: break\n"
                          "tell([s[0], s[2]])\n") as run:
            status, body = json.loads(run.stdout.read())
            self.assertEqual(status, 503)
            self.assertIn("the audit log cannot be written, so nothing is let through", body)
        count = len(Service.seen)
        self.assertGreater(count, 3)
        self.assertEqual(len(self.audit_lines(state)), count)  # each that went through is there
        with open(os.path.join(state, "fill"), "wb", 0) as f, contextlib.suppress(OSError):
            while True:
                f.write(b"x" * 4096)
        r = self.under(["--credential", "openai"], "true")
        self.assertIn(r.code, (0, 1), r)

    @staticmethod
    def audit_lines(state):
        """The whole lines of the audit log."""
        out = []
        for directory, _, files in os.walk(state):
            for name in files:
                with open(os.path.join(directory, name), "rb") as f:
                    out += [line for line in f if line.endswith(b"\n") and json.loads(line)["decision"] == "allow"]
        return out

    def test_closed_streams(self):
        nono = " ".join(self.command("run", "--credential", "openai", "--credential", "github", "--allow-cwd", "--read", self.room, "--"))
        self.file("work/c.py", services.CLIENT + "s = [ask(E[n + '_BASE_URL'] + '/x', {'Authorization': E[k]})[0] for n, k in (('OPENAI', "
                  "'OPENAI_API_KEY'), ('GITHUB', 'GITHUB_TOKEN'))]\nopen('out', 'w').write(str(s))", 0o644)
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                r = self.execute(["sh", "-c", f"exec {nono} /usr/bin/python3 c.py {closed}"])
                self.assertEqual(r.code, 0, r)
                self.clean(r, r.out + r.err)
                self.assertEqual(self.read(os.path.join(self.work, "out")), b"[200, 200]")
                os.unlink(os.path.join(self.work, "out"))


class CredentialsAsUser(Credentials):
    user = USER


if __name__ == "__main__":
    services.main()
