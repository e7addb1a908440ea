#!/usr/bin/env python3
"""Bugs that the proofs must notice: each is one edit of a copy, after which a goal fails.

Prints a line "planted bug, caught by" each and closes with "N passed, N failed, N skipped".
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from frama import HERE, ROOT, wp

# what is wrong, source, the text that is replaced (once), the text instead, the function of which a goal fails
PLANTS = [
    ("hex reads one digit too far", "proto/base/hex.c", "text.data[2 * i + 1]];", "text.data[2 * i + 2]];",
     ("proto/base/hex.c", "enc_hex_decode")),
    ("numbers little-endian", "proto/base/bytes.h", "value >> (56 - 8 * i));\n}", "value >> (8 * i));\n}",
     ("proto/base/bytes.c", "enc_be64_put")),
    ("a CBOR head shifted one byte too far", "proto/cbor.c", "8 * (len - 1 - i)", "8 * (len - i)",
     ("proto/cbor.c", "put_head")),
    ("bits of a path from the wrong end", "proto/smt_node.h", ">> (7 - at % 8) & 1", ">> (at % 8) & 1",
     ("proto/smt_node.c", "enc_smt_bit")),
    ("inclusion walks on when the path is over", "proto/ct.c", "        if (used == path->count)\n            return false;\n",
     "", ("proto/ct.c", "enc_path_root")),
    ("inclusion without the last check", "proto/ct.c", "    return used == path->count;\n}", "    return true;\n}",
     ("proto/ct.c", "enc_path_root")),
    ("consistency takes what the path does not have", "proto/consistency.c", "used < path->count && check->sn", "check->sn",
     ("proto/consistency.c", "reach")),
    ("a part of a key overwrites the one before", "store/key.c", "memcpy(key->data + key->len,", "memcpy(key->data,",
     ("store/key.c", "enc_row_key_bytes")),
]


def copy_of(scratch):
    root = pathlib.Path(scratch) / "copy"
    for folder in ("proto", "store", "tests/proofs"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("*.md", "__pycache__"))
    return root


def plant(root, source, old, new):
    text = (ROOT / source).read_text(encoding="utf-8")
    if text.count(old) != 1:
        return False
    (root / source).write_text(text.replace(old, new), encoding="utf-8")
    return True


def caught_by(root, plan, where):
    source, function = where
    row = next(row for row in plan if row["source"] == source and function in row["functions"])
    _, goals, missed = wp(root, source, [function], row["bits"], row.get("seconds", 20))
    return missed if goals else []


def main():
    if subprocess.run([ROOT / "deploy/build/need", HERE / "packages.txt"], check=False).returncode != 0:
        print("skipped: tests/proofs/packages.txt cannot be installed\n0 passed, 0 failed, 1 skipped")
        return 0
    subprocess.run(["why3", "config", "detect"], capture_output=True, check=True)
    plan = json.loads((HERE / "plan.json").read_text(encoding="utf-8"))
    good = []
    for what, source, old, new, where in PLANTS:
        with tempfile.TemporaryDirectory() as scratch:
            root = copy_of(scratch)
            found = caught_by(root, plan, where) if plant(root, source, old, new) else []
        good.append(bool(found))
        print(f"{'ok' if found else 'FAILED':6} {what:48} {source:20} {', '.join(found[:3]) or 'not noticed'}", flush=True)
    print(f"{good.count(True)} passed, {good.count(False)} failed, 0 skipped")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
