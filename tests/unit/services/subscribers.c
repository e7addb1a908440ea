#include "host_fixture.h"

#include <stdlib.h>

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(subscribers, .fini = fini);

static const uint8_t *make(uint64_t seed)
{
    rig_open(&rig, seed);
    return rig_create(&rig, &(struct shape){0});
}

static void send_note(const uint8_t *enclave32, const char *content)
{
    rig_send(&rig, "/",
             rig_body(&rig, &(struct draft){MEMBER, enclave32, "Note", content, NULL, 0}));
}

static void expect_seqs(const struct enc_conn *conn, const char *sub_id, uint64_t first,
                        uint64_t last)
{
    static uint64_t seqs[4096];
    size_t count = conn_seqs(conn, sub_id, seqs, 4096);
    cr_assert_eq(count, last + 1 - first, "%zu events instead of %zu", count,
                 (size_t)(last + 1 - first));
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(seqs[i], first + i);
}

/* ---- the end of an enclave ---- */

static void end_in_one_run(uint64_t seed)
{
    const uint8_t *enclave32 = make(seed);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_subscribe(conn, enclave32, "s", "{}");
    rig_subscribe(conn, enclave32, "low", "{\"seq\":{\"end_at\":3}}");
    rig_settle(&rig);
    for (int i = 0; i < 5; i++)
        send_note(enclave32, "x");
    rig_send(&rig, "/",
             rig_body(&rig, &(struct draft){OWNER, enclave32, "Terminate", "", NULL, 0}));
    rig_settle(&rig);
    expect_seqs(conn, "s", 1, 6);
    expect_seqs(conn, "low", 1, 3);
    cr_assert(conn_closed(conn, "s", "enclave_terminated"));
    cr_assert_eq(conn_count(conn, "Closed", "low"), 1);
    cr_assert(json_is(conn_json(conn, conn->got_count - 1), "type", "Closed"));
}

Test(subscribers, every_event_of_a_run_comes_before_what_the_run_ends)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        end_in_one_run(seed);
        if (seed < 20)
            rig_close(&rig);
    }
}

/* ---- many ---- */

Test(subscribers, a_large_event_reaches_many_subscriptions_of_many_names)
{
    enum { SOCKETS = 5, SUBS = 64 };
    struct enc_conn *conns[SOCKETS];
    const uint8_t *enclave32 = make(4);
    char *content = (char *)malloc(250001);
    memset(content, 'x', 250000);
    content[250000] = '\0';
    for (int c = 0; c < SOCKETS; c++) {
        conns[c] = rig_connect(&rig, NULL);
        for (int s = 0; s < SUBS; s++)
            rig_subscribe(conns[c], enclave32, rig_text(&rig, "s%d", s), "{}");
    }
    rig_settle(&rig);
    send_note(enclave32, content);
    rig_settle(&rig);
    for (int c = 0; c < SOCKETS; c++) {
        cr_assert_eq(conns[c]->close_code, 0);
        cr_assert_eq(conn_count(conns[c], "Event", NULL), SUBS);
    }
    free(content);
}

/* ---- sessions ---- */

Test(subscribers, an_expired_session_sees_nothing_even_before_its_timer_has_run)
{
    const uint8_t *enclave32 = make(5);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_session_s = 10;
    rig_frame(conn, rig_seal_frame(&rig, MEMBER, enclave32, "s", "{}").body);
    rig_settle(&rig);
    cr_assert_eq(conn_count(conn, "EOSE", "s"), 1);
    rig.skew_ms = 71000; /* the clock has moved on, the timer's thread has not seen it yet */
    rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Message", "late", NULL,
                                     rig_now_ms(&rig) + 100000});
    cr_assert_eq(conn_count(conn, "Event", "s"), 0);
    cr_assert(conn_closed(conn, "s", "session_expired"));
}

/* ---- the boundary: no gap, no duplicate, however slow the socket ---- */

static const char *filler(size_t len)
{
    char *text = (char *)rig_text(&rig, "%*s", (int)len, "");
    memset(text, 'x', len);
    return text;
}

