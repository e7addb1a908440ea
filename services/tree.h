/** The state tree of proto over the store: where nodes come from and where sealed ones go. */
#pragma once

#include "proto/ct.h"
#include "proto/smt.h"
#include "store/store.h"

/** Nodes and complete subtrees of one enclave out of a snapshot, which must outlive it. Do not move
 * once bound. */
struct enc_tree_source {
    struct enc_snap *snap;
    uint64_t ord;
    struct enc_smt_source nodes;
    struct enc_subtree_source subtrees;
};
void enc_tree_source_init(struct enc_tree_source *source, struct enc_snap *snap, uint64_t ord);

/** Puts and deletes of one enclave into a write set, which must outlive it. Do not move once bound.
 */
struct enc_tree_sink {
    struct enc_writeset *set;
    uint64_t ord;
    struct enc_smt_sink nodes;
    struct enc_subtree_sink subtrees;
};
void enc_tree_sink_init(struct enc_tree_sink *sink, struct enc_writeset *set, uint64_t ord);

/**
 * That this leaf is the newest one with this state_hash: a row of a view that no DataView uses, so
 * that /state finds it without walking the log. protocol.md 8.6
 */
void enc_put_leaf_of_state(struct enc_writeset *set, uint64_t ord, const uint8_t state_hash32[32],
                           uint64_t leaf);

/** *found is false when no leaf has this state_hash. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_leaf_of_state(struct enc_snap *snap, bool *found, uint64_t *leaf,
                                                 uint64_t ord, const uint8_t state_hash32[32]);

/**
 * Whether every such row of the enclave names a leaf that has its state_hash. Errors: INTERNAL
 */
ENC_MUST_USE enum enc_err enc_leaf_rows_check(struct enc_snap *snap, bool *is_sound, uint64_t ord);
