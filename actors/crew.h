/**
 * A crew: the lock of a pool, of timers or of a lane, and what drives them, which is either threads
 * of their own or the steps of a simulation. The same work function runs under both.
 */
#pragma once

#include "actors/pool.h"
#include "actors/pulse.h"
#include "actors/sim.h"

#include <uv.h>

/** Choice of a member that has no simulation to choose for it: whatever is next by rule. */
#define ENC_CREW_NEXT SIZE_MAX

/** What there is to do. All functions are called with the crew's lock held. */
struct enc_crew_class {
    size_t (*choices)(void *self, uint64_t now_ms); /* things that could be done; 0 = none */
    void (*work)(void *self, uint32_t member, size_t choice); /* unlocks while it works */
    uint64_t (*due_ms)(void *self); /* when time alone makes work; NULL = never, now_ms is 0 */
};

struct enc_crew_driver;

struct enc_crew {
    const struct enc_crew_class *class;
    void *self;
    struct enc_clock clock;
    const struct enc_crew_driver *driver;
    uv_mutex_t lock;
    uv_cond_t wake;    /* there is work, or the end */
    uv_cond_t settled; /* what enc_crew_wait waits for may hold now */
    uint32_t sleeping; /* members waiting for wake */
    uint32_t called;   /* of them, those that a signal was or will be sent for */
    uint32_t owed;     /* signals that whoever holds the lock sends once it is free */
    bool is_ending;
    struct enc_member *members;
    uint32_t count;
    struct enc_sim *sim;
    struct enc_sim_source source;
};

/** What a crew works for and with. */
struct enc_crew_config {
    const struct enc_crew_class *class;
    void *self;
    uint32_t count;         /* threads */
    struct enc_clock clock; /* read only when the class has due_ms and there is no simulation */
    struct enc_sim *sim;    /* NULL = threads */
};

/** Start. False: threads or memory cannot be had, nothing is left behind. */
ENC_MUST_USE bool enc_crew_start(struct enc_crew *crew, const struct enc_crew_config *config);

void enc_crew_lock(struct enc_crew *crew);
void enc_crew_unlock(struct enc_crew *crew);

/** There is one thing more to do, or time to look at due_ms again. With the lock held. */
void enc_crew_wake(struct enc_crew *crew);

/** Unlock, wait until is_settled(self), lock again. With the lock held, not from a member. */
void enc_crew_wait(struct enc_crew *crew, bool (*is_settled)(void *self));

/** What enc_crew_wait waits for may hold now. With the lock held. */
void enc_crew_announce(struct enc_crew *crew);

/** Do what is left, end the members. Without the lock. */
void enc_crew_stop(struct enc_crew *crew);

/** The time by the simulation or the clock. */
uint64_t enc_crew_now_ms(const struct enc_crew *crew);

/** The pulse of a member (pulse.h); 0 in a simulation. Any thread while the crew lives. */
uint64_t enc_crew_beats(const struct enc_crew *crew, uint32_t index);
