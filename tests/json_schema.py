#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""json_schema.py NONO: the JSON Schema of profiles and the parser of profiles must judge alike, from both sides.

Documents are made from the schema, whole and then with single values replaced, keys added and taken out; what one
takes and the other does not is printed. Exit 77 where Python's jsonschema is not installed.
"""
import copy
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    if os.environ.get("NONO_REQUIRE_LIVE") == "1" or os.environ.get("CI") in ("1", "true"):
        sys.exit("python3-jsonschema is missing, and nothing may be skipped")
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

NONO = sys.argv[1]
HERE = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}

# Words that mean something somewhere, and values of every type.
TEXTS = ["", "a", "/x", "$HOME/x", "linux", "linux:debian:>=12", "!macos:13", "linux:", "lin ux", "windows:1:2:3", "freebsd:1:2:3",
         "macos:", "isolated", "full", "readwrite", "none", "minimal", "PATH", "NONO_X", "1A", "git_config", "a\u0000b", "ä"]
VALUES = [None, True, False, 0, 1, 443, 65535, 65536, -1, 1.5, [], {}, ["a"], ["a", 1], [[]], [None], {"a": "b"}, {"a": 1},
          {"path": "/x"}, {"path": "/x", "when": "linux"}, {"path": "/x", "when": ["linux", "!x"]}, {"path": "/x", "when": []},
          {"path": "/x", "when": [1]}, {"path": ""}, {"name": "git_config"}, {"name": "x", "when": "linux:debian:12:x:y"},
          {"domain": "a"}, {"domain": "a", "x": 1}, {"domain": ""}, {"domain": "a", "endpoints": [{"method": "GET"}]},
          {"domain": "a", "endpoints": [{"method": "GET", "path": "/", "x": 1}]}, {"domain": "a", "endpoints": {}},
          {"c": {"upstream": "u", "credential_key": "k"}}, {"c": {"upstream": "u"}},
          {"c": {"upstream": "u", "auth": {}, "aws_auth": {}}}, {"c": {"upstream": 1, "auth": {}}}, {"PATH": "x"}, {"A1": "x"},
          {"NONO_A": "x"}, {"1": "x"}, {"A": 1}, *TEXTS]


def documents(schema, rng, count):
    """Pairs of a field and a value below it, alone and several together."""
    tops = schema["properties"]
    fields = [(top, None) for top in tops if "properties" not in tops[top]]
    fields += [(top, name) for top in tops for name in tops[top].get("properties", ())]
    for top, name in fields:
        for value in rng.sample(VALUES, 24):
            for v in (value, [value]):
                yield {top: v} if name is None else {top: {name: v} | ({"name": "n"} if top == "meta" and name != "name" else {})}
    for top in [*tops, "nosuch", "Network", ""]:
        for value in rng.sample(VALUES, 12):
            yield {top: value}
        yield {top: {"nosuch": 1}}
        yield {"filesystem": {top: []}}
    for _ in range(count):
        document = {}
        for top, name in rng.sample(fields, rng.randrange(1, 6)):
            value = copy.deepcopy(rng.choice(VALUES))
            value = [value] if rng.random() < 0.6 else value
            if name is None:
                document[top] = value
            else:
                document.setdefault(top, {"name": "n"} if top == "meta" else {})
                document[top][name] = value
        yield document
    yield from ([], "x", 1, None)


def main():
    schema = json.loads(subprocess.run([NONO, "profile", "schema"], check=True, capture_output=True, env=HERE).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    rng = random.Random(7)
    wrong = taken = refused = 0
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "p.json")
        for document in documents(schema, rng, 400):
            with open(path, "w", encoding="utf-8") as f:
                json.dump(document, f, ensure_ascii=False)
            done = subprocess.run([NONO, "profile", "validate", path], capture_output=True, env=HERE, check=False)
            said = done.stdout.decode()
            # What the parser lets by, names of profiles and groups are looked up for, and the platform's rules are read: that is
            # no matter of a schema.
            parsed = done.returncode == 0 or any(words in said for words in (
                "unknown group", "Cannot exclude", "Profile not found", "no name of a profile", "the platform rule "))
            fits = validator.is_valid(document)
            taken += parsed
            refused += not parsed
            if fits != parsed:
                wrong += 1
                if wrong <= 20:
                    print(f"{json.dumps(document)}\n  schema: {'takes' if fits else 'refuses'} it; parser: {said}")
    print(f"{taken} taken by the parser, {refused} refused, {wrong} judged otherwise by the schema")
    return 1 if wrong or taken < 300 or refused < 300 else 0


sys.exit(main())
