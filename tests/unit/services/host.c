#include "host_fixture.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(host, .fini = fini);

Test(host, a_bad_node_key_is_refused_with_a_reason)
{
    const char *why = NULL;
    struct enc_host *host = NULL;
    uint8_t zero32[32] = {0};
    rig_open(&rig, 1);
    struct enc_host_config config = rig.config;
    config.node_priv32 = zero32;
    cr_assert_eq(enc_host_start(&host, &config, &why), ENC_ERR_INTERNAL);
    cr_assert_str_eq(why, "the node key is not valid");
}

Test(host, the_key_lives_where_it_is_told_and_is_wiped_there)
{
    struct enc_key key = {.pub32 = {0}};
    uint8_t zero[sizeof key] = {0};
    rig_init(&rig, 1);
    rig.config.key_memory = &key;
    rig_start(&rig);
    cr_assert_arr_eq(key.pub32, rig.node.pub32, 32);
    rig_create(&rig, &(struct shape){0});
    rig_stop(&rig);
    cr_assert_arr_eq(&key, zero, sizeof key);
}

Test(host, a_drained_host_refuses_as_busy_and_has_finished_what_it_took)
{
    rig_open(&rig, 2);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    struct draft draft = {MEMBER, enclave32, "Note", "x", NULL, 0};
    struct enc_call *taken = rig_send(&rig, "/", rig_body(&rig, &draft));
    cr_assert(!enc_host_is_quiet(rig.host));
    enc_host_drain(rig.host);
    cr_assert(enc_host_is_quiet(rig.host));
    cr_assert_eq(taken->status, 200);
    cr_assert(call_is(rig_post(&rig, "/", rig_body(&rig, &draft)), 503, "RATE_LIMITED"));
    rig_check(&rig);
}

Test(host, counts_tell_what_happened)
{
    struct enc_host_counts counts;
    rig_open(&rig, 3);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    rig_commit(&rig, &(struct draft){STRANGER, enclave32, "Note", "x", NULL, 0});
    enc_host_counts(rig.host, &counts);
    cr_assert_eq(counts.writer_runs, 1);
    cr_assert_eq(counts.live_enclaves, 1);
    cr_assert_eq(counts.mails_waiting, 0);
    cr_assert_eq(counts.exchange_len, 0);
}

Test(host, info_node_tells_key_services_and_limits)
{
    rig_open(&rig, 4);
    const struct enc_json *json = call_json(rig_get(&rig, "/info/node"));
    cr_assert(json_is(json, "seq_pub", rig_hex(&rig, rig.node.pub32, 32)));
    cr_assert(json_is(json, "version", "test"));
    cr_assert_eq(json_u64(json, "now"), rig_now_ms(&rig));
    cr_assert_eq(json_u64(enc_json_get(json, "limits"), "subscriptions"), 64);
    cr_assert_not_null(enc_json_get(enc_json_get(json, "services"), "enc-node"));
    struct enc_call *call = rig_post(&rig, "/info/node", ENC_LIT("{}"));
    cr_assert(call_is(call, 405, "METHOD_NOT_ALLOWED"));
    cr_assert_str_eq(call->allow, "GET, OPTIONS");
}
