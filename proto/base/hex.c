#include "proto/base/hex.h"

#include "proto/base/hex16.h"

/* One more than the value of each digit, 0 for what is none. A table, because digits are as good as
 * random to a branch predictor. */
static const uint8_t DIGIT[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool enc_hex_decode(uint8_t *out, size_t len, struct enc_bytes text)
{
    bool is_good = text.len == 2 * len;
    /*@ loop invariant 0 <= i <= len && (is_good ==> text.len == 2 * len);
        loop assigns i, is_good, out[0 .. len - 1];
        loop variant len - i; */
    for (size_t i = 0; is_good && i < len; i++) {
        unsigned high = DIGIT[text.data[2 * i]];
        unsigned low = DIGIT[text.data[2 * i + 1]];
        is_good = high && low;
        out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return is_good;
}

static const char LETTER[] = "0123456789abcdef";

void enc_hex_encode(char *out, struct enc_bytes bytes)
{
    size_t i = 0;
    /*@ loop invariant 0 <= i <= bytes.len;
        loop assigns i, out[0 .. 2 * bytes.len - 1];
        loop variant bytes.len - i; */
    for (; bytes.len - i >= 16; i += 16)
        enc_hex16_encode(out + 2 * i, bytes.data + i);
    /*@ loop invariant 0 <= i <= bytes.len;
        loop assigns i, out[0 .. 2 * bytes.len - 1];
        loop variant bytes.len - i; */
    for (; i < bytes.len; i++) {
        out[2 * i] = LETTER[bytes.data[i] >> 4];
        out[2 * i + 1] = LETTER[bytes.data[i] & 15];
    }
}

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t enc_base64_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/*@ requires len >= 1 && \valid(out4 + (0 .. 3));
    requires \valid_read(in + (0 .. (len < 3 ? len : 3) - 1));
    requires \separated(out4 + (0 .. 3), in + (0 .. (len < 3 ? len : 3) - 1));
    assigns out4[0 .. 3]; */
static void encode_group(char out4[4], const uint8_t *in, size_t len)
{
    uint32_t bits = (uint32_t)in[0] << 16;
    bits |= len > 1 ? (uint32_t)in[1] << 8 : 0;
    bits |= len > 2 ? in[2] : 0;
    out4[0] = BASE64[bits >> 18];
    out4[1] = BASE64[bits >> 12 & 63];
    out4[2] = len > 1 ? BASE64[bits >> 6 & 63] : '=';
    out4[3] = len > 2 ? BASE64[bits & 63] : '=';
}

void enc_base64_encode(char *out, struct enc_bytes bytes)
{
    /*@ loop invariant i % 3 == 0 && i <= bytes.len + 2 && out == \at(out, Pre) + i / 3 * 4;
        loop assigns i, out, \at(out, Pre)[0 .. (bytes.len + 2) / 3 * 4 - 1];
        loop variant bytes.len - i; */
    for (size_t i = 0; i < bytes.len; i += 3, out += 4)
        encode_group(out, bytes.data + i, bytes.len - i);
}

/*@ assigns \nothing;
    ensures -1 <= \result < 64;
    ensures \result >= 0 ==> BASE64[\result] == digit; */
static int base64_value(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if (digit == '+')
        return 62;
    return digit == '/' ? 63 : -1;
}

/* Returns the number of bytes of the group, or 0 when it is malformed. */
/*@ requires \valid(out3 + (0 .. 2)) && \valid_read(in4 + (0 .. 3));
    requires \separated(out3 + (0 .. 2), in4 + (0 .. 3));
    assigns out3[0 .. 2];
    ensures \result <= 3 && (!is_last ==> \result == 0 || \result == 3); */
static size_t decode_group(uint8_t out3[3], const uint8_t in4[4], bool is_last)
{
    size_t len = is_last && in4[3] == '=' ? (in4[2] == '=' ? 1 : 2) : 3;
    uint32_t bits = 0;
    /*@ loop invariant i <= 4;
        loop assigns i, bits;
        loop variant 4 - i; */
    for (size_t i = 0; i < 4; i++) {
        int value = i <= len ? base64_value(in4[i]) : 0;
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
    }
    if ((len == 1 && (bits & 0xffff)) || (len == 2 && (bits & 0xff)))
        return 0;
    /*@ loop invariant i <= len;
        loop assigns i, out3[0 .. 2];
        loop variant len - i; */
    for (size_t i = 0; i < len; i++)
        out3[i] = (uint8_t)(bits >> (16 - 8 * i));
    return len;
}

enum enc_err enc_base64_decode(struct enc_bytes *out, struct enc_arena *arena,
                               struct enc_bytes text)
{
    if (text.len % 4 != 0)
        return ENC_ERR_DECRYPT_FAILED;
    uint8_t *data = (uint8_t *)enc_arena_take(arena, text.len / 4 * 3);
    if (!data)
        return ENC_ERR_TOO_LARGE;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t got = decode_group(data + len, text.data + i, i + 4 == text.len);
        if (got == 0)
            return ENC_ERR_DECRYPT_FAILED;
        len += got;
    }
    *out = enc_bytes_of(data, len);
    return ENC_ERR_OK;
}
