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

static inline struct enc_bytes enc_bytes_of(const void *data, size_t len)
{
    return (struct enc_bytes){(const uint8_t *)data, len};
}

static inline struct enc_bytes enc_bytes_of_text(const char *text)
{
    return enc_bytes_of(text, strlen(text));
}

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
struct enc_bytes enc_bytes_cut(struct enc_bytes *left, char stop);

static inline void enc_be32_put(uint8_t out4[4], uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out4[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void enc_be64_put(uint8_t out8[8], uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out8[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* Written out, because compilers make one load of this and many of a loop. */
static inline uint32_t enc_be32_get(const uint8_t in4[4])
{
    return (uint32_t)in4[0] << 24 | (uint32_t)in4[1] << 16 | (uint32_t)in4[2] << 8 | in4[3];
}

static inline uint64_t enc_be64_get(const uint8_t in8[8])
{
    return (uint64_t)enc_be32_get(in8) << 32 | enc_be32_get(in8 + 4);
}
