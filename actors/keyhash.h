/** A keyed hash of 32-byte keys that others may choose: they cannot aim at one bucket. Pure. */
#pragma once

#include "proto/base/bytes.h"

struct enc_keyhash {
    uint64_t factors[9];
};

/** Derive the function from a seed. */
void enc_keyhash_init(struct enc_keyhash *hash, uint64_t seed);

/** 32 bits; two different keys agree with probability 2^-32 over the seeds. */
uint32_t enc_keyhash_of(const struct enc_keyhash *hash, const uint8_t key32[32]);
