/**
 * For the tests of trees: memory that can run out, a store that can fail, and models that are slow
 * and obvious.
 */
#pragma once

#include "proto/cbor.h"
#include "proto/frontier.h"
#include "proto/hashes.h"
#include "proto/sha256.h"
#include "proto/smt.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Chunks that a test does not give back stay known until its process ends: no leak. */
enum { CHUNKS_MAX = 4096 };
static struct enc_chunk *taken[CHUNKS_MAX];

static inline struct enc_chunk **chunk_slot(const struct enc_chunk *chunk)
{
    size_t at = 0;
    while (at < CHUNKS_MAX && taken[at] != chunk)
        at++;
    cr_assert(at < CHUNKS_MAX, "a test takes too many chunks");
    return &taken[at];
}

static inline struct enc_chunk *chunk_take(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = aligned_alloc(16, (len + 15) & ~(size_t)15);
    chunk->len = len;
    *chunk_slot(NULL) = chunk;
    return chunk;
}

static inline void chunk_give(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        *chunk_slot(list) = NULL;
        free(list);
        list = next;
    }
}

static const struct enc_chunk_source chunks = {chunk_take, chunk_give, NULL};

static inline struct enc_arena arena_new(void)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &chunks, SIZE_MAX / 4);
    return arena;
}

static inline void hash_of_int(uint8_t out32[32], uint64_t value)
{
    uint8_t bytes8[8];
    enc_be64_put(bytes8, value);
    enc_sha256(out32, enc_bytes_of(bytes8, 8));
}

/* A generator whose runs depend on the seed alone. */
static inline uint64_t chance(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    uint64_t mixed = (*state ^ *state >> 29) * 0xbf58476d1ce4e5b9u;
    return mixed ^ mixed >> 32;
}

#define assert_hash(actual32, expected32, ...)                                                     \
    cr_assert(memcmp((actual32), (expected32), 32) == 0, __VA_ARGS__)

/* A store of SMT records that knows what a store must: nothing is overwritten, nothing is dropped
 * twice. It fails when fail_in counts down to 0. */
enum { RECORDS_MAX = 1 << 15 };
struct record_store {
    struct record {
        struct enc_smt_ref ref;
        bool is_live;
        size_t len;
        uint8_t data[ENC_SMT_RECORD_MAX];
    } records[RECORDS_MAX];
    uint64_t live;
    uint64_t loads;
    uint64_t fail_in;
};

static inline struct record *record_at(struct record_store *store, struct enc_smt_ref ref)
{
    size_t at = (ref.version * 31 + ref.index) * 2654435761u % RECORDS_MAX;
    while (store->records[at].ref.version != 0 && (store->records[at].ref.version != ref.version ||
                                                   store->records[at].ref.index != ref.index))
        at = (at + 1) % RECORDS_MAX;
    return &store->records[at];
}

static inline bool fails_now(struct record_store *store)
{
    return store->fail_in != 0 && --store->fail_in == 0;
}

static inline enum enc_err record_load(void *self, struct enc_bytes *record, struct enc_smt_ref ref)
{
    struct record_store *store = self;
    static uint8_t lent[ENC_SMT_RECORD_MAX];
    if (fails_now(store))
        return ENC_ERR_BUSY;
    store->loads++;
    struct record *found = record_at(store, ref);
    cr_assert(found->is_live, "a node is loaded that is not stored");
    memcpy(lent, found->data, found->len);
    *record = enc_bytes_of(lent, found->len);
    return ENC_ERR_OK;
}

static inline enum enc_err record_put(void *self, struct enc_smt_ref ref, struct enc_bytes record)
{
    struct record_store *store = self;
    if (fails_now(store))
        return ENC_ERR_BUSY;
    struct record *slot = record_at(store, ref);
    cr_assert(slot->ref.version == 0, "a ref is given out twice");
    *slot = (struct record){.ref = ref, .is_live = true, .len = record.len};
    memcpy(slot->data, record.data, record.len);
    store->live++;
    return ENC_ERR_OK;
}

static inline enum enc_err record_drop(void *self, struct enc_smt_ref ref)
{
    struct record_store *store = self;
    if (fails_now(store))
        return ENC_ERR_BUSY;
    struct record *slot = record_at(store, ref);
    cr_assert(slot->is_live, "a ref is dropped that is not stored");
    slot->is_live = false;
    store->live--;
    return ENC_ERR_OK;
}

static inline struct enc_smt_source records_source(struct record_store *store)
{
    return (struct enc_smt_source){record_load, store};
}

static inline struct enc_smt_sink records_sink(struct record_store *store)
{
    return (struct enc_smt_sink){record_put, record_drop, store};
}

/* The protocol's tree by its definition: a list of leaves, and every level hashed. */
enum { LEAVES_MAX = 512 };
struct naive_smt {
    size_t count;
    struct naive_leaf {
        uint8_t key21[ENC_SMT_KEY_LEN];
        struct enc_smt_value value;
    } leaves[LEAVES_MAX]; /* by key */
};

static inline size_t naive_place(const struct naive_smt *naive, const uint8_t key21[21])
{
    size_t at = 0;
    while (at < naive->count && memcmp(naive->leaves[at].key21, key21, 21) < 0)
        at++;
    return at;
}

