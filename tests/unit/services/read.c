/* What readers get, checked with the verifiers of proto. */
#include "host_fixture.h"

#include "proto/proof_json.h"

static struct rig rig;
static const uint8_t *enclave32;
static struct enc_event events[16];

static void init(void)
{
    rig_open(&rig, 1);
    enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 4});
    for (int i = 1; i <= 10; i++)
        events[i] = rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Message", "x", NULL, 0});
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(read, .init = init, .fini = fini);

static struct enc_sth head(void)
{
    struct enc_sth sth;
    const struct enc_json *json = call_json(rig_get(&rig, rig_path(&rig, enclave32, "/sth")));
    cr_assert_eq(enc_sth_take(&sth, json), ENC_ERR_OK);
    cr_assert(enc_sth_verify(rig.curve, &sth, rig.node.pub32));
    return sth;
}

static const struct enc_json *ask(const char *action, const char *members)
{
    struct enc_call *call;
    const struct enc_json *content = rig_ask(&rig, &call, MEMBER, rig_path(&rig, enclave32, action),
                                             enclave32, "Query", members);
    cr_assert_not_null(content, "%s", call->body);
    return content;
}

static void ask_in_vain(const char *action, const char *members, uint16_t status, const char *code)
{
    struct enc_call *call;
    cr_assert_null(rig_ask(&rig, &call, MEMBER, rig_path(&rig, enclave32, action), enclave32,
                           "Query", members));
    cr_assert(call_is(call, status, code));
}

Test(read, every_bundled_event_is_proved_up_to_the_signed_head)
{
    struct enc_sth sth = head();
    cr_assert_eq(sth.ts, 2);
    for (int i = 1; i <= 7; i++) {
        const char *id = rig_text(&rig, ",\"event_id\":\"%s\"", rig_hex(&rig, events[i].id32, 32));
        struct enc_bundle_proof member;
        struct enc_inclusion inclusion;
        cr_assert_eq(enc_bundle_proof_take(&member, ask("/bundle", id)), ENC_ERR_OK);
        cr_assert_eq(enc_inclusion_take(&inclusion, ask("/inclusion", id)), ENC_ERR_OK);
        cr_assert_arr_eq(member.event_id32, events[i].id32, 32);
        cr_assert(enc_bundle_verify(&member, inclusion.events_root32));
        cr_assert_eq(inclusion.size, sth.ts);
        cr_assert(enc_inclusion_verify(&inclusion, sth.r32));
    }
    const char *open = rig_text(&rig, ",\"event_id\":\"%s\"", rig_hex(&rig, events[9].id32, 32));
    ask_in_vain("/bundle", open, 409, "NOT_BUNDLED");
    ask_in_vain("/inclusion", open, 409, "NOT_BUNDLED");
    ask_in_vain("/inclusion", ",\"leaf_index\":2", 404, "LEAF_NOT_FOUND");
    ask_in_vain("/inclusion", ",\"leaf_index\":0,\"tree_size\":3", 400, "INVALID_RANGE");
}

Test(read, states_are_proved_against_the_root_whether_they_are_there_or_not)
{
    for (int who = 0; who < WHO_COUNT; who++) {
        struct enc_smt_proof proof;
        uint8_t root32[32];
        const struct enc_json *json =
            ask("/state", rig_text(&rig, ",\"namespace\":\"rbac\",\"key\":\"%s\"",
                                   rig_hex(&rig, rig.keys[who].pub32, 32)));
        cr_assert_eq(enc_smt_proof_take(&proof, json), ENC_ERR_OK);
        json_hex(json, "state_hash", root32, 32);
        cr_assert(enc_smt_proof_verify(&proof, root32));
        cr_assert_eq(proof.value.len, who == OWNER || who == MEMBER ? 32 : 0);
        cr_assert_eq(json_u64(json, "li"), 1);
    }
}

static const struct enc_json *leaf_of_state(void)
{
    return enc_json_get(ask("/state", rig_text(&rig, ",\"namespace\":\"rbac\",\"key\":\"%s\"",
                                               rig_hex(&rig, rig.keys[OWNER].pub32, 32))),
                        "li");
}

/* The newest leaf with that state_hash (8.6), which need not be the newest leaf. */
Test(read, a_state_that_comes_back_is_in_the_leaf_that_had_it_before)
{
    uint64_t leaf = 9;
    const char *guest = rig_text(&rig, "{\"identity\":\"%s\",\"role\":\"Admin\"}",
                                 rig_hex(&rig, rig.keys[GUEST].pub32, 32));
    enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 2, .nonce = "back"});
    struct draft note = {MEMBER, enclave32, "Note", "x", NULL, 0};
    struct draft grant = {OWNER, enclave32, "Grant", guest, NULL, 0};
    struct draft revoke = {OWNER, enclave32, "Revoke", guest, NULL, 0};
    rig_accept(&rig, &note); /* leaf 0: without the Admin */
    rig_accept(&rig, &grant);
    cr_assert_eq(leaf_of_state()->kind, ENC_JSON_NULL, "the change is still in the open bundle");
    rig_accept(&rig, &note); /* leaf 1: with the Admin */
    cr_assert(enc_json_u64(leaf_of_state(), &leaf));
    cr_assert_eq(leaf, 1);
    rig_accept(&rig, &revoke);
    cr_assert(enc_json_u64(leaf_of_state(), &leaf), "the state is that of leaf 0 again");
    cr_assert_eq(leaf, 0);
    rig_accept(&rig, &note); /* leaf 2: without the Admin */
    cr_assert(enc_json_u64(leaf_of_state(), &leaf));
    cr_assert_eq(leaf, 2, "the newest of those that have it");
}

