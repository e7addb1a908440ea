#!/usr/bin/env python3
"""Bugs that lose what was promised, or that fsck does not see, each of which a test of this folder must notice.

A bug is one edit of a copy of one source file. The copy is compiled with the command of the build in $ENC_BUILD and
linked before the libraries; the test runs with that daemon, or that encctl. Prints a line "bug, caught or not" each and
closes with "N passed, N failed, N skipped". ONLY=regex picks bugs by name.
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ENC_BUILD", ROOT / "build/dev"))
HERE = ROOT / "tests/crash"

POWER = ("enclaved", "power.test.mjs", {"CUTS": "900"})
BITS = ("encctl", "bits.test.mjs", {"FLIPS": "25"})


def bits(tables):
    return (*BITS[:2], {**BITS[2], "ONLY": f"^({tables})"})


TWO_HALVES = """
enum enc_outcome enc_store_apply(struct enc_store *store, struct enc_apply_facts *facts,
                                 const struct enc_writeset *const *sets, size_t count)
{
    is_second = false;
    enum enc_outcome first = half_apply(store, facts, sets, count);
    is_second = true;
    return first == ENC_OUTCOME_OK ? half_apply(store, facts, sets, count) : first;
}
"""

# what is wrong, source, [the text that is replaced (once), the text instead] ..., how it is to be noticed
PLANTS = [
    ("no sync", "store/shard.c", [("(spec->sync ? 0 : MDB_NOSYNC)", "MDB_NOSYNC")], POWER),
    ("the page that makes it current is not synced", "store/shard.c",
     [("(spec->sync ? 0 : MDB_NOSYNC)", "MDB_NOMETASYNC")], POWER),
    ("the answer before the sync", "store/apply.c",
     [("    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);\n    if (rc) {",
       "    mdb_env_sync(store->env, 1);\n    mdb_env_set_flags(store->env, MDB_NOSYNC, 1);\n"
       "    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);\n    if (rc) {")], POWER),
    ("heads in a transaction of their own", "store/apply.c",
     [("static int run_op(", "static bool is_second;\n\nstatic int run_op("),
      ("    if (op->append)\n", "    if (is_second != (op->table == ENC_TABLE_HEAD))\n        return 0;\n    if (op->append)\n"),
      ("enum enc_outcome enc_store_apply(", "static enum enc_outcome half_apply("),
      (re.compile(r"\Z"), TWO_HALVES)], POWER),
    ("the name of the directory is not synced", "store/dir.c",
     [("return keep_name(note, path);", "return ENC_STORE_FAULT_NONE;")], POWER),
    ("a shard is made in its place", "store/shard.c",
     [('path_of(draft, note, spec, ".new")', 'path_of(draft, note, spec, "")')], POWER),
    ("the key gets its name before it is synced", "net/key.c", [(" && fsync(fd) == 0", "")], POWER),
    ("a payload leaves that is not stored", "services/push_stage.c",
     [("    enc_put_delivered(&run->set, &queue, &row);\n    enc_put_push_seq",
       "    enc_put_push_seq")], POWER),
    ("fsck: pages are not looked at", "net/encctl/fsck.c",
     [("enum enc_exit status = check_pages(&fsck, dir);", "(void)check_pages;\n    enum enc_exit status = ENC_EXIT_OK;")],
     bits("heads")),
    ("fsck: the state tree is not looked at", "services/check.c", [("check_tree(check) &&", "")], bits("smt_node")),
    ("fsck: nodes of the log are not compared", "services/check.c",
     [(re.compile(r"memcmp\(stored32, hash32, 32\) == 0"), "check")], bits("ct_node")),
    ("fsck: the head is not compared", "services/check.c", [("check_head(check) &&", "")], bits("head")),
    ("fsck: events are not found by hash", "services/check.c",
     [("!is_found_by_hash(check, event)", "!check")], bits("event_hash")),
    ("fsck: payloads are not verified", "services/check_push.c",
     [("enc_parcel_verify(check->curve, &parcel)", "true")], bits("push_delivered")),
]


def planted(text, edits):
    """The text with the bug in it; where there is no place for it the table above is out of date."""
    for old, new in edits:
        count = len(old.findall(text)) if isinstance(old, re.Pattern) else text.count(old)
        if count == 0:
            raise LookupError(f"the place is gone: {old}")
        text = old.sub(lambda _, new=new: new, text, count=1) if isinstance(old, re.Pattern) else text.replace(old, new, 1)
    return text


def compile_command(source):
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        if entry["file"] == str(ROOT / source):
            return shlex.split(entry["command"])
    raise LookupError(f"{source} is not built")


def link_command(program):
    done = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", "-s", program],
                          check=True, text=True, capture_output=True)
    return [word for word in shlex.split(done.stdout.strip().splitlines()[-1]) if word not in (":", "&&")]


def run(command, **more):
    env = {**os.environ, "LD_LIBRARY_PATH": str(BUILD), "ENC_BUILD": str(BUILD), **more}
    return subprocess.run(command, cwd=BUILD, env=env, text=True, capture_output=True, timeout=400)


def must(done):
    if done.returncode != 0:
        raise LookupError("it does not build: " + (done.stderr + done.stdout)[-400:])


def build(program, source, text, folder):
    copy, thing, out = folder / pathlib.Path(source).name, folder / "planted.o", folder / program
    copy.write_text(text, encoding="utf-8")
    words = compile_command(source)
    words[words.index("-o") + 1] = str(thing)
    words[words.index(str(ROOT / source))] = str(copy)
    must(run(words + ["-Wno-error"]))
    words = link_command(program)
    own = [word for word in words if word.endswith(f"/{source}.o") or word.endswith(f"/{source.removeprefix('net/')}.o")]
    words = [word for word in words if word not in own]
    at = words.index("-o")
    must(run(words[:at] + [str(thing), "-o", str(out)] + words[at + 2:]))
    return out


def caught(source, edits, how):
    program, test, env = how
    text = (ROOT / source).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        out = build(program, source, planted(text, edits), pathlib.Path(folder))
        name = "ENCLAVED" if program == "enclaved" else "ENCCTL"
        done = run([str(HERE / test)], **env, **{name: str(out)})
    if not re.search(r"^\d+ passed, \d+ failed", done.stdout, re.MULTILINE):
        raise LookupError("the test did not end: " + done.stderr[-300:])
    why = re.search(r"^(cut \d.*|.*not found;.*|.*ended by.*|.*Error.*)$", done.stdout, re.MULTILINE)
    return done.returncode != 0, why.group(1).strip()[:110] if why else ""


def attempt(what, source, edits, how):
    try:
        is_caught, why = caught(source, edits, how)
    except (LookupError, FileNotFoundError, subprocess.TimeoutExpired) as error:
        is_caught, why = False, str(error)
    print(f"{what:46} {'caught' if is_caught else 'NOT CAUGHT'}: {why}", flush=True)
    return is_caught


def main():
    only = re.compile(os.environ.get("ONLY", ""))
    wanted = [plant for plant in PLANTS if only.search(plant[0])]
    os.environ.pop("ONLY", None)
    results = [attempt(*plant) for plant in wanted]
    print(f"{results.count(True)} passed, {results.count(False)} failed, 0 skipped")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
