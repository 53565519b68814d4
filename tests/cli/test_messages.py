# SPDX-License-Identifier: Apache-2.0
"""Every message of the command, whole, against tests/cli/golden/*.txt; and every sentence in cli/ stands in one of them.

A new message: a line in the table below, NONO_UPDATE_GOLDEN=1 tests/as_root tests/cli/test_messages.py, a look at the
diff. For cases that only an ordinary user sees: NONO_UPDATE_GOLDEN=DIRECTORY tests/as_user ..., DIRECTORY being writable
for everybody, and the file copied from there."""
import concurrent.futures
import os
import re

from harness import ROOT, Case, main
from messages import LANDLOCK, MKDIR, SOURCE, UPDATE, Message, literals, read_golden, refusing, said_in_source, sentences, unsaid, write_golden

CASES = []


def group(name):
    """say(NAME, COMMAND, CODE, ...) for the cases of one golden file."""
    return lambda *words, **more: CASES.append(Message(name, *words, **more))


GO = {"bin/go": ("#!/bin/sh\n", 0o755)}
KEY = {"home/.ssh/id_ed25519": "KEY\n"}
DATA = {"data/f": "text\n"}

# ---- help -------------------------------------------------------------------------------------------------------

say = group("help")
for command in ("", "run", "wrap", "shell", "setup", "why", "profile", "profile list", "profile show", "profile validate",
                "profile schema", "profile groups", "profile init", "profile diff", "credential", "credential set", "credential list",
                "credential remove", "completion", "man"):
    say(command or "nono", f"{command} --help".strip(), 0)
say("no words at all", "", 0)
say("the version", "--version", 0)

# ---- usage errors -----------------------------------------------------------------------------------------------

say = group("usage")
say("an unknown command", "nosuch", 2)
say("a command that is not built", "ps", 2)
say("an unknown flag before the command", "--nosuch run -- true", 2)
say("an unknown flag", "run --nosuch -- true", 2)
say("an unknown short flag", "run -Z -- true", 2)
say("an unknown flag with what a terminal would take", "run --no\x1b[2Jsuch -- true", 2)
say("a flag that is not built", "run --memory 1G -- true", 2)
say("a flag of why that is not built", "why --caller session", 2)
say("a flag without its value", "run --allow", 2)
say("a flag whose value is the end of the flags", "run --read -- true", 2)
say("a value for a flag that has none", "run --allow-cwd=maybe -- true", 2)
say("a variable that is no truth value", "run --dry-run -- true", 2, env={"NONO_BLOCK_NET": "maybe"})
say("a flag that is nearly one", "run --alow-cwd -- true", 2)
say("a command that is nearly one", "wry --path x", 2)
say("a flag of profile schema without its value", "profile schema -o", 2)
say("flags that exclude each other", "run --block-net --allow-net -- true", 2)
say("a variable of run that wrap cannot follow", "wrap -- true", 2, env={"NONO_ALLOW_DOMAIN": "a.example"})
say("a variable by its old name", "run --dry-run -- true", 0, env={"NONO_NET_BLOCK": "1"})
say("two profiles", "run -p default -p go-dev -- true", 2)
say("profile without a command", "profile", 2)
say("profile with an unknown command", "profile nosuch", 2)
say("profile show without a name", "profile show", 2)
say("profile show with an empty name", "profile show ''", 1)
say("setup with a word too many", "setup extra", 2)
say("completion without a shell", "completion", 2)
say("completion for powershell", "completion powershell", 2)
say("completion for another shell", "completion tcsh", 2)
say("why without a question", "why", 2)
say("why with two questions", "why --path a --path b", 2)
say("why with an empty path", "why --path=", 2)
say("why with an unknown operation", "why --op fly --path a", 2)
say("why about no file, with a path", "why --op udp --path a", 2)
say("why with one name too many", "why --op read --path a --to b", 2)
say("why with one name too few", "why --op rename --path a", 2)
say("why with an empty second name", "why --op rename --path a --to=", 2)
say("why with a port out of range", "why --connect-tcp 70000", 2)
say("why with a port that is none", "why --connect-tcp http", 2)
say("why with a port and a path", "why --connect-tcp 80 --path a", 2)
say("why with a port alone", "why --port 80", 2)
say("why with what is no host", "why --host 'a b'", 2)
say("why with a host's port out of range", "why --host a:0", 2)
say("why with two questions, one about a host", "why --host a --path b", 2)
say("why with an unknown scope", "why --scope x", 2)
say("why of the sandbox that is there, with another's flags", "why --self --path a --allow-cwd", 2)
say("a word for the shell", "shell ls", 2)
say("a base without a profile", "run --extends default -- true", 2)
say("credential without a command", "credential", 2)
say("credential set without a name", "credential set", 2)
say("credential set with the secret as an argument", "credential set openai S3CRET-7", 2)
say("credential set with the secret behind the name", "credential set openai=S3CRET-7", 2)
say("credential set with a flag that is nearly one", "credential set openai --servce x", 2)
say("credential set of a service that cannot be named", "credential set openai --service 'a/b'", 2)
say("credential list with a word too many", "credential list openai", 2)
say("why with two forms of the answer", "why --json --tree --path a", 2)

# ---- what the resolver refuses ----------------------------------------------------------------------------------

