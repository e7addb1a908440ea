/** What the builder and the reader of a block share. */
#pragma once

#include "proto/base/bytes.h"

enum { ENC_GRAMS_HEAD_LEN = 8, ENC_GRAMS_ENTRY_LEN = 8, ENC_GRAMS_POSTING_LEN = 2 };

static inline void enc_grams_be16_put(uint8_t out2[2], uint16_t value)
{
    out2[0] = (uint8_t)(value >> 8);
    out2[1] = (uint8_t)value;
}

static inline uint16_t enc_grams_be16_get(const uint8_t in2[2])
{
    return (uint16_t)(in2[0] << 8 | in2[1]);
}
