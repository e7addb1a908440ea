#include "proto/frontier.h"

#include "proto/cbor.h"
#include "proto/hashes.h"

enum { NODE = 0x01, HASH_LEN = 32, COUNT_LEN = 8, LEVELS = 64 };

static enum enc_err subtree_put(const struct enc_subtree_sink *sink, unsigned level, uint64_t index,
                                const uint8_t hash32[32])
{
    return sink ? sink->put(sink->self, level, index, hash32) : ENC_ERR_OK;
}

enum enc_err enc_frontier_add(struct enc_frontier *frontier, const struct enc_subtree_sink *sink,
                              const uint8_t leaf32[32])
{
    ENC_CHECK(frontier->count < (uint64_t)1 << 63);
    uint8_t hash32[32];
    memcpy(hash32, leaf32, HASH_LEN);
    unsigned level = 0;
    ENC_TRY(subtree_put(sink, level, frontier->count, hash32));
    while (frontier->count >> level & 1) {
        enc_h_pair(hash32, NODE, frontier->nodes32[level], hash32);
        level++;
        ENC_TRY(subtree_put(sink, level, frontier->count >> level, hash32));
    }
    memcpy(frontier->nodes32[level], hash32, HASH_LEN);
    frontier->count++;
    return ENC_ERR_OK;
}

/*
 * The complete subtrees of a range grow from right to left; each takes what is right of it along.
 */
enum enc_err enc_range_root(const struct enc_subtree_source *source, uint8_t root32[32],
                            uint64_t start, uint64_t n)
{
    memcpy(root32, enc_empty32, HASH_LEN);
    uint64_t end = start + n;
    bool is_first = true;
    for (unsigned level = 0; level < LEVELS; level++) {
        if (!(n >> level & 1))
            continue;
        uint8_t left32[32];
        end -= (uint64_t)1 << level;
        ENC_TRY(source->load(source->self, left32, level, end >> level));
        if (is_first)
            memcpy(root32, left32, HASH_LEN);
        else
            enc_h_pair(root32, NODE, left32, root32);
        is_first = false;
    }
    return ENC_ERR_OK;
}

static enum enc_err own_load(void *self, uint8_t hash32[32], unsigned level, uint64_t index)
{
    const struct enc_frontier *frontier = self;
    ENC_CHECK(frontier->count >> level == index + 1);
    memcpy(hash32, frontier->nodes32[level], HASH_LEN);
    return ENC_ERR_OK;
}

void enc_frontier_root(const struct enc_frontier *frontier, uint8_t root32[32])
{
    const struct enc_subtree_source own = {own_load, (void *)(uintptr_t)frontier};
    enum enc_err err = enc_range_root(&own, root32, 0, frontier->count);
    ENC_CHECK(err == ENC_ERR_OK);
}

size_t enc_frontier_encode(uint8_t record[ENC_FRONTIER_LEN_MAX],
                           const struct enc_frontier *frontier)
{
    enc_be64_put(record, frontier->count);
    uint8_t *at = record + COUNT_LEN;
    for (unsigned level = 0; level < LEVELS; level++) {
        if (!(frontier->count >> level & 1))
            continue;
        memcpy(at, frontier->nodes32[level], HASH_LEN);
        at += HASH_LEN;
    }
    return (size_t)(at - record);
}

static bool is_record(struct enc_bytes record)
{
    if (record.len < COUNT_LEN)
        return false;
    uint64_t count = enc_be64_get(record.data);
    size_t nodes = (size_t)__builtin_popcountll(count);
    return count >> 63 == 0 && record.len == COUNT_LEN + nodes * HASH_LEN;
}

enum enc_err enc_frontier_decode(struct enc_frontier *frontier, struct enc_bytes record)
{
    if (!is_record(record))
        return ENC_ERR_INTERNAL;
    *frontier = (struct enc_frontier){.count = enc_be64_get(record.data)};
    const uint8_t *at = record.data + COUNT_LEN;
    for (unsigned level = 0; level < LEVELS; level++) {
        if (!(frontier->count >> level & 1))
            continue;
        memcpy(frontier->nodes32[level], at, HASH_LEN);
        at += HASH_LEN;
    }
    return ENC_ERR_OK;
}
