#!/usr/bin/env python3
"""Check the table of promises in tests/README.md against what it names.

A row is: promise | harness | figures | bugs it caught.
Harness: suites of tests/run and paths below tests/, in backticks; every suite must stand in some row.
Figures, between semicolons: a phrase of FIGURES with the number that its source has now, or what was measured, with the day.
Bugs, between semicolons: a "text" and the `path` below tests/ of the test or the plant that has it.
Closes with "N passed, N failed, N skipped", one case per row and one for the suites.
"""

import importlib.util
import json
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
NO_PROMISE = {"install", "build", "clang"}  # what they do is needed by all others
DAY = re.compile(r"\(\d{4}-\d\d-\d\d\)$")


def text_of(path):
    return (TESTS / path).read_text()


def plants(path):
    """How many bugs a self-test plants."""
    spec = importlib.util.spec_from_file_location("planted", TESTS / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return len(module.PLANTS)


def number_in(path, pattern):
    found = re.search(pattern, text_of(path), re.MULTILINE)
    return int(found.group(1)) if found else None


def seeds_of(suite):
    found = re.search(rf"^{suite} .*--seeds (\d+)\.\.(\d+)", text_of("run"), re.MULTILINE)
    return int(found.group(2)) - int(found.group(1)) + 1 if found else None


def count_of(pattern, glob):
    return sum(len(re.findall(pattern, path.read_text(), re.MULTILINE)) for path in TESTS.glob(glob))


def rules():
    found = re.search(r"^RULES = \((.*?)\)", text_of("tidy/rules.py"), re.MULTILINE | re.DOTALL)
    return len(found.group(1).split(","))


def goals():
    return sum(row["goals"] for row in json.loads(text_of("proofs/plan.json")))


def files_of(glob):
    return sum(1 for _ in TESTS.glob(glob))


# phrase with {} for the number, where the number comes from
FIGURES = [
    ("{} seeds in every run", lambda: seeds_of("sim")),
    ("{} seeds at night", lambda: seeds_of("sim-nightly")),
    ("{} bugs planted against the simulation", lambda: plants("sim/planted.test.py")),
    ("{} power cuts in every run", lambda: number_in("crash/power.test.mjs", r"CUTS.*: (\d+)\)")),
    ("{} power cuts at length", lambda: number_in("crash/power.test.mjs", r"LONG \? (\d+) : \d+\)")),
    ("{} kills at length", lambda: number_in("crash/kill.test.mjs", r"--long: (\d+) rounds")),
    ("{} bugs planted against crashes", lambda: plants("crash/planted.test.py")),
    ("{} fuzz targets", lambda: files_of("fuzz/*.c")),
    ("{} bugs planted against the fuzzers", lambda: plants("fuzz/planted.test.py")),
    ("{} models", lambda: files_of("models/*.pml") - 1),  # edges.pml is what they share
    ("{} edges", lambda: count_of(r"^EDGE\(", "models/*.def")),
    ("{} wrong edges planted", lambda: plants("models/models.test.py")),
    ("{} wrong steps planted into the code", lambda: plants("models/edges.test.py")),
    ("{} bugs planted into the auditor", lambda: plants("audit/planted.test.py")),
    ("{} bugs planted against the theorems", lambda: plants("theorems/planted.test.py")),
    ("{} attacks over sockets", lambda: count_of(r"\bcheck\(", "wire/net_attacks.test.mjs")),
    ("{} goals proved", goals),
    ("{} bugs planted against the proofs", lambda: count_of(r'^    \("', "proofs/planted.test.py")),
    ("{} rules", rules),
    ("{} kinds of races", lambda: files_of("race/*.c")),
    ("{} ways in which the system fails", lambda: count_of(r"^\s*(?:await )?check\(", "faults/*.mjs")),
]


def suites():
    listing = re.search(r"^SUITES='\n(.*?)^'", text_of("run"), re.MULTILINE | re.DOTALL).group(1)
    return [line.split()[0] for line in listing.splitlines()]


def rows():
    section = text_of("README.md").split("\n## Promises\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def parts(cell):
    return [part.strip() for part in cell.split(";") if part.strip()]


def known_figures():
    return {phrase.format(f"{number():,}") for phrase, number in FIGURES}


def harness_faults(cell):
    named = re.findall(r"`([^`]+)`", cell)
    if not named:
        yield "names no harness"
    for name in named:
        if name not in suites() and not (TESTS / name).exists():
            yield f"there is no suite or file {name}"


def figure_faults(cell, known):
    if not parts(cell):
        yield "has no figure"
    for part in parts(cell):
        if part not in known and not DAY.search(part):
            yield f'"{part}" is neither what the sources say nor dated'


def bug_faults(cell):
    if not parts(cell):
        yield "has caught nothing"
    for part in parts(cell):
        found = re.fullmatch(r'"(.+)" `([^`]+)`', part)
        if not found:
            yield f'{part}: not a "text" and a `path`'
        elif not (TESTS / found[2]).is_file() or found[1] not in text_of(found[2]):
            yield f'{found[2]} does not have "{found[1]}"'


def faults_of(row, known):
    if len(row) != 4:
        return ["has not four cells"]
    return [*harness_faults(row[1]), *figure_faults(row[2], known), *bug_faults(row[3])]


def main():
    failed = 0
    known = known_figures()
    table = rows()
    named = {name for row in table for name in re.findall(r"`([^`]+)`", row[1])}
    without = [suite for suite in suites() if suite not in named | NO_PROMISE]
    for promise, faults in [*((row[0], faults_of(row, known)) for row in table),
                            ("every suite has a promise", without)]:
        failed += bool(faults)
        for fault in faults:
            print(f"FAILED {promise}: {fault}")
    print(f"{len(table) + 1 - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
