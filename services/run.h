/**
 * A run: consecutive commits of one enclave that become durable together. Staged on copies, written
 * by the shard's writer, then swapped in or dropped as a whole.
 */
#pragma once

#include "actors/queue.h"
#include "proto/ac.h"
#include "proto/base/edge.h"
#include "proto/event.h"
#include "services/node.h"
#include "services/rows.h"
#include "services/tree.h"

/** One commit of the run, or one payload of another node, and what came of it. */
struct enc_staged {
    struct enc_staged *next;
    struct enc_exchange *exchange;  /* waits for its answer; NULL once answered */
    struct enc_refusal refusal;     /* verdict.err OK: accepted */
    struct enc_event *event;        /* accepted: the new event */
    const struct enc_event *target; /* of an Update or Delete */
    struct enc_ac_plan plan;        /* of an AC event */
    enum enc_type type;
};

/** When the steps ended that its commits take together, for their traces; 0: not come to that. */
struct enc_run_times {
    uint64_t built_ns;
    uint64_t sealed_ns;
    uint64_t taken_ns;   /* by the writer */
    uint64_t written_ns; /* into the transaction */
    uint64_t durable_ns;
};

/* For tests: an outcome as the models call it. */
#define ENC_RUN_ENDED(run)                                                                         \
    ENC_EDGE("run", run, NULL,                                                                     \
             ((const char *const[]){"ok", "fenced", "in_doubt", "failed"})[(run)->outcome],        \
             ((const char *const[]){"durable", "fenced", "in_doubt", "failed"})[(run)->outcome])

struct enc_run {
    struct enc_link link; /* first: the writer's */
    struct enc_node *node;
    struct enc_actor *actor; /* to resume */
    struct enc_arena arena;
    struct enc_snap *snap; /* the durable state before the run; NULL once it is at the writer */
    struct enc_tree_source source;
    struct enc_tree_sink sink;
    struct enc_writeset set;
    struct enc_rows rows;                /* of the DataView, staged */
    struct enc_state state;              /* staged */
    struct enc_smt tree;                 /* staged */
    const struct enc_manifest *manifest; /* the node's, or the one staged by this run */
    struct enc_staged *first;
    struct enc_staged *last;
    struct enc_type_count *types; /* staged type_seq */
    uint64_t now_ms;
    uint64_t marked_ns; /* when its last stage, or that of its last commit, ended */
    struct enc_run_times times;
    uint64_t last_arrival;          /* newest in the inbox, staged; 0 = not read yet */
    struct enc_bytes first_content; /* of the Manifest that created the enclave in this run */
    struct enc_arena gates_arena;   /* of the gates that the node keeps once this is durable */
    uint32_t accepted_count;
    uint32_t count;
    bool has_writes;
    bool is_broken; /* building failed: nothing of it may be written */
    enum enc_outcome outcome;
};

/** A run over the node's durable state. Errors: BUSY, INTERNAL; nothing is left behind then */
ENC_MUST_USE enum enc_err enc_run_open(struct enc_run **out, struct enc_node *node,
                                       uint64_t now_ms);

/** Judge a prepared commit and stage it or its refusal. Takes the exchange over. */
void enc_run_add(struct enc_run *run, struct enc_exchange *exchange);

/** Stage a checked payload of another node (receive.h) or its refusal. Takes the exchange over. */
void enc_run_add_push(struct enc_run *run, struct enc_exchange *exchange);

/** Close the open bundle when its time has come (the timer's way in). */
void enc_run_close_bundle(struct enc_run *run);

/** Whether no more commits should join. */
bool enc_run_is_full(const struct enc_run *run);

/** Whether one more push payload may be made in it; others wait for the next run. */
bool enc_run_has_room(const struct enc_run *run);

/**
 * Seal what was staged and hand it to the writer. True: the turn must PARK. False: there was
 * nothing to write or it could not be written; enc_run_finish is to be called at once.
 */
ENC_MUST_USE bool enc_run_submit(struct enc_run *run, struct enc_actor *actor);

/**
 * Seal and write it at once, on the caller's thread: only while the host starts and no writer has
 * work. enc_run_finish follows.
 */
void enc_run_write(struct enc_run *run);

/** The outcome is known: swap the state in or drop it, answer everybody, broadcast, push, free the
 * run. */
void enc_run_finish(struct enc_run *run);

/** The writer's batch: every waiting run of a shard, whose store is self, in one transaction. */
void enc_writer_work(void *self, struct enc_link *list, size_t count);
