/**
 * A lane: one thread that takes everything that waits as one batch, for work that pays per batch,
 * such as a sync.
 */
#pragma once

#include "actors/pool.h"

struct enc_lane;

/**
 * Do a batch: list holds count items, linked through next, oldest first, all the callee's. On the
 * lane's thread, where it may block; never two at once. Typically ends with enc_actor_resume for
 * every item.
 */
typedef void enc_lane_fn(void *self, struct enc_link *list, size_t count);

struct enc_lane_config {
    struct enc_pool *pool; /* whose actors it serves; in a simulation the lane is stepped with it */
    enc_lane_fn *work;
    void *self;
    uint32_t depth_max; /* items waiting, those in work not counted; at least 1 */
};

/** Start the thread. Errors: INTERNAL when threads or memory cannot be had */
ENC_MUST_USE enum enc_err enc_lane_start(struct enc_lane **out,
                                         const struct enc_lane_config *config);

/**
 * Queue an item. Any thread.
 *
 * Errors: ENC_ERR_BUSY when depth_max items wait; nothing changed, the item stays the caller's
 */
ENC_MUST_USE enum enc_err enc_lane_post(struct enc_lane *lane, struct enc_link *item);

/** The pulse of its thread (pulse.h). Any thread. */
uint64_t enc_lane_beats(const struct enc_lane *lane);

/**
 * Finish what waits, end the thread, free. After the pool was drained; no post may be under way.
 */
void enc_lane_stop(struct enc_lane *lane);
