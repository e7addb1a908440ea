#!/usr/bin/env python3
"""Every kind of lie that encctl audit knows, against an auditor that does not see it: wire/audit.test.mjs must notice.

A bug is one edit of a copy of one source file. encctl is linked with the copy instead, and the checks of audit.test.mjs
that are named beside the bug run with it; they hold for the encctl of the build in $ENC_BUILD. Prints a line "planted
bug, caught or not" each and closes with "N passed, N failed, N skipped".
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
TEST = ROOT / "tests/wire/audit.test.mjs"
ROOM = "net/encctl/"

# what is wrong, source, the text that is replaced (once), the text instead, the checks that see it
PLANTS = [
    ("roots of one size are not compared", "audit_heads.c",
     "memcmp(place.same->sth.r32, head->sth.r32, 32) != 0", "place.same->sth.ts == UINT64_MAX", "a fork, two"),
    ("another older root by consistency is no fork", "audit_heads.c",
     "put_proof(proof, &path, NULL);\n    return RELATION_FORK", "return RELATION_SAME_LOG", "a fork"),
    ("another older root by inclusion is no fork", "audit_heads.c",
     "put_proof(proof, NULL, &path);\n    return RELATION_FORK", "return RELATION_SAME_LOG", "a fork"),
    ("a refusal is taken for consistency", "audit_heads.c",
     "reply == ENC_REPLY_REFUSED || !enc_inclusion_prefix(prefix32, &path, b->r32))\n        return RELATION_REFUSED",
     "reply == ENC_REPLY_REFUSED || !enc_inclusion_prefix(prefix32, &path, b->r32))\n        return RELATION_SAME_LOG",
     "refuses"),
    ("times of heads are not compared", "audit_heads.c", "return most_ms > JITTER_MS", "return false", "a rewind"),
    ("an odd head becomes the log after a restart", "audit_state.c",
     '[ENC_STANDING_ODD] = {",\\"odd\\":true"', '[ENC_STANDING_ODD] = {""', "a fork, two"),
    ("a head that cannot be placed is forgotten", "audit_heads.c",
     "watch->open[watch->open_count++] = copy_head(head);", "", "never explained"),
    ("signatures of heads are not checked", "audit_keys.c",
     "if (enc_sth_verify(audit->ctl->curve, &head->sth, watch->keys32[i])) {", "if (i < watch->key_count) {",
     "not signed"),
    ("a Migrate is not looked for", "audit_keys.c", "e = list ? list->child : NULL", "e = NULL", "a move"),
    ("a head may have any age", "audit.c", "head->sth.t_ms + audit->max_age_ms", "UINT64_MAX - 1", "a stale"),
    ("events of the log are not checked", "audit_spot.c", "!is_sound(audit, &event, target->watch)) {",
     "event.seq == UINT64_MAX) {", "false proofs"),
    ("inclusion of events is not verified", "audit_spot.c",
     "reply != ENC_REPLY_GOOD || !enc_inclusion_verify(&inclusion, head->sth.r32))\n        return PLACE_FALSE",
     "reply != ENC_REPLY_GOOD)\n        return PLACE_FALSE", "false proofs"),
    ("the proof of roles is not verified", "audit_spot.c", "!enc_smt_proof_verify(&proof, state_hash32)", "false",
     "false proofs"),
    ("a missing event is waited for, for ever", "audit_spot.c", "(!is_waiting || is_due(", "(is_due(", "a receipt whose"),
    ("nobody looks for another event in a place", "audit_spot.c",
     "memcmp(other.id32, promise->id32, 32) != 0", "other.seq == UINT64_MAX", "a receipt whose"),
    ("the end of the log is not shown", "audit_spot.c", "target->seq >= promise->seq ||", "true ||", "a later head"),
    ("a head without a binding is a proof", "evidence.c",
     "return scale->heads[0].is_bound && scale->heads[1].is_bound", "return scale->heads[0].sth.ts > 0", "altered|frame"),
    ("a binding may lead from any Manifest", "evidence.c",
     "memcmp(binding->bundle.event_id32, manifest_id32, 32) == 0 &&", "manifest_id32 &&", "a fork, two|frame"),
    ("a binding may be of another head", "evidence.c", "enc_inclusion_verify(inclusion, head->r32) &&", "", "frame"),
    ("a rewind within a minute is a proof", "evidence.c",
     "b->sth.t_ms - a->sth.t_ms > ENC_EVIDENCE_SLACK_MS", "b->sth.t_ms > a->sth.t_ms", "a rewind"),
    ("events of evidence are not checked", "evidence.c",
     "enc_event_check(out, ctl->curve, NULL) == ENC_EVENT_SOUND &&", "", "a receipt whose"),
    ("the last event need not be the last", "evidence.c", "bundle.index + 1 == bundle.size &&", "", "a later head"),
    ("the first head of a fork may be of any size", "evidence.c",
     "inclusion.size == b->ts && inclusion.index + 1 == a->ts &&", "", "a fork over time, where|a fork"),
    ("a half line is not cut off", "audit_state.c", "(ftruncate(audit->record, whole) == 0 || fail(audit, path))", "true",
     "killed at any"),
    ("two audits share a record", "audit_state.c", "flock(audit->record, LOCK_EX | LOCK_NB) != 0", "false", "two audits"),
    ("answers of any length", "audit_ask.c", "BODY_LEN_MAX = 2 << 20", "BODY_LEN_MAX = 1 << 30", "a gigabyte"),
    ("a question may take for ever", "audit_ask.c", "REQUEST_MS = 10000", "REQUEST_MS = 100000", "a byte a second"),
    ("redirects are followed", "http.c", "curl_easy_setopt(ctl->curl, CURLOPT_NOSIGNAL, 1L);",
     "curl_easy_setopt(ctl->curl, CURLOPT_FOLLOWLOCATION, 1L);", "redirects"),
    ("what a node says is told as it is", "out.c", "            *at = '?';", "            continue;", "control characters"),
]


def planted(text, old, new):
    """The text with the bug in it; where there is no place for it the table above is out of date."""
    place = re.compile(r"\s+".join(re.escape(word) for word in old.split()))
    if len(place.findall(text)) != 1:
        raise LookupError(f"the place is there {len(place.findall(text))} times")
    return place.sub(lambda _: new, text)


def compile_command(source):
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        if entry["file"] == str(ROOT / source) and "/encctl.dir/" in entry["command"]:
            return shlex.split(entry["command"])
    raise LookupError(f"{source} is not built")


def link_command():
    done = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", "-s", "encctl"],
                          check=True, text=True, capture_output=True)
    words = shlex.split(done.stdout.strip().splitlines()[-1])
    return [word for word in words if word not in (":", "&&")]


def run(command, **more):
    environment = {**os.environ, "LD_LIBRARY_PATH": str(BUILD), "ENC_BUILD": str(BUILD), **more}
    return subprocess.run(command, cwd=BUILD, env=environment, text=True, capture_output=True, timeout=300)


def build(source, text, folder):
    copy, thing, program = folder / pathlib.Path(source).name, folder / "planted.o", folder / "encctl"
    copy.write_text(text, encoding="utf-8")
    words = compile_command(source)
    at = words.index("-o") + 1
    old = words[at]
    words[at] = str(thing)
    words[words.index(str(ROOT / source))] = str(copy)
    done = run(words + ["-Wno-error", "-w"])
    if done.returncode != 0:
        raise LookupError("it does not compile: " + done.stderr[-300:])
    words = [str(thing) if word == old else word for word in link_command()]
    words[words.index("-o") + 1] = str(program)
    if str(thing) not in words:
        raise LookupError("the linker does not know " + old)
    done = run(words)
    if done.returncode != 0:
        raise LookupError("it does not link: " + done.stderr[-300:])
    return program


def sees(checks, program):
    """Whether checks fail with this encctl; a run without checks is a mistake of the table."""
    done = run([str(TEST)], ENCCTL=str(program), ONLY=checks)
    counts = re.search(r"^(\d+) passed, (\d+) failed", done.stdout, re.MULTILINE)
    if not counts or int(counts[1]) + int(counts[2]) == 0:
        raise LookupError(f"there is no check {checks}")
    return int(counts[2]) > 0


def attempt(what, source, old, new, checks):
    try:
        text = planted((ROOT / ROOM / source).read_text(encoding="utf-8"), old, new)
        with tempfile.TemporaryDirectory() as folder:
            verdict = "caught" if sees(checks, build(ROOM + source, text, pathlib.Path(folder))) else "NOT CAUGHT"
    except (LookupError, FileNotFoundError) as error:
        verdict = f"NOT PLANTED: {error}"
    print(f"{what:52} {verdict}", flush=True)
    return verdict == "caught"


def main():
    only = re.compile(os.environ.get("ONLY", ""))
    results = [not sees("|".join(sorted({plant[4] for plant in PLANTS})), BUILD / "encctl")]
    if not results[0]:
        print("FAILED the checks hold without a bug")
    results += [attempt(*plant) for plant in PLANTS if only.search(plant[0])]
    print(f"{results.count(True)} passed, {results.count(False)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
