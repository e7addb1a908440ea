/**
 * Bundles, the log of bundles and its signed heads: leaf hashes, proofs and their verification
 * (protocol.md 7). All of it pure; any thread. Builders take the complete subtrees that
 * enc_frontier_add handed out; verifiers take only the proof.
 */
#pragma once

#include "proto/frontier.h"
#include "proto/schnorr.h"

enum { ENC_PATH_MAX = 65 };

/** Hashes of a proof in the order of the wire. */
struct enc_path {
    uint32_t count;
    uint8_t hashes32[ENC_PATH_MAX][32];
};

/** Hash of a log leaf: H(0x00, events_root, state_hash). protocol.md 7.2 */
/*@ requires \valid(leaf32 + (0 .. 31));
    requires \valid_read(events_root32 + (0 .. 31)) && \valid_read(state_hash32 + (0 .. 31));
    assigns leaf32[0 .. 31]; */
void enc_ct_leaf(uint8_t leaf32[32], const uint8_t events_root32[32],
                 const uint8_t state_hash32[32]);

/**
 * Append the root of the n leaves from start on to a path (see enc_range_root).
 *
 * Errors: those of the source, unchanged
 */
ENC_MUST_USE enum enc_err enc_path_add(struct enc_path *path,
                                       const struct enc_subtree_source *source, uint64_t start,
                                       uint64_t n);

/**
 * The path from leaf index to the root of the tree of the first size leaves, RFC 9162 2.1.3.1, by
 * O(log size) loads.
 *
 * Errors: LEAF_NOT_FOUND when index >= size; those of the source, unchanged
 */
ENC_MUST_USE enum enc_err enc_path_build(struct enc_path *path,
                                         const struct enc_subtree_source *source, uint64_t index,
                                         uint64_t size);

/**
 * The root that a path leads to from a leaf hash; false when path, index and size do not fit.
 * protocol.md 7.4
 */
/*@ requires \valid_read(path) && \valid_read(leaf32 + (0 .. 31)) && \valid(root32 + (0 .. 31));
    requires \separated(root32 + (0 .. 31), path);
    requires \separated(root32 + (0 .. 31), leaf32 + (0 .. 31));
    assigns root32[0 .. 31];
    ensures \result ==> index < size && path->count <= 64; */
ENC_MUST_USE bool enc_path_root(uint8_t root32[32], const struct enc_path *path,
                                const uint8_t leaf32[32], uint64_t index, uint64_t size);

/** That an event is in a bundle. protocol.md 7.4 */
struct enc_bundle_proof {
    uint8_t event_id32[32];
    uint64_t index;
    uint64_t size;
    struct enc_path siblings;
};

/** events_root of size >= 1 event ids of 32 bytes, in order behind each other. protocol.md 7.1 */
void enc_bundle_root(uint8_t events_root32[32], const uint8_t *ids32, uint64_t size);

/** Prove id number index among size ids. Errors: LEAF_NOT_FOUND when index >= size */
ENC_MUST_USE enum enc_err enc_bundle_prove(struct enc_bundle_proof *proof, const uint8_t *ids32,
                                           uint64_t index, uint64_t size);

/** Whether proof holds against events_root. */
/*@ requires \valid_read(proof) && \valid_read(events_root32 + (0 .. 31));
    assigns \nothing;
    ensures \result ==> proof->index < proof->size && proof->siblings.count <= 64; */
ENC_MUST_USE bool enc_bundle_verify(const struct enc_bundle_proof *proof,
                                    const uint8_t events_root32[32]);

/** That a bundle is leaf number index of the log of size leaves. protocol.md 7.4 */
struct enc_inclusion {
    uint64_t size;  /* ts */
    uint64_t index; /* li */
    struct enc_path path;
    uint8_t events_root32[32];
    uint8_t state_hash32[32];
};

/**
 * Whether it holds against a root of the log; the caller compares proof->size with that tree
 * head's.
 */
/*@ requires \valid_read(proof) && \valid_read(root32 + (0 .. 31));
    assigns \nothing;
    ensures \result ==> proof->index < proof->size && proof->path.count <= 64; */
ENC_MUST_USE bool enc_inclusion_verify(const struct enc_inclusion *proof, const uint8_t root32[32]);

/**
 * The root of the first index + 1 leaves of the very log whose root is root32: the siblings on the
 * left of a leaf are all that is before it. False when the proof does not hold.
 */
ENC_MUST_USE bool enc_inclusion_prefix(uint8_t prefix32[32], const struct enc_inclusion *proof,
                                       const uint8_t root32[32]);

/** That the log of from leaves is a prefix of the log of to leaves. protocol.md 7.4 */
struct enc_consistency {
    uint64_t from; /* ts1 */
    uint64_t to;   /* ts2 */
    struct enc_path path;
};

/**
 * RFC 9162 2.1.4.1, by O(log to) loads; the path is empty when from is 0 or to.
 *
 * Errors: INVALID_RANGE when from > to; those of the source, unchanged
 */
ENC_MUST_USE enum enc_err enc_consistency_prove(struct enc_consistency *proof,
                                                const struct enc_subtree_source *source,
                                                uint64_t from, uint64_t to);

/**
 * RFC 9162 2.1.4.2; with from 0 or to only the empty path holds, and a root of no leaves only
 * SHA256("").
 */
/*@ requires \valid_read(proof);
    requires \valid_read(from_root32 + (0 .. 31)) && \valid_read(to_root32 + (0 .. 31));
    assigns \nothing;
    ensures \result ==> proof->from <= proof->to && proof->path.count <= ENC_PATH_MAX; */
ENC_MUST_USE bool enc_consistency_verify(const struct enc_consistency *proof,
                                         const uint8_t from_root32[32],
                                         const uint8_t to_root32[32]);

/**
 * The root of the first from leaves of the very log whose root is to_root32. Together with a head
 * over from leaves and another root it shows that there are two logs.
 *
 * Returns: false when the path does not lead to to_root32, or from is 0, to, or a power of two,
 *          where it leaves the root of the older log out: see enc_inclusion_prefix
 */
/*@ requires \valid_read(proof) && \valid(prefix32 + (0 .. 31));
    requires \valid_read(to_root32 + (0 .. 31));
    assigns prefix32[0 .. 31];
    ensures \result ==> 1 <= proof->from < proof->to && proof->path.count <= ENC_PATH_MAX; */
ENC_MUST_USE bool enc_consistency_prefix(uint8_t prefix32[32], const struct enc_consistency *proof,
                                         const uint8_t to_root32[32]);

/** A signed tree head. protocol.md 7.3 */
struct enc_sth {
    uint64_t t_ms;
    uint64_t ts; /* leaves */
    uint8_t r32[32];
    uint8_t sig64[64];
};

/** What is signed: SHA256("enc:sth:" || be64(t) || be64(ts) || r). */
void enc_sth_message(uint8_t message32[32], const struct enc_sth *sth);

/** Fill sig64 from the other members. */
void enc_sth_sign(const struct enc_curve *curve, struct enc_sth *sth, const struct enc_key *key);

/** Whether sig64 is the sequencer's. */
ENC_MUST_USE bool enc_sth_verify(const struct enc_curve *curve, const struct enc_sth *sth,
                                 const uint8_t seq_pub32[32]);
