/*
 * Timers that are kept elsewhere, far more than fit: set from several threads while the keeper's
 * rows are read, while others ring and while there is no room. Every one of them rings.
 */
#include "tests/race/race.h"

#include "actors/metrics.h"
#include "actors/timer.h"

enum {
    SETTERS = 3,
    KEYS = 4000, /* of each setter */
    ALL_KEYS = SETTERS * KEYS,
    TIMERS_MAX = 64,
    SLICE = 100,
    KIND = 1,
    WORKERS = 2
};

/* A row as a store would have it: due before anybody is told, 0 once it rang. */
static _Atomic uint64_t rows[ALL_KEYS];
static uint32_t rung[ALL_KEYS]; /* plain: only its actor's */
static _Atomic uint32_t silent;
static uint32_t read_to; /* the timers' thread's */
static struct enc_pool *pool;
static struct enc_directory *directory;
static struct enc_timers *timers;

static void ring(const struct enc_timer_mail *timer)
{
    uint32_t key = enc_be32_get(timer->key32 + 8);
    race_expect(timer->due_ms <= race_now_ms(NULL), "never early");
    if (rung[key]++ == 0)
        atomic_fetch_sub(&silent, 1);
    atomic_store(&rows[key], 0);
}

static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    (void)self;
    for (struct enc_mail *mail; (mail = enc_batch_next(batch));) {
        ring((struct enc_timer_mail *)mail);
        enc_timer_mail_free((struct enc_timer_mail *)mail);
    }
    return ENC_TURN_DONE;
}

static enum enc_err open_state(void **self, void *opaque, const uint8_t key32[32])
{
    (void)opaque;
    (void)key32;
    *self = malloc(1);
    return *self ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static bool may_retire(const void *self)
{
    (void)self;
    return true;
}

static const struct enc_actor_class CLASS = {open_state, turn, NULL, may_retire, free};

static enum enc_refill read_rows(void *self, bool is_first)
{
    uint8_t key32[32];
    (void)self;
    if (is_first)
        read_to = 0;
    for (uint32_t end = read_to + SLICE; read_to < end && read_to < ALL_KEYS; read_to++) {
        uint64_t due_ms = atomic_load(&rows[read_to]);
        race_key(key32, read_to);
        if (due_ms)
            enc_timer_offer(timers, key32, KIND, due_ms);
    }
    return read_to < ALL_KEYS ? ENC_REFILL_MORE : ENC_REFILL_DONE;
}

static void *setter(void *arg)
{
    uint32_t first = *(const uint32_t *)arg * KEYS;
    uint8_t key32[32];
    uint64_t random = first;
    for (uint32_t i = 0; i < KEYS; i++) {
        uint64_t due_ms = race_now_ms(NULL) + enc_splitmix(&random) % 300;
        race_key(key32, first + i);
        atomic_store(&rows[first + i], due_ms);
        race_expect(enc_timer_set(timers, key32, KIND, due_ms) == ENC_ERR_OK, "never refused");
        if (i % 16 == 0)
            race_sleep_us(200);
    }
    return NULL;
}

static void begin(void)
{
    struct enc_pool_config config = {
        .workers = WORKERS, .jobs_max = 1, .clock = {race_now_ms, NULL}};
    if (enc_pool_start(&pool, &config) != ENC_ERR_OK)
        abort();
    struct enc_directory_config directory_config = {.pool = pool,
                                                    .class = &CLASS,
                                                    .limits = {.depth_max = 4, .batch_max = 4},
                                                    .actors_max = 32,
                                                    .hash_seed = 5};
    if (enc_directory_open(&directory, &directory_config) != ENC_ERR_OK)
        abort();
    struct enc_timers_config timers_config = {
        .directory = directory,
        .timers_max = TIMERS_MAX,
        .retry_ms = 1,
        .keeper = {.refill = read_rows, .kinds = 1 << KIND, .ahead_ms = 20, .pause_ms = 1}};
    if (enc_timers_start(&timers, &timers_config) != ENC_ERR_OK)
        abort();
}

int main(void)
{
    uint32_t selves[SETTERS] = {0, 1, 2};
    pthread_t setters[SETTERS];
    struct enc_actors_counts counts;
    race_deadline(60);
    atomic_store(&silent, ALL_KEYS);
    begin();
    enc_timers_refill(timers);
    race_start(setters, SETTERS, setter, selves, sizeof *selves);
    race_join(setters, SETTERS);
    for (int wait = 0; wait < 20000 && atomic_load(&silent) > 0; wait++)
        race_sleep_us(1000);
    race_check(atomic_load(&silent) == 0, "every one rings");
    race_check(enc_timers_count(timers) <= TIMERS_MAX, "no more than fit");
    enc_pool_drain(pool);
    enc_actors_counts(pool, &counts);
    race_check(counts.timers_put_off > 0, "some found no room");
    enc_timers_stop(timers);
    enc_directory_close(directory);
    enc_pool_stop(pool);
    return race_end();
}
