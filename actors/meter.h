/** The room's own side of metrics.h: one meter per pool, written by everything over that pool. */
#pragma once

#include "actors/metrics.h"

#include <stdatomic.h>

enum enc_count {
    ENC_COUNT_POSTS,
    ENC_COUNT_REFUSALS,
    ENC_COUNT_MAILS_TAKEN,
    ENC_COUNT_TURNS,
    ENC_COUNT_TURNS_QUEUED,
    ENC_COUNT_TURNS_BEGUN,
    ENC_COUNT_PARKS,
    ENC_COUNT_BATCH_MAX,
    ENC_COUNT_JOBS_QUEUED,
    ENC_COUNT_JOBS,
    ENC_COUNT_JOB_REFUSALS,
    ENC_COUNT_ACTIVATIONS,
    ENC_COUNT_RETIREMENTS,
    ENC_COUNT_TIMERS_SET,
    ENC_COUNT_TIMERS_GONE,
    ENC_COUNT_TIMERS_POSTED,
    ENC_COUNT_TIMER_RETRIES,
    ENC_COUNT_TIMERS_PUT_OFF,
    ENC_COUNT_LANE_BATCHES,
    ENC_COUNT_LANE_ITEMS,
    ENC_COUNT_LANE_BATCH_MAX,
    ENC_COUNT_LANE_REFUSALS,
    ENC_COUNT_BATCHES, /* first of ENC_BATCH_BUCKETS */
    ENC_COUNTS = ENC_COUNT_BATCHES + ENC_BATCH_BUCKETS
};

/** Zeroed memory is a meter at zero. One cell per cache line: threads do not wait for each other.
 */
struct enc_meter {
    struct {
        _Atomic uint64_t value;
        uint8_t pad[56];
    } cells[ENC_COUNTS];
};

/** Add to a counter. Any thread. */
static inline void enc_meter_add(struct enc_meter *meter, enum enc_count which, uint64_t amount)
{
    /* relaxed: a figure for people; nothing else is concluded from it */
    atomic_fetch_add_explicit(&meter->cells[which].value, amount, memory_order_relaxed);
}

/** Raise a maximum. Any thread. */
void enc_meter_raise(struct enc_meter *meter, enum enc_count which, uint64_t value);

/** Count a turn that took this many mails out of those offered. Any thread. */
void enc_meter_turn(struct enc_meter *meter, uint32_t offered, uint32_t taken);
