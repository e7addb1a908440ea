/*
 * Actors that hand what they took to a lane and park until it is done, as a writer's clients do;
 * and a lane that is full or about to stop.
 */
#include "tests/race/race.h"

#include "actors/directory.h"
#include "actors/lane.h"
#include "actors/metrics.h"

enum { POSTERS = 3, KEYS = 8, MAILS = 40000, WORKERS = 2, LOOSE = 500, LANE_DEPTH = 3 };

struct letter {
    struct enc_mail mail;
    uint32_t poster;
    uint32_t number; /* per poster and key, from 1 */
};

struct state {
    struct enc_link link; /* in the lane; all below plain */
    struct enc_actor *actor;
    uint32_t last[POSTERS];
    struct enc_mail *at_lane; /* taken, not yet done */
    bool is_done;             /* the lane's answer */
    bool is_parked;
};

static struct enc_pool *pool;
static struct enc_directory *directory;
static struct enc_lane *lane;
static _Atomic int inside_lane;
static _Atomic uint32_t answered;
static _Atomic uint32_t done_without_lane;
static uint32_t batches; /* plain: the lane's */
static uint32_t items;

static void lane_work(void *self, struct enc_link *list, size_t count)
{
    size_t seen = 0;
    race_enter(&inside_lane, "one batch at a time");
    (void)self;
    race_sleep_us(100);
    batches++;
    items += (uint32_t)count;
    race_exit(&inside_lane);
    while (list) {
        struct state *state = (struct state *)list;
        list = list->next;
        seen++;
        race_expect(!state->is_done, "an item is in one batch");
        state->is_done = true;
        if (seen % 2)
            enc_actor_resume_here(state->actor);
        else
            enc_actor_resume(state->actor);
    }
    race_expect(seen == count, "the list has count items");
}

static void answer(struct state *state, struct enc_mail *mail)
{
    struct letter *letter = (struct letter *)mail;
    race_expect(letter->number == state->last[letter->poster] + 1, "answers come once, in order");
    state->last[letter->poster] = letter->number;
    atomic_fetch_add(&answered, 1);
    free(letter);
}

static void answer_all(struct state *state)
{
    while (state->at_lane) {
        struct enc_mail *mail = state->at_lane;
        state->at_lane = mail->next;
        answer(state, mail);
    }
}

static void take_all(struct state *state, struct enc_batch *batch)
{
    struct enc_mail **link = &state->at_lane;
    for (struct enc_mail *mail; (mail = enc_batch_next(batch)); link = &mail->next)
        *link = mail;
}

static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    struct state *state = (struct state *)self;
    race_expect(batch->resumed == state->is_parked, "resumed after a park and only then");
    race_expect(!state->is_parked || state->is_done, "nobody goes on before the lane is done");
    state->is_parked = false;
    answer_all(state);
    take_all(state, batch);
    if (!state->at_lane)
        return ENC_TURN_DONE;
    state->actor = batch->actor;
    state->is_done = false;
    state->is_parked = true;
    if (enc_lane_post(lane, &state->link) == ENC_ERR_OK)
        return ENC_TURN_PARK;
    state->is_parked = false;
    atomic_fetch_add(&done_without_lane, 1);
    answer_all(state);
    return ENC_TURN_DONE;
}

static enum enc_err open_state(void **self, void *opaque, const uint8_t key32[32])
{
    (void)opaque;
    (void)key32;
    *self = calloc(1, sizeof(struct state));
    return ENC_ERR_OK;
}

static const struct enc_actor_class CLASS = {open_state, turn, NULL, NULL, free};

static void *poster(void *arg)
{
    uint32_t self = *(const uint32_t *)arg;
    uint32_t sent[KEYS] = {0};
    uint64_t random = self;
    uint8_t key32[32];
    for (uint32_t i = 0; i < MAILS; i++) {
        uint32_t key = (uint32_t)(enc_splitmix(&random) % KEYS);
        struct letter *letter = (struct letter *)malloc(sizeof *letter);
        letter->poster = self;
        letter->number = ++sent[key];
        enc_mail_init(&letter->mail, 0);
        race_key(key32, key);
        while (enc_directory_post(directory, key32, &letter->mail) != ENC_ERR_OK)
            sched_yield();
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
                                                    .limits = {.depth_max = 100, .batch_max = 16},
                                                    .actors_max = KEYS,
                                                    .hash_seed = 5};
    if (enc_directory_open(&directory, &directory_config) != ENC_ERR_OK)
        abort();
    struct enc_lane_config lane_config = {.pool = pool, .work = lane_work, .depth_max = LANE_DEPTH};
    if (enc_lane_start(&lane, &lane_config) != ENC_ERR_OK)
        abort();
}

static void play_actors(void)
{
    uint32_t selves[POSTERS] = {0, 1, 2};
    pthread_t posters[POSTERS];
    struct enc_actors_counts counts;
    begin();
    race_start(posters, POSTERS, poster, selves, sizeof *selves);
    race_join(posters, POSTERS);
    enc_pool_drain(pool);
    enc_lane_stop(lane);
    enc_actors_counts(pool, &counts);
    race_check(answered == POSTERS * MAILS, "every mail is answered");
    race_check(counts.lane_batches == batches && counts.lane_items == items, "batches are counted");
    race_check(counts.parks == items, "every park went through the lane");
    race_check(counts.lane_refusals == done_without_lane, "refusals are counted");
    race_check(done_without_lane > 0, "the bound was met");
    race_check(counts.lane_batch_max > 1 && counts.lane_batch_max <= LANE_DEPTH,
               "what waits is one batch");
    enc_directory_close(directory);
    enc_pool_stop(pool);
}

/* Items that no actor waits for: all are done when stop returns. */
struct loose {
    struct enc_link link;
    uint32_t runs; /* plain */
};

static void loose_work(void *self, struct enc_link *list, size_t count)
{
    *(uint32_t *)self += (uint32_t)count;
    for (; list; list = list->next)
        ((struct loose *)list)->runs++;
}

static void play_stop(void)
{
    static struct loose loose[LOOSE];
    uint32_t done = 0;
    uint32_t once = 0;
    struct enc_pool_config config = {.workers = 1, .jobs_max = 1, .clock = {race_now_ms, NULL}};
    if (enc_pool_start(&pool, &config) != ENC_ERR_OK)
        abort();
    struct enc_lane_config lane_config = {
        .pool = pool, .work = loose_work, .self = &done, .depth_max = LOOSE};
    if (enc_lane_start(&lane, &lane_config) != ENC_ERR_OK)
        abort();
    for (size_t i = 0; i < LOOSE; i++)
        race_expect(enc_lane_post(lane, &loose[i].link) == ENC_ERR_OK, "there is room");
    enc_lane_stop(lane);
    for (size_t i = 0; i < LOOSE; i++)
        once += loose[i].runs == 1;
    race_check(done == LOOSE && once == LOOSE, "stop finishes what waits");
    enc_pool_stop(pool);
}

int main(void)
{
    race_deadline(60);
    play_actors();
    play_stop();
    return race_end();
}
