#include "host_fixture.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(exchange, .fini = fini);

static uint64_t in_flight_len(void)
{
    struct enc_host_counts counts;
    enc_host_counts(rig.host, &counts);
    return counts.exchange_len;
}

/* An unknown body of about len bytes of JSON. */
static struct enc_bytes pad(const char *head, size_t len)
{
    char *text = (char *)rig_text(&rig, "%s%*s\"pad\":\"", head, (int)len, "");
    size_t at = strlen(head);
    memcpy(text + at, "\"pad\":\"", 7);
    memset(text + at + 7, 'x', len - 10);
    memcpy(text + at + len - 3, "\"}", 3);
    return enc_bytes_of_text(text);
}

Test(exchange, answers_that_nobody_reads_are_bounded_with_503)
{
    rig_init(&rig, 1);
    rig.config.limits.exchange_len_max = 4 << 20;
    rig_start(&rig);
    rig.keeps_replies = true;
    struct enc_bytes body = pad("{", 500000);
    size_t refused = 0;
    for (int i = 0; i < 40; i++) {
        struct enc_call *call = rig_post(&rig, "/", body);
        refused += call->status == 503;
        cr_assert(call->status == 503 ? call->retry_s == 1 : call_is(call, 400, "INVALID_REQUEST"));
    }
    cr_assert_gt(refused, 20);
    cr_assert_lt(refused, 38);
    rig_release(&rig);
    cr_assert_eq(in_flight_len(), 0);
    cr_assert(call_is(rig_post(&rig, "/", body), 400, "INVALID_REQUEST"));
}

Test(exchange, a_subscription_keeps_only_what_it_needs)
{
    rig_open(&rig, 2);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    struct enc_conn *conn = rig_connect(&rig, NULL);
    for (int i = 0; i < 10; i++) {
        const char *head = rig_text(&rig,
                                    "{\"type\":\"Query\",\"sub_id\":\"s%d\",\"enclave\":\"%s\","
                                    "\"content\":{\"filter\":{\"type\":[\"Note\",\"Other\"]}},",
                                    i, rig_hex(&rig, enclave32, 32));
        rig_frame(conn, pad(head, 900000));
        rig_settle(&rig);
    }
    cr_assert_eq(conn_count(conn, "EOSE", NULL), 10);
    cr_assert_lt(in_flight_len(), 10 * 32768);
    rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Note", "x", NULL, 0});
    cr_assert_eq(conn_count(conn, "Event", NULL), 10);
    cr_assert_eq(conn_count(conn, "Event", "s7"), 1);
}

Test(exchange, a_subscription_ends_even_when_there_is_no_room_for_a_request)
{
    rig_init(&rig, 3);
    rig.config.limits.exchange_len_max = 1 << 20;
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_subscribe(conn, enclave32, "s", "{}");
    rig_settle(&rig);
    rig.keeps_replies = true;
    while (rig_post(&rig, "/", pad("{", 100000))->status != 503)
        ;
    rig_disconnect(conn);
    rig_settle(&rig);
    cr_assert_eq(conn->refs, 0);
}

Test(exchange, nothing_is_left_when_all_is_answered)
{
    rig_open(&rig, 4);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    const char *bodies[] = {"",
                            "{",
                            "[]",
                            "{}",
                            "{\"exp\":1}",
                            "{\"type\":\"Query\"}",
                            "{\"type\":\"Pull\"}",
                            "{\"type\":\"Commit\"}",
                            "{\"type\":\"Close\"}"};
    struct enc_conn *conn = rig_connect(&rig, NULL);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        cr_assert_eq(rig_post(&rig, "/", enc_bytes_of_text(bodies[i]))->status, 400);
        rig_frame(conn, enc_bytes_of_text(bodies[i]));
    }
    rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Note", "x", NULL, 0});
    rig_disconnect(conn);
    rig_settle(&rig);
    cr_assert_eq(in_flight_len(), 0);
}
