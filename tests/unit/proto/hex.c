#include "proto/base/hex.h"

#include "support.h"

#include <criterion/criterion.h>

static int digit_value(unsigned byte)
{
    const char *digits = "0123456789abcdefABCDEF";
    const char *at = byte ? strchr(digits, (int)byte) : NULL;
    long i = at ? at - digits : -1;
    return (int)(i < 16 ? i : i - 6);
}

Test(hex, every_pair_of_bytes)
{
    for (unsigned high = 0; high < 256; high++) {
        for (unsigned low = 0; low < 256; low++) {
            const uint8_t text[2] = {(uint8_t)high, (uint8_t)low};
            uint8_t out = 0;
            bool is_hex = digit_value(high) >= 0 && digit_value(low) >= 0;
            cr_assert_eq(enc_hex_decode(&out, 1, enc_bytes_of(text, 2)), is_hex, "%02x %02x", high,
                         low);
            if (is_hex)
                cr_assert_eq(out, digit_value(high) * 16 + digit_value(low));
        }
    }
}

Test(hex, every_byte_is_written_in_lowercase)
{
    for (unsigned value = 0; value < 256; value++) {
        char got[2], want[3];
        uint8_t byte = (uint8_t)value;
        enc_hex_encode(got, enc_bytes_of(&byte, 1));
        snprintf(want, sizeof want, "%02x", value);
        cr_assert_eq(memcmp(got, want, 2), 0);
    }
}

Test(hex, any_number_of_bytes_is_written)
{
    uint8_t bytes[100];
    char out[201];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t start = 0; start < 4; start++)
        for (size_t len = 0; start + len <= sizeof bytes; len++) {
            char wanted[3];
            memset(out, '!', sizeof out);
            enc_hex_encode(out, enc_bytes_of(bytes + start, len));
            for (size_t i = 0; i < len; i++) {
                snprintf(wanted, sizeof wanted, "%02x", bytes[start + i]);
                cr_assert_arr_eq(out + 2 * i, wanted, 2, "byte %zu of %zu", i, len);
            }
            cr_assert_eq(out[2 * len], '!', "nothing behind %zu", len);
        }
}

/* Sixteen at once: what is believed of them where the rest is proved. */
Test(hex, every_byte_at_every_place_of_sixteen)
{
    for (unsigned at = 0; at < 16; at++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t bytes[16];
            char got[32], want[33] = "";
            memset(bytes, (int)(value ^ 0xff), sizeof bytes);
            bytes[at] = (uint8_t)value;
            for (size_t i = 0; i < sizeof bytes; i++)
                snprintf(want + 2 * i, 3, "%02x", bytes[i]);
            enc_hex_encode(got, enc_bytes_of(bytes, sizeof bytes));
            cr_assert_arr_eq(got, want, sizeof got, "%02x at %u", value, at);
        }
}

Test(hex, the_length_must_be_exact)
{
    uint8_t out[3];
    cr_assert(enc_hex_decode(out, 2, ENC_LIT("00fF")));
    cr_assert_not(enc_hex_decode(out, 2, ENC_LIT("00f")));
    cr_assert_not(enc_hex_decode(out, 2, ENC_LIT("00ff0")));
    cr_assert_not(enc_hex_decode(out, 2, ENC_LIT("00ff00")));
    cr_assert_not(enc_hex_decode(out, 2, ENC_LIT("")));
    cr_assert(enc_hex_decode(out, 0, enc_bytes_of(NULL, 0)));
}

/* ---- base64 ---- */

static bool decodes(struct enc_bytes *out, const char *text, size_t len)
{
    static uint8_t memory[64];
    struct enc_arena arena;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    return enc_base64_decode(out, &arena, enc_bytes_of(text, len)) == ENC_ERR_OK;
}

/* RFC 4648 section 10. */
Test(hex, base64_published_answers)
{
    static const char *const ROWS[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char text[16];
        struct enc_bytes back, plain = enc_bytes_of_text(ROWS[i][0]);
        size_t len = enc_base64_len(plain.len);
        enc_base64_encode(text, plain);
        cr_assert(enc_bytes_is(enc_bytes_of(text, len), ROWS[i][1]), "%s", ROWS[i][0]);
        cr_assert(decodes(&back, text, len) && enc_bytes_equal(back, plain), "%s", ROWS[i][0]);
    }
}

static bool comes_back(const uint8_t *bytes, size_t len)
{
    char text[4];
    struct enc_bytes back;
    enc_base64_encode(text, enc_bytes_of(bytes, len));
    return decodes(&back, text, 4) && enc_bytes_equal(back, enc_bytes_of(bytes, len));
}

Test(hex, base64_of_every_input_of_one_to_three_bytes, .timeout = 120)
{
    size_t lost = 0;
    for (uint32_t value = 0; value < 1 << 24; value++) {
        const uint8_t bytes[3] = {(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
        lost += !comes_back(bytes, 3);
        lost += bytes[2] == 0 && !comes_back(bytes, 2);
        lost += bytes[2] == 0 && bytes[1] == 0 && !comes_back(bytes, 1);
    }
    cr_assert_eq(lost, 0);
}

static const char SYMBOLS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-";

/* Each input has one text (above), so counting accepted texts shows that no other is accepted. */
Test(hex, base64_accepts_no_second_spelling, .timeout = 120)
{
    const uint32_t symbols = sizeof SYMBOLS - 1;
    size_t accepted[4] = {0};
    for (uint32_t i = 0; i < symbols * symbols * symbols * symbols; i++) {
        const char text[4] = {SYMBOLS[i % symbols], SYMBOLS[i / symbols % symbols],
                              SYMBOLS[i / symbols / symbols % symbols],
                              SYMBOLS[i / symbols / symbols / symbols]};
        struct enc_bytes out;
        if (decodes(&out, text, 4))
            accepted[out.len]++;
    }
    cr_assert_eq(accepted[0], 0);
    cr_assert_eq(accepted[1], 1u << 8);
    cr_assert_eq(accepted[2], 1u << 16);
    cr_assert_eq(accepted[3], 1u << 24);
}

Test(hex, base64_accepts_no_other_byte_anywhere)
{
    struct enc_bytes out;
    for (unsigned byte = 0; byte < 256; byte++) {
        bool is_digit = byte && byte != '=' && byte != '-' && strchr(SYMBOLS, (int)byte);
        for (size_t at = 0; at < 8; at++) {
            char text[8] = {'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A'};
            text[at] = (char)byte;
            bool is_padding = byte == '=' && at == 7;
            cr_assert_eq(decodes(&out, text, 8), is_digit || is_padding, "%02x at %zu", byte, at);
        }
    }
}

Test(hex, base64_padding_ends_the_text)
{
    struct enc_bytes out;
    cr_assert_not(decodes(&out, "QQ==QUFB", 8));
    cr_assert_not(decodes(&out, "QUE=QUFB", 8));
    cr_assert(decodes(&out, "QUFBQQ==", 8));
    for (size_t len = 1; len < 16; len++)
        cr_assert_eq(decodes(&out, "QUFBQUFBQUFBQUFB", len), len % 4 == 0, "length %zu", len);
}

Test(hex, base64_without_memory_is_too_large)
{
    uint8_t memory[16];
    struct enc_bytes out;
    struct enc_arena arena;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    cr_assert_eq(enc_base64_decode(&out, &arena, ENC_LIT("QUFBQUFBQUFBQUFBQUFBQUFBQUFB")),
                 ENC_ERR_TOO_LARGE);
}
