/*
 * An actor that falls asleep on a mail, and who makes that mail ready at the same moment: each time
 * one of the two goes on with it, and never both.
 */
#include "tests/race/race.h"

#include "actors/actor.h"

enum { ROUNDS = 5000 };

static struct enc_pool *pool;
static struct enc_actor actor;
static struct enc_mail mail;
static _Atomic uint32_t asked, got;

static enum enc_err open_self(void **self, void *opaque, const uint8_t key32[32])
{
    (void)key32;
    *self = opaque;
    return ENC_ERR_OK;
}

static enum enc_turn turn(void *self, struct enc_batch *batch)
{
    (void)self;
    while (enc_batch_next(batch))
        atomic_fetch_add(&got, 1);
    return ENC_TURN_DONE;
}

static void refuse(void *opaque, struct enc_mail *refused, enum enc_err err)
{
    (void)opaque;
    (void)refused;
    (void)err;
    ENC_CHECK(false);
}

static void close_self(void *self)
{
    (void)self;
}

static const struct enc_actor_class CLASS = {
    .open = open_self, .turn = turn, .refuse = refuse, .close = close_self};

/* Ready as soon as it is asked for, while the poster is about to sleep on it. */
static void *make_ready(void *unused)
{
    (void)unused;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        while (atomic_load(&asked) < round)
            ;
        enc_mail_ready(&mail);
    }
    return NULL;
}

int main(void)
{
    static const uint8_t KEY32[32];
    struct enc_pool_config config = {.workers = 1, .jobs_max = 8};
    pthread_t preparer;
    if (enc_pool_start(&pool, &config) != ENC_ERR_OK)
        return 1;
    enc_actor_init(&actor, pool, &CLASS, &got, KEY32);
    pthread_create(&preparer, NULL, make_ready, NULL);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        enc_mail_init_pending(&mail, 0);
        atomic_store(&asked, round);
        for (volatile uint32_t pause = round % 64; pause > 0; pause--)
            ;
        ENC_CHECK(enc_actor_post(&actor, &mail) == ENC_ERR_OK);
        while (atomic_load(&got) < round)
            sched_yield();
    }
    pthread_join(preparer, NULL);
    enc_pool_drain(pool);
    enc_actor_fini(&actor);
    enc_pool_stop(pool);
    printf("%u rounds\n", (unsigned)got);
    return 0;
}
