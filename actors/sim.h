/**
 * A simulation: pool, timers and lanes without threads, on a virtual clock. Every step runs one
 * thing that could run next, chosen by a generator with a seed, so that a whole schedule is a
 * function of one number. One thread only.
 */
#pragma once

#include "proto/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct enc_sim;

/** What can be stepped. Pools, timers and lanes add themselves; the embedding may add its own. */
struct enc_sim_source {
    size_t (*choices)(void *self, uint64_t now_ms); /* how many things could run next; 0 = none */
    void (*run)(void *self, size_t choice);         /* run one; choice is below choices */
    uint64_t (*due_ms)(void *self); /* when time alone makes one; UINT64_MAX = never; may be NULL */
    void *self;
    struct enc_sim_source *next; /* the simulation's */
};

/** A simulation whose clock stands at now_ms. Errors: INTERNAL when memory is short */
ENC_MUST_USE enum enc_err enc_sim_open(struct enc_sim **out, uint64_t seed, uint64_t now_ms);

/** source must live until it is removed. Sources are asked in the order they were added. */
void enc_sim_add(struct enc_sim *sim, struct enc_sim_source *source);
void enc_sim_remove(struct enc_sim *sim, struct enc_sim_source *source);

/** Run one thing. False: nothing can run before time passes or something is posted. */
bool enc_sim_step(struct enc_sim *sim);

/** Move the clock on. */
void enc_sim_advance(struct enc_sim *sim, uint64_t ms);

/** The virtual clock, Unix ms. */
uint64_t enc_sim_now_ms(const struct enc_sim *sim);

/** The earliest moment at which time alone makes something runnable; UINT64_MAX = never. */
uint64_t enc_sim_due_ms(const struct enc_sim *sim);

/** The next number of the generator, for choices of the embedding. */
uint64_t enc_sim_random(struct enc_sim *sim);

/** Steps done so far, and a digest of all choices made: equal for equal schedules. */
uint64_t enc_sim_steps(const struct enc_sim *sim);
uint64_t enc_sim_trace(const struct enc_sim *sim);

/** Free. Everything that added itself must be stopped before. */
void enc_sim_close(struct enc_sim *sim);
