# SPDX-License-Identifier: Apache-2.0
"""The clients that people use, as their makers publish them: each asks plainly and as a stream, and has a token for a key."""
import os
import shutil
import subprocess
import sys

import services  # first: it knows where the others are
import harness
import world
from services import KEYS, USER, Service

PYTHON_PACKAGES = ("openai==3.57.0", "anthropic==2.14.0")
NODE_PACKAGES = ("openai@6.49.0",)
HERE = os.path.join(os.path.dirname(os.path.abspath(harness.BIN)), "sdks")  # below the build directory: a second run is quick


def fetch():
    """Installs the packages, before there is no internet any more."""
    python, node = os.path.join(HERE, "python"), os.path.join(HERE, "node")
    installs = (
        (python, PYTHON_PACKAGES, (["/usr/bin/python3", "-m", "venv", python],
                                   [f"{python}/bin/python3", "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES])),
        (node, NODE_PACKAGES, (["npm", "install", "--prefix", node, "--no-audit", "--no-fund", "--ignore-scripts", *NODE_PACKAGES],)))
    for where, packages, commands in installs:
        stamp = os.path.join(where, "installed")
        if os.path.exists(stamp):
            with open(stamp, encoding="utf-8") as f:
                if f.read() == " ".join(packages):
                    continue
        shutil.rmtree(where, ignore_errors=True)
        os.makedirs(where)
        for command in commands:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=600)
            if done.returncode != 0:
                sys.exit(f"the packages {', '.join(packages)} cannot be installed, so no client was tested; {command[0]} says: "
                         + (done.stdout + done.stderr).decode("utf-8", "backslashreplace")[-1500:])
        with open(stamp, "w", encoding="utf-8") as f:
            f.write(" ".join(packages))


class Sdks(services.Case):
    """As root; SdksAsUser runs the same as an ordinary user."""

    @classmethod
    def make_world(cls):
        super().make_world()
        services.Case.sdks = os.path.join(cls.room, "sdks")  # where an ordinary user may read them
        os.mkdir(cls.sdks, 0o755)
        world.must(world.libc.mount(HERE.encode(), cls.sdks.encode(), None, 4096, None))  # MS_BIND
        cls.mounts.append(cls.sdks)

    STARS = {"openai": "Hello! Bearer " + "*" * len(KEYS["openai"]), "anthropic": "Hello! " + "*" * len(KEYS["anthropic"])}

    def check_sdk(self, service, path, *words):
        r = self.under(["--credential", service], *words)
        self.check(r, 0, f"{self.STARS[service]}\n" * 2)
        self.assertEqual([s["path"] for s in Service.seen], [path] * 2, r)
        self.assertNotIn("refused", r.text)

    def test_openai_for_python(self):
        self.check_sdk("openai", "/v1/chat/completions", f"{self.sdks}/python/bin/python3", "-c", """
from openai import OpenAI
client = OpenAI()
ask = {"model": "gpt-5", "messages": [{"role": "user", "content": "Say hello"}]}
print(client.chat.completions.create(**ask).choices[0].message.content)
print("".join(part.choices[0].delta.content or "" for part in client.chat.completions.create(stream=True, **ask)))
""")

    def test_anthropic_for_python(self):
        self.check_sdk("anthropic", "/v1/messages", f"{self.sdks}/python/bin/python3", "-c", """
from anthropic import Anthropic
client = Anthropic()
ask = {"model": "claude-opus-9", "max_tokens": 99, "messages": [{"role": "user", "content": "Say hello"}]}
print(client.messages.create(**ask).content[0].text)
with client.messages.stream(**ask) as stream: print("".join(stream.text_stream))
""")

    def test_openai_for_node(self):
        script = self.file("work/ask.mjs", f"""
import OpenAI from "{self.sdks}/node/node_modules/openai/index.mjs";
const client = new OpenAI();
const ask = {{model: "gpt-5", messages: [{{role: "user", content: "Say hello"}}]}};
console.log((await client.chat.completions.create(ask)).choices[0].message.content);
let text = "";
for await (const part of await client.chat.completions.create({{...ask, stream: true}})) text += part.choices[0].delta.content ?? "";
console.log(text);
""", 0o644)
        self.check_sdk("openai", "/v1/chat/completions", "node", script)

    def test_what_a_client_says_of_a_wrong_token(self):
        r = self.under(["--credential", "openai"], f"{self.sdks}/python/bin/python3", "-c", "import openai\n"
                       "try: openai.OpenAI(api_key='x').models.list()\nexcept openai.AuthenticationError as e: print(e.response.text)")
        self.check(r, 0, None)
        self.assertIn(b"the route openai wants the token of this run where the key would stand", r.out, r)


class SdksAsUser(Sdks):
    user = USER


if __name__ == "__main__":
    fetch()
    services.main()
