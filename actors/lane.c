#include "actors/lane.h"

#include "actors/crew.h"
#include "actors/schedule.h"

#include <stdlib.h>

struct enc_lane {
    struct enc_crew crew;
    struct enc_queue queue; /* under the crew's lock */
    size_t depth_max;
    enc_lane_fn *fn;
    void *self;
    struct enc_meter *meter;
};

static size_t choices(void *self, uint64_t now_ms)
{
    (void)now_ms;
    return ((const struct enc_lane *)self)->queue.count > 0;
}

static void work(void *self, uint32_t member, size_t choice)
{
    (void)member;
    (void)choice; /* there is but one: all that waits */
    struct enc_lane *lane = (struct enc_lane *)self;
    size_t count = lane->queue.count;
    struct enc_link *list = enc_queue_take_all(&lane->queue);
    enc_crew_unlock(&lane->crew);
    enc_meter_add(lane->meter, ENC_COUNT_LANE_BATCHES, 1);
    enc_meter_add(lane->meter, ENC_COUNT_LANE_ITEMS, count);
    enc_meter_raise(lane->meter, ENC_COUNT_LANE_BATCH_MAX, count);
    lane->fn(lane->self, list, count);
    enc_crew_lock(&lane->crew);
}

static const struct enc_crew_class CREW = {choices, work, NULL};

enum enc_err enc_lane_start(struct enc_lane **out, const struct enc_lane_config *config)
{
    ENC_CHECK(config->depth_max > 0);
    struct enc_lane *lane = (struct enc_lane *)calloc(1, sizeof *lane);
    if (!lane)
        return ENC_ERR_INTERNAL;
    lane->depth_max = config->depth_max;
    lane->fn = config->work;
    lane->self = config->self;
    lane->meter = enc_pool_meter(config->pool);
    struct enc_crew_config crew = {
        .class = &CREW, .self = lane, .count = 1, .sim = enc_pool_sim(config->pool)};
    if (!enc_crew_start(&lane->crew, &crew)) {
        free(lane);
        return ENC_ERR_INTERNAL;
    }
    *out = lane;
    return ENC_ERR_OK;
}

enum enc_err enc_lane_post(struct enc_lane *lane, struct enc_link *item)
{
    enc_crew_lock(&lane->crew);
    bool fits = lane->queue.count < lane->depth_max;
    if (fits) {
        enc_queue_push(&lane->queue, item);
        enc_crew_wake(&lane->crew);
    }
    enc_crew_unlock(&lane->crew);
    if (!fits)
        enc_meter_add(lane->meter, ENC_COUNT_LANE_REFUSALS, 1);
    return fits ? ENC_ERR_OK : ENC_ERR_BUSY;
}

uint64_t enc_lane_beats(const struct enc_lane *lane)
{
    return enc_crew_beats(&lane->crew, 0);
}

void enc_lane_stop(struct enc_lane *lane)
{
    enc_crew_stop(&lane->crew);
    free(lane);
}
