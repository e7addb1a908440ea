#include "host_fixture.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(socket, .fini = fini);

static const uint8_t *make(uint64_t seed)
{
    rig_open(&rig, seed);
    return rig_create(&rig, &(struct shape){0});
}

static struct enc_bytes note(const uint8_t *enclave32)
{
    return rig_body(&rig, &(struct draft){MEMBER, enclave32, "Note", "x", NULL, 0});
}

/* ---- the order of answers (16.57) ---- */

Test(socket, commits_to_one_enclave_are_answered_in_order_even_when_they_are_malformed)
{
    const uint8_t *enclave32 = make(1);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    const char *bad = rig_text(&rig, "{\"exp\":1,\"enclave\":\"%s\",\"hash\":\"%s\"}",
                               rig_hex(&rig, enclave32, 32), rig_hex(&rig, enclave32, 32));
    for (int i = 0; i < 4; i++) {
        rig_frame(conn, note(enclave32));
        rig_frame(conn, enc_bytes_of_text(bad));
    }
    rig_settle(&rig);
    cr_assert_eq(conn->got_count, 8);
    for (size_t i = 0; i < 8; i++)
        cr_assert(json_is(conn_json(conn, i), "type", i % 2 ? "Error" : "Receipt"));
    for (size_t i = 1; i < 8; i += 2) {
        cr_assert(json_is(conn_json(conn, i), "code", "INVALID_COMMIT"));
        cr_assert(json_is(conn_json(conn, i), "hash", rig_hex(&rig, enclave32, 32)));
    }
}

/* ---- names of subscriptions ---- */

Test(socket, a_name_that_is_used_again_replaces_its_subscription)
{
    const uint8_t *enclave32 = make(2);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_subscribe(conn, enclave32, "s", "{}");
    rig_settle(&rig);
    rig_subscribe(conn, enclave32, "s", "{\"type\":\"Note\"}");
    rig_send(&rig, "/", note(enclave32));
    rig_settle(&rig);
    cr_assert(conn_closed(conn, "s", "replaced"));
    cr_assert(json_is(conn_json(conn, 0), "type", "EOSE"));
    cr_assert(json_is(conn_json(conn, 1), "type", "Closed"));
    cr_assert_eq(conn_count(conn, "EOSE", "s"), 2);
    cr_assert_eq(conn_count(conn, "Event", "s"), 1);
}

Test(socket, the_65th_subscription_is_refused_and_a_closed_one_makes_room)
{
    const uint8_t *enclave32 = make(3);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    for (int i = 0; i < 65; i++)
        rig_subscribe(conn, enclave32, rig_text(&rig, "s%d", i), "{}");
    rig_settle(&rig);
    cr_assert_eq(conn_count(conn, "EOSE", NULL), 64);
    cr_assert_eq(conn_count(conn, "Error", "s64"), 1);
    rig_frame(conn, ENC_LIT("{\"type\":\"Close\",\"sub_id\":\"s7\"}"));
    rig_subscribe(conn, enclave32, "s64", "{}");
    rig_settle(&rig);
    cr_assert(conn_closed(conn, "s7", "client_close"));
    cr_assert_eq(conn_count(conn, "EOSE", "s64"), 1);
}

Test(socket, a_refused_query_leaves_no_subscription)
{
    const uint8_t *enclave32 = make(4);
    uint8_t other32[32] = {1};
    struct enc_conn *conn = rig_connect(&rig, NULL);
    for (int i = 0; i < 100; i++) {
        rig_subscribe(conn, enclave32, rig_text(&rig, "f%d", i), "{\"nope\":1}");
        rig_subscribe(conn, other32, rig_text(&rig, "e%d", i), "{}");
        rig_settle(&rig);
    }
    cr_assert_eq(conn_count(conn, "Error", NULL), 200);
    rig_send(&rig, "/", note(enclave32));
    rig_settle(&rig);
    cr_assert_eq(conn->got_count, 200);
}

Test(socket, close_of_an_unknown_name_is_ignored_and_noise_is_answered)
{
    const uint8_t *enclave32 = make(5);
    struct enc_conn *conn = rig_connect(&rig, enclave32);
    rig_frame(conn, ENC_LIT("{\"type\":\"Close\",\"sub_id\":\"nobody\"}"));
    rig_settle(&rig);
    cr_assert_eq(conn->got_count, 0);
    rig_frame(conn, ENC_LIT("{\"type\":\"Close\"}"));
    rig_frame(conn, ENC_LIT("noise"));
    rig_frame(conn, ENC_LIT("{\"type\":\"Pull\"}"));
    enc_host_socket_message(conn->socket, ENC_LIT("\x01\x02"), true);
    rig_settle(&rig);
    cr_assert_eq(conn_count(conn, "Error", NULL), 3);
    cr_assert_eq(conn_count(conn, "Notice", NULL), 1);
}

Test(socket, a_socket_of_one_enclave_knows_no_other)
{
    const uint8_t *enclave32 = make(6);
    const uint8_t *other32 = rig_create(&rig, &(struct shape){.nonce = "other"});
    struct enc_conn *conn = rig_connect(&rig, enclave32);
    rig_subscribe(conn, other32, "s", "{}");
    rig_frame(conn, note(other32));
    rig_settle(&rig);
    cr_assert_eq(conn_count(conn, "Error", NULL), 2);
    cr_assert(json_is(conn_json(conn, 0), "code", "INVALID_REQUEST"));
    cr_assert(json_is(conn_json(conn, 1), "code", "INVALID_REQUEST"));
}

/* ---- the end ---- */

Test(socket, all_subscriptions_are_closed_with_the_reason_of_the_end)
{
    const uint8_t *enclave32 = make(7);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_subscribe(conn, enclave32, "a", "{}");
    rig_subscribe(conn, enclave32, "b", "{}");
    rig_settle(&rig);
    enc_host_socket_end_subs(conn->socket, ENC_SOCKET_END_SHUTDOWN);
    rig_send(&rig, "/", note(enclave32));
    rig_settle(&rig);
    cr_assert(conn_closed(conn, "a", "shutdown"));
    cr_assert(conn_closed(conn, "b", "shutdown"));
    cr_assert_eq(conn_count(conn, "Event", NULL), 0);
}

/* A socket that goes away at any moment leaves nothing behind. */
Test(socket, a_socket_may_go_at_any_moment)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const uint8_t *enclave32 = make(100 + seed);
        struct enc_conn *conn = rig_connect(&rig, NULL);
        for (int i = 0; i < 6; i++) {
            rig_subscribe(conn, enclave32, rig_text(&rig, "s%d", i % 3), "{}");
            rig_frame(conn, note(enclave32));
        }
        for (uint64_t steps = 0; steps < seed && enc_sim_step(rig.sim); steps++)
            ;
        rig_disconnect(conn);
        rig_settle(&rig);
        cr_assert_eq(conn->refs, 0);
        rig_check(&rig);
        if (seed < 60)
            rig_close(&rig);
    }
}