static inline bool naive_has(const struct naive_smt *naive, size_t at, const uint8_t key21[21])
{
    return at < naive->count && memcmp(naive->leaves[at].key21, key21, 21) == 0;
}

static inline struct enc_smt_value naive_get(const struct naive_smt *naive, const uint8_t key21[21])
{
    size_t at = naive_place(naive, key21);
    return naive_has(naive, at, key21) ? naive->leaves[at].value : (struct enc_smt_value){0};
}

/* value.len 0 removes. */
static inline void naive_set(struct naive_smt *naive, const uint8_t key21[21],
                             struct enc_bytes value)
{
    size_t at = naive_place(naive, key21);
    struct naive_leaf *leaf = &naive->leaves[at];
    bool has = naive_has(naive, at, key21);
    if (value.len == 0) {
        naive->count -= has;
        memmove(leaf, leaf + has, (naive->count - at) * sizeof *leaf);
        return;
    }
    if (!has) {
        memmove(leaf + 1, leaf, (naive->count - at) * sizeof *leaf);
        naive->count++;
    }
    memcpy(leaf->key21, key21, 21);
    leaf->value.len = (uint8_t)value.len;
    memcpy(leaf->value.data, value.data, value.len);
}

static inline void naive_hash(uint8_t out32[32], const struct naive_leaf *leaves, size_t count,
                              const unsigned level_and_depth[2])
{
    unsigned level = level_and_depth[0], depth = level_and_depth[1];
    if (count == 0) {
        memcpy(out32, enc_empty32, 32);
        return;
    }
    if (level == depth) {
        enc_h_smt_leaf(out32, leaves->key21, enc_bytes_of(leaves->value.data, leaves->value.len));
        return;
    }
    size_t left = 0;
    while (left < count && !(leaves[left].key21[level / 8] >> (7 - level % 8) & 1))
        left++;
    uint8_t left32[32], right32[32];
    const unsigned below[2] = {level + 1, depth};
    naive_hash(left32, leaves, left, below);
    naive_hash(right32, leaves + left, count - left, below);
    enc_h_pair(out32, 0x21, left32, right32);
}

static inline void naive_root(uint8_t out32[32], const struct naive_smt *naive, unsigned depth)
{
    const unsigned whole[2] = {0, depth};
    naive_hash(out32, naive->leaves, naive->count, whole);
}

/*
 * A log by the definitions of RFC 9162 2.1, and the complete subtrees that its frontier gave out.
 */
enum { LOG_MAX = 64, LOG_LEVELS = 8 };
struct naive_log {
    uint64_t count;
    uint8_t leaves32[LOG_MAX][32];
    bool has[LOG_LEVELS][LOG_MAX];
    uint8_t subtrees32[LOG_LEVELS][LOG_MAX][32];
    uint64_t loads;
    uint64_t fail_in;
};

static inline uint64_t naive_split(uint64_t n)
{
    uint64_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

static inline void naive_mth(uint8_t out32[32], const uint8_t (*leaves32)[32], uint64_t n)
{
    if (n == 0) {
        memcpy(out32, enc_empty32, 32);
        return;
    }
    if (n == 1) {
        memcpy(out32, leaves32[0], 32);
        return;
    }
    uint8_t left32[32], right32[32];
    uint64_t k = naive_split(n);
    naive_mth(left32, leaves32, k);
    naive_mth(right32, leaves32 + k, n - k);
    enc_h_pair(out32, 0x01, left32, right32);
}

static inline enum enc_err subtree_put(void *self, unsigned level, uint64_t index,
                                       const uint8_t hash32[32])
{
    struct naive_log *log = self;
    if (log->fail_in != 0 && --log->fail_in == 0)
        return ENC_ERR_BUSY;
    cr_assert(!log->has[level][index], "a subtree is completed twice");
    log->has[level][index] = true;
    memcpy(log->subtrees32[level][index], hash32, 32);
    return ENC_ERR_OK;
}

static inline enum enc_err subtree_load(void *self, uint8_t hash32[32], unsigned level,
                                        uint64_t index)
{
    struct naive_log *log = self;
    if (log->fail_in != 0 && --log->fail_in == 0)
        return ENC_ERR_BUSY;
    cr_assert(level < LOG_LEVELS && index < LOG_MAX && log->has[level][index]);
    memcpy(hash32, log->subtrees32[level][index], 32);
    log->loads++;
    return ENC_ERR_OK;
}

static inline struct enc_subtree_sink log_sink(struct naive_log *log)
{
    return (struct enc_subtree_sink){subtree_put, log};
}

static inline struct enc_subtree_source log_source(struct naive_log *log)
{
    return (struct enc_subtree_source){subtree_load, log};
}

/* Append a leaf to the model and to the frontier. */
static inline void log_add(struct naive_log *log, struct enc_frontier *frontier,
                           const uint8_t leaf32[32])
{
    struct enc_subtree_sink sink = log_sink(log);
    memcpy(log->leaves32[log->count++], leaf32, 32);
    cr_assert(enc_frontier_add(frontier, &sink, leaf32) == ENC_ERR_OK);
}
