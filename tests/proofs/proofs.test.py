#!/usr/bin/env python3
"""Frama-C over proto and the keys of the store: WP proves the contracts beside the functions, and that nothing is undefined.

plan.json says which functions are read and how many goals they have. One goal that is not proved fails, and so does
another number of goals than planned, and a contract that nobody planned. Prints "N goals proved of N" and closes with
"N passed, N failed, N skipped". UPDATE=1 writes the numbers into plan.json again.
"""

import json
import os
import re
import subprocess
import sys

from frama import HERE, ROOT, wp

PLAN = HERE / "plan.json"
UPDATE = bool(os.environ.get("UPDATE"))
BELIEVED = {"enc_sha256"}
# A contract, what stands between it and the function, and the function's name.
CONTRACT = re.compile(r"/\*@ (?:requires|assigns)(?:(?!\*/).)*\*/\s*(?:/\*(?!@)(?:(?!\*/).)*\*/\s*)?([^;{(]*?)(\w+)\(", re.DOTALL)


def check_bits():
    """The admitted lemmas of shim/bits.h, over vectors of bits."""
    out = subprocess.run(["z3", str(HERE / "bits.smt2")], capture_output=True, text=True, check=False).stdout.split()
    stated = (HERE / "shim/bits.h").read_text(encoding="utf-8").count("admit lemma")
    print(f"bits     {len(out)} of {stated} lemmas about bits hold in z3's vectors")
    return len(out) == stated and set(out) == {"unsat"}


def check_contracts(plan):
    """Whatever has a contract is proved, or is said to be believed."""
    planned = {name for row in plan for name in row["functions"]} | BELIEVED
    sources = [path for room in ("proto", "store") for path in sorted((ROOT / room).rglob("*.[ch]"))]
    stated = {match[2] for path in sources for match in CONTRACT.finditer(path.read_text(encoding="utf-8"))}
    print(f"stated   {len(stated)} functions have contracts, {len(stated & planned)} of them are planned or believed")
    for name in sorted(stated - planned):
        print(f"  | not planned: {name}")
    return bool(stated) and stated <= planned


def check_wp(row):
    proved, goals, missed = wp(ROOT, row["source"], row["functions"], row["bits"], row.get("seconds", 20))
    print(f"wp       {row['source']:24} {len(row['functions']):3} functions {proved:4} of {goals} goals proved", flush=True)
    for name in missed:
        print(f"  | not proved: {name}")
    if UPDATE:
        row["goals"] = goals
    return proved == goals == row["goals"] and goals > 0, proved, goals


def main():
    if subprocess.run([ROOT / "deploy/build/need", HERE / "packages.txt"], check=False).returncode != 0:
        print("skipped: tests/proofs/packages.txt cannot be installed")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    subprocess.run(["why3", "config", "detect"], capture_output=True, check=True)
    plan = json.loads(PLAN.read_text(encoding="utf-8"))
    good, proved, goals = [check_bits(), check_contracts(plan)], 0, 0
    for row in plan:
        is_good, row_proved, row_goals = check_wp(row)
        good.append(is_good)
        proved += row_proved
        goals += row_goals
    if UPDATE:
        rows = ",\n".join(" " + json.dumps(row) for row in plan)
        PLAN.write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    print(f"{proved} goals proved of {goals}")
    print(f"{good.count(True)} passed, {good.count(False)} failed, 0 skipped")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