static void cross_boundary(uint64_t seed)
{
    const uint8_t *enclave32 = make(seed);
    const char *content = filler(100000);
    for (int i = 0; i < 8; i++)
        send_note(enclave32, content);
    rig_settle(&rig);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    rig_subscribe(conn, enclave32, "s", "{}");
    for (int i = 0; i < 8; i++) {
        send_note(enclave32, content);
        for (uint64_t steps = enc_sim_random(rig.sim) % 20; steps > 0; steps--)
            (void)enc_sim_step(rig.sim);
        conn->is_slow = enc_sim_random(rig.sim) % 2;
    }
    conn->is_slow = false;
    rig_settle(&rig);
    expect_seqs(conn, "s", 1, 16);
    cr_assert_eq(conn_count(conn, "EOSE", "s"), 1);
}

Test(subscribers, stored_missed_and_live_events_meet_without_gap_or_duplicate)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        cross_boundary(seed);
        if (seed < 60)
            rig_close(&rig);
    }
}

Test(subscribers, stored_events_wait_for_a_slow_socket)
{
    const uint8_t *enclave32 = make(7);
    const char *content = filler(200000);
    for (int i = 0; i < 12; i++)
        send_note(enclave32, content);
    rig_settle(&rig);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    conn->is_slow = true;
    rig_subscribe(conn, enclave32, "s", "{}");
    rig_settle(&rig);
    cr_assert_lt(conn->queued_len, 600000, "no more than a piece is under way");
    conn->is_slow = false;
    rig_settle(&rig);
    expect_seqs(conn, "s", 1, 12);
}

Test(subscribers, a_session_ends_while_stored_events_wait)
{
    const uint8_t *enclave32 = make(8);
    const char *content = filler(200000);
    for (int i = 0; i < 6; i++)
        send_note(enclave32, content);
    rig_settle(&rig);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    conn->is_slow = true;
    rig_session_s = 10;
    rig_frame(conn, rig_seal_frame(&rig, MEMBER, enclave32, "s", "{}").body);
    rig_sleep(&rig, 80000);
    conn->is_slow = false;
    rig_settle(&rig);
    cr_assert(conn_closed(conn, "s", "session_expired"));
    cr_assert_eq(conn_count(conn, "EOSE", "s"), 0);
}

Test(subscribers, an_enclave_ends_while_stored_events_wait)
{
    const uint8_t *enclave32 = make(9);
    const char *content = filler(200000);
    for (int i = 0; i < 6; i++)
        send_note(enclave32, content);
    rig_settle(&rig);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    conn->is_slow = true;
    rig_subscribe(conn, enclave32, "s", "{}");
    rig_settle(&rig);
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Terminate", "", NULL, 0});
    conn->is_slow = false;
    rig_settle(&rig);
    expect_seqs(conn, "s", 1, 7);
    cr_assert_eq(conn_count(conn, "EOSE", "s"), 1);
    cr_assert(conn_closed(conn, "s", "enclave_terminated"));
}

Test(subscribers, access_that_is_lost_closes_and_access_never_had_does_not)
{
    const uint8_t *enclave32 = make(10);
    struct enc_conn *conn = rig_connect(&rig, NULL);
    const char *grant = rig_text(&rig, "{\"identity\":\"%s\",\"role\":\"Member\"}",
                                 rig_hex(&rig, rig.keys[STRANGER].pub32, 32));
    rig_session_s = 3600;
    rig_frame(conn, rig_seal_frame(&rig, STRANGER, enclave32, "s", "{\"type\":\"Message\"}").body);
    rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Message", "unseen", NULL, 0});
    cr_assert_eq(conn_count(conn, "Event", "s"), 0);
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Grant", grant, NULL, 0});
    rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Message", "seen", NULL, 0});
    cr_assert_eq(conn_count(conn, "Event", "s"), 1);
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Revoke", grant, NULL, 0});
    rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Message", "unseen", NULL, 0});
    cr_assert_eq(conn_count(conn, "Event", "s"), 1);
    cr_assert_eq(conn_count(conn, "Closed", "s"), 0, "Notes are public: not all is lost");
}
