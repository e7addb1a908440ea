/** What the trees share about lists of 32-byte hashes. Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/**
 * SHA-256 of the empty string: an empty SMT subtree and the root of an empty log (protocol.md 6,
 * 7.2).
 */
extern const uint8_t enc_empty32[32];

/** Whether a hash is enc_empty32. */
/*@ requires \valid_read(hash32 + (0 .. 31));
    assigns \nothing; */
static inline bool enc_is_empty(const uint8_t hash32[32])
{
    return memcmp(hash32, enc_empty32, 32) == 0;
}

/** Turn a list of hashes round: proofs are built from the root and shown from the leaf. */
void enc_hashes_turn(uint8_t (*hashes32)[32], uint32_t count);
