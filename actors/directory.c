#include "actors/directory.h"

#include "actors/keyhash.h"
#include "actors/schedule.h"
#include "proto/base/edge.h"

#include <stdlib.h>
#include <uv.h>

/*
 * Post against retire. Every post to an actor of a directory is made with the lock of its stripe
 * held, and so is every removal from the table, after a look at the mailbox: an actor is removed
 * only when no mail is in it and none can come. The state is closed *before* that, still owned and
 * without the lock; when a mail came meanwhile the actor stays and opens its state again. So one
 * key never has two states at once, not even for the moment of a close.
 *
 * Seats. A live actor holds one of actors_max seats. One that was claimed to make room (is_leaving)
 * has lost its seat already, though it is closed later, by a worker; a post that finds it so needs
 * a seat as for a new one. Leaving actors stand in the pool's queue before the first turn of those
 * they made room for, so there are never more than actors_max of them, plus one per worker.
 */

enum { STRIPES = 64 };

struct resident {
    struct enc_actor actor;
    struct enc_directory *directory;
    struct resident *chain; /* same bucket; from here on under the stripe's lock */
    struct resident *older; /* neighbours in the list of the idle */
    struct resident *newer;
    uint64_t idle_since_ms;
    bool is_idle;            /* in that list: no owner, may retire */
    _Atomic bool is_leaving; /* without a seat; only this is also read without the lock */
    size_t bucket;
};

struct stripe {
    uv_mutex_t lock;
    struct resident *oldest; /* the idle that may retire */
    struct resident *newest;
};

struct enc_directory {
    struct enc_directory_config config;
    struct enc_meter *meter;
    struct enc_keyhash hash;
    struct resident **buckets; /* bucket i belongs to stripe i % STRIPES */
    size_t bucket_count;       /* a power of two, at least STRIPES */
    struct stripe stripes[STRIPES];
    _Atomic uint32_t seats; /* taken */
    _Atomic uint32_t idle;  /* in any list of the idle */
    _Atomic uint32_t hand;  /* where to look for the next one that makes room */
};

static struct stripe *stripe_of(struct enc_directory *directory, size_t bucket)
{
    return &directory->stripes[bucket % STRIPES];
}

/* Seats. All relaxed: a bare count; what belongs to an actor travels through the stripe's lock. */

