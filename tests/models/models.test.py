#!/usr/bin/env python3
"""Every model of this folder by SPIN: verified completely, and with each of its wrong edges, which must be found.

A model is compiled twice: for assertions and ends that are none, and for its LTL formulas under weak fairness. A search
that was cut short is a failure, and so is a row of a *.def that no model takes. A wrong edge is a macro of the model.
Closes with "N passed, N failed, N skipped".
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# model, macro that plants a wrong edge, what is wrong then
PLANTS = [
    ("mailbox", "POST_ALWAYS_SCHEDULES", "every post queues a turn: two owners"),
    ("mailbox", "GIVE_UP_STORES", "the owner writes IDLE over mail that just came"),
    ("mailbox", "PENDING_PASSES=1", "a turn gets mail that is still prepared"),
    ("mailbox", "SLEEP_IN_TWO_STEPS", "sleeps on a mail that became ready after the look"),
    ("mailbox", "GIVE_UP_RELAXED", "giving up releases nothing"),
    ("mailbox", "POST_RELEASES_ONLY", "who replaces IDLE acquires nothing"),
    ("mailbox", "READY_RELEASES=0", "making ready releases nothing"),
    ("park", "RESUMED_BEFORE_OUTCOME", "the writer resumes before it knows the outcome"),
    ("park", "RESUME_LOOKS_FIRST", "resume looks and writes in two steps"),
    ("park", "RUN_READ_AFTER_RESUME", "the writer reads a run that it resumed"),
    ("park", "PARK_RELAXED", "parking releases nothing"),
    ("park", "MISS_RELAXED", "a park that comes too late acquires nothing"),
    ("crew", "CALLED_STAYS", "who wakes leaves its call behind"),
    ("crew", "STRANGERS_LEAVE=true", "a thread that is no member calls nobody"),
    ("crew", "NAPS_UNLOCKED", "the lock is open between look and sleep"),
    ("turnstile", "LOOKS_BEFORE_LOCK", "looks for the first without the lock"),
    ("turnstile", "LEAVES_IN_TWO_STEPS", "who comes while one leaves waits for ever"),
    ("gate", "RECEIPT_BEFORE_SYNC", "a receipt between write and sync"),
    ("gate", "FAILED_SYNC_IS_OK", "a sync that failed counts as durable"),
    ("gate", "STAGED_STATE_STAYS", "a dropped run's seq is kept"),
    ("gate", "DOUBT_GOES_ON", "writes go on after one whose fate is unknown"),
    ("lifecycle", "JUDGED_ON_STORED", "a run is judged on what is stored, not on what it staged"),
    ("lifecycle", "MIGRATED_RESUMES", "Resume after Migrate"),
    ("lifecycle", "KEPT_WHEN_DROPPED", "a dropped run's status stays in memory"),
    ("push", "ACKED_WHEN_SENT", "acknowledged before it is delivered"),
    ("push", "MISSED_IS_LEFT", "the next payload after a failure that was not the last"),
    ("push", "ALARM_OF_ROWS_ONLY", "no alarm for a payload that is under way"),
    ("push", "CROWD_FORGOTTEN", "who found no slot is not called again"),
    ("breaker", "HALF_OPEN_ADMITS", "half open lets everybody through"),
    ("breaker", "PROBE_NOT_NOTED", "the probe's result is forgotten"),
    ("breaker", "SHORT_COOLDOWN", "a cooldown shorter than a POST (an assumption, not a bug)"),
    ("drain", "STOPS_BEFORE_DRAIN", "loops end before the services"),
    ("drain", "FREED_BEFORE_JOIN", "the pool is freed while loops run"),
    ("drain", "LEAVE_RELAXED", "giving a ticket back releases nothing"),
]
# too few states would mean that a model is stuck at its beginning
STATES_MIN = 40


def run(words, folder):
    done = subprocess.run(words, cwd=folder, text=True, capture_output=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def must(words, folder):
    status, text = run(words, folder)
    if status != 0:
        raise LookupError(f"{words[0]}: {text[-400:]}")


class Search:
    """What pan said."""

    def __init__(self, text):
        found = re.search(r"errors: (\d+)", text)
        self.errors = int(found.group(1)) if found else -1
        found = re.search(r"(\d+) states, stored", text)
        self.states = int(found.group(1)) if found else 0
        found = re.search(r"depth reached (\d+)", text)
        self.depth = int(found.group(1)) if found else 0
        self.is_cut = bool(re.search(r"truncat|too small|out of memory|resource|Warning: Search not completed", text))
        self.edges = set(re.findall(r"^edge (.+)$", text, re.MULTILINE))

    def holds(self):
        return self.errors == 0 and not self.is_cut and self.states >= STATES_MIN


def search(name, macros=()):
    """All searches of a model: the one for assertions and ends, then, if that finds nothing, one per formula."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["spin", f"-Pgcc -E -x c -w -I{ROOT}", *[f"-D{macro}" for macro in macros], "-a", f"{HERE}/{name}.pml"]
        must(words, folder)
        common = ["gcc", "-O0" if macros else "-O1", "-w", "-DVECTORSZ=2048", "pan.c"]
        must([*common, "-DSAFETY", "-DNOCLAIM", "-o", "safety"], folder)
        searches = [("assertions and ends", Search(run(["./safety", "-w22", "-m500000"], folder)[1]))]
        formulas = re.findall(r"^ltl (\w+)", (HERE / f"{name}.pml").read_text(encoding="utf-8"), re.MULTILINE)
        if formulas and searches[0][1].errors <= 0:
            must([*common, "-DNFAIR=3", "-o", "live"], folder)
        for formula in formulas if searches[0][1].errors <= 0 else []:
            text = run(["./live", "-a", "-f", "-N", formula, "-w22", "-m500000"], folder)[1]
            searches.append((formula, Search(text)))
        return searches


