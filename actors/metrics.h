/** What the room has done so far, for whoever publishes it. */
#pragma once

#include "actors/pool.h"

enum { ENC_BATCH_BUCKETS = 8 };

/** Figures of one pool and the directories, timers and lanes over it. Counters, or marked level. */
struct enc_actors_counts {
    uint64_t posts;         /* mails taken into a mailbox */
    uint64_t refusals;      /* posts refused as BUSY, whatever the reason */
    uint64_t mails_waiting; /* level: posted and not yet taken by a turn */
    uint64_t turns;
    uint64_t turns_waiting; /* level: actors queued for a worker */
    uint64_t parks;
    uint64_t batch_max;                  /* most mails ever offered to one turn */
    uint64_t batches[ENC_BATCH_BUCKETS]; /* turns by mails taken: 0, 1, 2-3, 4-7, ... 64 or more */
    uint64_t jobs;                       /* jobs run */
    uint64_t job_refusals;
    uint64_t jobs_waiting;   /* level */
    uint64_t activations;    /* actors brought into memory */
    uint64_t retirements;    /* actors that left it while the directory was open */
    uint64_t timers_waiting; /* level: set and not yet posted */
    uint64_t timers_posted;
    uint64_t timer_retries;  /* posts of timer mail that were refused and are tried again */
    uint64_t timers_put_off; /* left to their keeper, behind the horizon */
    uint64_t lane_batches;
    uint64_t lane_items;
    uint64_t lane_batch_max;
    uint64_t lane_refusals;
};

/** Read all figures. Any thread while the pool lives. Each is exact, together not of one moment. */
void enc_actors_counts(const struct enc_pool *pool, struct enc_actors_counts *out);
