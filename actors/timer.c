#include "actors/timer.h"

#include "actors/crew.h"
#include "actors/heap.h"
#include "actors/schedule.h"

#include <stdlib.h>
#include <string.h>

/*
 * A timer stays in the table until its mail was taken by a mailbox. While the thread posts it,
 * without the lock, it is neither in the heap nor freed by anybody else: a set or clear of that
 * moment only leaves word, which the thread obeys when it has the lock again.
 */

/*
 * The horizon: whatever is kept and due before horizon_ms is in the table, or its mail is on its
 * way. It sinks when something is forgotten or not taken in, and only a refill raises it: to the
 * end of time when it begins, so that what is set meanwhile, in front of the reading or behind it,
 * is taken in; what does not fit lowers it again. Until the refill is done nothing follows from it.
 */

/* Sweeping the directory more often than this gains nothing. */
enum { SWEEP_MIN_MS = 10 };

/* A clock that runs back less is being corrected, not set. */
enum { SET_BACK_MIN_MS = 1000 };

enum word { NONE, SET_AGAIN, CLEARED };

struct timer {
    struct enc_due due; /* at_ms: when to post, later than due_ms after a refusal */
    struct timer *chain;
    uint8_t key32[32];
    uint64_t due_ms;
    uint32_t kind;
    bool is_posting;
    enum word word; /* while it is posting */
};

struct enc_timers {
    struct enc_crew crew;
    struct enc_timers_config config;
    struct enc_heap heap; /* from here on under the crew's lock */
    struct timer **buckets;
    size_t bucket_count; /* a power of two */
    uint32_t count;      /* in the table */
    uint64_t seen_ms;    /* the clock when the thread last looked */
    uint64_t sweep_ms;   /* when to sweep next */
    uint64_t horizon_ms;
    uint64_t refill_ms; /* when the keeper is to be asked next, if there is room */
    uint64_t rested_ms; /* not before, once one is done */
    bool is_refilling;
    bool is_stopping;
};

static struct enc_meter *meter_of(const struct enc_timers *timers)
{
    return enc_pool_meter(enc_directory_pool(timers->config.directory));
}

/* The table. With the lock held. */

static struct timer **find(struct enc_timers *timers, const uint8_t key32[32], uint32_t kind)
{
    uint32_t hash = enc_directory_hash(timers->config.directory, key32) + kind;
    struct timer **link = &timers->buckets[hash & (timers->bucket_count - 1)];
    while (*link && ((*link)->kind != kind || memcmp((*link)->key32, key32, 32) != 0))
        link = &(*link)->chain;
    return link;
}

static void forget(struct enc_timers *timers, struct timer *timer)
{
    *find(timers, timer->key32, timer->kind) = timer->chain;
    timers->count--;
    enc_meter_add(meter_of(timers), ENC_COUNT_TIMERS_GONE, 1);
    free(timer);
}

static struct timer *remember(struct enc_timers *timers, struct timer **link,
                              const uint8_t key32[32], uint32_t kind)
{
    if (timers->count >= timers->config.timers_max)
        return NULL;
    struct timer *timer = (struct timer *)calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    memcpy(timer->key32, key32, sizeof timer->key32);
    timer->kind = kind;
    *link = timer;
    timers->count++;
    enc_meter_add(meter_of(timers), ENC_COUNT_TIMERS_SET, 1);
    return timer;
}

static void wait_until(struct enc_timers *timers, struct timer *timer, uint64_t at_ms)
{
    timer->due.at_ms = at_ms;
    enc_heap_push(&timers->heap, &timer->due);
}

/* What is kept. With the lock held. */

static bool is_kept(const struct enc_timers *timers, uint32_t kind)
{
    return kind < 32 && (timers->config.keeper.kinds >> kind & 1) != 0;
}

static void plan_refill(struct enc_timers *timers)
{
    uint64_t ahead_ms = timers->config.keeper.ahead_ms;
    if (timers->is_refilling || timers->horizon_ms == UINT64_MAX)
        return;
    uint64_t near_ms = timers->horizon_ms > ahead_ms ? timers->horizon_ms - ahead_ms : 0;
    timers->refill_ms = near_ms > timers->rested_ms ? near_ms : timers->rested_ms;
    enc_crew_wake(&timers->crew);
}

static void lower_horizon(struct enc_timers *timers, uint64_t due_ms)
{
    enc_meter_add(meter_of(timers), ENC_COUNT_TIMERS_PUT_OFF, 1);
    if (due_ms < timers->horizon_ms)
        timers->horizon_ms = due_ms;
}

