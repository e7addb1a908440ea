/*
 * Actors on a pool: posters, preparations as jobs, turns that leave mail behind, and turns that
 * park and are resumed from another thread, early or late.
 */
#include "tests/race/race.h"

#include "actors/actor.h"
#include "actors/metrics.h"

enum { POSTERS = 3, ACTORS = 3, MAILS = 60000, WORKERS = 3, RESUMERS = 2, QUIET = 3000 };

struct letter {
    struct enc_job job; /* the preparation */
    struct enc_mail mail;
    uint32_t poster;
    uint32_t number;   /* per poster and actor, from 1 */
    uint32_t prepared; /* plain: reading it before it is ready is a race that TSan sees */
};

struct state {
    struct enc_actor actor;
    struct enc_link parked; /* in the resumers' queue */
    _Atomic int inside;
    uint64_t random;            /* plain, as all below */
    uint32_t last[POSTERS + 1]; /* the last one: play_quiet */
    uint32_t got;
    bool is_parked;
    uint32_t parks;
    uint32_t resumes;
    uint32_t answer; /* what the resumer leaves for the turn it brings */
};

static struct enc_pool *pool;
static struct state states[ACTORS];
static struct letter *letters[POSTERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct enc_queue to_resume;
static _Atomic bool is_over;
static _Atomic uint32_t prepared_in_job;
static _Atomic uint32_t prepared_in_place;

static struct letter *letter_of(struct enc_mail *mail)
{
    return (struct letter *)((char *)mail - offsetof(struct letter, mail));
}

/* Preparation. */

static void prepare(struct enc_job *job)
{
    struct letter *letter = (struct letter *)job;
    letter->prepared = letter->number ^ 0x5a5a;
    enc_mail_ready(&letter->mail);
}

static void post_pending(struct enc_actor *actor, struct letter *letter)
{
    enc_mail_init_pending(&letter->mail, 0);
    letter->job.run = prepare;
    while (enc_actor_post(actor, &letter->mail) != ENC_ERR_OK)
        sched_yield();
    bool is_job = enc_pool_submit(pool, &letter->job) == ENC_ERR_OK;
    atomic_fetch_add(is_job ? &prepared_in_job : &prepared_in_place, 1);
    if (!is_job)
        prepare(&letter->job);
}

static void post_ready(struct enc_actor *actor, struct letter *letter)
{
    enc_mail_init(&letter->mail, 0);
    letter->prepared = letter->number ^ 0x5a5a;
    while (enc_actor_post(actor, &letter->mail) != ENC_ERR_OK)
        sched_yield();
}

static void *poster(void *arg)
{
    uint32_t self = *(const uint32_t *)arg;
    uint32_t sent[ACTORS] = {0};
    uint64_t random = 100 + self;
    for (uint32_t i = 0; i < MAILS; i++) {
        uint64_t dice = enc_splitmix(&random);
        uint32_t to = (uint32_t)(dice % ACTORS);
        struct letter *letter = &letters[self][i];
        letter->poster = self;
        letter->number = ++sent[to];
        if (dice >> 32 & 1)
            post_pending(&states[to].actor, letter);
        else
            post_ready(&states[to].actor, letter);
    }
    return NULL;
}

/* Resuming. */

static struct state *next_parked(void)
{
    pthread_mutex_lock(&lock);
    struct enc_link *link = to_resume.count > 0 ? enc_queue_pick(&to_resume, 0) : NULL;
    pthread_mutex_unlock(&lock);
    return link ? (struct state *)((char *)link - offsetof(struct state, parked)) : NULL;
}

static void *resumer(void *arg)
{
    uint64_t random = (uintptr_t)arg;
    while (!atomic_load(&is_over)) {
        struct state *state = next_parked();
        if (!state) {
            race_sleep_us(20);
            continue;
        }
        if (enc_splitmix(&random) % 4 == 0)
            race_sleep_us(50);
        state->answer = state->parks;
        enc_actor_resume(&state->actor);
    }
    return NULL;
}

/* Turns. */

static void park(struct state *state)
{
    state->is_parked = true;
    state->parks++;
    pthread_mutex_lock(&lock); /* from here on the resume may come, the turn is not over yet */
    enc_queue_push(&to_resume, &state->parked);
    pthread_mutex_unlock(&lock);
    if (state->random % 2 == 0)
        sched_yield();
}

static void take(struct state *state, struct letter *letter)
{
    race_expect(letter->number == state->last[letter->poster] + 1,
                "a poster's mail arrives once and in order");
    race_expect(letter->prepared == (letter->number ^ 0x5a5a), "no turn gets unprepared mail");
    state->last[letter->poster] = letter->number;
    state->got++;
}

static void take_some(struct state *state, struct enc_batch *batch, uint64_t dice)
{
    uint64_t count = dice % 3 == 0 ? 1 + (dice >> 8) % batch->count : batch->count;
    for (; count > 0; count--)
        take(state, letter_of(enc_batch_next(batch)));
}

static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    struct state *state = (struct state *)self;
    race_enter(&state->inside, "an actor runs on one thread");
    race_expect(state->is_parked == batch->resumed, "a parked actor runs again when resumed");
    race_expect(!batch->resumed || state->answer == state->parks, "the resumer's word arrives");
    race_expect(batch->worker < WORKERS, "worker index");
    state->resumes += batch->resumed;
    state->is_parked = false;
    uint64_t dice = enc_splitmix(&state->random);
    if (batch->count > 0)
        take_some(state, batch, dice);
    bool parks = (dice >> 16) % 4 == 0;
    race_exit(&state->inside);
    if (parks)
        park(state);
    return parks ? ENC_TURN_PARK : ENC_TURN_DONE;
}

