/**
 * Nodes of the sparse Merkle tree as they lie in memory and in the store.
 *
 * The protocol's tree is 168 levels deep (protocol.md 6); this one is compressed. A *leaf* holds a
 * key and its value. A *branch* stands where two keys part for the first time: it knows that bit
 * and the bits above it, and has two sides that are never empty. The levels between a branch and
 * what hangs below it have no node; their hashes are made by *lifting*: hashing with EMPTY on the
 * other side, once per level. A branch keeps the hash of each side already lifted to just below
 * itself. That is the hash which a proof shows as sibling there, so neither a proof nor an update
 * loads a sibling.
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/err.h"

enum {
    ENC_SMT_KEY_LEN = 21,
    ENC_SMT_DEPTH = 168,
    ENC_SMT_VALUE_MAX = 32,
    ENC_SMT_RECORD_MAX = 112, /* longest record of a node */
};

/**
 * Where a node is stored. version 0: nowhere. One enclave never uses a pair twice for different
 * nodes.
 */
struct enc_smt_ref {
    uint64_t version;
    uint32_t index;
};

/** A leaf's value, 1 to 32 bytes; len 0: no leaf. */
struct enc_smt_value {
    uint8_t len;
    uint8_t data[ENC_SMT_VALUE_MAX];
};

/** One side of a branch, or the root. Empty iff node is NULL and ref.version is 0. */
struct enc_smt_link {
    struct enc_smt_node *node; /* NULL: not loaded, or empty */
    struct enc_smt_ref ref;    /* version 0: not stored yet, or empty */
    uint8_t hash32[32];        /* of what hangs here, lifted to hash_depth */
    uint8_t hash_depth;        /* ENC_SMT_UNHASHED: hash32 is out of date */
};
enum { ENC_SMT_UNHASHED = 0xff };

struct enc_smt_node {
    uint32_t owner; /* the owner number of the tree that may edit it in place; 0: loaded */
    bool is_leaf;
    uint8_t bit;                    /* of a branch: where its sides part, 0 = top */
    uint8_t key21[ENC_SMT_KEY_LEN]; /* of a branch: zero from bit on */
    union {
        struct enc_smt_value value;  /* of a leaf */
        struct enc_smt_link side[2]; /* of a branch; 0 = left */
    };
};

/** Bit number at of a key, 0 = most significant bit of byte 0. at < 168. */
static inline unsigned enc_smt_bit(const uint8_t key21[21], unsigned at)
{
    return key21[at / 8] >> (7 - at % 8) & 1;
}

/**
 * First bit, counted from the top and below limit, in which two keys differ; limit when there is
 * none. Pure.
 */
unsigned enc_smt_split(const uint8_t a21[21], const uint8_t b21[21], unsigned limit);

/** The first len bits of a key, zero behind them; len <= 168. out21 may be key21. Pure. */
void enc_smt_prefix(uint8_t out21[21], const uint8_t key21[21], unsigned len);

/** One level up: hash32 becomes the node over it and its sibling, EMPTY over two EMPTY. Pure. */
void enc_smt_climb(uint8_t hash32[32], const uint8_t sibling32[32], bool is_right);

/**
 * Write a node's record: what the store keeps. Pure.
 *
 * A branch must have both sides stored (a ref) and hashed to bit + 1. Leaf: 0x01, key, value.
 * Branch: 0x02, bit, key, then per side version be64, index be32, hash.
 *
 * Returns: the length, at most ENC_SMT_RECORD_MAX
 */
size_t enc_smt_node_encode(uint8_t record[ENC_SMT_RECORD_MAX], const struct enc_smt_node *node);

/**
 * Read a record; strict: kind, length, value length, bit, prefix and refs are all checked. Pure;
 * out keeps no pointer to the record. owner is 0.
 *
 * Errors: INTERNAL when this is not the record of any node; out is then undefined
 */
ENC_MUST_USE enum enc_err enc_smt_node_decode(struct enc_smt_node *out, struct enc_bytes record);
