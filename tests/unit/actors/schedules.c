/* All of the room at once under many schedules: no seed may lose, double or reorder a mail. */
#include "tests/unit/actors/support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { SEEDS = 400, KEYS = 6, MAILS = 80, SEATS = 3 };
enum mail_kind { LETTER, TIMER, LAST_CALL };

struct letter {
    struct enc_mail mail;
    struct enc_job job; /* the preparation of a pending one */
    uint8_t key;
    uint32_t number; /* per key, from 1 */
    bool is_prepared;
};

struct record {
    uint32_t sent;
    uint32_t got;
    unsigned states;
    unsigned timers;
    bool may_go;
};

struct play {
    struct enc_sim *sim;
    struct enc_pool *pool;
    struct enc_directory *directory;
    struct enc_lane *lane;
    struct enc_timers *timers;
    struct record records[KEYS];
    unsigned parks;
    unsigned pendings;
};

struct state {
    struct enc_link link; /* in the lane */
    struct play *play;
    struct record *record;
    struct enc_actor *actor;
    bool is_parked;
    bool is_done;
};

static struct letter *letter_of_job(struct enc_job *job)
{
    return (struct letter *)((char *)job - offsetof(struct letter, job));
}

static enum enc_err open_state(void **self, void *opaque, const uint8_t key32[32])
{
    struct play *play = (struct play *)opaque;
    struct state *state = (struct state *)calloc(1, sizeof *state);
    state->play = play;
    state->record = &play->records[key32[0]];
    cr_assert_eq(state->record->states++, 0);
    *self = state;
    return ENC_ERR_OK;
}

static void close_state(void *self)
{
    struct state *state = (struct state *)self;
    cr_assert_not(state->is_parked);
    state->record->states--;
    free(state);
}

static void take(struct state *state, struct enc_mail *mail)
{
    struct letter *letter = (struct letter *)mail;
    if (mail->kind == TIMER) {
        state->record->timers++;
        enc_timer_mail_free((struct enc_timer_mail *)mail);
        return;
    }
    if (mail->kind == LAST_CALL) {
        state->record->may_go = true;
        free(mail);
        return;
    }
    cr_assert(letter->is_prepared);
    cr_assert_eq(letter->number, ++state->record->got);
    free(letter);
}

static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    struct state *state = (struct state *)self;
    uint64_t dice = enc_sim_random(state->play->sim);
    cr_assert_eq(batch->resumed, state->is_parked);
    cr_assert(!state->is_parked || state->is_done);
    state->is_parked = false;
    uint64_t wanted = dice % 3 == 0 ? 1 : batch->count;
    for (struct enc_mail *mail; wanted > 0 && (mail = enc_batch_next(batch)); wanted--)
        take(state, mail);
    if ((dice >> 8) % 3 != 0)
        return ENC_TURN_DONE;
    state->actor = batch->actor;
    state->is_parked = true;
    state->is_done = false;
    state->play->parks++;
    cr_assert_eq(enc_lane_post(state->play->lane, &state->link), ENC_ERR_OK);
    return ENC_TURN_PARK;
}

static void lane_work(void *self, struct enc_link *list, size_t count)
{
    (void)self;
    for (size_t i = 0; i < count; i++) {
        struct state *state = (struct state *)list;
        list = list->next;
        state->is_done = true;
        enc_actor_resume(state->actor);
    }
    cr_assert_null(list);
}

static bool may_retire(const void *self)
{
    const struct record *record = ((const struct state *)self)->record;
    return record->may_go || record->got % 4 != 1;
}

static const struct enc_actor_class CLASS = {open_state, turn, NULL, may_retire, close_state};

static void prepare(struct enc_job *job)
{
    letter_of_job(job)->is_prepared = true;
    enc_mail_ready(&letter_of_job(job)->mail);
}

/* A post that is refused changes nothing, so the number is given again to the next. */
static void post(struct play *play, uint64_t dice)
{
    struct letter *letter = (struct letter *)calloc(1, sizeof *letter);
    bool is_pending = (dice >> 8) % 2;
    letter->key = (uint8_t)(dice % KEYS);
    letter->number = play->records[letter->key].sent + 1;
    letter->is_prepared = !is_pending;
    letter->job.run = prepare;
    if (is_pending)
        enc_mail_init_pending(&letter->mail, LETTER);
    else
        enc_mail_init(&letter->mail, LETTER);
    if (enc_directory_post(play->directory, key_of(letter->key), &letter->mail) != ENC_ERR_OK) {
        free(letter);
        return;
    }
    play->records[letter->key].sent++;
    play->pendings += is_pending;
    if (is_pending && enc_pool_submit(play->pool, &letter->job) != ENC_ERR_OK)
        prepare(&letter->job);
}