static enum enc_err open_state(void **self, void *opaque, const uint8_t key32[32])
{
    (void)key32;
    *self = opaque;
    return ENC_ERR_OK;
}

static void close_state(void *self)
{
    race_expect(!((struct state *)self)->is_parked, "nobody is left parked");
}

static const struct enc_actor_class CLASS = {open_state, turn, NULL, NULL, close_state};

static void begin(void)
{
    struct enc_pool_config config = {
        .workers = WORKERS, .jobs_max = 64, .clock = {race_now_ms, NULL}};
    if (enc_pool_start(&pool, &config) != ENC_ERR_OK)
        abort();
    for (uint32_t i = 0; i < ACTORS; i++) {
        uint8_t key32[32];
        race_key(key32, i);
        states[i].random = i;
        enc_actor_init(&states[i].actor, pool, &CLASS, &states[i], key32);
        enc_actor_limit(&states[i].actor,
                        &(struct enc_actor_limits){.depth_max = 200, .batch_max = 16});
    }
    for (size_t i = 0; i < POSTERS; i++)
        letters[i] = (struct letter *)calloc(MAILS, sizeof(struct letter));
}

static void judge(void)
{
    struct enc_actors_counts counts;
    uint32_t got = 0;
    uint32_t parks = 0;
    uint32_t resumes = 0;
    for (size_t i = 0; i < ACTORS; i++) {
        got += states[i].got;
        parks += states[i].parks;
        resumes += states[i].resumes;
        enc_actor_fini(&states[i].actor);
    }
    enc_actors_counts(pool, &counts);
    race_check(got == POSTERS * MAILS + QUIET, "every mail is taken");
    race_check(parks > 0 && parks == resumes, "every park is resumed once");
    race_check(counts.posts == got && counts.mails_waiting == 0, "posts are counted");
    race_check(counts.parks == parks, "parks are counted");
    race_check(counts.jobs == prepared_in_job, "jobs are counted");
    race_check(prepared_in_job > 0, "jobs prepared mail");
}

/* Who finds the pool quiet sees, without any lock, what was done before. */
static void play_quiet(void)
{
    static struct letter quiet[QUIET];
    uint32_t seen = 0;
    for (uint32_t i = 0; i < QUIET; i++) {
        uint32_t before = states[0].got;
        quiet[i] = (struct letter){.poster = POSTERS, .number = i + 1};
        post_ready(&states[0].actor, &quiet[i]);
        while (!enc_pool_is_quiet(pool))
            sched_yield();
        seen += states[0].got == before + 1;
    }
    race_check(seen == QUIET, "quiet means done");
}

int main(void)
{
    uint32_t selves[POSTERS] = {0, 1, 2};
    pthread_t posters[POSTERS];
    pthread_t resumers[RESUMERS];
    race_deadline(60);
    begin();
    race_start(resumers, RESUMERS, resumer, selves, sizeof *selves);
    play_quiet();
    race_start(posters, POSTERS, poster, selves, sizeof *selves);
    race_join(posters, POSTERS);
    enc_pool_drain(pool);
    race_check(enc_pool_is_quiet(pool), "a drained pool is quiet");
    atomic_store(&is_over, true);
    race_join(resumers, RESUMERS);
    judge();
    enc_pool_stop(pool);
    for (size_t i = 0; i < POSTERS; i++)
        free(letters[i]);
    return race_end();
}
