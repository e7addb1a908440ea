#include "host_fixture.h"

#include "proto/seal.h"

static struct rig rig;
static const uint8_t *enclave32;
static struct enc_key carrier; /* any key may carry a sealed commit */
static struct enc_channel channel;

static void init(void)
{
    const uint8_t priv32[32] = {[31] = 9};
    rig_open(&rig, 1);
    enclave32 = rig_create(&rig, &(struct shape){0});
    cr_assert(enc_key_init(&carrier, rig.curve, priv32));
    cr_assert(enc_channel_derive(rig.curve, &channel, &carrier, rig.node.pub32));
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(post, .init = init, .fini = fini);

/** An envelope around text, which claims to be from and for these. */
static struct enc_bytes sealed(struct enc_bytes text, const uint8_t from32[32],
                               const uint8_t for32[32])
{
    const uint8_t nonce24[24] = {1};
    struct enc_bytes base64;
    cr_assert_eq(enc_seal_close(&base64, &rig.arena, channel.key_query32, nonce24, text),
                 ENC_ERR_OK);
    return enc_bytes_of_text(
        rig_text(&rig,
                 "{\"type\":\"Commit\",\"enclave\":\"%s\",\"from\":\"%s\",\"signer\":\"%s\","
                 "\"content\":\"%.*s\"}",
                 rig_hex(&rig, for32, 32), rig_hex(&rig, from32, 32),
                 rig_hex(&rig, carrier.pub32, 32), (int)base64.len, (const char *)base64.data));
}

static struct enc_commit note(void)
{
    return rig_sign(&rig, &(struct draft){MEMBER, enclave32, "Note", "under a seal", NULL, 0});
}

static struct enc_bytes sealed_commit(const struct enc_commit *commit)
{
    return sealed(rig_commit_json(&rig, commit), commit->from32, commit->enclave32);
}

static bool refused(struct enc_bytes body, uint16_t status, const char *code, bool has_step)
{
    struct enc_call *call = rig_post(&rig, "/", body);
    bool names_step = enc_json_get(call_json(call), "step") != NULL;
    return call_is(call, status, code) && names_step == has_step;
}

Test(post, a_sealed_commit_is_answered_with_a_sealed_receipt)
{
    struct enc_event event;
    struct enc_commit commit = note();
    struct enc_call *call = rig_post(&rig, "/", sealed_commit(&commit));
    cr_assert_eq(call->status, 200, "%.300s", call->body);
    cr_assert(json_is(call_json(call), "type", "Response"));
    const struct enc_json *receipt = rig_open_sealed(&rig, &channel, call_json(call));
    cr_assert_eq(enc_receipt_take(&event, receipt), ENC_ERR_OK);
    cr_assert_eq(enc_receipt_check(&event, rig.curve, &commit, rig.node.pub32), ENC_EVENT_SOUND);
    rig_check(&rig);
}

Test(post, over_a_socket_the_receipt_says_whose_it_is)
{
    uint8_t hash32[32];
    struct enc_commit commit = note();
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_frame(conn, sealed_commit(&commit));
    rig_settle(&rig);
    const struct enc_json *frame = conn_json(conn, 0);
    cr_assert(json_is(frame, "type", "Receipt"));
    json_hex(frame, "hash", hash32, 32);
    cr_assert_arr_eq(hash32, commit.hash32, 32);
    cr_assert(json_is(rig_open_sealed(&rig, &channel, frame), "type", "Receipt"));
}

Test(post, what_is_wrong_inside_names_its_step_and_what_is_wrong_outside_none)
{
    struct enc_commit commit = note();
    uint8_t sig0 = commit.sig64[0]++;
    cr_assert(refused(sealed_commit(&commit), 401, "INVALID_SIGNATURE", true));
    commit.sig64[0] = sig0;
    struct enc_bytes text = rig_commit_json(&rig, &commit);
    const uint8_t *stranger32 = rig.keys[STRANGER].pub32;
    cr_assert(refused(sealed(text, stranger32, enclave32), 400, "INVALID_REQUEST", false));
    cr_assert(refused(sealed(text, commit.from32, stranger32), 400, "INVALID_REQUEST", false));
    cr_assert(refused(sealed(ENC_LIT("{\"exp\":1}"), commit.from32, enclave32), 400,
                      "INVALID_COMMIT", true));
    cr_assert(
        refused(sealed(ENC_LIT("{"), commit.from32, enclave32), 400, "INVALID_REQUEST", false));
    uint8_t key0 = channel.key_query32[0]++;
    cr_assert(refused(sealed_commit(&commit), 400, "DECRYPT_FAILED", false));
    channel.key_query32[0] = key0;
    cr_assert_eq(rig_post(&rig, "/", sealed_commit(&commit))->status, 200);
    cr_assert(refused(sealed_commit(&commit), 409, "DUPLICATE", true));
}

Test(post, bodies_that_are_nothing_known)
{
    static const char *const TEXTS[] = {"",
                                        "{",
                                        "[]",
                                        "7",
                                        "{}",
                                        "{\"type\":\"Close\"}",
                                        "\"exp\"",
                                        "{\"type\":1}",
                                        "{\"a\":1,\"a\":1,\"exp\":1}"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        cr_assert(refused(enc_bytes_of_text(TEXTS[i]), 400, "INVALID_REQUEST", false), "%s",
                  TEXTS[i]);
}
