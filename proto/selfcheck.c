#include "proto/selfcheck.h"

#include "proto/base/hex.h"
#include "proto/seal.h"
#include "proto/sha256.h"

static bool is_hex(struct enc_bytes bytes, const char *hex)
{
    uint8_t want[72];
    return bytes.len <= sizeof want && enc_hex_decode(want, bytes.len, enc_bytes_of_text(hex)) &&
           memcmp(bytes.data, want, bytes.len) == 0;
}

static void count_up(uint8_t *out, size_t len, uint8_t first)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(first + i);
}

/* FIPS 180-4, in one piece and in two. */
static bool sha256_answers(void)
{
    static const char WANT[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const struct enc_bytes parts[] = {ENC_LIT("a"), ENC_LIT("bc")};
    uint8_t whole[32], pieces[32];
    enc_sha256(whole, ENC_LIT("abc"));
    enc_sha256_parts(pieces, parts, 2);
    return is_hex(enc_bytes_of(whole, 32), WANT) && is_hex(enc_bytes_of(pieces, 32), WANT);
}

/* RFC 5869, test case 3. */
static bool hkdf_answers(void)
{
    uint8_t ikm[22], out[42];
    memset(ikm, 0x0b, sizeof ikm);
    enc_hkdf(out, sizeof out, enc_bytes_of(ikm, sizeof ikm), ENC_LIT(""));
    return is_hex(enc_bytes_of(out, sizeof out),
                  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
                  "9d201395faa4b61a96c8");
}

/* The first half block of draft-irtf-cfrg-xchacha-03 A.3.1; its tag without additional data. */
static bool seal_answers(void)
{
    const struct enc_bytes plain = ENC_LIT("Ladies and Gentlemen of the clas");
    uint8_t memory[512], key[32], nonce[24];
    struct enc_arena arena;
    struct enc_bytes sealed, raw, opened;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    count_up(key, sizeof key, 0x80);
    count_up(nonce, sizeof nonce, 0x40);
    return enc_seal_close(&sealed, &arena, key, nonce, plain) == ENC_ERR_OK &&
           enc_base64_decode(&raw, &arena, sealed) == ENC_ERR_OK &&
           is_hex(raw, "404142434445464748494a4b4c4d4e4f5051525354555657"
                       "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                       "9da6cd18b7ada0079c368d06e8f14830") &&
           enc_seal_open(&opened, &arena, key, sealed) == ENC_ERR_OK &&
           enc_bytes_equal(opened, plain);
}

bool enc_crypto_self_check(void)
{
    return sha256_answers() && hkdf_answers() && seal_answers();
}