/* The later half makes room. What nobody keeps stays. */
static void put_off(struct enc_timers *timers)
{
    size_t end = timers->heap.count;
    enc_heap_cut(&timers->heap, end / 2);
    for (size_t i = end / 2; i < end; i++) {
        struct timer *timer = (struct timer *)timers->heap.slots[i];
        if (!is_kept(timers, timer->kind)) {
            enc_heap_push(&timers->heap, &timer->due);
            continue;
        }
        lower_horizon(timers, timer->due_ms);
        forget(timers, timer);
    }
    plan_refill(timers);
}

static struct timer *take_in(struct enc_timers *timers, const uint8_t key32[32], uint32_t kind)
{
    if (timers->count >= timers->config.timers_max)
        put_off(timers);
    return remember(timers, find(timers, key32, kind), key32, kind);
}

/* What would be behind the horizon, or finds no room, is left to its keeper. */
static struct timer *take_in_kept(struct enc_timers *timers, const uint8_t key32[32], uint32_t kind,
                                  uint64_t due_ms)
{
    struct timer *timer = NULL;
    if (due_ms < timers->horizon_ms)
        timer = take_in(timers, key32, kind);
    if (!timer) {
        lower_horizon(timers, due_ms);
        plan_refill(timers);
    }
    return timer;
}

static bool has_room(const struct enc_timers *timers)
{
    return timers->is_refilling || timers->count <= timers->config.timers_max / 2;
}

static void refill(struct enc_timers *timers)
{
    const struct enc_timer_keeper *keeper = &timers->config.keeper;
    bool is_first = !timers->is_refilling;
    if (is_first)
        timers->horizon_ms = UINT64_MAX;
    timers->is_refilling = true;
    timers->refill_ms = 0;
    enc_crew_unlock(&timers->crew);
    enum enc_refill got = keeper->refill(keeper->self, is_first);
    enc_crew_lock(&timers->crew);
    if (got != ENC_REFILL_MORE)
        timers->rested_ms = enc_crew_now_ms(&timers->crew) + keeper->pause_ms;
    if (got == ENC_REFILL_FAILED)
        timers->refill_ms = timers->rested_ms;
    if (got != ENC_REFILL_DONE)
        return;
    timers->is_refilling = false;
    timers->refill_ms = UINT64_MAX;
    plan_refill(timers);
}

/* Posting. */

static enum enc_err post(struct enc_timers *timers, const struct timer *timer)
{
    struct enc_timer_mail *mail = (struct enc_timer_mail *)malloc(sizeof *mail);
    if (!mail)
        return ENC_ERR_BUSY;
    enc_mail_init(&mail->mail, timers->config.mail_kind);
    mail->timer_kind = timer->kind;
    mail->due_ms = timer->due_ms;
    memcpy(mail->key32, timer->key32, sizeof mail->key32);
    enum enc_err err = enc_directory_post(timers->config.directory, mail->key32, &mail->mail);
    bool is_posted = err == ENC_ERR_OK;
    enc_meter_add(meter_of(timers), is_posted ? ENC_COUNT_TIMERS_POSTED : ENC_COUNT_TIMER_RETRIES,
                  1);
    if (!is_posted)
        free(mail);
    return err;
}

void enc_timer_mail_free(struct enc_timer_mail *mail)
{
    free(mail);
}

static void obey(struct enc_timers *timers, struct timer *timer, enum enc_err err)
{
    enum word word = timer->word;
    timer->is_posting = false;
    timer->word = NONE;
    if (word == SET_AGAIN)
        wait_until(timers, timer, timer->due_ms);
    else if (word == CLEARED || err == ENC_ERR_OK)
        forget(timers, timer);
    else
        wait_until(timers, timer, enc_crew_now_ms(&timers->crew) + timers->config.retry_ms);
}

static void post_first(struct enc_timers *timers)
{
    struct timer *timer = (struct timer *)enc_heap_first(&timers->heap);
    enc_heap_remove(&timers->heap, &timer->due);
    timer->is_posting = true;
    struct timer as_due = *timer;
    enc_crew_unlock(&timers->crew);
    enum enc_err err = post(timers, &as_due);
    enc_crew_lock(&timers->crew);
    obey(timers, timer, err);
}

static void sweep(struct enc_timers *timers, uint64_t now_ms)
{
    enc_crew_unlock(&timers->crew);
    uint64_t next_ms = enc_directory_sweep(timers->config.directory, now_ms);
    enc_crew_lock(&timers->crew);
    timers->sweep_ms = next_ms < now_ms + SWEEP_MIN_MS ? now_ms + SWEEP_MIN_MS : next_ms;
}

/* The thread. */

static bool is_sweep_due(const struct enc_timers *timers, uint64_t now_ms)
{
    uint64_t idle_ms = enc_directory_idle_ms(timers->config.directory);
    bool is_set_back = timers->sweep_ms > now_ms + idle_ms + SWEEP_MIN_MS; /* the clock was */
    return idle_ms > 0 && (timers->sweep_ms <= now_ms || is_set_back);
}

