#include "services/quota.h"

#include "host_fixture.h"

static struct rig rig;

static void start(uint32_t rate_key, uint32_t rate_enclave)
{
    rig_init(&rig, 7);
    rig.config.limits.rate_key = rate_key;
    rig.config.limits.rate_key_burst = 3;
    rig.config.limits.rate_enclave = rate_enclave;
    rig.config.limits.rate_enclave_burst = 4;
    rig_start(&rig);
}

static struct enc_call *say(enum who who, const uint8_t *enclave32, const char *text)
{
    return rig_commit(
        &rig,
        &(struct draft){.who = who, .enclave32 = enclave32, .type = "Message", .content = text});
}

TestSuite(quota);

Test(quota, a_key_is_refused_beyond_its_burst_and_let_in_again)
{
    start(1, 0);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 0});
    rig_sleep(&rig, 5000);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(say(OWNER, enclave32, "x")->status, 200);
    const struct enc_call *refused = say(OWNER, enclave32, "x");
    cr_assert(call_is(refused, 429, "RATE_LIMITED"));
    cr_assert_eq(refused->retry_s, 1);
    cr_assert_eq(json_u64(call_json(refused), "retry_after"), 1);
    cr_assert_eq(say(MEMBER, enclave32, "x")->status, 200, "another key has its own bucket");
    rig_sleep(&rig, 1000);
    cr_assert_eq(say(OWNER, enclave32, "x")->status, 200);
    struct enc_host_counts counts;
    enc_host_counts(rig.host, &counts);
    cr_assert_eq(counts.key_refusals, 1);
    rig_close(&rig);
}

Test(quota, who_cannot_sign_cannot_empty_anothers_bucket)
{
    start(1, 0);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 0});
    rig_sleep(&rig, 5000);
    for (int i = 0; i < 20; i++) {
        struct enc_commit commit = rig_sign(
            &rig, &(struct draft){
                      .who = OWNER, .enclave32 = enclave32, .type = "Message", .content = "x"});
        commit.sig64[5] ^= 1;
        const struct enc_call *call = rig_post(&rig, "/", rig_commit_json(&rig, &commit));
        cr_assert(call_is(call, 401, "INVALID_SIGNATURE"));
    }
    cr_assert_eq(say(OWNER, enclave32, "x")->status, 200);
    rig_close(&rig);
}

Test(quota, sessions_count_by_their_key)
{
    struct enc_call *call = NULL;
    start(1, 0);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 0});
    const char *path = rig_path(&rig, enclave32, "");
    rig_sleep(&rig, 5000);
    for (int i = 0; i < 3; i++)
        cr_assert_not_null(
            rig_ask(&rig, &call, MEMBER, path, enclave32, "Query", ",\"filter\":{}"));
    cr_assert_null(rig_ask(&rig, &call, MEMBER, path, enclave32, "Query", ",\"filter\":{}"));
    cr_assert(call_is(call, 429, "RATE_LIMITED"));
    cr_assert(call_is(say(MEMBER, enclave32, "x"), 429, "RATE_LIMITED"), "commits and reads alike");
    rig_close(&rig);
}

Test(quota, an_enclave_is_refused_at_its_mailbox)
{
    start(0, 1);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 0});
    const uint8_t *other32 = rig_create(&rig, &(struct shape){.nonce = "other"});
    rig_sleep(&rig, 10000);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(say(i % 2 ? OWNER : MEMBER, enclave32, "x")->status, 200);
    cr_assert(call_is(say(OWNER, enclave32, "x"), 429, "RATE_LIMITED"));
    cr_assert_eq(say(OWNER, other32, "x")->status, 200);
    struct enc_host_counts counts;
    enc_host_counts(rig.host, &counts);
    cr_assert_eq(counts.enclave_refusals, 1);
    rig_close(&rig);
}

Test(quota, a_socket_gets_an_error_frame_that_names_its_cause)
{
    start(0, 1);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 0});
    rig_sleep(&rig, 10000);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    for (int i = 0; i < 5; i++)
        rig_subscribe(conn, enclave32, rig_text(&rig, "s%d", i), "{}");
    rig_settle(&rig);
    cr_assert_eq(conn_count(conn, "EOSE", NULL), 4);
    cr_assert_eq(conn_count(conn, "Error", "s4"), 1);
    rig_close(&rig);
}

Test(quota, a_message_of_a_refused_address_is_answered_by_name)
{
    const struct enc_quota quota = {"address", {.retry_s = 2}};
    rig_open(&rig, 7);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){.bundle_size = 0});
    struct enc_conn *conn = rig_connect(&rig, NULL);
    const struct draft draft = {
        .who = OWNER, .enclave32 = enclave32, .type = "Message", .content = "x"};
    struct enc_commit commit = rig_sign(&rig, &draft);
    enc_host_socket_refuse(conn->socket, rig_commit_json(&rig, &commit), &quota);
    enc_host_socket_refuse(conn->socket, ENC_LIT("{\"type\":\"Query\",\"sub_id\":\"q\"}"), &quota);
    enc_host_socket_refuse(conn->socket, ENC_LIT("no JSON"), &quota);
    rig_settle(&rig);
    cr_assert_eq(conn_count(conn, "Error", NULL), 3);
    const struct enc_json *first = conn_json(conn, 0);
    cr_assert(json_is(first, "code", "RATE_LIMITED"));
    cr_assert(json_is(first, "hash", rig_hex(&rig, commit.hash32, 32)));
    cr_assert_eq(json_u64(first, "retry_after"), 2);
    cr_assert(json_is(conn_json(conn, 1), "sub_id", "q"));
    rig_close(&rig);
}
