/**
 * A pulse: whether a thread gets on with its work. Its count is odd while the thread is at work and
 * even while it waits for some; each piece of work moves it by two. So who finds an odd count again
 * after a while knows that the thread has been at the same piece all the time, and no clock was
 * read by anybody who works.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Zeroed memory waits for work. A cache line of its own. */
struct enc_pulse {
    _Atomic uint64_t beats;
    uint8_t pad[56];
};

/** Work begins or ends. The thread whose pulse it is. */
static inline void enc_pulse_beat(struct enc_pulse *pulse)
{
    /* relaxed: nobody else writes, and nothing else is concluded from it */
    uint64_t beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);
    atomic_store_explicit(&pulse->beats, beats + 1, memory_order_relaxed);
}

/** The count now. Any thread. */
static inline uint64_t enc_pulse_read(const struct enc_pulse *pulse)
{
    return atomic_load_explicit(&pulse->beats, memory_order_relaxed); /* see enc_pulse_beat */
}

/** Whether two readings are of one piece of work. */
static inline bool enc_pulse_is_same_work(uint64_t before, uint64_t after)
{
    return before == after && before % 2 == 1;
}
