/* What is in a payload, as its receiver opens it. */
#include "host_fixture.h"

#include "proto/parcel.h"
#include "proto/seal.h"

static const char URL[] = "http://10.0.0.1/in";

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

TestSuite(push_payload, .init = init, .fini = fini);

static void enlist(const char *role)
{
    const char *content =
        rig_text(&rig, "{\"identity\":\"%s\",\"role\":\"%s\",\"endpoint\":\"%s\"}",
                 rig_hex(&rig, rig.keys[GUEST].pub32, 32), role, URL);
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Grant_Push", content, NULL, 0});
}

static struct enc_event write_event(const char *type, const char *content, const uint8_t *target32)
{
    return rig_accept(&rig, &(struct draft){MEMBER, enclave32, type, content, target32, 0});
}

/* The parcel of a POST and its body in clear. */
static const struct enc_json *opened(struct enc_parcel *parcel, size_t index)
{
    const struct enc_json *json = rig_posted(&rig, index);
    uint8_t key32[32];
    struct enc_bytes plain;
    *parcel = (struct enc_parcel){.push_seq = json_u64(json, "push_seq")};
    json_hex(json, "from", parcel->from32, 32);
    json_hex(json, "to", parcel->to32, 32);
    json_hex(json, "enclave", parcel->enclave32, 32);
    json_hex(json, "sig", parcel->sig64, 64);
    cr_assert(enc_json_text(enc_json_get(json, "content"), &parcel->content));
    cr_assert(enc_push_key(rig.curve, key32, &rig.keys[GUEST], parcel->from32));
    cr_assert_eq(enc_seal_open(&plain, &rig.arena, key32, parcel->content), ENC_ERR_OK);
    return rig_json(&rig, plain);
}

Test(push_payload, the_body_repeats_what_the_parcel_is_about)
{
    struct enc_parcel parcel;
    struct enc_event event;
    enlist("Sink");
    struct enc_event sent = write_event("Message", "hello", NULL);
    rig_settle(&rig);
    const struct enc_json *body = opened(&parcel, 0);
    cr_assert(enc_parcel_verify(rig.curve, &parcel));
    cr_assert_eq(body->count, 4);
    cr_assert_eq(json_u64(body, "push_seq"), parcel.push_seq);
    cr_assert(json_is(body, "enclave", rig_hex(&rig, parcel.enclave32, 32)));
    cr_assert_eq(enc_json_get(body, "notify")->count, 0);
    cr_assert_eq(enc_event_take(&event, &rig.arena, enc_json_get(body, "push")->child), ENC_ERR_OK);
    cr_assert_eq(enc_event_check(&event, rig.curve, rig.node.pub32), ENC_EVENT_SOUND);
    cr_assert_arr_eq(event.id32, sent.id32, 32);
}

Test(push_payload, a_notice_tells_that_and_not_what)
{
    struct enc_parcel parcel;
    enlist("Bell");
    struct enc_event sent = write_event("Message", "secret words", NULL);
    rig_settle(&rig);
    for (size_t i = 0; i < rig_posted_count(&rig); i++) {
        const struct enc_json *body = opened(&parcel, i);
        cr_assert_eq(enc_json_get(body, "push")->count, 0);
        for (const struct enc_json *n = enc_json_get(body, "notify")->child; n; n = n->next) {
            cr_assert_eq(n->count, 5);
            cr_assert_null(enc_json_get(n, "content"));
        }
    }
    const struct enc_json *last =
        enc_json_get(opened(&parcel, rig_posted_count(&rig) - 1), "notify");
    cr_assert(json_is(last->child, "id", rig_hex(&rig, sent.id32, 32)));
}

/* One nonce per payload: a second one under the same key must look different from its start on. */
/* Receivers take no body over 1 MiB, so a payload that is not a single event must fit into it. */
Test(push_payload, what_would_make_it_too_large_waits_for_the_next_one)
{
    enum { EVENTS = 8, CONTENT_LEN = 262000, RECEIVERS_MAX = 1 << 20 };
    static char content[CONTENT_LEN + 1];
    size_t got = 0;
    enlist("Sink");
    memset(content, 'x', CONTENT_LEN);
    rig.holds_fetches = true;
    for (size_t i = 0; i < EVENTS; i++)
        write_event("Message", content, NULL);
    rig.holds_fetches = false;
    rig_land(&rig, 200);
    rig_sleep(&rig, 10000);
    for (size_t i = 0; i < rig_posted_count(&rig); i++) {
        struct enc_parcel parcel;
        got += enc_json_get(opened(&parcel, i), "push")->count;
        cr_assert_leq(rig_posted_text(&rig, i).len, RECEIVERS_MAX, "payload %zu", i);
    }
    cr_assert_eq(got, EVENTS);
    cr_assert_leq(rig_posted_count(&rig), 1 + EVENTS / 2, "they share payloads");
}

Test(push_payload, every_payload_has_its_own_number_and_nonce)
{
    struct enc_parcel one, two;
    enlist("Sink");
    write_event("Message", "same", NULL);
    rig_sleep(&rig, 2000);
    write_event("Message", "same", NULL);
    rig_sleep(&rig, 2000);
    cr_assert_eq(rig_posted_count(&rig), 2);
    opened(&one, 0);
    opened(&two, 1);
    cr_assert_eq(two.push_seq, one.push_seq + 1);
    cr_assert_neq(memcmp(one.content.data, two.content.data, 32), 0);
    two.push_seq = one.push_seq;
    cr_assert_not(enc_parcel_verify(rig.curve, &two), "the number is signed");
}
