#include "proto/parcel.h"

#include "logic.h"
#include "proto/seal.h"
#include "proto/session.h"

#include <criterion/criterion.h>
#include <stdio.h>

/** From the sequencer to the member, about the enclave of the vectors; not signed. */
static struct enc_parcel parcel_of(struct enc_bytes content)
{
    struct enc_parcel parcel = {
        .push_seq = 258, .url = ENC_LIT("https://example.org/\"in\""), .content = content};
    vector_hex(parcel.to32, 32, "keys.member_pub");
    vector_hex(parcel.enclave32, 32, "events.0.enclave");
    return parcel;
}

static struct enc_parcel signed_parcel(void)
{
    struct enc_key sequencer = vector_key("seq");
    struct enc_parcel parcel = parcel_of(ENC_LIT("AAEC/+8="));
    enc_parcel_sign(test_curve(), &parcel, &sequencer);
    return parcel;
}

/** The digest was computed with another SHA-256. */
Test(parcel, message_worked_by_hand)
{
    uint8_t message32[32];
    struct enc_parcel parcel = parcel_of(ENC_LIT("AAEC/+8="));
    enc_parcel_message(message32, &parcel);
    expect_hex(enc_bytes_of(message32, 32),
               "85f5d2491aca4cd32e8d066b3e03f76c5fed72c48a17157771d929bcdf4e0733");
}

Test(parcel, what_was_sealed_and_signed_is_opened_by_the_receiver)
{
    const uint8_t nonce24[24] = {1, 2, 3};
    uint8_t key_push32[32], expected32[32];
    struct enc_bytes sealed, plain;
    struct enc_key sequencer = vector_key("seq"), member = vector_key("member");
    vector_hex(expected32, 32, "push.key_push");
    EXPECT_OK(enc_seal_close(&sealed, arena(), expected32, nonce24, ENC_LIT("{\"push\":[]}")));
    struct enc_parcel parcel = parcel_of(sealed);
    enc_parcel_sign(test_curve(), &parcel, &sequencer);
    expect_vector(enc_bytes_of(parcel.from32, 32), "keys.seq_pub");
    cr_assert(enc_parcel_verify(test_curve(), &parcel));
    cr_assert(enc_push_key(test_curve(), key_push32, &member, parcel.from32));
    cr_assert_arr_eq(key_push32, expected32, 32);
    EXPECT_OK(enc_seal_open(&plain, arena(), key_push32, parcel.content));
    cr_assert(enc_bytes_is(plain, "{\"push\":[]}"));
}

Test(parcel, nothing_that_is_signed_may_change)
{
    struct enc_key member = vector_key("member");
    for (int part = 0; part < 6; part++) {
        struct enc_parcel parcel = signed_parcel();
        uint8_t *const PARTS[] = {parcel.to32, parcel.enclave32, parcel.sig64, parcel.sig64 + 63};
        if (part < 4)
            PARTS[part][0] ^= 1;
        else if (part == 4)
            parcel.push_seq++;
        else
            parcel.content = ENC_LIT("AAEC/+9=");
        cr_assert_not(enc_parcel_verify(test_curve(), &parcel), "part %d", part);
    }
    struct enc_parcel parcel = signed_parcel();
    memcpy(parcel.from32, member.pub32, 32);
    cr_assert_not(enc_parcel_verify(test_curve(), &parcel), "another sender");
}

Test(parcel, json_has_the_members_of_the_payload)
{
    struct enc_buffer out = buffer();
    struct enc_parcel parcel = signed_parcel();
    uint8_t sig64[64];
    enc_parcel_put_json(&out, &parcel);
    const struct enc_json *object = json_exact(enc_bytes_of_text(written(&out)));
    cr_assert_eq(object->count, 8);
    cr_assert(enc_json_hex(enc_json_get(object, "sig"), sig64, 64));
    cr_assert_arr_eq(sig64, parcel.sig64, 64);
    struct enc_bytes url;
    cr_assert(enc_json_text(enc_json_get(object, "url"), &url));
    cr_assert(enc_bytes_equal(url, parcel.url));
    const struct {
        const char *name, *hex_or_text;
    } TEXTS[] = {
        {"type", "Push"},           {"from", hex32(parcel.from32)},
        {"to", hex32(parcel.to32)}, {"enclave", hex32(parcel.enclave32)},
        {"content", "AAEC/+8="},
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct enc_bytes got;
        cr_assert(enc_json_text(enc_json_get(object, TEXTS[i].name), &got), "%s", TEXTS[i].name);
        cr_assert(enc_bytes_is(got, TEXTS[i].hex_or_text), "%s", TEXTS[i].name);
    }
    uint64_t push_seq;
    cr_assert(enc_json_u64(enc_json_get(object, "push_seq"), &push_seq));
    cr_assert_eq(push_seq, 258);
}

/* ---- the receiver's side ---- */

static const struct enc_json *parsed(const char *text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    struct enc_bytes kept = enc_arena_copy(arena(), enc_bytes_of_text(text));
    EXPECT_OK(enc_json_parse(&json, arena(), kept, &facts));
    return json;
}

