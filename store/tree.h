/**
 * Nodes of the sparse Merkle tree, leaves and nodes of the CT log (tables smt_node, ct_leaf,
 * ct_node).
 */
#pragma once

#include "store/scan.h"
#include "store/writeset.h"

/** A closed bundle. */
struct enc_ct_leaf_row {
    uint8_t events_root32[32];
    uint8_t state_hash32[32];
    uint64_t first_seq;
    uint64_t closed_ms;
    uint32_t count; /* events in it */
};

/**
 * A node of the state tree under its reference. Once per (ord, version, index). Record not empty.
 */
void enc_put_smt_node(struct enc_writeset *set, uint64_t ord, uint64_t version, uint32_t index,
                      struct enc_bytes record);
void enc_del_smt_node(struct enc_writeset *set, uint64_t ord, uint64_t version, uint32_t index);

/** Once per (ord, leaf). */
void enc_put_ct_leaf(struct enc_writeset *set, uint64_t ord, uint64_t leaf,
                     const struct enc_ct_leaf_row *row);

/** The hash of a complete subtree of 2^level leaves. Once per (ord, level, index). */
void enc_put_ct_node(struct enc_writeset *set, uint64_t ord, uint8_t level, uint64_t index,
                     const uint8_t hash32[32]);

/** Errors: INTERNAL, also when there is none: a reference without its node is damage */
ENC_MUST_USE enum enc_err enc_snap_smt_node(struct enc_snap *snap, struct enc_bytes *record,
                                            uint64_t ord, uint64_t version, uint32_t index);

/** How many nodes of state trees the enclave has, whether they hang in its tree or not. Errors:
 * INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_smt_count(struct enc_snap *snap, uint64_t *count, uint64_t ord);

/** Errors: LEAF_NOT_FOUND, INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_ct_leaf(struct enc_snap *snap, struct enc_ct_leaf_row *out,
                                           uint64_t ord, uint64_t leaf);

/** Errors: INTERNAL, also when there is none: ask only for complete subtrees */
ENC_MUST_USE enum enc_err enc_snap_ct_node(struct enc_snap *snap, uint8_t hash32[32], uint64_t ord,
                                           uint8_t level, uint64_t index);

struct enc_ct_leaf_found {
    uint64_t leaf;
    struct enc_ct_leaf_row row;
};

/** Walk over the leaves of an enclave's log. */
void enc_scan_ct_leaves(struct enc_scan *scan, struct enc_snap *snap, uint64_t ord,
                        struct enc_range leaves);
bool enc_scan_ct_leaf(struct enc_scan *scan, struct enc_ct_leaf_found *out);
