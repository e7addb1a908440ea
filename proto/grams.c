#include "proto/grams.h"

#include "proto/grams_part.h"

/* So many grams are looked up before their postings are met: most queries are dead by then. */
enum { PLAN_MAX = 4 };

enum { GRAM_LEN = 3, GRAM_END = 1 << 24 };

struct block {
    const uint8_t *directory;
    size_t gram_count;
    const uint8_t *postings;
    size_t posting_count;
    size_t doc_count;
};

/* Postings [start, end). */
struct span {
    size_t start;
    size_t end;
};

/* Grams of a query whose postings are still to be met. */
struct plan {
    struct span spans[PLAN_MAX];
    size_t count;
};

static uint32_t gram_at(const struct block *block, size_t index)
{
    return enc_be32_get(block->directory + index * ENC_GRAMS_ENTRY_LEN);
}

static size_t end_at(const struct block *block, size_t index)
{
    return enc_be32_get(block->directory + index * ENC_GRAMS_ENTRY_LEN + 4);
}

static uint16_t doc_at(const struct block *block, size_t posting)
{
    return enc_grams_be16_get(block->postings + posting * ENC_GRAMS_POSTING_LEN);
}

/* A way through the grams of a query. */
struct course {
    const uint8_t *query;
    size_t count;
    size_t at;
    size_t left;
};

/* The first len bytes of a gram. */
static uint32_t gram_of(const uint8_t *data, size_t len)
{
    uint32_t gram = 0;
    for (size_t i = 0; i < GRAM_LEN; i++)
        gram = gram << 8 | (i < len ? data[i] : 0U);
    return gram;
}

static bool block_open(struct block *out, struct enc_bytes bytes)
{
    if (bytes.len < ENC_GRAMS_HEAD_LEN)
        return false;
    size_t rest = bytes.len - ENC_GRAMS_HEAD_LEN;
    out->gram_count = enc_be32_get(bytes.data);
    out->doc_count = enc_be32_get(bytes.data + 4);
    out->directory = bytes.data + ENC_GRAMS_HEAD_LEN;
    if (out->gram_count > rest / ENC_GRAMS_ENTRY_LEN || out->doc_count > ENC_GRAMS_DOCS_MAX)
        return false;
    rest -= out->gram_count * ENC_GRAMS_ENTRY_LEN;
    out->postings = out->directory + out->gram_count * ENC_GRAMS_ENTRY_LEN;
    out->posting_count = out->gram_count ? end_at(out, out->gram_count - 1) : 0;
    return rest == out->posting_count * ENC_GRAMS_POSTING_LEN;
}

/* The first entry whose gram is not below; without branches, for they would be guessed wrong. */
static size_t lower_bound(const struct block *block, uint32_t gram)
{
    size_t first = 0;
    for (size_t count = block->gram_count; count > 0;) {
        size_t half = count / 2;
        first = gram_at(block, first + half) < gram ? first + count - half : first;
        count = half;
    }
    return first;
}

/* The postings of the entries [first, last), which are not none. */
static bool span_of(struct span *out, const struct block *block, size_t first, size_t last)
{
    out->start = first ? end_at(block, first - 1) : 0;
    out->end = end_at(block, last - 1);
    return out->start < out->end && out->end <= block->posting_count;
}

/* The postings of one gram; an empty span when there is none. */
static bool look_up(struct span *out, const struct block *block, uint32_t gram)
{
    size_t index = lower_bound(block, gram);
    if (index < block->gram_count && gram_at(block, index) == gram)
        return span_of(out, block, index, index + 1);
    *out = (struct span){0};
    return true;
}

/* The documents of one gram. */
static bool seed(struct enc_grams_docs *out, const struct block *block, struct span span)
{
    size_t next = 0;
    bool is_good = true;
    if (span.end - span.start > block->doc_count)
        return false;
    out->count = span.end - span.start;
    for (size_t i = 0; i < out->count; i++) {
        uint16_t doc = doc_at(block, span.start + i);
        is_good &= doc >= next;
        next = doc + (size_t)1;
        out->docs[i] = doc;
    }
    return is_good && next <= block->doc_count;
}

static void keep_marked(struct enc_grams_docs *docs, const uint8_t marks[ENC_GRAMS_DOCS_MAX])
{
    size_t kept = 0;
    for (size_t i = 0; i < docs->count; i++) {
        uint16_t doc = docs->docs[i];
        docs->docs[kept] = doc;
        kept += marks[doc];
    }
    docs->count = kept;
}

/* Keep the documents that one gram has too. */
static bool narrow(struct enc_grams_docs *docs, const struct block *block, struct span span)
{
    uint8_t marks[ENC_GRAMS_DOCS_MAX] = {0};
    size_t next = 0;
    bool is_good = true;
    for (size_t i = span.start; i < span.end; i++) {
        size_t doc = doc_at(block, i);
        is_good &= doc >= next;
        next = doc + 1;
        marks[doc % ENC_GRAMS_DOCS_MAX] = 1;
    }
    keep_marked(docs, marks);
    return is_good && next <= block->doc_count;
}

