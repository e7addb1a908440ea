/**
 * A tally: many counters that every thread adds to all the time. Each counter has a cell in every
 * stripe, a thread always uses the same stripe, and stripes share no cache line; who asks for a
 * counter adds its cells up. So an addition waits for nobody and no addition is lost.
 */
#pragma once

#include "proto/base/check.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENC_TALLY_STRIPES = 16 };

struct enc_tally {
    _Atomic uint64_t *cells; /* stripe after stripe */
    size_t stride;           /* cells of a stripe, whole cache lines */
};

/** The calling thread's stripe, counted from 1; 0 = it has none yet. */
extern _Thread_local uint32_t enc_tally_stripe;

/** Give the calling thread a stripe and return it. */
uint32_t enc_tally_join(void);

/** All counters at zero. False when memory is short. */
ENC_MUST_USE bool enc_tally_init(struct enc_tally *tally, size_t count);

void enc_tally_fini(struct enc_tally *tally);

/** Add to a counter; a level goes down by adding a negative amount. Any thread. */
static inline void enc_tally_add(const struct enc_tally *tally, size_t cell, uint64_t amount)
{
    uint32_t stripe = enc_tally_stripe ? enc_tally_stripe : enc_tally_join();
    /* relaxed: a figure for people; nothing else is concluded from it */
    atomic_fetch_add_explicit(&tally->cells[(stripe - 1) * tally->stride + cell], amount,
                              memory_order_relaxed);
}

/** What was added so far. Any thread; exact once those who add are quiet. */
uint64_t enc_tally_sum(const struct enc_tally *tally, size_t cell);