static const char *put_parcel(const struct enc_parcel *parcel)
{
    struct enc_buffer out = buffer();
    enc_parcel_put_json(&out, parcel);
    return written(&out);
}

Test(parcel, what_was_written_is_read)
{
    for (int is_clear = 0; is_clear < 2; is_clear++) {
        struct enc_parcel got, parcel = signed_parcel();
        parcel.is_clear = is_clear;
        EXPECT_OK(enc_parcel_take(&got, parsed(put_parcel(&parcel))));
        cr_assert_arr_eq(got.from32, parcel.from32, 32);
        cr_assert_arr_eq(got.to32, parcel.to32, 32);
        cr_assert_arr_eq(got.enclave32, parcel.enclave32, 32);
        cr_assert_arr_eq(got.sig64, parcel.sig64, 64);
        cr_assert_eq(got.push_seq, parcel.push_seq);
        cr_assert(enc_bytes_equal(got.url, parcel.url));
        cr_assert(enc_bytes_equal(got.content, parcel.content));
        cr_assert_eq(got.is_clear, parcel.is_clear);
        cr_assert(enc_parcel_verify(test_curve(), &got));
    }
}

/* The text with its first `from` replaced. */
static const char *swapped(const char *text, const char *from, const char *to)
{
    static char out[8192];
    const char *at = strstr(text, from);
    cr_assert_not_null(at, "%s", from);
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

Test(parcel, a_payload_of_another_shape_is_refused)
{
    static const char *const WRONG[][2] = {
        {"\"type\":\"Push\"", "\"type\":\"Pull\""},
        {"\"type\":\"Push\",", ""},
        {"\"from\":\"", "\"from\":\"0"},
        {"\"from\"", "\"form\""},
        {"\"to\":\"", "\"to\":\"0"},
        {"\"to\"", "\"ot\""},
        {"\"enclave\":\"", "\"enclave\":\"x"},
        {"\"enclave\"", "\"enclaves\""},
        {"\"push_seq\":258", "\"push_seq\":0"},
        {"\"push_seq\":258", "\"push_seq\":-1"},
        {"\"push_seq\":258", "\"push_seq\":1.0"},
        {"\"push_seq\":258", "\"push_seq\":\"258\""},
        {"\"push_seq\":258", "\"push_seq\":null"},
        {"\"push_seq\":258,", ""},
        {"\"url\":", "\"uri\":"},
        {"\"url\":", "\"url\":1,\"uri\":"},
        {"\"sig\":\"", "\"sig\":\"00"},
        {"\"sig\"", "\"gis\""},
        {"\"content\":\"", "\"content\":{},\"x\":\""},
        {"\"content\":\"", "\"enc\":\"some\",\"content\":\""},
        {"\"content\":\"", "\"enc\":null,\"content\":\""},
        {"\"content\":\"", "\"content\":\"\\ud800"},
    };
    struct enc_parcel got, parcel = signed_parcel();
    const char *text = put_parcel(&parcel);
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        const char *wrong = swapped(text, WRONG[i][0], WRONG[i][1]);
        cr_assert_eq(enc_parcel_take(&got, parsed(wrong)), ENC_ERR_INVALID_PUSH, "%s", wrong);
    }
    cr_assert_eq(enc_parcel_take(&got, parsed("[]")), ENC_ERR_INVALID_PUSH);
    EXPECT_OK(enc_parcel_take(&got, parsed(swapped(text, "\"sig\"", "\"more\":1,\"sig\""))));
}

Test(parcel, only_the_one_it_is_for_opens_it)
{
    const uint8_t nonce24[24] = {1, 2, 3};
    uint8_t key32[32];
    struct enc_bytes sealed, plain;
    struct enc_key sequencer = vector_key("seq"), member = vector_key("member");
    struct enc_key owner = vector_key("owner");
    cr_assert(enc_push_key(test_curve(), key32, &sequencer, member.pub32));
    EXPECT_OK(enc_seal_close(&sealed, arena(), key32, nonce24, ENC_LIT("{}")));
    struct enc_parcel parcel = parcel_of(sealed);
    enc_parcel_sign(test_curve(), &parcel, &sequencer);
    EXPECT_OK(enc_parcel_open(&plain, arena(), test_curve(), &parcel, &member));
    cr_assert(enc_bytes_is(plain, "{}"));
    cr_assert_eq(enc_parcel_open(&plain, arena(), test_curve(), &parcel, &owner),
                 ENC_ERR_INVALID_PUSH);
    memset(parcel.from32, 0xff, 32); /* no point of the curve */
    cr_assert_eq(enc_parcel_open(&plain, arena(), test_curve(), &parcel, &member),
                 ENC_ERR_INVALID_PUSH);
    parcel.is_clear = true;
    EXPECT_OK(enc_parcel_open(&plain, arena(), test_curve(), &parcel, &member));
    cr_assert(enc_bytes_equal(plain, sealed), "as it stands");
}

/* ---- the body ---- */

