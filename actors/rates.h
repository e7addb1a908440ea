/**
 * Token buckets, one per key, in a table that never grows: each key may do so many things per
 * second, and a burst of them at once. The table forgets first whose bucket is fullest, so that
 * little is forgotten; a key that was forgotten begins with a full bucket again.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

#include <stdbool.h>

enum { ENC_RATES_WAYS = 8 }; /* keys that compete for room with each other */

struct enc_rates;

struct enc_rates_config {
    uint32_t per_s;     /* at least 1, at most a million */
    uint32_t burst;     /* the bucket's size; 0: as much as a second brings */
    uint32_t keys_max;  /* keys remembered; rounded up to a power of two, 16 bytes each */
    uint64_t hash_seed; /* random: keys may be chosen by strangers */
};

/** What a key has left. */
struct enc_rate {
    uint32_t quota;    /* the bucket's size */
    uint32_t window_s; /* in which an empty bucket becomes full, rounded up */
    uint32_t left;     /* things that may follow at once */
    uint32_t full_s;   /* until the bucket is full again, rounded up */
    uint32_t retry_s;  /* refused: until the next is let through, rounded up; else 0 */
};

/** NULL when memory or a lock cannot be had. */
ENC_MUST_USE struct enc_rates *enc_rates_open(const struct enc_rates_config *config);

/**
 * One more thing of this key. False when its bucket is empty; nothing is taken then. The clock may
 * jump: back, and no key waits longer than a window. Any thread; one short lock.
 */
ENC_MUST_USE bool enc_rates_take(struct enc_rates *rates, struct enc_rate *out,
                                 const uint8_t key32[32], uint64_t now_ms);

/** Free it. NULL is allowed. */
void enc_rates_close(struct enc_rates *rates);
