# SPDX-License-Identifier: Apache-2.0
"""`nono completion`: what the real shells offer on real lines. Each test runs in bash, zsh and fish."""
import os
import re
import shutil
import subprocess

from harness import BIN, Case, Terminal, eventually, main

SETUP_OF_ZSH = r"""
PS1='> '
unsetopt beep
fpath=($DIRECTORY $fpath)
autoload -Uz compinit
compinit -u -D
# What is added is written down as well.
compadd() {
  if (( ! ${#${(M)@[1,(i)(-|--)]:#-(O|A|D)}} )); then
    local -a hits
    builtin compadd -O hits "$@"
    (( $#hits == 0 )) || print -rl -- $hits >> $HITS
  fi
  builtin compadd "$@"
}
capture() { _main_complete; print -r -- END-OF-HITS >> $HITS }
zle -C capture complete-word capture
bindkey '^T' capture
"""

BASH = r"""
source "$SCRIPT"
_of_tool() { COMPREPLY=(--tool-flag "$2" "$3" "$COMP_CWORD"); }
complete -F _of_tool tool
complete -W 'alpha beta' listed
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
_nono nono "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
"""


def names_in(help_text, heading):
    """The first words below a heading of --help."""
    section = re.search(rf"^{heading}:\n((?:  .*\n)+)", help_text, re.M)
    return re.findall(r"^  (\S+)", section.group(1), re.M) if section else []


class Shells:
    """Runs once per shell: `offers(line)` is what it would complete the end of the line to."""

    shell = ""

    def setUp(self):
        super().setUp()
        if not shutil.which(self.shell, path=self.env()["PATH"]):
            self.not_here(f"{self.shell} is not installed")
        self.script = self.file(f"{self.shell}/_nono", self.check(self.nono("completion", self.shell), 0, None).out)
        self.file("home/.config/nono/profiles/my-own.json", '{"meta": {"name": "my-own", "description": "it\'s [mine]: $(x)"}}')
        self.directory("work/data/deep")
        self.file("work/datafile")
        self.file("bin/tool", "#!/bin/sh\n", 0o755)

    def env(self, **more):
        path = f"{os.path.dirname(BIN)}:{self.base}/bin:{super().env()['PATH']}"
        return super().env(PATH=path, XDG_CONFIG_HOME=None, **more)

    def has(self, line, *wanted, without=()):
        got = self.offers(line)
        for word in wanted:
            self.assertIn(word, got, line)
        for word in without:
            self.assertNotIn(word, got, line)
        return got

    def exactly(self, line, *wanted):
        self.assertEqual(sorted(self.offers(line)), sorted(wanted), line)

    def test_the_syntax(self):
        self.check(self.execute([self.shell, "-n", self.script]), 0, b"")
        self.assertEqual(self.execute([self.shell, "-n", self.script]).err, b"")

    def test_every_flag_and_command_that_help_shows(self):
        seen = []

        def visit(path):
            r = self.check(self.nono(*path, "--help"), 0, None)
            text = r.out.decode()
            flags = [n for row in names_in(text, "Options") for n in row.split(",")]
            self.assertIn("--help", flags)
            line = " ".join(["nono", *path])
            offered = self.offers(line + " --")
            self.assertEqual(sorted(f for f in flags if f.startswith("--")), sorted(offered), line)
            offered = self.offers(line + " -")
            self.assertEqual([f for f in flags if f not in offered], [], line)
            commands = names_in(text, "Subcommands")
            if commands:
                self.exactly(line + " ", *commands)
            seen.append(line)
            for command in commands:
                visit([*path, command])

        visit([])
        for line in ("nono run", "nono wrap", "nono why", "nono profile list", "nono completion"):
            self.assertIn(line, seen)

    def test_the_place_on_the_line(self):
        self.has("nono r", "run", without=["wrap", "--help"])
        self.has("nono -s pro", "profile")
        self.exactly("nono profile sho", "show")
        self.exactly("nono setup --che", "--check-only")
        self.exactly("nono run --read data --dry", "--dry-run")
        self.exactly("nono run --read=data --dry", "--dry-run")
        self.exactly("nono run -p go-dev --dry", "--dry-run")
        self.exactly("nono profile validate --str", "--strict")
        self.exactly("nono setup --allow")

    def test_profiles(self):
        for line in ("nono run --profile ", "nono run -p ", "nono why --profile ", "nono profile show ", "nono profile validate "):
            self.has(line, "default", "go-dev", "my-own", without=["run", "--help"])
        self.has("nono run -p my", "my-own", without=["go-dev"])
        self.has("nono run -p ./", without=["my-own"])

    def test_operations_and_shells(self):
        self.exactly("nono why --op re", "read", "readwrite", "rename")
        self.has("nono why --op ", "create", "connect-unix", without=["connect-tcp"])
        self.exactly("nono completion ", "bash", "fish", "zsh")
        self.exactly("nono why --connect-tcp ")

    def test_the_command_itself(self):
        for line in ("nono run whoa", "nono run -- whoa", "nono wrap --allow-cwd whoa", "nono why -- whoa", "nono run --allow-command whoa"):
            self.exactly(line, "whoami")
        self.has("nono run --read data -- to", "tool")
        self.has("nono run ./", without=["my-own", "--help"])
        self.assertNotIn("--allow", self.offers("nono run -- tool --al"))
        self.assertNotIn("--allow", self.offers("nono run tool --al"))


