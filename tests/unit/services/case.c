/* What commits are judged by, seen from outside: which facts a verdict was built on. */
#include "services/case.h"

#include "host_fixture.h"

#include "services/exchange.h"

static struct rig rig;
static const uint8_t *enclave32;

static void init(void)
{
    rig_open(&rig, 1);
    enclave32 = rig_create(&rig, &(struct shape){0});
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(case, .init = init, .fini = fini);

Test(case, steps_1_to_4_see_the_commit_and_what_it_claims)
{
    struct enc_case c;
    struct draft draft = {MEMBER, enclave32, "Update", "x", NULL, 0};
    uint8_t target32[32] = {1};
    draft.target32 = target32;
    struct enc_exchange *exchange = enc_exchange_new(rig.host);
    cr_assert_not_null(exchange);
    exchange->commit = rig_sign(&rig, &draft);
    exchange->service = 3;
    exchange->commit.has_hash = false;
    enc_case_init(&c, exchange, 77);
    cr_assert_null(c.claimed_hash32);
    cr_assert_eq(c.now_ms, 77);
    cr_assert_eq(c.service, 3);
    cr_assert_eq(c.type, ENC_TYPE_UPDATE);
    exchange->commit.has_hash = true;
    enc_case_init(&c, exchange, 78);
    cr_assert_eq(c.claimed_hash32, exchange->claimed_hash32, "not the one that is computed");
    enc_exchange_free(exchange);
}

/* Both commits of a run: the second is judged by what the first one staged. */
Test(case, a_run_sees_its_own_commits)
{
    struct draft draft = {MEMBER, enclave32, "Note", "x", NULL, 0};
    struct enc_commit commit = rig_sign(&rig, &draft);
    struct enc_bytes note = rig_commit_json(&rig, &commit);
    const char *about = rig_text(&rig, "{\"identity\":\"%s\",\"role\":\"Member\"}",
                                 rig_hex(&rig, rig.keys[GUEST].pub32, 32));
    struct enc_bytes grant =
        rig_body(&rig, &(struct draft){OWNER, enclave32, "Grant", about, NULL, 0});
    struct enc_bytes late = rig_body(&rig, &(struct draft){GUEST, enclave32, "Note", "y", NULL, 0});
    const struct enc_call *calls[] = {
        rig_send(&rig, "/", note),
        rig_send(&rig, "/", note),
        rig_send(&rig, "/", grant),
        rig_send(&rig, "/", late),
    };
    rig_settle(&rig);
    struct enc_event first, again;
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(calls[i]->status, i == 1 ? 409 : 200, "%zu: %s", i, calls[i]->body);
    cr_assert_eq(enc_receipt_take(&first, call_json(calls[0])), ENC_ERR_OK);
    cr_assert_eq(enc_receipt_take(&again, enc_json_get(call_json(calls[1]), "receipt")),
                 ENC_ERR_OK);
    cr_assert(call_is(calls[1], 409, "DUPLICATE"));
    cr_assert_arr_eq(first.id32, again.id32, 32);
    rig_check(&rig);
}

/* The status of a target is what the log says now. */
Test(case, a_deleted_target_is_known_as_such)
{
    struct draft note = {MEMBER, enclave32, "Message", "x", NULL, 0};
    struct enc_event target = rig_accept(&rig, &note);
    struct draft update = {MEMBER, enclave32, "Update", "y", target.id32, 0};
    struct draft removal = {MEMBER, enclave32, "Delete", "", target.id32, 0};
    rig_accept(&rig, &update);
    rig_accept(&rig, &removal);
    update.content = "z";
    struct enc_call *call = rig_commit(&rig, &update);
    cr_assert(call_is(call, 409, "ALREADY_DELETED"), "%d %s", call->status, call->body);
    uint8_t nobody32[32] = {9};
    update.target32 = nobody32;
    struct enc_call *lost = rig_commit(&rig, &update);
    cr_assert(call_is(lost, 404, "EVENT_NOT_FOUND"), "%d %s", lost->status, lost->body);
}
