# SPDX-License-Identifier: Apache-2.0
"""The README's table of attempts, written from two runs, and held against one."""
import re
import textwrap

BEGIN, END = "<!-- confinement: begin -->\n", "<!-- confinement: end -->\n"
COLUMNS = ("tried", "nono", "bwrap")
SEEN = "Seen on Linux {kernel} with Landlock ABI {abi} and bubblewrap {bwrap}."


def wrapped(text, indent=""):
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def through(run, way):
    """The names of what got through, in order."""
    return [row["name"] for row in run["attempts"] if row.get(way, ("",))[0] == "through"]


def marked(name, runs, way):
    """A name, with a word on who gets through, if not both do."""
    who = [run for run in runs if name in through(run, way)]
    if len(who) == len(runs):
        return f"`{name}`"
    return f"`{name}` ({'root' if who[0]['root'] else 'not root'})"


def union(runs, way):
    """The names of what got through in either run, in order."""
    either = {name for run in runs for name in through(run, way)}
    return [row["name"] for row in runs[0]["attempts"] if row["name"] in either]


def cells(runs, name, column):
    """`user / root`, or one number where they are the same."""
    numbers = [str(sum(c[column] for c in run["summary"].values()) if name is None else run["summary"][name][column])
               for run in runs]
    return numbers[0] if numbers[0] == numbers[1] else " / ".join(numbers)


def markdown(user, root):
    """The block of the README, without its markers."""
    if user["root"] or not root["root"]:
        raise SystemExit("the first run must be an ordinary user's, the second root's")
    runs = [user, root]
    lines = ["| ways out | tried | through nono | through bwrap |", "|---|---|---|---|"]
    for name in user["summary"]:
        lines.append(f"| {name} | " + " | ".join(cells(runs, name, c) for c in COLUMNS) + " |")
    lines.append("| **all** | " + " | ".join(f"**{cells(runs, None, c)}**" for c in COLUMNS) + " |")
    lines += ["", f"Two numbers: as an ordinary user / as root. {SEEN.format(**user)}",
              "", "What gets through nono, and why:", ""]
    reasons = {**user["open"], **root["open"]}
    for reason in dict.fromkeys(reasons.values()):
        names = [marked(n, runs, "nono") for n in union(runs, "nono") if reasons.get(n) == reason]
        if names:
            lines.append(wrapped(f"- {reason}: {', '.join(names)}", "  "))
    names = ", ".join(marked(n, runs, "bwrap") for n in union(runs, "bwrap"))
    lines += ["", wrapped(f"What gets through bwrap: {names}.")]
    return "\n".join(lines) + "\n"


def block_of(readme):
    begin, end = readme.find(BEGIN), readme.find(END)
    return readme[begin + len(BEGIN):end] if 0 <= begin < end else ""


def replace_block(readme, text):
    block = block_of(readme)
    if not block:
        raise SystemExit("the README has no place for the table")
    return readme.replace(BEGIN + block + END, BEGIN + text + END)


def names_in(text, root):
    """The names in a list of the README that hold for this kind of user."""
    listed = re.findall(r"`(\w+)`(?: \((not root|root)\))?", " ".join(text.split()))
    return {name for name, who in listed if who in ("", "root" if root else "not root")}


def compare(readme, run):
    """What the README says otherwise than this run: a list of sentences. Another kernel or another bubblewrap has
    other numbers; what is open under nono depends on the Landlock ABI alone."""
    block = block_of(readme)
    seen = re.search(re.escape(SEEN).replace(r"\{kernel\}", r"(\S+)").replace(r"\{abi\}", r"(\d+)")
                     .replace(r"\{bwrap\}", r"(\S+)"), block)
    if seen is None:
        return ["the README has no table of attempts"]
    known = {row["name"] for row in run["attempts"]}
    found = [f"the README names {name}, which is no attempt" for name in names_in(block, True) | names_in(block, False)
             if name not in known]
    abi, bwrap = int(seen[2]), seen[3]
    if abi == run["abi"]:
        tried = {row["name"] for row in run["attempts"] if row["bare"][0] == "through"}
        listed = names_in(block.partition("and why:")[2].partition("What gets through bwrap")[0], run["root"]) & tried
        found += [f"{name}: the README {'says' if name in listed else 'does not say'} that it gets through nono"
                  for name in sorted(listed ^ set(through(run, "nono")))]
    if (seen[1], abi, bwrap) != (run["kernel"], run["abi"], run["bwrap"]):
        print(f"the README's table was made elsewhere ({seen[0]}): numbers and bubblewrap are not compared")
        return found
    for name, count in run["summary"].items():
        row = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", block, re.M)
        written = [c.strip().split(" / ")[-1 if run["root"] else 0] for c in row[1].split("|")] if row else []
        if written != [str(count[c]) for c in COLUMNS]:
            found.append(f"the README's row of {name} says {written}, not {[count[c] for c in COLUMNS]}")
    listed = names_in(block.partition("What gets through bwrap")[2], run["root"])
    found += [f"{name}: the README {'says' if name in listed else 'does not say'} that it gets through bwrap"
              for name in sorted(listed ^ set(through(run, "bwrap")))]
    return found