static bool is_timer_due(const struct enc_timers *timers, uint64_t now_ms)
{
    const struct enc_due *first = enc_heap_first(&timers->heap);
    return first && first->at_ms <= now_ms;
}

static bool is_refill_due(const struct enc_timers *timers, uint64_t now_ms)
{
    return timers->refill_ms <= now_ms && has_room(timers);
}

static void post_due(struct enc_timers *timers, uint64_t now_ms)
{
    (void)now_ms;
    post_first(timers);
}

static void refill_due(struct enc_timers *timers, uint64_t now_ms)
{
    (void)now_ms;
    refill(timers);
}

/* What there may be to do; what is rare first, or it would starve. */
static const struct {
    bool (*is_due)(const struct enc_timers *timers, uint64_t now_ms);
    void (*run)(struct enc_timers *timers, uint64_t now_ms);
} TASKS[] = {{is_sweep_due, sweep}, {is_timer_due, post_due}, {is_refill_due, refill_due}};

static uint64_t earlier(uint64_t at_ms, uint64_t ms)
{
    return at_ms == UINT64_MAX ? at_ms : at_ms > ms ? at_ms - ms : 0;
}

/* The clock was set back: what was to come in a second must not take the hours it was ahead.
 * Whoever meant a time of day, and not a pause, sets its timer again. */
static void set_back(struct enc_timers *timers, uint64_t ms)
{
    for (size_t i = 0; i < timers->heap.count; i++)
        timers->heap.slots[i]->at_ms = earlier(timers->heap.slots[i]->at_ms, ms);
    timers->refill_ms = earlier(timers->refill_ms, ms);
    timers->rested_ms = earlier(timers->rested_ms, ms);
}

/* 0: nobody has looked at the clock. */
static void note_clock(struct enc_timers *timers, uint64_t now_ms)
{
    if (now_ms && now_ms + SET_BACK_MIN_MS < timers->seen_ms)
        set_back(timers, timers->seen_ms - now_ms);
    if (now_ms)
        timers->seen_ms = now_ms;
}

static size_t choices(void *self, uint64_t now_ms)
{
    struct enc_timers *timers = (struct enc_timers *)self;
    note_clock(timers, now_ms);
    size_t count = 0;
    for (size_t i = 0; !timers->is_stopping && i < sizeof TASKS / sizeof TASKS[0]; i++)
        count += TASKS[i].is_due(timers, now_ms);
    return count;
}

static void work(void *self, uint32_t member, size_t choice)
{
    (void)member;
    struct enc_timers *timers = (struct enc_timers *)self;
    uint64_t now_ms = enc_crew_now_ms(&timers->crew); /* may be less than choices was told */
    size_t left = choice == ENC_CREW_NEXT ? 0 : choice;
    for (size_t i = 0; i < sizeof TASKS / sizeof TASKS[0]; i++) {
        if (!TASKS[i].is_due(timers, now_ms) || left-- > 0)
            continue;
        TASKS[i].run(timers, now_ms);
        return;
    }
}

static uint64_t due_ms(void *self)
{
    const struct enc_timers *timers = (const struct enc_timers *)self;
    const struct enc_due *first = enc_heap_first(&timers->heap);
    uint64_t next_ms = first ? first->at_ms : UINT64_MAX;
    if (timers->sweep_ms < next_ms)
        next_ms = timers->sweep_ms;
    return has_room(timers) && timers->refill_ms < next_ms ? timers->refill_ms : next_ms;
}

static const struct enc_crew_class CREW = {choices, work, due_ms};

/* From outside. */

static void set(struct enc_timers *timers, struct timer *timer, uint64_t due_at_ms)
{
    timer->due_ms = due_at_ms;
    if (timer->is_posting) {
        timer->word = SET_AGAIN;
        return;
    }
    wait_until(timers, timer, due_at_ms);
    if (enc_heap_first(&timers->heap) == &timer->due)
        enc_crew_wake(&timers->crew);
}

static void reset(struct enc_timers *timers, struct timer *timer, uint64_t due_at_ms)
{
    if (!timer->is_posting)
        enc_heap_remove(&timers->heap, &timer->due);
    set(timers, timer, due_at_ms);
}

enum enc_err enc_timer_set(struct enc_timers *timers, const uint8_t key32[32], uint32_t timer_kind,
                           uint64_t due_ms_wanted)
{
    bool kept = is_kept(timers, timer_kind);
    enc_crew_lock(&timers->crew);
    struct timer *timer = *find(timers, key32, timer_kind);
    if (timer)
        reset(timers, timer, due_ms_wanted);
    else if ((timer = kept ? take_in_kept(timers, key32, timer_kind, due_ms_wanted)
                           : take_in(timers, key32, timer_kind)))
        set(timers, timer, due_ms_wanted);
    enc_crew_unlock(&timers->crew);
    return timer || kept ? ENC_ERR_OK : ENC_ERR_BUSY;
}

