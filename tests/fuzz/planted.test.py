#!/usr/bin/env python3
"""What each fuzz target is worth: a bug is planted in a copy of the sources, and the target must find it in seconds.

The copy is built once without sanitizers; a bug is one edit of one file, which is built into one target. It starts from
the corpora of the tree. Prints a line "target, bug, executions" each and closes with "N passed, N failed, N skipped".
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 40

# target, file, what is wrong, the text that is replaced (once), the text instead
PLANTS = [
    ("json", "proto/json.c", "a name may come twice",
     "return out->kind == ENC_JSON_OBJECT ? check_names(p, out) : ENC_ERR_OK;", "return ENC_ERR_OK;"),
    ("json", "proto/json.c", "a low surrogate may be a high one", "*low >= 0xdc00", "*low >= 0xd800"),
    ("json", "proto/json.c", "bytes behind the value", "return p.at == p.end ? ENC_ERR_OK : BAD;", "return ENC_ERR_OK;"),
    ("json", "proto/json.c", "a level less", "p->depth == ENC_JSON_DEPTH_MAX", "p->depth + 1 == ENC_JSON_DEPTH_MAX"),
    ("commit", "proto/tags.c", "a member more in a tag",
     "json->count > ENC_TAG_MEMBER_COUNT_MAX", "json->count > ENC_TAG_MEMBER_COUNT_MAX + 1"),
    ("commit", "proto/cbor.c", "heads of 24 are too short", "if (value < 24)", "if (value <= 24)"),
    ("commit", "proto/commit.c", "expired a millisecond early",
     "commit->exp_ms + ENC_EXP_PAST_MS < now_ms", "commit->exp_ms + ENC_EXP_PAST_MS <= now_ms"),
    ("commit", "proto/commit_decode.c", "a sig of any length",
     "refuse_unless(enc_json_hex(json, taking->out->sig64, 64))",
     "refuse_unless(enc_json_hex(json, taking->out->sig64, 64) || enc_json_hex(json, taking->out->sig64, 63))"),
    ("manifest", "proto/manifest.c", "a role may be named Public", '"Any", "Public", ', '"Any", '),
    ("manifest", "proto/manifest_rows.c", "targets on any row",
     "json->kind != ENC_JSON_ARRAY || !enc_type_row(enc_type_of(row->event))->has_targets",
     "json->kind != ENC_JSON_ARRAY"),
    ("manifest", "proto/manifest_initial.c", "no Owner is needed", "    return has_owner;", "    return true;"),
    ("rbac", "proto/rbac.c", "a grant beats a deny", "(granted & ~denied) >> op", "granted >> op"),
    ("rbac", "proto/rbac.c", "the gate is asked before RBAC",
     "    if (!enc_rbac_permits(manifest, roles, type, ENC_OP_CREATE, actor))\n        return ENC_ERR_UNAUTHORIZED;\n",
     "    if (enc_gates_stop(gates, type) && !enc_roles_have(roles, ENC_ROLE_OWNER))\n        return ENC_ERR_GATE_CLOSED;\n"
     "    if (!enc_rbac_permits(manifest, roles, type, ENC_OP_CREATE, actor))\n        return ENC_ERR_UNAUTHORIZED;\n"),
    ("rbac", "proto/rbac.c", "a wildcard hands out Grant", "!enc_type_is_predefined(type)", "true"),
    ("filter", "proto/span.c", "start_after is start_at",
     'value + enc_bytes_is(json->key, "start_after")', "value"),
    ("filter", "proto/filter_match.c", "the last member of a tag counts", "tag->members[1]", "tag->members[tag->count - 1]"),
    ("filter", "proto/filter_copy.c", "a copy forgets the statuses",
     "    *out = *filter;\n", "    *out = *filter;\n    out->statuses = 3;\n"),
    ("session", "proto/session.c", "a proof is of any time", "!is_near(proof->at_ms, claim->now_ms) ||",
     "(is_near(proof->at_ms, claim->now_ms) && false) ||"),
    ("session", "proto/session.c", "the window is a millisecond longer", "return now_ms < until_ms(session) ?",
     "return now_ms <= until_ms(session) ?"),
    ("session", "proto/session.c", "the equation is not asked",
     "    if (!equation_holds(curve, session, from32))\n        return ENC_ERR_INVALID_SESSION;\n", "    (void)equation_holds;\n"),
    ("seal", "proto/base/hex.c", "unused bits of base64 may be set",
     "(len == 1 && (bits & 0xffff)) || (len == 2 && (bits & 0xff))", "false"),
    ("head", "net/head.c", "two Content-Lengths", "++counts->content_length > 1", "++counts->content_length > 2"),
    ("head", "net/head.c", "a length that overflows", "value.len <= 19", "value.len <= 21"),
    ("frames", "net/conn.c", "a message keeps the one before it", "    conn->message.len = 0;\n", ""),
    ("frames", "net/conn.c", "controls are part of messages", "conn->is_control || chunk->data_length == 0",
     "chunk->data_length == 0"),
    ("config", "net/config_print.c", "quotes are printed as they are", "*text == '\"' || *text == '\\\\'",
     "*text == '\\\\'"),
    ("config", "net/config_row.c", "any bytes are text", "!enc_utf8_is_valid(enc_bytes_of_text(text))", "false"),
    ("rows", "proto/gates.c", "a gate twice", "compare(types[i - 1], name) >= 0", "compare(types[i - 1], name) > 0"),
    ("rows", "proto/smt_node.c", "bits below a branch", "memcmp(out->key21, record.data + 2, ENC_SMT_KEY_LEN) == 0 &&",
     "true &&"),
    ("store", "store/enclave.c", "an ordinal of 0", "out->ord > 0 ? ENC_ERR_OK : ENC_ERR_INTERNAL", "ENC_ERR_OK"),
    ("store", "store/push.c", "a form that is not stored", "    value[8] = row->form;\n", "    value[8] = 0;\n"),
    ("message", "services/socket.c", "binary messages are taken", "    if (is_binary) {", "    if (false) {"),
    ("message", "services/socket.c", "what is unknown is not answered",
     "    (void)socket;\n    enc_answer_err(exchange, ENC_ERR_INVALID_REQUEST);",
     "    (void)socket;\n    enc_exchange_free(exchange);"),
    ("damage", "services/read.c", "a head of another enclave",
     "!enc_state_is_of(&read->state, exchange->enclave32, &row)", "false"),
    ("import", "proto/replay.c", "type_seq is not counted", "count->count != c->event->type_seq", "false"),
]


def edit(path, old, new):
    text = path.read_text()
    changed, count = old.subn(lambda _: new, text) if hasattr(old, "subn") else (text.replace(old, new), text.count(old))
    if count != 1:
        raise ValueError(f"{count} places instead of one")
    path.write_text(changed)
    return text


def run(*words, **more):
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **more)


def prepare(folder):
    source, build = folder / "source", folder / "build"
    names = run("git", "-C", ROOT, "ls-files").stdout.decode().splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    made = run("cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_C_COMPILER=clang", "-DCMAKE_BUILD_TYPE=Debug",
               "-DENC_SANITIZE=fuzzer-no-link", "-DENC_TESTS=OFF")
    built = run("cmake", "--build", build, "--target", "fuzzers")
    if made.returncode or built.returncode:
        sys.exit((made.stdout + built.stdout).decode()[-4000:])
    return source, build


def seek(source, build, folder, target):
    """None when it was not found, else what the target said of it."""
    built = run("cmake", "--build", build, "--target", f"fuzz_{target}")
    if built.returncode:
        raise ValueError("does not compile: " + built.stdout.decode()[-1500:])
    inputs = folder / "inputs" / target
    shutil.rmtree(inputs, ignore_errors=True)
    inputs.mkdir(parents=True)
    run("tar", "-xzf", source / f"tests/fuzz/corpus/{target}.tar.gz", "-C", inputs)
    for path in (source / "tests/fuzz/corpus" / target).glob("*"):
        shutil.copy2(path, inputs / path.name)
    words = source / f"tests/fuzz/{target}.dict"
    done = run(build / f"fuzz_{target}", inputs, f"-max_total_time={SECONDS}", "-detect_leaks=0", "-max_len=1024",
               "-seed=1", f"-artifact_prefix={folder}/", "-print_final_stats=1", *([f"-dict={words}"] if words.exists() else []))
    text = done.stdout.decode(errors="replace")
    count = re.search(r"executed_units:\s*(\d+)", text)
    return (count.group(1) if count else "?") if done.returncode else None


def main(only):
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="enc-planted-") as name:
        folder = pathlib.Path(name)
        source, build = prepare(folder)
        for target, file, what, old, new in PLANTS:
            if only and target not in only:
                continue
            try:
                kept = edit(source / file, old, new)
                found = seek(source, build, folder, target)
                (source / file).write_text(kept)
            except ValueError as wrong:
                found, what = None, f"{what}: {wrong}"
            print(f"{'ok     ' if found else 'FAILED '} {target:10} {what}: "
                  f"{f'found after {found} executions' if found else 'not found'}", flush=True)
            passed, failed = passed + bool(found), failed + (not found)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