enum { EVENTS = 3 };

static const char *event_json(uint64_t seq, const uint8_t enclave32[32])
{
    struct enc_buffer out = buffer();
    struct enc_key sequencer = vector_key("seq"), owner = vector_key("owner");
    struct enc_event event = {.seq = seq, .type_seq = 1, .timestamp_ms = 1750000000000};
    event.commit = (struct enc_commit){.type = ENC_LIT("Post"), .content = ENC_LIT("x")};
    memcpy(event.commit.enclave32, enclave32, 32);
    EXPECT_OK(enc_commit_sign(test_curve(), &event.commit, &owner));
    enc_event_finalise(&event, test_curve(), &sequencer);
    enc_event_put_json(&out, &event, false);
    return written(&out);
}

/* A body with one notice and events of these seqs. */
static const char *body_of(const struct enc_parcel *parcel, const uint64_t seqs[EVENTS])
{
    struct enc_buffer out = buffer();
    enc_json_put_raw(&out, "{");
    enc_json_member_u64(&out, "push_seq", parcel->push_seq);
    enc_json_member_hex(&out, "enclave", enc_bytes_of(parcel->enclave32, 32));
    enc_json_member(&out, "push");
    enc_json_put_raw(&out, "[");
    for (int i = 0; i < EVENTS; i++) {
        enc_json_comma(&out);
        enc_json_put_raw(&out, event_json(seqs[i], parcel->enclave32));
    }
    enc_json_put_raw(&out, "],\"notify\":[{\"id\":");
    enc_json_put_hex(&out, enc_bytes_of(parcel->to32, 32));
    enc_json_put_raw(&out, ",\"seq\":9,\"type\":\"Like\",\"type_seq\":2,\"timestamp\":5}]}");
    return written(&out);
}

static enum enc_err take_body(struct enc_parcel_body *body, const char *text)
{
    struct enc_parcel parcel = signed_parcel();
    struct enc_bytes kept = enc_arena_copy(arena(), enc_bytes_of_text(text));
    return enc_parcel_body_take(body, arena(), &parcel, kept);
}

Test(parcel, a_body_is_its_events)
{
    struct enc_parcel_body body;
    struct enc_parcel parcel = signed_parcel();
    EXPECT_OK(take_body(&body, body_of(&parcel, (const uint64_t[EVENTS]){0, 4, 5})));
    cr_assert_eq(body.count, EVENTS);
    cr_assert_eq(body.notify_count, 1);
    cr_assert_eq(body.events[1].seq, 4);
    for (size_t i = 0; i < body.count; i++)
        cr_assert_eq(enc_event_check(&body.events[i], test_curve(), parcel.from32),
                     ENC_EVENT_SOUND);
}

Test(parcel, a_body_of_another_shape_is_refused)
{
    static const char *const WRONG[][2] = {
        {"\"push_seq\":258", "\"push_seq\":257"},
        {"\"push_seq\":258,", ""},
        {"\"enclave\":\"", "\"enclave\":\"0"},
        {"\"push\":[", "\"push\":[1,"},
        {"\"push\":[", "\"push\":[{},"},
        {"\"push\":[", "\"push\":{},\"pushed\":["},
        {"\"push\":", "\"pushed\":"},
        {"\"notify\":", "\"notified\":"},
        {"\"notify\":[", "\"notify\":[{},"},
        {"\"notify\":[", "\"notify\":null,\"n\":["},
        {"\"seq\":9", "\"seq\":\"9\""},
        {"\"type\":\"Like\",", ""},
        {"\"timestamp\":5", "\"timestamp\":-5"},
        {"\"content\":\"x\"", "\"content\":1"},
        {"{\"push_seq\"", "[{\"push_seq\""},
    };
    struct enc_parcel_body body;
    struct enc_parcel parcel = signed_parcel();
    const char *text = body_of(&parcel, (const uint64_t[EVENTS]){0, 4, 5});
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        const char *wrong = swapped(text, WRONG[i][0], WRONG[i][1]);
        cr_assert_eq(take_body(&body, wrong), ENC_ERR_INVALID_PUSH, "%s", wrong);
    }
    cr_assert_eq(take_body(&body, ""), ENC_ERR_INVALID_PUSH);
    cr_assert_eq(take_body(&body, body_of(&parcel, (const uint64_t[EVENTS]){1, 5, 4})),
                 ENC_ERR_INVALID_PUSH, "descending");
    cr_assert_eq(take_body(&body, body_of(&parcel, (const uint64_t[EVENTS]){1, 4, 4})),
                 ENC_ERR_INVALID_PUSH, "twice");
    struct enc_parcel other = parcel;
    memcpy(other.enclave32, parcel.to32, 32);
    const char *foreign = body_of(&other, (const uint64_t[EVENTS]){1, 4, 5});
    const char *mixed = swapped(foreign, hex32(parcel.to32), hex32(parcel.enclave32));
    cr_assert_eq(take_body(&body, mixed), ENC_ERR_INVALID_PUSH, "events of another enclave");
}
