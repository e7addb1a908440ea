#!/usr/bin/env python3
"""Every theorem of tests/unit/services/theorems.c against a bug of its own: the test, or the compiler, must notice.

A bug is one edit of a copy of one source file. The copy is compiled with the command of the build in $ENC_BUILD and
linked before the libraries, so that the rest of test_unit_services is what was built. Prints a line "theorem, planted
bug, caught by" each and closes with "N passed, N failed, N skipped".
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
PROGRAM = "test_unit_services"
UNIT = ROOT / "tests/unit/services/theorems.c"

# theorem, source, what is wrong, the text that is replaced (once), the text instead
PLANTS = [
    ("protocol_routes_count", "services/enclave.c", "no route /info/enclave", re.compile(
        r'    \{\.method = ENC_METHOD_GET,\n     \.path = "/info/enclave",.*?\},\n', re.DOTALL), ""),
    ("push_only_encnode", "services/chat.c", "chat pushes", ".has_push = false", ".has_push = true"),
    ("dataview_iff_public", "services/chat.c", "chat has a DataView",
     ".has_dataview = false", ".has_dataview = true"),
    ("chat_opaque", "services/chat.c", "chat looks into what is said",
     "const struct enc_service ENC_SERVICE_CHAT = {",
     '#include "services/dataview.h"\nstatic const struct enc_dataview VIEW = {.mapper_count = 0};\n'
     "const struct enc_service ENC_SERVICE_CHAT = {\n.view = &VIEW,"),
    ("registry_singleton", "services/registry.c", "the registry is addressed by path",
     ".segment = 0, .name", ".segment = 1, .name"),
    ("registry_schema", "services/registry.c", "anybody pauses the registry",
     r'\"Pause\",\"role\":\"Owner\"', r'\"Pause\",\"role\":\"Any\"'),
    ("chat_schema", "services/chat.c", "members may not read messages", r'[\"C\",\"R\"]', r'[\"C\"]'),
    ("timeline_schema", "services/timeline.c", "only the Owner likes",
     r'\"Like\",\"role\":\"Any\"', r'\"Like\",\"role\":\"Owner\"'),
    ("bootstrap_iff_app", "services/registry.c", "registries on demand",
     ".has_bootstrap = false", ".has_bootstrap = true"),
    ("registry_reads", "services/registry.c", "/resolve/:id is a POST",
     '{.method = ENC_METHOD_GET,\n     .path = "/resolve/:id"', '{.method = ENC_METHOD_POST,\n     .path = "/resolve/:id"'),
    ("timeline_reads", "services/timeline.c", "a read becomes a POST", "ENC_METHOD_GET", "ENC_METHOD_POST"),
    ("chat_no_reads", "services/enclave.c", "protocol routes count as reads",
     "    size_t count = 0;\n    for", "    size_t count = append(rows, 0, enc_protocol_routes());\n    for"),
    ("encnode_no_reads", "services/enclave.c", "reads without a DataView", "enclave->has_dataview && i <", "i <"),
    ("ddl_without_dv", "services/enclave.c", "bootstrap brings a table",
     "return enclave->has_dataview ? 2 : 1", "return enclave->has_dataview || enclave->has_bootstrap ? 2 : 1"),
    ("ddl_with_dv", "services/enclave.c", "no sync_state where pushes leave",
     "return enclave->has_dataview ? 2 : 1", "return enclave->has_dataview && !enclave->has_push ? 2 : 1"),
    ("alarm_noop", "services/push_stage.c", "an alarm sets the next one",
     "    if (!pushes)\n        return;\n    pushes->is_stalled = false;",
     "    if (!pushes) {\n        enc_node_set_timer(node, ENC_TIMER_PUSH, now_ms + 1000);\n        return;\n    }\n"
     "    pushes->is_stalled = false;"),
    ("pipeline_guard", "services/run.c", "a refusal moves the clock of the enclave",
     "    staged->refusal = refusal_of(&c, enc_pipeline_judge(&c));\n",
     "    staged->refusal = refusal_of(&c, enc_pipeline_judge(&c));\n"
     "    run->has_writes |= staged->refusal.verdict.err != ENC_ERR_OK;\n"
     "    run->state.last_ms += staged->refusal.verdict.err != ENC_ERR_OK;\n"),
]
JUDGES = ["structure", "expiration", "hash", "signature", "dedup", "lifecycle", "rbac", "ac_logic"]
PLANTS += [("pipeline_guard", "services/pipeline.c", f"step {step} ({judge}) asks nothing",
            f"/* {step} */ {judge},", f"/* {step} */ rbac_none,") for step, judge in enumerate(JUDGES, 1)]


def planted(text, old, new):
    """The text with the bug in it; where there is no place for it the table above is out of date."""
    count = len(old.findall(text)) if isinstance(old, re.Pattern) else text.count(old)
    if count == 0:
        raise LookupError("the place is gone")
    return old.sub(new, text, count=1) if isinstance(old, re.Pattern) else text.replace(old, new, 1)


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


def build(source, text, folder):
    """The program with the changed source, or None when the compiler refuses it."""
    copy, thing, program = folder / pathlib.Path(source).name, folder / "planted.o", folder / PROGRAM
    copy.write_text(text, encoding="utf-8")
    words = compile_command(source)
    words[words.index("-o") + 1] = str(thing)
    words[words.index(str(ROOT / source))] = str(copy)
    if run(words + ["-Wno-error"]).returncode != 0:
        return None
    words = link_command()
    at = words.index("-o")
    done = run(words[:at] + [str(thing), "-o", str(program)] + words[at + 2:])
    if done.returncode != 0:
        raise LookupError("it does not link: " + done.stderr[-300:])
    return program


def holds(program, theorem):
    done = run([str(program), f"--filter=theorems/{theorem}"])
    if not re.search(r"Tested: (\x1b\[[\d;]*m)*1\b", done.stdout + done.stderr):
        raise LookupError("there is no such test")
    return done.returncode == 0


def caught_by(source, theorem, old, new):
    text = (ROOT / source).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        program = build(source, planted(text, old, new), pathlib.Path(folder))
        if program is None:
            return "the compiler"
        return None if holds(program, theorem) else "the test"


def attempt(theorem, source, what, old, new):
    try:
        catcher = caught_by(source, theorem, old, new)
    except (LookupError, FileNotFoundError) as error:
        catcher, what = None, f"{what}: {error}"
    print(f"{theorem:22} {what:48} {'caught by ' + catcher if catcher else 'NOT CAUGHT'}", flush=True)
    return catcher is not None


def main():
    theorems = re.findall(r"^Test\(theorems, (\w+)\)", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    results = [holds(BUILD / PROGRAM, theorem) for theorem in theorems]
    results.append(len(theorems) == 17 and set(theorems) == {plant[0] for plant in PLANTS})
    if not all(results):
        print("FAILED all seventeen theorems hold in what was built, and each has a bug here")
    results += [attempt(*plant) for plant in PLANTS]
    print(f"{results.count(True)} passed, {results.count(False)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
