#include "proto/seal.h"

#include "proto/base/hex.h"
#include "proto/selfcheck.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void vector_key_and_nonce(uint8_t key[32], uint8_t nonce[24])
{
    vector_hex(key, 32, "session.key_query");
    vector_hex(nonce, 24, "session.nonce");
}

/* Base64 of raw sealed bytes, in the arena. */
static struct enc_bytes text_of(struct enc_arena *arena, struct enc_bytes raw)
{
    size_t len = enc_base64_len(raw.len);
    char *text = (char *)enc_arena_take(arena, len);
    cr_assert_not_null(text);
    enc_base64_encode(text, raw);
    return enc_bytes_of(text, len);
}

Test(seal, self_check_passes)
{
    cr_assert(enc_crypto_self_check());
}

Test(seal, close_gives_the_vector)
{
    uint8_t key[32], nonce[24];
    struct enc_bytes sealed;
    vector_key_and_nonce(key, nonce);
    cr_assert_eq(
        enc_seal_close(&sealed, fresh_arena(1 << 16), key, nonce, vector_text("session.plaintext")),
        ENC_ERR_OK);
    cr_assert(enc_bytes_equal(sealed, vector_text("session.content_b64")));
}

Test(seal, open_gives_the_plaintext_of_the_vector)
{
    uint8_t key[32], nonce[24];
    struct enc_bytes plain;
    vector_key_and_nonce(key, nonce);
    cr_assert_eq(
        enc_seal_open(&plain, fresh_arena(1 << 16), key, vector_text("session.content_b64")),
        ENC_ERR_OK);
    cr_assert(enc_bytes_equal(plain, vector_text("session.plaintext")));
}

/* draft-irtf-cfrg-xchacha-03 A.3.1. Its ciphertext does not depend on the additional data. */
Test(seal, ciphertext_of_the_draft)
{
    uint8_t key[32], nonce[24];
    struct enc_bytes sealed, raw;
    struct enc_arena *arena = fresh_arena(1 << 16);
    for (size_t i = 0; i < 32; i++)
        key[i] = (uint8_t)(0x80 + i);
    for (size_t i = 0; i < 24; i++)
        nonce[i] = (uint8_t)(0x40 + i);
    cr_assert_eq(
        enc_seal_close(&sealed, arena, key, nonce,
                       ENC_LIT("Ladies and Gentlemen of the class of '99: If I could offer "
                               "you only one tip for the future, sunscreen would be it.")),
        ENC_ERR_OK);
    cr_assert_eq(enc_base64_decode(&raw, arena, sealed), ENC_ERR_OK);
    cr_assert_eq(raw.len, 24 + 114 + 16);
    cr_assert_arr_eq(raw.data, nonce, 24);
    expect_hex(enc_bytes_of(raw.data + 24, 114),
               "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
               "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
               "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
               "21f9664c97637da9768812f615c68b13b52e");
}

Test(seal, every_length_up_to_three_blocks_comes_back)
{
    static uint8_t text[200];
    uint8_t key[32] = {7}, nonce[24] = {0};
    struct enc_bytes sealed, plain;
    for (size_t len = 0; len <= sizeof text; len++) {
        struct enc_arena *arena = fresh_arena(1 << 16);
        text[len / 2] ^= (uint8_t)len;
        nonce[0] = (uint8_t)len;
        cr_assert_eq(enc_seal_close(&sealed, arena, key, nonce, enc_bytes_of(text, len)),
                     ENC_ERR_OK);
        cr_assert_eq(sealed.len, enc_base64_len(len + ENC_SEAL_EXTRA_LEN));
        cr_assert_eq(enc_seal_open(&plain, arena, key, sealed), ENC_ERR_OK);
        cr_assert(enc_bytes_equal(plain, enc_bytes_of(text, len)), "length %zu", len);
    }
}

static void expect_refused(const uint8_t key[32], struct enc_bytes text)
{
    struct enc_bytes plain;
    static uint8_t memory[4096];
    struct enc_arena arena;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    cr_assert_eq(enc_seal_open(&plain, &arena, key, text), ENC_ERR_DECRYPT_FAILED, "%.*s",
                 (int)text.len, (const char *)text.data);
}

Test(seal, any_changed_bit_is_refused)
{
    uint8_t key[32] = {7}, nonce[24] = {9}, raw[40 + 5];
    struct enc_bytes sealed, bytes;
    struct enc_arena *arena = fresh_arena(1 << 20);
    cr_assert_eq(enc_seal_close(&sealed, arena, key, nonce, ENC_LIT("hello")), ENC_ERR_OK);
    cr_assert_eq(enc_base64_decode(&bytes, arena, sealed), ENC_ERR_OK);
    for (size_t bit = 0; bit < 8 * sizeof raw; bit++) {
        memcpy(raw, bytes.data, sizeof raw);
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_refused(key, text_of(arena, enc_bytes_of(raw, sizeof raw)));
    }
    key[31] ^= 1;
    expect_refused(key, sealed);
}

Test(seal, any_shorter_or_longer_text_is_refused)
{
    uint8_t key[32] = {7}, nonce[24] = {9}, raw[40 + 5 + 1];
    struct enc_bytes sealed, bytes;
    struct enc_arena *arena = fresh_arena(1 << 20);
    cr_assert_eq(enc_seal_close(&sealed, arena, key, nonce, ENC_LIT("hello")), ENC_ERR_OK);
    cr_assert_eq(enc_base64_decode(&bytes, arena, sealed), ENC_ERR_OK);
    memcpy(raw, bytes.data, 45);
    raw[45] = 0;
    for (size_t len = 0; len <= 46; len++)
        if (len != 45)
            expect_refused(key, text_of(arena, enc_bytes_of(raw, len)));
}

Test(seal, text_that_is_no_strict_base64_is_refused)
{
    const uint8_t key[32] = {0};
    static const char *const BAD[] = {"A",    "AA",     "AAA", "AAAAA", "####", "AA=A",
                                      "AB==", "AAAA\n", "",    "=",     "===="};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        expect_refused(key, enc_bytes_of_text(BAD[i]));
}

Test(seal, too_little_memory_is_said)
{
    uint8_t key[32], nonce[24], memory[512];
    struct enc_bytes out;
    struct enc_arena arena;
    vector_key_and_nonce(key, nonce);
    for (size_t len = 0; len <= 256;
         len += 16) { /* the raw bytes may fit where the text does not */
        enc_arena_init_fixed(&arena, memory, len);
        cr_assert_eq(enc_seal_close(&out, &arena, key, nonce, vector_text("session.plaintext")),
                     ENC_ERR_TOO_LARGE);
    }
    enc_arena_init_fixed(&arena, memory, 64);
    cr_assert_eq(enc_seal_open(&out, &arena, key, vector_text("session.content_b64")),
                 ENC_ERR_TOO_LARGE);
}
