/*
 * Timers set, replaced and cleared from several threads while they fire into a directory that is
 * often full, whose actors retire meanwhile.
 */
#include "tests/race/race.h"

#include "actors/metrics.h"
#include "actors/timer.h"

enum {
    SETTERS = 3,
    KEYS = 4,
    ALL_KEYS = SETTERS * KEYS,
    KINDS = 2,
    SETS = 4000,
    WORKERS = 2,
    CROWD = 300,
    ROUNDS = 15
};
enum mail_kind { FLOOD, TIMER };

/* One timer: only its setter sets it, only its actor hears of it. */
struct slot {
    uint64_t
        dues[SETS + 2]; /* of every set so far, in order; the next is written before it is set */
    uint32_t sets;
    uint32_t heard; /* plain: number of the set that came last, counted from 1; 0 = none */
    uint64_t last_due_ms;
    uint32_t arrivals;
    bool ends_cleared;
};

static struct enc_pool *pool;
static struct enc_directory *directory;
static struct enc_timers *timers;
static struct slot slots[ALL_KEYS][KINDS];
static _Atomic bool is_over;
static _Atomic uint32_t floods;
static _Atomic uint32_t flooded;

static void hear(struct slot *slot, uint64_t due_ms)
{
    race_expect(due_ms <= race_now_ms(NULL), "never early");
    uint32_t at = slot->heard;
    while (at < SETS + 1 && slot->dues[at] != due_ms)
        at++;
    race_expect(at < SETS + 1, "what arrives was set, and later than what arrived before");
    slot->heard = at + 1;
    slot->last_due_ms = due_ms;
    slot->arrivals++;
}

static void take(struct enc_mail *mail)
{
    if (mail->kind == FLOOD) {
        atomic_fetch_add(&flooded, 1);
        free(mail);
        return;
    }
    struct enc_timer_mail *timer = (struct enc_timer_mail *)mail;
    hear(&slots[enc_be32_get(timer->key32 + 8)][timer->timer_kind], timer->due_ms);
    enc_timer_mail_free(timer);
}

static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    (void)self;
    race_sleep_us(50);
    for (struct enc_mail *mail; (mail = enc_batch_next(batch));)
        take(mail);
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

static struct enc_actor_class class = {open_state, turn, NULL, may_retire, free};

static void set(uint32_t key, uint32_t kind, uint64_t due_ms)
{
    uint8_t key32[32];
    struct slot *slot = &slots[key][kind];
    slot->dues[slot->sets++] = due_ms;
    race_key(key32, key);
    race_expect(enc_timer_set(timers, key32, kind, due_ms) == ENC_ERR_OK, "there is room to set");
}

static void clear(uint32_t key, uint32_t kind)
{
    uint8_t key32[32];
    race_key(key32, key);
    (void)enc_timer_clear(timers, key32, kind);
}

static void *setter(void *arg)
{
    uint32_t first = *(const uint32_t *)arg * KEYS;
    uint64_t random = first;
    for (uint32_t i = 0; i < SETS; i++) {
        uint64_t dice = enc_splitmix(&random);
        uint32_t key = first + dice % KEYS;
        if ((dice >> 8) % 8 == 0)
            clear(key, (dice >> 16) % KINDS);
        else
            set(key, (dice >> 16) % KINDS, race_now_ms(NULL) + (dice >> 32) % 4);
        if (i % 4 == 0)
            race_sleep_us(200);
    }
    for (uint32_t key = first; key < first + KEYS; key++) {
        set(key, 0, race_now_ms(NULL) + 10 - key % 4);
        set(key, 1, race_now_ms(NULL) + 5000);
        clear(key, 1);
    }
    return NULL;
}

static void *flooder(void *arg)
{
    uint64_t random = (uintptr_t)arg;
    uint8_t key32[32];
    while (!atomic_load(&is_over)) {
        struct enc_mail *mail = (struct enc_mail *)malloc(sizeof *mail);
        enc_mail_init(mail, FLOOD);
        race_key(key32, (uint32_t)(enc_splitmix(&random) % ALL_KEYS));
        if (enc_directory_post(directory, key32, mail) == ENC_ERR_OK)
            atomic_fetch_add(&floods, 1);
        else
            free(mail);
        race_sleep_us(20);
    }
    return NULL;
}

static void begin(uint32_t timers_max, uint32_t idle_ms)
{
    struct enc_pool_config config = {
        .workers = WORKERS, .jobs_max = 1, .clock = {race_now_ms, NULL}};
    if (enc_pool_start(&pool, &config) != ENC_ERR_OK)
        abort();
    struct enc_directory_config directory_config = {.pool = pool,
                                                    .class = &class,
                                                    .limits = {.depth_max = 1, .batch_max = 1},
                                                    .actors_max = ALL_KEYS,
                                                    .idle_ms = idle_ms,
                                                    .hash_seed = 5};
    if (enc_directory_open(&directory, &directory_config) != ENC_ERR_OK)
        abort();
    struct enc_timers_config timers_config = {
        .directory = directory, .timers_max = timers_max, .mail_kind = TIMER, .retry_ms = 1};
    if (enc_timers_start(&timers, &timers_config) != ENC_ERR_OK)
        abort();
}

