#!/usr/bin/env python3
"""The running code takes only edges of the models, and all of them.

Every program of a build with ENC_EDGES ends itself at a step that is no edge (edges.c), so each test of preset dev is
such a check. Here those run that together take every edge: a row that none of them takes is a failure. Then bugs are
planted in copies of the source, one at a time, each of which the trace check must notice. Closes with
"N passed, N failed, N skipped".
"""

import concurrent.futures
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("ENC_BUILD", ROOT / "build/dev")).resolve()

# A daemon that may not have the address that it wants, which is nobody's.
REFUSED = f"""data=$(mktemp -d); ! {BUILD}/enclaved --data "$data/d" --listen 192.0.2.1:80 --admin 127.0.0.1:0 2>"$data/log" &&
grep -q not_listening "$data/log"; was=$?; rm -r "$data"; exit $was"""

# What runs: programs of the build with their arguments, and wire tests, which start the daemon.
PROGRAMS = [
    [ROOT / "tests/wire/net_stop.test.mjs"],
    ["sh", "-c", REFUSED],
    [BUILD / "test_unit_services", "--filter=edges/*"],
    [BUILD / "test_unit_services", "--filter=@(writer|push|push_stage|receive|bootstrap|damage)/*"],
    [BUILD / "test_unit_store", "--filter=@(disk|apply|writeset)/*"],
    [BUILD / "test_unit_actors"],
    [BUILD / "test_unit_net", "--filter=breaker/*"],
    [BUILD / "race_actors"],
    [BUILD / "race_directory"],
    [BUILD / "race_mailbox"],
    [BUILD / "race_turnstile"],
    [BUILD / "race_net_loop"],
    [BUILD / "race_sleep"],
]

# program, filter, source, what is wrong, the text that is replaced (once), the text instead
PLANTS = [
    ("test_unit_services", "run/*", "services/run.c", "an actor is resumed before the writer's outcome",
     "    return err == ENC_ERR_OK;\n}\n\nvoid enc_run_write",
     "    if (err == ENC_ERR_OK)\n        enc_actor_resume(actor);\n    return err == ENC_ERR_OK;\n}\n\nvoid enc_run_write"),
    ("test_unit_services", "edges/*", "services/run.c", "a run that failed is swapped in",
     "if (run->outcome != ENC_OUTCOME_OK) {", "if (run->outcome == ENC_OUTCOME_FENCED) {"),
    ("test_unit_services", "edges/*", "services/writer.c", "runs of a transaction that failed get no outcome",
     "    run->outcome = outcome;\n    ENC_RUN_ENDED(run);\n", "    run->outcome = outcome;\n    if (outcome == ENC_OUTCOME_OK)\n        ENC_RUN_ENDED(run);\n"),
    ("test_unit_services", "push_stage/*", "services/push_stage.c", "a push is acknowledged before it is delivered",
     "if (dest->phase == ENC_DEST_LANDED)\n",
     "dest->has_landed_ok |= dest->phase == ENC_DEST_FLYING;\n    if (dest->phase == ENC_DEST_LANDED || dest->phase == ENC_DEST_FLYING)\n"),
    ("test_unit_services", "push_stage/*", "services/push_stage.c", "a second payload while one is under way",
     "if (dest->phase != ENC_DEST_IDLE || !dest->has_pending", "if (dest->phase == ENC_DEST_WAITING || !dest->has_pending"),
    ("test_unit_services", "edges/*", "proto/lifecycle.c", "Resume after the end",
     "EVENTS[type].wakes && !STATUSES[status].is_final", "EVENTS[type].wakes"),
    ("test_unit_actors", "actor/*", "actors/mailbox.c", "an actor is scheduled twice",
     "return was == IDLE ? ENC_POSTED_OWNER", "return was == IDLE || was == EMPTY ? ENC_POSTED_OWNER"),
    ("test_unit_actors", "actor/*", "actors/actor.c", "a turn gets mail that is still prepared",
     "count < mails_max && is_ready(mail);", "count < mails_max;"),
    ("test_unit_actors", "actor/*", "actors/actor.c", "a resume that comes early schedules as well",
     "    return was == PARKED;\n", "    return was == PARKED || was == RUNNING;\n"),
    ("test_unit_actors", "turnstile/*", "actors/turnstile.c", "all go through",
     "    *is_first = *place == NULL;", "    *is_first = true;"),
    ("test_unit_actors", "pool/*", "actors/pool.c", "tickets while it drains",
     "if (was & CLOSED) {", "if (was == CLOSED) {"),
    ("test_unit_net", "breaker/*", "net/breaker.c", "half open lets two probes pass",
     "row->state == CLOSED || is_cooled;", "row->state != OPEN || is_cooled;"),
]


def load_planter():
    """How to build a program with one changed source is known to the theorems' test."""
    spec = importlib.util.spec_from_file_location("planted", ROOT / "tests/theorems/planted.test.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows():
    text = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("*.def"))
    return {" ".join(row) for row in re.findall(r"^EDGE\((\w+), (\w+), (\w+), (\w+)\)", text, re.MULTILINE)}


def run(words, told, folder=BUILD):
    env = {**os.environ, "ENC_BUILD": str(BUILD), "ENC_EDGES_TO": str(told), "LD_LIBRARY_PATH": str(BUILD)}
    done = subprocess.run([str(word) for word in words], cwd=folder, env=env, text=True, capture_output=True, timeout=100)
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    wrong = sorted({line[6:] for line in lines if line.startswith("wrong ")})
    return done, {line[5:] for line in lines if line.startswith("edge ")}, wrong


def trace(words):
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done, taken, wrong = run(words, pathlib.Path(folder) / "edges")
    took = time.monotonic() - began
    is_good = done.returncode == 0 and not wrong and bool(taken)
    name = " ".join(pathlib.Path(word).name if word == words[0] else word for word in words)
    print(f"{name[:76]:76} {len(taken):4} edges, {len(wrong)} wrong ({took:.1f} s){'' if is_good else '  FAILED'}")
    if not is_good:
        print("\n".join(wrong) or (done.stdout + done.stderr)[-1500:])
    return is_good, taken


def plant(planter, row):
    program, which, source, what, old, new = row
    catch = None
    try:
        text = (ROOT / source).read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            planter.PROGRAM = program
            changed = planter.build(source, planter.planted(text, old, new), pathlib.Path(folder))
            if changed is None:
                raise LookupError("it does not compile")
            _, _, wrong = run([changed, f"--filter={which}"], pathlib.Path(folder) / "edges")
            catch = wrong[0] if wrong else None
    except (LookupError, FileNotFoundError, subprocess.TimeoutExpired) as error:
        what += f": {error}"
    print(f"{source:24} {what:50} {'caught at ' + catch if catch else 'NOT CAUGHT'}", flush=True)
    return catch is not None


def main():
    if "ENC_EDGES:BOOL=ON" not in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8"):
        print(f"{BUILD} is no build with ENC_EDGES\n0 passed, 1 failed, 0 skipped")
        return 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        traces = list(pool.map(trace, PROGRAMS))
    results = [is_good for is_good, _ in traces]
    left = sorted(rows() - set().union(*(taken for _, taken in traces)))
    print(f"{len(rows())} rows, {len(left)} of them not taken" + "".join(f"\nFAILED nothing takes {row}" for row in left))
    results.append(not left)
    planter = load_planter()
    results += [plant(planter, row) for row in PLANTS]
    print(f"{results.count(True)} passed, {results.count(False)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
