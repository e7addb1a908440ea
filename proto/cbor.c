#include "proto/cbor.h"

#include "proto/sha256.h"

enum { MAJOR_UINT = 0x00, MAJOR_BYTES = 0x40, MAJOR_TEXT = 0x60, MAJOR_ARRAY = 0x80 };
enum { HEAD_LEN_MAX = 9 };

/*@ logic integer enc_cbor_head_len(integer value) = value < 24 ? 1 : value <= 255 ? 2 :
      value <= 65535 ? 3 : value <= 4294967295 ? 5 : 9; */

/* log2 of the number of bytes that follow the first one; -1 for none. */
/*@ assigns \nothing;
    ensures -1 <= \result <= 3;
    ensures \result == -1 <==> value < 24;
    ensures \result == 0 <==> 24 <= value <= 255;
    ensures \result == 1 <==> 256 <= value <= 65535;
    ensures \result == 2 <==> 65536 <= value <= 4294967295; */
static int width_of(uint64_t value)
{
    if (value < 24)
        return -1;
    if (value <= UINT8_MAX)
        return 0;
    if (value <= UINT16_MAX)
        return 1;
    return value <= UINT32_MAX ? 2 : 3;
}

/* Writes the shortest head; returns its length. */
/*@ requires \valid(out + (0 .. HEAD_LEN_MAX - 1)) && major % 32 == 0;
    assigns out[0 .. HEAD_LEN_MAX - 1];
    ensures \result == enc_cbor_head_len(value);
    ensures value < 24 ==> out[0] == major + value; */
static size_t put_head(uint8_t *out, uint8_t major, uint64_t value)
{
    int width = width_of(value);
    if (width < 0) {
        out[0] = (uint8_t)(major | value);
        return 1;
    }
    size_t len = (size_t)1 << width;
    out[0] = (uint8_t)(major | (24 + width));
    /*@ loop pragma UNROLL "completely", 9; */
    for (size_t i = 0; i < len; i++)
        out[1 + i] = (uint8_t)(value >> (8 * (len - 1 - i)));
    return 1 + len;
}

/*@ requires len <= SIZE_MAX - HEAD_LEN_MAX && \valid_read(data + (0 .. len - 1));
    requires \valid(out + (0 .. HEAD_LEN_MAX - 1));
    requires \valid(out + (0 .. enc_cbor_head_len(len) + len - 1));
    requires \separated(out + (0 .. HEAD_LEN_MAX + len - 1), data + (0 .. len - 1));
    assigns out[0 .. HEAD_LEN_MAX + len - 1];
    ensures \result == enc_cbor_head_len(len) + len; */
static size_t put_bytes(uint8_t *out, const uint8_t *data, size_t len)
{
    size_t head_len = put_head(out, MAJOR_BYTES, len);
    if (len)
        memcpy(out + head_len, data, len);
    return head_len + len;
}

static void add_head(struct enc_buffer *buffer, uint8_t major, uint64_t value)
{
    uint8_t head[HEAD_LEN_MAX];
    size_t len = put_head(head, major, value);
    enc_buffer_add(buffer, enc_bytes_of(head, len));
}

void enc_cbor_array(struct enc_buffer *buffer, uint64_t count)
{
    add_head(buffer, MAJOR_ARRAY, count);
}

void enc_cbor_uint(struct enc_buffer *buffer, uint64_t value)
{
    add_head(buffer, MAJOR_UINT, value);
}

void enc_cbor_bytes(struct enc_buffer *buffer, struct enc_bytes bytes)
{
    add_head(buffer, MAJOR_BYTES, bytes.len);
    enc_buffer_add(buffer, bytes);
}

void enc_cbor_text(struct enc_buffer *buffer, struct enc_bytes utf8)
{
    add_head(buffer, MAJOR_TEXT, utf8.len);
    enc_buffer_add(buffer, utf8);
}

void enc_h_pair(uint8_t out32[32], uint8_t prefix, const uint8_t left32[32],
                const uint8_t right32[32])
{
    uint8_t image[1 + 2 + 34 + 34];
    size_t len = put_head(image, MAJOR_ARRAY, 3);
    len += put_head(image + len, MAJOR_UINT, prefix);
    len += put_bytes(image + len, left32, 32);
    len += put_bytes(image + len, right32, 32);
    enc_sha256(out32, enc_bytes_of(image, len));
}

void enc_h_smt_leaf(uint8_t out32[32], const uint8_t key21[21], struct enc_bytes value)
{
    ENC_CHECK(value.len <= ENC_SMT_VALUE_LEN_MAX);
    uint8_t image[1 + 2 + 22 + 2 + ENC_SMT_VALUE_LEN_MAX];
    size_t len = put_head(image, MAJOR_ARRAY, 3);
    len += put_head(image + len, MAJOR_UINT, 0x20);
    len += put_bytes(image + len, key21, 21);
    len += put_bytes(image + len, value.data, value.len);
    enc_sha256(out32, enc_bytes_of(image, len));
}
