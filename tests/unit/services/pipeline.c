#include "host_fixture.h"

#include "actors/splitmix.h"

static struct rig rig;
static const uint8_t *enclave32;

static void init(void)
{
    rig_open(&rig, 1);
    enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 4});
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(pipeline, .init = init, .fini = fini);

static struct draft draft_of(enum who who, const char *type, const char *content)
{
    return (struct draft){who, enclave32, type, content, NULL, 0};
}

static struct enc_event accept(enum who who, const char *type, const char *content)
{
    struct draft draft = draft_of(who, type, content);
    return rig_accept(&rig, &draft);
}

static const char *about(enum who who, const char *rest)
{
    return rig_text(&rig, "{\"identity\":\"%s\",%s}", rig_hex(&rig, rig.keys[who].pub32, 32), rest);
}

/* Send, and nothing in the store may have changed. */
static void refuse(struct enc_bytes body, uint16_t status, const char *code, uint64_t step)
{
    uint8_t before32[32], after32[32];
    rig_dump(&rig, before32);
    struct enc_call *call = rig_post(&rig, "/", body);
    rig_dump(&rig, after32);
    cr_assert(call_is(call, status, code), "%s", code);
    if (step)
        cr_assert_eq(json_u64(call_json(call), "step"), step);
    cr_assert_arr_eq(before32, after32, 32, "%s changed nothing", code);
}

static void refuse_draft(struct draft draft, uint16_t status, const char *code, uint64_t step)
{
    refuse(rig_body(&rig, &draft), status, code, step);
}

/* ---- the walk, step by step ---- */

Test(pipeline, a_commit_becomes_an_event_and_a_receipt)
{
    struct enc_event event = accept(MEMBER, "Message", "hello");
    cr_assert_eq(event.seq, 1);
    cr_assert_eq(event.type_seq, 1);
    cr_assert_eq(event.timestamp_ms, rig_now_ms(&rig));
    event = accept(MEMBER, "Message", "hello");
    cr_assert_eq(event.seq, 2);
    cr_assert_eq(event.type_seq, 2);
    rig_check(&rig);
}

Test(pipeline, step_1_structure)
{
    struct draft draft = draft_of(MEMBER, "no type", "x");
    refuse_draft(draft, 400, "INVALID_COMMIT", 1);
    draft.type = "Shared";
    refuse_draft(draft, 400, "INVALID_COMMIT", 1);
    draft.type = "Update";
    refuse_draft(draft, 400, "INVALID_COMMIT", 1);
}

Test(pipeline, step_2_expiration)
{
    struct draft draft = draft_of(MEMBER, "Message", "x");
    draft.exp_ms = rig_now_ms(&rig) - 60001;
    refuse_draft(draft, 400, "EXPIRED", 2);
    draft.exp_ms = rig_now_ms(&rig) + 3600001;
    refuse_draft(draft, 400, "EXP_TOO_FAR", 2);
    draft.exp_ms = rig_now_ms(&rig) - 60000;
    rig_accept(&rig, &draft);
    draft.exp_ms = rig_now_ms(&rig) + 3600000;
    rig_accept(&rig, &draft);
}

Test(pipeline, steps_3_and_4_hash_and_signature)
{
    struct draft draft = draft_of(MEMBER, "Message", "x");
    struct enc_commit commit = rig_sign(&rig, &draft);
    commit.hash32[3] ^= 1;
    refuse(rig_commit_json(&rig, &commit), 400, "INVALID_HASH", 3);
    commit.has_hash = false;
    commit.sig64[3] ^= 1;
    refuse(rig_commit_json(&rig, &commit), 401, "INVALID_SIGNATURE", 4);
    commit.sig64[3] ^= 1;
    cr_assert_eq(rig_post(&rig, "/", rig_commit_json(&rig, &commit))->status, 200);
}

