#include "proto/ct.h"

#include "proto/cbor.h"
#include "proto/hashes.h"
#include "proto/sha256.h"

enum { LEAF = 0x00, NODE = 0x01 };

void enc_ct_leaf(uint8_t leaf32[32], const uint8_t events_root32[32],
                 const uint8_t state_hash32[32])
{
    enc_h_pair(leaf32, LEAF, events_root32, state_hash32);
}

enum enc_err enc_path_add(struct enc_path *path, const struct enc_subtree_source *source,
                          uint64_t start, uint64_t n)
{
    ENC_CHECK(path->count < ENC_PATH_MAX);
    return enc_range_root(source, path->hashes32[path->count++], start, n);
}

enum enc_err enc_path_build(struct enc_path *path, const struct enc_subtree_source *source,
                            uint64_t index, uint64_t size)
{
    if (index >= size)
        return ENC_ERR_LEAF_NOT_FOUND;
    path->count = 0;
    for (unsigned level = 0; level < 64 && (size - 1) >> level > 0; level++) {
        uint64_t width = (uint64_t)1 << level;
        uint64_t start = (index >> level ^ 1) << level;
        if (start >= size)
            continue;
        ENC_TRY(enc_path_add(path, source, start, size - start < width ? size - start : width));
    }
    return ENC_ERR_OK;
}

bool enc_path_root(uint8_t root32[32], const struct enc_path *path, const uint8_t leaf32[32],
                   uint64_t index, uint64_t size)
{
    if (index >= size)
        return false;
    memcpy(root32, leaf32, 32);
    uint32_t used = 0;
    //@ ghost int steps = 0;
    /*@ loop invariant index < size && 0 <= steps <= 64 && used <= steps && used <= path->count;
        loop invariant size <= 1 << (64 - steps);
        loop assigns index, size, used, steps, root32[0 .. 31];
        loop variant 64 - steps; */
    for (; size > 1; index >>= 1, size = size / 2 + size % 2) {
        //@ ghost steps++;
        bool is_carried = index == size - 1 && size % 2 == 1;
        if (is_carried)
            continue;
        if (used == path->count)
            return false;
        const uint8_t *sibling32 = path->hashes32[used++];
        if (index % 2 == 1)
            enc_h_pair(root32, NODE, sibling32, root32);
        else
            enc_h_pair(root32, NODE, root32, sibling32);
    }
    return used == path->count;
}

/*@ requires \valid_read(path);
    requires \valid_read(root32 + (0 .. 31)) && \valid_read(leaf32 + (0 .. 31));
    assigns \nothing;
    ensures \result ==> index < size && path->count <= 64; */
static bool path_leads(const struct enc_path *path, const uint8_t root32[32],
                       const uint8_t leaf32[32], uint64_t index, uint64_t size)
{
    uint8_t reached32[32];
    return enc_path_root(reached32, path, leaf32, index, size) &&
           memcmp(reached32, root32, 32) == 0;
}

/* Any complete subtree of a bundle, by hashing its ids. */
static enum enc_err ids_load(void *self, uint8_t hash32[32], unsigned level, uint64_t index)
{
    const uint8_t *ids32 = self;
    struct enc_frontier frontier = {.count = 0};
    uint64_t end = (index + 1) << level;
    for (uint64_t i = index << level; i < end; i++)
        ENC_TRY(enc_frontier_add(&frontier, NULL, ids32 + 32 * i));
    enc_frontier_root(&frontier, hash32);
    return ENC_ERR_OK;
}

static struct enc_subtree_source ids_source(const uint8_t *ids32)
{
    return (struct enc_subtree_source){ids_load, (void *)(uintptr_t)ids32};
}

void enc_bundle_root(uint8_t events_root32[32], const uint8_t *ids32, uint64_t size)
{
    struct enc_subtree_source source = ids_source(ids32);
    enum enc_err err = enc_range_root(&source, events_root32, 0, size);
    ENC_CHECK(size >= 1 && err == ENC_ERR_OK);
}

enum enc_err enc_bundle_prove(struct enc_bundle_proof *proof, const uint8_t *ids32, uint64_t index,
                              uint64_t size)
{
    struct enc_subtree_source source = ids_source(ids32);
    ENC_TRY(enc_path_build(&proof->siblings, &source, index, size));
    memcpy(proof->event_id32, ids32 + 32 * index, 32);
    proof->index = index;
    proof->size = size;
    return ENC_ERR_OK;
}

bool enc_bundle_verify(const struct enc_bundle_proof *proof, const uint8_t events_root32[32])
{
    return path_leads(&proof->siblings, events_root32, proof->event_id32, proof->index,
                      proof->size);
}

bool enc_inclusion_verify(const struct enc_inclusion *proof, const uint8_t root32[32])
{
    uint8_t leaf32[32];
    enc_ct_leaf(leaf32, proof->events_root32, proof->state_hash32);
    return path_leads(&proof->path, root32, leaf32, proof->index, proof->size);
}

bool enc_inclusion_prefix(uint8_t prefix32[32], const struct enc_inclusion *proof,
                          const uint8_t root32[32])
{
    uint64_t index = proof->index;
    uint64_t size = proof->size;
    if (!enc_inclusion_verify(proof, root32))
        return false;
    enc_ct_leaf(prefix32, proof->events_root32, proof->state_hash32);
    for (uint32_t used = 0; used < proof->path.count; index >>= 1, size = size / 2 + size % 2) {
        bool is_carried = index == size - 1 && size % 2 == 1;
        if (is_carried)
            continue;
        if (index % 2 == 1)
            enc_h_pair(prefix32, NODE, proof->path.hashes32[used], prefix32);
        used++;
    }
    return true;
}

void enc_sth_message(uint8_t message32[32], const struct enc_sth *sth)
{
    uint8_t t[8];
    uint8_t ts[8];
    enc_be64_put(t, sth->t_ms);
    enc_be64_put(ts, sth->ts);
    const struct enc_bytes parts[] = {ENC_LIT("enc:sth:"), {t, 8}, {ts, 8}, {sth->r32, 32}};
    enc_sha256_parts(message32, parts, 4);
}

void enc_sth_sign(const struct enc_curve *curve, struct enc_sth *sth, const struct enc_key *key)
{
    uint8_t message32[32];
    enc_sth_message(message32, sth);
    enc_schnorr_sign(curve, sth->sig64, key, message32);
}

bool enc_sth_verify(const struct enc_curve *curve, const struct enc_sth *sth,
                    const uint8_t seq_pub32[32])
{
    uint8_t message32[32];
    enc_sth_message(message32, sth);
    return enc_schnorr_verify(curve, sth->sig64, message32, seq_pub32);
}
