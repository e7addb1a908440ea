/**
 * Tree heads that were signed for reads: who asks again within a minute gets the same one. Any
 * thread.
 */
#pragma once

#include "proto/ct.h"

struct enc_heads;

/** NULL when memory cannot be had. */
ENC_MUST_USE struct enc_heads *enc_heads_new(void);
void enc_heads_free(struct enc_heads *heads);

/**
 * Fill t_ms and sig64 from what is kept for this enclave, ts and r32; false when nothing is. How
 * old it is the caller sees.
 */
ENC_MUST_USE bool enc_heads_find(struct enc_heads *heads, struct enc_sth *sth,
                                 const uint8_t enclave32[32]);

/** Keep a head, in the place of the one that has it. */
void enc_heads_keep(struct enc_heads *heads, const struct enc_sth *sth,
                    const uint8_t enclave32[32]);
