/**
 * How many connections and WebSockets each address holds. One table for all loops behind one short
 * lock, which is never held together with another.
 */
#pragma once

#include "proto/base/check.h"

#include <stdbool.h>
#include <stdint.h>

enum enc_origin_kind { ENC_ORIGIN_CONNECTION, ENC_ORIGIN_SOCKET, ENC_ORIGIN_KINDS };

struct enc_origins;

/** An empty table with a bound per kind; free with enc_origins_free. Main thread. */
struct enc_origins *enc_origins_new(const uint64_t max_per_bucket[ENC_ORIGIN_KINDS]);
void enc_origins_free(struct enc_origins *origins);

/** Other bounds from now on; who is inside stays. Any thread. */
void enc_origins_bound(struct enc_origins *origins,
                       const uint64_t max_per_bucket[ENC_ORIGIN_KINDS]);

/**
 * Count one more of kind for the bucket (enc_address_bucket). False when the bound is reached. Any
 * thread.
 */
ENC_MUST_USE bool enc_origins_take(struct enc_origins *origins, const uint8_t bucket16[16],
                                   enum enc_origin_kind kind);

/** Count one less; it was taken before. Any thread. */
void enc_origins_give(struct enc_origins *origins, const uint8_t bucket16[16],
                      enum enc_origin_kind kind);
