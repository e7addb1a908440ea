#include "proto/grams.h"

#include "logic.h"
#include "proto/fold.h"
#include "texts.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { SMALL_DOCS_MAX = 24, SMALL_LEN_MAX = 160 };

static struct enc_bytes build(struct enc_arena *memory, const struct enc_bytes *docs, size_t count)
{
    struct enc_grams grams;
    struct enc_bytes block;
    EXPECT_OK(enc_grams_begin(&grams, memory));
    for (size_t i = 0; i < count; i++)
        cr_assert(enc_grams_add(&grams, docs[i]));
    EXPECT_OK(enc_grams_finish(&block, &grams));
    EXPECT_OK(enc_grams_check(block));
    return block;
}

static struct enc_grams_docs find(struct enc_bytes block, struct enc_bytes query)
{
    struct enc_grams_docs docs;
    EXPECT_OK(enc_grams_find(&docs, block, query));
    return docs;
}

/* ---- the plain truth ---- */

static uint8_t byte_at(struct enc_bytes text, size_t at)
{
    return at < text.len ? text.data[at] : 0;
}

static bool has_gram(struct enc_bytes doc, struct enc_bytes gram)
{
    for (size_t i = 0; i < doc.len; i++) {
        size_t same = 0;
        while (same < gram.len && byte_at(doc, i + same) == gram.data[same])
            same++;
        if (same == gram.len)
            return true;
    }
    return gram.len == 0;
}

static bool has_all_grams(struct enc_bytes doc, struct enc_bytes query)
{
    if (query.len <= 3)
        return has_gram(doc, query);
    for (size_t i = 0; i + 3 <= query.len; i++)
        if (!has_gram(doc, enc_bytes_of(query.data + i, 3)))
            return false;
    return true;
}

static size_t expect_found(struct enc_bytes block, const struct enc_bytes *docs, size_t count,
                           struct enc_bytes query)
{
    struct enc_grams_docs got = find(block, query);
    size_t at = 0;
    for (size_t doc = 0; doc < count; doc++) {
        bool is_found = at < got.count && got.docs[at] == doc;
        cr_assert_eq(is_found, has_all_grams(docs[doc], query), "document %zu", doc);
        cr_assert(is_found || !enc_fold_contains(docs[doc], query));
        at += is_found;
    }
    cr_assert_eq(at, got.count);
    return at;
}

/* ---- random blocks ---- */

struct batch {
    uint8_t memory[SMALL_DOCS_MAX][SMALL_LEN_MAX];
    struct enc_bytes docs[SMALL_DOCS_MAX];
    size_t count;
};

static void make_batch(struct batch *batch)
{
    batch->count = random_below(SMALL_DOCS_MAX + 1);
    for (size_t i = 0; i < batch->count; i++) {
        size_t points = random_below(4) ? random_below(SMALL_LEN_MAX / 4) : random_below(3);
        batch->docs[i] = enc_bytes_of(batch->memory[i], random_text(batch->memory[i], points));
    }
}

/* A part of a document at any byte, or something else. */
static struct enc_bytes make_query(uint8_t out[SMALL_LEN_MAX], const struct batch *batch)
{
    if (batch->count == 0 || random_below(3) == 0)
        return enc_bytes_of(out, random_text(out, random_below(6)));
    struct enc_bytes doc = batch->docs[random_below((uint32_t)batch->count)];
    size_t start = random_below((uint32_t)doc.len + 1);
    size_t len = random_below((uint32_t)(doc.len - start) + 1);
    if (len)
        memcpy(out, doc.data + start, len);
    if (len && random_below(5) == 0)
        out[random_below((uint32_t)len)] ^= (uint8_t)random_below(2);
    return enc_bytes_of(out, len);
}

