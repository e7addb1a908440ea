#include "host_fixture.h"

#include "proto/parcel.h"
#include "proto/seal.h"

static struct rig rig;
static const uint8_t *enclave32;

static void init(void)
{
    rig_init(&rig, 1);
    rig.config.push_allow_http = true;
    rig.config.push_allow_private = true;
    rig_start(&rig);
    enclave32 = rig_create(&rig, &(struct shape){0});
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(push, .init = init, .fini = fini);

static const char URL[] = "http://10.0.0.1/hook";

static const char *about(enum who who, const char *role, const char *more)
{
    return rig_text(&rig, "{\"identity\":\"%s\",\"role\":\"%s\"%s}",
                    rig_hex(&rig, rig.keys[who].pub32, 32), role, more);
}

static void enlist(const char *role)
{
    const char *url = rig_text(&rig, ",\"endpoint\":\"%s\"", URL);
    rig_accept(&rig,
               &(struct draft){OWNER, enclave32, "Grant_Push", about(GUEST, role, url), NULL, 0});
}

static struct enc_event say(const char *type, const char *content)
{
    return rig_accept(&rig, &(struct draft){MEMBER, enclave32, type, content, NULL, 0});
}

/* Check what a receiver checks, and open it. */
static const struct enc_json *open_parcel(size_t index)
{
    const struct enc_json *json = rig_posted(&rig, index);
    struct enc_parcel parcel = {.push_seq = json_u64(json, "push_seq")};
    struct enc_bytes plain;
    uint8_t key32[32];
    cr_assert(json_is(json, "type", "Push"));
    cr_assert(json_is(json, "url", URL));
    json_hex(json, "from", parcel.from32, 32);
    json_hex(json, "to", parcel.to32, 32);
    json_hex(json, "enclave", parcel.enclave32, 32);
    json_hex(json, "sig", parcel.sig64, 64);
    cr_assert(enc_json_text(enc_json_get(json, "content"), &parcel.content));
    cr_assert_arr_eq(parcel.from32, rig.node.pub32, 32);
    cr_assert_arr_eq(parcel.to32, rig.keys[GUEST].pub32, 32);
    cr_assert(enc_parcel_verify(rig.curve, &parcel));
    cr_assert(enc_push_key(rig.curve, key32, &rig.keys[GUEST], rig.node.pub32));
    cr_assert_eq(enc_seal_open(&plain, &rig.arena, key32, parcel.content), ENC_ERR_OK);
    const struct enc_json *body = rig_json(&rig, plain);
    cr_assert_eq(json_u64(body, "push_seq"), parcel.push_seq);
    cr_assert(json_is(body, "enclave", rig_hex(&rig, enclave32, 32)));
    return body;
}

static size_t count_of(const struct enc_json *body, const char *name)
{
    const struct enc_json *array = enc_json_get(body, name);
    cr_assert_not_null(array);
    cr_assert_eq(array->kind, ENC_JSON_ARRAY);
    return array->count;
}

/* ---- what is delivered ---- */

Test(push, p_brings_the_whole_event_sealed_and_signed)
{
    enlist("Sink");
    struct enc_event sent = say("Message", "for you");
    rig_settle(&rig);
    cr_assert_eq(rig_posted_count(&rig), 1);
    const struct enc_json *body = open_parcel(0);
    struct enc_event event;
    cr_assert_eq(count_of(body, "push"), 1);
    cr_assert_eq(count_of(body, "notify"), 0);
    cr_assert_eq(enc_event_take(&event, &rig.arena, enc_json_get(body, "push")->child), ENC_ERR_OK);
    cr_assert_eq(enc_event_check(&event, rig.curve, rig.node.pub32), ENC_EVENT_SOUND);
    cr_assert_arr_eq(event.id32, sent.id32, 32);
    cr_assert(enc_bytes_is(event.commit.content, "for you"));
}

Test(push, n_brings_a_notification_and_p_comes_before_n)
{
    enlist("Bell");
    rig_settle(&rig);
    size_t first = rig_posted_count(&rig);
    say("Message", "no content for you");
    rig_settle(&rig);
    const struct enc_json *body = open_parcel(first);
    const struct enc_json *notify = enc_json_get(body, "notify")->child;
    cr_assert_eq(count_of(body, "push"), 0);
    cr_assert_eq(count_of(body, "notify"), 1);
    cr_assert(json_is(notify, "type", "Message"));
    cr_assert_null(enc_json_get(notify, "content"));
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Grant", about(GUEST, "Sink", ""), NULL, 0});
    rig_settle(&rig);
    first = rig_posted_count(&rig);
    say("Message", "whole");
    rig_settle(&rig);
    cr_assert_eq(count_of(open_parcel(first), "push"), 1);
}

Test(push, nothing_is_delivered_before_the_grant_and_after_the_revoke)
{
    say("Message", "before");
    enlist("Sink");
    say("Note", "not for sinks");
    rig_sleep(&rig, 5000);
    cr_assert_eq(rig_posted_count(&rig), 0);
    say("Message", "yes");
    rig_sleep(&rig, 100);
    cr_assert_eq(rig_posted_count(&rig), 1);
    rig_accept(&rig,
               &(struct draft){OWNER, enclave32, "Revoke", about(GUEST, "Sink", ""), NULL, 0});
    say("Message", "no");
    rig_sleep(&rig, 5000);
    cr_assert_eq(rig_posted_count(&rig), 1);
}

Test(push, at_most_a_hundred_events_in_one_payload_and_one_payload_under_way)
{
    enlist("Sink");
    rig.holds_fetches = true;
    for (int i = 0; i < 251; i++)
        rig_send(&rig, "/",
                 rig_body(&rig, &(struct draft){MEMBER, enclave32, "Message", "x", NULL, 0}));
    rig_sleep(&rig, 1000);
    cr_assert_eq(rig.fetches_peak, 1);
    size_t got = count_of(open_parcel(0), "push");
    for (size_t i = 1; rig.fetch_count > 0; i++) {
        rig_land(&rig, 204);
        rig_settle(&rig);
        cr_assert_leq(rig.fetch_count, 1);
        if (rig.fetch_count == 0)
            break;
        size_t count = count_of(open_parcel(i), "push");
        cr_assert_leq(count, 100);
        got += count;
    }
    cr_assert_eq(got, 251);
    cr_assert_eq(rig.fetches_peak, 1);
}

/* ---- retries ---- */

static const uint64_t PAUSES_MS[] = {1000,  2000,  4000,   8000,   16000,
                                     32000, 64000, 128000, 256000, 300000};

Test(push, retries_come_after_1_2_4_to_300_seconds_and_then_the_payload_is_skipped)
{
    enlist("Sink");
    rig.fetch_status = 500;
    say("Message", "x");
    rig_settle(&rig);
    for (size_t i = 0; i < 10; i++) {
        cr_assert_eq(rig_posted_count(&rig), i + 1);
        rig_sleep(&rig, PAUSES_MS[i] - 1);
        cr_assert_eq(rig_posted_count(&rig), i + 1, "retry %zu is not early", i + 1);
        rig_sleep(&rig, 1);
        cr_assert_eq(rig_posted_count(&rig), i + 2, "retry %zu is on time", i + 1);
        cr_assert_eq(json_u64(rig_posted(&rig, i + 1), "push_seq"), 1);
    }
    rig_sleep(&rig, 900000);
    cr_assert_eq(rig_posted_count(&rig), 11);
    rig.fetch_status = 200;
    say("Message", "next");
    rig_settle(&rig);
    cr_assert_eq(rig_posted_count(&rig), 12);
    cr_assert_eq(json_u64(rig_posted(&rig, 11), "push_seq"), 2, "the gap is there to be seen");
}

Test(push, the_schedule_survives_restarts)
{
    enlist("Sink");
    rig.fetch_status = 500;
    say("Message", "x");
    rig_settle(&rig);
    rig_sleep(&rig, 1000);
    cr_assert_eq(rig_posted_count(&rig), 2);
    rig_restart(&rig);
    rig_sleep(&rig, 1999);
    cr_assert_eq(rig_posted_count(&rig), 2);
    rig_sleep(&rig, 1);
    cr_assert_eq(rig_posted_count(&rig), 3);
}

/* Stop after every number of steps, start again: each event is delivered, push_seq without a gap. */
Test(push, a_restart_in_any_phase_loses_nothing)
{
    for (uint64_t stop = 0; stop < 40; stop++) {
        enlist("Sink");
        struct draft draft = {MEMBER, enclave32, "Message", "x", NULL, 0};
        rig.holds_fetches = stop % 2;
        for (int i = 0; i < 3; i++)
            rig_send(&rig, "/", rig_body(&rig, &draft));
        for (uint64_t steps = 0; steps < stop; steps++)
            (void)enc_sim_step(rig.sim);
        rig_restart(&rig);
        rig.holds_fetches = false;
        rig_sleep(&rig, 10000);
        bool has_event[64] = {false};
        uint64_t last = 0;
        for (size_t i = 0; i < rig_posted_count(&rig); i++) {
            const struct enc_json *body = open_parcel(i);
            uint64_t push_seq = json_u64(body, "push_seq");
            cr_assert(push_seq == last || push_seq == last + 1, "stop %zu", (size_t)stop);
            last = push_seq;
            for (const struct enc_json *at = enc_json_get(body, "push")->child; at; at = at->next)
                has_event[json_u64(at, "seq")] = true;
        }
        struct enc_json const *info =
            call_json(rig_get(&rig, rig_path(&rig, enclave32, "/info/enclave")));
        for (uint64_t seq = 2; seq <= json_u64(info, "seq"); seq++)
            cr_assert(has_event[seq], "stop %zu: event %zu", (size_t)stop, (size_t)seq);
        rig_check(&rig);
        if (stop < 39) {
            fini();
            init();
        }
    }
}

/* ---- Pull ---- */

Test(push, pull_serves_what_never_arrived)
{
    struct enc_call *call;
    enlist("Sink");
    rig.holds_fetches = true;
    say("Message", "x");
    rig_settle(&rig);
    const struct enc_json *content =
        rig_ask(&rig, &call, GUEST, "/", enclave32, "Pull", rig_text(&rig, ",\"url\":\"%s\"", URL));
    cr_assert_not_null(content, "%s", call->body);
    cr_assert_eq(json_u64(content, "last_push_seq"), 1);
    const struct enc_json *delivery = enc_json_get(content, "deliveries")->child;
    struct enc_bytes payload = enc_json_get(delivery, "payload")->text;
    cr_assert(enc_bytes_equal(payload, enc_bytes_of(rig.posted->text, rig.posted->len)));
    cr_assert_null(rig_ask(&rig, &call, STRANGER, "/", enclave32, "Pull",
                           rig_text(&rig, ",\"url\":\"%s\"", URL)));
    cr_assert(call_is(call, 404, "ENDPOINT_NOT_FOUND"));
}

/* ---- removal ---- */

static uint64_t rows(enum enc_table table)
{
    struct enc_store_counts counts;
    cr_assert_eq(enc_store_counts(enc_data_shard_at(rig.data, 0), &counts), ENC_ERR_OK);
    return counts.rows[table];
}

Test(push, the_last_role_takes_endpoint_and_waiting_rows_with_it)
{
    struct enc_call *call;
    enlist("Sink");
    rig.holds_fetches = true;
    say("Message", "under way");
    rig_settle(&rig);
    say("Message", "waiting");
    rig_settle(&rig);
    cr_assert_eq(rows(ENC_TABLE_ENDPOINT), 1);
    cr_assert_eq(rows(ENC_TABLE_PUSH_PENDING), 1);
    rig_accept(&rig,
               &(struct draft){OWNER, enclave32, "Revoke", about(GUEST, "Sink", ""), NULL, 0});
    cr_assert_eq(rows(ENC_TABLE_ENDPOINT), 0);
    cr_assert_eq(rows(ENC_TABLE_PUSH_PENDING), 0);
    rig.holds_fetches = false;
    rig_sleep(&rig, 5000);
    cr_assert_eq(rig_posted_count(&rig), 1);
    cr_assert_null(rig_ask(&rig, &call, GUEST, "/", enclave32, "Pull",
                           rig_text(&rig, ",\"url\":\"%s\"", URL)));
    cr_assert(call_is(call, 404, "ENDPOINT_NOT_FOUND"));
}
