#!/usr/bin/env python3
"""Bugs that a simulation must notice, each planted into a copy of the sources it lies in.

A plant is one or more edits of copies. They are compiled with the commands of the build in $ENC_BUILD and linked before
the libraries; the program then runs seeds until one differs. Prints "planted bug, seed, what it said" and closes with
"N passed, N failed, N skipped". `planted.test.py WORD` tries only those with the word in their name.
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
PROGRAM = "sim"
# Those of every run of the tests; first some that have caught what others did not.
FIRST = (18, 27, 73, 202, 263, 281)
SEEDS = [word for seed in FIRST for word in ("--seed", str(seed))] + ["--seeds", "1..300"]

# what is wrong, then edits: source, text that is replaced (once), text instead
PLANTS = [
    ("answers before the sync", ("store/shard.c", "(spec->sync ? 0 : MDB_NOSYNC)", "MDB_NOSYNC")),
    ("answers before the page that makes it current is durable",
     ("store/shard.c", "(spec->sync ? 0 : MDB_NOSYNC)", "MDB_NOMETASYNC")),
    ("answers before the transaction",
     ("services/run.c", "    enum enc_err err =\n        enc_lane_post(enc_host_writer(",
      "    for (struct enc_staged *s = run->first; s; s = s->next)\n        answer_staged(run, s);\n"
      "    enum enc_err err =\n        enc_lane_post(enc_host_writer("),
     ("services/run.c", "bool enc_run_submit(",
      "static void answer_staged(const struct enc_run *run, struct enc_staged *staged);\nbool enc_run_submit("),
     ("services/run.c", "    struct enc_exchange *exchange = staged->exchange;\n    bool is_accepted",
      "    struct enc_exchange *exchange = staged->exchange;\n    if (!exchange)\n        return;\n    bool is_accepted"),
     ("services/run.c", "        bool stands = s->exchange->verdict", "        bool stands = !s->exchange || s->exchange->verdict")),
    ("a failed write is taken for a good one",
     ("services/writer.c", "    runs[i]->outcome = outcome;\n", "    runs[i]->outcome = ENC_OUTCOME_OK;\n")),
    ("the turn goes on without parking",
     ("services/node.c", "        else if (run_commits(node, batch))\n            return ENC_TURN_PARK;",
      "        else if (run_commits(node, batch))\n            return ENC_TURN_DONE;")),
    ("dedup asks the store only",
     ("services/case.c", "c->earlier = find_staged(run, c->commit->hash32);", "(void)find_staged;")),
    ("dedup forgets what is stored",
     ("services/case.c", "if (c->earlier || !run->state.exists ||", "if (true ||")),
    ("staged state stays after a failed write",
     ("services/run.c", "        fail_staged(run);\n    } else {",
      "        if (run->has_writes)\n            swap_in(run);\n        fail_staged(run);\n    } else {")),
    ("the timer of a bundle is not stored",
     ("services/run.c", "        enc_put_alarm(&run->set, run->state.enclave32, &row);", "        (void)row;")),
    ("stored timers of bundles are not read at a start",
     ("services/alarms.c", "1 << ENC_TIMER_BUNDLE | 1 << ENC_TIMER_PUSH", "1 << ENC_TIMER_PUSH")),
    ("the timer of a bundle that could not be closed is lost",
     ("services/run.c", "    ring_again(run->node);\n", "    (void)ring_again;\n")),
    ("pages of a transaction that was undone are used again too early",
     ("store/shard.c", "    rc = mdb_env_sync(store->env, 1);\n    fault", "    rc = 0;\n    fault")),
    ("a bundle takes what comes after its time",
     ("services/pipeline.c", "return is_overdue ? enc_bundle_close(run, timestamp_ms) : ENC_ERR_OK;",
      "return is_overdue && false ? enc_bundle_close(run, timestamp_ms) : ENC_ERR_OK;")),
    ("a payload counts as delivered before anybody took it",
     ("services/push_stage.c", "struct enc_delivered_row row = {.push_seq = dest->row.seq + 1};",
      "struct enc_delivered_row row = {.push_seq = dest->row.seq + 1, .delivered_ms = 1};")),
    ("a payload that was refused counts as delivered",
     ("services/push_stage.c", "    if (dest->has_landed_ok)\n        ENC_TRY", "    if (true)\n        ENC_TRY")),
    ("push_seq goes on from memory after a failed write",
     ("services/push_stage.c", "        dest->phase = ENC_DEST_IDLE;\n    enc_shipment_drop",
      "        dest->phase = ENC_DEST_IDLE, dest->row = dest->staged;\n    enc_shipment_drop")),
    ("what waits to be pushed is forgotten by a restart",
     ("services/push.c", "    node->pushes->is_due |= dest->has_pending && !is_open;",
      "    dest->has_pending = false;")),
    ("seq begins anew after a start",
     ("services/node.c", "    ENC_TRY(load_manifest(node, snap));\n",
      "    ENC_TRY(load_manifest(node, snap));\n    node->state.next_seq -= node->state.next_seq > 4;\n")),
    ("a tree head is signed before it is durable",
     ("services/run.c", "    enc_sth_sign(run->node->host->curve, &state->sth, run->node->host->key);",
      "    enc_sth_sign(run->node->host->curve, &state->sth, run->node->host->key);\n"
      "    enc_heads_keep(run->node->host->heads, &state->sth, state->enclave32);"),
     ("services/run.c", '#include "services/push.h"\n', '#include "services/heads.h"\n#include "services/push.h"\n'),
     ("services/heads.c", "entry->sth.ts == sth->ts &&\n           memcmp(entry->sth.r32, sth->r32, 32) == 0",
      "entry->sth.ts >= sth->ts"),
     ("services/read_info.c", "    if (is_whole && is_fresh(read, sth))\n        return;\n", "")),
    ("an event is shown before it is durable",
     ("services/run.c", "    ENC_TRY(enc_smt_seal(&run->tree", "    enc_pipeline_publish(run);\n    ENC_TRY(enc_smt_seal(&run->tree")),
    ("a store in doubt goes on",
     ("store/apply.c", "    if (probed != MDB_PANIC)\n", "    if (probed != MDB_PANIC || rc)\n")),
    ("denials deny nothing", ("proto/rbac.c", "(granted & ~denied) >> op", "granted >> op")),
    ("gates stop nobody", ("proto/rbac.c", "return is_stopped ? ENC_ERR_GATE_CLOSED", "return false && is_stopped ? ENC_ERR_GATE_CLOSED")),
    ("a paused enclave takes everything",
     ("proto/lifecycle.c", '{"paused", ENC_ERR_ENCLAVE_PAUSED, false}', '{"paused", ENC_ERR_OK, false}')),
    ("an Update leaves no trace in the state",
     ("services/pipeline.c", "    return enc_smt_set(&d->run->tree, key21, enc_bytes_of(d->staged->event->id32, 32));",
      "    return ENC_ERR_OK;")),
    ("type_seq forgets what is staged",
     ("services/pipeline.c", "    *type_seq = ++count->last;", "    *type_seq = count->last + 1;")),
    ("a repeated payload comes into the DataView again",
     ("services/receive.c", "if (has_last && event->seq <= arrival->last_seq)", "if (false)"),
     ("services/receive.c", "if (arrival->parcel.push_seq <= intake->mark.last)", "if (false)")),
    ("a payload is marked as taken, its events are not",
     ("services/receive.c", "    ENC_TRY(take_events(intake, has_last));\n    intake->mark.last",
      "    (void)take_events;\n    intake->mark.last")),
    ("a subscription misses what came while it read",
     ("services/subscribers.c", "ENC_SUB_MISSED", "ENC_SUB_LIVE")),
]


def planted(text, old, new):
    """The text with the bug in it; where there is no place for it the table above is out of date."""
    if old not in text:
        raise LookupError(f"the place is gone: {old.strip()[:50]}")
    return text.replace(old, new, 1)


def compile_command(source):
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        if entry["file"] == str(ROOT / source):
            return shlex.split(entry["command"])
    raise LookupError(f"{source} is not built")


def link_command():
    done = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", "-s", PROGRAM],
                          check=True, text=True, capture_output=True)
    words = shlex.split(done.stdout.strip().splitlines()[-1])
    return [word for word in words if word not in (":", "&&")]


def run(command):
    paths = {**os.environ, "LD_LIBRARY_PATH": str(BUILD)}  # a program elsewhere does not find its libraries
    return subprocess.run(command, cwd=BUILD, env=paths, text=True, capture_output=True, timeout=300)


def compile_copy(source, text, folder):
    copy, thing = folder / pathlib.Path(source).name, folder / (pathlib.Path(source).stem + ".o")
    copy.write_text(text, encoding="utf-8")
    words = compile_command(source)
    words[words.index("-o") + 1] = str(thing)
    words[words.index(str(ROOT / source))] = str(copy)
    done = run(words + ["-Wno-error", "-w"])
    if done.returncode != 0:
        raise LookupError(f"{source} does not compile: {done.stderr[-300:]}")
    return thing


def build(edits, folder):
    texts = {}
    for source, old, new in edits:
        text = texts.get(source) or (ROOT / source).read_text(encoding="utf-8")
        texts[source] = planted(text, old, new)
    things = [str(compile_copy(source, text, folder)) for source, text in texts.items()]
    program = folder / PROGRAM
    words = link_command()
    at = words.index("-o")
    done = run(words[:at] + things + ["-o", str(program)] + words[at + 2:])
    if done.returncode != 0:
        raise LookupError("it does not link: " + done.stderr[-300:])
    return program


def attempt(what, *edits):
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = run([str(build(edits, pathlib.Path(folder))), *SEEDS])
            found = re.search(r"^seed \d+: .*", done.stdout, re.MULTILINE)
            said = found.group()[:110] if found else "NOT CAUGHT"
        except (LookupError, subprocess.TimeoutExpired) as error:
            found, said = None, f"NOT CAUGHT: {error}"
    print(f"{what:58} {said}", flush=True)
    return found is not None


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    results = [attempt(*plant) for plant in PLANTS if word in plant[0]]
    print(f"{results.count(True)} passed, {results.count(False)} failed, 0 skipped")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