def verify(name):
    began = time.monotonic()
    searches = search(name)
    lines = [f"{name:10} {what:22} {s.states:8} states, depth {s.depth:5}, errors: {s.errors}"
             f"{', CUT SHORT' if s.is_cut else ''}{'' if s.holds() else '  FAILED'}" for what, s in searches]
    lines[-1] += f"  ({time.monotonic() - began:.1f} s)"
    edges = set().union(*(s.edges for _, s in searches))
    return "\n".join(lines), all(s.holds() for _, s in searches), edges


def plant(name, macro, what):
    searches = search(name, [macro])
    caught = next((how for how, s in searches if s.errors > 0), None)
    return f"{name:10} {macro:24} {what:58} {'caught by ' + caught if caught else 'NOT CAUGHT'}", bool(caught), set()


def attempt(job):
    try:
        return job[0](*job[1:])
    except (LookupError, FileNotFoundError, subprocess.TimeoutExpired) as error:
        return f"{job[1]:10} FAILED {error}", False, set()


def rows():
    text = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("*.def"))
    return {" ".join(row) for row in re.findall(r"^EDGE\((\w+), (\w+), (\w+), (\w+)\)", text, re.MULTILINE)}


def main():
    models = sorted(path.stem for path in HERE.glob("*.pml") if path.stem != "edges")
    jobs = [(verify, name) for name in models] + [(plant, *row) for row in PLANTS]
    results, taken = [], set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for line, is_good, edges in pool.map(attempt, jobs):
            print(line, flush=True)
            results.append(is_good)
            taken |= edges
    left = sorted(rows() - taken)
    print(f"{len(rows())} rows, {len(left)} of them in no model" + "".join(f"\nFAILED no model takes {row}" for row in left))
    results.append(not left)
    results.append(all(sum(row[0] == name for row in PLANTS) >= 2 for name in models))
    print(f"{results.count(True)} passed, {results.count(False)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