Test(pipeline, step_5_a_duplicate_gets_its_receipt_again)
{
    struct draft draft = draft_of(MEMBER, "Message", "x");
    struct enc_bytes body = rig_body(&rig, &draft);
    struct enc_event event;
    cr_assert_eq(rig_post(&rig, "/", body)->status, 200);
    refuse(body, 409, "DUPLICATE", 5);
    struct enc_call *call = rig_post(&rig, "/", body);
    cr_assert_eq(enc_receipt_take(&event, enc_json_get(call_json(call), "receipt")), ENC_ERR_OK);
    cr_assert_eq(event.seq, 1);
    rig_restart(&rig);
    refuse(body, 409, "DUPLICATE", 5);
}

Test(pipeline, step_6_lifecycle)
{
    uint8_t nowhere32[32] = {5};
    struct draft draft = draft_of(MEMBER, "Message", "x");
    draft.enclave32 = nowhere32;
    refuse_draft(draft, 404, "ENCLAVE_NOT_FOUND", 6);
    accept(OWNER, "Pause", "");
    refuse_draft(draft_of(MEMBER, "Message", "x"), 403, "ENCLAVE_PAUSED", 6);
    refuse_draft(draft_of(OWNER, "Pause", ""), 403, "ENCLAVE_PAUSED", 6);
    accept(OWNER, "Resume", "");
    refuse_draft(draft_of(OWNER, "Resume", ""), 400, "INVALID_COMMIT", 8);
    accept(OWNER, "Terminate", "");
    refuse_draft(draft_of(MEMBER, "Message", "x"), 410, "ENCLAVE_TERMINATED", 6);
    refuse_draft(draft_of(OWNER, "Resume", ""), 410, "ENCLAVE_TERMINATED", 6);
    rig_check(&rig);
}

Test(pipeline, step_6_migrated_names_the_new_sequencer)
{
    struct enc_json const *head = call_json(rig_get(&rig, rig_path(&rig, enclave32, "/sth")));
    struct enc_bytes root;
    cr_assert(enc_json_text(enc_json_get(head, "r"), &root));
    const char *pub = rig_hex(&rig, rig.keys[GUEST].pub32, 32);
    const char *wrong =
        rig_text(&rig, "{\"new_sequencer\":\"%s\",\"prev_seq\":7,\"ct_root\":\"%.*s\"}", pub,
                 (int)root.len, (const char *)root.data);
    refuse_draft(draft_of(OWNER, "Migrate", wrong), 400, "INVALID_CONTENT", 8);
    const char *right =
        rig_text(&rig, "{\"new_sequencer\":\"%s\",\"prev_seq\":0,\"ct_root\":\"%.*s\"}", pub,
                 (int)root.len, (const char *)root.data);
    accept(OWNER, "Migrate", right);
    struct draft draft = draft_of(MEMBER, "Message", "x");
    struct enc_call *call = rig_commit(&rig, &draft);
    cr_assert(call_is(call, 410, "ENCLAVE_MIGRATED"));
    cr_assert(json_is(call_json(call), "new_sequencer", pub));
    rig_check(&rig);
}

Test(pipeline, step_7_rbac_and_gates)
{
    refuse_draft(draft_of(STRANGER, "Message", "x"), 403, "UNAUTHORIZED", 7);
    refuse_draft(draft_of(MEMBER, "Unnamed", "x"), 403, "UNAUTHORIZED", 7);
    refuse_draft(draft_of(MEMBER, "Pause", ""), 403, "UNAUTHORIZED", 7);
    accept(OWNER, "Gate", "{\"event\":\"Message\",\"open\":false}");
    refuse_draft(draft_of(MEMBER, "Message", "x"), 403, "GATE_CLOSED", 7);
    accept(OWNER, "Message", "an Owner passes");
    accept(OWNER, "Gate", "{\"event\":\"Message\",\"open\":true}");
    accept(MEMBER, "Message", "x");
    rig_check(&rig);
}

