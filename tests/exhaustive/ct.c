/* Logs of up to 17 leaves: every root, path and consistency proof against the text of RFC 9162. */
#include "proto/ct.h"
#include "tests/support/trees.h"

TestSuite(ct);

enum { N = 17 };

static struct naive_log log_of(uint64_t n)
{
    struct naive_log log = {.count = 0};
    struct enc_frontier frontier = {.count = 0};
    for (uint64_t i = 0; i < n; i++) {
        uint8_t leaf32[32];
        hash_of_int(leaf32, i);
        log_add(&log, &frontier, leaf32);
    }
    return log;
}

/* RFC 9162 2.1.3.1: PATH(m, D[n]). */
static void naive_path(struct enc_path *path, const uint8_t (*leaves32)[32], uint64_t m, uint64_t n)
{
    if (n == 1)
        return;
    uint64_t k = naive_split(n);
    if (m < k) {
        naive_path(path, leaves32, m, k);
        naive_mth(path->hashes32[path->count++], leaves32 + k, n - k);
    } else {
        naive_path(path, leaves32 + k, m - k, n - k);
        naive_mth(path->hashes32[path->count++], leaves32, k);
    }
}

/* RFC 9162 2.1.4.1: SUBPROOF(m, D[n], b). */
static void naive_subproof(struct enc_path *path, const uint8_t (*leaves32)[32], uint64_t m,
                           uint64_t n, bool b)
{
    if (m == n) {
        if (!b)
            naive_mth(path->hashes32[path->count++], leaves32, m);
        return;
    }
    uint64_t k = naive_split(n);
    if (m <= k) {
        naive_subproof(path, leaves32, m, k, b);
        naive_mth(path->hashes32[path->count++], leaves32 + k, n - k);
    } else {
        naive_subproof(path, leaves32 + k, m - k, n - k, false);
        naive_mth(path->hashes32[path->count++], leaves32, k);
    }
}

static void expect_path(const struct enc_path *actual, const struct enc_path *expected)
{
    cr_assert(actual->count == expected->count, "%u, not %u", actual->count, expected->count);
    for (uint32_t i = 0; i < actual->count; i++)
        assert_hash(actual->hashes32[i], expected->hashes32[i], "hash %u", i);
}

/* Layer by layer as protocol.md 7.1 has it, the odd last node carried up. */
static void layered_root(uint8_t out32[32], const uint8_t (*leaves32)[32], uint64_t n)
{
    static uint8_t layer32[LOG_MAX][32];
    memcpy(layer32, leaves32, 32 * n);
    for (; n > 1; n = (n + 1) / 2)
        for (uint64_t i = 0; i < n; i += 2) {
            if (i + 1 < n)
                enc_h_pair(layer32[i / 2], 0x01, layer32[i], layer32[i + 1]);
            else
                memcpy(layer32[i / 2], layer32[i], 32);
        }
    memcpy(out32, layer32[0], 32);
}

Test(ct, every_root_and_every_completed_subtree)
{
    struct naive_log log = {.count = 0};
    struct enc_frontier frontier = {.count = 0};
    for (uint64_t n = 0; n <= N; n++) {
        uint8_t root32[32], expected32[32], leaf32[32];
        enc_frontier_root(&frontier, root32);
        naive_mth(expected32, log.leaves32, n);
        assert_hash(root32, expected32, "root of %lu", n);
        hash_of_int(leaf32, n);
        log_add(&log, &frontier, leaf32);
    }
    for (unsigned level = 0; level < LOG_LEVELS; level++)
        for (uint64_t i = 0; i < LOG_MAX; i++) {
            uint8_t expected32[32];
            bool is_complete = (i + 1) << level <= log.count;
            cr_assert(log.has[level][i] == is_complete);
            if (!is_complete)
                continue;
            naive_mth(expected32, log.leaves32 + (i << level), (uint64_t)1 << level);
            assert_hash(log.subtrees32[level][i], expected32, "subtree %u %lu", level, i);
        }
}

Test(ct, a_bundle_tree_carries_its_odd_node)
{
    struct naive_log log = log_of(N);
    for (uint64_t n = 1; n <= N; n++) {
        uint8_t root32[32], expected32[32];
        enc_bundle_root(root32, log.leaves32[0], n);
        layered_root(expected32, log.leaves32, n);
        assert_hash(root32, expected32, "bundle of %lu", n);
    }
}

Test(ct, every_aligned_range)
{
    struct naive_log log = log_of(N);
    struct enc_subtree_source source = log_source(&log);
    for (uint64_t start = 0; start < N; start++)
        for (uint64_t n = 1; start + n <= N; n++) {
            uint64_t width = naive_split(2 * n);
            if (start % width != 0)
                continue;
            uint8_t root32[32], expected32[32];
            cr_assert(enc_range_root(&source, root32, start, n) == ENC_ERR_OK);
            naive_mth(expected32, log.leaves32 + start, n);
            assert_hash(root32, expected32, "[%lu, +%lu)", start, n);
        }
}

