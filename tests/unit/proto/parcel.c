#include "proto/parcel.h"

#include "logic.h"
#include "proto/seal.h"
#include "proto/session.h"

#include <criterion/criterion.h>

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
