#include "store/ids.h"

#include <stdlib.h>

enum { SEQ_BITS = 18 };

static const uint64_t SEQ_MASK = ((uint64_t)1 << SEQ_BITS) - 1;

uint64_t enc_id_entry(const uint8_t id32[32], uint64_t seq)
{
    return (enc_be64_get(id32) & ~SEQ_MASK) | (seq & SEQ_MASK);
}

static uint64_t prefix_of(const uint8_t id32[32])
{
    return enc_be64_get(id32) >> SEQ_BITS;
}

uint64_t enc_id_entry_seq(uint64_t entry, uint64_t first_seq)
{
    return (first_seq & ~SEQ_MASK) | (entry & SEQ_MASK);
}

void enc_ids_key(struct enc_row_key *key, uint64_t ord, uint64_t first_seq)
{
    enc_row_key_numbered(key, ord, ~first_seq);
}

uint64_t enc_ids_first_seq(struct enc_bytes key)
{
    return ~enc_be64_get(key.data + key.len - 8);
}

size_t enc_ids_count(struct enc_bytes row)
{
    return row.len / ENC_ID_ENTRY_LEN;
}

uint64_t enc_ids_at(struct enc_bytes row, size_t at)
{
    return enc_be64_get(row.data + at * ENC_ID_ENTRY_LEN);
}

/* Of a sorted row: entries before low are at most floor, those from high on at least ceiling. */
struct part {
    size_t low, high;
    uint64_t floor, ceiling;
};

/* Ids are hashes, so a prefix tells its place; halving meets whoever made ids that lie. */
static size_t part_guess(const struct part *part, uint64_t prefix, unsigned turn)
{
    size_t width = part->high - part->low;
    if (turn % 4 == 3)
        return part->low + width / 2;
    uint64_t share = (prefix - part->floor) * width / (part->ceiling - part->floor + 1);
    return part->low + (size_t)share;
}

/* Of a sorted row: the first entry whose prefix is not smaller. */
static size_t lower_bound(struct enc_bytes row, uint64_t prefix)
{
    struct part part = {0, enc_ids_count(row), 0, UINT64_MAX >> SEQ_BITS};
    for (unsigned turn = 0; part.low < part.high; turn++) {
        size_t at = part_guess(&part, prefix, turn);
        uint64_t seen = enc_ids_at(row, at) >> SEQ_BITS;
        if (seen < prefix) {
            part.low = at + 1;
            part.floor = seen;
        } else {
            part.high = at;
            part.ceiling = seen;
        }
    }
    return part.low;
}

size_t enc_ids_find(struct enc_bytes row, const uint8_t id32[32], size_t from)
{
    uint64_t prefix = prefix_of(id32);
    size_t count = enc_ids_count(row);
    bool is_sorted = count > ENC_IDS_FEW;
    size_t at = is_sorted && from == 0 ? lower_bound(row, prefix) : from;
    while (!is_sorted && at < count && enc_ids_at(row, at) >> SEQ_BITS != prefix)
        at++;
    return at < count && enc_ids_at(row, at) >> SEQ_BITS == prefix ? at : count;
}

static int compare(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a;
    const uint64_t two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

static void load(uint64_t *out, struct enc_bytes row)
{
    size_t count = enc_ids_count(row);
    for (size_t i = 0; i < count; i++)
        out[i] = enc_ids_at(row, i);
    if (count <= ENC_IDS_FEW)
        qsort(out, count, sizeof *out, compare);
}

/* Two sorted neighbours of len entries each. */
static void merge_two(uint64_t *out, const uint64_t *in, size_t len)
{
    const uint64_t *left = in;
    const uint64_t *right = in + len;
    for (size_t i = 0; i < 2 * len; i++) {
        bool is_left = right == in + 2 * len || (left < in + len && *left <= *right);
        out[i] = is_left ? *left++ : *right++;
    }
}

void enc_ids_merge(uint64_t *out, uint64_t *scratch, const struct enc_bytes rows[ENC_IDS_MERGED])
{
    size_t len = enc_ids_count(rows[0]);
    for (size_t i = 0; i < ENC_IDS_MERGED; i++)
        load(out + i * len, rows[i]);
    merge_two(scratch, out, len);
    merge_two(scratch + 2 * len, out + 2 * len, len);
    merge_two(out, scratch, 2 * len);
    for (size_t i = 0; i < ENC_IDS_MERGED * len; i++)
        enc_be64_put((uint8_t *)&out[i], out[i]);
}
