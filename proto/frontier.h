/**
 * Append-only Merkle trees in the shape of RFC 9162 with node hash H(0x01, left, right), as a
 * *frontier* (compact range): only the roots of the complete subtrees on the right edge are kept,
 * one per set bit of the count. The log of bundles and the tree of one bundle are both such trees;
 * only their leaf hashes differ (protocol.md 7.1, 7.2). Pure; any thread.
 *
 * The complete subtree (level, index) covers the leaves [index << level, (index + 1) << level).
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/err.h"

enum { ENC_FRONTIER_LEN_MAX = 8 + 64 * 32 }; /* longest record */

/**
 * count is below 2^63; nodes32[level] is meaningful iff that bit of count is set. All zero: the
 * empty tree.
 */
struct enc_frontier {
    uint64_t count;
    uint8_t nodes32[64][32];
};

/** Where completed subtrees go, so that proofs can be made later. */
struct enc_subtree_sink {
    enum enc_err (*put)(void *self, unsigned level, uint64_t index, const uint8_t hash32[32]);
    void *self;
};

/** Where complete subtrees come from. */
struct enc_subtree_source {
    enum enc_err (*load)(void *self, uint8_t hash32[32], unsigned level, uint64_t index);
    void *self;
};

/**
 * Append a leaf hash. Every subtree that it completes goes to sink, from the leaf itself (level 0)
 * upwards; sink may be NULL.
 *
 * Errors: those of the sink, unchanged; the frontier is then as before. Without a sink it cannot
 * fail.
 */
ENC_MUST_USE enum enc_err enc_frontier_add(struct enc_frontier *frontier,
                                           const struct enc_subtree_sink *sink,
                                           const uint8_t leaf32[32]);

/** The root; of the empty tree SHA256(""). */
void enc_frontier_root(const struct enc_frontier *frontier, uint8_t root32[32]);

/** Write count be64 and the hashes from the lowest level up. Returns the length. */
size_t enc_frontier_encode(uint8_t record[ENC_FRONTIER_LEN_MAX],
                           const struct enc_frontier *frontier);

/**
 * Read what enc_frontier_encode wrote. Errors: INTERNAL for any other record; frontier is then
 * undefined
 */
ENC_MUST_USE enum enc_err enc_frontier_decode(struct enc_frontier *frontier,
                                              struct enc_bytes record);

/**
 * Root of the n >= 1 leaves from start on, by O(log n) loads. start must be a multiple of a power
 * of two that is not below n.
 *
 * Errors: those of the source, unchanged
 */
ENC_MUST_USE enum enc_err enc_range_root(const struct enc_subtree_source *source,
                                         uint8_t root32[32], uint64_t start, uint64_t n);
