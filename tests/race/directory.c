/*
 * Posting against retiring: few keys, many posters, actors that leave after every turn, or when a
 * sweep says so, or to make room; and mail to all at the same time.
 */
#include "tests/race/race.h"

#include "actors/directory.h"
#include "actors/metrics.h"

enum { POSTERS = 3, KEYS = 24, MAILS = 10000, WORKERS = 2, TO_ALL = 1 };

struct letter {
    struct enc_mail mail;
    uint32_t key;
    uint32_t poster;
    uint32_t number; /* per poster and key, from 1 */
};

/* What outlives an actor: all of a key that any of its states may touch, plain on purpose. */
struct record {
    uint32_t last[POSTERS];
    uint32_t got;
    uint32_t opens;
    uint32_t to_all;
    _Atomic int live; /* states of this key: 0 or 1 */
};

struct state {
    struct record *record;
    _Atomic int inside;
    uint32_t turns;
};

static struct enc_pool *pool;
static struct enc_directory *directory;
static struct record records[KEYS];
static _Atomic uint32_t live_states;
static _Atomic uint32_t live_states_max;
static _Atomic bool is_over;
static bool fails_to_open;
static _Atomic uint32_t posted_to_all;
static uint32_t keep_turns; /* an actor may retire when its turns are a multiple of it */

static void note_live(void)
{
    uint32_t live = atomic_fetch_add(&live_states, 1) + 1;
    uint32_t max = atomic_load(&live_states_max);
    while (max < live && !atomic_compare_exchange_weak(&live_states_max, &max, live))
        continue;
}

static enum enc_err open_state(void **self, void *opaque, const uint8_t key32[32])
{
    (void)opaque;
    struct record *record = &records[enc_be32_get(key32 + 8)];
    if (fails_to_open && ++record->opens % 3 == 0)
        return ENC_ERR_INTERNAL;
    struct state *state = (struct state *)calloc(1, sizeof *state);
    state->record = record;
    race_expect(atomic_fetch_add(&record->live, 1) == 0, "a key has one state at a time");
    note_live();
    *self = state;
    return ENC_ERR_OK;
}

static void close_state(void *self)
{
    struct state *state = (struct state *)self;
    race_enter(&state->inside, "nobody is inside when the state is closed");
    atomic_fetch_sub(&state->record->live, 1);
    atomic_fetch_sub(&live_states, 1);
    free(state);
}

static void take(struct record *record, struct enc_mail *mail)
{
    struct letter *letter = (struct letter *)mail;
    if (mail->kind == TO_ALL) {
        record->to_all++;
    } else {
        race_expect(letter->number == record->last[letter->poster] + 1,
                    "a poster's mail arrives once and in order");
        record->last[letter->poster] = letter->number;
        record->got++;
    }
    free(letter);
}

static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    struct state *state = (struct state *)self;
    race_enter(&state->inside, "an actor runs on one thread");
    for (struct enc_mail *mail; (mail = enc_batch_next(batch));)
        take(state->record, mail);
    state->turns++;
    race_exit(&state->inside);
    return ENC_TURN_DONE;
}

static void refuse(void *opaque, struct enc_mail *mail, enum enc_err err)
{
    (void)opaque;
    race_expect(err == ENC_ERR_INTERNAL, "refused with the error of open");
    take(&records[((struct letter *)mail)->key], mail);
}

static bool may_retire(const void *self)
{
    return ((const struct state *)self)->turns % keep_turns == 0;
}

static const struct enc_actor_class CLASS = {open_state, turn, refuse, may_retire, close_state};

static void post(uint32_t poster, uint32_t key, uint32_t number)
{
    uint8_t key32[32];
    struct letter *letter = (struct letter *)malloc(sizeof *letter);
    *letter = (struct letter){.key = key, .poster = poster, .number = number};
    enc_mail_init(&letter->mail, 0);
    race_key(key32, key);
    while (enc_directory_post(directory, key32, &letter->mail) != ENC_ERR_OK)
        sched_yield();
}

