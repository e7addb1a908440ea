/** Views of bytes and the integer encodings that every floor shares. Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * A borrowed run of bytes. Whoever hands one out says how long it lives. data may be NULL iff len
 * is 0.
 */
struct enc_bytes {
    const uint8_t *data;
    size_t len;
};

/** The bytes of a string literal, without its terminator. */
#define ENC_LIT(s) ((struct enc_bytes){(const uint8_t *)(s), sizeof(s) - 1})

/*@ assigns \nothing;
    ensures \result.data == data && \result.len == len; */
static inline struct enc_bytes enc_bytes_of(const void *data, size_t len)
{
    return (struct enc_bytes){(const uint8_t *)data, len};
}

static inline struct enc_bytes enc_bytes_of_text(const char *text)
{
    return enc_bytes_of(text, strlen(text));
}

/*@ requires \valid_read(a.data + (0 .. a.len - 1)) && \valid_read(b.data + (0 .. b.len - 1));
    assigns \nothing;
    ensures \result <==> a.len == b.len &&
        \forall integer i; 0 <= i < a.len ==> a.data[i] == b.data[i]; */
static inline bool enc_bytes_equal(struct enc_bytes a, struct enc_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/** Whether a equals the NUL-terminated text. */
static inline bool enc_bytes_is(struct enc_bytes a, const char *text)
{
    return enc_bytes_equal(a, enc_bytes_of_text(text));
}

/** Cut what stands before the first stop byte off left, and the stop with it; all of it when there
 * is none. */
/*@ requires \valid(left) && \valid_read(left->data + (0 .. left->len - 1));
    requires \separated(left, left->data + (0 .. left->len - 1));
    assigns *left;
    ensures \result.data == \old(left->data) && \result.len <= \old(left->len);
    ensures left->len + \result.len <= \old(left->len);
    ensures left->data == \old(left->data) + (\old(left->len) - left->len);
    ensures \forall integer i; 0 <= i < \result.len ==> \result.data[i] != (uint8_t)stop;
    ensures left->len == 0 || (left->len == \old(left->len) - \result.len - 1 &&
        \result.data[\result.len] == (uint8_t)stop); */
struct enc_bytes enc_bytes_cut(struct enc_bytes *left, char stop);

/* What a run of bytes says as a number, the first one the greatest. */
/*@ logic integer enc_be32{L}(uint8_t *in) =
      16777216 * in[0] + 65536 * in[1] + 256 * in[2] + in[3];
    logic integer enc_be64{L}(uint8_t *in) = 4294967296 * enc_be32(in) + enc_be32(in + 4);
    predicate enc_is_be64{L}(uint8_t *in, integer value) =
      in[0] == (uint8_t)(value >> 56) && in[1] == (uint8_t)(value >> 48) &&
      in[2] == (uint8_t)(value >> 40) && in[3] == (uint8_t)(value >> 32) &&
      in[4] == (uint8_t)(value >> 24) && in[5] == (uint8_t)(value >> 16) &&
      in[6] == (uint8_t)(value >> 8) && in[7] == (uint8_t)value; */

/*@ requires \valid(out4 + (0 .. 3));
    assigns out4[0 .. 3];
    ensures enc_be32(out4) == value; */
static inline void enc_be32_put(uint8_t out4[4], uint32_t value)
{
    /*@ loop pragma UNROLL "completely", 5; */
    for (unsigned i = 0; i < 4; i++)
        out4[i] = (uint8_t)(value >> (24 - 8 * i));
}

/*@ requires \valid(out8 + (0 .. 7));
    assigns out8[0 .. 7];
    ensures enc_is_be64(out8, value); */
static inline void enc_be64_put(uint8_t out8[8], uint64_t value)
{
    /*@ loop pragma UNROLL "completely", 9; */
    for (unsigned i = 0; i < 8; i++)
        out8[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* Written out, because compilers make one load of this and many of a loop. */
/*@ requires \valid_read(in4 + (0 .. 3));
    assigns \nothing;
    ensures 0 <= enc_be32(in4) < 4294967296 && \result == enc_be32(in4); */
static inline uint32_t enc_be32_get(const uint8_t in4[4])
{
    return (uint32_t)in4[0] << 24 | (uint32_t)in4[1] << 16 | (uint32_t)in4[2] << 8 | in4[3];
}

/*@ requires \valid_read(in8 + (0 .. 7));
    assigns \nothing;
    ensures \result == enc_be64(in8); */
static inline uint64_t enc_be64_get(const uint8_t in8[8])
{
    return (uint64_t)enc_be32_get(in8) << 32 | enc_be32_get(in8 + 4);
}