Test(grams, finds_what_a_walk_over_all_texts_finds)
{
    static struct batch batch;
    size_t found = 0, nothing = 0;
    for (size_t round = 0; round < 4000; round++) {
        make_batch(&batch);
        struct enc_bytes block = build(fresh_arena(1 << 20), batch.docs, batch.count);
        for (size_t i = 0; i < 12; i++) {
            uint8_t query[SMALL_LEN_MAX];
            size_t hits = expect_found(block, batch.docs, batch.count, make_query(query, &batch));
            found += hits;
            nothing += hits == 0;
        }
    }
    cr_assert_gt(found, 50000);
    cr_assert_gt(nothing, 5000);
}

Test(grams, finds_every_byte_and_every_pair)
{
    static struct batch batch;
    make_batch(&batch);
    batch.docs[0] = ENC_LIT("\xff\xff\xff");
    batch.docs[1] = ENC_LIT("\0\0 a\0");
    batch.count = batch.count < 2 ? 2 : batch.count;
    struct enc_bytes block = build(fresh_arena(1 << 20), batch.docs, batch.count);
    for (uint32_t pair = 0; pair < 1 << 16; pair++) {
        uint8_t query[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
        expect_found(block, batch.docs, batch.count, enc_bytes_of(query, 2));
        expect_found(block, batch.docs, batch.count, enc_bytes_of(query + 1, 1));
    }
}

Test(grams, every_part_of_a_text_of_every_length_is_found)
{
    uint8_t utf8[4 * 60];
    struct enc_bytes docs[2] = {{utf8, random_text(utf8, 60)}, ENC_LIT("another one")};
    struct enc_bytes block = build(fresh_arena(1 << 20), docs, 2);
    for (size_t start = 0; start < docs[0].len; start++)
        for (size_t len = 0; len <= docs[0].len - start; len++)
            expect_found(block, docs, 2, enc_bytes_of(utf8 + start, len));
}

/* ---- bytes ---- */

Test(grams, a_block_has_these_bytes)
{
    const struct enc_bytes docs[] = {ENC_LIT("ab"), ENC_LIT(""), ENC_LIT("bb"), ENC_LIT("b")};
    expect_hex(build(fresh_arena(1 << 20), docs, 4), "00000003"
                                                     "00000004"
                                                     "00616200"
                                                     "00000001"
                                                     "00620000"
                                                     "00000004"
                                                     "00626200"
                                                     "00000005"
                                                     "0000"
                                                     "000000020003"
                                                     "0002");
    expect_hex(build(fresh_arena(1 << 20), docs, 0), "0000000000000000");
    expect_hex(build(fresh_arena(1 << 20), docs + 1, 1), "0000000000000001");
}

Test(grams, equal_documents_make_equal_blocks)
{
    static struct batch batch;
    for (size_t round = 0; round < 200; round++) {
        make_batch(&batch);
        struct enc_bytes block = build(fresh_arena(1 << 20), batch.docs, batch.count);
        static uint8_t other[1 << 20];
        struct enc_arena memory;
        memset(other, (int)random_below(256), sizeof other);
        enc_arena_init_fixed(&memory, other, sizeof other);
        cr_assert(enc_bytes_equal(block, build(&memory, batch.docs, batch.count)));
    }
}

Test(grams, empty_documents_are_counted_and_match_the_empty_query_only)
{
    const struct enc_bytes docs[] = {ENC_LIT(""), ENC_LIT("x"), ENC_LIT("")};
    struct enc_bytes block = build(fresh_arena(1 << 20), docs, 3);
    struct enc_grams_docs all = find(block, enc_bytes_of(NULL, 0));
    cr_assert_eq(all.count, 3);
    cr_assert_eq(all.docs[2], 2);
    struct enc_grams_docs one = find(block, ENC_LIT("x"));
    cr_assert_eq(one.count, 1);
    cr_assert_eq(one.docs[0], 1);
}

Test(grams, case_is_folded_before)
{
    struct enc_arena *memory = fresh_arena(1 << 20);
    struct enc_bytes docs[3], query;
    EXPECT_OK(enc_fold(&docs[0], memory, ENC_LIT("Die Straße nach Berlin")));
    EXPECT_OK(enc_fold(&docs[1], memory, ENC_LIT("Die Strafe")));
    EXPECT_OK(enc_fold(&docs[2], memory, ENC_LIT("HAUPTSTRASSE")));
    EXPECT_OK(enc_fold(&query, memory, ENC_LIT("StraSSe")));
    struct enc_grams_docs got = find(build(memory, docs, 3), query);
    cr_assert_eq(got.count, 2);
    cr_assert_eq(got.docs[0], 0);
    cr_assert_eq(got.docs[1], 2);
}

/* ---- limits ---- */

Test(grams, a_block_holds_1024_documents)
{
    static struct enc_bytes docs[ENC_GRAMS_DOCS_MAX];
    struct enc_grams grams;
    struct enc_bytes block;
    EXPECT_OK(enc_grams_begin(&grams, fresh_arena(1 << 22)));
    for (size_t i = 0; i < ENC_GRAMS_DOCS_MAX; i++) {
        docs[i] = i % 3 ? ENC_LIT("the same in many") : text("number %zu of many", i);
        cr_assert(enc_grams_add(&grams, docs[i]));
    }
    cr_assert_not(enc_grams_add(&grams, ENC_LIT("")));
    EXPECT_OK(enc_grams_finish(&block, &grams));
    EXPECT_OK(enc_grams_check(block));
    cr_assert_eq(expect_found(block, docs, ENC_GRAMS_DOCS_MAX, ENC_LIT("many")), 1024);
    cr_assert_eq(expect_found(block, docs, ENC_GRAMS_DOCS_MAX, ENC_LIT("y")), 1024);
    cr_assert_eq(expect_found(block, docs, ENC_GRAMS_DOCS_MAX, ENC_LIT("")), 1024);
    cr_assert_eq(expect_found(block, docs, ENC_GRAMS_DOCS_MAX, ENC_LIT("number 1023 of")), 1);
    cr_assert_eq(expect_found(block, docs, ENC_GRAMS_DOCS_MAX, ENC_LIT("same in")), 682);
}

Test(grams, a_block_holds_64_kib_or_one_longer_document)
{
    static uint8_t long_text[5 * ENC_GRAMS_TEXT_MAX];
    struct enc_grams grams;
    struct enc_bytes block, half = enc_bytes_of(long_text, ENC_GRAMS_TEXT_MAX / 2);
    size_t len = random_text(long_text, ENC_GRAMS_TEXT_MAX + 1);
    EXPECT_OK(enc_grams_begin(&grams, fresh_arena(8 << 20)));
    cr_assert(enc_grams_add(&grams, half));
    cr_assert_not(enc_grams_add(&grams, enc_bytes_of(long_text, half.len + 1)));
    cr_assert(enc_grams_add(&grams, half));
    cr_assert(enc_grams_add(&grams, ENC_LIT("")));
    cr_assert_not(enc_grams_add(&grams, ENC_LIT("a")));
    EXPECT_OK(enc_grams_finish(&block, &grams));
    EXPECT_OK(enc_grams_check(block));

    const struct enc_bytes one = {long_text, len};
    EXPECT_OK(enc_grams_begin(&grams, fresh_arena(8 << 20)));
    cr_assert(enc_grams_add(&grams, one));
    cr_assert_not(enc_grams_add(&grams, ENC_LIT("")));
    EXPECT_OK(enc_grams_finish(&block, &grams));
    EXPECT_OK(enc_grams_check(block));
    cr_assert_eq(expect_found(block, &one, 1, enc_bytes_of(long_text + len - 50, 50)), 1);
    cr_assert_eq(expect_found(block, &one, 1, enc_bytes_of(long_text + len - 1, 1)), 1);
    cr_assert_eq(expect_found(block, &one, 1, ENC_LIT("zzzz")), 0);
}

Test(grams, says_when_memory_ends)
{
    struct enc_grams grams;
    struct enc_bytes block;
    EXPECT_ERR(enc_grams_begin(&grams, fresh_arena(1 << 13)), TOO_LARGE);
    for (size_t len = (1 << 14) + 64; len < 60000; len += 64) {
        EXPECT_OK(enc_grams_begin(&grams, fresh_arena(len)));
        cr_assert(enc_grams_add(&grams, ENC_LIT("some text or other")));
        if (enc_grams_finish(&block, &grams) == ENC_ERR_OK) {
            cr_assert_gt(len, (1 << 14) + (1 << 15) + 8 * 18 + block.len);
            return;
        }
    }
    cr_assert_fail("never enough");
}

/* ---- damage ---- */

/* A copy that ends where its bytes end, for the sanitizer. */
static struct enc_bytes exact(struct enc_bytes bytes)
{
    uint8_t *copy = (uint8_t *)malloc(bytes.len ? bytes.len : 1);
    cr_assert_not_null(copy);
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return enc_bytes_of(copy, bytes.len);
}

/* Whatever a block is: an error, or documents in order; no error from what passed the check. */
static void expect_safe(struct enc_bytes bytes)
{
    static const char *const QUERIES[] = {"",
                                          "a",
                                          "ab",
                                          "abc",
                                          "e abc a",
                                          "s",
                                          "\xc3\x9f",
                                          "abcabcaabcbbac",
                                          "\xf0\x9f\x98\x80",
                                          "\xff\xff\xff"};
    struct enc_bytes block = exact(bytes);
    bool is_good = enc_grams_check(block) == ENC_ERR_OK;
    for (size_t i = 0; i < sizeof QUERIES / sizeof *QUERIES; i++) {
        struct enc_grams_docs docs;
        enum enc_err err = enc_grams_find(&docs, block, enc_bytes_of_text(QUERIES[i]));
        cr_assert(err == ENC_ERR_OK || (err == ENC_ERR_INTERNAL && !is_good));
        cr_assert(err != ENC_ERR_OK || docs.count <= ENC_GRAMS_DOCS_MAX);
        for (size_t k = 0; err == ENC_ERR_OK && k < docs.count; k++)
            cr_assert(docs.docs[k] < enc_be32_get(block.data + 4) &&
                      (k == 0 || docs.docs[k - 1] < docs.docs[k]));
    }
    free((void *)block.data);
}

static struct enc_bytes some_block(struct enc_arena *memory)
{
    static struct batch batch;
    do
        make_batch(&batch);
    while (batch.count < 4);
    batch.docs[0] = ENC_LIT("e abc a abcabcaabcbbac");
    batch.docs[1] = ENC_LIT("abcabc");
    return build(memory, batch.docs, batch.count);
}

Test(grams, a_block_cut_short_or_continued_is_refused)
{
    struct enc_grams_docs docs;
    struct enc_bytes block = some_block(fresh_arena(1 << 20));
    static uint8_t longer[1 << 20];
    memcpy(longer, block.data, block.len);
    for (size_t len = 0; len < block.len + 10; len++) {
        struct enc_bytes cut = exact(enc_bytes_of(longer, len));
        enum enc_err expected = len == block.len ? ENC_ERR_OK : ENC_ERR_INTERNAL;
        cr_assert_eq(enc_grams_find(&docs, cut, ENC_LIT("zzz")), expected);
        cr_assert_eq(enc_grams_find(&docs, cut, enc_bytes_of(NULL, 0)), expected);
        cr_assert_eq(enc_grams_check(cut), expected);
        free((void *)cut.data);
    }
}

Test(grams, no_flipped_bit_leads_astray)
{
    for (size_t round = 0; round < 3; round++) {
        struct enc_bytes block = some_block(fresh_arena(1 << 20));
        uint8_t *bytes = (uint8_t *)block.data;
        for (size_t bit = 0; bit < 8 * block.len; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            expect_safe(block);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

Test(grams, no_bytes_lead_astray)
{
    for (size_t round = 0; round < 20000; round++) {
        struct enc_bytes block = some_block(fresh_arena(1 << 20));
        uint8_t *bytes = (uint8_t *)block.data;
        for (size_t i = 1 + random_below(20); i > 0; i--)
            bytes[random_below((uint32_t)block.len)] = (uint8_t)random_below(256);
        expect_safe(block);
        uint8_t noise[64];
        size_t len = 8 + random_below(sizeof noise - 7);
        for (size_t i = 0; i < len; i++)
            noise[i] = (uint8_t)(random_below(3) ? 0 : random_below(12));
        expect_safe(enc_bytes_of(noise, len));
    }
}

/* More postings of a gram than there can be documents must not overrun the answer. */
Test(grams, too_many_documents_of_a_gram_are_refused)
{
    static uint8_t bytes[8 + 8 + 2 * 3000];
    for (uint32_t count = ENC_GRAMS_DOCS_MAX; count <= 3000; count++) {
        struct enc_bytes block = {bytes, 8 + 8 + 2 * (size_t)count};
        unhex(bytes, 12, "000000010000040000616263");
        enc_be32_put(bytes + 12, count);
        for (uint32_t i = 0; i < count; i++) {
            bytes[16 + 2 * i] = (uint8_t)(i >> 8);
            bytes[17 + 2 * i] = (uint8_t)i;
        }
        struct enc_grams_docs docs;
        enum enc_err expected = count == ENC_GRAMS_DOCS_MAX ? ENC_ERR_OK : ENC_ERR_INTERNAL;
        cr_assert_eq(enc_grams_find(&docs, block, ENC_LIT("abc")), expected);
        cr_assert_eq(enc_grams_find(&docs, block, ENC_LIT("a")), expected);
        cr_assert_eq(enc_grams_check(block), expected);
    }
}

/* Two grams of two documents; "ab" and "bcd" are the queries that meet them. */
Test(grams, damage_is_named_by_those_who_read_it)
{
    static const struct {
        const char *what, *hex;
        bool ab_reads, bcd_reads;
    } ROWS[] = {
        {"more grams than bytes",
         "ffffffff000000020061620000000002006263640000000300000001"
         "0001",
         true, true},
        {"1025 documents",
         "00000002000004010061620000000002006263640000000300000001"
         "0001",
         true, true},
        {"a document beyond the count",
         "00000002000000020061620000000002006263640000000300000002"
         "0001",
         true, false},
        {"and in the other gram",
         "00000002000000020061620000000002006263640000000300000001"
         "0002",
         false, true},
        {"an end before its start",
         "00000002000000020061620000000004006263640000000300000001"
         "0001",
         true, true},
        {"a gram without documents",
         "00000002000000020061620000000003006263640000000300000001"
         "0001",
         false, true},
        {"a gram of four bytes",
         "00000002000000020061620000000002ff6263640000000300000001"
         "0001",
         false, false},
        {"documents out of order",
         "00000002000000020062636300000001006263640000000300000001"
         "0000",
         false, true},
        {"a document twice",
         "00000002000000020062636300000001006263640000000300000001"
         "0001",
         false, true},
        {"grams out of order",
         "00000002000000020062636400000002006162000000000300000001"
         "0001",
         false, false},
        {"a gram twice",
         "00000002000000020061620000000002006162000000000300000001"
         "0001",
         false, false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint8_t bytes[30];
        struct enc_grams_docs docs;
        struct enc_bytes block = {bytes, sizeof bytes};
        unhex(bytes, sizeof bytes, ROWS[i].hex);
        cr_assert_eq(enc_grams_check(block), ENC_ERR_INTERNAL, "%s", ROWS[i].what);
        cr_assert_eq(enc_grams_find(&docs, block, ENC_LIT("ab")) != ENC_ERR_OK, ROWS[i].ab_reads,
                     "ab: %s", ROWS[i].what);
        cr_assert_eq(enc_grams_find(&docs, block, ENC_LIT("bcd")) != ENC_ERR_OK, ROWS[i].bcd_reads,
                     "bcd: %s", ROWS[i].what);
    }
}
