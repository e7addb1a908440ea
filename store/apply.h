/** Making write sets durable. Source: protocol.md 3 (step 12), server.md (Durability). */
#pragma once

#include "store/data.h"
#include "store/writeset.h"

enum enc_outcome {
    /* Durable: all sets, wholly. */
    ENC_OUTCOME_OK,
    /* Somebody else opened the directory since. Nothing written, and never will be by us. */
    ENC_OUTCOME_FENCED,
    /* The page that makes it durable went out and its fate is unknown: after the next open either
     * all or nothing is there. This process can neither read nor write the shard any more. */
    ENC_OUTCOME_IN_DOUBT,
    /* Nothing written; the shard is as before and may be used on. */
    ENC_OUTCOME_FAILED,
};

/** Numbers about one apply; timing is the caller's. */
struct enc_apply_facts {
    uint64_t txn_id;     /* what made the sets durable; compare with enc_snap_txn_id */
    uint64_t byte_count; /* keys and values handed to the engine */
    size_t op_count;
    size_t culprit;      /* index of the set that broke a write-once rule, else SIZE_MAX */
    uint64_t sync_began; /* what the clock of enc_store_time said when the sync began; 0 = never */
    int engine_error;    /* 0, an errno or an engine code; enc_store_error_text names it */
};

/**
 * Lend the store a clock for sync_began: it has none of its own. Before the first apply; clock is
 * called by whoever applies.
 */
void enc_store_time(struct enc_store *store, uint64_t (*clock)(void *self), void *self);

/**
 * Apply all sets, in order, in one transaction with one sync: all or nothing. Blocks for the sync.
 * One writer thread per shard; a second caller waits. Every set must be ok (checked).
 *
 * A set that puts an existing row of a write-once table makes the whole apply FAILED and is named
 * as the culprit, so that the writer can leave it out and apply the others.
 *
 * Returns: the outcome; facts always filled
 */
ENC_MUST_USE enum enc_outcome enc_store_apply(struct enc_store *store,
                                              struct enc_apply_facts *facts,
                                              const struct enc_writeset *const *sets, size_t count);

/** False for ever after FENCED or IN_DOUBT: the process should end. Any thread. */
bool enc_store_writable(const struct enc_store *store);

/** Name of an engine_error for people. Static storage; any thread. */
const char *enc_store_error_text(int engine_error);
