#include "services/shed.h"

enum { STEP_MS = 25, STEPS_FORGOTTEN = 40 };

static const double GAIN_DISTANCE = 0.04; /* per target that the mean is off, and step */
static const double GAIN_TREND = 0.6;     /* per target that the mean has moved */
static const double CHANCE_MAX = 0.98;    /* some always come through and tell how long it takes */
static const double DECAY = 0.9;          /* per step that nothing was answered in */
static const double WHOLE = 4294967296.0;

void enc_shed_init(struct enc_shed *shed, uint32_t target_ms)
{
    *shed = (struct enc_shed){.target_ms = target_ms};
}

/* All orders here are relaxed: figures that are a little late or off, and no data hangs on them.
 * One thread wins a step and has the figures of the share for itself. */

static double gain_of(double chance)
{
    return chance < 0.01 ? 0.25 : chance < 0.1 ? 0.5 : 1;
}

static double next_chance(const struct enc_shed *shed, double chance, double mean_ms,
                          double last_ms)
{
    double target_ms = shed->target_ms;
    double change = GAIN_DISTANCE * (mean_ms - target_ms) / target_ms +
                    GAIN_TREND * (mean_ms - last_ms) / target_ms;
    double limit = 0.1; /* one slow answer is no overload */
    change = change > limit ? limit : change < -limit ? -limit : change;
    chance += gain_of(chance) * change;
    return chance < 0 ? 0 : chance > CHANCE_MAX ? CHANCE_MAX : chance;
}

static void judge(struct enc_shed *shed)
{
    uint32_t count = atomic_exchange_explicit(&shed->count, 0, memory_order_relaxed);
    uint64_t sum_ms = atomic_exchange_explicit(&shed->sum_ms, 0, memory_order_relaxed);
    uint32_t last_ms = atomic_load_explicit(&shed->last_ms, memory_order_relaxed);
    double chance = atomic_load_explicit(&shed->chance, memory_order_relaxed) / WHOLE;
    double mean_ms = count ? (double)sum_ms / count : 0;
    chance = count ? next_chance(shed, chance, mean_ms, last_ms) : chance * DECAY;
    atomic_store_explicit(&shed->last_ms, (uint32_t)mean_ms, memory_order_relaxed);
    atomic_store_explicit(&shed->chance, (uint32_t)(chance * WHOLE), memory_order_relaxed);
}

/* After a pause, or when the clock has jumped, all is forgotten. */
static void forget(struct enc_shed *shed)
{
    atomic_store_explicit(&shed->chance, 0, memory_order_relaxed);
    atomic_store_explicit(&shed->last_ms, 0, memory_order_relaxed);
}

static void step(struct enc_shed *shed, uint64_t now_ms)
{
    uint64_t step_ms = atomic_load_explicit(&shed->step_ms, memory_order_relaxed);
    if (now_ms >= step_ms && now_ms < step_ms + STEP_MS)
        return;
    if (!atomic_compare_exchange_strong_explicit(&shed->step_ms, &step_ms, now_ms,
                                                 memory_order_relaxed, memory_order_relaxed))
        return;
    if (now_ms < step_ms || now_ms >= step_ms + STEP_MS * STEPS_FORGOTTEN)
        forget(shed);
    else
        judge(shed);
}

bool enc_shed_admits(struct enc_shed *shed, uint64_t now_ms)
{
    step(shed, now_ms);
    uint32_t chance = atomic_load_explicit(&shed->chance, memory_order_relaxed);
    if (chance == 0)
        return true;
    uint32_t was = atomic_fetch_add_explicit(&shed->balance, chance, memory_order_relaxed);
    bool admits = (uint32_t)(was + chance) >= was;
    if (!admits)
        atomic_fetch_add_explicit(&shed->refusals, 1, memory_order_relaxed);
    return admits;
}

void enc_shed_note(struct enc_shed *shed, uint64_t begun_ms, uint64_t now_ms)
{
    uint64_t took_ms = now_ms > begun_ms ? now_ms - begun_ms : 0;
    uint64_t max_ms = 10 * (uint64_t)shed->target_ms; /* the clock may have jumped */
    took_ms = took_ms < max_ms ? took_ms : max_ms;
    atomic_fetch_add_explicit(&shed->sum_ms, took_ms, memory_order_relaxed);
    atomic_fetch_add_explicit(&shed->count, 1, memory_order_relaxed);
}