void enc_timer_offer(struct enc_timers *timers, const uint8_t key32[32], uint32_t timer_kind,
                     uint64_t due_ms_kept)
{
    ENC_CHECK(is_kept(timers, timer_kind));
    enc_crew_lock(&timers->crew);
    struct timer *timer = *find(timers, key32, timer_kind);
    if (timer && due_ms_kept < timer->due_ms)
        reset(timers, timer, due_ms_kept);
    else if (!timer && (timer = take_in_kept(timers, key32, timer_kind, due_ms_kept)))
        set(timers, timer, due_ms_kept);
    enc_crew_unlock(&timers->crew);
}

void enc_timers_refill(struct enc_timers *timers)
{
    ENC_CHECK(timers->config.keeper.refill != NULL);
    enc_crew_lock(&timers->crew);
    timers->refill_ms = 0;
    enc_crew_wake(&timers->crew);
    enc_crew_unlock(&timers->crew);
}

static bool clear(struct enc_timers *timers, struct timer *timer)
{
    if (timer->is_posting) {
        bool was_set = timer->word == SET_AGAIN;
        timer->word = CLEARED;
        return was_set;
    }
    enc_heap_remove(&timers->heap, &timer->due);
    forget(timers, timer);
    return true;
}

bool enc_timer_clear(struct enc_timers *timers, const uint8_t key32[32], uint32_t timer_kind)
{
    enc_crew_lock(&timers->crew);
    struct timer *timer = *find(timers, key32, timer_kind);
    bool was_set = timer && clear(timers, timer);
    enc_crew_unlock(&timers->crew);
    return was_set;
}

uint32_t enc_timers_count(struct enc_timers *timers)
{
    enc_crew_lock(&timers->crew);
    uint32_t count = timers->count;
    enc_crew_unlock(&timers->crew);
    return count;
}

/* Life. */

static size_t bucket_count_for(uint32_t timers_max)
{
    size_t count = 64;
    while (count < timers_max)
        count *= 2;
    return count;
}

static bool take_memory(struct enc_timers *timers)
{
    uint32_t timers_max = timers->config.timers_max;
    timers->bucket_count = bucket_count_for(timers_max);
    timers->buckets = (struct timer **)calloc(timers->bucket_count, sizeof(struct timer *));
    timers->heap.slots = (struct enc_due **)calloc(timers_max, sizeof(struct enc_due *));
    return timers->buckets && timers->heap.slots;
}

static void give_memory(struct enc_timers *timers)
{
    for (size_t i = 0; i < timers->heap.count; i++)
        free((struct timer *)timers->heap.slots[i]);
    free(timers->heap.slots);
    free(timers->buckets);
    free(timers);
}

static bool begin(struct enc_timers *timers)
{
    struct enc_pool *pool = enc_directory_pool(timers->config.directory);
    uint32_t idle_ms = enc_directory_idle_ms(timers->config.directory);
    struct enc_crew_config crew = {.class = &CREW,
                                   .self = timers,
                                   .count = 1,
                                   .clock = enc_pool_clock(pool),
                                   .sim = enc_pool_sim(pool)};
    timers->horizon_ms = timers->refill_ms = UINT64_MAX;
    timers->sweep_ms = idle_ms > 0 ? enc_pool_now_ms(pool) + idle_ms : UINT64_MAX;
    return enc_crew_start(&timers->crew, &crew);
}

enum enc_err enc_timers_start(struct enc_timers **out, const struct enc_timers_config *config)
{
    ENC_CHECK(config->timers_max > 0 && config->retry_ms > 0);
    struct enc_timers *timers = (struct enc_timers *)calloc(1, sizeof *timers);
    if (!timers)
        return ENC_ERR_INTERNAL;
    timers->config = *config;
    if (!take_memory(timers) || !begin(timers)) {
        give_memory(timers);
        return ENC_ERR_INTERNAL;
    }
    *out = timers;
    return ENC_ERR_OK;
}

void enc_timers_stop(struct enc_timers *timers)
{
    enc_crew_lock(&timers->crew);
    timers->is_stopping = true;
    enc_crew_unlock(&timers->crew);
    enc_crew_stop(&timers->crew);
    enc_meter_add(meter_of(timers), ENC_COUNT_TIMERS_GONE, timers->count);
    give_memory(timers);
}

uint64_t enc_timers_beats(const struct enc_timers *timers)
{
    return enc_crew_beats(&timers->crew, 0);
}
