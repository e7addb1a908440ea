#include "actors/actor.h"

#include "actors/schedule.h"
#include "proto/base/edge.h"

#include <string.h>

/*
 * Who may run an actor is never in doubt: there is one right to do so, and it is always in one
 * place. It lies in the mailbox word while that is IDLE; with a queued turn; with the worker that
 * runs it; with whoever will resume it (parking is PARKED); or with whoever makes its oldest mail
 * ready (readiness is AWAITED). Each hand-over is one atomic read-modify-write, in which the taker
 * learns whether it got the right. So no turn runs twice at once, and none is forgotten.
 */

enum parking { NOT_RUNNING, RUNNING, PARKED, RESUMED };

enum { DEPTH_MAX = 1024, BATCH_MAX = 64 };

/* For tests: a mail as the models call it. */
#define NAME_OF(readiness)                                                                         \
    ((readiness) == ENC_MAIL_READY     ? "ready"                                                   \
     : (readiness) == ENC_MAIL_PENDING ? "pending"                                                 \
                                       : "awaited")

static bool is_ready(const struct enc_mail *mail)
{
    /* acquire: what its preparation wrote, by the release in enc_mail_ready */
    return atomic_load_explicit(&mail->readiness, memory_order_acquire) == ENC_MAIL_READY;
}

/* The two sides of sleeping on the oldest mail. */

static bool sleep_on(struct enc_actor *actor, struct enc_mail *mail)
{
    uint32_t was = ENC_MAIL_PENDING;
    mail->awaited_by = actor;
    ENC_EDGE("right", actor, NULL, "sleep", "awaited");
    /* release: awaited_by and the actor's state, for enc_mail_ready. relaxed on failure: who reads
     * the mail asks is_ready before */
    bool sleeps = atomic_compare_exchange_strong_explicit(
        &mail->readiness, &was, ENC_MAIL_AWAITED, memory_order_release, memory_order_relaxed);
    ENC_EDGE("mail", mail, NAME_OF(was), "sleep", sleeps ? "awaited" : NAME_OF(was));
    if (!sleeps)
        ENC_EDGE("right", actor, NULL, "miss", "held");
    return sleeps;
}

void enc_mail_ready(struct enc_mail *mail)
{
    /* release: what was prepared, for the turn. acquire: what sleep_on left, when the right to run
     * the actor comes with it; otherwise the mail may be gone already and is not touched */
    uint32_t was = atomic_exchange_explicit(&mail->readiness, ENC_MAIL_READY, memory_order_acq_rel);
    ENC_CHECK(was != ENC_MAIL_READY);
    ENC_EDGE("mail", mail, NAME_OF(was), "ready", "ready");
    if (was != ENC_MAIL_AWAITED)
        return;
    ENC_EDGE("right", mail->awaited_by, NULL, "ready", "held");
    enc_pool_schedule(mail->awaited_by->pool, &mail->awaited_by->job);
}

/* The two sides of parking. */

static bool park(struct enc_actor *actor)
{
    uint32_t was = RUNNING;
    enc_meter_add(enc_pool_meter(actor->pool), ENC_COUNT_PARKS, 1);
    ENC_EDGE("right", actor, NULL, "park", "parked");
    /* release: the actor's state, for the turn that the resume brings. acquire on failure: the
     * resume came first, and the next turn must see what its caller wrote */
    bool parks = atomic_compare_exchange_strong_explicit(
        &actor->parking, &was, PARKED, memory_order_release, memory_order_acquire);
    if (!parks)
        ENC_EDGE("right", actor, NULL, "early", "held");
    return parks;
}

/* Whether the right to run the actor came with it. */
static bool end_parking(struct enc_actor *actor)
{
    /* release: what the caller wrote, for the turn. acquire: what park left, when the right to run
     * the actor comes with it; otherwise the turn before is not over, and its worker goes on */
    uint32_t was = atomic_exchange_explicit(&actor->parking, RESUMED, memory_order_acq_rel);
    ENC_CHECK(was == RUNNING || was == PARKED);
    if (was == PARKED)
        ENC_EDGE("right", actor, NULL, "resume", "held");
    return was == PARKED;
}

void enc_actor_resume(struct enc_actor *actor)
{
    if (end_parking(actor))
        enc_pool_schedule(actor->pool, &actor->job);
}

