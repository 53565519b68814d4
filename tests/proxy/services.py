# SPDX-License-Identifier: Apache-2.0
"""What the tests of credentials share: the services that keys are for, in the test's own internet; a keyring; and clients."""
import contextlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))

import harness  # noqa: E402
import world  # noqa: E402
from world import LINK_LOCAL, OTHER, PRIVATE, PUBLIC, Web  # noqa: E402

USER = 65534
NAMES = {"api.openai.com": [PUBLIC], "api.anthropic.com": [OTHER], "api.github.com": [PUBLIC], "gitlab.com": [OTHER],
         "generativelanguage.googleapis.com": [PUBLIC], "own.example": [PUBLIC], "other.example": [OTHER],
         "intranet.example": [PRIVATE], "cloud.example": [LINK_LOCAL]}
KEYS = {"openai": "sk-proj-3f9aQ-b_cZx81LmP0", "gemini": "AIzaSyD7gemini-Qw3", "google_ai": "AIzaSyE8google-Rt5",
        "anthropic": "sk-ant-api03-Vb7_kk", "github": "ghp_J2kL9mN4pQ7rS1t", "gitlab": "glpat-8xZ_vW3uT6sR",
        "own": "own-3kEy.of~7he/profile+x=", "file": "file-9key-in-a-file", "op": "op-4key-of-1password", "bw": "bw-6key-of-bitwarden"}
# The service: its host, its base, its header, the header's value, where the key is kept, and the variables.
SERVICES = {
    "openai": ("api.openai.com", "/v1", "Authorization", "Bearer {}", "openai", ("OPENAI_API_KEY",)),
    "anthropic": ("api.anthropic.com", "", "x-api-key", "{}", "anthropic", ("ANTHROPIC_API_KEY",)),
    "gemini": ("generativelanguage.googleapis.com", "", "x-goog-api-key", "{}", "gemini", ("GEMINI_API_KEY", "GOOGLE_API_KEY")),
    "google-ai": ("generativelanguage.googleapis.com", "", "x-goog-api-key", "{}", "google_ai", ("GEMINI_API_KEY", "GOOGLE_API_KEY")),
    "github": ("api.github.com", "", "Authorization", "token {}", "github", ("GITHUB_TOKEN",)),
    "gitlab": ("gitlab.com", "/api", "Authorization", "Bearer {}", "gitlab", ("GITLAB_TOKEN",)),
}


class Service(world.Handler):
    """OpenAI, Anthropic and an echo. All of them tell the key back wherever they can."""

    seen = []

    def json(self, status, value, **fields):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, text in fields.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def answer(self):
        body = self.body()
        self.told = next((v for k, v in self.headers.items() if k.lower() in
                          ("authorization", "x-api-key", "x-goog-api-key", "x-own")), self.path)
        peer = self.connection.getpeercert() if hasattr(self.connection, "getpeercert") else None
        Service.seen.append({"host": self.headers.get("Host"), "method": self.command, "path": self.path, "peer": peer,
                             "headers": list(self.headers.items()), "body": body})
        path = self.path.split("?")[0]
        if path == "/v1/chat/completions":
            self.openai(body)
        elif path == "/v1/messages":
            self.anthropic(body)
        elif path.endswith("/pieces"):  # byte by byte
            self.stream()
            for c in f"data: {self.told}\n\n":
                self.chunk(c)
            self.chunk("")
        elif path.endswith("/endless"):
            self.stream()
            with contextlib.suppress(OSError):
                for i in range(1000):
                    self.chunk(f"data: {i}\n\n")
                    time.sleep(0.02)
        else:
            self.json(200, {"method": self.command, "path": self.path, "headers": list(self.headers.items()),
                            "body": body.decode("latin1")}, X_Told=self.told, Set_Cookie="told=" + self.told)

    def openai(self, body):
        if self.headers.get("Authorization") != "Bearer " + KEYS["openai"]:
            return self.json(401, {"error": {"message": f"Incorrect API key provided: {self.told}", "type":
                                             "invalid_request_error", "param": None, "code": "invalid_api_key"}})
        asked = json.loads(body)
        whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1760000000, "model": asked["model"],
                 "system_fingerprint": "fp_1", "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
                 "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
                              "message": {"role": "assistant", "content": f"Hello! {self.told}", "refusal": None}}]}
        if not asked.get("stream"):
            return self.json(200, whole, x_request_id="req_1", openai_processing_ms="7")
        self.stream()
        for part in ("Hel", "lo", "! ", self.told, None):
            choice = {"index": 0, "delta": {"content": part} if part else {}, "finish_reason": None if part else "stop"}
            self.chunk("data: " + json.dumps({**{k: whole[k] for k in ("id", "created", "model")},
                                              "object": "chat.completion.chunk", "choices": [choice]}) + "\n\n")
        self.chunk("data: [DONE]\n\n")
        return self.chunk("")

    def anthropic(self, body):
        if self.headers.get("x-api-key") != KEYS["anthropic"]:
            return self.json(401, {"type": "error", "error": {"type": "authentication_error", "message": f"invalid {self.told}"}})
        asked = json.loads(body)
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "content": [],
                   "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
        if not asked.get("stream"):
            return self.json(200, {**message, "content": [{"type": "text", "text": f"Hello! {self.told}"}],
                                   "stop_reason": "end_turn"}, request_id="req_1")
        self.stream()
        events = [{"type": "message_start", "message": message},
                  {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, {"type": "ping"}]
        events += [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}}
                   for t in ("Hel", "lo! ", self.told)]
        events += [{"type": "content_block_stop", "index": 0},
                   {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 4}},
                   {"type": "message_stop"}]
        for event in events:
            self.chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n")
        return self.chunk("")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer


