#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `nono profile show --format cpp` prints is code that compiles without a warning, and its policy is the one that
`--format state` has: for every built-in profile, and for profiles with paths that would like to be code.

    profile_code.py NONO COMPILER INCLUDE
"""
import json
import os
import subprocess
import sys
import tempfile

WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror".split()

PROGRAM = r"""
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <nono/json/state.hpp>
%(includes)s

namespace {

struct granted {
  nono::right rights{};
  nono::when_missing missing = nono::create_dir;
  bool operator==(const granted&) const = default;
};

/// Every rule, those of groups too, joined by path and kind: whose word it was does not count.
std::map<std::pair<std::string, nono::path_kind>, granted> rules_of(const nono::policy_ref& p) {
  std::map<std::pair<std::string, nono::path_kind>, granted> out;
  nono::for_each_rule(p, [&](const nono::rule& r) {
    granted& g = out[{std::string(r.path), r.kind}];
    g.rights |= r.rights;
    if (r.missing < g.missing) g.missing = r.missing;
  });
  return out;
}

int wrong = 0;

void check(bool holds, const char* profile, const std::string& what) {
  if (holds) return;
  std::printf("%%s: %%s\n", profile, what.c_str());
  ++wrong;
}

void print(const char* profile, const nono::policy_ref& p) {
  for (const auto& [key, g] : rules_of(p)) {
    std::printf("%%s ", profile);
    for (const char c : key.first) std::printf("%%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    std::printf(" %%d %%d\n", static_cast<int>(key.second), static_cast<int>(g.rights));
  }
}

void compare(const char* profile, const char* file, const nono::policy_ref& code) {
  std::ifstream in(file, std::ios::binary);
  const auto state = nono::sandbox_state::from_json(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!state) return check(false, profile, state.error().message());
  const auto caps = state->to_caps();
  if (!caps) return check(false, profile, caps.error().message());
  const nono::policy_ref data = caps->ref();
  const auto a = rules_of(code);
  const auto b = rules_of(data);
  for (const auto& [key, g] : a)
    check(b.count(key) == 1 && b.at(key) == g, profile, "only in the code, or otherwise: " + key.first);
  for (const auto& [key, g] : b)
    check(a.count(key) == 1 && a.at(key) == g, profile, "only in the state, or otherwise: " + key.first);
  check(nono::is_within(code, data), profile, "the code is wider");
  check(nono::is_within(data, code), profile, "the state is wider");
  check(to_text(code.network, code.hosts) == to_text(data.network, data.hosts), profile, "network");
  check(code.lifted == data.lifted && code.best_effort == data.best_effort, profile, "protections");
  check(code.sockets == data.sockets && code.strict == data.strict && code.target == data.target, profile, "settings");
  check(code.violation == nono::errc::none, profile, "a broken rule");
  check(!code.groups.empty() && data.groups.empty(), profile, "groups as wholes");
}

}  // namespace

int main() {
%(calls)s
  return wrong == 0 ? 0 : 1;
}
"""


class Failed(Exception):
    pass


class Home:
    def __init__(self, nono, base):
        self.nono, self.base = nono, os.fsencode(base)
        self.home = self.base + b"/home"
        self.env = {b"HOME": self.home, b"PATH": b"/usr/bin:/bin", b"LANG": b"C.UTF-8"}
        os.mkdir(self.home)

    def show(self, *words, **more):
        done = subprocess.run([self.nono, "profile", "show", *words], env={**self.env, **more}, cwd=self.base,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise Failed(f"{words}: {done.stderr.decode()}")
        return done.stdout

    def profile(self, name, content):
        path = os.fsdecode(self.base) + f"/{name}.json"
        with open(path, "w", encoding="utf-8") as f:
            json.dump(content, f)
        return path

    def write(self, name, text):
        with open(self.base + b"/" + name.encode(), "wb") as f:
            f.write(text)

    def directory(self, name):
        path = self.home + b"/" + name
        os.makedirs(path, exist_ok=True)
        return os.fsdecode(path)


# As directories, files and denies; none is UTF-8's business but the last, which a variable brings in.
STRANGE = [b'"', b'a"b', b"\\", b"ends with \\", b"a\nb", b"\n", b"\t\x01\x1b[31m\x7f", b"what??/x", b"??/\n#error trigraph",
           b"*/ }; #error", b'"); static_assert(false); //', b"// ??/", b"%s %n {} {0}", b"\xc3\xa9\xe2\x80\xae", b" ", b"7",
           b"\x017", b"\\x41", b"\\u0041", b"R\"(", b")\"", b"-rf", b"'"]
BYTES = b"\xff\xfe\x80 1\xc3"


def hostile(home):
    """Profiles whose every path is an attempt; gives back (name, file, variables, compared with a state, rules expected)."""
    directories = [os.path.normpath(home.directory(b"d/" + name)) for name in STRANGE]
    # Every fourth for each field; a path of one field alone, so that each stands in the code by itself.
    part = [[p for i, p in enumerate(directories) if i % 4 == n] for n in range(4)]
    files = []
    for name in STRANGE:
        path = os.path.normpath(home.directory(b"f") + "/" + os.fsdecode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb"):
            files.append(path)
    for path in part[3]:
        os.rmdir(path)  # denied
    name = 'x"\\\n#error name ??/\n*/ \u00e9'
    path = home.profile("hostile", {
        "meta": {"name": name}, "filesystem": {
            "read": part[0], "write": part[1], "allow": part[2], "deny": part[3], "read_file": files[::2],
            "allow_file": files[1::2]},
        "network": {"connect_port": [443, 1], "listen_port": [0]}})
    read, write = 0b111, 0b11111000
    expected = {(os.fsencode(p), kind, rights) for paths, kind, rights in (
        (part[0], 2, read), (part[1], 0, write), (part[2], 0, read | write), (part[3], 3, 0), (files[::2], 1, read),
        (files[1::2], 1, read | write)) for p in paths}
    yield "x_n_error_name_n", path, {}, True, expected
    strange = home.directory(BYTES)
    path = home.profile("bytes", {"filesystem": {"allow": ["$X"], "read": ["$X/"], "deny": ["$X-"]}})
    yield "bytes", path, {"X": os.fsencode(strange)}, False, {
        (os.fsencode(strange), 0, read | write), (os.fsencode(strange), 2, read), (os.fsencode(strange) + b"-", 3, 0)}


def others(home):
    """What is not said by groups alone."""
    home.directory(b".aws")
    home.directory(b"s")
    yield "lifted", home.profile("lifted", {
        "filesystem": {"read": ["~/.aws"], "bypass_protection": ["~/.aws"], "unix_socket_subtree": ["~/s"]},
        "groups": {"exclude": ["user_tools"], "include": ["linux_sysfs_read"]},
        "security": {"signal_mode": "allow_all", "ipc_mode": "full"}, "network": {"block": True}}), {}
    every = [line.split()[0] for line in subprocess.run(
        [home.nono, "profile", "groups"], env=home.env, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()]
    yield "all_groups", home.profile("all_groups", {"groups": {"include": every}}), {}


def gave_way(home):
    """A setting that leads into a denied path, and a group's path that is denied and not there."""
    yield "go", "go-dev", {"GOPATH": os.fsencode(home.directory(b".docker/go"))}, b"/.docker/go"
    if not os.path.exists("/home/linuxbrew"):
        yield "brew", home.profile("brew", {"filesystem": {"deny": ["/home/linuxbrew/.linuxbrew"]}}), {}, b"linuxbrew"


def main():
    nono, compiler, include = os.path.abspath(sys.argv[1]), sys.argv[2], os.path.abspath(sys.argv[3])
    with tempfile.TemporaryDirectory(dir="/var/tmp") as base:
        home = Home(nono, base)
        includes, calls, expected = [], [], {}

