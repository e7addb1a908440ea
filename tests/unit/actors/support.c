#include "tests/unit/actors/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

void note(struct notes *notes, char what, uint64_t number)
{
    cr_assert(notes->count < NOTES_MAX);
    notes->rows[notes->count].what = what;
    notes->rows[notes->count].number = number;
    notes->count++;
}

size_t noted(const struct notes *notes, char what)
{
    size_t count = 0;
    for (size_t i = 0; i < notes->count; i++)
        count += notes->rows[i].what == what;
    return count;
}

size_t noted_number(const struct notes *notes, char what, uint64_t number)
{
    size_t count = 0;
    for (size_t i = 0; i < notes->count; i++)
        count += notes->rows[i].what == what && notes->rows[i].number == number;
    return count;
}

const char *told(const struct notes *notes)
{
    static char text[NOTES_MAX];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < notes->count && len < sizeof text - 32; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, i ? " %c%lu" : "%c%lu",
                                notes->rows[i].what, (unsigned long)notes->rows[i].number);
    return text;
}

struct state {
    struct world *world;
    uint8_t first;
};

static enum enc_err open_state(void **self, void *opaque, const uint8_t key32[32])
{
    struct world *world = (struct world *)opaque;
    note(&world->notes, 'o', key32[0]);
    if (world->open_err != ENC_ERR_OK)
        return world->open_err;
    struct state *state = (struct state *)malloc(sizeof *state);
    *state = (struct state){world, key32[0]};
    *self = state;
    return ENC_ERR_OK;
}

static void call_once(void (**hook)(void))
{
    void (*call)(void) = *hook;
    *hook = NULL;
    if (call)
        call();
}

static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    struct world *world = ((struct state *)self)->world;
    uint32_t taken = 0;
    note(&world->notes, batch->resumed ? 'r' : 't', batch->count);
    world->last = batch->actor;
    while (world->take_max == 0 || taken < world->take_max) {
        struct enc_mail *mail = enc_batch_next(batch);
        if (!mail)
            break;
        note(&world->notes, 'm', mail->kind);
        free(mail);
        taken++;
    }
    call_once(&world->in_turn);
    if (!world->parks || taken == 0)
        return ENC_TURN_DONE;
    if (world->resumes_early)
        enc_actor_resume(batch->actor);
    return ENC_TURN_PARK;
}

static void refuse(void *opaque, struct enc_mail *mail, enum enc_err err)
{
    struct world *world = (struct world *)opaque;
    cr_assert_eq(err, world->open_err);
    note(&world->notes, 'x', mail->kind);
    free(mail);
}

static bool may_retire(const void *self)
{
    struct world *world = ((const struct state *)self)->world;
    note(&world->notes, 'q', ((const struct state *)self)->first);
    return !world->keeps;
}

static void close_state(void *self)
{
    struct state *state = (struct state *)self;
    note(&state->world->notes, 'c', state->first);
    call_once(&state->world->in_close);
    free(state);
}

const struct enc_actor_class RECORDER = {open_state, turn, refuse, may_retire, close_state};

void world_open(struct world *world, uint64_t seed)
{
    *world = (struct world){.open_err = ENC_ERR_OK};
    cr_assert_eq(enc_sim_open(&world->sim, seed, 1000), ENC_ERR_OK);
    struct enc_pool_config config = {.workers = 1, .jobs_max = 4, .sim = world->sim};
    cr_assert_eq(enc_pool_start(&world->pool, &config), ENC_ERR_OK);
}

void world_close(struct world *world)
{
    enc_pool_stop(world->pool);
    enc_sim_close(world->sim);
}

size_t world_run(struct world *world)
{
    size_t steps = 0;
    while (enc_sim_step(world->sim))
        steps++;
    return steps;
}

struct enc_actors_counts world_counts(struct world *world)
{
    struct enc_actors_counts counts;
    enc_actors_counts(world->pool, &counts);
    return counts;
}

struct enc_mail *mail_new(uint32_t kind)
{
    struct enc_mail *mail = (struct enc_mail *)malloc(sizeof *mail);
    enc_mail_init(mail, kind);
    return mail;
}

struct enc_mail *mail_new_pending(uint32_t kind)
{
    struct enc_mail *mail = (struct enc_mail *)malloc(sizeof *mail);
    enc_mail_init_pending(mail, kind);
    return mail;
}

const uint8_t *key_of(uint8_t n)
{
    static uint8_t keys[256][32];
    keys[n][0] = n;
    return keys[n];
}

enum enc_err post_kind(struct enc_actor *actor, uint32_t kind)
{
    struct enc_mail *mail = mail_new(kind);
    enum enc_err err = enc_actor_post(actor, mail);
    if (err != ENC_ERR_OK)
        free(mail);
    return err;
}

enum enc_err post_key(struct enc_directory *directory, uint8_t n, uint32_t kind)
{
    struct enc_mail *mail = mail_new(kind);
    enum enc_err err = enc_directory_post(directory, key_of(n), mail);
    if (err != ENC_ERR_OK)
        free(mail);
    return err;
}

struct enc_directory *directory_of(struct world *world, uint32_t actors_max, uint32_t idle_ms)
{
    struct enc_directory *directory = NULL;
    struct enc_directory_config config = {.pool = world->pool,
                                          .class = &RECORDER,
                                          .opaque = world,
                                          .limits = {.depth_max = 4, .batch_max = 3},
                                          .actors_max = actors_max,
                                          .idle_ms = idle_ms,
                                          .hash_seed = 7};
    cr_assert_eq(enc_directory_open(&directory, &config), ENC_ERR_OK);
    return directory;
}