/* By length, the shortest first. */
static void plan_add(struct plan *plan, struct span span)
{
    size_t at = plan->count++;
    for (; at > 0 && plan->spans[at - 1].end - plan->spans[at - 1].start > span.end - span.start;
         at--)
        plan->spans[at] = plan->spans[at - 1];
    plan->spans[at] = span;
}

static bool meet(struct enc_grams_docs *docs, const struct block *block, const struct plan *plan,
                 bool is_seeded)
{
    bool is_good = true;
    for (size_t i = 0; i < plan->count && is_good && (!is_seeded || docs->count > 0); i++) {
        is_good =
            is_seeded ? narrow(docs, block, plan->spans[i]) : seed(docs, block, plan->spans[i]);
        is_seeded = true;
    }
    return is_good;
}

/*
 * The next gram: every third first, for neighbours say nearly the same. After count steps all of
 * them had their turn.
 */
static size_t next_at(size_t at, size_t count)
{
    at += GRAM_LEN;
    return at < count ? at : at % GRAM_LEN + 1;
}

/* Look up the next grams; is_absent when there is one that no document has. */
static bool plan_next(struct plan *out, struct course *course, bool *is_absent,
                      const struct block *block)
{
    *is_absent = false;
    for (out->count = 0; course->left > 0 && out->count < PLAN_MAX && !*is_absent; course->left--) {
        struct span span;
        if (!look_up(&span, block, gram_of(course->query + course->at, GRAM_LEN)))
            return false;
        *is_absent = span.start == span.end;
        plan_add(out, span);
        course->at = next_at(course->at, course->count);
    }
    return true;
}

/* Every gram of the query must be there. */
static bool find_all(struct enc_grams_docs *out, const struct block *block, struct enc_bytes query)
{
    size_t count = query.len - (GRAM_LEN - 1);
    struct course course = {.query = query.data, .count = count, .left = count};
    bool is_absent = false, is_seeded = false;
    for (out->count = 0; course.left > 0 && (!is_seeded || out->count > 0); is_seeded = true) {
        struct plan plan;
        if (!plan_next(&plan, &course, &is_absent, block))
            return false;
        if (is_absent)
            out->count = 0;
        else if (!meet(out, block, &plan, is_seeded))
            return false;
    }
    return true;
}

static void take_all(struct enc_grams_docs *out, size_t doc_count)
{
    out->count = doc_count;
    for (size_t doc = 0; doc < doc_count; doc++)
        out->docs[doc] = (uint16_t)doc;
}

static void take_marked(struct enc_grams_docs *out, const uint8_t marks[ENC_GRAMS_DOCS_MAX])
{
    out->count = 0;
    for (size_t doc = 0; doc < ENC_GRAMS_DOCS_MAX; doc++) {
        out->docs[out->count] = (uint16_t)doc;
        out->count += marks[doc];
    }
}

/* Any gram that starts with the query will do; their postings lie in a row. */
static bool find_any(struct enc_grams_docs *out, const struct block *block, struct enc_bytes query)
{
    uint8_t marks[ENC_GRAMS_DOCS_MAX] = {0};
    struct span span;
    uint32_t gram = gram_of(query.data, query.len);
    size_t first = lower_bound(block, gram);
    size_t last = lower_bound(block, gram + (1U << 8 * (GRAM_LEN - query.len)));
    size_t beyond = 0;
    out->count = 0;
    if (first == last)
        return true;
    if (!span_of(&span, block, first, last))
        return false;
    for (size_t i = span.start; i < span.end; i++) {
        size_t doc = doc_at(block, i);
        beyond += doc >= block->doc_count;
        marks[doc % ENC_GRAMS_DOCS_MAX] = 1;
    }
    take_marked(out, marks);
    return beyond == 0;
}

static bool find(struct enc_grams_docs *out, const struct block *block, struct enc_bytes query)
{
    if (query.len >= GRAM_LEN)
        return find_all(out, block, query);
    if (query.len > 0)
        return find_any(out, block, query);
    take_all(out, block->doc_count);
    return true;
}

enum enc_err enc_grams_find(struct enc_grams_docs *out, struct enc_bytes block,
                            struct enc_bytes folded_query)
{
    struct block opened;
    bool is_good = block_open(&opened, block) && find(out, &opened, folded_query);
    return is_good ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

enum enc_err enc_grams_check(struct enc_bytes bytes)
{
    struct block block;
    struct enc_grams_docs docs;
    struct span span;
    if (!block_open(&block, bytes))
        return ENC_ERR_INTERNAL;
    for (size_t i = 0; i < block.gram_count; i++) {
        bool ascends = i == 0 || gram_at(&block, i - 1) < gram_at(&block, i);
        if (!ascends || gram_at(&block, i) >= GRAM_END || !span_of(&span, &block, i, i + 1) ||
            !seed(&docs, &block, span))
            return ENC_ERR_INTERNAL;
    }
    return ENC_ERR_OK;
}