Test(read, every_pair_of_sizes_is_consistent)
{
    const struct enc_json *json =
        call_json(rig_get(&rig, rig_path(&rig, enclave32, "/consistency?from=1")));
    struct enc_consistency proof;
    struct enc_inclusion first;
    struct enc_sth sth = head();
    cr_assert_eq(enc_consistency_take(&proof, json), ENC_ERR_OK);
    cr_assert_eq(proof.to, sth.ts);
    uint8_t leaf32[32];
    cr_assert_eq(enc_inclusion_take(&first, ask("/inclusion", ",\"leaf_index\":0,\"tree_size\":1")),
                 ENC_ERR_OK);
    enc_ct_leaf(leaf32, first.events_root32, first.state_hash32); /* the root of one leaf */
    cr_assert(enc_consistency_verify(&proof, leaf32, sth.r32));
    leaf32[0] ^= 1;
    cr_assert(!enc_consistency_verify(&proof, leaf32, sth.r32));
}

Test(read, a_head_is_never_old_and_always_signed)
{
    struct enc_sth first = head();
    rig_sleep(&rig, 50000);
    cr_assert_eq(head().t_ms, first.t_ms);
    for (int i = 0; i < 10; i++) {
        rig_sleep(&rig, 17000);
        struct enc_sth sth = head();
        cr_assert_leq(rig_now_ms(&rig) - sth.t_ms, 60000);
        cr_assert_arr_eq(sth.r32, first.r32, 32);
    }
    enclave32 = rig_create(&rig, &(struct shape){.nonce = "empty"});
    uint8_t empty32[32];
    struct enc_frontier none = {.count = 0};
    enc_frontier_root(&none, empty32);
    cr_assert_eq(head().ts, 0);
    cr_assert_arr_eq(head().r32, empty32, 32);
}

Test(read, an_old_head_is_signed_once_a_minute)
{
    rig_sleep(&rig, 70000);
    struct enc_sth first = head();
    cr_assert_eq(first.t_ms, rig_now_ms(&rig));
    rig_sleep(&rig, 20000);
    struct enc_sth again = head();
    cr_assert_eq(again.t_ms, first.t_ms);
    cr_assert_arr_eq(again.sig64, first.sig64, 64);
    rig_sleep(&rig, 40000);
    cr_assert_eq(head().t_ms, rig_now_ms(&rig));
    while (head().ts == first.ts)
        rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Message", "x", NULL, 0});
    cr_assert_eq(head().t_ms, rig_now_ms(&rig), "and when the tree has grown");
}

Test(read, pages_are_whole_and_next_is_null_at_the_end)
{
    for (int limit = 1; limit <= 11; limit++) {
        uint64_t expected = 1, after = 0;
        for (bool more = true; more;) {
            const struct enc_json *content =
                ask("", rig_text(&rig,
                                 ",\"filter\":{\"type\":\"Message\",\"limit\":%d,"
                                 "\"seq\":{\"start_after\":%u}}",
                                 limit, (unsigned)after));
            for (const struct enc_json *at = enc_json_get(content, "events")->child; at;
                 at = at->next)
                cr_assert_eq(json_u64(enc_json_get(at, "event"), "seq"), expected++);
            more = enc_json_u64(enc_json_get(content, "next"), &after);
        }
        cr_assert_eq(expected, 11);
    }
}

Test(read, a_deleted_event_is_hidden_and_so_are_its_updates)
{
    struct draft draft = {MEMBER, enclave32, "Update", "secret", events[1].id32, 0};
    rig_accept(&rig, &draft);
    draft.type = "Delete";
    draft.content = "";
    rig_accept(&rig, &draft);
    cr_assert_eq(enc_json_get(ask("", ",\"filter\":{\"seq\":1}"), "events")->count, 0);
    const struct enc_json *content = ask("", ",\"filter\":{\"seq\":1,\"status\":\"deleted\"}");
    const struct enc_json *event = enc_json_get(enc_json_get(content, "events")->child, "event");
    cr_assert_eq(enc_json_get(event, "content")->kind, ENC_JSON_NULL);
    content = ask("", ",\"filter\":{\"type\":\"Update\"}");
    event = enc_json_get(enc_json_get(content, "events")->child, "event");
    cr_assert_eq(enc_json_get(event, "content")->kind, ENC_JSON_NULL);
}

Test(read, who_may_not_read_gets_no_proof_and_a_clear_session_is_refused)
{
    struct enc_call *call;
    const char *path = rig_path(&rig, enclave32, "/info/enclave");
    cr_assert_eq(json_u64(call_json(rig_get(&rig, path)), "seq"), 10);
    const char *clear =
        rig_text(&rig,
                 "{\"type\":\"Query\",\"enclave\":\"%s\",\"from\":\"%s\","
                 "\"content\":{\"session\":\"00\",\"at\":1,\"proof\":\"00\"}}",
                 rig_hex(&rig, enclave32, 32), rig_hex(&rig, rig.keys[MEMBER].pub32, 32));
    cr_assert(call_is(rig_post(&rig, "/", enc_bytes_of_text(clear)), 401, "INVALID_SESSION"));
    const struct enc_json *none = rig_ask(&rig, &call, STRANGER, "/", enclave32, "Query",
                                          ",\"filter\":{\"type\":\"Message\"}");
    cr_assert_eq(enc_json_get(none, "events")->count, 0);
}