class Bash(Shells, Case):
    shell = "bash"

    def offers(self, line):
        words = [w for w in re.split(r" |(=)", line) if w is not None]
        words = [w for i, w in enumerate(words) if w or i + 1 == len(words)]
        r = self.execute(["bash", "--norc", "--noprofile", "-c", BASH, "bash", *words], env=self.env(SCRIPT=self.script))
        self.assertEqual((r.code, r.err), (0, b""), r)
        return r.out.decode().splitlines()

    def test_the_commands_own_completion(self):
        for lead in ("nono run ", "nono run -- ", "nono run --read=data -p go-dev ", "nono run --allow-cwd=true -- "):
            self.assertEqual(self.offers(lead + "tool a b"), ["--tool-flag", "b", "a", "2"])
            self.assertEqual(self.offers(lead + "listed al"), ["alpha"])
        self.assertEqual(self.offers("nono why --op=wri"), ["write"])

    def test_paths_are_completed_as_bash_does_it(self):
        self.file("work/odd name")
        bash = shutil.which("bash", path=self.env()["PATH"])
        t = Terminal([bash, "--norc", "--noprofile", "-i"], self.env(INPUTRC="/dev/null", PS1="> ", HISTFILE=None), self.work)
        t.send(f"source {self.script}; PS1='READY> '\n".encode())
        self.assertTrue(t.expect(b"\nREADY> "), t.out)
        for line, whole in (("nono run --read da", "nono run --read data/"), ("nono run --read=da", "nono run --read=data/"),
                            ("nono run --read-file=dataf", "nono run --read-file=datafile "), ("nono why --path od", "nono why --path odd\\ name "),
                            ("nono run -p ./dataf", "nono run -p ./datafile "), ("nono run -p my", "nono run -p my-own "),
                            ("nono run --workdir data/d", "nono run --workdir data/deep/"),
                            ("nono run --workdir ~/.con", "nono run --workdir ~/.config/"), ("nono run -- tool dataf", "nono run -- tool datafile ")):
            with self.subTest(line=line):
                t.out = b""
                t.send(line.encode() + b"\t#")
                self.assertTrue(t.expect(b"#"), t.out)
                self.assertEqual(t.out.decode().partition("#")[0], whole)
                t.send(b"\x15\n")
                self.assertTrue(t.expect(b"\nREADY> "), t.out)
        t.send(b"exit\n")
        t.wait()


class Zsh(Shells, Case):
    shell = "zsh"

    def setUp(self):
        super().setUp()
        zsh = shutil.which("zsh", path=self.env()["PATH"])
        self.hits = self.file("hits", "")
        setup = self.file("setup", SETUP_OF_ZSH)
        self.t = Terminal([zsh, "-f", "-i"], self.env(HITS=self.hits, DIRECTORY=os.path.dirname(self.script)), self.work)
        self.addCleanup(self.end)
        self.t.send(f"source {setup}; PS1='READY> '\n".encode())
        self.assertTrue(self.t.expect(b"READY> \x1b") or self.t.expect(b"\nREADY> "), self.t.out)

    def end(self):
        self.t.send(b"\x15exit\n")
        self.t.wait()

    def offers(self, line):
        self.file("hits", "")
        self.t.send(b"\x15" + line.encode() + b"\x14")
        ended = eventually(lambda: self.t.expect(b"\0", 0) or self.read(self.hits).endswith(b"END-OF-HITS\n"))
        self.assertTrue(ended, self.t.out[-2000:])
        return sorted({w.rstrip("=") for w in self.read(self.hits).decode().splitlines()[:-1]})

    def test_paths(self):
        self.exactly("nono run --read da", "data")
        self.exactly("nono run --read=da", "data")
        self.exactly("nono run --read-file da", "data", "datafile")
        self.exactly("nono run -p ./da", "data", "datafile")
        self.exactly("nono run -- tool dataf", "datafile")


class Fish(Shells, Case):
    shell = "fish"

    def offers(self, line):
        r = self.execute(["fish", "--private", "-c", f"source {self.script}; complete -C {self.quoted(line)}"])
        self.assertEqual((r.code, r.err), (0, b""), r)
        self.described = dict(l.partition("\t")[::2] for l in r.out.decode().splitlines())
        files = {n for d in ("work", "work/data") for n in os.listdir(os.path.join(self.base, d))}
        return [w for w in self.described if w.strip("/") not in files or self.keep_files]

    keep_files = False

    @staticmethod
    def quoted(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def test_paths(self):
        self.keep_files = True
        self.exactly("nono run --read da", "data/")
        self.exactly("nono run --read=da", "--read=data/")
        self.exactly("nono run --read-file da", "data/", "datafile")
        self.exactly("nono run -p ./da", "./data/", "./datafile")
        self.has("nono run -- tool dataf", "datafile")

    def test_descriptions(self):
        self.offers("nono run --allow-cw")
        self.assertEqual(self.described, {"--allow-cwd": "Grant the working directory without asking"})
        self.offers("nono run -p my")
        self.assertEqual(self.described, {"my-own": "[user] it's [mine]: $(x)"})


class Command(Case):
    def test_what_there_is_no_script_for(self):
        self.one_line(self.nono("completion", "powershell"), 2, "there is no completion for powershell; name bash, zsh or fish")
        self.one_line(self.nono("completion", "tc\nsh"), 2, "there is no completion for the shell 'tc\\nsh'")
        self.one_line(self.nono("completion"), 2, "completion needs its SHELL")

    def test_standard_output_alone(self):
        for shell in ("bash", "zsh", "fish"):
            r = self.check(self.nono("completion", shell), 0, None)
            self.assertEqual(r.err, b"")
            self.assertGreater(len(r.out), 5000)
            self.check(self.nono("completion", shell, stdout=subprocess.DEVNULL), 0)
        with open("/dev/full", "wb") as full:
            self.one_line(self.nono("completion", "bash", stdout=full), 1, "standard output cannot be written")


if __name__ == "__main__":
    main()
