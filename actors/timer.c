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

/* Sweeping the directory more often than this gains nothing. */
enum { SWEEP_MIN_MS = 10 };

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
    uint64_t sweep_ms;   /* when to sweep next */
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

static size_t choices(void *self, uint64_t now_ms)
{
    const struct enc_timers *timers = (const struct enc_timers *)self;
    if (timers->is_stopping)
        return 0;
    return (size_t)is_sweep_due(timers, now_ms) + (size_t)is_timer_due(timers, now_ms);
}

/* Of two choices the sweep is the first: it is rare, and must not starve. */
static void work(void *self, uint32_t member, size_t choice)
{
    (void)member;
    struct enc_timers *timers = (struct enc_timers *)self;
    uint64_t now_ms = enc_crew_now_ms(&timers->crew); /* may be less than choices was told */
    bool is_first = choice == 0 || choice == ENC_CREW_NEXT;
    if (is_first && is_sweep_due(timers, now_ms))
        sweep(timers, now_ms);
    else if (is_timer_due(timers, now_ms))
        post_first(timers);
}

static uint64_t due_ms(void *self)
{
    const struct enc_timers *timers = (const struct enc_timers *)self;
    const struct enc_due *first = enc_heap_first(&timers->heap);
    uint64_t first_ms = first ? first->at_ms : UINT64_MAX;
    return first_ms < timers->sweep_ms ? first_ms : timers->sweep_ms;
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

enum enc_err enc_timer_set(struct enc_timers *timers, const uint8_t key32[32], uint32_t timer_kind,
                           uint64_t due_ms_wanted)
{
    enc_crew_lock(&timers->crew);
    struct timer **link = find(timers, key32, timer_kind);
    struct timer *timer = *link;
    if (timer && !timer->is_posting)
        enc_heap_remove(&timers->heap, &timer->due);
    if (!timer)
        timer = remember(timers, link, key32, timer_kind);
    if (timer)
        set(timers, timer, due_ms_wanted);
    enc_crew_unlock(&timers->crew);
    return timer ? ENC_ERR_OK : ENC_ERR_BUSY;
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