static void end(void)
{
    enc_timers_stop(timers);
    enc_directory_close(directory);
    enc_pool_stop(pool);
}

static void judge(void)
{
    struct enc_actors_counts counts;
    uint32_t arrivals = 0;
    enc_actors_counts(pool, &counts);
    for (uint32_t key = 0; key < ALL_KEYS; key++) {
        const struct slot *last_set = &slots[key][0];
        race_expect(last_set->last_due_ms == last_set->dues[last_set->sets - 1],
                    "the last set arrives, last");
        const struct slot *cleared = &slots[key][1];
        race_expect(cleared->last_due_ms != cleared->dues[cleared->sets - 1],
                    "what is cleared before it is due does not arrive");
        arrivals += last_set->arrivals + cleared->arrivals;
    }
    race_check(arrivals == counts.timers_posted, "what was posted arrives");
    race_check(arrivals > ALL_KEYS, "timers fired while others were set");
    race_check(counts.timer_retries > 0, "posts were refused and tried again");
    race_check(counts.retirements > 0, "actors retired meanwhile");
    race_check(counts.timers_waiting == 0, "nothing waits");
    race_check(floods == flooded, "other mail arrives too");
}

static void play_set(void)
{
    uint32_t selves[SETTERS] = {0, 1, 2};
    pthread_t setters[SETTERS];
    pthread_t other;
    begin(ALL_KEYS * KINDS, 2);
    race_start(&other, 1, flooder, NULL, 0);
    race_start(setters, SETTERS, setter, selves, sizeof *selves);
    race_join(setters, SETTERS);
    while (enc_timers_count(timers) > 0)
        race_sleep_us(500);
    atomic_store(&is_over, true);
    race_join(&other, 1);
    enc_pool_drain(pool);
    judge();
    end();
}

/*
 * One actor that parks with a full mailbox: its crowd of timers is posted and refused all the time.
 * A set or clear of such a moment must not be forgotten.
 */
static struct enc_actor *_Atomic parked;
static _Atomic uint32_t crowd_arrivals;

static enum enc_turn crowd_turn(void *self, struct enc_batch *batch)
{
    (void)self;
    for (struct enc_mail *mail; (mail = enc_batch_next(batch));) {
        atomic_fetch_add(&crowd_arrivals, mail->kind == TIMER);
        free(mail);
    }
    if (atomic_load(&parked))
        return ENC_TURN_DONE;
    atomic_store(&parked, batch->actor);
    return ENC_TURN_PARK;
}

static void post_flood(const uint8_t key32[32])
{
    struct enc_mail *mail = (struct enc_mail *)malloc(sizeof *mail);
    enc_mail_init(mail, FLOOD);
    while (enc_directory_post(directory, key32, mail) != ENC_ERR_OK)
        sched_yield();
}

static uint64_t retries(void)
{
    struct enc_actors_counts counts;
    enc_actors_counts(pool, &counts);
    return counts.timer_retries;
}

static void set_crowd(const uint8_t key32[32], uint64_t due_ms)
{
    for (uint32_t kind = 0; kind < CROWD; kind++)
        race_expect(enc_timer_set(timers, key32, kind, due_ms) == ENC_ERR_OK, "there is room");
}

static void press(const uint8_t key32[32])
{
    uint64_t before = retries();
    set_crowd(key32, race_now_ms(NULL));
    while (retries() < before + 2 * CROWD)
        race_sleep_us(200);
    race_expect(enc_timers_count(timers) == CROWD, "a refused timer is kept");
}

static void play_refused(void)
{
    uint8_t key32[32];
    uint64_t never_ms = race_now_ms(NULL) + 1000000;
    race_key(key32, 1);
    begin(CROWD, 0); /* no sweep wakes the thread */
    post_flood(key32);
    while (!atomic_load(&parked))
        sched_yield();
    post_flood(key32); /* now it is full */
    for (int round = 0; round < ROUNDS; round++) {
        press(key32);
        set_crowd(key32, never_ms);
        uint64_t before = retries();
        race_sleep_us(5000);
        race_expect(retries() <= before + 1, "what is set again is not posted as it was");
        press(key32);
        for (uint32_t kind = 0; kind < CROWD; kind++)
            (void)enc_timer_clear(timers, key32, kind);
        for (int wait = 0; wait < 1000 && enc_timers_count(timers) > 0; wait++)
            race_sleep_us(1000);
        race_expect(enc_timers_count(timers) == 0, "what is cleared is gone");
    }
    race_check(crowd_arrivals == 0, "refused is refused");
    press(key32);
    enc_actor_resume(parked);
    while (enc_timers_count(timers) > 0)
        race_sleep_us(500);
    enc_pool_drain(pool);
    race_check(crowd_arrivals == CROWD, "all arrive when there is room");
    end();
}

int main(void)
{
    race_deadline(60);
    play_set();
    class.turn = crowd_turn;
    play_refused();
    return race_end();
}