static bool begin_turn(struct enc_actor *actor)
{
    /* relaxed both: a resume that came late reached this worker through the queue's lock, one that
     * came early through the failed exchange in park; and until the next PARK nobody else writes */
    bool is_resumed = atomic_load_explicit(&actor->parking, memory_order_relaxed) == RESUMED;
    atomic_store_explicit(&actor->parking, RUNNING, memory_order_relaxed);
    return is_resumed;
}

static void end_turn(struct enc_actor *actor)
{
    /* relaxed both: only a resume that nobody asked for could write here as well */
    ENC_CHECK(atomic_load_explicit(&actor->parking, memory_order_relaxed) == RUNNING);
    atomic_store_explicit(&actor->parking, NOT_RUNNING, memory_order_relaxed);
}

/* Mail that the owner holds back. */

static void gather(struct enc_actor *actor)
{
    struct enc_mail *newest = NULL;
    struct enc_mail *oldest = enc_mailbox_take(&actor->mailbox, &newest);
    if (!oldest)
        return;
    if (actor->head)
        actor->tail->next = oldest;
    else
        actor->head = oldest;
    actor->tail = newest;
}

static uint32_t count_ready(const struct enc_actor *actor, uint32_t mails_max)
{
    uint32_t count = 0;
    const struct enc_mail *mail = actor->head;
    for (; mail && count < mails_max && is_ready(mail); mail = mail->next) {
        ENC_EDGE("mail", mail, NAME_OF(mail->readiness), "offer", "ready");
        count++;
    }
    return count;
}

static void settle(struct enc_actor *actor, const struct enc_batch *batch, uint32_t offered)
{
    actor->head = batch->head;
    enc_mailbox_settle(&actor->mailbox, offered - batch->count);
    enc_meter_turn(enc_pool_meter(actor->pool), offered, offered - batch->count);
}

/* Turns. */

void enc_actor_enter(struct enc_actor *actor)
{
    /* relaxed: it only detects; what orders two turns is the mailbox word and the queue's lock */
    uint32_t was = atomic_exchange_explicit(&actor->inside, 1, memory_order_relaxed);
    ENC_CHECK(was == 0);
}

void enc_actor_exit(struct enc_actor *actor)
{
    /* relaxed: as in enc_actor_enter */
    atomic_store_explicit(&actor->inside, 0, memory_order_relaxed);
}

static enum enc_err open_state(struct enc_actor *actor)
{
    if (actor->self)
        return ENC_ERR_OK;
    enum enc_err err = actor->class->open(&actor->self, actor->opaque, actor->key32);
    ENC_CHECK((err == ENC_ERR_OK) == (actor->self != NULL));
    return err;
}

static void refuse_all(struct enc_actor *actor, struct enc_batch *batch, enum enc_err err)
{
    for (struct enc_mail *mail; (mail = enc_batch_next(batch));)
        actor->class->refuse(actor->opaque, mail, err);
}

static enum enc_turn turn_of(struct enc_actor *actor, struct enc_batch *batch)
{
    enum enc_turn turn = ENC_TURN_DONE;
    enc_actor_enter(actor);
    enum enc_err err = open_state(actor);
    if (err == ENC_ERR_OK)
        turn = actor->class->turn(actor->self, batch);
    else
        refuse_all(actor, batch, err);
    enc_actor_exit(actor);
    return turn;
}

/* What follows a turn. From a hand-over that succeeded on, the actor is not touched any more. */

typedef void again_fn(struct enc_pool *pool, struct enc_job *turn);

static void follow_park(struct enc_actor *actor, again_fn *again)
{
    if (!park(actor))
        again(actor->pool, &actor->job);
}

static void follow_done(struct enc_actor *actor, again_fn *again)
{
    end_turn(actor);
    while (!actor->head) {
        gather(actor);
        if (!actor->head && actor->rest(actor))
            return;
    }
    if (is_ready(actor->head) || !sleep_on(actor, actor->head))
        again(actor->pool, &actor->job);
}

