#!/usr/bin/env python3
"""The history of a git repository as commits for `encctl commit --batch`, oldest first.

history.py REPOSITORY <KNOWN: one hash per line on standard input is left out.
Each line: {"type": "Commit", "content": JSON text of {hash, author, time, subject}, "tags": [["git", hash]]}
"""

import json
import subprocess
import sys

FIELDS = ("hash", "author", "time", "subject")
FORMAT = "%x00".join(("%H", "%an", "%aI", "%s"))


def commits(repository):
    command = ["git", "-c", "safe.directory=*", "-C", repository, "log", "--reverse", "--topo-order",
               "--encoding=UTF-8", f"--format={FORMAT}"]
    output = subprocess.run(command, check=True, capture_output=True).stdout
    for line in output.decode("utf-8", "replace").split("\n")[:-1]:
        yield dict(zip(FIELDS, line.split("\0")))


def main():
    known = set(sys.stdin.read().split())
    for commit in commits(sys.argv[1]):
        if commit["hash"] not in known:
            content = json.dumps(commit, ensure_ascii=False, separators=(",", ":"))
            event = {"type": "Commit", "content": content, "tags": [["git", commit["hash"]]]}
            print(json.dumps(event))


main()
