/**
 * The sparse Merkle tree of an enclave (protocol.md 6): get, set, remove, root hash, proofs, and
 * what the store must write.
 *
 * A tree is an overlay: nodes are loaded when walked through, changed nodes are new nodes in the
 * arena, nothing that was loaded is ever edited. struct enc_smt itself is little more than a
 * pointer to the root, so keeping an older state costs nothing: see enc_smt_fork. Hashing is lazy;
 * a set costs only the walk, and the paths of many sets are hashed together when a root, a proof or
 * a seal asks for them: 168 hashes for a path of its own, fewer where paths run together.
 *
 * Not thread-safe: a tree and all its forks belong to one owner at a time.
 */
#pragma once

#include "proto/base/arena.h"
#include "proto/smt_node.h"

/** The namespaces of keys (protocol.md 6). */
enum enc_smt_namespace {
    ENC_SMT_RBAC = 0x00,
    ENC_SMT_EVENT_STATUS = 0x01,
};

/**
 * The tree key of a raw key: namespace, then the first 20 bytes of SHA256(raw). Pure. protocol.md 6
 */
void enc_smt_key(uint8_t key21[21], enum enc_smt_namespace space, const uint8_t raw32[32]);

/** A stored tree: all that must be remembered to open it again. */
struct enc_smt_root {
    struct enc_smt_ref ref;
    uint8_t hash32[32];
    uint64_t count; /* leaves */
};

/** The empty tree. */
struct enc_smt_root enc_smt_root_empty(void);

/**
 * Where nodes come from. The record handed out must live until the next load; the tree copies it at
 * once.
 */
struct enc_smt_source {
    enum enc_err (*load)(void *self, struct enc_bytes *record, struct enc_smt_ref ref);
    void *self;
};

/**
 * Where a seal puts things: new nodes children first, then the refs that hold nothing of the new
 * tree any more. The record lives during the call only.
 */
struct enc_smt_sink {
    enum enc_err (*put)(void *self, struct enc_smt_ref ref, struct enc_bytes record);
    enum enc_err (*drop)(void *self, struct enc_smt_ref ref);
    void *self;
};

/** A ref that a change made obsolete. */
struct enc_smt_gone {
    const struct enc_smt_gone *next;
    struct enc_smt_ref ref;
};

/**
 * A tree. Treat the members as private. Never copy it by assignment to edit both: use enc_smt_fork.
 */
struct enc_smt {
    struct enc_arena *arena;
    const struct enc_smt_source *source;
    const struct enc_smt_gone *gone;
    struct enc_smt_link root;
    uint64_t count;
    uint32_t owner;
    unsigned depth;
};

/**
 * Open a stored tree. arena and source must outlive it and its forks; source may be NULL when root
 * is the empty tree.
 */
void enc_smt_init(struct enc_smt *tree, struct enc_arena *arena,
                  const struct enc_smt_source *source, const struct enc_smt_root *root);

/**
 * The same for a shrunken world, 1 <= depth <= 168, in which only the top depth bits of a key may
 * be set. Roots and proofs are those of a tree with depth levels.
 */
void enc_smt_init_depth(struct enc_smt *tree, struct enc_arena *arena,
                        const struct enc_smt_source *source, const struct enc_smt_root *root,
                        unsigned depth);

/**
 * A second tree with the same content; from here on both may be changed and do not see each other's
 * changes. Constant cost: changes copy the nodes they touch. This is also how to roll back:
 *
 *     struct enc_smt before = enc_smt_fork(&tree);
 *     if (changes fail)
 *         tree = before;
 *
 * (the memory of the abandoned nodes returns with the arena). A fork is an earlier state: seal one
 * of the two, not both.
 */
ENC_MUST_USE struct enc_smt enc_smt_fork(struct enc_smt *tree);

/** Number of leaves. */
uint64_t enc_smt_count(const struct enc_smt *tree);

/**
 * Look a key up. value->len is 0 when there is no leaf.
 *
 * Errors: of the source, unchanged; INTERNAL for a broken record or an exhausted arena
 */
ENC_MUST_USE enum enc_err enc_smt_get(struct enc_smt *tree, struct enc_smt_value *value,
                                      const uint8_t key21[21]);

/**
 * Give key the value, 1 to 32 bytes, which is copied. Errors: as enc_smt_get; the content is then
 * unchanged.
 */
ENC_MUST_USE enum enc_err enc_smt_set(struct enc_smt *tree, const uint8_t key21[21],
                                      struct enc_bytes value);

/**
 * Remove the leaf of key; no leaf is fine. Errors: as enc_smt_get; the content is then unchanged.
 */
ENC_MUST_USE enum enc_err enc_smt_remove(struct enc_smt *tree, const uint8_t key21[21]);

/**
 * The root hash of the content now: state_hash. Hashes what has changed since it was last asked;
 * loads nothing and cannot fail.
 */
void enc_smt_root_hash(struct enc_smt *tree, uint8_t hash32[32]);

/**
 * A proof that key has this value or, with value.len 0, that it has none (protocol.md 6.1). Bit
 * number n of bitmap21, numbered like the bits of a key, is set iff the sibling below that bit is
 * not EMPTY; siblings32 holds those that are not, leaf to root.
 */
struct enc_smt_proof {
    uint8_t key21[ENC_SMT_KEY_LEN];
    struct enc_smt_value value;
    uint8_t bitmap21[ENC_SMT_KEY_LEN];
    uint8_t count; /* of siblings */
    uint8_t siblings32[ENC_SMT_DEPTH][32];
};

/** Prove key against enc_smt_root_hash. Errors: as enc_smt_get */
ENC_MUST_USE enum enc_err enc_smt_prove(struct enc_smt *tree, struct enc_smt_proof *proof,
                                        const uint8_t key21[21]);

/**
 * Whether proof holds against a root hash. Strict: siblings used up exactly, none of them EMPTY,
 * value at most 32 bytes. Pure, any thread. protocol.md 6.1
 */
/*@ requires \valid_read(proof) && \valid_read(root32 + (0 .. 31));
    assigns \nothing;
    ensures \result ==> proof->count <= ENC_SMT_DEPTH; */
ENC_MUST_USE bool enc_smt_proof_verify(const struct enc_smt_proof *proof, const uint8_t root32[32]);

/** The same for a tree of depth levels. */
/*@ requires \valid_read(proof) && \valid_read(root32 + (0 .. 31)) && depth <= ENC_SMT_DEPTH;
    assigns \nothing;
    ensures \result ==> proof->count <= depth; */
ENC_MUST_USE bool enc_smt_proof_verify_depth(const struct enc_smt_proof *proof,
                                             const uint8_t root32[32], unsigned depth);

/**
 * Give every changed node a ref (version, 0), (version, 1), ... and tell sink what to write and
 * what to delete. version is not 0 and greater than that of any tree sealed before and kept.
 * Afterwards the tree is the stored tree *root: go on with it, or open *root elsewhere once the
 * writes are in the store. An unchanged tree writes nothing and keeps its root.
 *
 * Errors: as enc_smt_get, and those of the sink, unchanged. The tree must then be dropped, as must
 * forks that it was made from since the last seal; the tree that was sealed last is not harmed.
 */
ENC_MUST_USE enum enc_err enc_smt_seal(struct enc_smt *tree, struct enc_smt_root *root,
                                       const struct enc_smt_sink *sink, uint64_t version);
