#include "actors/metrics.h"

#include "actors/meter.h"
#include "actors/schedule.h"

#include <string.h>

static uint64_t value_of(const struct enc_meter *meter, unsigned which)
{
    /* relaxed: a figure for people, as is everything written to the cell */
    return atomic_load_explicit(&meter->cells[which].value, memory_order_relaxed);
}

void enc_meter_raise(struct enc_meter *meter, enum enc_count which, uint64_t value)
{
    _Atomic uint64_t *cell = &meter->cells[which].value;
    uint64_t was = value_of(meter, which);
    /* relaxed: a figure for people */
    while (was < value && !atomic_compare_exchange_weak_explicit(
                              cell, &was, value, memory_order_relaxed, memory_order_relaxed))
        continue;
}

static unsigned bucket_of(uint32_t taken)
{
    unsigned bucket = 0;
    for (; taken > 0 && bucket < ENC_BATCH_BUCKETS - 1; taken /= 2)
        bucket++;
    return bucket;
}

void enc_meter_turn(struct enc_meter *meter, uint32_t offered, uint32_t taken)
{
    enc_meter_add(meter, ENC_COUNT_TURNS, 1);
    enc_meter_add(meter, ENC_COUNT_MAILS_TAKEN, taken);
    enc_meter_add(meter, ENC_COUNT_BATCHES + bucket_of(taken), 1);
    enc_meter_raise(meter, ENC_COUNT_BATCH_MAX, offered);
}

/* What came minus what went: two readings of two moments, so never below zero by decree. */
static uint64_t level(const struct enc_meter *meter, enum enc_count came, enum enc_count went)
{
    uint64_t gone = value_of(meter, went);
    uint64_t all = value_of(meter, came);
    return all > gone ? all - gone : 0;
}

static const struct {
    size_t offset;
    enum enc_count came;
    enum enc_count went; /* ENC_COUNTS = a counter, else a level */
} ROWS[] = {
    {offsetof(struct enc_actors_counts, posts), ENC_COUNT_POSTS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, refusals), ENC_COUNT_REFUSALS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, mails_waiting), ENC_COUNT_POSTS, ENC_COUNT_MAILS_TAKEN},
    {offsetof(struct enc_actors_counts, turns), ENC_COUNT_TURNS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, turns_waiting), ENC_COUNT_TURNS_QUEUED,
     ENC_COUNT_TURNS_BEGUN},
    {offsetof(struct enc_actors_counts, parks), ENC_COUNT_PARKS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, batch_max), ENC_COUNT_BATCH_MAX, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, jobs), ENC_COUNT_JOBS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, job_refusals), ENC_COUNT_JOB_REFUSALS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, jobs_waiting), ENC_COUNT_JOBS_QUEUED, ENC_COUNT_JOBS},
    {offsetof(struct enc_actors_counts, activations), ENC_COUNT_ACTIVATIONS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, retirements), ENC_COUNT_RETIREMENTS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, timers_waiting), ENC_COUNT_TIMERS_SET,
     ENC_COUNT_TIMERS_GONE},
    {offsetof(struct enc_actors_counts, timers_posted), ENC_COUNT_TIMERS_POSTED, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, timer_retries), ENC_COUNT_TIMER_RETRIES, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, timers_put_off), ENC_COUNT_TIMERS_PUT_OFF, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, lane_batches), ENC_COUNT_LANE_BATCHES, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, lane_items), ENC_COUNT_LANE_ITEMS, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, lane_batch_max), ENC_COUNT_LANE_BATCH_MAX, ENC_COUNTS},
    {offsetof(struct enc_actors_counts, lane_refusals), ENC_COUNT_LANE_REFUSALS, ENC_COUNTS},
};

void enc_actors_counts(const struct enc_pool *pool, struct enc_actors_counts *out)
{
    const struct enc_meter *meter = enc_pool_meter_of(pool);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint64_t value = ROWS[i].went == ENC_COUNTS ? value_of(meter, ROWS[i].came)
                                                    : level(meter, ROWS[i].came, ROWS[i].went);
        memcpy((uint8_t *)out + ROWS[i].offset, &value, sizeof value);
    }
    for (unsigned i = 0; i < ENC_BATCH_BUCKETS; i++)
        out->batches[i] = value_of(meter, ENC_COUNT_BATCHES + i);
}
