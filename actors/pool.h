/**
 * The pool: worker threads that share two queues, the turns of actors that have mail and the jobs
 * that need no actor. A free worker takes from the two alternately, so neither can starve the
 * other; each queue is first in, first out.
 */
#pragma once

#include "actors/queue.h"
#include "proto/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct enc_pool;
struct enc_sim;

/**
 * A piece of stateless work, embedded in the caller's own message. The caller's again as soon as
 * run is called.
 */
struct enc_job {
    struct enc_link link;             /* the pool's while queued */
    void (*run)(struct enc_job *job); /* runs once, on a worker; may free the job */
    uint32_t worker; /* set by the pool before run: index of the worker, below workers */
};

/**
 * Where the room reads the time: Unix ms. Any thread, never blocks. May jump; only lateness follows
 * from that.
 */
struct enc_clock {
    uint64_t (*now_ms)(void *self);
    void *self;
};

struct enc_pool_config {
    uint32_t workers;       /* threads, 1 to 1024 */
    uint32_t jobs_max;      /* jobs waiting, those being run not counted */
    struct enc_clock clock; /* not read in a simulation, which has its own */
    struct enc_sim *sim; /* NULL = threads; else no thread is made and enc_sim_step does the work */
};

/**
 * Start the workers. Errors: INTERNAL when threads or memory cannot be had; nothing is left behind
 * then
 */
ENC_MUST_USE enum enc_err enc_pool_start(struct enc_pool **out,
                                         const struct enc_pool_config *config);

/**
 * Queue a job. Any thread, turns and jobs included.
 *
 * Errors: ENC_ERR_BUSY when jobs_max jobs wait or the pool drains; nothing changed, the job stays
 * the caller's
 */
ENC_MUST_USE enum enc_err enc_pool_submit(struct enc_pool *pool, struct enc_job *job);

/**
 * Number of workers: one more than the greatest worker index that a turn or job can see. Any
 * thread.
 */
uint32_t enc_pool_workers(const struct enc_pool *pool);

/** The pulse of a worker below enc_pool_workers (pulse.h). Any thread. */
uint64_t enc_pool_beats(const struct enc_pool *pool, uint32_t worker);

/** The time by the pool's clock, in a simulation by the virtual one. Any thread. */
uint64_t enc_pool_now_ms(const struct enc_pool *pool);

/** The simulation that drives the pool, or NULL. */
struct enc_sim *enc_pool_sim(const struct enc_pool *pool);

/**
 * Whether no job waits or runs and no actor has mail, runs, is parked or waits for a pending mail.
 * Any thread.
 */
ENC_MUST_USE bool enc_pool_is_quiet(struct enc_pool *pool);

/**
 * Refuse new jobs and posts with ENC_ERR_BUSY, then wait until the pool is quiet: what was queued
 * is done, parked actors were resumed and finished. Whoever resumes or makes mail ready (lanes)
 * must still run. Not from a worker. In a simulation it steps; an actor that nobody can wake any
 * more is then a failed check instead of an endless wait.
 */
void enc_pool_drain(struct enc_pool *pool);

/**
 * Drain, end the workers, free. Directories over this pool must be closed before (after
 * enc_pool_drain).
 */
void enc_pool_stop(struct enc_pool *pool);