# What the command runs: ask(URL, FIELDS, BODY) gives status, fields and body, by no proxy.
CLIENT = '''
import http.client, json, os, sys, urllib.parse
E = os.environ
def ask(url, fields={}, body=None, method=None):
    to = urllib.parse.urlsplit(url)
    c = http.client.HTTPConnection(to.hostname, to.port, timeout=20)
    c.request(method or ("GET" if body is None else "POST"), to.path + ("?" + to.query if to.query else ""), body, fields)
    r = c.getresponse()
    return r.status, r.getheaders(), r.read().decode("latin1")
def tell(value): print(json.dumps(value), flush=True)
'''


class Case(harness.Case):
    """As root, or as an ordinary user. Whatever is run: no key is in what it prints, nor in what it leaves in its home."""

    user = None
    mounts = []  # in `room`

    @classmethod
    def setUpClass(cls):
        if not hasattr(Case, "names"):
            cls.make_world()
        cls.started = []
        cls.start_keyring()

    @classmethod
    def make_world(cls):
        Case.names = world.Names(dict(NAMES))
        Case.room = tempfile.mkdtemp(prefix="nt-", dir=harness.BASE)
        os.chmod(Case.room, 0o755)
        Case.authority = world.Authority(Case.room)
        os.chmod(Case.authority.bundle, 0o644)
        context = Case.authority.context(*(n for n in NAMES if n != "cloud.example"))
        for address in (PUBLIC, OTHER, PRIVATE):
            Web(address, 443, Service, context)
        Web("127.0.0.1", 8080, Service)
        Web(PUBLIC, 80, Service)
        Web(PRIVATE, 80, Service)
        Case.bin = os.path.join(Case.room, "bin")
        os.mkdir(Case.bin, 0o755)
        for name in ("nono", "nono-proxy", "nono-keyring"):
            shutil.copy(os.path.join(os.path.dirname(harness.BIN), name), Case.bin)

    # ---- a keyring ----

    @classmethod
    def spawn(cls, command, **more):
        p = subprocess.Popen(cls.as_who(command), env=cls.outside(), cwd=cls.session, stderr=subprocess.DEVNULL, **more)
        cls.started.append(p)
        return p

    @classmethod
    def as_who(cls, command):
        if not cls.user:
            return command
        return ["setpriv", f"--reuid={cls.user}", f"--regid={cls.user}", "--clear-groups", "--inh-caps=-all", "--", *command]

    @classmethod
    def outside(cls):
        """What a user's session has."""
        return {"PATH": harness.PATH, "HOME": cls.session, "SHELL": "/bin/sh", "XDG_RUNTIME_DIR": cls.runtime, "LANG": "C.UTF-8",
                "DBUS_SESSION_BUS_ADDRESS": f"unix:path={cls.runtime}/bus"}

    @classmethod
    def start_keyring(cls):
        cls.session = tempfile.mkdtemp(prefix="nt-", dir=harness.BASE)
        cls.runtime = os.path.join(cls.session, "r")
        os.mkdir(cls.runtime, 0o700)
        if cls.user:
            for path in (cls.session, cls.runtime):
                os.chown(path, cls.user, cls.user)
        config = os.path.join(cls.session, "bus.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write(f"<busconfig><type>session</type><listen>unix:path={cls.runtime}/bus</listen><auth>EXTERNAL</auth>"
                    '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>'
                    '<allow own="*"/></policy></busconfig>')
        os.chmod(config, 0o644)
        bus = cls.spawn(["dbus-daemon", "--nofork", "--print-address", f"--config-file={config}"], stdout=subprocess.PIPE)
        bus.stdout.readline()
        daemon = cls.spawn(["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"], stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL)
        daemon.stdin.write(b"password")
        daemon.stdin.close()
        for name, account in (("openai", "openai"), ("gemini", "gemini"), ("google_ai", "google-ai")):
            command = [os.path.join(cls.bin, "nono"), "credential", "set", account, *(["--service", "nono"] if "-" in account else [])]
            def stored():
                return subprocess.run(cls.as_who(command), env=cls.outside(), input=KEYS[name].encode(), cwd=cls.session,
                                      capture_output=True, check=False).returncode == 0
            if not harness.eventually(stored):
                raise RuntimeError(f"the keyring takes no secret: {command}")

    @classmethod
    def tearDownClass(cls):
        if os.path.exists(f"{cls.runtime}/tmux"):  # a server that no process of ours has started itself
            subprocess.run(cls.as_who(["tmux", "-S", f"{cls.runtime}/tmux", "kill-server"]), env=cls.outside(), check=False,
                           capture_output=True, cwd=cls.session)
        for p in reversed(cls.started):
            p.kill()
            p.wait()
            for stream in (p.stdin, p.stdout):
                if stream:
                    stream.close()
        harness.Case.remove(cls.session)

    # ---- runs ----

    def setUp(self):
        super().setUp()
        self.names.asked.clear()
        Service.seen.clear()
        self.keys = self.directory("keys")
        if self.user:
            for path in (self.base, self.home, self.work, self.tmp, self.keys):
                os.chown(path, self.user, self.user)

    def tearDown(self):
        for directory, _, files in os.walk(self.home):
            for name in files:
                path = os.path.join(directory, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    self.clean(path, self.read(path))

    def clean(self, what, data, keys=None):
        """No key in it, whole or but for its ends."""
        for name, key in KEYS.items():
            if keys is None or name in keys:
                self.assertNotIn(key[2:-2].encode(), data if isinstance(data, bytes) else str(data).encode(), f"the key {name}: {what}")

    def env(self, **more):
        return super().env(**{**self.outside(), "HOME": self.home, "SSL_CERT_FILE": self.authority.bundle,
                              "ANTHROPIC_API_KEY": KEYS["anthropic"], "GITHUB_TOKEN": KEYS["github"],
                              "GITLAB_TOKEN": KEYS["gitlab"], **more})

    def command(self, *words):
        return self.as_who([os.path.join(self.bin, "nono"), *words])

    def nono(self, *words, tells=False, **more):
        """tells: the command is given keys on purpose."""
        r = self.execute(self.command(*words), **more)
        self.assertNotIn(b"\x1b", r.err, r)
        self.clean(r, r.err)
        if not tells:
            self.clean(r, r.out)
        return r

    def under(self, flags, *words, **more):
        return self.run_("--allow-cwd", "--read", self.room, *flags, "--", *words, **more)

    def python(self, flags, code, *words, **more):
        return self.under(flags, "/usr/bin/python3", "-c", CLIENT + code, *words, **more)

    def told(self, flags, code, *words, **more):
        """What the code tells; it has to end well."""
        r = self.python(flags, code, *words, **more)
        self.assertEqual(r.code, 0, r)
        return [json.loads(line) for line in r.out.splitlines()]

    def profile(self, name="p", **sections):
        return self.file(f"{name}.json", json.dumps({"meta": {"name": name}, **sections}), 0o644)

    def key_file(self, key="file", mode=0o600):
        path = self.file(f"keys/{key}", KEYS[key] + "\n", mode)
        if self.user:
            os.chown(path, self.user, self.user)
        return path

    @contextlib.contextmanager
    def running(self, flags, *words, env=None, **more):
        """nono, started and not waited for; it is ended at the end."""
        with open(os.path.join(self.base, "err"), "wb") as err:
            p = subprocess.Popen(self.command("run", "--allow-cwd", "--read", self.room, *flags, "--", *words), cwd=self.work,
                                 env=env or self.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, **more)
        try:
            yield p
        finally:
            p.kill()
            p.wait()
            p.stdin.close()
            p.stdout.close()

    def proxy_of(self, p):
        """The proxy of a run."""
        found = lambda: set(harness.processes_of(f"{self.bin}/nono-proxy")) & set(harness.children_of(p.pid))  # noqa: E731
        self.assertTrue(harness.eventually(found))
        return found().pop()


def clean_up():
    for path in Case.mounts:
        world.must(world.libc.umount2(path.encode(), 2))  # MNT_DETACH
        os.rmdir(path)  # never what was mounted there
    if hasattr(Case, "room"):
        harness.Case.remove(Case.room)


def main():
    world.main(clean_up)


if __name__ == "__main__":
    sys.exit("services.py is no test of its own")