        def add(name, profile, variables, compared=True):
            code = home.show(profile, "--format", "cpp", **variables)
            if not code.isascii() or any(c < 0x20 and c != 0x0a for c in code):
                raise Failed(f"{name}: not printable ASCII")
            home.write(f"{name}.hpp", code)
            includes.append(f'#include "{name}.hpp"')
            policy = f"{name}_policy.ref()"
            if compared:
                home.write(f"{name}.state", home.show(profile, "--format", "state", **variables))
                calls.append(f'  compare("{name}", "{name}.state", {policy});')
            return code, policy

        listed = json.loads(subprocess.run([nono, "profile", "list", "--json"], env=home.env, stdout=subprocess.PIPE,
                                           check=True).stdout)
        builtin = [p["name"] for p in listed]
        if len(builtin) < 7:
            raise Failed("the built-in profiles are not listed")
        for name in builtin:
            code, _ = add(name.replace("-", "_"), name, {})
            if b".group(nono::groups::deny_credentials)" not in code:
                raise Failed(f"{name}: a whole group is not named as one")
        for name, profile, variables in others(home):
            add(name, profile, variables)
        for name, profile, variables, compared, rules in hostile(home):
            _, policy = add(name, profile, variables, compared)
            calls.append(f'  print("{name}", {policy});')
            expected[name] = rules
        for name, profile, variables, path in gave_way(home):
            code = home.show(profile, "--format", "cpp", **variables)
            home.write(f"{name}.hpp", code.replace(b"go_dev", b"go"))
            includes.append(f'#include "{name}.hpp"')
            lines = [line for line in code.splitlines() if path in line and b"deny_path" not in line]
            if not lines or not all(b"// left out, because it gave way here: " in line for line in lines):
                raise Failed(f"{name}: what gave way is not left out: {lines}")
        home.write("main.cpp", (PROGRAM % {"includes": "\n".join(includes), "calls": "\n".join(calls)}).encode())
        subprocess.run([compiler, "-std=c++20", "-trigraphs", "-O0", *WARNINGS, "-Wno-trigraphs", f"-I{include}", "main.cpp",
                        "-o", "main"], cwd=home.base, check=True)
        done = subprocess.run([home.base + b"/main"], cwd=home.base, env=home.env, stdout=subprocess.PIPE, check=False)
        found = {}
        for line in done.stdout.decode().splitlines():
            name, *rule = line.split(" ")
            if name in expected and len(rule) == 3:
                found.setdefault(name, set()).add((bytes.fromhex(rule[0]), int(rule[1]), int(rule[2])))
            else:
                print(line)
        for name, rules in expected.items():
            lost = rules - found.get(name, set())
            if lost:
                raise Failed(f"{name}: not in the code as they should be: {sorted(lost)}")
        if done.returncode:
            raise Failed("code and state are not the same")
        print(f"{len(includes)} profiles compiled by {compiler}, {len(calls)} comparisons")


if __name__ == "__main__":
    try:
        main()
    except (Failed, subprocess.CalledProcessError) as why:
        print(f"profile_code: {why}", file=sys.stderr)
        sys.exit(1)