Test(pipeline, step_8_access_control)
{
    const char *grant = about(STRANGER, "\"role\":\"Member\"");
    refuse_draft(draft_of(OWNER, "Grant", "no JSON"), 400, "INVALID_CONTENT", 8);
    refuse_draft(draft_of(OWNER, "Revoke", grant), 409, "TARGET_LACKS_ROLE", 8);
    refuse_draft(draft_of(OWNER, "Grant", about(STRANGER, "\"role\":\"Owner\"")), 403,
                 "UNAUTHORIZED", 8);
    accept(OWNER, "Grant", grant);
    accept(STRANGER, "Message", "now a member");
    accept(STRANGER, "Revoke", grant);
    refuse_draft(draft_of(STRANGER, "Message", "x"), 403, "UNAUTHORIZED", 7);
    rig_check(&rig);
}

Test(pipeline, an_ac_bundle_is_all_or_nothing)
{
    const char *entry = "{\"type\":\"%s\",\"identity\":\"%s\",\"role\":\"%s\"}";
    const char *pub = rig_hex(&rig, rig.keys[STRANGER].pub32, 32);
    const char *grant = rig_text(&rig, entry, "Grant", pub, "Member");
    const char *revoke = rig_text(&rig, entry, "Revoke", pub, "Admin");
    const char *admin = rig_text(&rig, entry, "Grant", pub, "Admin");
    refuse_draft(
        draft_of(OWNER, "AC_Bundle", rig_text(&rig, "{\"operations\":[%s,%s]}", grant, revoke)),
        409, "TARGET_LACKS_ROLE", 8);
    refuse_draft(draft_of(STRANGER, "Message", "x"), 403, "UNAUTHORIZED", 7);
    accept(OWNER, "AC_Bundle", rig_text(&rig, "{\"operations\":[%s,%s,%s]}", grant, admin, revoke));
    accept(STRANGER, "Message", "x");
    rig_check(&rig);
}

Test(pipeline, update_and_delete)
{
    struct enc_event event = accept(MEMBER, "Message", "first");
    struct draft draft = draft_of(MEMBER, "Update", "second");
    uint8_t unknown32[32] = {3};
    draft.target32 = unknown32;
    refuse_draft(draft, 404, "EVENT_NOT_FOUND", 8);
    draft.target32 = event.id32;
    draft.who = OWNER;
    refuse_draft(draft, 403, "UNAUTHORIZED", 7);
    draft.who = MEMBER;
    struct enc_event update = rig_accept(&rig, &draft);
    draft.target32 = update.id32;
    refuse_draft(draft, 400, "INVALID_CONTENT", 8);
    draft = draft_of(MEMBER, "Delete", "{\"reason\":\"author\"}");
    draft.target32 = event.id32;
    rig_accept(&rig, &draft);
    refuse_draft(draft, 409, "ALREADY_DELETED", 8);
    draft.type = "Update";
    refuse_draft(draft, 409, "ALREADY_DELETED", 8);
    rig_check(&rig);
}

/* ---- Manifests ---- */

Test(pipeline, manifest_rules)
{
    const char *content = rig_manifest(&rig, &(struct shape){.nonce = "other"});
    struct enc_commit commit = rig_sign_manifest(&rig, content);
    struct enc_bytes body = rig_commit_json(&rig, &commit);
    struct draft wrong = {OWNER, enclave32, "Manifest", content, NULL, 0};
    refuse_draft(wrong, 409, "ENCLAVE_EXISTS", 6);
    uint8_t nowhere32[32] = {5};
    wrong.enclave32 = nowhere32;
    refuse_draft(wrong, 400, "INVALID_MANIFEST", 6);
    wrong.content = "{\"enc_v\":2}";
    refuse_draft(wrong, 400, "INVALID_MANIFEST", 6);
    cr_assert_eq(rig_post(&rig, "/", body)->status, 200);
    refuse(body, 409, "DUPLICATE", 5);
    struct enc_commit again = rig_sign_manifest(&rig, content);
    refuse(rig_commit_json(&rig, &again), 409, "ENCLAVE_EXISTS", 6);
    rig_check(&rig);
}