static void *poster(void *arg)
{
    uint32_t self = *(const uint32_t *)arg;
    uint32_t sent[KEYS] = {0};
    uint64_t random = self;
    for (uint32_t i = 0; i < MAILS; i++) {
        uint32_t key = (uint32_t)(enc_splitmix(&random) % KEYS);
        post(self, key, ++sent[key]);
        if (i % 64 == 0)
            race_sleep_us(30);
    }
    return NULL;
}

static struct enc_mail *make(void *opaque, const uint8_t key32[32])
{
    (void)opaque;
    struct letter *letter = (struct letter *)malloc(sizeof *letter);
    *letter = (struct letter){.key = enc_be32_get(key32 + 8)};
    enc_mail_init(&letter->mail, TO_ALL);
    return &letter->mail;
}

static void *disturber(void *arg)
{
    (void)arg;
    while (!atomic_load(&is_over)) {
        (void)enc_directory_sweep(directory, race_now_ms(NULL) + 1000);
        atomic_fetch_add(&posted_to_all, (uint32_t)enc_directory_post_all(directory, make, NULL));
        race_sleep_us(500);
    }
    return NULL;
}

static void begin(uint32_t actors_max, uint32_t idle_ms)
{
    struct enc_pool_config config = {
        .workers = WORKERS, .jobs_max = 1, .clock = {race_now_ms, NULL}};
    if (enc_pool_start(&pool, &config) != ENC_ERR_OK)
        abort();
    struct enc_directory_config directory_config = {.pool = pool,
                                                    .class = &CLASS,
                                                    .limits = {.depth_max = 50, .batch_max = 8},
                                                    .actors_max = actors_max,
                                                    .idle_ms = idle_ms,
                                                    .hash_seed = 3};
    if (enc_directory_open(&directory, &directory_config) != ENC_ERR_OK)
        abort();
    memset(records, 0, sizeof records);
    is_over = false;
    posted_to_all = 0;
    live_states_max = 0;
}

static void end(const char *name, uint32_t actors_max)
{
    struct enc_actors_counts counts;
    uint32_t got = 0;
    uint32_t to_all = 0;
    enc_actors_counts(pool, &counts);
    for (size_t i = 0; i < KEYS; i++) {
        got += records[i].got;
        to_all += records[i].to_all;
    }
    race_check(got == POSTERS * MAILS, name);
    race_check(to_all == posted_to_all, "mail to all arrives at all");
    race_check(counts.mails_waiting == 0, "nothing waits");
    race_check(counts.retirements > 0, "actors retired");
    race_check(counts.activations - counts.retirements == enc_directory_count(directory),
               "who came and did not go is there");
    race_check(live_states_max <= 2 * actors_max + WORKERS, "states in memory are bounded");
    enc_directory_close(directory);
    race_check(live_states == 0, "every state was closed");
    enc_pool_stop(pool);
}

static void play(const char *name, uint32_t actors_max, uint32_t idle_ms)
{
    uint32_t selves[POSTERS] = {0, 1, 2};
    pthread_t posters[POSTERS];
    pthread_t other;
    begin(actors_max, idle_ms);
    race_start(&other, 1, disturber, NULL, 0);
    race_start(posters, POSTERS, poster, selves, sizeof *selves);
    race_join(posters, POSTERS);
    atomic_store(&is_over, true);
    race_join(&other, 1);
    enc_pool_drain(pool);
    end(name, actors_max);
}

int main(void)
{
    race_deadline(60);
    keep_turns = 1;
    play("no mail is lost to actors that leave after every turn", 2 * KEYS, 0);
    play("no mail is lost to actors that a sweep sends away", 2 * KEYS, 1);
    play("no mail is lost where all share two seats", 2, 1000000);
    keep_turns = 3;
    play("no mail is lost when not everybody may go", KEYS, 0);
    fails_to_open = true;
    play("no mail is lost when a state cannot be had", KEYS, 0);
    return race_end();
}
