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

/*@ logic integer enc_smt_weight(integer at) = at == 0 ? 128 : at == 1 ? 64 : at == 2 ? 32 :
      at == 3 ? 16 : at == 4 ? 8 : at == 5 ? 4 : at == 6 ? 2 : 1; */

/** Bit number at of a key, 0 = most significant bit of byte 0. at < 168. */
/*@ requires at < ENC_SMT_DEPTH && \valid_read(key21 + (0 .. 20));
    assigns \nothing;
    ensures at % 8 == 0 ==> \result == key21[at / 8] / 128 % 2;
    ensures at % 8 == 1 ==> \result == key21[at / 8] / 64 % 2;
    ensures at % 8 == 2 ==> \result == key21[at / 8] / 32 % 2;
    ensures at % 8 == 3 ==> \result == key21[at / 8] / 16 % 2;
    ensures at % 8 == 4 ==> \result == key21[at / 8] / 8 % 2;
    ensures at % 8 == 5 ==> \result == key21[at / 8] / 4 % 2;
    ensures at % 8 == 6 ==> \result == key21[at / 8] / 2 % 2;
    ensures at % 8 == 7 ==> \result == key21[at / 8] / 1 % 2; */
static inline unsigned enc_smt_bit(const uint8_t key21[21], unsigned at)
{
    return key21[at / 8] >> (7 - at % 8) & 1;
}

/**
 * First bit, counted from the top and below limit, in which two keys differ; limit when there is
 * none. Pure.
 */
/*@ requires limit <= ENC_SMT_DEPTH;
    requires \valid_read(a21 + (0 .. 20)) && \valid_read(b21 + (0 .. 20));
    assigns \nothing;
    ensures \result <= limit;
    ensures \forall integer i; 0 <= i < \result / 8 ==> a21[i] == b21[i];
    ensures \result < limit ==> enc_smt_weight(\result % 8) <=
        (a21[\result / 8] ^ b21[\result / 8]) < 2 * enc_smt_weight(\result % 8); */
unsigned enc_smt_split(const uint8_t a21[21], const uint8_t b21[21], unsigned limit);

/** The first len bits of a key, zero behind them; len <= 168. out21 may be key21. Pure. */
/*@ requires len <= ENC_SMT_DEPTH && \valid(out21 + (0 .. 20)) && \valid_read(key21 + (0 .. 20));
    requires out21 == key21 || \separated(out21 + (0 .. 20), key21 + (0 .. 20));
    assigns out21[0 .. 20]; */
void enc_smt_prefix(uint8_t out21[21], const uint8_t key21[21], unsigned len);

/** One level up: hash32 becomes the node over it and its sibling, EMPTY over two EMPTY. Pure. */
/*@ requires \valid(hash32 + (0 .. 31)) && \valid_read(sibling32 + (0 .. 31));
    assigns hash32[0 .. 31]; */
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
