# SPDX-License-Identifier: Apache-2.0
"""The machinery of test_messages.py: cases, what is run for them, golden texts, and what of the source they cover."""
import os
import platform
import re
import shlex
import socket
from pathlib import Path

from harness import BIN, PYTHON, ROOT, Run, Terminal, kernel_abi

GOLDEN = Path(__file__).resolve().parent / "golden"
SOURCE = Path(__file__).resolve().parents[2] / "cli"
# 1: writes into golden/. A directory: there, for who may not write into the checkout.
UPDATE = os.environ.get("NONO_UPDATE_GOLDEN", "")
TESTED_ABI = 7  # of the kernel whose rows are compared

FILTER = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def op(code, k, jt=0, jf=0): return struct.pack("HBBI", code, jt, jf, k)
program = op(0x20, 0) + op(0x35, FIRST, 0, 2) + op(0x35, LAST + 1, 1, 0) + op(0x06, 0x00050000 | ERRNO) + op(0x06, 0x7fff0000)
class Fprog(ctypes.Structure): _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Fprog(len(program) // 8, program)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


def refusing(calls, number):
    """A command in front of another: in it the calls from the first to the last of these numbers fail with that errno."""
    return [PYTHON, "-c", FILTER.replace("FIRST", str(calls[0])).replace("LAST", str(calls[-1])).replace("ERRNO", str(number))]


LANDLOCK = (444, 446)
MKDIR = ({"x86_64": 258, "aarch64": 34}[platform.machine()],)  # mkdirat()


class Message:
    """One case. In `command` @nono is what is tested; in it, in names and texts of files, and in `env`, % is the directory in which it all lies: %/home is
    HOME, %/work where nono starts, %/t TMPDIR.

    files   what there must be: text; "-> target", "socket", "fifo", "dir" make those; (text, mode)
    env     variables besides; None takes one out
    only    "root" or "user": seen there alone
    rows    the rows of -v about what lies in the home directory are compared, too
    abi     compared on a kernel of TESTED_ABI alone, its row included
    keys    on a terminal: what is typed once `prompt` stands there
    via     a command in front of nono, with % as in `command`
    code    the exit code
    """

    def __init__(self, group, name, command, code, files=(), env=(), only="", abi=False, keys=None, via=(), cwd="work",
                 stdin=b"", stdout="", before=None, rows=False, prompt=b"[y/N] "):
        self.group, self.name, self.command, self.code = group, name, command, code
        self.files, self.env, self.only, self.abi, self.keys, self.via = dict(files), dict(env), only, abi, keys, via
        self.cwd, self.stdin, self.stdout, self.before, self.rows = cwd, stdin, stdout, before, rows
        self.prompt = prompt

    @property
    def runs_here(self):
        return (not self.only or (self.only == "root") == ROOT) and (not self.abi or kernel_abi() == TESTED_ABI)

    def prepare(self, test):
        for name, what in self.files.items():
            text, mode = what if isinstance(what, tuple) else (what, None)
            path = os.path.join(test.base, name.replace("%", test.base))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if text == "dir":
                os.makedirs(path, exist_ok=True)
            elif text == "fifo":
                os.mkfifo(path)
            elif text == "socket":
                server = socket.socket(socket.AF_UNIX)
                test.addCleanup(server.close)
                server.bind(path)
                server.listen(9)
            elif text.startswith("-> "):
                os.symlink(text[3:].replace("%", test.base), path)
            else:
                Path(path).write_text(text.replace("%", test.base), encoding="utf-8")
            if mode is not None:
                os.chmod(path, mode)
        if self.before:
            self.before(test)

    def run(self, test):
        self.prepare(test)
        words = [BIN if w == "@nono" else w for w in shlex.split(self.command.replace("%", test.base))]
        env = test.env(PATH=f"{test.base}/bin:/usr/bin:/bin",
                       **{k: v and v.replace("%", test.base) for k, v in self.env.items()})
        command = [*(w.replace("%/", test.base + "/") for w in self.via), BIN, *words]
        cwd = os.path.join(test.base, self.cwd)
        if self.keys is not None:
            t = Terminal(command, env, cwd)
            test.assertTrue(t.expect(self.prompt), t.out)
            t.send(self.keys)
            return Run(command, t.wait(), t.out.replace(b"\r\n", b"\n"), b"", 0)
        more = {"stdout": open(self.stdout, "wb")} if self.stdout else {}
        try:
            return test.execute(command, env=env, cwd=cwd, stdin=self.stdin, **more)
        finally:
            for file in more.values():
                file.close()

    def text(self, test, r):
        """What is compared: the command line, the exit code, both outputs."""
        out = f"$ nono {self.command.encode('unicode_escape').decode('ascii')}\n"
        for label, got in (("stdout", r.out), ("stderr", r.err)):
            plain = self.normal(test, got.decode("utf-8", "backslashreplace"))
            out += f"[{label}]\n{plain}" if plain else ""
            out += "" if plain.endswith("\n") or not plain else "\n[no end of line]\n"
        return out + f"[exit {r.code}]\n"

    def normal(self, test, text):
        """Without what differs between machines and runs."""
        u = platform.uname()
        for found, instead in ((os.path.realpath(BIN), "/usr/bin/nono"), (test.base, "/BASE"), (u.release, "RELEASE"), (u.machine, "MACHINE")):
            text = text.replace(found, instead)
        for found, instead in (
                (r"\bnono (v?)\d+\.\d+\.\d+", r"nono \1VERSION"), (r"(Version: +)\d+\.\d+\.\d+", r"\1VERSION"),
                (r"/nono-\d+/[a-z2-7]{6}\b", "/nono-UID/SCRATCH"), (r"\bprocess \d+", "process PID"), (r"/proc/\d+", "/proc/PID"),
                (r"\+ \d+ system/group paths", "+ N system/group paths"),
                # The registries of the tools that are here, and any free port.
                (r"to \d+ hosts \(developer\)", "to N hosts (developer)"), (r"localhost:\d+, in this system", "localhost:PORT, in this system"), (r"localhost:\d+, that port", "localhost:PORT, that port"),
                (r"/audit/[0-9a-f]{16}/", "/audit/ID/"),
                # Grants and denies of the system: what there is of them differs.
                (r"(?m)^  (?:r|w|r\+w|-|deny) +'(?!/BASE)[^\n]*\n", "")):
            text = re.sub(found, instead, text)
        if not self.rows:
            text = re.sub(r"(?m)^  (?:-|deny) +'[^\n]*\n", "", text)
        if not self.abi:
            text = re.sub(r"(?m)^  (?:kernel|unix)  [^\n]*\n", "", text)
        # Of the sockets only those that the case has made: what other tests have meanwhile comes and goes.
        def own(row):
            made = re.findall(r"'/BASE[^']*'", row[0])
            return row[1] + ", ".join(made) + "\n" if made else ""

        return re.sub(r"(?m)^(  unix  reachable without a grant: ).*\n", own, text)


# ---- golden files -----------------------------------------------------------------------------------------------

def path_of(group):
    return GOLDEN / f"{group}.txt"


def read_golden(group):
    """The texts of a file by the names of their cases."""
    if not path_of(group).is_file():
        return {}
    parts = re.split(r"^=== (.*)\n", path_of(group).read_text(encoding="utf-8"), flags=re.M)
    return {name: text.rstrip("\n") + "\n" for name, text in zip(parts[1::2], parts[2::2])}


def write_golden(group, texts):
    into = GOLDEN if UPDATE == "1" else Path(UPDATE)
    into.mkdir(exist_ok=True)
    (into / f"{group}.txt").write_text("\n".join(f"=== {name}\n{text}" for name, text in texts.items()), encoding="utf-8")


# ---- what the source can say ------------------------------------------------------------------------------------

TOKEN = re.compile(r'''
    //[^\n]* | /\*.*?\*/ | ^[ \t]*\#[^\n]*          # comments, #include
    | '(?:[^'\\\n]|\\.)+'                           # characters
    | R"(?P<mark>\w*)\((?P<raw>.*?)\)(?P=mark)"
    | "(?P<text>(?:[^"\\\n]|\\.)*)"
    | (?P<space>\s+) | .''', re.S | re.M | re.X)


def literals(source):
    """The string literals of C++ source, adjacent ones joined; what an escape stands for is a line end."""
    joined = None
    for m in TOKEN.finditer(source):
        if m["raw"] is not None or m["text"] is not None:
            text = m["raw"] if m["raw"] is not None else re.sub(r"\\(.)", lambda e: e[1] if e[1] in "\"'\\" else "\n", m["text"])
            joined = (joined or "") + text
        elif m["space"] is None and not m[0].startswith(("//", "/*")):
            if joined is not None:
                yield joined
            joined = None


def sentences(literal):
    """The parts of a literal that read as words: between placeholders and line ends, of 15 characters and two words."""
    for part in re.split(r"\{[^{}]*\}|\n", literal.replace("{{", "\1").replace("}}", "\2")):
        part = part.replace("\1", "{").replace("\2", "}").strip()
        if len(part) >= 15 and " " in part and len(re.findall(r"[A-Za-z]{2,}", part)) >= 2:
            yield part


def said_in_source():
    """(file, sentence) of the whole command, but for what writes scripts and the manual page, whose own tests read those, and
    for what only a Mac says."""
    for path in sorted(SOURCE.rglob("*.cpp")):
        if not re.match(r"completion_|man_page|.*_macos\.cpp", path.name):
            for literal in literals(path.read_text(encoding="utf-8")):
                for part in sentences(literal):
                    yield str(path.relative_to(SOURCE)), part


def unsaid(said, texts, exceptions):
    """The sentences that stand in no text, and the exceptions that nothing needs any more."""
    missing = [(f, s) for f, s in said if s not in texts]
    return [m for m in missing if m[1] not in exceptions], [e for e in exceptions if e not in {s for _, s in missing}]


__all__ = ["LANDLOCK", "MKDIR", "SOURCE", "UPDATE", "Message", "literals", "read_golden", "refusing", "said_in_source", "sentences", "unsaid",
           "write_golden"]