/* A changed, missing, doubled or swapped hash; ask says whether the path still convinces. */
static void refuse_changes(struct enc_path *path, bool (*ask)(void *self), void *self)
{
    struct enc_path good = *path;
    for (uint32_t at = 0; at < good.count; at++) {
        path->hashes32[at][at % 32] ^= (uint8_t)(1 << at % 8);
        cr_assert(!ask(self), "hash %u changed", at);
        *path = good;
        memmove(path->hashes32[at], path->hashes32[at + 1], 32 * (good.count - at - 1));
        path->count--;
        cr_assert(!ask(self), "hash %u missing", at);
        *path = good;
        memmove(path->hashes32[at + 1], path->hashes32[at], 32 * (good.count - at));
        path->count++;
        cr_assert(!ask(self), "hash %u twice", at);
        *path = good;
        if (at + 1 == good.count)
            continue;
        memcpy(path->hashes32[at], good.hashes32[at + 1], 32);
        memcpy(path->hashes32[at + 1], good.hashes32[at], 32);
        cr_assert(!ask(self), "hashes %u and next swapped", at);
        *path = good;
    }
    memcpy(path->hashes32[path->count++], enc_empty32, 32);
    cr_assert(!ask(self), "one hash more");
    *path = good;
}

struct inclusion_case {
    struct enc_inclusion proof;
    uint8_t root32[32];
};

static bool inclusion_holds(void *self)
{
    struct inclusion_case *c = self;
    return enc_inclusion_verify(&c->proof, c->root32);
}

/* No other index and no other tree size has this proof, when it is asked for its own root. */
static void refuse_other_places(struct inclusion_case *c, const struct naive_log *log)
{
    struct inclusion_case good = *c;
    for (uint64_t size = 0; size <= N; size++)
        for (uint64_t index = 0; index <= N; index++) {
            c->proof.index = index;
            c->proof.size = size;
            naive_mth(c->root32, log->leaves32, size);
            bool is_own = index == good.proof.index && size == good.proof.size;
            cr_assert(inclusion_holds(c) == is_own, "%lu of %lu", index, size);
        }
    *c = good;
}

