#include "proto/cbor.h"
#include "proto/ct.h"
#include "proto/hashes.h"

enum { NODE = 0x01 };

/* What is left to prove: the first m of the n leaves from start on. */
struct part {
    uint64_t start, m, n;
};

/* Largest power of two below n, n >= 2: where RFC 9162 splits n leaves. */
/*@ requires n >= 2;
    assigns \nothing;
    ensures 1 <= \result < n <= 2 * \result; */
static uint64_t split_of(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* Step into the half that holds the end of the older tree; the other half is an element. */
static enum enc_err part_halve(struct part *part, struct enc_path *path,
                               const struct enc_subtree_source *source)
{
    uint64_t k = split_of(part->n);
    if (part->m <= k) {
        ENC_TRY(enc_path_add(path, source, part->start + k, part->n - k));
        part->n = k;
        return ENC_ERR_OK;
    }
    ENC_TRY(enc_path_add(path, source, part->start, k));
    *part = (struct part){part->start + k, part->m - k, part->n - k};
    return ENC_ERR_OK;
}

enum enc_err enc_consistency_prove(struct enc_consistency *proof,
                                   const struct enc_subtree_source *source, uint64_t from,
                                   uint64_t to)
{
    if (from > to)
        return ENC_ERR_INVALID_RANGE;
    proof->from = from;
    proof->to = to;
    proof->path.count = 0;
    if (from == 0)
        return ENC_ERR_OK;
    struct part part = {0, from, to};
    while (part.m != part.n)
        ENC_TRY(part_halve(&part, &proof->path, source));
    /* A part that starts at 0 is the older tree itself: the verifier has its root. */
    if (part.start != 0)
        ENC_TRY(enc_path_add(&proof->path, source, part.start, part.n));
    enc_hashes_turn(proof->path.hashes32, proof->path.count);
    return ENC_ERR_OK;
}

/* RFC 9162 2.1.4.2 with its names: node numbers fn, sn and running hashes fr, sr. */
struct check {
    uint64_t fn, sn;
    uint8_t fr32[32], sr32[32];
};

/*@ requires \valid(check);
    assigns check->fn, check->sn;
    ensures check->fn == \old(check->fn) / 2 && check->sn == \old(check->sn) / 2; */
static void check_up(struct check *check)
{
    check->fn >>= 1;
    check->sn >>= 1;
}

/*@ requires 1 <= from < to && \valid(check) && \valid_read(hash32 + (0 .. 31));
    requires \separated(check, hash32 + (0 .. 31));
    assigns *check;
    ensures check->fn < check->sn <= to - 1 && check->fn % 2 == 0; */
static void check_start(struct check *check, const uint8_t hash32[32], uint64_t from, uint64_t to)
{
    check->fn = from - 1;
    check->sn = to - 1;
    /*@ loop invariant check->fn < check->sn <= to - 1;
        loop assigns check->fn, check->sn;
        loop variant check->fn; */
    while (check->fn & 1)
        check_up(check);
    memcpy(check->fr32, hash32, 32);
    memcpy(check->sr32, hash32, 32);
}

/*@ requires \valid(check) && \valid_read(c32 + (0 .. 31)) && \separated(check, c32 + (0 .. 31));
    requires check->fn <= check->sn;
    assigns *check;
    ensures check->fn <= check->sn <= \old(check->sn) / 2; */
static void check_take(struct check *check, const uint8_t c32[32])
{
    if (check->fn & 1 || check->fn == check->sn) {
        enc_h_pair(check->fr32, NODE, c32, check->fr32);
        enc_h_pair(check->sr32, NODE, c32, check->sr32);
        /*@ loop invariant check->fn <= check->sn <= \at(check->sn, Pre);
            loop assigns check->fn, check->sn;
            loop variant check->fn; */
        while (!(check->fn & 1) && check->fn != 0)
            check_up(check);
    } else {
        enc_h_pair(check->sr32, NODE, check->sr32, c32);
    }
    check_up(check);
}

/* Whether the path leads from its start to the end; fr32, sr32 are then the roots reached. */
/*@ requires \valid(check) && \valid_read(proof) && 1 <= proof->from < proof->to;
    requires start32 == \null || \valid_read(start32 + (0 .. 31));
    requires \separated(check, proof) && \separated(check, start32 + (0 .. 31));
    assigns *check;
    ensures \result ==> proof->path.count <= ENC_PATH_MAX; */
static bool reach(struct check *check, const struct enc_consistency *proof, const uint8_t *start32)
{
    const struct enc_path *path = &proof->path;
    uint32_t used = start32 ? 0 : 1;
    if (used > path->count)
        return false;
    check_start(check, start32 ? start32 : path->hashes32[0], proof->from, proof->to);
    /*@ loop invariant check->fn <= check->sn && used <= path->count && used <= ENC_PATH_MAX;
        loop invariant used > 0 ==> check->sn < 1 << (ENC_PATH_MAX - used);
        loop assigns used, *check;
        loop variant ENC_PATH_MAX - used; */
    for (; used < path->count && check->sn != 0; used++)
        check_take(check, path->hashes32[used]);
    return used == path->count && check->sn == 0;
}

/* The older tree is a complete subtree of the newer one: the path leaves its root out. */
/*@ assigns \nothing;
    ensures size == 0 ==> \result; */
static bool is_complete(uint64_t size)
{
    return (size & (size - 1)) == 0;
}

/*@ requires \valid_read(proof) && 1 <= proof->from < proof->to;
    requires \valid_read(from_root32 + (0 .. 31)) && \valid_read(to_root32 + (0 .. 31));
    assigns \nothing;
    ensures \result ==> proof->path.count <= ENC_PATH_MAX; */
static bool holds(const struct enc_consistency *proof, const uint8_t from_root32[32],
                  const uint8_t to_root32[32])
{
    struct check check;
    return reach(&check, proof, is_complete(proof->from) ? from_root32 : NULL) &&
           memcmp(check.fr32, from_root32, 32) == 0 && memcmp(check.sr32, to_root32, 32) == 0;
}

bool enc_consistency_prefix(uint8_t prefix32[32], const struct enc_consistency *proof,
                            const uint8_t to_root32[32])
{
    struct check check;
    if (is_complete(proof->from) || proof->from >= proof->to || !reach(&check, proof, NULL))
        return false;
    memcpy(prefix32, check.fr32, 32);
    return memcmp(check.sr32, to_root32, 32) == 0;
}

bool enc_consistency_verify(const struct enc_consistency *proof, const uint8_t from_root32[32],
                            const uint8_t to_root32[32])
{
    if (proof->from > proof->to || (proof->to == 0 && !enc_is_empty(to_root32)))
        return false;
    if (proof->from == 0)
        return proof->path.count == 0 && enc_is_empty(from_root32);
    if (proof->from == proof->to)
        return proof->path.count == 0 && memcmp(from_root32, to_root32, 32) == 0;
    return holds(proof, from_root32, to_root32);
}