static void run_turn(struct enc_actor *actor, uint32_t mails_max, again_fn *again)
{
    struct enc_job *job = &actor->job;
    ENC_EDGE("right", actor, NULL, "begin", "running");
    bool is_resumed = begin_turn(actor);
    gather(actor);
    uint32_t offered = count_ready(actor, mails_max);
    enum enc_turn turn = ENC_TURN_DONE;
    if (is_resumed || offered > 0) {
        struct enc_batch batch = {actor->head, offered, is_resumed, job->worker, actor};
        turn = turn_of(actor, &batch);
        ENC_CHECK(is_resumed || turn == ENC_TURN_PARK || batch.count < offered);
        settle(actor, &batch, offered);
    }
    if (turn == ENC_TURN_PARK)
        follow_park(actor, again);
    else
        follow_done(actor, again);
}

static void run(struct enc_job *job)
{
    struct enc_actor *actor = (struct enc_actor *)job;
    run_turn(actor, actor->batch_max, enc_pool_requeue);
}

/* The thread is no worker and will not look at the queue: what goes on wakes somebody. */
void enc_actor_resume_here(struct enc_actor *actor)
{
    if (end_parking(actor))
        run_turn(actor, 0, enc_pool_schedule);
}

bool enc_actor_give_up(struct enc_actor *actor)
{
    ENC_EDGE("right", actor, NULL, "rest", "nobody");
    bool is_given_up = enc_mailbox_give_up(&actor->mailbox);
    if (!is_given_up)
        ENC_EDGE("right", actor, NULL, "keep", "running");
    return is_given_up;
}

/* Actors outside any directory. */

static bool rest_alone(struct enc_actor *actor)
{
    struct enc_pool *pool = actor->pool;
    if (!enc_actor_give_up(actor))
        return false;
    enc_pool_leave(pool);
    return true;
}

void enc_actor_init(struct enc_actor *actor, struct enc_pool *pool,
                    const struct enc_actor_class *class, void *opaque, const uint8_t key32[32])
{
    *actor = (struct enc_actor){.job = {.run = run},
                                .class = class,
                                .opaque = opaque,
                                .pool = pool,
                                .rest = rest_alone,
                                .batch_max = BATCH_MAX};
    memcpy(actor->key32, key32, sizeof actor->key32);
    enc_mailbox_init(&actor->mailbox, DEPTH_MAX);
    ENC_EDGE("right", actor, "NONE", "init", "nobody");
}

void enc_actor_limit(struct enc_actor *actor, const struct enc_actor_limits *limits)
{
    ENC_CHECK(limits->batch_max > 0);
    actor->batch_max = limits->batch_max;
    enc_mailbox_init(&actor->mailbox, limits->depth_max);
}

enum enc_err enc_actor_refused(struct enc_pool *pool)
{
    enc_meter_add(enc_pool_meter(pool), ENC_COUNT_REFUSALS, 1);
    return ENC_ERR_BUSY;
}

/* A turn would find nothing but a mail to wait for, so it is spared. */
static void pass_on(struct enc_pool *pool, struct enc_actor *actor, struct enc_mail *mail)
{
    ENC_EDGE("right", actor, NULL, "post", "held");
    if (is_ready(mail) || !sleep_on(actor, mail))
        enc_pool_schedule(pool, &actor->job);
}

enum enc_err enc_actor_posted(struct enc_pool *pool, enum enc_posted posted,
                              struct enc_actor *actor, struct enc_mail *mail)
{
    if (posted != ENC_POSTED_FULL)
        enc_meter_add(enc_pool_meter(pool), ENC_COUNT_POSTS, 1);
    if (posted == ENC_POSTED_OWNER)
        pass_on(pool, actor, mail);
    else
        enc_pool_leave(pool);
    return posted == ENC_POSTED_FULL ? enc_actor_refused(pool) : ENC_ERR_OK;
}

enum enc_err enc_actor_post(struct enc_actor *actor, struct enc_mail *mail)
{
    struct enc_pool *pool = actor->pool;
    if (!enc_pool_enter(pool))
        return enc_actor_refused(pool);
    return enc_actor_posted(pool, enc_mailbox_post(&actor->mailbox, mail), actor, mail);
}

void enc_actor_fini(struct enc_actor *actor)
{
    ENC_CHECK(enc_pool_is_quiet(actor->pool));
    if (actor->self)
        actor->class->close(actor->self);
    actor->self = NULL;
}
