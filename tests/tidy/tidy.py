#!/usr/bin/env python3
"""Check the rooms against the rules of the house: tidy.py [ROOT [LIBPROTO]]

Prints every breach, the shape of the code, and closes with "N passed, N failed, N skipped", one case per rule. A rule
that needs the built libproto.a is skipped when there is none.
"""

import pathlib
import statistics
import sys

from rules import RULES
from tree import Tree

HERE = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = "build/dev/libproto.a"


def breaches(tree):
    """{rule name: list of breaches, or None when the rule could not be applied}"""
    found = {rule.__name__: rule(tree) for rule in RULES}
    return {name: None if hits is None else list(hits) for name, hits in found.items()}


def shape(tree):
    lengths = sorted(f.length for f in tree.functions) or [0]
    return (f"{len(tree.files)} files, {sum(len(f.lines) for f in tree.files)} lines, "
            f"{len(tree.functions)} functions: median {statistics.median(lengths):g} lines, "
            f"p90 {lengths[len(lengths) * 9 // 10]}, max {lengths[-1]}")


def report(found):
    for name, hits in found.items():
        for hit in hits or []:
            print(f"{name}: {hit}")
    skipped = [name for name, hits in found.items() if hits is None]
    failed = [name for name, hits in found.items() if hits]
    passed = len(found) - len(failed) - len(skipped)
    return passed, len(failed), len(skipped)


def main(root=HERE, library=None):
    library = library or pathlib.Path(root) / LIBRARY
    tree = Tree(root, library if pathlib.Path(library).exists() else None)
    if not tree.files:
        sys.exit("tidy: no sources below " + str(root))
    counts = report(breaches(tree))
    print(shape(tree))
    print("%d passed, %d failed, %d skipped" % counts)
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
