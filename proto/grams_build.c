#include "proto/grams.h"

#include "proto/grams_part.h"

/*
 * Pairs of a gram (24 bits) and a document (10 bits) in order of both: a radix sort by the two
 * halves of the gram. It is stable and the documents ascend from the start. Where an item lies says
 * the half it was last sorted by, so that items of 32 bits hold pairs of 34.
 */
enum {
    HALF_BITS = 12,
    HALVES = 1 << HALF_BITS,
    HALF_MASK = HALVES - 1,
    DOC_BITS = 10,
    DOC_MASK = ENC_GRAMS_DOCS_MAX - 1,
};

struct sort {
    size_t count;
    uint32_t *by_low;  /* high half, document */
    uint32_t *by_high; /* low half, document */
    uint32_t low_ends[HALVES];
    uint32_t high_ends[HALVES];
};

/* A walk over the distinct pairs. */
struct walk {
    const struct sort *sort;
    size_t at;
    uint32_t high;
    uint32_t item;
    bool has_pair;
    bool is_new_gram;
};

_Static_assert(ENC_GRAMS_DOCS_MAX == 1 << DOC_BITS, "a document has DOC_BITS bits");

enum enc_err enc_grams_begin(struct enc_grams *out, struct enc_arena *arena)
{
    struct enc_bytes *texts = ENC_ARENA_NEW(arena, struct enc_bytes, ENC_GRAMS_DOCS_MAX);
    *out = (struct enc_grams){.arena = arena, .texts = texts};
    return texts ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

bool enc_grams_add(struct enc_grams *grams, struct enc_bytes folded_text)
{
    ENC_CHECK(folded_text.len <= ENC_GRAMS_DOC_LEN_MAX);
    size_t text_len = grams->text_len + folded_text.len;
    if (grams->count == ENC_GRAMS_DOCS_MAX || (grams->count && text_len > ENC_GRAMS_TEXT_MAX))
        return false;
    grams->texts[grams->count++] = folded_text;
    grams->text_len = text_len;
    return true;
}

/* The gram that byte starts, from the one behind it: texts are walked from their ends. */
static uint32_t gram_before(uint32_t gram, uint8_t byte)
{
    return gram >> 8 | (uint32_t)byte << 16;
}

static void count_low(uint32_t counts[HALVES], struct enc_bytes text)
{
    uint32_t gram = 0;
    for (size_t i = text.len; i-- > 0;) {
        gram = gram_before(gram, text.data[i]);
        counts[gram & HALF_MASK]++;
    }
}

static void place_low(struct sort *sort, struct enc_bytes text, uint32_t doc)
{
    uint32_t gram = 0;
    for (size_t i = text.len; i-- > 0;) {
        gram = gram_before(gram, text.data[i]);
        sort->by_low[sort->low_ends[gram & HALF_MASK]++] = gram >> HALF_BITS << DOC_BITS | doc;
    }
}

static void starts_of(uint32_t counts[HALVES])
{
    uint32_t start = 0;
    for (size_t i = 0; i < HALVES; i++) {
        uint32_t count = counts[i];
        counts[i] = start;
        start += count;
    }
}

/* Starts become ends while the items are placed. */
static void sort_low(struct sort *sort, const struct enc_grams *grams)
{
    for (size_t doc = 0; doc < grams->count; doc++)
        count_low(sort->low_ends, grams->texts[doc]);
    starts_of(sort->low_ends);
    for (size_t doc = 0; doc < grams->count; doc++)
        place_low(sort, grams->texts[doc], (uint32_t)doc);
}

static void sort_high(struct sort *sort)
{
    uint32_t low = 0;
    for (size_t i = 0; i < sort->count; i++)
        sort->high_ends[sort->by_low[i] >> DOC_BITS]++;
    starts_of(sort->high_ends);
    for (size_t i = 0; i < sort->count; i++) {
        uint32_t item = sort->by_low[i];
        while (sort->low_ends[low] <= i)
            low++;
        sort->by_high[sort->high_ends[item >> DOC_BITS]++] = low << DOC_BITS | (item & DOC_MASK);
    }
}

static struct sort *sort_new(const struct enc_grams *grams)
{
    struct sort *sort = ENC_ARENA_NEW(grams->arena, struct sort, 1);
    uint32_t *items = ENC_ARENA_NEW(grams->arena, uint32_t, 2 * grams->text_len);
    if (!sort || !items)
        return NULL;
    sort->count = grams->text_len;
    sort->by_low = items;
    sort->by_high = items + grams->text_len;
    sort_low(sort, grams);
    sort_high(sort);
    return sort;
}

static bool walk_next(struct walk *walk)
{
    const struct sort *sort = walk->sort;
    for (; walk->at < sort->count; walk->at++) {
        uint32_t item = sort->by_high[walk->at], high = walk->high;
        while (sort->high_ends[high] <= walk->at)
            high++;
        bool is_first = !walk->has_pair || high != walk->high;
        if (!is_first && item == walk->item)
            continue;
        walk->is_new_gram = is_first || (item ^ walk->item) >> DOC_BITS;
        walk->high = high;
        walk->item = item;
        walk->has_pair = true;
        walk->at++;
        return true;
    }
    return false;
}

static size_t block_len(const struct sort *sort, size_t *gram_count)
{
    struct walk walk = {.sort = sort};
    size_t posting_count = 0;
    *gram_count = 0;
    while (walk_next(&walk)) {
        posting_count++;
        *gram_count += walk.is_new_gram;
    }
    return ENC_GRAMS_HEAD_LEN + *gram_count * ENC_GRAMS_ENTRY_LEN +
           posting_count * ENC_GRAMS_POSTING_LEN;
}

static void put_pairs(uint8_t *directory, uint8_t *posting, const struct sort *sort)
{
    struct walk walk = {.sort = sort};
    uint8_t *entry = NULL;
    uint32_t end = 0;
    while (walk_next(&walk)) {
        if (walk.is_new_gram) {
            entry = entry ? entry + ENC_GRAMS_ENTRY_LEN : directory;
            enc_be32_put(entry, walk.high << HALF_BITS | walk.item >> DOC_BITS);
        }
        enc_be32_put(entry + 4, ++end);
        enc_grams_be16_put(posting, (uint16_t)(walk.item & DOC_MASK));
        posting += ENC_GRAMS_POSTING_LEN;
    }
}

enum enc_err enc_grams_finish(struct enc_bytes *out, const struct enc_grams *grams)
{
    size_t gram_count;
    const struct sort *sort = sort_new(grams);
    if (!sort)
        return ENC_ERR_TOO_LARGE;
    size_t len = block_len(sort, &gram_count);
    uint8_t *block = (uint8_t *)enc_arena_take(grams->arena, len);
    if (!block)
        return ENC_ERR_TOO_LARGE;
    enc_be32_put(block, (uint32_t)gram_count);
    enc_be32_put(block + 4, (uint32_t)grams->count);
    uint8_t *directory = block + ENC_GRAMS_HEAD_LEN;
    put_pairs(directory, directory + gram_count * ENC_GRAMS_ENTRY_LEN, sort);
    *out = enc_bytes_of(block, len);
    return ENC_ERR_OK;
}
