# SPDX-License-Identifier: Apache-2.0
"""`nono man`: a page that man, groff and mandoc take without a word, and that names every flag."""
import re
import shutil

from harness import Case, main


class Man(Case):
    def setUp(self):
        super().setUp()
        r = self.check(self.nono("man"), 0, None)
        self.assertEqual(r.err, b"")
        self.source = r.out.decode("ascii")
        self.page = self.file("nono.1", self.source)

    def rendered(self):
        if not shutil.which("mandoc"):
            self.not_here("mandoc is not installed")
        r = self.check(self.execute(["mandoc", "-T", "ascii", "-O", "width=200", self.page]), 0, None)
        return re.sub(r".\x08", "", r.out.decode("ascii"))

    def section(self, name):
        return re.search(rf"^{name}\n((?: .*\n|\n)+)", self.rendered(), re.M).group(1)

    def test_no_formatter_has_a_word_to_say(self):
        for command in (["mandoc", "-T", "lint", self.page], ["groff", "-man", "-ww", "-z", "-Tutf8", self.page],
                        ["man", "--warnings", "-l", "-Tutf8", "-Z", self.page]):
            if not shutil.which(command[0]):
                self.not_here(f"{command[0]} is not installed")
            r = self.execute(command, env=self.env(MANROFFSEQ="", MANPAGER="cat"))
            self.assertEqual((r.code, r.err), (0, b""), r)
            if command[0] == "mandoc":
                self.assertEqual(r.out, b"", r)

    def test_the_sections(self):
        headings = re.findall(r"^\.SH (.*)$", self.source, re.M)
        self.assertEqual(headings, ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES",
                                    "NOTES", "SEE ALSO"])

    def test_every_flag_that_help_shows(self):
        seen = []
        commands = self.section("COMMANDS")
        synopsis = self.section("SYNOPSIS")

        def visit(path):
            text = self.check(self.nono(*path, "--help"), 0, None).out.decode()
            title = " ".join(["nono", *path]) if path else "Flags of all commands"
            part = re.search(rf"^   {title}(?: \S*[A-Z].*)?\n((?:     .*\n|\n)+)", commands, re.M)
            self.assertTrue(part, title)
            for names, words in re.findall(r"^  (-\S+)(.*(?:\n   .*)?)", text, re.M):
                long = [n for n in names.split(",") if n.startswith("--")][0]
                if not path or long not in ("--help", "--silent"):
                    self.assertRegex(part.group(1), rf"{long}\b(?!-)", f"{path}: {names}")
                variable = re.search(r"Env:(\w+)", words)
                if variable:
                    self.assertIn(variable.group(1), self.section("ENVIRONMENT"))
            below = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.M)
            for name in re.findall(r"^  (\S+)", below.group(1), re.M) if below else []:
                visit([*path, name])
            if path and not below:
                self.assertIn(" ".join(["nono", *path, "[flags]"]), synopsis)
            seen.append(" ".join(path))

        visit([])
        for command in ("", "run", "why", "profile validate", "completion"):
            self.assertIn(command, seen)

    def test_the_examples_are_command_lines(self):
        self.file("work/agent.json", "{}")
        examples = re.findall(r"^ +(nono (?:run|why|setup) .*)$", self.section("EXAMPLES"), re.M)
        self.assertGreater(len(examples), 4)
        for line in examples:
            words = line.split()[1:]
            r = self.nono(*([words[0], "--dry-run", *words[1:]] if words[0] == "run" else words))
            self.assertNotEqual(r.code, 2, r)

    def test_it_is_for_who_installs(self):
        self.assertNotRegex(self.nono("--help").out.decode(), r"(?m)^  man ")
        self.one_line(self.nono("man", "extra"), 2)
        with open("/dev/full", "wb") as full:
            self.one_line(self.nono("man", stdout=full), 1, "standard output cannot be written")


if __name__ == "__main__":
    main()