static void refuse_other_data(struct inclusion_case *c)
{
    uint8_t *const bytes[] = {c->proof.events_root32, c->proof.state_hash32, c->root32};
    for (size_t i = 0; i < 3; i++)
        for (unsigned bit = 0; bit < 256; bit += 37) {
            bytes[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_assert(!inclusion_holds(c), "other data %zu", i);
            bytes[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
}

static void bundle_of(uint8_t events_root32[32], uint8_t state_hash32[32], uint64_t number)
{
    hash_of_int(events_root32, number);
    hash_of_int(state_hash32, ~number);
}

static struct naive_log bundle_log(void)
{
    struct naive_log log = {.count = 0};
    struct enc_frontier frontier = {.count = 0};
    for (uint64_t i = 0; i < N; i++) {
        uint8_t events_root32[32], state_hash32[32], leaf32[32];
        bundle_of(events_root32, state_hash32, i);
        enc_ct_leaf(leaf32, events_root32, state_hash32);
        log_add(&log, &frontier, leaf32);
    }
    return log;
}

static void inclusion_check(struct naive_log *log, uint64_t index, uint64_t size)
{
    struct enc_subtree_source source = log_source(log);
    struct inclusion_case c = {.proof = {.index = index, .size = size}};
    struct enc_path expected = {.count = 0};
    bundle_of(c.proof.events_root32, c.proof.state_hash32, index);
    naive_mth(c.root32, log->leaves32, size);
    naive_path(&expected, log->leaves32, index, size);
    log->loads = 0;
    cr_assert(enc_path_build(&c.proof.path, &source, index, size) == ENC_ERR_OK);
    cr_assert(log->loads <= 2 * 5, "%lu loads", log->loads);
    expect_path(&c.proof.path, &expected);
    cr_assert(inclusion_holds(&c));
    refuse_changes(&c.proof.path, inclusion_holds, &c);
    refuse_other_places(&c, log);
    refuse_other_data(&c);
}

Test(ct, every_inclusion)
{
    struct naive_log log = bundle_log();
    for (uint64_t size = 1; size <= N; size++)
        for (uint64_t index = 0; index < size; index++)
            inclusion_check(&log, index, size);
}

struct bundle_case {
    struct enc_bundle_proof proof;
    uint8_t root32[32];
};

static bool bundle_holds(void *self)
{
    struct bundle_case *c = self;
    return enc_bundle_verify(&c->proof, c->root32);
}

Test(ct, every_bundle_proof)
{
    struct naive_log log = log_of(N);
    for (uint64_t size = 1; size <= N; size++)
        for (uint64_t index = 0; index < size; index++) {
            struct bundle_case c;
            struct enc_path expected = {.count = 0};
            enc_bundle_root(c.root32, log.leaves32[0], size);
            naive_path(&expected, log.leaves32, index, size);
            cr_assert(enc_bundle_prove(&c.proof, log.leaves32[0], index, size) == ENC_ERR_OK);
            expect_path(&c.proof.siblings, &expected);
            cr_assert(bundle_holds(&c));
            refuse_changes(&c.proof.siblings, bundle_holds, &c);
            c.proof.event_id32[9] ^= 4;
            cr_assert(!bundle_holds(&c));
        }
}

struct consistency_case {
    struct enc_consistency proof;
    uint8_t from_root32[32], to_root32[32];
};

static bool consistency_holds(void *self)
{
    struct consistency_case *c = self;
    return enc_consistency_verify(&c->proof, c->from_root32, c->to_root32);
}

static void refuse_other_roots(struct consistency_case *c)
{
    uint8_t *const roots[] = {c->from_root32, c->to_root32};
    for (size_t i = 0; i < 2; i++)
        for (unsigned bit = 0; bit < 256; bit += 31) {
            /* Nothing is said about a later log when the earlier one is empty. */
            if (i == 1 && c->proof.from == 0 && c->proof.to > 0)
                continue;
            roots[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_assert(!consistency_holds(c), "%lu to %lu: other root", c->proof.from, c->proof.to);
            roots[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
}

/* The only other sizes that an empty path fits are those that need no path. */
static void refuse_other_sizes(struct consistency_case *c, const struct naive_log *log)
{
    struct consistency_case good = *c;
    for (uint64_t to = 0; to <= N; to++)
        for (uint64_t from = 0; from <= N; from++) {
            c->proof.from = from;
            c->proof.to = to;
            naive_mth(c->from_root32, log->leaves32, from);
            naive_mth(c->to_root32, log->leaves32, to);
            bool is_own = from == good.proof.from && to == good.proof.to;
            bool is_trivial = good.proof.path.count == 0 && (from == to || from == 0);
            cr_assert(consistency_holds(c) == (is_own || is_trivial), "%lu to %lu", from, to);
        }
    *c = good;
}

static void consistency_check(struct naive_log *log, uint64_t from, uint64_t to)
{
    struct enc_subtree_source source = log_source(log);
    struct consistency_case c;
    struct enc_path expected = {.count = 0};
    naive_mth(c.from_root32, log->leaves32, from);
    naive_mth(c.to_root32, log->leaves32, to);
    if (from > 0 && from < to)
        naive_subproof(&expected, log->leaves32, from, to, true);
    log->loads = 0;
    cr_assert(enc_consistency_prove(&c.proof, &source, from, to) == ENC_ERR_OK);
    cr_assert(log->loads <= 2 * 6, "%lu loads", log->loads);
    cr_assert(c.proof.from == from && c.proof.to == to);
    expect_path(&c.proof.path, &expected);
    cr_assert(consistency_holds(&c), "%lu to %lu", from, to);
    refuse_changes(&c.proof.path, consistency_holds, &c);
    refuse_other_roots(&c);
    refuse_other_sizes(&c, log);
}

Test(ct, every_consistency)
{
    struct naive_log log = log_of(N);
    for (uint64_t to = 0; to <= N; to++)
        for (uint64_t from = 0; from <= to; from++)
            consistency_check(&log, from, to);
}

/* A log whose past was rewritten anywhere is not consistent with the one before. */
Test(ct, every_rewritten_leaf_is_found)
{
    for (uint64_t to = 2; to <= N; to++)
        for (uint64_t from = 1; from < to; from++)
            for (uint64_t leaf = 0; leaf < from; leaf++) {
                struct naive_log old = log_of(to);
                struct naive_log new = {.count = 0};
                struct enc_frontier frontier = {.count = 0};
                struct enc_subtree_source source = log_source(&new);
                struct consistency_case c;
                old.leaves32[leaf][0] ^= 1;
                for (uint64_t i = 0; i < to; i++)
                    log_add(&new, &frontier, old.leaves32[i]);
                old.leaves32[leaf][0] ^= 1;
                naive_mth(c.from_root32, old.leaves32, from);
                enc_frontier_root(&frontier, c.to_root32);
                cr_assert(enc_consistency_prove(&c.proof, &source, from, to) == ENC_ERR_OK);
                cr_assert(!consistency_holds(&c));
            }
}