static void begin(struct play *play, uint64_t seed)
{
    *play = (struct play){0};
    cr_assert_eq(enc_sim_open(&play->sim, seed, 0), ENC_ERR_OK);
    struct enc_pool_config pool = {.workers = 1, .jobs_max = 5, .sim = play->sim};
    cr_assert_eq(enc_pool_start(&play->pool, &pool), ENC_ERR_OK);
    struct enc_directory_config directory = {.pool = play->pool,
                                             .class = &CLASS,
                                             .opaque = play,
                                             .limits = {.depth_max = 6, .batch_max = 3},
                                             .actors_max = SEATS,
                                             .idle_ms = seed % 2 ? 5 : 0};
    cr_assert_eq(enc_directory_open(&play->directory, &directory), ENC_ERR_OK);
    struct enc_lane_config lane = {.pool = play->pool, .work = lane_work, .depth_max = 2 * KEYS};
    cr_assert_eq(enc_lane_start(&play->lane, &lane), ENC_ERR_OK);
    struct enc_timers_config timers = {
        .directory = play->directory, .timers_max = KEYS, .mail_kind = TIMER, .retry_ms = 3};
    cr_assert_eq(enc_timers_start(&play->timers, &timers), ENC_ERR_OK);
}

static struct enc_mail *last_call(void *opaque, const uint8_t key32[32])
{
    (void)opaque;
    (void)key32;
    return mail_new(LAST_CALL);
}

/* Timers wait for a seat, and some who sit there stay until told. */
static void finish_timers(struct play *play)
{
    while (enc_timers_count(play->timers) > 0)
        if (!enc_sim_step(play->sim)) {
            (void)enc_directory_post_all(play->directory, last_call, NULL);
            enc_sim_advance(play->sim, 1);
        }
}

static void play_all(struct play *play)
{
    for (int i = 0; i < MAILS; i++) {
        uint64_t dice = enc_sim_random(play->sim);
        post(play, dice);
        if ((dice >> 16) % 8 == 0)
            cr_assert_eq(enc_timer_set(play->timers, key_of((uint8_t)(dice % KEYS)), 0,
                                       enc_sim_now_ms(play->sim) + 2),
                         ENC_ERR_OK);
        for (uint64_t steps = (dice >> 24) % 5; steps > 0; steps--)
            enc_sim_step(play->sim);
        if ((dice >> 32) % 4 == 0)
            enc_sim_advance(play->sim, 1);
    }
    finish_timers(play);
    enc_pool_drain(play->pool);
}

static void end(struct play *play)
{
    struct enc_actors_counts counts;
    enc_actors_counts(play->pool, &counts);
    for (int key = 0; key < KEYS; key++)
        cr_assert_eq(play->records[key].got, play->records[key].sent);
    cr_assert(enc_directory_count(play->directory) <= SEATS);
    cr_assert_eq(counts.mails_waiting, 0);
    cr_assert_eq(counts.parks, play->parks);
    enc_lane_stop(play->lane);
    enc_timers_stop(play->timers);
    enc_directory_close(play->directory);
    for (int key = 0; key < KEYS; key++)
        cr_assert_eq(play->records[key].states, 0);
    enc_pool_stop(play->pool);
    enc_sim_close(play->sim);
}

Test(schedules, no_seed_loses_doubles_or_reorders, .timeout = 60)
{
    unsigned parks = 0;
    unsigned pendings = 0;
    unsigned timers = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct play play;
        begin(&play, seed);
        play_all(&play);
        end(&play);
        parks += play.parks;
        pendings += play.pendings;
        for (int key = 0; key < KEYS; key++)
            timers += play.records[key].timers;
    }
    cr_assert(parks > SEEDS && pendings > SEEDS && timers > SEEDS);
}

Test(schedules, a_seed_is_a_schedule)
{
    uint64_t traces[2];
    uint64_t last_trace = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        for (int time = 0; time < 2; time++) {
            struct play play;
            begin(&play, seed);
            play_all(&play);
            traces[time] = enc_sim_trace(play.sim);
            end(&play);
        }
        cr_assert_eq(traces[0], traces[1]);
        cr_assert_neq(traces[0], last_trace);
        last_trace = traces[0];
    }
}