static bool take_seat(struct enc_directory *directory)
{
    uint32_t taken = atomic_load_explicit(&directory->seats, memory_order_relaxed);
    do {
        if (taken >= directory->config.actors_max)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&directory->seats, &taken, taken + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void free_seat(struct enc_directory *directory)
{
    atomic_fetch_sub_explicit(&directory->seats, 1, memory_order_relaxed);
}

uint32_t enc_directory_count(const struct enc_directory *directory)
{
    return atomic_load_explicit(&directory->seats, memory_order_relaxed);
}

/* The list of the idle of a stripe, oldest first. With its lock held. */

static void idle_add(struct enc_directory *directory, struct resident *resident, uint64_t now_ms)
{
    struct stripe *stripe = stripe_of(directory, resident->bucket);
    resident->is_idle = true;
    resident->idle_since_ms = now_ms;
    resident->older = stripe->newest;
    resident->newer = NULL;
    if (stripe->newest)
        stripe->newest->newer = resident;
    else
        stripe->oldest = resident;
    stripe->newest = resident;
    /* relaxed: a hint whether a search is worth while */
    atomic_fetch_add_explicit(&directory->idle, 1, memory_order_relaxed);
}

static void idle_remove(struct enc_directory *directory, struct resident *resident)
{
    struct stripe *stripe = stripe_of(directory, resident->bucket);
    if (!resident->is_idle)
        return;
    resident->is_idle = false;
    *(resident->older ? &resident->older->newer : &stripe->oldest) = resident->newer;
    *(resident->newer ? &resident->newer->older : &stripe->newest) = resident->older;
    /* relaxed: as in idle_add */
    atomic_fetch_sub_explicit(&directory->idle, 1, memory_order_relaxed);
}

/* All relaxed. Writing and the reading of posts: the stripe's lock orders them. The owner reads
 * without it: that it was claimed it knows through the queue, and a post that has taken this back
 * meanwhile put a mail into the mailbox, which retire finds. */

static bool is_leaving(const struct resident *resident)
{
    return atomic_load_explicit(&resident->is_leaving, memory_order_relaxed);
}

static void set_leaving(struct resident *resident, bool leaving)
{
    atomic_store_explicit(&resident->is_leaving, leaving, memory_order_relaxed);
}

/* Send the longest idle of a stripe on its way out; NULL when there is none. The caller holds the
 * lock and a ticket, and schedules the actor when the lock is free again. */
static struct resident *claim_oldest(struct enc_directory *directory, struct stripe *stripe)
{
    struct resident *resident = stripe->oldest;
    if (!resident)
        return NULL;
    bool is_claimed = enc_mailbox_claim(&resident->actor.mailbox);
    ENC_CHECK(is_claimed); /* a post would have taken it off the list */
    ENC_EDGE("right", resident, NULL, "claim", "held");
    enc_pool_enter_again(directory->config.pool);
    idle_remove(directory, resident);
    set_leaving(resident, true);
    free_seat(directory);
    return resident;
}

static bool make_room(struct enc_directory *directory)
{
    /* relaxed both: a hint, and a start that need not be exact */
    if (atomic_load_explicit(&directory->idle, memory_order_relaxed) == 0)
        return false;
    uint32_t hand = atomic_fetch_add_explicit(&directory->hand, 1, memory_order_relaxed);
    struct resident *leaving = NULL;
    for (uint32_t i = 0; i < STRIPES && !leaving; i++) {
        struct stripe *stripe = &directory->stripes[(hand + i) % STRIPES];
        uv_mutex_lock(&stripe->lock);
        leaving = claim_oldest(directory, stripe);
        uv_mutex_unlock(&stripe->lock);
    }
    if (leaving)
        enc_pool_schedule(directory->config.pool, &leaving->actor.job);
    return leaving != NULL;
}

/* The table. With the stripe's lock held. */

static struct resident *find(const struct enc_directory *directory, size_t bucket,
                             const uint8_t key32[32])
{
    struct resident *resident = directory->buckets[bucket];
    while (resident && memcmp(resident->actor.key32, key32, 32) != 0)
        resident = resident->chain;
    return resident;
}

static void table_remove(struct enc_directory *directory, struct resident *resident)
{
    struct resident **link = &directory->buckets[resident->bucket];
    while (*link != resident)
        link = &(*link)->chain;
    *link = resident->chain;
}

static bool rest(struct enc_actor *actor);

static struct resident *activate(struct enc_directory *directory, size_t bucket,
                                 const uint8_t key32[32])
{
    const struct enc_directory_config *config = &directory->config;
    struct resident *resident = (struct resident *)calloc(1, sizeof *resident);
    if (!resident)
        return NULL;
    enc_actor_init(&resident->actor, config->pool, config->class, config->opaque, key32);
    enc_actor_limit(&resident->actor, &config->limits);
    resident->actor.rest = rest;
    resident->directory = directory;
    resident->bucket = bucket;
    resident->chain = directory->buckets[bucket];
    directory->buckets[bucket] = resident;
    enc_meter_add(directory->meter, ENC_COUNT_ACTIVATIONS, 1);
    return resident;
}

/* Posting. */

enum found { FOUND, NO_SEAT, NO_MEMORY };

static enum found find_live(struct enc_directory *directory, struct resident **out, size_t bucket,
                            const uint8_t key32[32])
{
    *out = find(directory, bucket, key32);
    if (*out && !is_leaving(*out))
        return FOUND;
    if (!take_seat(directory))
        return NO_SEAT;
    if (!*out)
        *out = activate(directory, bucket, key32);
    if (!*out) {
        free_seat(directory);
        return NO_MEMORY;
    }
    set_leaving(*out, false);
    return FOUND;
}

struct attempt {
    enum found found;
    enum enc_posted posted;
    struct enc_actor *actor; /* of the resident, when FOUND */
};

typedef enum enc_posted post_fn(struct enc_mailbox *mailbox, struct enc_mail *mail);

static struct attempt attempt(struct enc_directory *directory, const uint8_t key32[32],
                              struct enc_mail *mail, post_fn *put)
{
    size_t bucket = enc_keyhash_of(&directory->hash, key32) & (directory->bucket_count - 1);
    struct stripe *stripe = stripe_of(directory, bucket);
    struct attempt made = {.posted = ENC_POSTED_FULL};
    struct resident *resident = NULL;
    uv_mutex_lock(&stripe->lock);
    made.found = find_live(directory, &resident, bucket, key32);
    if (made.found == FOUND) {
        made.actor = &resident->actor;
        made.posted = put(&resident->actor.mailbox, mail);
    }
    if (made.posted == ENC_POSTED_OWNER)
        idle_remove(directory, resident);
    uv_mutex_unlock(&stripe->lock);
    return made;
}

static enum enc_err post_by(struct enc_directory *directory, const uint8_t key32[32],
                            struct enc_mail *mail, post_fn *put)
{
    struct enc_pool *pool = directory->config.pool;
    if (!enc_pool_enter(pool))
        return enc_actor_refused(pool);
    struct attempt made = attempt(directory, key32, mail, put);
    while (made.found == NO_SEAT && make_room(directory))
        made = attempt(directory, key32, mail, put);
    return enc_actor_posted(pool, made.posted, made.actor, mail);
}

enum enc_err enc_directory_post(struct enc_directory *directory, const uint8_t key32[32],
                                struct enc_mail *mail)
{
    return post_by(directory, key32, mail, enc_mailbox_post);
}

enum enc_err enc_directory_post_always(struct enc_directory *directory, const uint8_t key32[32],
                                       struct enc_mail *mail)
{
    return post_by(directory, key32, mail, enc_mailbox_post_always);
}

/* Resting. On the worker that owns the actor, which holds back no mail. */

static bool may_retire(struct enc_actor *actor)
{
    bool may = !actor->self;
    if (actor->self && actor->class->may_retire) {
        enc_actor_enter(actor);
        may = actor->class->may_retire(actor->self);
        enc_actor_exit(actor);
    }
    return may;
}

static void close_state(struct enc_actor *actor)
{
    if (!actor->self)
        return;
    enc_actor_enter(actor);
    actor->class->close(actor->self);
    actor->self = NULL;
    enc_actor_exit(actor);
}

/* With the lock held. False: a mail came. */
static bool vacate(struct enc_directory *directory, struct resident *resident)
{
    if (!enc_mailbox_is_empty(&resident->actor.mailbox))
        return false;
    table_remove(directory, resident);
    ENC_EDGE("right", resident, NULL, "retire", "NONE");
    if (!is_leaving(resident))
        free_seat(directory);
    return true;
}

static bool retire(struct enc_directory *directory, struct resident *resident)
{
    struct stripe *stripe = stripe_of(directory, resident->bucket);
    close_state(&resident->actor);
    uv_mutex_lock(&stripe->lock);
    bool is_gone = vacate(directory, resident);
    uv_mutex_unlock(&stripe->lock);
    if (!is_gone)
        return false;
    free(resident);
    enc_meter_add(directory->meter, ENC_COUNT_RETIREMENTS, 1);
    return true;
}

static bool lie_down(struct enc_directory *directory, struct resident *resident, bool may)
{
    uint64_t now_ms = enc_pool_now_ms(directory->config.pool);
    struct stripe *stripe = stripe_of(directory, resident->bucket);
    uv_mutex_lock(&stripe->lock);
    bool is_given_up = enc_actor_give_up(&resident->actor);
    if (is_given_up && may)
        idle_add(directory, resident, now_ms);
    uv_mutex_unlock(&stripe->lock);
    return is_given_up;
}

static bool rest(struct enc_actor *actor)
{
    struct resident *resident = (struct resident *)actor;
    struct enc_directory *directory = resident->directory;
    bool may = may_retire(actor);
    ENC_CHECK(may || !is_leaving(resident)); /* it said it might, and has had no turn since */
    bool is_out = may && (is_leaving(resident) || !actor->self || directory->config.idle_ms == 0);
    bool is_done = is_out ? retire(directory, resident) : lie_down(directory, resident, may);
    if (is_done)
        enc_pool_leave(directory->config.pool);
    return is_done;
}

/* All actors, stripe by stripe. What must be scheduled is kept in a queue until no lock is held. */

static void schedule_all(struct enc_pool *pool, struct enc_queue *turns)
{
    while (turns->count > 0)
        enc_pool_schedule(pool, (struct enc_job *)enc_queue_pick(turns, 0));
}

struct round {
    struct enc_mail *(*make)(void *opaque, const uint8_t key32[32]);
    void *opaque;
    struct enc_queue turns;
    size_t posted;
};

static void post_to(struct enc_directory *directory, struct resident *resident, struct round *round)
{
    struct enc_actor *actor = &resident->actor;
    struct enc_mail *mail = is_leaving(resident) ? NULL : round->make(round->opaque, actor->key32);
    if (!mail)
        return;
    round->posted++;
    if (enc_mailbox_post_always(&actor->mailbox, mail) != ENC_POSTED_OWNER)
        return;
    ENC_EDGE("right", actor, NULL, "post", "held");
    idle_remove(directory, resident);
    enc_pool_enter_again(directory->config.pool);
    enc_queue_push(&round->turns, &actor->job.link);
}

static void post_to_stripe(struct enc_directory *directory, size_t index, struct round *round)
{
    uv_mutex_lock(&directory->stripes[index].lock);
    for (size_t bucket = index; bucket < directory->bucket_count; bucket += STRIPES)
        for (struct resident *at = directory->buckets[bucket]; at; at = at->chain)
            post_to(directory, at, round);
    uv_mutex_unlock(&directory->stripes[index].lock);
    schedule_all(directory->config.pool, &round->turns);
}

size_t enc_directory_post_all(struct enc_directory *directory,
                              struct enc_mail *(*make)(void *opaque, const uint8_t key32[32]),
                              void *opaque)
{
    struct enc_pool *pool = directory->config.pool;
    struct round round = {.make = make, .opaque = opaque};
    if (!enc_pool_enter(pool))
        return 0;
    for (size_t i = 0; i < STRIPES; i++)
        post_to_stripe(directory, i, &round);
    enc_meter_add(directory->meter, ENC_COUNT_POSTS, round.posted);
    enc_pool_leave(pool);
    return round.posted;
}

/* Who is idle since a time to come was so before the clock was set back. */
static void obey_clock(struct stripe *stripe, uint64_t now_ms)
{
    struct resident *at = stripe->oldest;
    for (; at && at->idle_since_ms > now_ms; at = at->newer)
        at->idle_since_ms = now_ms;
}

/* Returns when the oldest idle actor that stays will be due, UINT64_MAX when none stays. */
static uint64_t sweep_stripe(struct enc_directory *directory, struct stripe *stripe,
                             uint64_t now_ms)
{
    struct enc_queue turns = {NULL, NULL, 0};
    uint64_t idle_ms = directory->config.idle_ms;
    uv_mutex_lock(&stripe->lock);
    while (stripe->oldest && stripe->oldest->idle_since_ms + idle_ms <= now_ms)
        enc_queue_push(&turns, &claim_oldest(directory, stripe)->actor.job.link);
    obey_clock(stripe, now_ms);
    uint64_t next_ms = stripe->oldest ? stripe->oldest->idle_since_ms + idle_ms : UINT64_MAX;
    uv_mutex_unlock(&stripe->lock);
    schedule_all(directory->config.pool, &turns);
    return next_ms;
}

uint64_t enc_directory_sweep(struct enc_directory *directory, uint64_t now_ms)
{
    uint32_t idle_ms = directory->config.idle_ms;
    uint64_t next_ms = now_ms + idle_ms; /* who lies down right after this */
    if (idle_ms == 0)
        return UINT64_MAX;
    if (!enc_pool_enter(directory->config.pool))
        return next_ms;
    for (size_t i = 0; i < STRIPES; i++) {
        uint64_t due_ms = sweep_stripe(directory, &directory->stripes[i], now_ms);
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    enc_pool_leave(directory->config.pool);
    return next_ms;
}

/* Life. */

static size_t bucket_count_for(uint32_t actors_max)
{
    size_t count = STRIPES;
    while (count < actors_max)
        count *= 2;
    return count;
}

enum enc_err enc_directory_open(struct enc_directory **out,
                                const struct enc_directory_config *config)
{
    ENC_CHECK(config->actors_max > 0);
    struct enc_directory *directory = (struct enc_directory *)calloc(1, sizeof *directory);
    size_t bucket_count = bucket_count_for(config->actors_max);
    struct resident **buckets = (struct resident **)calloc(bucket_count, sizeof(void *));
    if (!directory || !buckets) {
        free(directory);
        free(buckets);
        return ENC_ERR_INTERNAL;
    }
    directory->config = *config;
    directory->meter = enc_pool_meter(config->pool);
    directory->buckets = buckets;
    directory->bucket_count = bucket_count;
    enc_keyhash_init(&directory->hash, config->hash_seed);
    for (size_t i = 0; i < STRIPES; i++)
        ENC_CHECK(uv_mutex_init(&directory->stripes[i].lock) == 0);
    *out = directory;
    return ENC_ERR_OK;
}

struct enc_pool *enc_directory_pool(const struct enc_directory *directory)
{
    return directory->config.pool;
}

uint32_t enc_directory_hash(const struct enc_directory *directory, const uint8_t key32[32])
{
    return enc_keyhash_of(&directory->hash, key32);
}

uint32_t enc_directory_idle_ms(const struct enc_directory *directory)
{
    return directory->config.idle_ms;
}

static void close_bucket(struct resident *resident)
{
    while (resident) {
        struct resident *next = resident->chain;
        close_state(&resident->actor);
        free(resident);
        resident = next;
    }
}

void enc_directory_close(struct enc_directory *directory)
{
    ENC_CHECK(enc_pool_is_quiet(directory->config.pool));
    for (size_t i = 0; i < directory->bucket_count; i++)
        close_bucket(directory->buckets[i]);
    for (size_t i = 0; i < STRIPES; i++)
        uv_mutex_destroy(&directory->stripes[i].lock);
    free(directory->buckets);
    free(directory);
}
