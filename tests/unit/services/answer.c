/* The forms in which an answer leaves. */
#include "host_fixture.h"

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

TestSuite(answer, .init = init, .fini = fini);

static struct draft note(enum who who)
{
    return (struct draft){who, enclave32, "Note", "x", NULL, 0};
}

Test(answer, a_refusal_names_the_commit_on_a_socket_and_the_status_on_http)
{
    uint8_t hash32[32];
    struct draft draft = note(STRANGER);
    struct enc_commit commit = rig_sign(&rig, &draft);
    struct enc_bytes body = rig_commit_json(&rig, &commit);
    cr_assert(call_is(rig_post(&rig, "/", body), 403, "UNAUTHORIZED"));
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_frame(conn, body);
    rig_settle(&rig);
    const struct enc_json *frame = conn_json(conn, 0);
    cr_assert(json_is(frame, "type", "Error"));
    cr_assert(json_is(frame, "code", "UNAUTHORIZED"));
    json_hex(frame, "hash", hash32, 32);
    cr_assert_arr_eq(hash32, commit.hash32, 32);
    cr_assert_null(enc_json_get(frame, "sub_id"));
}

Test(answer, a_refused_subscription_names_its_sub_id_and_no_hash)
{
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_subscribe(conn, enclave32, "mine", "{\"limit\":0}");
    rig_settle(&rig);
    const struct enc_json *frame = conn_json(conn, 0);
    cr_assert_not_null(frame);
    cr_assert(json_is(frame, "code", "INVALID_FILTER"));
    cr_assert(json_is(frame, "sub_id", "mine"));
    cr_assert_null(enc_json_get(frame, "hash"));
}

/* One commit twice: the second answer is the first one, whichever way it came. */
Test(answer, a_receipt_is_the_same_on_both_ways)
{
    struct enc_event first, second;
    struct draft draft = note(MEMBER);
    struct enc_commit commit = rig_sign(&rig, &draft);
    struct enc_bytes body = rig_commit_json(&rig, &commit);
    struct enc_call *call = rig_post(&rig, "/", body);
    cr_assert_eq(call->status, 200);
    cr_assert_eq(enc_receipt_take(&first, call_json(call)), ENC_ERR_OK);
    cr_assert_eq(enc_receipt_check(&first, rig.curve, &commit, rig.node.pub32), ENC_EVENT_SOUND);
    struct draft next = note(MEMBER);
    struct enc_commit other = rig_sign(&rig, &next);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_frame(conn, rig_commit_json(&rig, &other));
    rig_settle(&rig);
    cr_assert_eq(enc_receipt_take(&second, conn_json(conn, 0)), ENC_ERR_OK);
    cr_assert_eq(enc_receipt_check(&second, rig.curve, &other, rig.node.pub32), ENC_EVENT_SOUND);
    cr_assert_eq(second.seq, first.seq + 1);
    cr_assert_eq(conn_json(conn, 0)->count, call_json(call)->count);
}

Test(answer, only_a_sealed_question_gets_a_sealed_answer)
{
    struct enc_call *call;
    const struct enc_json *content =
        rig_ask(&rig, &call, MEMBER, "/", enclave32, "Query", ",\"filter\":{\"type\":\"Nothing\"}");
    cr_assert_not_null(content, "%s", call->body);
    cr_assert_null(strstr(call->body, "events"), "%s", call->body);
    cr_assert_not_null(enc_json_get(content, "events"));
    const char *clear = rig_text(&rig, "{\"type\":\"Query\",\"enclave\":\"%s\",\"content\":{}}",
                                 rig_hex(&rig, enclave32, 32));
    call = rig_post(&rig, "/", enc_bytes_of_text(clear));
    cr_assert_not_null(strstr(call->body, "\"events\""), "%s", call->body);
}
