#include "actors/crew.h"
#include "actors/schedule.h"
#include "proto/base/edge.h"

#include <stdlib.h>

struct enc_pool {
    struct enc_crew crew;
    struct enc_queue turns; /* all four: under the crew's lock */
    struct enc_queue jobs;
    bool is_turn_next; /* when both wait */
    size_t jobs_max;
    _Atomic uint64_t tickets; /* out at the moment, and CLOSED */
    struct enc_meter meter;
};

static const uint64_t CLOSED = (uint64_t)1 << 63; /* the pool drains: no new tickets */

/* For tests: the word of the tickets as the models call it. */
#define NAME_OF(tickets) (!((tickets)&CLOSED) ? "open" : (tickets) == CLOSED ? "quiet" : "closing")

/* Tickets. */

bool enc_pool_enter(struct enc_pool *pool)
{
    /* relaxed throughout: taking a ticket publishes nothing and concludes nothing but not CLOSED,
     * and that bit and the count are one word */
    uint64_t was = atomic_load_explicit(&pool->tickets, memory_order_relaxed);
    do {
        if (was & CLOSED) {
            ENC_EDGE("pool", pool, NAME_OF(was), "refuse", NAME_OF(was));
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&pool->tickets, &was, was + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    ENC_EDGE("pool", pool, NAME_OF(was), "enter", NAME_OF(was + 1));
    return true;
}

void enc_pool_enter_again(struct enc_pool *pool)
{
    /* relaxed: as in enc_pool_enter; the ticket already held keeps the pool from being quiet */
    uint64_t was = atomic_fetch_add_explicit(&pool->tickets, 1, memory_order_relaxed);
    ENC_CHECK((was & ~CLOSED) > 0);
    ENC_EDGE("pool", pool, NAME_OF(was), "again", NAME_OF(was + 1));
}

void enc_pool_leave(struct enc_pool *pool)
{
    /* release: what was done under the ticket, for who finds the pool quiet */
    uint64_t was = atomic_fetch_sub_explicit(&pool->tickets, 1, memory_order_release);
    ENC_CHECK((was & ~CLOSED) > 0);
    ENC_EDGE("pool", pool, NAME_OF(was), "leave", NAME_OF(was - 1));
    if (was != CLOSED + 1)
        return;
    enc_crew_lock(&pool->crew);
    enc_crew_announce(&pool->crew);
    enc_crew_unlock(&pool->crew);
}

bool enc_pool_is_quiet(struct enc_pool *pool)
{
    /* acquire: all that was done under any ticket, by the release in enc_pool_leave */
    return (atomic_load_explicit(&pool->tickets, memory_order_acquire) & ~CLOSED) == 0;
}

/* Workers. */

static size_t choices(void *self, uint64_t now_ms)
{
    (void)now_ms;
    const struct enc_pool *pool = (const struct enc_pool *)self;
    return pool->turns.count + pool->jobs.count;
}

static bool takes_turn(struct enc_pool *pool)
{
    if (pool->turns.count == 0 || pool->jobs.count == 0)
        return pool->turns.count > 0;
    pool->is_turn_next = !pool->is_turn_next;
    return !pool->is_turn_next;
}

static void run_turn(struct enc_pool *pool, struct enc_link *link, uint32_t worker)
{
    struct enc_job *turn = (struct enc_job *)link;
    enc_meter_add(&pool->meter, ENC_COUNT_TURNS_BEGUN, 1);
    turn->worker = worker;
    turn->run(turn);
}

static void run_job(struct enc_pool *pool, struct enc_link *link, uint32_t worker)
{
    struct enc_job *job = (struct enc_job *)link;
    enc_meter_add(&pool->meter, ENC_COUNT_JOBS, 1);
    job->worker = worker;
    job->run(job);
    enc_pool_leave(pool);
}

/* Choices below turns.count are turns, the others jobs. */
static void work(void *self, uint32_t worker, size_t choice)
{
    struct enc_pool *pool = (struct enc_pool *)self;
    bool by_rule = choice == ENC_CREW_NEXT;
    bool is_turn = by_rule ? takes_turn(pool) : choice < pool->turns.count;
    size_t index = by_rule ? 0 : is_turn ? choice : choice - pool->turns.count;
    struct enc_link *link = enc_queue_pick(is_turn ? &pool->turns : &pool->jobs, index);
    enc_crew_unlock(&pool->crew);
    if (is_turn)
        run_turn(pool, link, worker);
    else
        run_job(pool, link, worker);
    enc_crew_lock(&pool->crew);
}

static const struct enc_crew_class CREW = {choices, work, NULL};

static void queue_turn(struct enc_pool *pool, struct enc_job *turn)
{
    enc_meter_add(&pool->meter, ENC_COUNT_TURNS_QUEUED, 1);
    ENC_EDGE("right", turn, NULL, "queue", "queued");
    enc_queue_push(&pool->turns, &turn->link);
}

void enc_pool_schedule(struct enc_pool *pool, struct enc_job *turn)
{
    enc_crew_lock(&pool->crew);
    queue_turn(pool, turn);
    enc_crew_wake(&pool->crew);
    enc_crew_unlock(&pool->crew);
}

/* No wake: the caller takes a thing from the queue itself, so no more wait than before. */
void enc_pool_requeue(struct enc_pool *pool, struct enc_job *turn)
{
    enc_crew_lock(&pool->crew);
    queue_turn(pool, turn);
    enc_crew_unlock(&pool->crew);
}

static bool queue_job(struct enc_pool *pool, struct enc_job *job)
{
    enc_crew_lock(&pool->crew);
    bool fits = pool->jobs.count < pool->jobs_max;
    if (fits) {
        enc_meter_add(&pool->meter, ENC_COUNT_JOBS_QUEUED, 1);
        enc_queue_push(&pool->jobs, &job->link);
        enc_crew_wake(&pool->crew);
    }
    enc_crew_unlock(&pool->crew);
    return fits;
}

enum enc_err enc_pool_submit(struct enc_pool *pool, struct enc_job *job)
{
    bool has_ticket = enc_pool_enter(pool);
    if (has_ticket && queue_job(pool, job))
        return ENC_ERR_OK;
    if (has_ticket)
        enc_pool_leave(pool);
    enc_meter_add(&pool->meter, ENC_COUNT_JOB_REFUSALS, 1);
    return ENC_ERR_BUSY;
}

/* Life. */

static bool crew_start(struct enc_pool *pool, const struct enc_pool_config *config)
{
    struct enc_crew_config crew = {.class = &CREW,
                                   .self = pool,
                                   .count = config->workers,
                                   .clock = config->clock,
                                   .sim = config->sim};
    return enc_crew_start(&pool->crew, &crew);
}

enum enc_err enc_pool_start(struct enc_pool **out, const struct enc_pool_config *config)
{
    struct enc_pool *pool = (struct enc_pool *)calloc(1, sizeof *pool);
    if (!pool)
        return ENC_ERR_INTERNAL;
    pool->jobs_max = config->jobs_max;
    if (!crew_start(pool, config)) {
        free(pool);
        return ENC_ERR_INTERNAL;
    }
    *out = pool;
    return ENC_ERR_OK;
}

static bool is_drained(void *self)
{
    return enc_pool_is_quiet((struct enc_pool *)self);
}

void enc_pool_drain(struct enc_pool *pool)
{
    /* relaxed: a refusal may come a moment later; what it guards is the count in the same word */
    uint64_t was = atomic_fetch_or_explicit(&pool->tickets, CLOSED, memory_order_relaxed);
    ENC_EDGE("pool", pool, NAME_OF(was), "drain", NAME_OF(was | CLOSED));
    enc_crew_lock(&pool->crew);
    enc_crew_wait(&pool->crew, is_drained);
    enc_crew_unlock(&pool->crew);
}

void enc_pool_stop(struct enc_pool *pool)
{
    enc_pool_drain(pool);
    enc_crew_stop(&pool->crew);
    free(pool);
}

uint64_t enc_pool_beats(const struct enc_pool *pool, uint32_t worker)
{
    return enc_crew_beats(&pool->crew, worker);
}

uint32_t enc_pool_workers(const struct enc_pool *pool)
{
    return pool->crew.count;
}

uint64_t enc_pool_now_ms(const struct enc_pool *pool)
{
    return enc_crew_now_ms(&pool->crew);
}

struct enc_sim *enc_pool_sim(const struct enc_pool *pool)
{
    return pool->crew.sim;
}

struct enc_clock enc_pool_clock(const struct enc_pool *pool)
{
    return pool->crew.clock;
}

struct enc_meter *enc_pool_meter(struct enc_pool *pool)
{
    return &pool->meter;
}

const struct enc_meter *enc_pool_meter_of(const struct enc_pool *pool)
{
    return &pool->meter;
}