/* ---- several commits of one run ---- */

Test(pipeline, commits_of_one_run_see_what_is_staged_before_them)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        const char *content =
            rig_manifest(&rig, &(struct shape){.nonce = rig_text(&rig, "%u", (unsigned)seed)});
        struct enc_commit manifest = rig_sign_manifest(&rig, content);
        enclave32 = manifest.enclave32;
        struct draft grant = draft_of(OWNER, "Grant", about(STRANGER, "\"role\":\"Member\""));
        struct draft hello = draft_of(STRANGER, "Message", "hello");
        struct enc_bytes twice = rig_body(&rig, &hello);
        struct enc_call *calls[] = {
            rig_send(&rig, "/", rig_commit_json(&rig, &manifest)),
            rig_send(&rig, "/", rig_body(&rig, &hello)), /* too early */
            rig_send(&rig, "/", rig_body(&rig, &grant)),
            rig_send(&rig, "/", twice),
            rig_send(&rig, "/", twice),
        };
        rig_settle(&rig);
        cr_assert_eq(calls[0]->status, 200, "%s", calls[0]->body);
        cr_assert(call_is(calls[1], 403, "UNAUTHORIZED"));
        cr_assert_eq(calls[2]->status, 200, "%s", calls[2]->body);
        cr_assert_eq(calls[3]->status, 200, "%s", calls[3]->body);
        cr_assert(call_is(calls[4], 409, "DUPLICATE"));
        const struct enc_json *receipt = enc_json_get(call_json(calls[4]), "receipt");
        cr_assert_eq(json_u64(receipt, "seq"), 2);
        for (int i = 1; i < 5; i++)
            cr_assert_gt(calls[i]->order, calls[i - 1]->order);
    }
    rig_check(&rig);
}

/* ---- any refusal, any state: nothing changes; any acceptance: exactly one event more ---- */

static struct draft random_draft(uint64_t *random)
{
    static const char *const TYPES[] = {"Message", "Note",   "Grant",  "Revoke",
                                        "Gate",    "Pause",  "Resume", "Other",
                                        "Update",  "Delete", "Move",   "Transfer_Owner"};
    static const char *const CONTENTS[] = {"", "{}", "x", "{\"event\":\"Note\",\"open\":false}",
                                           "{\"event\":\"Note\",\"open\":true}"};
    struct draft draft = {.enclave32 = enclave32};
    draft.who = (enum who)(enc_splitmix(random) % WHO_COUNT);
    draft.type = TYPES[enc_splitmix(random) % 12];
    uint64_t kind = enc_splitmix(random) % 8;
    draft.content = kind < 5    ? CONTENTS[kind]
                    : kind == 5 ? about(STRANGER, "\"role\":\"Member\"")
                    : kind == 6 ? about(MEMBER, "\"role\":\"Admin\"")
                                : about(GUEST, "\"from\":null,\"to\":\"Member\"");
    return draft;
}

Test(pipeline, random_commits_change_all_or_nothing)
{
    uint64_t random = 42;
    uint64_t next_seq = 1;
    uint8_t target32[32] = {1};
    for (int i = 0; i < 400; i++) {
        uint8_t before32[32], after32[32];
        struct draft draft = random_draft(&random);
        draft.target32 = target32;
        rig_dump(&rig, before32);
        struct enc_call *call = rig_commit(&rig, &draft);
        rig_dump(&rig, after32);
        bool is_accepted = call->status == 200;
        cr_assert_eq(is_accepted, memcmp(before32, after32, 32) != 0, "%s", call->body);
        if (is_accepted) {
            cr_assert_eq(json_u64(call_json(call), "seq"), next_seq++);
            json_hex(call_json(call), "id", target32, 32);
        }
    }
    cr_assert_gt(next_seq, 20);
    rig_check(&rig);
}