say = group("refusals")
say("no command", "run --allow-cwd", 1)
say("a working directory that is not there", "run --workdir %/none -- true", 1)
say("a working directory that is a file", "run --workdir %/data/f -- true", 1, DATA)
say("the current directory is gone", "run -- true", 1, via=["/bin/sh", "-c", 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$@"', "sh"])
say("no home", "run -- true", 1, env={"HOME": "here"})
say("the command is empty", "run -- ''", 1)
say("the command is not on PATH", "run -- no-such-program", 1)
say("the command is not there", "run -- ./no/such", 1)
say("the command is a directory", "run -- %/data", 1, DATA)
say("the command is no regular file", "run -- %/fifo", 1, {"fifo": "fifo"})
say("the command is not executable", "run -- %/data/f", 1, DATA)
say("the command lies where nobody may look", "run -- %/closed/f", 1, {"closed/f": "", "closed": ("dir", 0)}, only="user")
say("the command may not be executed", "run -- %/f", 1, {"f": ("", 0o610)}, only="user", before=lambda t: os.chmod(t.base + "/f", 0o601))
say("a dangerous command", "run -- rm -r /", 1)
say("a blocked command", "run --block-command true -- true", 1)
say("a command that the profile blocks", "run -p %/p.json -- true", 1, {"p.json": '{"commands": {"deny": ["true"]}}'})
say("a directory flag with a file", "run --allow %/data/f -- true", 1, DATA)
say("a file flag with a directory", "run --read-file %/data -- true", 1, DATA)
say("an empty path", "run --allow= -- true", 1)
say("a path that cannot be looked up", "run --read %/closed/f -- true", 1, {"closed/f": "", "closed": ("dir", 0)}, only="user")
say("a path in a loop", "run --read %/loop -- true", 1, {"loop": "-> loop"})
say("a path with a variable in it", "run --read '$NOSUCH/x' -- true", 1)
say("a grant below a denied path", "run --read %/home/.ssh -- true", 1, KEY)
say("a grant above a denied path", "run --read %/home/d -- true", 1, {"home/d/secret": "", "home/.ssh": "-> d"})
say("a grant of the home directory", "run --allow %/home -- true", 1)
say("a grant of nono's settings", "run --read %/home/.config/nono -- true", 1, {"home/.config/nono": "dir"})
say("a lifted protection without a grant", "run --bypass-protection %/home/.ssh -- true", 1, KEY)
say("a kernel without Landlock", "run --allow-cwd -- true", 1, via=refusing(LANDLOCK, 38))
say("Landlock that is off since boot", "run --allow-cwd -- true", 1, via=refusing(LANDLOCK, 95))
say("Landlock that an outer sandbox refuses", "run --allow-cwd -- true", 1, via=refusing(LANDLOCK, 1))
say("a strict run without a supervisor", "wrap --strict -- true", 1, abi=True)
say("no place for the private directory", "run -- true", 1, via=refusing(MKDIR, 30))
say("silent, and the working directory is wanted", "run --silent -p %/p.json -- true", 1, {"p.json": '{"workdir": {"access": "read"}}'})

say = group("sockets")
ONE, IN, BELOW = "--allow-unix-socket", "--allow-unix-socket-dir", "--allow-unix-socket-subtree"
say("a file", f"run {ONE} %/data/f -- true", 1, DATA)
say("a file to bind", f"run {ONE}-bind %/data/f -- true", 1, DATA)
say("a FIFO", f"run {ONE} %/fifo -- true", 1, {"fifo": "fifo"})
say("a device", f"run {ONE} /dev/null -- true", 1)
say("a directory", f"run {ONE} %/data -- true", 1, DATA)
say("no directory", f"run {IN}-bind %/s -- true", 1, {"s": "socket"})
say("a link that leads nowhere", f"run {ONE} %/link -- true", 1, {"link": "-> nowhere"})
say("a closed directory", f"run {IN} %/closed -- true", 1, {"closed": ("dir", 0o300)}, only="user")
say("a directory without sockets", f"run {IN} %/data --dry-run -- true", 0, DATA)
say("a name that no rule can have", f"run {IN} %/s --dry-run -- true", 0, {"s/$HOME": "socket", "s/a": "socket"})
say("one that is not there", f"run {ONE} %/s --dry-run -- true", 0)
say("one to make", f"run -v {ONE}-bind %/s/new --dry-run -- true", 0, {"s": "dir"})
say("one to bind that is there", f"run -v {ONE}-bind %/s/a --dry-run -- true", 0, {"s/a": "socket"})
say("all kinds", f"run {ONE} %/a {IN} %/s {BELOW}-bind %/t --dry-run -- true", 0, {"a": "socket", "s/b": "socket", "t/c": "socket"})

# ---- profile files ----------------------------------------------------------------------------------------------

say = group("profiles")


def profile(name, text, code=1, flags="", more=None, **others):
    say(name, f"run -p %/p.json {flags} --dry-run -- true".replace("  ", " "), code, {"p.json": text, **(more or {})}, **others)


say("an unknown name", "run -p nosuch -- true", 1)
say("no name", "run -p 'no such' -- true", 1)
say("a pack", "run -p some/pack -- true", 1)
say("no such file", "run -p ./none.json -- true", 1)
profile("no JSON", "{")
profile("an unknown field", '{"nework": {}}')
profile("a field of another type", '{"filesystem": {"read": "x"}}')
profile("a field that is not built", '{"rollback": {"enabled": true}}')
profile("a legacy spelling", '{"security": {"groups": ["go_runtime"]}}', 0)
profile("an unknown group", '{"groups": {"include": ["go_rutime"]}}')
profile("an unknown group like no other", '{"groups": {"include": ["xyzzy"]}}')
profile("a required group left out", '{"groups": {"exclude": ["deny_credentials"]}}')
profile("a base without a name", '{"extends": "../x"}')
profile("a base that is not there", '{"extends": "nosuch"}')
profile("a base in a circle", '{"extends": "q"}', more={"q.json": '{"extends": "p"}'})
profile("a file where a directory belongs", '{"filesystem": {"allow": ["%/data/f"]}}', more=DATA)
profile("a deny without a value", '{"filesystem": {"deny": ["$NOSUCH/x"]}}')
profile("a deny inside a grant", '{"filesystem": {"read": ["%/data"], "deny": ["%/data/f"]}}', more=DATA)
profile("a variable that is no path", '{"filesystem": {"read": ["$XDG_DATA_HOME/x"]}}', env={"XDG_DATA_HOME": "here"})
profile("a lifted protection without a grant", '{"filesystem": {"bypass_protection": ["%/home/.ssh"]}}', more=KEY)
profile("a lifted protection of what is not there", '{"filesystem": {"bypass_protection": ["%/none"]}}', 0)
profile("a lifted protection", '{"filesystem": {"read": ["%/home/.ssh"], "bypass_protection": ["%/home/.ssh"]}}', 0, "-v", KEY,
        )
profile("grants that are missing", '{"filesystem": {"read": ["%/none", "$NOSUCH/x"]}}', 0, "-v")
profile("a star before the end", '{"environment": {"deny_vars": ["A*B"]}}', 0)
profile("a profile within a grant that writes", '{"filesystem": {"allow": ["%/p"]}}', 0, more={"p.json": "-> p/p.json", "p/p.json":
        '{"filesystem": {"allow": ["%/p"]}}'})
profile("blocked, and hosts", '{"network": {"block": true, "network_profile": "minimal"}}')
profile("a bypass without a proxy", '{"network": {"upstream_bypass": ["x"]}}')
profile("hosts", '{"network": {"network_profile": "minimal"}}', 0)
profile("hosts, and the network blocked", '{"network": {"network_profile": "minimal"}}', 0, "-v --block-net")
say("hosts under wrap", "wrap -p %/p.json -- true", 1, {"p.json": '{"network": {"network_profile": "minimal"}}'})
profile("ports", '{"network": {"connect_port": [443]}}', 0)
profile("open ports beside a blocked network", '{"network": {"block": true, "open_port": [8080]}}', 0)
profile("open ports beside hosts", '{"network": {"network_profile": "minimal", "open_port": [8080]}}', 0)
profile("rules for macOS", r'{"unsafe_macos_seatbelt_rules": ["(allow sysctl-write (sysctl-name \"kern.x\"))"]}', 0, "-v")
profile("rules for macOS that are wide", r'{"unsafe_macos_seatbelt_rules": ["(allow default)"]}')
profile("open ports beside ports", '{"network": {"connect_port": [443], "open_port": [8080]}}', 0)
OWN = {"home/.config/nono/profiles/mine.json": '{"extends": "go-dev", "meta": {"name": "mine", "description": "it\'s my own"}}',
       "home/.config/nono/profiles/go-dev.jsonc": "{}", "home/.config/nono/profiles/broken.json": "{"}
say("groups", "profile groups", 0)
say("one group", "profile groups go_runtime", 0)
say("one group that protects", "profile groups deny_shell_history", 0)
say("one group as JSON", "profile groups git_config --json", 0)
say("a group that is not there", "profile groups nosuch", 1)
say("a group that is nearly one", "profile groups go_rutime", 1)
say("a group of another system", "profile groups unlink_protection", 0)
say("a new profile", "profile init mine", 0)
say("a new profile that is there", "profile init mine -o %/p.json", 1, {"p.json": "{}"})
say("a new profile beside one that would be used", "profile init mine", 1, {"home/.config/nono/profiles/mine.jsonc": "{}"})
say("a new profile of a name that is none", "profile init no_name", 1)
say("a new profile of a built-in name", "profile init go-dev", 1)
say("a new profile with a description of another encoding", "profile init mine --description \udcff", 1)
say("a new profile where nothing can be written", "profile init mine -o %/none/p.json", 1)
say("a new profile where no directory can be made", "profile init mine", 1, {"home/.config": "a file"})
say("no difference", "profile diff default default", 0)
say("a difference", "profile diff %/p.json %/q.json", 0, {"p.json": '{"security": {"signal_mode": "allow_same_sandbox"}}', "q.json":
    '{"environment": {"allow_vars": ["A"]}, "network": {"block": true}}'})
say("a difference of one", "profile diff default ''", 1)
say("a profile in a form that is none", "profile show default --format xml", 2)
say("a profile as a manifest", "profile show default --format manifest", 2)
MUCH = {"p.json": '{"environment": {"set_vars": {"A": "1"}}, "commands": {"deny": ["x"]}, "workdir": {"access": "read"}, '
                  '"security": {"signal_mode": "allow_same_sandbox"}, "network": {"network_profile": "minimal"}, '
                  '"filesystem": {"read": ["%/data"], "read_file": ["%/data/f"], "allow": ["%/more"]}, '
                  '"groups": {"include": ["rust_runtime"]}}', "more": "dir", **KEY, **DATA}
say("a profile as code", "profile show %/p.json --format cpp", 0, MUCH, env={"RUSTUP_HOME": "%/home/.ssh"})
say("a profile as macOS would get it", "profile show %/p.json --format sbpl", 0, {"p.json":
    '{"meta": {"name": "p"}, "workdir": {"access": "read"}, "network": {"network_profile": "minimal", "open_port": [8080]}, '
    '"filesystem": {"allow": ["$WORKDIR", "$NOSUCH/x"], "unix_socket_bind": ["/srv/s"], "unix_socket_dir": ["/srv/d"]}}'})
say("groups of all systems", "profile groups --all-platforms", 0)
say("list", "profile list", 0, OWN)
say("list as JSON", "profile list --json", 0, OWN)
say("show", "profile show linux-host-compat", 0)
say("show one of one's own", "profile show mine", 0, OWN)
say("show one that is not there", "profile show nosuch", 1)
say("validate", "profile validate %/p.json", 0, {"p.json": '{"groups": {"exclude": ["xyzzy"]}}'})
say("validate a bad one", "profile validate %/p.json", 1, {"p.json": '{"nework": {}}'})
say("validate, strictly", "profile validate --strict --json %/p.json", 2, {"p.json": '{"security": {"groups": ["go_runtime"]}}'})
say("validate a bad one as JSON", "profile validate --json %/p.json", 1, {"p.json": "["})
say("the schema into a file that cannot be", "profile schema -o %/none/x", 1)
say("standard output that is full", "profile list", 1, stdout="/dev/full")

# ---- the settings of tools --------------------------------------------------------------------------------------

say = group("tools")
GO_RUN = "run -v --dry-run -- go version"
say("go", GO_RUN, 0, GO)
say("go without its groups", "run --no-auto-groups --dry-run -- go version", 0, GO)
say("a setting that is the home directory", "run --dry-run -- go version", 0, GO, env={"GOPATH": "%/home"})
say("a setting that is the root directory", "run --dry-run -- go version", 0, GO, env={"GOPATH": "/"})
say("a setting that is a directory of the system", "run --dry-run -- go version", 0, GO, env={"GOCACHE": "/usr"})
say("a relative setting", "run --dry-run -- go version", 0, GO, env={"GOCACHE": "here"})
say("a setting that goes up", "run --dry-run -- go version", 0, GO, env={"GOCACHE": "/srv/../x"})
say("a setting with a control byte", "run --dry-run -- go version", 0, GO, env={"GOCACHE": "/srv/\x07x"})
say("a setting that is too long", "run --dry-run -- go version", 0, GO, env={"GOCACHE": "/" + 2100 * "a/"})
say("a setting in go's own file", "run --dry-run -- go version", 0, {**GO, "home/.config/go/env": "GOCACHE=here\n"})
say("a setting that meets a deny", "run --dry-run -- go version", 0, {**GO, **KEY}, env={"GOMODCACHE": "%/home/.ssh"})
LED = {"home/Documents": "dir", "work/.venv": "-> %/home/Documents", "bin/python3": ("#!/bin/sh\n", 0o755)}
say("a setting that a link leads elsewhere", "run --dry-run -- python3 -V", 0, LED, env={"VIRTUAL_ENV": "%/work/.venv"})
say("registries that do not count", "run -v --allow-domain package_registries --allow-domain a.example --dry-run -- true", 0,
    {"work/.npmrc": "registry=https://npm.example/\n@s:registry=http://127.0.0.1/\n", "bin/mvn": ("", 0o755), "bin/cargo": ("", 0o755)},
    env={"npm_config_registry": "http://localhost:4873", "GOPROXY": "off", "GOSUMDB": "off", "PIP_INDEX_URL": "https://pip.example"})
say("rust's home", "run --dry-run -- cargo build", 0, {"bin/cargo": ("#!/bin/sh\n", 0o755)}, env={"CARGO_HOME": "%/home"})
say("python's environment", "run --dry-run -- python3.99 -V", 0, {"bin/python3.99": ("#!/bin/sh\n", 0o755)}, env={"VIRTUAL_ENV": "%/home"})
say("java's home", "run --dry-run -- java -version", 0, {"bin/java": ("#!/bin/sh\n", 0o755)}, env={"JAVA_HOME": "%/home"})
MAVEN = {"home/.m2/settings.xml": "<settings><localRepository>/</localRepository></settings>", "bin/mvn": ("#!/bin/sh\n", 0o755)}
say("maven's repository", "run --dry-run -- mvn -v", 0, MAVEN)
INSIDE = {"env": {"HOME": "%/bin/me"}}  # a home in the directory that would be granted
say("what a link of maven leads to", "run --dry-run -- mvn -v", 0, {"home/.m2/repository": "-> /usr", "bin/mvn": ("#!/bin/sh\n", 0o755)})
say("the go on PATH", "run --dry-run -- go version", 0, {**GO, "src": "dir"})
say("the rustc on PATH", "run --dry-run -- cargo build", 0, {"bin/cargo": ("#!/bin/sh\n", 0o755), "bin/rustc": ("#!/bin/sh\n", 0o755),
    "lib/rustlib": "dir", "bin/me": "dir"}, **INSIDE)
say("the node on PATH", "run --dry-run -- node", 0, {"bin/node": ("#!/bin/sh\n", 0o755), "bin/me": "dir"}, **INSIDE)
say("the python on PATH", "run --dry-run -- python3", 0, {"bin/python3": ("#!/bin/sh\n", 0o755), "bin/me": "dir"}, **INSIDE)

# ---- before a run -----------------------------------------------------------------------------------------------

say = group("before")
say("the summary", "run --allow . --read %/data --write-file %/data/f -- true", 0, DATA)
say("the summary, verbosely", "run -v --allow-cwd --read %/data --read-file %/data/f --read-file %/link -- true", 0,
    {**DATA, "link": "-> data/f"}, rows=True)
say("a dry run", "run --block-net --dry-run -- touch 'a b' --token=S3CRET --password S3CRET 'Authorization: Bearer S3CRET' https://me:S3CRET@host/", 0)
say("a loopback network", "run -p rust-dev --dry-run -- true", 0)
say("an open network in spite of the profile", "run -p rust-dev --allow-net --dry-run -- true", 0)
say("what the kernel lacks", "wrap --dry-run -- true", 0, abi=True)  # of sockets it shows four, whose ever they are
say("many sockets that stay reachable", "wrap -v --dry-run -- true", 0, {"a.sock": "socket", "b.sock": "socket"}, abi=True)
say("a missing path", "run --read %/none --write-file %/none -- true", 0)
say("keys in the environment", "run --dry-run -- true", 0, env={"GITHUB_TOKEN": "S3CRET", "DB_PASSWORD": "S3CRET"})
say("a lifted protection", "run -v --bypass-protection %/home/.ssh --read %/home/.ssh --dry-run -- true", 0, KEY)
say("the command lies in a denied place", "run -- %/home/.ssh/tool", 127, {"home/.ssh/tool": ("#!/bin/sh\n", 0o755)})
say("no terminal to ask on", "run -p %/p.json -- true", 0, {"p.json": '{"workdir": {"access": "readwrite"}}'})
for access, answer in (("readwrite", b"n\n"), ("read", b"\n"), ("write", b"y\n")):
    say(f"asked for {access}, answered {answer!r}", "run -p %/p.json -- true", 0, {"p.json": '{"workdir": {"access": "%s"}}' % access}, keys=answer)
say("asked, and what it says afterwards", "run -p %/p.json -- sh -c 'cat f 2>/dev/null; exit 3'", 3,
    {"p.json": '{"workdir": {"access": "read"}}', "work/f": ""}, keys=b"n\n")
say("a run within a run", "run --allow-cwd --silent -- @nono run -- true", 0)
say("a run within a run, with an open port", "run --allow-cwd --silent -- @nono run --block-net --open-port 81 -- true", 0, abi=True)
say("a run within a run that fails", "run --allow-cwd --silent -- @nono run -- false", 1)
say("verbosely", "run -vv --allow-cwd -- sh -c 'exit 0'", 0)

# ---- after a run ------------------------------------------------------------------------------------------------

say = group("after")


def failed(name, script, flags="", files=(), code=3, shell="sh", **more):
    shell = shell if " " in shell else shell + " -c"
    say(name, f"run {flags} -- {shell} '{script}'".replace("  ", " "), code, files, **more)


failed("nothing was refused", "exit 3")
failed("killed", "kill -KILL $$", code=137)
failed("read", "cat %/data/f 2>&-; exit 3", files=DATA)
failed("list", "ls %/data 2>&-; exit 3", files=DATA)
failed("write", "echo x 2>&- >>%/data/f; exit 3", files=DATA)
failed("create", "touch %/data/new 2>&-; exit 3", files=DATA)
failed("remove", "rm -f %/data/f 2>&-; exit 3", files=DATA)
failed("make a directory", "mkdir %/data/d 2>&-; exit 3", files=DATA)
failed("rename", "mv %/data/f %/data/g 2>&-; exit 3", files=DATA)
failed("change metadata", "chmod 700 %/data/f 2>&-; exit 3", files=DATA)
failed("a denied file", "cat %/home/.ssh/id_ed25519 2>&-; exit 3", files=KEY)
failed("a file in a directory that holds a denied one", "touch %/home/new 2>&-; exit 3", files=KEY)
failed("a directory in one that holds a denied one", "mkdir %/home/new 2>&-; exit 3", files=KEY)
failed("a list of one that holds a denied one", "ls %/home 2>&-; exit 3", files=KEY)
failed("a directory that would hold a denied one", "mkdir -p %/home/.config 2>&-; exit 3")
failed("a denied file that is to be made", "touch %/home/.ssh/new 2>&-; exit 3", files=KEY)
failed("nono's own", "ls %/home/.config/nono 2>&-; exit 3", files={"home/.config/nono": "dir"})
failed("the root directory", "ls / 2>&-; exit 3")
failed("a name that would forge a line", "cat \"%/data/a\n[nono] x\" 2>&-; exit 3", files={"data/a\n[nono] x": ""})
failed("many", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cat %/data/$i 2>&-; done; exit 3", files={f"data/{i}": "" for i in range(1, 13)})
failed("a socket", "socket(S, 1, 1, 0); connect(S, pack(\"S a*\", 1, \"%/s\")) or exit 3", files={"s": "socket"}, shell="perl -e")
PERL = {"shell": "perl -e"}  # it opens no file of its own
CONNECT = "socket(S, 2, 1, 6) or exit 3; connect(S, pack(\"S n C4 x8\", 2, 80, 192, 0, 2, 1)) or exit 3"
failed("a network that the profile blocks", CONNECT, "-p %/p.json", {"p.json": '{"network": {"block": true}}'}, **PERL)
failed("a blocked network", CONNECT, "--block-net", **PERL)
failed("a loopback network", CONNECT, "-p rust-dev --allow-cwd", **PERL)
failed("the host's loopback", CONNECT.replace("80, 192, 0, 2, 1", "9, 127, 0, 0, 1"), "-p rust-dev --allow-cwd", **PERL)
failed("a signal to the outside", "kill -CONT $PPID 2>&-; exit 3")
failed("the environment of the outside", "cat /proc/$PPID/environ 2>&-; exit 3")
failed("a call that is closed everywhere", "unshare -U true 2>&-; exit 3")
say("what may not be executed", "run -- sh -c '%/tool 2>&-'", 126, {"tool": ("#!/bin/sh\n", 0o755)})
say("what only a capability allows", "run -- sh -c 'cat %/data/f 2>&-; exit 3'", 3, {"data/f": ("x", 0o600)}, only="root",
    before=lambda t: os.chown(t.base + "/data/f", 65534, 65534))
say("a program that cannot be executed", "run -- %/bad", 127, {"bad": ("\1\2\3", 0o755)})
say("the same under wrap", "wrap -- %/bad", 127, {"bad": ("\1\2\3", 0o755)})
say("a directory that cannot be entered", "run --workdir %/closed --allow-cwd -- true", 126, {"closed": ("dir", 0o600)})
say("the same under wrap, which cannot", "wrap --workdir %/closed --allow-cwd -- true", 126, {"closed": ("dir", 0o600)})
say("without diagnostics", "run --no-diagnostics -- sh -c 'exit 3'", 3)
say("silent", "run --silent -- sh -c 'exit 3'", 3)

# ---- reports ----------------------------------------------------------------------------------------------------

say = group("report")
say("without a name", "run -s --report= -- true", 1)
say("where there is no directory", "run -s --report %/none/r -- true", 1)
say("into a FIFO that nobody reads", "run -s --report %/fifo -- true", 1, {"fifo": "fifo"})
say("onto a link", "run -s --report r -- true", 1, {"work/r": "-> %/home/f"})
say("onto a full disk", "run -s --report /dev/full -- true", 0)
say("within a grant that writes", "run --allow-cwd --report r -- true", 0)
say("of a path that JSON cannot name", "run -s --report %/r --read %/\udcff -- true", 1, {"\udcff": "dir"})
say("to the command, of such a path", "run -v --read %/\udcff -- true", 0, {"\udcff": "dir"})

# ---- why --------------------------------------------------------------------------------------------------------

say = group("why")


def asked(name, words, files=(), **more):
    say(name, f"why {words}", 0, files, **more)
    say(name + ", as JSON", f"why --json {words}", 0, files, **more)


asked("granted", "--read %/data --path %/data/f", DATA)
asked("not granted", "--path %/data/f", DATA)
asked("not enough", "--read %/data --op write --path %/data/f", DATA)
asked("a protected file", "--path %/home/.ssh/id_ed25519", KEY)
asked("a protected file that is not there", "--path %/home/.ssh/id_ed25519")
asked("nono's own", "--path %/home/.config/nono", {"home/.config/nono": "dir"})
asked("nothing there", "--path %/none")
asked("nothing there, but a grant", "--allow %/data --path %/data/none", DATA)
asked("nothing there, and no grant", "--path %/data/none", DATA)
asked("ordinary permissions", "--read %/data --path %/data/f", {"data/f": ("", 0)}, only="user")
asked("what only a capability allows", "--read %/data --path %/data/f", {"data/f": ("x", 0o600)}, only="root",
      before=lambda t: os.chown(t.base + "/data/f", 65534, 65534))
asked("of the wrong kind", "--read %/data --op list --path %/data/f", DATA)
asked("a move that would gain access", "--write %/data --allow %/more --op rename --path %/data/f --to %/more/f", {**DATA, "more": "dir"})
asked("what nothing enforces", "--op stat --path %/data/f", DATA)
asked("what the supervisor decides", "--op chmod --path %/data/f", DATA)
asked("a socket", "--op connect-unix --path %/s", {"s": "socket"})
asked("a link", "--read %/data --path %/link", {**DATA, "link": "-> data/f"})
asked("through a link, and not granted", "--path %/link", {**DATA, "link": "-> data/f"})
asked("a port", "--connect-tcp 443")
asked("a blocked port", "--block-net --connect-tcp 443")
asked("a loopback port", "-p rust-dev --bind-tcp 8080")
asked("a signal", "--op signal")
asked("the working directory", "-p rust-dev --path f", {"work/f": ""})
asked("a file in a directory that holds a denied one", "--op create --path %/home/new", KEY)
asked("a list of one that holds a denied one", "--op list --path %/home", KEY)
asked("a directory that would hold a denied one", "--op mkdir --path %/home/.config", KEY)
asked("the root directory", "--op list --path /")
asked("a rename out of what is not granted", "--allow %/data --op rename --path %/data/f --to %/other/f", {**DATA, "other": "dir"})
asked("a directory for a socket", "--allow-unix-socket-bind %/s/new --op create --path %/s/f", {"s": "dir"})
asked("a host", "--host https://api.example.com/v1")
asked("a host behind a blocked network", "--block-net --host api.example.com:8443")
asked("a host behind a loopback network", "-p rust-dev --host api.example.com")
for scope in ("signal", "abstract-unix-socket"):
    say(f"the scope {scope}", f"why --scope {scope}", 0, abi=True)
    say(f"the scope {scope}, as JSON", f"why --json --scope {scope}", 0, abi=True)
say("a scope that the profile gives up", "why -p python-dev --scope abstract-unix-socket", 0, abi=True)
say("a scope that the profile gives up, signals", "why -p %/p.json --scope signal", 0, {"p.json":
    '{"security": {"signal_mode": "allow_all"}}'}, abi=True)
say("from outside", "why --self --path %/data/f", 0, DATA)
say("from outside, as JSON", "why --self --json --path %/data/f", 0, DATA)
INSIDE = "run -s --allow-cwd -- @nono why --self"
say("from inside", f"{INSIDE} --path f", 0, {"work/f": "text\n"})
say("from inside, denied", f"{INSIDE} --path %/data/f", 0, DATA)
say("from inside, denied, as JSON", f"{INSIDE} --json --path %/data/f", 0, DATA)
say("from inside, what the file does not know", "why --self --path %/data/f", 1, {**DATA, "cap.json": "{}"},
    env={"NONO_CAP_FILE": "%/cap.json"})
say("from inside, without the file", "why --self --path %/data/f", 1, DATA, env={"NONO_CAP_FILE": "%/none.json"})
say("from inside, with a file that is wrong", "why --self --path %/data/f", 1, {**DATA, "cap.json":
    '{"fs": [], "net_blocked": false, "run": {"target": "supervised child"}}'}, env={"NONO_CAP_FILE": "%/cap.json"})
say("from inside, with another user's file", "why --self --path %/data/f", 1, {**DATA, "cap.json": "{}"}, only="root",
    env={"NONO_CAP_FILE": "%/cap.json"}, before=lambda t: os.chown(t.base + "/cap.json", 65534, 65534))
say("a warning of the run", "why --read %/none --path %/data/f", 0, DATA)
say("a command that is not there", "why --path / -- no-such-program", 1)
say("standard output that is full", "why --path /", 1, stdout="/dev/full")

# ---- hosts ------------------------------------------------------------------------------------------------------

say = group("hosts")
HOSTS = "run --dry-run --allow-domain a.example"
say("one host", f"{HOSTS} -- true", 0)
say("lists, with where each comes from", "run --dry-run -v --network-profile minimal --allow-domain gitlab -- true", 0)
say("an upstream proxy", f"{HOSTS} --upstream-proxy proxy.example:3128 --upstream-bypass b.example -- true", 0)
say("ports beside hosts", f"{HOSTS} --listen-port 8080 --allow-connect-port 5432 -- true", 0)
say("single endpoints", "run --dry-run --allow-domain http://a.example/v1/* -- true", 0)
say("ports that are not looked at", "run --dry-run --allow-domain A.example:8443 --allow-domain [::1]:80 -- true", 0)
say("names in any language", "run --dry-run -v --allow-domain Bücher.example:80 --allow-domain *.例え.テスト --allow-domain http://faß.example/v1/* "
    "--upstream-proxy прокси.example:3128 --upstream-bypass *.büro.example -- true", 0)
say("a name in another's letters", "run --dry-run -v --allow-domain \u0430pple.example -- true", 0)
for fault, name in (("that are not UTF-8", "b\udcfccher.example"), ("with a character that none has", "☃.example"),
                    ("that run in two ways", "\u05d0a.example"), ("with a misplaced wildcard", "b*.bücher.example"),
                    ("too long with xn--", "ü" * 60 + ".example"), ("of nothing", "\u00ad.example"),
                    ("that are addresses", "\uff11\uff12\uff17.0.0.1"), ("with what names cannot show", "a\u202eb.example")):
    say(f"names {fault}", f"run --allow-domain {name} -- true", 1)
say("an upstream proxy of no name", f"{HOSTS} --upstream-proxy ☃.example:3128 -- true", 1)
say("a bypass of no name", f"{HOSTS} --upstream-proxy p.example:1 --upstream-bypass ☃.example -- true", 1)
say("an unknown network profile", "run --network-profile nosuch -- true", 1)
say("an upstream proxy alone", "run --upstream-proxy proxy.example:3128 -- true", 1)
say("an upstream proxy with a scheme", f"{HOSTS} --upstream-proxy http://proxy.example:3128 -- true", 1)
say("an upstream proxy of a profile", "run -p %/p.json -- true", 1, {"p.json":
    '{"meta": {"name": "p"}, "network": {"network_profile": "minimal", "upstream_proxy": "none"}}'})
say("a bypass of nothing", f"{HOSTS} --upstream-bypass b.example -- true", 1)
say("hosts and no network", "run --block-net --allow-domain a.example -- true", 1)
say("hosts and a profile without a network", "run -p %/p.json --allow-domain a.example -- true", 1,
    {"p.json": '{"meta": {"name": "p"}, "network": {"block": true}}'})
say("hosts and an open network", "run --allow-net --allow-domain a.example -- true", 2)
say("another scheme", "run --allow-domain ftp://a.example -- true", 1)
say("a query", "run --allow-domain https://a.example/x?y -- true", 1)
say("an endpoint without a path", "run -p %/p.json -- true", 1, {"p.json":
    '{"meta": {"name": "p"}, "network": {"allow_domain": [{"domain": "a.example", "endpoints": [{"method": "GET", "path": "x"}]}]}}'})
say("an address in another spelling", "run --allow-domain 127.1 -- true", 1)
say("a bypass of the proxy that is no host", f"{HOSTS} --upstream-proxy p.example:1 --upstream-bypass a_b -- true", 1)
say("a port of no proxy", "run --proxy-port 8080 -- true", 1)
say("a way of filtering nothing", "run --sandbox-policy landlock -- true", 1)
say("another way of filtering", "run --sandbox-policy magic -- true", 2)
say("a network of its own and ports", f"{HOSTS} --sandbox-policy namespace --listen-port 80 -- true", 1)
say("no network and ports to connect to", "run --block-net --allow-connect-port 80 -- true", 1)
say("no network and a port to listen at", "run --dry-run --block-net --listen-port 80 -- true", 0)
say("an open network and a port", "run --dry-run -v --listen-port 80 -- true", 0)
say("single ports", "run --dry-run --allow-connect-port 80 -- true", 0)
say("credentials", "run --dry-run -p %/p.json -- true", 0, {"p.json": '{"meta": {"name": "p"}, "network": {"credentials": ["openai"]}}'})
say("wrap with hosts", "wrap -p rust-dev -- true", 1)
say("an audit log that cannot be", "run --allow-domain a.example -- true", 1, {"home/.local/state/nono": ""})
REFUSED = {"f.py": "import sys, urllib.error, urllib.request as u\ntry: u.urlopen('http://b.example/')\n"
                   "except urllib.error.HTTPError: sys.exit(3)\n"}
# A Maven without its settings.
NO_CONF = {"mvn/bin/mvn": ("#!/bin/sh\n", 0o755), "mvn/boot": "dir", "bin/mvn": "-> ../mvn/bin/mvn"}
say("java's tools without the proxy", "run --no-audit --allow-domain a.example -- mvn", 0, NO_CONF)
say("a host that was refused", "run --no-audit --allow-domain a.example --read-file %/f.py -- /usr/bin/python3 %/f.py", 3, REFUSED)
CONNECT = {"f.py": "import socket, sys\ntry: socket.create_connection(('192.0.2.1', 81), 5)\nexcept OSError: sys.exit(3)\n",}
say("past the ports", "run --allow-connect-port 80 --read-file %/f.py -- /usr/bin/python3 %/f.py", 3, CONNECT)
say("past localhost", "run --block-net --open-port 81 --read-file %/f.py -- /usr/bin/python3 %/f.py", 3, CONNECT, abi=True)
say("why of an open port of another host", "why --block-net --open-port 81 --host a.example:81", 0, abi=True)
say("why of an open port of this machine", "why --block-net --open-port 81 --host localhost:81", 0, abi=True)
say("wrap with open ports", "wrap --dry-run --block-net --open-port 81 -- true", 0)
say("hosts beside open ports", f"{HOSTS} --open-port 8080 -- true", 0, abi=True)
say("the proxy's port, opened besides", "run --dry-run --allow-domain a.example --proxy-port 3128 --allow-connect-port 3128 -- true", 0)
say("why of a host", "why --allow-domain a.example --host https://A.example/x", 0)
say("why of a name in another language", "why --allow-domain bücher.example --host https://BÜCHER.example/x", 0)
say("why of what is no name", "why --host ☃.example", 2)
say("why of another", "why --allow-domain a.example --host b.example", 0)
say("why of endpoints", "why --allow-domain http://a.example/v1/* --host a.example", 0)
say("why of endpoints, by http", "why --allow-domain http://a.example/v1/* --host http://a.example/v1/x", 0)
say("why of a port beside hosts", "why --allow-domain a.example --allow-connect-port 5432 --host b.example:5432", 0)
say("an endpoint that no request has", "run --allow-domain http://a.example/x/../y -- true", 1)

# ---- setup ------------------------------------------------------------------------------------------------------

say = group("setup")
say("what there is", "setup --check-only", 0, abi=True)
say("what there is, verbosely", "setup -v", 0, abi=True)
say("a kernel without Landlock", "setup", 1, via=refusing(LANDLOCK, 38))

# ---- credential: the keyring itself is in test_credential.py ----------------------------------------------------

say = group("credential")


def answering(script):
    """In front of nono: another nono, beside which that stands for nono-keyring."""
    return ["/bin/sh", "-c", f"mkdir %/own && cp \"$1\" %/own && printf '%s' '#!/bin/sh\n{script}' > %/own/nono-keyring && "
            "chmod 755 %/own/nono-keyring && shift && exec %/own/nono \"$@\"", "sh"]


SAYS_YES = answering("cat >/dev/null")
say("stored", "credential set openai", 0, stdin=b"S3CRET\n", via=SAYS_YES)
say("named", "credential list", 0, via=answering("echo openai; echo gemini; echo openai"))
say("removed", "credential remove openai", 0, via=SAYS_YES)
say("not there", "credential remove openai", 1, via=answering("exit 1"))
say("no session bus", "credential list", 1)
say("locked", "credential set openai", 1, stdin=b"S3CRET", via=answering("cat >/dev/null; echo it is locked >&2; exit 2"))
say("no nono-keyring", "credential list", 1, via=["/bin/sh", "-c", 'mkdir %/own && cp "$1" %/own && shift && exec %/own/nono "$@"', "sh"])
say("an empty secret", "credential set openai", 1)
say("a secret that is no text", "credential set openai", 1, stdin=b"S3C\0RET")
say("a secret that is too long", "credential set openai", 1, stdin=b"x" * 65537)
say("standard input that cannot be read", "credential set openai", 1, via=["/bin/sh", "-c", 'exec "$@" </', "sh"])
say("typed", "credential set openai", 0, keys=b"S3CRET\n", prompt=b"'openai': ", via=SAYS_YES)
say("a line that is too long for a terminal", "credential set openai", 1, keys=b"x" * 4500 + b"\n", prompt=b"'openai': ")

# Sentences that no case above can have, and why.
# ---- credentials ------------------------------------------------------------------------------------------------

say = group("credentials")


def defined(d, **more):
    """A profile file that defines and uses the credential own."""
    return {"p.json": '{"network": {"custom_credentials": {"own": {"upstream": "https://api.test", "credential_key": "k"'
                      + (", " + d if d else "") + "}}}}", **more}


OWN = "run -p %/p.json --credential own --dry-run -- true"
say("an unknown one", "run --credential nosuch -- true", 1)
say("one of a profile that is unknown", "run -p %/p.json -- true", 1, {"p.json": '{"network": {"credentials": ["nosuch"]}}'})
say("one whose source is out of reach", "run --credential openai -- true", 1)
say("one whose variable is not set", "run --credential anthropic -- true", 1)
say("one of a profile without its key", "run -p %/p.json -- true", 0, {"p.json": '{"network": {"credentials": ["anthropic"]}}'})
say("two that go by one variable", "run --credential gemini --credential google-ai -- true", 1)
say("in use", "run --credential github -- true", 0, env={"GITHUB_TOKEN": "S3CRET-7", "OPENAI_API_KEY": "S3CRET-8"})
say("in use, in detail", "run -v --dry-run --credential github --allow-domain a.example -- true", 0, env={"GITHUB_TOKEN": "S3CRET-7"})
say("in use, beside a private host", "run --dry-run --credential github --allow-domain '*' --allow-domain a.example -- true", 0)
say("a key with a line end", "run --credential github -- true", 126, env={"GITHUB_TOKEN": "S3CRET-7\nX"})
say("with a closed network", "run --block-net --credential openai -- true", 1)
say("a profile's, with a closed network", "run --block-net -v --dry-run -p %/p.json -- true", 0,
    {"p.json": '{"network": {"credentials": ["openai"]}}'})
say("a profile's, in wrap", "wrap -p %/p.json -- true", 1, {"p.json": '{"network": {"credentials": ["openai"]}}'})
say("an endpoint of none", "run --allow-endpoint openai:GET:/x -- true", 1)
say("an endpoint that is none", "run --credential openai --allow-endpoint openai -- true", 1)
say("why: its host", "why --credential openai --host api.openai.com", 0)
say("why: its host, endpoints named", "why --credential openai --allow-endpoint openai:POST:/chat/* --host https://api.openai.com/v1", 0)
say("why: another host", "why --credential openai --host example.com", 0)
for what, d in (("a key that is no source", '"credential_key": "a b"'), ("a key by a command", '"credential_key": "cmd://x", "env_var": "A"'),
                ("OAuth2", '"auth": {}'), ("SigV4", '"aws_auth": {}'), ("an unknown mode", '"inject_mode": "cookie"'),
                ("http elsewhere", '"upstream": "http://api.test"'), ("another scheme", '"upstream": "ftp://api.test"'),
                ("a query", '"upstream": "https://api.test/?x"'), ("a user", '"upstream": "https://me@api.test"'),
                ("a port that is none", '"upstream": "https://api.test:0"'), ("a host that is none", '"upstream": "https://*.test"'),
                ("a header that is none", '"inject_header": "A B"'), ("a format without a place", '"credential_format": "x"'),
                ("a path without a place", '"inject_mode": "url_path"'),
                ("a replacement without a place", '"inject_mode": "url_path", "path_pattern": "/{}", "path_replacement": "/x"'),
                ("a parameter that is none", '"inject_mode": "query_param", "query_param_name": "a b"'),
                ("a variable that is code", '"env_var": "LD_PRELOAD"'), ("no variable", '"credential_key": "file:///k"'),
                ("a text on two lines", r'"inject_header": "a\nb"'), ("rules that are no list", '"endpoint_rules": {}'),
                ("a rule without a path", '"endpoint_rules": [{"method": "GET"}]'), ("a policy that is none", '"endpoint_policy": 1'),
                ("approval", '"endpoint_policy": {"approve": [{"method": "GET", "path": "/"}]}'),
                ("a default that is none", '"endpoint_policy": {"default": {"decision": "ask"}}'),
                ("a rule with an unknown key", '"endpoint_rules": [{"methods": "GET", "path": "/"}]'),
                ("a rule whose method is none", '"endpoint_rules": [{"method": "G T", "path": "/"}]'),
                ("a rule whose path is none", '"endpoint_rules": [{"method": "GET", "path": "/x?y"}]'),
                ("a rule whose path has dots", '"endpoint_rules": [{"method": "GET", "path": "/x/../y"}]'),
                ("a policy with an unknown key", '"endpoint_policy": {"denny": []}'),
                ("a policy with a key that is none", '"endpoint_policy": {"default": {"x": 1}}'),
                ("rules and a policy", '"endpoint_rules": [{"method": "GET", "path": "/"}], "endpoint_policy": {"default": {"decision": "allow"}}'),
                ("a proxy that is none", '"proxy": 1'), ("half a certificate", '"tls_client_cert": "/c"'),
                ("a path with an unknown variable", '"tls_ca": "$NO_SUCH/ca.pem"')):
    # What the table has itself replaces what a definition needs.
    needs = {"upstream": '"https://api.test"', "credential_key": '"k"'}
    given = [f'"{k}": {v}' for k, v in needs.items() if f'"{k}"' not in d and not (k == "credential_key" and "auth" in d.split(":")[0])]
    text = '{"network": {"custom_credentials": {"own": {' + ", ".join([*given, d]) + "}}}}"
    say("a definition with " + what, OWN, 1, {"p.json": text})
say("an endpoint that no request has", "run --credential openai --allow-endpoint openai:GET:/x?y -- true", 1)
KEEPER = {"p.json": '{"meta": {"name": "p"}, "network": {"credentials": ["own"], "custom_credentials": {"own": {"upstream": "https://api.test", '
                    '"credential_key": "file://%/key", "env_var": "IT"}}}, "environment": {"set_vars": {"SET": "$GITHUB_TOKEN"}}}', "key": ("S3CRET-7", 0o600)}
COPIES = {"GITHUB_TOKEN": "S3CRET-7", "COPY": "S3CRET-7"}
say("copies of a key", "run -v --dry-run --credential github -- true", 0, env=COPIES)
say("copies of a key in a file", "run -v -p %/p.json -- true", 0, KEEPER, env=COPIES)
say("a key in a file that is granted", "run -p %/p.json --read-file %/key -- true", 1, KEEPER)
say("a helper that can be replaced", "run --allow %/bin --env-credential op://vault/item/field=A -- true", 1, {"bin/op": ("#!/bin/sh\n", 0o755)})
say("nono, which can be replaced", "run --dry-run --allow %/own -- true", 0,
    via=["/bin/sh", "-c", 'mkdir %/own && cp "$1" %/own && shift && exec %/own/nono "$@"', "sh"])
say("a definition whose name is none", "run -p %/p.json -- true", 1,
    {"p.json": '{"network": {"custom_credentials": {"a/b": {"upstream": "https://api.test", "credential_key": "k"}}}}'})
say("a definition, all well", OWN, 0, defined('"inject_mode": "basic_auth"'))
say("certificates that are not there", "run -p %/p.json --credential own -- true", 1, defined('"tls_ca": "/nosuch.pem"'))
say("a variable for the command", "run --env-credential env://A=B -- true", 0, env={"A": "S3CRET-7"})
say("a variable, without its name", "run --env-credential file:///x -- true", 1)
say("a variable, from the keyring by the list", "run --env-credential keyring://a/b=C -- true", 1)
say("a variable by a command", "run --env-credential-map cmd://x A -- true", 1)
say("a variable that is code", "run --env-credential-map env://A LD_PRELOAD -- true", 1)
say("a variable from nowhere", "run --env-credential env://NO_SUCH -- true", 1)
say("a variable with a zero byte", "run --env-credential file://%/z=A -- true", 1, {"z": "a\0b"})
say("a variable of a profile from nowhere", "run -p %/p.json -- true", 1, {"p.json": '{"env_credentials": {"env://NO_SUCH": "A"}}'})
say("stripped", "run --strip-secrets -- true", 0, env={"OPENAI_API_KEY": "S3CRET-7"})

EXCEPTIONS = {
    "gives a loopback network only; --allow-net opens the network": "of a policy written in C++: no profile can ask for it",
    "outbound blocked, loopback of its own": "the same",
    "nono::caps() has no word for": "no profile can ask for it",
    "is granted as a file and as a directory": "no profile can ask for it",
    "beside another kind of grant on the same path, so the code leaves it out; grant the path in one way only": "the same",
    "can be reached: this needs": "of kernels before 6.12",
    "could not be written:": "of a disk that fills up between two calls",
    "TMPDIR has both kinds of quotes; set another": "the private directory would lie in a directory of such a name",
    "WSL2: Windows' drives (/mnt/c) are 9p, where grants may not hold": "of a kernel of Microsoft's",
    ", which may make inodes anew: then what is granted there is refused; work on a Linux file system instead":
        "of grants on 9p and FUSE, which nobody may mount here",
    "(claimed), missing:": "of a kernel that refuses what its ABI promises: test_kernels.py makes one",
    "), which 'security.signal_mode' of the profile": "of a kernel below Landlock ABI 6",
    "contains a null byte; name a program to run": "no argument can have one: the unit tests of find_program()",
    "GOROOT (sources)": "refused only where /usr itself is laid out wrongly",
    "could not be removed whole; a later run tries again": "of a directory that the command made immutable, or filled for a long time",
    "keeping the scratch directory failed:": "fcntl() would have to fail",
    "; the command was not started": "prctl(), capset() or close_range() would have to fail",
    "nono why knows Landlock's rules alone, which are not those of macOS; look at what nono profile show --format sbpl prints":
        "of macOS",
    "outbound to named hosts": "hosts have a row of their own, with their number",
    "memfd_create failed:": "of a process without descriptors",
    "for nono-proxy failed:": "the same",
    "nono-proxy did not begin in 20 seconds; nothing was run": "of a machine that stands still",
    "nono-proxy ended before it began; nothing was run": "of another program by its name",
    "nono-proxy cannot be given its socket:": "of one that was killed in between",
    "; the proxy is reached through this system's network instead": "of a system without namespaces: tests/proxy/test_hosts.py",
    "[nono] warning: nono-proxy ended before the command did, which reached no host from then on": "tests/proxy/test_hosts.py",
    "hosts are filtered by nono-proxy, which is not at": "tests/proxy/test_hosts.py",
    "; install it there, or use --block-net or --allow-net": "the same",
    "nono-proxy cannot be given the key of": "the same",
    "getrandom failed, so there is no token; nothing was run": "of a kernel without randomness",
    "is in the keyring, which the command could ask itself:": "of a keyring that is there: tests/proxy/test_credentials.py",
    "is in the keyring, which the command could ask itself by": "the same",
    "is not enforced here; leave out what lifts it, or name a source of env:// or file://": "the same",
    "; leave out that grant, or name a source of env:// or file://": "the same",
    "the network would have no host; name one with --allow-domain, or use --block-net": "of a group that came out empty",
    "cannot be listened at:": "the same",
    "; choose another with --proxy-port": "the same",
    "new Definition('registry'": "words of npm's own source",
    "PyPI = PackageIndex(": "words of pip's own source",
    "the terminal cannot be made silent; pipe the secret in": "of a terminal that goes away in between",
    "[nono] Session stopped.": "of Ctrl-Z on a terminal: test_signals.py",
}


class Messages(Case):
    def one(self, message):
        test = Case()  # a base of its own, and its own clean-up
        test.setUp()
        try:
            r = message.run(test)
            return message.text(test, r), r.code
        finally:
            test.doCleanups()

    def test_every_message_is_what_it_was(self):
        """In one test, so that several run at once; each that differs is a failure of its own."""
        groups = {m.group: read_golden(m.group) for m in CASES}
        here = [m for m in CASES if m.runs_here]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            got = list(pool.map(self.one, here))
        if UPDATE:
            for name, old in groups.items():
                texts = {m.name: t for m, (t, _) in zip(here, got) if m.group == name}
                # What is seen by somebody else, or on another kernel, stays.
                write_golden(name, {m.name: texts.get(m.name, old.get(m.name, "")) for m in CASES if m.group == name})
                groups[name] = texts
        for m, (text, code) in zip(here, got):
            with self.subTest(group=m.group, case=m.name):
                self.assertEqual(code, m.code, text)
                self.assertEqual(text, groups[m.group].get(m.name, ""), "NONO_UPDATE_GOLDEN=1 accepts it")

    def test_names_are_given_once_and_used(self):
        for name in {m.group for m in CASES}:
            names = [m.name for m in CASES if m.group == name]
            self.assertEqual(len(names), len(set(names)), sorted(n for n in names if names.count(n) > 1))
            if not UPDATE:
                self.assertEqual(list(read_golden(name)), names, f"golden/{name}.txt")

    def test_every_sentence_of_the_source_is_seen(self):
        if not SOURCE.is_dir():
            self.assertFalse(ROOT, f"{SOURCE} is not there")
            self.skipTest("the sources are not at hand here")
        texts = "\n".join(t for g in {m.group for m in CASES} for t in read_golden(g).values())
        said = list(said_in_source())
        self.assertGreater(len(said), 150)
        missing, useless = unsaid(said, texts, EXCEPTIONS)
        self.assertEqual(missing, [], "no golden text has these: add cases above")
        self.assertEqual(useless, [], "these exceptions are not needed")
        self.assertLess(len(EXCEPTIONS), 44)

    def test_how_sentences_are_found(self):
        source = r'''#include "not this one here"
// nor "what a comment says"
const char* a = "one {} sentence of \"several\"\n"
                "joined words here"; f('"', "that stand alone", R"x(raw words "in" it)x", "short one");'''
        self.assertEqual([s for text in literals(source) for s in sentences(text)],
                         ['sentence of "several"', "joined words here", "that stand alone", 'raw words "in" it'])
        self.assertEqual(unsaid([("f", "seen here"), ("f", "never seen"), ("f", "excepted")], "is seen here", {"excepted": "", "old": ""}),
                         ([("f", "never seen")], ["old"]))

    def test_no_golden_text_holds_what_differs_elsewhere(self):
        for name in {m.group for m in CASES}:
            for case, text in read_golden(name).items():
                for bad in (r"/var/tmp/nt-", r"\x1b", rf"\b{os.uname().release}\b", r"S3CRET(?!\d)[^']*\n.*S3CRET"):
                    self.assertIsNone(re.search(bad, text.partition("\n")[2]), f"{name}: {case}: {bad}")


if __name__ == "__main__":
    main()
